/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise.h: every channel with a kernel of its own, channels in the lanes of a vector.
 *
 * A block is as many channels as a vector has lanes, side by side in x, in y and in the packed weights:
 *
 *     weights   [block][plane tap][row tap][column tap][lane]
 *
 * run() computes a rectangle of outputs, block by block. Taps on positions outside the input have no
 * product. Channels that are not neighbours in memory, or too few for a vector, take a detour through
 * patches, [position][lane], which gather() and scatter() move.
 *
 * Used through fal__compute.depthwise by solvers/depthwise.c. All steps count elements.
 */
#ifndef FAL_KERNELS_DEPTHWISE_H
#define FAL_KERNELS_DEPTHWISE_H

#include "faltung.h"

struct fal__activation;

/* One axis: tap t of output o reads position first + o*stride + t*dilation, where it is in 0..in-1. */
typedef struct fal__depthwise_axis {
    int64_t out, taps, stride, dilation, first, in;
    int64_t x, y; /* from position to position, from output to output */
} fal__depthwise_axis;

typedef struct fal__depthwise_block {
    fal__depthwise_axis plane, row, column; /* plane: one output; column: dilation 1, stride > 0 */
    int64_t blocks;                         /* this many, one vector apart in x, y and bias */
    const void *x;                          /* position (0, 0, 0) of the first block */
    const void *w;
    const void *bias; /* or NULL */
    double beta;
    const struct fal__activation *activation; /* or NULL */
    void *y;
} fal__depthwise_block;

/* Planes, pixels in the lanes: kernels of k x k taps, stride 1 or 2 on both axes. Positions fit 30 bits. */
typedef struct fal__depthwise_planes {
    fal__depthwise_axis row;    /* dilation 1, steps of either sign */
    fal__depthwise_axis column; /* x = y = 1; dilation of either sign for stride 1, else 1 */
    int64_t planes, x_plane, y_plane, w_plane, bias_plane; /* how many, and the steps between them */
    const void *x;                                         /* position (0, 0) of the first */
    const void *w;
    int64_t w_row, w_column; /* steps between taps */
    const void *bias;        /* or NULL */
    double beta;
    const struct fal__activation *activation; /* or NULL */
    void *y;
} fal__depthwise_planes;

/* The sums of fal__depthwise.run for planes where they lie. True when there is such a kernel: a level without
 * masks has none. With planes NULL nothing is computed. */
typedef bool (*fal__planes_fn)(const fal__depthwise_planes *planes, int64_t taps, int64_t stride);

typedef struct fal__depthwise {
    /* y = activation(beta*y + bias + sum of the products, taps ascending, the last axis fastest). */
    void (*run)(const fal__depthwise_block *block);
    /* patch[i*lanes + c] = x[i*step + c*channel_step] for i < count, c < channels; 0 for other lanes. */
    void (*gather)(const void *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   void *patch);
    /* y[i*step + c*channel_step] = activation(beta*y + patch[i*lanes + c]); y is not read when beta is 0. */
    void (*scatter)(const void *patch, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                    double beta, const struct fal__activation *activation, void *y);
    const fal__planes_fn *run_planes; /* or NULL */
} fal__depthwise;

#endif
