/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channel_products.h: scalar products of two long columns, one for each lane.
 *
 *     sums[v*lanes + j] += sum over k < steps of x[x_offsets[k] + v*x_vector + j] * w[w_offsets[k] +
 * v*w_vector + j]
 *
 * for v < vectors (FAL__CHANNEL_VECTORS at most) and all lanes j, k ascending. Each sum is one chain of
 * multiply-adds, so several vectors go side by side to hide their latency. Two loads for each multiply-add
 * are the price of a depthwise weight gradient: nothing is shared.
 *
 * Used through fal__compute.channel_products by solvers/channel_products.c. Offsets count elements.
 */
#ifndef FAL_KERNELS_CHANNEL_PRODUCTS_H
#define FAL_KERNELS_CHANNEL_PRODUCTS_H

#include <stdint.h>

enum { FAL__CHANNEL_VECTORS = 8 };

typedef struct fal__channel_sums {
    int64_t steps, vectors, x_vector, w_vector;
    const void *x, *w;
    const int64_t *x_offsets, *w_offsets;
    void *sums; /* vectors x lanes */
} fal__channel_sums;
typedef void (*fal__channel_sums_fn)(const fal__channel_sums *sums);

#endif
