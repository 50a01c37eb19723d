/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * regions.h: boxes of outputs that meet the same taps.
 *
 * Along an axis, the outputs between two points where a tap enters or leaves the input form a stretch with
 * one range of taps; the product of a stretch of each axis is a region. A 3x3 kernel with padding has nine:
 *
 *     corner  edge  corner          inside: all nine taps
 *     edge   inside edge            edges: six, corners: four; no other product exists
 *     corner  edge  corner
 *
 * The products of a region are runs (fal__direct_run): the reduction step, and the offset in x from where a
 * kernel of one tap without padding would read for the same output. A border mode that copies cells has a
 * stretch per border output. User: direct_channels.
 */
#ifndef FAL_SOLVERS_PARTS_REGIONS_H
#define FAL_SOLVERS_PARTS_REGIONS_H

#include "solvers/parts/reduction.h"

/* Outputs first..end-1 of an axis, and the taps first_tap..end_tap-1 that they meet. */
typedef struct fal__stretch {
    int64_t first, end, first_tap, end_tap;
} fal__stretch;

/* The stretch that begins at output `first`; the next one begins at its end. */
fal__stretch fal__stretch_at(const fal__problem *problem, int axis, int64_t first);

typedef struct fal__region {
    fal__stretch axis[FAL_MAX_SPATIAL];
} fal__region;

/* for (bool more = fal__region_first(p, &r); more; more = fal__region_next(p, &r)) */
bool fal__region_first(const fal__problem *problem, fal__region *region);
bool fal__region_next(const fal__problem *problem, fal__region *region);

/* Taps of a region. */
int64_t fal__region_taps(const fal__region *region);

/* Runs of any region at most, when runs are cut at multiples of `block` steps. False when it overflows. */
bool fal__region_runs_most(const fal__reduction *reduction, int64_t block, int64_t *count);
/* The element step between the steps of a run. */
int64_t fal__region_step(const fal__problem *problem, const fal__reduction *reduction);
/* Writes the runs of a region in the order of the reduction, none across a multiple of `block` steps;
 * returns how many. */
int64_t fal__region_runs(const fal__problem *problem, const fal__reduction *reduction,
                         const fal__region *region, int64_t block, fal__direct_run *runs);

#endif
