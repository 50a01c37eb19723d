/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wav_write.c: a tensor as a WAV of 16-bit or 24-bit PCM or 32-bit float.
 *
 * The sizes are known before the first sample, so the header goes first and nothing is gone back to:
 * a pipe can be written. Equal tensors give equal files: no date is stored.
 */
#include <math.h>
#include <string.h>

#include "io/bytes.h"
#include "io/wav.h"

/* The sound inside a tensor: which axis is what. */
typedef struct sound {
    const fal_tensor *tensor;
    int32_t channel, time; /* axes; channel -1 for (L) */
    io_wav wav;
} sound;

static unsigned char *put(unsigned char *to, uint64_t value, int width)
{
    for (int i = 0; i < width; i++) *to++ = (unsigned char)(value >> (8 * i));
    return to;
}

static unsigned char *put_name(unsigned char *to, const char *name)
{
    memcpy(to, name, 4);
    return to + 4;
}

static unsigned char *put_format(unsigned char *to, const io_wav *wav)
{
    /* The short form means what everybody agrees on: up to 16 bits and two speakers. */
    bool extended = wav->codec == IO_WAV_PCM && (wav->bits > 16 || wav->channels > 2);
    to = put(put_name(to, "fmt "), extended ? 40 : 16, 4);
    to = put(to, extended ? IO_WAV_EXTENSIBLE : wav->codec, 2);
    to = put(to, wav->channels, 2);
    to = put(to, wav->rate, 4);
    to = put(to, (uint64_t)wav->rate * wav->frame, 4);
    to = put(put(to, wav->frame, 2), wav->bits, 2);
    if (!extended) return to;
    to = put(put(to, 22, 2), wav->bits, 2); /* length of the rest, valid bits */
    to = put(put(to, 0, 4), wav->codec, 2); /* speakers: not said */
    memcpy(to, io_wav_guid, sizeof io_wav_guid);
    return to + sizeof io_wav_guid;
}

size_t io_wav_header(const io_wav *wav, unsigned char header[IO_WAV_HEADER])
{
    unsigned char format[IO_WAV_HEADER];
    size_t format_bytes = (size_t)(put_format(format, wav) - format);
    uint64_t data = wav->frames * wav->frame, fact = wav->codec == IO_WAV_FLOAT ? 12 : 0;
    uint64_t riff = 4 + format_bytes + fact + 8 + data + (data & 1);
    bool wide = riff >= UINT32_MAX;
    if (wide) riff += 36;
    unsigned char *to = put_name(header, wide ? "RF64" : "RIFF");
    to = put_name(put(to, wide ? UINT32_MAX : riff, 4), "WAVE");
    if (wide) {
        to = put(put_name(to, "ds64"), 28, 4);
        to = put(put(put(put(to, riff, 8), data, 8), wav->frames, 8), 0, 4);
    }
    memcpy(to, format, format_bytes);
    to += format_bytes;
    if (fact > 0) to = put(put(put_name(to, "fact"), 4, 4), wide ? UINT32_MAX : wav->frames, 4);
    to = put(put_name(to, "data"), wide ? UINT32_MAX : data, 4);
    return (size_t)(to - header);
}

static fal_status find_axes(const fal_tensor *t, fal_layout layout, const io_place *place, sound *s,
                            fal_error *error)
{
    int32_t rank = t->rank;
    bool last = layout == FAL_NHWC;
    if (rank < 1 || rank > 3 || (rank == 3 && t->shape[0] != 1)) {
        io_fail(error, FAL_E_RANK, place, IO_NOWHERE, "the tensor has %" PRId32 " axes%s", rank,
                rank == 3 ? " and is not a single sound" : "");
        return io_allowed(error, FAL_E_RANK,
                          last ? "a WAV takes (L), (L,C) or (1,L,C)" : "a WAV takes (L), (C,L) or (1,C,L)");
    }
    s->tensor = t;
    s->channel = rank == 1 ? -1 : last ? rank - 1 : rank - 2;
    s->time = rank > 1 && last ? rank - 2 : rank - 1;
    int64_t channels = rank == 1 ? 1 : t->shape[s->channel];
    if (channels < 1 || channels > IO_WAV_CHANNELS) {
        io_fail(error, FAL_E_SHAPE, place, IO_NOWHERE, "axis %" PRId32 " gives %" PRId64 " channels",
                s->channel, channels);
        io_allowed(error, FAL_E_SHAPE, "a WAV has 1 to %d", IO_WAV_CHANNELS);
        return io_hint(error, FAL_E_SHAPE, "is the sound (%s)? try --layout %s", last ? "C,L" : "L,C",
                       last ? "nchw" : "nhwc");
    }
    s->wav.channels = (uint32_t)channels;
    s->wav.frames = (uint64_t)t->shape[s->time];
    return FAL_OK;
}

static fal_status find_sound(const fal_tensor *t, const io_write_options *options, const io_place *place,
                             sound *s, fal_error *error)
{
    *s = (sound){0};
    IO_TRY(find_axes(t, options->layout, place, s, error));
    int32_t bits = options->bits == 0 ? 16 : options->bits;
    if (bits != 16 && bits != 24 && bits != 32) {
        io_fail(error, FAL_E_VALUE, place, IO_NOWHERE, "%" PRId32 " bits", bits);
        return io_allowed(error, FAL_E_VALUE, "a WAV is written with 16, 24 or 32 (float)");
    }
    if (options->rate < 0 || options->rate > INT32_MAX) {
        io_fail(error, FAL_E_VALUE, place, IO_NOWHERE, "%" PRId64 " samples a second", options->rate);
        return io_allowed(error, FAL_E_VALUE, "1 to 2147483647");
    }
    if (t->dtype != FAL_I16 && fal_dtype_is_integer(t->dtype)) {
        io_fail(error, FAL_E_DTYPE, place, IO_NOWHERE, "elements are %s", fal_dtype_name(t->dtype));
        return io_allowed(error, FAL_E_DTYPE, "a WAV takes floats in -1..1, or i16");
    }
    s->wav.bits = (uint32_t)bits;
    s->wav.codec = bits == 32 ? IO_WAV_FLOAT : IO_WAV_PCM;
    s->wav.rate = options->rate == 0 ? IO_WAV_RATE : (uint32_t)options->rate;
    s->wav.frame = s->wav.channels * (s->wav.bits / 8);
    return FAL_OK;
}

/* One sample, little-endian. Floats are clipped to -1 .. 1 - 1 step and rounded half to even, which
 * is the inverse of reading; NaN is silence. A float file keeps what it gets. */
static uint32_t level(const sound *s, double value)
{
    if (s->tensor->dtype == FAL_I16) value /= 32768;
    if (s->wav.codec == IO_WAV_FLOAT) {
        float narrow = (float)value;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        return bits;
    }
    const double one = s->wav.bits == 24 ? 8388608 : 32768;
    if (!(value == value)) return 0;
    double steps = nearbyint(fmin(fmax(value * one, -one), one - 1));
    return (uint32_t)(int32_t)steps;
}

fal_status io_wav_write(io_file *file, const io_named *items, size_t count, const io_write_options *options,
                        fal_error *error)
{
    (void)count;
    const io_place place = io_file_place(file);
    unsigned char bytes[IO_WAV_HEADER];
    sound s;
    IO_TRY(find_sound(items->tensor, options, &place, &s, error));
    IO_TRY(io_file_write(file, bytes, io_wav_header(&s.wav, bytes), error));
    int64_t index[FAL_MAX_RANK] = {0};
    const int width = (int)s.wav.bits / 8;
    for (uint64_t f = 0; f < s.wav.frames; f++) {
        index[s.time] = (int64_t)f;
        for (uint32_t c = 0; c < s.wav.channels; c++) {
            if (s.channel >= 0) index[s.channel] = c;
            put(bytes, level(&s, fal_tensor_get(s.tensor, index)), width);
            IO_TRY(io_file_write(file, bytes, (size_t)width, error));
        }
    }
    bytes[0] = 0;
    return io_file_write(file, bytes, (size_t)((s.wav.frames * s.wav.frame) & 1), error);
}
