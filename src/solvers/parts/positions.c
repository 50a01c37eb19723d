/* SPDX-License-Identifier: BSD-3-Clause */
/* positions.c: see positions.h. */
#include "solvers/parts/positions.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

enum { W = FAL_MAX_SPATIAL - 1 };
static const int64_t NOWHERE = INT64_MIN; /* strides may be negative, so any other offset may be one */

bool fal__positions_apply(const fal__problem *p, char *why, size_t capacity)
{
    if (p->mode != FAL_PAD_CONSTANT || p->padding_value == 0) return true;
    snprintf(why, capacity, "has no constant borders");
    return false;
}

int64_t fal__positions_read(const fal__problem *p, const fal__reduction *reduction, int64_t first,
                            int64_t count, fal__position_run *runs)
{
    int64_t found = 0;
    for (int64_t k = first; k < first + count; found++) {
        const fal__reduction_place place = fal__reduction_at(reduction, k);
        int64_t t[FAL_MAX_SPATIAL];
        fal__tap_place(p, place.tap, t);
        fal__position_run *run = &runs[found];
        run->images = reduction->chunk > 1;
        run->length = fal__min(run->images ? place.length : p->axis[W].k - t[W], first + count - k);
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) run->at[a] = t[a] * p->axis[a].d - p->axis[a].begin;
        run->image = place.ic;
        run->x = place.ic * p->x_ic;
        run->w = fal__weight_offset(p, reduction, k);
        k += run->length;
    }
    return found;
}

void fal__positions_clip(const fal__problem *p, const fal__position_run *run, const int64_t *o,
                         int64_t *first, int64_t *end, int64_t *offset)
{
    *first = 0, *end = run->length, *offset = run->x;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t position = o[a] * axis->s + run->at[a];
        *offset += position * axis->xs;
        if (a == W && !run->images) {
            if (position < 0) *first = fal__min(*end, fal__ceil_div(-position, axis->d));
            if (position + (*end - 1) * axis->d >= axis->in)
                *end = fal__max(*first, fal__ceil_div(axis->in - position, axis->d));
        } else if (position < 0 || position >= axis->in) {
            *end = 0;
        }
    }
}

/* Offset in x of the cell under step j of a run, through a border that copies cells; NOWHERE: there is no
 * such cell. */
static int64_t border_offset(const fal__problem *p, const fal__position_run *run, const int64_t *o, int64_t j)
{
    int64_t offset = run->x + (run->images ? j * p->x_ic : 0);
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t along = a == W && !run->images ? j * axis->d : 0;
        const int64_t cell = fal_border_index(p->mode, o[a] * axis->s + run->at[a] + along, axis->in);
        if (cell < 0) return NOWHERE;
        offset += cell * axis->xs;
    }
    return offset;
}

bool fal__positions_stretch(const fal__problem *p, const fal__position_run *run, const int64_t *o,
                            int64_t first, int64_t *count, int64_t *offset)
{
    const fal__problem_axis *row = &p->axis[W];
    const int64_t position = o[W] * row->s + run->at[W] + first * row->d;
    *offset = border_offset(p, run, o, first);
    *count = run->length - first;
    if (!run->images) {
        const bool inside = position >= 0 && position < row->in;
        *count = inside ? fal__min(*count, (row->in - 1 - position) / row->d + 1) : 1;
    }
    return *offset != NOWHERE;
}

int64_t fal__positions_list(const fal__problem *p, const fal__position_run *runs, int64_t count,
                            const int64_t *o, int64_t row, const fal__position_lists *lists)
{
    const bool copies = fal__positions_copied(p);
    int64_t found = 0, begin = 0;
    for (int64_t i = 0; i < count; begin += runs[i].length, i++) {
        const fal__position_run *run = &runs[i];
        const int64_t x_step = fal__positions_x_step(p, run), w_step = fal__positions_w_step(p, run);
        int64_t first = 0, end = run->length, offset = 0;
        if (!copies) fal__positions_clip(p, run, o, &first, &end, &offset);
        for (int64_t j = first; j < end; j++) {
            lists->x[found] = copies ? border_offset(p, run, o, j) : offset + j * x_step;
            lists->w[found] = run->w + j * w_step;
            lists->packed[found] = (begin + j) * row;
            found += lists->x[found] != NOWHERE;
        }
    }
    return found;
}

void fal__gather_lanes(const fal__compute *compute, fal_dtype dtype, const void *x, int64_t step,
                       int64_t channel_step, int64_t length, int64_t channels, void *panel)
{
    const fal__segment segment = {.step = channel_step, .length = (int32_t)channels};
    if (compute->winograd != NULL && channel_step != 1)
        compute->winograd->gather(x, step, channel_step, length, channels, panel);
    else
        compute->pack[dtype](x, &segment, 1, length, step, compute->lanes, panel);
}

void fal__positions_pack(const fal__problem *p, const fal__compute *compute, const fal__position_run *runs,
                         int64_t count, const void *w, int64_t channel_step, int64_t channels, void *panel)
{
    const size_t row = (size_t)compute->lanes * compute->panel_bytes;
    char *to = panel;
    for (int64_t i = 0; i < count; i++) {
        const fal__position_run *run = &runs[i];
        const int64_t step = fal__positions_w_step(p, run);
        const char *from = (const char *)w + run->w * (int64_t)compute->panel_bytes;
        if (channels < compute->lanes) memset(to, 0, (size_t)run->length * row);
        if (channels > 0)
            fal__gather_lanes(compute, p->dtype, from, step, channel_step, run->length, channels, to);
        to += (size_t)run->length * row;
    }
}
