/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channel_products.h: scalar products of two long columns, one for each lane.
 *
 *     sums[v*lanes + j] += sum over k < steps of
 *                          x[k*x_step + v*x_vector + j] * w[k*w_step + v*w_vector + j]
 *
 * for v < vectors and all lanes j, k ascending. Each sum is one chain of
 * multiply-adds, so several vectors go side by side to hide their latency. Two loads for each multiply-add
 * are the price of a depthwise weight gradient: nothing is shared.
 *
 * Used through fal__compute.channel_products by solvers/channel_products.c. Steps count elements.
 */
#ifndef FAL_KERNELS_CHANNEL_PRODUCTS_H
#define FAL_KERNELS_CHANNEL_PRODUCTS_H

#include <stdint.h>

typedef struct fal__channel_sums {
    int64_t steps, vectors, x_step, w_step, x_vector, w_vector;
    const void *x, *w;
    void *sums; /* vectors x lanes */
} fal__channel_sums;
typedef void (*fal__channel_sums_fn)(const fal__channel_sums *sums);

#endif
