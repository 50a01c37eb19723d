/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tensor_border.c: border maps against a walk step by step, and padding against border maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"
#include "tensor/tensor.h"

/* Walks from element 0 to `position` one step at a time and turns, stays or jumps at the ends. */
static int64_t walk(fal_padding_mode mode, int64_t position, int64_t size)
{
    if (mode == FAL_PAD_ZEROS || mode == FAL_PAD_CONSTANT)
        return position >= 0 && position < size ? position : -1;
    int64_t at = 0, step = position < 0 ? -1 : 1;
    int64_t direction = step;
    for (int64_t i = 0; i != position; i += step) {
        int64_t next = at + direction;
        if (next >= 0 && next < size)
            at = next;
        else if (mode == FAL_PAD_CIRCULAR)
            at = next < 0 ? size - 1 : 0;
        else if (mode == FAL_PAD_SYMMETRIC)
            direction = -direction; /* the end is seen twice */
        else if (mode == FAL_PAD_REFLECT && size > 1) {
            direction = -direction;
            at += direction;
        }
    }
    return at;
}

static void maps_equal_the_walk(void **state)
{
    (void)state;
    for (int mode = FAL_PAD_ZEROS; mode <= FAL_PAD_CONSTANT; mode++)
        for (int64_t size = 1; size <= 6; size++)
            for (int64_t position = -30; position <= 30; position++)
                assert_int_equal(fal_border_index((fal_padding_mode)mode, position, size),
                                 walk((fal_padding_mode)mode, position, size));
}

static void far_positions_do_not_overflow(void **state)
{
    (void)state;
    const int64_t far[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1};
    const int64_t sizes[] = {1, 2, 3, 7, 1000, (int64_t)1 << 62, INT64_MAX - 1, INT64_MAX};
    for (size_t p = 0; p < sizeof far / sizeof *far; p++)
        for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
            for (int mode = FAL_PAD_REFLECT; mode <= FAL_PAD_CIRCULAR; mode++) {
                /* Stepping one period nearer must not change the element. */
                int64_t size = sizes[n], index = fal_border_index((fal_padding_mode)mode, far[p], size);
                assert_true(index >= 0 && index < size);
                if (mode == FAL_PAD_REPLICATE || size > 1000) continue;
                int64_t period = mode == FAL_PAD_CIRCULAR    ? size
                                 : mode == FAL_PAD_SYMMETRIC ? 2 * size
                                                             : 2 * size - 2;
                int64_t near = far[p] < 0 ? far[p] + period : far[p] - period;
                assert_int_equal(fal_border_index((fal_padding_mode)mode, near, size), index);
            }
    /* By hand: 2^63 positions before 0, axis of the largest size M = 2^63-1. */
    assert_true(fal_border_index(FAL_PAD_REPLICATE, INT64_MIN, INT64_MAX) == 0);
    assert_true(fal_border_index(FAL_PAD_CIRCULAR, INT64_MIN, INT64_MAX) == INT64_MAX - 1); /* -1 mod M */
    assert_true(fal_border_index(FAL_PAD_SYMMETRIC, INT64_MIN, INT64_MAX) == INT64_MAX - 1);
    assert_true(fal_border_index(FAL_PAD_REFLECT, INT64_MIN, INT64_MAX) == INT64_MAX - 3);
    assert_true(fal_border_index(FAL_PAD_REFLECT, INT64_MAX, INT64_MAX) == INT64_MAX - 2);
    assert_true(fal_border_index(FAL_PAD_CIRCULAR, INT64_MAX, 10) == 7); /* 9223372036854775807 */
    assert_true(fal_border_index(FAL_PAD_CIRCULAR, INT64_MIN, 10) == 2); /* -9223372036854775808 */
}

static void nothing_stands_on_an_empty_axis(void **state)
{
    (void)state;
    for (int mode = -1; mode <= 7; mode++)
        for (int64_t position = -2; position <= 2; position++) {
            assert_int_equal(fal_border_index((fal_padding_mode)mode, position, 0), -1);
            assert_int_equal(fal_border_index((fal_padding_mode)mode, position, -5), -1);
        }
    assert_int_equal(fal_border_index((fal_padding_mode)6, -1, 5), -1);
}

static void pad_equals_its_border_map(void **state)
{
    (void)state;
    const fal_dtype types[] = {FAL_F32, FAL_I32, FAL_F16, FAL_U8};
    test_stream s = {31, 0};
    for (int round = 0; round < 4000; round++) {
        fal_padding_mode mode = (fal_padding_mode)test_draw(&s, FAL_PAD_ZEROS, FAL_PAD_CONSTANT);
        bool fills = mode == FAL_PAD_ZEROS || mode == FAL_PAD_CONSTANT;
        int32_t rank = (int32_t)test_draw(&s, 0, 4);
        int64_t src_shape[FAL_MAX_RANK], dst_shape[FAL_MAX_RANK], begin[FAL_MAX_RANK];
        for (int32_t a = 0; a < rank; a++) {
            src_shape[a] = test_draw(&s, fills && test_chance(&s, 10) ? 0 : 1, 4);
            dst_shape[a] = test_draw(&s, test_chance(&s, 20) ? 0 : 1, 9);
            begin[a] = test_chance(&s, 3) ? 0 : test_draw(&s, -7, 12);
        }
        fal_dtype src_type = types[test_draw(&s, 0, 3)], dst_type = test_chance(&s, 3) ? FAL_F64 : src_type;
        test_tensor src = test_tensor_new(src_type, rank, src_shape, (uint64_t)test_draw(&s, 0, 9));
        test_tensor dst = test_tensor_new(dst_type, rank, dst_shape, (uint64_t)test_draw(&s, 0, 9));
        test_fill_tensor(&src.t, TEST_IDX, 0);
        fal_error error;
        assert_int_equal(fal_tensor_pad(&src.t, begin, mode, 77, &dst.t, &error), FAL_OK);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&dst.t) > 0; more; more = test_next(&dst.t, i)) {
            bool stands = true;
            for (int32_t a = 0; a < rank; a++) {
                from[a] = fal_border_index(mode, i[a] - begin[a], src_shape[a]);
                stands = stands && from[a] >= 0;
            }
            double outside = mode == FAL_PAD_CONSTANT ? 77 : 0;
            assert_true(fal_tensor_get(&dst.t, i) == (stands ? fal_tensor_get(&src.t, from) : outside));
        }
        assert_true(test_tensor_gaps_intact(&dst));
        test_tensor_free(&src);
        test_tensor_free(&dst);
    }
}

static void far_crops_and_paddings(void **state)
{
    (void)state;
    float x[3] = {1, 2, 3}, y[2] = {9, 9};
    fal_tensor src = FAL_TENSOR(x, FAL_F32, 3), dst = FAL_TENSOR(y, FAL_F32, 2);
    /* dst shows positions 2^63-2 and 2^63-1; 2^63-2 = 0 (mod 3). */
    const int64_t crop[] = {-(INT64_MAX - 1)}, far[] = {INT64_MAX};
    assert_int_equal(fal_tensor_pad(&src, crop, FAL_PAD_CIRCULAR, 0, &dst, NULL), FAL_OK);
    assert_true(y[0] == x[(INT64_MAX - 1) % 3] && y[1] == x[INT64_MAX % 3]);
    assert_int_equal(fal_tensor_pad(&src, crop, FAL_PAD_ZEROS, 5, &dst, NULL), FAL_OK);
    assert_true(y[0] == 0 && y[1] == 0);
    assert_int_equal(fal_tensor_pad(&src, far, FAL_PAD_REPLICATE, 0, &dst, NULL), FAL_OK);
    assert_true(y[0] == 1 && y[1] == 1);
}

static void refusals(void **state)
{
    (void)state;
    float x[4] = {1, 2, 3, 4}, y[4] = {9, 9, 9, 9};
    fal_tensor src = FAL_TENSOR(x, FAL_F32, 2, 2), dst = FAL_TENSOR(y, FAL_F32, 2, 2), bad;
    const int64_t none[] = {0, 0}, least[] = {0, INT64_MIN}, too_low[] = {0, -INT64_MAX};
    fal_error error;
    assert_int_equal(fal_tensor_pad(NULL, none, FAL_PAD_ZEROS, 0, &dst, &error), FAL_E_NULL);
    assert_int_equal(fal_tensor_pad(&src, none, FAL_PAD_ZEROS, 0, NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_tensor_pad(&src, NULL, FAL_PAD_ZEROS, 0, &dst, &error), FAL_E_NULL);
    assert_int_equal(fal_tensor_pad(&src, none, (fal_padding_mode)6, 0, &dst, &error), FAL_E_VALUE);
    assert_int_equal(fal_tensor_pad(&src, none, (fal_padding_mode)-1, 0, &dst, &error), FAL_E_VALUE);
    assert_int_equal(fal_tensor_pad(&src, least, FAL_PAD_ZEROS, 0, &dst, &error), FAL_E_OVERFLOW);
    assert_string_equal(error.field, "begin[1]");
    assert_int_equal(fal_tensor_pad(&src, too_low, FAL_PAD_ZEROS, 0, &dst, &error), FAL_E_OVERFLOW);
    bad = FAL_TENSOR(y, FAL_F32, 4);
    assert_int_equal(fal_tensor_pad(&src, none, FAL_PAD_ZEROS, 0, &bad, &error), FAL_E_RANK);
    bad = FAL_TENSOR(x, FAL_F32, 0, 2);
    assert_int_equal(fal_tensor_pad(&bad, none, FAL_PAD_REFLECT, 0, &dst, &error), FAL_E_PADDING);
    assert_int_equal(fal_tensor_pad(&src, none, FAL_PAD_ZEROS, 0, &src, &error), FAL_E_ALIAS);
    bad = dst, bad.flags = FAL_READ_ONLY;
    assert_int_equal(fal_tensor_pad(&src, none, FAL_PAD_ZEROS, 0, &bad, &error), FAL_E_LAYOUT);
    for (int i = 0; i < 4; i++) assert_true(y[i] == 9); /* nothing was written */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_equal_the_walk),
        cmocka_unit_test(far_positions_do_not_overflow),
        cmocka_unit_test(nothing_stands_on_an_empty_axis),
        cmocka_unit_test(pad_equals_its_border_map),
        cmocka_unit_test(far_crops_and_paddings),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
