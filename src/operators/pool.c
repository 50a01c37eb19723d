/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.c: fal_pool.
 *
 * Each row of y is made block by block: start, walk the windows, finish. Sums run in double (integers
 * exactly) over the cells in row-major order and are rounded once, so a result depends neither on the
 * layout nor on the number of threads.
 *
 * Where this differs from PyTorch on purpose: padding may exceed half the kernel; Lp pooling takes
 * |x|, so that negative numbers and every norm > 0 have a result, and sums only cells that exist, also
 * in the windows of ceil mode that overhang; a window without any cell has index -1, not one that lies
 * outside the input; averages may be dilated, and count the taps inside input and padding.
 */
#include <math.h>

#include "base/checked.h"
#include "base/error.h"
#include "operators/pool_kernels.h"
#include "tensor/tensor.h"

typedef struct forward {
    fal__pool pool;
    fal__walk walk;
    const fal__pool_kernels *kernels;
    char *y;
    int64_t *indices; /* NULL: not wanted */
    fal__steps y_strides, index_strides;
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

static bool make_averages(const forward *f, const fal__spot *at, void *y, int64_t step)
{
    fal__lanes lanes;
    f->kernels->start_sum(&lanes);
    fal__walk_windows(&f->walk, at, f->kernels->sum, &lanes);
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
    f.y = y->data;
    f.y_strides = fal__planes_strides(&f.pool.g, y);
    if (indices != NULL) {
        f.indices = indices->data;
        f.index_strides = fal__planes_strides(&f.pool.g, indices);
    }
    const fal_axis *axis = f.pool.axis;
    const fal__plane_rows rows = {.n = f.pool.g.n,
                                  .c = f.pool.g.in_channels,
                                  .rows = {axis[0].output, axis[1].output},
                                  .block = f.walk.along_channels ? FAL__LANES : 1,
                                  .work = axis[2].output * (f.walk.along_channels ? FAL__LANES : 1),
                                  .run = make_row};
    if (fal__planes_run(&setting, &rows, &f)) return FAL_OK;
    return fal__planes_overflow(setting.error, "y", y);
}
