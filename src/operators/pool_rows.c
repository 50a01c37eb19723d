/* SPDX-License-Identifier: BSD-3-Clause */
/* pool_rows.c: see pool_rows.h. */
#include "operators/pool_rows.h"

#include <math.h>

#include "base/checked.h"

fal__pool_range fal__pool_middle(const fal_axis *axis, bool adaptive)
{
    if (adaptive) return (fal__pool_range){0, 0};
    const int64_t reach = axis->input - 1 + axis->begin - (axis->kernel - 1) * axis->dilation;
    const int64_t end = reach < 0 ? 0 : fal__min(reach / axis->stride + 1, axis->output);
    const int64_t first = fal__min(fal__ceil_div(axis->begin, axis->stride), end);
    return (fal__pool_range){first, end};
}

fal__pool_range fal__pool_next(const fal__pool_range *middle, int64_t at, int64_t end)
{
    const bool inside = at >= middle->first && at < middle->end;
    return (fal__pool_range){at, inside ? fal__min(middle->end, end) : at + 1};
}

/* ---- Rectangles of windows alike ---- */

typedef struct rectangle {
    int64_t n, c, depth;
    fal__pool_range row, column;
    fal__window window[FAL_MAX_SPATIAL]; /* of its first output */
} rectangle;

static int64_t offset_of(const fal__steps *s, const rectangle *r)
{
    return r->n * s->n + r->c * s->c + r->depth * s->space[0] + r->row.first * s->space[1] +
           r->column.first * s->space[2];
}

static int64_t first_cell_of(const fal__steps *s, const rectangle *r)
{
    return r->n * s->n + r->c * s->c + r->window[0].first * s->space[0] + r->window[1].first * s->space[1] +
           r->window[2].first * s->space[2];
}

/* Windows without a cell. */
static void fill(const fal__pool_rows *f, const rectangle *r, int64_t channels)
{
    const fal__steps *ys = &f->y_strides, *is = &f->index_strides;
    const double value = f->pool->kind == FAL_POOL_MAX ? -(double)INFINITY : 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < r->row.end - r->row.first; i++)
            for (int64_t j = 0; j < r->column.end - r->column.first; j++) {
                const int64_t at = offset_of(ys, r) + c * ys->c + i * ys->space[1] + j * ys->space[2];
                if (f->walk->bytes == sizeof(float))
                    ((float *)(void *)f->y)[at] = (float)value;
                else
                    ((double *)(void *)f->y)[at] = value;
                if (f->indices != NULL)
                    f->indices[offset_of(is, r) + c * is->c + i * is->space[1] + j * is->space[2]] = -1;
            }
}

static void fold(const fal__pool_rows *f, const rectangle *r, const fal__window_run *run,
                 const fal__window_indices *indices)
{
    if (f->pool->kind == FAL_POOL_AVERAGE)
        f->kernels->mean(run, (double)fal__pool_divisor(f->pool, r->window));
    else if (f->indices != NULL)
        f->kernels->max_index(run, indices);
    else
        f->kernels->max(run);
}

/* Lanes along the channels: places are the columns of one row, or neighbours in memory all in one. */
static void fold_pixels(const fal__pool_rows *f, const rectangle *r, fal__window_run run,
                        fal__window_indices indices, int64_t channels)
{
    const fal_axis *axis = f->pool->axis;
    const fal__steps *xs = &f->walk->strides, *ys = &f->y_strides, *at = &f->walk->index;
    const int64_t bytes = f->walk->bytes, down = axis[1].stride, across = axis[2].stride;
    run.lanes = channels;
    run.step = 1;
    run.places = r->column.end - r->column.first;
    run.x_place = across * xs->space[2];
    run.y_place = ys->space[2];
    indices.place = across * at->space[2];
    indices.lane = at->c;
    indices.to_place = f->index_strides.space[2];
    indices.to_lane = f->index_strides.c;
    if (f->indices == NULL && run.x_place == channels && run.y_place == channels) {
        run.lanes *= run.places;
        run.places = 1;
    }
    const char *x = run.x;
    char *y = run.y;
    for (int64_t i = 0; i < r->row.end - r->row.first; i++) {
        run.x = x + i * down * xs->space[1] * bytes;
        run.y = y + i * ys->space[1] * bytes;
        fold(f, r, &run, &indices);
        indices.first += down * at->space[1];
        indices.to += f->index_strides.space[1];
    }
}

/* Lanes along the row: places are the rows. */
static void fold_planes(const fal__pool_rows *f, const rectangle *r, fal__window_run run,
                        fal__window_indices indices)
{
    const fal_axis *axis = f->pool->axis;
    const fal__steps *at = &f->walk->index;
    run.lanes = r->column.end - r->column.first;
    run.step = axis[2].stride;
    run.places = r->row.end - r->row.first;
    run.x_place = axis[1].stride * f->walk->strides.space[1];
    run.y_place = f->y_strides.space[1];
    indices.place = axis[1].stride * at->space[1];
    indices.lane = axis[2].stride * at->space[2];
    indices.to_place = f->index_strides.space[1];
    indices.to_lane = f->index_strides.space[2];
    fold(f, r, &run, &indices);
}

static void make(const fal__pool_rows *f, rectangle *r, int64_t channels)
{
    const fal__walk *walk = f->walk;
    r->window[2] = fal__pool_window(&f->pool->axis[2], f->pool->adaptive, r->column.first);
    if (r->window[0].count == 0 || r->window[1].count == 0 || r->window[2].count == 0) {
        fill(f, r, channels);
        return;
    }
    fal__window_run run = {.x = walk->x + first_cell_of(&walk->strides, r) * walk->bytes,
                           .y = f->y + offset_of(&f->y_strides, r) * walk->bytes};
    fal__window_indices indices = {.first = first_cell_of(&walk->index, r),
                                   .to = f->indices == NULL ? NULL
                                                            : f->indices + offset_of(&f->index_strides, r)};
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        run.taps[a] = r->window[a].count;
        run.tap_step[a] = r->window[a].step * walk->strides.space[a];
        indices.tap[a] = r->window[a].step * walk->index.space[a];
    }
    if (walk->along_channels)
        fold_pixels(f, r, run, indices, channels);
    else
        fold_planes(f, r, run, indices);
}

void fal__pool_rows_run(const fal__pool_rows *f, const fal__plane_row *row)
{
    const fal_axis *axis = f->pool->axis;
    const bool adaptive = f->pool->adaptive;
    const fal__pool_range rows = fal__pool_middle(&axis[1], adaptive),
                          columns = fal__pool_middle(&axis[2], adaptive);
    const int64_t end = row->at[1] + row->rows, width = axis[2].output;
    rectangle r = {.n = row->n, .c = row->c, .depth = row->at[0]};
    r.window[0] = fal__pool_window(&axis[0], adaptive, row->at[0]);
    for (int64_t i = row->at[1]; i < end; i = r.row.end) {
        r.row = fal__pool_next(&rows, i, end);
        r.window[1] = fal__pool_window(&axis[1], adaptive, i);
        for (int64_t j = 0; j < width; j = r.column.end) {
            r.column = fal__pool_next(&columns, j, width);
            make(f, &r, row->channels);
        }
    }
}

bool fal__pool_rows_apply(const fal__pool_rows *f)
{
    const fal__pool *pool = f->pool;
    const fal__walk *walk = f->walk;
    int64_t farthest = 0;
    if (f->kernels == NULL || pool->kind == FAL_POOL_LP) return false;
    if (walk->along_channels ? walk->strides.c != 1 || f->y_strides.c != 1
                             : walk->strides.space[2] != 1 || f->y_strides.space[2] != 1)
        return false;
    if (f->indices == NULL) return true;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) farthest += pool->axis[a].input * walk->index.space[a];
    return farthest < INT32_MAX;
}
