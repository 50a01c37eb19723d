/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.c: fal_pool.
 *
 * Maxima and means of ordinary float tensors are folded by rectangles (pool_rows.h). Of others each row of y
 * is made block by block: start, walk the windows, finish. Sums run in double (integers exactly), a row of a
 * window first and then its rows, and are rounded once, so a result depends neither on the layout nor on the
 * number of threads.
 *
 * Where this differs from PyTorch on purpose: padding may exceed half the kernel; Lp pooling takes
 * |x|, so that negative numbers and every norm > 0 have a result, and sums only cells that exist, also
 * in the windows of ceil mode that overhang; a window without any cell has index -1, not one that lies
 * outside the input; averages may be dilated, and count the taps inside input and padding.
 */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "operators/pool_kernels.h"
#include "operators/pool_rows.h"
#include "tensor/tensor.h"

enum {
    MOST_CHANNELS = 1 << 20, /* of a pixel, that one task does */
    MOST_TAPS = 64           /* of a window, as far as its effort goes */
};

typedef struct forward {
    fal__pool pool;
    fal__walk walk;
    const fal__pool_kernels *kernels;
    char *y;
    int64_t *indices; /* NULL: not wanted */
    fal__steps y_strides, index_strides;
    bool real; /* no integers */
    fal_error *error;
} forward;

/* ---- the work ---------------------------------------------------------------------------------- */

static int64_t offset_of(const fal__steps *s, const fal__spot *at)
{
    return at->n * s->n + at->c * s->c + at->o[0] * s->space[0] + at->o[1] * s->space[1] +
           at->o[2] * s->space[2];
}

static int64_t lane_step(const forward *f, const fal__steps *s)
{
    return f->walk.along_channels ? s->c : s->space[2];
}

static void make_norms(const forward *f, const fal__spot *at, void *y, int64_t step)
{
    fal__lanes lanes;
    fal__pool_norms(&f->walk, at, f->kernels, &lanes);
    for (int32_t j = 0; j < at->count; j++) lanes.sum.f64[j] = fabs(lanes.sum.f64[j]);
    f->kernels->finish_norm(&lanes, at->count, y, step);
}

static void make_maxima(const forward *f, const fal__spot *at, void *y, int64_t step)
{
    fal__lanes lanes;
    f->kernels->start_max(&lanes);
    fal__walk_windows(&f->walk, at, f->indices != NULL ? f->kernels->max_index : f->kernels->max, &lanes);
    f->kernels->finish_max(&lanes, at->count, y, step);
    if (f->indices == NULL) return;
    int64_t *to = f->indices + offset_of(&f->index_strides, at);
    const int64_t to_step = lane_step(f, &f->index_strides);
    for (int32_t j = 0; j < at->count; j++) to[j * to_step] = lanes.index[j];
}

/* The sum of a row joins those of the rows before it. Integers are exact in any order. */
static void end_row(fal__lanes *lanes)
{
    for (int j = 0; j < FAL__LANES; j++) {
        lanes->share.f64[j] += lanes->sum.f64[j];
        lanes->sum.f64[j] = 0;
    }
}

static bool make_averages(const forward *f, const fal__spot *at, void *y, int64_t step)
{
    fal__lanes lanes;
    fal__walk walk = f->walk;
    f->kernels->start_sum(&lanes);
    if (f->real) {
        memset(&lanes.share, 0, sizeof lanes.share);
        walk.end_row = end_row;
    }
    fal__walk_windows(&walk, at, f->kernels->sum, &lanes);
    if (f->real) memcpy(lanes.sum.f64, lanes.share.f64, sizeof lanes.sum.f64);
    fal__walk_divisors(&f->walk, at, &lanes);
    return f->kernels->finish_average(&lanes, at->count, y, step);
}

static bool make_block(const forward *f, const fal__spot *at)
{
    void *y = f->y + offset_of(&f->y_strides, at) * f->walk.bytes;
    const int64_t step = lane_step(f, &f->y_strides);
    switch (f->pool.kind) {
    case FAL_POOL_MAX: make_maxima(f, at, y, step); return true;
    case FAL_POOL_AVERAGE: return make_averages(f, at, y, step);
    case FAL_POOL_LP: make_norms(f, at, y, step); return true;
    }
    return true;
}

static bool make_row(const void *argument, const fal__plane_row *row)
{
    const forward *f = argument;
    const int64_t width = f->pool.axis[2].output;
    const bool channels = f->walk.along_channels;
    bool fits = true;
    for (int64_t o = 0; o < width; o += channels ? 1 : FAL__LANES) {
        const int32_t count = channels ? row->channels : (int32_t)fal__min(width - o, FAL__LANES);
        const fal__spot at = {.n = row->n, .c = row->c, .o = {row->at[0], row->at[1], o}, .count = count};
        fits &= make_block(f, &at);
    }
    return fits;
}

static bool make_rows(const void *argument, const fal__plane_row *row)
{
    const fal__pool_rows *rows = argument;
    (rows->tiles ? fal__pool_tiles_run : fal__pool_rows_run)(rows, row);
    return true;
}

/* ---- checks ------------------------------------------------------------------------------------ */

static fal_status check_indices(const fal__pool *pool, const fal_tensor *indices, fal_error *error)
{
    if (pool->kind != FAL_POOL_MAX) {
        fal__fail(error, FAL_E_VALUE, "indices", "indices are given, but this is no max pooling");
        return fal__allowed(error, FAL_E_VALUE, "must be NULL");
    }
    FAL__TRY(fal__tensor_check_output(indices, "indices", error));
    if (indices->dtype != FAL_I64) {
        fal__fail(error, FAL_E_DTYPE, "indices", "indices is %s", fal_dtype_name(indices->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "must be i64");
    }
    return fal__expect_output(&pool->g, indices, "indices", error);
}

static fal_status check(forward *f, const fal_tensor *x, const fal_pool_params *params, const fal_tensor *y,
                        const fal_tensor *indices)
{
    fal_error *error = f->error;
    FAL__TRY(fal_tensor_check(x, "x", error));
    FAL__TRY(fal__tensor_check_output(y, "y", error));
    FAL__TRY(fal__planes_same_type(x, "x", y, "y", error));
    FAL__TRY(fal__pool_describe(x, "x", params, &f->pool, error));
    FAL__TRY(fal__expect_output(&f->pool.g, y, "y", error));
    if (indices != NULL) FAL__TRY(check_indices(&f->pool, indices, error));
    FAL__TRY(fal__tensor_check_align(x, "x", error));
    FAL__TRY(fal__tensor_check_align(y, "y", error));
    FAL__TRY(fal__tensor_check_alias(y, "y", x, "x", error));
    if (indices == NULL) return FAL_OK;
    FAL__TRY(fal__tensor_check_align(indices, "indices", error));
    FAL__TRY(fal__tensor_check_alias(indices, "indices", x, "x", error));
    return fal__tensor_check_alias(indices, "indices", y, "y", error);
}

/* What a result costs, in results that are only copied: half a window's cells. */
static int64_t effort_of(const fal__pool *pool)
{
    int64_t cells = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal_axis *axis = &pool->axis[a];
        const int64_t taps = pool->adaptive ? axis->input / fal__max(axis->output, 1) : axis->kernel;
        cells *= fal__min(fal__max(taps, 1), MOST_TAPS);
    }
    return fal__max(fal__min(cells / 2, MOST_TAPS), 1);
}

fal_status fal_pool(const fal_context *context, const fal_tensor *x, const fal_pool_params *params,
                    const fal_tensor *y, const fal_tensor *indices)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    forward f = {.error = setting.error};
    FAL__TRY(check(&f, x, params, y, indices));
    if (fal_tensor_count(y) == 0) return FAL_OK;
    f.walk = fal__walk_over(&f.pool, x);
    f.kernels = fal__pool_kernels_for(x->dtype);
    f.real = !fal_dtype_is_integer(x->dtype);
    f.y = y->data;
    f.y_strides = fal__planes_strides(&f.pool.g, y);
    if (indices != NULL) {
        f.indices = indices->data;
        f.index_strides = fal__planes_strides(&f.pool.g, indices);
    }
    fal__pool_rows fast = {.pool = &f.pool,
                           .walk = &f.walk,
                           .kernels = setting.machine.kernels->windows[x->dtype],
                           .y = f.y,
                           .indices = f.indices,
                           .y_strides = f.y_strides,
                           .index_strides = f.index_strides};
    const bool together = fal__pool_rows_apply(&fast);
    fast.tiles = together && fal__pool_tiles_apply(&fast);
    const fal_axis *axis = f.pool.axis;
    const int64_t channels = f.pool.g.in_channels,
                  most = together ? fal__min(channels, MOST_CHANNELS) : FAL__LANES;
    const int64_t block = f.walk.along_channels ? most : 1;
    const fal__plane_rows rows = {.n = f.pool.g.n,
                                  .c = channels,
                                  .rows = {axis[0].output, axis[1].output},
                                  .block = (int32_t)block,
                                  .work = axis[2].output * block * effort_of(&f.pool),
                                  .together = together,
                                  .run = together ? make_rows : make_row};
    if (fal__planes_run(&setting, &rows, together ? (const void *)&fast : &f)) return FAL_OK;
    return fal__planes_overflow(setting.error, "y", y);
}
