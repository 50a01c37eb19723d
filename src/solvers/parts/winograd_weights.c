/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_weights.c: weights on their way into the transform.
 *
 * The kernels of a vector of output channels are first turned so that these lie side by side. Where the
 * taps of a kernel follow each other in memory, in whatever order, a stretch of channels is turned as it
 * lies, and taps are found in the result by the strides they have in memory; else each tap is turned by
 * itself. Both are transformed stretch by stretch while they are in L1.
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

/* Turns `count` input channels of `valid` output channels. */
static fal__winograd_taps turn(const fal__winograd_plan *plan, const kernels *k, const float *w,
                               int64_t count, int64_t valid, float *turned)
{
    const int64_t lanes = plan->kernels->lanes;
    int64_t lowest;
    if (dense(k, &lowest)) {
        plan->kernels->gather(w + lowest, 1, k->w_oc, count * k->w_ic, valid, turned);
        return (fal__winograd_taps){.taps = turned - lowest * lanes,
                                    .row_step = k->step[0] * lanes,
                                    .column_step = k->step[1] * lanes,
                                    .channel_step = k->w_ic * lanes};
    }
    for (int64_t i = 0; i < k->taps[0]; i++)
        for (int64_t j = 0; j < k->taps[1]; j++)
            plan->kernels->gather(w + i * k->step[0] + j * k->step[1], k->w_ic, k->w_oc, count, valid,
                                  turned + (i * k->taps[1] + j) * count * lanes);
    return (fal__winograd_taps){.taps = turned,
                                .row_step = k->taps[1] * count * lanes,
                                .column_step = count * lanes,
                                .channel_step = lanes};
}

/* One vector of output channels. */
static void pack_vector(const fal__winograd_plan *plan, const float *w, int64_t channels, int64_t valid,
                        float *u, int64_t u_step)
{
    float turned[TURNED];
    const kernels k = kernels_of(plan);
    /* Output channels that do not exist are zeros, not what the stack holds. */
    if (valid < plan->kernels->lanes) memset(turned, 0, sizeof turned);
    for (int64_t c = 0; c < channels; c += STRETCH) {
        const int64_t count = fal__min(STRETCH, channels - c);
        fal__winograd_taps taps = {.taps = turned};
        if (valid > 0) taps = turn(plan, &k, w + c * k.w_ic, count, valid, turned);
        plan->transform->weights[plan->dims](&taps, count, u + c * plan->width, u_step);
    }
}

void fal__winograd_pack(const fal__winograd_plan *plan, const float *w, int64_t group, int64_t chunk,
                        int64_t chain, float *u)
{
    const fal__problem *p = &plan->problem;
    const int64_t panels = fal__panels_of(plan, chunk), lanes = plan->kernels->lanes;
    const fal__chain c = fal__chain_at(plan, chain);
    w += p->w_base + group * p->w_g + c.t0 * p->axis[0].ws + c.ic * p->w_ic;
    if (plan->dims == FAL__COLUMNS) w += c.t1 * p->axis[1].ws;
    for (int64_t panel = 0; panel < panels; panel++)
        for (int64_t lane = 0; lane < plan->width; lane += lanes) {
            const int64_t oc = (chunk * plan->chunk_panels + panel) * plan->width + lane;
            const int64_t valid = fal__max(0, fal__min(lanes, p->oc - oc));
            pack_vector(plan, w + (valid > 0 ? oc * p->w_oc : 0), c.count, valid,
                        u + panel * c.count * plan->width + lane, panels * c.count * plan->width);
        }
}
