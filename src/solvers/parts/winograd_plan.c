/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_plan.c: which problems Winograd's convolution serves, and how it cuts them.
 *
 * Chains: a rounding error is as large as the partial sum it happens in, so channels are added in chains of
 * FAL__CHAIN_CHANNELS at most, and the sums of chains then: that keeps F(4,3) as near as one long direct sum.
 * A chain's slice of U for one panel is 16 KiB, which shares L1 with a slice of V.
 *
 * Blocks and chunks: U is read once per block, V once per chunk, and V, the sums and perhaps U want to stay
 * in L2. The cost of each cut is predicted, and the cheapest taken.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/winograd.h"

enum {
    L2_BYTES = 1 << 20,      /* what transformed inputs, sums and weights of a block may fill of L2 */
    L3_BYTES = 5 << 20,      /* of weights that are expected there */
    SCRATCH_BYTES = 4 << 20, /* of a task at most */
    TRANSIENT_BLOCKS = 6
};

/* An axis walked backwards, position = o - t*d - begin, is one walked forwards over reversed weights:
 * with t' = k-1 - t, position = o + t'*d - (begin + (k-1)*d). */
static void walk_forwards(fal__problem *p, int a)
{
    fal__problem_axis *axis = &p->axis[a];
    if (axis->d > 0) return;
    p->w_base += (axis->k - 1) * axis->ws;
    axis->ws = -axis->ws;
    axis->d = -axis->d;
    axis->begin += (axis->k - 1) * axis->d;
}

/* Rounds up to an odd number of cache lines: the same place of all products then falls into different
 * sets of a cache. */
static bool odd_lines(int64_t elements, int64_t *step)
{
    const int64_t line = 64 / (int64_t)sizeof(float), lines = fal__ceil_div(elements, line);
    return fal__mul(lines | 1, line, step);
}

static const fal__winograd_transform *find(const fal__winograd *kernels, int32_t points, int64_t taps)
{
    for (int32_t i = 0; i < kernels->transform_count; i++)
        if (kernels->transforms[i].points == points && kernels->transforms[i].taps == taps)
            return &kernels->transforms[i];
    return NULL;
}

static bool fits(const fal__winograd *kernels, const fal__problem_axis *axis, int32_t points)
{
    return axis->s == 1 && axis->d != 0 && find(kernels, points, axis->k) != NULL;
}

/* points 1: the axis is not transformed. An axis shorter than its dilation has as many phases as outputs. */
static fal__tiling tiling_of(const fal__problem_axis *axis, int64_t m, int64_t points)
{
    fal__tiling t = {.m = m, .points = points, .dilation = points > 1 ? axis->d : 1};
    t.per_phase = fal__ceil_div(fal__ceil_div(axis->out, t.dilation), m);
    t.count = fal__min(t.dilation, axis->out) * t.per_phase;
    return t;
}

/* Products of an axis per output. */
static double waste(const fal__problem_axis *axis, const fal__winograd_transform *t)
{
    const fal__tiling tiling = tiling_of(axis, t->m, t->points);
    return (double)(tiling.count * t->points) / (double)(axis->out * axis->k);
}

static void exchange(fal__problem *p, int a, int b)
{
    const fal__problem_axis axis = p->axis[a];
    p->axis[a] = p->axis[b];
    p->axis[b] = axis;
}

/* Brings the axes to be transformed to the end; false when there are none. */
static bool choose_axes(fal__winograd_plan *plan, fal__winograd_kind kind)
{
    fal__problem *p = &plan->problem;
    int best = -1;
    double least = 0;
    if (kind.dims == FAL__ROWS_AND_COLUMNS) {
        if (!fits(plan->kernels, &p->axis[1], kind.points) ||
            !fits(plan->kernels, &p->axis[2], kind.points) || p->axis[1].k != p->axis[2].k)
            return false;
        walk_forwards(p, 1);
        best = 2;
    }
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0 && kind.dims == FAL__COLUMNS; a--) {
        if (!fits(plan->kernels, &p->axis[a], kind.points)) continue;
        fal__problem forward = *p;
        walk_forwards(&forward, a);
        const double products = waste(&forward.axis[a], find(plan->kernels, kind.points, p->axis[a].k));
        if (best >= 0 && products >= least) continue;
        best = a;
        least = products;
    }
    if (best < 0) return false;
    walk_forwards(p, best);
    exchange(p, best, 2);
    plan->transform = find(plan->kernels, kind.points, p->axis[2].k);
    return true;
}

/* Sizes that no cut changes; false when the weights overflow. */
static bool plan_shape(fal__winograd_plan *plan, const fal__problem *problem, const fal__machine *machine,
                       fal__winograd_kind kind)
{
    memset(plan, 0, sizeof *plan);
    plan->problem = *problem;
    plan->kernels = machine->kernels->compute[FAL__F32]->winograd;
    plan->dims = kind.dims;
    if (!choose_axes(plan, kind)) return false;
    const fal__problem *p = &plan->problem;
    const int64_t points = kind.points, lanes = plan->kernels->lanes;
    const bool both = kind.dims == FAL__ROWS_AND_COLUMNS;
    plan->products = both ? points * points : points;
    plan->kernel_taps = both ? p->axis[1].k * p->axis[2].k : p->axis[2].k;
    plan->columns = tiling_of(&p->axis[2], plan->transform->m, points);
    plan->rows = both ? tiling_of(&p->axis[1], plan->transform->m, points) : tiling_of(&p->axis[1], 1, 1);
    plan->taps = p->axis[0].k * (both ? 1 : p->axis[1].k);
    const int64_t channel_blocks = fal__ceil_div(p->ic, lanes);
    plan->tap_chains = fal__ceil_div(p->ic, FAL__CHAIN_CHANNELS);
    plan->chain_blocks = fal__ceil_div(channel_blocks, plan->tap_chains);
    plan->tap_chains = fal__ceil_div(channel_blocks, plan->chain_blocks);
    plan->width = (int64_t)FAL__WINOGRAD_VECTORS * lanes;
    plan->panels = fal__ceil_div(p->oc, plan->width);
    int64_t elements, bytes;
    if (!fal__mul(plan->taps, plan->tap_chains, &plan->chains) ||
        !fal__mul(p->n * p->axis[0].out, plan->rows.count, &plan->tiles) ||
        !fal__mul(plan->tiles, plan->columns.count, &plan->tiles) ||
        !fal__mul(p->ic, plan->taps, &elements) || !fal__mul(elements, plan->width, &elements) ||
        !fal__mul(elements, plan->products, &elements) || !fal__mul(elements, plan->panels, &elements) ||
        !fal__mul(elements, p->groups, &elements) || !fal__mul(elements, sizeof(float), &bytes) ||
        bytes > PTRDIFF_MAX / 2)
        return false;
    return true;
}

bool fal__winograd_cut(fal__winograd_plan *plan, int64_t tiles, int64_t panels)
{
    const int64_t lanes = plan->kernels->lanes;
    plan->chunk_panels = fal__max(1, fal__min(panels, plan->panels));
    plan->chunks = fal__ceil_div(plan->panels, plan->chunk_panels);
    plan->chunk_panels = fal__ceil_div(plan->panels, plan->chunks);
    plan->chunks = fal__ceil_div(plan->panels, plan->chunk_panels);
    plan->blocks = fal__ceil_div(plan->tiles, fal__max(1, tiles));
    plan->block_tiles = fal__ceil_div(plan->tiles, plan->blocks);
    plan->blocks = fal__ceil_div(plan->tiles, plan->block_tiles);
    plan->v_tile = lanes;
    plan->panel_rows =
        fal__ceil_div(plan->block_tiles, fal__ceil_div(plan->block_tiles, plan->kernels->rows));
    /* Below what plan_shape checked. */
    plan->packed_bytes =
        sizeof(float) * (size_t)(plan->problem.groups * plan->panels * plan->width * plan->taps *
                                 plan->problem.ic * (plan->lean ? plan->kernel_taps : plan->products));
    int64_t v, all, sums;
    if (!fal__mul(plan->chain_blocks * lanes, plan->block_tiles, &v) || !odd_lines(v, &plan->v_step) ||
        !fal__mul(plan->v_step, plan->products, &v) || !fal__mul(v, plan->chains, &all) ||
        !fal__mul(plan->chunk_panels * plan->width, plan->block_tiles, &sums) ||
        !odd_lines(sums, &plan->sums_step) || !fal__mul(plan->sums_step, plan->products, &sums))
        return false;
    const int64_t patch = plan->rows.points * fal__patch_row(plan) + 4 * lanes; /* turned by fours */
    fal__winograd_scratch *s = &plan->scratch;
    s->bytes = 0;
    if (!fal__book(&s->bytes, all, sizeof(float), &s->transformed) ||
        !fal__book(&s->bytes, sums, sizeof(float), &s->sums) ||
        !fal__book(&s->bytes, patch, sizeof(float), &s->patch) ||
        !fal__book(&s->bytes, plan->width, sizeof(float), &s->bias))
        return false;
    /* With few blocks it costs less to transform the weights in each than to store and read them all. */
    size_t bytes = s->bytes;
    const int64_t u_step = fal__u_step(plan, 1, plan->chain_blocks * lanes, false);
    if (!fal__book(&bytes, plan->products * u_step, sizeof(float), &s->weights)) return false;
    plan->transient = plan->lean || (plan->blocks <= TRANSIENT_BLOCKS && bytes <= SCRATCH_BYTES);
    if (plan->transient) s->bytes = bytes;
    return true;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Cycles for `bytes` that come from the last cache, at some 9 a cycle, while `busy` cycles pass. */
static double exposed(double bytes, double busy)
{
    return larger(0.05 * bytes / 9, bytes / 9 - 0.8 * busy);
}

/* Cycles per block and group for the transforms of inputs and outputs, and of weights when the plan is lean.
 * Measured: cycles per vector of channels; most of them are for lines that stores bring to L1. */
static double predict_transforms(const fal__winograd_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const double products = (double)plan->products, tiles = (double)plan->block_tiles;
    const double vectors_in = (double)(plan->taps * fal__ceil_div(p->ic, plan->kernels->lanes));
    const double vectors_out = (double)(plan->panels * FAL__WINOGRAD_VECTORS);
    const double input = tiles * vectors_in * (8 * products + 40) * (p->x_ic == 1 ? 1.0 : 1.5);
    const double output = tiles * vectors_out * (6 * products + 60) * (p->y_oc == 1 ? 1.0 : 1.5);
    const double weights = (double)(plan->taps * p->ic) * vectors_out * (5.5 * products + 10);
    return input + output + (plan->lean ? weights : 0);
}

/* Cycles of one execution as it is cut. Two vector multiply-adds start per cycle, and a panel of tiles
 * costs about one row more than it has. Weights that the layers around leave in the last cache hide behind
 * the products, the rest comes from memory at some 4.2 bytes a cycle and hides little. Inputs are read again
 * for each chunk, from L2 or beyond. All measured. */
static double predict(const fal__winograd_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const double products = (double)plan->products, tiles = (double)plan->block_tiles;
    const double blocks = (double)plan->blocks, chunks = (double)plan->chunks;
    const double channels = (double)(p->ic * plan->taps), bytes = sizeof(float);
    const double tile_panels = (double)fal__ceil_div(plan->block_tiles, plan->panel_rows);
    const double multiply = products * channels * (double)plan->panels * (tiles + 0.6 * tile_panels);
    const double v = bytes * (double)(plan->chains * plan->products * plan->v_step);
    const double sums = bytes * (double)(plan->products * plan->sums_step);
    const double weights = (double)plan->packed_bytes / (double)p->groups;
    double reading = exposed(weights, multiply) + larger(0, weights - L3_BYTES) / 4.2;
    if (v + sums + weights > L2_BYTES) reading += (blocks - 1) * exposed(weights, multiply);
    reading += blocks * chunks * (v + sums > L2_BYTES ? (v + 2 * sums) / 40 : v / 80);
    const double x = bytes * (double)(p->n * p->ic * p->axis[0].in * p->axis[1].in * p->axis[2].in);
    const double y = bytes * (double)(p->n * p->oc * p->axis[0].out * p->axis[1].out * p->axis[2].out);
    return (double)p->groups *
           (blocks * (multiply + predict_transforms(plan)) + reading + 0.5 * (x + y) / 3.7);
}

/* The least cost found so far. */
typedef struct best {
    int64_t tiles, panels;
    bool lean;
    double cycles;
} best;

/* Tries all chunks; false when none fits. */
static bool try_tiles(fal__winograd_plan *plan, int64_t tiles, uint64_t cap, best *b)
{
    bool any = false;
    for (int lean = 0; lean < 2; lean++)
        for (int64_t panels = 1; panels <= 16 && panels < 2 * plan->panels; panels *= 2) {
            plan->lean = lean;
            if (!fal__winograd_cut(plan, tiles, panels) || plan->scratch.bytes > SCRATCH_BYTES ||
                plan->scratch.bytes + (plan->transient ? 0 : plan->packed_bytes) > cap)
                break;
            any = true;
            const double cycles = predict(plan);
            if (b->tiles == 0 || cycles < b->cycles)
                *b = (best){.tiles = tiles, .panels = panels, .lean = plan->lean, .cycles = cycles};
        }
    return any;
}

bool fal__winograd_plan_for(fal__winograd_plan *plan, const fal__problem *problem,
                            const fal__machine *machine, fal__winograd_kind kind)
{
    best b = {0};
    if (!plan_shape(plan, problem, machine, kind)) return false;
    /* Whole panels of tiles; a part of one only where no more fits. */
    const int64_t rows = plan->kernels->rows;
    for (int64_t tiles = 1; tiles <= 32 * rows;
         tiles = tiles < rows ? fal__min(2 * tiles, rows) : tiles + rows)
        if (!try_tiles(plan, tiles, machine->workspace_cap, &b) || tiles >= plan->tiles) break;
    plan->lean = b.lean;
    plan->cycles = b.cycles;
    return b.tiles > 0 && fal__winograd_cut(plan, b.tiles, b.panels);
}

static bool refuse(char *why, size_t capacity, const char *reason)
{
    snprintf(why, capacity, "%s", reason);
    return false;
}

bool fal__winograd_applies(const fal__problem *p, const fal__machine *machine, fal__winograd_kind kind,
                           char *why, size_t capacity)
{
    if (p->accuracy == FAL_ACCURACY_STRICT)
        return refuse(why, capacity, "strict accuracy needs a direct sum");
    if (kind.points > 6 && p->accuracy != FAL_ACCURACY_FAST)
        return refuse(why, capacity, "only fast accuracy allows its larger rounding errors");
    if (p->dtype != FAL_F32 || p->y_dtype != FAL_F32) return refuse(why, capacity, "only f32");
    if (p->w_role != FAL__ROLE_W)
        return refuse(why, capacity, "a gradient takes the place of the weight: too many taps or too few");
    if (p->ic == 0 || p->n * p->groups * p->oc * p->axis[0].out * p->axis[1].out * p->axis[2].out == 0)
        return refuse(why, capacity, "no products");
    fal__winograd_plan plan = {.problem = *p, .kernels = machine->kernels->compute[FAL__F32]->winograd};
    if (!choose_axes(&plan, kind)) {
        const fal__problem_axis *rows = &p->axis[1], *columns = &p->axis[2];
        if (kind.dims == FAL__COLUMNS)
            return refuse(why, capacity, "no axis has stride 1 and a number of taps that is served");
        snprintf(why, capacity,
                 "kernel %" PRId64 "x%" PRId64 " stride %" PRId64 "x%" PRId64
                 ", needs equal numbers of taps that are served and stride 1",
                 rows->k, columns->k, rows->s, columns->s);
        return false;
    }
    if (!plan_shape(&plan, p, machine, kind))
        return refuse(why, capacity, "the transformed weights overflow 64 bits");
    plan.lean = true;
    if (!fal__winograd_cut(&plan, 1, 1) || plan.scratch.bytes > SCRATCH_BYTES)
        return refuse(why, capacity, "too many input channels");
    if (plan.scratch.bytes <= machine->workspace_cap) return true;
    snprintf(why, capacity, "%zu bytes of workspace are needed, the cap is %" PRIu64, plan.scratch.bytes,
             machine->workspace_cap);
    return false;
}
