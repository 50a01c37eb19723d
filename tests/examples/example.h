/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * example.h: how the worked examples compute and compare.
 *
 * Every example runs through the public functions only, by the one-call operator and by the reference, and
 * both must give the numbers on the page exactly.
 */
#ifndef FAL_TESTS_EXAMPLES_EXAMPLE_H
#define FAL_TESTS_EXAMPLES_EXAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <faltung.h>

/* One plane of one image, or one kernel of one channel. */
static inline fal_tensor plane(double *data, int64_t height, int64_t width)
{
    return FAL_TENSOR(data, FAL_F64, 1, 1, height, width);
}

/* y = conv(x) or its transpose, by the operator; the reference must agree. y is row-major f64. */
static inline void convolve(bool transpose, const fal_tensor *x, const fal_tensor *w, const fal_tensor *bias,
                            const fal_conv_params *params, const fal_tensor *y)
{
    double by_reference[4096];
    int64_t count = fal_tensor_count(y);
    fal_error error = {0};
    fal_context context = {.error = &error};
    fal_status status = transpose ? fal_conv_transpose(&context, x, w, bias, params, y)
                                  : fal_conv(&context, x, w, bias, params, y);
    if (status != FAL_OK) fail_msg("%s: %s", fal_status_name(status), error.found);
    assert_true(count <= 4096);
    fal_operands operands = {.x = *x, .w = *w, .y = fal_tensor_of(by_reference, FAL_F64, y->rank, y->shape)};
    if (bias) operands.bias = *bias;
    fal_operator op = transpose ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
    assert_int_equal(fal_reference(op, &operands, params, &error), FAL_OK);
    for (int64_t i = 0; i < count; i++) assert_true(((double *)y->data)[i] == by_reference[i]);
}

/* The elements of a row-major walk over `t`. */
static inline void expect(const fal_tensor *t, const double *values)
{
    int64_t index[FAL_MAX_RANK] = {0}, count = fal_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        double actual = fal_tensor_get(t, index);
        if (actual != values[i]) fail_msg("element %d is %g, not %g", (int)i, actual, values[i]);
        for (int32_t a = t->rank - 1; a >= 0 && ++index[a] == t->shape[a]; a--) index[a] = 0;
    }
}

static inline void expect_shape(const fal_tensor *t, int32_t rank, const int64_t *shape)
{
    assert_int_equal(t->rank, rank);
    for (int32_t a = 0; a < rank; a++) assert_int_equal(t->shape[a], shape[a]);
}

static inline void expect_strides(const fal_tensor *t, const int64_t *strides)
{
    for (int32_t a = 0; a < t->rank; a++) assert_int_equal(t->strides[a], strides[a]);
}

#endif
