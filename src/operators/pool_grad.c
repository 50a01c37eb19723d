/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_grad.c: fal_pool_grad.
 *
 * Windows hand out their gradient in row-major order, and every cell adds up what it receives:
 *
 *     max       all of gy to the cell that forward took; none when the window had no cell
 *     average   gy / divisor to every cell (integers: truncated, as forward divides)
 *     Lp        gy * sign(x) * (|x|/y)^(norm-1), 0 where x or the norm is 0; an infinite norm gives
 *               +-gy to the cell of the greatest |x|
 *
 * Overlapping windows meet in a cell, so the cells of a plane (or of a block of planes that lie side
 * by side) are summed in a scratch of double or 128-bit numbers and rounded once at the end; that is
 * the memory this takes from the context, for each thread. The order of the additions is the same for
 * every layout and number of threads.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "operators/pool_kernels.h"
#include "operators/row_sums.h"
#include "tensor/tensor.h"

typedef struct backward {
    fal__pool pool;
    fal__walk walk; /* over x; index counts sums of the scratch */
    const fal__pool_kernels *kernels;
    const fal__row_sums *arithmetic;
    const char *gy;
    char *gx, *scratch;
    fal__steps gy_strides, gx_strides, cells;
    int64_t block;       /* channels in the scratch */
    size_t memory_bytes; /* of one task's scratch */
    bool whole;          /* integers */
} backward;

/* ---- handing out ------------------------------------------------------------------------------- */

static void spread_real(fal__lanes *lanes, const fal__meeting *run)
{
    double *sums = (double *)lanes->sums + run->index;
    const double *share = lanes->share.f64 + run->first;
    for (int32_t j = 0; j < run->count; j++) sums[j * run->index_step] += share[j];
}

static void spread_whole(fal__lanes *lanes, const fal__meeting *run)
{
    fal__int128 *sums = (fal__int128 *)lanes->sums + run->index;
    const fal__int128 *share = lanes->share.i128 + run->first;
    for (int32_t j = 0; j < run->count; j++) sums[j * run->index_step] += share[j];
}

/* Everything to the cell lanes->index. */
static void scatter(const backward *b, fal__lanes *lanes, int32_t count)
{
    for (int32_t j = 0; j < count; j++) {
        if (lanes->index[j] < 0) continue;
        if (b->whole)
            ((fal__int128 *)lanes->sums)[lanes->index[j]] += lanes->share.i128[j];
        else
            ((double *)lanes->sums)[lanes->index[j]] += lanes->share.f64[j];
    }
}

static void spread(const fal__walk *walk, const fal__spot *at, fal__fold_fn fold, fal__lanes *lanes)
{
    fal__walk backwards = *walk;
    backwards.backwards = true;
    fal__walk_windows(&backwards, at, fold, lanes);
}

static void give_average(const backward *b, const fal__walk *walk, const fal__spot *at, fal__lanes *lanes)
{
    fal__walk_divisors(walk, at, lanes);
    for (int32_t j = 0; j < at->count; j++) {
        const int64_t divisor = lanes->divisor[j] == 0 ? 1 : lanes->divisor[j]; /* 0: no cell receives */
        if (b->whole)
            lanes->share.i128[j] /= divisor;
        else
            lanes->share.f64[j] /= (double)divisor;
    }
    spread(walk, at, b->whole ? spread_whole : spread_real, lanes);
}

static void give_norm(const backward *b, const fal__walk *walk, const fal__spot *at, fal__lanes *lanes)
{
    fal__pool_norms(walk, at, b->kernels, lanes);
    if (!isinf(b->pool.norm)) {
        spread(walk, at, b->kernels->spread_norm, lanes);
        return;
    }
    for (int32_t j = 0; j < at->count; j++) {
        if (lanes->sum.f64[j] == 0) lanes->index[j] = -1;
        if (lanes->sum.f64[j] < 0) lanes->share.f64[j] = -lanes->share.f64[j];
    }
    scatter(b, lanes, at->count);
}

static void give_block(const backward *b, const fal__walk *walk, const fal__spot *at, const char *gy,
                       int64_t gy_step, fal__lanes *lanes)
{
    memset(&lanes->share, 0, sizeof lanes->share);
    b->arithmetic->add(&lanes->share, 1, gy, gy_step, at->count);
    switch (b->pool.kind) {
    case FAL_POOL_MAX:
        b->kernels->start_max(lanes);
        fal__walk_windows(walk, at, b->kernels->max_index, lanes);
        scatter(b, lanes, at->count);
        return;
    case FAL_POOL_AVERAGE: give_average(b, walk, at, lanes); return;
    case FAL_POOL_LP: give_norm(b, walk, at, lanes); return;
    }
}

/* ---- a plane, or a block of them ----------------------------------------------------------------- */

static void give_plane(const backward *b, const fal__plane_row *row, void *sums)
{
    const fal_axis *axis = b->pool.axis;
    const fal__steps *s = &b->gy_strides;
    const bool channels = b->walk.along_channels;
    fal__walk walk = b->walk;
    if (walk.x != NULL) walk.x += (row->n * walk.strides.n + row->c * walk.strides.c) * walk.bytes;
    const char *image = b->gy + (row->n * s->n + row->c * s->c) * walk.bytes;
    fal__lanes lanes;
    lanes.sums = sums;
    for (int64_t d = 0; d < axis[0].output; d++)
        for (int64_t h = 0; h < axis[1].output; h++)
            for (int64_t w = 0; w < axis[2].output; w += channels ? 1 : FAL__LANES) {
                const int64_t offset = d * s->space[0] + h * s->space[1] + w * s->space[2];
                const int64_t left = fal__min(axis[2].output - w, FAL__LANES);
                const fal__spot at = {.o = {d, h, w}, .count = channels ? row->channels : (int32_t)left};
                give_block(b, &walk, &at, image + offset * walk.bytes, channels ? s->c : s->space[2], &lanes);
            }
}

static bool store_plane(const backward *b, const fal__plane_row *row, const char *sums)
{
    const fal__steps *s = &b->gx_strides, *size = &b->cells;
    const int64_t sum_bytes = (int64_t)b->arithmetic->bytes, bytes = b->walk.bytes;
    char *image = b->gx + (row->n * s->n + row->c * s->c) * bytes;
    bool fits = true;
    for (int64_t d = 0; d < size->space[0]; d++)
        for (int64_t h = 0; h < size->space[1]; h++) {
            char *gx = image + (d * s->space[0] + h * s->space[1]) * bytes;
            const char *from = sums + (d * size->space[1] + h) * size->space[2] * b->block * sum_bytes;
            if (!b->walk.along_channels) {
                fits &= b->arithmetic->store(from, 1, gx, s->space[2], size->space[2]);
                continue;
            }
            for (int64_t w = 0; w < size->space[2]; w++)
                fits &= b->arithmetic->store(from + w * b->block * sum_bytes, 1, gx + w * s->space[2] * bytes,
                                             s->c, row->channels);
        }
    return fits;
}

static bool make_plane(const void *argument, const fal__plane_row *row)
{
    const backward *b = argument;
    char *sums = b->scratch + (size_t)row->task * b->memory_bytes;
    memset(sums, 0, b->memory_bytes);
    give_plane(b, row, sums);
    return store_plane(b, row, sums);
}

/* ---- checks and memory --------------------------------------------------------------------------- */

static fal_status check(backward *b, const fal_tensor *x, const fal_tensor *gy, const fal_pool_params *params,
                        const fal_tensor *gx, fal_error *error)
{
    FAL__TRY(fal_tensor_check(gy, "gy", error));
    FAL__TRY(fal__tensor_check_output(gx, "gx", error));
    FAL__TRY(fal__planes_same_type(gy, "gy", gx, "gx", error));
    FAL__TRY(fal__pool_describe(gx, "gx", params, &b->pool, error));
    const bool reads_x = b->pool.kind != FAL_POOL_AVERAGE;
    if (reads_x || x != NULL) {
        FAL__TRY(fal_tensor_check(x, "x", error));
        FAL__TRY(fal__planes_same_type(x, "x", gx, "gx", error));
        FAL__TRY(fal__tensor_check_same_shape(x, "x", gx, "gx", error));
    }
    FAL__TRY(fal__expect_output(&b->pool.g, gy, "gy", error));
    FAL__TRY(fal__tensor_check_align(gy, "gy", error));
    FAL__TRY(fal__tensor_check_align(gx, "gx", error));
    FAL__TRY(fal__tensor_check_alias(gx, "gx", gy, "gy", error));
    if (!reads_x) return FAL_OK;
    FAL__TRY(fal__tensor_check_align(x, "x", error));
    return fal__tensor_check_alias(gx, "gx", x, "x", error);
}

/* The index of a walk becomes the place of a sum: cells in row-major order, channels side by side. */
static void lay_out(backward *b)
{
    b->cells = fal__planes_sizes(&b->pool.g, false);
    b->block = b->walk.along_channels ? fal__min(b->pool.g.in_channels, FAL__LANES) : 1;
    b->walk.index = fal__index_steps(&b->pool.g, &b->cells, FAL_INDEX_PLANE, false);
    b->walk.index.c = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) b->walk.index.space[a] *= b->block;
}

static fal_status run(backward *b, const fal__setting *setting, const fal_tensor *gx)
{
    const int64_t *size = b->cells.space, cells = size[0] * size[1] * size[2];
    const fal__plane_rows rows = {.n = b->pool.g.n,
                                  .c = b->pool.g.in_channels,
                                  .rows = {1, 1},
                                  .block = (int32_t)b->block,
                                  .work = cells * b->block,
                                  .run = make_plane};
    const int32_t tasks = fal__planes_tasks(setting, &rows);
    int64_t bytes, all;
    if (!fal__mul(cells, b->block * (int64_t)b->arithmetic->bytes, &bytes) || !fal__mul(bytes, tasks, &all))
        return fal__fail(setting->error, FAL_E_OVERFLOW, "gx", "the sums of gx overflow 64 bits");
    void *memory;
    FAL__TRY(fal__allocate(&setting->allocator, (size_t)all, "sums of gx", &memory, setting->error));
    b->scratch = memory;
    b->memory_bytes = (size_t)bytes;
    const bool fits = fal__planes_run(setting, &rows, b);
    fal__release(&setting->allocator, memory, (size_t)all);
    return fits ? FAL_OK : fal__planes_overflow(setting->error, "gx", gx);
}

fal_status fal_pool_grad(const fal_context *context, const fal_tensor *x, const fal_tensor *gy,
                         const fal_pool_params *params, const fal_tensor *gx)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    backward b = {0};
    FAL__TRY(check(&b, x, gy, params, gx, setting.error));
    if (fal_tensor_count(gx) == 0) return FAL_OK;
    b.kernels = fal__pool_kernels_for(gx->dtype);
    b.arithmetic = fal__row_sums_for(gx->dtype);
    b.whole = fal_dtype_is_integer(gx->dtype);
    if (b.pool.kind == FAL_POOL_AVERAGE) {
        b.walk = fal__walk_over(&b.pool, gx);
        b.walk.x = NULL;
    } else {
        b.walk = fal__walk_over(&b.pool, x);
    }
    b.gy = gy->data;
    b.gx = gx->data;
    b.gy_strides = fal__planes_strides(&b.pool.g, gy);
    b.gx_strides = fal__planes_strides(&b.pool.g, gx);
    lay_out(&b);
    return run(&b, &setting, gx);
}
