/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd.h: the planned state of Winograd's convolution, shared by its planning (solvers/winograd.c,
 * winograd_plan.c) and its loops (winograd_run.c, winograd_patch.c, winograd_weights.c).
 *
 * Axis 2 is transformed, axis 1 too or not; the taps of the others are a reduction like channels. An axis
 * with dilation d falls apart into d phases, sub-images without dilation: outputs phase + d*u look at inputs
 * phase + d*(u + t) - begin. Along each axis tiles are numbered phase by phase, and in a group with the
 * column fastest, then row, depth and image; consecutive tiles form blocks.
 *
 * The reduction is cut into chains: the channels of a tap, at most CHAIN_CHANNELS a chain. The output
 * channels form panels of `width`, and panels chunks:
 *
 *     V, transformed inputs of a block   [chain][product][block of channels][tile][lane]
 *     U, transformed weights of a group  [chunk][chain][product][panel][channel][width]
 *     or the weights themselves          [chunk][chain][panel][vector][channel and tap][lane]
 *     sums of a block and a chunk        [product][panel][tile][width]
 *
 * so that the loops read U from front to back, and of V one slice [chain][product] at a time.
 * Names of the pieces: kernels/winograd.h.
 */
#ifndef FAL_SOLVERS_PARTS_WINOGRAD_H
#define FAL_SOLVERS_PARTS_WINOGRAD_H

#include "solvers/solver.h"

enum {
    FAL__STRIP = 16,          /* tiles of a row that are transformed together: their patch fits L1 */
    FAL__CHAIN_CHANNELS = 128 /* see chains in winograd_plan.c */
};

/* One of the algorithm's sizes as a solver: points of the transform, axes it covers. */
typedef struct fal__winograd_kind {
    int32_t points;
    fal__winograd_dims dims;
} fal__winograd_kind;

/* The tiles along an axis. */
typedef struct fal__tiling {
    int64_t m, points; /* outputs and inputs of a tile; 1, 1 where the axis is not transformed */
    int64_t dilation;  /* between the inputs of a tile, and its outputs; the number of phases */
    int64_t per_phase, count;
} fal__tiling;

/* Pieces of one task's scratch, as byte offsets. */
typedef struct fal__winograd_scratch {
    size_t transformed, sums, weights, patch, bias; /* weights: U of one panel and chain */
    size_t bytes;                                   /* of all */
} fal__winograd_scratch;

typedef struct fal__winograd_plan {
    fal__problem problem; /* transformed axes walked forward, and moved to the end */
    const fal__winograd *kernels;
    const fal__winograd_transform *transform;
    fal__winograd_dims dims;
    int64_t kernel_taps; /* taps of the transformed axes */
    int64_t products;    /* points, or their square */
    fal__tiling rows, columns;
    int64_t tiles;                    /* of a group */
    int64_t taps;                     /* of the axes that are not transformed */
    int64_t chains;                   /* taps times those of a tap */
    int64_t tap_chains, chain_blocks; /* chains of a tap; blocks of input channels of a chain */
    int64_t width, panels;            /* of output channels */
    int64_t chunk_panels, chunks;
    int64_t block_tiles, blocks;  /* tiles of a block, blocks of a group */
    int64_t panel_rows;           /* tiles of a panel */
    int64_t splits, split_chunks; /* of the output channels, to keep all tasks busy */
    int64_t v_step, sums_step;    /* elements from one product to the next */
    int64_t v_tile;               /* and of V from one tile to the next */
    bool lean;      /* weights are kept as they are, and transformed chain by chain where they are used */
    bool transient; /* and so are those that were not packed ahead */
    int32_t tasks;
    fal__winograd_scratch scratch;
    size_t packed_bytes; /* of all weights as they are kept */
    double cycles;       /* predicted, of one execution */
} fal__winograd_plan;

/* winograd_plan.c: which problems can be transformed; writes the reason of a refusal. */
bool fal__winograd_applies(const fal__problem *problem, const fal__machine *machine, fal__winograd_kind kind,
                           char *why, size_t capacity);
/* Everything but splits and tasks, cut at the least cost that the machine's cap allows; false when a size
 * overflows or nothing fits. */
bool fal__winograd_plan_for(fal__winograd_plan *plan, const fal__problem *problem,
                            const fal__machine *machine, fal__winograd_kind kind);
/* Cuts the outputs into at most `tiles` tiles a block and `panels` panels a chunk; `lean` as it is. */
bool fal__winograd_cut(fal__winograd_plan *plan, int64_t tiles, int64_t panels);

/* The reduction's chain number `chain`. */
typedef struct fal__chain {
    int64_t t0, t1; /* its tap */
    int64_t ic, count;
    int64_t before; /* channels of earlier chains */
} fal__chain;

static inline fal__chain fal__chain_at(const fal__winograd_plan *plan, int64_t chain)
{
    const int64_t tap = chain / plan->tap_chains,
                  k1 = plan->dims == FAL__COLUMNS ? plan->problem.axis[1].k : 1;
    const int64_t channels = plan->chain_blocks * plan->kernels->lanes;
    const int64_t ic = chain % plan->tap_chains * channels, left = plan->problem.ic - ic;
    return (fal__chain){.t0 = tap / k1,
                        .t1 = tap % k1,
                        .ic = ic,
                        .count = left < channels ? left : channels,
                        .before = tap * plan->problem.ic + ic};
}

/* Tiles first .. first+count-1 of one row. */
typedef struct fal__strip {
    int64_t n, od, row, column; /* image, plane; tile row and column */
    int64_t count;
} fal__strip;

/* The strip that begins at `tile` and ends before `end`, of FAL__STRIP tiles at most, of one phase. */
fal__strip fal__strip_at(const fal__winograd_plan *plan, int64_t tile, int64_t end);

/* Elements of a row of a patch; it serves inputs and outputs. */
static inline int64_t fal__patch_row(const fal__winograd_plan *plan)
{
    return (plan->columns.m * FAL__STRIP + FAL__WINOGRAD_TAPS_MAX) * plan->kernels->lanes;
}

/* Transforms the inputs under a strip, one tap, the block of channels from `channel` on, to v. */
void fal__winograd_input_strip(const fal__winograd_plan *plan, const fal__strip *strip, const float *x,
                               int64_t group, const fal__chain *chain, int64_t channel, float *patch,
                               float *v);
/* Writes the valid outputs of a strip, channels oc .. of one vector. */
void fal__patch_scatter(const fal__winograd_plan *plan, const fal__strip *strip, const float *patch,
                        int64_t group, int64_t oc, float *y);

static inline int64_t fal__panels_of(const fal__winograd_plan *plan, int64_t chunk)
{
    const int64_t left = plan->panels - chunk * plan->chunk_panels;
    return left < plan->chunk_panels ? left : plan->chunk_panels;
}

/* winograd_weights.c. Where the weights of a chunk and a chain begin in those that are kept. */
static inline int64_t fal__weights_at(const fal__winograd_plan *plan, int64_t group, int64_t chunk,
                                      int64_t chain)
{
    const fal__problem *p = &plan->problem;
    const int64_t channel = plan->width * (plan->lean ? plan->kernel_taps : plan->products);
    const int64_t panels = group * plan->panels + chunk * plan->chunk_panels;
    return channel *
           (panels * plan->taps * p->ic + fal__panels_of(plan, chunk) * fal__chain_at(plan, chain).before);
}
/* Elements of U from one product to the next, for `panels` panels of a chain of `count` channels: dense where
 * it is kept. Else a line more, so that the products of a channel fall into different sets of a cache. */
static inline int64_t fal__u_step(const fal__winograd_plan *plan, int64_t panels, int64_t count, bool kept)
{
    return panels * count * plan->width + (kept ? 0 : 16);
}
/* A panel of output channels and a chain of input channels. */
typedef struct fal__kernels_of {
    int64_t group, panel, chain;
} fal__kernels_of;
/* Weights of one chunk and chain into the form in which they are kept. */
void fal__winograd_pack(const fal__winograd_plan *plan, const float *w, int64_t group, int64_t chunk,
                        int64_t chain, float *packed);
/* U of one panel and chain, not to be kept, from what a lean plan kept of them, or from w when that is NULL.
 */
void fal__winograd_unpack(const fal__winograd_plan *plan, const float *kept, const float *w,
                          const fal__kernels_of *which, float *u);

/* Units first .. end-1, a unit being one block of tiles and one split of output channels. `packed` may be
 * NULL when the plan is lean. */
void fal__winograd_run_units(const fal__winograd_plan *plan, const fal__run *run, const float *packed,
                             char *scratch, int64_t first, int64_t end);

#endif
