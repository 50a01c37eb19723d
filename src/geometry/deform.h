/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.h: the one check of a deformable convolution, and where its samples stand.
 *
 * The reference and the operator accept the same calls because both ask here. A deformable convolution is
 * the geometry of a 2-D convolution with zero padding and K = kh*kw taps, plus tensors that move every
 * sample:
 *
 *     y = oy*s - begin + a*d + offset[n, q*2*K + 2*t,     oy, ox]      tap t = a*kw + b,
 *     x = ox*s - begin + b*d + offset[n, q*2*K + 2*t + 1, oy, ox]      q the offset group of the channel
 *
 * Offset groups divide the input channels and know nothing of the weight's groups.
 */
#ifndef FAL_GEOMETRY_DEFORM_H
#define FAL_GEOMETRY_DEFORM_H

#include "base/activation.h"
#include "geometry/geometry.h"

typedef struct fal__deform {
    fal_conv_geometry g;
    fal_dtype dtype;                             /* of every tensor */
    int64_t taps, offset_groups, group_channels; /* channels of one offset group */
    bool has_mask;
    double beta;
    fal__activation activation;
    fal__data_strides offset, mask; /* mask: all 0 when there is none */
} fal__deform;

/* The six places of fal_deform_operands, in its order. */
enum { FAL__DEFORM_PLACES = 6 };
const fal_tensor *fal__deform_operand(const fal_deform_operands *operands, int place);

/* Resolves and checks a call with all its memory; nothing is left to refuse afterwards. gradients NULL: the
 * forward operator, which writes y. Otherwise y is the incoming gradient and every tensor of *gradients
 * that is given, y excepted, is written. params NULL means all defaults. */
fal_status fal__deform_check(const fal_deform_operands *operands, const fal_conv_params *params,
                             int64_t offset_groups, const fal_deform_operands *gradients, fal__deform *out,
                             fal_error *error);

#endif
