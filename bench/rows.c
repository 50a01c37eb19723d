/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rows.c: unfold as one would write it by hand: a memcpy for every row of a window.
 *
 *     nchw   row (c, a, b) of the columns, line by line: the line of x that lies under the tap, shifted
 *     nhwc   column (oy, ox): for every tap the channels of its pixel
 *
 * The baseline of `faltung bench` for planes of two axes with zeros around them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peer.h"

typedef struct rows {
    fal_axis axis[2];
    int64_t n, channels;
    bool last;
    const float *x;
    float *y;
} rows;

static void release(void *state)
{
    free(state);
}

static void place(void *state, const fal_operands *operands)
{
    rows *r = state;
    r->x = operands->x.data;
    r->y = operands->y.data;
}

static void *prepare(const bench_problem *p)
{
    fal_conv_geometry g;
    fal_tensor w;
    const bool last = p->params.layout == FAL_NHWC;
    if (p->op != BENCH_UNFOLD || p->operands.x.rank != 4) return NULL;
    const int64_t channels = p->operands.x.shape[last ? 3 : 1], *k = p->params.kernel;
    const int64_t shapes[2][4] = {{1, channels, k[0], k[1]}, {k[0], k[1], channels, 1}};
    w = fal_tensor_of(NULL, FAL_F32, 4, shapes[last]);
    rows *r = calloc(1, sizeof *r);
    if (r == NULL || fal_conv_describe(false, &p->operands.x, &w, &p->params, &g, NULL) != FAL_OK) {
        free(r);
        return NULL;
    }
    *r = (rows){.axis = {g.axis[0], g.axis[1]}, .n = g.n, .channels = channels, .last = last};
    place(r, &p->operands);
    return r;
}

/* One line of one tap: ow values from x + position, zeros where there is no cell. */
static float *put_line(const fal_axis *h, int64_t b, const float *line, float *y)
{
    const int64_t start = b * h->dilation - h->begin;
    int64_t first = 0, end = 0;
    while (first < h->output && start + first * h->stride < 0) first++;
    for (end = first; end < h->output && start + end * h->stride < h->input;) end++;
    if (line == NULL) first = end = 0;
    memset(y, 0, (size_t)first * sizeof *y);
    if (h->stride == 1 && end > first)
        memcpy(y + first, line + start + first, (size_t)(end - first) * sizeof *y);
    else
        for (int64_t o = first; o < end; o++) y[o] = line[start + o * h->stride];
    memset(y + end, 0, (size_t)(h->output - end) * sizeof *y);
    return y + h->output;
}

static void unfold_planes(const rows *r)
{
    const fal_axis *v = &r->axis[0], *h = &r->axis[1];
    float *y = r->y;
    for (int64_t plane = 0; plane < r->n * r->channels; plane++)
        for (int64_t t = 0; t < v->kernel * h->kernel; t++)
            for (int64_t o = 0; o < v->output; o++) {
                const int64_t i = o * v->stride + t / h->kernel * v->dilation - v->begin;
                const bool inside = i >= 0 && i < v->input;
                y = put_line(h, t % h->kernel, inside ? r->x + (plane * v->input + i) * h->input : NULL, y);
            }
}

static void unfold_pixels(const rows *r)
{
    const fal_axis *v = &r->axis[0], *h = &r->axis[1];
    const size_t bytes = (size_t)r->channels * sizeof(float);
    float *y = r->y;
    for (int64_t o = 0; o < r->n * v->output * h->output; o++)
        for (int64_t t = 0; t < v->kernel * h->kernel; t++, y += r->channels) {
            const int64_t n = o / (v->output * h->output), oy = o / h->output % v->output, ox = o % h->output;
            const int64_t i = oy * v->stride + t / h->kernel * v->dilation - v->begin;
            const int64_t j = ox * h->stride + t % h->kernel * h->dilation - h->begin;
            if (i < 0 || i >= v->input || j < 0 || j >= h->input)
                memset(y, 0, bytes);
            else
                memcpy(y, r->x + ((n * v->input + i) * h->input + j) * r->channels, bytes);
        }
}

static bool run(void *state)
{
    const rows *r = state;
    (r->last ? unfold_pixels : unfold_planes)(r);
    return true;
}

static void version(char *text, size_t capacity)
{
    snprintf(text, capacity, "of memcpy");
}

const bench_peer bench_rows = {
    .name = "rows", .version = version, .prepare = prepare, .place = place, .run = run, .release = release};
