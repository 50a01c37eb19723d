/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_copy.c: the copy of the input lines that a block of outputs meets; see direct_pixels.h.
 *
 * The copy is written from front to back, each piece of a line for all channels at once: a kernel may write
 * up to a vector behind its piece, and what follows is written later. Behind a channel there is room for
 * that.
 */
#include "base/checked.h"
#include "solvers/parts/direct_pixels.h"

void fal__dp_block_layout(fal__dp_block *b, int64_t lanes)
{
    const fal__dp_stretch *rows = &b->axis[1], *columns = &b->axis[2];
    b->pitch = columns->end - columns->first;
    for (int64_t c = 0; c < columns->classes; c++) b->pitch = fal__max(b->pitch, columns->count[c]);
    b->column_step = 0; /* classes begin with whole vectors */
    for (int64_t c = 0; c < rows->classes; c++) {
        b->row_class[c] = b->column_step;
        b->column_step += fal__ceil_div(rows->count[c] * b->pitch, lanes) * lanes;
    }
    b->plane_step = columns->classes * b->column_step;
    b->lanes = (rows->end - rows->first - 1) * b->pitch + columns->end - columns->first;
    /* Room for a vector that is read and one that is overwritten, and an odd number of them: channels spread
     * over the sets of the cache. */
    b->channel = ((fal__ceil_div(b->axis[0].taps * b->plane_step, lanes) + 2) | 1) * lanes;
}

/* A copy on its way; `x` is element 0 of the first of `copy.rows` lines, NULL for padding. */
typedef struct copying {
    const fal__direct_pixels *s;
    const fal__dp_block *block;
    const char *x;
    fal__lane_copy copy;
    int64_t slack; /* elements to fill behind the last line */
} copying;

/* Columns `to` .. of the lines: fills, elements first, first + s .. of x, fills. */
static void emit(const copying *l, int64_t to, int64_t before, int64_t first, int64_t count, int64_t after)
{
    const fal__problem_axis *axis = &l->s->problem.axis[2];
    const int64_t element = (int64_t)l->s->compute->panel_bytes;
    fal__lane_copy copy = l->copy;
    copy.to = (char *)copy.to + to * element;
    copy.before = before, copy.count = count, copy.after = after;
    copy.x = count > 0 ? l->x + first * axis->xs * element : NULL;
    if (before == 0 && after == 0 && copy.to_row == count && copy.x_row == count * copy.x_step) {
        copy.count *= copy.rows; /* lines that follow each other on both sides are one */
        copy.rows = 1;
    }
    l->s->kernels->copy(&copy);
}

/* Columns at, at + s, ..: `count` of them, of lines of `pitch`. */
static void copy_lines(const copying *l, int64_t at, int64_t count)
{
    const fal__problem *p = &l->s->problem;
    const fal__problem_axis *axis = &p->axis[2];
    const int64_t pitch = l->block->pitch, behind = pitch - count + l->slack;
    if (l->x == NULL) {
        emit(l, 0, pitch + l->slack, 0, 0, 0);
        return;
    }
    const int64_t from = at >= 0 ? 0 : fal__min(count, fal__ceil_div(-at, axis->s));
    const int64_t to =
        at >= axis->in ? from : fal__max(from, fal__min(count, (axis->in - 1 - at) / axis->s + 1));
    if (p->mode == FAL_PAD_ZEROS || p->mode == FAL_PAD_CONSTANT) {
        emit(l, 0, from, at + from * axis->s, to - from, count - to + behind);
        return;
    }
    for (int64_t j = 0; j < from; j++)
        emit(l, j, 0, fal_border_index(p->mode, at + j * axis->s, axis->in), 1, 0);
    if (to > from) emit(l, from, 0, at + from * axis->s, to - from, 0);
    for (int64_t j = to; j < count; j++)
        emit(l, j, 0, fal_border_index(p->mode, at + j * axis->s, axis->in), 1, 0);
    if (behind > 0) emit(l, count, behind, 0, 0, 0);
}

/* Element 0 of input line `index` along axis a, in the line x of the axis before; NULL where padding is. */
static const char *line_at(const fal__direct_pixels *s, const char *x, int a, int64_t index)
{
    const fal__problem_axis *axis = &s->problem.axis[a];
    if (x == NULL) return NULL;
    if (index < 0 || index >= axis->in) index = fal_border_index(s->problem.mode, index, axis->in);
    return index < 0 ? NULL : x + index * axis->xs * (int64_t)s->compute->panel_bytes;
}

/* Row class r and column class c of a plane: lines inside the input, and lines of padding, together. The last
 * line goes alone, because what the lanes read behind it is filled; and where a border is copied cell by
 * cell, all do, because its pieces would else overwrite the next line. */
static void copy_class(copying *l, const char *plane, int64_t r, int64_t c, bool last)
{
    const fal__direct_pixels *s = l->s;
    const fal__dp_block *b = l->block;
    const fal__problem_axis *axis = &s->problem.axis[1];
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const bool alone = s->problem.mode != FAL_PAD_ZEROS && s->problem.mode != FAL_PAD_CONSTANT;
    const int64_t at = b->axis[1].at[r], count = b->axis[1].count[r], lanes = s->kernels->lanes;
    const int64_t slack =
        fal__ceil_div(count * b->pitch, lanes) * lanes - count * b->pitch + (last ? lanes : 0);
    char *to = (char *)l->copy.to + (c * b->column_step + b->row_class[r]) * element, *begin = l->copy.to;
    for (int64_t j = 0, together; j < count; j += together) {
        const int64_t index = at + j * axis->s, most = alone ? 1 : count - j - (slack > 0 && j + 1 < count);
        together = index < 0          ? fal__min(most, fal__ceil_div(-index, axis->s))
                   : index < axis->in ? fal__min(most, (axis->in - 1 - index) / axis->s + 1)
                                      : most;
        l->x = line_at(s, plane, 1, index);
        l->copy.to = to + j * b->pitch * element;
        l->copy.rows = together;
        l->slack = j + together == count ? slack : 0;
        copy_lines(l, b->axis[2].at[c], b->axis[2].count[c]);
    }
    l->copy.to = begin;
}

void fal__dp_copy(const fal__direct_pixels *s, const fal__dp_block *b, const char *x, int64_t channels,
                  char *to)
{
    const fal__problem *p = &s->problem;
    const fal__dp_stretch *planes = &b->axis[0], *rows = &b->axis[1], *columns = &b->axis[2];
    copying l = {.s = s, .block = b};
    l.copy = (fal__lane_copy){.x_channel = p->x_ic,
                              .x_row = p->axis[1].s * p->axis[1].xs,
                              .x_step = p->axis[2].s * p->axis[2].xs,
                              .to_channel = b->channel,
                              .to_row = b->pitch,
                              .channels = channels,
                              .fill = p->mode == FAL_PAD_CONSTANT ? p->padding_value : 0};
    for (int64_t d = 0; d < planes->taps; d++) {
        const char *plane = line_at(s, x, 0, planes->at[planes->of[d]] + planes->shift[d] * p->axis[0].s);
        l.copy.to = to + d * b->plane_step * (int64_t)s->compute->panel_bytes;
        for (int64_t c = 0; c < columns->classes; c++)
            for (int64_t r = 0; r < rows->classes; r++)
                copy_class(&l, plane, r, c,
                           d + 1 == planes->taps && c + 1 == columns->classes && r + 1 == rows->classes);
    }
}
