/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd: small kernels with fewer multiplications, F(2,3), F(4,3), F(6,3) and others of their points.
 *
 * An m x m tile of outputs costs (m+2)^2 products per pair of channels instead of 9*m^2: 4 times fewer
 * for m = 4, 2.25 times for m = 2 (Winograd 1980; Lavin and Gray 2016; the matrices are derived in
 * kernels/generic/winograd_lines.tmpl.h). The same points serve other kernels: 4 points F(3,2), 6 points
 * F(5,2), F(3,4) and F(2,5). Inputs are transformed block by block, so that what is multiplied stays in L2
 * (Gelashvili, Shavit and Zlateski 2019); weights are transformed once. The solvers whose names begin with
 * winograd.row transform one axis alone, for 1-D layers, 1x3 kernels and maps too small for square tiles:
 * half the savings, half the growth of the weights. Axes that are not transformed are a reduction, with any
 * stride; dilated axes fall apart into dense ones.
 *
 * Cost: the products, plus transforms that are paid per channel and not per pair of channels, plus
 * the transformed weights, which are 4 (F(2,3): 1.8) times as large and are read once per block. Wins
 * with 32 and more channels on both sides; loses on few channels, and on few tiles, where reading the
 * weights is all the work.
 * Numerics: not one sum of products, so not for strict accuracy. Against one direct sum the error of
 * F(4,3) is at most about twice as large, and no larger from 256 channels on, where sums are cut in
 * chains; that of F(2,3) is smaller, and F(2,3) is exact on small integers. F(6,3), whose error is four times
 * that of F(4,3), is for fast accuracy only. A NaN or infinity reaches all outputs of the tiles that look at
 * it, not only those of its own windows.
 *
 * This file is the solvers' frame; parts/winograd_plan.c plans, parts/winograd_run.c holds the loops,
 * parts/winograd_patch.c the edges of images, parts/winograd_weights.c the weights.
 */
#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/winograd.h"
#include "threads/parallel.h"

static double estimate(const fal__problem *problem, const fal__machine *machine, fal__winograd_kind kind)
{
    fal__winograd_plan plan;
    return fal__winograd_plan_for(&plan, problem, machine, kind) ? plan.cycles : 1e300;
}

/* Enough blocks, or splits of the output channels, for all threads. */
static bool share(fal__winograd_plan *plan, int32_t threads)
{
    const int64_t blocks = fal__ceil_div(plan->blocks, threads) * threads;
    if (threads > 1 && plan->tiles / blocks >= plan->kernels->rows &&
        !fal__winograd_cut(plan, fal__ceil_div(plan->tiles, blocks), plan->chunk_panels))
        return false;
    const int64_t units = plan->problem.groups * plan->blocks, splits = fal__ceil_div(threads, units);
    if (splits > plan->chunks &&
        !fal__winograd_cut(plan, plan->block_tiles, fal__ceil_div(plan->panels, splits)))
        return false;
    plan->split_chunks = fal__ceil_div(plan->chunks, fal__min(plan->chunks, splits));
    plan->splits = fal__ceil_div(plan->chunks, plan->split_chunks);
    return true;
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, fal__winograd_kind kind,
                          void *state, fal__needs *needs, fal_error *error)
{
    fal__winograd_plan *plan = state;
    if (!fal__winograd_plan_for(plan, problem, machine, kind) || !share(plan, machine->threads))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    const size_t unpacked = plan->transient ? 0 : plan->packed_bytes;
    const fal__machine rest = {.threads = machine->threads,
                               .workspace_cap = machine->workspace_cap - unpacked};
    const int64_t units = plan->problem.groups * plan->blocks * plan->splits;
    plan->tasks = fal__task_count(&rest, units, plan->scratch.bytes);
    if (plan->tasks == 0) return fal__refuse_cap(machine, unpacked + plan->scratch.bytes, error);
    needs->packed = plan->packed_bytes;
    needs->workspace_packed = (size_t)plan->tasks * plan->scratch.bytes;
    needs->workspace = needs->workspace_packed + unpacked;
    snprintf(needs->kernel, sizeof needs->kernel, "f32 F(%d,%d) %s", plan->transform->m,
             plan->transform->taps, machine->kernels->level);
    return FAL_OK;
}

/* Pieces first .. end-1 of the packed weights of all groups; a piece is one chunk and chain. */
static void pack_pieces(const fal__winograd_plan *plan, const float *w, float *packed, int64_t first,
                        int64_t end)
{
    const int64_t of_group = plan->chunks * plan->chains;
    for (int64_t i = first; i < end; i++) {
        const int64_t group = i / of_group, chunk = i % of_group / plan->chains, chain = i % plan->chains;
        fal__winograd_pack(plan, w, group, chunk, chain, packed + fal__weights_at(plan, group, chunk, chain));
    }
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__winograd_plan *plan = state;
    pack_pieces(plan, w, packed, 0, plan->problem.groups * plan->chunks * plan->chains);
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__winograd_plan *plan;
    const fal__run *run;
    float *weights; /* where they are packed when they were not packed ahead */
    const float *packed;
    char *scratch;
} job;

static void pack_task(void *argument, int32_t index)
{
    const job *j = argument;
    int64_t first, end;
    fal__partition(j->plan->problem.groups * j->plan->chunks * j->plan->chains, j->plan->tasks, index, &first,
                   &end);
    pack_pieces(j->plan, j->run->w, j->weights, first, end);
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
    if (r->packed == NULL && !plan->transient) {
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
        "F(%d,%d) along %s, %" PRId64 " tile(s) in blocks of %" PRId64 ", panels %" PRId64 " x %" PRId64
        ", %" PRId64 " a chunk, %d task(s)",
        plan->transform->m, plan->transform->taps, plan->dims == FAL__COLUMNS ? "one axis" : "two axes",
        plan->tiles, plan->block_tiles, plan->panel_rows, plan->width, plan->chunk_panels, plan->tasks);
    return length < 0 ? 0 : (size_t)length;
}

static const fal__winograd_kind f2x3 = {4, FAL__ROWS_AND_COLUMNS};

static bool applies_f2x3(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    return fal__winograd_applies(problem, machine, f2x3, why, capacity);
}

static double estimate_f2x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, f2x3);
}

static fal_status prepare_f2x3(const fal__problem *problem, const fal__machine *machine, void *state,
                               fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, f2x3, state, needs, error);
}

const fal__solver fal__solver_winograd_f2x3 = {
    .name = "winograd.f2x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 5,
    .applies = applies_f2x3,
    .estimate = estimate_f2x3,
    .prepare = prepare_f2x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};

static const fal__winograd_kind f4x3 = {6, FAL__ROWS_AND_COLUMNS};

static bool applies_f4x3(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    return fal__winograd_applies(problem, machine, f4x3, why, capacity);
}

static double estimate_f4x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, f4x3);
}

static fal_status prepare_f4x3(const fal__problem *problem, const fal__machine *machine, void *state,
                               fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, f4x3, state, needs, error);
}

const fal__solver fal__solver_winograd_f4x3 = {
    .name = "winograd.f4x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 7,
    .applies = applies_f4x3,
    .estimate = estimate_f4x3,
    .prepare = prepare_f4x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};

static const fal__winograd_kind f6x3 = {8, FAL__ROWS_AND_COLUMNS};

static bool applies_f6x3(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    return fal__winograd_applies(problem, machine, f6x3, why, capacity);
}

static double estimate_f6x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, f6x3);
}

static fal_status prepare_f6x3(const fal__problem *problem, const fal__machine *machine, void *state,
                               fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, f6x3, state, needs, error);
}

const fal__solver fal__solver_winograd_f6x3 = {
    .name = "winograd.f6x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 10,
    .applies = applies_f6x3,
    .estimate = estimate_f6x3,
    .prepare = prepare_f6x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};

static const fal__winograd_kind row_f2x3 = {4, FAL__COLUMNS};

static bool applies_row_f2x3(const fal__problem *problem, const fal__machine *machine, char *why,
                             size_t capacity)
{
    return fal__winograd_applies(problem, machine, row_f2x3, why, capacity);
}

static double estimate_row_f2x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, row_f2x3);
}

static fal_status prepare_row_f2x3(const fal__problem *problem, const fal__machine *machine, void *state,
                                   fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, row_f2x3, state, needs, error);
}

const fal__solver fal__solver_winograd_row_f2x3 = {
    .name = "winograd.row.f2x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 3,
    .applies = applies_row_f2x3,
    .estimate = estimate_row_f2x3,
    .prepare = prepare_row_f2x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};

static const fal__winograd_kind row_f4x3 = {6, FAL__COLUMNS};

static bool applies_row_f4x3(const fal__problem *problem, const fal__machine *machine, char *why,
                             size_t capacity)
{
    return fal__winograd_applies(problem, machine, row_f4x3, why, capacity);
}

static double estimate_row_f4x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, row_f4x3);
}

static fal_status prepare_row_f4x3(const fal__problem *problem, const fal__machine *machine, void *state,
                                   fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, row_f4x3, state, needs, error);
}

const fal__solver fal__solver_winograd_row_f4x3 = {
    .name = "winograd.row.f4x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 4,
    .applies = applies_row_f4x3,
    .estimate = estimate_row_f4x3,
    .prepare = prepare_row_f4x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};

static const fal__winograd_kind row_f6x3 = {8, FAL__COLUMNS};

static bool applies_row_f6x3(const fal__problem *problem, const fal__machine *machine, char *why,
                             size_t capacity)
{
    return fal__winograd_applies(problem, machine, row_f6x3, why, capacity);
}

static double estimate_row_f6x3(const fal__problem *problem, const fal__machine *machine)
{
    return estimate(problem, machine, row_f6x3);
}

static fal_status prepare_row_f6x3(const fal__problem *problem, const fal__machine *machine, void *state,
                                   fal__needs *needs, fal_error *error)
{
    return prepare(problem, machine, row_f6x3, state, needs, error);
}

const fal__solver fal__solver_winograd_row_f6x3 = {
    .name = "winograd.row.f6x3",
    .version = 2,
    .state_bytes = sizeof(fal__winograd_plan),
    .pack_cycles = 5,
    .applies = applies_row_f6x3,
    .estimate = estimate_row_f6x3,
    .prepare = prepare_row_f6x3,
    .pack = pack,
    .run = run,
    .describe = describe,
};
