/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channels.c: do the channels of input, weight and groups fit together?
 *
 * The most common mistake with a convolution is a tensor in another layout. It shows as channels that
 * do not fit, so this is where the other layout is tried, and named when it fits exactly.
 */
#include "geometry/channels.h"

#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

/* The input channels that the weight asks for; false when groups * (ic/g) overflows. */
static bool expected_channels(const fal_conv_geometry *g, const fal_tensor *w, int64_t *expected)
{
    int64_t in = w->shape[fal__weight_in_axis(g)];
    if (!g->transposed) return fal__mul(in, g->groups, expected);
    *expected = in;
    return true;
}

/* Adds a hint when the input's channel axis of the other layout has what the weight expects: of the
 * weight read in the other layout too, or of the weight as it is, which then must change as well. */
static fal_status hint_layout(const fal_conv_geometry *g, const fal_tensor *x, const fal_tensor *w,
                              fal_status status, fal_error *error)
{
    fal_conv_geometry other = *g;
    other.layout = g->layout == FAL_NHWC ? FAL_NCHW : FAL_NHWC;
    int64_t channels = x->shape[fal__channel_axis(&other)], all, input_only;
    bool fits_all = expected_channels(&other, w, &all) && all == channels;
    bool fits_input = expected_channels(g, w, &input_only) && input_only == channels;
    if (!fits_all && !fits_input) return status;
    bool nhwc = other.layout == FAL_NHWC;
    const char *weight = g->transposed ? (nhwc ? "(k..., oc/g, ic)" : "(ic, oc/g, k...)")
                                       : (nhwc ? "(k..., ic/g, oc)" : "(oc, ic/g, k...)");
    if (fits_all)
        fal__hint(error, status, "is the input %s?", nhwc ? "NHWC" : "NCHW");
    else
        fal__hint(error, status, "is the input %s? then the weight must be %s", nhwc ? "NHWC" : "NCHW",
                  weight);
    return fal__fix(error, status, "layout", nhwc ? "nhwc" : "nchw");
}

static fal_status check_groups(const fal_conv_geometry *g, const fal_tensor *w, fal_error *error)
{
    if (g->groups < 1) {
        fal__fail(error, FAL_E_GROUPS, "groups", "groups is %" PRId64, g->groups);
        return fal__allowed(error, FAL_E_GROUPS, "must be at least 1");
    }
    int32_t axis = g->transposed ? fal__weight_in_axis(g) : fal__weight_out_axis(g);
    if (w->shape[axis] % g->groups == 0) return FAL_OK;
    return fal__fail(error, FAL_E_GROUPS, "groups",
                     "weight has %" PRId64 " %s channels, not divisible by groups %" PRId64, w->shape[axis],
                     g->transposed ? "input" : "output", g->groups);
}

static fal_status check_input(const fal_conv_geometry *g, const fal_tensor *x, const fal_tensor *w,
                              fal_error *error)
{
    int64_t channels = x->shape[fal__channel_axis(g)], expected;
    if (!expected_channels(g, w, &expected))
        return fal__fail(error, FAL_E_OVERFLOW, "groups",
                         "groups %" PRId64 " x %" PRId64 " channels overflow 64 bits", g->groups,
                         w->shape[fal__weight_in_axis(g)]);
    if (channels == expected) return FAL_OK;
    if (channels % g->groups != 0) {
        fal__fail(error, FAL_E_GROUPS, "groups",
                  "input has %" PRId64 " channels, not divisible by groups %" PRId64, channels, g->groups);
        return hint_layout(g, x, w, FAL_E_GROUPS, error);
    }
    if (g->groups > 1 && !g->transposed)
        fal__fail(error, FAL_E_SHAPE, "x",
                  "input has %" PRId64 " channels, weight expects %" PRId64 " (groups %" PRId64 " x %" PRId64
                  ")",
                  channels, expected, g->groups, expected / g->groups);
    else
        fal__fail(error, FAL_E_SHAPE, "x", "input has %" PRId64 " channels, weight expects %" PRId64,
                  channels, expected);
    return hint_layout(g, x, w, FAL_E_SHAPE, error);
}

fal_status fal__resolve_channels(fal_conv_geometry *g, const fal_tensor *x, const fal_tensor *w,
                                 fal_error *error)
{
    FAL__TRY(check_groups(g, w, error));
    FAL__TRY(check_input(g, x, w, error));
    int64_t out = w->shape[fal__weight_out_axis(g)];
    if (out < 1) {
        fal__fail(error, FAL_E_DIM, "w", "weight has 0 output channels");
        return fal__allowed(error, FAL_E_DIM, "must be at least 1");
    }
    if (!g->transposed)
        g->out_channels = out;
    else if (!fal__mul(out, g->groups, &g->out_channels))
        return fal__fail(error, FAL_E_OVERFLOW, "groups",
                         "groups %" PRId64 " x %" PRId64 " channels overflow 64 bits", g->groups, out);
    g->in_channels = x->shape[fal__channel_axis(g)];
    g->n = g->batched ? x->shape[fal__batch_axis(g)] : 1;
    return FAL_OK;
}
