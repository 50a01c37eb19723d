/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd: 3x3 kernels with fewer multiplications, F(4,3) and F(2,3).
 *
 * An m x m tile of outputs costs (m+2)^2 products per pair of channels instead of 9*m^2: 4 times fewer
 * for m = 4, 2.25 times for m = 2 (Winograd 1980; Lavin and Gray 2016; the matrices are derived in
 * kernels/generic/winograd_f32.c). Inputs are transformed block by block, so that what is multiplied
 * stays in L2 (Gelashvili, Shavit and Zlateski 2019); weights are transformed once.
 *
 * Cost: the products, plus transforms that are paid per channel and not per pair of channels, plus
 * the transformed weights, which are 4 (F(2,3): 1.8) times as large and are read once per block. Wins
 * with 32 and more channels on both sides and maps of 14 x 14 and more; loses on few channels, and
 * on few tiles, where reading the weights is all the work.
 * Numerics: not one sum of products, so not for strict accuracy. Against one direct sum the error of
 * F(4,3) is at most about twice as large, and no larger from 256 channels on, where sums are cut in
 * chains; that of F(2,3) is smaller, and F(2,3) is exact on small integers. A NaN
 * or infinity reaches all outputs of the tiles that look at it, not only those of its own windows.
 *
 * This file plans; parts/winograd_run.c holds the loops, parts/winograd_patch.c the edges of images.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/winograd.h"
#include "threads/parallel.h"

enum {
    BLOCK_BYTES = 1 << 20,  /* transformed inputs and sums of a block: they should stay in L2 */
    SCRATCH_BYTES = 4 << 20 /* of a task at most */
};

/* An axis walked backwards, position = o - t - begin, is one walked forwards over reversed weights:
 * with t' = 2 - t, position = o + t' - (begin + 2). */
static void walk_forwards(fal__problem *p, int a)
{
    fal__problem_axis *axis = &p->axis[a];
    if (axis->d > 0) return;
    p->w_base += 2 * axis->ws;
    axis->ws = -axis->ws;
    axis->begin += 2;
    axis->d = 1;
}

/* Rounds up to an odd number of cache lines: the same place of all products then falls into different
 * sets of a cache. */
static bool odd_lines(int64_t elements, int64_t *step)
{
    const int64_t line = 64 / (int64_t)sizeof(float), lines = fal__ceil_div(elements, line);
    return fal__mul(lines | 1, line, step);
}

/* Sizes for blocks of at most `tiles` tiles; false when one overflows. */
static bool plan_block(fal__winograd_plan *plan, int64_t tiles)
{
    const fal__problem *p = &plan->problem;
    const int64_t products = plan->a * plan->a, lanes = plan->kernels->lanes;
    plan->blocks = fal__ceil_div(plan->tiles, tiles);
    plan->block_tiles = fal__ceil_div(plan->tiles, plan->blocks);
    const int64_t panels = fal__ceil_div(plan->block_tiles, plan->kernels->rows);
    plan->panel_rows = fal__ceil_div(plan->block_tiles, panels);
    int64_t channels, v;
    if (!fal__mul(plan->channel_blocks * lanes, p->axis[0].k, &channels) ||
        !fal__mul(panels * plan->panel_rows, channels, &v) || !odd_lines(v, &plan->v_step) ||
        !odd_lines(panels * plan->panel_rows * plan->width, &plan->sums_step))
        return false;
    fal__winograd_scratch *s = &plan->scratch;
    s->bytes = 0;
    return fal__mul(products, plan->v_step, &v) && fal__book(&s->bytes, v, sizeof(float), &s->transformed) &&
           fal__book(&s->bytes, products * plan->sums_step, sizeof(float), &s->sums) &&
           fal__book(&s->bytes, plan->a * fal__patch_row(plan), sizeof(float), &s->patch) &&
           fal__book(&s->bytes, plan->width, sizeof(float), &s->bias);
}

/* Everything but the blocks; false when the size of the weights overflows. */
static bool plan_shape(fal__winograd_plan *plan, const fal__problem *problem, const fal__machine *machine,
                       fal__winograd_size size)
{
    memset(plan, 0, sizeof *plan);
    plan->problem = *problem;
    walk_forwards(&plan->problem, 1);
    walk_forwards(&plan->problem, 2);
    const fal__problem *p = &plan->problem;
    plan->kernels = machine->kernels->compute[FAL__F32]->winograd;
    plan->size = size;
    plan->m = size == FAL__F4X3 ? 4 : 2;
    plan->a = plan->m + 2;
    plan->rows = fal__ceil_div(p->axis[1].out, plan->m);
    plan->columns = fal__ceil_div(p->axis[2].out, plan->m);
    plan->tiles = p->n * p->axis[0].out * plan->rows * plan->columns;
    plan->width = (int64_t)FAL__WINOGRAD_VECTORS * plan->kernels->lanes;
    plan->panels = fal__ceil_div(p->oc, plan->width);
    plan->channel_blocks = fal__ceil_div(p->ic, plan->kernels->lanes);
    int64_t channels, elements, bytes;
    if (!fal__mul(p->ic, p->axis[0].k, &channels) || !fal__mul(channels, plan->width, &elements) ||
        !odd_lines(elements, &plan->u_step) || !fal__mul(plan->u_step, plan->a * plan->a, &elements) ||
        !fal__mul(elements, plan->panels, &elements) || !fal__mul(elements, p->groups, &elements) ||
        !fal__mul(elements, sizeof(float), &bytes) || bytes > PTRDIFF_MAX / 2)
        return false;
    plan->packed_bytes = (size_t)bytes;
    return true;
}

static bool refuse(char *why, size_t capacity, const char *reason)
{
    snprintf(why, capacity, "%s", reason);
    return false;
}

static bool applies(const fal__problem *p, const fal__machine *machine, fal__winograd_size size, char *why,
                    size_t capacity)
{
    if (p->accuracy == FAL_ACCURACY_STRICT)
        return refuse(why, capacity, "strict accuracy needs a direct sum");
    if (p->dtype != FAL_F32 || p->y_dtype != FAL_F32) return refuse(why, capacity, "only f32");
    if (p->activation.kind != FAL_ACTIVATION_NONE) return refuse(why, capacity, "has no activation");
    for (int a = 1; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        if (axis->k != 3 || axis->s != 1 || (axis->d != 1 && axis->d != -1)) {
            snprintf(why, capacity,
                     "kernel %" PRId64 " stride %" PRId64 " dilation %" PRId64 ", needs 3, 1 and 1", axis->k,
                     axis->s, axis->d < 0 ? -axis->d : axis->d);
            return false;
        }
    }
    if (p->ic == 0 || p->n * p->groups * p->oc * p->axis[0].out * p->axis[1].out * p->axis[2].out == 0)
        return refuse(why, capacity, "no products");
    fal__winograd_plan plan;
    if (!plan_shape(&plan, p, machine, size) || !plan_block(&plan, 1))
        return refuse(why, capacity, "the transformed weights overflow 64 bits");
    if (plan.scratch.bytes > SCRATCH_BYTES) return refuse(why, capacity, "too many input channels");
    if (plan.packed_bytes + plan.scratch.bytes <= machine->workspace_cap) return true;
    snprintf(why, capacity, "%zu bytes of workspace are needed, the cap is %" PRIu64,
             plan.packed_bytes + plan.scratch.bytes, machine->workspace_cap);
    return false;
}

/* Blocks of as many tiles as L2 allows, but whole panels while scratch is not too large. */
static bool plan_blocks(fal__winograd_plan *plan)
{
    if (!plan_block(plan, 1)) return false;
    const int64_t tile =
        (int64_t)plan->a * plan->a * (int64_t)sizeof(float) *
        (plan->channel_blocks * plan->kernels->lanes * plan->problem.axis[0].k + plan->width);
    const int64_t room = SCRATCH_BYTES - (int64_t)plan->scratch.bytes;
    /* Weights far larger than L2 are read once a block: fewer, larger blocks. */
    const size_t weights = plan->packed_bytes / (size_t)plan->problem.groups;
    const int64_t bytes = weights > 4 * BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES;
    const int64_t tiles = fal__max(bytes / tile, plan->kernels->rows);
    return plan_block(plan, fal__max(1, fal__min(tiles, room / tile)));
}

/* Cycles of one execution. Two vector multiply-adds start per cycle, and a panel of tiles costs about one
 * row more than it has. Weights beyond the cache arrive at some 6 bytes a cycle, once per block. The
 * transforms are measured: cycles per tile and vector of channels. */
static double estimate(const fal__problem *problem, const fal__machine *machine, fal__winograd_size size)
{
    fal__winograd_plan plan;
    if (!plan_shape(&plan, problem, machine, size) || !plan_blocks(&plan)) return 1e300;
    const fal__problem *p = &plan.problem;
    const bool four = size == FAL__F4X3;
    const double products = (double)plan.a * plan.a, tiles = (double)plan.tiles;
    const double depth = (double)p->axis[0].k, panels = (double)plan.panels, blocks = (double)plan.blocks;
    const double tile_panels = blocks * (double)fal__ceil_div(plan.block_tiles, plan.panel_rows);
    const double multiply = products * (double)p->ic * depth * panels * (tiles + tile_panels);
    const double bytes = (double)fal__winograd_panel(&plan) * panels * sizeof(float) - BLOCK_BYTES;
    const double reading = bytes > 0 ? blocks * bytes / 6 : 0;
    const double input = tiles * (double)plan.channel_blocks * depth * (four ? 300 : 100);
    const double output = tiles * panels * FAL__WINOGRAD_VECTORS * (four ? 200 : 70);
    return (double)p->groups * (multiply + reading + input + output);
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, fal__winograd_size size,
                          void *state, fal__needs *needs, fal_error *error)
{
    fal__winograd_plan *plan = state;
    if (!plan_shape(plan, problem, machine, size) || !plan_blocks(plan))
        return fal__fail(error, FAL_E_OVERFLOW, "w", "the transformed weights overflow 64 bits");
    const uint64_t room = machine->workspace_cap - plan->packed_bytes;
    while (plan->scratch.bytes > room && plan->block_tiles > 1)
        if (!plan_block(plan, plan->block_tiles / 2)) break;
    if (plan->scratch.bytes > room)
        return fal__refuse_cap(machine, plan->packed_bytes + plan->scratch.bytes, error);
    const int64_t share = fal__ceil_div(plan->blocks, machine->threads) * machine->threads;
    if (plan->tiles / share >= plan->kernels->rows && !plan_block(plan, fal__ceil_div(plan->tiles, share)))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    const int64_t units = plan->problem.groups * plan->blocks;
    plan->splits = fal__min(plan->panels, fal__ceil_div(machine->threads, units));
    plan->split_panels = fal__ceil_div(plan->panels, plan->splits);
    plan->splits = fal__ceil_div(plan->panels, plan->split_panels);
    const fal__machine rest = {.threads = machine->threads, .workspace_cap = room};
    plan->tasks = fal__task_count(&rest, units * plan->splits, plan->scratch.bytes);
    needs->packed = plan->packed_bytes;
    needs->workspace_packed = (size_t)plan->tasks * plan->scratch.bytes;
    needs->workspace = needs->workspace_packed + plan->packed_bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "f32 F(%d,3) %s", plan->m, machine->kernels->level);
    return FAL_OK;
}

static void pack_panels(const fal__winograd_plan *plan, const float *w, float *packed, int64_t first,
                        int64_t end)
{
    for (int64_t i = first; i < end; i++)
        fal__winograd_pack_panel(plan, w, i / plan->panels, i % plan->panels,
                                 packed + i * fal__winograd_panel(plan));
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__winograd_plan *plan = state;
    pack_panels(plan, w, packed, 0, plan->problem.groups * plan->panels);
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__winograd_plan *plan;
    const fal__run *run;
    float *weights; /* where tasks write them when they were not packed ahead */
    const float *packed;
    char *scratch;
} job;

static void pack_task(void *argument, int32_t index)
{
    const job *j = argument;
    int64_t first, end;
    fal__partition(j->plan->problem.groups * j->plan->panels, j->plan->tasks, index, &first, &end);
    pack_panels(j->plan, j->run->w, j->weights, first, end);
}

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    int64_t first, end;
    fal__partition(j->plan->problem.groups * j->plan->splits * j->plan->blocks, j->plan->tasks, index, &first,
                   &end);
    fal__winograd_run_units(j->plan, j->run, j->packed, j->scratch + (size_t)index * j->plan->scratch.bytes,
                            first, end);
}

static bool run(const fal__run *r)
{
    const fal__winograd_plan *plan = r->state;
    job j = {.plan = plan, .run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL) {
        j.weights = r->workspace;
        j.packed = j.weights;
        j.scratch += plan->packed_bytes;
        fal__parallel(r->executor, plan->tasks, pack_task, &j);
    }
    fal__parallel(r->executor, plan->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *problem, const void *state, char *text, size_t capacity)
{
    (void)problem;
    const fal__winograd_plan *plan = state;
    const int length = snprintf(
        text, capacity,
        "F(%d,3), %" PRId64 " tile(s) in blocks of %" PRId64 ", panels %" PRId64 " x %" PRId64 ", %d task(s)",
        plan->m, plan->tiles, plan->block_tiles, plan->panel_rows, plan->width, plan->tasks);
    return length < 0 ? 0 : (size_t)length;
}

static bool applies_2(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    return applies(problem, machine, FAL__F2X3, why, capacity);
}

static bool applies_4(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    return applies(problem, machine, FAL__F4X3, why, capacity);
}

static double estimate_2(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, FAL__F2X3);
}

static double estimate_4(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, FAL__F4X3);
}

static fal_status prepare_2(const fal__problem *problem, const fal__machine *machine, void *state,
                            fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, FAL__F2X3, state, needs, error);
}

static fal_status prepare_4(const fal__problem *problem, const fal__machine *machine, void *state,
                            fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, FAL__F4X3, state, needs, error);
}

const fal__solver fal__solver_winograd_f2x3 = {
    .name = "winograd.f2x3",
    .version = 1,
    .state_bytes = sizeof(fal__winograd_plan),
    .applies = applies_2,
    .estimate = estimate_2,
    .prepare = prepare_2,
    .pack = pack,
    .run = run,
    .describe = describe,
};

const fal__solver fal__solver_winograd_f4x3 = {
    .name = "winograd.f4x3",
    .version = 1,
    .state_bytes = sizeof(fal__winograd_plan),
    .applies = applies_4,
    .estimate = estimate_4,
    .prepare = prepare_4,
    .pack = pack,
    .run = run,
    .describe = describe,
};
