/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channel_products: weight gradients with few channels in a group, depthwise above all.
 *
 *     gw[t][c] = sum over images n and positions o of  x[n, c, o*s + t*d - p] * gy[n, c, o]
 *
 * The lanes are neighbouring groups: every lane forms a scalar product of its own. Where groups are
 * neighbours in memory (channels last), x and gy are read where they lie; else a block of rows of both is
 * turned round first, once for all taps:
 *
 *     for each block of rows of gy                      a task's share: up to 16 vectors of groups
 *       turn gy and the rows of x under it              scratch: L2
 *       for each tap: for each run of positions         parts/positions.h; padding is in no run
 *         one kernel call                               sums: registers; between runs in scratch
 *
 * Where the border copies cells, a run falls apart at the ends of a row, and a block turned round is a whole
 * image, since any row of it may be copied.
 *
 * Cost: two loads and a multiply-add per product and vector. Wins where a group has no vector of output
 * channels to share what is loaded (outer_products). Serves weight gradients alone.
 * Numerics: one sum per output in the order of parts/reduction.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/positions.h"
#include "threads/parallel.h"

enum {
    W = FAL_MAX_SPATIAL - 1,
    VECTORS = 16,           /* of a share at most: long stretches of memory, where groups are neighbours */
    TOGETHER = 4,           /* at a time: enough chains to hide a multiply-add, in half of L1 with ... */
    POSITIONS = 64,         /* ... these positions of both operands; of a block, in whole rows */
    TURNED_POSITIONS = 256, /* where x is turned round: fewer would turn the rows between blocks often */
    REGION_BYTES =
        512 * 1024, /* x turned round, of a share: a quarter of L2; gy of several channels likewise */
    IMAGE_BYTES = 2048 * 1024 /* of a vector of channels of a whole image, at most */
};

typedef struct channel_products {
    const fal__compute *compute;
    fal__reduction reduction;
    int64_t taps;            /* outputs of the problem */
    int64_t images, rows;    /* of gy, in a block */
    int64_t planes, x_rows;  /* of x, under a block */
    int64_t region, steps;   /* elements of a lane of x, and positions, of a block at most */
    int64_t vectors, shares; /* of a share; shares */
    int64_t turned;          /* channels of gy that are turned round at a time: all or one */
    bool x_direct, w_direct; /* groups are neighbours there */
    int32_t tasks;
    size_t x, w, runs, sums, bytes; /* scratch of a task */
} channel_products;

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Of a vector of channels. */
static double image_bytes(const fal__problem *p, const fal__compute *compute)
{
    return (double)p->axis[0].in * (double)p->axis[1].in * (double)p->axis[W].in * (double)compute->lanes *
           (double)compute->panel_bytes;
}

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        snprintf(why, capacity, "needs f32 or f64 throughout");
    else if (p->y_role != FAL__ROLE_W)
        snprintf(why, capacity, "serves weight gradients alone");
    else if (fal__positions_copied(p) && image_bytes(p, compute_for(p, machine)) > IMAGE_BYTES)
        snprintf(why, capacity, "images of this size have no copied borders");
    else
        return fal__positions_apply(p, why, capacity);
    return false;
}

/* Cycles, measured: of a call of the kernel and each of its steps, to read a vector where it lies and to turn
 * one round, from pixels that are neighbours or not. */
static double estimate(const fal__problem *p, const fal__machine *machine)
{
    enum { CALL = 220, READ = 4, TURN = 17, TURN_APART = 40 };
    const fal__problem_axis *d = &p->axis[0], *h = &p->axis[1], *w = &p->axis[W];
    const int64_t all = fal__ceil_div(p->groups, compute_for(p, machine)->lanes);
    const double step = 4.2, vectors = (double)all, together = (double)fal__ceil_div(all, TOGETHER);
    const double taps = (double)(d->out * h->out * w->out), rows = (double)(p->ic * d->k * h->k);
    const double calls = (double)(p->n * p->oc) * taps * rows * together;
    const double x_turn = w->xs == 1 ? TURN : TURN_APART, w_turn = w->ws == 1 ? TURN : TURN_APART;
    const double x = (double)(p->n * p->ic * d->in * h->in * w->in) * vectors * (p->x_g != 1 ? x_turn : READ);
    const double gy = (double)p->oc * rows * (double)w->k * vectors * (p->w_g != 1 ? w_turn : READ);
    return calls * (CALL + step * (double)w->k) + x + gy;
}

/* Positions of x under some of gy at most; all of them where a border may copy any. */
static int64_t hull(const fal__problem *p, int a, int64_t positions)
{
    const fal__problem_axis *axis = &p->axis[a];
    if (fal__positions_copied(p)) return axis->in;
    const int64_t span = (positions - 1) * axis->d + (axis->out - 1) * axis->s + 1;
    return fal__min(axis->in, fal__max(span, 1));
}

/* How much of gy a block takes, and what of x lies under it. */
static void plan_block(const fal__problem *p, channel_products *s)
{
    s->images = fal__min(s->reduction.chunk, p->ic);
    const int64_t row = fal__max(1, s->images * p->axis[W].k);
    const int64_t positions = s->x_direct ? POSITIONS : TURNED_POSITIONS;
    s->rows = fal__max(1, fal__min(p->axis[1].k, positions / row));
    if (fal__positions_copied(p) && !s->x_direct) s->rows = fal__max(1, p->axis[1].k);
    s->steps = s->rows * row;
    s->planes = hull(p, 0, 1);
    s->x_rows = hull(p, 1, s->rows);
    s->region = s->x_direct ? 0 : s->images * s->planes * s->x_rows * p->axis[W].in;
}

static void plan_shares(const fal__problem *p, channel_products *s, int64_t tasks)
{
    const int64_t lanes = s->compute->lanes, element = (int64_t)s->compute->panel_bytes;
    const int64_t all = fal__ceil_div(p->groups, lanes);
    s->vectors = VECTORS;
    if (!s->x_direct)
        s->vectors = fal__min(s->vectors, REGION_BYTES / (fal__max(1, s->region) * lanes * element));
    s->vectors = fal__max(1, fal__min(s->vectors, fal__ceil_div(all, tasks)));
    s->shares = fal__ceil_div(all, s->vectors);
}

static bool book(const fal__problem *p, channel_products *s)
{
    const size_t element = s->compute->panel_bytes;
    const int64_t width = s->vectors * s->compute->lanes;
    int64_t region, sums;
    const double one = (double)s->steps * (double)width * (double)element;
    s->turned = one * (double)p->oc <= REGION_BYTES ? fal__max(1, p->oc) : 1;
    s->bytes = 0;
    return fal__mul(s->region, width, &region) && fal__mul(s->taps * width, p->n * p->oc, &sums) &&
           fal__book(&s->bytes, region, element, &s->x) &&
           fal__book(&s->bytes, s->turned * s->steps * width, element, &s->w) &&
           fal__book(&s->bytes, s->steps, sizeof(fal__position_run), &s->runs) &&
           fal__book(&s->bytes, sums, element, &s->sums);
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    channel_products *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->taps = p->axis[0].out * p->axis[1].out * p->axis[W].out;
    const bool whole = p->groups % s->compute->lanes == 0; /* no vector holds lanes that do not exist */
    s->x_direct = whole && p->x_g == 1;
    s->w_direct = whole && p->w_g == 1;
    plan_block(p, s);
    plan_shares(p, s, machine->threads);
    if (!book(p, s)) return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    s->tasks = fal__task_count(machine, s->shares, s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes, error);
    needs->packed = 0;
    needs->workspace = needs->workspace_packed = (size_t)s->tasks * s->bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s products %s", s->compute->name,
             machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    (void)p, (void)state, (void)w, (void)packed; /* nothing is worth packing ahead: every gy is new */
}

/* A task on its way through its shares. */
typedef struct walk {
    const fal__problem *p;
    const channel_products *s;
    const fal__run *run;
    char *scratch;
    int64_t group, count;              /* of the share at hand: first group, groups */
    int64_t image, images, plane, row; /* of the block at hand: its place in gy */
    int64_t plane_0, row_0;            /* the input plane and row where its part of x begins */
    int64_t runs, steps;
} walk;

static char *sums_of(const walk *w, int64_t i, int64_t j, int64_t tap)
{
    const int64_t index = ((i * w->p->oc + j) * w->s->taps + tap) * w->s->vectors * w->s->compute->lanes;
    return w->scratch + w->s->sums + (size_t)index * w->s->compute->sum_bytes;
}

/* Lanes of vector v of the share that exist. */
static int64_t lanes_of(const walk *w, int64_t v)
{
    return fal__max(0, fal__min(w->s->compute->lanes, w->count - v * w->s->compute->lanes));
}

/* Turns the rows of x under the block, input channel i of each group:
 * [vector][image][plane][row][pixel][lane]. */
static void turn_x(const walk *w, int64_t i)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    const int64_t element = (int64_t)s->compute->panel_bytes, lanes = s->compute->lanes;
    const int64_t row_bytes = p->axis[W].in * lanes * element;
    for (int64_t v = 0; v < s->vectors && lanes_of(w, v) > 0; v++)
        for (int64_t n = 0; n < w->images; n++)
            for (int64_t d = 0; d < s->planes; d++)
                for (int64_t r = 0; r < s->x_rows; r++) {
                    char *to = w->scratch + s->x + (size_t)(v * s->region * lanes * element);
                    to += ((n * s->planes + d) * s->x_rows + r) * row_bytes;
                    if (w->plane_0 + d >= p->axis[0].in || w->row_0 + r >= p->axis[1].in) continue;
                    const int64_t from = p->x_base + i * p->x_n + (w->image + n) * p->x_ic +
                                         (w->group + v * lanes) * p->x_g + (w->plane_0 + d) * p->axis[0].xs +
                                         (w->row_0 + r) * p->axis[1].xs;
                    if (lanes_of(w, v) < lanes) memset(to, 0, (size_t)row_bytes);
                    fal__gather_lanes(s->compute, p->dtype, (const char *)w->run->x + from * element,
                                      p->axis[W].xs, p->x_g, p->axis[W].in, lanes_of(w, v), to);
                }
}

/* Where channel j of gy lies when it is turned round. */
static char *turned_w(const walk *w, int64_t j)
{
    const channel_products *s = w->s;
    const int64_t slot = s->turned > 1 ? j : 0, width = s->vectors * s->compute->lanes;
    return w->scratch + s->w + (size_t)(slot * s->steps * width) * s->compute->panel_bytes;
}

static void turn_w(const walk *w, int64_t j)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    const int64_t element = (int64_t)s->compute->panel_bytes, lanes = s->compute->lanes;
    for (int64_t v = 0; v < s->vectors && lanes_of(w, v) > 0; v++) {
        const int64_t from = (w->group + v * lanes) * p->w_g + j * p->w_oc;
        fal__positions_pack(p, s->compute, (const fal__position_run *)(const void *)(w->scratch + s->runs),
                            w->runs, (const char *)w->run->w + from * element, p->w_g, lanes_of(w, v),
                            turned_w(w, j) + v * s->steps * lanes * element);
    }
}

/* The problem with x as it lies in the scratch, one lane of a vector being a channel. */
static fal__problem turned_problem(const walk *w)
{
    fal__problem p = *w->p;
    p.axis[W].xs = w->s->compute->lanes;
    p.axis[1].xs = p.axis[W].in * p.axis[W].xs;
    p.axis[0].xs = w->s->x_rows * p.axis[1].xs;
    p.x_ic = w->s->planes * p.axis[0].xs;
    return p;
}

/* Steps first .. first+count-1 of a run, whose cells in x begin at `offset`. */
static void run_steps(const channel_products *s, const fal__channel_sums *run, int64_t first, int64_t count,
                      int64_t offset)
{
    fal__channel_sums sums = *run;
    sums.steps = count;
    sums.x = (const char *)run->x + offset * (int64_t)s->compute->panel_bytes;
    sums.w = (const char *)run->w + first * run->w_step * (int64_t)s->compute->panel_bytes;
    s->compute->channel_products(&sums);
}

/* One block for one tap and some vectors of the share: run after run. */
static void run_tap(const walk *w, const fal__problem *listed, const int64_t *o, const fal__channel_sums *all)
{
    const channel_products *s = w->s;
    const fal__position_run *run = (const fal__position_run *)(const void *)(w->scratch + s->runs);
    fal__channel_sums sums = *all;
    int64_t row = 0, first, end, offset, count;
    for (int64_t r = 0; r < w->runs; row += run->length, r++, run++) {
        sums.x_step = fal__positions_x_step(listed, run);
        sums.w_step = s->w_direct ? fal__positions_w_step(listed, run) : s->compute->lanes;
        sums.w = (const char *)all->w +
                 (s->w_direct ? run->w : row * sums.w_step) * (int64_t)s->compute->panel_bytes;
        if (fal__positions_copied(listed)) {
            for (first = 0; first < run->length; first += count)
                if (fal__positions_stretch(listed, run, o, first, &count, &offset))
                    run_steps(s, &sums, first, count, offset);
        } else {
            fal__positions_clip(listed, run, o, &first, &end, &offset);
            if (first < end) run_steps(s, &sums, first, end - first, offset + first * sums.x_step);
        }
    }
}

/* One block for one channel of x and of gy in each group. Few vectors at a time, so that what all taps read
 * again stays in L1. */
static void run_pair(const walk *w, const fal__problem *listed, int64_t i, int64_t j)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    const int64_t element = (int64_t)s->compute->panel_bytes, lanes = s->compute->lanes;
    const int64_t x = p->x_base + i * p->x_n + w->group * p->x_g, gy = w->group * p->w_g + j * p->w_oc;
    const int64_t vectors = fal__ceil_div(w->count, lanes);
    fal__channel_sums sums = {.x_vector = s->x_direct ? lanes : s->region * lanes,
                              .w_vector = s->w_direct ? lanes : s->steps * lanes};
    for (int64_t v = 0; v < vectors; v += TOGETHER) {
        sums.vectors = fal__min(TOGETHER, vectors - v);
        sums.x = s->x_direct ? (const char *)w->run->x + x * element : w->scratch + s->x;
        sums.w = s->w_direct ? (const char *)w->run->w + gy * element : turned_w(w, j);
        sums.x = (const char *)sums.x + v * sums.x_vector * element;
        sums.w = (const char *)sums.w + v * sums.w_vector * element;
        int64_t o[FAL_MAX_SPATIAL], tap = 0;
        for (o[0] = 0; o[0] < p->axis[0].out; o[0]++)
            for (o[1] = 0; o[1] < p->axis[1].out; o[1]++)
                for (o[W] = 0; o[W] < p->axis[W].out; o[W]++, tap++) {
                    sums.sums = sums_of(w, i, j, tap) + v * lanes * element;
                    run_tap(w, listed, o, &sums);
                }
    }
}

static void run_block(walk *w)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    fal__position_run *runs = (fal__position_run *)(void *)(w->scratch + s->runs);
    const int64_t rows = fal__min(s->rows, p->axis[1].k - w->row);
    const int64_t first =
        w->image * s->reduction.taps + (w->plane * p->axis[1].k + w->row) * p->axis[W].k * w->images;
    w->runs = fal__positions_read(p, &s->reduction, first, rows * p->axis[W].k * w->images, runs);
    const fal__problem listed = s->x_direct ? *p : turned_problem(w);
    const bool copied = fal__positions_copied(p);
    w->plane_0 = copied ? 0 : fal__max(0, w->plane * p->axis[0].d - p->axis[0].begin);
    w->row_0 = copied ? 0 : fal__max(0, w->row * p->axis[1].d - p->axis[1].begin);
    for (int64_t r = 0; r < w->runs && !s->x_direct; r++)
        runs[r].x = (runs[r].image - w->image) * listed.x_ic - w->plane_0 * listed.axis[0].xs -
                    w->row_0 * listed.axis[1].xs;
    for (int64_t i = 0; i < p->n; i++) {
        if (!s->x_direct) turn_x(w, i);
        for (int64_t j = 0; j < p->oc; j++) {
            if (!s->w_direct && (i == 0 || s->turned == 1)) turn_w(w, j);
            run_pair(w, &listed, i, j);
        }
    }
}

/* The sums of the share to y. */
static void store(const walk *w)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    const fal__block block = {
        .outer = 1, .inner = w->count, .tile_inner = 1, .memory_inner = p->y_g, .beta = p->beta};
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->oc; j++)
            for (int64_t tap = 0; tap < s->taps; tap++) {
                const int64_t inner = p->axis[1].out * p->axis[W].out;
                const int64_t o[FAL_MAX_SPATIAL] = {tap / inner, tap % inner / p->axis[W].out,
                                                    tap % p->axis[W].out};
                int64_t at = p->y_base + w->group * p->y_g + i * p->y_n + j * p->y_oc;
                for (int a = 0; a < FAL_MAX_SPATIAL; a++) at += o[a] * p->axis[a].ys;
                s->compute->store[p->dtype](sums_of(w, i, j, tap), &block,
                                            (char *)w->run->y + at * (int64_t)s->compute->panel_bytes);
            }
}

static void run_share(walk *w, int64_t share)
{
    const fal__problem *p = w->p;
    const channel_products *s = w->s;
    const int64_t width = s->vectors * s->compute->lanes;
    w->group = share * width;
    w->count = fal__min(width, p->groups - w->group);
    memset(sums_of(w, 0, 0, 0), 0, (size_t)(sums_of(w, p->n, 0, 0) - sums_of(w, 0, 0, 0)));
    for (w->image = 0; w->image < p->ic; w->image += s->images) {
        w->images = fal__min(s->images, p->ic - w->image);
        for (w->plane = 0; w->plane < p->axis[0].k; w->plane++)
            for (w->row = 0; w->row < p->axis[1].k; w->row += s->rows) run_block(w);
    }
    store(w);
}

static void run_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const channel_products *s = run->state;
    walk w = {.p = run->problem, .s = s, .run = run};
    w.scratch = (char *)run->workspace + (size_t)index * s->bytes;
    int64_t share, end;
    fal__partition(s->shares, s->tasks, index, &share, &end);
    for (; share < end; share++) run_share(&w, share);
}

static bool run(const fal__run *run)
{
    const channel_products *s = run->state;
    fal__run shared = *run;
    fal__parallel(run->executor, s->tasks, run_task, &shared);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const channel_products *s = state;
    const int length = snprintf(text, capacity,
                                "%s, %" PRId64 " tap(s), blocks of %" PRId64 " row(s), %" PRId64
                                " vector(s) of groups together, x %s, %d task(s)",
                                s->compute->name, s->taps, s->rows, s->vectors,
                                s->x_direct ? "read where it lies" : "turned round", s->tasks);
    (void)p;
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_channel_products = {
    .name = "channel-products",
    .version = 1,
    .state_bytes = sizeof(channel_products),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
