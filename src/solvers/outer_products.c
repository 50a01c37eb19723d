/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outer_products: weight gradients, one tap of the kernel at a time.
 *
 *     gw[t][ic][oc] = sum over images n and positions o of  x[n, ic, o*s + t*d - p] * gy[n, oc, o]
 *
 * For a fixed tap t that is a sum of outer products, one for each position, of a column of x with a column
 * of gy. (In the words of problem.h: batch = input channels, outputs = taps, reduction = positions.) gy is
 * packed in panels, a block of positions at a time, and shared by all taps; x is read where it lies; a list
 * for each tap says which positions meet the input, so that padding is skipped and costs nothing:
 *
 *     for each block of at most kc positions           a task's share of input and output channels
 *       pack gy                                        panels: L2
 *       for each tap: list the positions that exist
 *         for each panel: rows x width sums            registers; between blocks they rest in scratch
 *
 * Cost: n*o*ic*oc*taps multiply-adds, one copy of gy for each share of the input channels. Wins against
 * implicit_gemm, which copies x once for every tap, wherever a group has a vector of output channels.
 * Loses where it has few (depthwise). Serves weight gradients alone: it reads the weight operand at each
 * call. Numerics: one sum per output in the order of parts/reduction.h.
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
    BLOCK = 256,              /* positions of a block at most: two vectors of each are 32 KiB, within L1 */
    PANEL_BYTES = 512 * 1024, /* panels of a share: a quarter of L2 */
    SUM_BYTES = 512 * 1024    /* its sums: another quarter */
};

typedef struct outer_products {
    const fal__compute *compute;
    const fal__outer_kernel *kernel;
    fal__reduction reduction;
    int64_t kc, blocks;              /* positions of a block; blocks */
    int64_t tiles;                   /* of output channels */
    int64_t taps;                    /* outputs of the problem */
    bool neighbours;                 /* output channels lie side by side in gy: whole tiles are read there */
    int64_t share_tiles, share_rows; /* output channels of a share, in tiles; its input channels */
    int64_t tile_shares, row_shares;
    int32_t tasks;
    size_t panels, runs, a_offsets, direct, packed, sums, bytes; /* scratch of a task */
} outer_products;

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    (void)machine;
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        snprintf(why, capacity, "needs f32 or f64 throughout");
    else if (p->y_role != FAL__ROLE_W)
        snprintf(why, capacity, "serves weight gradients alone");
    else
        return fal__positions_apply(p, why, capacity);
    return false;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

static int64_t tap_count(const fal__problem *p)
{
    return p->axis[0].out * p->axis[1].out * p->axis[W].out;
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const fal__outer_kernel *kernel = compute->outer;
    const double vectors = (double)kernel->width / compute->lanes;
    const double positions = (double)p->ic * (double)(p->axis[0].k * p->axis[1].k * p->axis[W].k);
    const double tiles = (double)fal__ceil_div(p->oc, kernel->width), taps = (double)tap_count(p);
    /* Rows are cut into whole tiles and at most three smaller ones, whose loads show. */
    const int64_t rest = p->n % kernel->rows;
    const double rows = (double)p->n + (rest > 0 ? 2 : 0);
    const double multiply = tiles * taps * (rows * vectors / 2 + (double)fal__ceil_div(p->n, kernel->rows));
    const double pack = p->w_oc == 1 ? 0 : 0.5 * tiles * kernel->width;
    return (double)p->groups * positions * (multiply + pack + 3 * taps);
}

/* Shares as large as the caches allow, and enough of them to keep all tasks busy. */
static void plan_shares(const fal__problem *p, outer_products *s, int64_t tasks)
{
    const int64_t element = (int64_t)s->compute->panel_bytes, width = s->kernel->width;
    const int64_t panel = fal__max(1, s->kc) * width * element;
    const int64_t row = s->taps * width * element; /* sums of one input channel and one panel */
    const int64_t tiles = s->tiles;
    s->share_tiles = fal__max(1, fal__min(tiles, PANEL_BYTES / panel));
    if (p->groups < tasks) s->share_tiles = fal__min(s->share_tiles, fal__ceil_div(tiles, tasks));
    s->share_tiles = fal__max(1, fal__min(s->share_tiles, SUM_BYTES / (row * s->kernel->rows)));
    s->tile_shares = fal__ceil_div(tiles, s->share_tiles);
    s->share_rows = fal__max(1, fal__min(p->n, SUM_BYTES / (row * s->share_tiles)));
    if (p->groups * s->tile_shares < tasks)
        s->share_rows = fal__min(s->share_rows, fal__ceil_div(p->n, tasks));
    if (s->share_rows > s->kernel->rows && s->share_rows < p->n)
        s->share_rows -= s->share_rows % s->kernel->rows;
    s->row_shares = fal__ceil_div(p->n, s->share_rows);
}

static bool book(outer_products *s)
{
    const size_t element = s->compute->panel_bytes;
    const int64_t width = s->kernel->width, kc = s->kc;
    s->bytes = 0;
    return fal__book(&s->bytes, s->share_tiles * kc * width, element, &s->panels) &&
           fal__book(&s->bytes, kc, sizeof(fal__position_run), &s->runs) &&
           fal__book(&s->bytes, kc, sizeof(int64_t), &s->a_offsets) &&
           fal__book(&s->bytes, kc, sizeof(int64_t), &s->direct) &&
           fal__book(&s->bytes, kc, sizeof(int64_t), &s->packed) &&
           fal__book(&s->bytes, s->taps * s->share_tiles * s->share_rows * width, element, &s->sums);
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    outer_products *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    s->kernel = s->compute->outer;
    s->taps = tap_count(p);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->blocks = fal__ceil_div(s->reduction.steps, BLOCK);
    s->kc = s->blocks > 0 ? fal__ceil_div(s->reduction.steps, s->blocks) : 0;
    s->tiles = fal__ceil_div(p->oc, s->kernel->width);
    s->neighbours = p->w_oc == 1;
    plan_shares(p, s, machine->threads);
    if (!book(s)) return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    s->tasks = fal__task_count(machine, p->groups * s->tile_shares * s->row_shares, s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes, error);
    needs->packed = 0;
    needs->workspace = needs->workspace_packed = (size_t)s->tasks * s->bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s outer %dx%d %s", s->compute->name, s->kernel->rows,
             s->kernel->width, machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    (void)p, (void)state, (void)w, (void)packed; /* nothing is worth packing ahead: every gy is new */
}

/* A task on its way through its shares. */
typedef struct walk {
    const fal__problem *p;
    const outer_products *s;
    const fal__run *run;
    char *scratch;
    int64_t group, first_tile, tiles, first_row, rows; /* of the share at hand */
} walk;

static char *sums_of(const walk *w, int64_t tap, int64_t tile)
{
    const int64_t index = (tap * w->s->share_tiles + tile) * w->s->share_rows * w->s->kernel->width;
    return w->scratch + w->s->sums + (size_t)index * w->s->compute->sum_bytes;
}

/* Is panel i of the share read in gy itself? */
static bool is_direct(const walk *w, int64_t i)
{
    return w->s->neighbours && (w->first_tile + i + 1) * w->s->kernel->width <= w->p->oc;
}

static char *panel_of(const walk *w, int64_t i)
{
    const outer_products *s = w->s;
    return w->scratch + s->panels + (size_t)(i * s->kc * s->kernel->width) * s->compute->panel_bytes;
}

/* One block of positions for one tap and all panels of the share. */
static void run_tap(const walk *w, int64_t tap, int64_t steps)
{
    const fal__problem *p = w->p;
    const outer_products *s = w->s;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const int64_t from = p->x_base + w->group * p->x_g + w->first_row * p->x_n;
    const char *gy = (const char *)w->run->w + w->group * p->w_g * element;
    fal__outer outer = {.steps = steps,
                        .rows = w->rows,
                        .a_step = p->x_n,
                        .a = (const char *)w->run->x + from * element,
                        .a_offsets = (const int64_t *)(const void *)(w->scratch + s->a_offsets)};
    for (int64_t i = 0; i < w->tiles; i++) {
        const bool direct = is_direct(w, i);
        outer.sums = sums_of(w, tap, i);
        outer.b_vector = direct ? s->compute->lanes : s->kc * s->compute->lanes;
        outer.b = panel_of(w, i);
        if (direct) outer.b = gy + (w->first_tile + i) * s->kernel->width * element;
        outer.b_offsets = (const int64_t *)(const void *)(w->scratch + (direct ? s->direct : s->packed));
        s->kernel->run(&outer);
    }
}

/* One block of positions for all taps and panels of the share. */
static void run_block(const walk *w, int64_t block)
{
    const fal__problem *p = w->p;
    const outer_products *s = w->s;
    const int64_t lanes = s->compute->lanes, first = block * s->kc;
    fal__position_run *runs = (fal__position_run *)(void *)(w->scratch + s->runs);
    const int64_t count =
        fal__positions_read(p, &s->reduction, first, fal__min(s->kc, s->reduction.steps - first), runs);
    const fal__position_lists lists = {.x = (int64_t *)(void *)(w->scratch + s->a_offsets),
                                       .w = (int64_t *)(void *)(w->scratch + s->direct),
                                       .packed = (int64_t *)(void *)(w->scratch + s->packed)};
    for (int64_t i = 0; i < w->tiles; i++)
        for (int64_t v = 0; v < s->kernel->width / lanes && !is_direct(w, i); v++) {
            const int64_t oc = (w->first_tile + i) * s->kernel->width + v * lanes;
            const int64_t at = w->group * p->w_g + oc * p->w_oc;
            const size_t element = s->compute->panel_bytes;
            fal__positions_pack(p, s->compute, runs, count, (const char *)w->run->w + at * (int64_t)element,
                                p->w_oc, fal__max(0, fal__min(lanes, p->oc - oc)),
                                panel_of(w, i) + (size_t)(v * s->kc * lanes) * element);
        }
    int64_t o[FAL_MAX_SPATIAL], tap = 0;
    for (o[0] = 0; o[0] < p->axis[0].out; o[0]++)
        for (o[1] = 0; o[1] < p->axis[1].out; o[1]++)
            for (o[W] = 0; o[W] < p->axis[W].out; o[W]++, tap++)
                run_tap(w, tap, fal__positions_list(p, runs, count, o, lanes, &lists));
}

/* The sums of the share to y. */
static void store(const walk *w)
{
    const fal__problem *p = w->p;
    const outer_products *s = w->s;
    for (int64_t tap = 0; tap < s->taps; tap++) {
        const int64_t o[FAL_MAX_SPATIAL] = {tap / (p->axis[1].out * p->axis[W].out),
                                            tap / p->axis[W].out % p->axis[1].out, tap % p->axis[W].out};
        for (int64_t i = 0; i < w->tiles; i++) {
            const int64_t oc = (w->first_tile + i) * s->kernel->width;
            const fal__block block = {.outer = w->rows,
                                      .inner = fal__min(s->kernel->width, p->oc - oc),
                                      .tile_outer = s->kernel->width,
                                      .tile_inner = 1,
                                      .memory_outer = p->y_n,
                                      .memory_inner = p->y_oc,
                                      .beta = p->beta};
            int64_t at = p->y_base + w->group * p->y_g + w->first_row * p->y_n + oc * p->y_oc;
            for (int a = 0; a < FAL_MAX_SPATIAL; a++) at += o[a] * p->axis[a].ys;
            s->compute->store[p->dtype](sums_of(w, tap, i), &block,
                                        (char *)w->run->y + at * (int64_t)s->compute->panel_bytes);
        }
    }
}

static void run_share(walk *w, int64_t share)
{
    const outer_products *s = w->s;
    w->first_tile = share % s->tile_shares * s->share_tiles;
    w->first_row = share / s->tile_shares % s->row_shares * s->share_rows;
    w->group = share / s->tile_shares / s->row_shares;
    w->tiles = fal__min(s->share_tiles, s->tiles - w->first_tile);
    w->rows = fal__min(s->share_rows, w->p->n - w->first_row);
    memset(sums_of(w, 0, 0), 0, (size_t)(sums_of(w, s->taps, 0) - sums_of(w, 0, 0)));
    for (int64_t block = 0; block < s->blocks; block++) run_block(w, block);
    store(w);
}

static void run_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const outer_products *s = run->state;
    walk w = {.p = run->problem, .s = s, .run = run};
    w.scratch = (char *)run->workspace + (size_t)index * s->bytes;
    int64_t share, end;
    fal__partition(w.p->groups * s->tile_shares * s->row_shares, s->tasks, index, &share, &end);
    for (; share < end; share++) run_share(&w, share);
}

static bool run(const fal__run *run)
{
    const outer_products *s = run->state;
    fal__run shared = *run;
    fal__parallel(run->executor, s->tasks, run_task, &shared);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const outer_products *s = state;
    const int length =
        snprintf(text, capacity,
                 "%s, %" PRId64 " tap(s), %" PRId64 " position(s) in %" PRId64 " block(s), shares of %" PRId64
                 " input and %" PRId64 " output channels, %d task(s)",
                 s->compute->name, s->taps, s->reduction.steps, s->blocks, s->share_rows,
                 fal__min(p->oc, s->share_tiles * s->kernel->width), s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_outer_products = {
    .name = "outer-products",
    .version = 1,
    .state_bytes = sizeof(outer_products),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
