/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The translation between a layout and meanings: every element of a tensor in any layout is reached
 * by its meaning, and shapes that do not fit are refused with both shapes named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faltung.h"
#include "geometry/geometry.h"

static fal_conv_geometry geometry(bool transposed, bool batched, fal_layout layout)
{
    return (fal_conv_geometry){
        .transposed = transposed,
        .batched = batched,
        .spatial = 2,
        .n = batched ? 5 : 1,
        .groups = 2,
        .in_channels = 4,
        .out_channels = 6,
        .axis = {{.input = 7, .kernel = 3, .output = 8}, {.input = 9, .kernel = 1, .output = 10}},
        .layout = layout};
}

static void expect(const fal_tensor *t, int32_t rank, const int64_t *shape)
{
    assert_int_equal(t->rank, rank);
    assert_memory_equal(t->shape, shape, (size_t)rank * sizeof *shape);
}

static void test_nchw(void **state)
{
    (void)state;
    fal_conv_geometry g = geometry(false, true, FAL_NCHW);
    fal_tensor t = {0};
    t.rank = fal__input_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){5, 4, 7, 9});
    t.rank = fal__output_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){5, 6, 8, 10});
    t.rank = fal__weight_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){6, 2, 3, 1});
    g.transposed = true;
    t.rank = fal__weight_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){4, 3, 3, 1});
    assert_int_equal(fal__weight_in_axis(&g), 0);
    assert_int_equal(fal__weight_out_axis(&g), 1);
    assert_int_equal(fal__weight_spatial_axis(&g, 1), 3);
    g.batched = false;
    t.rank = fal__input_shape(&g, t.shape);
    expect(&t, 3, (int64_t[]){4, 7, 9});
    assert_int_equal(fal__batch_axis(&g), -1);
    assert_int_equal(fal__channel_axis(&g), 0);
    assert_int_equal(fal__spatial_axis(&g, 1), 2);
}

static void test_nhwc(void **state)
{
    (void)state;
    fal_conv_geometry g = geometry(false, true, FAL_NHWC);
    fal_tensor t = {0};
    t.rank = fal__input_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){5, 7, 9, 4});
    t.rank = fal__output_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){5, 8, 10, 6});
    t.rank = fal__weight_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){3, 1, 2, 6});
    g.transposed = true;
    t.rank = fal__weight_shape(&g, t.shape);
    expect(&t, 4, (int64_t[]){3, 1, 3, 4});
    g.batched = false;
    t.rank = fal__output_shape(&g, t.shape);
    expect(&t, 3, (int64_t[]){8, 10, 6});
    assert_int_equal(fal__channel_axis(&g), 2);
    assert_int_equal(fal__spatial_axis(&g, 0), 0);
}

/* Strides by meaning reach the same element as indices by axis. */
static void check_strides(bool transposed, bool batched, fal_layout layout)
{
    fal_conv_geometry g = geometry(transposed, batched, layout);
    fal_tensor t = {0};
    t.rank = fal__input_shape(&g, t.shape);
    for (int32_t a = 0; a < t.rank; a++) t.strides[a] = 1000 * (a + 1);
    fal__data_strides d = fal__data_strides_of(&g, &t);
    assert_int_equal(d.n, batched ? 1000 : 0);
    assert_int_equal(d.c, t.strides[fal__channel_axis(&g)]);
    assert_int_equal(t.shape[fal__channel_axis(&g)], 4);
    assert_int_equal(d.space[0], t.strides[fal__spatial_axis(&g, 0)]);
    assert_int_equal(d.space[1], t.strides[fal__spatial_axis(&g, 1)]);
    assert_int_equal(d.space[2], 0);
    t.rank = fal__weight_shape(&g, t.shape);
    t.strides[3] = 4000;
    fal__weight_strides w = fal__weight_strides_of(&g, &t);
    assert_int_equal(w.out, t.strides[fal__weight_out_axis(&g)]);
    assert_int_equal(w.in, t.strides[fal__weight_in_axis(&g)]);
    assert_int_equal(w.space[0], t.strides[fal__weight_spatial_axis(&g, 0)]);
    assert_int_equal(w.space[1], 0); /* one tap: its stride is never used */
}

static void test_strides(void **state)
{
    (void)state;
    for (int n = 0; n < 8; n++) check_strides(n & 1, n & 2, n & 4 ? FAL_NHWC : FAL_NCHW);
}

static void test_expectations(void **state)
{
    (void)state;
    fal_conv_geometry g = geometry(false, true, FAL_NCHW);
    fal_tensor x = fal_tensor_of(NULL, FAL_F32, 4, (int64_t[]){5, 4, 7, 9});
    fal_tensor y = fal_tensor_of(NULL, FAL_F32, 4, (int64_t[]){5, 6, 8, 9});
    fal_tensor w = fal_tensor_of(NULL, FAL_F32, 4, (int64_t[]){6, 2, 3, 1});
    fal_tensor b = fal_tensor_of(NULL, FAL_F32, 1, (int64_t[]){5});
    fal_error error;
    assert_int_equal(fal__expect_weight(&g, &w, "w", NULL), FAL_OK);
    assert_int_equal(fal__expect_output(&g, &y, "gy", &error), FAL_E_SHAPE);
    assert_string_equal(error.field, "gy");
    assert_string_equal(error.found, "gy is (5,6,8,9)");
    assert_string_equal(error.allowed, "must be (5,6,8,10)");
    assert_int_equal(fal__expect_bias(&g, &b, "bias", &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "bias is (5)");
    assert_string_equal(error.allowed, "must be (6)");
    assert_int_equal(fal__expect_bias(&g, &x, "bias", NULL), FAL_E_RANK);
    y.rank = 13;
    assert_int_equal(fal__expect_output(&g, &y, "y", NULL), FAL_E_RANK);
    assert_int_equal(fal__expect_output(&g, NULL, "y", NULL), FAL_E_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nchw),
        cmocka_unit_test(test_nhwc),
        cmocka_unit_test(test_strides),
        cmocka_unit_test(test_expectations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
