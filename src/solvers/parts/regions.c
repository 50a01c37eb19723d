/* SPDX-License-Identifier: BSD-3-Clause */
/* regions.c: see regions.h. */
#include "solvers/parts/regions.h"

#include "base/checked.h"

/* The stretch along an axis whose taps step forwards: tap t of output o meets position o*s + t*d - begin. */
static fal__stretch forwards(const fal__problem_axis *axis, int64_t d, int64_t begin, int64_t first)
{
    const int64_t at = first * axis->s - begin; /* of tap 0 */
    fal__stretch r = {.first = first, .end = axis->out};
    r.first_tap = fal__min(axis->k, fal__max(0, fal__ceil_div(-at, d)));
    r.end_tap = fal__min(axis->k, fal__max(0, fal__ceil_div(axis->in - at, d)));
    /* The tap before the first comes in, or the last one goes out. */
    if (r.first_tap > 0) r.end = fal__min(r.end, fal__ceil_div(begin - (r.first_tap - 1) * d, axis->s));
    if (r.end_tap > 0)
        r.end = fal__min(r.end, fal__ceil_div(axis->in + begin - (r.end_tap - 1) * d, axis->s));
    r.end_tap = fal__max(r.end_tap, r.first_tap);
    return r;
}

fal__stretch fal__stretch_at(const fal__problem *p, int a, int64_t first)
{
    const fal__problem_axis *axis = &p->axis[a];
    fal__stretch r;
    if (axis->d > 0) {
        r = forwards(axis, axis->d, axis->begin, first);
    } else { /* the last tap plays the first */
        r = forwards(axis, fal__max(1, -axis->d), axis->begin - (axis->k - 1) * axis->d, first);
        const int64_t first_tap = axis->k - r.end_tap;
        r.end_tap = axis->k - r.first_tap;
        r.first_tap = first_tap;
    }
    if (p->mode == FAL_PAD_ZEROS || r.end_tap - r.first_tap == axis->k) return r;
    return (fal__stretch){.first = first, .end = first + 1, .first_tap = 0, .end_tap = axis->k};
}

bool fal__region_first(const fal__problem *p, fal__region *region)
{
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        if (p->axis[a].out == 0) return false;
        region->axis[a] = fal__stretch_at(p, a, 0);
    }
    return true;
}

bool fal__region_next(const fal__problem *p, fal__region *region)
{
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
        const int64_t end = region->axis[a].end;
        region->axis[a] = fal__stretch_at(p, a, end < p->axis[a].out ? end : 0);
        if (end < p->axis[a].out) return true;
    }
    return false;
}

int64_t fal__region_taps(const fal__region *r)
{
    int64_t taps = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) taps *= r->axis[a].end_tap - r->axis[a].first_tap;
    return taps;
}

bool fal__region_runs_most(const fal__reduction *r, int64_t block, int64_t *count)
{
    const int64_t chunks = r->chunk > 0 ? fal__ceil_div(r->ic, r->chunk) : 0;
    return fal__mul(chunks, r->taps, count) && fal__add(*count, r->steps / block + 1, count);
}

int64_t fal__region_step(const fal__problem *p, const fal__reduction *r)
{
    if (r->chunk > 1) return p->x_ic;
    /* One channel at a time: steps are taps, and those of the last axis may follow each other. */
    const fal__problem_axis *row = &p->axis[FAL_MAX_SPATIAL - 1];
    return row->k > 1 ? row->d * row->xs : 1;
}

/* Offset along an axis of the element under tap t, from the position o*s. */
static int64_t tap_offset(const fal__problem *p, int a, const fal__stretch *stretch, int64_t t)
{
    const fal__problem_axis *axis = &p->axis[a];
    const int64_t from = stretch->first * axis->s;
    int64_t position = from + t * axis->d - axis->begin;
    if (position < 0 || position >= axis->in) position = fal_border_index(p->mode, position, axis->in);
    return (position - from) * axis->xs;
}

/* Runs on their way into a list. */
typedef struct list {
    fal__direct_run *runs;
    int64_t count, step, block;
} list;

/* Appends steps k.. that begin at x, to the last run where they go on from it. */
static void append(list *l, int64_t x, int64_t k, int64_t steps)
{
    while (steps > 0) {
        const int64_t part = fal__min(steps, l->block - k % l->block);
        fal__direct_run *last = l->runs + l->count - 1;
        if (l->count > 0 && k % l->block != 0 && last->w + last->steps == k &&
            last->x + last->steps * l->step == x)
            last->steps += part;
        else
            l->runs[l->count++] = (fal__direct_run){.x = x, .w = k, .steps = part};
        x += part * l->step, k += part, steps -= part;
    }
}

int64_t fal__region_runs(const fal__problem *p, const fal__reduction *r, const fal__region *region,
                         int64_t block, fal__direct_run *runs)
{
    const fal__stretch *a = region->axis;
    list l = {.runs = runs, .step = fal__region_step(p, r), .block = block};
    for (int64_t ic = 0; ic < r->ic; ic += r->chunk) {
        const int64_t channels = fal__min(r->chunk, r->ic - ic);
        for (int64_t t0 = a[0].first_tap; t0 < a[0].end_tap; t0++)
            for (int64_t t1 = a[1].first_tap; t1 < a[1].end_tap; t1++) {
                const int64_t at = tap_offset(p, 0, &a[0], t0) + tap_offset(p, 1, &a[1], t1) + ic * p->x_ic;
                const int64_t taps = (t0 * p->axis[1].k + t1) * p->axis[2].k;
                for (int64_t t2 = a[2].first_tap; t2 < a[2].end_tap; t2++)
                    append(&l, at + tap_offset(p, 2, &a[2], t2), ic * r->taps + (taps + t2) * channels,
                           channels);
            }
    }
    return l.count;
}
