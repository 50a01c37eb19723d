/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_points.c: from offsets and masks to points; see deform.h.
 *
 * Positions are computed in double: an offset of float32 plus a cell number is then exact, and the only
 * roundings of a sample are those of its factors and its sum.
 */
#include <math.h>

#include "operators/deform.h"
#include "tensor/tensor.h"

static double load(const fal_tensor *t, int64_t offset)
{
    return fal__load_f64(fal__tensor_offset(t, offset), t->dtype);
}

/* Outside the open box (-1, height) x (-1, width) no cell is nearer than 1 on both axes. */
static fal__point point_at(const fal__deform *d, double y, double x, double mask)
{
    const fal_axis *axis = d->g.axis;
    fal__point p = {.mask = mask};
    if (isnan(y) || isnan(x)) p.down = p.right = NAN;
    if (!(y > -1 && x > -1 && y < (double)axis[0].input && x < (double)axis[1].input)) return p;
    p.row = (int64_t)floor(y);
    p.column = (int64_t)floor(x);
    p.down = y - (double)p.row;
    p.right = x - (double)p.column;
    for (int64_t i = 0; i < 2; i++)
        for (int64_t j = 0; j < 2; j++)
            p.cell[i][j] = p.row + i >= 0 && p.row + i < axis[0].input && p.column + j >= 0 &&
                           p.column + j < axis[1].input;
    return p;
}

/* The points of one output cell: taps outermost, then offset groups. */
static fal__point *cell_points(const fal__deform *d, const fal_deform_operands *o, int64_t n, int64_t oy,
                               int64_t ox, fal__point *points)
{
    const fal_axis *v = &d->g.axis[0], *h = &d->g.axis[1];
    const fal__data_strides *os = &d->offset, *ms = &d->mask;
    const int64_t offset_at = n * os->n + oy * os->space[0] + ox * os->space[1];
    const int64_t mask_at = n * ms->n + oy * ms->space[0] + ox * ms->space[1];
    for (int64_t t = 0; t < d->taps; t++) {
        const int64_t a = t / h->kernel, b = t % h->kernel;
        const double y = (double)(oy * v->stride - v->begin + a * v->dilation);
        const double x = (double)(ox * h->stride - h->begin + b * h->dilation);
        for (int64_t q = 0; q < d->offset_groups; q++) {
            const int64_t channel = q * d->taps + t, dy = offset_at + 2 * channel * os->c;
            const double mask = d->has_mask ? load(&o->mask, mask_at + channel * ms->c) : 1;
            *points++ = point_at(d, y + load(&o->offset, dy), x + load(&o->offset, dy + os->c), mask);
        }
    }
    return points;
}

void fal__deform_points(const fal__deform *d, const fal_deform_operands *o, const fal__deform_block *block,
                        int64_t begin, int64_t end, fal__point *points)
{
    for (int64_t i = begin; i < end; i++)
        points = cell_points(d, o, block->n, block->row + i / block->columns,
                             block->column + i % block->columns, points);
}
