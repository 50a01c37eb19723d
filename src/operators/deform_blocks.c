/* SPDX-License-Identifier: BSD-3-Clause */
/* deform_blocks.c: how the output is cut and where its memory lies; see deform.h. */
#include "base/checked.h"
#include "geometry/operands.h"
#include "operators/deform.h"
#include "tensor/tensor.h"

fal__deform_blocks fal__deform_blocks_of(const fal__deform *d, int64_t bytes)
{
    const int64_t height = d->g.axis[0].output, width = d->g.axis[1].output;
    int64_t column = INT64_MAX;
    if (!fal__mul(d->taps, d->g.in_channels, &column) || !fal__mul(column, (int64_t)sizeof(float), &column))
        column = INT64_MAX;
    const int64_t pixels = fal__max(1, bytes / fal__max(column, 1));
    fal__deform_blocks b = {.rows = fal__max(1, fal__min(height, pixels / fal__max(width, 1))),
                            .columns = fal__max(1, fal__min(width, pixels))};
    b.down = fal__ceil_div(height, b.rows);
    b.across = fal__ceil_div(width, b.columns);
    b.rest = b.across > 1 ? width % b.columns : height % b.rows;
    return b;
}

fal__deform_block fal__deform_block_at(const fal__deform *d, const fal__deform_blocks *blocks, int64_t n,
                                       int64_t index)
{
    const int64_t row = index / blocks->across * blocks->rows;
    const int64_t column = index % blocks->across * blocks->columns;
    return (fal__deform_block){.n = n,
                               .row = row,
                               .column = column,
                               .rows = fal__min(blocks->rows, d->g.axis[0].output - row),
                               .columns = fal__min(blocks->columns, d->g.axis[1].output - column)};
}

fal_operands fal__deform_product(const fal__deform *d, const fal_deform_operands *o,
                                 const fal__deform_block *block, void *columns)
{
    const fal_conv_geometry *g = &d->g;
    const int64_t kh = g->axis[0].kernel, kw = g->axis[1].kernel, c = g->in_channels, taps = d->taps;
    const fal__data_strides ys = fal__data_strides_of(g, &o->y);
    const fal__weight_strides ws = fal__weight_strides_of(g, &o->w);
    const int64_t at = block->n * ys.n + block->row * ys.space[0] + block->column * ys.space[1];
    return (fal_operands){.x = {.data = columns,
                                .dtype = d->dtype,
                                .rank = 5,
                                .shape = {block->rows, c, block->columns, kh, kw},
                                .strides = {block->columns * taps * c, 1, taps * c, kw * c, c}},
                          .w = {.data = o->w.data,
                                .dtype = d->dtype,
                                .rank = 5,
                                .shape = {g->out_channels, c / g->groups, 1, kh, kw},
                                .strides = {ws.out, ws.in, 0, ws.space[0], ws.space[1]}},
                          .bias = o->bias,
                          .y = {.data = o->y.data == NULL ? NULL : fal__tensor_offset(&o->y, at),
                                .dtype = d->dtype,
                                .rank = 5,
                                .shape = {block->rows, g->out_channels, block->columns, 1, 1},
                                .strides = {ys.space[0], ys.c, ys.space[1], 0, 0}}};
}

bool fal__deform_book(size_t *total, int64_t count, size_t bytes, size_t *offset)
{
    int64_t size, end;
    *offset = *total;
    if (!fal__mul(count, (int64_t)bytes, &size) || !fal__add(size, (int64_t)*total + 63, &end)) return false;
    *total = (size_t)(end / 64 * 64);
    return true;
}
