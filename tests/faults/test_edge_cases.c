/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_edge_cases.c: what looks odd and is legal.
 *
 * Empty batches, empty channels, empty images, pads beyond the kernel, strides beyond the image,
 * strides of axes that are never stepped along: a result, not a refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

static bool filled_with(const fal_tensor *t, double value)
{
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index))
        if (fal_tensor_get(t, index) != value) return false;
    return true;
}

static void empty_batch_touches_nothing(void **state)
{
    (void)state;
    for (int transposed = 0; transposed < 2; transposed++) {
        fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 0, 3, 8, 8), w = FAL_TENSOR(NULL, FAL_F32, 3, 3, 3, 3), y;
        test_tensor weight = test_made(FAL_F32, 4, SHAPE(3, 3, 3, 3), TEST_INT, 1);
        w.data = weight.t.data;
        assert_int_equal(fal_conv_output_shape(transposed, &x, &w, NULL, &y, NULL), FAL_OK);
        assert_int_equal(y.shape[0], 0);
        fal_operands operands = {.x = x, .w = w, .y = y};
        fal_operator op = transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
        assert_int_equal(test_call(NULL, op, &operands, NULL), FAL_OK);
        assert_int_equal(test_plan(NULL, op, &operands, NULL, true, 0xA5), FAL_OK);
        assert_int_equal(fal_reference(op, &operands, NULL, NULL), FAL_OK);
        test_tensor_free(&weight);
    }
}

/* The gradients of nothing are zeros, not the memory's old content. */
static void empty_batch_gives_zero_gradients(void **state)
{
    (void)state;
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 0, 3, 8, 8), gy = FAL_TENSOR(NULL, FAL_F32, 0, 4, 6, 6);
    test_tensor w = test_made(FAL_F32, 4, SHAPE(4, 3, 3, 3), TEST_INT, 1),
                gw = test_made(FAL_F32, 4, SHAPE(4, 3, 3, 3), TEST_NAN, 1),
                gb = test_made(FAL_F32, 1, SHAPE(4), TEST_NAN, 1);
    assert_int_equal(fal_conv_grad(NULL, &x, &w.t, &gy, NULL, &x, &gw.t, &gb.t), FAL_OK);
    assert_true(filled_with(&gw.t, 0) && filled_with(&gb.t, 0));
    test_tensor *all[] = {&w, &gw, &gb};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

/* No input channels, or no input cells: sums over nothing, the bias remains. */
static void sums_over_nothing_are_the_bias(void **state)
{
    (void)state;
    test_tensor bias = test_tensor_new(FAL_F32, 1, SHAPE(4), 0),
                y = test_tensor_new(FAL_F32, 4, SHAPE(1, 4, 6, 6), 0);
    fal_tensor_fill(&bias.t, 5, NULL);
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 0, 8, 8), w = FAL_TENSOR(NULL, FAL_F32, 4, 0, 3, 3);
    assert_int_equal(fal_conv(NULL, &x, &w, &bias.t, NULL, &y.t), FAL_OK);
    assert_true(filled_with(&y.t, 5));
    test_tensor weight = test_made(FAL_F32, 4, SHAPE(4, 2, 3, 3), TEST_INT, 1);
    x = FAL_TENSOR(NULL, FAL_F32, 1, 2, 0, 8);
    fal_conv_params params = {.padding_begin = {4}, .padding_end = {4}};
    fal_tensor_fill(&y.t, -1, NULL);
    assert_int_equal(fal_conv(NULL, &x, &weight.t, &bias.t, &params, &y.t), FAL_OK);
    assert_true(filled_with(&y.t, 5));
    test_tensor *all[] = {&bias, &y, &weight};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

static void padding_beyond_the_kernel_gives_the_bias(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 3, SHAPE(1, 1, 2), TEST_POS, 1),
                w = test_made(FAL_F32, 3, SHAPE(1, 1, 3), TEST_POS, 2),
                b = test_tensor_new(FAL_F32, 1, SHAPE(1), 0);
    fal_tensor_fill(&b.t, 7, NULL);
    fal_conv_params params = {.padding_begin = {5}, .padding_end = {9}};
    test_tensor y = test_conv(false, &x.t, &w.t, &b.t, &params);
    assert_int_equal(y.t.shape[2], 14);
    for (int64_t o = 0; o < 14; o++) {
        bool meets = o >= 3 && o <= 6;
        assert_true((fal_tensor_get(&y.t, SHAPE(0, 0, o)) != 7) == meets);
    }
    test_tensor *all[] = {&x, &w, &b, &y};
    for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
}

static void largest_stride_gives_one_output(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 1, 5, 5), TEST_INT, 1),
                w = test_made(FAL_F32, 4, SHAPE(1, 1, 5, 3), TEST_INT, 2);
    fal_conv_params params = {.stride = {INT64_MAX, INT64_MAX}};
    test_tensor y = test_conv(false, &x.t, &w.t, NULL, &params);
    assert_int_equal(fal_tensor_count(&y.t), 1);
    fal_tensor window;
    assert_int_equal(fal_tensor_slice(&x.t, 3, 0, 3, 1, &window, NULL), FAL_OK);
    assert_true(fal_tensor_get(&y.t, SHAPE(0, 0, 0, 0)) == test_dot(&window, &w.t));
    test_tensor *all[] = {&x, &w, &y};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

/* A dilation that no second tap follows, whatever its size. */
static void largest_dilation_of_one_tap(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 3, SHAPE(1, 1, 5), TEST_INT, 1),
                w = test_tensor_new(FAL_F32, 3, SHAPE(1, 1, 1), 0);
    fal_tensor_fill(&w.t, 1, NULL);
    for (int transposed = 0; transposed < 2; transposed++) {
        fal_conv_params params = {.dilation = {INT64_MAX}};
        test_tensor y = test_conv(transposed, &x.t, &w.t, NULL, &params);
        assert_true(test_equal(&y.t, &x.t, "largest dilation"));
        test_tensor_free(&y);
    }
    test_tensor_free(&x);
    test_tensor_free(&w);
}

/* The stride of an axis of size 1 is never used. */
static void stride_of_a_unit_axis_is_ignored(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 1, 1, 9), TEST_INT, 1),
                w = test_made(FAL_F32, 4, SHAPE(1, 1, 1, 3), TEST_INT, 2),
                y = test_conv(false, &x.t, &w.t, NULL, NULL),
                other = test_tensor_new(FAL_F32, 4, y.t.shape, 0);
    for (int a = 0; a < 3; a++) {
        x.t.strides[a] = INT64_MIN + a;
        w.t.strides[a] = INT64_MAX - a;
        other.t.strides[a] = 0;
    }
    assert_int_equal(fal_conv(NULL, &x.t, &w.t, NULL, NULL, &other.t), FAL_OK);
    assert_true(test_equal(&other.t, &y.t, "unit axes"));
    test_tensor *all[] = {&x, &w, &y, &other};
    for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
}

/* Inputs may be one memory, and may be views with stride 0. */
static void inputs_may_share_memory(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 1, 5, 5), TEST_INT, 1),
                y = test_conv(false, &x.t, &x.t, NULL, NULL);
    assert_true(fal_tensor_get(&y.t, SHAPE(0, 0, 0, 0)) == test_dot(&x.t, &x.t));
    test_tensor one = test_tensor_new(FAL_F32, 1, SHAPE(1), 0);
    fal_tensor_fill(&one.t, 2, NULL);
    fal_tensor image, kernel;
    assert_int_equal(fal_tensor_broadcast(&one.t, 4, SHAPE(2, 3, 8, 8), &image, NULL), FAL_OK);
    assert_int_equal(fal_tensor_broadcast(&one.t, 4, SHAPE(5, 3, 3, 3), &kernel, NULL), FAL_OK);
    test_tensor z = test_conv(false, &image, &kernel, NULL, NULL);
    assert_true(filled_with(&z.t, 4 * 27));
    test_tensor *all[] = {&x, &y, &one, &z};
    for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
}

/* The bias gradient alone reads gy; of w it needs the shape, so that any view will do. */
static void bias_gradient_alone(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 3, SHAPE(2, 1, 6), TEST_INT, 1),
                gy = test_made(FAL_F32, 3, SHAPE(2, 3, 4), TEST_INT, 2),
                gb = test_made(FAL_F32, 1, SHAPE(3), TEST_NAN, 0);
    fal_tensor w;
    assert_int_equal(fal_tensor_broadcast(&gb.t, 3, SHAPE(3, 1, 3), &w, NULL), FAL_OK);
    w.data = NULL;
    assert_int_equal(fal_conv_grad(NULL, &x.t, &w, &gy.t, NULL, NULL, NULL, &gb.t), FAL_OK);
    for (int64_t c = 0; c < 3; c++) {
        double sum = 0;
        for (int64_t i = 0; i < 8; i++) sum += fal_tensor_get(&gy.t, SHAPE(i / 4, c, i % 4));
        assert_true(fal_tensor_get(&gb.t, &c) == sum);
    }
    test_tensor *all[] = {&x, &gy, &gb};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

static void names_of_unknown_numbers(void **state)
{
    (void)state;
    assert_string_equal(fal_status_name((fal_status)12345), "E_UNKNOWN");
    assert_string_equal(fal_status_string((fal_status)12345), "unknown status");
    assert_string_equal(fal_status_name((fal_status)-1), "E_UNKNOWN");
    assert_string_equal(fal_status_name(FAL_E_SHAPE), "E_SHAPE");
    assert_non_null(fal_dtype_name((fal_dtype)12345));
    assert_non_null(fal_cpu_level_name((fal_cpu_level)12345));
    assert_int_equal(fal_dtype_bytes((fal_dtype)12345), 0);
    fal_plan_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_batch_touches_nothing),
        cmocka_unit_test(empty_batch_gives_zero_gradients),
        cmocka_unit_test(sums_over_nothing_are_the_bias),
        cmocka_unit_test(padding_beyond_the_kernel_gives_the_bias),
        cmocka_unit_test(largest_stride_gives_one_output),
        cmocka_unit_test(largest_dilation_of_one_tap),
        cmocka_unit_test(stride_of_a_unit_axis_is_ignored),
        cmocka_unit_test(inputs_may_share_memory),
        cmocka_unit_test(bias_gradient_alone),
        cmocka_unit_test(names_of_unknown_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
