/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped_channels: groups of few channels, channels last.
 *
 *     y[o, g, oc] = f(beta*y + bias + sum over t, ic of  w[g, oc, t, ic] * x[o*s + t*d - p, g, ic])
 *
 * A vector holds the output channels of several whole groups; their inputs are as many neighbours in memory,
 * each spread over the lanes of its group by a permutation (kernels/grouped.h). Nothing of the input is
 * copied; the weights are packed so that one vector serves all groups of the lanes.
 *
 * Cost: a multiply-add per product and vector that the padding leaves, and for 3 x 3 taps a permutation
 * for 3.5 of them. Wins for 2 to 8 channels a group (grouped residual networks) and for depthwise layers with
 * a multiplier; groups that fill vectors by themselves are direct-channels' business. Numerics: one sum per
 * output in the order of parts/reduction.h; padding contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "kernels/grouped.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/depthwise.h"
#include "solvers/parts/reduction.h"
#include "threads/parallel.h"

enum {
    D = 0,
    H = 1,
    W = 2,
    GROUP = 4,        /* blocks of a unit */
    TAPS_MOST = 256,  /* of an axis, and their dilation */
    RING_MOST = 8192, /* vectors */
    PIECE_ROWS = 28,
    PIECE_COLUMNS = 28
};

typedef struct grouped_channels {
    const fal__compute *compute;
    fal__reduction reduction;
    int32_t tasks;
    int64_t together;         /* groups of a block */
    int64_t blocks, units;    /* blocks, units of GROUP of them */
    int64_t rows, columns;    /* outputs of a piece */
    int64_t strips, spans;    /* pieces of a plane */
    size_t packed;            /* bytes of the weights: block, step, lane */
    int64_t slots;            /* rows of the ring */
    size_t bias, ring, bytes; /* scratch of a task */
} grouped_channels;

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Rows from the first tap to the last. */
static int64_t ring_slots(const fal__problem *p)
{
    return (p->axis[H].k - 1) * fal__depthwise_classes(&p->axis[H]) + 1;
}

static int64_t ring_vectors(const fal__problem *p)
{
    if (p->axis[W].s > 1) return 0;
    return p->axis[D].k * ring_slots(p) * p->ic * (FAL__GROUPED_TILE - 1 + p->axis[W].k);
}

/* Small kernels only: their ring fits L1. The bounds first, so that nothing overflows. */
static bool ring_fits(const fal__problem *p)
{
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (p->axis[a].k > TAPS_MOST || fal__depthwise_classes(&p->axis[a]) > TAPS_MOST) return false;
    return ring_vectors(p) <= RING_MOST;
}

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype) {
        snprintf(why, capacity, "needs f32 or f64 throughout");
        return false;
    }
    const fal__compute *compute = compute_for(p, machine);
    fal__reduction reduction;
    fal__reduction_plan(p, compute, &reduction);
    if (p->groups < 2 || p->oc < 2 || compute->lanes % p->oc != 0 || p->oc == compute->lanes)
        snprintf(why, capacity, "%" PRId64 " outputs in each of %" PRId64 " groups, needs a part of %d lanes",
                 p->oc, p->groups, compute->lanes);
    else if (p->ic > p->oc || reduction.chunk < p->ic)
        snprintf(why, capacity, "%" PRId64 " inputs per group, needs %" PRId64 " at most", p->ic, p->oc);
    else if ((p->ic > 1 && p->x_ic != 1) || (p->ic > 0 && p->x_g != p->ic) || p->y_oc != 1 || p->y_g != p->oc)
        snprintf(why, capacity, "channels are no neighbours in memory");
    else if (p->mode != FAL_PAD_ZEROS)
        snprintf(why, capacity, "the border is not zeros");
    else if (!ring_fits(p))
        snprintf(why, capacity, "%" PRId64 " rows from the first tap to the last are too many",
                 (p->axis[H].k - 1) * fal__depthwise_classes(&p->axis[H]) + 1);
    else
        return true;
    return false;
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const double pixels =
        (double)p->n * (double)p->axis[D].out * (double)p->axis[H].out * (double)p->axis[W].out;
    const double taps = (double)(p->axis[D].k * p->axis[H].k * p->axis[W].k);
    const double vectors = (double)fal__ceil_div(p->groups * p->oc, compute->lanes);
    const double product = p->axis[W].s == 1 ? 0.65 : 1.1;
    return vectors * pixels * (4 + (double)p->ic * (2 + product * taps)) +
           fal__depthwise_traffic(p, compute->panel_bytes);
}

static int64_t unit_count(const fal__problem *p, const grouped_channels *s)
{
    return p->n * p->axis[D].out * s->strips * s->spans * s->units;
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    grouped_channels *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->together = s->compute->lanes / p->oc;
    s->blocks = fal__ceil_div(p->groups, s->together);
    s->units = fal__ceil_div(s->blocks, GROUP);
    s->strips = fal__ceil_div(p->axis[H].out, PIECE_ROWS);
    s->spans = fal__ceil_div(p->axis[W].out, PIECE_COLUMNS);
    s->rows = fal__ceil_div(p->axis[H].out, s->strips);
    s->columns = PIECE_COLUMNS;
    s->slots = ring_slots(p);
    const size_t vector = (size_t)s->compute->lanes * s->compute->panel_bytes;
    size_t from;
    if (!fal__book(&s->packed, s->blocks * s->reduction.steps, vector, &from) ||
        !fal__book(&s->bytes, GROUP, vector, &s->bias) ||
        !fal__book(&s->bytes, ring_vectors(p), vector, &s->ring))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    fal__machine rest = *machine;
    rest.workspace_cap -= s->packed < rest.workspace_cap ? s->packed : rest.workspace_cap;
    s->tasks = fal__task_count(&rest, unit_count(p, s), s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes + s->packed, error);
    needs->packed = s->packed;
    needs->workspace_packed = (size_t)s->tasks * s->bytes;
    needs->workspace = needs->workspace_packed + s->packed;
    snprintf(needs->kernel, sizeof needs->kernel, "%s grouped by %d %s", s->compute->name, (int)s->together,
             machine->kernels->level);
    return FAL_OK;
}

/* One element from here to there, as the plain move that it is. */
static inline void move(char *to, const char *from, size_t element)
{
    if (element == sizeof(float))
        memcpy(to, from, sizeof(float));
    else
        memcpy(to, from, sizeof(double));
}

/* Packed weights: block, reduction step, lane; lanes without a channel are 0. */
static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const grouped_channels *s = state;
    const size_t element = s->compute->panel_bytes, vector = (size_t)s->compute->lanes * element;
    memset(packed, 0, s->packed);
    for (int64_t k = 0; k < s->reduction.steps; k++) {
        const int64_t step = fal__weight_offset(p, &s->reduction, k);
        for (int64_t g = 0; g < p->groups; g++) {
            const int64_t block = g / s->together;
            char *to = (char *)packed + (size_t)(block * s->reduction.steps + k) * vector +
                       (size_t)(g % s->together * p->oc) * element;
            for (int64_t oc = 0; oc < p->oc; oc++, to += element)
                move(to, (const char *)w + (step + g * p->w_g + oc * p->w_oc) * (int64_t)element, element);
        }
    }
}

/* What the tasks of one execution share. */
typedef struct job {
    const fal__run *run;
    const char *packed;
    char *scratch;
} job;

/* The biases of some blocks as whole vectors. */
static const void *gather_bias(const job *j, int64_t first, int64_t end, char *scratch)
{
    const fal__problem *p = j->run->problem;
    const grouped_channels *s = j->run->state;
    const size_t element = s->compute->panel_bytes;
    char *to = scratch + s->bias;
    if (!p->has_bias) return NULL;
    memset(to, 0, (size_t)((end - first) * s->compute->lanes) * element);
    for (int64_t g = first * s->together; g < fal__min(end * s->together, p->groups); g++)
        for (int64_t oc = 0; oc < p->oc; oc++, to += element)
            move(to, (const char *)j->run->bias + (g * p->b_g + oc * p->b_oc) * (int64_t)element, element);
    return scratch + s->bias;
}

/* A piece of one image, and the blocks of a unit. */
typedef struct place {
    int64_t n, od, first, end;
    fal__depthwise_span row, column;
} place;

static place place_of(const fal__problem *p, const grouped_channels *s, int64_t unit)
{
    place at;
    at.first = unit % s->units * GROUP, unit /= s->units;
    at.end = fal__min(at.first + GROUP, s->blocks);
    const int64_t column = unit % s->spans * s->columns;
    unit /= s->spans;
    const int64_t row = unit % s->strips * s->rows;
    unit /= s->strips;
    at.od = unit % p->axis[D].out, at.n = unit / p->axis[D].out;
    at.row = fal__depthwise_reach(&p->axis[H], row, fal__min(row + s->rows, p->axis[H].out));
    at.column = fal__depthwise_reach(&p->axis[W], column, fal__min(column + s->columns, p->axis[W].out));
    return at;
}

/* Blocks first..end-1, which have `groups` groups each. */
static void run_blocks(const job *j, const place *at, int64_t first, int64_t end, int32_t groups,
                       char *scratch)
{
    const fal__problem *p = j->run->problem;
    const grouped_channels *s = j->run->state;
    const int64_t element = (int64_t)s->compute->panel_bytes, group = first * s->together;
    const fal__depthwise_span plane = fal__depthwise_reach(&p->axis[D], at->od, at->od + 1);
    const int64_t x = p->x_base + at->n * p->x_n + group * p->x_g + plane.low * p->axis[D].xs +
                      at->row.low * p->axis[H].xs + at->column.low * p->axis[W].xs;
    const int64_t y = p->y_base + at->n * p->y_n + group * p->y_g + at->od * p->axis[D].ys +
                      at->row.first * p->axis[H].ys + at->column.first * p->axis[W].ys;
    fal__grouped_block block = {
        .plane = fal__depthwise_rows(&p->axis[D], &plane, p->axis[D].xs, 0),
        .row = fal__depthwise_rows(&p->axis[H], &at->row, p->axis[H].xs, p->axis[H].ys),
        .ic = p->ic,
        .oc = p->oc,
        .blocks = end - first,
        .groups = groups,
        .w = j->packed + first * s->reduction.steps * s->compute->lanes * element,
        .bias = gather_bias(j, first, end, scratch),
        .ring = scratch + s->ring,
        .slots = s->slots,
        .beta = p->beta,
        .activation = p->activation.kind != FAL_ACTIVATION_NONE ? &p->activation : NULL};
    if (p->ic == 0) block.plane.taps = 0; /* outputs that no product reaches */
    const int64_t classes = fal__min(fal__depthwise_classes(&p->axis[W]), at->column.end - at->column.first);
    for (int64_t class = 0; class < classes; class ++) {
        int64_t x_offset, y_offset;
        block.column = fal__depthwise_columns(&p->axis[W], &at->column, class, p->axis[W].xs, p->axis[W].ys,
                                              &x_offset, &y_offset);
        block.x = (const char *)j->run->x + (x + x_offset) * element;
        block.y = (char *)j->run->y + (y + y_offset) * element;
        (*s->compute->grouped)(&block);
    }
}

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__problem *p = j->run->problem;
    const grouped_channels *s = j->run->state;
    char *scratch = j->scratch + (size_t)index * s->bytes;
    int64_t unit, end;
    fal__partition(unit_count(p, s), s->tasks, index, &unit, &end);
    for (; unit < end; unit++) {
        const place at = place_of(p, s, unit);
        const int64_t whole = fal__min(at.end, p->groups / s->together);
        if (at.first < whole) run_blocks(j, &at, at.first, whole, (int32_t)s->together, scratch);
        if (whole < at.end) run_blocks(j, &at, whole, at.end, (int32_t)(p->groups % s->together), scratch);
    }
}

static bool run(const fal__run *run)
{
    const grouped_channels *s = run->state;
    job j = {.run = run, .packed = run->packed, .scratch = run->workspace};
    if (run->packed == NULL) {
        pack(run->problem, s, run->w, run->workspace);
        j.packed = run->workspace;
        j.scratch += s->packed;
    }
    fal__parallel(run->executor, s->tasks, run_task, &j);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const grouped_channels *s = state;
    const int length =
        snprintf(text, capacity,
                 "%s, %" PRId64 " groups of %" PRId64 " outputs in a vector, %" PRId64
                 " products each, pieces of %" PRId64 " x %" PRId64 " outputs, %d task(s)",
                 s->compute->name, s->together, p->oc, s->reduction.steps, s->rows, s->columns, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_grouped_channels = {
    .name = "grouped-channels",
    .version = 1,
    .state_bytes = sizeof(grouped_channels),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
