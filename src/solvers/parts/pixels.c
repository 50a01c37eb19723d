/* SPDX-License-Identifier: BSD-3-Clause */
/* pixels.c: see pixels.h. */
#include "solvers/parts/pixels.h"

#include <string.h>

#include "base/checked.h"
#include "tensor/tensor.h"

enum { W = FAL_MAX_SPATIAL - 1 }; /* the fastest spatial axis */

void fal__pixels_plan(const fal__problem *p, int32_t width, fal__pixels *pixels)
{
    pixels->count = p->n * p->axis[0].out * p->axis[1].out * p->axis[2].out;
    pixels->width = width;
    pixels->n_fastest = p->axis[W].out < 8 && p->n > p->axis[W].out;
}

int32_t fal__pixels_runs(const fal__problem *p, const fal__pixels *pixels, int64_t first,
                         fal__pixel_run *runs)
{
    const int64_t end = fal__min(first + pixels->width, pixels->count);
    int32_t count = 0, to = 0;
    while (first < end) {
        fal__pixel_run *run = &runs[count++];
        int64_t rest = first, fast, fast_size;
        if (pixels->n_fastest) {
            fast_size = p->n;
            fast = run->n = rest % p->n;
            rest /= p->n;
        } else {
            fast_size = p->axis[W].out;
            fast = rest % fast_size;
        }
        for (int a = W; a >= 0; a--) {
            run->o[a] = rest % p->axis[a].out;
            rest /= p->axis[a].out;
        }
        if (!pixels->n_fastest) run->n = rest;
        run->to = to;
        run->length = (int32_t)fal__min(fast_size - fast, end - first);
        run->y = run->n * p->y_n;
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) run->y += run->o[a] * p->axis[a].ys;
        run->y_step = pixels->n_fastest ? p->y_n : p->axis[W].ys;
        to += run->length;
        first += run->length;
    }
    return count;
}

void fal__tap_place(const fal__problem *p, int64_t tap, int64_t t[FAL_MAX_SPATIAL])
{
    for (int a = W; a >= 0; a--) {
        t[a] = tap % p->axis[a].k;
        tap /= p->axis[a].k;
    }
}

/* Input index under output o and tap t of one axis, through the border when outside; -1: no cell. */
static int64_t axis_source(const fal__problem *p, const fal__problem_axis *axis, int64_t o, int64_t t)
{
    const int64_t position = o * axis->s + t * axis->d - axis->begin;
    if (position >= 0 && position < axis->in) return position;
    return fal_border_index(p->mode, position, axis->in);
}

bool fal__pixel_source(const fal__problem *p, int64_t group, int64_t n, const int64_t *o, const int64_t *t,
                       int64_t *offset)
{
    *offset = p->x_base + group * p->x_g + n * p->x_n;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const int64_t index = axis_source(p, &p->axis[a], o[a], t[a]);
        if (index < 0) return false;
        *offset += index * p->axis[a].xs;
    }
    return true;
}

/* Segments of one run along ow, whose row begins at element `base`: the interior in one piece, border
 * cells one by one. */
static int32_t row_segments(const fal__problem *p, const fal__pixel_run *run, int64_t base, int64_t tap,
                            fal__segment *segments)
{
    const fal__problem_axis *axis = &p->axis[W];
    const int64_t s = axis->s, first = run->o[W] * s + tap * axis->d - axis->begin;
    int64_t from = 0, to = run->length; /* pixels from..to-1 read the interior */
    if (first < 0) from = fal__min(to, fal__ceil_div(-first, s));
    if (first + (to - 1) * s >= axis->in) to = fal__max(from, fal__ceil_div(axis->in - first, s));
    int32_t count = 0;
    if (from < to)
        segments[count++] = (fal__segment){.from = base + (first + from * s) * axis->xs,
                                           .step = s * axis->xs,
                                           .to = run->to + (int32_t)from,
                                           .length = (int32_t)(to - from)};
    if (p->mode == FAL_PAD_ZEROS || p->mode == FAL_PAD_CONSTANT) return count;
    for (int64_t j = 0; j < run->length; j++) {
        if (j == from) j = to;
        if (j >= run->length) break;
        const int64_t index = fal_border_index(p->mode, first + j * s, axis->in);
        segments[count++] = (fal__segment){
            .from = base + index * axis->xs, .step = 1, .to = run->to + (int32_t)j, .length = 1};
    }
    return count;
}

/* Segments of the whole tile for one tap; returns their number and the columns they cover. */
static int32_t tap_segments(const fal__pixel_tile *tile, const int64_t *t, int32_t *covered)
{
    const fal__problem *p = tile->problem;
    int32_t count = 0;
    *covered = 0;
    for (int32_t r = 0; r < tile->run_count; r++) {
        const fal__pixel_run *run = &tile->runs[r];
        const int32_t before = count;
        int64_t base = p->x_base + tile->group * p->x_g + run->n * p->x_n;
        const int fixed = tile->pixels->n_fastest ? FAL_MAX_SPATIAL : W; /* axes with one position per run */
        int64_t index = 0;
        for (int a = 0; a < fixed && index >= 0; a++) {
            index = axis_source(p, &p->axis[a], run->o[a], t[a]);
            base += index * p->axis[a].xs;
        }
        if (index < 0) continue;
        if (tile->pixels->n_fastest)
            tile->segments[count++] =
                (fal__segment){.from = base, .step = p->x_n, .to = run->to, .length = run->length};
        else
            count += row_segments(p, run, base, t[W], tile->segments + count);
        for (int32_t s = before; s < count; s++) *covered += tile->segments[s].length;
    }
    return count;
}

/* Columns that no segment covers hold the padding: 0, or the constant in the type of x. */
static void fill_rows(const fal__problem *p, const fal__compute *compute, int64_t rows, int32_t width,
                      void *panel)
{
    if (p->mode != FAL_PAD_CONSTANT) {
        memset(panel, 0, (size_t)rows * (size_t)width * compute->panel_bytes);
        return;
    }
    uint64_t value = 0;
    fal__store_f64(&value, p->dtype, p->padding_value);
    const fal__segment all = {.from = 0, .step = 0, .to = 0, .length = width};
    compute->pack[p->dtype](&value, &all, 1, rows, 0, width, panel);
}

void fal__pixels_pack(const fal__pixel_tile *tile, const fal__compute *compute, int64_t k0, int64_t k1,
                      void *panel)
{
    const fal__problem *p = tile->problem;
    const int32_t width = tile->pixels->width;
    char *to = panel;
    while (k0 < k1) {
        const int64_t tap = k0 / p->ic, ic = k0 % p->ic, rows = fal__min(p->ic - ic, k1 - k0);
        int64_t t[FAL_MAX_SPATIAL];
        int32_t covered;
        fal__tap_place(p, tap, t);
        const int32_t count = tap_segments(tile, t, &covered);
        if (covered < width) fill_rows(p, compute, rows, width, to);
        const char *x = (const char *)tile->x + ic * p->x_ic * (int64_t)fal_dtype_bytes(p->dtype);
        compute->pack[p->dtype](x, tile->segments, count, rows, p->x_ic, width, to);
        to += (size_t)rows * (size_t)width * compute->panel_bytes;
        k0 += rows;
    }
}
