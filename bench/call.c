/* SPDX-License-Identifier: BSD-3-Clause */
/* call.c: see call.h. */
#include "bench/call.h"

/* The operand that is written, as an input of which only the shape is asked. */
static fal_tensor shape_of(const fal_tensor *t)
{
    fal_tensor shape = *t;
    shape.data = NULL;
    return shape;
}

static fal_status deform(const bench_problem *p, const fal_operands *o)
{
    const fal_deform_operands operands = {
        .x = o->x, .offset = p->offset, .mask = p->mask, .w = o->w, .y = o->y};
    return p->op == BENCH_DEFORM_GRAD
               ? fal_deform_conv_grad(&p->context, &operands, &p->params, 1, &p->gradients)
               : fal_deform_conv(&p->context, &operands, &p->params, 1);
}

static fal_status pad(const bench_problem *p, const fal_operands *o)
{
    int64_t begin[FAL_MAX_RANK] = {0};
    const int32_t first = p->params.layout == FAL_NHWC ? 1 : 2;
    for (int32_t a = 0; a < o->x.rank - 2; a++) begin[first + a] = p->params.padding_begin[a];
    return fal_tensor_pad(&o->x, begin, FAL_PAD_ZEROS, 0, &o->y, p->context.error);
}

fal_status bench_call(const bench_problem *p, const fal_operands *o)
{
    const fal_context *c = &p->context;
    const fal_tensor *x = &o->x, *w = &o->w, *y = &o->y;
    const fal_tensor x_shape = shape_of(x), w_shape = shape_of(w);
    switch (p->op) {
    case BENCH_CONV: return fal_conv(c, x, w, NULL, &p->params, y);
    case BENCH_CONV_TRANSPOSE: return fal_conv_transpose(c, x, w, NULL, &p->params, y);
    case BENCH_GRAD_INPUT: return fal_conv_grad(c, &x_shape, w, y, &p->params, x, NULL, NULL);
    case BENCH_GRAD_WEIGHT: return fal_conv_grad(c, x, &w_shape, y, &p->params, NULL, w, NULL);
    case BENCH_MAX_POOL:
    case BENCH_AVERAGE_POOL:
    case BENCH_GLOBAL_POOL: return fal_pool(c, x, &p->pool, y, NULL);
    case BENCH_UNFOLD: return fal_unfold(x, &p->params, y, c->error);
    case BENCH_FOLD: return fal_fold(y, &p->params, x, c->error);
    case BENCH_PAD: return pad(p, o);
    case BENCH_UPSAMPLE:
    case BENCH_UPSAMPLE_NEAREST: return fal_upsample(c, x, &p->upsample, y);
    case BENCH_DEFORM_CONV:
    case BENCH_DEFORM_CONV_V2:
    case BENCH_DEFORM_GRAD: return deform(p, o);
    case BENCH_OPERATORS: break;
    }
    return FAL_E_INTERNAL;
}
