/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels: direct convolution of planes, with neighbouring pixels in the lanes.
 *
 *     y[oc, pixel + lane] = bias + sum over ic, taps of  w[tap, ic, oc] * x[ic, pixel + tap + lane]
 *
 * The lanes read x where neighbouring pixels are neighbours in memory (the layout of Georganas et al.,
 * "Anatomy of high-performance deep learning convolutions on SIMD architectures", SC 2018, turned by a
 * quarter: there the channels are). A pointwise layer reads its planes in place. Otherwise the lines that a
 * block of outputs needs are copied once, into L2, and serve all taps and output channels: strides are taken
 * out there and padding is put in, so that short rows follow each other in the lanes and no loop knows
 * either.
 *
 * Cost: a multiply-add per product and vector, the last vector of a block filled up; one copy of each input
 * element per column copy. Wins on planes with some output channels. Loses where a plane has few pixels (a
 * 7x7 map fills three quarters of its vectors), and where pixels are not neighbours in memory. Numerics: one
 * sum per output in the order of parts/reduction.h.
 *
 * This file packs; parts/direct_pixels_plan.c plans, parts/direct_pixels_run.c holds the loops.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/channels.h"
#include "solvers/parts/direct_pixels.h"
#include "threads/parallel.h"

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    fal__direct_pixels s;
    return fal__dp_plan(p, machine, &s, NULL, why, capacity);
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    fal__direct_pixels s;
    char why[128];
    double cycles = 0;
    fal__dp_plan(p, machine, &s, &cycles, why, sizeof why);
    return cycles;
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, void *state,
                          fal__needs *needs, fal_error *error)
{
    fal__direct_pixels *s = state;
    char why[128];
    double cycles;
    int64_t elements, bytes;
    if (!fal__dp_plan(problem, machine, s, &cycles, why, sizeof why))
        return fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "%s", why);
    const fal__problem *p = &s->problem;
    if (!fal__mul(p->groups, p->oc, &elements) || !fal__mul(elements, s->reduction.steps, &elements) ||
        !fal__mul_add(elements, (int64_t)s->compute->panel_bytes, FAL__DP_HEADER + 63, &bytes) ||
        bytes > PTRDIFF_MAX - 64)
        return fal__fail(error, FAL_E_OVERFLOW, "w", "the packed weights overflow 64 bits");
    if (!fal__dp_book(s))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    s->packed_bytes = (size_t)(bytes / 64 * 64);
    fal__machine rest = *machine;
    if (rest.workspace_cap != UINT64_MAX)
        rest.workspace_cap -= rest.workspace_cap < s->packed_bytes ? rest.workspace_cap : s->packed_bytes;
    s->tasks = fal__task_count(
        &rest, p->groups * s->splits * p->n * s->blocks[0] * s->blocks[1] * s->blocks[2], s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes + s->packed_bytes, error);
    needs->packed = s->packed_bytes;
    needs->workspace_packed = (size_t)s->tasks * s->bytes;
    needs->workspace = needs->workspace_packed + s->packed_bytes;
    const int64_t rows = fal__dp_panel(s, 1);
    snprintf(needs->kernel, sizeof needs->kernel, "%s %dx%d pixels %s", s->compute->name, (int)rows,
             (int)s->kernels->vectors_max[rows] * s->kernels->lanes, machine->kernels->level);
    return FAL_OK;
}

/* One panel of block of k `k`: its chunks, in a chunk the taps, in a tap the channels. w points at the
 * group's weights; returns the number of elements. */
static int64_t pack_panel(const fal__direct_pixels *s, const char *w, int64_t k, int64_t panel, char *to)
{
    const fal__problem *p = &s->problem;
    const int64_t element = (int64_t)s->compute->panel_bytes, taps = s->reduction.taps;
    const int64_t i0 = k * s->k_channels, channels = fal__min(s->k_channels, p->ic - i0);
    const int64_t oc = fal__dp_panel(s, panel), rows = fal__dp_panel(s, panel + 1) - oc;
    const int64_t chunk = taps == 1 ? channels : s->reduction.chunk;
    if (fal__weights_turn_over(p, s->compute)) {
        const int64_t from = p->w_base + oc * p->w_oc + i0 * p->w_ic;
        fal__weights_turn(&s->reduction, s->compute, chunk,
                          (fal__transpose){.from = w + from * element,
                                           .to = to,
                                           .step = p->w_oc,
                                           .channels = channels,
                                           .taps = taps,
                                           .length = (int32_t)rows,
                                           .width = (int32_t)rows});
        return channels * taps * rows;
    }
    char *packed = to;
    for (int64_t c = 0; c < channels; c += chunk) {
        const int64_t steps = fal__min(chunk, channels - c);
        for (int64_t tap = 0; tap < taps; tap++) {
            int64_t t[FAL_MAX_SPATIAL], at = p->w_base + oc * p->w_oc + (i0 + c) * p->w_ic;
            fal__tap_place(p, tap, t);
            for (int a = 0; a < FAL_MAX_SPATIAL; a++) at += t[a] * p->axis[a].ws;
            s->kernels->pack(w + at * element, p->w_oc, p->w_ic, steps, (int32_t)rows, packed);
            packed += steps * rows * element;
        }
    }
    return (packed - to) / element;
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__direct_pixels *s = state;
    const fal__problem *p = &s->problem;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    char *to = (char *)packed + FAL__DP_HEADER;
    bool finite = true;
    for (int64_t g = 0; g < p->groups; g++)
        for (int64_t k = 0; k < s->k_blocks; k++)
            for (int64_t panel = 0; panel < s->panels; panel++) {
                const int64_t count = pack_panel(s, (const char *)w + g * p->w_g * element, k, panel, to);
                finite &= s->compute->finite(to, count);
                to += count * element;
            }
    memset(packed, 0, FAL__DP_HEADER);
    *(fal__dp_packed *)packed = (fal__dp_packed){.finite = finite};
}

typedef struct job {
    const fal__run *run;
    const char *packed;
    char *scratch;
} job;

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__direct_pixels *s = j->run->state;
    fal__dp_run_task(s, j->run, j->packed, j->scratch + (size_t)index * s->bytes, index);
}

static bool run(const fal__run *r)
{
    const fal__direct_pixels *s = r->state;
    job j = {.run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL) {
        pack(r->problem, s, r->w, r->workspace);
        j.packed = r->workspace;
        j.scratch += s->packed_bytes;
    }
    fal__parallel(r->executor, s->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    (void)p;
    const fal__direct_pixels *s = state;
    const char *source = s->in_place      ? "read in place"
                         : s->axis[2].own ? "columns copied for each tap"
                                          : "rows copied";
    const int length =
        snprintf(text, capacity,
                 "%s, blocks of %" PRId64 "x%" PRId64 " outputs, %s%s, k %" PRId64 " in %" PRId64
                 " block(s), %" PRId64 " panel(s) in %" PRId64 " split(s), %d task(s)",
                 s->compute->name, s->axis[1].block, s->axis[2].block, source,
                 s->axis[1].cut || s->axis[2].cut ? ", cut where padding begins" : "", s->reduction.steps,
                 s->k_blocks, s->panels, s->splits, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_direct_pixels = {
    .name = "direct-pixels",
    .version = 1,
    .state_bytes = sizeof(fal__direct_pixels),
    .pack_cycles = 1,
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
