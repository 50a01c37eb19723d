/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure.c: see measure.h.
 *
 * Solvers take turns, so that a clock that drifts or a neighbour that takes the processor for a while hurts
 * all alike; every other round the order is turned around. Medians are compared. A solver that is clearly
 * behind after a few rounds is let go, and when only one is left the trial is over.
 */
#include "planner/measure.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/error.h"

enum { TRIALS = 4, ROUNDS = 15, ROUNDS_LEAST = 3, CALLS_MOST = 1000 };
static const double near = 4;              /* estimates up to so many times the best are tried */
static const double sample_seconds = 2e-5; /* a thousand times what the clock can tell apart */
static const double behind = 1.25;         /* whose best is so many times the best median goes */
static const double worth_changing = 0.98; /* a gain below that is noise: the estimate decides */

enum { X, W, Y, BIAS, BLOCKS };

typedef struct trial {
    const fal__solver *solver;
    int32_t index; /* among the candidates */
    fal__run run;
    fal__needs needs;
    void *state, *memory; /* memory: packed weights and workspace */
    size_t bytes;
    bool ready, gone;
    int32_t calls, count;
    double seconds[ROUNDS];
} trial;

typedef struct operands {
    void *block[BLOCKS];
    size_t bytes[BLOCKS];
    char *first[BLOCKS]; /* where the operand's pointer would point */
} operands;

/* One axis of a strided view. */
typedef struct extent {
    int64_t count, stride;
} extent;

/* A block that reaches from the lowest to the highest element of a view, and its pointer's own place. */
static fal_status make_operand(const fal__setting *setting, int64_t base, const extent *axes, int count,
                               operands *o, int which, size_t element)
{
    int64_t low = base, high = base, bytes, step;
    bool fits = true, empty = false;
    for (int i = 0; i < count; i++) {
        empty |= axes[i].count == 0;
        if (axes[i].count < 2) continue;
        fits = fits && fal__mul(axes[i].count - 1, axes[i].stride, &step) &&
               fal__add(step < 0 ? low : high, step, step < 0 ? &low : &high);
    }
    if (empty) low = high = 0;
    low = fal__min(low, 0);
    high = fal__max(high, 0);
    if (!fits || !fal__sub(high, low, &bytes) ||
        !fal__mul_add(bytes, (int64_t)element, (int64_t)element, &bytes))
        return fal__fail(setting->error, FAL_E_OVERFLOW, "measure_seconds",
                         "the size of an operand overflows");
    FAL__TRY(
        fal__allocate(&setting->allocator, (size_t)bytes, "measuring", &o->block[which], setting->error));
    o->bytes[which] = (size_t)bytes;
    o->first[which] = (char *)o->block[which] - low * (int64_t)element;
    return FAL_OK;
}

/* Floats become 0.01 or so, which overflow nowhere and are not denormal; integers 0. */
static fal_status make_operands(const fal__problem *p, const fal__setting *setting, operands *o)
{
    const fal__problem_axis *a = p->axis;
    const size_t element = fal_dtype_bytes(p->dtype), result = fal_dtype_bytes(p->y_dtype);
    const extent x[] = {{p->n, p->x_n},     {p->groups, p->x_g}, {p->ic, p->x_ic},
                        {a[0].in, a[0].xs}, {a[1].in, a[1].xs},  {a[2].in, a[2].xs}};
    const extent w[] = {{p->groups, p->w_g}, {p->oc, p->w_oc},  {p->ic, p->w_ic},
                        {a[0].k, a[0].ws},   {a[1].k, a[1].ws}, {a[2].k, a[2].ws}};
    const extent y[] = {{p->n, p->y_n},      {p->groups, p->y_g}, {p->oc, p->y_oc},
                        {a[0].out, a[0].ys}, {a[1].out, a[1].ys}, {a[2].out, a[2].ys}};
    const extent bias[] = {{p->groups, p->b_g}, {p->oc, p->b_oc}};
    FAL__TRY(make_operand(setting, p->x_base, x, 6, o, X, element));
    FAL__TRY(make_operand(setting, p->w_base, w, 6, o, W, element));
    FAL__TRY(make_operand(setting, p->y_base, y, 6, o, Y, result));
    if (p->has_bias) FAL__TRY(make_operand(setting, 0, bias, 2, o, BIAS, sizeof(int64_t)));
    const int fill = fal_dtype_is_integer(p->dtype) ? 0 : 0x3c;
    for (int i = 0; i < BLOCKS; i++)
        if (o->block[i] != NULL) memset(o->block[i], i == Y ? 0 : fill, o->bytes[i]);
    return FAL_OK;
}

static size_t lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Prepares, packs and runs once. A solver that needs more workspace than the cap allows is left out. */
static fal_status begin(trial *t, const fal__problem *problem, const fal__setting *setting, bool packs,
                        double cycles, const operands *o)
{
    fal__machine own = setting->machine;
    own.threads = fal__worthwhile_threads(&own, cycles);
    FAL__TRY(
        fal__allocate(&setting->allocator, t->solver->state_bytes, "measuring", &t->state, setting->error));
    fal_status status = t->solver->prepare(problem, &own, t->state, &t->needs, NULL);
    if (status == FAL_E_WORKSPACE) return FAL_OK;
    if (status != FAL_OK) return t->solver->prepare(problem, &own, t->state, &t->needs, setting->error);
    const bool packed = packs && t->needs.packed > 0;
    const size_t packed_bytes = packed ? lines(t->needs.packed) : 0;
    const size_t workspace = lines(packed ? t->needs.workspace_packed : t->needs.workspace);
    if (packed_bytes > PTRDIFF_MAX - workspace)
        return fal__fail(setting->error, FAL_E_OVERFLOW, "measure_seconds",
                         "the memory for measuring overflows");
    t->bytes = packed_bytes + workspace;
    FAL__TRY(fal__allocate(&setting->allocator, t->bytes, "measuring", &t->memory, setting->error));
    t->run = (fal__run){.problem = problem,
                        .state = t->state,
                        .executor = &setting->executor,
                        .x = o->first[X],
                        .w = o->first[W],
                        .bias = o->first[BIAS],
                        .y = o->first[Y],
                        .packed = packed ? t->memory : NULL,
                        .workspace = (char *)t->memory + packed_bytes};
    if (packed) t->solver->pack(problem, t->state, o->first[W], t->memory);
    t->solver->run(&t->run);
    t->ready = true;
    return FAL_OK;
}

static double time_calls(const trial *t)
{
    const double start = fal__clock_seconds();
    for (int32_t i = 0; i < t->calls; i++) t->solver->run(&t->run);
    return (fal__clock_seconds() - start) / t->calls;
}

/* Keeps the samples sorted, so that the median stands in the middle. */
static void add_sample(trial *t, double seconds)
{
    int32_t at = t->count++;
    for (; at > 0 && t->seconds[at - 1] > seconds; at--) t->seconds[at] = t->seconds[at - 1];
    t->seconds[at] = seconds;
}

static double median(const trial *t)
{
    return t->seconds[t->count / 2];
}

/* The first sample, and how many calls the later ones have. */
static void size_samples(trial *t)
{
    t->calls = 1;
    const double once = time_calls(t);
    add_sample(t, once);
    const double calls = sample_seconds / (once > 1e-9 ? once : 1e-9);
    t->calls = calls < 1 ? 1 : calls > CALLS_MOST ? CALLS_MOST : (int32_t)calls;
    if (t->calls > 1) t->seconds[0] = time_calls(t);
}

/* Lets go who cannot win any more; returns how many are left. */
static int32_t thin_out(trial *trials, int32_t count)
{
    double best = -1;
    int32_t left = 0;
    for (int32_t i = 0; i < count; i++)
        if (trials[i].ready && (best < 0 || median(&trials[i]) < best)) best = median(&trials[i]);
    for (int32_t i = 0; i < count; i++) {
        trial *t = &trials[i];
        if (t->ready && t->count >= ROUNDS_LEAST && t->seconds[0] > behind * best) t->gone = true;
        left += t->ready && !t->gone;
    }
    return left;
}

static void run_rounds(trial *trials, int32_t count, double deadline)
{
    for (int32_t round = 1; round < ROUNDS && fal__clock_seconds() < deadline; round++) {
        for (int32_t i = 0; i < count; i++) {
            trial *t = &trials[round % 2 == 0 ? i : count - 1 - i];
            if (t->ready && !t->gone) add_sample(t, time_calls(t));
        }
        if (thin_out(trials, count) < 2) return;
    }
}

/* Writes the times to the candidates and moves the fastest to the front. */
static bool conclude(const trial *trials, int32_t count, fal__candidates *candidates)
{
    int32_t best = -1, ready = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!trials[i].ready) continue;
        ready++;
        candidates->item[trials[i].index].seconds = median(&trials[i]);
        if (best < 0 || median(&trials[i]) < worth_changing * median(&trials[best])) best = i;
    }
    if (ready < 2) return false;
    fal__candidates_prefer(candidates, trials[best].index);
    return true;
}

fal_status fal__measure(const fal__problem *problem, const fal__setting *setting, bool packs, double seconds,
                        fal__candidates *candidates, bool *measured)
{
    const double deadline = fal__clock_seconds() + seconds;
    int32_t count, rows;
    const fal__solver *const *solvers = fal__solvers(&rows);
    trial trials[TRIALS] = {0};
    operands o = {0};
    *measured = false;
    for (count = 0; count < TRIALS && count < candidates->count; count++)
        if (candidates->item[count].cycles > near * candidates->item[0].cycles) break;
    if (count < 2) return FAL_OK;
    fal_status status = make_operands(problem, setting, &o);
    for (int32_t i = 0; i < count && status == FAL_OK; i++) {
        if (i > 0 && fal__clock_seconds() > deadline) break;
        trial *t = &trials[i];
        t->solver = solvers[candidates->item[i].row];
        t->index = i;
        status = begin(t, problem, setting, packs, candidates->item[i].cycles, &o);
        if (status == FAL_OK && t->ready) size_samples(t);
    }
    if (status == FAL_OK) {
        run_rounds(trials, count, deadline);
        *measured = conclude(trials, count, candidates);
    }
    for (int32_t i = 0; i < count; i++) {
        fal__release(&setting->allocator, trials[i].memory, trials[i].bytes);
        if (trials[i].solver != NULL)
            fal__release(&setting->allocator, trials[i].state, trials[i].solver->state_bytes);
    }
    for (int i = 0; i < BLOCKS; i++) fal__release(&setting->allocator, o.block[i], o.bytes[i]);
    return status;
}
