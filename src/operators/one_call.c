/* SPDX-License-Identifier: BSD-3-Clause */
/* one_call.c: plan, workspace, execute and release in one call. */
#include "base/error.h"
#include "geometry/operands.h"
#include "operators/sequence.h"
#include "tensor/tensor.h"

static fal_error *error_of(const fal_context *context)
{
    return context != NULL ? context->error : NULL;
}

static fal_status require(const void *pointer, const char *name, fal_error *error)
{
    return pointer != NULL ? FAL_OK : fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
}

static fal_status forward(const fal_context *context, fal_operator op, const fal_tensor *x,
                          const fal_tensor *w, const fal_tensor *bias, const fal_conv_params *params,
                          const fal_tensor *y)
{
    fal_error *error = error_of(context);
    FAL__TRY(require(x, "x", error));
    FAL__TRY(require(w, "w", error));
    FAL__TRY(require(y, "y", error));
    fal_operands operands = {.x = *x, .w = *w, .y = *y};
    if (bias != NULL) operands.bias = *bias;
    fal__sequence s;
    fal__sequence_begin(&s, context);
    fal_status status = fal__sequence_add(&s, op, &operands, params);
    if (status == FAL_OK) status = fal__sequence_run(&s);
    fal__sequence_end(&s);
    return status;
}

fal_status fal_conv(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                    const fal_tensor *bias, const fal_conv_params *params, const fal_tensor *y)
{
    return forward(context, FAL_OP_CONV, x, w, bias, params, y);
}

fal_status fal_conv_transpose(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                              const fal_tensor *bias, const fal_conv_params *params, const fal_tensor *y)
{
    return forward(context, FAL_OP_CONV_TRANSPOSE, x, w, bias, params, y);
}

static fal_operator input_op(const fal__gradients *g)
{
    return g->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_INPUT : FAL_OP_CONV_GRAD_INPUT;
}

static fal_operator weight_op(const fal__gradients *g)
{
    return g->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT : FAL_OP_CONV_GRAD_WEIGHT;
}

/* One operator checks what it reads against what it writes; here the outputs of one are kept apart
 * from the inputs and outputs of the other. */
static fal_status check_apart(const fal__gradients *g, fal_error *error)
{
    const fal_tensor *const operands[] = {g->gx, g->gw, g->gb, g->x, g->w, g->gy};
    static const char *const names[] = {"gx", "gw", "gb", "x", "w", "gy"};
    for (int a = 0; a < 3; a++)
        for (int b = a + 1; b < 6; b++)
            if (operands[a] != NULL && operands[b] != NULL && operands[b]->data != NULL)
                FAL__TRY(fal__tensor_check_alias(operands[a], names[a], operands[b], names[b], error));
    return FAL_OK;
}

/* Every check of both operators, so that a refused call has written nothing. */
static fal_status check_gradients(const fal__gradients *g, const fal_conv_params *params, fal_error *error)
{
    fal_conv_geometry geometry;
    FAL__TRY(fal_tensor_check(g->x, "x", error));
    FAL__TRY(fal_tensor_check(g->w, "w", error));
    if (g->gx != NULL) {
        const fal_operands input = {.x = *g->gx, .w = *g->w, .y = *g->gy};
        FAL__TRY(fal__operands_check(input_op(g), &input, params, true, &geometry, error));
        FAL__TRY(fal__tensor_check_same_shape(g->x, "x", g->gx, "gx", error));
    }
    if (g->gw != NULL || g->gb != NULL) {
        /* Without gw only the shape of w is needed: it may be read only. */
        const fal_tensor shape = fal_tensor_of(NULL, g->w->dtype, g->w->rank, g->w->shape);
        fal_operands weight = {.x = *g->x, .w = g->gw != NULL ? *g->gw : shape, .y = *g->gy};
        if (g->gb != NULL) weight.bias = *g->gb;
        FAL__TRY(fal__operands_check(weight_op(g), &weight, params, g->gw != NULL, &geometry, error));
        FAL__TRY(fal__tensor_check_same_shape(g->w, "w", &weight.w, "gw", error));
    }
    if (g->gw == NULL && g->gb != NULL) {
        FAL__TRY(fal__tensor_check_align(g->x, "x", error));
        FAL__TRY(fal__tensor_check_align(g->gy, "gy", error));
        FAL__TRY(fal__tensor_check_align(g->gb, "gb", error));
    }
    return check_apart(g, error);
}

/* A bias gradient alone still needs the shape of the weight: its gradient goes to scratch. */
static fal_status add_weight_gradient(fal__sequence *s, const fal__gradients *g,
                                      const fal_conv_params *params)
{
    fal_operands operands = {.x = *g->x, .w = g->gw != NULL ? *g->gw : *g->w, .y = *g->gy};
    if (g->gb != NULL) operands.bias = *g->gb;
    if (g->gw == NULL) {
        operands.w = fal_tensor_of(NULL, g->w->dtype, g->w->rank, g->w->shape);
        const size_t bytes = (size_t)fal_tensor_count(&operands.w) * fal_dtype_bytes(operands.w.dtype);
        FAL__TRY(fal__sequence_scratch(s, bytes, "weight gradient", &operands.w.data));
    }
    return fal__sequence_add(s, weight_op(g), &operands, params);
}

fal_status fal__sequence_add_gradients(fal__sequence *s, const fal__gradients *g,
                                       const fal_conv_params *params)
{
    FAL__TRY(require(g->x, "x", s->error));
    FAL__TRY(require(g->w, "w", s->error));
    FAL__TRY(require(g->gy, "gy", s->error));
    FAL__TRY(check_gradients(g, params, s->error));
    if (g->gx != NULL) {
        const fal_operands input = {.x = *g->gx, .w = *g->w, .y = *g->gy};
        FAL__TRY(fal__sequence_add(s, input_op(g), &input, params));
    }
    return g->gw != NULL || g->gb != NULL ? add_weight_gradient(s, g, params) : FAL_OK;
}

static fal_status backward(const fal_context *context, const fal__gradients *g, const fal_conv_params *params)
{
    fal__sequence s;
    fal__sequence_begin(&s, context);
    fal_status status = fal__sequence_add_gradients(&s, g, params);
    if (status == FAL_OK) status = fal__sequence_run(&s);
    fal__sequence_end(&s);
    return status;
}

fal_status fal_conv_grad(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                         const fal_tensor *gy, const fal_conv_params *params, const fal_tensor *gx,
                         const fal_tensor *gw, const fal_tensor *gb)
{
    const fal__gradients g = {false, x, w, gy, gx, gw, gb};
    return backward(context, &g, params);
}

fal_status fal_conv_transpose_grad(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                                   const fal_tensor *gy, const fal_conv_params *params, const fal_tensor *gx,
                                   const fal_tensor *gw, const fal_tensor *gb)
{
    const fal__gradients g = {true, x, w, gy, gx, gw, gb};
    return backward(context, &g, params);
}
