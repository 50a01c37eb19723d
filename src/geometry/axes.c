/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * axes.c: from the meaning of an axis to its number, stride and size in a layout.
 *
 * Used by every room that touches elements. The table of layouts is in geometry.h.
 */
#include "geometry/geometry.h"

int32_t fal__batch_axis(const fal_conv_geometry *g)
{
    return g->batched ? 0 : -1;
}

int32_t fal__channel_axis(const fal_conv_geometry *g)
{
    return (g->batched ? 1 : 0) + (g->layout == FAL_NHWC ? g->spatial : 0);
}

int32_t fal__spatial_axis(const fal_conv_geometry *g, int32_t a)
{
    return (g->batched ? 1 : 0) + (g->layout == FAL_NHWC ? 0 : 1) + a;
}

/* The channel axes of a weight are a pair, before (NCHW) or after (NHWC) the taps. The axis that
 * counts all groups is the outer one of the pair, farthest from the taps: first in NCHW, last in NHWC.
 * It holds the outputs of a convolution and the inputs of its transpose. */
static int32_t weight_channel_axis(const fal_conv_geometry *g, bool all_groups)
{
    if (g->layout == FAL_NHWC) return g->spatial + (all_groups ? 1 : 0);
    return all_groups ? 0 : 1;
}

int32_t fal__weight_out_axis(const fal_conv_geometry *g)
{
    return weight_channel_axis(g, !g->transposed);
}

int32_t fal__weight_in_axis(const fal_conv_geometry *g)
{
    return weight_channel_axis(g, g->transposed);
}

int32_t fal__weight_spatial_axis(const fal_conv_geometry *g, int32_t a)
{
    return (g->layout == FAL_NHWC ? 0 : 2) + a;
}

static int64_t used_stride(const fal_tensor *t, int32_t axis)
{
    return axis < 0 || t->shape[axis] <= 1 ? 0 : t->strides[axis];
}

fal__data_strides fal__data_strides_of(const fal_conv_geometry *g, const fal_tensor *t)
{
    fal__data_strides s = {.n = used_stride(t, fal__batch_axis(g)),
                           .c = used_stride(t, fal__channel_axis(g))};
    for (int32_t a = 0; a < g->spatial; a++) s.space[a] = used_stride(t, fal__spatial_axis(g, a));
    return s;
}

fal__weight_strides fal__weight_strides_of(const fal_conv_geometry *g, const fal_tensor *w)
{
    fal__weight_strides s = {.out = used_stride(w, fal__weight_out_axis(g)),
                             .in = used_stride(w, fal__weight_in_axis(g))};
    for (int32_t a = 0; a < g->spatial; a++) s.space[a] = used_stride(w, fal__weight_spatial_axis(g, a));
    return s;
}

static int32_t data_shape(const fal_conv_geometry *g, bool output, int64_t *shape)
{
    if (g->batched) shape[fal__batch_axis(g)] = g->n;
    shape[fal__channel_axis(g)] = output ? g->out_channels : g->in_channels;
    for (int32_t a = 0; a < g->spatial; a++)
        shape[fal__spatial_axis(g, a)] = output ? g->axis[a].output : g->axis[a].input;
    return g->spatial + (g->batched ? 2 : 1);
}

int32_t fal__input_shape(const fal_conv_geometry *g, int64_t *shape)
{
    return data_shape(g, false, shape);
}

int32_t fal__output_shape(const fal_conv_geometry *g, int64_t *shape)
{
    return data_shape(g, true, shape);
}

int32_t fal__weight_shape(const fal_conv_geometry *g, int64_t *shape)
{
    shape[fal__weight_out_axis(g)] = g->transposed ? g->out_channels / g->groups : g->out_channels;
    shape[fal__weight_in_axis(g)] = g->transposed ? g->in_channels : g->in_channels / g->groups;
    for (int32_t a = 0; a < g->spatial; a++) shape[fal__weight_spatial_axis(g, a)] = g->axis[a].kernel;
    return g->spatial + 2;
}
