/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * geometry.h: what the other rooms ask of a geometry beyond faltung.h.
 *
 * A fal_conv_geometry names sizes by their meaning (n, channels, axis a); a fal_tensor numbers its
 * axes in the order of the layout. This header is the only place that translates between the two,
 * so that the reference, the lowerings and the operators never look at a layout themselves:
 *
 *                        x and y             weight of conv        weight of its transpose
 *     FAL_NCHW           [n] c space...      oc ic/g k...          ic oc/g k...
 *     FAL_NHWC           [n] space... c      k... ic/g oc          k... oc/g ic
 *
 * [n] is missing in an unbatched problem. In a weight, "out" is the axis of output channels and "in"
 * the axis of input channels of the layer; one of them covers one group only (conv: in, transposed:
 * out), the other all groups, group by group. Typical use:
 *
 *     fal_conv_geometry g;
 *     FAL__TRY(fal_conv_describe(false, x, w, params, &g, error));
 *     FAL__TRY(fal__expect_output(&g, y, "y", error));
 *     fal__data_strides xs = fal__data_strides_of(&g, x);
 *     fal__weight_strides ws = fal__weight_strides_of(&g, w);
 *     x[n*xs.n + ic*xs.c + iy*xs.space[0] + ix*xs.space[1]] * w[oc*ws.out + c*ws.in + ...]
 */
#ifndef FAL_GEOMETRY_GEOMETRY_H
#define FAL_GEOMETRY_GEOMETRY_H

#include "faltung.h"

/* ---- Axis numbers ---- */

int32_t fal__batch_axis(const fal_conv_geometry *g); /* -1 when unbatched */
int32_t fal__channel_axis(const fal_conv_geometry *g);
int32_t fal__spatial_axis(const fal_conv_geometry *g, int32_t a); /* a in 0..spatial-1 */
int32_t fal__weight_out_axis(const fal_conv_geometry *g);
int32_t fal__weight_in_axis(const fal_conv_geometry *g);
int32_t fal__weight_spatial_axis(const fal_conv_geometry *g, int32_t a);

/* ---- Element strides by meaning ----
 *
 * The stride of an axis that is missing or has at most one element is 0, whatever the tensor says,
 * so that stride arithmetic cannot overflow on a number that is never used. */

/* Of x, y or their gradients. */
typedef struct fal__data_strides {
    int64_t n, c, space[FAL_MAX_SPATIAL];
} fal__data_strides;

/* Of w or its gradient. Element (oc, ic) of the dense-by-group picture lies at
 *     conv        oc*out + (ic % (ic/g))*in
 *     transposed  (oc % (oc/g))*out + ic*in                    with oc and ic counted over all groups */
typedef struct fal__weight_strides {
    int64_t out, in, space[FAL_MAX_SPATIAL];
} fal__weight_strides;

fal__data_strides fal__data_strides_of(const fal_conv_geometry *g, const fal_tensor *t);
fal__weight_strides fal__weight_strides_of(const fal_conv_geometry *g, const fal_tensor *w);

/* ---- Shapes ---- */

/* Each writes the shape in the layout's order (FAL_MAX_RANK entries must exist) and returns the rank. */
int32_t fal__input_shape(const fal_conv_geometry *g, int64_t *shape);
int32_t fal__output_shape(const fal_conv_geometry *g, int64_t *shape);
int32_t fal__weight_shape(const fal_conv_geometry *g, int64_t *shape);

/* Refuse a tensor of another shape: "y is (1,64,55,55); must be (1,64,54,54)". Only shapes are read. */
fal_status fal__expect_output(const fal_conv_geometry *g, const fal_tensor *y, const char *name,
                              fal_error *error);
fal_status fal__expect_weight(const fal_conv_geometry *g, const fal_tensor *w, const char *name,
                              fal_error *error);
/* rank 1, out_channels elements */
fal_status fal__expect_bias(const fal_conv_geometry *g, const fal_tensor *bias, const char *name,
                            fal_error *error);

/* ---- Checks ---- */

/* Refuses a number: "stride is -1; must be at least 1". */
fal_status fal__at_least(int64_t value, int64_t least, fal_status status, const char *field,
                         fal_error *error);

/* Takes 1 for a stride or dilation of 0 and refuses numbers out of range, in the order kernel, stride,
 * dilation, input. Every function on a fal_axis begins with it. */
fal_status fal__axis_check(fal_axis *axis, fal_error *error);
/* Refuses a geometry that fal_conv_describe cannot have made. Functions that take a geometry from
 * the caller begin with it; afterwards index arithmetic on it cannot overflow. */
fal_status fal__geometry_check(const fal_conv_geometry *g, fal_error *error);
/* Turns the report of an axis function into one about axis `a` of a problem: "stride is -1" becomes
 * "stride[1] is -1", and any other text gets "axis 1: " in front. Returns status. */
fal_status fal__name_axis(fal_error *error, fal_status status, int32_t a);

/* ---- Index map ---- */

/* Tap number `walk` (0..k-1, in the order of the walk) of output `o`. False: the tap meets nothing and
 * is not part of the sum (transposed only; a border tap of a convolution is true with index -1). */
bool fal__tap_at(const fal_axis *axis, bool transposed, fal_padding_mode mode, bool flip, int64_t o,
                 int64_t walk, fal_tap *tap);

/* ---- Counting ---- */

/* The (output, tap) pairs of one axis that meet a real input: the sum of its coverage, without a walk
 * over outputs or taps. */
fal_status fal__axis_products(const fal_axis *axis, bool transposed, int64_t *count, fal_error *error);

#endif
