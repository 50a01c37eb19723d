/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pixels.h: the pixels of a problem, cut into tiles and packed tap by tap.
 *
 * A pixel is one output position (n, od, oh, ow) of one group; a reduction step k is a tap and an
 * input channel (reduction.h). A packed tile is a panel of `width` pixels (kernels.h). This is im2col,
 * but for one tile and one block of k at a time, so that the columns of an image never exist.
 *
 * Pixels are numbered with ow fastest, or with n fastest when a row is short and the batch long
 * (weight gradients: there "n" are input channels and a "row" is a row of the kernel). A tile is a
 * list of runs, pixels that follow each other along the fastest axis:
 *
 *     tile of 8      ow: 5 6 | 0 1 2 3 4 5        two runs, of rows oh and oh+1
 *
 * Per tap each run becomes at most one interior segment (a strided copy) and, where it crosses a
 * border that the padding mode fills, single elements.
 */
#ifndef FAL_SOLVERS_PARTS_PIXELS_H
#define FAL_SOLVERS_PARTS_PIXELS_H

#include "solvers/parts/reduction.h"

typedef struct fal__pixel_run {
    int32_t to, length;            /* columns of the tile */
    int64_t n, o[FAL_MAX_SPATIAL]; /* of its first pixel */
    int64_t y, y_step;             /* element offset in y (without group and channel), step to the next */
} fal__pixel_run;

/* How a problem's pixels are numbered; fixed while planning. */
typedef struct fal__pixels {
    int64_t count; /* n * od * oh * ow */
    bool n_fastest;
    int32_t width; /* of a tile */
} fal__pixels;

/* The numbering that gives the longer runs. */
void fal__pixels_plan(const fal__problem *problem, int32_t width, fal__pixels *pixels);

/* Writes the runs of the tile that begins at pixel `first` (at most width), returns their number. */
int32_t fal__pixels_runs(const fal__problem *problem, const fal__pixels *pixels, int64_t first,
                         fal__pixel_run *runs);

/* One tile to pack. */
typedef struct fal__pixel_tile {
    const fal__problem *problem;
    const fal__pixels *pixels;
    const fal__reduction *reduction;
    const fal__pixel_run *runs;
    int32_t run_count;
    fal__segment *segments; /* scratch: width entries */
    const void *x;          /* the operand's data */
    int64_t group;
} fal__pixel_tile;

/* Packs reduction steps k0..k1-1 into panel. */
void fal__pixels_pack(const fal__pixel_tile *tile, const fal__compute *compute, int64_t k0, int64_t k1,
                      void *panel);

/* Element offset in x of pixel (n, o) at tap t for channel 0 of the group; false when the tap falls on
 * a border without a cell. */
bool fal__pixel_source(const fal__problem *problem, int64_t group, int64_t n, const int64_t *o,
                       const int64_t *t, int64_t *offset);

#endif
