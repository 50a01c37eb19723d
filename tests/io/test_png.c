/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_png.c: PNG of every colour type and depth, plain and interlaced, against the formula that made
 * them; chunks that break the rules, built here byte by byte.
 */
#define _XOPEN_SOURCE 700
#include "files.h"

/* ---- goldens ----------------------------------------------------------------------------------- */

typedef struct form {
    int color, depth, channels; /* as stored */
    int out;                    /* channels as read */
} form;

/* The stored sample of tests/io/make_data.py. */
static uint32_t stored(const form *f, int64_t y, int64_t x, int c)
{
    uint32_t value = (uint32_t)(11 * y + 5 * x + 3 * c + 1);
    return f->depth == 16 ? value * 257 % 65536 : value % (1u << f->depth);
}

static double expected(const form *f, int64_t y, int64_t x, int c)
{
    double most = f->depth == 16 ? 65535 : (1 << f->depth) - 1;
    if (f->color == 3) {
        uint32_t index = stored(f, y, x, 0);
        if (c == 3) return (float)(index == 0 ? 0 : index == 1 ? 128 : 255) / 255.0F;
        return (float)((7 * index + (uint32_t)c) % 256) / 255.0F;
    }
    if (c < f->channels) return (float)stored(f, y, x, c) / (float)most;
    if (f->color == 0) return stored(f, y, x, 0) != 17;
    for (int i = 0; i < 3; i++)
        if (stored(f, y, x, i) != stored(f, 2, 3, i)) return 1;
    return 0;
}

static void check_form(const form *f, const char *path, fal_layout layout)
{
    const io_read_options how = {.layout = layout};
    bool last = layout == FAL_NHWC;
    io_array got = read_ok(path, &how);
    assert_int_equal(got.tensor.rank, 4);
    assert_int_equal(got.tensor.shape[last ? 3 : 1], f->out);
    assert_int_equal(got.tensor.shape[last ? 1 : 2], 5);
    assert_int_equal(got.tensor.shape[last ? 2 : 3], 7);
    for (int64_t y = 0; y < 5; y++) {
        for (int64_t x = 0; x < 7; x++) {
            for (int c = 0; c < f->out; c++) {
                int64_t nchw[] = {0, c, y, x}, nhwc[] = {0, y, x, c};
                assert_true(fal_tensor_get(&got.tensor, last ? nhwc : nchw) == expected(f, y, x, c));
            }
        }
    }
    io_array_free(&got);
}

static void every_form(void **state)
{
    static const form forms[] = {
        {0, 1, 1, 1}, {0, 2, 1, 1},  {0, 4, 1, 1},  {0, 8, 1, 2}, {0, 16, 1, 1},
        {2, 8, 3, 3}, {2, 16, 3, 4}, {3, 1, 1, 4},  {3, 2, 1, 4}, {3, 4, 1, 4},
        {3, 8, 1, 4}, {4, 8, 2, 2},  {4, 16, 2, 2}, {6, 8, 4, 4}, {6, 16, 4, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        for (int interlaced = 0; interlaced < 2; interlaced++) {
            char path[96];
            snprintf(path, sizeof path, DATA "c%d_d%d%s.png", forms[i].color, forms[i].depth,
                     interlaced ? "_i" : "");
            check_form(&forms[i], path, FAL_NCHW);
            check_form(&forms[i], path, FAL_NHWC);
        }
    }
    io_listing list;
    assert_int_equal(io_list(DATA "c2_d16.png", NULL, &list, NULL), FAL_OK);
    assert_int_equal(list.kind, IO_PNG);
    assert_string_equal(list.entries->stored, "16-bit RGB");
    assert_int_equal(list.entries->shape[1], 4);
    io_listing_free(&list);
}

/* ---- files made here --------------------------------------------------------------------------- */

static void append_chunk(bytes *b, const char *type, const void *data, size_t count)
{
    append_number(b, count, 4, true);
    size_t start = b->count;
    append(b, type, 4);
    append(b, data, count);
    append_number(b, crc32_of(b->data + start, b->count - start), 4, true);
}

static void append_header(bytes *b, uint32_t width, uint32_t height, int depth, int color, int interlace)
{
    unsigned char p[13] = {0};
    for (int i = 0; i < 4; i++) {
        p[i] = (unsigned char)(width >> (24 - 8 * i));
        p[4 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    p[8] = (unsigned char)depth;
    p[9] = (unsigned char)color;
    p[12] = (unsigned char)interlace;
    append_chunk(b, "IHDR", p, sizeof p);
}

/* A zlib stream of one stored block; `adler` is added to its checksum. */
static bytes zlib_stored(const void *data, size_t count, uint32_t adler)
{
    bytes b = {0};
    uint32_t low = 1, high = 0;
    append(&b, "\x78\1\1", 3);
    append_number(&b, count, 2, false);
    append_number(&b, ~count, 2, false);
    append(&b, data, count);
    for (size_t i = 0; i < count; i++) {
        low = (low + ((const unsigned char *)data)[i]) % 65521;
        high = (high + low) % 65521;
    }
    append_number(&b, (high << 16 | low) + adler, 4, true);
    return b;
}

static const char signature[] = "\x89PNG\r\n\x1a\n";
static const unsigned char rows2x2[] = {0, 10, 20, 0, 30, 40}; /* 2 x 2 gray, 8 bits */

static bytes begin(uint32_t width, uint32_t height, int depth, int color)
{
    bytes b = {0};
    append(&b, signature, 8);
    append_header(&b, width, height, depth, color, 0);
    return b;
}

static void append_pixels(bytes *b, const void *rows, size_t count, uint32_t adler)
{
    bytes z = zlib_stored(rows, count, adler);
    append_chunk(b, "IDAT", z.data, z.count);
    free(z.data);
}

static fal_status try_png(bytes b, const io_read_options *how)
{
    io_array out;
    fal_error error = {0};
    fal_status status = io_read(store("p.png", b.data, b.count), how, &out, &error);
    if (status != FAL_OK) check_refusal(&out, &error, status);
    io_array_free(&out);
    free(b.data);
    return status;
}

/* begin, then the pixels of a 2 x 2 gray image with `rows`, then the end. */
static fal_status try_rows(const void *rows, size_t count, uint32_t adler)
{
    bytes b = begin(2, 2, 8, 0);
    append_pixels(&b, rows, count, adler);
    append_chunk(&b, "IEND", "", 0);
    return try_png(b, NULL);
}

static fal_status try_header(uint32_t width, uint32_t height, int depth, int color)
{
    bytes b = begin(width, height, depth, color);
    if (color == 3) append_chunk(&b, "PLTE", "abc", 3);
    append_pixels(&b, rows2x2, sizeof rows2x2, 0);
    append_chunk(&b, "IEND", "", 0);
    return try_png(b, NULL);
}

static void headers(void **state)
{
    static const struct {
        uint32_t width, height;
        int depth, color;
        fal_status status;
    } rows[] = {
        {2, 2, 8, 0, FAL_OK},
        {0, 2, 8, 0, FAL_E_DIM},
        {2, 0, 8, 0, FAL_E_DIM},
        {0x80000000, 2, 8, 0, FAL_E_DIM},
        {INT32_MAX, INT32_MAX, 8, 0, FAL_E_LIMIT},
        {1000001, 1, 1, 0, FAL_E_LIMIT},
        {20000, 20000, 1, 0, FAL_E_LIMIT},
        {16000, 16000, 8, 0, FAL_E_BOMB},
        {100, 200, 16, 6, FAL_E_BOMB},
        {2, 2, 0, 0, FAL_E_HEADER},
        {2, 2, 3, 0, FAL_E_HEADER},
        {2, 2, 99, 0, FAL_E_HEADER},
        {2, 2, 8, 1, FAL_E_HEADER},
        {2, 2, 8, 9, FAL_E_HEADER},
        {2, 2, 4, 2, FAL_E_HEADER},
        {2, 2, 16, 3, FAL_E_HEADER},
        {2, 2, 4, 4, FAL_E_HEADER},
        {2, 2, 1, 6, FAL_E_HEADER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fal_status status = try_header(rows[i].width, rows[i].height, rows[i].depth, rows[i].color);
        if (status != rows[i].status) fail_msg("row %zu: %s", i, fal_status_name(status));
    }
}

static void image_data(void **state)
{
    static const unsigned char filter5[] = {0, 10, 20, 5, 30, 40};
    (void)state;
    assert_int_equal(try_rows(rows2x2, 6, 0), FAL_OK);
    assert_int_equal(try_rows(rows2x2, 3, 0), FAL_E_TRUNCATED);
    assert_int_equal(try_rows(rows2x2, 5, 0), FAL_E_TRUNCATED);
    assert_int_equal(try_rows(rows2x2, 6, 1), FAL_E_CHECKSUM);
    assert_int_equal(try_rows(filter5, 6, 0), FAL_E_COMPRESSED);
    assert_int_equal(try_rows("\0ab\0cdXXXX", 10, 0), FAL_E_COMPRESSED);
}

enum step { PIXELS, PALETTE, TRANSPARENCY, TEXT, HEADER, END, UNKNOWN, BAD_CRC, LAST };

/* A file made of steps, for the rules of order. */
static fal_status try_steps(int color, const enum step *steps)
{
    bytes b = begin(2, 2, 8, color);
    static const unsigned char rgb[] = {0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6}, low[] = {0, 0, 1, 0, 1, 0};
    for (; *steps != LAST; steps++) {
        switch (*steps) {
        case PIXELS:
            if (color == 2)
                append_pixels(&b, rgb, sizeof rgb, 0);
            else
                append_pixels(&b, low, sizeof low, 0);
            break;
        case PALETTE: append_chunk(&b, "PLTE", "abcdef", 6); break;
        case TRANSPARENCY: append_chunk(&b, "tRNS", "\0\1", 2); break;
        case TEXT: append_chunk(&b, "tEXt", "x", 1); break;
        case HEADER: append_header(&b, 2, 2, 8, color, 0); break;
        case END: append_chunk(&b, "IEND", "", 0); break;
        case UNKNOWN: append_chunk(&b, "QQQQ", "", 0); break;
        case BAD_CRC: b.data[b.count - 1] ^= 1; break;
        case LAST: break;
        }
    }
    return try_png(b, NULL);
}

static void order_of_chunks(void **state)
{
    static const struct {
        int color;
        enum step steps[8];
        fal_status status;
    } rows[] = {
        {0, {PIXELS, END, LAST}, FAL_OK},
        {0, {TEXT, BAD_CRC, PIXELS, TEXT, END, LAST}, FAL_OK},
        {0, {TRANSPARENCY, PIXELS, END, LAST}, FAL_OK},
        {2, {PALETTE, PIXELS, END, LAST}, FAL_OK},
        {3, {PALETTE, TRANSPARENCY, PIXELS, END, LAST}, FAL_OK},
        {0, {PIXELS, LAST}, FAL_E_TRUNCATED},
        {0, {END, LAST}, FAL_E_TRUNCATED},
        {0, {LAST}, FAL_E_TRUNCATED},
        {0, {HEADER, PIXELS, END, LAST}, FAL_E_DUPLICATE},
        {0, {PIXELS, BAD_CRC, END, LAST}, FAL_E_CHECKSUM},
        {0, {BAD_CRC, PIXELS, END, LAST}, FAL_E_CHECKSUM},
        {0, {PIXELS, TEXT, PIXELS, END, LAST}, FAL_E_HEADER},
        {0, {PALETTE, PIXELS, END, LAST}, FAL_E_HEADER},
        {0, {UNKNOWN, PIXELS, END, LAST}, FAL_E_UNSUPPORTED},
        {0, {PIXELS, TRANSPARENCY, END, LAST}, FAL_E_HEADER},
        {0, {TRANSPARENCY, TRANSPARENCY, PIXELS, END, LAST}, FAL_E_DUPLICATE},
        {2, {TRANSPARENCY, PIXELS, END, LAST}, FAL_E_HEADER},
        {3, {PIXELS, END, LAST}, FAL_E_HEADER},
        {3, {PALETTE, PALETTE, PIXELS, END, LAST}, FAL_E_DUPLICATE},
        {3, {TRANSPARENCY, PALETTE, PIXELS, END, LAST}, FAL_E_HEADER},
        {3, {PALETTE, PIXELS, PALETTE, END, LAST}, FAL_E_DUPLICATE},
        {4, {TRANSPARENCY, PIXELS, END, LAST}, FAL_E_HEADER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fal_status status = try_steps(rows[i].color, rows[i].steps);
        if (status != rows[i].status) fail_msg("row %zu: %s", i, fal_status_name(status));
    }
}

static void odd_files(void **state)
{
    const io_read_options trailing = {.allow_trailing = true};
    (void)state;
    for (int allow = 0; allow < 2; allow++) {
        bytes b = begin(2, 2, 8, 0);
        append_pixels(&b, rows2x2, 6, 0);
        append_chunk(&b, "IEND", "", 0);
        append(&b, "tail", 4);
        assert_int_equal(try_png(b, allow ? &trailing : NULL), allow ? FAL_OK : FAL_E_TRAILING);
    }
    bytes b = {0};
    append(&b, signature, 8);
    append_chunk(&b, "CgBI", "\x50\0\x20\2", 4);
    assert_int_equal(try_png(b, NULL), FAL_E_UNSUPPORTED);
    b = (bytes){0};
    append(&b, "\x89PNG\n\x1a\n\0\0\0\rIHDR", 16);
    assert_int_equal(try_png(b, NULL), FAL_E_MAGIC);
    b = begin(2, 2, 8, 0);
    append(&b, "\x80\0\0\0IDAT\0\0\0\0", 12);
    assert_int_equal(try_png(b, NULL), FAL_E_HEADER);
    b = begin(2, 2, 8, 0);
    append(&b, "\x7f\xff\xff\xffIDAT\0\0\0\0", 12);
    assert_int_equal(try_png(b, NULL), FAL_E_TRUNCATED);
    b = begin(2, 2, 8, 0);
    append_chunk(&b, "ID\1T", "", 0);
    assert_int_equal(try_png(b, NULL), FAL_E_HEADER);
    /* Index 7 of a palette of 4. */
    b = begin(2, 2, 8, 3);
    append_chunk(&b, "PLTE", "aaabbbcccddd", 12);
    append_pixels(&b, "\0\1\2\0\7\3", 6, 0);
    append_chunk(&b, "IEND", "", 0);
    io_array out;
    fal_error error = {0};
    assert_int_equal(io_read(store("i.png", b.data, b.count), NULL, &out, &error), FAL_E_HEADER);
    assert_string_equal(error.found, "index 7 at (0, 1); the palette has 4");
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),      cmocka_unit_test(headers),   cmocka_unit_test(image_data),
        cmocka_unit_test(order_of_chunks), cmocka_unit_test(odd_files),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
