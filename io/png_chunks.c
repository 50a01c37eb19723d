/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * png_chunks.c: see png_chunks.h.
 *
 *     signature   { length (4)  type (4)  data  CRC-32 of type and data (4) } ...
 */
#include "io/png_chunks.h"

#include <string.h>

#include "io/bytes.h"

enum { SIGNATURE = 8, FRAME = 12, MOST_IGNORED = 1000000 };

/* State of the walk: which chunks have been seen decides which may follow. */
typedef struct walk {
    io_source *source;
    io_png *png;
    fal_error *error;
    uint32_t crc_table[256];
    uint64_t at; /* of the chunk */
    uint32_t length;
    const unsigned char *type, *data;
    bool header, palette, pixels, pixels_ended, ended;
    uint64_t ignored;
} walk;

static fal_status fail(const walk *w, fal_status status, const char *what)
{
    return io_fail(w->error, status, &w->source->place, w->at, "%s", what);
}

static void make_crc_table(uint32_t table[256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++) rest = (rest & 1) != 0 ? rest >> 1 ^ 0xedb88320u : rest >> 1;
        table[byte] = rest;
    }
}

static fal_status check_crc(const walk *w)
{
    uint32_t crc = UINT32_MAX, stored = io_be32(w->data + w->length);
    for (size_t i = 0; i < (size_t)w->length + 4; i++)
        crc = w->crc_table[(crc ^ w->type[i]) & 255] ^ crc >> 8;
    crc = ~crc;
    if (crc == stored) return FAL_OK;
    return io_fail(w->error, FAL_E_CHECKSUM, &w->source->place, w->at,
                   "the CRC-32 of chunk %.4s is %08" PRIx32 ", stored is %08" PRIx32, (const char *)w->type,
                   crc, stored);
}

static bool is_type(const walk *w, const char *type)
{
    return memcmp(w->type, type, 4) == 0;
}

static fal_status check_signature(io_source *source, fal_error *error)
{
    static const unsigned char signature[SIGNATURE] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
    const unsigned char *p = source->memory;
    if (source->size < SIGNATURE) {
        return io_fail(error, FAL_E_TRUNCATED, &source->place, source->size, "the PNG signature is cut");
    }
    if (memcmp(p, signature, SIGNATURE) == 0) return FAL_OK;
    io_fail(error, FAL_E_MAGIC, &source->place, 4, "the PNG signature is damaged");
    return io_hint(error, FAL_E_MAGIC, "it looks like a transfer in text mode");
}

static fal_status read_header(walk *w)
{
    static const struct {
        uint32_t color, channels, depths; /* depths: bit d set when d is allowed */
    } legal[] = {{IO_PNG_GRAY, 1, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16},
                 {IO_PNG_RGB, 3, 1 << 8 | 1 << 16},
                 {IO_PNG_PALETTE, 1, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8},
                 {IO_PNG_GRAY_ALPHA, 2, 1 << 8 | 1 << 16},
                 {IO_PNG_RGB_ALPHA, 4, 1 << 8 | 1 << 16}};
    io_png *png = w->png;
    const unsigned char *p = w->data;
    if (w->header) return fail(w, FAL_E_DUPLICATE, "a second IHDR");
    if (w->length != 13) {
        return io_fail(w->error, FAL_E_HEADER, &w->source->place, w->at, "IHDR has %" PRIu32 " bytes, not 13",
                       w->length);
    }
    w->header = true;
    png->image.width = io_be32(p);
    png->image.height = io_be32(p + 4);
    png->depth = p[8];
    png->color = p[9];
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++) {
        bool depth = png->depth <= 16 && (legal[i].depths >> png->depth & 1) != 0;
        if (legal[i].color == png->color && depth) png->stored_channels = legal[i].channels;
    }
    if (png->stored_channels == 0) {
        return io_fail(w->error, FAL_E_HEADER, &w->source->place, w->at,
                       "colour type %" PRIu32 " with %" PRIu32 " bits", png->color, png->depth);
    }
    if (p[10] != 0 || p[11] != 0) return fail(w, FAL_E_UNSUPPORTED, "unknown compression or filter method");
    if (p[12] > 1) return fail(w, FAL_E_HEADER, "unknown interlace method");
    if (png->image.width > INT32_MAX || png->image.height > INT32_MAX) {
        return fail(w, FAL_E_DIM, "width or height is above 2^31 - 1");
    }
    return FAL_OK;
}

static fal_status read_palette(walk *w)
{
    io_png *png = w->png;
    if (w->palette) return fail(w, FAL_E_DUPLICATE, "a second PLTE");
    if (w->pixels) return fail(w, FAL_E_HEADER, "PLTE after the image data");
    if ((png->color & IO_PNG_RGB) == 0) return fail(w, FAL_E_HEADER, "PLTE in a gray image");
    if (png->transparent) return fail(w, FAL_E_HEADER, "PLTE after tRNS");
    w->palette = true;
    if (w->length == 0 || w->length % 3 != 0 || w->length > 768) {
        return io_fail(w->error, FAL_E_HEADER, &w->source->place, w->at, "PLTE has %" PRIu32 " bytes",
                       w->length);
    }
    if (png->color != IO_PNG_PALETTE) return FAL_OK;
    png->palette_count = w->length / 3;
    if (png->palette_count > 1u << png->depth) {
        return io_fail(w->error, FAL_E_HEADER, &w->source->place, w->at,
                       "PLTE has %" PRIu32 " colours for %" PRIu32 " bits", png->palette_count, png->depth);
    }
    memcpy(png->palette, w->data, w->length);
    return FAL_OK;
}

static fal_status read_transparency(walk *w)
{
    io_png *png = w->png;
    if (png->transparent) return fail(w, FAL_E_DUPLICATE, "a second tRNS");
    if (w->pixels) return fail(w, FAL_E_HEADER, "tRNS after the image data");
    IO_TRY(check_crc(w));
    png->transparent = true;
    uint32_t wanted = png->color == IO_PNG_GRAY ? 2 : png->color == IO_PNG_RGB ? 6 : w->length;
    if (png->color == IO_PNG_PALETTE) {
        if (!w->palette) return fail(w, FAL_E_HEADER, "tRNS before PLTE");
        if (w->length > png->palette_count) return fail(w, FAL_E_HEADER, "tRNS is longer than the palette");
        memset(png->alpha, 255, sizeof png->alpha);
        memcpy(png->alpha, w->data, w->length);
        return FAL_OK;
    }
    if (png->color >= IO_PNG_GRAY_ALPHA) return fail(w, FAL_E_HEADER, "tRNS in an image with alpha");
    if (w->length != wanted) return fail(w, FAL_E_HEADER, "tRNS has a wrong length");
    for (uint32_t c = 0; c < wanted / 2; c++)
        png->transparent_color[c] = (uint16_t)(w->data[2 * c] << 8 | w->data[2 * c + 1]);
    return FAL_OK;
}

static fal_status read_pixels(walk *w)
{
    if (w->pixels_ended) return fail(w, FAL_E_HEADER, "the image data is split by another chunk");
    if (w->png->color == IO_PNG_PALETTE && !w->palette) return fail(w, FAL_E_HEADER, "PLTE is missing");
    w->pixels = true;
    w->png->compressed += w->length;
    return FAL_OK;
}

static fal_status read_critical(walk *w)
{
    IO_TRY(check_crc(w));
    if (is_type(w, "IHDR")) return read_header(w);
    if (is_type(w, "PLTE")) return read_palette(w);
    if (is_type(w, "IDAT")) return read_pixels(w);
    if (is_type(w, "IEND")) {
        w->ended = true;
        return w->length == 0 ? FAL_OK : fail(w, FAL_E_HEADER, "IEND holds data");
    }
    return io_fail(w->error, FAL_E_UNSUPPORTED, &w->source->place, w->at, "unknown critical chunk %.4s",
                   (const char *)w->type);
}

/* Frames the chunk at w->at: everything about it lies within the file. */
static fal_status frame_chunk(walk *w)
{
    uint64_t left = w->source->size - w->at;
    const unsigned char *p = w->source->memory + w->at;
    if (left < FRAME)
        return fail(w, FAL_E_TRUNCATED, w->pixels ? "the end of the PNG is missing" : "a chunk is cut");
    w->length = io_be32(p);
    w->type = p + 4;
    w->data = p + 8;
    for (int i = 0; i < 4; i++) {
        int letter = w->type[i] & ~0x20;
        if (letter < 'A' || letter > 'Z') return fail(w, FAL_E_HEADER, "a chunk type is not four letters");
    }
    if (w->length > INT32_MAX) return fail(w, FAL_E_HEADER, "a chunk length is above 2^31 - 1");
    if (w->length <= left - FRAME) return FAL_OK;
    return io_fail(w->error, FAL_E_TRUNCATED, &w->source->place, w->at,
                   "chunk %.4s of %" PRIu32 " bytes, %" PRIu64 " present", (const char *)w->type, w->length,
                   left - FRAME);
}

static fal_status read_chunk(walk *w)
{
    IO_TRY(frame_chunk(w));
    if (is_type(w, "CgBI")) return fail(w, FAL_E_UNSUPPORTED, "this is an Apple-optimised PNG");
    if (!w->header && !is_type(w, "IHDR")) return fail(w, FAL_E_HEADER, "the first chunk is not IHDR");
    bool critical = (w->type[0] & 0x20) == 0;
    if (w->pixels && !is_type(w, "IDAT")) w->pixels_ended = true;
    if (critical) IO_TRY(read_critical(w));
    if (is_type(w, "tRNS")) IO_TRY(read_transparency(w));
    if (!critical && ++w->ignored > MOST_IGNORED)
        return fail(w, FAL_E_LIMIT, "more than a million extra chunks");
    uint64_t whole = (uint64_t)w->length + FRAME;
    bool keep = critical && (w->png->color == IO_PNG_PALETTE || !is_type(w, "PLTE"));
    if (keep) {
        memmove(w->source->memory + w->png->length, w->source->memory + w->at, (size_t)whole);
        w->png->length += (size_t)whole;
    }
    w->at += whole;
    return FAL_OK;
}

fal_status io_png_chunks(io_source *source, const io_read_options *options, io_png *png, fal_error *error)
{
    *png = (io_png){.length = SIGNATURE};
    walk w = {.source = source, .png = png, .error = error, .at = SIGNATURE};
    make_crc_table(w.crc_table);
    IO_TRY(check_signature(source, error));
    while (!w.ended) IO_TRY(read_chunk(&w));
    if (!w.pixels) return fail(&w, FAL_E_TRUNCATED, "the PNG has no image data");
    if (w.at < source->size && !options->allow_trailing) {
        return io_fail(error, FAL_E_TRAILING, &source->place, w.at,
                       "%" PRIu64 " bytes after the end of the PNG", source->size - w.at);
    }
    png->image.channels = png->color == IO_PNG_PALETTE ? 3 : (int32_t)png->stored_channels;
    if (png->transparent) png->image.channels++;
    return FAL_OK;
}
