/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable_strips.h: a depthwise and a pointwise convolution in turns, strip by strip, so that what lies
 * between them stays in the second-level cache. Used by separable.c.
 */
#ifndef FAL_OPERATORS_SEPARABLE_STRIPS_H
#define FAL_OPERATORS_SEPARABLE_STRIPS_H

#include "faltung.h"

/* Both halves, checked; `geometry` is the depthwise one's. */
typedef struct fal__separable_halves {
    const fal_separable_operands *operands;
    const fal_conv_params *depthwise, *pointwise;
    const fal_conv_geometry *geometry;
    const fal_tensor *middle; /* shape and type of the whole intermediate */
} fal__separable_halves;

/* Output rows of a strip, or 0 where strips do not pay or cannot be had. It depends on the problem alone. */
int64_t fal__separable_strip_rows(const fal__separable_halves *halves);

/* Computes y in strips of so many rows. Everything is planned and allocated before y is written. */
fal_status fal__separable_run_strips(const fal_context *context, const fal__separable_halves *halves,
                                     int64_t rows);

/* separable.c: "w" of a report becomes "depthwise.w". Returns status. */
fal_status fal__separable_within(fal_error *error, const char *half, fal_status status);

#endif
