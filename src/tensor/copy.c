/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy.c: copies between any two views of equal shape, fills, and zero stuffing.
 *
 * Every copy is brought to the fewest, longest rows first. Axes of size 1 go; the others are sorted
 * so that dst is written forward; neighbours that both views walk as one axis are joined:
 *
 *     NCHW -> NHWC, (2,3,4,5):    n  h  w  c          n  hw  c
 *         dst strides            60 15  3  1    ->   60   3  1
 *         src strides            60  5  1 20         60   1 20
 *
 * The innermost axis becomes the row that convert.c moves: the last one if it is long enough to pay
 * for the call, else the longest (here hw: 3 rows of 20 elements, not 20 rows of 3).
 */
#include "tensor/copy.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/convert.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

enum { LONG_ROW = 16 };

typedef struct axis {
    int64_t size, src, dst; /* strides in elements */
} axis;

typedef struct nest {
    axis axes[FAL_MAX_RANK]; /* outermost first */
    int32_t rank;
} nest;

/* Distance without sign, also of the least number. */
static uint64_t magnitude(int64_t stride)
{
    return stride < 0 ? -(uint64_t)stride : (uint64_t)stride;
}

static bool before(const axis *a, const axis *b)
{
    if (magnitude(a->dst) != magnitude(b->dst)) return magnitude(a->dst) > magnitude(b->dst);
    return magnitude(a->src) > magnitude(b->src);
}

/* Do both views walk `outer` and `inner` as one axis? */
static bool joins(const axis *outer, const axis *inner)
{
    int64_t src, dst;
    return fal__mul(inner->src, inner->size, &src) && fal__mul(inner->dst, inner->size, &dst) &&
           outer->src == src && outer->dst == dst;
}

static nest nest_of(const fal_tensor *src, const fal_tensor *dst)
{
    nest sorted = {.rank = 0}, joined = {.rank = 0};
    for (int32_t a = 0; a < dst->rank; a++) {
        if (dst->shape[a] == 1) continue;
        axis next = {dst->shape[a], src->strides[a], dst->strides[a]};
        int32_t at = sorted.rank++;
        for (; at > 0 && before(&next, &sorted.axes[at - 1]); at--) sorted.axes[at] = sorted.axes[at - 1];
        sorted.axes[at] = next;
    }
    for (int32_t a = 0; a < sorted.rank; a++) {
        axis *last = joined.rank > 0 ? &joined.axes[joined.rank - 1] : NULL;
        if (last != NULL && joins(last, &sorted.axes[a]))
            *last = (axis){last->size * sorted.axes[a].size, sorted.axes[a].src, sorted.axes[a].dst};
        else
            joined.axes[joined.rank++] = sorted.axes[a];
    }
    return joined;
}

/* Takes the row's axis out of the nest. */
static axis take_row(nest *n)
{
    if (n->rank == 0) return (axis){1, 1, 1};
    int32_t chosen = n->rank - 1;
    if (n->axes[chosen].size < LONG_ROW)
        for (int32_t a = 0; a < n->rank; a++)
            if (n->axes[a].size > n->axes[chosen].size) chosen = a;
    axis row = n->axes[chosen];
    n->rank--;
    for (int32_t a = chosen; a < n->rank; a++) n->axes[a] = n->axes[a + 1];
    return row;
}

void fal__copy_elements(const fal_tensor *src, const fal_tensor *dst)
{
    if (fal_tensor_count(dst) <= 0) return;
    nest n = nest_of(src, dst);
    axis row = take_row(&n);
    int64_t index[FAL_MAX_RANK] = {0}, from = 0, to = 0;
    for (;;) {
        fal__row source = {fal__tensor_offset(src, from), src->dtype, row.src};
        fal__row target = {fal__tensor_offset(dst, to), dst->dtype, row.dst};
        fal__convert_row(source, target, row.size);
        /* Next row: the last axis that is not at its end steps, those after it return to 0. */
        int32_t a = n.rank - 1;
        for (; a >= 0 && index[a] == n.axes[a].size - 1; a--) {
            from -= index[a] * n.axes[a].src;
            to -= index[a] * n.axes[a].dst;
            index[a] = 0;
        }
        if (a < 0) return;
        index[a]++;
        from += n.axes[a].src;
        to += n.axes[a].dst;
    }
}

void fal__fill_elements(const fal__element *element, const fal_tensor *dst)
{
    fal__element copy = *element;
    fal_tensor everywhere = *dst;
    everywhere.data = &copy;
    for (int32_t a = 0; a < dst->rank; a++) everywhere.strides[a] = 0;
    fal__copy_elements(&everywhere, dst);
}

fal_status fal__check_operands(const fal_tensor *src, const fal_tensor *dst, fal_error *error)
{
    FAL__TRY(fal_tensor_check(src, "src", error));
    return fal__tensor_check_output(dst, "dst", error);
}

fal_status fal__check_memory(const fal_tensor *src, const fal_tensor *dst, fal_error *error)
{
    FAL__TRY(fal__tensor_check_align(src, "src", error));
    FAL__TRY(fal__tensor_check_align(dst, "dst", error));
    return fal__tensor_check_alias(dst, "dst", src, "src", error);
}

fal_status fal_tensor_copy(const fal_tensor *src, const fal_tensor *dst, fal_error *error)
{
    FAL__TRY(fal__check_operands(src, dst, error));
    FAL__TRY(fal__tensor_check_same_shape(src, "src", dst, "dst", error));
    FAL__TRY(fal__check_memory(src, dst, error));
    fal__copy_elements(src, dst);
    return FAL_OK;
}

fal_status fal_tensor_fill(const fal_tensor *t, double value, fal_error *error)
{
    FAL__TRY(fal__tensor_check_output(t, "tensor", error));
    FAL__TRY(fal__tensor_check_align(t, "tensor", error));
    fal__element element;
    fal__store_f64(&element, t->dtype, value);
    fal__fill_elements(&element, t);
    return FAL_OK;
}

/* Refuses axis `a` of dst unless it has (i-1)*factor+1 elements, or none when i is 0. */
static fal_status check_stuffed_axis(int64_t i, int64_t factor, int64_t size, int32_t a, fal_error *error)
{
    char field[32];
    snprintf(field, sizeof field, "factor[%" PRId32 "]", a);
    if (factor < 1) {
        fal__fail(error, FAL_E_VALUE, field, "%s is %" PRId64, field, factor);
        return fal__allowed(error, FAL_E_VALUE, "must be at least 1");
    }
    int64_t wanted = 0;
    if (i > 0 && !fal__mul_add(i - 1, factor, 1, &wanted))
        return fal__fail(error, FAL_E_OVERFLOW, field, "%" PRId64 " elements at %s = %" PRId64 " overflow", i,
                         field, factor);
    if (size == wanted) return FAL_OK;
    fal__fail(error, FAL_E_SHAPE, "dst", "axis %" PRId32 " of dst has size %" PRId64, a, size);
    return fal__allowed(error, FAL_E_SHAPE,
                        "must be %" PRId64 ", for %" PRId64 " elements at factor %" PRId64, wanted, i,
                        factor);
}

fal_status fal_tensor_zero_stuff(const fal_tensor *src, const int64_t *factor, const fal_tensor *dst,
                                 fal_error *error)
{
    FAL__TRY(fal__check_operands(src, dst, error));
    FAL__TRY(fal__check_array(factor, src->rank, "factor", error));
    if (src->rank != dst->rank) return fal__tensor_check_same_shape(src, "src", dst, "dst", error);
    fal_tensor kept = *dst;
    for (int32_t a = 0; a < src->rank; a++) {
        FAL__TRY(check_stuffed_axis(src->shape[a], factor[a], dst->shape[a], a, error));
        kept.shape[a] = src->shape[a];
        kept.strides[a] = fal__scaled_stride(dst->strides[a], factor[a]);
    }
    FAL__TRY(fal__check_memory(src, dst, error));
    FAL__TRY(fal_tensor_fill(dst, 0, error));
    fal__copy_elements(src, &kept);
    return FAL_OK;
}
