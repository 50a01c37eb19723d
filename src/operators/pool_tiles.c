/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_tiles.c: overlapping windows in two passes.
 *
 * A maximum of maxima is the maximum, and a sum of sums the sum: every row of x is folded along its windows
 * once, and the folded rows, which neighbouring windows share, are folded once more:
 *
 *     x (rows, width)  ->  folded (rows, outputs of a row)  ->  y (outputs)       k + k cells for k * k
 *
 * A tile of folded rows stays in the first-level cache, on the stack: as many outputs across as leave room
 * for a few times the height of a window. Both orders of folding give the same bits, because the first of
 * equal maxima, the last NaN and the sum of rows are defined row by row.
 */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "operators/pool_rows.h"

enum {
    LINE = 1024,       /* cells of a row of x that a tile folds */
    TILE = 4096,       /* folded cells, floats or doubles, of a tile */
    LEAST_ACROSS = 64, /* outputs across, or channels, that a tile should have */
    PIECE = 64,        /* channels of a tile, where they lie side by side */
    DIRECT_TAPS = 12   /* windows of channels side by side: no more cells than this are folded directly */
};

/* The work of one tile. */
typedef struct tile {
    const fal__pool_rows *f;
    const fal_axis *axis;
    int64_t n, c, channels, depth; /* of the outputs; channels: 1 for planes */
    fal__pool_range row, column;   /* of outputs */
    int64_t first, rows, width; /* of the rows that are folded: position of the first, their number, and the
                                   folded cells of each */
    int64_t bytes;              /* of a folded cell */
    union {
        double doubles[TILE];
        float floats[TILE];
    } folded;
    union {
        double doubles[LINE];
        float floats[LINE];
    } lines; /* rows of x with what stands beside them */
} tile;

static bool means(const tile *t)
{
    return t->f->pool->kind == FAL_POOL_AVERAGE;
}

static int64_t reach_of(const fal_axis *axis)
{
    return (axis->kernel - 1) * axis->dilation + 1;
}

/* ---- Rows ---- */

static void fill_row(void *to, int64_t bytes, double value, int64_t count)
{
    for (int64_t j = 0; j < count; j++)
        if (bytes == sizeof(float))
            ((float *)to)[j] = (float)value;
        else
            ((double *)to)[j] = value;
}

static void *folded_at(tile *t, int64_t row, int64_t column)
{
    return (char *)&t->folded + (row * t->width + column * t->channels) * t->bytes;
}

/* What stands in a window where no cell does, and changes nothing. */
static double nothing(const tile *t)
{
    return means(t) ? 0 : -(double)INFINITY;
}

/* Columns without a cell. */
static void clear_columns(tile *t, const fal__pool_range *columns)
{
    const int64_t count = (columns->end - columns->first) * t->channels;
    for (int64_t i = 0; i < t->rows; i++)
        fill_row(folded_at(t, i, columns->first - t->column.first), t->bytes, nothing(t), count);
}

/* The cell that begins row t->first of x. */
static const char *rows_of(const tile *t)
{
    const fal__steps *xs = &t->f->walk->strides;
    return t->f->walk->x + (t->n * xs->n + t->c * xs->c + t->depth * t->axis[0].stride * xs->space[0] +
                            t->first * xs->space[1]) *
                               t->f->walk->bytes;
}

static void fold(const tile *t, const fal__window_run *run)
{
    (means(t) ? t->f->kernels->row_sums : t->f->kernels->max)(run);
}

/* Planes: every row is folded with what stands beside it, from a copy if that is more than the row. */
static void fold_lines(tile *t)
{
    const fal_axis *axis = &t->axis[2];
    const int64_t bytes = t->f->walk->bytes, down = t->f->walk->strides.space[1] * bytes;
    const int64_t start = t->column.first * axis->stride - axis->begin;
    const int64_t end = (t->column.end - 1) * axis->stride - axis->begin + reach_of(axis);
    const int64_t before = fal__min(fal__max(-start, 0), end - start);
    const int64_t inside = fal__min(end, axis->input) - (start + before);
    const char *x = rows_of(t) + (start + before) * bytes;
    fal__window_run run = {.taps = {1, 1, axis->kernel},
                           .tap_step = {0, 0, axis->dilation},
                           .lanes = t->column.end - t->column.first,
                           .step = axis->stride,
                           .places = 1};
    if (before == 0 && end <= axis->input) {
        run.x = x, run.y = &t->folded;
        run.places = t->rows, run.x_place = t->f->walk->strides.space[1], run.y_place = t->width;
        fold(t, &run);
        return;
    }
    /* Several lines at a time: a load of what has just been stored in other pieces would wait. */
    const int64_t length = end - start, batch = LINE / length;
    for (int64_t k = 0; k < batch; k++) { /* what no row overwrites */
        char *line = (char *)&t->lines + k * length * bytes;
        const int64_t kept = fal__max(inside, 0);
        fill_row(line, bytes, nothing(t), before);
        fill_row(line + (before + kept) * bytes, bytes, nothing(t), length - before - kept);
    }
    run.x = &t->lines, run.x_place = length, run.y_place = t->width;
    for (int64_t i = 0; i < t->rows; i += batch) {
        run.places = fal__min(batch, t->rows - i);
        for (int64_t k = 0; k < run.places && inside > 0; k++)
            memcpy((char *)&t->lines + (k * length + before) * bytes, x + (i + k) * down,
                   (size_t)(inside * bytes));
        run.y = folded_at(t, i, 0);
        fold(t, &run);
    }
}

/* Channels side by side: the windows of some columns, alike, in all rows of the tile. */
static void fold_columns(tile *t, const fal__pool_range *columns)
{
    const fal__steps *xs = &t->f->walk->strides;
    const fal__window w = fal__pool_window(&t->axis[2], false, columns->first);
    if (w.count == 0) {
        clear_columns(t, columns);
        return;
    }
    const char *x = rows_of(t) + w.first * xs->space[2] * t->f->walk->bytes;
    fal__window_run run = {.taps = {1, 1, w.count},
                           .tap_step = {0, 0, w.step * xs->space[2]},
                           .lanes = t->channels,
                           .step = 1,
                           .places = columns->end - columns->first,
                           .x_place = t->axis[2].stride * xs->space[2],
                           .y_place = t->channels};
    for (int64_t i = 0; i < t->rows; i++) {
        run.x = x + i * xs->space[1] * t->f->walk->bytes;
        run.y = folded_at(t, i, columns->first - t->column.first);
        fold(t, &run);
    }
}

/* ---- Columns ---- */

/* Results that have no cell, of some rows and columns. */
static void clear(const tile *t, const fal__pool_range *rows, const fal__pool_range *columns, double value)
{
    const fal__steps *ys = &t->f->y_strides;
    for (int64_t i = rows->first; i < rows->end; i++)
        for (int64_t j = columns->first; j < columns->end; j++)
            for (int64_t c = 0; c < t->channels; c++) {
                const int64_t at = t->n * ys->n + (t->c + c) * ys->c + t->depth * ys->space[0] +
                                   i * ys->space[1] + j * ys->space[2];
                if (t->f->walk->bytes == sizeof(float))
                    ((float *)(void *)t->f->y)[at] = (float)value;
                else
                    ((double *)(void *)t->f->y)[at] = value;
            }
}

static void fold_rows(tile *t, const fal__pool_range *rows, const fal__window *h,
                      const fal__pool_range *columns, int64_t divisor)
{
    const fal__pool_rows *f = t->f;
    const fal__steps *ys = &f->y_strides;
    const int64_t bytes = f->walk->bytes, across = columns->end - columns->first;
    const int64_t at = t->n * ys->n + t->c * ys->c + t->depth * ys->space[0] + rows->first * ys->space[1] +
                       columns->first * ys->space[2];
    /* Results of a row lie side by side unless there are more channels than these. */
    const bool joined = !f->walk->along_channels || ys->space[2] == t->channels;
    fal__window_run run = {.taps = {1, h->count, 1},
                           .tap_step = {0, h->step * t->width, 0},
                           .lanes = joined ? across * t->channels : t->channels,
                           .step = 1,
                           .places = rows->end - rows->first,
                           .x_place = t->axis[1].stride * t->width,
                           .y_place = ys->space[1]};
    for (int64_t j = 0; j < (joined ? 1 : across); j++) {
        run.x = folded_at(t, h->first - t->first, columns->first - t->column.first + j);
        run.y = f->y + (at + j * ys->space[2]) * bytes;
        if (means(t))
            f->kernels->mean_of_sums(&run, (double)divisor);
        else
            f->kernels->max(&run);
    }
}

/* The columns from `at` on that have the same divisor. */
static fal__pool_range same_divisor(const tile *t, fal__window window[FAL_MAX_SPATIAL],
                                    const fal__pool_range *middle, int64_t at, int64_t *divisor)
{
    fal__pool_range all = {at, at};
    window[2] = fal__pool_window(&t->axis[2], false, at);
    *divisor = fal__pool_divisor(t->f->pool, window);
    while (all.end < t->column.end) {
        const fal__pool_range next = fal__pool_next(middle, all.end, t->column.end);
        window[2] = fal__pool_window(&t->axis[2], false, next.first);
        if (fal__pool_divisor(t->f->pool, window) != *divisor) break;
        all.end = next.end;
    }
    return all;
}

static void make_rows(tile *t, const fal__pool_range *rows, const fal__pool_range *middle)
{
    fal__window window[FAL_MAX_SPATIAL];
    window[0] = fal__pool_window(&t->axis[0], false, t->depth);
    window[1] = fal__pool_window(&t->axis[1], false, rows->first);
    const fal__window h = window[1];
    if (!means(t)) {
        if (h.count > 0)
            fold_rows(t, rows, &h, &t->column, 1);
        else
            clear(t, rows, &t->column, -(double)INFINITY);
        return;
    }
    for (int64_t j = t->column.first; j < t->column.end;) {
        int64_t divisor;
        const fal__pool_range columns = same_divisor(t, window, middle, j, &divisor);
        if (divisor != 0)
            fold_rows(t, rows, &h, &columns, divisor);
        else
            clear(t, rows, &columns, 0);
        j = columns.end;
    }
}

static void make_tile(tile *t)
{
    const fal_axis *v = &t->axis[1];
    const fal__pool_range down = fal__pool_middle(v, false), across = fal__pool_middle(&t->axis[2], false);
    const int64_t last = (t->row.end - 1) * v->stride - v->begin + reach_of(v) - 1;
    t->first = fal__max(t->row.first * v->stride - v->begin, 0);
    t->rows = fal__max(fal__min(last, v->input - 1) + 1 - t->first, 0);
    t->width = (t->column.end - t->column.first) * t->channels;
    fal__pool_range part = {0};
    const bool pixels = t->f->walk->along_channels;
    if (t->rows > 0 && !pixels) fold_lines(t);
    for (int64_t j = t->column.first; t->rows > 0 && pixels && j < t->column.end; j = part.end) {
        part = fal__pool_next(&across, j, t->column.end);
        fold_columns(t, &part);
    }
    for (int64_t i = t->row.first; i < t->row.end; i = part.end) {
        part = fal__pool_next(&down, i, t->row.end);
        make_rows(t, &part, &across);
    }
}

/* ---- Tiles ---- */

/* Folded cells across: all of a row, unless that leaves no room for four windows, or for one. */
static int64_t across_of(const fal__pool_rows *f, int64_t channels)
{
    const fal_axis *v = &f->pool->axis[1];
    const int64_t least = fal__max(LEAST_ACROSS, channels), reach = reach_of(v);
    const int64_t rows = fal__min(4 * reach, fal__max(v->input, reach));
    const int64_t across = fal__max(fal__min(f->pool->axis[2].output * channels, TILE / rows), least);
    if (f->walk->along_channels) return across;
    const fal_axis *h = &f->pool->axis[2];
    return fal__min(across, (LINE - reach_of(h)) / h->stride + 1);
}

void fal__pool_tiles_run(const fal__pool_rows *f, const fal__plane_row *row)
{
    const fal_axis *axis = f->pool->axis;
    tile t = {.f = f, .axis = axis, .n = row->n, .depth = row->at[0]};
    const int64_t piece = f->walk->along_channels ? PIECE : 1, end = row->at[1] + row->rows;
    t.bytes = means(&t) ? (int64_t)sizeof(double) : f->walk->bytes;
    for (int64_t c = 0; c < row->channels; c += piece) {
        t.c = row->c + c;
        t.channels = fal__min(row->channels - c, piece);
        const int64_t columns = across_of(f, t.channels) / t.channels;
        const int64_t rows = TILE / (columns * t.channels);
        const int64_t down = (rows - reach_of(&axis[1])) / axis[1].stride + 1;
        for (int64_t j = 0; j < axis[2].output; j += columns)
            for (int64_t i = row->at[1]; i < end; i += down) {
                t.column = (fal__pool_range){j, fal__min(j + columns, axis[2].output)};
                t.row = (fal__pool_range){i, fal__min(i + down, end)};
                make_tile(&t);
            }
    }
}

bool fal__pool_tiles_apply(const fal__pool_rows *f)
{
    const fal__pool *pool = f->pool;
    const fal_axis *d = &pool->axis[0], *v = &pool->axis[1], *h = &pool->axis[2];
    if (pool->adaptive || f->indices != NULL || v->kernel < 2 || h->kernel < 2 || d->kernel > 1 ||
        d->begin > 0 || d->end > 0)
        return false;
    if (v->stride >= reach_of(v) || reach_of(v) * LEAST_ACROSS > TILE / 2) return false;
    if (reach_of(h) + LEAST_ACROSS * h->stride > LINE) return false;
    return !f->walk->along_channels || v->kernel > DIRECT_TAPS / h->kernel;
}
