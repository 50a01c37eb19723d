/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outer_products.h: a small matrix as a long sum of outer products of two vectors.
 *
 *     sums[i][j] += sum over k < steps of a[a_offsets[k] + i*a_step] * b[b_offsets[k] + j]
 *
 * for i < rows and j < width, k ascending. a is read where it lies in the tensor; b too where its elements
 * are neighbours, else it is packed: one panel of `lanes` columns for each vector of the width, b_vector
 * elements apart (neighbours: b_vector = lanes). Rows that are no whole tile are cut into smaller ones, so
 * any number is served.
 *
 *                     b     [ width ]                   the accumulators stay in registers for all steps:
 *     step k     a [i]  x   sums[i][.]                  rows + width/lanes loads for rows*width/lanes
 *                                                       multiply-adds
 *
 * Used through fal__compute.outer by solvers/outer_products.c. Offsets and steps count elements.
 */
#ifndef FAL_KERNELS_OUTER_PRODUCTS_H
#define FAL_KERNELS_OUTER_PRODUCTS_H

#include <stdint.h>

typedef struct fal__outer {
    int64_t steps, rows, a_step, b_vector;
    const void *a, *b;
    const int64_t *a_offsets, *b_offsets;
    void *sums; /* rows x width */
} fal__outer;

typedef struct fal__outer_kernel {
    int32_t rows, width; /* of the largest tile */
    void (*run)(const fal__outer *outer);
} fal__outer_kernel;

#endif
