/* SPDX-License-Identifier: BSD-3-Clause */
/* depthwise_run.c: see depthwise_run.h. */
#include "solvers/parts/depthwise_run.h"

#include "solvers/parts/patches.h"
#include "threads/parallel.h"

enum { D = 0, H = 1, W = 2 };

/* What the tasks of one execution share. */
typedef struct job {
    const fal__run *run;
    const char *packed;
    char *scratch;
} job;

/* A piece of one image, and how a task meets it. */
typedef struct piece {
    int64_t od, strip, span; /* which one it is; od -1: none yet */
    fal__depthwise_span at[FAL_MAX_SPATIAL];
} piece;

typedef struct walk {
    const job *job;
    const fal__problem *p;
    const fal__depthwise_state *s;
    char *scratch;
    piece piece;
} walk;

/* Units: images, then the blocks of channels outside or inside the pieces of an image. Channels last are
 * walked pixel by pixel as memory is, planes one after another. */
typedef struct place {
    int64_t n, group, od, strip, span;
} place;

static place place_of(const fal__problem *p, const fal__depthwise_state *s, int64_t unit)
{
    place at;
    if (!s->turn_x) at.group = unit % s->groups, unit /= s->groups;
    at.span = unit % s->spans, unit /= s->spans;
    at.strip = unit % s->strips, unit /= s->strips;
    at.od = unit % p->axis[D].out, unit /= p->axis[D].out;
    if (s->turn_x) at.group = unit % s->groups, unit /= s->groups;
    at.n = unit;
    return at;
}

static void locate_piece(const fal__problem *p, const fal__depthwise_state *s, const place *at, piece *found)
{
    if (found->od == at->od && found->strip == at->strip && found->span == at->span) return;
    const int64_t row = at->strip * s->rows, column = at->span * s->columns;
    *found = (piece){.od = at->od, .strip = at->strip, .span = at->span};
    found->at[D] = fal__depthwise_reach(&p->axis[D], at->od, at->od + 1);
    found->at[H] = fal__depthwise_reach(&p->axis[H], row, fal__min(row + s->rows, p->axis[H].out));
    found->at[W] = fal__depthwise_reach(&p->axis[W], column, fal__min(column + s->columns, p->axis[W].out));
}

/* The biases of some blocks, side by side. */
static const void *locate_bias(const walk *w, int64_t first, int64_t blocks, int32_t channels)
{
    const fal__problem *p = w->p;
    const int64_t element = (int64_t)w->s->compute->panel_bytes, lanes = w->s->lanes;
    if (!p->has_bias) return NULL;
    const char *bias = (const char *)w->job->run->bias + first * lanes * p->b_g * element;
    if (p->b_g == 1 && channels == lanes) return bias;
    char *to = w->scratch + w->s->bias;
    for (int64_t i = 0; i < blocks; i++)
        w->s->compute->depthwise->gather(bias + i * lanes * p->b_g * element, 0, p->b_g, 1, channels,
                                         to + i * lanes * element);
    return to;
}

/* Some blocks of the piece at hand, and what the kernel reads and writes: the tensors themselves or patches.
 */
typedef struct sight {
    int64_t first, blocks;
    int32_t channels; /* of each block */
    const char *x;
    char *y;
    int64_t x_steps[FAL_MAX_SPATIAL], y_row, y_column;
    bool finish; /* beta and activation apply here */
} sight;

static void run_blocks(const walk *w, const sight *at)
{
    const fal__problem *p = w->p;
    const fal__depthwise_state *s = w->s;
    const fal__depthwise_span *span = w->piece.at;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    fal__depthwise_block block = {.plane = fal__depthwise_rows(&p->axis[D], &span[D], at->x_steps[D], 0),
                                  .row =
                                      fal__depthwise_rows(&p->axis[H], &span[H], at->x_steps[H], at->y_row),
                                  .blocks = at->blocks,
                                  .w = w->job->packed + at->first * s->reduction.steps * s->lanes * element,
                                  .bias = locate_bias(w, at->first, at->blocks, at->channels),
                                  .beta = at->finish ? p->beta : 0,
                                  .activation = at->finish ? fal__activation_or_null(p) : NULL};
    if (p->ic == 0) block.plane.taps = 0; /* outputs that no product reaches */
    const int64_t classes = fal__min(fal__depthwise_classes(&p->axis[W]), span[W].end - span[W].first);
    for (int64_t class = 0; class < classes; class ++) {
        int64_t x_offset, y_offset;
        block.column = fal__depthwise_columns(&p->axis[W], &span[W], class, at->x_steps[W], at->y_column,
                                              &x_offset, &y_offset);
        block.x = at->x + x_offset * element;
        block.y = at->y + y_offset * element;
        s->compute->depthwise->run(&block);
    }
}

/* Blocks first.. of the piece at hand, as many as can share a call; returns how many. */
static int64_t run_some(const walk *w, const place *at, int64_t first, int64_t end)
{
    const fal__problem *p = w->p;
    const fal__depthwise_state *s = w->s;
    const fal__depthwise_span *span = w->piece.at;
    const int64_t element = (int64_t)s->compute->panel_bytes, channel = first * s->lanes;
    const int64_t whole = fal__min(end, p->groups / s->lanes) - first;
    const bool turn_x = s->turn_x || whole <= 0, turn_y = s->turn_y || whole <= 0;
    const int64_t x = p->x_base + at->n * p->x_n + channel * p->x_g;
    const int64_t y = p->y_base + at->n * p->y_n + channel * p->y_g + at->od * p->axis[D].ys +
                      span[H].first * p->axis[H].ys + span[W].first * p->axis[W].ys;
    char *const result = (char *)w->job->run->y + y * element;
    sight seen = {.first = first,
                  .blocks = turn_x || turn_y ? 1 : whole,
                  .channels = whole <= 0 ? (int32_t)(p->groups - channel) : s->lanes,
                  .x = (const char *)w->job->run->x + x * element,
                  .y = result,
                  .x_steps = {p->axis[D].xs, p->axis[H].xs, p->axis[W].xs},
                  .y_row = p->axis[H].ys,
                  .y_column = p->axis[W].ys,
                  .finish = !turn_y || p->beta == 0};
    const fal__lane_patch patch = {.problem = p,
                                   .compute = s->compute,
                                   .at = span,
                                   .x_channel = p->x_g,
                                   .y_channel = p->y_g,
                                   .x_channels = seen.channels,
                                   .y_channels = seen.channels};
    if (turn_x) {
        fal__lane_patch_gather(&patch, seen.x, w->scratch + s->x_patch);
        seen.x = w->scratch + s->x_patch;
        fal__lane_patch_steps(&patch, seen.x_steps);
    } else {
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) seen.x += span[a].low * seen.x_steps[a] * element;
    }
    if (turn_y) {
        seen.y = w->scratch + s->y_patch;
        seen.y_column = s->lanes;
        seen.y_row = seen.y_column * (span[W].end - span[W].first);
    }
    run_blocks(w, &seen);
    if (turn_y) fal__lane_patch_scatter(&patch, seen.y, result);
    return seen.blocks;
}

static void run_unit(walk *w, const place *at)
{
    const int64_t first = at->group * w->s->group, end = fal__min(first + w->s->group, w->s->blocks);
    locate_piece(w->p, w->s, at, &w->piece);
    for (int64_t block = first; block < end;) block += run_some(w, at, block, end);
}

static void run_task(void *argument, int32_t index)
{
    const job *j = argument;
    const fal__problem *p = j->run->problem;
    const fal__depthwise_state *s = j->run->state;
    walk w = {
        .job = j, .p = p, .s = s, .scratch = j->scratch + (size_t)index * s->bytes, .piece = {.od = -1}};
    int64_t unit, end;
    fal__partition(fal__depthwise_units(p, s), s->tasks, index, &unit, &end);
    for (; unit < end; unit++) {
        const place at = place_of(p, s, unit);
        run_unit(&w, &at);
    }
}

void fal__depthwise_run(const fal__run *run, const void *packed, char *scratch)
{
    const fal__depthwise_state *s = run->state;
    job j = {.run = run, .packed = packed, .scratch = scratch};
    fal__parallel(run->executor, s->tasks, run_task, &j);
}
