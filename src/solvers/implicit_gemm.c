/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * implicit_gemm: any canonical problem as a blocked matrix product over views.
 *
 * The weights of a group are a matrix (oc x k), the windows of its pixels another (k x pixels), with
 * k = taps * ic. Both are packed in panels, the windows one block at a time straight from the strided
 * tensor, so that im2col exists only for what the cache holds. Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication" (ACM TOMS 2008), with the packing of Chellapilla et al.'s
 * unrolled convolution (2006) folded in.
 *
 * Cost: n*g*oc*ic*taps*o multiply-adds rounded up to whole tiles, plus one copy of every window
 * element per channel split. Wins nowhere and serves everywhere: every type, stride, dilation,
 * padding mode, rank and layout. Loses on few output channels per group (depthwise), where packing
 * costs as much as computing.
 * Numerics: one sum per output in the order of parts/reduction.h; exact for integers.
 *
 * This file plans and packs; parts/implicit_gemm_run.c holds the loops.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/implicit_gemm.h"
#include "threads/parallel.h"

enum {
    PIXEL_BYTES = 256 * 1024, /* pixel panels of a block: a quarter of the smallest common L2 (1 MiB) */
    SUM_BYTES = 256 * 1024,   /* sums of a block, when k takes several blocks: another quarter */
    STREAM_BYTES = 4 << 20    /* larger weights are packed slice by slice on one-call use */
};

static bool applies(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity)
{
    (void)problem, (void)machine, (void)why, (void)capacity;
    return true;
}

/* The narrowest arithmetic that cannot overflow. max|x|*max|w| is 2^14 for i8, below 2^16 for u8 and
 * 2^30 for i16; the bias counts as one more product. */
static fal__arithmetic arithmetic_for(const fal__problem *p)
{
    if (p->dtype == FAL_F64) return FAL__F64;
    if (!fal_dtype_is_integer(p->dtype)) return FAL__F32;
    const int64_t taps = p->axis[0].k * p->axis[1].k * p->axis[2].k;
    const int bits = p->dtype == FAL_I8 ? 14 : p->dtype == FAL_U8 ? 16 : p->dtype == FAL_I16 ? 30 : 64;
    int64_t products;
    if (p->beta != 0 || bits == 64 || !fal__mul_add(p->ic, taps, 1, &products)) return FAL__I128;
    if (bits <= 16 && products < INT64_C(1) << (31 - bits)) return FAL__I32;
    return products < INT64_C(1) << (63 - bits) ? FAL__I64 : FAL__I128;
}

/* Joins axis a to the next where a 1-wide kernel walks both as one row: longer runs, same result. */
static void merge_axes(fal__problem *p)
{
    for (int a = FAL_MAX_SPATIAL - 2; a >= 0; a--) {
        fal__problem_axis *outer = &p->axis[a], *inner = &p->axis[a + 1];
        const bool plain = outer->k == 1 && inner->k == 1 && outer->s == 1 && inner->s == 1 &&
                           outer->begin == 0 && inner->begin == 0 && inner->in == inner->out &&
                           outer->in == outer->out;
        const bool row = outer->xs == inner->xs * inner->in && outer->ys == inner->ys * inner->out;
        if (!plain || (outer->out > 1 && !row)) return;
        inner->in *= outer->in;
        inner->out *= outer->out;
        *outer = (fal__problem_axis){.in = 1, .out = 1, .k = 1, .s = 1, .d = 1};
    }
}

/* Cycles per group of one choice of tile and roles: whole tiles of multiply-adds at two vectors a
 * cycle, and stores, vectors where y runs along the lanes. */
static double choice_cost(const fal__problem *p, const fal__compute *compute, const fal__tile *tile,
                          int64_t pixels, bool pixels_in_lanes)
{
    const int64_t rows = pixels_in_lanes ? p->oc : pixels, columns = pixels_in_lanes ? pixels : p->oc;
    const double tiles = (double)fal__ceil_div(rows, tile->mr) * (double)fal__ceil_div(columns, tile->nr);
    const double k = (double)(p->ic * p->axis[0].k * p->axis[1].k * p->axis[2].k);
    const double vectors = (double)tile->nr / compute->lanes;
    /* A tile row costs its vectors; few rows leave the broadcast and loop overhead in sight. Panels come from
     * L2, and sums pass through memory: a quarter more (bench, the dense layers of ResNet-50 on planes). */
    const double multiply = 1.25 * tiles * k * (tile->mr + 0.5) * vectors / 2;
    const int64_t step = pixels_in_lanes ? p->axis[FAL_MAX_SPATIAL - 1].ys : p->y_oc;
    return multiply + (double)pixels * (double)p->oc * (step == 1 ? 0.2 : 1.5);
}

static double choose_tile(const fal__problem *p, const fal__compute *compute, int64_t pixels, fal__tile *tile,
                          bool *pixels_in_lanes)
{
    double best = -1;
    for (int32_t i = 0; i < 2 * compute->tile_count; i++) {
        const fal__tile *candidate = &compute->tiles[i / 2];
        const double cost = choice_cost(p, compute, candidate, pixels, i % 2 == 0);
        if (best >= 0 && cost >= best) continue;
        best = cost;
        *tile = *candidate;
        *pixels_in_lanes = i % 2 == 0;
    }
    return best;
}

static double estimate(const fal__problem *problem, const fal__machine *machine)
{
    fal__problem p = *problem;
    merge_axes(&p);
    fal__tile tile;
    bool pixels_in_lanes;
    const fal__compute *compute = machine->kernels->compute[arithmetic_for(&p)];
    const int64_t pixels = p.n * p.axis[0].out * p.axis[1].out * p.axis[2].out;
    const double product = choose_tile(&p, compute, pixels, &tile, &pixels_in_lanes);
    const fal__problem_axis *row = &p.axis[FAL_MAX_SPATIAL - 1];
    const double element = row->s * row->xs == 1 ? 0.25 : 1.0; /* cycles to pack one: copied or gathered */
    const double taps = (double)(p.axis[0].k * p.axis[1].k * p.axis[2].k);
    /* A run of pixels is found again for every tap, and stored once per channel tile. */
    const int32_t width = pixels_in_lanes ? tile.nr : tile.mr, channels = pixels_in_lanes ? tile.mr : tile.nr;
    const double runs = (double)pixels / (double)fal__max(1, row->out) + (double)fal__ceil_div(pixels, width);
    const double finding = runs * (30 * taps + 25 * (double)fal__ceil_div(p.oc, channels));
    /* Measured: a fifth more than is counted here, while panels are on their way through the caches. */
    return 1.2 * (double)p.groups * (product + element * (double)pixels * (double)p.ic * taps + finding);
}

static bool book_scratch(fal__gemm *g)
{
    fal__gemm_scratch *s = &g->scratch;
    const int64_t tile = (int64_t)g->tile.mr * g->tile.nr;
    const int64_t tiles = g->channels.blocks > 1 ? g->split_tiles * g->block_tiles : 1;
    s->bytes = 0;
    return fal__book(&s->bytes, g->channels.kc * g->pixels.width * g->block_tiles, g->compute->panel_bytes,
                     &s->pixel_panels) &&
           fal__book(&s->bytes, g->channels.kc * g->channels.width, g->compute->panel_bytes,
                     &s->channel_panel) &&
           fal__book(&s->bytes, tiles, (size_t)tile * g->compute->sum_bytes, &s->sums) &&
           fal__book(&s->bytes, g->block_tiles * g->pixels.width, sizeof(fal__pixel_run), &s->runs) &&
           fal__book(&s->bytes, g->block_tiles, sizeof(int32_t), &s->run_counts) &&
           fal__book(&s->bytes, g->pixels.width, sizeof(fal__segment), &s->segments) &&
           fal__book(&s->bytes, tile, g->compute->sum_bytes, &s->bias) &&
           fal__book(&s->bytes, tile, g->compute->sum_bytes, &s->repair);
}

/* Blocks of pixels as large as their cache share allows, channel splits as many as tasks and sums ask. */
static void plan_blocks(fal__gemm *g, int64_t pixel_bytes, int64_t sum_bytes)
{
    const int64_t panel = g->channels.kc * g->pixels.width * (int64_t)g->compute->panel_bytes;
    const int64_t tile = (int64_t)g->tile.mr * g->tile.nr * (int64_t)g->compute->sum_bytes;
    const int64_t units = g->problem.groups * g->pixel_tiles;
    g->block_tiles = fal__max(1, fal__min(g->pixel_tiles, pixel_bytes / fal__max(panel, 1)));
    g->splits = units < 2 * g->tasks ? fal__min(g->channels.tiles, 2 * g->tasks) : 1;
    g->split_tiles = fal__ceil_div(g->channels.tiles, g->splits);
    if (g->channels.blocks > 1) {
        g->split_tiles = fal__min(g->split_tiles, fal__max(1, sum_bytes / tile));
        g->block_tiles = fal__max(1, fal__min(g->block_tiles, sum_bytes / (tile * g->split_tiles)));
    }
    g->splits = fal__ceil_div(g->channels.tiles, g->split_tiles);
}

static bool packed_size(fal__gemm *g)
{
    int64_t elements, bytes, row;
    if (!fal__mul(g->channels.tiles, g->channels.width, &row) ||
        !fal__mul(row, g->channels.reduction.steps, &elements) ||
        !fal__mul(elements, g->problem.groups, &elements) ||
        !fal__mul_add(elements, (int64_t)g->compute->panel_bytes, FAL__GEMM_HEADER, &bytes))
        return false;
    g->packed_bytes = (size_t)bytes;
    return bytes <= PTRDIFF_MAX - 64;
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, void *state,
                          fal__needs *needs, fal_error *error)
{
    fal__gemm *g = state;
    memset(g, 0, sizeof *g);
    g->problem = *problem;
    merge_axes(&g->problem);
    const fal__problem *p = &g->problem;
    g->compute = machine->kernels->compute[arithmetic_for(p)];
    const int64_t pixels = p->n * p->axis[0].out * p->axis[1].out * p->axis[2].out;
    choose_tile(p, g->compute, pixels, &g->tile, &g->pixels_in_lanes);
    fal__pixels_plan(p, g->pixels_in_lanes ? g->tile.nr : g->tile.mr, &g->pixels);
    fal__channels_plan(p, g->compute, g->pixels_in_lanes ? g->tile.mr : g->tile.nr, &g->channels);
    g->pixel_tiles = fal__ceil_div(pixels, g->pixels.width);
    if (!packed_size(g)) return fal__fail(error, FAL_E_OVERFLOW, "w", "the packed weights overflow 64 bits");
    /* Under a cap: first pack weights slice by slice, then fewer tasks, then smaller blocks. */
    int64_t pixel_bytes = PIXEL_BYTES, sum_bytes = SUM_BYTES;
    g->tasks = machine->threads;
    g->stream = g->packed_bytes > STREAM_BYTES;
    for (;;) {
        plan_blocks(g, pixel_bytes, sum_bytes);
        const int64_t units = p->groups * g->splits * g->pixel_tiles;
        g->tasks = (int32_t)fal__max(1, fal__min(g->tasks, units));
        if (!book_scratch(g) || g->scratch.bytes > PTRDIFF_MAX / 2048)
            return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
        needs->workspace_packed = (size_t)g->tasks * g->scratch.bytes;
        needs->workspace = needs->workspace_packed + (g->stream ? 0 : (g->packed_bytes + 63) / 64 * 64);
        if (needs->workspace <= machine->workspace_cap) break;
        if (!g->stream) {
            g->stream = true;
        } else if (g->tasks > 1) {
            g->tasks = 1;
        } else if (pixel_bytes > 1) {
            pixel_bytes = sum_bytes = 1;
        } else {
            return fal__refuse_cap(machine, needs->workspace, error);
        }
    }
    needs->packed = g->packed_bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s %dx%d %s", g->compute->name, g->tile.mr, g->tile.nr,
             machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__gemm *g = state;
    char *slices = (char *)packed + FAL__GEMM_HEADER;
    bool finite = true;
    for (int64_t group = 0; group < g->problem.groups; group++)
        for (int64_t block = 0; block < g->channels.blocks; block++)
            for (int64_t tile = 0; tile < g->channels.tiles; tile++) {
                const int64_t at = fal__channels_slice(&g->channels, group, block, tile);
                finite &= fal__channels_pack(&g->problem, &g->channels, g->compute, w, group, block, tile,
                                             slices + (size_t)at * g->compute->panel_bytes);
            }
    memset(packed, 0, FAL__GEMM_HEADER);
    *(fal__gemm_packed *)packed = (fal__gemm_packed){.magic = FAL__GEMM_MAGIC,
                                                     .bytes = g->packed_bytes,
                                                     .width = (uint64_t)g->channels.width,
                                                     .kc = (uint64_t)g->channels.kc,
                                                     .finite = finite};
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__gemm *gemm;
    const fal__run *run;
    const char *packed; /* or NULL */
    char *scratch;
} job;

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__gemm *g = j->gemm;
    fal__gemm_task task = {.gemm = g, .run = j->run, .weights_finite = true, .fits = true};
    task.scratch = j->scratch + (size_t)index * g->scratch.bytes;
    if (j->packed != NULL) {
        task.slices = j->packed + FAL__GEMM_HEADER;
        task.weights_finite = ((const fal__gemm_packed *)(const void *)j->packed)->finite != 0;
    }
    int64_t first, end;
    fal__partition(g->problem.groups * g->splits * g->pixel_tiles, g->tasks, index, &first, &end);
    fal__gemm_run_units(&task, first, end);
    /* The task is done with its scratch: its verdict goes there. */
    *(bool *)task.scratch = task.fits;
}

static bool run(const fal__run *r)
{
    const fal__gemm *g = r->state;
    job j = {.gemm = g, .run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL && !g->stream) {
        j.scratch += (g->packed_bytes + 63) / 64 * 64;
        pack(&g->problem, g, r->w, r->workspace);
        j.packed = r->workspace;
    }
    fal__parallel(r->executor, g->tasks, run_task, &j);
    bool fits = true;
    for (int32_t i = 0; i < g->tasks; i++) fits &= *(const bool *)(j.scratch + (size_t)i * g->scratch.bytes);
    return fits;
}

static size_t describe(const fal__problem *problem, const void *state, char *text, size_t capacity)
{
    (void)problem;
    const fal__gemm *g = state;
    const int length =
        snprintf(text, capacity,
                 "%s tile %dx%d, %s in lanes, k %lld in %lld block(s), %lld pixel tile(s) a pass, "
                 "%d task(s)",
                 g->compute->name, g->tile.mr, g->tile.nr, g->pixels_in_lanes ? "pixels" : "channels",
                 (long long)g->channels.reduction.steps, (long long)g->channels.blocks,
                 (long long)g->block_tiles, g->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_implicit_gemm = {
    .name = "implicit-gemm",
    .version = 1,
    .state_bytes = sizeof(fal__gemm),
    .pack_cycles = 3.5,
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
