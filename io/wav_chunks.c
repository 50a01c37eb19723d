/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wav_chunks.c: from the first byte of a WAV to the place, number and kind of its samples.
 *
 * The chunks are walked here, not by the library that decodes samples, so that nothing but a proven
 * range of plain samples reaches it: every size is compared with the bytes that are there, and only
 * codecs of a fixed number of bytes a sample are accepted, of which the file's length is a proof.
 */
#include <stdio.h>
#include <string.h>

#include "io/bytes.h"
#include "io/wav.h"

const unsigned char io_wav_guid[14] = {0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113};

enum { CHUNK_HEAD = 8, FMT_SHORT = 16, FMT_LONG = 40, DS64 = 28 };
#define NOT_HERE UINT32_MAX /* a size that RF64 has in its ds64 */

/* A walk over the chunks. */
typedef struct walk {
    io_source *source;
    const io_place *place;
    bool wide;           /* RF64 */
    uint64_t end;        /* of the RIFF chunk */
    uint64_t data_bytes; /* of "data", by ds64 */
    uint64_t chunks;     /* seen so far */
    bool formatted;      /* "fmt " was one of them */
} walk;

static fal_status fail_short(const walk *w, uint64_t at, const char *what, uint64_t size, fal_error *error)
{
    uint64_t present = w->source->size > at ? w->source->size - at : 0;
    return io_fail(error, FAL_E_TRUNCATED, w->place, at, "%s needs %" PRIu64 " bytes, %" PRIu64 " present",
                   what, size, present);
}

/* A writer into a pipe cannot go back to fill in the size. */
static fal_status fail_unfilled(const walk *w, uint64_t at, fal_error *error)
{
    io_fail(error, FAL_E_HEADER, w->place, at, "the size of the sound was never filled in");
    return io_hint(error, FAL_E_HEADER, "let its writer write to a file, not to a pipe");
}

static fal_status read_ds64(walk *w, fal_error *error)
{
    unsigned char head[CHUNK_HEAD + DS64];
    IO_TRY(io_source_exact(w->source, head, sizeof head, "the ds64 chunk", error));
    uint64_t size = io_le32(head + 4);
    if (memcmp(head, "ds64", 4) != 0 || size < DS64) {
        return io_fail(error, FAL_E_HEADER, w->place, 12, "an RF64 must begin with its chunk ds64");
    }
    uint64_t riff = io_le64(head + 8);
    w->data_bytes = io_le64(head + 16);
    if (riff > w->source->size - CHUNK_HEAD) return fail_short(w, CHUNK_HEAD, "the file", riff, error);
    w->end = CHUNK_HEAD + riff;
    return io_source_seek(w->source, 12, error);
}

static fal_status begin(walk *w, fal_error *error)
{
    unsigned char head[12];
    IO_TRY(io_source_exact(w->source, head, sizeof head, "the header", error));
    if (memcmp(head + 8, "WAVE", 4) != 0) {
        char text[IO_TEXT];
        io_fail(error, FAL_E_MAGIC, w->place, 8, "a RIFF file of the kind '%s'",
                io_escape(text, head + 8, 4));
        return io_allowed(error, FAL_E_MAGIC, "WAVE is read");
    }
    w->wide = head[1] == 'F';
    uint64_t size = io_le32(head + 4);
    if (size == NOT_HERE && w->wide) return read_ds64(w, error);
    if (size == NOT_HERE) return fail_unfilled(w, 4, error);
    if (size > w->source->size - CHUNK_HEAD) return fail_short(w, CHUNK_HEAD, "the file", size, error);
    w->end = CHUNK_HEAD + size;
    return FAL_OK;
}

/* The codecs by number; sizes of a sample in bits, least first. */
static const struct codec {
    uint32_t number;
    const char *name;
    uint32_t bits[4];
} codecs[] = {
    {IO_WAV_PCM, "PCM", {8, 16, 24, 32}},
    {2, "Microsoft ADPCM", {0}},
    {IO_WAV_FLOAT, "float", {32, 64}},
    {IO_WAV_ALAW, "A-law", {8}},
    {IO_WAV_ULAW, "mu-law", {8}},
    {0x11, "IMA ADPCM", {0}},
    {0x31, "GSM 6.10", {0}},
    {0x50, "MPEG", {0}},
    {0x55, "MP3", {0}},
    {0xff, "AAC", {0}},
};

static fal_status check_codec(const walk *w, const io_wav *wav, uint64_t at, fal_error *error)
{
    const struct codec *codec = NULL;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (codecs[i].number == wav->codec) codec = codecs + i;
    for (int i = 0; codec != NULL && i < 4; i++)
        if (codec->bits[i] != 0 && codec->bits[i] == wav->bits) return FAL_OK;
    if (codec == NULL)
        io_fail(error, FAL_E_UNSUPPORTED, w->place, at, "unknown codec %" PRIu32, wav->codec);
    else if (codec->bits[0] == 0)
        io_fail(error, FAL_E_UNSUPPORTED, w->place, at, "the samples are compressed as %s", codec->name);
    else
        io_fail(error, FAL_E_UNSUPPORTED, w->place, at, "%s samples of %" PRIu32 " bits", codec->name,
                wav->bits);
    return io_allowed(error, FAL_E_UNSUPPORTED,
                      "PCM of 8, 16, 24 or 32 bits, float of 32 or 64, A-law and mu-law are read");
}

static fal_status check_channels(const walk *w, const io_wav *wav, uint64_t at, fal_error *error)
{
    if (wav->channels == 0 || wav->channels > IO_WAV_CHANNELS) {
        io_fail(error, FAL_E_DIM, w->place, at + 2, "the sound has %" PRIu32 " channels", wav->channels);
        return io_allowed(error, FAL_E_DIM, "1 to %d", IO_WAV_CHANNELS);
    }
    if (wav->rate == 0 || wav->rate > INT32_MAX) {
        io_fail(error, FAL_E_HEADER, w->place, at + 4, "%" PRIu32 " samples a second", wav->rate);
        return io_allowed(error, FAL_E_HEADER, "1 to 2147483647");
    }
    if (wav->frame == wav->channels * (wav->bits / 8)) return FAL_OK;
    io_fail(error, FAL_E_HEADER, w->place, at + 12, "a frame of %" PRIu32 " bytes", wav->frame);
    return io_allowed(error, FAL_E_HEADER, "%" PRIu32 " channels of %" PRIu32 " bits take %" PRIu32,
                      wav->channels, wav->bits, wav->channels * (wav->bits / 8));
}

/* The chunk "fmt ", of which at most 40 bytes mean anything. */
static fal_status read_format(walk *w, uint64_t size, io_wav *wav, fal_error *error)
{
    unsigned char fmt[FMT_LONG] = {0};
    const uint64_t at = w->source->position;
    size_t count = size < FMT_LONG ? (size_t)size : FMT_LONG;
    if (w->formatted) return io_fail(error, FAL_E_HEADER, w->place, at, "a second chunk 'fmt '");
    if (count < FMT_SHORT) {
        io_fail(error, FAL_E_HEADER, w->place, at, "a chunk 'fmt ' of %zu bytes", count);
        return io_allowed(error, FAL_E_HEADER, "at least 16");
    }
    IO_TRY(io_source_exact(w->source, fmt, count, "the chunk 'fmt '", error));
    *wav = (io_wav){.codec = io_le16(fmt),
                    .channels = io_le16(fmt + 2),
                    .rate = io_le32(fmt + 4),
                    .frame = io_le16(fmt + 12),
                    .bits = io_le16(fmt + 14)};
    if (wav->codec == IO_WAV_EXTENSIBLE) {
        if (count < FMT_LONG || memcmp(fmt + 26, io_wav_guid, sizeof io_wav_guid) != 0)
            return io_fail(error, FAL_E_UNSUPPORTED, w->place, at + 24, "the codec has a foreign identifier");
        wav->codec = io_le16(fmt + 24);
    }
    w->formatted = true;
    IO_TRY(check_codec(w, wav, at, error));
    return check_channels(w, wav, at, error);
}

static fal_status read_data(const walk *w, uint64_t size, io_wav *wav, fal_error *error)
{
    const uint64_t at = w->source->position;
    if (!w->formatted) return io_fail(error, FAL_E_HEADER, w->place, at, "samples before their chunk 'fmt '");
    if (size % wav->frame != 0) {
        io_fail(error, FAL_E_HEADER, w->place, at, "%" PRIu64 " bytes of samples", size);
        return io_allowed(error, FAL_E_HEADER, "a multiple of %" PRIu32 ", the size of a frame", wav->frame);
    }
    wav->start = at;
    wav->frames = size / wav->frame;
    return FAL_OK;
}

/* One chunk; *found tells whether it was "data". */
static fal_status step(walk *w, const io_read_options *options, io_wav *wav, bool *found, fal_error *error)
{
    unsigned char head[CHUNK_HEAD];
    if (++w->chunks > options->limits.members) {
        io_fail(error, FAL_E_LIMIT, w->place, w->source->position, "%" PRIu64 " chunks", w->chunks);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, options->limits.members);
        return io_raise(error, "members", 2 * w->chunks);
    }
    IO_TRY(io_source_exact(w->source, head, sizeof head, "a chunk", error));
    const uint64_t at = w->source->position, left = w->end > at ? w->end - at : 0;
    bool data = memcmp(head, "data", 4) == 0;
    uint64_t size = io_le32(head + 4);
    if (data && size == NOT_HERE && !w->wide) return fail_unfilled(w, at - 4, error);
    if (data && size == NOT_HERE) size = w->data_bytes;
    if (size > left) {
        char text[IO_TEXT], what[IO_TEXT + 16];
        snprintf(what, sizeof what, "the chunk '%s'", io_escape(text, head, 4));
        return fail_short(w, at, data ? "the sound" : what, size, error);
    }
    if (memcmp(head, "fmt ", 4) == 0) IO_TRY(read_format(w, size, wav, error));
    if (data && *found) return io_fail(error, FAL_E_HEADER, w->place, at - 8, "a second chunk 'data'");
    if (data) IO_TRY(read_data(w, size, wav, error));
    *found = *found || data;
    /* Some writers leave out the padding at the very end. */
    uint64_t whole = size + (size & 1);
    return io_source_seek(w->source, at + (whole < left ? whole : left), error);
}

fal_status io_wav_find(io_source *source, const io_read_options *options, io_wav *wav, fal_error *error)
{
    walk w = {.source = source, .place = &source->place};
    bool found = false;
    if (source->size == IO_UNKNOWN_SIZE) IO_TRY(io_source_load(source, error));
    IO_TRY(begin(&w, error));
    while (source->position < w.end) IO_TRY(step(&w, options, wav, &found, error));
    if (!found) return io_fail(error, FAL_E_HEADER, w.place, w.end, "the file has no sound: no chunk 'data'");
    if (wav->frames > options->limits.axis) {
        io_fail(error, FAL_E_LIMIT, w.place, wav->start, "the sound has %" PRIu64 " frames", wav->frames);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, options->limits.axis);
        return io_raise(error, "axis", wav->frames);
    }
    /* The padding of the last chunk may be left out of the size of the whole. */
    uint64_t pad = (w.end & 1) != 0 ? 1 : 0;
    if (w.end + pad >= source->size || options->allow_trailing) return FAL_OK;
    io_fail(error, FAL_E_TRAILING, w.place, w.end, "%" PRIu64 " bytes after the sound", source->size - w.end);
    return io_allowed(error, FAL_E_TRAILING, "the file must end where its header says");
}
