/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels_run.c: the loop nest of direct convolution with output channels in the lanes.
 *
 *     for each region                                   outputs with the same taps: one list of runs
 *       for each block of its pixel tiles               x of a block: L2
 *         for each tile of output channels
 *           for each block of reduction steps           its panel of weights: L2
 *             for each pixel tile                       sums: registers; kept in y or scratch between blocks
 *
 * Large weights come from beyond L2 once per block of pixels; while the tiles of a block work on one panel,
 * each asks for its share of the next.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/direct_channels.h"
#include "threads/parallel.h"

enum { NEAR_BYTES = 512 * 1024 /* weights of a group that are as good as in L2 */ };

void fal__direct_cut_region(const fal__region *region, int32_t rows, fal__direct_cut *cut)
{
    int64_t length[FAL_MAX_SPATIAL], outputs = 1, fewest = INT64_MAX;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        length[a] = region->axis[a].end - region->axis[a].first;
        outputs *= length[a];
    }
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
        const int64_t per_line = fal__ceil_div(length[a], rows), lines = outputs / length[a];
        if (per_line * lines >= fewest) continue;
        fewest = per_line * lines;
        *cut = (fal__direct_cut){.axis = a, .length = length[a], .per_line = per_line, .lines = lines};
    }
}

/* A task on its way. */
typedef struct walk {
    const fal__direct_channels *d;
    const fal__run *run;
    const char *packed;
    fal__direct_run *runs;
    fal__direct_place *places;
    char *bias, *sums;
    const fal__region *region;
    fal__direct_cut cut;
    int64_t run_count;
    int64_t g, n;  /* of the block at hand */
    int64_t count; /* its tiles */
} walk;

/* Fills places with `count` tiles of the region from number `tile` on. */
static void find_places(walk *w, int64_t tile, int64_t count)
{
    const fal__problem_axis *axis = w->d->problem.axis;
    const fal__direct_cut *cut = &w->cut;
    /* Coordinates in the region: along the cut, and on the other two axes, b fastest. */
    const int a = cut->axis == 0 ? 1 : 0, b = cut->axis == FAL_MAX_SPATIAL - 1 ? 1 : FAL_MAX_SPATIAL - 1;
    const fal__stretch *s = w->region->axis;
    const int64_t line = tile / cut->per_line, breadth = s[b].end - s[b].first;
    int64_t part = tile % cut->per_line, oa = s[a].first + line / breadth, ob = s[b].first + line % breadth;
    const int64_t rows = cut->length / cut->per_line, longer = cut->length % cut->per_line;
    for (int64_t i = 0; i < count; i++) {
        const int64_t o = s[cut->axis].first + part * rows + fal__min(part, longer);
        fal__direct_place *place = &w->places[i];
        place->x = oa * axis[a].s * axis[a].xs + ob * axis[b].s * axis[b].xs +
                   o * axis[cut->axis].s * axis[cut->axis].xs;
        place->y = oa * axis[a].ys + ob * axis[b].ys + o * axis[cut->axis].ys;
        place->rows = (int32_t)(rows + (part < longer));
        if (++part < cut->per_line) continue;
        part = 0;
        if (++ob < s[b].end) continue;
        ob = s[b].first;
        oa++;
    }
}

/* The bias of a tile of channels, as its row of vectors; stays 0 where there is none. */
static void gather_bias(const walk *w, int64_t oc, int64_t valid)
{
    const fal__problem *p = &w->d->problem;
    if (!p->has_bias) return;
    const fal__segment all = {
        .from = w->g * p->b_g + oc * p->b_oc, .step = p->b_oc, .to = 0, .length = (int32_t)valid};
    w->d->compute->pack[p->dtype](w->run->bias, &all, 1, 1, 0, (int32_t)valid, w->bias);
}

/* A tile of output channels. */
typedef struct channels {
    int64_t first, valid;
    int32_t vectors;
    int64_t width;
    const char *panel;
} channels;

static channels channels_of(const walk *w, int64_t tile)
{
    const fal__direct_channels *d = w->d;
    channels c = {.first = tile * d->width, .vectors = tile + 1 < d->tiles ? d->vectors : d->last_vectors};
    c.width = c.vectors * d->compute->lanes;
    c.valid = fal__min(c.width, d->problem.oc - c.first);
    const int64_t row = (d->tiles - 1) * d->width + d->last_vectors * d->compute->lanes;
    c.panel = w->packed + (size_t)(d->reduction.steps * (w->g * row + c.first)) * d->compute->panel_bytes;
    return c;
}

static void finish(const walk *w, const channels *c, const fal__direct_tile *tile, char *y)
{
    const fal__problem *p = &w->d->problem;
    const fal__direct_finish f = {.sums = tile->to,
                                  .y = y,
                                  .pixels = tile->rows,
                                  .channels = c->valid,
                                  .sums_step = tile->to_step,
                                  .pixel_step = p->axis[w->cut.axis].ys,
                                  .channel_step = w->d->in_place ? 1 : p->y_oc,
                                  .beta = p->beta,
                                  .activation =
                                      p->activation.kind != FAL_ACTIVATION_NONE ? &p->activation : NULL};
    w->d->compute->direct->finish(&f);
}

/* All tiles of the block by runs first..end-1, which lie in one block of reduction steps. */
static void pass(const walk *w, const channels *c, int64_t first, int64_t end)
{
    const fal__direct_channels *d = w->d;
    const fal__problem *p = &d->problem;
    const fal__compute *compute = d->compute;
    const int64_t element = (int64_t)compute->panel_bytes, lanes = compute->lanes;
    const fal__problem_axis *axis = &p->axis[w->cut.axis];
    fal__direct_tile tile = {.runs = w->runs + first,
                             .run_count = end - first,
                             .w = c->panel,
                             .pixel_step = axis->s * axis->xs,
                             .ic_step = fal__region_step(p, &d->reduction),
                             .to_step = d->in_place ? axis->ys : c->width,
                             .last = (int32_t)(d->in_place ? c->valid - (c->vectors - 1) * lanes : lanes),
                             .ahead = c->panel};
    int64_t share = 0; /* bytes of what comes next in the packed weights, for each tile to ask for */
    if (first < end && d->packed_bytes > (size_t)NEAR_BYTES * (size_t)p->groups) {
        const fal__direct_run *last = &w->runs[end - 1];
        const int64_t steps = last->w + last->steps - w->runs[first].w;
        const char *next = c->panel + (last->w + last->steps) * c->width * element;
        tile.ahead_step = fal__min(64, c->width * element / w->count);
        share = tile.ahead_step * steps;
        if (next + share * w->count > w->packed + d->packed_bytes) tile.ahead_step = share = 0;
        if (share > 0) tile.ahead = next;
    }
    const char *x = (const char *)w->run->x + (p->x_base + w->g * p->x_g + w->n * p->x_n) * element;
    char *y = (char *)w->run->y + (p->y_base + w->g * p->y_g + w->n * p->y_n + c->first * p->y_oc) * element;
    const bool done = end == w->run_count;
    const bool loose = first == 0 && done && !d->in_place; /* one tile of sums serves all */
    for (int64_t i = 0; i < w->count; i++, tile.ahead += share) {
        const fal__direct_place *place = &w->places[i];
        tile.x = x + place->x * element;
        tile.rows = place->rows;
        tile.to = d->in_place ? y + place->y * element
                              : w->sums + (loose ? 0 : i) * fal__direct_rows(d) * d->width * element;
        tile.from = first == 0 ? w->bias : tile.to;
        tile.from_step = first == 0 ? 0 : tile.to_step;
        compute->direct->tile[c->vectors](&tile);
        if (done && (!d->in_place || p->activation.kind != FAL_ACTIVATION_NONE))
            finish(w, c, &tile, y + place->y * element);
    }
}

static void run_block(walk *w, int64_t split)
{
    const fal__direct_channels *d = w->d;
    const int64_t end = fal__min((split + 1) * d->split_tiles, d->tiles);
    for (int64_t t = split * d->split_tiles; t < end; t++) {
        const channels c = channels_of(w, t);
        gather_bias(w, c.first, c.valid);
        int64_t from = 0, to = 0;
        do {
            const int64_t until = to < w->run_count ? (w->runs[to].w / d->block + 1) * d->block : 0;
            while (to < w->run_count && w->runs[to].w < until) to++;
            pass(w, &c, from, to);
            from = to;
        } while (to < w->run_count);
    }
}

/* Units first..end-1 of a region: tiles fastest, then images, splits of the channels, groups. */
static void run_region(walk *w, int64_t unit, int64_t end)
{
    const fal__direct_channels *d = w->d;
    const int64_t tiles = w->cut.lines * w->cut.per_line;
    while (unit < end) {
        const int64_t tile = unit % tiles, rest = unit / tiles;
        w->n = rest % d->problem.n;
        w->g = rest / d->problem.n / d->splits;
        w->count = fal__min(fal__min(d->block_tiles, tiles - tile), end - unit);
        find_places(w, tile, w->count);
        run_block(w, rest / d->problem.n % d->splits);
        unit += w->count;
    }
}

void fal__direct_channels_task(const fal__direct_channels *d, const fal__run *run, const void *packed,
                               char *scratch, int32_t index)
{
    const fal__problem *p = &d->problem;
    fal__region region;
    walk w = {.d = d, .run = run, .packed = packed, .region = &region};
    w.runs = (fal__direct_run *)(void *)(scratch + d->scratch.runs);
    w.places = (fal__direct_place *)(void *)(scratch + d->scratch.places);
    w.bias = scratch + d->scratch.bias;
    w.sums = scratch + d->scratch.sums;
    memset(w.bias, 0, (size_t)d->width * d->compute->panel_bytes);
    int32_t turn = index; /* regions of few tiles go to one task after the other */
    for (bool more = fal__region_first(p, &region); more; more = fal__region_next(p, &region)) {
        int64_t first, end;
        fal__direct_cut_region(&region, fal__direct_rows(d), &w.cut);
        fal__partition(w.cut.lines * w.cut.per_line * p->n * d->splits * p->groups, d->tasks, turn, &first,
                       &end);
        turn = turn + 1 < d->tasks ? turn + 1 : 0;
        if (first == end) continue;
        w.run_count = fal__region_runs(p, &d->reduction, &region, d->block, w.runs);
        run_region(&w, first, end);
    }
}
