/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wisdom_key.c: a canonical problem as a few words of text.
 *
 *     f32 default n1 g1 c64:64 i1x56x56 o1x56x56 k1x3x3 s1x1x1 d1x1x1 p0x1x1 x.. w.. y.. zeros beta0 act0
 * bias0
 *
 * Everything is in it but where the operands begin, the strides of axes that have one element, the values of
 * beta, of a constant border and of an activation's numbers: none of them changes what is fastest.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "planner/wisdom.h"

typedef struct words {
    char *text;
    size_t capacity, length;
} words;

static void say(words *w, const char *format, ...) FAL__PRINTF(2, 3);
static void say(words *w, const char *format, ...)
{
    if (w->length >= w->capacity) return;
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(w->text + w->length, w->capacity - w->length, format, values);
    va_end(values);
    if (length > 0) w->length += (size_t)length;
}

static void say_axes(words *w, const char *name, const int64_t *values)
{
    say(w, " %s%" PRId64 "x%" PRId64 "x%" PRId64, name, values[0], values[1], values[2]);
}

/* A stride that is never used says 0. */
static int64_t used(int64_t size, int64_t stride)
{
    return size > 1 ? stride : 0;
}

void fal__wisdom_problem(const fal__problem *p, char *text, size_t capacity)
{
    static const char *const accuracies[] = {"default", "strict", "fast"};
    static const char *const modes[] = {"zeros", "reflect", "symmetric", "replicate", "circular", "constant"};
    enum { IN, OUT, K, S, D, BEGIN, XS, WS, YS, NUMBERS };
    static const char *const names[NUMBERS] = {"i", "o", "k", "s", "d", "p", "xs", "ws", "ys"};
    int64_t values[NUMBERS][FAL_MAX_SPATIAL];
    words w = {text, capacity, 0};
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t row[NUMBERS] = {axis->in,
                                      axis->out,
                                      axis->k,
                                      axis->out > 1 ? axis->s : 1,
                                      axis->k > 1 ? axis->d : 1,
                                      axis->begin,
                                      used(axis->in, axis->xs),
                                      used(axis->k, axis->ws),
                                      used(axis->out, axis->ys)};
        for (int i = 0; i < NUMBERS; i++) values[i][a] = row[i];
    }
    say(&w, "%s:%s %s", fal_dtype_name(p->dtype), fal_dtype_name(p->y_dtype), accuracies[p->accuracy]);
    say(&w, " n%" PRId64 " g%" PRId64 " c%" PRId64 ":%" PRId64, p->n, p->groups, p->ic, p->oc);
    for (int i = 0; i < NUMBERS; i++) say_axes(&w, names[i], values[i]);
    const int64_t x[] = {used(p->n, p->x_n), used(p->groups, p->x_g), used(p->ic, p->x_ic)};
    const int64_t weights[] = {used(p->groups, p->w_g), used(p->oc, p->w_oc), used(p->ic, p->w_ic)};
    const int64_t y[] = {used(p->n, p->y_n), used(p->groups, p->y_g), used(p->oc, p->y_oc)};
    say_axes(&w, "x", x);
    say_axes(&w, "w", weights);
    say_axes(&w, "y", y);
    say(&w, " %s beta%d act%d bias%d", modes[p->mode], p->beta < 0 || p->beta > 0, (int)p->activation.kind,
        p->has_bias);
    if (p->kernel_rank > 0) say(&w, " rank%d", (int)p->kernel_rank);
}
