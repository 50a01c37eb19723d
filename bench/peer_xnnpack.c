/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_xnnpack.c: XNNPACK's float32 operators: 1-D and 2-D, channels last.
 *
 * Its weights are (oc, kh, kw, ic/g) for a convolution and, in groups, (oc/g, kh, kw, ic/g) for a
 * transposed one; it packs them when an operator is made.
 */
#include <math.h>
#include <pthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <xnnpack.h>

#include "bench/peer.h"

typedef struct xnn {
    xnn_operator_t op;
    pthreadpool_t pool; /* NULL on one thread */
    const bench_problem *problem;
    bool ready;
} xnn;

static void release(void *state)
{
    xnn *s = state;
    if (s->op != NULL) xnn_delete_operator(s->op);
    if (s->pool != NULL) pthreadpool_destroy(s->pool);
    free(s);
}

/* The axes as height and width; a signal has height 1. */
static const fal_axis *axis_of(const fal_conv_geometry *g, int a)
{
    static const fal_axis one = {.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    const int lead = 2 - g->spatial;
    return a >= lead ? &g->axis[a - lead] : &one;
}

static void place(void *state, const fal_operands *o)
{
    xnn *s = state;
    const fal_conv_geometry *g = &s->problem->geometry;
    const fal_axis *h = axis_of(g, 0), *w = axis_of(g, 1);
    if (g->transposed)
        s->ready = xnn_setup_deconvolution2d_nhwc_f32(
                       s->op, (size_t)g->n, (size_t)h->input, (size_t)w->input, (uint32_t)h->output_padding,
                       (uint32_t)w->output_padding, o->x.data, o->y.data, s->pool) == xnn_status_success;
    else
        s->ready = xnn_setup_convolution2d_nhwc_f32(s->op, (size_t)g->n, (size_t)h->input, (size_t)w->input,
                                                    o->x.data, o->y.data, s->pool) == xnn_status_success;
}

/* The weights in XNNPACK's order. Ours are (taps, ic/g, oc), transposed (taps, oc/g, ic): a row of each
 * output channel, of all groups, is gathered from there. */
static float *reorder(const bench_problem *p)
{
    const fal_conv_geometry *g = &p->geometry;
    const int64_t ic = g->in_channels / g->groups, oc = g->out_channels / g->groups,
                  taps = axis_of(g, 0)->kernel * axis_of(g, 1)->kernel;
    const float *from = p->operands.w.data;
    float *to = malloc((size_t)(g->out_channels * taps * ic) * sizeof *to);
    for (int64_t o = 0; to != NULL && o < g->out_channels; o++)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t i = 0; i < ic; i++)
                to[(o * taps + t) * ic + i] = g->transposed
                                                  ? from[(t * oc + o % oc) * g->in_channels + o / oc * ic + i]
                                                  : from[(t * ic + i) * g->out_channels + o];
    return to;
}

static enum xnn_status create(xnn *s, const float *weights)
{
    const fal_conv_geometry *g = &s->problem->geometry;
    const fal_axis *h = axis_of(g, 0), *w = axis_of(g, 1);
    const size_t ic = (size_t)(g->in_channels / g->groups), oc = (size_t)(g->out_channels / g->groups);
    return (g->transposed ? xnn_create_deconvolution2d_nhwc_f32 : xnn_create_convolution2d_nhwc_f32)(
        (uint32_t)h->begin, (uint32_t)w->end, (uint32_t)h->end, (uint32_t)w->begin, (uint32_t)h->kernel,
        (uint32_t)w->kernel, (uint32_t)h->stride, (uint32_t)w->stride, (uint32_t)h->dilation,
        (uint32_t)w->dilation, (uint32_t)g->groups, ic, oc, (size_t)g->in_channels, (size_t)g->out_channels,
        weights, NULL, -INFINITY, INFINITY, 0, &s->op);
}

static void *prepare(const bench_problem *p)
{
    const bool forward = p->op == BENCH_CONV || p->op == BENCH_CONV_TRANSPOSE;
    if (!forward || p->geometry.layout != FAL_NHWC || p->geometry.spatial > 2) return NULL;
    if (xnn_initialize(NULL) != xnn_status_success) return NULL;
    xnn *s = calloc(1, sizeof *s);
    float *weights = reorder(p);
    if (s != NULL) {
        s->problem = p;
        if (p->context.threads > 1) s->pool = pthreadpool_create((size_t)p->context.threads);
        if (weights != NULL && create(s, weights) == xnn_status_success) place(s, &p->operands);
    }
    free(weights);
    if (s == NULL || s->ready) return s;
    release(s);
    return NULL;
}

static bool run(void *state)
{
    const xnn *s = state;
    return s->ready && xnn_run_operator(s->op, s->pool) == xnn_status_success;
}

/* XNNPACK has no version of its own; the build says what it found. */
static void version(char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", BENCH_HAVE_XNNPACK);
}

const bench_peer bench_xnnpack = {.name = "xnnpack",
                                  .version = version,
                                  .prepare = prepare,
                                  .place = place,
                                  .run = run,
                                  .release = release};
