/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * columns.h: the column tensor of im2col, seen by meaning.
 *
 * A column tensor holds x~[n, c, o*s + t*d - begin] for every window o and tap t. Its three axes are
 * flattened pairs, in another order per layout; unfold and fold look at it through one stride per
 * letter instead, and so are the same code for both layouts and for every permuted view:
 *
 *     nchw (n, c*K + t, o)   strides n r p   ->   c: K*r   t: r, k2*r, ...    o: p, o2*p, ...
 *     nhwc (n, o, t*C + c)   strides n p r   ->   c: r     t: C*r, C*k2*r...  o: p, o2*p, ...
 */
#ifndef FAL_LOWERING_COLUMNS_H
#define FAL_LOWERING_COLUMNS_H

#include "geometry/geometry.h"

typedef struct fal__columns {
    fal_conv_geometry g;  /* of the windows: as a convolution with one output channel */
    fal__data_strides xs; /* of x */
    int64_t n, c, tap[FAL_MAX_SPATIAL], output[FAL_MAX_SPATIAL]; /* of cols */
} fal__columns;

/* Checks x and the window parameters (kernel, stride, dilation, padding, layout, spatial; groups are
 * not looked at) and resolves the geometry. */
fal_status fal__columns_describe(const fal_tensor *x, const fal_conv_params *params, fal_conv_geometry *g,
                                 fal_error *error);
/* The shape of the column tensor (3 entries must exist); its rank is returned, -1 on overflow. */
int32_t fal__columns_shape(const fal_conv_geometry *g, int64_t shape[3]);
/* Checks both tensors and their memory; the one named `written` is an output. */
fal_status fal__columns_check(const fal_tensor *x, const fal_tensor *cols, const fal_conv_params *params,
                              const fal_tensor *written, fal__columns *out, fal_error *error);

#endif
