/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * describe.c: the check that every operator makes.
 *
 * fal_conv_describe turns two shapes and a parameter struct into a geometry in which every number is
 * resolved, or says what is wrong. Operators, reference and lowerings all begin here, so that no two
 * of them can disagree about what a call means. The order of checks is the order in which a person
 * would want to hear of mistakes: pointers, tensors, enums, ranks, channels, then axis by axis.
 */
#include <math.h>

#include "base/error.h"
#include "geometry/channels.h"
#include "geometry/geometry.h"
#include "tensor/tensor.h"

static fal_status check_enum(int value, int last, const char *name, fal_error *error)
{
    if (value >= 0 && value <= last) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, name, "%s is %d", name, value);
    return fal__allowed(error, FAL_E_VALUE, "must be one of fal_%s, 0..%d", name, last);
}

static const char *mode_name(fal_padding_mode mode)
{
    static const char *const names[] = {"zeros", "reflect", "symmetric", "replicate", "circular", "constant"};
    return names[mode];
}

/* What is refused whatever the operands' types. Only the numbers that the kind uses are looked at. */
static fal_status check_activation(const fal_conv_params *p, fal_error *error)
{
    FAL__TRY(check_enum((int)p->activation, FAL_ACTIVATION_HARD_SWISH, "activation", error));
    if (p->activation == FAL_ACTIVATION_CLAMP && !(p->activation_low <= p->activation_high)) {
        fal__fail(error, FAL_E_VALUE, "activation_low", "activation_low is %g, activation_high is %g",
                  p->activation_low, p->activation_high);
        return fal__allowed(error, FAL_E_VALUE, "low must not be above high, and neither NaN");
    }
    if (p->activation == FAL_ACTIVATION_LEAKY_RELU && !isfinite(p->activation_slope)) {
        fal__fail(error, FAL_E_VALUE, "activation_slope", "activation_slope is %g", p->activation_slope);
        return fal__allowed(error, FAL_E_VALUE, "must be finite");
    }
    return FAL_OK;
}

static fal_status check_modes(bool transposed, const fal_conv_params *p, fal_error *error)
{
    FAL__TRY(check_enum((int)p->padding, FAL_PADDING_CAUSAL, "padding", error));
    FAL__TRY(check_enum((int)p->padding_mode, FAL_PAD_CONSTANT, "padding_mode", error));
    FAL__TRY(check_enum((int)p->layout, FAL_NHWC, "layout", error));
    FAL__TRY(check_enum((int)p->accuracy, FAL_ACCURACY_FAST, "accuracy", error));
    FAL__TRY(check_activation(p, error));
    if (!transposed || p->padding_mode == FAL_PAD_ZEROS) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "padding_mode", "padding_mode is %s in a transposed convolution",
              mode_name(p->padding_mode));
    return fal__allowed(error, FAL_E_PADDING, "must be zeros");
}

static fal_status check_tensors(const fal_tensor *x, const fal_tensor *w, fal_conv_geometry *g,
                                fal_error *error)
{
    FAL__TRY(fal_tensor_check(x, "x", error));
    FAL__TRY(fal_tensor_check(w, "w", error));
    if (w->rank < 3 || w->rank > FAL_MAX_SPATIAL + 2) {
        fal__fail(error, FAL_E_RANK, "w", "w has %" PRId32 " axes", w->rank);
        return fal__allowed(error, FAL_E_RANK, "must be 3..%d: two of channels and 1..%d of taps",
                            FAL_MAX_SPATIAL + 2, FAL_MAX_SPATIAL);
    }
    g->spatial = w->rank - 2;
    g->batched = x->rank == w->rank;
    if (!g->batched && x->rank != w->rank - 1) {
        fal__fail(error, FAL_E_RANK, "x", "x has %" PRId32 " axes, w has %" PRId32, x->rank, w->rank);
        return fal__allowed(error, FAL_E_RANK, "must be %" PRId32 ", or %" PRId32 " without a batch", w->rank,
                            w->rank - 1);
    }
    if (x->dtype != w->dtype) {
        fal__fail(error, FAL_E_DTYPE, "w", "x is %s, w is %s", fal_dtype_name(x->dtype),
                  fal_dtype_name(w->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "types must match");
    }
    return FAL_OK;
}

/* What may be said about one axis, before any arithmetic. */
static fal_status check_axis_params(bool transposed, const fal_conv_params *p, int32_t a, fal_error *error)
{
    int64_t extra = p->output_padding[a], size = p->output_size[a];
    if (p->padding != FAL_PADDING_EXPLICIT && (p->padding_begin[a] != 0 || p->padding_end[a] != 0)) {
        fal__fail(error, FAL_E_PADDING, "padding",
                  "axis %" PRId32 ": padding is given as a rule and as numbers", a);
        return fal__allowed(error, FAL_E_PADDING, "give one of them");
    }
    if (!transposed && (extra != 0 || size != 0)) {
        const char *name = extra != 0 ? "output_padding" : "output_size";
        fal__fail(error, FAL_E_PADDING, name, "%s is %" PRId64 " in a convolution", name,
                  extra != 0 ? extra : size);
        fal__allowed(error, FAL_E_PADDING, "only a transposed convolution has one");
        return fal__name_axis(error, FAL_E_PADDING, a);
    }
    if (size < 0) {
        fal__fail(error, FAL_E_PADDING, "output_size", "output_size is %" PRId64, size);
        fal__allowed(error, FAL_E_PADDING, "must be at least 1, or 0 for the formula's");
        return fal__name_axis(error, FAL_E_PADDING, a);
    }
    bool same = p->padding == FAL_PADDING_SAME || p->padding == FAL_PADDING_SAME_LOWER;
    if (extra != 0 && (size != 0 || same)) {
        fal__fail(error, FAL_E_PADDING, "output_padding", "output_padding is %" PRId64 ", but %s", extra,
                  same ? "padding `same` sets it" : "output_size is given too");
        fal__allowed(error, FAL_E_PADDING, "give one of them");
        return fal__name_axis(error, FAL_E_PADDING, a);
    }
    return FAL_OK;
}

static fal_status resolve_transposed(fal_axis *axis, fal_padding rule, int64_t wanted, fal_error *error)
{
    bool same = rule == FAL_PADDING_SAME || rule == FAL_PADDING_SAME_LOWER;
    if (wanted == 0 || same) FAL__TRY(fal_conv_transpose_size(axis, error));
    if (wanted == 0 || (same && wanted == axis->output)) return FAL_OK;
    if (!same) return fal_output_padding_for(axis, wanted, error);
    fal__fail(error, FAL_E_SHAPE, "output_size", "output_size is %" PRId64, wanted);
    return fal__allowed(error, FAL_E_SHAPE, "padding `same` gives %" PRId64, axis->output);
}

static fal_status resolve_conv(fal_axis *axis, fal_padding_mode mode, fal_error *error)
{
    if (axis->input == 0 && mode != FAL_PAD_ZEROS && mode != FAL_PAD_CONSTANT) {
        fal__fail(error, FAL_E_DIM, "input", "the input is empty, padding mode %s has nothing to repeat",
                  mode_name(mode));
        return fal__allowed(error, FAL_E_DIM, "must have at least 1 element");
    }
    return fal_conv_size(axis, error);
}

static fal_status resolve_axis(fal_conv_geometry *g, const fal_conv_params *p, int32_t a, fal_error *error)
{
    fal_axis *axis = &g->axis[a];
    axis->stride = p->stride[a];
    axis->dilation = p->dilation[a];
    axis->begin = p->padding_begin[a];
    axis->end = p->padding_end[a];
    axis->output_padding = p->output_padding[a];
    FAL__TRY(fal_padding_resolve(axis, p->padding, g->transposed, error));
    if (g->transposed) return resolve_transposed(axis, p->padding, p->output_size[a], error);
    return resolve_conv(axis, g->padding_mode, error);
}

static fal_status describe(bool transposed, const fal_tensor *x, const fal_tensor *w,
                           const fal_conv_params *params, fal_conv_geometry *out, fal_error *error)
{
    static const fal_conv_params defaults = {0};
    const fal_conv_params *p = params != NULL ? params : &defaults;
    fal_conv_geometry g = {.transposed = transposed,
                           .groups = p->groups == 0 ? 1 : p->groups,
                           .padding_mode = p->padding_mode,
                           .flip_kernel = p->flip_kernel,
                           .layout = p->layout};
    FAL__TRY(check_tensors(x, w, &g, error));
    FAL__TRY(check_modes(transposed, p, error));
    for (int32_t a = 0; a < g.spatial; a++) FAL__TRY(check_axis_params(transposed, p, a, error));
    FAL__TRY(fal__resolve_channels(&g, x, w, error));
    for (int32_t a = 0; a < g.spatial; a++) {
        g.axis[a].input = x->shape[fal__spatial_axis(&g, a)];
        g.axis[a].kernel = w->shape[fal__weight_spatial_axis(&g, a)];
        fal_status status = resolve_axis(&g, p, a, error);
        if (status != FAL_OK) return fal__name_axis(error, status, a);
    }
    *out = g;
    return FAL_OK;
}

/* y as fal_conv_output_shape gives it; refuses one whose element count or bytes overflow. */
static fal_status output_tensor(const fal_conv_geometry *g, fal_dtype dtype, fal_tensor *y, fal_error *error)
{
    int64_t shape[FAL_MAX_RANK];
    int32_t rank = fal__output_shape(g, shape);
    *y = fal_tensor_of(NULL, dtype, rank, shape);
    if (y->dtype == dtype) return FAL_OK;
    char text[FAL__LIST_TEXT];
    fal__list_text(shape, rank, text, sizeof text);
    return fal__fail(error, FAL_E_OVERFLOW, "y", "the size of y %s overflows 64 bits", text);
}

fal_status fal_conv_describe(bool transposed, const fal_tensor *x, const fal_tensor *w,
                             const fal_conv_params *params, fal_conv_geometry *out, fal_error *error)
{
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "out", "out is NULL");
    fal_conv_geometry g;
    fal_tensor y;
    FAL__TRY(describe(transposed, x, w, params, &g, error));
    FAL__TRY(output_tensor(&g, x->dtype, &y, error));
    *out = g;
    return FAL_OK;
}

fal_status fal_conv_output_shape(bool transposed, const fal_tensor *x, const fal_tensor *w,
                                 const fal_conv_params *params, fal_tensor *y, fal_error *error)
{
    if (y == NULL) return fal__fail(error, FAL_E_NULL, "y", "y is NULL");
    fal_conv_geometry g;
    fal_tensor result;
    FAL__TRY(describe(transposed, x, w, params, &g, error));
    FAL__TRY(output_tensor(&g, x->dtype, &result, error));
    *y = result;
    return FAL_OK;
}
