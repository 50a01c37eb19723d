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
 * Border cells are looked up one by one (border.c), the inside moves as one run. A cell is an element, or
 * the elements of axes at the end that no border touches.
 */
#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/convert.h"
#include "tensor/copy.h"
#include "tensor/rows.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

typedef struct padding {
    const fal_tensor *src, *dst;
    const int64_t *begin;
    fal_padding_mode mode;
    fal__element value;
    int32_t last;  /* the axis of rows */
    int64_t block; /* elements of a cell of a row: those of the axes behind it, which no border touches */
} padding;

/* Axes at the end that are the same in both and lie side by side are one cell, such as the channels of
 * channels-last images. */
static void join_axes(padding *p)
{
    const fal_tensor *src = p->src, *dst = p->dst;
    p->last = dst->rank - 1;
    p->block = 1;
    while (p->last > 0 && p->begin[p->last] == 0 && src->shape[p->last] == dst->shape[p->last] &&
           src->strides[p->last] == p->block && dst->strides[p->last] == p->block &&
           src->strides[p->last - 1] == p->block * dst->shape[p->last] &&
           dst->strides[p->last - 1] == p->block * dst->shape[p->last]) {
        p->block *= dst->shape[p->last];
        p->last--;
    }
}

/* Cell i of the row of t that begins at `row`, as elements to move; and so many of them. */
static fal__row cells_at(const padding *p, const fal_tensor *t, int64_t row, int64_t i)
{
    const int64_t stride = t->strides[p->last];
    return (fal__row){fal__tensor_offset(t, row + i * stride), t->dtype, p->block > 1 ? 1 : stride};
}

/* Cells first..end-1 of dst's rows, border or not; the row begins at `from` and `to`. */
static void pad_border(padding *p, int64_t from, int64_t to, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) {
        const int64_t index = fal_border_index(p->mode, i - p->begin[p->last], p->src->shape[p->last]);
        const fal__row target = cells_at(p, p->dst, to, i);
        if (index < 0) { /* zeros or constant: so is the rest */
            const fal__row value = {&p->value, p->dst->dtype, 0};
            fal__convert_row(value, target, (end - i) * p->block);
            return;
        }
        fal__convert_row(cells_at(p, p->src, from, index), target, p->block);
    }
}

/* The axis of rows: border, inside, border. */
static void pad_row(padding *p, int64_t from, int64_t to)
{
    const int64_t begin = p->begin[p->last], size = p->dst->shape[p->last];
    const int64_t first = fal__min(fal__max(begin, 0), size), skipped = fal__max(-begin, 0);
    const int64_t inside = fal__max(fal__min(p->src->shape[p->last] - skipped, size - first), 0);
    pad_border(p, from, to, 0, first);
    if (inside > 0)
        fal__convert_row(cells_at(p, p->src, from, skipped), cells_at(p, p->dst, to, first),
                         inside * p->block);
    pad_border(p, from, to, first + inside, size);
}

/* Are the rows of axis a whole ones of src, the next where one ends, with one value around them? */
static bool rows_join(const padding *p, int32_t a)
{
    const fal_tensor *src = p->src, *dst = p->dst;
    const int32_t last = p->last;
    return a == last - 1 && src->dtype == dst->dtype &&
           (p->mode == FAL_PAD_ZEROS || p->mode == FAL_PAD_CONSTANT) && p->begin[a] >= 0 &&
           p->begin[last] >= 0 && src->shape[a] > 0 && src->shape[last] > 0 &&
           src->shape[a] + p->begin[a] <= dst->shape[a] &&
           src->shape[last] + p->begin[last] <= dst->shape[last] && src->strides[last] == p->block &&
           dst->strides[last] == p->block && dst->strides[a] == p->block * dst->shape[last];
}

/* Rows and the values between them, where the end of one border is the beginning of the next. */
static void pad_plane(const padding *p, int32_t a, int64_t from, int64_t to)
{
    const fal_tensor *src = p->src, *dst = p->dst;
    const size_t bytes = fal_dtype_bytes(dst->dtype);
    const int64_t width = dst->strides[a], line = src->shape[p->last] * p->block;
    const int64_t above = p->begin[a] * width + p->begin[p->last] * p->block;
    const char *x = fal__tensor_offset(src, from);
    char *y = fal__tensor_offset(dst, to);
    fal__move_row(y, 1, &p->value, 0, above, bytes);
    y += (size_t)above * bytes;
    for (int64_t i = 0; i < src->shape[a]; i++) {
        fal__move_row(y, 1, x, 1, line, bytes);
        if (i < src->shape[a] - 1)
            fal__move_row(y + (size_t)line * bytes, 1, &p->value, 0, width - line, bytes);
        x += src->strides[a] * (int64_t)bytes;
        y += (size_t)width * bytes;
    }
    const int64_t below = dst->shape[a] * width - above - (src->shape[a] - 1) * width - line;
    fal__move_row(y - (size_t)(width - line) * bytes, 1, &p->value, 0, below, bytes);
}

/* Writes the block of axes a, a+1, ... that begins at element offset `from` of src and `to` of dst. */
static void pad_axes(padding *p, int32_t a, int64_t from, int64_t to)
{
    if (a == p->last) {
        pad_row(p, from, to);
        return;
    }
    if (rows_join(p, a)) {
        pad_plane(p, a, from, to);
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
    join_axes(&p);
    fal__store_f64(&p.value, dst->dtype, mode == FAL_PAD_CONSTANT ? value : 0);
    pad_axes(&p, 0, 0, 0);
    return FAL_OK;
}
