/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shifted_channels: one output per group, groups side by side in memory (depthwise, channels last).
 *
 *     y[o, g] = bias[g] + sum over t of  w[t, g] * x[o*s + t*d - p, g]
 *
 * Lanes are groups; a row of pixels walks the lists of parts/row_lists.h, and neighbouring pixels share
 * the weights they load. Weights that lie side by side (channels last) are read where they are,
 * others are packed to (t, g) first.
 *
 * Cost: one multiply-add and 1.25 loads per product and vector. Wins for depthwise layers in
 * channels-last tensors, their input gradients and weight gradients; does not serve anything else.
 * Numerics: one sum per output in the order of parts/reduction.h; padding contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/row_lists.h"
#include "threads/parallel.h"

enum { W = FAL_MAX_SPATIAL - 1 };

typedef struct shifted_channels {
    const fal__compute *compute;
    fal__reduction reduction;
    bool pack; /* weights must be packed before they can be read as vectors */
    int32_t tasks;
    size_t packed; /* bytes: steps x groups */
    fal__row_lists_plan lists;
    size_t weights, bytes; /* scratch of a task */
} shifted_channels;

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    (void)machine;
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        snprintf(why, capacity, "needs f32 or f64 throughout");
    else if (p->oc != 1)
        snprintf(why, capacity, "%" PRId64 " outputs per group, needs 1", p->oc);
    else if (p->groups > 1 && (p->x_g != 1 || p->y_g != 1))
        snprintf(why, capacity, "groups are %" PRId64 " and %" PRId64 " elements apart, needs 1", p->x_g,
                 p->y_g);
    else if (p->has_bias && p->groups > 1 && p->b_g != 1)
        snprintf(why, capacity, "biases are %" PRId64 " elements apart, needs 1", p->b_g);
    else
        return fal__row_lists_apply(p, why, capacity);
    return false;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Measured: two cycles for each vector of products (loads of x and w), more where pixels share no x; finding
 * the elements under the taps once. */
static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const double pixels =
        (double)p->n * (double)p->axis[0].out * (double)p->axis[1].out * (double)p->axis[W].out;
    const double taps = (double)(p->ic * p->axis[0].k * p->axis[1].k * p->axis[W].k);
    const double vectors = (double)fal__ceil_div(p->groups, compute->lanes);
    /* Weights that L1 and half of L2 cannot hold stream by for every output: gradients have such. */
    const bool streams = taps * vectors * compute->lanes * (double)compute->panel_bytes > (1 << 20);
    const double vector = streams ? 9.5 : p->axis[W].s == 1 ? 2.0 : 2.6;
    const double element = p->groups < compute->lanes ? (double)p->groups * 2.8 : vectors * vector;
    return pixels * (10 + taps * element) + 120 * taps;
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    shifted_channels *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->pack = p->groups > 1 && p->w_g != 1;
    size_t from;
    if (!fal__book(&s->packed, s->reduction.steps * p->groups, s->compute->panel_bytes, &from) ||
        !fal__row_lists_book(p, &s->reduction, &s->lists, &s->bytes) ||
        !fal__book(&s->bytes, s->lists.slots * s->lists.entries, sizeof(int64_t), &s->weights))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    fal__machine rest = *machine;
    const size_t ahead = s->pack ? s->packed : 0;
    rest.workspace_cap -= ahead < rest.workspace_cap ? ahead : rest.workspace_cap;
    s->tasks = fal__task_count(&rest, p->n * p->axis[0].out * p->axis[1].out, s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes + ahead, error);
    needs->packed = s->packed;
    needs->workspace_packed = (size_t)s->tasks * s->bytes;
    needs->workspace = (size_t)s->tasks * s->bytes + ahead;
    snprintf(needs->kernel, sizeof needs->kernel, "%s channels %s", s->compute->name,
             machine->kernels->level);
    return FAL_OK;
}

/* Packed weights: the groups of each reduction step. */
static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const shifted_channels *s = state;
    const size_t element = s->compute->panel_bytes;
    char *to = packed;
    for (int64_t k = 0; k < s->reduction.steps; k++) {
        const int64_t step = fal__weight_offset(p, &s->reduction, k);
        for (int64_t g = 0; g < p->groups; g++, to += element)
            memcpy(to, (const char *)w + (step + g * p->w_g) * (int64_t)element, element);
    }
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__run *run;
    const void *packed; /* or NULL: the caller's weights lie side by side */
    char *scratch;
} job;

/* Where the weights of a list begin. */
static void locate_weights(const job *j, const fal__row_lists *lists, const fal__row_list *list,
                           int64_t *weights)
{
    const shifted_channels *s = j->run->state;
    for (int64_t i = 0; i < list->count; i++)
        for (int64_t t = 0; t < list->segments[i].taps; t++) {
            const int64_t at = i * s->reduction.steps + t, k = list->steps[at];
            weights[at] = j->packed != NULL ? k * j->run->problem->groups : lists->table[k].w;
        }
}

static void run_row(const job *j, const fal__row_list *list, const int64_t *weights, int64_t n, int64_t od,
                    int64_t oh)
{
    const fal__problem *p = j->run->problem;
    const shifted_channels *s = j->run->state;
    const int64_t element = (int64_t)s->compute->panel_bytes, x_step = p->axis[W].s * p->axis[W].xs;
    const int64_t x =
        p->x_base + n * p->x_n + od * p->axis[0].s * p->axis[0].xs + oh * p->axis[1].s * p->axis[1].xs;
    const int64_t y = p->y_base + n * p->y_n + od * p->axis[0].ys + oh * p->axis[1].ys;
    for (int64_t i = 0; i < list->count; i++) {
        const fal__row_segment *segment = &list->segments[i];
        const fal__channel_rows rows = {
            .taps = segment->taps,
            .count = p->groups,
            .pixels = segment->end - segment->first,
            .x_step = x_step,
            .y_step = p->axis[W].ys,
            .x = (const char *)j->run->x + (x + segment->first * x_step) * element,
            .w = j->packed != NULL ? j->packed : j->run->w,
            .offsets = list->offsets + i * s->reduction.steps,
            .weights = weights + i * s->reduction.steps,
            .bias = p->has_bias ? j->run->bias : NULL,
            .beta = p->beta,
            .activation = p->activation.kind != FAL_ACTIVATION_NONE ? &p->activation : NULL,
            .y = (char *)j->run->y + (y + segment->first * p->axis[W].ys) * element};
        s->compute->channels(&rows);
    }
}

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__problem *p = j->run->problem;
    const shifted_channels *s = j->run->state;
    char *scratch = j->scratch + (size_t)index * s->bytes;
    fal__row_lists lists;
    fal__row_lists_begin(p, &s->reduction, &s->lists, scratch, &lists);
    int64_t unit, end;
    fal__partition(p->n * p->axis[0].out * p->axis[1].out, s->tasks, index, &unit, &end);
    for (; unit < end; unit++) {
        const int64_t oh = unit % p->axis[1].out, rest = unit / p->axis[1].out;
        const int64_t od = rest % p->axis[0].out, n = rest / p->axis[0].out;
        bool made;
        const int32_t slot = fal__row_lists_find(p, &s->reduction, od, oh, &lists, &made);
        int64_t *weights = (int64_t *)(void *)(scratch + s->weights) + slot * s->lists.entries;
        if (made) locate_weights(j, &lists, &lists.slot[slot], weights);
        run_row(j, &lists.slot[slot], weights, n, od, oh);
    }
}

static bool run(const fal__run *run)
{
    const shifted_channels *s = run->state;
    job j = {.run = run, .packed = run->packed, .scratch = run->workspace};
    if (run->packed == NULL && s->pack) {
        pack(run->problem, s, run->w, run->workspace);
        j.packed = run->workspace;
        j.scratch += s->packed;
    }
    fal__parallel(run->executor, s->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const shifted_channels *s = state;
    const int length = snprintf(text, capacity,
                                "%s, %" PRId64 " groups in lanes, %" PRId64 " taps, a row in %" PRId64
                                " stretch(es) at most, %d task(s)",
                                s->compute->name, p->groups, s->reduction.steps, s->lists.segments, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_shifted_channels = {
    .name = "shifted-channels",
    .version = 1,
    .state_bytes = sizeof(shifted_channels),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
