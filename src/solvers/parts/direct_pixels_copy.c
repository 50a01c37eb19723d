/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_copy.c: which input lines a block of outputs meets, and their copy; see direct_pixels.h.
 *
 * The copy is written from front to back, each piece of a line for all channels at once: a kernel may write
 * up to a vector behind its piece, and what follows is written later. Behind a channel there is room for
 * that.
 */
#include "base/checked.h"
#include "solvers/parts/direct_pixels.h"

/* Outputs first..end-1 of an axis read inside the input with tap t. */
static void tap_range(const fal__problem_axis *axis, int64_t t, int64_t *first, int64_t *end)
{
    const int64_t at = t * axis->d - axis->begin;
    *first = at >= 0 ? 0 : fal__min(axis->out, fal__ceil_div(-at, axis->s));
    *end = at >= axis->in ? 0 : fal__min(axis->out, (axis->in - 1 - at) / axis->s + 1);
}

/* The taps that some output of the stretch meets; without `cut`, its end is given. */
static void find_taps(const fal__problem *p, int a, bool cut, fal__dp_stretch *stretch)
{
    const fal__problem_axis *axis = &p->axis[a];
    const bool zeros = p->mode == FAL_PAD_ZEROS;
    for (int64_t t = 0; t < axis->k && zeros && cut; t++) {
        int64_t from, to;
        tap_range(axis, t, &from, &to);
        if (to <= from) continue;
        if (from > stretch->first) stretch->end = fal__min(stretch->end, from);
        if (to > stretch->first) stretch->end = fal__min(stretch->end, to);
    }
    stretch->taps = 0;
    for (int64_t t = 0; t < axis->k; t++) {
        int64_t from = 0, to = axis->out;
        if (zeros) tap_range(axis, t, &from, &to);
        if (fal__max(from, stretch->first) < fal__min(to, stretch->end)) stretch->tap[stretch->taps++] = t;
    }
}

void fal__dp_find_lines(const fal__problem_axis *axis, bool own, fal__dp_stretch *stretch)
{
    const int64_t outputs = stretch->end - stretch->first;
    stretch->classes = 0;
    for (int64_t i = 0; i < stretch->taps; i++) {
        const int64_t at = stretch->first * axis->s + stretch->tap[i] * axis->d - axis->begin;
        int64_t c = own ? stretch->classes : 0;
        while (c < stretch->classes && (at - stretch->at[c]) % axis->s != 0) c++;
        if (c == stretch->classes) {
            stretch->at[c] = at;
            stretch->count[c] = outputs;
            stretch->classes++;
        } else if (at < stretch->at[c]) {
            stretch->count[c] += (stretch->at[c] - at) / axis->s;
            stretch->at[c] = at;
        } else {
            stretch->count[c] = fal__max(stretch->count[c], outputs + (at - stretch->at[c]) / axis->s);
        }
        stretch->of[i] = c;
    }
    for (int64_t i = 0; i < stretch->taps; i++) {
        const int64_t at = stretch->first * axis->s + stretch->tap[i] * axis->d - axis->begin;
        stretch->shift[i] = (at - stretch->at[stretch->of[i]]) / axis->s;
    }
}

void fal__dp_stretch_at(const fal__problem *p, int a, const fal__dp_axis *how, int64_t first,
                        fal__dp_stretch *stretch)
{
    stretch->first = first;
    stretch->end = fal__min(p->axis[a].out, first + how->block);
    find_taps(p, a, how->cut, stretch);
    fal__dp_find_lines(&p->axis[a], how->own, stretch);
}

void fal__dp_block_layout(fal__dp_block *b, int64_t lanes)
{
    const fal__dp_stretch *rows = &b->axis[1], *columns = &b->axis[2];
    b->lines = 0, b->pitch = columns->end - columns->first;
    for (int64_t c = 0; c < rows->classes; c++) b->lines += rows->count[c];
    for (int64_t c = 0; c < columns->classes; c++) b->pitch = fal__max(b->pitch, columns->count[c]);
    b->column_step = b->lines * b->pitch;
    b->plane_step = columns->classes * b->column_step;
    b->lanes = (rows->end - rows->first - 1) * b->pitch + columns->end - columns->first;
    /* Room for a vector that is read and one that is overwritten, and an odd number of them: channels spread
     * over the sets of the cache. */
    b->channel = ((fal__ceil_div(b->axis[0].taps * b->plane_step, lanes) + 2) | 1) * lanes;
}

/* One input line for all channels. */
typedef struct line {
    const fal__direct_pixels *s;
    const char *x; /* its element 0; NULL: padding */
    fal__lane_copy copy;
    int64_t slack; /* elements to fill behind */
} line;

static void emit(line *l, int64_t before, int64_t first, int64_t count, int64_t after)
{
    const fal__problem_axis *axis = &l->s->problem.axis[2];
    const int64_t element = (int64_t)l->s->compute->panel_bytes;
    l->copy.before = before, l->copy.count = count, l->copy.after = after;
    l->copy.x = count > 0 ? l->x + first * axis->xs * element : NULL;
    l->s->kernels->copy(&l->copy);
    l->copy.to = (char *)l->copy.to + (before + count + after) * element;
}

/* Columns at, at + s, ..: `count` of them, of a line of `pitch`. */
static void copy_line(line *l, int64_t at, int64_t count, int64_t pitch)
{
    const fal__problem *p = &l->s->problem;
    const fal__problem_axis *axis = &p->axis[2];
    const int64_t behind = pitch - count + l->slack;
    if (l->x == NULL) {
        emit(l, pitch + l->slack, 0, 0, 0);
        return;
    }
    const int64_t from = at >= 0 ? 0 : fal__min(count, fal__ceil_div(-at, axis->s));
    const int64_t to =
        at >= axis->in ? from : fal__max(from, fal__min(count, (axis->in - 1 - at) / axis->s + 1));
    if (p->mode == FAL_PAD_ZEROS || p->mode == FAL_PAD_CONSTANT) {
        emit(l, from, at + from * axis->s, to - from, count - to + behind);
        return;
    }
    for (int64_t j = 0; j < from; j++)
        emit(l, 0, fal_border_index(p->mode, at + j * axis->s, axis->in), 1, 0);
    emit(l, 0, at + from * axis->s, to - from, 0);
    for (int64_t j = to; j < count; j++)
        emit(l, 0, fal_border_index(p->mode, at + j * axis->s, axis->in), 1, 0);
    if (behind > 0) emit(l, behind, 0, 0, 0);
}

/* Element 0 of input line `index` along axis a, in the line x of the axis before; NULL where padding is. */
static const char *line_at(const fal__direct_pixels *s, const char *x, int a, int64_t index)
{
    const fal__problem_axis *axis = &s->problem.axis[a];
    if (x == NULL) return NULL;
    if (index < 0 || index >= axis->in) index = fal_border_index(s->problem.mode, index, axis->in);
    return index < 0 ? NULL : x + index * axis->xs * (int64_t)s->compute->panel_bytes;
}

void fal__dp_copy(const fal__direct_pixels *s, const fal__dp_block *b, const char *x, int64_t channels,
                  char *to)
{
    const fal__problem *p = &s->problem;
    const fal__dp_stretch *planes = &b->axis[0], *rows = &b->axis[1], *columns = &b->axis[2];
    line l = {.s = s};
    l.copy = (fal__lane_copy){.x_channel = p->x_ic,
                              .x_step = p->axis[2].s * p->axis[2].xs,
                              .to = to,
                              .to_channel = b->channel,
                              .channels = channels,
                              .fill = p->mode == FAL_PAD_CONSTANT ? p->padding_value : 0};
    for (int64_t d = 0; d < planes->taps; d++) {
        const char *plane = line_at(s, x, 0, planes->at[planes->of[d]] + planes->shift[d] * p->axis[0].s);
        for (int64_t c = 0; c < columns->classes; c++)
            for (int64_t r = 0; r < rows->classes; r++)
                for (int64_t j = 0; j < rows->count[r]; j++) {
                    l.x = line_at(s, plane, 1, rows->at[r] + j * p->axis[1].s);
                    const bool last = d + 1 == planes->taps && c + 1 == columns->classes &&
                                      r + 1 == rows->classes && j + 1 == rows->count[r];
                    l.slack = last ? s->kernels->lanes : 0;
                    copy_line(&l, columns->at[c], columns->count[c], b->pitch);
                }
    }
}
