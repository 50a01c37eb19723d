/* SPDX-License-Identifier: BSD-3-Clause */
/* test_png.c: the rows of table png in rows.inc, each a file made byte by byte. */
#define _XOPEN_SOURCE 700
#define ROW_png       REFUSALS_ROW
#include "refusals/pngs.h"
#include "refusals/rows.h"

/* Every legal pair of colour type and depth. */
static const struct {
    int color, depth;
} types[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
             {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
enum { TYPES = sizeof types / sizeof *types };

/* ---- parts of files ------------------------------------------------------------------------------ */

static void refuse_png(bytes b, fal_status status, const char *key)
{
    refuse((attempt){.file = b}, status, key);
}

/* A file whose only fault is its header. */
static void refuse_header(header h, fal_status status, const char *key)
{
    bytes b = begin_png(h);
    pixels(&b, samples, sizeof samples);
    refuse_png(end_png(b), status, key);
}

/* A 2 x 2 gray picture whose image data is this zlib stream. */
static bytes with_stream(const void *stream, size_t count)
{
    bytes b = begin_png(gray);
    chunk(&b, "IDAT", stream, count);
    return end_png(b);
}

static void refuse_rows(const void *rows, size_t count, fal_status status, const char *key)
{
    bytes b = begin_png(gray);
    pixels(&b, rows, count);
    refuse_png(end_png(b), status, key);
}

/* One chunk between header and image data, with what a palette needs. */
static bytes with_chunk(header h, const char *type, const void *data, size_t count)
{
    bytes b = begin_png(h);
    if (h.color == 3) chunk(&b, "PLTE", "abcdef", 6);
    chunk(&b, type, data, count);
    static const unsigned char rows[2 * (1 + 2 * 4)] = {0};
    pixels(&b, rows, 2 * (1 + 2 * (size_t)channels_of(h.color)));
    return end_png(b);
}

static void accept_gray(bytes b)
{
    io_array got = accept((attempt){.file = b});
    assert_int_equal(got.bytes, 4 * sizeof(float));
    io_array_free(&got);
}

/* ---- signature and header ------------------------------------------------------------------------ */

static void P01(void)
{
    refuse_bytes("", 0, FAL_E_TRUNCATED, "the file is empty");
}

static void P02(void)
{
    refuse_bytes(PNG_SIGNATURE, 8, FAL_E_TRUNCATED, "a chunk is cut");
}

static void P03(void)
{
    bytes b = end_png(begin_png(gray)), unix_lines = {0}, dos_lines = {0};
    append(&unix_lines, "\x89PNG\n\x1a\n", 7);
    append(&unix_lines, b.data + 8, b.count - 8);
    append(&dos_lines, "\x89PNG\r\r\n\x1a\r\n", 10);
    append(&dos_lines, b.data + 8, b.count - 8);
    free(b.data);
    refuse_png(unix_lines, FAL_E_MAGIC, "looks like a transfer in text mode");
    refuse_png(dos_lines, FAL_E_MAGIC, "looks like a transfer in text mode");
}

static void P04(void)
{
    for (size_t at = 0; at < 8; at++) {
        bytes b = picture(gray);
        b.data[at] ^= 0x80;
        refuse_png(b, FAL_E_MAGIC, at < 4 ? "unknown kind of file" : "signature is damaged");
    }
}

static void P05(void)
{
    bytes b = {0}, good = picture(gray);
    append(&b, PNG_SIGNATURE, 8);
    chunk(&b, "tEXt", "x", 1);
    append(&b, good.data + 8, good.count - 8);
    free(good.data);
    refuse_png(b, FAL_E_HEADER, "the first chunk is not IHDR");
}

static void P06(void)
{
    for (size_t count = 12; count <= 14; count += 2) {
        char key[32];
        bytes b = {0};
        append(&b, PNG_SIGNATURE, 8);
        chunk(&b, "IHDR", "\0\0\0\2\0\0\0\2\10\0\0\0\0\0", count);
        pixels(&b, samples, sizeof samples);
        snprintf(key, sizeof key, "%zu bytes, not 13", count);
        refuse_png(end_png(b), FAL_E_HEADER, key);
    }
}

static void P07(void)
{
    refuse_header((header){.width = 0, .height = 2, .depth = 8}, FAL_E_DIM, "0 x 2 pixels");
    refuse_header((header){.width = 2, .height = 0, .depth = 8}, FAL_E_DIM, "2 x 0 pixels");
}

static void P08(void)
{
    refuse_header((header){.width = 1u << 31, .height = 2, .depth = 8}, FAL_E_DIM, "above 2^31 - 1");
}

static void P09(void)
{
    refuse_header((header){.width = INT32_MAX, .height = INT32_MAX, .depth = 8}, FAL_E_LIMIT,
                  "2147483647 x 2147483647 pixels; at most 1000000 wide or high");
    refuse_header((header){.width = 20000, .height = 20000, .depth = 1}, FAL_E_LIMIT,
                  "at most 268435456 pixels");
}

static void P10(void)
{
    static const io_read_options wider = {.limits = {.side = 2000000}};
    header h = {.width = 1000001, .height = 1, .depth = 1};
    refuse((attempt){.file = picture(h)}, FAL_E_LIMIT, "1000001 x 1 pixels");
    io_array got = accept((attempt){.file = picture(h), .options = &wider});
    assert_int_equal(got.tensor.shape[3], 1000001);
    io_array_free(&got);
}

static void P12(void)
{
    refuse_header((header){.width = 16000, .height = 16000, .depth = 8}, FAL_E_BOMB, "16000 x 16000 pixels");
}

static void P13(void)
{
    static const int depths[] = {0, 3, 99};
    for (int i = 0; i < 3; i++) {
        char key[32];
        snprintf(key, sizeof key, "with %d bits", depths[i]);
        refuse_header((header){.width = 2, .height = 2, .depth = depths[i]}, FAL_E_HEADER, key);
    }
}

static void P14(void)
{
    refuse_header((header){.width = 2, .height = 2, .depth = 8, .color = 1}, FAL_E_HEADER, "colour type 1");
    refuse_header((header){.width = 2, .height = 2, .depth = 8, .color = 9}, FAL_E_HEADER, "colour type 9");
}

static void P15(void)
{
    static const int pairs[10][2] = {{2, 1}, {2, 2}, {2, 4}, {3, 16}, {4, 1},
                                     {4, 2}, {4, 4}, {6, 1}, {6, 2},  {6, 4}};
    for (int i = 0; i < 10; i++) {
        char key[40];
        header h = {.width = 2, .height = 2, .depth = pairs[i][1], .color = pairs[i][0]};
        snprintf(key, sizeof key, "colour type %d with %d bits", h.color, h.depth);
        refuse_header(h, FAL_E_HEADER, key);
    }
}

static void P16(void)
{
    header h = gray;
    h.compression = 1;
    refuse_header(h, FAL_E_UNSUPPORTED, "compression or filter method");
    h = gray;
    h.filter = 64;
    refuse_header(h, FAL_E_UNSUPPORTED, "compression or filter method");
}

static void P17(void)
{
    header h = gray;
    h.interlace = 2;
    refuse_header(h, FAL_E_HEADER, "unknown interlace method");
}

static void P18(void)
{
    bytes b = begin_png(gray), again = begin_png(gray);
    append(&b, again.data + 8, again.count - 8);
    free(again.data);
    pixels(&b, samples, sizeof samples);
    refuse_png(end_png(b), FAL_E_DUPLICATE, "a second IHDR");
}

/* ---- palette and transparency -------------------------------------------------------------------- */

static void P19(void)
{
    refuse_header(palette, FAL_E_HEADER, "PLTE is missing");
}

static void refuse_palette(header h, size_t count, const char *key)
{
    unsigned char colors[771] = {0};
    bytes b = begin_png(h);
    chunk(&b, "PLTE", colors, count);
    pixels(&b, samples, sizeof samples);
    refuse_png(end_png(b), FAL_E_HEADER, key);
}

static void P20(void)
{
    refuse_palette(palette, 7, "PLTE has 7 bytes");
    refuse_palette(palette, 0, "PLTE has 0 bytes");
}

static void P21(void)
{
    header two_bits = palette;
    two_bits.depth = 2;
    refuse_palette(palette, 771, "PLTE has 771 bytes");
    refuse_palette(two_bits, 15, "PLTE has 5 colours for 2 bits");
}

static void P22(void)
{
    refuse_png(with_chunk(palette, "PLTE", "abcdef", 6), FAL_E_DUPLICATE, "a second PLTE");
    refuse_png(with_chunk(gray, "PLTE", "abcdef", 6), FAL_E_HEADER, "PLTE in a gray image");
    bytes b = begin_png((header){.width = 1, .height = 1, .depth = 8, .color = 2});
    pixels(&b, "\0abc", 4);
    chunk(&b, "PLTE", "abcdef", 6);
    refuse_png(end_png(b), FAL_E_HEADER, "PLTE after the image data");
}

static void P23(void)
{
    bytes b = begin_png((header){.width = 4, .height = 1, .depth = 8, .color = 3});
    chunk(&b, "PLTE", "abcabcabcabc", 12);
    pixels(&b, "\0\0\1\3\7", 5);
    refuse_png(end_png(b), FAL_E_HEADER, "index 7 at (3, 0); the palette has 4");
}

static void P24(void)
{
    refuse_png(with_chunk(palette, "tRNS", "\1\2\3", 3), FAL_E_HEADER, "tRNS is longer than the palette");
}

static void P25(void)
{
    bytes b = begin_png(palette);
    chunk(&b, "tRNS", "\1", 1);
    chunk(&b, "PLTE", "abcdef", 6);
    pixels(&b, samples, sizeof samples);
    refuse_png(end_png(b), FAL_E_HEADER, "tRNS before PLTE");
    header alpha = gray;
    for (alpha.color = 4; alpha.color <= 6; alpha.color += 2)
        refuse_png(with_chunk(alpha, "tRNS", "\0\1", 2), FAL_E_HEADER, "tRNS in an image with alpha");
    refuse_png(with_chunk(gray, "tRNS", "\1", 1), FAL_E_HEADER, "tRNS has a wrong length");
}

/* ---- image data ---------------------------------------------------------------------------------- */

static void P26(void)
{
    refuse_png(end_png(begin_png(gray)), FAL_E_TRUNCATED, "no image data");
}

static void P27(void)
{
    bytes z = zlib_of(samples, sizeof samples, 0), b = begin_png(gray);
    chunk(&b, "IDAT", z.data, 5);
    chunk(&b, "tEXt", "x", 1);
    chunk(&b, "IDAT", z.data + 5, z.count - 5);
    free(z.data);
    refuse_png(end_png(b), FAL_E_HEADER, "split by another chunk");
}

static void P28(void)
{
    bytes z = zlib_of(samples, sizeof samples, 0), b = begin_png(gray);
    for (size_t i = 0; i < z.count; i++) {
        chunk(&b, "IDAT", z.data + i, 1);
        chunk(&b, "IDAT", "", 0);
    }
    free(z.data);
    accept_gray(end_png(b));
}

static void P29(void)
{
    static const char *const starts[] = {"\x77\x09", "\x88\x1c", "\x78\x20"}; /* CM 7, 64 KiB, dictionary */
    for (int i = 0; i < 3; i++) {
        bytes z = zlib_of(samples, sizeof samples, 0);
        memcpy(z.data, starts[i], 2);
        refuse_png(with_stream(z.data, z.count), FAL_E_COMPRESSED, "row 0");
        free(z.data);
    }
}

static void P30(void)
{
    bytes z = zlib_of(samples, sizeof samples, 1);
    refuse_png(with_stream(z.data, z.count), FAL_E_CHECKSUM, "the Adler-32 of the image data");
    free(z.data);
}

static void P31(void)
{
    bytes b = begin_png(palette);
    chunk(&b, "PLTE", "abcdef", 6);
    pixels(&b, samples, sizeof samples);
    b = end_png(b);
    static const size_t ends[] = {8 + 25, 8 + 25 + 18, 8 + 25 + 18 + 29};
    static const char *const keys[] = {"CRC-32 of chunk IHDR", "CRC-32 of chunk PLTE",
                                       "CRC-32 of chunk IDAT"};
    for (int i = 0; i < 3; i++) {
        bytes bad = {0};
        append(&bad, b.data, b.count);
        bad.data[ends[i] - 1] ^= 1;
        refuse_png(bad, FAL_E_CHECKSUM, keys[i]);
    }
    free(b.data);
}

static void P32(void)
{
    bytes b = begin_png(gray);
    chunk(&b, "tEXt", "x", 1);
    b.data[b.count - 1] ^= 1;
    pixels(&b, samples, sizeof samples);
    accept_gray(end_png(b));
}

static void P33(void)
{
    refuse_rows("\0ab\5cd", 6, FAL_E_COMPRESSED, "row 1");
}

static void P34(void)
{
    refuse_rows("\0ab", 3, FAL_E_TRUNCATED, "ends at row 1");
}

static void P35(void)
{
    refuse_rows("\0ab\0cd\0ef", 9, FAL_E_COMPRESSED, "row 1");
}

/* ---- the other chunks ---------------------------------------------------------------------------- */

static void P36(void)
{
    bytes b = begin_png(gray);
    pixels(&b, samples, sizeof samples);
    refuse_png(b, FAL_E_TRUNCATED, "the end of the PNG is missing");
}

static void P37(void)
{
    bytes b = begin_png(gray);
    pixels(&b, samples, sizeof samples);
    chunk(&b, "IEND", "x", 1);
    refuse_png(b, FAL_E_HEADER, "IEND holds data");
}

static void P38(void)
{
    static const io_read_options lenient = {.allow_trailing = true};
    bytes b = picture(gray);
    append(&b, "PK\3\4", 4);
    refuse_png(b, FAL_E_TRAILING, "4 bytes after the end of the PNG");
    b = picture(gray);
    append(&b, "PK\3\4", 4);
    io_array got = accept((attempt){.file = b, .options = &lenient});
    io_array_free(&got);
}

static void P39(void)
{
    bytes b = begin_png(gray);
    append(&b, "\x80\0\0\0IDATxxxx", 12);
    refuse_png(b, FAL_E_HEADER, "above 2^31 - 1");
}

static void P40(void)
{
    bytes b = begin_png(gray);
    append(&b, "\0\0\x3\xe8IDATxxxxxxxx", 16);
    refuse_png(b, FAL_E_TRUNCATED, "chunk IDAT of 1000 bytes, 4 present");
}

static void P41(void)
{
    refuse_png(with_chunk(gray, "QQQQ", "", 0), FAL_E_UNSUPPORTED, "unknown critical chunk QQQQ");
}

static void P42(void)
{
    refuse_png(with_chunk(gray, "t\x1bXt", "", 0), FAL_E_HEADER, "not four letters");
}

static void P43(void)
{
    char *text = calloc(1 << 20, 1);
    accept_gray(with_chunk(gray, "tEXt", text, 1 << 20));
    free(text);
}

static void P44(void)
{
    enum { CHUNKS = 2000000, BYTES = 12 };
    bytes one = {0}, all = begin_png(gray);
    chunk(&one, "teSt", "", 0);
    bytes b = {.data = malloc(all.count + (size_t)CHUNKS * BYTES), .count = all.count};
    memcpy(b.data, all.data, all.count);
    for (int i = 0; i < CHUNKS; i++, b.count += BYTES) memcpy(b.data + b.count, one.data, BYTES);
    free(one.data);
    free(all.data);
    refuse_png(b, FAL_E_LIMIT, "a million");
}

/* 60 KB of deflated zeros that would become 60 MB: fixed codes, copies of 258 bytes. */
static bytes bomb(void)
{
    bytes b = {0};
    append(&b, "\x78\x9c\xed\xc1\1\1", 6);
    for (int i = 0; i < 60000; i++) append(&b, "\0", 1);
    return b;
}

static void P45(void)
{
    static const char *const names[] = {"zTXt", "iTXt", "iCCP"};
    static const char *const starts[] = {"k\0\0", "k\0\1\0\0\0", "k\0\0"};
    static const size_t lengths[] = {3, 6, 3};
    for (int i = 0; i < 3; i++) {
        bytes data = {0}, z = bomb();
        append(&data, starts[i], lengths[i]);
        append(&data, z.data, z.count);
        free(z.data);
        accept_gray(with_chunk(gray, names[i], data.data, data.count));
        free(data.data);
    }
}

static void P46(void)
{
    accept_gray(with_chunk(gray, "iCCP", "no profile", 10));
    accept_gray(with_chunk(gray, "sBIT", "\xff\xff\xff", 3));
    accept_gray(with_chunk(gray, "gAMA", "\0\0\0\0", 4));
    accept_gray(with_chunk(gray, "cHRM", "x", 1));
}

static void P47(void)
{
    bytes b = begin_png((header){.width = 2, .height = 1, .depth = 8, .color = 3});
    chunk(&b, "gAMA", "\0\1\x86\xa0", 4);
    chunk(&b, "PLTE", "\0\xff\0\xff\0\xff", 6);
    chunk(&b, "tRNS", "\0", 1);
    pixels(&b, "\0\0\1", 3);
    accept_numbers((attempt){.file = end_png(b)}, 8, (double[]){0, 1, 1, 0, 0, 1, 0, 1});
}

static void P48(void)
{
    bytes b = begin_png((header){.width = 1, .height = 1, .depth = 16, .color = 2});
    pixels(&b, "\0\xff\xff\0\0\1\0", 7);
    accept_numbers((attempt){.file = end_png(b)}, 3, (double[]){1, 0, (double)(256 / 65535.0F)});
}

static void P49(void)
{
    for (int t = 0; t < TYPES; t++)
        for (uint32_t size = 0; size < 81; size++)
            accept_picture((header){.width = 1 + size % 9,
                                    .height = 1 + size / 9,
                                    .depth = types[t].depth,
                                    .color = types[t].color,
                                    .interlace = 1});
}

static void P50(void)
{
    for (int color = 0; color <= 3; color += 3)
        for (int depth = 1; depth <= 4; depth *= 2)
            for (uint32_t width = 1; width <= 17; width++)
                accept_picture((header){.width = width, .height = 3, .depth = depth, .color = color});
}

static void P51(void)
{
    accept_picture((header){.width = 5, .height = 4, .depth = 16, .color = 4});
}

static void P52(void)
{
    bytes b = begin_png(gray), z = zlib_of(samples, sizeof samples, 0), frame = {0};
    chunk(&b, "acTL", "\0\0\0\2\0\0\0\0", 8);
    chunk(&b, "fcTL", "\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\0", 26);
    chunk(&b, "IDAT", z.data, z.count);
    chunk(&b, "fcTL", "\0\0\0\1\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\1\0\0", 26);
    append(&frame, "\0\0\0\2", 4);
    append(&frame, z.data, z.count);
    chunk(&b, "fdAT", frame.data, frame.count);
    free(frame.data);
    free(z.data);
    accept_gray(end_png(b));
}

static void P53(void)
{
    bytes b = {0}, good = picture(gray);
    append(&b, PNG_SIGNATURE, 8);
    chunk(&b, "CgBI", "\x50\0\x20\6", 4);
    append(&b, good.data + 8, good.count - 8);
    free(good.data);
    refuse_png(b, FAL_E_UNSUPPORTED, "Apple-optimised PNG");
}

static void P54(void)
{
    refuse_bytes("\x8aMNG\r\n\x1a\n\0\0\0\x1cMHDR", 16, FAL_E_MAGIC, "this is an MNG animation");
    refuse_bytes("\x8bJNG\r\n\x1a\n\0\0\0\x10JHDR", 16, FAL_E_MAGIC, "this is a JNG image");
}

static void refuse_named_png(const void *data, size_t count, fal_status status, const char *key)
{
    bytes b = {0};
    append(&b, data, count);
    refuse((attempt){.file = b, .name = "x.png"}, status, key);
}

static void P55(void)
{
    refuse_named_png("GIF89a\1\0\1\0\0\0\0;", 14, FAL_E_MAGIC, "this is a GIF image");
    refuse_named_png("RIFF\x1a\0\0\0WEBPVP8L", 16, FAL_E_MAGIC, "WebP");
    refuse_named_png("\xff\xd8\xff\xe0\0\x10JFIF", 10, FAL_E_TRUNCATED, "JPEG");
}

static void P56(void)
{
    accept_gray(with_chunk(gray, "acTL", "x", 1));
    accept_gray(with_chunk(gray, "fcTL", "x", 1));
    accept_gray(with_chunk(gray, "fdAT", "", 0));
}

static void P57(void)
{
    accept_picture((header){.width = 1000000, .height = 1, .depth = 8});
    accept_picture((header){.width = 1, .height = 1000000, .depth = 8});
}

static void P58(void)
{
    static const header files[] = {{5, 4, 8, 0, 0, 0, 0},
                                   {5, 4, 16, 6, 1, 0, 0},
                                   {5, 4, 2, 3, 0, 0, 0},
                                   {5, 4, 8, 2, 0, 0, 0},
                                   {5, 4, 16, 4, 1, 0, 0}};
    for (int f = 0; f < 5; f++) {
        bytes whole = picture(files[f]);
        for (size_t count = 0; count < whole.count; count++) {
            io_array out;
            fal_error error = {0};
            assert_int_not_equal(io_read(store("file", whole.data, count), NULL, &out, &error), FAL_OK);
            check_refusal(&out, &error, error.status);
        }
        free(whole.data);
    }
}

static const refusals_row rows[] = {
#include "refusals/rows.inc"
};

int main(void)
{
    return refusals_main("png", rows, sizeof rows / sizeof *rows, make_scratch, remove_scratch);
}
