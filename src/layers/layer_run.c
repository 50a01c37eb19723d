/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer_run.c: layers applied; see layer.h.
 *
 * Forward is the operator itself. Backward is its gradient twice: once into gx, which is overwritten, once
 * with beta = 1 into the gradients of the parameters, which add up. All operands of both are checked
 * before the first is written.
 */
#include "base/error.h"
#include "geometry/geometry.h"
#include "geometry/operands.h"
#include "layers/layer.h"

static fal_status require(const void *pointer, const char *name, fal_error *error)
{
    return pointer != NULL ? FAL_OK : fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
}

static fal_error *error_of(const fal_context *context)
{
    return context != NULL ? context->error : NULL;
}

static const fal_tensor *bias_of(const fal_conv_layer *layer)
{
    return layer->has_bias ? &layer->parameter[1].value : NULL;
}

/* The operands of a separable layer; `gradient`: the parameters' gradients in their places. */
static fal_separable_operands separable_operands(const fal_conv_layer *layer, bool gradient)
{
    const fal_tensor *t[FAL__PARAMETERS_MAX];
    for (int32_t i = 0; i < layer->count; i++)
        t[i] = gradient ? &layer->parameter[i].gradient : &layer->parameter[i].value;
    fal_separable_operands o = {.depthwise = *t[0], .pointwise = *t[layer->has_bias ? 2 : 1]};
    if (!layer->has_bias) return o;
    o.depthwise_bias = *t[1];
    o.pointwise_bias = *t[3];
    return o;
}

fal_status fal_conv_layer_output_shape(const fal_conv_layer *layer, const fal_tensor *x, fal_tensor *y,
                                       fal_error *error)
{
    FAL__TRY(require(layer, "layer", error));
    FAL__TRY(require(x, "x", error));
    if (layer->kind == FAL__LAYER_SEPARABLE) {
        fal_separable_operands o = separable_operands(layer, false);
        o.x = *x;
        return fal_separable_output_shape(&o, &layer->params, y, error);
    }
    return fal_conv_output_shape(layer->kind == FAL__LAYER_CONV_TRANSPOSE, x, &layer->parameter[0].value,
                                 &layer->params, y, error);
}

fal_status fal_conv_layer_forward(const fal_context *context, const fal_conv_layer *layer,
                                  const fal_tensor *x, const fal_tensor *y)
{
    fal_error *error = error_of(context);
    FAL__TRY(require(layer, "layer", error));
    FAL__TRY(require(x, "x", error));
    FAL__TRY(require(y, "y", error));
    const fal_tensor *w = &layer->parameter[0].value;
    if (layer->kind == FAL__LAYER_CONV) return fal_conv(context, x, w, bias_of(layer), &layer->params, y);
    if (layer->kind == FAL__LAYER_CONV_TRANSPOSE)
        return fal_conv_transpose(context, x, w, bias_of(layer), &layer->params, y);
    fal_separable_operands o = separable_operands(layer, false);
    o.x = *x;
    o.y = *y;
    return fal_separable_conv(context, &o, &layer->params);
}

/* ---- Backward ---- */

typedef fal_status gradient_function(const fal_context *context, const fal_tensor *x, const fal_tensor *w,
                                     const fal_tensor *gy, const fal_conv_params *params,
                                     const fal_tensor *gx, const fal_tensor *gw, const fal_tensor *gb);

static fal_status conv_backward(const fal_context *context, fal_conv_layer *layer, const fal_tensor *x,
                                const fal_tensor *gy, const fal_tensor *gx)
{
    const bool transposed = layer->kind == FAL__LAYER_CONV_TRANSPOSE;
    gradient_function *gradient = transposed ? fal_conv_transpose_grad : fal_conv_grad;
    const fal_operator op = transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT : FAL_OP_CONV_GRAD_WEIGHT;
    const fal_tensor *w = &layer->parameter[0].value, *gw = &layer->parameter[0].gradient;
    const fal_tensor *gb = layer->has_bias ? &layer->parameter[1].gradient : NULL;
    fal_operands weight = {.x = *x, .w = *gw, .y = *gy};
    if (gb != NULL) weight.bias = *gb;
    fal_conv_geometry geometry;
    FAL__TRY(fal__operands_check(op, &weight, &layer->params, true, &geometry, error_of(context)));
    if (gx != NULL) FAL__TRY(gradient(context, x, w, gy, &layer->params, gx, NULL, NULL));
    fal_conv_params adding = layer->params;
    adding.beta = 1;
    return gradient(context, x, w, gy, &adding, NULL, gw, gb);
}

static fal_status separable_backward(const fal_context *context, fal_conv_layer *layer, const fal_tensor *x,
                                     const fal_tensor *gy, const fal_tensor *gx)
{
    fal_separable_operands o = separable_operands(layer, false), gradients = {.x = {.rank = 0}};
    o.x = *x;
    o.y = *gy;
    if (gx != NULL) {
        gradients.x = *gx;
        FAL__TRY(fal_separable_conv_grad(context, &o, &layer->params, &gradients));
    }
    gradients = separable_operands(layer, true);
    fal_conv_params adding = layer->params;
    adding.beta = 1;
    return fal_separable_conv_grad(context, &o, &adding, &gradients);
}

fal_status fal_conv_layer_backward(const fal_context *context, fal_conv_layer *layer, const fal_tensor *x,
                                   const fal_tensor *gy, const fal_tensor *gx)
{
    fal_error *error = error_of(context);
    FAL__TRY(require(layer, "layer", error));
    FAL__TRY(require(x, "x", error));
    FAL__TRY(require(gy, "gy", error));
    return layer->kind == FAL__LAYER_SEPARABLE ? separable_backward(context, layer, x, gy, gx)
                                               : conv_backward(context, layer, x, gy, gx);
}
