/* SPDX-License-Identifier: BSD-3-Clause */
/* test_png_write.c: written pictures are read back; what cannot be a picture is refused. */
#define _XOPEN_SOURCE 700
#include "files.h"

static void written_and_read(void **state)
{
    float x[2 * 4 * 3 * 5];
    fal_error error = {0};
    (void)state;
    for (int bits = 8; bits <= 16; bits += 8) {
        for (int64_t c = 1; c <= 4; c++) {
            const double most = bits == 8 ? 255 : 65535;
            const io_write_options how = {.overwrite = true, .bits = bits};
            const io_write_options last = {.overwrite = true, .bits = bits, .layout = FAL_NHWC};
            for (int i = 0; i < 15 * c; i++) x[i] = (float)((float)(i * 17 % 256) / 255.0F);
            fal_tensor t = FAL_TENSOR(x, FAL_F32, 1, c, 3, 5), nhwc;
            assert_int_equal(io_write(at("w.png"), NULL, &t, &how, &error), FAL_OK);
            io_array got = read_ok(at("w.png"), NULL);
            for (int i = 0; i < 15 * c; i++) {
                double level = (double)((const float *)got.memory)[i] * most;
                assert_true(level - x[i] * most < 0.51 && level - x[i] * most > -0.51);
            }
            assert_int_equal(fal_tensor_permute(&t, (int32_t[]){0, 2, 3, 1}, &nhwc, &error), FAL_OK);
            assert_int_equal(io_write(at("v.png"), NULL, &nhwc, &last, &error), FAL_OK);
            io_array again = read_ok(at("v.png"), NULL);
            assert_memory_equal(again.memory, got.memory, got.bytes);
            io_array_free(&again);
            io_array_free(&got);
        }
    }
    scratch_files(true);
}

static void clipped_and_rounded(void **state)
{
    float x[] = {-1, 2, 0.5F, 1.0F / 0.0F, 0.0F / 0.0F, 0.00195F};
    const unsigned char y[] = {0, 255, 128, 255, 0, 0};
    unsigned char u[] = {0, 1, 254, 255, 7, 8};
    fal_error error = {0};
    (void)state;
    fal_tensor t = FAL_TENSOR(x, FAL_F32, 2, 3), tu = FAL_TENSOR(u, FAL_U8, 2, 3);
    assert_int_equal(io_write(at("c.png"), NULL, &t, NULL, &error), FAL_OK);
    io_array got = read_ok(at("c.png"), NULL);
    for (int i = 0; i < 6; i++) assert_true(((float *)got.memory)[i] == (float)y[i] / 255.0F);
    io_array_free(&got);
    for (int bits = 8; bits <= 16; bits += 8) {
        const io_write_options how = {.overwrite = true, .bits = bits};
        assert_int_equal(io_write(at("c.png"), NULL, &tu, &how, &error), FAL_OK);
        got = read_ok(at("c.png"), NULL);
        for (int i = 0; i < 6; i++) assert_true(((float *)got.memory)[i] == (float)u[i] / 255.0F);
        io_array_free(&got);
    }
    scratch_files(true);
}

static void unwritable(void **state)
{
    float x[64] = {0};
    int32_t n[4] = {0};
    fal_error error = {0};
    const io_write_options last = {.layout = FAL_NHWC}, odd = {.bits = 12};
    const char *path = at("u.png");
    (void)state;
    fal_tensor t = FAL_TENSOR(x, FAL_F32, 1, 5, 2, 3);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_SHAPE);
    assert_string_equal(error.hint, "is the tensor NHWC? try --layout nhwc");
    t = FAL_TENSOR(x, FAL_F32, 3, 4, 5);
    assert_int_equal(io_write(path, NULL, &t, &last, &error), FAL_E_SHAPE);
    assert_string_equal(error.hint, "is the tensor NCHW? try --layout nchw");
    t = FAL_TENSOR(x, FAL_F32, 2, 1, 2, 2);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_RANK);
    t = FAL_TENSOR(x, FAL_F32, 4);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_RANK);
    t = FAL_TENSOR(x, FAL_F32, 0, 4);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_DIM);
    t = FAL_TENSOR(n, FAL_I32, 2, 2);
    assert_int_equal(io_write(path, NULL, &t, NULL, &error), FAL_E_DTYPE);
    t = FAL_TENSOR(x, FAL_F32, 2, 2);
    assert_int_equal(io_write(path, NULL, &t, &odd, &error), FAL_E_VALUE);
    assert_int_equal(scratch_files(false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(clipped_and_rounded),
        cmocka_unit_test(unwritable),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
