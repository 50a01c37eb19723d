/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise: one input and one output channel per group, in every layout.
 *
 *     y[o, g] = f(beta*y + bias[g] + sum over t of  w[g, t] * x[o*s + t*d - p, g])
 *
 * Lanes are channels. Channels that are neighbours in memory (channels last) are read and written where they
 * lie. Planes take a detour: a piece of 16 planes (as many as a vector has lanes) is turned into a patch
 * of L1 size, computed there and turned back, so that every kernel size, stride, dilation and map has the
 * same inner loop:
 *
 *     x: 16 planes  --gather-->  patch [row][column][16]  --run-->  patch  --scatter-->  y: 16 planes
 *
 * A last block of fewer channels takes the detour in every layout.
 *
 * Cost: a multiply-add per product and vector that the padding leaves, half a load; the detour 6 shuffles and
 * 8 moves of quarters per vector of pixels. Loses to shifted-rows where a plane is one channel.
 * Numerics: one sum per output in the order of parts/reduction.h; padding contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/depthwise.h"
#include "solvers/parts/depthwise_run.h"

enum {
    D = 0,
    H = 1,
    W = 2,
    GROUP = 16,                /* blocks of a unit where channels lie side by side */
    PATCH_TAPS = 121,          /* from so many taps on, a patch pays in every layout */
    PIECE_MEMORY = 1536 << 10, /* bytes of x and y that L2 does not hold */
    PIECE_L1 = 32 << 10,       /* bytes of input that one block of a piece should not exceed */
    PIECE_L2 = 512 << 10,      /* and must not, where it can be cut */
    COLUMNS_LEAST = 56
};

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    (void)machine;
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        snprintf(why, capacity, "needs f32 or f64 throughout");
    else if (p->ic > 1 || p->oc != 1)
        snprintf(why, capacity, "%" PRId64 " inputs and %" PRId64 " outputs per group, needs 1 and 1", p->ic,
                 p->oc);
    else if (p->groups < 2)
        snprintf(why, capacity, "one group leaves the lanes empty");
    else if (p->mode != FAL_PAD_ZEROS)
        snprintf(why, capacity, "the border is not zeros");
    else
        return true;
    return false;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const double pixels =
        (double)p->n * (double)p->axis[D].out * (double)p->axis[H].out * (double)p->axis[W].out;
    const double taps = (double)(p->axis[D].k * p->axis[H].k * p->axis[W].k);
    const double vectors = (double)fal__ceil_div(p->groups, compute->lanes);
    const double turns =
        (p->x_g != 1 ? 6.0 * (double)(p->axis[W].s * p->axis[H].s) : 0) + (p->y_g != 1 ? 6 : 0);
    return vectors * pixels * (2 + 0.7 * taps + turns) + fal__depthwise_traffic(p, compute->panel_bytes);
}

/* Outputs of a piece along an axis when it is cut into about `count` pieces. */
static int64_t evenly(int64_t out, int64_t most)
{
    return fal__ceil_div(out, fal__ceil_div(out, most));
}

/* Positions that `out` neighbouring outputs reach. */
static int64_t reach(const fal__problem_axis *axis, int64_t out)
{
    const int64_t extent = (axis->k - 1) * fal__depthwise_classes(axis);
    return fal__min(axis->in, (out - 1) * axis->s + extent + 1);
}

/*
 * Channels last. The kernel reads a piece block by block, a vector of each pixel, and the next block is the
 * next vector. Low pieces let the memory behind L2 be read almost as it lies; pieces of several rows read
 * each vector fewer times from L2. Neighbouring pieces find what they share in L2.
 */
static void choose_piece_in_place(const fal__problem *p, fal__depthwise_state *s)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const double tensors = (double)(p->axis[D].in * h->in * w->in + p->axis[D].out * h->out * w->out) *
                           (double)p->groups * (double)s->compute->panel_bytes;
    const bool memory = tensors > PIECE_MEMORY && w->k <= 3;
    s->rows = evenly(h->out, !memory ? 8 : w->s == 1 ? 4 : 1);
    s->columns = fal__min(w->out, !memory ? 28 : w->s == 1 ? 14 : 7);
}

/* Planes: a block of a piece fits L1 if it can. Columns are cut first, which costs only their overlap, then
 * rows, as long as the overlap of neighbouring pieces stays below their half. */
static void choose_piece_turned(const fal__problem *p, fal__depthwise_state *s)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const int64_t vector = s->lanes * (int64_t)s->compute->panel_bytes;
    const int64_t planes = reach(&p->axis[D], 1) * vector;
    const int64_t columns_least = fal__max(COLUMNS_LEAST, 2 * (w->k - 1) * fal__depthwise_classes(w) / w->s);
    const int64_t rows_least = fal__max(4, 2 * (h->k - 1) * fal__depthwise_classes(h) / h->s);
    s->rows = h->out;
    s->columns = w->out;
    while (planes * reach(h, s->rows) * reach(w, s->columns) > PIECE_L1 && s->columns / 2 >= columns_least)
        s->columns = evenly(w->out, s->columns / 2);
    while (planes * reach(h, s->rows) * reach(w, s->columns) > PIECE_L1 && s->rows / 2 >= rows_least)
        s->rows = evenly(h->out, s->rows / 2);
    while (planes * reach(h, s->rows) * reach(w, s->columns) > PIECE_L2 && s->columns / 2 >= COLUMNS_LEAST)
        s->columns = evenly(w->out, s->columns / 2);
    while (planes * reach(h, s->rows) * reach(w, s->columns) > PIECE_L2 && s->rows > 1)
        s->rows = evenly(h->out, (s->rows + 1) / 2);
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    fal__depthwise_state *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    s->lanes = s->compute->lanes;
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->turn_x = p->x_g != 1 || s->reduction.steps >= PATCH_TAPS;
    s->turn_y = p->y_g != 1;
    s->blocks = fal__ceil_div(p->groups, s->lanes);
    s->group = s->turn_x || s->turn_y ? 1 : fal__min(s->blocks, GROUP);
    s->groups = fal__ceil_div(s->blocks, s->group);
    if (s->turn_x || s->turn_y)
        choose_piece_turned(p, s);
    else
        choose_piece_in_place(p, s);
    s->strips = fal__ceil_div(p->axis[H].out, s->rows);
    s->spans = fal__ceil_div(p->axis[W].out, s->columns);
    const size_t vector = (size_t)s->lanes * s->compute->panel_bytes;
    const bool last = p->groups % s->lanes != 0;
    s->x_rows = reach(&p->axis[H], s->rows);
    s->x_columns = reach(&p->axis[W], s->columns);
    const int64_t x_vectors = s->turn_x || last ? reach(&p->axis[D], 1) * s->x_rows * s->x_columns : 0;
    const int64_t y_vectors = s->turn_y || last ? s->rows * s->columns : 0;
    size_t from;
    if (!fal__book(&s->packed, s->blocks * s->reduction.steps, vector, &from) ||
        !fal__book(&s->bytes, s->group, vector, &s->bias) ||
        !fal__book(&s->bytes, x_vectors, vector, &s->x_patch) ||
        !fal__book(&s->bytes, y_vectors, vector, &s->y_patch))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    fal__machine rest = *machine;
    rest.workspace_cap -= s->packed < rest.workspace_cap ? s->packed : rest.workspace_cap;
    s->tasks = fal__task_count(&rest, fal__depthwise_units(p, s), s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes + s->packed, error);
    needs->packed = s->packed;
    needs->workspace_packed = (size_t)s->tasks * s->bytes;
    needs->workspace = needs->workspace_packed + s->packed;
    snprintf(needs->kernel, sizeof needs->kernel, "%s depthwise %s", s->compute->name,
             machine->kernels->level);
    return FAL_OK;
}

/* Packed weights: block, tap, lane; lanes without a channel are 0. */
static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const fal__depthwise_state *s = state;
    const int64_t element = (int64_t)s->compute->panel_bytes, vector = s->lanes * element;
    memset(packed, 0, s->packed);
    for (int64_t tap = 0; tap < s->reduction.steps; tap++) {
        const int64_t from = fal__weight_offset(p, &s->reduction, tap);
        for (int64_t block = 0; block < s->blocks; block++) {
            char *to = (char *)packed + (block * s->reduction.steps + tap) * vector;
            const char *at = (const char *)w + (from + block * s->lanes * p->w_g) * element;
            s->compute->depthwise->gather(at, 0, p->w_g, 1, fal__depthwise_channels(p, s, block), to);
        }
    }
}

static bool run(const fal__run *run)
{
    const fal__depthwise_state *s = run->state;
    char *scratch = run->workspace;
    if (run->packed == NULL) pack(run->problem, s, run->w, scratch);
    fal__depthwise_run(run, run->packed != NULL ? run->packed : scratch,
                       run->packed != NULL ? scratch : scratch + s->packed);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const fal__depthwise_state *s = state;
    const int length =
        snprintf(text, capacity,
                 "%s, %" PRId64 " channels %s, %" PRId64 " taps, pieces of %" PRId64 " x %" PRId64
                 " outputs, %d task(s)",
                 s->compute->name, p->groups, s->turn_x || s->turn_y ? "turned into lanes" : "in lanes",
                 s->reduction.steps, s->rows, s->columns, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_depthwise = {
    .name = "depthwise",
    .version = 1,
    .state_bytes = sizeof(fal__depthwise_state),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
