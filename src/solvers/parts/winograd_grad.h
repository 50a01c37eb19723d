/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_grad.h: the planned state of Winograd's weight gradient, shared by its planning
 * (solvers/winograd_grad.c) and its loops (winograd_grad_run.c).
 *
 * A tile of r x r cells of gy meets a tile of (r+m-1) x (r+m-1) cells of x, of which the tiles of neighbours
 * overlap. Outputs (input channels times output channels) are cut into shares, tiles into segments and a
 * segment into blocks. Scratch of a task, for one share and one block:
 *
 *     V, transformed x     [product][tile][input channel]                 broadcast
 *     U, transformed gy    [product][panel][tile][width]                  in the lanes
 *     sums                 [product][panel][input channel][width]         width output channels a panel
 *
 * and with several segments their results wait for each other in
 *
 *     parts                [segment][group, depth tap, vector of output channels][input channel][tap][lane]
 *
 * Bits depend on segments and blocks, hence on the problem alone: shares follow threads and caps, they do
 * not.
 */
#ifndef FAL_SOLVERS_PARTS_WINOGRAD_GRAD_H
#define FAL_SOLVERS_PARTS_WINOGRAD_GRAD_H

#include "solvers/parts/winograd.h"

enum { FAL__GRAD_CHANNELS = 16 }; /* input channels that are transformed back together */

typedef struct fal__winograd_grad {
    fal__winograd_plan conv; /* tiles of the convolution whose gradient this is: y is gy */
    fal__problem gradient;
    int64_t m;                               /* taps of the kernel, along both axes */
    int64_t segments, segment_tiles;         /* of a group */
    int64_t block_tiles;                     /* at most */
    int64_t share_rows, share_panels;        /* input channels, panels of output channels of a share */
    int64_t row_shares, panel_shares, units; /* a unit: a share of a segment, group and depth tap */
    int64_t vectors;                         /* of output channels */
    int64_t u_step, sums_step;               /* from one product to the next */
    int64_t part_step, patch_cells;          /* elements of a vector's part; of the patch */
    int32_t tasks;
    size_t v, u, sums, patch, bytes; /* scratch of a task */
    size_t parts_bytes;              /* of all segments; 0 when there is one */
} fal__winograd_grad;

/* Units first .. end-1, to y or, with several segments, to parts. */
void fal__winograd_grad_units(const fal__winograd_grad *plan, const fal__run *run, char *scratch,
                              float *parts, int64_t first, int64_t end);
/* Adds the segments of vectors first .. end-1 of all groups and depth taps in their order, and writes y. */
void fal__winograd_grad_add(const fal__winograd_grad *plan, const fal__run *run, float *parts, int64_t first,
                            int64_t end);

/* winograd_patch.c: the columns of gy under a strip, channels oc .. of one vector, transformed to u. */
void fal__winograd_held_strip(const fal__winograd_plan *conv, const fal__strip *strip, const float *gy,
                              int64_t oc, float *patch, float *u, int64_t u_step);

#endif
