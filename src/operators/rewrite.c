/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rewrite.c: the rewritings of rewrite.h, except for the phases.
 *
 * Spatial axes are set in place: axis a of S becomes axis 3 - S + a of the problem, and the leading
 * ones stay 1 wide.
 */
#include "operators/rewrite.h"

#include <string.h>

#include "base/checked.h"

static const fal__problem_axis unit_axis = {.in = 1, .out = 1, .k = 1, .s = 1, .d = 1};

/* Channels of one group. */
static int64_t group_ic(const fal__call *c)
{
    return c->geometry.in_channels / c->geometry.groups;
}
static int64_t group_oc(const fal__call *c)
{
    return c->geometry.out_channels / c->geometry.groups;
}

/* Element stride from one group of the weight to the next: along the axis that counts all groups. */
static int64_t weight_group_stride(const fal__call *c)
{
    return c->geometry.transposed ? c->w.in * group_ic(c) : c->w.out * group_oc(c);
}

/* A problem without axes, roles and weight strides: what all rewritings share. */
static fal__problem begin_problem(const fal__call *c)
{
    fal__problem p;
    memset(&p, 0, sizeof p); /* padding bytes too: problems are compared and hashed */
    p.groups = c->geometry.groups;
    p.mode = c->geometry.padding_mode;
    p.padding_value = c->padding_value;
    p.beta = c->beta;
    p.activation = c->activation;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) p.axis[a] = unit_axis;
    return p;
}

/* x (or, when `from_y`, y) is read over its own channels, the other one written. */
static void set_data(const fal__call *c, bool from_y, fal__problem *p)
{
    const fal__data_strides *read = from_y ? &c->y : &c->x, *written = from_y ? &c->x : &c->y;
    const int64_t read_channels = from_y ? group_oc(c) : group_ic(c);
    const int64_t written_channels = from_y ? group_ic(c) : group_oc(c);
    p->n = c->geometry.n;
    p->ic = read_channels;
    p->oc = written_channels;
    p->x_n = read->n, p->x_ic = read->c, p->x_g = read->c * read_channels;
    p->y_n = written->n, p->y_oc = written->c, p->y_g = written->c * written_channels;
    p->w_g = weight_group_stride(c);
    p->w_ic = from_y ? c->w.out : c->w.in;
    p->w_oc = from_y ? c->w.in : c->w.out;
    p->x_role = from_y ? FAL__ROLE_Y : FAL__ROLE_X;
    p->y_role = from_y ? FAL__ROLE_X : FAL__ROLE_Y;
    p->w_role = FAL__ROLE_W;
    p->dtype = c->w_dtype;
    p->y_dtype = from_y ? c->x_dtype : c->y_dtype;
    p->has_bias = !from_y && c->bias_dtype != FAL_DTYPE_NONE;
    p->b_oc = c->bias_stride;
    p->b_g = c->bias_stride * group_oc(c);
}

/* conv, and the input gradient of its transpose: a plain correlation. */
static int64_t rewrite_conv(const fal__call *c, bool from_y, fal__problem *problems)
{
    if (problems == NULL) return 1;
    fal__problem p = begin_problem(c);
    set_data(c, from_y, &p);
    const int32_t lead = FAL_MAX_SPATIAL - c->geometry.spatial;
    for (int32_t a = 0; a < c->geometry.spatial; a++) {
        const fal_axis *axis = &c->geometry.axis[a];
        const bool flip = c->geometry.flip_kernel;
        p.axis[lead + a] = (fal__problem_axis){.in = from_y ? axis->output : axis->input,
                                               .out = from_y ? axis->input : axis->output,
                                               .k = axis->kernel,
                                               .s = axis->stride,
                                               .d = axis->dilation,
                                               .begin = axis->begin,
                                               .xs = from_y ? c->y.space[a] : c->x.space[a],
                                               .ws = flip ? -c->w.space[a] : c->w.space[a],
                                               .ys = from_y ? c->x.space[a] : c->y.space[a]};
        if (flip) p.w_base += (axis->kernel - 1) * c->w.space[a];
    }
    *problems = p;
    return 1;
}

/* conv_transpose, and the input gradient of conv. */
static int64_t rewrite_transposed(const fal__call *c, bool from_y, fal__problem *problems)
{
    fal__problem p = begin_problem(c);
    set_data(c, from_y, &p);
    p.mode = FAL_PAD_ZEROS; /* beyond the end of what is read there is nothing, whatever x's border */
    fal__transposed_axis axes[FAL_MAX_SPATIAL];
    const int32_t lead = FAL_MAX_SPATIAL - c->geometry.spatial;
    for (int32_t a = 0; a < lead; a++)
        axes[a] = (fal__transposed_axis){.in = 1, .out = 1, .k = 1, .s = 1, .d = 1};
    for (int32_t a = 0; a < c->geometry.spatial; a++) {
        const fal_axis *axis = &c->geometry.axis[a];
        axes[lead + a] = (fal__transposed_axis){.in = from_y ? axis->output : axis->input,
                                                .out = from_y ? axis->input : axis->output,
                                                .k = axis->kernel,
                                                .s = axis->stride,
                                                .d = axis->dilation,
                                                .begin = axis->begin,
                                                .xs = from_y ? c->y.space[a] : c->x.space[a],
                                                .ws = c->w.space[a],
                                                .ys = from_y ? c->x.space[a] : c->y.space[a],
                                                .flip = c->geometry.flip_kernel};
    }
    return fal__rewrite_phases(&p, axes, problems);
}

/*
 * gw[oc,ic,t] = sum over n, o of  gy[n,oc,o] * x~[n,ic, o*s + t*d - begin]
 *
 * is the canonical problem with  batch <- ic,  channels <- n,  outputs <- t,  taps <- o,
 * stride <- d,  dilation <- s,  weight <- gy. For the transpose x and gy exchange their parts.
 */
static int64_t rewrite_grad_weight(const fal__call *c, fal__problem *problems)
{
    if (problems == NULL) return 1;
    const bool transposed = c->geometry.transposed;
    const fal__data_strides *slid = transposed ? &c->y : &c->x, *held = transposed ? &c->x : &c->y;
    const int64_t slid_channels = transposed ? group_oc(c) : group_ic(c);
    const int64_t held_channels = transposed ? group_ic(c) : group_oc(c);
    fal__problem p = begin_problem(c);
    p.n = slid_channels, p.oc = held_channels, p.ic = c->geometry.n;
    p.x_n = slid->c, p.x_ic = slid->n, p.x_g = slid->c * slid_channels;
    p.w_oc = held->c, p.w_ic = held->n, p.w_g = held->c * held_channels;
    p.y_n = transposed ? c->w.out : c->w.in;
    p.y_oc = transposed ? c->w.in : c->w.out;
    p.y_g = weight_group_stride(c);
    p.x_role = transposed ? FAL__ROLE_Y : FAL__ROLE_X;
    p.w_role = transposed ? FAL__ROLE_X : FAL__ROLE_Y;
    p.y_role = FAL__ROLE_W;
    p.dtype = c->x_dtype;
    p.y_dtype = c->w_dtype;
    const int32_t lead = FAL_MAX_SPATIAL - c->geometry.spatial;
    for (int32_t a = 0; a < c->geometry.spatial; a++) {
        const fal_axis *axis = &c->geometry.axis[a];
        const bool flip = c->geometry.flip_kernel;
        p.axis[lead + a] = (fal__problem_axis){.in = transposed ? axis->output : axis->input,
                                               .out = axis->kernel,
                                               .k = transposed ? axis->input : axis->output,
                                               .s = axis->dilation,
                                               .d = axis->stride,
                                               .begin = axis->begin,
                                               .xs = slid->space[a],
                                               .ws = held->space[a],
                                               .ys = flip ? -c->w.space[a] : c->w.space[a]};
        if (flip) p.y_base += (axis->kernel - 1) * c->w.space[a];
    }
    *problems = p;
    return 1;
}

/* gb[oc] = sum over n, o of gy[n,oc,o]: gy as the weight, against a border of ones around nothing. */
static int64_t rewrite_grad_bias(const fal__call *c, fal__problem *problems)
{
    if (problems == NULL) return 1;
    fal__problem p = begin_problem(c);
    p.mode = FAL_PAD_CONSTANT;
    p.padding_value = 1;
    p.n = 1, p.oc = group_oc(c), p.ic = c->geometry.n;
    p.w_oc = c->y.c, p.w_ic = c->y.n, p.w_g = c->y.c * group_oc(c);
    p.y_oc = c->bias_stride, p.y_g = c->bias_stride * group_oc(c);
    p.x_role = FAL__ROLE_Y, p.w_role = FAL__ROLE_Y, p.y_role = FAL__ROLE_BIAS;
    p.dtype = c->x_dtype;
    p.y_dtype = c->bias_dtype;
    const int32_t lead = FAL_MAX_SPATIAL - c->geometry.spatial;
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++) p.axis[a].in = 0;
    for (int32_t a = 0; a < c->geometry.spatial; a++) {
        p.axis[lead + a].k = c->geometry.axis[a].output;
        p.axis[lead + a].ws = c->y.space[a];
    }
    *problems = p;
    return 1;
}

int64_t fal__rewrite(const fal__call *c, fal__problem *problems)
{
    switch (c->op) {
    case FAL_OP_CONV: return rewrite_conv(c, false, problems);
    case FAL_OP_CONV_TRANSPOSE: return rewrite_transposed(c, false, problems);
    case FAL_OP_CONV_GRAD_INPUT: return rewrite_transposed(c, true, problems);
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT: return rewrite_conv(c, true, problems);
    case FAL_OP_CONV_GRAD_WEIGHT:
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT: break;
    }
    int64_t count = rewrite_grad_weight(c, problems);
    if (c->bias_dtype != FAL_DTYPE_NONE)
        count += rewrite_grad_bias(c, problems == NULL ? NULL : problems + count);
    return count;
}
