/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * implicit_gemm_run.c: the loop nest of the implicit matrix product.
 *
 *     for each block of pixel tiles of one group and channel split     (a task's share, in order)
 *       for each block of reduction steps                              pixel panels: L2
 *         pack the pixel tiles                                         im2col of one block, in scratch
 *         for each channel tile                                        its slice: L1
 *           for each pixel tile
 *             tile kernel                                              sums: registers
 *             on the last block: store the sums to y
 *
 * Each output is one sum in ascending k, whatever the blocking and the number of tasks.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/implicit_gemm.h"

/* A block of pixel tiles on its way through the loops. */
typedef struct block {
    int64_t group, split, first, count; /* pixel tiles first..first+count-1 */
    fal__pixel_run *runs;
    int32_t *run_counts;
} block;

static size_t tile_elements(const fal__gemm *gemm)
{
    return (size_t)gemm->tile.mr * (size_t)gemm->tile.nr;
}

const void *fal__gemm_slice(fal__gemm_task *task, int64_t group, int64_t index, int64_t tile)
{
    const fal__gemm *gemm = task->gemm;
    if (task->slices != NULL)
        return task->slices +
               (size_t)fal__channels_slice(&gemm->channels, group, index, tile) * gemm->compute->panel_bytes;
    char *panel = task->scratch + gemm->scratch.channel_panel;
    task->weights_finite &= fal__channels_pack(&gemm->problem, &gemm->channels, gemm->compute, task->run->w,
                                               group, index, tile, panel);
    return panel;
}

const void *fal__gemm_bias(const fal__gemm_task *task, int64_t group, int64_t channel_tile)
{
    const fal__gemm *gemm = task->gemm;
    const fal__problem *p = &gemm->problem;
    const fal__compute *compute = gemm->compute;
    if (!p->has_bias) return NULL;
    const int64_t oc = channel_tile * gemm->channels.width;
    const int32_t valid = (int32_t)fal__min(gemm->channels.width, p->oc - oc);
    char *tile = task->scratch + gemm->scratch.bias;
    memset(tile, 0, tile_elements(gemm) * compute->sum_bytes);
    /* As a panel: a row per channel, or every row the channels. */
    const fal__segment segment = {.from = group * p->b_g + oc * p->b_oc,
                                  .step = gemm->pixels_in_lanes ? 0 : p->b_oc,
                                  .to = 0,
                                  .length = gemm->pixels_in_lanes ? gemm->tile.nr : valid};
    const int64_t rows = gemm->pixels_in_lanes ? valid : gemm->tile.mr;
    const int64_t row_step = gemm->pixels_in_lanes ? p->b_oc : 0;
    if (compute->panel_bytes == compute->sum_bytes) {
        compute->pack[p->dtype](task->run->bias, &segment, 1, rows, row_step, gemm->tile.nr, tile);
        return tile;
    }
    /* Wider sums: the tile is small, and 1 * bias in the type of the sums is the bias. */
    const int64_t one = 1;
    int64_t panel[FAL__WIDE_TILE_MAX] = {0};
    compute->pack[p->dtype](task->run->bias, &segment, 1, rows, row_step, gemm->tile.nr, panel);
    for (size_t i = 0; i < tile_elements(gemm); i++)
        compute->multiply_add(&one, &panel[i], tile + i * compute->sum_bytes);
    return tile;
}

void fal__gemm_store(fal__gemm_task *task, const fal__pixel_run *run, int64_t group, int64_t channel_tile,
                     const void *sums)
{
    const fal__gemm *gemm = task->gemm;
    const fal__problem *p = &gemm->problem;
    const int64_t oc = channel_tile * gemm->channels.width;
    const int64_t valid = fal__min(gemm->channels.width, p->oc - oc);
    fal__block b = {.tile_outer = gemm->tile.nr,
                    .tile_inner = 1,
                    .beta = p->beta,
                    .activation = fal__activation_or_null(p)};
    if (gemm->pixels_in_lanes) {
        b.outer = valid, b.memory_outer = p->y_oc;
        b.inner = run->length, b.memory_inner = run->y_step;
    } else {
        b.outer = run->length, b.memory_outer = run->y_step;
        b.inner = valid, b.memory_inner = p->y_oc;
    }
    const int64_t at = p->y_base + group * p->y_g + oc * p->y_oc + run->y;
    char *y = (char *)task->run->y + at * (int64_t)fal_dtype_bytes(p->y_dtype);
    task->fits &= gemm->compute->store[p->y_dtype](sums, &b, y);
}

/* The runs of pixel tile t of the block. */
static fal__pixel_run *runs_of(const fal__gemm *gemm, const block *b, int64_t t)
{
    return b->runs + t * gemm->pixels.width;
}

static void pack_pixels(fal__gemm_task *task, const block *b, int64_t k0, int64_t steps)
{
    const fal__gemm *gemm = task->gemm;
    const size_t panel_bytes = (size_t)steps * (size_t)gemm->pixels.width * gemm->compute->panel_bytes;
    for (int64_t t = 0; t < b->count; t++) {
        const fal__pixel_tile tile = {.problem = &gemm->problem,
                                      .pixels = &gemm->pixels,
                                      .reduction = &gemm->channels.reduction,
                                      .runs = runs_of(gemm, b, t),
                                      .run_count = b->run_counts[t],
                                      .segments =
                                          (fal__segment *)(void *)(task->scratch + gemm->scratch.segments),
                                      .x = task->run->x,
                                      .group = b->group};
        char *panel = task->scratch + gemm->scratch.pixel_panels + (size_t)t * panel_bytes;
        fal__pixels_pack(&tile, gemm->compute, k0, k0 + steps, panel);
    }
}

static char *sums_of(const fal__gemm_task *task, const block *b, int64_t channel_tile, int64_t t)
{
    const fal__gemm *gemm = task->gemm;
    char *sums = task->scratch + gemm->scratch.sums;
    if (gemm->channels.blocks == 1) return sums; /* stored before the next tile begins */
    const int64_t row = channel_tile - b->split * gemm->split_tiles;
    return sums + (size_t)(row * gemm->block_tiles + t) * tile_elements(gemm) * gemm->compute->sum_bytes;
}

/* The finished sums of one pixel tile and one channel tile to y. */
static void finish_tile(fal__gemm_task *task, const block *b, int64_t channel_tile, int64_t t)
{
    const fal__gemm *gemm = task->gemm;
    const fal__pixel_run *runs = runs_of(gemm, b, t);
    const char *sums = sums_of(task, b, channel_tile, t);
    /* A panel holds 0 where padding is, and 0 times infinity is NaN: such sums are formed again. */
    const bool trusted = task->weights_finite || gemm->problem.mode != FAL_PAD_ZEROS;
    for (int32_t r = 0; r < b->run_counts[t]; r++) {
        const int64_t column = (int64_t)runs[r].to * (gemm->pixels_in_lanes ? 1 : gemm->tile.nr);
        const char *first = sums + (size_t)column * gemm->compute->sum_bytes;
        if (trusted)
            fal__gemm_store(task, &runs[r], b->group, channel_tile, first);
        else
            fal__gemm_store_repaired(task, &runs[r], b->group, channel_tile, first);
    }
}

/* One slice of weights against all pixel tiles of the block. */
static void multiply(fal__gemm_task *task, const block *b, int64_t index, int64_t channel_tile, int64_t steps)
{
    const fal__gemm *gemm = task->gemm;
    const bool many = gemm->channels.blocks > 1, first = index == 0,
               last = index == gemm->channels.blocks - 1;
    const size_t tile_bytes = tile_elements(gemm) * gemm->compute->sum_bytes;
    const size_t panel_bytes = (size_t)steps * (size_t)gemm->pixels.width * gemm->compute->panel_bytes;
    const void *slice = fal__gemm_slice(task, b->group, index, channel_tile);
    const void *bias = first ? fal__gemm_bias(task, b->group, channel_tile) : NULL;
    for (int64_t t = 0; t < b->count; t++) {
        char *sums = sums_of(task, b, channel_tile, t);
        const void *pixels = task->scratch + gemm->scratch.pixel_panels + (size_t)t * panel_bytes;
        if (bias != NULL) memcpy(sums, bias, tile_bytes);
        if (gemm->pixels_in_lanes)
            gemm->tile.run(steps, slice, pixels, sums, !first || bias != NULL);
        else
            gemm->tile.run(steps, pixels, slice, sums, !first || bias != NULL);
        if (!many) finish_tile(task, b, channel_tile, t);
    }
    if (!many || !last) return;
    for (int64_t t = 0; t < b->count; t++) finish_tile(task, b, channel_tile, t);
}

static void run_block(fal__gemm_task *task, const block *b)
{
    const fal__gemm *gemm = task->gemm;
    const int64_t first_channel = b->split * gemm->split_tiles;
    const int64_t end_channel = fal__min(first_channel + gemm->split_tiles, gemm->channels.tiles);
    for (int64_t t = 0; t < b->count; t++)
        b->run_counts[t] = fal__pixels_runs(&gemm->problem, &gemm->pixels,
                                            (b->first + t) * gemm->pixels.width, runs_of(gemm, b, t));
    for (int64_t index = 0; index < gemm->channels.blocks; index++) {
        const int64_t steps = fal__channels_steps(&gemm->channels, index);
        pack_pixels(task, b, index * gemm->channels.kc, steps);
        for (int64_t c = first_channel; c < end_channel; c++) multiply(task, b, index, c, steps);
    }
}

void fal__gemm_run_units(fal__gemm_task *task, int64_t unit, int64_t end)
{
    const fal__gemm *gemm = task->gemm;
    block b = {.runs = (fal__pixel_run *)(void *)(task->scratch + gemm->scratch.runs),
               .run_counts = (int32_t *)(void *)(task->scratch + gemm->scratch.run_counts)};
    while (unit < end) {
        b.first = unit % gemm->pixel_tiles;
        b.split = unit / gemm->pixel_tiles % gemm->splits;
        b.group = unit / gemm->pixel_tiles / gemm->splits;
        b.count = fal__min(fal__min(gemm->block_tiles, gemm->pixel_tiles - b.first), end - unit);
        run_block(task, &b);
        unit += b.count;
    }
}
