/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped.h: groups of few channels, several in one vector or one in a few, channels last.
 *
 * A block is one vector of output channels: lanes / oc groups of oc channels each. Its inputs lie side by
 * side, ic of each group, and make at most one vector, the window. Input channel i of all groups is spread
 * over their lanes by one permutation:
 *
 *     ic = oc = 4    window   a0 a1 a2 a3 | b0 b1 b2 b3 | c0 ...
 *                    i = 1    a1 a1 a1 a1 | b1 b1 b1 b1 | c1 ...
 *
 * so that one multiply-add serves every group:    weights [block][plane tap][row tap][column tap][i][lane]
 *
 * Where a group has whole vectors of outputs, input channels are broadcast and the layout of the weights is
 * the same.
 *
 * Used through fal__compute.grouped by solvers/grouped_channels.c. All steps count elements.
 */
#ifndef FAL_KERNELS_GROUPED_H
#define FAL_KERNELS_GROUPED_H

#include "kernels/depthwise.h"

typedef struct fal__grouped_block {
    fal__depthwise_axis plane, row, column; /* as for fal__depthwise_block */
    int64_t ic, oc; /* of a group; oc divides the lanes, ic <= oc; or they divide oc */
    int64_t blocks; /* one vector apart in y and bias, groups of them ic apart in x */
    int32_t groups; /* of each block that exist: lanes/oc, or fewer of one block */
    const void *x;  /* position (0, 0, 0) of the first block */
    const void *w;
    const void *bias; /* or NULL */
    double beta;
    const struct fal__activation *activation; /* or NULL */
    void *y;
} fal__grouped_block;

/* y = activation(beta*y + bias + sum of the products: taps ascending, in a tap the channels). Reads and
 * writes the channels of `groups` groups only, and `lanes` biases. */
typedef void (*fal__grouped_fn)(const fal__grouped_block *block);

#endif
