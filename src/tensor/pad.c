/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pad.c: a tensor continued beyond its ends, or cropped.
 *
 * Element i of an axis of dst is position i - begin of src. Axes are walked outermost first; where
 * no element of src stands at a position the whole block below it is the border value:
 *
 *     dst row   [ border | src, cropped | border ]
 *               0        from           from+inside   size of dst
 *
 * Border elements are looked up one by one (border.c), the inside moves as one run.
 */
#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/convert.h"
#include "tensor/copy.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

typedef struct padding {
    const fal_tensor *src, *dst;
    const int64_t *begin;
    fal_padding_mode mode;
    fal__element value; /* of dst's type */
} padding;

/* Elements first..end-1 of dst's last axis, border or not; the row begins at `from` and `to`. */
static void pad_border(padding *p, int64_t from, int64_t to, int64_t first, int64_t end)
{
    int32_t last = p->dst->rank - 1;
    int64_t src_stride = p->src->strides[last], dst_stride = p->dst->strides[last];
    for (int64_t i = first; i < end; i++) {
        int64_t index = fal_border_index(p->mode, i - p->begin[last], p->src->shape[last]);
        fal__row target = {fal__tensor_offset(p->dst, to + i * dst_stride), p->dst->dtype, dst_stride};
        if (index < 0) { /* zeros or constant: so is the rest */
            fal__row value = {&p->value, p->dst->dtype, 0};
            fal__convert_row(value, target, end - i);
            return;
        }
        fal__row source = {fal__tensor_offset(p->src, from + index * src_stride), p->src->dtype, src_stride};
        fal__convert_row(source, target, 1);
    }
}

/* The last axis: border, inside, border. */
static void pad_row(padding *p, int64_t from, int64_t to)
{
    int32_t last = p->dst->rank - 1;
    int64_t begin = p->begin[last], size = p->dst->shape[last];
    int64_t first = fal__min(fal__max(begin, 0), size), skipped = fal__max(-begin, 0);
    int64_t inside = fal__max(fal__min(p->src->shape[last] - skipped, size - first), 0);
    pad_border(p, from, to, 0, first);
    int64_t src_stride = p->src->strides[last], dst_stride = p->dst->strides[last];
    if (inside > 0) {
        fal__row source = {fal__tensor_offset(p->src, from + skipped * src_stride), p->src->dtype,
                           src_stride};
        fal__row target = {fal__tensor_offset(p->dst, to + first * dst_stride), p->dst->dtype, dst_stride};
        fal__convert_row(source, target, inside);
    }
    pad_border(p, from, to, first + inside, size);
}

/* Writes the block of axes a, a+1, ... that begins at element offset `from` of src and `to` of dst. */
static void pad_axes(padding *p, int32_t a, int64_t from, int64_t to)
{
    if (a == p->dst->rank - 1) {
        pad_row(p, from, to);
        return;
    }
    for (int64_t i = 0; i < p->dst->shape[a]; i++) {
        int64_t index = fal_border_index(p->mode, i - p->begin[a], p->src->shape[a]);
        int64_t target = to + i * p->dst->strides[a];
        if (index >= 0) {
            pad_axes(p, a + 1, from + index * p->src->strides[a], target);
            continue;
        }
        fal_tensor block = {.data = fal__tensor_offset(p->dst, target), .dtype = p->dst->dtype};
        for (int32_t b = a + 1; b < p->dst->rank; b++)
            fal__view_add(&block, p->dst->shape[b], p->dst->strides[b]);
        fal__fill_elements(&p->value, &block);
    }
}

/* Refuses axis `a` when positions overflow or when there is nothing to continue. */
static fal_status check_axis(const fal_tensor *src, const fal_tensor *dst, int64_t begin,
                             fal_padding_mode mode, int32_t a, fal_error *error)
{
    int64_t size = dst->shape[a], position;
    if (size == 0) return FAL_OK;
    if (!fal__sub(0, begin, &position) || !fal__sub(size - 1, begin, &position)) {
        fal__fail_entry(error, FAL_E_OVERFLOW, "begin", a, begin);
        return fal__allowed(error, FAL_E_OVERFLOW,
                            "positions of an axis of size %" PRId64 " must fit 64 bits", size);
    }
    if (src->shape[a] > 0 || mode == FAL_PAD_ZEROS || mode == FAL_PAD_CONSTANT) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "src", "axis %" PRId32 " of src is empty, of dst has size %" PRId64, a,
              size);
    return fal__allowed(error, FAL_E_PADDING, "an empty axis can only be padded with zeros or a constant");
}

fal_status fal_tensor_pad(const fal_tensor *src, const int64_t *begin, fal_padding_mode mode, double value,
                          const fal_tensor *dst, fal_error *error)
{
    FAL__TRY(fal__check_operands(src, dst, error));
    FAL__TRY(fal__check_array(begin, src->rank, "begin", error));
    if ((int)mode < FAL_PAD_ZEROS || (int)mode > FAL_PAD_CONSTANT) {
        fal__fail(error, FAL_E_VALUE, "mode", "mode is %d", (int)mode);
        return fal__allowed(error, FAL_E_VALUE, "must be a fal_padding_mode");
    }
    if (src->rank != dst->rank) return fal__tensor_check_same_shape(src, "src", dst, "dst", error);
    for (int32_t a = 0; a < src->rank; a++) FAL__TRY(check_axis(src, dst, begin[a], mode, a, error));
    FAL__TRY(fal__check_memory(src, dst, error));
    if (fal_tensor_count(dst) == 0) return FAL_OK;
    if (dst->rank == 0) {
        fal__copy_elements(src, dst);
        return FAL_OK;
    }
    padding p = {.src = src, .dst = dst, .begin = begin, .mode = mode};
    fal__store_f64(&p.value, dst->dtype, mode == FAL_PAD_CONSTANT ? value : 0);
    pad_axes(&p, 0, 0, 0);
    return FAL_OK;
}
