/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable_terms.h: a kernel of two axes as a sum of few products of a column and a row.
 *
 *     w[i][j] = sum over r of u_r[i] * v_r[j]
 *
 * found by cross approximation: take the largest element that is left, subtract the product of its column and
 * its row, divided by itself, until nothing is left but rounding. What counts as rounding is relative to the
 * terms: |rest| <= 8 units of the type times sum |u_r||v_r|, which no direct sum of its products would be
 * surer of. A kernel of whole numbers (times a power of two) that has rank 1 is split in whole numbers, the
 * column without a common divisor; its sums are then exact as long as a direct sum's are.
 *
 * Kernels are looked at twice: while planning, where the caller gives weights, to choose; and in packing,
 * whose weights may be others. Those that have no such form are kept as one term for each of their rows. Used
 * by solvers/separable.c, and by operators/ to fill in fal__problem.kernel_rank.
 */
#ifndef FAL_SOLVERS_PARTS_SEPARABLE_TERMS_H
#define FAL_SOLVERS_PARTS_SEPARABLE_TERMS_H

#include "solvers/problem.h"

enum { FAL__RANK_MAX = 3, FAL__SEPARABLE_TAPS = 64 };

typedef struct fal__terms {
    int32_t rank;
    double u[FAL__RANK_MAX][FAL__SEPARABLE_TAPS], v[FAL__RANK_MAX][FAL__SEPARABLE_TAPS];
} fal__terms;

/* One kernel per group, on two axes of two taps and more, in f32 or f64. */
bool fal__separable_shape(const fal__problem *problem);
/* The kernel of group g; false when it has no short sum, or holds a NaN or an infinity. */
bool fal__terms_find(const fal__problem *problem, const void *w, int64_t g, fal__terms *terms);
/* True when all groups have the same kernel. */
bool fal__kernels_alike(const fal__problem *problem, const void *w);
/* The largest rank of the kernels of a problem, 0 when one has none below FAL__RANK_MAX or the shape does not
 * fit. */
int32_t fal__kernel_rank(const fal__problem *problem, const void *w);

#endif
