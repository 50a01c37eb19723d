/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.c: memory for a problem, and every way to compute it.
 *
 * A case holds the operands that are read; a result holds fresh memory for what an operator writes,
 * so that one case serves many results to compare. Integers are written as i32, which holds every
 * sum of small integers.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_tensor filled(const fal_tensor *shape, test_fill fill, uint64_t seed, uint64_t strides)
{
    test_tensor t = test_tensor_new(shape->dtype, shape->rank, shape->shape, strides);
    test_fill_tensor(&t.t, fill, seed);
    return t;
}

test_case test_case_new(const test_problem *p, test_fill fill, uint64_t strides)
{
    fal_operands shapes = test_problem_shapes(p);
    test_case c = {.p = *p};
    uint64_t step = strides != 0;
    c.x = filled(&shapes.x, fill, p->seed * 4 + 1, strides);
    c.w = filled(&shapes.w, fill, p->seed * 4 + 2, strides + step);
    if (p->has_bias) c.bias = filled(&shapes.bias, fill, p->seed * 4 + 3, strides + 2 * step);
    c.y = filled(&shapes.y, fill, p->seed * 4 + 4, strides + 3 * step);
    c.operands = (fal_operands){c.x.t, c.w.t, c.bias.t, c.y.t};
    return c;
}

void test_case_free(test_case *c)
{
    test_tensor_free(&c->x);
    test_tensor_free(&c->w);
    test_tensor_free(&c->bias);
    test_tensor_free(&c->y);
}

fal_operator test_operator(const test_problem *p, test_kind kind)
{
    static const fal_operator operators[2][TEST_KINDS] = {
        {FAL_OP_CONV, FAL_OP_CONV_GRAD_INPUT, FAL_OP_CONV_GRAD_WEIGHT},
        {FAL_OP_CONV_TRANSPOSE, FAL_OP_CONV_TRANSPOSE_GRAD_INPUT, FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT},
    };
    return operators[p->transposed][kind];
}

static test_kind kind_of(fal_operator op)
{
    if (op == FAL_OP_CONV || op == FAL_OP_CONV_TRANSPOSE) return TEST_FORWARD;
    if (op == FAL_OP_CONV_GRAD_INPUT || op == FAL_OP_CONV_TRANSPOSE_GRAD_INPUT) return TEST_GRAD_INPUT;
    return TEST_GRAD_WEIGHT;
}

const fal_tensor *test_written(fal_operator op, const fal_operands *operands)
{
    test_kind kind = kind_of(op);
    return kind == TEST_FORWARD ? &operands->y : kind == TEST_GRAD_INPUT ? &operands->x : &operands->w;
}

/* Memory to write: TEST_ROGUE everywhere, or the old values where beta adds to them. */
static test_tensor writable(const fal_tensor *old, double beta, uint64_t strides)
{
    fal_dtype dtype = fal_dtype_is_integer(old->dtype) ? FAL_I32 : old->dtype;
    test_tensor t = test_tensor_new(dtype, old->rank, old->shape, strides);
    if (beta != 0 && fal_tensor_copy(old, &t.t, NULL) != FAL_OK) abort();
    return t;
}

test_result test_result_new(const test_case *c, fal_operator op, uint64_t strides)
{
    test_kind kind = kind_of(op);
    double beta = c->p.params.beta;
    test_result r = {.out = writable(test_written(op, &c->operands), beta, strides), .operands = c->operands};
    if (kind == TEST_FORWARD) r.operands.y = r.out.t;
    if (kind == TEST_GRAD_INPUT) {
        r.operands.x = r.out.t;
        r.operands.bias = (fal_tensor){0};
    }
    if (kind != TEST_GRAD_WEIGHT) return r;
    r.operands.w = r.out.t;
    if (c->p.has_bias) {
        r.bias = writable(&c->operands.bias, beta, strides);
        r.operands.bias = r.bias.t;
    }
    return r;
}

void test_result_free(test_result *r)
{
    test_tensor_free(&r->out);
    test_tensor_free(&r->bias);
}

fal_status test_call(const fal_context *context, fal_operator op, const fal_operands *operands,
                     const fal_conv_params *params)
{
    const fal_tensor *x = &operands->x, *w = &operands->w, *y = &operands->y,
                     *bias = operands->bias.rank == 0 ? NULL : &operands->bias;
    /* A gradient needs only the shape of what it is the gradient of. */
    fal_tensor x_shape = *x, w_shape = *w;
    x_shape.data = w_shape.data = NULL;
    switch (op) {
    case FAL_OP_CONV: return fal_conv(context, x, w, bias, params, y);
    case FAL_OP_CONV_TRANSPOSE: return fal_conv_transpose(context, x, w, bias, params, y);
    case FAL_OP_CONV_GRAD_INPUT: return fal_conv_grad(context, &x_shape, w, y, params, x, NULL, NULL);
    case FAL_OP_CONV_GRAD_WEIGHT: return fal_conv_grad(context, x, &w_shape, y, params, NULL, w, bias);
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT:
        return fal_conv_transpose_grad(context, &x_shape, w, y, params, x, NULL, NULL);
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT:
        return fal_conv_transpose_grad(context, x, &w_shape, y, params, NULL, w, bias);
    }
    return FAL_E_VALUE;
}

/* Packs into guarded memory whose slack must stay as it was. */
static fal_status pack(const fal_plan *plan, const fal_tensor *w, size_t bytes, test_guard *packed,
                       fal_error *error)
{
    *packed = test_guard_new(bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
    fal_status status = fal_plan_pack_weights(plan, w, packed->data, error);
    return status == FAL_OK && !test_guard_intact(packed) ? FAL_E_INTERNAL : status;
}

fal_status test_plan(const fal_context *context, fal_operator op, const fal_operands *operands,
                     const fal_conv_params *params, bool packed, unsigned char garbage)
{
    fal_operands used = *operands;
    fal_error *error = context ? context->error : NULL;
    fal_plan *plan = NULL;
    fal_plan_info info = {0};
    test_guard weights = {0}, workspace = {0};
    fal_status status = fal_plan_create(context, op, operands, params, &plan);
    if (status == FAL_OK) status = fal_plan_describe(plan, &info);
    packed = packed && info.packed_bytes > 0;
    if (status == FAL_OK && packed) {
        status = pack(plan, &operands->w, info.packed_bytes, &weights, error);
        used.w.data = NULL; /* "operands.w.data is not read" */
    }
    size_t bytes = packed ? info.workspace_packed_bytes : info.workspace_bytes;
    if (status == FAL_OK) {
        test_side side = garbage % 2 ? TEST_AT_END : TEST_AT_START;
        workspace = test_guard_new(bytes, FAL_WORKSPACE_ALIGNMENT, side);
        memset(workspace.data, garbage, bytes);
        status = fal_plan_execute(plan, &used, weights.data, workspace.data, bytes, error);
        if (status == FAL_OK && !test_guard_intact(&workspace)) status = FAL_E_INTERNAL;
    }
    fal_plan_destroy(plan);
    test_guard_free(&weights);
    test_guard_free(&workspace);
    return status;
}

test_tensor test_conv(bool transposed, const fal_tensor *x, const fal_tensor *w, const fal_tensor *bias,
                      const fal_conv_params *params)
{
    fal_error error = {0};
    fal_context context = {.error = &error, .threads = 1};
    fal_tensor y;
    test_tensor made = {0};
    fal_conv_params strict = params != NULL ? *params : (fal_conv_params){0};
    strict.accuracy = FAL_ACCURACY_STRICT; /* callers compare exactly */
    fal_status status = fal_conv_output_shape(transposed, x, w, params, &y, &error);
    if (status == FAL_OK) {
        made = test_tensor_new(x->dtype, y.rank, y.shape, 0);
        fal_operator op = transposed ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV;
        fal_operands operands = {.x = *x, .w = *w, .y = made.t};
        if (bias != NULL) operands.bias = *bias;
        status = test_call(&context, op, &operands, &strict);
    }
    if (!test_ok(status, &error, "test_conv")) abort();
    return made;
}

/* Shape and type of an operand: as given, else the problem's own. */
static fal_tensor given_or(const fal_tensor *given, fal_tensor shape, fal_dtype dtype)
{
    if (given->rank != 0) return *given;
    return fal_tensor_of(NULL, dtype, shape.rank, shape.shape);
}

test_tensor test_apply(const test_problem *p, test_kind kind, const fal_operands *operands)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    fal_context context = {.error = &error, .threads = 1};
    fal_operator op = test_operator(p, kind);
    fal_conv_params params = p->params;
    params.beta = 0;
    fal_operands shapes = test_problem_shapes(p), all = *operands;
    all.x = given_or(&all.x, shapes.x, p->dtype);
    all.w = given_or(&all.w, shapes.w, p->dtype);
    all.y = given_or(&all.y, shapes.y, p->dtype);
    fal_tensor *written = kind == TEST_FORWARD ? &all.y : kind == TEST_GRAD_INPUT ? &all.x : &all.w;
    test_tensor made = test_tensor_new(p->dtype, written->rank, written->shape, 0);
    *written = made.t;
    fal_status status = p->seed % 3 == 0 ? test_call(&context, op, &all, &params)
                                         : test_plan(&context, op, &all, &params, p->seed % 3 == 1, 0xFF);
    if (!test_ok(status, &error, test_problem_text(p, repro))) abort();
    return made;
}

test_wide test_widen(const fal_operands *operands)
{
    const fal_tensor *from[] = {&operands->x, &operands->w, &operands->bias, &operands->y};
    test_wide wide = {0};
    fal_tensor *to[] = {&wide.operands.x, &wide.operands.w, &wide.operands.bias, &wide.operands.y};
    for (int i = 0; i < 4; i++) {
        if (from[i]->rank == 0) continue;
        wide.memory[i] = test_tensor_copy(from[i], FAL_F64);
        *to[i] = wide.memory[i].t;
    }
    return wide;
}

void test_wide_free(test_wide *wide)
{
    for (int i = 0; i < 4; i++) test_tensor_free(&wide->memory[i]);
}

bool test_ok(fal_status status, const fal_error *error, const char *repro)
{
    if (status == FAL_OK) return true;
    char text[TEST_TEXT];
    fal_error_message(error, text, sizeof text);
    fprintf(stderr, "%s\n  %s: %s\n", repro, fal_status_name(status), text);
    return false;
}
