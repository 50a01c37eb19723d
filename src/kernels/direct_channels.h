/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels.h: the inner loop of direct convolution with output channels in the lanes.
 *
 * A tile is `rows` pixels by `vectors` vectors of output channels, all in registers. Each reduction step
 * broadcasts one input element per pixel, from the tensor where it lies, and meets it with the vectors of
 * one row of the weights' panel:
 *
 *     sum[i][:] += x[run.x + c*ic_step + i*pixel_step] * w[(run.w + c)*width + (:)]     width = vectors *
 * lanes
 *
 * for every run in order and c = 0..run.steps-1. A run is a stretch of input channels under one tap (or of
 * taps that lie side by side), so that the windows of the pixels are never copied, and taps on padding are
 * left out by leaving out their runs. The sums begin with what stands at `from` (the bias, with from_step
 * 0, or the sums of earlier steps) and are left at `to`; of the last vector only `last` lanes are in memory
 * there.
 *
 * Reads x and w at the elements above only. Used through fal__compute.direct by solvers/direct_channels.c.
 */
#ifndef FAL_KERNELS_DIRECT_CHANNELS_H
#define FAL_KERNELS_DIRECT_CHANNELS_H

#include "faltung.h"

struct fal__activation;

typedef struct fal__direct_run {
    int64_t x, w, steps; /* element offset in x, number of the first row, rows */
} fal__direct_run;

typedef struct fal__direct_tile {
    const fal__direct_run *runs;
    int64_t run_count;
    const void *x, *w;
    int64_t row; /* number of the first row of w */
    int64_t pixel_step, ic_step;
    const void *from;
    void *to;
    int64_t from_step, to_step; /* between pixels */
    int32_t rows, last;         /* 1 <= rows <= fal__direct.rows[vectors]; 1 <= last <= lanes */
    const char *ahead;          /* memory to bring near for a later tile: each step asks for the line here, */
    int64_t ahead_step;         /* and goes on by so many bytes; no element of it is read */
} fal__direct_tile;

/* Finished sums on their way to memory:
 *     y[i*pixel_step + j*channel_step] = activation(beta*y[..] + sums[i*sums_step + j])
 * for i < pixels, j < channels; y is not read when beta is 0. sums may be y itself, with the same steps. */
typedef struct fal__direct_finish {
    const void *sums;
    void *y;
    int64_t pixels, channels, sums_step, pixel_step, channel_step;
    double beta;
    const struct fal__activation *activation; /* or NULL */
} fal__direct_finish;

enum { FAL__DIRECT_VECTORS = 6, FAL__DIRECT_ROWS = 14 };

typedef struct fal__direct {
    int32_t rows[FAL__DIRECT_VECTORS + 1]; /* the most pixels of a tile, by its vectors; [0] is not used */
    void (*tile[FAL__DIRECT_VECTORS + 1])(const fal__direct_tile *tile);
    void (*finish)(const fal__direct_finish *finish);
} fal__direct;

#endif
