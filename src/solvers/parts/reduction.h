/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reduction.h: the order in which an output's products are added.
 *
 * A step k is a pair (tap, input channel). Packing walks weights and input in this order, so it
 * should follow the memory of the weights, the larger of the two strides outermost:
 *
 *     taps inside channels in memory (NCHW weights)    chunks of `chunk` channels; in a chunk, taps;
 *                                                      in a tap, the channels of the chunk
 *     channels inside taps (NHWC weights)              one chunk of all channels
 *
 * so that a block of k touches one compact stretch of each output channel's weights. The order is
 * fixed by shapes and strides, never by threads or cache sizes found at run time.
 */
#ifndef FAL_SOLVERS_PARTS_REDUCTION_H
#define FAL_SOLVERS_PARTS_REDUCTION_H

#include "solvers/solver.h"

typedef struct fal__reduction {
    int64_t steps; /* ic * taps */
    int64_t taps, ic, chunk;
} fal__reduction;

/* steps_max: how many steps a block of k will hold at most. */
void fal__reduction_plan(const fal__problem *problem, int64_t steps_max, fal__reduction *reduction);

/* Where step k stands, and how many steps from it on keep the tap and take the next channel. */
typedef struct fal__reduction_place {
    int64_t tap, ic, length;
} fal__reduction_place;
fal__reduction_place fal__reduction_at(const fal__reduction *reduction, int64_t k);

/* Tap number -> its place on the three axes. */
void fal__tap_place(const fal__problem *problem, int64_t tap, int64_t t[FAL_MAX_SPATIAL]);

#endif
