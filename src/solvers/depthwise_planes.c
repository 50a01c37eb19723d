/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_planes: one input and one output channel per group, plane by plane, pixels in the lanes.
 *
 *     y[g, o] = f(beta*y + bias[g] + sum over t of  w[g, t] * x[g, o*s + t*d - p])
 *
 * 3 x 3 taps on planes that lie pixel by pixel: every row of the input is loaded once and meets seven rows of
 * outputs; planes of narrow rows go two at a time. Nothing of the input is packed or turned.
 *
 * Cost: a multiply-add per product and vector, a permutation and half a load for three of them. Wins for 3 x
 * 3 taps on channels first; larger kernels go by `depthwise`, whose loads never cross cache lines. Levels
 * without masks have no such kernel. Numerics: one sum per output in the order of parts/reduction.h; padding
 * contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/depthwise.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/depthwise.h"
#include "solvers/parts/reduction.h"
#include "threads/parallel.h"

enum { D = 0, H = 1, W = 2, TAPS = 3, ROWS = 7, POSITIONS_MOST = 1 << 29 };

typedef struct depthwise_planes {
    const fal__compute *compute;
    int32_t tasks;
} depthwise_planes;

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

static bool has_kernel(const fal__problem *p, const fal__machine *machine)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const fal__planes_fn *run_planes = compute_for(p, machine)->depthwise->run_planes;
    if (run_planes == NULL || h->k != w->k || h->s != w->s || !(*run_planes)(NULL, w->k, w->s)) return false;
    return w->s == 1 || w->d == 1;
}

/* Positions that the kernel counts in 32 bits. */
static bool is_short(const fal__problem_axis *w)
{
    return w->in < POSITIONS_MOST && w->out < POSITIONS_MOST / w->s && llabs(w->begin) < POSITIONS_MOST &&
           llabs(w->d) < POSITIONS_MOST / TAPS;
}

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    const fal__problem_axis *d = &p->axis[D], *h = &p->axis[H], *w = &p->axis[W];
    if (p->dtype != FAL_F32 || p->y_dtype != FAL_F32)
        snprintf(why, capacity, "needs f32 throughout");
    else if (p->ic != 1 || p->oc != 1)
        snprintf(why, capacity, "%" PRId64 " inputs and %" PRId64 " outputs per group, needs 1 and 1", p->ic,
                 p->oc);
    else if (p->mode != FAL_PAD_ZEROS)
        snprintf(why, capacity, "the border is not zeros");
    else if (d->k != 1 || d->in != 1 || d->out != 1 || d->begin != 0)
        snprintf(why, capacity, "needs two spatial axes");
    else if (w->xs != 1 || w->ys != 1)
        snprintf(why, capacity, "pixels are %" PRId64 " and %" PRId64 " elements apart, needs 1", w->xs,
                 w->ys);
    else if (!has_kernel(p, machine) || !is_short(w))
        snprintf(why, capacity, "there is no kernel of %" PRId64 " x %" PRId64 " taps here", h->k, w->k);
    else
        return true;
    return false;
}

/* Cycles of a tile of seven rows and a vector, measured; those of two narrow planes are one tile. */
static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const double planes = (double)p->n * (double)p->groups, rows = (double)fal__ceil_div(h->out, ROWS);
    const double columns = (double)fal__ceil_div(w->out, w->s == 1 ? compute_for(p, machine)->lanes : 15);
    const bool narrow = w->out <= (w->s == 1 ? 8 : 7);
    const double tile = narrow ? (w->s == 1 ? 30 : 48) : w->s == 1 ? 47 : 70;
    return planes * (10 + rows * columns * tile) + fal__depthwise_traffic(p, sizeof(float));
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    depthwise_planes *s = state;
    memset(s, 0, sizeof *s);
    (void)error;
    s->compute = compute_for(p, machine);
    s->tasks = fal__task_count(machine, p->n * p->groups, 0);
    needs->packed = (size_t)(p->groups * p->axis[H].k * p->axis[W].k) * sizeof(float);
    snprintf(needs->kernel, sizeof needs->kernel, "%s planes %s", s->compute->name, machine->kernels->level);
    return FAL_OK;
}

/* Packed weights: the taps of each plane. Without them they are read where they are. */
static void pack(const fal__problem *p, const void *state, const void *w_, void *packed)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    float *to = packed;
    (void)state;
    for (int64_t g = 0; g < p->groups; g++) {
        const float *from = (const float *)w_ + p->w_base + g * p->w_g;
        for (int64_t th = 0; th < h->k; th++)
            for (int64_t tw = 0; tw < w->k; tw++) *to++ = from[th * h->ws + tw * w->ws];
    }
}

/* Planes unit .. end-1 of all images, those rows of them that `plane->row` and the offsets stand for. */
static void run_range(const fal__run *run, fal__depthwise_planes *planes, int64_t unit, int64_t end,
                      int64_t x_offset, int64_t y_offset)
{
    const fal__problem *p = run->problem;
    const depthwise_planes *s = run->state;
    const float *x = (const float *)run->x + p->x_base + x_offset;
    const float *w = run->packed != NULL ? run->packed : (const float *)run->w + p->w_base;
    float *y = (float *)run->y + p->y_base + y_offset;
    while (unit < end) {
        const int64_t n = unit / p->groups, g = unit % p->groups;
        planes->planes = fal__min(p->groups - g, end - unit);
        planes->x = x + n * p->x_n + g * p->x_g;
        planes->y = y + n * p->y_n + g * p->y_g;
        planes->w = w + g * planes->w_plane;
        planes->bias = p->has_bias ? (const float *)run->bias + g * p->b_g : NULL;
        (*s->compute->depthwise->run_planes)(planes, TAPS, p->axis[W].s);
        unit += planes->planes;
    }
}

static void run_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const fal__problem *p = run->problem;
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const fal__depthwise_span rows = {.first = 0, .end = h->out, .low = 0, .high = h->in},
                              columns = {.first = 0, .end = w->out, .low = 0, .high = w->in};
    const bool packed = run->packed != NULL;
    fal__depthwise_planes planes = {.column = fal__depthwise_rows(w, &columns, 1, 1),
                                    .x_plane = p->x_g,
                                    .y_plane = p->y_g,
                                    .w_plane = packed ? TAPS * TAPS : p->w_g,
                                    .bias_plane = p->b_g,
                                    .w_row = packed ? TAPS : h->ws,
                                    .w_column = packed ? 1 : w->ws,
                                    .beta = p->beta,
                                    .activation = fal__activation_or_null(p)};
    const int64_t classes = fal__min(fal__depthwise_classes(h), h->out);
    int64_t unit, end;
    fal__partition(p->n * p->groups, ((const depthwise_planes *)run->state)->tasks, index, &unit, &end);
    for (int64_t class = 0; class < classes; class ++) {
        int64_t x_offset, y_offset;
        planes.row = fal__depthwise_columns(h, &rows, class, h->xs, h->ys, &x_offset, &y_offset);
        run_range(run, &planes, unit, end, x_offset, y_offset);
    }
}

static bool run(const fal__run *run)
{
    fal__run shared = *run;
    fal__parallel(run->executor, ((const depthwise_planes *)run->state)->tasks, run_task, &shared);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const depthwise_planes *s = state;
    const int length = snprintf(text, capacity, "%s, %" PRId64 " planes, seven rows together, %d task(s)",
                                s->compute->name, p->n * p->groups, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_depthwise_planes = {
    .name = "depthwise-planes",
    .version = 1,
    .state_bytes = sizeof(depthwise_planes),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
