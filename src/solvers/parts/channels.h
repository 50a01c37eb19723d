/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channels.h: the weights of a problem, packed in panels of output channels.
 *
 * The reduction is cut into blocks of at most `kc` steps, the output channels of a group into tiles of
 * `width`. One slice is one tile by one block; packed weights hold all slices, first channel tiles,
 * then blocks, then groups fastest to slowest:
 *
 *     group 0: | block 0: slice(tile 0) slice(tile 1) ... | block 1: ... |  group 1: ...
 *
 * so that a run over the channel tiles of one block reads memory front to back. Tail channels are 0.
 */
#ifndef FAL_SOLVERS_PARTS_CHANNELS_H
#define FAL_SOLVERS_PARTS_CHANNELS_H

#include "solvers/parts/reduction.h"

typedef struct fal__channels {
    int32_t width;
    int64_t tiles; /* of one group */
    fal__reduction reduction;
    int64_t kc;     /* reduction steps of one block */
    int64_t blocks; /* at least 1: without a step there is one empty block */
} fal__channels;

/* Cuts k into the fewest blocks of at most fal__reduction_block() steps, all about equal. */
void fal__channels_plan(const fal__problem *problem, const fal__compute *compute, int32_t width,
                        fal__channels *channels);
/* Steps of block b. */
int64_t fal__channels_steps(const fal__channels *channels, int64_t block);
/* Element number of a slice in the packed weights; the total with group == groups. Unchecked: the
 * planner has checked the total. */
int64_t fal__channels_slice(const fal__channels *channels, int64_t group, int64_t block, int64_t tile);
/* Steps first..end-1 of `width` output channels from `oc` on; those that do not exist are 0. */
typedef struct fal__weights {
    int64_t group, oc, first, end;
    int32_t width;
} fal__weights;
/* Packs such a part: a row of channels for each step. */
void fal__weights_pack(const fal__problem *problem, const fal__reduction *reduction,
                       const fal__compute *compute, const void *w, const fal__weights *part, void *panel);
/* Can fal__compute.transpose pack these weights? They are not yet side by side along the output channels,
 * need no conversion, and all taps of an output channel's input channels lie in a row. */
bool fal__weights_turn_over(const fal__problem *problem, const fal__compute *compute);
/* Does so: all of t.channels and t.taps, in the order of the reduction with chunks of `chunk` channels. */
void fal__weights_turn(const fal__reduction *reduction, const fal__compute *compute, int64_t chunk,
                       fal__transpose t);
/* Packs one slice; returns whether all its numbers are finite (integers always are). */
bool fal__channels_pack(const fal__problem *problem, const fal__channels *channels,
                        const fal__compute *compute, const void *w, int64_t group, int64_t block,
                        int64_t tile, void *panel);

#endif
