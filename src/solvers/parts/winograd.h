/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd.h: the planned state of Winograd's convolution, shared by its planning (solvers/winograd.c)
 * and its loops (winograd_run.c, winograd_patch.c).
 *
 * The outputs of an image are cut into tiles of m x m, numbered with the column fastest, then row, depth
 * and image; consecutive tiles form blocks. Names of the pieces and layouts: kernels/winograd.h.
 */
#ifndef FAL_SOLVERS_PARTS_WINOGRAD_H
#define FAL_SOLVERS_PARTS_WINOGRAD_H

#include "solvers/solver.h"

enum { FAL__STRIP = 16 }; /* tiles of a row that are transformed together: their patch fits L1 */

/* Pieces of one task's scratch, as byte offsets. */
typedef struct fal__winograd_scratch {
    size_t transformed; /* all input channels of a block of tiles */
    size_t sums;        /* one panel of output channels of a block of tiles */
    size_t patch, bias;
    size_t bytes; /* of all */
} fal__winograd_scratch;

typedef struct fal__winograd_plan {
    fal__problem problem; /* axes 1 and 2 walked forward */
    const fal__winograd *kernels;
    fal__winograd_size size;
    int32_t m, a;                      /* edges of a tile of outputs and of inputs */
    int64_t rows, columns;             /* tiles of an output plane */
    int64_t tiles;                     /* of a group */
    int64_t width;                     /* output channels of a panel */
    int64_t panels;                    /* of output channels */
    int64_t channel_blocks;            /* of input channels */
    int64_t block_tiles, blocks;       /* tiles of a block, blocks of a group */
    int64_t panel_rows;                /* tiles of a panel */
    int64_t splits, split_panels;      /* of the output channels, to keep all tasks busy */
    int64_t u_step, v_step, sums_step; /* elements from one product to the next */
    int32_t tasks;
    fal__winograd_scratch scratch;
    size_t packed_bytes;
} fal__winograd_plan;

/* Tiles first .. first+count-1 of one row. */
typedef struct fal__strip {
    int64_t n, od, row, column; /* image, plane; tile row and column */
    int64_t count;
} fal__strip;

/* The strip that begins at `tile` and ends before `end`, of FAL__STRIP tiles at most. */
fal__strip fal__strip_at(const fal__winograd_plan *plan, int64_t tile, int64_t end);

/* Elements of a row of a patch; it serves inputs and outputs. */
static inline int64_t fal__patch_row(const fal__winograd_plan *plan)
{
    return ((int64_t)plan->m * FAL__STRIP + 2) * plan->kernels->lanes;
}

/* Gathers the inputs under a strip at depth tap t0, one block of channels. x is the operand's data. */
void fal__patch_gather(const fal__winograd_plan *plan, const fal__strip *strip, const float *x, int64_t group,
                       int64_t t0, int64_t channel_block, float *patch);
/* Writes the valid outputs of a strip, channels oc .. of one vector. */
void fal__patch_scatter(const fal__winograd_plan *plan, const fal__strip *strip, const float *patch,
                        int64_t group, int64_t oc, float *y);

/* Transforms the weights of one panel of output channels. */
void fal__winograd_pack_panel(const fal__winograd_plan *plan, const float *w, int64_t group, int64_t panel,
                              float *u);
/* Elements of one such panel. */
static inline int64_t fal__winograd_panel(const fal__winograd_plan *plan)
{
    return plan->u_step * plan->a * plan->a;
}

/* Units first .. end-1, a unit being one block of tiles and one split of output channels. */
void fal__winograd_run_units(const fal__winograd_plan *plan, const fal__run *run, const float *weights,
                             char *scratch, int64_t first, int64_t end);

#endif
