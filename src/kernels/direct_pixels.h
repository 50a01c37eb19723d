/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels.h: the inner loops of direct convolution with neighbouring pixels in the lanes.
 *
 * A tile is `rows` output channels x `vectors` vectors of pixels, all in registers. A step is one
 * product per output: a weight of each row, which stand side by side, meets a stretch of x:
 *
 *     w    [step][row]                                          packed
 *     x    a plane, or a copy of one, at any element address     x[at + lane]
 *     sums [row][vector][lane]
 *
 * Steps come in runs: one tap, neighbouring input channels. The sum of an output is a chain of fused
 * multiply-adds in the order of the steps.
 *
 * Used through fal__compute.pixels by solvers/parts/direct_pixels_run.c. All steps count elements.
 */
#ifndef FAL_KERNELS_DIRECT_PIXELS_H
#define FAL_KERNELS_DIRECT_PIXELS_H

#include "faltung.h"

struct fal__activation;

enum { FAL__PIXELS_ROWS_MAX = 14, FAL__PIXELS_VECTORS_MAX = 8 };

/* `steps` steps, one at least; the first reads x[at + lane] and w[first*rows + row]. */
typedef struct fal__lane_run {
    int64_t at, first, steps;
} fal__lane_run;

/* sums = (go_on ? sums : bias or 0) + sum over all runs; then, if y is given,
 *     y[row*y_row + p] = sums[row][p] for p in 0..count-1,     (vectors-1)*lanes < count <= vectors*lanes
 * otherwise they are left in `sums`. Whole vectors of x are read. */
typedef struct fal__lane_tile {
    const fal__lane_run *runs;
    int64_t run_count;
    int64_t x_step;  /* between the steps of a run */
    int64_t w_ahead; /* w so much further on will be needed next; 0: it is at hand */
    int64_t ahead;   /* x so much further on will be needed soon; 0: it is at hand */
    const void *x, *w;
    const void *bias; /* of the rows, or NULL */
    void *sums;
    bool go_on;
    void *y; /* or NULL */
    int64_t y_row, count;
} fal__lane_tile;

/* Pixels lane .. lane+length-1 of a tile, on their way to y + at. */
typedef struct fal__lane_piece {
    int64_t lane, length, at;
} fal__lane_piece;

/* y[row*y_row + piece.at + j*y_step] = f(beta*y[..] + sums[row*width + piece.lane + j]) for every piece and
 * its j; y is not read when beta is 0. */
typedef struct fal__lane_store {
    const void *sums;
    int64_t width; /* of a row of sums */
    int32_t rows;
    const fal__lane_piece *pieces;
    int64_t count;
    void *y;
    int64_t y_row, y_step;
    double beta;
    const struct fal__activation *activation; /* f, or NULL */
} fal__lane_store;

/* For each of `channels` channels and of `rows` rows of it, to[..] = `before` fills, `count` elements
 * x[j*x_step], `after` fills; rows are x_row and to_row apart, channels x_channel and to_channel. Up to a
 * vector less one element behind the last of each row is overwritten. x is not read where count is 0. */
typedef struct fal__lane_copy {
    const void *x;
    int64_t x_channel, x_row, x_step;
    void *to;
    int64_t to_channel, to_row;
    int64_t channels, rows, before, count, after;
    double fill;
} fal__lane_copy;

typedef struct fal__lane_kernels {
    int32_t lanes;
    int32_t rows_max;                              /* of a tile */
    int32_t vectors_max[FAL__PIXELS_ROWS_MAX + 1]; /* of a tile with this many rows */
    void (*tile[FAL__PIXELS_ROWS_MAX + 1])(const fal__lane_tile *tile, int32_t vectors);
    void (*store)(const fal__lane_store *store);
    void (*copy)(const fal__lane_copy *copy);
    /* packed[i*rows + row] = w[row*w_row + i*w_step] for i < steps. */
    void (*pack)(const void *w, int64_t w_row, int64_t w_step, int64_t steps, int32_t rows, void *packed);
} fal__lane_kernels;

#endif
