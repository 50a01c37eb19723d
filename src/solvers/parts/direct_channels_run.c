/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels_run.c: the loop nest of direct convolution with output channels in the lanes.
 *
 *     for each block of pixel tiles                   their x: L2
 *       for each tile of output channels
 *         for each block of reduction steps           its panel of weights: L2
 *           for each pixel tile                       sums: registers; in y or scratch between blocks
 *
 * Large weights come from beyond L2 once per block of pixels: while its tiles work on one panel, each
 * asks for its share of the next. In the first pass each asks for the input of the tile after it.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/channels.h"
#include "solvers/parts/direct_channels.h"
#include "threads/parallel.h"

enum { NEAR_BYTES = 512 * 1024 /* weights of a group that are as good as in L2 */ };

/* A task on its way. */
typedef struct walk {
    const fal__direct_channels *d;
    const fal__run *run;
    const char *packed; /* or NULL */
    char *bias, *sums, *panel;
    fal__direct_block block;
    int64_t g, n; /* of the block */
} walk;

/* A tile of output channels. */
typedef struct channels {
    int64_t first, valid, width;
    int32_t vectors;
    bool leading;      /* the first one that the block meets */
    const char *panel; /* all steps; NULL while packing panel by panel */
} channels;

static channels channels_of(const walk *w, int64_t tile)
{
    const fal__direct_channels *d = w->d;
    channels c = {.first = tile * d->width, .vectors = tile + 1 < d->tiles ? d->vectors : d->last_vectors};
    c.width = c.vectors * d->compute->lanes;
    c.valid = fal__min(c.width, d->problem.oc - c.first);
    c.leading = tile % d->split_tiles == 0;
    if (w->packed == NULL) return c;
    const int64_t row = (d->tiles - 1) * d->width + d->last_vectors * d->compute->lanes;
    c.panel = w->packed + (size_t)(d->reduction.steps * (w->g * row + c.first)) * d->compute->panel_bytes;
    return c;
}

/* The bias of a tile of channels, as its row of vectors; stays 0 where there is none. */
static void gather_bias(const walk *w, const channels *c)
{
    const fal__problem *p = &w->d->problem;
    if (!p->has_bias) return;
    const fal__segment all = {
        .from = w->g * p->b_g + c->first * p->b_oc, .step = p->b_oc, .to = 0, .length = (int32_t)c->valid};
    w->d->compute->pack[p->dtype](w->run->bias, &all, 1, 1, 0, (int32_t)c->width, w->bias);
}

static void finish(const walk *w, const channels *c, const fal__direct_tile *tile, int64_t y_step, char *y)
{
    const fal__problem *p = &w->d->problem;
    const fal__direct_finish f = {.sums = tile->to,
                                  .y = y,
                                  .pixels = tile->rows,
                                  .channels = c->valid,
                                  .sums_step = tile->to_step,
                                  .pixel_step = y_step,
                                  .channel_step = w->d->in_place ? 1 : p->y_oc,
                                  .beta = p->beta,
                                  .activation =
                                      p->activation.kind != FAL_ACTIVATION_NONE ? &p->activation : NULL};
    w->d->compute->direct->finish(&f);
}

/* The weights of one pass: a block of reduction steps. */
typedef struct slab {
    int64_t first, end;
    const char *at;
} slab;

static slab slab_of(const walk *w, const channels *c, int64_t first)
{
    const fal__direct_channels *d = w->d;
    slab p = {.first = first, .end = fal__min(first + d->block, d->reduction.steps)};
    const size_t row = (size_t)c->width * d->compute->panel_bytes;
    if (c->panel != NULL) {
        p.at = c->panel + (size_t)first * row;
        return p;
    }
    p.at = w->panel + (size_t)(first % d->span) * row;
    if (first % d->span > 0) return p;
    const fal__weights part = {.group = w->g,
                               .oc = c->first,
                               .first = first,
                               .end = fal__min(first + d->span, d->reduction.steps),
                               .width = (int32_t)c->width};
    fal__weights_pack(&d->problem, &d->reduction, d->compute, w->run->w, &part, w->panel);
    return p;
}

/* What the tiles of one pass ask for. */
typedef struct foresight {
    const char *weights; /* NULL: near already */
    int64_t step, share; /* bytes of a reduction step, of a tile */
} foresight;

/* The panel behind this one. */
static foresight foresee_weights(const walk *w, const channels *c, const slab *panel)
{
    const fal__direct_channels *d = w->d;
    foresight f = {NULL, 0, 0};
    if (c->panel == NULL || d->packed_bytes / (size_t)d->problem.groups <= NEAR_BYTES) return f;
    const int64_t row = c->width * (int64_t)d->compute->panel_bytes;
    f.step = fal__min(64, fal__ceil_div(row, w->block.count));
    f.share = f.step * (panel->end - panel->first);
    const char *next = panel->at + (panel->end - panel->first) * row;
    if (w->packed + d->packed_bytes - next >= f.share * w->block.count) f.weights = next;
    return f;
}

/* The tiles of a piece by its runs from piece->run to end-1, which lie in one block of reduction steps. */
static void pass(const walk *w, const channels *c, const slab *panel, foresight ahead,
                 const fal__direct_piece *piece, int64_t end)
{
    const fal__direct_channels *d = w->d;
    const fal__problem *p = &d->problem;
    const int64_t element = (int64_t)d->compute->panel_bytes, lanes = d->compute->lanes;
    const fal__problem_axis *axis = &p->axis[piece->axis];
    const bool first = piece->run == piece->first_run, last = end == piece->end_run;
    const bool store = last && (!d->in_place || p->activation.kind != FAL_ACTIVATION_NONE);
    const fal__direct_run *runs = w->block.runs + piece->run;
    fal__direct_tile tile = {.runs = runs,
                             .run_count = end - piece->run,
                             .w = panel->at,
                             .row = panel->first,
                             .pixel_step = axis->s * axis->xs,
                             .ic_step = fal__region_step(p, &d->reduction),
                             .to_step = d->in_place ? axis->ys : c->width,
                             .last = (int32_t)(d->in_place ? c->valid - (c->vectors - 1) * lanes : lanes)};
    tile.from_step = first ? 0 : tile.to_step;
    const char *x = (const char *)w->run->x + (p->x_base + w->g * p->x_g + w->n * p->x_n) * element;
    char *y = (char *)w->run->y + (p->y_base + w->g * p->y_g + w->n * p->y_n + c->first * p->y_oc) * element;
    const int64_t sums = d->reduction.steps > d->block ? fal__direct_rows(d) * d->width * element : 0;
    for (int64_t i = piece->first_tile; i < piece->end_tile; i++) {
        const fal__direct_place *place = &w->block.places[i];
        tile.x = x + place->x * element;
        tile.rows = place->rows;
        tile.to = d->in_place ? y + place->y * element : w->sums + i * sums;
        tile.from = first ? w->bias : tile.to;
        tile.ahead = ahead.weights != NULL ? ahead.weights + i * ahead.share : panel->at;
        tile.ahead_step = ahead.weights != NULL ? ahead.step : 0;
        if (c->leading && i + 1 < piece->end_tile && tile.run_count > 0) {
            const fal__direct_run *bottom = &runs[tile.run_count - 1];
            const int64_t steps = bottom->w + bottom->steps - runs[0].w;
            tile.ahead = x + (place[1].x + bottom->x) * element;
            tile.ahead_step = fal__min(64, fal__max(0, place->rows * tile.pixel_step * element / steps));
        }
        d->compute->direct->tile[c->vectors](&tile);
        if (store) finish(w, c, &tile, axis->ys, y + place->y * element);
    }
}

/* All tiles of the block by a tile of output channels. */
static void run_channels(walk *w, const channels *c)
{
    const fal__direct_channels *d = w->d;
    fal__direct_block *b = &w->block;
    gather_bias(w, c);
    for (int64_t i = 0; i < b->piece_count; i++) b->pieces[i].run = b->pieces[i].first_run;
    for (int64_t k = 0; k == 0 || k < d->reduction.steps; k += d->block) {
        const slab panel = slab_of(w, c, k);
        const foresight ahead = foresee_weights(w, c, &panel);
        for (fal__direct_piece *piece = b->pieces; piece < b->pieces + b->piece_count; piece++) {
            int64_t end = piece->run;
            while (end < piece->end_run && b->runs[end].w < panel.end) end++;
            /* A piece without any run still gets its bias. */
            if (end == piece->run && (k > 0 || end < piece->end_run)) continue;
            pass(w, c, &panel, ahead, piece, end);
            piece->run = end;
        }
    }
}

/* Units first..end-1: tiles fastest, then images, splits of the channels, groups. */
static void run_units(walk *w, int64_t unit, int64_t end)
{
    const fal__direct_channels *d = w->d;
    while (unit < end) {
        const int64_t tile = unit % d->image_tiles, rest = unit / d->image_tiles;
        const int64_t split = rest / d->problem.n % d->splits;
        w->n = rest % d->problem.n;
        w->g = rest / d->problem.n / d->splits;
        const int64_t most = fal__min(fal__min(d->block_tiles, d->image_tiles - tile), end - unit);
        fal__direct_block_make(d, tile, most, &w->block);
        const int64_t end_tile = fal__min((split + 1) * d->split_tiles, d->tiles);
        for (int64_t t = split * d->split_tiles; t < end_tile; t++) {
            const channels c = channels_of(w, t);
            run_channels(w, &c);
        }
        unit += w->block.count;
    }
}

void fal__direct_channels_task(const fal__direct_channels *d, const fal__run *run, const void *packed,
                               char *scratch, int32_t index)
{
    const fal__problem *p = &d->problem;
    walk w = {.d = d, .run = run, .packed = packed};
    w.bias = scratch + d->scratch.bias;
    w.sums = scratch + d->scratch.sums;
    w.panel = scratch + d->scratch.panel;
    memset(w.bias, 0, (size_t)d->width * d->compute->panel_bytes);
    fal__direct_block_begin(d, scratch, &w.block);
    int64_t first, end;
    fal__partition(d->image_tiles * p->n * d->splits * p->groups, d->tasks, index, &first, &end);
    run_units(&w, first, end);
}
