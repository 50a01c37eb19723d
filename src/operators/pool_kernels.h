/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_kernels.h: what pooling does with elements, for each element type.
 *
 *     start            folds                              finish
 *     max              max, or max_index                  y = best
 *     sum              sum                                y = sum / divisor
 *     sum              norm_1, norm_2, norm, largest      (pool_norm.c)
 *
 * Pooling with a mean, a norm or a maximum is a fold over the cells of a window; NaN wins a maximum,
 * the last of several, and of equal cells the first. A fold reads count cells of its run and no more.
 */
#ifndef FAL_OPERATORS_POOL_KERNELS_H
#define FAL_OPERATORS_POOL_KERNELS_H

#include "operators/pool_walk.h"

typedef struct fal__pool_kernels {
    void (*start_max)(fal__lanes *lanes); /* best = the least, index = -1 */
    fal__fold_fn max, max_index;
    void (*finish_max)(const fal__lanes *lanes, int32_t count, void *y, int64_t step);
    void (*start_sum)(fal__lanes *lanes); /* sum = 0, index = -1 */
    fal__fold_fn sum;
    /* False when an integer did not fit. */
    bool (*finish_average)(const fal__lanes *lanes, int32_t count, void *y, int64_t step);
    /* Floating types only, else NULL. sum += |x|, x*x, (|x|/scale)^norm; sum = the x of the greatest |x|
     * with its index; y = sum. */
    fal__fold_fn norm_1, norm_2, norm, largest;
    void (*finish_norm)(const fal__lanes *lanes, int32_t count, void *y, int64_t step);
    /* sums[index] += share * sign(x) * (|x|/sum)^(norm-1), the gradient of a norm `sum`; 0 where x is. */
    fal__fold_fn spread_norm;
} fal__pool_kernels;

/* For a known element type. */
const fal__pool_kernels *fal__pool_kernels_for(fal_dtype dtype);

/* sum = the norm of every window of the block; for an infinite norm sum = +-norm with its index. */
void fal__pool_norms(const fal__walk *walk, const fal__spot *at, const fal__pool_kernels *kernels,
                     fal__lanes *lanes);

#endif
