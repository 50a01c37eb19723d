/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_layers.c: layers are the operators on parameters of their own.
 *
 * Forward and backward bit for bit as the operators compute them, gradients that add up, refusals, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "unit/layers.h"

/* ---- forward and backward ----------------------------------------------------------------------- */

static fal_separable_operands halves(const fal_conv_layer *layer, bool gradients)
{
    fal_tensor (*get)(const fal_conv_layer *, int32_t) = gradients ? gradient : value;
    return (fal_separable_operands){.depthwise = get(layer, 0),
                                    .depthwise_bias = get(layer, 1),
                                    .pointwise = get(layer, 2),
                                    .pointwise_bias = get(layer, 3)};
}

static void by_operator(int kind, const fal_conv_layer *layer, const fal_conv_params *p, const fal_tensor *x,
                        const fal_tensor *y)
{
    const fal_tensor w = value(layer, 0), b = value(layer, 1);
    fal_status status;
    if (kind == SEPARABLE) {
        fal_separable_operands o = halves(layer, false);
        o.x = *x, o.y = *y;
        status = fal_separable_conv(NULL, &o, p);
    } else {
        status = (kind == CONV ? fal_conv : fal_conv_transpose)(NULL, x, &w, &b, p, y);
    }
    assert_int_equal(status, FAL_OK);
}

/* g[0] is gx, the others follow the layer's parameters. */
static void gradients_by_operator(int kind, const fal_conv_layer *layer, const fal_conv_params *p,
                                  const fal_tensor *x, const fal_tensor *gy, const test_tensor *g)
{
    const fal_tensor w = value(layer, 0);
    fal_status status;
    if (kind == SEPARABLE) {
        fal_separable_operands o = halves(layer, false);
        o.x = *x, o.y = *gy;
        const fal_separable_operands to = {g[0].t, g[1].t, g[2].t, g[3].t, g[4].t, {.rank = 0}};
        status = fal_separable_conv_grad(NULL, &o, p, &to);
    } else {
        status = (kind == CONV ? fal_conv_grad : fal_conv_transpose_grad)(NULL, x, &w, gy, p, &g[0].t,
                                                                          &g[1].t, &g[2].t);
    }
    assert_int_equal(status, FAL_OK);
}

static void check_kind(int kind, fal_layout layout, bool whole)
{
    fal_conv_layer_options o = plain_options();
    o.params.layout = layout;
    fal_conv_layer *layer = make(kind, &o);
    const bool last = layout == FAL_NHWC;
    test_tensor x = test_made(FAL_F32, 4, last ? (int64_t[]){2, 7, 8, 4} : (int64_t[]){2, 4, 7, 8},
                              whole ? TEST_INT : TEST_REAL, 3);
    fal_tensor shape;
    assert_int_equal(fal_conv_layer_output_shape(layer, &x.t, &shape, NULL), FAL_OK);
    assert_int_equal(shape.shape[last ? 3 : 1], 6);
    test_tensor y = test_tensor_new(FAL_F32, 4, shape.shape, 0),
                expected = test_tensor_new(FAL_F32, 4, shape.shape, 0);
    test_tensor gy = test_made(FAL_F32, 4, shape.shape, whole ? TEST_INT : TEST_REAL, 4), g[5] = {x};
    assert_int_equal(fal_conv_layer_forward(NULL, layer, &x.t, &y.t), FAL_OK);
    by_operator(kind, layer, &o.params, &x.t, &expected.t);
    assert_true(test_same_bits(&y.t, &expected.t, "forward"));
    const int32_t count = fal_conv_layer_parameter_count(layer);
    g[0] = test_tensor_copy(&x.t, FAL_F32);
    for (int32_t i = 0; i < count; i++) {
        const fal_tensor v = value(layer, i);
        g[i + 1] = test_tensor_copy(&v, FAL_F32);
    }
    gradients_by_operator(kind, layer, &o.params, &x.t, &gy.t, g);
    test_tensor gx = test_tensor_copy(&x.t, FAL_F32);
    /* Twice: gx is written, the others add up. Doubling is exact. */
    assert_int_equal(fal_conv_layer_backward(NULL, layer, &x.t, &gy.t, NULL), FAL_OK);
    for (int32_t i = 0; i < count; i++) {
        const fal_tensor t = gradient(layer, i);
        assert_true(test_equal(&t, &g[i + 1].t, "backward"));
    }
    assert_int_equal(fal_conv_layer_backward(NULL, layer, &x.t, &gy.t, &gx.t), FAL_OK);
    assert_true(test_same_bits(&gx.t, &g[0].t, "gx"));
    for (int32_t i = 0; whole && kind != SEPARABLE && i < count; i++) {
        const fal_tensor t = gradient(layer, i);
        test_tensor twice = test_sum(2, &g[i + 1].t, 0, &g[i + 1].t);
        assert_true(test_equal(&t, &twice.t, "added up"));
        test_tensor_free(&twice);
    }
    fal_conv_layer_zero_grad(layer);
    for (int32_t i = 0; i < count; i++) {
        const fal_tensor t = gradient(layer, i);
        assert_true(test_dot(&t, &t) == 0);
        test_tensor_free(&g[i + 1]);
    }
    test_tensor *all[] = {&x, &y, &expected, &gy, &g[0], &gx};
    for (int i = 0; i < 6; i++) test_tensor_free(all[i]);
    fal_conv_layer_destroy(layer);
}

static void layers_compute_as_the_operators(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (int layout = 0; layout < 2; layout++) {
            check_kind(kind, (fal_layout)layout, true);
            check_kind(kind, (fal_layout)layout, false);
        }
}

/* ---- refusals and memory ------------------------------------------------------------------------ */

static void refuses(int kind, const fal_conv_layer_options *o, fal_status status, const char *field,
                    const char *found)
{
    fal_error error = {0};
    const fal_context context = {.error = &error};
    fal_conv_layer *layer = (fal_conv_layer *)&error;
    assert_int_equal(creates[kind](&context, o, &layer), status);
    assert_null(layer);
    assert_string_equal(error.field, field);
    assert_string_equal(error.found, found);
}

static void refuses_bad_options(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        fal_conv_layer_options o = plain_options();
        o.spatial = 0;
        refuses(kind, &o, FAL_E_RANK, "spatial", "spatial is 0");
        o = plain_options();
        o.in_channels = 0;
        refuses(kind, &o, FAL_E_DIM, "in_channels", "in_channels is 0");
        o = plain_options();
        o.kernel[1] = 0;
        refuses(kind, &o, FAL_E_KERNEL, "kernel[1]", "kernel[1] is 0");
        o = plain_options();
        o.params.stride[0] = -2;
        refuses(kind, &o, FAL_E_STRIDE, "stride[0]", "stride[0] is -2");
        o = plain_options();
        o.dtype = FAL_F16;
        refuses(kind, &o, FAL_E_DTYPE, "dtype", "dtype is f16");
        o = plain_options();
        o.params.beta = 1;
        refuses(kind, &o, FAL_E_VALUE, "beta", "beta is 1");
        o = plain_options();
        o.params.layout = (fal_layout)7;
        refuses(kind, &o, FAL_E_VALUE, "layout", "layout is 7");
        o = plain_options();
        o.in_channels = o.out_channels = INT64_C(1) << 40;
        o.kernel[0] = o.kernel[1] = INT64_C(1) << 20;
        refuses(kind, &o, FAL_E_OVERFLOW, "kernel",
                kind == SEPARABLE ? "the size of depthwise.weight overflows 64 bits"
                                  : "the size of weight overflows 64 bits");
    }
    fal_conv_layer_options o = plain_options();
    o.params.groups = 3;
    refuses(CONV, &o, FAL_E_GROUPS, "groups",
            "4 input and 6 output channels are not both divisible by groups 3");
    assert_int_equal(fal_conv_layer_create(NULL, &o, NULL), FAL_E_NULL);
    fal_conv_layer *layer;
    assert_int_equal(fal_conv_layer_create(NULL, NULL, &layer), FAL_E_NULL);
}

static void refuses_bad_use(void **state)
{
    (void)state;
    const fal_conv_layer_options o = plain_options();
    fal_conv_layer *layer = make(CONV, &o);
    fal_error error = {0};
    const fal_context context = {.error = &error};
    assert_int_equal(fal_conv_layer_parameter(layer, 2, NULL, NULL, NULL, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "number is 2");
    assert_int_equal(fal_conv_layer_parameter(layer, -1, NULL, NULL, NULL, NULL), FAL_E_VALUE);
    assert_int_equal(fal_conv_layer_parameter(NULL, 0, NULL, NULL, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_layer_parameter_count(NULL), 0);
    float x[4 * 49] = {0}, gy[6 * 42] = {0}, y = 5;
    const fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 4, 7, 7), bad = FAL_TENSOR(&y, FAL_F32, 1);
    assert_int_equal(fal_conv_layer_forward(&context, layer, &tx, &bad), FAL_E_RANK);
    assert_int_equal(fal_conv_layer_forward(&context, layer, NULL, &bad), FAL_E_NULL);
    assert_int_equal(fal_conv_layer_forward(&context, NULL, &tx, &bad), FAL_E_NULL);
    fal_tensor shape;
    assert_int_equal(fal_conv_layer_output_shape(layer, &tx, &shape, NULL), FAL_OK);
    shape.data = gy;
    assert_int_equal(fal_conv_layer_backward(&context, layer, &tx, &shape, &tx), FAL_E_ALIAS);
    assert_int_equal(fal_conv_layer_backward(&context, layer, &tx, &bad, NULL), FAL_E_RANK);
    assert_int_equal(fal_conv_layer_backward(&context, layer, &tx, NULL, NULL), FAL_E_NULL);
    assert_true(y == 5);
    fal_conv_layer_destroy(layer);
    fal_conv_layer_destroy(NULL);
    fal_conv_layer_zero_grad(NULL);
}

/* A layer keeps its memory and its algorithm's name by itself. */
static void layers_keep_nothing_of_their_caller(void **state)
{
    (void)state;
    test_memory memory = {.fail_from = 0};
    char algorithm[] = "implicit-gemm";
    fal_conv_layer_options o = plain_options();
    o.params.algorithm = algorithm;
    fal_conv_layer *layer;
    {
        const fal_context context = {.allocator = test_allocator(&memory)};
        assert_int_equal(fal_conv_layer_create(&context, &o, &layer), FAL_OK);
    }
    assert_int_equal(memory.live, 1);
    memset(algorithm, 'x', sizeof algorithm - 1);
    test_tensor x = test_made(FAL_F32, 4, (int64_t[]){1, 4, 5, 5}, TEST_INT, 1);
    fal_tensor shape;
    assert_int_equal(fal_conv_layer_output_shape(layer, &x.t, &shape, NULL), FAL_OK);
    test_tensor y = test_tensor_new(FAL_F32, 4, shape.shape, 0);
    assert_int_equal(fal_conv_layer_forward(NULL, layer, &x.t, &y.t), FAL_OK);
    fal_conv_layer_destroy(layer);
    assert_int_equal(memory.live, 0);
    assert_false(memory.broken);
    memory = (test_memory){.fail_from = 1};
    const fal_context poor = {.allocator = test_allocator(&memory)};
    assert_int_equal(fal_conv_layer_create(&poor, &o, &layer), FAL_E_NOMEM);
    assert_null(layer);
    test_tensor_free(&x);
    test_tensor_free(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_compute_as_the_operators),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(refuses_bad_use),
        cmocka_unit_test(layers_keep_nothing_of_their_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
