/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tensor_refusals.c: what views, copies and operand checks refuse, with which code and field,
 * and that nothing is written then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"
#include "tensor/tensor.h"

static fal_error error;
static float data[24];

/* Expects `status` about `field`, with a text. */
#define REFUSED(call, expected, expected_field)           \
    do {                                                  \
        memset(&error, 0, sizeof error);                  \
        assert_int_equal((call), expected);               \
        assert_int_equal(error.status, expected);         \
        assert_string_equal(error.field, expected_field); \
        assert_true(error.found[0] != 0);                 \
    } while (0)
#define SIZES(...) ((const int64_t[]){__VA_ARGS__})
#define AXES(...)  ((const int32_t[]){__VA_ARGS__})

static fal_tensor t_2_3_4(void)
{
    return FAL_TENSOR(data, FAL_F32, 2, 3, 4);
}

static fal_tensor rank_12(void)
{
    return FAL_TENSOR(data, FAL_F32, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2);
}

static void every_view_refuses_bad_tensors_and_keeps_out(void **state)
{
    (void)state;
    fal_tensor bad = t_2_3_4(), good = t_2_3_4(), out, before;
    bad.dtype = FAL_DTYPE_NONE;
    memset(&out, 0x5a, sizeof out);
    before = out;
    for (int round = 0; round < 2; round++) {
        const fal_tensor *t = round == 0 ? NULL : &bad;
        fal_status status = round == 0 ? FAL_E_NULL : FAL_E_DTYPE;
        REFUSED(fal_tensor_permute(t, AXES(0, 1, 2), &out, &error), status, "tensor");
        REFUSED(fal_tensor_slice(t, 0, 0, 1, 1, &out, &error), status, "tensor");
        REFUSED(fal_tensor_reshape(t, 1, SIZES(24), &out, &error), status, "tensor");
        REFUSED(fal_tensor_tile(t, SIZES(1, 1, 1), &out, &error), status, "tensor");
        REFUSED(fal_tensor_windows(t, 0, 1, SIZES(1), NULL, NULL, &out, &error), status, "tensor");
        REFUSED(fal_tensor_flip(t, 0, &out, &error), status, "tensor");
        REFUSED(fal_tensor_broadcast(t, 3, SIZES(2, 3, 4), &out, &error), status, "tensor");
        REFUSED(fal_tensor_shuffle(t, 0, 1, &out, &error), status, "tensor");
    }
    REFUSED(fal_tensor_permute(&good, AXES(0, 1, 2), NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_slice(&good, 0, 0, 1, 1, NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_reshape(&good, 1, SIZES(24), NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_tile(&good, SIZES(1, 1, 1), NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_windows(&good, 0, 1, SIZES(1), NULL, NULL, NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_flip(&good, 0, NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_broadcast(&good, 3, SIZES(2, 3, 4), NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_shuffle(&good, 0, 1, NULL, &error), FAL_E_NULL, "out");
    REFUSED(fal_tensor_permute(&good, NULL, &out, &error), FAL_E_NULL, "axes");
    REFUSED(fal_tensor_reshape(&good, 1, NULL, &out, &error), FAL_E_NULL, "shape");
    REFUSED(fal_tensor_tile(&good, NULL, &out, &error), FAL_E_NULL, "tile");
    REFUSED(fal_tensor_windows(&good, 0, 1, NULL, NULL, NULL, &out, &error), FAL_E_NULL, "kernel");
    REFUSED(fal_tensor_broadcast(&good, 3, NULL, &out, &error), FAL_E_NULL, "shape");
    assert_memory_equal(&out, &before, sizeof out);
    assert_int_equal(fal_tensor_slice(&good, 9, 0, 1, 1, &out, NULL), FAL_E_VALUE); /* no report asked */
}

static void permute_and_slice(void **state)
{
    (void)state;
    fal_tensor t = t_2_3_4(), out;
    REFUSED(fal_tensor_permute(&t, AXES(0, 1, 1), &out, &error), FAL_E_VALUE, "axes[2]");
    REFUSED(fal_tensor_permute(&t, AXES(0, 3, 1), &out, &error), FAL_E_VALUE, "axes[1]");
    REFUSED(fal_tensor_permute(&t, AXES(-1, 0, 1), &out, &error), FAL_E_VALUE, "axes[0]");
    REFUSED(fal_tensor_slice(&t, 3, 0, 1, 1, &out, &error), FAL_E_VALUE, "axis");
    assert_string_equal(error.allowed, "must be 0..2");
    REFUSED(fal_tensor_slice(&t, -1, 0, 1, 1, &out, &error), FAL_E_VALUE, "axis");
    REFUSED(fal_tensor_slice(&t, 1, 0, 1, 0, &out, &error), FAL_E_VALUE, "step");
    REFUSED(fal_tensor_slice(&t, 1, -1, 1, 1, &out, &error), FAL_E_VALUE, "start");
    assert_string_equal(error.found, "start is -1 on an axis of size 3");
    assert_string_equal(error.allowed, "must be 0..3");
    REFUSED(fal_tensor_slice(&t, 1, 0, 4, 1, &out, &error), FAL_E_VALUE, "stop");
    REFUSED(fal_tensor_slice(&t, 1, 3, -1, -1, &out, &error), FAL_E_VALUE, "start");
    assert_string_equal(error.allowed, "must be -1..2");
    REFUSED(fal_tensor_slice(&t, 1, 2, -2, -1, &out, &error), FAL_E_VALUE, "stop");
    REFUSED(fal_tensor_slice(&t, 1, INT64_MAX, INT64_MIN, INT64_MIN, &out, &error), FAL_E_VALUE, "start");
    REFUSED(fal_tensor_flip(&t, 3, &out, &error), FAL_E_VALUE, "axis");
    fal_tensor scalar = fal_tensor_of(data, FAL_F32, 0, NULL);
    REFUSED(fal_tensor_flip(&scalar, 0, &out, &error), FAL_E_VALUE, "axis");
    assert_string_equal(error.allowed, "a tensor of rank 0 has no axes");
}

static void reshape_and_broadcast(void **state)
{
    (void)state;
    fal_tensor t = t_2_3_4(), out;
    REFUSED(fal_tensor_reshape(&t, 13, SIZES(24), &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_reshape(&t, -1, SIZES(24), &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_reshape(&t, 2, SIZES(24, -1), &out, &error), FAL_E_DIM, "shape[1]");
    REFUSED(fal_tensor_reshape(&t, 2, SIZES(5, 5), &out, &error), FAL_E_SHAPE, "shape");
    REFUSED(fal_tensor_reshape(&t, 2, SIZES(0, 5), &out, &error), FAL_E_SHAPE, "shape");
    REFUSED(fal_tensor_reshape(&t, 2, SIZES(INT64_MAX, 3), &out, &error), FAL_E_OVERFLOW, "shape");
    fal_tensor turned;
    assert_int_equal(fal_tensor_permute(&t, AXES(0, 2, 1), &turned, NULL), FAL_OK);
    REFUSED(fal_tensor_reshape(&turned, 1, SIZES(24), &out, &error), FAL_E_LAYOUT, "shape");
    assert_string_equal(error.found, "(2,4,3) with strides (12,1,4) cannot be seen as (24)");
    assert_true(error.hint[0] != 0);
    REFUSED(fal_tensor_broadcast(&t, 2, SIZES(3, 4), &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_broadcast(&t, 13, SIZES(3, 4), &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_broadcast(&t, 3, SIZES(2, 5, 4), &out, &error), FAL_E_SHAPE, "shape[1]");
    REFUSED(fal_tensor_broadcast(&t, 4, SIZES(-1, 2, 3, 4), &out, &error), FAL_E_DIM, "shape[0]");
    REFUSED(fal_tensor_broadcast(&t, 4, SIZES((int64_t)1 << 60, 2, 3, 4), &out, &error), FAL_E_OVERFLOW,
            "view");
}

static void tile_windows_and_shuffle(void **state)
{
    (void)state;
    fal_tensor t = t_2_3_4(), many = rank_12(), out;
    const int64_t ones[FAL_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    REFUSED(fal_tensor_tile(&many, ones, &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_tile(&t, SIZES(1, 0, 1), &out, &error), FAL_E_VALUE, "tile[1]");
    REFUSED(fal_tensor_tile(&t, SIZES(1, 2, 1), &out, &error), FAL_E_SHAPE, "tile[1]");
    REFUSED(fal_tensor_windows(&t, -1, 1, ones, NULL, NULL, &out, &error), FAL_E_VALUE, "first");
    REFUSED(fal_tensor_windows(&t, 3, 1, ones, NULL, NULL, &out, &error), FAL_E_VALUE, "first");
    REFUSED(fal_tensor_windows(&t, 1, 3, ones, NULL, NULL, &out, &error), FAL_E_VALUE, "count");
    REFUSED(fal_tensor_windows(&t, 1, 0, ones, NULL, NULL, &out, &error), FAL_E_VALUE, "count");
    REFUSED(fal_tensor_windows(&many, 0, 1, ones, NULL, NULL, &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_windows(&t, 1, 2, SIZES(1, 0), NULL, NULL, &out, &error), FAL_E_KERNEL, "kernel[1]");
    REFUSED(fal_tensor_windows(&t, 1, 2, SIZES(1, 5), NULL, NULL, &out, &error), FAL_E_KERNEL, "kernel[1]");
    REFUSED(fal_tensor_windows(&t, 1, 2, ones, SIZES(0, 1), NULL, &out, &error), FAL_E_STRIDE, "stride[0]");
    REFUSED(fal_tensor_windows(&t, 1, 2, ones, NULL, SIZES(1, -2), &out, &error), FAL_E_DILATION,
            "dilation[1]");
    REFUSED(fal_tensor_windows(&t, 2, 1, SIZES(3), NULL, SIZES(2), &out, &error), FAL_E_KERNEL, "kernel[0]");
    REFUSED(fal_tensor_windows(&t, 2, 1, SIZES(3), NULL, SIZES((int64_t)1 << 62), &out, &error),
            FAL_E_OVERFLOW, "kernel[0]");
    REFUSED(fal_tensor_shuffle(&many, 0, 1, &out, &error), FAL_E_RANK, "rank");
    REFUSED(fal_tensor_shuffle(&t, 5, 1, &out, &error), FAL_E_VALUE, "axis");
    REFUSED(fal_tensor_shuffle(&t, 2, 0, &out, &error), FAL_E_GROUPS, "groups");
    REFUSED(fal_tensor_shuffle(&t, 2, 3, &out, &error), FAL_E_GROUPS, "groups");
}

static void copies(void **state)
{
    (void)state;
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    fal_tensor src = FAL_TENSOR(x, FAL_F32, 2, 3), dst = FAL_TENSOR(y, FAL_F32, 2, 3), bad;
    REFUSED(fal_tensor_copy(NULL, &dst, &error), FAL_E_NULL, "src");
    REFUSED(fal_tensor_copy(&src, NULL, &error), FAL_E_NULL, "dst");
    bad = FAL_TENSOR(y, FAL_F32, 6);
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_RANK, "dst");
    bad = FAL_TENSOR(y, FAL_F32, 3, 2);
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_SHAPE, "dst");
    assert_string_equal(error.found, "dst has shape (3,2), src (2,3)");
    bad = dst, bad.flags = FAL_READ_ONLY;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_LAYOUT, "dst");
    bad = dst, bad.strides[1] = 0;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_LAYOUT, "dst");
    assert_string_equal(error.found, "elements of dst overlap along axis 1 (size 3, stride 0)");
    bad = dst, bad.strides[0] = 2;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_LAYOUT, "dst");
    bad = dst, bad.data = NULL;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_NULL, "dst");
    bad = src, bad.data = NULL;
    REFUSED(fal_tensor_copy(&bad, &dst, &error), FAL_E_NULL, "src");
    bad = src, bad.data = (char *)x + 2;
    REFUSED(fal_tensor_copy(&bad, &dst, &error), FAL_E_ALIGN, "src");
    bad = dst, bad.data = (char *)y + 1;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_ALIGN, "dst");
    REFUSED(fal_tensor_copy(&src, &src, &error), FAL_E_ALIAS, "dst");
    bad = src, bad.data = x + 2;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_ALIAS, "dst");
    bad = src, bad.dtype = FAL_I32;
    REFUSED(fal_tensor_copy(&src, &bad, &error), FAL_E_ALIAS, "dst");
    REFUSED(fal_tensor_fill(NULL, 0, &error), FAL_E_NULL, "tensor");
    bad = dst, bad.flags = FAL_READ_ONLY;
    REFUSED(fal_tensor_fill(&bad, 0, &error), FAL_E_LAYOUT, "tensor");
    bad = dst, bad.data = NULL;
    REFUSED(fal_tensor_fill(&bad, 0, &error), FAL_E_NULL, "tensor");
    for (int i = 0; i < 8; i++) assert_true(x[i] == (float)(i + 1) && y[i] == 9);

    /* Without elements there is nothing to miss, misalign or overlap. */
    fal_tensor empty = FAL_TENSOR(NULL, FAL_F32, 0, 3);
    assert_int_equal(fal_tensor_copy(&empty, &empty, NULL), FAL_OK);
    assert_int_equal(fal_tensor_fill(&empty, 1, NULL), FAL_OK);
}

static void zero_stuffing(void **state)
{
    (void)state;
    float x[2] = {1, 2}, y[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    fal_tensor src = FAL_TENSOR(x, FAL_F32, 2), dst = FAL_TENSOR(y, FAL_F32, 4);
    REFUSED(fal_tensor_zero_stuff(&src, NULL, &dst, &error), FAL_E_NULL, "factor");
    REFUSED(fal_tensor_zero_stuff(&src, SIZES(0), &dst, &error), FAL_E_VALUE, "factor[0]");
    REFUSED(fal_tensor_zero_stuff(&src, SIZES(2), &dst, &error), FAL_E_SHAPE, "dst");
    assert_string_equal(error.allowed, "must be 3, for 2 elements at factor 2");
    REFUSED(fal_tensor_zero_stuff(&src, SIZES(INT64_MAX), &dst, &error), FAL_E_OVERFLOW, "factor[0]");
    fal_tensor flat = FAL_TENSOR(y, FAL_F32, 1, 4), empty = FAL_TENSOR(x, FAL_F32, 0);
    REFUSED(fal_tensor_zero_stuff(&src, SIZES(3), &flat, &error), FAL_E_RANK, "dst");
    REFUSED(fal_tensor_zero_stuff(&empty, SIZES(3), &dst, &error), FAL_E_SHAPE, "dst");
    fal_tensor own = FAL_TENSOR(x, FAL_F32, 2);
    REFUSED(fal_tensor_zero_stuff(&src, SIZES(1), &own, &error), FAL_E_ALIAS, "dst");
    for (int i = 0; i < 8; i++) assert_true(y[i] == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_refuses_bad_tensors_and_keeps_out),
        cmocka_unit_test(permute_and_slice),
        cmocka_unit_test(reshape_and_broadcast),
        cmocka_unit_test(tile_windows_and_shuffle),
        cmocka_unit_test(copies),
        cmocka_unit_test(zero_stuffing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
