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
    L2_BYTES = 3 << 19,     /* what transformed inputs, sums and weights of a block may fill of L2 */
    SCRATCH_BYTES = 4 << 20 /* of a task at most */
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
    plan->packed_bytes = (size_t)bytes;
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
    plan->panel_rows =
        fal__ceil_div(plan->block_tiles, fal__ceil_div(plan->block_tiles, plan->kernels->rows));
    int64_t v, all, sums;
    if (!fal__mul(plan->chain_blocks * lanes, plan->block_tiles, &v) || !odd_lines(v, &plan->v_step) ||
        !fal__mul(plan->v_step, plan->products, &v) || !fal__mul(v, plan->chains, &all) ||
        !fal__mul(plan->chunk_panels * plan->width, plan->block_tiles, &sums) ||
        !odd_lines(sums, &plan->sums_step) || !fal__mul(plan->sums_step, plan->products, &sums))
        return false;
    const int64_t patch = plan->rows.points * fal__patch_row(plan) + 4 * lanes; /* turned by fours */
    plan->chain_bytes = (size_t)(plan->products * plan->chunk_panels * plan->width * plan->chain_blocks *
                                 lanes * (int64_t)sizeof(float));
    fal__winograd_scratch *s = &plan->scratch;
    s->bytes = 0;
    return fal__book(&s->bytes, all, sizeof(float), &s->transformed) &&
           fal__book(&s->bytes, sums, sizeof(float), &s->sums) &&
           fal__book(&s->bytes, patch, sizeof(float), &s->patch) &&
           fal__book(&s->bytes, plan->width, sizeof(float), &s->bias);
}

/* Cycles of one execution as it is cut. Two vector multiply-adds start per cycle, and a panel of tiles
 * costs about one row more than it has. What does not stay in L2 arrives at some 7 bytes a cycle while it
 * is prefetched. The transforms are measured: cycles per vector of channels. */
static double predict(const fal__winograd_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const double products = (double)plan->products, tiles = (double)plan->block_tiles;
    const double channels = (double)p->ic * (double)plan->taps, panels = (double)plan->panels;
    const double tile_panels = (double)fal__ceil_div(plan->block_tiles, plan->panel_rows);
    const double multiply = products * channels * panels * (tiles + 0.6 * tile_panels);
    const double blocks_in = (double)plan->taps * (double)fal__ceil_div(p->ic, plan->kernels->lanes);
    const double v = 4 * products * tiles * blocks_in * plan->kernels->lanes;
    const double sums = 4 * products * tiles * (double)(plan->chunk_panels * plan->width);
    const double u = 4 * products * channels * panels * (double)plan->width;
    const double stay = v + sums;
    double reading = 0;
    if (stay + u > L2_BYTES) reading += u / 7;
    if (stay > L2_BYTES) reading += (v * (double)plan->chunks + 2 * sums * (double)plan->chunks) / 8;
    const double hidden = reading < 0.8 * multiply ? 0.1 * reading : reading - 0.72 * multiply;
    const double in_lines = p->x_ic == 1 ? 1.0 : 1.6, out_lines = p->y_oc == 1 ? 1.0 : 1.3;
    const double input = tiles * blocks_in * (products * 4 + 20) * in_lines;
    const double output = tiles * panels * FAL__WINOGRAD_VECTORS * (products * 3 + 30) * out_lines;
    return (double)p->groups * (double)plan->blocks * (multiply + hidden + input + output);
}

bool fal__winograd_plan_for(fal__winograd_plan *plan, const fal__problem *problem,
                            const fal__machine *machine, fal__winograd_kind kind, uint64_t room)
{
    if (!plan_shape(plan, problem, machine, kind)) return false;
    if (room > SCRATCH_BYTES) room = SCRATCH_BYTES;
    int64_t best_tiles = 0, best_panels = 0;
    const int64_t rows = plan->kernels->rows;
    /* Whole panels of tiles; a part of one only where no more fits. */
    for (int64_t tiles = 1; tiles <= 32 * rows;
         tiles = tiles < rows ? 2 * tiles : tiles / rows * rows + rows) {
        if (tiles > rows / 2 && tiles < rows) tiles = rows;
        for (int64_t panels = 1; panels <= 16; panels *= 2) {
            if (!fal__winograd_cut(plan, tiles, panels)) return false;
            if (plan->scratch.bytes > room) break;
            const double cycles = predict(plan);
            if (best_tiles > 0 && cycles >= plan->cycles) continue;
            plan->cycles = cycles;
            best_tiles = tiles, best_panels = panels;
        }
        if (plan->block_tiles == plan->tiles || plan->scratch.bytes > SCRATCH_BYTES) break;
    }
    return best_tiles > 0 && fal__winograd_cut(plan, best_tiles, best_panels);
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
    if (!plan_shape(&plan, p, machine, kind) || !fal__winograd_cut(&plan, 1, 1))
        return refuse(why, capacity, "the transformed weights overflow 64 bits");
    if (plan.scratch.bytes > SCRATCH_BYTES) return refuse(why, capacity, "too many input channels");
    if (plan.packed_bytes + plan.scratch.bytes <= machine->workspace_cap) return true;
    snprintf(why, capacity, "%zu bytes of workspace are needed, the cap is %" PRIu64,
             plan.packed_bytes + plan.scratch.bytes, machine->workspace_cap);
    return false;
}
