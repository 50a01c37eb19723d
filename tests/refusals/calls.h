/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls.h: the convolution that the rows of table api spoil. start() makes everything valid again.
 *
 * It is tried by the one-call function, the reference and a plan, which must agree; a refusal must say
 * why in one printable line and leave y as it was.
 */
#ifndef TESTS_REFUSALS_CALLS_H
#define TESTS_REFUSALS_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

/* x (1,6,9,9), w (8,3,3,3) with 2 groups, y (1,8,9,9), pads 1; the buffers are larger. */
enum { ROOM = 4096, X_COUNT = 6 * 9 * 9 };

static fal_operands o;
static fal_conv_params p;
static fal_context context;
static fal_error error;
static bool transposed;
static _Alignas(64) float x_memory[ROOM], w_memory[ROOM], bias_memory[ROOM], y_memory[ROOM];

static inline void start(void)
{
    error = (fal_error){.status = FAL_OK};
    context = (fal_context){.threads = 1, .error = &error};
    p = (fal_conv_params){.groups = 2, .padding_begin = {1, 1}, .padding_end = {1, 1}};
    transposed = false;
    for (int i = 0; i < ROOM; i++) {
        x_memory[i] = (float)(i % 7);
        w_memory[i] = (float)(i % 5);
        bias_memory[i] = 1;
        y_memory[i] = -77;
    }
    o = (fal_operands){.x = FAL_TENSOR(x_memory, FAL_F32, 1, 6, 9, 9),
                       .w = FAL_TENSOR(w_memory, FAL_F32, 8, 3, 3, 3),
                       .bias = FAL_TENSOR(bias_memory, FAL_F32, 8),
                       .y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 9, 9)};
}

/* One transposed axis of 9 inputs and 3 taps. */
static inline void start_transposed(void)
{
    start();
    transposed = true;
    p = (fal_conv_params){.groups = 1};
    o = (fal_operands){.x = FAL_TENSOR(x_memory, FAL_F32, 1, 1, 9),
                       .w = FAL_TENSOR(w_memory, FAL_F32, 1, 1, 3),
                       .y = FAL_TENSOR(y_memory, FAL_F32, 1, 1, 11)};
}

/* The last failure has this status, one printable line in which `key` stands, and a place. */
static inline void said(fal_status expected, const char *key)
{
    char line[600];
    size_t length = fal_error_message(&error, line, sizeof line);
    if (error.status != expected || strstr(line, key) == NULL)
        fail_msg("%s instead of %s with '%s': %s [%s]", fal_status_name(error.status),
                 fal_status_name(expected), key, line, error.field);
    assert_true(length > 0 && length < sizeof line && line[length - 1] != '.' && error.field[0] != 0);
    for (size_t i = 0; i < length; i++) assert_true(line[i] >= ' ' && line[i] <= '~');
}

static inline bool y_untouched(void)
{
    for (int i = 0; i < ROOM; i++)
        if (y_memory[i] != -77) return false;
    return true;
}

static inline void refuse(fal_status expected, const char *key)
{
    const fal_operator op = transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
    for (int way = 0; way < 3; way++) {
        fal_status status;
        error = (fal_error){.status = FAL_OK};
        if (way == 0)
            status = test_call(&context, op, &o, &p);
        else if (way == 1)
            status = test_plan(&context, op, &o, &p, false, 0xFF);
        else
            status = fal_reference(op, &o, &p, &error);
        assert_int_equal(status, error.status);
        said(expected, key);
        assert_true(y_untouched());
    }
}

/* For what the reference knows nothing of: contexts and algorithms. */
static inline void refuse_call(fal_status expected, const char *key)
{
    assert_int_equal(fal_conv(&context, &o.x, &o.w, &o.bias, &p, &o.y), expected);
    said(expected, key);
    assert_true(y_untouched());
}

/* All three ways give the same y. */
static inline void accept(void)
{
    const fal_operator op = transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
    static float first[ROOM];
    assert_int_equal(test_call(&context, op, &o, &p), FAL_OK);
    memcpy(first, y_memory, sizeof first);
    memset(y_memory, 0xFF, sizeof y_memory);
    assert_int_equal(test_plan(&context, op, &o, &p, false, 0xFF), FAL_OK);
    assert_int_equal(fal_reference(op, &o, &p, &error), FAL_OK);
    const int64_t count = fal_tensor_count(&o.y);
    assert_memory_equal(first, y_memory, (size_t)count * sizeof *first);
}

static inline void accept_bias_only(void)
{
    accept();
    for (int64_t i = 0; i < fal_tensor_count(&o.y); i++) assert_true(y_memory[i] == 1);
}

/* A plan and the workspace it asks for. */
static inline fal_plan *plan_for(fal_plan_info *info, test_guard *workspace)
{
    fal_plan *plan;
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &o, &p, &plan), FAL_OK);
    assert_int_equal(fal_plan_describe(plan, info), FAL_OK);
    *workspace = test_guard_new(info->workspace_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
    return plan;
}

/* Executing o by a plan made before is refused. */
static inline void refuse_execute(const fal_plan *plan, void *workspace, size_t bytes, fal_status expected,
                                  const char *key)
{
    assert_int_equal(fal_plan_execute(plan, &o, NULL, workspace, bytes, &error), expected);
    said(expected, key);
    assert_true(y_untouched());
}

#endif
