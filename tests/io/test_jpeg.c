/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_jpeg.c: gray and RGB, baseline and progressive; pictures that are cut or damaged are refused
 * where the decoder alone would invent the rest. The pictures are made here, by the same library.
 */
#define _XOPEN_SOURCE 700
#include "hostile.h"

#include <jpeglib.h>

/* A JPEG of `components` channels whose sample (y, x, c) is base + 2x + 3y + 20c. */
static bytes make(uint32_t width, uint32_t height, int components, J_COLOR_SPACE space, bool progressive)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr manager;
    unsigned char row[4096], *out = NULL;
    unsigned long count = 0;
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &count);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = components;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    for (int i = 0; i < components; i++)
        jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (uint32_t y = 0; y < height; y++) {
        JSAMPROW rows[1] = {row};
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < (uint32_t)components; c++)
                row[x * (uint32_t)components + c] = (unsigned char)(40 + 2 * x + 3 * y + 20 * c);
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    bytes b = {0};
    append(&b, out, count);
    free(out);
    return b;
}

static void pictures(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        bool last = (kind & 1) != 0, progressive = (kind & 2) != 0, color = (kind & 4) != 0;
        const io_read_options how = {.layout = last ? FAL_NHWC : FAL_NCHW};
        int channels = color ? 3 : 1;
        bytes b = make(21, 13, channels, color ? JCS_RGB : JCS_GRAYSCALE, progressive);
        io_array got = read_ok(store("p.jpg", b.data, b.count), &how);
        assert_int_equal(got.tensor.rank, 4);
        assert_int_equal(got.tensor.shape[last ? 3 : 1], channels);
        assert_int_equal(got.tensor.shape[last ? 1 : 2], 13);
        for (int64_t y = 0; y < 13; y++) {
            for (int64_t x = 0; x < 21; x++) {
                for (int64_t c = 0; c < channels; c++) {
                    int64_t nchw[] = {0, c, y, x}, nhwc[] = {0, y, x, c};
                    double level = fal_tensor_get(&got.tensor, last ? nhwc : nchw) * 255;
                    double error = level - (double)(40 + 2 * x + 3 * y + 20 * c);
                    assert_true(error < 3 && error > -3);
                }
            }
        }
        io_array_free(&got);
        io_listing list;
        assert_int_equal(io_list(at("p.jpg"), NULL, &list, NULL), FAL_OK);
        assert_int_equal(list.kind, IO_JPEG);
        assert_string_equal(list.entries->stored, color ? "8-bit RGB" : "8-bit gray");
        io_listing_free(&list);
        free(b.data);
    }
}

static void refusals(void **state)
{
    const io_read_options small = {.limits = {.pixels = 100}};
    bytes b = make(16, 16, 4, JCS_CMYK, false);
    (void)state;
    refused_as("CMYK", store("c.jpg", b.data, b.count), NULL, FAL_E_UNSUPPORTED);
    free(b.data);
    b = make(16, 16, 1, JCS_GRAYSCALE, false);
    const char *path = store("g.jpg", b.data, b.count);
    refused_as("pixels", path, &small, FAL_E_LIMIT);
    /* The frame header: FF C0, length, precision, height, width. */
    size_t frame = 2;
    while (b.data[frame] != 0xff || b.data[frame + 1] != 0xc0) frame++;
    b.data[frame + 5] = 0x7f;
    b.data[frame + 7] = 0x01;
    refused_as("claims", store("g.jpg", b.data, b.count), NULL, FAL_E_BOMB);
    b.data[frame + 5] = b.data[frame + 6] = 0;
    io_array out;
    assert_int_not_equal(io_read(store("g.jpg", b.data, b.count), NULL, &out, NULL), FAL_OK);
    free(b.data);
}

static void hostile(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        bytes b = make(24, 16, 3, JCS_RGB, progressive != 0);
        cut_everywhere(&b, "");
        damage_everywhere(&b, "", 200);
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures), cmocka_unit_test(refusals),
                                       cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, limit_memory, remove_scratch);
}
