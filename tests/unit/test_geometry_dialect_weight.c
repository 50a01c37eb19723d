/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a weight's axes in each framework: a weight in that framework's order is filled with its
 * own index, and the view must show it in this library's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

enum { O = 2, I = 3, H = 4, W = 5 };

/* The number of element (o, i, h, w), whatever order it is stored in. */
static float number(int64_t o, int64_t i, int64_t h, int64_t w)
{
    return (float)(((o * I + i) * H + h) * W + w);
}

/* Stores a weight whose axis j is axes[j] of (o, i, h, w). */
static fal_tensor stored(float *data, const int *axes)
{
    static const int64_t sizes[] = {O, I, H, W};
    int64_t shape[4], at[4];
    for (int j = 0; j < 4; j++) shape[j] = sizes[axes[j]];
    fal_tensor t = fal_tensor_of(data, FAL_F32, 4, shape);
    for (at[0] = 0; at[0] < shape[0]; at[0]++)
        for (at[1] = 0; at[1] < shape[1]; at[1]++)
            for (at[2] = 0; at[2] < shape[2]; at[2]++)
                for (at[3] = 0; at[3] < shape[3]; at[3]++) {
                    int64_t index[4];
                    for (int j = 0; j < 4; j++) index[axes[j]] = at[j];
                    fal_tensor_set(&t, at, (double)number(index[0], index[1], index[2], index[3]));
                }
    return t;
}

static void check(fal_dialect dialect, bool transposed, bool depthwise, const int *axes)
{
    float data[O * I * H * W];
    fal_tensor t = stored(data, axes), out;
    assert_int_equal(fal_dialect_weight(dialect, transposed, depthwise, &t, &out, NULL), FAL_OK);
    int32_t extra = out.rank - 4;
    const int64_t shape[] = {O, I, depthwise ? 1 : H, depthwise ? H : W, W};
    assert_int_equal(extra, depthwise);
    assert_memory_equal(out.shape, shape, (size_t)out.rank * sizeof *shape);
    for (int64_t o = 0; o < O; o++)
        for (int64_t i = 0; i < I; i++)
            for (int64_t h = 0; h < H; h++)
                for (int64_t w = 0; w < W; w++) {
                    int64_t at[] = {o, i, depthwise ? 0 : h, depthwise ? h : w, w};
                    assert_true(fal_tensor_get(&out, at) == (double)number(o, i, h, w));
                }
}

/* (o, i) are what this library puts first: conv (oc, ic), transposed (ic, oc), depthwise (c, multiplier). */
static void test_orders(void **state)
{
    (void)state;
    static const int same[] = {0, 1, 2, 3}, hwio[] = {2, 3, 1, 0}, hwoi[] = {2, 3, 0, 1};
    static const fal_dialect plain[] = {FAL_DIALECT_TORCH, FAL_DIALECT_ONNX, FAL_DIALECT_CAFFE};
    for (int p = 0; p < 3; p++) {
        check(plain[p], false, false, same);
        check(plain[p], true, false, same);
    }
    check(FAL_DIALECT_TENSORFLOW, false, false, hwio);
    check(FAL_DIALECT_TENSORFLOW, true, false, hwio); /* (k..., oc, ic) for (ic, oc, k...) */
    check(FAL_DIALECT_TENSORFLOW, false, true, hwoi);
    check(FAL_DIALECT_JAX, false, false, hwio);
    check(FAL_DIALECT_JAX, true, false, hwoi); /* (k..., ic, oc) for (ic, oc, k...) */
}

/* out = c*multiplier + m, so that the split view, copied, is the grouped weight. */
static void test_depthwise_copies_to_groups(void **state)
{
    (void)state;
    float tf[3 * 2 * 4], grouped[8 * 3]; /* (k=3, c=2, m=4) -> (8, 1, 3) */
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 2; c++)
            for (int m = 0; m < 4; m++) tf[(k * 2 + c) * 4 + m] = (float)(100 * k + 10 * c + m);
    fal_tensor t = FAL_TENSOR(tf, FAL_F32, 3, 2, 4), view, copy = FAL_TENSOR(grouped, FAL_F32, 2, 4, 1, 3);
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TENSORFLOW, false, true, &t, &view, NULL), FAL_OK);
    assert_int_equal(fal_tensor_copy(&view, &copy, NULL), FAL_OK);
    for (int out = 0; out < 8; out++)
        for (int k = 0; k < 3; k++) {
            float expected = (float)(100 * k + 10 * (out / 4) + out % 4);
            assert_true(memcmp(&grouped[out * 3 + k], &expected, sizeof expected) == 0);
        }
}

static void test_kernels_of_one_array(void **state)
{
    (void)state;
    float data[6] = {0, 1, 2, 3, 4, 5};
    fal_tensor t = FAL_TENSOR(data, FAL_F32, 2, 3), out;
    for (int d = FAL_DIALECT_SCIPY_CONVOLVE; d < FAL_DIALECTS; d++) {
        assert_int_equal(fal_dialect_weight((fal_dialect)d, false, false, &t, &out, NULL), FAL_OK);
        assert_int_equal(out.rank, 4);
        static const int64_t shape[] = {1, 1, 2, 3}, at[] = {0, 0, 1, 2};
        assert_memory_equal(out.shape, shape, sizeof shape);
        assert_true(fal_tensor_get(&out, at) == 5);
        assert_int_equal(fal_dialect_weight((fal_dialect)d, true, false, &t, &out, NULL), FAL_E_UNSUPPORTED);
        assert_int_equal(fal_dialect_weight((fal_dialect)d, false, true, &t, &out, NULL), FAL_E_UNSUPPORTED);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    float data[64] = {0};
    fal_error error;
    fal_tensor flat = FAL_TENSOR(data, FAL_F32, 2, 3), deep = FAL_TENSOR(data, FAL_F32, 1, 2, 2, 2, 2, 2),
               out;
    fal_tensor good = FAL_TENSOR(data, FAL_F32, 2, 2, 3), kept;
    memset(&out, 0x5a, sizeof out);
    kept = out;
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TORCH, false, false, &flat, &out, &error), FAL_E_RANK);
    assert_string_equal(error.found, "weight has rank 2");
    assert_string_equal(error.allowed, "must be 3..5");
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TORCH, false, false, &deep, &out, NULL), FAL_E_RANK);
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_MATLAB, false, false, &deep, &out, &error), FAL_E_RANK);
    assert_string_equal(error.allowed, "must be 1..3");
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TENSORFLOW, true, true, &good, &out, NULL),
                     FAL_E_UNSUPPORTED);
    assert_int_equal(fal_dialect_weight(FAL_DIALECTS, false, false, &good, &out, NULL), FAL_E_VALUE);
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TORCH, false, false, NULL, &out, NULL), FAL_E_NULL);
    assert_int_equal(fal_dialect_weight(FAL_DIALECT_TORCH, false, false, &good, NULL, NULL), FAL_E_NULL);
    assert_memory_equal(&out, &kept, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders), cmocka_unit_test(test_depthwise_copies_to_groups),
        cmocka_unit_test(test_kernels_of_one_array), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
