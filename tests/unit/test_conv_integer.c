/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_conv_integer.c: the integer convolution with zero points.
 *
 * Against the reference of convolution in float64 on the differences, which doubles hold exactly: every mix
 * of i8 and u8, one zero point or one per output channel, every padding mode and layout. The ends of the
 * types, sums that 32 bits do not hold, and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static int64_t low_of(fal_dtype dtype)
{
    return dtype == FAL_I8 ? -128 : 0;
}

static void fill_whole_range(const fal_tensor *t, uint64_t seed)
{
    test_stream r = {seed, 0};
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index))
        fal_tensor_set_int(t, index, test_draw(&r, low_of(t->dtype), low_of(t->dtype) + 255));
}

/* A float64 tensor of t - zero, where zero points lie along `axis` of t, or axis is -1 and there is one. */
static test_tensor difference(const fal_tensor *t, const int64_t *zero, int32_t axis)
{
    test_tensor d = test_tensor_new(FAL_F64, t->rank, t->shape, 0);
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index))
        fal_tensor_set(&d.t, index,
                       (double)(fal_tensor_get_int(t, index) - zero[axis < 0 ? 0 : index[axis]]));
    return d;
}

typedef enum zeros { NO_ZEROS, ONE_ZERO, ZERO_PER_CHANNEL, HALFWAY, ZERO_OF_W, ZERO_OF_X, ZEROS } zeros;

static void check_problem(uint64_t seed, fal_dtype xt, fal_dtype wt, zeros kind)
{
    test_problem p = test_problem_random(seed);
    while (p.transposed) p = test_problem_random(++seed * 977);
    char repro[TEST_TEXT];
    fal_error error = {0};
    const fal_context context = {.error = &error, .threads = 2};
    const bool last = p.params.layout == FAL_NHWC;
    test_stream r = {seed, 5};
    const fal_operands shapes = test_problem_shapes(&p);
    test_tensor x = test_tensor_new(xt, shapes.x.rank, shapes.x.shape, seed);
    test_tensor w = test_tensor_new(wt, shapes.w.rank, shapes.w.shape, seed + 1);
    const int32_t out_axis = last ? w.t.rank - 1 : 0;
    const int64_t outputs = kind == ZERO_PER_CHANNEL ? w.t.shape[out_axis] : 1;
    test_tensor w_zero = test_tensor_new(wt, 1, &outputs, seed + 2);
    fill_whole_range(&x.t, seed + 3);
    fill_whole_range(&w.t, seed + 4);
    int64_t x_zero = kind == NO_ZEROS ? 0 : test_draw(&r, low_of(xt), low_of(xt) + 255), zero[512] = {0};
    if (kind == HALFWAY) x_zero = low_of(xt) + 128;
    if (kind == ZERO_OF_W) x_zero = 0;
    for (int64_t i = 0; i < outputs && kind != NO_ZEROS && kind != ZERO_OF_X; i++) {
        zero[i] = kind == HALFWAY ? low_of(wt) + 128 : test_draw(&r, low_of(wt), low_of(wt) + 255);
        fal_tensor_set_int(&w_zero.t, &i, zero[i]);
    }
    if (p.params.padding_mode == FAL_PAD_CONSTANT) p.params.padding_value = (double)(low_of(xt) + 200);
    p.params.beta = seed % 5 == 0 ? -3 : 0;
    test_tensor y = test_tensor_new(FAL_I32, shapes.y.rank, shapes.y.shape, seed + 5);
    test_fill_tensor(&y.t, TEST_INT, seed);
    test_tensor expected = test_tensor_copy(&y.t, FAL_F64), dx = difference(&x.t, &x_zero, -1);
    test_tensor dw = difference(&w.t, zero, kind == ZERO_PER_CHANNEL ? out_axis : -1);
    fal_conv_params shifted = p.params;
    shifted.padding_value -= (double)x_zero;
    const fal_operands o = {.x = dx.t, .w = dw.t, .y = expected.t};
    assert_true(test_ok(fal_reference(FAL_OP_CONV, &o, &shifted, &error), &error, "reference"));
    assert_true(
        test_ok(fal_conv_integer(&context, &x.t, (int32_t)x_zero, &w.t,
                                 kind == NO_ZEROS || kind == ZERO_OF_X ? NULL : &w_zero.t, &p.params, &y.t),
                &error, test_problem_text(&p, repro)));
    assert_true(test_equal(&y.t, &expected.t, test_problem_text(&p, repro)));
    assert_true(test_tensor_gaps_intact(&y));
    test_tensor *all[] = {&x, &w, &w_zero, &y, &expected, &dx, &dw};
    for (int i = 0; i < 7; i++) test_tensor_free(all[i]);
}

static void equals_the_reference_on_differences(void **state)
{
    (void)state;
    static const fal_dtype types[] = {FAL_I8, FAL_U8};
    for (uint64_t seed = 1; seed <= 240; seed++)
        check_problem(seed, types[seed % 2], types[seed / 2 % 2], (zeros)(seed / 4 % ZEROS));
}

/* n products of the largest size: 255*255 each. */
static fal_status extreme(int64_t n, int64_t *sum, fal_error *error)
{
    test_tensor x = test_tensor_new(FAL_U8, 3, (int64_t[]){1, n, 1}, 0);
    test_tensor w = test_tensor_new(FAL_I8, 3, (int64_t[]){1, n, 1}, 0);
    fal_tensor_fill(&x.t, 255, NULL);
    fal_tensor_fill(&w.t, -128, NULL);
    int8_t zero = 127;
    int32_t y = 7;
    const fal_tensor w_zero = FAL_TENSOR(&zero, FAL_I8, 1), ty = FAL_TENSOR(&y, FAL_I32, 1, 1, 1);
    const fal_context context = {.error = error, .threads = 1};
    const fal_status status = fal_conv_integer(&context, &x.t, 0, &w.t, &w_zero, NULL, &ty);
    *sum = y;
    test_tensor_free(&x);
    test_tensor_free(&w);
    return status;
}

static void sums_are_exact_to_the_last_bit_or_refused(void **state)
{
    (void)state;
    fal_error error = {0};
    int64_t sum;
    assert_int_equal(extreme(33025, &sum, &error), FAL_OK); /* 2^31 / 255^2 = 33025.6 */
    assert_int_equal(sum, INT64_C(-33025) * 255 * 255);
    assert_int_equal(extreme(33026, &sum, &error), FAL_E_OVERFLOW);
    assert_string_equal(error.found, "a result does not fit i32");
}

typedef struct arguments {
    const fal_tensor *x;
    int32_t x_zero;
    const fal_tensor *w, *w_zero, *y;
} arguments;

static void refuses(arguments a, fal_status status, const char *found)
{
    fal_error error = {0};
    const fal_context context = {.error = &error};
    assert_int_equal(fal_conv_integer(&context, a.x, a.x_zero, a.w, a.w_zero, NULL, a.y), status);
    assert_string_equal(error.found, found);
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    int8_t x8[8] = {0}, w8[8] = {0}, zero[4] = {0};
    int32_t y32[4] = {1, 2, 3, 4};
    float f[8] = {0};
    const fal_tensor x = FAL_TENSOR(x8, FAL_I8, 1, 2, 2), w = FAL_TENSOR(w8, FAL_I8, 2, 2, 1);
    const fal_tensor y = FAL_TENSOR(y32, FAL_I32, 1, 2, 2), fx = FAL_TENSOR(f, FAL_F32, 1, 2, 2);
    const fal_tensor three = FAL_TENSOR(zero, FAL_I8, 3), other = FAL_TENSOR(zero, FAL_U8, 2);
    refuses((arguments){&fx, 0, &w, NULL, &y}, FAL_E_DTYPE, "x is f32");
    refuses((arguments){&x, 0, &fx, NULL, &y}, FAL_E_DTYPE, "w is f32");
    refuses((arguments){&x, 0, &w, NULL, &fx}, FAL_E_DTYPE, "y is f32");
    refuses((arguments){&x, 128, &w, NULL, &y}, FAL_E_VALUE, "x_zero is 128");
    refuses((arguments){&x, -129, &w, NULL, &y}, FAL_E_VALUE, "x_zero is -129");
    refuses((arguments){&x, 0, &w, &three, &y}, FAL_E_SHAPE, "w_zero is (3)");
    refuses((arguments){&x, 0, &w, &other, &y}, FAL_E_DTYPE, "w is i8, w_zero is u8");
    refuses((arguments){NULL, 0, &w, NULL, &y}, FAL_E_NULL, "x is NULL");
    refuses((arguments){&x, 0, NULL, NULL, &y}, FAL_E_NULL, "w is NULL");
    refuses((arguments){&x, 0, &w, NULL, NULL}, FAL_E_NULL, "y is NULL");
    assert_int_equal(y32[0] + y32[1] + y32[2] + y32[3], 10);
    test_memory heap = {.fail_from = 1};
    const fal_context poor = {.allocator = test_allocator(&heap)};
    assert_int_equal(fal_conv_integer(&poor, &x, 0, &w, NULL, NULL, &y), FAL_E_NOMEM);
    assert_int_equal(heap.live, 0);
    assert_int_equal(fal_conv_integer(NULL, &x, 0, &w, NULL, NULL, &y), FAL_OK);
    assert_int_equal(y32[0] | y32[1] | y32[2] | y32[3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference_on_differences),
        cmocka_unit_test(sums_are_exact_to_the_last_bit_or_refused),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
