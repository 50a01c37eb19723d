/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * problem.c: from a layer to its tensors.
 */
#include "bench/problem.h"

#include <stdio.h>
#include <string.h>

/* A shape in a layout: nchw (a, b, space...), nhwc (a, space..., b) or, for weights, (space..., a, b). */
static fal_tensor shaped(fal_layout layout, bool weight, int64_t a, int64_t b, int32_t spatial,
                         const int64_t *space)
{
    int64_t shape[FAL_MAX_RANK];
    const bool last = layout == FAL_NHWC;
    const int32_t first = !last ? 2 : weight ? 0 : 1;
    for (int32_t s = 0; s < spatial; s++) shape[first + s] = space[s];
    shape[last && weight ? spatial : 0] = a;
    shape[last ? spatial + 1 : 1] = b;
    return fal_tensor_of(NULL, FAL_F32, spatial + 2, shape);
}

/* ---- Convolutions ---- */

static fal_status describe_conv(const bench_layer *l, fal_layout layout, bench_problem *p, fal_error *error)
{
    const bool transposed = l->op == BENCH_CONV_TRANSPOSE;
    const int64_t groups = l->params.groups > 0 ? l->params.groups : 1;
    /* The two channel axes of a weight: (oc, ic/g), swapped in nhwc and swapped when transposed. Channels
     * that g does not divide are left for the library to refuse. */
    const int64_t outer = transposed ? l->in_channels : l->out_channels,
                  inner = (transposed ? l->out_channels : l->in_channels) / groups;
    const bool last = layout == FAL_NHWC;
    fal_counts counts;
    p->operands.w = shaped(layout, true, last ? inner : outer, last ? outer : inner, l->spatial, l->kernel);
    fal_status status =
        fal_conv_output_shape(transposed, &p->operands.x, &p->operands.w, &p->params, &p->operands.y, error);
    if (status == FAL_OK)
        status =
            fal_conv_describe(transposed, &p->operands.x, &p->operands.w, &p->params, &p->geometry, error);
    if (status == FAL_OK) status = fal_conv_counts(&p->geometry, FAL_F32, false, &counts, error);
    if (status == FAL_OK) p->flops = 2.0 * (double)(p->work = counts.multiply_adds);
    return status;
}

static fal_status describe_deform(const bench_layer *l, fal_layout layout, bench_problem *p, fal_error *error)
{
    const fal_status status = describe_conv(l, layout, p, error);
    if (status != FAL_OK) return status;
    if (l->spatial != 2) {
        *error = (fal_error){.status = FAL_E_RANK, .allowed = "must have two, like in50x50"};
        snprintf(error->found, sizeof error->found, "a deformable layer of %d axes", (int)l->spatial);
        return FAL_E_RANK;
    }
    const int64_t taps = p->geometry.axis[0].kernel * p->geometry.axis[1].kernel;
    const int64_t space[2] = {p->geometry.axis[0].output, p->geometry.axis[1].output};
    p->offset = shaped(layout, false, l->n, 2 * taps, 2, space);
    if (l->op != BENCH_DEFORM_CONV) p->mask = shaped(layout, false, l->n, taps, 2, space);
    if (l->op != BENCH_DEFORM_GRAD) return FAL_OK;
    p->gradients =
        (fal_deform_operands){.x = p->operands.x, .offset = p->offset, .mask = p->mask, .w = p->operands.w};
    p->flops *= 2; /* two products: the gradients of the columns and of the weight */
    return FAL_OK;
}

/* ---- What has no weights ---- */

static fal_status describe_pool(const bench_layer *l, bench_problem *p, fal_error *error)
{
    p->pool = (fal_pool_params){.kind = l->op == BENCH_MAX_POOL ? FAL_POOL_MAX : FAL_POOL_AVERAGE,
                                .extent = l->op == BENCH_GLOBAL_POOL ? FAL_POOL_GLOBAL : FAL_POOL_WINDOW,
                                .padding = l->params.padding,
                                .layout = p->params.layout};
    memcpy(p->pool.kernel, l->kernel, sizeof p->pool.kernel);
    memcpy(p->pool.stride, l->params.stride, sizeof p->pool.stride);
    memcpy(p->pool.dilation, l->params.dilation, sizeof p->pool.dilation);
    memcpy(p->pool.padding_begin, l->params.padding_begin, sizeof p->pool.padding_begin);
    memcpy(p->pool.padding_end, l->params.padding_end, sizeof p->pool.padding_end);
    for (int a = l->spatial; a < FAL_MAX_SPATIAL; a++) /* one number stood for all axes */
        p->pool.kernel[a] = p->pool.stride[a] = p->pool.dilation[a] = p->pool.padding_begin[a] =
            p->pool.padding_end[a] = 0;
    return fal_pool_output_shape(&p->operands.x, &p->pool, &p->operands.y, error);
}

/* The sizes of y on the axes of x that are space: i*factor + begin + end. */
static fal_status describe_larger(const bench_layer *l, fal_layout layout, bench_problem *p, fal_error *error)
{
    int64_t space[FAL_MAX_SPATIAL];
    const bool pad = l->op == BENCH_PAD;
    if (pad && l->params.padding != FAL_PADDING_EXPLICIT) {
        *error = (fal_error){
            .status = FAL_E_PADDING, .found = "pad has a rule", .allowed = "must be p1, p1x2 or p0:1"};
        return FAL_E_PADDING;
    }
    for (int32_t a = 0; a < l->spatial; a++)
        space[a] = pad ? l->input[a] + l->params.padding_begin[a] + l->params.padding_end[a]
                       : l->input[a] * l->params.stride[a];
    p->upsample = (fal_upsample_params){
        .mode = l->op == BENCH_UPSAMPLE ? FAL_UPSAMPLE_BILINEAR : FAL_UPSAMPLE_NEAREST, .layout = layout};
    p->operands.y = shaped(layout, false, l->n, l->in_channels, l->spatial, space);
    return FAL_OK;
}

static fal_status describe_columns(const bench_layer *l, bench_problem *p, fal_error *error)
{
    memcpy(p->params.kernel, l->kernel, sizeof p->params.kernel);
    return fal_unfold_shape(&p->operands.x, &p->params, &p->operands.y, error);
}

/* ---- All ---- */

int bench_tensors(bench_problem *p, fal_tensor *tensors[BENCH_TENSORS])
{
    fal_tensor *const all[BENCH_TENSORS] = {&p->operands.x,       &p->operands.w,     &p->operands.y,
                                            &p->offset,           &p->mask,           &p->gradients.x,
                                            &p->gradients.offset, &p->gradients.mask, &p->gradients.w};
    int count = 0;
    for (int i = 0; i < BENCH_TENSORS; i++)
        if (all[i]->rank > 0) tensors[count++] = all[i];
    return count;
}

/* Bytes, and for what has no products the work; refuses what cannot be in memory. */
static fal_status count(bench_problem *p, fal_error *error)
{
    fal_tensor *tensors[BENCH_TENSORS];
    const int number = bench_tensors(p, tensors);
    for (int i = 0; i < number; i++) {
        const int64_t elements = fal_tensor_count(tensors[i]);
        if (elements < 0 || tensors[i]->dtype != FAL_F32) {
            *error =
                (fal_error){.status = FAL_E_OVERFLOW, .found = "a tensor of the layer overflows 64 bits"};
            return FAL_E_OVERFLOW;
        }
        p->bytes += 4.0 * (double)elements;
    }
    const double touched = p->bytes / 4; /* windows are at most as many as cells; a limit need not be exact */
    if (p->flops <= 0) p->work = touched < 0x1p62 ? (int64_t)touched : INT64_MAX;
    return FAL_OK;
}

fal_status bench_describe(const bench_layer *l, fal_layout layout, bench_problem *p, fal_error *error)
{
    *p = (bench_problem){.op = l->op, .params = l->params, .context = {.error = error}};
    p->params.layout = layout;
    p->operands.x = shaped(layout, false, l->n, l->in_channels, l->spatial, l->input);
    fal_status status = FAL_OK;
    switch (l->op) {
    case BENCH_MAX_POOL:
    case BENCH_AVERAGE_POOL:
    case BENCH_GLOBAL_POOL: status = describe_pool(l, p, error); break;
    case BENCH_UNFOLD:
    case BENCH_FOLD: status = describe_columns(l, p, error); break;
    case BENCH_PAD:
    case BENCH_UPSAMPLE:
    case BENCH_UPSAMPLE_NEAREST: status = describe_larger(l, layout, p, error); break;
    case BENCH_DEFORM_CONV:
    case BENCH_DEFORM_CONV_V2:
    case BENCH_DEFORM_GRAD: status = describe_deform(l, layout, p, error); break;
    default: status = describe_conv(l, layout, p, error);
    }
    return status == FAL_OK ? count(p, error) : status;
}

bool bench_has_plan(bench_operator op)
{
    return op <= BENCH_GRAD_WEIGHT;
}

const fal_tensor *bench_result(const bench_problem *p)
{
    switch (p->op) {
    case BENCH_GRAD_INPUT:
    case BENCH_FOLD: return &p->operands.x;
    case BENCH_GRAD_WEIGHT: return &p->operands.w;
    case BENCH_DEFORM_GRAD: return &p->gradients.x;
    default: return &p->operands.y;
    }
}
