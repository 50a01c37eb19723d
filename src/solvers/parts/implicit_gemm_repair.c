/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * implicit_gemm_repair.c: border outputs when a weight is NaN or infinite.
 *
 * A packed panel holds 0 where a tap falls on padding, and 0 times infinity is NaN, although that
 * tap does not exist. Weights are finite in all but broken models, so the fast loops do not look;
 * when the packing saw such a weight, the pixels that touch padding are summed again here, product by
 * product and in the same order.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/implicit_gemm.h"

static bool touches_padding(const fal__problem *p, const fal__pixel_run *pixel)
{
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t begin = pixel->o[a] * axis->s - axis->begin, end = begin + (axis->k - 1) * axis->d;
        if (fal__min(begin, end) < 0 || fal__max(begin, end) >= axis->in) return true;
    }
    return false;
}

/* sums += the products of one slice, for one pixel and all channels of the slice. */
static void add_slice(fal__gemm_task *task, const fal__pixel_run *pixel, int64_t group, int64_t block,
                      int64_t tile, char *sums, size_t sum_step)
{
    const fal__gemm *gemm = task->gemm;
    const fal__problem *p = &gemm->problem;
    const fal__compute *compute = gemm->compute;
    const int32_t width = gemm->channels.width;
    const char *slice = fal__gemm_slice(task, group, block, tile);
    const int64_t k0 = block * gemm->channels.kc, steps = fal__channels_steps(&gemm->channels, block);
    for (int64_t k = k0; k < k0 + steps; k++, slice += (size_t)width * compute->panel_bytes) {
        int64_t t[FAL_MAX_SPATIAL];
        fal__segment from = {.step = 1, .length = 1};
        const fal__reduction_place place = fal__reduction_at(&gemm->channels.reduction, k);
        fal__tap_place(p, place.tap, t);
        if (!fal__pixel_source(p, group, pixel->n, pixel->o, t, &from.from)) continue;
        from.from += place.ic * p->x_ic;
        int64_t value = 0; /* room for one panel element of any type */
        compute->pack[p->dtype](task->run->x, &from, 1, 1, 0, 1, &value);
        for (int32_t c = 0; c < width; c++)
            compute->multiply_add(slice + (size_t)c * compute->panel_bytes, &value,
                                  sums + (size_t)c * sum_step);
    }
}

/* Sums one pixel and channel tile again and stores it. */
static void store_again(fal__gemm_task *task, const fal__pixel_run *pixel, int64_t group,
                        int64_t channel_tile)
{
    const fal__gemm *gemm = task->gemm;
    const size_t sum_bytes = gemm->compute->sum_bytes;
    /* The layout fal__gemm_store expects: channels nr apart, or side by side. */
    const size_t sum_step = sum_bytes * (gemm->pixels_in_lanes ? (size_t)gemm->tile.nr : 1);
    const size_t tile_bytes = (size_t)gemm->tile.mr * (size_t)gemm->tile.nr * sum_bytes;
    char *sums = task->scratch + gemm->scratch.repair;
    const void *bias = fal__gemm_bias(task, group, channel_tile);
    if (bias != NULL)
        memcpy(sums, bias, tile_bytes);
    else
        memset(sums, 0, tile_bytes);
    for (int64_t b = 0; b < gemm->channels.blocks; b++)
        add_slice(task, pixel, group, b, channel_tile, sums, sum_step);
    fal__gemm_store(task, pixel, group, channel_tile, sums);
}

void fal__gemm_store_repaired(fal__gemm_task *task, const fal__pixel_run *run, int64_t group,
                              int64_t channel_tile, const void *sums)
{
    const fal__gemm *gemm = task->gemm;
    const size_t step = gemm->compute->sum_bytes * (gemm->pixels_in_lanes ? 1 : (size_t)gemm->tile.nr);
    for (int32_t j = 0; j < run->length; j++) {
        fal__pixel_run pixel = *run;
        pixel.to = 0, pixel.length = 1;
        pixel.y += j * run->y_step;
        if (gemm->pixels.n_fastest)
            pixel.n += j;
        else
            pixel.o[FAL_MAX_SPATIAL - 1] += j;
        if (touches_padding(&gemm->problem, &pixel))
            store_again(task, &pixel, group, channel_tile);
        else
            fal__gemm_store(task, &pixel, group, channel_tile, (const char *)sums + (size_t)j * step);
    }
}
