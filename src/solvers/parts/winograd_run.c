/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_run.c: the loops of Winograd's convolution.
 *
 *     for each unit: a block of tiles, a split of the output channels
 *         transform the inputs of the block, all channels              V: half of L2
 *         for each panel of output channels of the split
 *             for each of the a*a products                             U: streams, read once a block
 *                 for each chain of channels
                    for each panel of tiles: multiply                a slice of V and of U: L1
 *             transform the sums back, strip by strip, and store       sums: a quarter of L2
 *
 * The taps of axis 0 are more channels: their products are added before the transform back.
 */
#include "base/checked.h"
#include "solvers/parts/winograd.h"

void fal__winograd_pack_panel(const fal__winograd_plan *plan, const float *w, int64_t group, int64_t panel,
                              float *u)
{
    const fal__problem *p = &plan->problem;
    const int64_t oc = panel * plan->width, valid = fal__min(plan->width, p->oc - oc);
    float taps[FAL__WINOGRAD_TAPS * FAL__WINOGRAD_WIDTH_MAX] = {0};
    w += p->w_base + group * p->w_g + oc * p->w_oc;
    for (int64_t t0 = 0; t0 < p->axis[0].k; t0++)
        for (int64_t ic = 0; ic < p->ic; ic++, u += plan->width) {
            for (int64_t c = 0; c < valid; c++) {
                const float *from = w + c * p->w_oc + ic * p->w_ic + t0 * p->axis[0].ws;
                for (int64_t t = 0; t < FAL__WINOGRAD_TAPS; t++)
                    taps[t * plan->width + c] = from[t / 3 * p->axis[1].ws + t % 3 * p->axis[2].ws];
            }
            plan->kernels->weights[plan->size](taps, u, plan->u_step);
        }
}

/* A block on its way through the loops. */
typedef struct block {
    const fal__winograd_plan *plan;
    const fal__run *run;
    int64_t group, first, count; /* tiles first..first+count-1 */
    float *transformed, *sums, *patch, *bias;
} block;

/* Panel `panel` of tiles at tap t0 and channel block 0. */
static float *tile_panel(const block *b, int64_t panel, int64_t t0)
{
    const fal__winograd_plan *plan = b->plan;
    return b->transformed + (panel * plan->problem.axis[0].k + t0) * plan->channel_blocks * plan->panel_rows *
                                plan->kernels->lanes;
}

/* One strip, whose first tile is number `tile` of the block, into the panels it falls in. */
static void transform_strip(const block *b, const fal__strip *strip, int64_t tile, int64_t t0,
                            int64_t channel_block)
{
    const fal__winograd_plan *plan = b->plan;
    const int32_t lanes = plan->kernels->lanes;
    const float *patch = b->patch;
    fal__patch_gather(plan, strip, b->run->x, b->group, t0, channel_block, b->patch);
    for (int64_t end = tile + strip->count; tile < end;) {
        const int64_t row = tile % plan->panel_rows, count = fal__min(plan->panel_rows - row, end - tile);
        float *v =
            tile_panel(b, tile / plan->panel_rows, t0) + (channel_block * plan->panel_rows + row) * lanes;
        plan->kernels->input[plan->size](patch, fal__patch_row(plan), count, v, plan->v_step);
        patch += plan->m * count * lanes;
        tile += count;
    }
}

static void transform_inputs(const block *b)
{
    const fal__winograd_plan *plan = b->plan;
    for (int64_t tile = 0; tile < b->count;) {
        const fal__strip strip = fal__strip_at(plan, b->first + tile, b->first + b->count);
        for (int64_t t0 = 0; t0 < plan->problem.axis[0].k; t0++)
            for (int64_t c = 0; c < plan->channel_blocks; c++) transform_strip(b, &strip, tile, t0, c);
        tile += strip.count;
    }
}

/* Channels that are added one after another; the sums of such chains are added then. A rounding error
 * is as large as the partial sum it happens in: short chains keep F(4,3) as near as one long direct sum. */
enum { CHAIN = 128 };

/* One product of the block with `count` channels of a panel of weights, from (t0, ic) on. */
static void multiply_chain(const block *b, const float *u, int32_t product, int64_t t0, int64_t ic,
                           int64_t count)
{
    const fal__winograd_plan *plan = b->plan;
    const int64_t rows = plan->panel_rows;
    for (int64_t tile = 0; tile < b->count; tile += rows)
        plan->kernels->multiply((int32_t)fal__min(rows, b->count - tile), count,
                                tile_panel(b, tile / rows, t0) + ic * rows + product * plan->v_step,
                                rows * plan->kernels->lanes, u,
                                b->sums + product * plan->sums_step + tile * plan->width, t0 + ic > 0);
}

/* All products of the block with one panel of weights. */
static void multiply(const block *b, const float *weights)
{
    const fal__winograd_plan *plan = b->plan;
    const fal__problem *p = &plan->problem;
    for (int32_t product = 0; product < plan->a * plan->a; product++) {
        const float *u = weights + product * plan->u_step;
        for (int64_t t0 = 0; t0 < p->axis[0].k; t0++)
            for (int64_t ic = 0; ic < p->ic; ic += CHAIN) {
                const int64_t count = fal__min(CHAIN, p->ic - ic);
                multiply_chain(b, u, product, t0, ic, count);
                u += count * plan->width;
            }
    }
}

static void store_outputs(const block *b, int64_t panel)
{
    const fal__winograd_plan *plan = b->plan;
    const fal__problem *p = &plan->problem;
    const int64_t oc = panel * plan->width, end = fal__min(p->oc, oc + plan->width);
    const float *bias = b->run->bias;
    for (int64_t c = oc; c < end && p->has_bias; c++) b->bias[c - oc] = bias[b->group * p->b_g + c * p->b_oc];
    for (int64_t tile = 0; tile < b->count;) {
        const fal__strip strip = fal__strip_at(plan, b->first + tile, b->first + b->count);
        for (int64_t c = oc; c < end; c += plan->kernels->lanes) {
            plan->kernels->output[plan->size](b->sums + tile * plan->width + c - oc, plan->width,
                                              plan->sums_step, strip.count, b->bias + (c - oc), b->patch,
                                              fal__patch_row(plan));
            fal__patch_scatter(plan, &strip, b->patch, b->group, c, b->run->y);
        }
        tile += strip.count;
    }
}

void fal__winograd_run_units(const fal__winograd_plan *plan, const fal__run *run, const float *weights,
                             char *scratch, int64_t unit, int64_t end)
{
    const fal__winograd_scratch *s = &plan->scratch;
    block b = {.plan = plan,
               .run = run,
               .transformed = (float *)(void *)(scratch + s->transformed),
               .sums = (float *)(void *)(scratch + s->sums),
               .patch = (float *)(void *)(scratch + s->patch),
               .bias = (float *)(void *)(scratch + s->bias)};
    for (int64_t c = 0; c < plan->width; c++) b.bias[c] = 0;
    for (; unit < end; unit++) {
        const int64_t split = unit / plan->blocks % plan->splits;
        b.group = unit / plan->blocks / plan->splits;
        b.first = unit % plan->blocks * plan->block_tiles;
        b.count = fal__min(plan->block_tiles, plan->tiles - b.first);
        transform_inputs(&b);
        const int64_t last = fal__min(plan->panels, (split + 1) * plan->split_panels);
        for (int64_t panel = split * plan->split_panels; panel < last; panel++) {
            multiply(&b, weights + (b.group * plan->panels + panel) * fal__winograd_panel(plan));
            store_outputs(&b, panel);
        }
    }
}
