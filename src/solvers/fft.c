/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft: large kernels, by products of spectra.
 *
 * A convolution is a product of Fourier transforms, whose cost grows with the logarithm of the kernel where a
 * direct sum grows with the kernel. The image is cut in tiles whose sides have factors 2, 3 and 5; each is
 * transformed, multiplied entry by entry, and transformed back, as many channels at once as a vector has
 * lanes. Of every n points along an axis k - 1 are lost, where neighbouring tiles overlap (overlap-save,
 * Stockham 1966); a map that fits one tile loses only what its padding needs. parts/fft.h has the
 * picture; kernels/fft.h the transforms.
 *
 * Cost: some 20 cycles of a vector per point and axis, whatever the kernel, and one complex product per entry
 * and pair of channels. Wins on depthwise kernels from about 13 x 13, on dense ones from about 7 x 7, on 1-D
 * filters of some dozens of taps; loses where tiles hold mostly overlap, and where the spectra of many
 * kernels are read for few pixels. Numerics: not one sum of products, so not for strict accuracy. The error
 * is relative to the largest outputs of a tile and not to each of its own
 * (docs/adr/0020-large-kernels-by-fourier-transforms.md has the bound); small integers come out exact after
 * rounding. A NaN or infinity reaches all outputs of the tiles that look at it, and of the tile that shares a
 * transform. Bits do not depend on threads: tiles and pairs are the plan's.
 */
#include <stdio.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/fft.h"
#include "threads/parallel.h"

static double estimate(const fal__problem *problem, const fal__machine *machine)
{
    fal__fft_plan plan;
    return fal__fft_plan_for(&plan, problem, machine) ? plan.cycles : 1e300;
}

static fal_status prepare(const fal__problem *problem, const fal__machine *machine, void *state,
                          fal__needs *needs, fal_error *error)
{
    fal__fft_plan *plan = state;
    if (!fal__fft_plan_for(plan, problem, machine))
        return fal__fail(error, FAL_E_WORKSPACE, "workspace_cap_bytes", "no tile keeps within the cap");
    fal__fft_share(plan, machine->threads);
    fal__machine rest = *machine;
    rest.workspace_cap -= plan->packed_bytes;
    plan->tasks = fal__task_count(&rest, plan->units, plan->scratch.bytes);
    if (plan->tasks == 0) return fal__refuse_cap(machine, plan->scratch.bytes + plan->packed_bytes, error);
    needs->packed = plan->packed_bytes;
    needs->workspace_packed = (size_t)plan->tasks * plan->scratch.bytes;
    needs->workspace = needs->workspace_packed + plan->packed_bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s fft %" PRId64 "x%" PRId64 " %s", plan->compute->name,
             plan->rows.n, plan->columns.n, machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *problem, const void *state, const void *w, void *packed)
{
    (void)problem;
    const fal__fft_plan *plan = state;
    char *to = packed;
    fal__fft_pack_twiddles(plan, to);
    fal__fft_pack_weights(plan, w, to, to + plan->packing, 0, fal__fft_weight_pieces(plan));
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__fft_plan *plan;
    const fal__run *run;
    char *unpacked; /* where weights go that were not packed ahead */
    const char *packed;
    char *scratch;
} job;

static void pack_task(void *argument, int32_t index)
{
    const job *j = argument;
    int64_t first, end;
    fal__partition(fal__fft_weight_pieces(j->plan), j->plan->tasks, index, &first, &end);
    fal__fft_pack_weights(j->plan, j->run->w, j->unpacked,
                          j->scratch + (size_t)index * j->plan->scratch.bytes, first, end);
}

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    int64_t first, end;
    fal__partition(j->plan->units, j->plan->tasks, index, &first, &end);
    fal__fft_run_units(j->plan, j->run, j->packed, j->scratch + (size_t)index * j->plan->scratch.bytes, first,
                       end);
}

static bool run(const fal__run *r)
{
    const fal__fft_plan *plan = r->state;
    job j = {.plan = plan, .run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL) {
        j.unpacked = r->workspace;
        j.packed = j.unpacked;
        j.scratch += plan->packed_bytes;
        fal__fft_pack_twiddles(plan, j.unpacked);
        fal__parallel(r->executor, plan->tasks, pack_task, &j);
    }
    fal__parallel(r->executor, plan->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *problem, const void *state, char *text, size_t capacity)
{
    (void)problem;
    static const char *const lanes[FAL__FFT_LANES] = {"channels in the lanes", "tiles in the lanes",
                                                      "products of all channels"};
    const fal__fft_plan *plan = state;
    const int length = snprintf(text, capacity,
                                "%s, tiles of %" PRId64 " x %" PRId64 " points for %" PRId64 " x %" PRId64
                                " outputs, %s, %d task(s)",
                                plan->compute->name, plan->rows.n, plan->columns.n, plan->rows.m,
                                plan->columns.m, lanes[plan->lanes], plan->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_fft = {
    .name = "fft",
    .version = 1,
    .state_bytes = sizeof(fal__fft_plan),
    .pack_cycles = 40,
    .applies = fal__fft_applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
