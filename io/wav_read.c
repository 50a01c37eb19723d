/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wav_read.c: the samples of a WAV as a float32 tensor (1,C,L), or (1,L,C) for FAL_NHWC, in -1..1.
 *
 * libsndfile decodes them. It is shown the samples alone, as a headerless file of the codec that
 * wav_chunks.c found, and pulls them from the source as it goes, so that the file is never in memory
 * beside the tensor.
 */
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/wav.h"

enum { BLOCK = 4096 }; /* samples that are decoded at once; IO_WAV_CHANNELS fit */

/* The range of samples as libsndfile's file. */
typedef struct samples {
    io_source *source;
    uint64_t start, bytes, at; /* `at` counts from start */
    fal_status status;         /* of the source */
    fal_error *error;
} samples;

static sf_count_t length_of(void *user)
{
    return (sf_count_t)((const samples *)user)->bytes;
}

static sf_count_t move(sf_count_t offset, int whence, void *user)
{
    samples *s = user;
    sf_count_t base = whence == SEEK_SET ? 0 : (sf_count_t)(whence == SEEK_CUR ? s->at : s->bytes);
    sf_count_t to = base + offset;
    if (to < 0 || (uint64_t)to > s->bytes) return -1;
    s->at = (uint64_t)to;
    return to;
}

static sf_count_t pull(void *to, sf_count_t count, void *user)
{
    samples *s = user;
    size_t got = 0;
    uint64_t left = s->bytes - s->at, wanted = count < 0 ? 0 : (uint64_t)count;
    if (s->status == FAL_OK && s->source->position != s->start + s->at)
        s->status = io_source_seek(s->source, s->start + s->at, s->error);
    if (s->status == FAL_OK)
        s->status = io_source_read(s->source, to, (size_t)(wanted < left ? wanted : left), &got, s->error);
    s->at += got;
    return (sf_count_t)got;
}

static sf_count_t refuse_write(const void *from, sf_count_t count, void *user)
{
    (void)from;
    (void)count;
    (void)user;
    return 0;
}

static sf_count_t place_of(void *user)
{
    return (sf_count_t)((const samples *)user)->at;
}

/* The codec as libsndfile calls it. */
static int format_of(const io_wav *wav)
{
    static const int pcm[] = {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32};
    int codec = SF_FORMAT_ULAW;
    if (wav->codec == IO_WAV_PCM) codec = pcm[wav->bits / 8 - 1];
    if (wav->codec == IO_WAV_FLOAT) codec = wav->bits == 64 ? SF_FORMAT_DOUBLE : SF_FORMAT_FLOAT;
    if (wav->codec == IO_WAV_ALAW) codec = SF_FORMAT_ALAW;
    return SF_FORMAT_RAW | SF_ENDIAN_LITTLE | codec;
}

static fal_status open_samples(samples *s, const io_wav *wav, SNDFILE **file, fal_error *error)
{
    SF_VIRTUAL_IO calls = {
        .get_filelen = length_of, .seek = move, .read = pull, .write = refuse_write, .tell = place_of};
    SF_INFO info = {.samplerate = IO_WAV_RATE, .channels = (int)wav->channels, .format = format_of(wav)};
    *file = sf_open_virtual(&calls, SFM_READ, &info, s);
    if (*file != NULL) return FAL_OK;
    if (s->status != FAL_OK) return s->status;
    return io_fail(error, FAL_E_NOMEM, &s->source->place, IO_NOWHERE, "no memory to decode the sound");
}

/* Decodes everything, from frames into channels. */
static fal_status decode(SNDFILE *file, const samples *s, const io_wav *wav, bool last, float *out,
                         fal_error *error)
{
    float block[BLOCK];
    const size_t channels = wav->channels;
    const sf_count_t most = BLOCK / (sf_count_t)channels;
    size_t frame_step = last ? channels : 1, channel_step = last ? 1 : (size_t)wav->frames;
    for (uint64_t done = 0; done < wav->frames;) {
        uint64_t left = wav->frames - done;
        sf_count_t wanted = left < (uint64_t)most ? (sf_count_t)left : most;
        sf_count_t got = sf_readf_float(file, block, wanted);
        if (s->status != FAL_OK) return s->status;
        if (got <= 0) {
            return io_fail(error, FAL_E_TRUNCATED, &s->source->place, s->start + s->at,
                           "the file became shorter while it was read");
        }
        for (size_t f = 0; f < (size_t)got; f++)
            for (size_t c = 0; c < channels; c++)
                out[((size_t)done + f) * frame_step + c * channel_step] = block[f * channels + c];
        done += (uint64_t)got;
    }
    return FAL_OK;
}

static void shape_of(const io_wav *wav, fal_layout layout, int64_t shape[3])
{
    bool last = layout == FAL_NHWC;
    shape[0] = 1;
    shape[last ? 2 : 1] = (int64_t)wav->channels;
    shape[last ? 1 : 2] = (int64_t)wav->frames;
}

fal_status io_wav_read(io_source *source, const char *member, const io_read_options *options, io_array *out,
                       fal_error *error)
{
    (void)member;
    io_wav wav = {0};
    IO_TRY(io_wav_find(source, options, &wav, error));
    /* A sample takes at least one byte of the file, so this is at most four times the file. */
    uint64_t bytes = wav.frames * wav.channels * sizeof(float);
    out->memory = bytes > SIZE_MAX ? NULL : malloc(bytes > 0 ? (size_t)bytes : 1);
    if (out->memory == NULL) return io_fail_memory(error, &source->place, "the samples", bytes);
    int64_t shape[3];
    shape_of(&wav, options->layout, shape);
    out->bytes = (size_t)bytes;
    out->rate = wav.rate;
    out->tensor = fal_tensor_of(out->memory, FAL_F32, 3, shape);
    samples s = {.source = source, .start = wav.start, .bytes = wav.frames * wav.frame, .error = error};
    SNDFILE *file = NULL;
    fal_status status = wav.frames == 0 ? FAL_OK : open_samples(&s, &wav, &file, error);
    if (status == FAL_OK) status = decode(file, &s, &wav, options->layout == FAL_NHWC, out->memory, error);
    if (file != NULL) sf_close(file);
    if (status != FAL_OK) io_array_free(out);
    return status;
}

fal_status io_wav_list(io_source *source, const char *member, const io_read_options *options, io_listing *out,
                       fal_error *error)
{
    (void)member;
    io_wav wav = {0};
    io_entry *entry = NULL;
    IO_TRY(io_wav_find(source, options, &wav, error));
    IO_TRY(io_listing_add(out, "", 0, &source->place, &entry, error));
    const char *codec = wav.codec == IO_WAV_PCM     ? "PCM"
                        : wav.codec == IO_WAV_FLOAT ? "float"
                        : wav.codec == IO_WAV_ALAW  ? "A-law"
                                                    : "mu-law";
    snprintf(entry->stored, sizeof entry->stored, "%" PRIu32 "-bit %s %" PRIu32 " Hz", wav.bits, codec,
             wav.rate);
    entry->dtype = FAL_F32;
    entry->rank = 3;
    shape_of(&wav, options->layout, entry->shape);
    entry->bytes = wav.frames * wav.channels * sizeof(float);
    entry->stored_bytes = wav.frames * wav.frame;
    return FAL_OK;
}
