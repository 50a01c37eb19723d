/* SPDX-License-Identifier: BSD-3-Clause */
/* reduction.c: see reduction.h. */
#include "solvers/parts/reduction.h"

#include <stdlib.h>

#include "base/checked.h"

void fal__reduction_plan(const fal__problem *p, const fal__compute *compute, fal__reduction *r)
{
    r->taps = p->axis[0].k * p->axis[1].k * p->axis[2].k;
    r->ic = p->ic;
    r->steps = r->taps * r->ic;
    /* The stride between taps: that of the last axis with more than one. */
    int64_t tap_stride = 0;
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0 && tap_stride == 0; a--)
        if (p->axis[a].k > 1) tap_stride = llabs(p->axis[a].ws);
    const bool taps_inside = r->taps > 1 && llabs(p->w_ic) > tap_stride;
    r->chunk = taps_inside ? fal__max(1, fal__min(r->ic, fal__reduction_block(compute) / r->taps)) : r->ic;
}

fal__reduction_place fal__reduction_at(const fal__reduction *r, int64_t k)
{
    const int64_t whole = r->chunk * r->taps, first = k / whole * r->chunk, rest = k % whole;
    const int64_t channels = fal__min(r->chunk, r->ic - first); /* of this chunk */
    const int64_t within = rest % channels;
    return (fal__reduction_place){.tap = rest / channels, .ic = first + within, .length = channels - within};
}

void fal__tap_place(const fal__problem *p, int64_t tap, int64_t t[FAL_MAX_SPATIAL])
{
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
        t[a] = tap % p->axis[a].k;
        tap /= p->axis[a].k;
    }
}

int64_t fal__weight_offset(const fal__problem *p, const fal__reduction *r, int64_t k)
{
    const fal__reduction_place place = fal__reduction_at(r, k);
    int64_t t[FAL_MAX_SPATIAL], offset = p->w_base + place.ic * p->w_ic;
    fal__tap_place(p, place.tap, t);
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) offset += t[a] * p->axis[a].ws;
    return offset;
}
