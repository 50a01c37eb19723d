/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pngs.h: PNG files made byte by byte: chunks with right checksums, image data in stored deflate blocks,
 * and pictures of any type, plain or interlaced, whose samples follow a formula.
 */
#ifndef TESTS_REFUSALS_PNGS_H
#define TESTS_REFUSALS_PNGS_H

#include "refusals/files.h"

#define PNG_SIGNATURE "\x89PNG\r\n\x1a\n"

static inline void chunk(bytes *b, const char *type, const void *data, size_t count)
{
    append_number(b, count, 4, true);
    size_t start = b->count;
    append(b, type, 4);
    append(b, data, count);
    append_number(b, crc32_of(b->data + start, b->count - start), 4, true);
}

/* A zlib stream of stored blocks; `adler` is added to its checksum. */
static inline bytes zlib_of(const void *data, size_t count, uint32_t adler)
{
    const unsigned char *p = data;
    bytes b = {0};
    uint32_t low = 1, high = 0;
    append(&b, "\x78\1", 2);
    for (size_t at = 0; at < count || at == 0;) {
        size_t step = count - at < 65535 ? count - at : 65535;
        append_number(&b, at + step == count, 1, false);
        append_number(&b, step, 2, false);
        append_number(&b, ~(uint64_t)step, 2, false);
        append(&b, p + at, step);
        at += step;
        if (count == 0) break;
    }
    for (size_t i = 0; i < count; i++) {
        low = (low + p[i]) % 65521;
        high = (high + low) % 65521;
    }
    append_number(&b, (high << 16 | low) + adler, 4, true);
    return b;
}

/* What IHDR says. */
typedef struct header {
    uint32_t width, height;
    int depth, color, interlace, compression, filter;
} header;

static const header gray = {2, 2, 8, 0, 0, 0, 0}, palette = {2, 2, 8, 3, 0, 0, 0};
/* Two rows of two samples: indices of a palette of two as well. */
static const unsigned char samples[] = {0, 1, 0, 0, 0, 1};

static inline bytes begin_png(header h)
{
    bytes p = {0}, b = {0};
    append_number(&p, h.width, 4, true);
    append_number(&p, h.height, 4, true);
    append_number(&p, (uint64_t)h.depth, 1, true);
    append_number(&p, (uint64_t)h.color, 1, true);
    append_number(&p, (uint64_t)h.compression, 1, true);
    append_number(&p, (uint64_t)h.filter, 1, true);
    append_number(&p, (uint64_t)h.interlace, 1, true);
    append(&b, PNG_SIGNATURE, 8);
    chunk(&b, "IHDR", p.data, p.count);
    free(p.data);
    return b;
}

static inline void pixels(bytes *b, const void *rows, size_t count)
{
    bytes z = zlib_of(rows, count, 0);
    chunk(b, "IDAT", z.data, z.count);
    free(z.data);
}

static inline bytes end_png(bytes b)
{
    chunk(&b, "IEND", "", 0);
    return b;
}

/* ---- pictures ------------------------------------------------------------------------------------ */

static inline int channels_of(int color)
{
    return color == 2 ? 3 : color == 4 ? 2 : color == 6 ? 4 : 1;
}

static inline uint32_t sample_at(const header *h, uint32_t y, uint32_t x, int c)
{
    uint32_t value = 11 * y + 5 * x + 3 * (uint32_t)c + 1;
    return h->depth == 16 ? value * 257 % 65536 : value % (1u << h->depth);
}

/* The rows of one pass: samples from (y0, x0) in steps, without filter, unused bits set. */
static inline void append_pass(bytes *b, const header *h, const uint32_t from[2], const uint32_t step[2])
{
    if (from[1] >= h->width) return;
    for (uint32_t y = from[0]; y < h->height; y += step[0]) {
        uint32_t bits = 0, used = 0;
        append_number(b, 0, 1, true);
        for (uint32_t x = from[1]; x < h->width; x += step[1]) {
            for (int c = 0; c < channels_of(h->color); c++) {
                bits = bits << h->depth | sample_at(h, y, x, c);
                used += (uint32_t)h->depth;
                if (used < 8) continue;
                append_number(b, bits, used == 16 ? 2 : 1, true);
                bits = used = 0;
            }
        }
        if (used > 0) append_number(b, bits << (8 - used) | ((1u << (8 - used)) - 1), 1, true);
    }
}

/* A whole picture; a palette has as many colours as its indices can name. */
static inline bytes picture(header h)
{
    static const uint32_t from[7][2] = {{0, 0}, {0, 4}, {4, 0}, {0, 2}, {2, 0}, {0, 1}, {1, 0}};
    static const uint32_t step[7][2] = {{8, 8}, {8, 8}, {8, 4}, {4, 4}, {4, 2}, {2, 2}, {2, 1}};
    static const uint32_t first[2] = {0, 0}, every[2] = {1, 1};
    unsigned char colors[768];
    bytes b = begin_png(h), rows = {0};
    for (int i = 0; i < 768; i++) colors[i] = (unsigned char)(7 * (i / 3) + i % 3);
    if (h.color == 3) chunk(&b, "PLTE", colors, (size_t)3 << h.depth);
    if (h.interlace == 0) append_pass(&rows, &h, first, every);
    for (int pass = 0; pass < 7 && h.interlace != 0; pass++) append_pass(&rows, &h, from[pass], step[pass]);
    pixels(&b, rows.data, rows.count);
    free(rows.data);
    return end_png(b);
}

/* Reads a picture and compares every number with the formula. */
static inline void accept_picture(header h)
{
    io_array got = accept((attempt){.file = picture(h)});
    const float most = (float)((1u << h.depth) - 1);
    int channels = h.color == 3 ? 3 : channels_of(h.color);
    assert_int_equal(got.tensor.shape[1], channels);
    assert_int_equal(got.tensor.shape[2], h.height);
    assert_int_equal(got.tensor.shape[3], h.width);
    int64_t i[4] = {0};
    do {
        uint32_t y = (uint32_t)i[2], x = (uint32_t)i[3];
        uint32_t value = sample_at(&h, y, x, h.color == 3 ? 0 : (int)i[1]);
        float expected = (float)value / most;
        if (h.color == 3) expected = (float)((7 * value + (uint32_t)i[1]) & 255) / 255.0F;
        assert_true(fal_tensor_get(&got.tensor, i) == (double)expected);
    } while (next_index(&got.tensor, i));
    io_array_free(&got);
}

#endif
