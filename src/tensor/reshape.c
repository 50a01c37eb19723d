/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reshape.c: the same elements in row-major order under another shape, without a copy.
 *
 * Both shapes are cut from left to right into the smallest groups of axes with equal products:
 *
 *     old  (4, 6 | 10 | 3)      24 | 10 | 3
 *     new  (8, 3 | 2, 5 | 3)    24 | 10 | 3
 *
 * Inside a group the old axes must lie as one: each stride is the next one's times its size. Then
 * the new axes divide that one run. Axes of size 1 take no part: their strides mean nothing.
 */
#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

/* Strides of view's axes [first, end), which together walk one run of elements `stride` apart. */
static void divide_run(fal_tensor *view, int32_t first, int32_t end, int64_t stride)
{
    for (int32_t a = end - 1; a >= first; a--) {
        view->strides[a] = stride;
        stride = fal__scaled_stride(stride, view->shape[a]);
    }
}

/* Do t's axes [first, end) lie as one run? */
static bool is_run(const fal_tensor *t, int32_t first, int32_t end)
{
    for (int32_t a = first; a + 1 < end; a++) {
        int64_t joined;
        if (!fal__mul(t->strides[a + 1], t->shape[a + 1], &joined) || t->strides[a] != joined) return false;
    }
    return true;
}

/* Sets view's strides; false when a group of `t` (whose axes all have two elements or more) is not
 * one run. Both have the same, positive count. */
static bool regroup(const fal_tensor *t, fal_tensor *view)
{
    int32_t i = 0, j = 0; /* next axis of t and of view */
    while (i < t->rank) {
        int32_t i_first = i, j_first = j;
        int64_t t_product = t->shape[i++], view_product = view->shape[j++];
        /* Equal counts end both lists together, so the smaller product always has a next axis. */
        while (t_product != view_product) {
            if (t_product < view_product)
                t_product *= t->shape[i++];
            else
                view_product *= view->shape[j++];
        }
        if (!is_run(t, i_first, i)) return false;
        divide_run(view, j_first, j, t->strides[i - 1]);
    }
    /* What is left of the new shape are axes of size 1. */
    for (; j < view->rank; j++) view->strides[j] = 1;
    return true;
}

static fal_status fail_layout(const fal_tensor *t, const fal_tensor *view, fal_error *error)
{
    char from[FAL__LIST_TEXT], strides[FAL__LIST_TEXT], to[FAL__LIST_TEXT];
    fal__shape_text(t, from, sizeof from);
    fal__list_text(t->strides, t->rank, strides, sizeof strides);
    fal__shape_text(view, to, sizeof to);
    fal__fail(error, FAL_E_LAYOUT, "shape", "%s with strides %s cannot be seen as %s", from, strides, to);
    fal__allowed(error, FAL_E_LAYOUT, "axes that are joined must lie one after the other");
    return fal__hint(error, FAL_E_LAYOUT, "copy the tensor to a compact one first");
}

fal_status fal_tensor_reshape(const fal_tensor *t, int32_t rank, const int64_t *shape, fal_tensor *out,
                              fal_error *error)
{
    fal_tensor view, old = {.rank = 0};
    FAL__TRY(fal__view_begin(t, out, &view, error));
    FAL__TRY(fal__check_view_rank(rank, error));
    FAL__TRY(fal__check_array(shape, rank, "shape", error));
    for (int32_t a = 0; a < rank; a++) {
        if (shape[a] < 0) {
            fal__fail_entry(error, FAL_E_DIM, "shape", a, shape[a]);
            return fal__allowed(error, FAL_E_DIM, "must be at least 0");
        }
        fal__view_add(&view, shape[a], 1);
    }
    int64_t count = fal_tensor_count(t), wanted = fal_tensor_count(&view);
    if (count != wanted) {
        char from[FAL__LIST_TEXT], to[FAL__LIST_TEXT];
        fal__shape_text(t, from, sizeof from);
        fal__shape_text(&view, to, sizeof to);
        fal__fail(error, wanted < 0 ? FAL_E_OVERFLOW : FAL_E_SHAPE, "shape",
                  "%s has %" PRId64 " elements, %s has another number", from, count, to);
        return fal__allowed(error, wanted < 0 ? FAL_E_OVERFLOW : FAL_E_SHAPE, "counts must be equal");
    }
    if (count == 0) {
        (void)fal__row_major(&view);
        return fal__view_finish(&view, out, error);
    }
    for (int32_t a = 0; a < t->rank; a++)
        if (t->shape[a] != 1) fal__view_add(&old, t->shape[a], t->strides[a]);
    if (!regroup(&old, &view)) return fail_layout(t, &view, error);
    return fal__view_finish(&view, out, error);
}
