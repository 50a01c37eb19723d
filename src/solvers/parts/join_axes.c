/* SPDX-License-Identifier: BSD-3-Clause */
/* join_axes.c: see join_axes.h. */
#include "solvers/parts/join_axes.h"

static const fal__problem_axis none = {.in = 1, .out = 1, .k = 1, .s = 1, .d = 1};

/* Has one output under one tap, on the first element. */
static bool without_extent(const fal__problem_axis *axis)
{
    return axis->out == 1 && axis->k == 1 && axis->begin == 0;
}

/* Axes with extent to the back, in their order. */
static void compact(fal__problem *p)
{
    int to = FAL_MAX_SPATIAL - 1;
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--)
        if (!without_extent(&p->axis[a])) p->axis[to--] = p->axis[a];
    for (; to >= 0; to--) p->axis[to] = none;
}

static bool plain(const fal__problem_axis *axis)
{
    return axis->k == 1 && axis->s == 1 && axis->begin == 0 && axis->in == axis->out;
}

/* Makes the last two axes one, as long as they walk memory as one. */
static void join_last(fal__problem *p)
{
    fal__problem_axis *inner = &p->axis[FAL_MAX_SPATIAL - 1], *outer = inner - 1;
    while (plain(inner) && plain(outer) && outer->out > 1 && outer->xs == inner->xs * inner->in &&
           outer->ys == inner->ys * inner->out) {
        inner->in *= outer->in;
        inner->out *= outer->out;
        *outer = none;
        compact(p);
    }
}

void fal__join_axes(fal__problem *p)
{
    compact(p);
    join_last(p);
    if (p->n <= 1 || !without_extent(&p->axis[0])) return;
    p->axis[0] =
        (fal__problem_axis){.in = p->n, .out = p->n, .k = 1, .s = 1, .d = 1, .xs = p->x_n, .ys = p->y_n};
    p->n = 1;
    p->x_n = p->y_n = 0;
    compact(p);
    join_last(p);
}
