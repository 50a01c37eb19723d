/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * windows.h: windows without weights: the greatest cell of each, or the mean.
 *
 * A run is a rectangle of results whose windows have the same shape. In a place, `lanes` results lie side
 * by side in y, and their cells `step` apart in x; places follow each other in both:
 *
 *     window(p, j)   x + p*x_place + j*step, and from there taps[a] cells tap_step[a] apart on each axis
 *     y              y + p*y_place + j
 *
 * Planes with neighbouring pixels in the lanes have step = stride of the window; pixels with neighbouring
 * channels have step 1 and one place for each pixel. Every window has a cell: what falls on padding has
 * been cut off. Nothing but the cells of windows is read. All steps count elements.
 *
 * Used by operators/pool_rows.c and operators/pool_tiles.c.
 */
#ifndef FAL_KERNELS_WINDOWS_H
#define FAL_KERNELS_WINDOWS_H

#include <stdint.h>

typedef struct fal__window_run {
    int64_t taps[3], tap_step[3]; /* the last axis fastest; counts above 0 */
    int64_t lanes, step;          /* step > 0 */
    int64_t places, x_place, y_place;
    const void *x;
    void *y;
} fal__window_run;

/* Where the greatest cells are told: window (p, j) begins at first + p*place + j*lane, and a tap adds
 * tap[a] for each step on an axis; it goes to to[p*to_place + j*to_lane]. */
typedef struct fal__window_indices {
    int64_t first, place, lane, tap[3];
    int64_t *to;
    int64_t to_place, to_lane;
} fal__window_indices;

/* For one floating type. */
typedef struct fal__window_kernels {
    /* Of equal cells the first, in the order of the taps; a NaN wins, of several the last. */
    void (*max)(const fal__window_run *run);
    /* The same with its index. What taps add to an index must fit 31 bits. */
    void (*max_index)(const fal__window_run *run, const fal__window_indices *indices);
    /* The sum in double, each row (the last axis) in the order of its taps and then the rows in theirs,
     * divided by `divisor` and rounded once. */
    void (*mean)(const fal__window_run *run, double divisor);
    /* The same in two steps: sums of rows, where y is double and the other axes have one tap; and their
     * mean, where x is double and the last axis has one tap and step 1. */
    void (*row_sums)(const fal__window_run *run);
    void (*mean_of_sums)(const fal__window_run *run, double divisor);
} fal__window_kernels;

#endif
