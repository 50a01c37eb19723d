/* SPDX-License-Identifier: BSD-3-Clause */
/* row_lists.c: see row_lists.h. */
#include "solvers/parts/row_lists.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "solvers/parts/booking.h"

enum { W = FAL_MAX_SPATIAL - 1, ENTRIES_MAX = 1 << 16 /* of all lists of a row: 1 MiB */ };

/* Outputs first..end-1 of an axis read inside the input with tap t. */
static void tap_range(const fal__problem_axis *axis, int64_t t, int64_t *first, int64_t *end)
{
    const int64_t at = t * axis->d - axis->begin;
    *first = at >= 0 ? 0 : fal__min(axis->out, fal__ceil_div(-at, axis->s));
    *end = at >= axis->in ? 0 : fal__min(axis->out, (axis->in - 1 - at) / axis->s + 1);
    if (*end < *first) *end = *first;
}

/* Outputs first..end-1 of an axis read inside the input with every tap. */
static void interior(const fal__problem_axis *axis, int64_t *first, int64_t *end)
{
    int64_t a, b, c, d;
    tap_range(axis, 0, &a, &b);
    tap_range(axis, axis->k - 1, &c, &d);
    *first = fal__max(a, c);
    *end = fal__max(*first, fal__min(b, d));
}

int64_t fal__row_segments(const fal__problem *p)
{
    int64_t from, to;
    interior(&p->axis[W], &from, &to);
    const int64_t border = p->axis[W].out - (to - from);
    return 1 + (p->mode != FAL_PAD_ZEROS ? border : fal__min(border, 2 * p->axis[W].k));
}

bool fal__row_lists_apply(const fal__problem *p, char *why, size_t capacity)
{
    if (p->mode == FAL_PAD_CONSTANT) {
        snprintf(why, capacity, "a constant border is no cell that an offset could reach");
        return false;
    }
    const int64_t taps = p->axis[0].k * p->axis[1].k * p->axis[2].k, segments = fal__row_segments(p);
    int64_t entries;
    if (fal__mul(taps, p->ic, &entries) && fal__mul(entries, segments, &entries) && entries <= ENTRIES_MAX)
        return true;
    snprintf(why, capacity,
             "%" PRId64 " x %" PRId64 " taps in %" PRId64 " stretches of a row are too many lists", p->ic,
             taps, segments);
    return false;
}

/* The end of the segment that begins at output `first`. */
static int64_t segment_end(const fal__problem *p, int64_t first)
{
    const fal__problem_axis *axis = &p->axis[W];
    int64_t from, to, end = axis->out;
    interior(axis, &from, &to);
    if (first >= from && first < to) return to;
    if (p->mode != FAL_PAD_ZEROS) return first + 1;
    for (int64_t t = 0; t < axis->k; t++) {
        tap_range(axis, t, &from, &to);
        if (from > first) end = fal__min(end, from);
        if (to > first) end = fal__min(end, to);
    }
    return end;
}

/* Offset of the element under output o and tap t, for channel 0; false when there is none. */
static bool tap_offset(const fal__problem *p, const int64_t *o, const int64_t *t, int64_t *offset)
{
    *offset = 0;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t position = o[a] * axis->s + t[a] * axis->d - axis->begin;
        int64_t index = position;
        if (position < 0 || position >= axis->in) index = fal_border_index(p->mode, position, axis->in);
        if (index < 0) return false;
        *offset += (index - o[a] * axis->s) * axis->xs;
    }
    return true;
}

static void make_segment(const fal__problem *p, const fal__reduction *reduction, const fal__row_step *table,
                         const int64_t *o, fal__row_list *list)
{
    const int64_t number = list->count++;
    int64_t *offsets = list->offsets + number * reduction->steps;
    int64_t *steps = list->steps + number * reduction->steps;
    int64_t taps = 0;
    for (int64_t k = 0; k < reduction->steps; k++) {
        int64_t offset;
        if (!tap_offset(p, o, table[k].tap, &offset)) continue;
        offsets[taps] = offset + table[k].x;
        steps[taps++] = k;
    }
    list->segments[number] = (fal__row_segment){.first = o[W], .end = segment_end(p, o[W]), .taps = taps};
}

/* Rows of a plane, over all planes, that meet padding. */
static int64_t border_rows(const fal__problem *p)
{
    int64_t first[2], end[2];
    for (int a = 0; a < W; a++) interior(&p->axis[a], &first[a], &end[a]);
    return p->axis[0].out * p->axis[1].out - (end[0] - first[0]) * (end[1] - first[1]);
}

bool fal__row_lists_book(const fal__problem *p, const fal__reduction *reduction, fal__row_lists_plan *plan,
                         size_t *bytes)
{
    plan->segments = fal__row_segments(p);
    plan->entries = reduction->steps * plan->segments;
    plan->slots = (int32_t)fal__min(FAL__ROW_SLOTS, 1 + border_rows(p));
    if (plan->slots > 2 && plan->slots * plan->entries > ENTRIES_MAX) plan->slots = 2;
    return fal__book(bytes, plan->slots * plan->segments, sizeof(fal__row_segment), &plan->segment_bytes) &&
           fal__book(bytes, plan->slots * plan->entries, sizeof(int64_t), &plan->offset_bytes) &&
           fal__book(bytes, plan->slots * plan->entries, sizeof(int64_t), &plan->step_bytes) &&
           fal__book(bytes, reduction->steps, sizeof(fal__row_step), &plan->table_bytes);
}

void fal__row_lists_begin(const fal__problem *p, const fal__reduction *reduction,
                          const fal__row_lists_plan *plan, char *scratch, fal__row_lists *lists)
{
    lists->slots = plan->slots;
    lists->table = (fal__row_step *)(void *)(scratch + plan->table_bytes);
    for (int a = 0; a < W; a++) interior(&p->axis[a], &lists->inside_first[a], &lists->inside_end[a]);
    for (int32_t i = 0; i < plan->slots; i++)
        lists->slot[i] = (fal__row_list){
            .segments = (fal__row_segment *)(void *)(scratch + plan->segment_bytes) + i * plan->segments,
            .offsets = (int64_t *)(void *)(scratch + plan->offset_bytes) + i * plan->entries,
            .steps = (int64_t *)(void *)(scratch + plan->step_bytes) + i * plan->entries,
            .od = -1,
            .oh = -1};
    for (int64_t k = 0; k < reduction->steps; k++) {
        const fal__reduction_place place = fal__reduction_at(reduction, k);
        fal__tap_place(p, place.tap, lists->table[k].tap);
        lists->table[k].x = place.ic * p->x_ic;
        lists->table[k].w = fal__weight_offset(p, reduction, k);
    }
}

/* Outputs of an axis that are not inside, numbered from 0; those inside count as none. */
static int64_t border_number(const fal__row_lists *lists, int a, int64_t o)
{
    return o < lists->inside_first[a] ? o : fal__max(0, o - lists->inside_end[a]) + lists->inside_first[a];
}

int32_t fal__row_lists_find(const fal__problem *p, const fal__reduction *reduction, int64_t od, int64_t oh,
                            fal__row_lists *lists, bool *made)
{
    const bool inside = od >= lists->inside_first[0] && od < lists->inside_end[0] &&
                        oh >= lists->inside_first[1] && oh < lists->inside_end[1];
    int32_t number = 0;
    if (!inside && lists->slots > 1)
        number =
            1 + (int32_t)((border_number(lists, 0, od) + border_number(lists, 1, oh)) % (lists->slots - 1));
    fal__row_list *list = &lists->slot[number];
    *made = list->od < 0 || (!inside && (list->od != od || list->oh != oh));
    if (!*made) return number;
    list->od = od;
    list->oh = oh;
    list->count = 0;
    for (int64_t ow = 0; ow < p->axis[W].out; ow = list->segments[list->count - 1].end) {
        const int64_t o[FAL_MAX_SPATIAL] = {od, oh, ow};
        make_segment(p, reduction, lists->table, o, list);
    }
    return number;
}
