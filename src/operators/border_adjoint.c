/* SPDX-License-Identifier: BSD-3-Clause */
/* border_adjoint.c: see border_adjoint.h. */
#include "operators/border_adjoint.h"

#include <string.h>

#include "base/checked.h"
#include "tensor/tensor.h"

bool fal__adjoint_plan(fal__call *call, fal__adjoint *adjoint)
{
    const fal_conv_geometry *g = &call->geometry;
    *adjoint = (fal__adjoint){.needed = false};
    if (call->op != FAL_OP_CONV_GRAD_INPUT || g->padding_mode == FAL_PAD_ZEROS ||
        g->padding_mode == FAL_PAD_CONSTANT)
        return true;
    bool extends = false;
    for (int32_t a = 0; a < g->spatial; a++) extends |= g->axis[a].begin > 0 || g->axis[a].end > 0;
    if (!extends) return true;
    *adjoint = (fal__adjoint){.needed = true,
                              .sum_dtype = fal_dtype_is_integer(call->x_dtype) ? FAL_I64
                                           : call->x_dtype == FAL_F64          ? FAL_F64
                                                                               : FAL_F32,
                              .x_dtype = call->x_dtype,
                              .images = g->n,
                              .channels = g->in_channels,
                              .mode = g->padding_mode,
                              .x_n = call->x.n,
                              .x_c = call->x.c,
                              .y_n = call->y.n,
                              .beta = call->beta};
    int64_t extended = 1, cells = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) adjoint->axis[a] = (fal__problem_axis){.in = 1, .out = 1};
    for (int32_t a = g->spatial - 1; a >= 0; a--) {
        fal_axis *axis = &call->geometry.axis[a];
        fal__problem_axis *to = &adjoint->axis[FAL_MAX_SPATIAL - g->spatial + a];
        *to = (fal__problem_axis){.out = axis->input, .begin = axis->begin, .ys = call->x.space[a]};
        if (!fal__add(axis->input, axis->begin, &to->in) || !fal__add(to->in, axis->end, &to->in))
            return false;
        call->x.space[a] = extended;
        if (!fal__mul(extended, to->in, &extended) || !fal__mul(cells, axis->input, &cells)) return false;
        axis->input = to->in;
        axis->begin = axis->end = 0;
    }
    call->x.c = extended;
    call->x.n = 0;
    call->geometry.n = g->n > 0 ? 1 : 0;
    call->beta = 0;
    call->x_dtype = adjoint->sum_dtype;
    const int64_t bytes = (int64_t)fal_dtype_bytes(adjoint->sum_dtype) * adjoint->channels;
    if (!fal__mul(cells, bytes, &cells) || !fal__mul(extended, bytes, &extended) ||
        !fal__add(cells, 63, &cells) || !fal__add(extended, cells + 63, &extended))
        return false;
    adjoint->sums_bytes = (size_t)(cells / 64 * 64);
    adjoint->scratch_bytes = (size_t)(extended / 64 * 64);
    return true;
}

void *fal__adjoint_extension(const fal__adjoint *adjoint, void *scratch)
{
    return (char *)scratch + adjoint->sums_bytes;
}

/* to[j] += from[j] for elements that stand side by side. */
static bool add_run(fal_dtype dtype, const void *from, void *to, int64_t count)
{
    bool fits = true;
    if (dtype == FAL_F32)
        for (int64_t j = 0; j < count; j++) ((float *)to)[j] += ((const float *)from)[j];
    else if (dtype == FAL_F64)
        for (int64_t j = 0; j < count; j++) ((double *)to)[j] += ((const double *)from)[j];
    else
        for (int64_t j = 0; j < count; j++)
            fits &= fal__add(((int64_t *)to)[j], ((const int64_t *)from)[j], &((int64_t *)to)[j]);
    return fits;
}

/* sums[cell] += extension[position] along one row of the last axis: the interior in one run, each
 * border position by itself. */
static bool add_row(const fal__adjoint *adjoint, const char *from, char *to)
{
    const fal__problem_axis *axis = &adjoint->axis[FAL_MAX_SPATIAL - 1];
    const int64_t element = (int64_t)fal_dtype_bytes(adjoint->sum_dtype);
    bool fits = true;
    for (int64_t e = 0; e < axis->in;) {
        const int64_t position = e - axis->begin;
        const bool inside = position >= 0 && position < axis->out;
        const int64_t cell = inside ? position : fal_border_index(adjoint->mode, position, axis->out);
        const int64_t count = inside ? fal__min(axis->out - position, axis->in - e) : 1;
        fits &= add_run(adjoint->sum_dtype, from + e * element, to + cell * element, count);
        e += count;
    }
    return fits;
}

static bool add_channel(const fal__adjoint *adjoint, const char *from, char *to)
{
    const fal__problem_axis *d = &adjoint->axis[0], *h = &adjoint->axis[1], *w = &adjoint->axis[2];
    const int64_t element = (int64_t)fal_dtype_bytes(adjoint->sum_dtype);
    bool fits = true;
    for (int64_t z = 0; z < d->in; z++) {
        const int64_t plane = fal_border_index(adjoint->mode, z - d->begin, d->out);
        for (int64_t y = 0; y < h->in; y++) {
            const int64_t row = fal_border_index(adjoint->mode, y - h->begin, h->out);
            fits &= add_row(adjoint, from + (z * h->in + y) * w->in * element,
                            to + (plane * h->out + row) * w->out * element);
        }
    }
    return fits;
}

/* gx = beta*gx + sum, one element. */
static bool write_cell(const fal__adjoint *adjoint, const char *sum, char *gx)
{
    if (adjoint->sum_dtype == FAL_I64) {
        int64_t value = *(const int64_t *)(const void *)sum;
        if (adjoint->beta != 0 &&
            !fal__mul_add((int64_t)adjoint->beta, fal__load_i64(gx, adjoint->x_dtype), value, &value))
            return false;
        return fal__store_i64(gx, adjoint->x_dtype, value);
    }
    double value = fal__load_f64(sum, adjoint->sum_dtype);
    if (adjoint->beta != 0) value += adjoint->beta * fal__load_f64(gx, adjoint->x_dtype);
    fal__store_f64(gx, adjoint->x_dtype, value);
    return true;
}

static bool write_channel(const fal__adjoint *adjoint, const char *sums, char *gx)
{
    const fal__problem_axis *d = &adjoint->axis[0], *h = &adjoint->axis[1], *w = &adjoint->axis[2];
    const int64_t sum_bytes = (int64_t)fal_dtype_bytes(adjoint->sum_dtype);
    const int64_t element = (int64_t)fal_dtype_bytes(adjoint->x_dtype);
    bool fits = true;
    const bool plain = adjoint->sum_dtype == adjoint->x_dtype && adjoint->beta == 0 && w->ys == 1;
    for (int64_t z = 0; z < d->out; z++)
        for (int64_t y = 0; y < h->out; y++, sums += w->out * sum_bytes) {
            char *row = gx + (z * d->ys + y * h->ys) * element;
            if (plain) {
                memcpy(row, sums, (size_t)(w->out * sum_bytes));
                continue;
            }
            for (int64_t x = 0; x < w->out; x++)
                fits &= write_cell(adjoint, sums + x * sum_bytes, row + x * w->ys * element);
        }
    return fits;
}

bool fal__adjoint_fold(const fal__adjoint *adjoint, void *scratch, int64_t n, void *gx)
{
    const fal__problem_axis *axis = adjoint->axis;
    const int64_t sum_bytes = (int64_t)fal_dtype_bytes(adjoint->sum_dtype);
    const int64_t cells = axis[0].out * axis[1].out * axis[2].out * sum_bytes;
    const int64_t extended = axis[0].in * axis[1].in * axis[2].in * sum_bytes;
    const char *extension = fal__adjoint_extension(adjoint, scratch);
    const int64_t element = (int64_t)fal_dtype_bytes(adjoint->x_dtype);
    bool fits = true;
    memset(scratch, 0, adjoint->sums_bytes);
    for (int64_t c = 0; c < adjoint->channels; c++) {
        char *sums = (char *)scratch + c * cells;
        fits &= add_channel(adjoint, extension + c * extended, sums);
        fits &= write_channel(adjoint, sums, (char *)gx + (n * adjoint->x_n + c * adjoint->x_c) * element);
    }
    return fits;
}
