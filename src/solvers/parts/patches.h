/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * patches.h: pieces of planes turned into lanes and back.
 *
 * A kernel whose lanes are channels wants them side by side. Where they are planes, a piece of as many planes
 * as a vector has lanes becomes a patch of L1 size, and its results go back:
 *
 *     x: 16 planes  --gather-->  patch [plane][row][column][16]  ...  patch [row][column][16]  --scatter--> y
 *
 * Users: depthwise, grouped_channels.
 */
#ifndef FAL_SOLVERS_PARTS_PATCHES_H
#define FAL_SOLVERS_PARTS_PATCHES_H

#include "solvers/parts/depthwise.h"
#include "solvers/solver.h"

/* The positions and outputs of a piece, and the channels of its patches: elements from one to the next. */
typedef struct fal__lane_patch {
    const fal__problem *problem;
    const fal__compute *compute;
    const fal__depthwise_span *at; /* of each axis; of the first, one output */
    int64_t x_channel, y_channel;
    int32_t x_channels, y_channels;
} fal__lane_patch;

/* Element steps of a patch of x: axis by axis. */
void fal__lane_patch_steps(const fal__lane_patch *patch, int64_t steps[FAL_MAX_SPATIAL]);

/* x: the first channel at position 0 of each axis; lanes beyond the channels become 0. */
void fal__lane_patch_gather(const fal__lane_patch *patch, const char *x, void *to);

/* y: the first channel at the first output. Applies beta, and the activation where there is a beta: without,
 * the results in the patch are finished. */
void fal__lane_patch_scatter(const fal__lane_patch *patch, const void *from, char *y);

#endif
