/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_lines.c: which taps and input lines a stretch of outputs meets, and of which kinds the
 * stretches of an axis are; see direct_pixels.h.
 *
 * The loops ask for one stretch after the other. Planning asks again and again how many of which kind there
 * are, and must not take longer than a small layer itself: stretches inside, which meet all taps, are
 * counted at once.
 */
#include "base/checked.h"
#include "solvers/parts/direct_pixels.h"

/* Divisions are what planning waits for. */
static int64_t steps_in(int64_t distance, int64_t s)
{
    return s == 1 ? distance : distance / s;
}

/* Outputs first..end-1 of an axis read inside the input with tap t. */
static void tap_range(const fal__problem_axis *axis, int64_t t, int64_t *first, int64_t *end)
{
    const int64_t at = t * axis->d - axis->begin, s = axis->s, top = axis->in - 1 - at;
    *first = at >= 0 ? 0 : fal__min(axis->out, steps_in(s - 1 - at, s));
    *end = top < 0 ? 0 : fal__min(axis->out, steps_in(top, s) + 1);
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
        while (c < stretch->classes && axis->s > 1 && (at - stretch->at[c]) % axis->s != 0) c++;
        if (c == stretch->classes) {
            stretch->at[c] = at;
            stretch->count[c] = outputs;
            stretch->classes++;
        } else if (at < stretch->at[c]) {
            stretch->count[c] += steps_in(stretch->at[c] - at, axis->s);
            stretch->at[c] = at;
        } else {
            stretch->count[c] = fal__max(stretch->count[c], outputs + steps_in(at - stretch->at[c], axis->s));
        }
        stretch->of[i] = c;
    }
    for (int64_t i = 0; i < stretch->taps; i++) {
        const int64_t at = stretch->first * axis->s + stretch->tap[i] * axis->d - axis->begin;
        stretch->shift[i] = steps_in(at - stretch->at[stretch->of[i]], axis->s);
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

static fal__dp_kind kind_of(const fal__dp_stretch *stretch)
{
    fal__dp_kind k = {.outputs = stretch->end - stretch->first,
                      .taps = stretch->taps,
                      .classes = stretch->classes,
                      .many = 1};
    k.pitch = k.outputs;
    for (int64_t c = 0; c < stretch->classes; c++) {
        k.lines += stretch->count[c];
        k.pitch = fal__max(k.pitch, stretch->count[c]);
    }
    return k;
}

/* Taps t and t + q, q = s / gcd(s, d), read the same lines q*d/s further on. */
fal__dp_kind fal__dp_inner_kind(const fal__problem_axis *axis, bool own, int64_t outputs)
{
    fal__dp_kind k = {.outputs = outputs, .taps = axis->k, .many = 1};
    if (own) {
        k.classes = axis->k;
        k.lines = axis->k * outputs;
        k.pitch = outputs;
        return k;
    }
    const int64_t d = axis->d < 0 ? -axis->d : axis->d, q = axis->s == 1 ? 1 : axis->s / fal__gcd(axis->s, d);
    const int64_t further = axis->s == 1 ? d : d / (axis->s / q);
    k.classes = fal__min(axis->k, q);
    k.lines = k.classes * outputs + (axis->k - k.classes) * further;
    k.pitch = outputs + (fal__ceil_div(axis->k, q) - 1) * further;
    return k;
}

static void add_kind(fal__dp_kinds *kinds, const fal__dp_kind *k)
{
    fal__dp_kind *most = &kinds->most;
    most->outputs = fal__max(most->outputs, k->outputs);
    most->taps = fal__max(most->taps, k->taps);
    most->lines = fal__max(most->lines, k->lines);
    most->pitch = fal__max(most->pitch, k->pitch);
    most->classes = fal__max(most->classes, k->classes);
    int32_t i = 0;
    while (i < kinds->count && (kinds->item[i].outputs != k->outputs || kinds->item[i].taps != k->taps ||
                                kinds->item[i].lines != k->lines))
        i++;
    if (i == FAL__DP_KINDS_MAX) i--;
    if (i == kinds->count)
        kinds->item[kinds->count++] = *k;
    else
        kinds->item[i].many += k->many;
}

/* Outputs first..end-1 that meet all taps. */
static void full_range(const fal__problem *p, int a, int64_t *first, int64_t *end)
{
    const fal__problem_axis *axis = &p->axis[a];
    *first = 0, *end = axis->out;
    if (p->mode != FAL_PAD_ZEROS) return;
    for (int64_t t = 0; t < axis->k; t += fal__max(1, axis->k - 1)) { /* the outermost two bound the others */
        int64_t from, to;
        tap_range(axis, t, &from, &to);
        *first = fal__max(*first, from);
        *end = fal__min(*end, to);
    }
}

void fal__dp_find_kinds(const fal__problem *p, int a, const fal__dp_axis *how, fal__dp_kinds *kinds)
{
    const fal__problem_axis *axis = &p->axis[a];
    fal__dp_stretch stretch;
    int64_t full, full_end;
    full_range(p, a, &full, &full_end);
    kinds->count = 0;
    kinds->most = (fal__dp_kind){0};
    for (int64_t first = 0, next; first < axis->out; first = next) {
        if (first < full || first >= full_end) {
            fal__dp_stretch_at(p, a, how, first, &stretch);
            const fal__dp_kind k = kind_of(&stretch);
            add_kind(kinds, &k);
            next = stretch.end;
            continue;
        }
        /* A whole block may begin anywhere here, and where blocks are cut must end here. */
        const int64_t end = how->cut ? full_end : axis->out;
        const int64_t outputs = fal__min(how->block, end - first);
        fal__dp_kind k = fal__dp_inner_kind(axis, how->own, outputs);
        k.many = fal__min((end - first) / outputs, fal__ceil_div(full_end - first, outputs));
        add_kind(kinds, &k);
        next = first + k.many * outputs;
    }
}
