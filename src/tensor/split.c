/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * split.c: views that split an axis into two: tiles, sliding windows, channel shuffle.
 *
 *     tile     i -> (i / a, i % a)              strides (s*a, s)
 *     windows  o, t -> o*stride + t*dilation    strides (s*stride, s*dilation)
 *     shuffle  i -> (i % c, i / c)              strides (s, s*c)
 *
 * Windows are what turns a convolution into a matrix product without copying the input.
 */
#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

fal_status fal_tensor_tile(const fal_tensor *t, const int64_t *tile, fal_tensor *out, fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_view_rank(2 * (int64_t)t->rank, error));
    FAL__TRY(fal__check_array(tile, t->rank, "tile", error));
    for (int32_t a = 0; a < t->rank; a++) {
        if (tile[a] < 1) {
            fal__fail_entry(error, FAL_E_VALUE, "tile", a, tile[a]);
            return fal__allowed(error, FAL_E_VALUE, "must be at least 1");
        }
        if (t->shape[a] % tile[a] != 0) {
            fal__fail_entry(error, FAL_E_SHAPE, "tile", a, tile[a]);
            return fal__allowed(error, FAL_E_SHAPE, "must divide the axis of size %" PRId64, t->shape[a]);
        }
        fal__view_add(&view, t->shape[a] / tile[a], fal__scaled_stride(t->strides[a], tile[a]));
    }
    for (int32_t a = 0; a < t->rank; a++) fal__view_add(&view, tile[a], t->strides[a]);
    return fal__view_finish(&view, out, error);
}

/* One axis of fal_tensor_windows. */
typedef struct window {
    int64_t kernel, stride, dilation;
} window;

/* Checks axis `j` of the windows on an axis of `size` elements; *positions = how many fit. */
static fal_status check_window(const window *w, int32_t j, int64_t size, int64_t *positions, fal_error *error)
{
    const struct {
        const char *array;
        int64_t value;
        fal_status status;
    } numbers[] = {{"kernel", w->kernel, FAL_E_KERNEL},
                   {"stride", w->stride, FAL_E_STRIDE},
                   {"dilation", w->dilation, FAL_E_DILATION}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].value >= 1) continue;
        fal__fail_entry(error, numbers[i].status, numbers[i].array, j, numbers[i].value);
        return fal__allowed(error, numbers[i].status, "must be at least 1");
    }
    int64_t effective;
    if (!fal__mul_add(w->kernel - 1, w->dilation, 1, &effective)) {
        fal__fail_entry(error, FAL_E_OVERFLOW, "kernel", j, w->kernel);
        return fal__allowed(error, FAL_E_OVERFLOW, "its reach at dilation %" PRId64 " must fit 64 bits",
                            w->dilation);
    }
    if (effective > size) {
        fal__fail_entry(error, FAL_E_KERNEL, "kernel", j, w->kernel);
        return fal__allowed(error, FAL_E_KERNEL,
                            "it reaches %" PRId64 " elements and must fit the axis of size %" PRId64,
                            effective, size);
    }
    *positions = (size - effective) / w->stride + 1;
    return FAL_OK;
}

/* Refuses axes first..first+count-1 that t does not have. */
static fal_status check_axes(const fal_tensor *t, int32_t first, int32_t count, fal_error *error)
{
    if (first < 0 || first >= t->rank) {
        fal__fail(error, FAL_E_VALUE, "first", "first is %" PRId32, first);
        return fal__allowed(error, FAL_E_VALUE, "must be an axis of the tensor of rank %" PRId32, t->rank);
    }
    if (count < 1 || count > t->rank - first) {
        fal__fail(error, FAL_E_VALUE, "count", "count is %" PRId32, count);
        return fal__allowed(error, FAL_E_VALUE, "must be 1..%" PRId32 ", the axes from axis %" PRId32 " on",
                            t->rank - first, first);
    }
    return fal__check_view_rank((int64_t)t->rank + count, error);
}

fal_status fal_tensor_windows(const fal_tensor *t, int32_t first, int32_t count, const int64_t *kernel,
                              const int64_t *stride, const int64_t *dilation, fal_tensor *out,
                              fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(check_axes(t, first, count, error));
    FAL__TRY(fal__check_array(kernel, count, "kernel", error));
    window windows[FAL_MAX_RANK];
    for (int32_t a = 0; a < first; a++) fal__view_add(&view, t->shape[a], t->strides[a]);
    for (int32_t j = 0; j < count; j++) {
        windows[j] = (window){kernel[j], stride == NULL ? 1 : stride[j], dilation == NULL ? 1 : dilation[j]};
        int64_t positions = 0;
        FAL__TRY(check_window(&windows[j], j, t->shape[first + j], &positions, error));
        fal__view_add(&view, positions, fal__scaled_stride(t->strides[first + j], windows[j].stride));
    }
    for (int32_t j = 0; j < count; j++)
        fal__view_add(&view, windows[j].kernel,
                      fal__scaled_stride(t->strides[first + j], windows[j].dilation));
    for (int32_t a = first + count; a < t->rank; a++) fal__view_add(&view, t->shape[a], t->strides[a]);
    view.flags |= FAL_READ_ONLY;
    return fal__view_finish(&view, out, error);
}

fal_status fal_tensor_shuffle(const fal_tensor *t, int32_t axis, int64_t groups, fal_tensor *out,
                              fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_axis(t, axis, error));
    FAL__TRY(fal__check_view_rank((int64_t)t->rank + 1, error));
    if (groups < 1 || t->shape[axis] % groups != 0) {
        fal__fail(error, FAL_E_GROUPS, "groups", "groups is %" PRId64, groups);
        return fal__allowed(error, FAL_E_GROUPS, "must be at least 1 and divide the axis of size %" PRId64,
                            t->shape[axis]);
    }
    int64_t channels = t->shape[axis] / groups, stride = t->strides[axis];
    for (int32_t a = 0; a < axis; a++) fal__view_add(&view, t->shape[a], t->strides[a]);
    fal__view_add(&view, channels, stride);
    fal__view_add(&view, groups, fal__scaled_stride(stride, channels));
    for (int32_t a = axis + 1; a < t->rank; a++) fal__view_add(&view, t->shape[a], t->strides[a]);
    return fal__view_finish(&view, out, error);
}
