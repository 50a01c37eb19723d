/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unfold.c: im2col, as a copy and as a view.
 *
 * The copy writes every window of x as one column (nchw) or one row (nhwc), so that a convolution
 * becomes one matrix product:
 *
 *     nchw   y (oc, P)  =  w (oc, c*K)  x  cols (c*K, P)
 *     nhwc   y (P, oc)  =  cols (P, K*c)  x  w (K*c, oc)
 *
 * It holds each element of x about K times; unfold_copy.c makes it. The view is the same without a copy, but
 * only strides can express it, so nothing may lie outside x.
 */
#include "base/error.h"
#include "geometry/operands.h"
#include "lowering/columns.h"
#include "lowering/unfold_copy.h"
#include "tensor/tensor.h"

fal_status fal_unfold_shape(const fal_tensor *x, const fal_conv_params *params, fal_tensor *cols,
                            fal_error *error)
{
    fal_conv_geometry g;
    int64_t shape[3];
    if (!cols) return fal__fail(error, FAL_E_NULL, "cols", "cols is NULL");
    FAL__TRY(fal__columns_describe(x, params, &g, error));
    int32_t rank = fal__columns_shape(&g, shape);
    fal_tensor out = fal_tensor_of(NULL, x->dtype, rank, shape);
    if (rank < 0 || out.dtype == FAL_DTYPE_NONE)
        return fal__fail(error, FAL_E_OVERFLOW, "cols", "the size of cols overflows");
    *cols = out;
    return FAL_OK;
}

fal_status fal_unfold(const fal_tensor *x, const fal_conv_params *params, const fal_tensor *cols,
                      fal_error *error)
{
    fal__columns columns;
    FAL__TRY(fal__columns_check(x, cols, params, cols, &columns, error));
    FAL__TRY(fal__check_border(x, params, error));
    const bool constant = columns.g.padding_mode == FAL_PAD_CONSTANT;
    fal__unfold_copy(&columns, x, cols, constant ? params->padding_value : 0);
    return FAL_OK;
}

/* The part of an axis that the windows read must lie inside it. */
static fal_status check_inside(const fal_axis *axis, int32_t a, fal_error *error)
{
    int64_t span = (axis->output - 1) * axis->stride + (axis->kernel - 1) * axis->dilation;
    if (axis->begin <= 0 && span - axis->begin < axis->input) return FAL_OK;
    fal__fail(error, FAL_E_LAYOUT, "x",
              "axis %" PRId32 ": windows read %" PRId64 "..%" PRId64 " of 0..%" PRId64, a, -axis->begin,
              span - axis->begin, axis->input - 1);
    return fal__allowed(error, FAL_E_LAYOUT, "a view reads nothing outside x; pad a copy, or use unfold");
}

fal_status fal_unfold_view(const fal_tensor *x, const fal_conv_params *params, fal_tensor *view,
                           fal_error *error)
{
    fal_conv_geometry g;
    if (!view) return fal__fail(error, FAL_E_NULL, "view", "view is NULL");
    FAL__TRY(fal__columns_describe(x, params, &g, error));
    fal_tensor out = *x;
    int64_t kernel[FAL_MAX_SPATIAL], stride[FAL_MAX_SPATIAL], dilation[FAL_MAX_SPATIAL];
    for (int32_t a = 0; a < g.spatial; a++) {
        const fal_axis *axis = &g.axis[a];
        FAL__TRY(check_inside(axis, a, error));
        kernel[a] = axis->kernel;
        stride[a] = axis->stride;
        dilation[a] = axis->dilation;
        /* From the first element that is read to one past the last. */
        int64_t span = (axis->output - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
        FAL__TRY(fal_tensor_slice(&out, fal__spatial_axis(&g, a), -axis->begin, span - axis->begin, 1, &out,
                                  error));
    }
    int32_t first = fal__spatial_axis(&g, 0);
    FAL__TRY(fal_tensor_windows(&out, first, g.spatial, kernel, stride, dilation, &out, error));
    for (int32_t a = 0; g.flip_kernel && a < g.spatial; a++)
        FAL__TRY(fal_tensor_flip(&out, first + g.spatial + a, &out, error));
    *view = out;
    return FAL_OK;
}
