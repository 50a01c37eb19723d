/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable.c: depthwise, then pointwise convolution.
 *
 *     x --depthwise (params, groups = channels)--> middle --pointwise (1x1)--> y
 *
 * The intermediate has the operands' type, as between two layers one after the other. Forward it is made
 * and used up strip by strip where that pays (separable_strips.c); otherwise, and for gradients, it is held
 * whole between two plans. Everything is checked before the first byte is written. Reports about one half
 * name it: "depthwise.w", "pointwise.bias".
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "operators/separable_strips.h"
#include "operators/sequence.h"
#include "planner/context.h"
#include "tensor/tensor.h"

typedef struct separable {
    fal__setting setting;
    const fal_separable_operands *o;
    fal_conv_params depthwise, pointwise;
    fal_conv_geometry geometry; /* of the depthwise half */
    fal_tensor middle;
    size_t middle_bytes;
} separable;

fal_status fal__separable_within(fal_error *error, const char *half, fal_status status)
{
    if (error == NULL || status == FAL_OK) return status;
    char field[sizeof error->field];
    snprintf(field, sizeof field, "%s.%.48s", half, error->field);
    memcpy(error->field, field, sizeof field);
    return status;
}

/* Parameters of both halves; the channels of x must be known by now. */
static void split_params(const fal_tensor *x, int32_t spatial, const fal_conv_params *params, separable *s)
{
    static const fal_conv_params defaults;
    const fal_conv_params *p = params != NULL ? params : &defaults;
    const bool batched = x->rank == spatial + 2;
    s->depthwise = *p;
    s->depthwise.beta = 0;
    s->depthwise.activation = FAL_ACTIVATION_NONE;
    s->depthwise.groups = x->shape[p->layout == FAL_NHWC ? x->rank - 1 : batched];
    s->pointwise = (fal_conv_params){.layout = p->layout,
                                     .beta = p->beta,
                                     .activation = p->activation,
                                     .activation_low = p->activation_low,
                                     .activation_high = p->activation_high,
                                     .activation_slope = p->activation_slope,
                                     .accuracy = p->accuracy,
                                     .algorithm = p->algorithm,
                                     .reproducible = p->reproducible};
}

static fal_status check_pointwise(const fal_separable_operands *o, const fal_conv_params *params,
                                  fal_error *error)
{
    const fal_tensor *w = &o->pointwise;
    const bool last = params != NULL && params->layout == FAL_NHWC;
    if (w->rank != o->depthwise.rank) {
        fal__fail(error, FAL_E_RANK, "pointwise.w", "pointwise has %" PRId32 " axes", w->rank);
        return fal__allowed(error, FAL_E_RANK, "must be %" PRId32 " as depthwise", o->depthwise.rank);
    }
    for (int32_t a = 0; a < w->rank - 2; a++) {
        const int64_t size = w->shape[last ? a : a + 2];
        if (size == 1) continue;
        fal__fail(error, FAL_E_KERNEL, "pointwise.w",
                  "pointwise has kernel size %" PRId64 " on axis %" PRId32, size, a);
        return fal__allowed(error, FAL_E_KERNEL, "must be 1");
    }
    return FAL_OK;
}

/* Shapes only: fills params and middle, and writes y's shape to *y. */
static fal_status resolve(const fal_separable_operands *o, const fal_conv_params *params, separable *s,
                          fal_tensor *y, fal_error *error)
{
    if (o == NULL) return fal__fail(error, FAL_E_NULL, "operands", "operands is NULL");
    FAL__TRY(fal_tensor_check(&o->x, "x", error));
    FAL__TRY(fal_tensor_check(&o->depthwise, "depthwise", error));
    FAL__TRY(fal_tensor_check(&o->pointwise, "pointwise", error));
    const int32_t spatial = o->depthwise.rank - 2;
    if (spatial < 1 || spatial > FAL_MAX_SPATIAL || (o->x.rank != spatial + 2 && o->x.rank != spatial + 1))
        return fal__separable_within(
            error, "depthwise",
            fal_conv_output_shape(false, &o->x, &o->depthwise, params, &s->middle, error));
    split_params(&o->x, spatial, params, s);
    s->o = o;
    FAL__TRY(fal__separable_within(
        error, "depthwise",
        fal_conv_output_shape(false, &o->x, &o->depthwise, &s->depthwise, &s->middle, error)));
    FAL__TRY(check_pointwise(o, params, error));
    FAL__TRY(fal__separable_within(
        error, "pointwise",
        fal_conv_output_shape(false, &s->middle, &o->pointwise, &s->pointwise, y, error)));
    s->middle_bytes = (size_t)fal_tensor_count(&s->middle) * fal_dtype_bytes(s->middle.dtype);
    return FAL_OK;
}

fal_status fal_separable_output_shape(const fal_separable_operands *operands, const fal_conv_params *params,
                                      fal_tensor *y, fal_error *error)
{
    separable s;
    fal_tensor result;
    if (y == NULL) return fal__fail(error, FAL_E_NULL, "y", "y is NULL");
    FAL__TRY(resolve(operands, params, &s, &result, error));
    *y = result;
    return FAL_OK;
}

/* ---- Checks that need data ---- */

static const char *const names[] = {"x", "depthwise", "depthwise_bias", "pointwise", "pointwise_bias", "y"};
enum { PLACES = 6 };

static const fal_tensor *place_of(const fal_separable_operands *o, int place)
{
    const fal_tensor *const places[PLACES] = {&o->x,         &o->depthwise,      &o->depthwise_bias,
                                              &o->pointwise, &o->pointwise_bias, &o->y};
    return places[place];
}

/* A written tensor must be apart from what is read, and from the other written ones of `all`. */
static fal_status check_apart(const fal_tensor *t, const char *name, const fal_separable_operands *all,
                              fal_error *error)
{
    for (int p = 0; p < PLACES; p++) {
        const fal_tensor *other = place_of(all, p);
        if (other == t || fal__operand_missing(other)) continue;
        FAL__TRY(fal__tensor_check_alias(t, name, other, names[p], error));
    }
    return FAL_OK;
}

static fal_status check_forward(separable *s)
{
    fal_error *error = s->setting.error;
    const fal_operands first = {s->o->x, s->o->depthwise, s->o->depthwise_bias, s->middle};
    const fal_operands second = {s->middle, s->o->pointwise, s->o->pointwise_bias, s->o->y};
    fal_conv_geometry geometry;
    FAL__TRY(fal__separable_within(
        error, "depthwise",
        fal__operands_check(FAL_OP_CONV, &first, &s->depthwise, false, &s->geometry, error)));
    FAL__TRY(fal__separable_within(
        error, "pointwise",
        fal__operands_check(FAL_OP_CONV, &second, &s->pointwise, false, &geometry, error)));
    for (int p = 0; p < PLACES; p++)
        if (!fal__operand_missing(place_of(s->o, p)))
            FAL__TRY(fal__tensor_check_align(place_of(s->o, p), names[p], error));
    return check_apart(&s->o->y, "y", s->o, error);
}

static fal_status run_forward(const fal_context *context, const separable *s)
{
    const fal_tensor *bias = fal__operand_missing(&s->o->depthwise_bias) ? NULL : &s->o->depthwise_bias;
    FAL__TRY(fal__separable_within(
        s->setting.error, "depthwise",
        fal_conv(context, &s->o->x, &s->o->depthwise, bias, &s->depthwise, &s->middle)));
    bias = fal__operand_missing(&s->o->pointwise_bias) ? NULL : &s->o->pointwise_bias;
    return fal__separable_within(
        s->setting.error, "pointwise",
        fal_conv(context, &s->middle, &s->o->pointwise, bias, &s->pointwise, &s->o->y));
}

fal_status fal_separable_conv(const fal_context *context, const fal_separable_operands *operands,
                              const fal_conv_params *params)
{
    separable s;
    fal_tensor y;
    FAL__TRY(fal__context_resolve(context, &s.setting));
    FAL__TRY(resolve(operands, params, &s, &y, s.setting.error));
    FAL__TRY(check_forward(&s));
    const fal__separable_halves halves = {s.o, &s.depthwise, &s.pointwise, &s.geometry, &s.middle};
    const int64_t rows = fal__separable_strip_rows(&halves);
    if (rows > 0) return fal__separable_run_strips(context, &halves, rows);
    FAL__TRY(fal__allocate(&s.setting.allocator, s.middle_bytes, "depthwise output", &s.middle.data,
                           s.setting.error));
    const fal_status status = run_forward(context, &s);
    fal__release(&s.setting.allocator, s.middle.data, s.middle_bytes);
    return status;
}

/* ---- Gradients ---- */

/* One half of the gradient: a convolution, what is wanted of it, and its name in reports. */
typedef struct half {
    const char *name;
    fal_conv_params params;
    const fal_tensor *x, *w, *gy;   /* x or gy is the intermediate or its gradient */
    const fal_tensor *gx, *gw, *gb; /* NULL: not wanted */
} half;

static const fal_tensor *wanted(const fal_tensor *t)
{
    return fal__operand_missing(t) ? NULL : t;
}

static fal_status check_half(const half *h, fal_error *error)
{
    fal_conv_geometry geometry;
    if (h->gx != NULL) {
        const fal_operands input = {.x = *h->gx, .w = *h->w, .y = *h->gy};
        FAL__TRY(fal__separable_within(
            error, h->name,
            fal__operands_check(FAL_OP_CONV_GRAD_INPUT, &input, &h->params, false, &geometry, error)));
    }
    if (h->gw == NULL && h->gb == NULL) return FAL_OK;
    fal_operands weight = {.x = *h->x, .w = h->gw != NULL ? *h->gw : *h->w, .y = *h->gy};
    if (h->gb != NULL) weight.bias = *h->gb;
    return fal__separable_within(
        error, h->name,
        fal__operands_check(FAL_OP_CONV_GRAD_WEIGHT, &weight, &h->params, false, &geometry, error));
}

static fal_status add_half(fal__sequence *sequence, const half *h)
{
    const fal__gradients g = {false, h->x, h->w, h->gy, h->gx, h->gw, h->gb};
    return fal__separable_within(sequence->error, h->name,
                                 fal__sequence_add_gradients(sequence, &g, &h->params));
}

/* Forward's checks with gy in the place of y, which is read; then the written ones. */
static fal_status check_backward(const separable *s, const fal_separable_operands *gradients)
{
    static const char *const gradient_names[] = {"gx", "gdepthwise", "gdepthwise_bias", "gpointwise",
                                                 "gpointwise_bias"};
    fal_error *error = s->setting.error;
    if (fal__operand_missing(&s->o->y)) return fal__fail(error, FAL_E_NULL, "gy", "gy is not given");
    FAL__TRY(fal_tensor_check(&s->o->y, "gy", error));
    for (int p = 0; p < PLACES; p++)
        if (!fal__operand_missing(place_of(s->o, p)))
            FAL__TRY(fal__tensor_check_align(place_of(s->o, p), p == PLACES - 1 ? "gy" : names[p], error));
    for (int p = 0; p < PLACES - 1; p++) {
        const fal_tensor *t = place_of(gradients, p);
        if (fal__operand_missing(t)) continue;
        FAL__TRY(fal__tensor_check_output(t, gradient_names[p], error));
        FAL__TRY(fal__tensor_check_same_shape(place_of(s->o, p), names[p], t, gradient_names[p], error));
        FAL__TRY(fal__tensor_check_align(t, gradient_names[p], error));
        FAL__TRY(check_apart(t, gradient_names[p], s->o, error));
        for (int other = 0; other < p; other++)
            if (!fal__operand_missing(place_of(gradients, other)))
                FAL__TRY(fal__tensor_check_alias(t, gradient_names[p], place_of(gradients, other),
                                                 gradient_names[other], error));
    }
    return FAL_OK;
}

/* The intermediate serves twice: as the input of the second half, then as the gradient of its output. */
static fal_status add_backward(fal__sequence *sequence, const separable *s, const half *first,
                               const half *second)
{
    if (second->gw != NULL || second->gb != NULL) {
        const fal_operands forward = {s->o->x, s->o->depthwise, s->o->depthwise_bias, s->middle};
        FAL__TRY(fal__separable_within(sequence->error, "depthwise",
                                       fal__sequence_add(sequence, FAL_OP_CONV, &forward, &s->depthwise)));
        FAL__TRY(add_half(sequence, second));
    }
    if (first->gx == NULL && first->gw == NULL && first->gb == NULL) return FAL_OK;
    half middle = *second;
    fal_tensor shape = s->middle;
    shape.data = NULL;
    middle.params.beta = 0;
    middle.x = &shape;
    middle.gx = &s->middle;
    middle.gw = middle.gb = NULL;
    FAL__TRY(add_half(sequence, &middle));
    return add_half(sequence, first);
}

fal_status fal_separable_conv_grad(const fal_context *context, const fal_separable_operands *operands,
                                   const fal_conv_params *params, const fal_separable_operands *gradients)
{
    separable s;
    fal_tensor y;
    FAL__TRY(fal__context_resolve(context, &s.setting));
    fal_error *error = s.setting.error;
    if (gradients == NULL) return fal__fail(error, FAL_E_NULL, "gradients", "gradients is NULL");
    FAL__TRY(resolve(operands, params, &s, &y, error));
    FAL__TRY(check_backward(&s, gradients));
    half first = {"depthwise",
                  s.depthwise,
                  &operands->x,
                  &operands->depthwise,
                  &s.middle,
                  wanted(&gradients->x),
                  wanted(&gradients->depthwise),
                  wanted(&gradients->depthwise_bias)};
    half second = {"pointwise",
                   s.pointwise,
                   &s.middle,
                   &operands->pointwise,
                   &operands->y,
                   NULL,
                   wanted(&gradients->pointwise),
                   wanted(&gradients->pointwise_bias)};
    first.params.beta = s.pointwise.beta;
    FAL__TRY(check_half(&first, error));
    FAL__TRY(check_half(&second, error));
    FAL__TRY(fal__allocate(&s.setting.allocator, s.middle_bytes, "depthwise output", &s.middle.data, error));
    fal__sequence sequence;
    fal__sequence_begin(&sequence, context);
    fal_status status = add_backward(&sequence, &s, &first, &second);
    if (status == FAL_OK) status = fal__sequence_run(&sequence);
    fal__sequence_end(&sequence);
    fal__release(&s.setting.allocator, s.middle.data, s.middle_bytes);
    return status;
}
