/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fold_rows.c: the cells of a row, or the channels of a cell, collect their columns together.
 *
 * A block of LANES sums of double stays in the first-level cache while every tap adds a line of columns to
 * it; each cell then meets its columns in the order of the taps, as in fold.c, and is rounded once.
 *
 *     kernel 3, stride 2, sums of a row     0 1 2 3 4 5 6
 *     tap 0                                 a . b . c . d
 *     tap 1                                 . a . b . c .
 *     tap 2                                 . . a . b . c
 */
#include "lowering/fold_rows.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "tensor/tensor.h"

enum { LANES = 512 };

typedef struct fold {
    const fal__columns *columns;
    const fal_conv_geometry *g;
    const char *cols;
    char *x;
    bool single; /* float, else double */
    int64_t cell[FAL_MAX_SPATIAL];
    int64_t first, count; /* cells of the last axis, or channels, whose sums are at work */
    double sums[LANES];
} fold;

typedef FAL__VECTOR(double, 16) pair;
typedef FAL__VECTOR(float, 8) half_pair;

static void add_floats(double *sums, const float *from, int64_t count)
{
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
        pair *to = (pair *)(sums + j);
        const half_pair *line = (const half_pair *)(from + j);
        to[0] += FAL__CONVERT(line[0], pair);
        to[1] += FAL__CONVERT(line[1], pair);
    }
    for (; j < count; j++) sums[j] += (double)from[j];
}

static void add_doubles(double *sums, const double *from, int64_t count)
{
    int64_t j = 0;
    for (; j + 2 <= count; j += 2) *(pair *)(sums + j) += *(const pair *)(from + j);
    for (; j < count; j++) sums[j] += from[j];
}

/* sums[at + j*to] += cols[from + j*step] */
static void add(fold *job, int64_t at, int64_t to, int64_t from, int64_t step, int64_t count)
{
    double *sums = job->sums + at;
    const float *floats = (const float *)(const void *)job->cols + from;
    const double *doubles = (const double *)(const void *)job->cols + from;
    if (to == 1 && step == 1) {
        if (job->single)
            add_floats(sums, floats, count);
        else
            add_doubles(sums, doubles, count);
        return;
    }
    for (int64_t j = 0; j < count; j++)
        sums[j * to] += job->single ? (double)floats[j * step] : doubles[j * step];
}

static void store(const fold *job, int64_t to, int64_t step)
{
    float *floats = (float *)(void *)job->x + to;
    double *doubles = (double *)(void *)job->x + to;
    if (job->single)
        for (int64_t j = 0; j < job->count; j++) floats[j * step] = (float)job->sums[j];
    else
        for (int64_t j = 0; j < job->count; j++) doubles[j * step] = job->sums[j];
}

static int64_t walk_of(const fal_conv_geometry *g, int32_t a, int64_t tap)
{
    return g->flip_kernel ? g->axis[a].kernel - 1 - tap : tap;
}

/* The lines of one row of taps: outputs whose cells lie in the block. */
static void add_lines(fold *job, int64_t from)
{
    const int32_t a = job->g->spatial - 1;
    const fal_axis *axis = &job->g->axis[a];
    const fal__columns *c = job->columns;
    for (int64_t t = 0; t < axis->kernel; t++) {
        /* Output o has its cell at o*s - behind of the block. */
        const int64_t behind = job->first + axis->begin - walk_of(job->g, a, t) * axis->dilation;
        const int64_t first = behind <= 0 ? 0 : fal__ceil_div(behind, axis->stride);
        const int64_t reach = job->count + behind;
        const int64_t end = reach <= 0 ? 0 : fal__min(fal__ceil_div(reach, axis->stride), axis->output);
        if (first < end)
            add(job, first * axis->stride - behind, axis->stride, from + t * c->tap[a] + first * c->output[a],
                c->output[a], end - first);
    }
}

/* All taps that reach the cell on axes a, a+1, ..., last axis fastest. */
static void add_taps(fold *job, int32_t a, bool pixels, int64_t from)
{
    const fal_conv_geometry *g = job->g;
    if (a == g->spatial) {
        add(job, 0, 1, from + job->first, 1, job->count);
        return;
    }
    if (a == g->spatial - 1 && !pixels) {
        add_lines(job, from);
        return;
    }
    const fal_axis *axis = &g->axis[a];
    for (int64_t t = 0; t < axis->kernel; t++) {
        const int64_t distance = job->cell[a] + axis->begin - walk_of(g, a, t) * axis->dilation;
        if (distance < 0 || distance % axis->stride != 0 || distance / axis->stride >= axis->output) continue;
        add_taps(job, a + 1, pixels,
                 from + t * job->columns->tap[a] + distance / axis->stride * job->columns->output[a]);
    }
}

/* Blocks of `whole` cells or channels, `step` apart in x. */
static void fold_blocks(fold *job, bool pixels, int64_t whole, int64_t step, int64_t from, int64_t to)
{
    for (job->first = 0; job->first < whole; job->first += LANES) {
        job->count = fal__min(whole - job->first, LANES);
        for (int64_t j = 0; j < job->count; j++) job->sums[j] = 0;
        add_taps(job, 0, pixels, from);
        store(job, to + job->first * step, step);
    }
}

/* All cells on the axes that are not in the lanes. */
static void fold_cells(fold *job, int32_t a, bool pixels, int64_t from, int64_t to)
{
    const fal_conv_geometry *g = job->g;
    const int32_t last = g->spatial - 1;
    const fal__data_strides *xs = &job->columns->xs;
    if (a == g->spatial) {
        fold_blocks(job, pixels, g->in_channels, 1, from, to);
        return;
    }
    if (a == last && !pixels) {
        fold_blocks(job, pixels, g->axis[a].input, xs->space[a], from, to);
        return;
    }
    for (job->cell[a] = 0; job->cell[a] < g->axis[a].input; job->cell[a]++)
        fold_cells(job, a + 1, pixels, from, to + job->cell[a] * xs->space[a]);
}

bool fal__fold_rows(const fal__columns *columns, const fal_tensor *cols, const fal_tensor *x)
{
    const fal_conv_geometry *g = &columns->g;
    if ((x->dtype != FAL_F32 && x->dtype != FAL_F64) ||
        (g->padding_mode != FAL_PAD_ZEROS && g->padding_mode != FAL_PAD_CONSTANT))
        return false;
    fold job = {.columns = columns, .g = g, .cols = cols->data, .x = x->data, .single = x->dtype == FAL_F32};
    const bool pixels = g->in_channels > 1 && columns->xs.c == 1 && columns->c == 1;
    for (int64_t n = 0; n < g->n; n++) {
        const int64_t from = n * columns->n, to = n * columns->xs.n;
        if (pixels)
            fold_cells(&job, 0, true, from, to);
        else
            for (int64_t c = 0; c < g->in_channels; c++)
                fold_cells(&job, 0, false, from + c * columns->c, to + c * columns->xs.c);
    }
    return true;
}
