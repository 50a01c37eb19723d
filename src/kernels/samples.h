/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * samples.h: channels of a point between pixels, from the one to four pixels around it.
 *
 * The channels of a pixel lie side by side, so that they are in the lanes, whatever the point; cells[k]
 * is the first wanted channel of the k-th of 1 <= used <= 4 pixels. No other pixel is read: a NaN beside
 * a sample that needs it not stays there.
 *
 * Used by operators/deform_rows.c.
 */
#ifndef FAL_KERNELS_SAMPLES_H
#define FAL_KERNELS_SAMPLES_H

#include <stdint.h>

typedef struct fal__sample_kernels {
    /* to[c] = mask * sum over k of factor[k]*cells[k][c], 0 <= c < count */
    void (*gather)(const void *const *cells, const double *factor, int used, double mask, int64_t count,
                   void *to);
    /* cells[k][c] += factor[k]*from[c]; cells of different k do not overlap */
    void (*scatter)(void *const *cells, const double *factor, int used, int64_t count, const void *from);
    /* sums[k] = sum over c of from[c]*cells[k][c] */
    void (*dots)(const void *const *cells, int used, int64_t count, const void *from, double *sums);
} fal__sample_kernels;

#endif
