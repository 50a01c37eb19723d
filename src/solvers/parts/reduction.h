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
 * fixed by the weights' shape, strides and type, never by threads or cache sizes found at run time, and
 * every direct solver follows it, beginning with the bias: their bits agree.
 */
#ifndef FAL_SOLVERS_PARTS_REDUCTION_H
#define FAL_SOLVERS_PARTS_REDUCTION_H

#include "solvers/solver.h"

typedef struct fal__reduction {
    int64_t steps; /* ic * taps */
    int64_t taps, ic, chunk;
} fal__reduction;

/* Steps of a block of k at most, for panels of one type: 512 floats, so that a slice of 14 columns
 * fits L1. */
static inline int64_t fal__reduction_block(const fal__compute *compute)
{
    return 2048 / (int64_t)compute->panel_bytes;
}

void fal__reduction_plan(const fal__problem *problem, const fal__compute *compute, fal__reduction *reduction);

/* Where step k stands, and how many steps from it on keep the tap and take the next channel. */
typedef struct fal__reduction_place {
    int64_t tap, ic, length;
} fal__reduction_place;
fal__reduction_place fal__reduction_at(const fal__reduction *reduction, int64_t k);

/* Element offset in w of step k, for output channel 0 of group 0, the problem's base included. */
int64_t fal__weight_offset(const fal__problem *problem, const fal__reduction *reduction, int64_t k);

/* Tap number -> its place on the three axes. */
void fal__tap_place(const fal__problem *problem, int64_t tap, int64_t t[FAL_MAX_SPATIAL]);

#endif
