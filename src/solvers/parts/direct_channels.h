/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels.h: what planning and running of the solver direct-channels share.
 *
 * Packed weights: for each group and tile of `width` output channels (the last one narrower, a whole
 * number of vectors) all reduction steps, one row of channels each; channels that do not exist are 0.
 */
#ifndef FAL_SOLVERS_PARTS_DIRECT_CHANNELS_H
#define FAL_SOLVERS_PARTS_DIRECT_CHANNELS_H

#include "solvers/parts/regions.h"

/* How a region is cut in tiles: along one axis, every line of it evenly. */
typedef struct fal__direct_cut {
    int axis;
    int64_t length, per_line, lines; /* outputs of a line, its tiles; lines of the region */
} fal__direct_cut;

/* One tile of pixels: offsets of its first pixel in x and y, from group 0, image 0, channel 0. */
typedef struct fal__direct_place {
    int64_t x, y;
    int32_t rows;
} fal__direct_place;

/* The tiles of a block that lie in one region, and their runs. */
typedef struct fal__direct_piece {
    int axis; /* along which they are cut */
    int64_t first_run, end_run, first_tile, end_tile;
    int64_t run; /* the first one that is not done */
} fal__direct_piece;

/* A block of tiles; of one image and group, the same for all of them. Lives in a task's scratch. */
typedef struct fal__direct_block {
    fal__direct_run *runs;
    fal__direct_place *places;
    fal__direct_piece *pieces;
    int64_t count, piece_count, run_count; /* tiles, ... */
    int64_t first;                         /* number of the first tile in the image */
    /* The region after the block, and the number of its first tile. */
    fal__region region;
    int64_t region_first;
} fal__direct_block;

/* Byte offsets of a task's scratch. */
typedef struct fal__direct_scratch {
    size_t runs, places, pieces, bias, panel, sums, bytes;
} fal__direct_scratch;

typedef struct fal__direct_channels {
    fal__problem problem; /* with axes joined */
    const fal__compute *compute;
    fal__reduction reduction;
    int32_t vectors, last_vectors; /* of a tile of output channels, of the last tile */
    int64_t width, tiles;          /* channels of a tile; tiles of a group */
    int64_t block;                 /* reduction steps of one pass */
    int64_t span;                  /* of the passes whose weights are packed together, if streamed */
    int64_t block_tiles;           /* pixel tiles that share one pass over the weights */
    int64_t pieces, runs;          /* of a block at most */
    int64_t image_tiles;           /* pixel tiles of an image */
    int64_t splits, split_tiles;   /* of the output channels between units of work */
    bool in_place;                 /* sums grow in y: it is overwritten and has channels side by side */
    bool stream;                   /* without packed weights: each panel is packed when it is needed, once */
    int32_t tasks;
    size_t packed_bytes;
    fal__direct_scratch scratch;
} fal__direct_channels;

/* The most pixels of a tile. */
static inline int32_t fal__direct_rows(const fal__direct_channels *d)
{
    return d->compute->direct->rows[d->vectors];
}

/* The best vectors of a tile and reduction steps of a pass; returns the cycles of one image and group. */
double fal__direct_choose_tile(const fal__problem *problem, const fal__compute *compute, int32_t *vectors,
                               int64_t *block);
/* The fewest reduction steps of a pass that may be chosen. */
int64_t fal__direct_shortest_pass(const fal__reduction *reduction, const fal__compute *compute);
/* Cycles that pass until weights beyond L2 have arrived, as far as no arithmetic hides them. */
double fal__direct_weights_cycles(const fal__problem *problem, const fal__compute *compute);

void fal__direct_cut_region(const fal__region *region, int32_t rows, fal__direct_cut *cut);

/* An empty block in a task's scratch. */
void fal__direct_block_begin(const fal__direct_channels *plan, char *scratch, fal__direct_block *block);
/* Makes it the tiles from number `tile` of an image on, at most `most`; block->count tells how many. */
void fal__direct_block_make(const fal__direct_channels *plan, int64_t tile, int64_t most,
                            fal__direct_block *block);

/* The work of task `index`. Without packed weights the plan says stream. */
void fal__direct_channels_task(const fal__direct_channels *plan, const fal__run *run, const void *packed,
                               char *scratch, int32_t index);

#endif
