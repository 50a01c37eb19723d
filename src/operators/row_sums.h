/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * row_sums.h: rows of any element type added up exactly once rounded.
 *
 * A sum is a double for floating types and 128 bits for integers; storing rounds it once, or says that
 * an integer does not fit. Used by the gradients of pooling, padding and up-sampling, whose cells
 * collect from several places.
 */
#ifndef FAL_OPERATORS_ROW_SUMS_H
#define FAL_OPERATORS_ROW_SUMS_H

#include "faltung.h"

typedef struct fal__row_sums {
    size_t bytes; /* of one sum; all bytes 0 is the sum 0 */
    /* sums[j*to] += x[j*step] for 0 <= j < count */
    void (*add)(void *sums, int64_t to, const void *x, int64_t step, int64_t count);
    /* sums[j] += weight * x[j*step]; NULL for integers */
    void (*add_scaled)(void *sums, const void *x, int64_t step, int64_t count, double weight);
    /* y[j*step] = sums[j*from]. False when an integer did not fit (the nearest that does is stored). */
    bool (*store)(const void *sums, int64_t from, void *y, int64_t step, int64_t count);
} fal__row_sums;

/* For a known element type. */
const fal__row_sums *fal__row_sums_for(fal_dtype dtype);

#endif
