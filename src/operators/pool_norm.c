/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_norm.c: the norms of windows, (sum |x|^p)^(1/p).
 *
 * The plain sum is right unless powers leave the range of a double. Then the window is walked again
 * with its cells divided by the largest of them, m:
 *
 *     (sum |x|^p)^(1/p) = m * (sum (|x|/m)^p)^(1/p)
 *
 * whose terms are at most 1 and include a 1. Sums outside 2^-1000 .. 2^1000, 0 included, get this
 * care; data that are not extreme never do, except for windows of zeros, where it is one more walk.
 */
#include <math.h>

#include "operators/pool_kernels.h"

static double careful_norm(const fal__walk *walk, fal__spot at, const fal__pool_kernels *kernels, double norm)
{
    fal__lanes lane;
    at.count = 1;
    kernels->start_sum(&lane);
    fal__walk_windows(walk, &at, kernels->largest, &lane);
    const double largest = fabs(lane.sum.f64[0]);
    if (!(largest > 0) || isinf(largest)) return largest; /* NaN included */
    kernels->start_sum(&lane);
    lane.norm = norm;
    lane.scale = largest;
    fal__walk_windows(walk, &at, kernels->norm, &lane);
    return largest * pow(lane.sum.f64[0], 1 / norm);
}

void fal__pool_norms(const fal__walk *walk, const fal__spot *at, const fal__pool_kernels *kernels,
                     fal__lanes *lanes)
{
    const double norm = walk->pool->norm;
    lanes->norm = norm;
    lanes->scale = 1;
    kernels->start_sum(lanes);
    const fal__fold_fn fold = isinf(norm) ? kernels->largest
                              : norm == 1 ? kernels->norm_1
                              : norm == 2 ? kernels->norm_2
                                          : kernels->norm;
    fal__walk_windows(walk, at, fold, lanes);
    if (isinf(norm)) return;
    for (int32_t j = 0; j < at->count; j++) {
        const double sum = lanes->sum.f64[j];
        if (sum > 0x1p-1000 && sum < 0x1p1000) {
            lanes->sum.f64[j] = norm == 1 ? sum : norm == 2 ? sqrt(sum) : pow(sum, 1 / norm);
            continue;
        }
        fal__spot lane = *at;
        *(walk->along_channels ? &lane.c : &lane.o[2]) += j;
        lanes->sum.f64[j] = careful_norm(walk, lane, kernels, norm);
    }
}
