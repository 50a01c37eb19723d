/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_grad_run.c: the loops of Winograd's weight gradient.
 *
 *     for each unit: a share of the outputs, a segment of the tiles
 *         for each block of tiles of the segment
 *             transform x, and gy                                  V, U: L2; a single block's V stays
 *             for each product                                     slices of V and U: L1
 *                 for each panel of output channels
 *                     for each panel of input channels: add        sums: L2
 *         transform the sums back, a few input channels at a time, and store
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/winograd_grad.h"

/* A unit on its way through the loops. */
typedef struct unit {
    const fal__winograd_grad *plan;
    const fal__run *run;
    int64_t group, depth, segment; /* depth: the tap of axis 0 */
    int64_t first_row, rows;       /* input channels */
    int64_t first_panel, panels;
    int64_t in_v; /* which x stands in V; -1: none */
    float *v, *u, *sums, *patch, *parts;
} unit;

/* Tiles first .. first+count-1 of gy, and of x unless it is there. */
static void transform(const unit *t, int64_t first, int64_t count, bool x_too)
{
    const fal__winograd_grad *g = t->plan;
    const fal__winograd_plan *conv = &g->conv;
    const int64_t lanes = conv->kernels->lanes, width = conv->width;
    const fal__chain tap = {.t0 = t->depth};
    const float *gy = (const float *)t->run->w + t->group * conv->problem.y_g;
    for (int64_t tile = 0; tile < count;) {
        const fal__strip strip = fal__strip_at(conv, first + tile, first + count);
        for (int64_t c = 0; c < t->rows && x_too; c += lanes)
            fal__winograd_input_strip(conv, &strip, t->run->x, t->group, &tap, t->first_row + c, t->patch,
                                      t->v + tile * conv->v_tile + c);
        for (int64_t c = 0; c < t->panels * width; c += lanes)
            fal__winograd_held_strip(conv, &strip, gy, t->first_panel * width + c, t->patch,
                                     t->u + (c / width * g->block_tiles + tile) * width + c % width,
                                     g->u_step);
        tile += strip.count;
    }
}

static void add_products(const unit *t, int64_t tiles, bool accumulate)
{
    const fal__winograd_grad *g = t->plan;
    const fal__winograd_plan *conv = &g->conv;
    const int64_t panel_rows = fal__ceil_div(t->rows, fal__ceil_div(t->rows, conv->kernels->rows));
    fal__winograd_outer outer = {.steps = tiles, .a_step = conv->v_tile, .accumulate = accumulate};
    for (int64_t i = 0; i < conv->products; i++)
        for (int64_t panel = 0; panel < t->panels; panel++)
            for (int64_t row = 0; row < t->rows; row += panel_rows) {
                outer.a = t->v + i * conv->v_step + row;
                outer.b = t->u + i * g->u_step + panel * g->block_tiles * conv->width;
                outer.sums = t->sums + i * g->sums_step + (panel * g->share_rows + row) * conv->width;
                conv->kernels->outer((int32_t)fal__min(panel_rows, t->rows - row), &outer);
            }
}

/* Where a vector's gradients begin in y, at input channel ic. */
typedef struct place {
    int64_t group, depth, vector, ic;
} place;

/* patch[k][row][column][lane] of `count` input channels to y. */
static void store(const fal__winograd_grad *g, const float *patch, const place *at, int64_t count, float *y)
{
    const fal__problem *p = &g->gradient;
    const fal__problem_axis *axis = p->axis;
    const int64_t lanes = g->conv.kernels->lanes, oc = at->vector * lanes, taps = g->m * g->m;
    const int64_t channels = fal__min(lanes, p->oc - oc), step = axis[2].ys;
    const bool taps_follow = axis[1].ys == g->m * step, all_follow = taps_follow && p->y_n == taps * step;
    /* As long stretches as can be. */
    const int64_t stretch = all_follow ? count * taps : taps_follow ? taps : g->m;
    y += p->y_base + at->group * p->y_g + at->depth * axis[0].ys + at->ic * p->y_n + oc * p->y_oc;
    for (int64_t i = 0; i < count * taps; i += stretch)
        g->conv.kernels->scatter(patch + i * lanes, stretch, channels, (float)p->beta,
                                 fal__activation_or_null(p),
                                 y + i / taps * p->y_n + i % taps / g->m * axis[1].ys, step, p->y_oc);
}

static float *part_of(const fal__winograd_grad *g, float *parts, int64_t segment, const place *at)
{
    const fal__problem *p = &g->gradient;
    const int64_t index =
        ((segment * p->groups + at->group) * p->axis[0].out + at->depth) * g->vectors + at->vector;
    return parts + index * g->part_step + at->ic * g->m * g->m * g->conv.kernels->lanes;
}

/* The sums of a vector, back from their products: input channels `row` .. of the share. */
static void transform_back(const unit *t, int64_t vector, int64_t row, int64_t count, float *to)
{
    const fal__winograd_grad *g = t->plan;
    const fal__winograd_plan *conv = &g->conv;
    static const float nothing[FAL__WINOGRAD_WIDTH_MAX] = {0};
    const int64_t lanes = conv->kernels->lanes, panel = vector / FAL__WINOGRAD_VECTORS;
    const float *sums =
        t->sums + (panel * g->share_rows + row) * conv->width + vector % FAL__WINOGRAD_VECTORS * lanes;
    for (int64_t k = 0; k < count; k++)
        conv->transform->output[conv->dims](sums + k * conv->width, conv->width, g->sums_step, 1, nothing,
                                            to + k * g->m * g->m * lanes, g->m * lanes);
}

static void finish(const unit *t)
{
    const fal__winograd_grad *g = t->plan;
    const int64_t first = t->first_panel * FAL__WINOGRAD_VECTORS,
                  vectors = fal__min(g->vectors - first, t->panels * FAL__WINOGRAD_VECTORS);
    for (int64_t i = 0; i < vectors; i++)
        for (int64_t row = 0; row < t->rows; row += FAL__GRAD_CHANNELS) {
            const int64_t count = fal__min(FAL__GRAD_CHANNELS, t->rows - row);
            const place at = {t->group, t->depth, first + i, t->first_row + row};
            if (g->segments > 1) {
                transform_back(t, i, row, count, part_of(g, t->parts, t->segment, &at));
                continue;
            }
            transform_back(t, i, row, count, t->patch);
            store(g, t->patch, &at, count, t->run->y);
        }
}

static void run_unit(unit *t, int64_t index)
{
    const fal__winograd_grad *g = t->plan;
    const fal__problem *p = &g->gradient;
    const int64_t x = index / g->panel_shares;
    t->first_panel = index % g->panel_shares * g->share_panels, index /= g->panel_shares;
    t->first_row = index % g->row_shares * g->share_rows, index /= g->row_shares;
    t->depth = index % p->axis[0].out, index /= p->axis[0].out;
    t->group = index % p->groups;
    t->segment = index / p->groups;
    t->panels = fal__min(g->share_panels, g->conv.panels - t->first_panel);
    t->rows = fal__min(g->share_rows, p->n - t->first_row);
    const int64_t first = t->segment * g->segment_tiles,
                  end = fal__min(g->conv.tiles, first + g->segment_tiles);
    for (int64_t tile = first; tile < end; tile += g->block_tiles) {
        const int64_t tiles = fal__min(g->block_tiles, end - tile);
        transform(t, tile, tiles, x != t->in_v);
        add_products(t, tiles, tile > first);
    }
    t->in_v = end - first <= g->block_tiles ? x : -1;
    finish(t);
}

void fal__winograd_grad_units(const fal__winograd_grad *g, const fal__run *run, char *scratch, float *parts,
                              int64_t index, int64_t end)
{
    unit t = {.plan = g,
              .in_v = -1,
              .run = run,
              .v = (float *)(void *)(scratch + g->v),
              .u = (float *)(void *)(scratch + g->u),
              .sums = (float *)(void *)(scratch + g->sums),
              .patch = (float *)(void *)(scratch + g->patch),
              .parts = parts};
    /* Lanes beyond the last channel are multiplied too, and what stands in them should be numbers. */
    memset(t.patch, 0, (size_t)g->patch_cells * sizeof *t.patch);
    for (; index < end; index++) run_unit(&t, index);
}

void fal__winograd_grad_add(const fal__winograd_grad *g, const fal__run *run, float *parts, int64_t index,
                            int64_t end)
{
    const fal__problem *p = &g->gradient;
    const int64_t cells = p->n * g->m * g->m * g->conv.kernels->lanes;
    for (; index < end; index++) {
        const place at = {.group = index / g->vectors / p->axis[0].out,
                          .depth = index / g->vectors % p->axis[0].out,
                          .vector = index % g->vectors};
        float *sum = part_of(g, parts, 0, &at);
        for (int64_t s = 1; s < g->segments; s++) {
            const float *part = part_of(g, parts, s, &at);
            for (int64_t i = 0; i < cells; i++) sum[i] += part[i];
        }
        store(g, sum, &at, p->n, run->y);
    }
}
