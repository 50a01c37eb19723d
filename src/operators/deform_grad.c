/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_grad.c: the gradients of the deformable convolution; deform.h shows the parts.
 *
 * Block by block, one after another, every step on all threads:
 *
 *     gw      += columns x gy               a plan; the sum over blocks runs in a fixed order
 *     gcolumns = gy x weights, per tap      a plan; in the memory of the columns, which are done
 *     goffset, gmask                        by pixels: dot products of gcolumns with the image's cells
 *     gx      += gcolumns, spread           by channels: a task owns channels and walks all pixels
 *
 * Points meet in the same cell of gx; because no two tasks share a channel there is nothing to lock, and
 * every sum has one order whatever the number of threads.
 */
#include "operators/deform_grad.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "tensor/tensor.h"
#include "threads/parallel.h"

/* Channels are shared out in units of a cache line of float32. */
enum { CHANNEL_UNIT = 16 };

/* ---- Parts of a block ---- */

static int64_t pixels_of(const fal__deform_block *block)
{
    return block->rows * block->columns;
}

static fal__deform_image image_of(const fal__deform_grad *b)
{
    return fal__deform_image_of(&b->d, &b->o->x, b->block.n, b->copies ? b->memory + b->copy_at : NULL);
}

static fal__deform_image gradient_image_of(const fal__deform_grad *b)
{
    return fal__deform_image_of(&b->d, &b->o->x, b->block.n, b->memory + b->gx_at);
}

static fal__point *points_of(const fal__deform_grad *b)
{
    return (fal__point *)(void *)(b->memory + b->points_at);
}

/* Row of channels of one pixel and tap. */
static char *row_of(const fal__deform_grad *b, int64_t row)
{
    return b->memory + b->columns_at + (size_t)(row * b->d.g.in_channels) * b->rows.bytes;
}

/* Points, and columns when the weight's gradient wants them. */
static void sample_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    const fal__deform *d = &b->d;
    int64_t begin, end;
    fal__partition(pixels_of(&b->block), b->tasks, index, &begin, &end);
    fal__point *points = points_of(b) + begin * d->taps * d->offset_groups;
    fal__deform_points(d, b->o, &b->block, begin, end, points);
    if (!b->wants_w) return;
    const fal__deform_image image = image_of(b);
    char *columns = row_of(b, begin * d->taps);
    for (int64_t i = begin * d->taps; i < end * d->taps; i++)
        for (int64_t q = 0; q < d->offset_groups; q++, columns += (size_t)d->group_channels * b->rows.bytes)
            fal__deform_gather(&b->rows, points++, &image, q * d->group_channels, d->group_channels, columns);
}

/* gradient = beta*gradient + value at one element of goffset or gmask. */
static void write(const fal__deform *d, const fal_tensor *gradient, int64_t offset, double value)
{
    void *to = fal__tensor_offset(gradient, offset);
    if (d->beta != 0) value += d->beta * fal__load_f64(to, gradient->dtype);
    fal__store_f64(to, gradient->dtype, value);
}

static void slope_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    const fal__deform *d = &b->d;
    const fal_tensor *goffset = &b->gradients->offset, *gmask = &b->gradients->mask;
    const fal__data_strides os = fal__data_strides_of(&d->g, goffset),
                            ms = fal__data_strides_of(&d->g, gmask);
    const fal__deform_image image = image_of(b);
    const size_t step = (size_t)d->group_channels * b->rows.bytes;
    int64_t begin, end;
    fal__partition(pixels_of(&b->block), b->tasks, index, &begin, &end);
    const fal__point *point = points_of(b) + begin * d->taps * d->offset_groups;
    const char *from = row_of(b, begin * d->taps);
    for (int64_t i = begin * d->taps; i < end * d->taps; i++) {
        const int64_t tap = i % d->taps, pixel = i / d->taps;
        const int64_t oy = b->block.row + pixel / b->block.columns;
        const int64_t ox = b->block.column + pixel % b->block.columns;
        for (int64_t q = 0; q < d->offset_groups; q++, from += step, point++) {
            const int64_t channel = q * d->taps + tap;
            const fal__slopes slopes =
                fal__deform_slopes(&b->rows, point, &image, q * d->group_channels, d->group_channels, from);
            if (!fal__operand_missing(goffset)) {
                const int64_t at =
                    b->block.n * os.n + 2 * channel * os.c + oy * os.space[0] + ox * os.space[1];
                write(d, goffset, at, slopes.y);
                write(d, goffset, at + os.c, slopes.x);
            }
            if (!fal__operand_missing(gmask))
                write(d, gmask, b->block.n * ms.n + channel * ms.c + oy * ms.space[0] + ox * ms.space[1],
                      slopes.mask);
        }
    }
}

/* The task's channels of all rows of the block, spread into gx's image. Cuts lie whole units behind the first
 * channel of an offset group: a channel is in the same vector, whole or not, for any number of tasks, and a
 * compiler that fuses only one of the two changes no bit. */
static void spread_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    const fal__deform *d = &b->d;
    const int64_t units = fal__ceil_div(d->group_channels, CHANNEL_UNIT);
    const fal__deform_image image = gradient_image_of(b);
    int64_t begin, end;
    fal__partition(d->offset_groups * units, b->tasks, index, &begin, &end);
    if (begin >= end) return;
    const int64_t first = begin / units, last = (end - 1) / units;
    for (int64_t i = 0; i < pixels_of(&b->block) * d->taps; i++)
        for (int64_t q = first; q <= last; q++) {
            const int64_t low = fal__max(begin - q * units, 0) * CHANNEL_UNIT;
            const int64_t high = fal__min((end - q * units) * CHANNEL_UNIT, d->group_channels);
            const int64_t from = q * d->group_channels + low;
            fal__deform_scatter(&b->rows, points_of(b) + i * d->offset_groups + q, &image, from, high - low,
                                row_of(b, i) + (size_t)from * b->rows.bytes);
        }
}

/* ---- Images ---- */

/* Copies image n of x, clears gx's. */
static void open_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    const int64_t row = b->d.g.axis[1].input * b->d.g.in_channels;
    int64_t begin, end;
    fal__partition(b->d.g.axis[0].input, b->tasks, index, &begin, &end);
    if (begin == end) return;
    if (b->copies) fal__deform_image_copy(&b->d, &b->o->x, b->block.n, begin, end, b->memory + b->copy_at);
    if (!b->wants_x) return;
    const size_t row_bytes = (size_t)row * b->rows.bytes;
    memset(b->memory + b->gx_at + (size_t)begin * row_bytes, 0, (size_t)(end - begin) * row_bytes);
}

static void close_task(void *argument, int32_t index)
{
    const fal__deform_grad *b = argument;
    int64_t begin, end;
    fal__partition(b->d.g.axis[0].input, b->tasks, index, &begin, &end);
    if (begin < end)
        fal__deform_image_add(&b->d, b->memory + b->gx_at, begin, end, &b->gradients->x, b->block.n);
}

static fal_status run_block(fal__deform_grad *b)
{
    fal__parallel(&b->setting.executor, b->tasks, sample_task, b);
    if (b->wants_w) FAL__TRY(fal__deform_grad_weight(b));
    if (b->wants_slopes || b->wants_x) FAL__TRY(fal__deform_grad_columns(b));
    if (b->wants_slopes) fal__parallel(&b->setting.executor, b->tasks, slope_task, b);
    if (b->wants_x) fal__parallel(&b->setting.executor, b->tasks, spread_task, b);
    return FAL_OK;
}

fal_status fal__deform_grad_image(fal__deform_grad *b, int64_t n)
{
    b->block = (fal__deform_block){.n = n};
    fal__parallel(&b->setting.executor, b->tasks, open_task, b);
    for (int64_t i = 0; i < b->blocks.down * b->blocks.across; i++) {
        b->block = fal__deform_block_at(&b->d, &b->blocks, n, i);
        FAL__TRY(run_block(b));
    }
    if (b->wants_x) fal__parallel(&b->setting.executor, b->tasks, close_task, b);
    return FAL_OK;
}
