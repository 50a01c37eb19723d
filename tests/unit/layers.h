/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layers.h: the three kinds of layer, made from one set of options, for test_layers*.c.
 */
#ifndef FAL_TESTS_UNIT_LAYERS_H
#define FAL_TESTS_UNIT_LAYERS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "support/support.h"

typedef fal_status create_function(const fal_context *context, const fal_conv_layer_options *options,
                                   fal_conv_layer **layer);
enum { CONV, TRANSPOSE, SEPARABLE, KINDS };
static create_function *const creates[KINDS] = {fal_conv_layer_create, fal_conv_transpose_layer_create,
                                                fal_separable_layer_create};

static inline fal_conv_layer_options plain_options(void)
{
    return (fal_conv_layer_options){.in_channels = 4,
                                    .out_channels = 6,
                                    .spatial = 2,
                                    .kernel = {3, 2},
                                    .params = {.stride = {2, 1}, .padding_begin = {1, 0}, .groups = 2},
                                    .seed = 42};
}

static inline fal_conv_layer *make(int kind, const fal_conv_layer_options *options)
{
    fal_error error = {0};
    const fal_context context = {.error = &error};
    fal_conv_layer *layer = NULL;
    assert_true(test_ok(creates[kind](&context, options, &layer), &error, "create"));
    assert_non_null(layer);
    return layer;
}

static inline fal_tensor value(const fal_conv_layer *layer, int32_t number)
{
    fal_tensor t;
    assert_int_equal(fal_conv_layer_parameter(layer, number, NULL, &t, NULL, NULL), FAL_OK);
    return t;
}

static inline fal_tensor gradient(const fal_conv_layer *layer, int32_t number)
{
    fal_tensor t;
    assert_int_equal(fal_conv_layer_parameter(layer, number, NULL, NULL, &t, NULL), FAL_OK);
    return t;
}

#endif
