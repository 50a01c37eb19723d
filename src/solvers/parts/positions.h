/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * positions.h: the reduction of a weight gradient, block by block.
 *
 * There the steps of the reduction are the positions o of gy in all images, and the outputs are the taps of
 * the kernel (operators/rewrite.h). Steps that follow each other along a row of gy, or along the images of
 * one position, form a run. From the runs of a block come, for each tap, the lists of the steps that meet
 * the input; a step on zero padding is in no list:
 *
 *     gy row   0 1 2 3 4 5      tap 0, begin 1:   1 2 3 4 5      x elements under them: 0 1 2 3 4
 *                               tap 1:          0 1 2 3 4 5                           0 1 2 3 4 5
 *
 * Users: outer_products (lists), channel_products (runs). Offsets and steps count elements.
 */
#ifndef FAL_SOLVERS_PARTS_POSITIONS_H
#define FAL_SOLVERS_PARTS_POSITIONS_H

#include "solvers/parts/reduction.h"

/* Steps that are neighbours along the last axis of gy, or along its images. */
typedef struct fal__position_run {
    int64_t at[FAL_MAX_SPATIAL]; /* input position of the first step under tap 0 */
    int64_t image, x;            /* its image, and the offset of that in x */
    int64_t w;                   /* offset of the step in gy, the problem's base included */
    int64_t length;
    bool images;
} fal__position_run;

/* The listed steps: their elements in x, in gy, and their rows in a packed panel of gy. */
typedef struct fal__position_lists {
    int64_t *x, *w, *packed;
} fal__position_lists;

/* True where every border can be listed; else the reason. */
bool fal__positions_apply(const fal__problem *problem, char *why, size_t capacity);
/* Takes steps first .. first+count-1 apart; returns the number of runs, at most count. */
int64_t fal__positions_read(const fal__problem *problem, const fal__reduction *reduction, int64_t first,
                            int64_t count, fal__position_run *runs);
/* The steps of a run that meet the input at output o, first .. end-1 of its length, and the offset in x that
 * step 0 would have. For zero padding, where they are neighbours: a step takes x_step and w_step further. */
void fal__positions_clip(const fal__problem *problem, const fal__position_run *run, const int64_t *o,
                         int64_t *first, int64_t *end, int64_t *offset);
static inline int64_t fal__positions_x_step(const fal__problem *problem, const fal__position_run *run)
{
    const fal__problem_axis *row = &problem->axis[FAL_MAX_SPATIAL - 1];
    return run->images ? problem->x_ic : row->d * row->xs;
}
static inline int64_t fal__positions_w_step(const fal__problem *problem, const fal__position_run *run)
{
    return run->images ? problem->w_ic : problem->axis[FAL_MAX_SPATIAL - 1].ws;
}
/* For a border that copies cells: how many steps of a run from `first` on are neighbours at output o, and the
 * offset in x of the first of them. False: it meets no cell. */
bool fal__positions_stretch(const fal__problem *problem, const fal__position_run *run, const int64_t *o,
                            int64_t first, int64_t *count, int64_t *offset);
static inline bool fal__positions_copied(const fal__problem *problem)
{
    return problem->mode != FAL_PAD_ZEROS && problem->mode != FAL_PAD_CONSTANT;
}
/* Lists the steps that exist at output (tap) o; returns their number. Offsets in x are those of channel 0
 * without the problem's base; rows of a packed panel are `row` elements long. */
int64_t fal__positions_list(const fal__problem *problem, const fal__position_run *runs, int64_t count,
                            const int64_t *o, int64_t row, const fal__position_lists *lists);
/* Packs one vector of neighbouring channels of gy, the first of which begins at w, channel_step apart;
 * `channels` of them exist, the other lanes are 0: panel[step][lane]. */
void fal__positions_pack(const fal__problem *problem, const fal__compute *compute,
                         const fal__position_run *runs, int64_t count, const void *w, int64_t channel_step,
                         int64_t channels, void *panel);
/* panel[j][lane] = x[j*step + lane*channel_step] for j < length and the `channels` lanes that exist. */
void fal__gather_lanes(const fal__compute *compute, fal_dtype dtype, const void *x, int64_t step,
                       int64_t channel_step, int64_t length, int64_t channels, void *panel);

#endif
