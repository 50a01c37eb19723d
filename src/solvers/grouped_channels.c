/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped_channels: groups of few channels, in every layout.
 *
 *     y[o, g, oc] = f(beta*y + bias + sum over t, ic of  w[g, oc, t, ic] * x[o*s + t*d - p, g, ic])
 *
 * A vector holds the output channels of several whole groups; their inputs are as many neighbours, each
 * spread over the lanes of its group by a permutation (kernels/grouped.h). Channels last are read and written
 * where they lie; planes by way of patches (parts/patches.h). The weights are packed so that one vector
 * serves all groups of the lanes.
 *
 * Cost: a multiply-add per product and vector that the padding leaves; for rows of 3 taps a permutation
 * for 4.5 of them, for 1.4 with stride 2, else one for each. Wins for 2 to 8 channels a group (grouped
 * residual networks) and for depthwise layers with a multiplier; groups that fill vectors by themselves are
 * direct-channels' business. Numerics: one sum per output in the order of parts/reduction.h; padding
 * contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "kernels/grouped.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/patches.h"
#include "solvers/parts/reduction.h"
#include "threads/parallel.h"

enum {
    D = 0,
    H = 1,
    W = 2,
    GROUP = 16,       /* blocks of a unit where channels lie side by side */
    PIECE = 14,       /* rows of the input that a piece has, about, and half as many as columns */
    VECTORS_MOST = 4, /* of a group's outputs: the blocks of a unit begin with a group */
};

typedef struct grouped_channels {
    const fal__compute *compute;
    fal__reduction reduction;
    int32_t tasks;
    bool turn_x, turn_y;                  /* channels are no neighbours */
    int64_t together;                     /* groups of a block, at least 1 */
    int64_t blocks, group, units;         /* blocks, of a unit, units of them */
    int64_t rows, columns;                /* outputs of a piece */
    int64_t strips, spans;                /* pieces of a plane */
    size_t packed;                        /* bytes of the weights: block, step, lane */
    size_t bias, x_patch, y_patch, bytes; /* scratch of a task */
} grouped_channels;

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

static bool turns_x(const fal__problem *p)
{
    return p->ic > 0 && p->x_ic != 1;
}

static bool turns_y(const fal__problem *p)
{
    return p->y_oc != 1;
}

/* A vector has whole groups, or a group whole vectors. */
static bool fills_vectors(const fal__problem *p, const fal__compute *compute)
{
    if (p->oc < compute->lanes) return compute->lanes % p->oc == 0;
    const int64_t vectors = p->oc / compute->lanes;
    return p->oc % compute->lanes == 0 && vectors <= VECTORS_MOST && VECTORS_MOST % vectors == 0;
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
    if (p->groups < 2 || p->oc < 2 || !fills_vectors(p, compute))
        snprintf(why, capacity,
                 "%" PRId64 " outputs in each of %" PRId64
                 " groups, needs a part of %d lanes or few times as many",
                 p->oc, p->groups, compute->lanes);
    else if ((p->oc < compute->lanes && p->ic > p->oc) || reduction.chunk < p->ic)
        snprintf(why, capacity, "%" PRId64 " inputs per group, needs %" PRId64 " at most", p->ic,
                 p->oc < compute->lanes ? fal__min(p->oc, reduction.chunk) : reduction.chunk);
    else if ((turns_x(p) || turns_y(p)) && (p->ic > compute->lanes || p->oc > compute->lanes))
        snprintf(why, capacity, "%" PRId64 " planes per group, needs %d at most", fal__max(p->ic, p->oc),
                 compute->lanes);
    else if ((p->ic > 0 && p->x_g != p->ic * p->x_ic) || p->y_g != p->oc * p->y_oc)
        snprintf(why, capacity, "the channels of different groups are not evenly spaced");
    else if (p->mode != FAL_PAD_ZEROS)
        snprintf(why, capacity, "the border is not zeros");
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
    const int64_t stride = p->axis[W].k == 3 ? p->axis[W].s : 0;
    const double spread = stride == 1 ? 0.62 : stride == 2 ? 0.87 : 1.1;
    const double product = p->oc < compute->lanes ? spread : 0.53;
    /* To turn a vector of positions, with what its planes wait for: measured. */
    const double turn = 18, inputs = (double)p->axis[W].s * (double)p->axis[H].s;
    const double turns = (turns_x(p) ? turn * inputs : 0) + (turns_y(p) ? turn : 0);
    return vectors * pixels * (4 + turns + (double)p->ic * product * taps) +
           fal__depthwise_traffic(p, compute->panel_bytes);
}

static int64_t unit_count(const fal__problem *p, const grouped_channels *s)
{
    return p->n * p->axis[D].out * s->strips * s->spans * s->units;
}

/* Positions that `out` neighbouring outputs reach at most. */
static int64_t reach(const fal__problem_axis *axis, int64_t out)
{
    return fal__min(axis->in, (out - 1) * axis->s + (axis->k - 1) * fal__depthwise_classes(axis) + 1);
}

static int64_t patch_vectors(const fal__problem *p, const grouped_channels *s)
{
    return reach(&p->axis[D], 1) * reach(&p->axis[H], s->rows) * reach(&p->axis[W], s->columns);
}

static void choose_piece(const fal__problem *p, grouped_channels *s)
{
    const fal__problem_axis *h = &p->axis[H], *w = &p->axis[W];
    const bool turned = s->turn_x || s->turn_y; /* whole rows of planes, which are long stretches of memory */
    const int64_t columns = fal__max(7, (turned ? 4 : 2) * PIECE / w->s);
    const int64_t rows =
        turned ? fal__max(2, 2 * PIECE * PIECE / (h->s * w->s * fal__max(1, fal__min(columns, w->out))))
               : PIECE / h->s;
    s->strips = fal__ceil_div(h->out, fal__max(2, rows));
    s->spans = fal__ceil_div(w->out, columns);
    s->rows = fal__ceil_div(h->out, s->strips);
    s->columns = fal__min(columns, w->out);
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    grouped_channels *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->together = fal__max(1, s->compute->lanes / p->oc);
    s->blocks = fal__ceil_div(p->groups * p->oc, s->compute->lanes);
    s->turn_x = turns_x(p);
    s->turn_y = turns_y(p);
    s->group = s->turn_x || s->turn_y ? 1 : GROUP;
    s->units = fal__ceil_div(s->blocks, s->group);
    choose_piece(p, s);
    const size_t vector = (size_t)s->compute->lanes * s->compute->panel_bytes;
    size_t from;
    if (!fal__book(&s->packed, s->blocks * s->reduction.steps, vector, &from) ||
        !fal__book(&s->bytes, s->group, vector, &s->bias) ||
        !fal__book(&s->bytes, s->turn_x ? patch_vectors(p, s) : 0, vector, &s->x_patch) ||
        !fal__book(&s->bytes, s->turn_y ? s->rows * s->columns : 0, vector, &s->y_patch))
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

/* Packed weights: block, reduction step, lane; lanes without a channel are 0. Channels are gathered as far as
 * they are evenly spaced, in a group or in all. */
static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const grouped_channels *s = state;
    const int64_t element = (int64_t)s->compute->panel_bytes, lanes = s->compute->lanes;
    const bool even = p->oc >= lanes || p->w_g == p->oc * p->w_oc;
    memset(packed, 0, s->packed);
    for (int64_t k = 0, length = 0; k < s->reduction.steps; k += length) {
        const char *from = (const char *)w + fal__weight_offset(p, &s->reduction, k) * element;
        length = fal__reduction_at(&s->reduction, k).length;
        for (int64_t channel = 0, next = 0; channel < p->groups * p->oc; channel = next) {
            const int64_t offset = channel / p->oc * p->w_g + channel % p->oc * p->w_oc;
            char *to = (char *)packed + (channel / lanes * s->reduction.steps + k) * lanes * element;
            next = fal__min(channel + (even ? lanes : 1), p->groups * p->oc);
            if (even)
                s->compute->depthwise->gather(from + offset * element, p->w_ic, p->w_oc, length,
                                              next - channel, to);
            for (int64_t i = 0; !even && i < length; i++)
                move(to + (i * lanes + channel % lanes) * element, from + (offset + i * p->w_ic) * element,
                     (size_t)element);
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
    const int64_t last = fal__min(end * s->compute->lanes, p->groups * p->oc);
    for (int64_t channel = first * s->compute->lanes; channel < last; channel++, to += element) {
        const int64_t from = channel / p->oc * p->b_g + channel % p->oc * p->b_oc;
        move(to, (const char *)j->run->bias + from * (int64_t)element, element);
    }
    return scratch + s->bias;
}

/* A piece of one image, and the blocks of a unit. */
typedef struct piece {
    int64_t n, od, first, end;
    fal__depthwise_span at[FAL_MAX_SPATIAL];
} piece;

static piece place_of(const fal__problem *p, const grouped_channels *s, int64_t unit)
{
    piece place;
    place.first = unit % s->units * s->group, unit /= s->units;
    place.end = fal__min(place.first + s->group, s->blocks);
    const int64_t column = unit % s->spans * s->columns;
    unit /= s->spans;
    const int64_t row = unit % s->strips * s->rows;
    unit /= s->strips;
    place.od = unit % p->axis[D].out, place.n = unit / p->axis[D].out;
    place.at[D] = fal__depthwise_reach(&p->axis[D], place.od, place.od + 1);
    place.at[H] = fal__depthwise_reach(&p->axis[H], row, fal__min(row + s->rows, p->axis[H].out));
    place.at[W] = fal__depthwise_reach(&p->axis[W], column, fal__min(column + s->columns, p->axis[W].out));
    return place;
}

/* What the kernel reads and writes: the tensors themselves or patches. */
typedef struct sight {
    const char *x;
    char *y;
    int64_t x_steps[FAL_MAX_SPATIAL], y_row, y_column;
} sight;

/* The kernel's calls for some blocks: one for each class of columns. */
static void run_sight(const job *j, const piece *place, const sight *seen, fal__grouped_block *block)
{
    const fal__problem *p = j->run->problem;
    const grouped_channels *s = j->run->state;
    const fal__depthwise_span *at = place->at;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    block->plane = fal__depthwise_rows(&p->axis[D], &at[D], seen->x_steps[D], 0);
    block->row = fal__depthwise_rows(&p->axis[H], &at[H], seen->x_steps[H], seen->y_row);
    if (p->ic == 0) block->plane.taps = 0; /* outputs that no product reaches */
    const int64_t classes = fal__min(fal__depthwise_classes(&p->axis[W]), at[W].end - at[W].first);
    for (int64_t class = 0; class < classes; class ++) {
        int64_t x_offset, y_offset;
        block->column = fal__depthwise_columns(&p->axis[W], &at[W], class, seen->x_steps[W], seen->y_column,
                                               &x_offset, &y_offset);
        block->x = seen->x + x_offset * element;
        block->y = seen->y + y_offset * element;
        (*s->compute->grouped)(block);
    }
}

/* Blocks first..end-1, which have `groups` groups each; turned, one block. */
static void run_blocks(const job *j, const piece *place, int64_t first, int64_t end, int32_t groups,
                       char *scratch)
{
    const fal__problem *p = j->run->problem;
    const grouped_channels *s = j->run->state;
    const fal__depthwise_span *at = place->at;
    const int64_t element = (int64_t)s->compute->panel_bytes, group = first * s->compute->lanes / p->oc;
    const int64_t x = p->x_base + place->n * p->x_n + group * p->x_g;
    const int64_t y = p->y_base + place->n * p->y_n + group * p->y_g + place->od * p->axis[D].ys +
                      at[H].first * p->axis[H].ys + at[W].first * p->axis[W].ys;
    char *const result = (char *)j->run->y + y * element;
    const bool finish = !s->turn_y || p->beta == 0;
    const fal__lane_patch patch = {.problem = p,
                                   .compute = s->compute,
                                   .at = at,
                                   .x_channel = p->x_ic,
                                   .y_channel = p->y_oc,
                                   .x_channels = (int32_t)(groups * p->ic),
                                   .y_channels = (int32_t)(groups * p->oc)};
    sight seen = {.x = (const char *)j->run->x + x * element,
                  .y = result,
                  .x_steps = {p->axis[D].xs, p->axis[H].xs, p->axis[W].xs},
                  .y_row = p->axis[H].ys,
                  .y_column = p->axis[W].ys};
    if (s->turn_x) {
        fal__lane_patch_gather(&patch, seen.x, scratch + s->x_patch);
        fal__lane_patch_steps(&patch, seen.x_steps);
        seen.x = scratch + s->x_patch;
    } else {
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) seen.x += at[a].low * seen.x_steps[a] * element;
    }
    if (s->turn_y) {
        seen.y = scratch + s->y_patch;
        seen.y_column = s->compute->lanes;
        seen.y_row = seen.y_column * (at[W].end - at[W].first);
    }
    fal__grouped_block block = {.ic = p->ic,
                                .oc = p->oc,
                                .blocks = end - first,
                                .groups = groups,
                                .w = j->packed + first * s->reduction.steps * s->compute->lanes * element,
                                .bias = gather_bias(j, first, end, scratch),
                                .beta = finish ? p->beta : 0,
                                .activation = finish ? fal__activation_or_null(p) : NULL};
    run_sight(j, place, &seen, &block);
    if (s->turn_y) fal__lane_patch_scatter(&patch, seen.y, result);
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
        const piece at = place_of(p, s, unit);
        const int64_t whole = fal__min(at.end, p->groups * p->oc / s->compute->lanes);
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
                 "%s, %" PRId64 " groups of %" PRId64 " outputs %s a vector, %" PRId64
                 " products each, pieces of %" PRId64 " x %" PRId64 " outputs, %d task(s)",
                 s->compute->name, s->together, p->oc, s->turn_x || s->turn_y ? "turned into" : "in",
                 s->reduction.steps, s->rows, s->columns, s->tasks);
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
