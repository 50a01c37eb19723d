/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_reference_checks.c: what the reference refuses, and special values.
 *
 * The refusals are those of fal__operands_check, which every operator shares. Each case breaks one
 * thing of a valid call and looks at status, field and text, and that nothing was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <faltung.h>

enum { X_SIZE = 2 * 4, W_SIZE = 3 * 2 * 2, Y_SIZE = 3 * 3 };

/* x (1,2,4), w (3,2,2), bias (3), y (1,3,3) in f32. */
typedef struct call {
    float x[X_SIZE], w[W_SIZE], bias[3], y[Y_SIZE];
    fal_operator op;
    fal_operands operands;
    fal_conv_params params;
    fal_error error;
} call;

static void start(call *c)
{
    *c = (call){.op = FAL_OP_CONV};
    for (int i = 0; i < X_SIZE; i++) c->x[i] = (float)i;
    for (int i = 0; i < W_SIZE; i++) c->w[i] = 1;
    for (int i = 0; i < Y_SIZE; i++) c->y[i] = -1;
    c->operands = (fal_operands){.x = FAL_TENSOR(c->x, FAL_F32, 1, 2, 4),
                                 .w = FAL_TENSOR(c->w, FAL_F32, 3, 2, 2),
                                 .bias = FAL_TENSOR(c->bias, FAL_F32, 3),
                                 .y = FAL_TENSOR(c->y, FAL_F32, 1, 3, 3)};
}

static fal_status run(call *c)
{
    return fal_reference(c->op, &c->operands, &c->params, &c->error);
}

/* The call is refused with this status, field and message, and y is as before. */
static void refused(call *c, fal_status status, const char *field, const char *message)
{
    char text[512];
    assert_int_equal(run(c), status);
    assert_int_equal(c->error.status, status);
    assert_string_equal(c->error.field, field);
    fal_error_message(&c->error, text, sizeof text);
    assert_string_equal(text, message);
    for (int i = 0; i < Y_SIZE; i++) assert_true(c->y[i] == -1);
}

static void valid_call_is_accepted(void **state)
{
    (void)state;
    call c;
    start(&c);
    assert_int_equal(run(&c), FAL_OK);
    assert_true(c.y[0] == 0 + 1 + 4 + 5);
    assert_int_equal(fal_reference(c.op, &c.operands, NULL, NULL), FAL_OK);
}

static void missing_operands(void **state)
{
    (void)state;
    call c;
    start(&c);
    assert_int_equal(fal_reference(FAL_OP_CONV, NULL, NULL, &c.error), FAL_E_NULL);
    c.op = (fal_operator)6;
    refused(&c, FAL_E_VALUE, "op", "operator is 6; must be one of the fal_operator values");
    start(&c);
    c.operands.w = (fal_tensor){0};
    refused(&c, FAL_E_NULL, "w", "w is not given");
    start(&c);
    c.op = FAL_OP_CONV_GRAD_WEIGHT;
    c.operands.y = (fal_tensor){0};
    refused(&c, FAL_E_NULL, "gy", "gy is not given");
    start(&c);
    c.op = FAL_OP_CONV_GRAD_INPUT;
    refused(&c, FAL_E_VALUE, "bias", "bias is given, but an input gradient has none");
}

static void wrong_shapes(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.operands.y = FAL_TENSOR(c.y, FAL_F32, 1, 3, 2);
    refused(&c, FAL_E_SHAPE, "y", "y is (1,3,2); must be (1,3,3)");
    start(&c);
    c.operands.bias = FAL_TENSOR(c.bias, FAL_F32, 2);
    refused(&c, FAL_E_SHAPE, "bias", "bias is (2); must be (3)");
    start(&c);
    c.op = FAL_OP_CONV_GRAD_WEIGHT;
    c.operands.y = FAL_TENSOR(c.y, FAL_F32, 1, 2, 3);
    refused(&c, FAL_E_SHAPE, "gy", "gy is (1,2,3); must be (1,3,3)");
}

static void wrong_types(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.operands.w.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "w", "x is f32, w is i32; types must be equal");
    start(&c);
    c.operands.y.dtype = FAL_F16;
    refused(&c, FAL_E_DTYPE, "y", "x is f32, y is f16; types must be equal");
    start(&c);
    c.operands.x.dtype = c.operands.w.dtype = c.operands.bias.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "y", "x is i32, y is f32; must be an integer type");
    start(&c);
    c.operands.x.dtype = c.operands.w.dtype = c.operands.bias.dtype = c.operands.y.dtype = FAL_I32;
    c.params.beta = 0.5;
    refused(&c, FAL_E_VALUE, "beta", "beta is 0.5; must be a whole number for integer tensors");
    start(&c);
    c.operands.x.dtype = c.operands.w.dtype = c.operands.bias.dtype = c.operands.y.dtype = FAL_U8;
    c.params.padding_mode = FAL_PAD_CONSTANT;
    c.params.padding_value = -1;
    refused(&c, FAL_E_VALUE, "padding_value", "padding_value is -1; must be a whole number that u8 holds");
}

/* The texts of these are the tensor room's; status and field say enough. */
static void outputs_that_cannot_be_written(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.operands.y.data = c.x + 1;
    assert_int_equal(run(&c), FAL_E_ALIAS);
    assert_string_equal(c.error.field, "y");
    start(&c);
    c.operands.y.flags = FAL_READ_ONLY;
    assert_int_equal(run(&c), FAL_E_LAYOUT);
    start(&c);
    c.operands.y.strides[2] = 0;
    assert_int_equal(run(&c), FAL_E_LAYOUT);
    start(&c);
    c.operands.x.data = NULL;
    assert_int_equal(run(&c), FAL_E_NULL);
    assert_string_equal(c.error.field, "x");
    start(&c);
    c.operands.w.data = (char *)c.w + 1;
    assert_int_equal(run(&c), FAL_E_ALIGN);
    assert_string_equal(c.error.field, "w");
    start(&c); /* a gradient of the bias that is a part of the weight's */
    c.op = FAL_OP_CONV_GRAD_WEIGHT;
    c.operands.bias.data = c.w + 4;
    assert_int_equal(run(&c), FAL_E_ALIAS);
    start(&c); /* inputs may overlap */
    c.operands.w.data = c.x;
    c.operands.w.strides[0] = c.operands.w.strides[1] = 1;
    assert_int_equal(run(&c), FAL_OK);
}

static void terms_are_checked(void **state)
{
    (void)state;
    call c;
    int64_t terms[Y_SIZE];
    start(&c);
    fal_tensor t = FAL_TENSOR(terms, FAL_I64, 1, 3, 3), none = {0};
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, &t, &c.error), FAL_OK);
    for (int i = 0; i < Y_SIZE; i++) assert_int_equal(terms[i], 4);
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, &none, &c.error), FAL_OK);
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, NULL, &c.error), FAL_OK);
    t = FAL_TENSOR(terms, FAL_I64, 1, 3, 2);
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, &t, &c.error), FAL_E_SHAPE);
    t = FAL_TENSOR(terms, FAL_F64, 1, 3, 3);
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, &t, &c.error), FAL_E_DTYPE);
    t = FAL_TENSOR(NULL, FAL_I64, 1, 3, 3);
    assert_int_equal(fal_reference_gauge(c.op, &c.operands, &c.params, &t, &c.error), FAL_E_NULL);
}

/* ---- Integers ---- */

static fal_status dot(fal_dtype dtype, void *x, void *w, int64_t n, const fal_tensor *y, fal_error *error)
{
    fal_operands operands = {.x = FAL_TENSOR(x, dtype, 1, 1, n), .w = FAL_TENSOR(w, dtype, 1, 1, n), .y = *y};
    return fal_reference(FAL_OP_CONV, &operands, NULL, error);
}

static void integer_results_fit_or_are_refused(void **state)
{
    (void)state;
    int8_t x[2] = {100, 27}, w[2] = {1, 1}, narrow;
    int16_t wide;
    fal_tensor small = FAL_TENSOR(&narrow, FAL_I8, 1, 1, 1), large = FAL_TENSOR(&wide, FAL_I16, 1, 1, 1);
    fal_error error = {0};
    assert_int_equal(dot(FAL_I8, x, w, 2, &small, &error), FAL_OK);
    assert_int_equal(narrow, 127);
    x[1] = 28;
    assert_int_equal(dot(FAL_I8, x, w, 2, &small, &error), FAL_E_OVERFLOW);
    assert_string_equal(error.found, "a result is 128; y is i8");
    assert_int_equal(dot(FAL_I8, x, w, 2, &large, &error), FAL_OK);
    assert_int_equal(wide, 128);
}

/* Partial sums far beyond 64 bits, up to where even 128 bits end. */
static void integer_sums_are_exact(void **state)
{
    (void)state;
    int64_t x[3] = {INT64_MIN, INT64_MAX, INT64_MAX}, w[3] = {INT64_MIN, INT64_MIN, 1}, y;
    fal_tensor out = FAL_TENSOR(&y, FAL_I64, 1, 1, 1);
    fal_error error = {0};
    /* 2^126 - (2^126 - 2^63) + 2^63 - 1 = 2^64 - 1; without the last product it is 2^63 */
    assert_int_equal(dot(FAL_I64, x, w, 3, &out, &error), FAL_E_OVERFLOW);
    x[2] = -1;
    assert_int_equal(dot(FAL_I64, x, w, 3, &out, &error), FAL_OK);
    assert_true(y == INT64_MAX);
    x[1] = x[2] = w[2] = INT64_MIN;
    assert_int_equal(dot(FAL_I64, x, w, 3, &out, &error), FAL_E_OVERFLOW);
    assert_string_equal(error.found, "a result needs more than 64 bits");
}

/* ---- Special values ---- */

static void padding_multiplies_nothing(void **state)
{
    (void)state;
    float x[3] = {1, 2, 3}, w[3] = {INFINITY, 1, NAN}, y[3], gx[3];
    fal_operands operands = {.x = FAL_TENSOR(x, FAL_F32, 1, 3),
                             .w = FAL_TENSOR(w, FAL_F32, 1, 1, 3),
                             .y = FAL_TENSOR(y, FAL_F32, 1, 3)};
    fal_conv_params params = {.padding_begin = {2}, .padding_end = {2}, .stride = {3}};
    operands.y = FAL_TENSOR(y, FAL_F32, 1, 2);
    w[2] = 1;
    assert_int_equal(fal_reference(FAL_OP_CONV, &operands, &params, NULL), FAL_OK);
    assert_true(y[0] == 1); /* taps 0 and 1 lie on padding */
    assert_true(isinf(y[1]));
    w[2] = NAN;
    w[0] = 2;
    assert_int_equal(fal_reference(FAL_OP_CONV, &operands, &params, NULL), FAL_OK);
    assert_true(isnan(y[0]));
    assert_true(y[1] == 2 * 2 + 3); /* x 1, 2 and padding */
    /* In the gradient neither: a NaN of gy reaches only the cells that its window reads. */
    float gy[2] = {NAN, 1};
    w[2] = 1;
    operands.x.data = gx;
    operands.y.data = gy;
    assert_int_equal(fal_reference(FAL_OP_CONV_GRAD_INPUT, &operands, &params, NULL), FAL_OK);
    assert_true(isnan(gx[0]) && gx[1] == 2 && gx[2] == 1);
    /* A constant border is a number like any other. */
    params.padding_mode = FAL_PAD_CONSTANT;
    operands.x.data = x;
    operands.y.data = y;
    w[0] = INFINITY;
    assert_int_equal(fal_reference(FAL_OP_CONV, &operands, &params, NULL), FAL_OK);
    assert_true(isnan(y[0])); /* 0 * inf */
}

static void beta_zero_does_not_read(void **state)
{
    (void)state;
    call c;
    start(&c);
    for (int i = 0; i < Y_SIZE; i++) c.y[i] = NAN;
    assert_int_equal(run(&c), FAL_OK);
    assert_true(c.y[0] == 10);
    c.params.beta = -2;
    c.bias[0] = 3;
    assert_int_equal(run(&c), FAL_OK);
    assert_true(c.y[0] == -2 * 10 + 10 + 3);
}

static void empty_batch_is_legal(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.operands.x = FAL_TENSOR(NULL, FAL_F32, 0, 2, 4);
    c.operands.y = FAL_TENSOR(NULL, FAL_F32, 0, 3, 3);
    assert_int_equal(run(&c), FAL_OK);
    c.op = FAL_OP_CONV_GRAD_WEIGHT;
    c.bias[1] = 7;
    assert_int_equal(run(&c), FAL_OK);
    assert_true(c.w[0] == 0 && c.bias[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_call_is_accepted),
        cmocka_unit_test(missing_operands),
        cmocka_unit_test(wrong_shapes),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(outputs_that_cannot_be_written),
        cmocka_unit_test(terms_are_checked),
        cmocka_unit_test(integer_results_fit_or_are_refused),
        cmocka_unit_test(integer_sums_are_exact),
        cmocka_unit_test(padding_multiplies_nothing),
        cmocka_unit_test(beta_zero_does_not_read),
        cmocka_unit_test(empty_batch_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
