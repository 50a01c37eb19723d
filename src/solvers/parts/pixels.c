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

/* One channel at a time with n fastest (weight gradients): consecutive steps are neighbouring taps of
 * a row, and every run reads one position that moves along x with the tap. So each run is one
 * copy of `rows` steps, as far as the taps stay inside. Steps tap .. tap+rows-1 of axis W. */
static void pack_tap_row(const fal__pixel_tile *tile, const fal__compute *compute, const int64_t *t,
                         int64_t ic, int64_t rows, char *panel)
{
    const fal__problem *p = tile->problem;
    const fal__problem_axis *axis = &p->axis[W];
    const int32_t width = tile->pixels->width;
    const int64_t row_step = axis->d * axis->xs;
    fill_rows(p, compute, rows, width, panel);
    for (int32_t r = 0; r < tile->run_count; r++) {
        const fal__pixel_run *run = &tile->runs[r];
        fal__segment segment = {.step = p->x_n, .to = run->to, .length = run->length};
        int64_t at[FAL_MAX_SPATIAL] = {t[0], t[1], t[W]};
        const int64_t first = run->o[W] * axis->s + t[W] * axis->d - axis->begin;
        int64_t from = 0, to = rows;
        if (first < 0) from = fal__min(rows, fal__ceil_div(-first, axis->d));
        if (first + (rows - 1) * axis->d >= axis->in)
            to = fal__max(from, fal__ceil_div(axis->in - first, axis->d));
        at[W] += from;
        if (from == to || !fal__pixel_source(p, tile->group, run->n, run->o, at, &segment.from)) continue;
        segment.from += ic * p->x_ic;
        compute->pack[p->dtype](tile->x, &segment, 1, to - from, row_step, width,
                                panel + (size_t)from * (size_t)width * compute->panel_bytes);
    }
}

void fal__pixels_pack(const fal__pixel_tile *tile, const fal__compute *compute, int64_t k0, int64_t k1,
                      void *panel)
{
    const fal__problem *p = tile->problem;
    const int32_t width = tile->pixels->width;
    const bool tap_rows = tile->reduction->chunk == 1 && tile->pixels->n_fastest && p->axis[W].d > 0 &&
                          (p->mode == FAL_PAD_ZEROS || p->mode == FAL_PAD_CONSTANT);
    char *to = panel;
    while (k0 < k1) {
        const fal__reduction_place place = fal__reduction_at(tile->reduction, k0);
        int64_t t[FAL_MAX_SPATIAL], rows = fal__min(place.length, k1 - k0);
        fal__tap_place(p, place.tap, t);
        if (tap_rows) {
            rows = fal__min(p->axis[W].k - t[W], k1 - k0);
            pack_tap_row(tile, compute, t, place.ic, rows, to);
        } else {
            int32_t covered;
            const int32_t count = tap_segments(tile, t, &covered);
            if (covered < width) fill_rows(p, compute, rows, width, to);
            const char *x = (const char *)tile->x + place.ic * p->x_ic * (int64_t)fal_dtype_bytes(p->dtype);
            compute->pack[p->dtype](x, tile->segments, count, rows, p->x_ic, width, to);
        }
        to += (size_t)rows * (size_t)width * compute->panel_bytes;
        k0 += rows;
    }
}
