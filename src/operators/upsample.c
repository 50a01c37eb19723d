/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upsample.c: fal_upsample.
 *
 * An output is the sum of at most eight inputs, two on each axis, times the product of their weights.
 * It is computed in double in one order (depth, height, width) and rounded once, block by block along
 * the row or the channels, whichever lies closer together in y; float tensors without gaps by
 * upsample_linear.c. Nearest neighbours are copied, and a row that repeats the one before from there.
 */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "operators/upsample.h"
#include "tensor/rows.h"

/* The rows of x that a row of y mixes; the first has a weight above 0. */
static int find_sources(const fal__upsample *u, const fal__plane_row *row, fal__source sources[4])
{
    const fal__sample *d = &u->samples[0][row->at[0]], *h = &u->samples[1][row->at[1]];
    const int64_t ds[2] = {d->from, d->to}, hs[2] = {h->from, h->to};
    const double dw[2] = {d->w_from, d->w_to}, hw[2] = {h->w_from, h->w_to};
    const int64_t image = row->n * u->x_strides.n + row->c * u->x_strides.c;
    int count = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            if (dw[i] == 0 || hw[j] == 0) continue;
            const int64_t offset = image + ds[i] * u->x_strides.space[0] + hs[j] * u->x_strides.space[1];
            sources[count++] = (fal__source){u->x + offset * u->bytes, dw[i] * hw[j]};
        }
    return count;
}

static void make_cells(const fal__upsample *u, const fal__source *sources, int count, char *y)
{
    const int64_t width = u->y_sizes.space[2], x_step = u->x_strides.space[2], y_step = u->y_strides.space[2];
    if (u->params.mode == FAL_UPSAMPLE_NEAREST) {
        u->kernels->pick(y, y_step, sources[0].x, x_step, u->samples[2], width);
        return;
    }
    for (int64_t w = 0; w < width; w += FAL__UPSAMPLE_LANES) {
        double sums[FAL__UPSAMPLE_LANES] = {0};
        const int64_t lanes = fal__min(width - w, FAL__UPSAMPLE_LANES);
        for (int i = 0; i < count; i++)
            u->kernels->gather(sums, sources[i].x, x_step, u->samples[2] + w, lanes, sources[i].weight);
        u->arithmetic->store(sums, 1, y + w * y_step * u->bytes, y_step, lanes);
    }
}

static void make_pixels(const fal__upsample *u, const fal__source *sources, int count, int32_t channels,
                        char *y)
{
    const int64_t x_step = u->x_strides.space[2] * u->bytes, y_step = u->y_strides.space[2] * u->bytes;
    for (int64_t w = 0; w < u->y_sizes.space[2]; w++) {
        const fal__sample *s = &u->samples[2][w];
        if (u->params.mode == FAL_UPSAMPLE_NEAREST) {
            fal__move_row(y + w * y_step, u->y_strides.c, sources[0].x + s->from * x_step, u->x_strides.c,
                          channels, (size_t)u->bytes);
            continue;
        }
        double sums[FAL__UPSAMPLE_LANES] = {0};
        for (int i = 0; i < count; i++) {
            const double weight = sources[i].weight;
            u->arithmetic->add_scaled(sums, sources[i].x + s->from * x_step, u->x_strides.c, channels,
                                      weight * s->w_from);
            if (s->w_to != 0)
                u->arithmetic->add_scaled(sums, sources[i].x + s->to * x_step, u->x_strides.c, channels,
                                          weight * s->w_to);
        }
        u->arithmetic->store(sums, 1, y + w * y_step, u->y_strides.c, channels);
    }
}

static void make_row(const fal__upsample *u, const fal__plane_row *row, char *y)
{
    fal__source sources[4];
    const int count = find_sources(u, row, sources);
    if (u->linear)
        fal__upsample_linear(u, sources, count, row->channels, y);
    else if (u->along_channels)
        make_pixels(u, sources, count, row->channels, y);
    else
        make_cells(u, sources, count, y);
}

/* Is row h of a nearest up-sampling the one before, and without gaps? */
static bool row_repeats(const fal__upsample *u, int64_t h, int64_t channels)
{
    const fal__steps *s = &u->y_strides;
    const bool compact = u->along_channels ? s->c == 1 && s->space[2] == channels : s->space[2] == 1;
    return compact && u->params.mode == FAL_UPSAMPLE_NEAREST &&
           u->samples[1][h].from == u->samples[1][h - 1].from;
}

static bool make_rows(const void *argument, const fal__plane_row *rows)
{
    const fal__upsample *u = argument;
    const fal__steps *s = &u->y_strides;
    const int64_t down = s->space[1] * u->bytes;
    const int64_t elements = u->y_sizes.space[2] * (u->along_channels ? rows->channels : 1);
    fal__plane_row row = *rows;
    char *y =
        u->y + (row.n * s->n + row.c * s->c + row.at[0] * s->space[0] + row.at[1] * s->space[1]) * u->bytes;
    for (int64_t i = 0; i < rows->rows; i++, row.at[1]++, y += down)
        if (i > 0 && row_repeats(u, row.at[1], row.channels))
            fal__move_row(y, 1, y - down, 1, elements, (size_t)u->bytes);
        else
            make_row(u, &row, y);
    return true;
}

fal_status fal_upsample(const fal_context *context, const fal_tensor *x, const fal_upsample_params *params,
                        const fal_tensor *y)
{
    fal__setting setting;
    fal__upsample u;
    FAL__TRY(fal__context_resolve(context, &setting));
    const fal__upsample_operands operands = {.x = x, .y = y, .x_name = "x", .y_name = "y", .params = params};
    FAL__TRY(fal__upsample_create(&setting, &operands, &u));
    if (u.samples[0] == NULL) return FAL_OK;
    u.linear = fal__upsample_linear_applies(&u, x->dtype);
    const fal__plane_rows rows = {.n = u.g.n,
                                  .c = u.g.in_channels,
                                  .rows = {u.y_sizes.space[0], u.y_sizes.space[1]},
                                  .block = u.along_channels ? FAL__UPSAMPLE_LANES : 1,
                                  .work = u.y_sizes.space[2] * (u.along_channels ? FAL__UPSAMPLE_LANES : 1),
                                  .together = true,
                                  .run = make_rows};
    fal__planes_run(&setting, &rows, &u);
    fal__upsample_release(&setting, &u);
    return FAL_OK;
}
