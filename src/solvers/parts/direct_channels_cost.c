/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels_cost.c: what tiles of direct convolution cost, and which are the best; see
 * solvers/direct_channels.c.
 *
 * Regions of outputs that are alike are counted together: a choice must not take longer than a small layer.
 */
#include <math.h>

#include "base/checked.h"
#include "solvers/parts/direct_channels.h"

enum {
    PANEL_BYTES = 256 * 1024,  /* weights of one pass: a quarter of the smallest common L2 (1 MiB) */
    NEAREST_BYTES = 24 * 1024, /* weights that stay in L1 beside the input of a tile */
    FAR_BYTES = 1024 * 1024    /* weights that do not stay in L2 */
};

/* Reduction steps of a pass whose panel takes `bytes`. Chunks of channels pack fastest whole, so a pass takes
 * whole ones, or a part of which a chunk has some number, if one is near. */
static int64_t block_steps(const fal__reduction *reduction, const fal__compute *compute, int64_t vectors,
                           int64_t bytes)
{
    const int64_t steps = bytes / (vectors * compute->lanes * (int64_t)compute->panel_bytes);
    const int64_t chunk = reduction->chunk * reduction->taps;
    if (chunk < 1 || reduction->taps == 1) return steps;
    if (steps >= chunk) return steps / chunk * chunk;
    for (int64_t parts = fal__ceil_div(chunk, fal__max(1, steps)); chunk / parts > steps / 2; parts++)
        if (chunk % parts == 0) return chunk / parts;
    return steps;
}

int64_t fal__direct_shortest_pass(const fal__reduction *reduction, const fal__compute *compute)
{
    return block_steps(reduction, compute, FAL__DIRECT_VECTORS, NEAREST_BYTES);
}

/* What a choice of tiles costs at. */
typedef struct choice {
    const fal__compute *compute;
    int64_t vectors, all; /* of a tile, of a group's output channels */
    int64_t block;        /* reduction steps of a pass */
    bool far;             /* its weights do not stay in L1 */
} choice;

/* Cycles of one reduction step of a tile. Multiply-adds and loads go two a cycle, each sum is ready for the
 * next step after four, and L2 gives some 28 bytes a cycle; then a little for the input, which comes from
 * there line by line. */
static double step_cycles(const choice *c, int64_t rows, int64_t vectors)
{
    const double adds = (double)(rows * vectors) / 2, loads = (double)(rows + vectors) / 2;
    const double bytes = (double)(vectors * c->compute->lanes * (int64_t)c->compute->panel_bytes);
    double longest = adds > loads ? adds : loads;
    if (longest < 4) longest = 4;
    if (c->far && longest < bytes / 28) longest = bytes / 28;
    return longest + 0.04 * (double)rows + 0.02 * (double)vectors;
}

/* Cycles of a tile of pixels by all output channels of a group: `steps` reduction steps in `runs` runs. A
 * pass begins with a call, and moves the sums in and out. */
static double tile_cycles(const choice *c, int64_t rows, double steps, double runs)
{
    const double passes = ceil(steps / (double)c->block);
    const double extra = 6 * runs + 40 * passes;
    const int64_t whole = c->all / c->vectors, rest = c->all % c->vectors;
    double cycles = (double)whole * (step_cycles(c, rows, c->vectors) * steps + extra);
    if (rest > 0) cycles += step_cycles(c, rows, rest) * steps + extra;
    return cycles + 1.5 * passes * (double)(rows * c->all);
}

/* Stretches of an axis that are alike, as one that begins with output and tap 0. */
typedef struct alike {
    fal__stretch stretch;
    int64_t many;
} alike;

enum { ALIKE_MAX = 6 /* of an axis; more are counted as the last */ };
typedef struct shapes {
    int32_t count[FAL_MAX_SPATIAL];
    alike item[FAL_MAX_SPATIAL][ALIKE_MAX];
} shapes;

static void add_stretch(shapes *all, int a, fal__stretch s)
{
    const alike new = {.stretch = {.end = s.end - s.first, .end_tap = s.end_tap - s.first_tap}, .many = 1};
    alike *items = all->item[a];
    int32_t i = 0;
    while (i < all->count[a] &&
           (items[i].stretch.end != new.stretch.end || items[i].stretch.end_tap != new.stretch.end_tap))
        i++;
    if (i == ALIKE_MAX) i--;
    if (i == all->count[a])
        items[all->count[a]++] = new;
    else
        items[i].many++;
}

static void find_shapes(const fal__problem *p, shapes *all)
{
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        all->count[a] = 0;
        for (int64_t o = 0; o < p->axis[a].out;) {
            const fal__stretch s = fal__stretch_at(p, a, o);
            add_stretch(all, a, s);
            o = s.end;
        }
    }
}

static double region_cost(const fal__problem *p, const choice *c, const fal__region *region)
{
    fal__direct_cut cut;
    fal__direct_cut_region(region, c->compute->direct->rows[c->vectors], &cut);
    const int64_t rows = cut.length / cut.per_line, longer = cut.length % cut.per_line;
    const double runs = (double)fal__region_taps(region), steps = runs * (double)p->ic;
    double line = (double)(cut.per_line - longer) * tile_cycles(c, rows, steps, runs);
    if (longer > 0) line += (double)longer * tile_cycles(c, rows + 1, steps, runs);
    return line * (double)cut.lines;
}

/* Cycles of one image and group with tiles of `vectors`. */
static double choice_cost(const fal__problem *p, const fal__compute *compute, const shapes *all,
                          int32_t vectors, int64_t block)
{
    const int64_t taps = p->axis[0].k * p->axis[1].k * p->axis[2].k;
    const int64_t panel =
        fal__min(block, taps * p->ic) * vectors * compute->lanes * (int64_t)compute->panel_bytes;
    const choice c = {.compute = compute,
                      .vectors = vectors,
                      .all = fal__ceil_div(p->oc, compute->lanes),
                      .block = block,
                      .far = panel > NEAREST_BYTES};
    double cycles = 0;
    for (int32_t i = 0; i < all->count[0]; i++)
        for (int32_t j = 0; j < all->count[1]; j++)
            for (int32_t k = 0; k < all->count[2]; k++) {
                const alike *d = &all->item[0][i], *h = &all->item[1][j], *w = &all->item[2][k];
                const fal__region region = {{d->stretch, h->stretch, w->stretch}};
                cycles += (double)(d->many * h->many * w->many) * region_cost(p, &c, &region);
            }
    return cycles;
}

/* The best vectors of a tile, and the reduction steps of a pass: as many as L2 takes, or as L1 where tiles
 * have so few pixels that they would wait for weights. */
double fal__direct_choose_tile(const fal__problem *p, const fal__compute *compute, int32_t *vectors,
                               int64_t *block)
{
    const int64_t most = fal__max(1, fal__min(FAL__DIRECT_VECTORS, fal__ceil_div(p->oc, compute->lanes)));
    fal__reduction reduction;
    fal__reduction_plan(p, compute, &reduction);
    shapes all;
    find_shapes(p, &all);
    double best = -1;
    for (int32_t v = 1; v <= most; v++)
        for (int near = 0; near < 2; near++) {
            const int64_t steps = block_steps(&reduction, compute, v, near ? NEAREST_BYTES : PANEL_BYTES);
            if (near && steps >= reduction.steps) continue; /* one pass, as before */
            const double cost = choice_cost(p, compute, &all, v, steps);
            if (best >= 0 && cost >= best) continue;
            best = cost;
            *vectors = v;
            *block = steps;
        }
    return best;
}

/* Cycles that pass until weights beyond L2 have arrived, as far as no arithmetic hides them. */
double fal__direct_weights_cycles(const fal__problem *p, const fal__compute *compute)
{
    const double weights = (double)p->groups * (double)p->oc * (double)p->ic *
                           (double)(p->axis[0].k * p->axis[1].k * p->axis[2].k) *
                           (double)compute->panel_bytes;
    return weights > FAR_BYTES ? (weights - FAR_BYTES) / 13 : 0;
}
