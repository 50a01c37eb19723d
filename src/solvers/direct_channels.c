/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels: direct convolution, output channels in the lanes, nothing of the input copied.
 *
 * A tile of pixels by output channels stays in registers over all taps and input channels; each input
 * element is broadcast from the tensor where it lies (kernels/direct_channels.h). Outputs that meet the same
 * taps form regions with one list of offsets (parts/regions.h), so that stride, dilation and rank are
 * numbers in a list and nothing is multiplied on padding. After Georganas et al., "Anatomy of
 * high-performance deep learning convolutions on SIMD architectures" (SC 2018), and their reduction to
 * one kernel over lists of blocks, "High-performance deep learning via a single building block" (2019).
 *
 * Cost: the multiply-adds that exist, in whole vectors of output channels. Wins on tensors with channels
 * last and a vector of output channels or more per group; loses to Winograd where that applies, and
 * where pixels are neighbours in memory and channels far apart.
 * Numerics: one sum per output in the order of parts/reduction.h; padding contributes nothing.
 *
 * This file plans and packs; parts/direct_channels_cost.c chooses a tile, parts/direct_channels_run.c holds
 * the loops.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "solvers/parts/booking.h"
#include "solvers/parts/channels.h"
#include "solvers/parts/direct_channels.h"
#include "solvers/parts/join_axes.h"
#include "threads/parallel.h"

enum {
    PIXEL_BYTES = 512 * 1024, /* input of a block of pixel tiles: half of the smallest common L2 (1 MiB) */
    NEAR_BYTES = 256 * 1024,  /* and with the output, when the weights are fewer than either */
    SUM_BYTES = 256 * 1024,   /* sums that wait in scratch */
    TILES_MAX = 256,          /* pixel tiles of a block */
    RUNS_MAX = 1 << 14,       /* of a region: 384 KiB */
    REGIONS_MAX = 1 << 12,
    PIECES_MAX = 64, /* regions of a block */
    UNITS_EVEN = 64  /* pixel tiles a task, so that small ones at the border do not matter */
};

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Regions of a problem, as far as there are not too many. */
static int64_t count_regions(const fal__problem *p)
{
    int64_t regions = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        int64_t stretches = 0;
        for (int64_t o = 0; o < p->axis[a].out && stretches <= REGIONS_MAX; stretches++)
            o = fal__stretch_at(p, a, o).end;
        regions *= stretches;
        if (regions > REGIONS_MAX) break;
    }
    return regions;
}

static bool applies(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    if ((problem->dtype != FAL_F32 && problem->dtype != FAL_F64) || problem->y_dtype != problem->dtype) {
        snprintf(why, capacity, "needs f32 or f64 throughout");
        return false;
    }
    if (problem->mode == FAL_PAD_CONSTANT) {
        snprintf(why, capacity, "a constant border is no cell that an offset could reach");
        return false;
    }
    fal__problem p = *problem;
    fal__join_axes(&p);
    if (count_regions(&p) > REGIONS_MAX) {
        snprintf(why, capacity, "the border has more than %d sets of taps", REGIONS_MAX);
        return false;
    }
    fal__reduction reduction;
    const fal__compute *compute = compute_for(&p, machine);
    fal__reduction_plan(&p, compute, &reduction);
    int64_t runs;
    const int64_t steps = fal__direct_shortest_pass(&reduction, compute);
    if (fal__region_runs_most(&reduction, steps, &runs) && runs <= RUNS_MAX) return true;
    snprintf(why, capacity, "%" PRId64 " taps of %" PRId64 " channels are too long a list", reduction.taps,
             reduction.ic);
    return false;
}

static double estimate(const fal__problem *problem, const fal__machine *machine)
{
    fal__problem p = *problem;
    fal__join_axes(&p);
    const fal__compute *compute = compute_for(&p, machine);
    int32_t vectors;
    int64_t block;
    double cost = fal__direct_choose_tile(&p, compute, &vectors, &block);
    if (p.ic > 1 && p.x_ic != 1) cost *= 1.3; /* a step touches another page than the last */
    if (p.y_oc != 1) cost += 1.5 * (double)(p.oc * p.axis[0].out * p.axis[1].out * p.axis[2].out);
    return (double)p.n * (double)p.groups * cost + fal__direct_weights_cycles(&p, compute);
}

static int64_t count_tiles(const fal__direct_channels *d)
{
    int64_t tiles = 0;
    fal__region region;
    for (bool more = fal__region_first(&d->problem, &region); more;
         more = fal__region_next(&d->problem, &region)) {
        fal__direct_cut cut;
        fal__direct_cut_region(&region, fal__direct_rows(d), &cut);
        tiles += cut.per_line * cut.lines;
    }
    return tiles;
}

/* Blocks of pixel tiles as large as their cache share allows; splits where tasks need more units of work,
 * or where weights are larger than the input. */
static void plan_blocks(fal__direct_channels *d, int32_t tasks)
{
    const fal__problem *p = &d->problem;
    const int64_t element = (int64_t)d->compute->panel_bytes;
    const double input = (double)p->axis[0].in * (double)p->axis[1].in * (double)p->axis[2].in *
                         (double)p->ic * (double)element;
    const double weights = (double)d->reduction.steps * (double)p->oc * (double)element;
    const int64_t units = p->n * p->groups * d->image_tiles;
    d->tasks = (int32_t)fal__max(1, fal__min(tasks, units * d->tiles));
    d->splits = 1;
    if (d->tasks > 1 && (units < UNITS_EVEN * d->tasks || weights > 2 * input))
        d->splits = fal__max(1, fal__min(d->tiles, d->tasks));
    d->split_tiles = fal__max(1, fal__ceil_div(d->tiles, d->splits));
    d->splits = fal__max(1, fal__ceil_div(d->tiles, d->split_tiles));
    /* Large weights are worth long blocks even when the output of one leaves L2. */
    double fit = PIXEL_BYTES, tile_bytes = input / (double)fal__max(1, d->image_tiles);
    if (weights < PIXEL_BYTES) {
        fit = NEAR_BYTES;
        tile_bytes += (double)(fal__direct_rows(d) * p->oc * element);
    }
    fit /= tile_bytes > 1 ? tile_bytes : 1;
    d->block_tiles = fit >= TILES_MAX ? TILES_MAX : fal__max(1, (int64_t)fit);
    const int64_t sums = fal__direct_rows(d) * d->width * element;
    if (!d->in_place && d->reduction.steps > d->block)
        d->block_tiles = fal__max(1, fal__min(d->block_tiles, SUM_BYTES / sums));
    d->stream = p->n == 1 && d->image_tiles <= d->block_tiles;
}

static bool book_scratch(fal__direct_channels *d)
{
    fal__direct_scratch *s = &d->scratch;
    const int64_t waiting = d->in_place ? 0 : d->reduction.steps > d->block ? d->block_tiles : 1;
    const int64_t panel = fal__min(d->span, d->reduction.steps) * d->width;
    s->bytes = 0;
    if (!fal__region_runs_most(&d->reduction, d->block, &d->runs)) return false;
    d->pieces = fal__min(PIECES_MAX, count_regions(&d->problem));
    d->runs = fal__max(d->runs, fal__min(d->runs * d->pieces, RUNS_MAX / 2));
    return fal__book(&s->bytes, d->runs, sizeof(fal__direct_run), &s->runs) &&
           fal__book(&s->bytes, d->block_tiles, sizeof(fal__direct_place), &s->places) &&
           fal__book(&s->bytes, d->pieces, sizeof(fal__direct_piece), &s->pieces) &&
           fal__book(&s->bytes, d->width, d->compute->panel_bytes, &s->bias) &&
           fal__book(&s->bytes, d->stream ? panel : 0, d->compute->panel_bytes, &s->panel) &&
           fal__book(&s->bytes, waiting * fal__direct_rows(d) * d->width, d->compute->panel_bytes, &s->sums);
}

/* Channels of a group, rounded up to vectors. */
static int64_t padded_channels(const fal__direct_channels *d)
{
    return d->tiles == 0 ? 0 : (d->tiles - 1) * d->width + d->last_vectors * d->compute->lanes;
}

static bool packed_size(fal__direct_channels *d)
{
    int64_t bytes;
    if (!fal__mul(padded_channels(d), d->reduction.steps, &bytes) ||
        !fal__mul(bytes, d->problem.groups, &bytes) ||
        !fal__mul(bytes, (int64_t)d->compute->panel_bytes, &bytes) || bytes > PTRDIFF_MAX - 64)
        return false;
    d->packed_bytes = ((size_t)bytes + 63) / 64 * 64;
    return true;
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, void *state,
                          fal__needs *needs, fal_error *error)
{
    fal__direct_channels *d = state;
    memset(d, 0, sizeof *d);
    d->problem = *problem;
    fal__join_axes(&d->problem);
    const fal__problem *p = &d->problem;
    d->compute = compute_for(p, machine);
    fal__reduction_plan(p, d->compute, &d->reduction);
    fal__direct_choose_tile(p, d->compute, &d->vectors, &d->block);
    const int64_t chunk = d->reduction.chunk * d->reduction.taps;
    d->span = d->reduction.taps > 1 && chunk > d->block && chunk % d->block == 0 ? chunk : d->block;
    d->width = d->vectors * d->compute->lanes;
    d->tiles = fal__ceil_div(p->oc, d->width);
    d->last_vectors = (int32_t)fal__ceil_div(p->oc - fal__max(0, d->tiles - 1) * d->width, d->compute->lanes);
    d->image_tiles = count_tiles(d);
    d->in_place = p->beta == 0 && p->y_oc == 1;
    if (!packed_size(d)) return fal__fail(error, FAL_E_OVERFLOW, "w", "the packed weights overflow 64 bits");
    for (int32_t tasks = machine->threads;; tasks = 1) {
        plan_blocks(d, tasks);
        if (!book_scratch(d) || d->scratch.bytes > PTRDIFF_MAX / 2048)
            return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
        needs->workspace_packed = (size_t)d->tasks * d->scratch.bytes;
        needs->workspace = needs->workspace_packed + (d->stream ? 0 : d->packed_bytes);
        if (needs->workspace <= machine->workspace_cap) break;
        if (tasks == 1) return fal__refuse_cap(machine, needs->workspace, error);
    }
    needs->packed = d->packed_bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s %dx%d %s", d->compute->name, fal__direct_rows(d),
             (int)d->width, machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__direct_channels *d = state;
    const int64_t steps = d->reduction.steps;
    char *to = packed;
    for (int64_t g = 0; g < d->problem.groups; g++)
        for (int64_t t = 0; t < d->tiles; t++) {
            const int32_t vectors = t + 1 < d->tiles ? d->vectors : d->last_vectors;
            const fal__weights part = {
                .group = g, .oc = t * d->width, .end = steps, .width = vectors * d->compute->lanes};
            fal__weights_pack(&d->problem, &d->reduction, d->compute, w, &part, to);
            to += (size_t)(steps * part.width) * d->compute->panel_bytes;
        }
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__run *run;
    const void *packed;
    char *scratch;
} job;

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__direct_channels *d = j->run->state;
    fal__direct_channels_task(d, j->run, j->packed, j->scratch + (size_t)index * d->scratch.bytes, index);
}

static bool run(const fal__run *r)
{
    const fal__direct_channels *d = r->state;
    job j = {.run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL && !d->stream) {
        pack(&d->problem, d, r->w, r->workspace);
        j.packed = r->workspace;
        j.scratch += d->packed_bytes;
    }
    fal__parallel(r->executor, d->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *problem, const void *state, char *text, size_t capacity)
{
    (void)problem;
    const fal__direct_channels *d = state;
    const int length = snprintf(text, capacity,
                                "%s tile of %d pixels by %d channels, %" PRId64 " steps in passes of %" PRId64
                                ", %" PRId64 " pixel tile(s) a block, %" PRId64 " region(s), %d task(s)",
                                d->compute->name, fal__direct_rows(d), (int)d->width, d->reduction.steps,
                                fal__min(d->block, d->reduction.steps), d->block_tiles,
                                count_regions(&d->problem), d->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_direct_channels = {
    .name = "direct-channels",
    .version = 1,
    .state_bytes = sizeof(fal__direct_channels),
    .pack_cycles = 1,
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
