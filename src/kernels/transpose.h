/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * transpose.h: weights as a tensor holds them, each output channel's side by side, into a panel in which the
 * output channels stand side by side.
 *
 *     tensor   j=0:  c0t0 c0t1 .. c1t0 c1t1 ..         panel  t0 c0:  j0 j1 j2 ..
 *              j=1:  c0t0 c0t1 .. c1t0 c1t1 ..   -->          t0 c1:  j0 j1 j2 ..
 *              ..                                             ..
 *                                                             t1 c0:  j0 j1 j2 ..
 *
 * Square blocks turn over in registers, so that memory is read and written by whole vectors, once.
 * Used through fal__compute.transpose by solvers/parts/channels.c and solvers/direct_pixels.c.
 */
#ifndef FAL_KERNELS_TRANSPOSE_H
#define FAL_KERNELS_TRANSPOSE_H

#include <stdint.h>

/* to[(t*channels + c)*width + j] = from[j*step + c*taps + t] for j < length, c < channels, t < taps.
 * length <= width; the other elements of a row are left alone. Counts elements of the panel's type. */
typedef struct fal__transpose {
    const void *from;
    void *to;
    int64_t step, channels, taps;
    int32_t length, width;
} fal__transpose;
typedef void (*fal__transpose_fn)(const fal__transpose *transpose);

#endif
