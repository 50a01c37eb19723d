/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pad_grad.c: the adjoint of fal_tensor_pad.
 *
 * Whatever the mode, the continued axis is a chain of stretches in which the element moves by +1, -1
 * or 0 from position to position. Axis a b c d with symmetric and replicate borders:
 *
 *     position     -5 -4 | -3 ... 0 | 1 ... 4 | 5          -2 -1 | 0 1 2 3 | 4 5
 *     symmetric     .. d | d c b a  | a b c d | d ..         a a | a b c d | d d    replicate
 *                     +1     -1         +1      -1            0      +1       0
 *
 * so a row of gx collects runs of gy. Cells add up in ascending order of the positions that show them,
 * in double or in 128 bits, and are rounded once; no memory is needed beyond a block on the stack.
 */
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/error.h"
#include "operators/planes.h"
#include "operators/row_sums.h"
#include "tensor/tensor.h"

enum { BLOCK = 64 };

typedef struct adjoint {
    const fal_tensor *gy, *gx;
    const int64_t *begin;
    fal_padding_mode mode;
    const fal__row_sums *arithmetic;
    int64_t cell[FAL_MAX_RANK]; /* of gx; on the last axis the first of the block */
    int64_t count;              /* cells of the block */
    union {
        double real[BLOCK];
        fal__int128 whole[BLOCK];
    } sums;
} adjoint;

/* ---- stretches --------------------------------------------------------------------------------- */

/* Positions position..position+length-1 show the elements index, index+step, ...; index < 0: none. */
typedef struct stretch {
    int64_t index, step, length;
} stretch;

/* The stretch that begins at `position`, cut at `end`. */
static stretch stretch_at(fal_padding_mode mode, int64_t size, int64_t position, int64_t end)
{
    const int64_t room = end - position;
    if (position >= 0 && position < size) return (stretch){position, 1, fal__min(size - position, room)};
    const int64_t index = fal_border_index(mode, position, size);
    if (index < 0 || mode == FAL_PAD_REPLICATE || size == 1)
        return (stretch){index, 0, position < 0 ? fal__min(-position, room) : room};
    if (mode == FAL_PAD_CIRCULAR) return (stretch){index, 1, fal__min(size - index, room)};
    /* Mirrored: stretches of `size` cells, or of size - 1 when the ends are not repeated, turn about. */
    const int64_t each = mode == FAL_PAD_REFLECT ? size - 1 : size;
    const int64_t passed = fal__floor_mod(position, each);
    const int64_t step = fal__floor_div(position, each) % 2 == 0 ? 1 : -1;
    return (stretch){index, step, fal__min(each - passed, room)};
}

/* ---- the sum ------------------------------------------------------------------------------------- */

/* Adds what the row of gy at `row` (element offset) shows of the block. */
static void add_row(adjoint *a, int64_t row)
{
    const int32_t last = a->gx->rank - 1;
    const int64_t begin = a->begin[last], end = a->gy->shape[last] - begin, gy_step = a->gy->strides[last];
    const int64_t low = a->cell[last], high = low + a->count;
    for (int64_t p = -begin; p < end;) {
        const stretch s = stretch_at(a->mode, a->gx->shape[last], p, end);
        /* Positions from..to-1 of the stretch show cells low..high-1. */
        int64_t from = 0, to = s.index < 0 ? 0 : s.length;
        if (s.step > 0) {
            from = fal__max(low - s.index, 0);
            to = fal__min(high - s.index, to);
        } else if (s.step < 0) {
            from = fal__max(s.index - high + 1, 0);
            to = fal__min(s.index - low + 1, to);
        } else if (s.index < low || s.index >= high) {
            to = 0;
        }
        if (from < to) {
            const int64_t lane = s.index + from * s.step - low;
            char *sums = (char *)&a->sums + (size_t)lane * a->arithmetic->bytes;
            const void *gy = fal__tensor_offset(a->gy, row + (p + begin + from) * gy_step);
            a->arithmetic->add(sums, s.step, gy, gy_step, to - from);
        }
        p += s.length;
    }
}

/* Adds every row of gy whose positions on the axes before the last show the block's cells. `offset` is
 * where the axes before `axis` stand in gy. */
static void add_axes(adjoint *a, int32_t axis, int64_t offset)
{
    if (axis == a->gx->rank - 1) {
        add_row(a, offset);
        return;
    }
    const int64_t begin = a->begin[axis], end = a->gy->shape[axis] - begin, cell = a->cell[axis];
    for (int64_t p = -begin; p < end;) {
        const stretch s = stretch_at(a->mode, a->gx->shape[axis], p, end);
        const int64_t away = s.step < 0 ? s.index - cell : cell - s.index;
        const bool shows = s.index >= 0 && away >= 0 && (s.step == 0 ? away == 0 : away < s.length);
        for (int64_t i = 0; shows && i < (s.step == 0 ? s.length : 1); i++)
            add_axes(a, axis + 1, offset + (p + begin + away + i) * a->gy->strides[axis]);
        p += s.length;
    }
}

/* Next row of gx; false after the last. */
static bool next_row(adjoint *a)
{
    for (int32_t axis = a->gx->rank - 2; axis >= 0; axis--) {
        if (++a->cell[axis] < a->gx->shape[axis]) return true;
        a->cell[axis] = 0;
    }
    return false;
}

static bool write_row(adjoint *a)
{
    const int32_t last = a->gx->rank - 1;
    bool fits = true;
    for (int64_t w = 0; w < a->gx->shape[last]; w += BLOCK) {
        a->cell[last] = w;
        a->count = fal__min(a->gx->shape[last] - w, BLOCK);
        memset(&a->sums, 0, sizeof a->sums);
        add_axes(a, 0, 0);
        fits &=
            a->arithmetic->store(&a->sums, 1, fal__tensor_at(a->gx, a->cell), a->gx->strides[last], a->count);
    }
    return fits;
}

/* ---- checks -------------------------------------------------------------------------------------- */

static fal_status check_axis(const adjoint *a, int32_t axis, fal_error *error)
{
    const int64_t size = a->gy->shape[axis], cells = a->gx->shape[axis], begin = a->begin[axis];
    int64_t position;
    if (size == 0) return FAL_OK;
    if (!fal__sub(0, begin, &position) || !fal__sub(size, begin, &position)) {
        fal__fail(error, FAL_E_OVERFLOW, "begin", "begin is %" PRId64, begin);
        fal__allowed(error, FAL_E_OVERFLOW, "positions of an axis of size %" PRId64 " must fit 64 bits",
                     size);
        return fal__name_axis(error, FAL_E_OVERFLOW, axis);
    }
    if (cells > 0 || a->mode == FAL_PAD_ZEROS || a->mode == FAL_PAD_CONSTANT) return FAL_OK;
    fal__fail(error, FAL_E_PADDING, "gx", "axis %" PRId32 " of gx is empty, of gy has size %" PRId64, axis,
              size);
    return fal__allowed(error, FAL_E_PADDING, "an empty axis can only be padded with zeros or a constant");
}

static fal_status check(const adjoint *a, fal_error *error)
{
    FAL__TRY(fal_tensor_check(a->gy, "gy", error));
    FAL__TRY(fal__tensor_check_output(a->gx, "gx", error));
    FAL__TRY(fal__planes_same_type(a->gy, "gy", a->gx, "gx", error));
    if (a->begin == NULL && a->gx->rank > 0) return fal__fail(error, FAL_E_NULL, "begin", "begin is NULL");
    if ((int)a->mode < FAL_PAD_ZEROS || (int)a->mode > FAL_PAD_CONSTANT) {
        fal__fail(error, FAL_E_VALUE, "mode", "mode is %d", (int)a->mode);
        return fal__allowed(error, FAL_E_VALUE, "must be a fal_padding_mode");
    }
    if (a->gy->rank != a->gx->rank) return fal__tensor_check_same_shape(a->gy, "gy", a->gx, "gx", error);
    for (int32_t axis = 0; axis < a->gx->rank; axis++) FAL__TRY(check_axis(a, axis, error));
    FAL__TRY(fal__tensor_check_align(a->gy, "gy", error));
    FAL__TRY(fal__tensor_check_align(a->gx, "gx", error));
    return fal__tensor_check_alias(a->gx, "gx", a->gy, "gy", error);
}

fal_status fal_tensor_pad_grad(const fal_tensor *gy, const int64_t *begin, fal_padding_mode mode,
                               const fal_tensor *gx, fal_error *error)
{
    adjoint a = {.gy = gy, .gx = gx, .begin = begin, .mode = mode};
    FAL__TRY(check(&a, error));
    if (fal_tensor_count(gx) == 0) return FAL_OK;
    if (fal_tensor_count(gy) == 0) return fal_tensor_fill(gx, 0, error);
    if (gx->rank == 0) return fal_tensor_copy(gy, gx, error);
    a.arithmetic = fal__row_sums_for(gx->dtype);
    bool fits = true;
    do fits &= write_row(&a);
    while (next_row(&a));
    return fits ? FAL_OK : fal__planes_overflow(error, "gx", gx);
}
