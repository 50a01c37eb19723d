/* SPDX-License-Identifier: BSD-3-Clause */
/* depthwise.c: see depthwise.h. */
#include "solvers/parts/depthwise.h"

#include <stdlib.h>

#include "base/checked.h"

/* Between neighbouring taps; one tap has no neighbour. */
static int64_t dilation(const fal__problem_axis *axis)
{
    return axis->k > 1 ? axis->d : 1;
}

fal__depthwise_span fal__depthwise_reach(const fal__problem_axis *axis, int64_t first, int64_t end)
{
    const int64_t extent = (axis->k - 1) * dilation(axis);
    const int64_t low = first * axis->s - axis->begin + fal__min(0, extent),
                  high = (end - 1) * axis->s - axis->begin + fal__max(0, extent) + 1;
    fal__depthwise_span span = {
        .first = first, .end = end, .low = fal__max(0, low), .high = fal__min(axis->in, high)};
    if (span.high <= span.low) span.low = span.high = 0;
    return span;
}

int64_t fal__depthwise_classes(const fal__problem_axis *axis)
{
    return llabs(dilation(axis));
}

fal__depthwise_axis fal__depthwise_rows(const fal__problem_axis *axis, const fal__depthwise_span *span,
                                        int64_t x_step, int64_t y_step)
{
    return (fal__depthwise_axis){.out = span->end - span->first,
                                 .taps = axis->k,
                                 .stride = axis->s,
                                 .dilation = dilation(axis),
                                 .first = span->first * axis->s - axis->begin - span->low,
                                 .in = span->high - span->low,
                                 .x = x_step,
                                 .y = y_step};
}

/*
 * Let g = |d| and output o = o0 + sign*g*u. Tap t of output u reads position
 *
 *     o*s + t*d - begin = p0 + sign*g*(u*s + t),      p0 = o0*s - begin
 *
 * With `base` the end of the span's positions congruent to p0 modulo g (the low end for sign 1, the high
 * one for -1), position base + sign*g*i is number i of the new axis, and output 0, tap 0 stands at number
 * sign*(p0 - base)/g, exactly.
 */
fal__depthwise_axis fal__depthwise_columns(const fal__problem_axis *axis, const fal__depthwise_span *span,
                                           int64_t class, int64_t x_step, int64_t y_step, int64_t *x_offset,
                                           int64_t *y_offset)
{
    const int64_t g = fal__depthwise_classes(axis), sign = dilation(axis) < 0 ? -1 : 1;
    const int64_t outputs = span->end - span->first, in = span->high - span->low;
    const int64_t o = sign > 0 ? class : outputs - 1 - class; /* counted from span->first */
    const int64_t p = (span->first + o) * axis->s - axis->begin - span->low;
    const int64_t base = sign > 0 ? fal__floor_mod(p, g) : in - 1 - fal__floor_mod(in - 1 - p, g);
    const int64_t left = sign > 0 ? in - base : base + 1; /* positions from the base on */
    *x_offset = base * x_step;
    *y_offset = o * y_step;
    return (fal__depthwise_axis){.out = fal__ceil_div(outputs - class, g),
                                 .taps = axis->k,
                                 .stride = axis->s,
                                 .dilation = 1,
                                 .first = sign * (p - base) / g,
                                 .in = left > 0 ? fal__ceil_div(left, g) : 0,
                                 .x = sign * g * x_step,
                                 .y = sign * g * y_step};
}

double fal__depthwise_traffic(const fal__problem *p, size_t element)
{
    enum { LINE = 64, L2 = 1536 << 10, TAPS_MANY = 16 };
    double x = (double)(p->groups * p->ic), y = (double)(p->groups * p->oc), taps = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        x *= (double)p->axis[a].in;
        y *= (double)p->axis[a].out;
        taps *= (double)p->axis[a].k;
    }
    const double bytes = (double)p->n * (x + y) * (double)element;
    return bytes / LINE * (bytes < L2 ? 1.2 : taps * (double)p->ic < TAPS_MANY ? 6.5 : 2.5);
}
