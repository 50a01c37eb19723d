/* SPDX-License-Identifier: BSD-3-Clause */
/* pool_walk.c: see pool_walk.h. */
#include "operators/pool_walk.h"

#include "base/checked.h"

fal__walk fal__walk_over(const fal__pool *pool, const fal_tensor *x)
{
    fal__walk walk = {.pool = pool,
                      .x = x->data,
                      .bytes = (int64_t)fal_dtype_bytes(x->dtype),
                      .strides = fal__planes_strides(&pool->g, x)};
    const fal__steps sizes = fal__planes_sizes(&pool->g, false);
    walk.index = fal__index_steps(&pool->g, &sizes, pool->index_mode, pool->column_major);
    walk.along_channels = pool->adaptive || fal__planes_along_channels(&walk.strides);
    return walk;
}

/* Where a walk stands: offset in x and index, both in elements. */
typedef struct place {
    int64_t x, index;
} place;

static place move(const fal__walk *w, place p, int a, int64_t position)
{
    return (place){p.x + position * w->strides.space[a], p.index + position * w->index.space[a]};
}

static void meet(const fal__walk *w, place p, fal__fold_fn fold, fal__lanes *lanes, fal__meeting run)
{
    run.x = w->x == NULL ? NULL : w->x + p.x * w->bytes;
    run.index = p.index;
    fold(lanes, &run);
}

/* The same cell of every channel of the block. */
static void walk_channels(const fal__walk *w, const fal__spot *at, place row, fal__fold_fn fold,
                          fal__lanes *lanes)
{
    const fal__window window = fal__pool_window(&w->pool->axis[2], w->pool->adaptive, at->o[2]);
    const fal__meeting run = {.count = at->count, .step = w->strides.c, .index_step = w->index.c};
    for (int64_t t = 0; t < window.count; t++)
        meet(w, move(w, row, 2, window.first + t * window.step), fold, lanes, run);
}

/* Tap by tap, the outputs of the block that have the tap inside the row. */
static void walk_row(const fal__walk *w, const fal__spot *at, place row, fal__fold_fn fold, fal__lanes *lanes)
{
    const fal_axis *axis = &w->pool->axis[2];
    const int64_t s = axis->stride, d = axis->dilation;
    const int64_t start = at->o[2] * s - axis->begin, last = start + (at->count - 1) * s;
    const int64_t from = last < 0 ? fal__ceil_div(-last, d) : 0;
    const int64_t to =
        start < axis->input ? fal__min(fal__ceil_div(axis->input - start, d), axis->kernel) : 0;
    for (int64_t i = from; i < to; i++) {
        const int64_t position = start + (w->backwards ? to - 1 - (i - from) : i) * d;
        const int64_t first = position < 0 ? fal__ceil_div(-position, s) : 0;
        const int64_t end = fal__min(fal__ceil_div(axis->input - position, s), at->count);
        if (first >= end) continue;
        const fal__meeting run = {.first = (int32_t)first,
                                  .count = (int32_t)(end - first),
                                  .step = s * w->strides.space[2],
                                  .index_step = s * w->index.space[2]};
        meet(w, move(w, row, 2, position + first * s), fold, lanes, run);
    }
}

void fal__walk_windows(const fal__walk *w, const fal__spot *at, fal__fold_fn fold, fal__lanes *lanes)
{
    const fal__pool *pool = w->pool;
    const fal__window d = fal__pool_window(&pool->axis[0], pool->adaptive, at->o[0]);
    const fal__window h = fal__pool_window(&pool->axis[1], pool->adaptive, at->o[1]);
    const place image = {at->n * w->strides.n + at->c * w->strides.c,
                         at->n * w->index.n + at->c * w->index.c};
    for (int64_t i = 0; i < d.count; i++) {
        const place plane = move(w, image, 0, d.first + i * d.step);
        for (int64_t j = 0; j < h.count; j++) {
            const place row = move(w, plane, 1, h.first + j * h.step);
            if (w->along_channels)
                walk_channels(w, at, row, fold, lanes);
            else
                walk_row(w, at, row, fold, lanes);
            if (w->end_row != NULL) w->end_row(lanes);
        }
    }
}

int64_t fal__pool_divisor(const fal__pool *pool, const fal__window window[FAL_MAX_SPATIAL])
{
    const fal__window *d = &window[0], *h = &window[1], *w = &window[2];
    if (d->count == 0 || h->count == 0 || w->count == 0) return 0;
    if (pool->divisor != 0) return pool->divisor;
    if (pool->exclude_padding) return d->count * h->count * w->count;
    return d->clipped * h->clipped * w->clipped;
}

void fal__walk_divisors(const fal__walk *walk, const fal__spot *at, fal__lanes *lanes)
{
    const fal__pool *pool = walk->pool;
    fal__window window[FAL_MAX_SPATIAL];
    for (int a = 0; a < 2; a++) window[a] = fal__pool_window(&pool->axis[a], pool->adaptive, at->o[a]);
    for (int32_t j = 0; j < at->count; j++) {
        if (walk->along_channels && j > 0) {
            lanes->divisor[j] = lanes->divisor[0];
            continue;
        }
        window[2] = fal__pool_window(&pool->axis[2], pool->adaptive, at->o[2] + j);
        lanes->divisor[j] = fal__pool_divisor(pool, window);
    }
}
