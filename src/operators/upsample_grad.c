/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upsample_grad.c: fal_upsample_grad, the exact adjoint of fal_upsample.
 *
 * Every input collects gy times the weight that forward gave it. The outputs that mix an input are
 * neighbours, because positions ascend; they are found by bisection in the samples of the axis. Rows
 * of gx are therefore independent, sums run in the row-major order of gy and are rounded once.
 */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "operators/upsample.h"

/* Outputs first..end-1 mix some input of low..high-1. */
typedef struct readers {
    int64_t first, end;
} readers;

/* The first output whose sample lies at or beyond `input`, judged by its far or its near end. */
static int64_t bisect(const fal__sample *samples, int64_t count, int64_t input, bool far)
{
    int64_t low = 0, high = count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if ((far ? samples[middle].to : samples[middle].from) < input)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static readers readers_of(const fal__upsample *u, int a, int64_t low, int64_t high)
{
    const int64_t count = u->y_sizes.space[a];
    return (readers){bisect(u->samples[a], count, low, true), bisect(u->samples[a], count, high, false)};
}

/* Adds what one row of gy, of this weight, gives. */
static void add_row(const fal__upsample *u, fal__upsample_block *b, const char *gy, double weight)
{
    const int64_t step = u->y_strides.space[2];
    if (!u->along_channels) {
        const readers r = readers_of(u, 2, b->cell, b->cell + b->lanes);
        u->kernels->scatter(b, gy + r.first * step * u->bytes, step, u->samples[2] + r.first, r.end - r.first,
                            weight);
        return;
    }
    const readers r = readers_of(u, 2, b->cell, b->cell + 1);
    for (int64_t w = r.first; w < r.end; w++) {
        const double own = fal__sample_weight(&u->samples[2][w], b->cell);
        const char *pixel = gy + w * step * u->bytes;
        if (own == 0) continue;
        if (u->arithmetic->add_scaled == NULL) /* integers: nearest, all weights are 1 */
            u->arithmetic->add(&b->sums, 1, pixel, u->y_strides.c, b->lanes);
        else
            u->arithmetic->add_scaled(&b->sums, pixel, u->y_strides.c, b->lanes, weight * own);
    }
}

static bool make_block(const fal__upsample *u, const fal__plane_row *row, fal__upsample_block *b, char *gx,
                       int64_t gx_step)
{
    const fal__steps *s = &u->y_strides;
    const readers d = readers_of(u, 0, row->at[0], row->at[0] + 1);
    const readers h = readers_of(u, 1, row->at[1], row->at[1] + 1);
    memset(&b->sums, 0, sizeof b->sums);
    const bool any = u->y_sizes.space[2] > 0; /* an empty gy may have no address */
    for (int64_t i = d.first; any && i < d.end; i++)
        for (int64_t j = h.first; j < h.end; j++) {
            const double weight = fal__sample_weight(&u->samples[0][i], row->at[0]) *
                                  fal__sample_weight(&u->samples[1][j], row->at[1]);
            const int64_t offset = row->n * s->n + row->c * s->c + i * s->space[0] + j * s->space[1];
            if (weight != 0) add_row(u, b, u->y + offset * u->bytes, weight);
        }
    return u->arithmetic->store(&b->sums, 1, gx, gx_step, b->lanes);
}

static bool make_row(const void *argument, const fal__plane_row *row)
{
    const fal__upsample *u = argument;
    const fal__steps *s = &u->x_strides;
    const int64_t width = u->x_sizes.space[2],
                  at = row->n * s->n + row->c * s->c + row->at[0] * s->space[0] + row->at[1] * s->space[1];
    bool fits = true;
    for (int64_t w = 0; w < width; w += u->along_channels ? 1 : FAL__UPSAMPLE_LANES) {
        fal__upsample_block b = {.cell = w, .lanes = row->channels};
        if (!u->along_channels) b.lanes = fal__min(width - w, FAL__UPSAMPLE_LANES);
        fits &= make_block(u, row, &b, u->x + (at + w * s->space[2]) * u->bytes,
                           u->along_channels ? s->c : s->space[2]);
    }
    return fits;
}

fal_status fal_upsample_grad(const fal_context *context, const fal_tensor *gy,
                             const fal_upsample_params *params, const fal_tensor *gx)
{
    fal__setting setting;
    fal__upsample u;
    FAL__TRY(fal__context_resolve(context, &setting));
    const fal__upsample_operands operands = {
        .x = gx, .y = gy, .x_name = "gx", .y_name = "gy", .x_written = true, .params = params};
    FAL__TRY(fal__upsample_create(&setting, &operands, &u));
    if (u.samples[0] == NULL) return FAL_OK;
    const fal__plane_rows rows = {.n = u.g.n,
                                  .c = u.g.in_channels,
                                  .rows = {u.x_sizes.space[0], u.x_sizes.space[1]},
                                  .block = u.along_channels ? FAL__UPSAMPLE_LANES : 1,
                                  .work = u.x_sizes.space[2] * (u.along_channels ? FAL__UPSAMPLE_LANES : 1),
                                  .run = make_row};
    const bool fits = fal__planes_run(&setting, &rows, &u);
    fal__upsample_release(&setting, &u);
    return fits ? FAL_OK : fal__planes_overflow(setting.error, "gx", gx);
}
