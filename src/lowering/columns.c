/* SPDX-License-Identifier: BSD-3-Clause */
/* columns.c: shapes, checks and strides of the column tensor, for unfold and fold. */
#include "lowering/columns.h"

#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"

static fal_status spatial_axes(const fal_tensor *x, const fal_conv_params *params, int32_t *spatial,
                               fal_error *error)
{
    *spatial = params->spatial != 0 ? params->spatial : x->rank - 2;
    if (*spatial >= 1 && *spatial <= FAL_MAX_SPATIAL) return FAL_OK;
    if (params->spatial != 0) {
        fal__fail(error, FAL_E_VALUE, "spatial", "spatial is %" PRId32, params->spatial);
        return fal__allowed(error, FAL_E_VALUE, "must be 1..%d", FAL_MAX_SPATIAL);
    }
    fal__fail(error, FAL_E_RANK, "x", "x has rank %" PRId32 ", so %" PRId32 " spatial axes", x->rank,
              *spatial);
    return fal__allowed(error, FAL_E_RANK, "must have 1..%d of them; set spatial for an unbatched x",
                        FAL_MAX_SPATIAL);
}

/* The windows are those of a convolution by one filter over all channels; its weight exists only as
 * a shape. */
fal_status fal__columns_describe(const fal_tensor *x, const fal_conv_params *params, fal_conv_geometry *g,
                                 fal_error *error)
{
    static const fal_conv_params defaults = {0};
    fal_conv_params p = params ? *params : defaults;
    int32_t spatial;
    FAL__TRY(fal_tensor_check(x, "x", error));
    FAL__TRY(spatial_axes(x, &p, &spatial, error));
    bool channels_last = p.layout == FAL_NHWC;
    int32_t channel_axis = channels_last ? x->rank - 1 : x->rank - 1 - spatial;
    int64_t channels = channel_axis >= 0 ? x->shape[channel_axis] : 1;
    int64_t shape[FAL_MAX_SPATIAL + 2];
    for (int32_t a = 0; a < spatial; a++) {
        if (p.kernel[a] < 1) {
            fal__fail(error, FAL_E_KERNEL, "kernel", "kernel[%" PRId32 "] is %" PRId64, a, p.kernel[a]);
            return fal__allowed(error, FAL_E_KERNEL, "must be at least 1");
        }
        shape[channels_last ? a : a + 2] = p.kernel[a];
    }
    shape[channels_last ? spatial + 1 : 0] = 1;
    shape[channels_last ? spatial : 1] = channels;
    fal_tensor w = fal_tensor_of(NULL, x->dtype, spatial + 2, shape);
    if (w.dtype == FAL_DTYPE_NONE)
        return fal__fail(error, FAL_E_OVERFLOW, "kernel", "channels times kernel overflow");
    p.groups = 1;
    return fal_conv_describe(false, x, &w, &p, g, error);
}

int32_t fal__columns_shape(const fal_conv_geometry *g, int64_t shape[3])
{
    int64_t rows = g->in_channels, windows = 1;
    for (int32_t a = 0; a < g->spatial; a++)
        if (!fal__mul(rows, g->axis[a].kernel, &rows) || !fal__mul(windows, g->axis[a].output, &windows))
            return -1;
    int32_t rank = 0;
    if (g->batched) shape[rank++] = g->n;
    shape[rank++] = g->layout == FAL_NCHW ? rows : windows;
    shape[rank++] = g->layout == FAL_NCHW ? windows : rows;
    return rank;
}

static fal_status check_shape(const fal_conv_geometry *g, const fal_tensor *cols, fal_error *error)
{
    int64_t shape[3];
    int32_t rank = fal__columns_shape(g, shape);
    if (rank < 0) return fal__fail(error, FAL_E_OVERFLOW, "cols", "the size of cols overflows");
    bool equal = cols->rank == rank;
    for (int32_t a = 0; equal && a < rank; a++) equal = cols->shape[a] == shape[a];
    if (equal) return FAL_OK;
    char found[FAL__LIST_TEXT], wanted[FAL__LIST_TEXT];
    fal__shape_text(cols, found, sizeof found);
    fal__list_text(shape, rank, wanted, sizeof wanted);
    fal__fail(error, FAL_E_SHAPE, "cols", "cols is %s", found);
    return fal__allowed(error, FAL_E_SHAPE, "must be %s", wanted);
}

/* The product of a stride that is never used may overflow (its axis has one element); all others were
 * checked with the tensor. Unsigned arithmetic makes the first kind harmless. */
static int64_t step(int64_t stride, int64_t count)
{
    return (int64_t)((uint64_t)stride * (uint64_t)count);
}

/* One stride per letter, from the last spatial axis to the first. */
static void lay_out(fal__columns *out, const fal_tensor *cols)
{
    const fal_conv_geometry *g = &out->g;
    int32_t first = g->batched ? 1 : 0;
    int64_t row = cols->strides[g->layout == FAL_NCHW ? first : first + 1];
    int64_t window = cols->strides[g->layout == FAL_NCHW ? first + 1 : first];
    out->n = g->batched ? cols->strides[0] : 0;
    out->c = row;
    if (g->layout == FAL_NHWC) row = step(row, g->in_channels);
    for (int32_t a = g->spatial - 1; a >= 0; a--) {
        out->tap[a] = row;
        out->output[a] = window;
        row = step(row, g->axis[a].kernel);
        window = step(window, g->axis[a].output);
    }
    if (g->layout == FAL_NCHW) out->c = row;
}

fal_status fal__columns_check(const fal_tensor *x, const fal_tensor *cols, const fal_conv_params *params,
                              const fal_tensor *written, fal__columns *out, fal_error *error)
{
    FAL__TRY(fal__columns_describe(x, params, &out->g, error));
    FAL__TRY(fal_tensor_check(cols, "cols", error));
    if (cols->dtype != x->dtype) {
        fal__fail(error, FAL_E_DTYPE, "cols", "x is %s, cols is %s", fal_dtype_name(x->dtype),
                  fal_dtype_name(cols->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
    }
    FAL__TRY(check_shape(&out->g, cols, error));
    FAL__TRY(fal__tensor_check_output(written, written == x ? "x" : "cols", error));
    FAL__TRY(fal__tensor_check_align(x, "x", error));
    FAL__TRY(fal__tensor_check_align(cols, "cols", error));
    FAL__TRY(written == x ? fal__tensor_check_alias(x, "x", cols, "cols", error)
                          : fal__tensor_check_alias(cols, "cols", x, "x", error));
    out->xs = fal__data_strides_of(&out->g, x);
    lay_out(out, cols);
    return FAL_OK;
}
