/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_weights.c: weights on their way into the transform.
 *
 * The kernels of a vector of output channels are first turned so that these lie side by side. Where the
 * taps of a kernel follow each other in memory, in whatever order, a stretch of channels is turned as it
 * lies, and taps are found in the result by the strides they have in memory; else each tap is turned by
 * itself. Transformed weights are up to four times as large, and reading them is all the work where there are
 * few tiles: a lean plan keeps the turned weights and transforms those of a chain just before they are
 * multiplied.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/winograd.h"

enum {
    STRETCH = 16, /* input channels */
    LANES_MAX = FAL__WINOGRAD_WIDTH_MAX / FAL__WINOGRAD_VECTORS,
    TURNED = FAL__WINOGRAD_TAPS_MAX * FAL__WINOGRAD_TAPS_MAX * STRETCH * LANES_MAX
};

/* Element strides and sizes of the kernels: rows (or one), columns, channels. */
typedef struct kernels {
    int64_t taps[2], step[2]; /* of rows and columns */
    int64_t w_ic, w_oc;
} kernels;

static kernels kernels_of(const fal__winograd_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const bool both = plan->dims == FAL__ROWS_AND_COLUMNS;
    return (kernels){.taps = {both ? p->axis[1].k : 1, p->axis[2].k},
                     .step = {both ? p->axis[1].ws : 0, p->axis[2].ws},
                     .w_ic = p->w_ic,
                     .w_oc = p->w_oc};
}

static int64_t magnitude(int64_t x)
{
    return x < 0 ? -x : x;
}

/* True when channels follow each other every `taps` elements and the taps fill them; *lowest is the place
 * of the tap that comes first. */
static bool dense(const kernels *k, int64_t *lowest)
{
    const int64_t row = magnitude(k->step[0]), column = magnitude(k->step[1]);
    const bool columns_inside = column == 1 && (k->taps[0] == 1 || row == k->taps[1]);
    const bool rows_inside = k->taps[0] > 1 && row == 1 && column == k->taps[0];
    *lowest = 0;
    for (int a = 0; a < 2; a++)
        if (k->step[a] < 0) *lowest += k->step[a] * (k->taps[a] - 1);
    return k->w_ic == k->taps[0] * k->taps[1] && (columns_inside || rows_inside);
}

/* Where turn() leaves the taps of `count` channels. */
static fal__winograd_taps turned_taps(const fal__winograd_plan *plan, const kernels *k, int64_t count,
                                      const float *turned)
{
    const int64_t lanes = plan->kernels->lanes;
    int64_t lowest;
    if (dense(k, &lowest))
        return (fal__winograd_taps){.taps = turned - lowest * lanes,
                                    .row_step = k->step[0] * lanes,
                                    .column_step = k->step[1] * lanes,
                                    .channel_step = k->w_ic * lanes};
    return (fal__winograd_taps){.taps = turned,
                                .row_step = k->taps[1] * count * lanes,
                                .column_step = count * lanes,
                                .channel_step = lanes};
}

/* Turns `count` input channels of `valid` output channels; the other lanes become 0. */
static void turn(const fal__winograd_plan *plan, const kernels *k, const float *w, int64_t count,
                 int64_t valid, float *turned)
{
    const int64_t lanes = plan->kernels->lanes;
    int64_t lowest;
    if (valid < lanes) memset(turned, 0, (size_t)(count * plan->kernel_taps * lanes) * sizeof *turned);
    if (valid == 0) return;
    if (dense(k, &lowest)) {
        plan->kernels->gather(w + lowest, 1, k->w_oc, count * k->w_ic, valid, turned);
        return;
    }
    for (int64_t i = 0; i < k->taps[0]; i++)
        for (int64_t j = 0; j < k->taps[1]; j++)
            plan->kernels->gather(w + i * k->step[0] + j * k->step[1], k->w_ic, k->w_oc, count, valid,
                                  turned + (i * k->taps[1] + j) * count * lanes);
}

/* A vector of output channels, a chain of input channels. */
typedef struct vector {
    const float *w; /* of its first output channel */
    int64_t valid;  /* output channels that exist */
    fal__chain chain;
} vector;

/* Vector number `index` of a panel. */
static vector vector_at(const fal__winograd_plan *plan, const float *w, const fal__kernels_of *which,
                        int64_t index)
{
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes;
    const int64_t oc = which->panel * plan->width + index * lanes;
    vector v = {.valid = fal__max(0, fal__min(lanes, p->oc - oc)),
                .chain = fal__chain_at(plan, which->chain)};
    v.w = w + p->w_base + which->group * p->w_g + v.chain.t0 * p->axis[0].ws + v.chain.ic * p->w_ic;
    if (plan->dims == FAL__COLUMNS) v.w += v.chain.t1 * p->axis[1].ws;
    if (v.valid > 0) v.w += oc * p->w_oc;
    return v;
}

/* Turned and transformed, stretch by stretch. */
static void transform_vector(const fal__winograd_plan *plan, const vector *v, float *u, int64_t u_step)
{
    float turned[TURNED];
    const kernels k = kernels_of(plan);
    for (int64_t c = 0; c < v->chain.count; c += STRETCH) {
        const int64_t count = fal__min(STRETCH, v->chain.count - c);
        turn(plan, &k, v->w + c * k.w_ic, count, v->valid, turned);
        const fal__winograd_taps taps = turned_taps(plan, &k, count, turned);
        plan->transform->weights[plan->dims](&taps, count, u + c * plan->width, plan->width, u_step);
    }
}

void fal__winograd_unpack(const fal__winograd_plan *plan, const float *kept, const float *w,
                          const fal__kernels_of *which, float *u)
{
    const kernels k = kernels_of(plan);
    const int64_t count = fal__chain_at(plan, which->chain).count, lanes = plan->kernels->lanes;
    const int64_t u_step = fal__u_step(plan, 1, count, false);
    for (int64_t i = 0; i < FAL__WINOGRAD_VECTORS; i++) {
        if (kept == NULL) {
            const vector v = vector_at(plan, w, which, i);
            transform_vector(plan, &v, u + i * lanes, u_step);
        } else {
            const fal__winograd_taps taps =
                turned_taps(plan, &k, count, kept + i * count * plan->kernel_taps * lanes);
            plan->transform->weights[plan->dims](&taps, count, u + i * lanes, plan->width, u_step);
        }
    }
}

void fal__winograd_pack(const fal__winograd_plan *plan, const float *w, int64_t group, int64_t chunk,
                        int64_t chain, float *packed)
{
    const kernels k = kernels_of(plan);
    const int64_t lanes = plan->kernels->lanes, panels = fal__panels_of(plan, chunk);
    const int64_t count = fal__chain_at(plan, chain).count, slice = count * plan->width;
    for (int64_t i = 0; i < panels * FAL__WINOGRAD_VECTORS; i++) {
        const int64_t panel = i / FAL__WINOGRAD_VECTORS, half = i % FAL__WINOGRAD_VECTORS;
        const fal__kernels_of which = {group, chunk * plan->chunk_panels + panel, chain};
        const vector v = vector_at(plan, w, &which, half);
        if (plan->lean)
            turn(plan, &k, v.w, count, v.valid, packed + i * count * plan->kernel_taps * lanes);
        else
            transform_vector(plan, &v, packed + panel * slice + half * lanes,
                             fal__u_step(plan, panels, count, true));
    }
}
