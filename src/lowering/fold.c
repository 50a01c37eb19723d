/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fold.c: col2im, the adjoint of unfold.
 *
 * Each cell of x receives the sum of all column elements that unfold would have read from it:
 *
 *     x[n,c,i] = sum over all (o, t) with border(o*s + t*d - begin) = i of cols[n,c,t,o]
 *
 * Gathering cell by cell, instead of scattering column by column, adds in double (integers in 128
 * bits) and rounds once, and needs x neither cleared nor read. What follows does so for integers, halves and
 * borders that copy cells; fold_rows.h does the rest, a row at a time, with the same bits. Cells that no
 * window reads become 0; so fold(unfold(x)) is x times the number of windows that cover each cell.
 */
#include "base/checked.h"
#include "base/error.h"
#include "lowering/columns.h"
#include "lowering/fold_rows.h"
#include "tensor/tensor.h"

typedef struct gather {
    const fal__columns *columns;
    const fal_tensor *cols;
    bool integer, lost; /* lost: the sum of integers left 128 bits */
    int64_t i[FAL_MAX_SPATIAL];
    double real;
    fal__int128 whole;
} gather;

static void add_element(gather *job, int64_t from)
{
    const void *p = fal__tensor_offset(job->cols, from);
    if (!job->integer)
        job->real += fal__load_f64(p, job->cols->dtype);
    else if (!fal__add128(job->whole, fal__load_i64(p, job->cols->dtype), &job->whole))
        job->lost = true;
}

static void gather_axis(gather *job, int32_t a, int64_t from)
{
    const fal__columns *columns = job->columns;
    const fal_conv_geometry *g = &columns->g;
    if (a == g->spatial) {
        add_element(job, from);
        return;
    }
    const fal_axis *axis = &g->axis[a];
    bool copies = g->padding_mode != FAL_PAD_ZEROS && g->padding_mode != FAL_PAD_CONSTANT;
    for (int64_t t = 0; t < axis->kernel; t++) {
        int64_t walk = g->flip_kernel ? axis->kernel - 1 - t : t;
        /* Without copies of cells beyond the ends one window at most has tap t on cell i. */
        int64_t distance = job->i[a] + axis->begin - walk * axis->dilation;
        int64_t first = copies ? 0 : fal__ceil_div(distance, axis->stride);
        int64_t end = copies ? axis->output : fal__min(first + 1, axis->output);
        for (int64_t o = fal__max(first, 0); o < end; o++) {
            int64_t position = o * axis->stride + walk * axis->dilation - axis->begin;
            if (fal_border_index(g->padding_mode, position, axis->input) == job->i[a])
                gather_axis(job, a + 1, from + t * columns->tap[a] + o * columns->output[a]);
        }
    }
}

static fal_status fold_cell(gather *job, int64_t from, void *to, fal_error *error)
{
    fal_dtype dtype = job->cols->dtype;
    job->real = 0;
    job->whole = 0;
    gather_axis(job, 0, from);
    if (!job->integer) {
        fal__store_f64(to, dtype, job->real);
        return FAL_OK;
    }
    bool fits = !job->lost && job->whole >= INT64_MIN && job->whole <= INT64_MAX;
    if (fits && fal__store_i64(to, dtype, (int64_t)job->whole)) return FAL_OK;
    return fal__fail(error, FAL_E_OVERFLOW, "x", "a sum of overlapping windows does not fit %s",
                     fal_dtype_name(dtype));
}

/* The cells of one channel, from axis `a` on. */
static fal_status fold_axis(gather *job, const fal_tensor *x, int32_t a, int64_t from, int64_t to,
                            fal_error *error)
{
    const fal_conv_geometry *g = &job->columns->g;
    if (a == g->spatial) return fold_cell(job, from, fal__tensor_offset(x, to), error);
    for (int64_t i = 0; i < g->axis[a].input; i++) {
        job->i[a] = i;
        FAL__TRY(fold_axis(job, x, a + 1, from, to + i * job->columns->xs.space[a], error));
    }
    return FAL_OK;
}

fal_status fal_fold(const fal_tensor *cols, const fal_conv_params *params, const fal_tensor *x,
                    fal_error *error)
{
    fal__columns columns;
    FAL__TRY(fal__columns_check(x, cols, params, x, &columns, error));
    if (fal__fold_rows(&columns, cols, x)) return FAL_OK;
    gather job = {.columns = &columns, .cols = cols, .integer = fal_dtype_is_integer(cols->dtype)};
    for (int64_t n = 0; n < columns.g.n; n++)
        for (int64_t c = 0; c < columns.g.in_channels; c++)
            FAL__TRY(fold_axis(&job, x, 0, n * columns.n + c * columns.c, n * columns.xs.n + c * columns.xs.c,
                               error));
    return FAL_OK;
}
