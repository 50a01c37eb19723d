/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_run.c: the loops of direct convolution with pixels in the lanes; see direct_pixels.h.
 *
 *     for each unit: a group, a split of its output channels, an image, a block of outputs
 *         for each block of k
 *             copy the input of the block                     L2
 *             for each panel of output channels               its weights: L1
 *                 for each tile of pixels                     sums: registers, kept in L2 between blocks of k
 *
 * A weight that is not finite must not meet the zeros of the copy: then all blocks are cut where taps change.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/direct_pixels.h"
#include "threads/parallel.h"

int64_t fal__dp_blocks(const fal__direct_pixels *s, int a, bool cut)
{
    fal__dp_axis how = s->axis[a];
    fal__dp_stretch stretch;
    int64_t count = 0;
    how.cut |= cut;
    for (int64_t first = 0; first < s->problem.axis[a].out; first = stretch.end, count++)
        fal__dp_stretch_at(&s->problem, a, &how, first, &stretch);
    return count;
}

/* A task on its way through its units; lives in its scratch. */
typedef struct walk {
    const fal__direct_pixels *s;
    const fal__run *run;
    const char *weights;
    char *scratch;
    fal__dp_axis how[FAL_MAX_SPATIAL];
    fal__dp_block block;
    int64_t g, split, n;
    int64_t i0, channels; /* of the block of k */
    int64_t run_count;    /* of the block of k */
    bool first, last;     /* block of k */
    bool even, plain;     /* y lies as the lanes do; and is the sum as it is */
    int64_t y;            /* offset of the block's first output, channel 0 */
    const char *x;        /* the walked copy or x itself, */
    int64_t x_step;       /* and its step between channels */
} walk;

enum {
    LANES_MAX = FAL__PIXELS_VECTORS_MAX * 16,
    STEPS_AHEAD = 6 /* some 80 cycles: L2 and a page that is not at hand */
};

bool fal__dp_book(fal__direct_pixels *s)
{
    const size_t element = s->compute->panel_bytes;
    const bool kept = s->k_blocks > 1;
    const int64_t width = fal__min(s->problem.oc, s->kernels->rows_max * s->split_panels);
    s->bytes = 0;
    return fal__book(&s->bytes, 1, sizeof(walk), &s->walk) &&
           fal__book(&s->bytes, s->copy_size, element, &s->copy) &&
           fal__book(&s->bytes, kept ? width * s->lanes : s->kernels->rows_max * LANES_MAX, element,
                     &s->sums) &&
           fal__book(&s->bytes, s->problem.oc, element, &s->bias) &&
           fal__book(&s->bytes, s->run_count, sizeof(fal__lane_run), &s->runs) &&
           fal__book(&s->bytes, LANES_MAX + 1, sizeof(fal__lane_piece), &s->pieces);
}

static char *element_at(const walk *w, const void *base, int64_t offset)
{
    return (char *)(uintptr_t)base + offset * (int64_t)w->s->compute->panel_bytes;
}

/* The steps of this block of k that exist, as runs of channels. */
static void make_runs(walk *w)
{
    const fal__direct_pixels *s = w->s;
    const fal__dp_block *b = &w->block;
    const fal__dp_stretch *d = &b->axis[0], *h = &b->axis[1], *v = &b->axis[2];
    const int64_t taps = s->reduction.taps, chunk = taps == 1 ? s->k_channels : s->reduction.chunk;
    fal__lane_run *run = (fal__lane_run *)(void *)(w->scratch + s->runs), *begin = run;
    for (int64_t c = 0; c < w->channels; c += chunk) {
        const int64_t steps = fal__min(chunk, w->channels - c);
        for (int64_t i = 0; i < d->taps; i++)
            for (int64_t j = 0; j < h->taps; j++)
                for (int64_t k = 0; k < v->taps; k++) {
                    const int64_t tap =
                        (d->tap[i] * s->problem.axis[1].k + h->tap[j]) * s->problem.axis[2].k + v->tap[k];
                    const int64_t at = d->of[i] * b->plane_step + v->of[k] * b->column_step +
                                       b->row_class[h->of[j]] + h->shift[j] * b->pitch + v->shift[k];
                    *run++ = (fal__lane_run){.at = c * w->x_step + (s->in_place ? 0 : at),
                                             .first = c * taps + tap * steps,
                                             .steps = steps};
                }
    }
    w->run_count = run - begin;
}

/* Stretches of pixels first .. first + count - 1 of the block as they lie in y. */
static int64_t make_pieces(const walk *w, int64_t first, int64_t count, fal__lane_piece *pieces)
{
    const fal__dp_block *b = &w->block;
    const fal__problem_axis *h = &w->s->problem.axis[1], *v = &w->s->problem.axis[2];
    const int64_t columns = b->axis[2].end - b->axis[2].first, end = first + count;
    int64_t n = 0;
    if (w->even) {
        pieces[0] = (fal__lane_piece){.lane = 0, .length = count, .at = first};
        return 1;
    }
    for (int64_t row = first / b->pitch; row * b->pitch < end; row++) {
        const int64_t from = fal__max(first, row * b->pitch), to = fal__min(end, row * b->pitch + columns);
        if (from >= to) continue;
        pieces[n++] = (fal__lane_piece){
            .lane = from - first, .length = to - from, .at = row * h->ys + (from - row * b->pitch) * v->ys};
    }
    return n;
}

/* A panel of output channels, and what its tiles have in common. */
typedef struct panel {
    int64_t rows;
    bool leading;     /* meets x far away, the others in L2 */
    int64_t sums_row; /* elements from one pixel's sums to the next pixel's; 0: no sums are kept */
    char *sums, *y;   /* of the block's first pixel */
    fal__lane_tile tile;
} panel;

static void begin_panel(const walk *w, int64_t number, panel *c)
{
    const fal__direct_pixels *s = w->s;
    const fal__problem *p = &s->problem;
    const int64_t before = w->split * s->split_panels, taps = s->reduction.taps;
    const int64_t oc = fal__dp_panel(s, number), rows = fal__dp_panel(s, number + 1) - oc;
    const bool kept = s->k_blocks > 1;
    c->rows = rows;
    c->leading = number == before;
    c->sums_row = kept ? rows : 0;
    c->sums = element_at(w, w->scratch + s->sums, kept ? (oc - fal__dp_panel(s, before)) * s->lanes : 0);
    c->y = element_at(w, w->run->y, w->y + oc * p->y_oc);
    c->tile = (fal__lane_tile){
        .runs = (const fal__lane_run *)(void *)(w->scratch + s->runs),
        .run_count = w->run_count,
        .w = element_at(w, w->weights, (w->g * p->ic + w->i0) * taps * p->oc + oc * w->channels * taps),
        .bias = p->has_bias ? element_at(w, w->scratch + s->bias, oc) : NULL,
        .go_on = !w->first,
        .y_row = p->y_oc,
    };
}

/* A panel against `vectors` vectors from lane `first` on. */
static void run_tile(const walk *w, panel *c, int64_t first, int64_t vectors)
{
    const fal__direct_pixels *s = w->s;
    const fal__problem *p = &s->problem;
    const int64_t lanes = s->kernels->lanes;
    fal__lane_tile *tile = &c->tile;
    tile->count = fal__min(vectors * lanes, w->block.lanes - first);
    tile->w_ahead = first + vectors * lanes < w->block.lanes ? 0 : c->rows * w->channels * s->reduction.taps;
    tile->sums = element_at(w, c->sums, first * c->sums_row);
    tile->y = w->last && w->plain ? element_at(w, c->y, first) : NULL;
    s->kernels->tile[c->rows](tile, (int32_t)vectors);
    if (!w->last || w->plain) return;
    fal__lane_piece *pieces = (fal__lane_piece *)(void *)(w->scratch + s->pieces);
    const fal__lane_store store = {.sums = tile->sums,
                                   .width = vectors * lanes,
                                   .rows = (int32_t)c->rows,
                                   .pieces = pieces,
                                   .count = make_pieces(w, first, tile->count, pieces),
                                   .y = c->y,
                                   .y_row = p->y_oc,
                                   .y_step = p->axis[2].ys,
                                   .beta = p->beta,
                                   .activation = fal__activation_or_null(p)};
    s->kernels->store(&store);
}

/* One panel against all pixels of the block, whole vectors first in as equal tiles as may be. In place the
 * last vector is read from a copy, where the lanes behind the last pixel are. */
static void run_panel(const walk *w, int64_t number)
{
    const fal__direct_pixels *s = w->s;
    panel c;
    begin_panel(w, number, &c);
    const int64_t lanes = s->kernels->lanes;
    const int64_t whole = s->in_place ? w->block.lanes / lanes : fal__ceil_div(w->block.lanes, lanes);
    const int64_t tiles = fal__ceil_div(whole, s->kernels->vectors_max[c.rows]);
    const int64_t wider = tiles > 0 ? whole % tiles : 0;
    int64_t vectors = tiles > 0 ? whole / tiles + 1 : 0;
    c.tile.x_step = w->x_step;
    for (int64_t i = 0, at = 0; i < tiles; i++, at += vectors) {
        if (i == wider) vectors--;
        c.tile.x = element_at(w, w->x, at * lanes);
        c.tile.ahead = !s->in_place ? 0 : c.leading ? vectors * lanes : STEPS_AHEAD * w->x_step;
        run_tile(w, &c, at * lanes, vectors);
    }
    if (whole * lanes == w->block.lanes || !s->in_place) return;
    c.tile.x = w->scratch + s->copy;
    c.tile.x_step = lanes;
    c.tile.ahead = 0;
    run_tile(w, &c, whole * lanes, 1);
}

/* Makes the input of this block of k readable. */
static void take_input(walk *w)
{
    const fal__direct_pixels *s = w->s;
    const fal__problem *p = &s->problem;
    const int64_t lanes = s->kernels->lanes;
    const char *x = element_at(w, w->run->x, p->x_base + w->g * p->x_g + w->n * p->x_n + w->i0 * p->x_ic);
    char *copy = w->scratch + s->copy;
    if (!s->in_place) {
        fal__dp_copy(s, &w->block, x, w->channels, copy);
        w->x = copy;
        w->x_step = w->block.channel;
        return;
    }
    w->x = x;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        w->x = element_at(w, w->x, (w->block.axis[a].first - p->axis[a].begin) * p->axis[a].xs);
    w->x_step = p->x_ic;
    const int64_t rest = w->block.lanes % lanes;
    if (rest == 0) return;
    const fal__lane_copy tail = {.x = element_at(w, w->x, w->block.lanes - rest),
                                 .x_channel = p->x_ic,
                                 .x_step = 1,
                                 .to = copy,
                                 .to_channel = lanes,
                                 .channels = w->channels,
                                 .rows = 1,
                                 .count = rest};
    s->kernels->copy(&tail);
}

static void run_block(walk *w)
{
    const fal__direct_pixels *s = w->s;
    const fal__problem *p = &s->problem;
    fal__dp_block *b = &w->block;
    const int64_t rows = b->axis[1].end - b->axis[1].first, columns = b->axis[2].end - b->axis[2].first;
    fal__dp_block_layout(b, s->kernels->lanes);
    w->even = p->axis[2].ys == 1 && (rows == 1 || (b->pitch == columns && p->axis[1].ys == columns));
    w->plain = w->even && p->beta == 0 && p->activation.kind == FAL_ACTIVATION_NONE;
    w->y = p->y_base + w->g * p->y_g + w->n * p->y_n;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) w->y += b->axis[a].first * p->axis[a].ys;
    const int64_t panels = fal__min(s->split_panels, s->panels - w->split * s->split_panels);
    for (int64_t k = 0; k < s->k_blocks; k++) {
        w->i0 = k * s->k_channels;
        w->channels = fal__min(s->k_channels, p->ic - w->i0);
        w->first = k == 0, w->last = k + 1 == s->k_blocks;
        take_input(w);
        make_runs(w);
        for (int64_t i = 0; i < panels; i++) run_panel(w, w->split * s->split_panels + i);
    }
}

static void take_bias(const walk *w)
{
    const fal__problem *p = &w->s->problem;
    const size_t element = w->s->compute->panel_bytes;
    if (!p->has_bias) return;
    for (int64_t oc = 0; oc < p->oc; oc++)
        memcpy(w->scratch + w->s->bias + (size_t)oc * element,
               element_at(w, w->run->bias, w->g * p->b_g + oc * p->b_oc), element);
}

void fal__dp_run_task(const fal__direct_pixels *s, const fal__run *run, const char *packed, char *scratch,
                      int32_t task)
{
    const fal__problem *p = &s->problem;
    walk *w = (walk *)(void *)(scratch + s->walk);
    w->s = s, w->run = run, w->scratch = scratch, w->weights = packed + FAL__DP_HEADER, w->g = -1;
    const bool cut = p->mode == FAL_PAD_ZEROS && ((const fal__dp_packed *)(const void *)packed)->finite == 0;
    int64_t blocks[FAL_MAX_SPATIAL], all = 1, unit, end, at[FAL_MAX_SPATIAL];
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        w->how[a] = s->axis[a];
        w->how[a].cut |= cut;
        blocks[a] = cut ? fal__dp_blocks(s, a, true) : s->blocks[a];
        all *= blocks[a];
    }
    fal__partition(p->groups * s->splits * p->n * all, s->tasks, task, &unit, &end);
    for (int a = FAL_MAX_SPATIAL - 1; unit < end && a >= 0; a--) at[a] = -1;
    for (; unit < end; unit++) {
        int64_t rest = unit;
        for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
            const int64_t number = rest % blocks[a];
            rest /= blocks[a];
            if (number == at[a]) continue;
            const bool next = at[a] >= 0 && number == at[a] + 1;
            int64_t first = next ? w->block.axis[a].end : 0;
            for (int64_t i = next ? number : 0;; i++, first = w->block.axis[a].end) {
                fal__dp_stretch_at(p, a, &w->how[a], first, &w->block.axis[a]);
                if (i == number) break;
            }
            at[a] = number;
        }
        w->n = rest % p->n, rest /= p->n;
        w->split = rest % s->splits, rest /= s->splits;
        const bool other = rest != w->g;
        w->g = rest;
        if (other) take_bias(w);
        run_block(w);
    }
}
