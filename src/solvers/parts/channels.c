/* SPDX-License-Identifier: BSD-3-Clause */
/* channels.c: see channels.h. */
#include "solvers/parts/channels.h"

#include <string.h>

#include "base/checked.h"

void fal__channels_plan(const fal__problem *p, const fal__compute *compute, int32_t width, fal__channels *c)
{
    c->width = width;
    c->tiles = fal__ceil_div(p->oc, width);
    const int64_t kc_max = fal__reduction_block(compute);
    fal__reduction_plan(p, compute, &c->reduction);
    const int64_t steps = c->reduction.steps;
    c->blocks = fal__max(1, fal__ceil_div(steps, kc_max));
    c->kc = fal__ceil_div(steps, c->blocks);
    /* Rounding kc up can leave the last block without steps. */
    if (c->kc > 0) c->blocks = fal__ceil_div(steps, c->kc);
}

int64_t fal__channels_steps(const fal__channels *c, int64_t block)
{
    return fal__min(c->kc, c->reduction.steps - block * c->kc);
}

int64_t fal__channels_slice(const fal__channels *c, int64_t group, int64_t block, int64_t tile)
{
    const int64_t row = c->tiles * c->width; /* elements of one reduction step */
    return (group * c->reduction.steps + block * c->kc) * row +
           tile * fal__channels_steps(c, block) * c->width;
}

/* Do the taps of all input channels of an output channel lie side by side, channel by channel? */
static bool taps_inside(const fal__problem *p)
{
    int64_t next = 1;
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
        if (p->axis[a].k > 1 && p->axis[a].ws != next) return false;
        next *= p->axis[a].k;
    }
    return p->ic == 1 || p->w_ic == next;
}

bool fal__weights_turn_over(const fal__problem *p, const fal__compute *compute)
{
    return compute->transpose != NULL && fal_dtype_bytes(p->dtype) == compute->panel_bytes && p->w_oc != 1 &&
           taps_inside(p);
}

void fal__weights_turn(const fal__reduction *reduction, const fal__compute *compute, int64_t chunk,
                       fal__transpose t)
{
    if (chunk == 1 || reduction->taps == 1) { /* in the panel as in memory */
        t.channels *= reduction->taps;
        t.taps = 1;
        chunk = t.channels;
    }
    const int64_t channels = t.channels;
    for (int64_t c = 0; c < channels; c += chunk) {
        t.channels = fal__min(chunk, channels - c);
        (*compute->transpose)(&t);
        const size_t bytes = (size_t)(t.channels * t.taps) * compute->panel_bytes;
        t.from = (const char *)t.from + bytes;
        t.to = (char *)t.to + bytes * (size_t)t.width;
    }
}

/* Does a part begin and end with whole chunks of channels, or, of one tap, with any channel? */
static bool whole_chunks(const fal__reduction *r, const fal__weights *part)
{
    if (r->taps == 1) return true;
    const int64_t steps = r->chunk * r->taps;
    return part->first % steps == 0 && (part->end % steps == 0 || part->end == r->steps);
}

void fal__weights_pack(const fal__problem *p, const fal__reduction *reduction, const fal__compute *compute,
                       const void *w, const fal__weights *part, void *panel)
{
    const int32_t valid = (int32_t)fal__min(part->width, p->oc - part->oc);
    char *to = panel;
    if (valid < part->width)
        memset(panel, 0, (size_t)(part->end - part->first) * (size_t)part->width * compute->panel_bytes);
    if (fal__weights_turn_over(p, compute) && whole_chunks(reduction, part)) {
        const int64_t first = p->w_base + part->group * p->w_g + part->oc * p->w_oc + part->first;
        fal__weights_turn(reduction, compute, reduction->chunk,
                          (fal__transpose){.from = (const char *)w + (size_t)first * compute->panel_bytes,
                                           .to = panel,
                                           .step = p->w_oc,
                                           .channels = (part->end - part->first) / reduction->taps,
                                           .taps = reduction->taps,
                                           .length = valid,
                                           .width = part->width});
        return;
    }
    for (int64_t k = part->first; k < part->end;) {
        const fal__reduction_place place = fal__reduction_at(reduction, k);
        int64_t t[FAL_MAX_SPATIAL], rows = fal__min(place.length, part->end - k), row_step = p->w_ic;
        fal__tap_place(p, place.tap, t);
        if (reduction->chunk == 1) { /* one channel at a time: the next step is the next tap of the row */
            rows = fal__min(p->axis[FAL_MAX_SPATIAL - 1].k - t[FAL_MAX_SPATIAL - 1], part->end - k);
            row_step = p->axis[FAL_MAX_SPATIAL - 1].ws;
        }
        fal__segment segment = {.step = p->w_oc, .to = 0, .length = valid};
        segment.from = p->w_base + part->group * p->w_g + part->oc * p->w_oc + place.ic * p->w_ic;
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) segment.from += t[a] * p->axis[a].ws;
        compute->pack[p->dtype](w, &segment, 1, rows, row_step, part->width, to);
        to += (size_t)rows * (size_t)part->width * compute->panel_bytes;
        k += rows;
    }
}

bool fal__channels_pack(const fal__problem *p, const fal__channels *c, const fal__compute *compute,
                        const void *w, int64_t group, int64_t block, int64_t tile, void *panel)
{
    const int64_t first = block * c->kc, end = first + fal__channels_steps(c, block);
    const fal__weights part = {
        .group = group, .oc = tile * c->width, .first = first, .end = end, .width = c->width};
    fal__weights_pack(p, &c->reduction, compute, w, &part, panel);
    return compute->finite == NULL || compute->finite(panel, (end - first) * c->width);
}
