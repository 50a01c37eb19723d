/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view.c: views that reorder, cut, reverse or repeat axes, and the steps all views share.
 *
 * A view changes only where element [0, 0, ...] lies and how far apart neighbours are. Checked
 * input makes every offset here safe: an axis of two elements or more has a span that fits.
 */
#include "tensor/view.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"

/* ---- shared steps ---------------------------------------------------------------------------- */

bool fal__row_major(fal_tensor *t)
{
    int64_t stride = 1;
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        t->strides[a] = stride;
        if (!fal__mul(stride, fal__max(t->shape[a], 1), &stride)) return false;
    }
    return true;
}

fal_status fal__view_begin(const fal_tensor *t, const fal_tensor *out, fal_tensor *view, fal_error *error)
{
    FAL__TRY(fal_tensor_check(t, "tensor", error));
    if (out == NULL) return fal__fail(error, FAL_E_NULL, "out", "out is NULL");
    *view = (fal_tensor){.data = t->data, .dtype = t->dtype, .flags = t->flags};
    return FAL_OK;
}

void fal__view_add(fal_tensor *view, int64_t size, int64_t stride)
{
    view->shape[view->rank] = size;
    view->strides[view->rank++] = stride;
}

fal_status fal__view_finish(const fal_tensor *view, fal_tensor *out, fal_error *error)
{
    FAL__TRY(fal_tensor_check(view, "view", error));
    *out = *view;
    return FAL_OK;
}

int64_t fal__scaled_stride(int64_t stride, int64_t factor)
{
    int64_t scaled;
    return fal__mul(stride, factor, &scaled) ? scaled : stride;
}

fal_status fal__check_axis(const fal_tensor *t, int32_t axis, fal_error *error)
{
    if (axis >= 0 && axis < t->rank) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "axis", "axis is %" PRId32, axis);
    if (t->rank == 0) return fal__allowed(error, FAL_E_VALUE, "a tensor of rank 0 has no axes");
    return fal__allowed(error, FAL_E_VALUE, "must be 0..%" PRId32, t->rank - 1);
}

fal_status fal__check_view_rank(int64_t rank, fal_error *error)
{
    if (rank >= 0 && rank <= FAL_MAX_RANK) return FAL_OK;
    fal__fail(error, FAL_E_RANK, "rank", "the view would have rank %" PRId64, rank);
    return fal__allowed(error, FAL_E_RANK, "must be 0..%d", FAL_MAX_RANK);
}

fal_status fal__check_array(const void *array, int32_t count, const char *name, fal_error *error)
{
    if (array != NULL || count == 0) return FAL_OK;
    return fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
}

fal_status fal__fail_entry(fal_error *error, fal_status status, const char *array, int32_t i, int64_t value)
{
    char field[64];
    snprintf(field, sizeof field, "%s[%" PRId32 "]", array, i);
    return fal__fail(error, status, field, "%s is %" PRId64, field, value);
}

/* ---- permute --------------------------------------------------------------------------------- */

fal_status fal_tensor_permute(const fal_tensor *t, const int32_t *axes, fal_tensor *out, fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_array(axes, t->rank, "axes", error));
    bool seen[FAL_MAX_RANK] = {false};
    for (int32_t j = 0; j < t->rank; j++) {
        if (axes[j] < 0 || axes[j] >= t->rank || seen[axes[j]]) {
            fal__fail_entry(error, FAL_E_VALUE, "axes", j, axes[j]);
            return fal__allowed(error, FAL_E_VALUE, "each of 0..%" PRId32 " must be named once", t->rank - 1);
        }
        seen[axes[j]] = true;
        fal__view_add(&view, t->shape[axes[j]], t->strides[axes[j]]);
    }
    return fal__view_finish(&view, out, error);
}

/* ---- slice and flip -------------------------------------------------------------------------- */

/* Positions that start and stop may name: upward 0..size, downward -1..size-1. The ends that are no
 * elements stand for "before the first" and "after the last". */
static fal_status check_bound(const char *name, int64_t value, int64_t size, int64_t step, fal_error *error)
{
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    if (value >= low && value <= high) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, name, "%s is %" PRId64 " on an axis of size %" PRId64, name, value, size);
    return fal__allowed(error, FAL_E_VALUE, "must be %" PRId64 "..%" PRId64, low, high);
}

/* How many of start, start+step, ... lie before stop; the bounds are checked. */
static int64_t slice_count(int64_t start, int64_t stop, int64_t step)
{
    if (step > 0 ? stop <= start : stop >= start) return 0;
    uint64_t distance = (uint64_t)(step > 0 ? stop - start : start - stop);
    uint64_t pace = step > 0 ? (uint64_t)step : -(uint64_t)step;
    return (int64_t)((distance - 1) / pace + 1);
}

fal_status fal_tensor_slice(const fal_tensor *t, int32_t axis, int64_t start, int64_t stop, int64_t step,
                            fal_tensor *out, fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_axis(t, axis, error));
    if (step == 0) {
        fal__fail(error, FAL_E_VALUE, "step", "step is 0");
        return fal__allowed(error, FAL_E_VALUE, "must be positive or negative");
    }
    FAL__TRY(check_bound("start", start, t->shape[axis], step, error));
    FAL__TRY(check_bound("stop", stop, t->shape[axis], step, error));
    view = *t;
    view.shape[axis] = slice_count(start, stop, step);
    view.strides[axis] = fal__scaled_stride(t->strides[axis], step);
    /* A view without elements points at nothing, so it need not move. */
    if (start != 0 && fal_tensor_count(&view) > 0)
        view.data = fal__tensor_offset(t, start * t->strides[axis]);
    return fal__view_finish(&view, out, error);
}

fal_status fal_tensor_flip(const fal_tensor *t, int32_t axis, fal_tensor *out, fal_error *error)
{
    FAL__TRY(fal_tensor_check(t, "tensor", error));
    FAL__TRY(fal__check_axis(t, axis, error));
    return fal_tensor_slice(t, axis, t->shape[axis] - 1, -1, -1, out, error);
}

/* ---- broadcast ------------------------------------------------------------------------------- */

fal_status fal_tensor_broadcast(const fal_tensor *t, int32_t rank, const int64_t *shape, fal_tensor *out,
                                fal_error *error)
{
    fal_tensor view;
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_view_rank(rank, error));
    FAL__TRY(fal__check_array(shape, rank, "shape", error));
    if (rank < t->rank) {
        fal__fail(error, FAL_E_RANK, "rank", "the tensor has rank %" PRId32 ", the result %" PRId32, t->rank,
                  rank);
        return fal__allowed(error, FAL_E_RANK, "the result must have at least %" PRId32 " axes", t->rank);
    }
    for (int32_t a = 0; a < rank; a++) {
        int32_t from = a - (rank - t->rank);
        int64_t size = from < 0 ? 1 : t->shape[from];
        if (shape[a] < 0 || (size != 1 && size != shape[a])) {
            fal_status status = shape[a] < 0 ? FAL_E_DIM : FAL_E_SHAPE;
            fal__fail_entry(error, status, "shape", a, shape[a]);
            if (size == 1) return fal__allowed(error, status, "must be at least 0");
            return fal__allowed(error, status, "must be %" PRId64 ", the tensor's size there", size);
        }
        fal__view_add(&view, shape[a], size == 1 ? 0 : t->strides[from]);
    }
    view.flags |= FAL_READ_ONLY;
    return fal__view_finish(&view, out, error);
}
