/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft.h: the planned state of convolution by Fourier transforms, shared by its planning (solvers/fft.c,
 * fft_plan.c, fft_line.c) and its loops (fft_run.c, fft_move.c, fft_weights.c).
 *
 * Axis 2 is transformed, axis 1 too or not; axis 0 has one tap. A dilated axis falls apart into d phases
 * without dilation, as in winograd.h. Tiles of n points give m outputs each. Index i of a tile is the
 * position first + i*d, and output v of the tile reads, at tap t, index v + t + shift modulo n:
 *
 *     overlap-save   shift = 0             n >= m + k - 1
 *     one tile       shift = -begin/d      indices below 0 wrap to the end of the tile, which holds zeros as
 *                                          the padding does: n >= image + the larger padding
 *
 * What the lanes of a vector hold:
 *
 *     channels   one input channel per group, the groups of a block; a unit is a tile of a block
 *     tiles      one input channel per group, neighbouring tiles of one row of tiles
 *     dense      all others; input channels while they are transformed, output channels while they are
 *                multiplied; a unit is a block of tiles of one group, and a split of the output channels
 *
 * Where axis 1 is not transformed, its outputs are tiles of their own ("lines"), and two tiles share a
 * complex transform; else two rows of a tile do. Layouts, f = k*n1 + l for entry (l, k) of n1 x (n2/2 + 1):
 *
 *     rows     [row][k][re, im][lane]                       of one tile, transformed along axis 2
 *     U        [block][output][k][l][re, im][lane]          channels and tiles
 *     U        [group][f][panel][channel][vector][re, im][lane]      dense
 *     V        [f][block of channels][tile][re, im][lane]   of a block of tiles
 *     sums     [f][panel of a chunk][tile][vector][re, im][lane]
 */
#ifndef FAL_SOLVERS_PARTS_FFT_H
#define FAL_SOLVERS_PARTS_FFT_H

#include "solvers/solver.h"

typedef enum fal__fft_lanes {
    FAL__FFT_CHANNELS,
    FAL__FFT_TILES,
    FAL__FFT_DENSE,
    FAL__FFT_LANES
} fal__fft_lanes;

/* An axis in tiles; n is 1 where it is not transformed, and an output is a tile. */
typedef struct fal__fft_axis {
    fal__fft_line line;
    int64_t n, m, shift, dilation;
    int64_t per_phase, count; /* tiles */
} fal__fft_axis;

/* Byte offsets of the pieces of a task's scratch. */
typedef struct fal__fft_scratch {
    size_t lines;   /* two patches of a line: [re, im][n2][lane] */
    size_t column;  /* a column, or a spectrum of n1: [l][re, im][lane] */
    size_t buffers; /* of a transform */
    size_t rows, sums_rows, transformed, sums, bias;
    size_t bytes;
} fal__fft_scratch;

typedef struct fal__fft_plan {
    fal__problem problem; /* transformed axes walked forward, and at the end */
    const fal__compute *compute;
    const fal__fft *kernels;
    fal__fft_lanes lanes;
    fal__fft_axis rows, columns;
    int64_t half;                     /* n2/2 + 1 */
    int64_t entries;                  /* of a spectrum: n1*half */
    int64_t column_units;             /* tiles of a row of tiles, or groups of lanes of them */
    int64_t tiles;                    /* of all images: columns fastest, then row, depth, image */
    int64_t blocks;                   /* channels: of lanes; tiles: groups; dense: groups */
    int64_t ic_blocks, vectors;       /* dense: of lanes of input channels; vectors of a panel */
    int64_t panels, chunk, chunks;    /* of output channels; panels of a chunk */
    int64_t splits, split_chunks;     /* chunks are shared among this many units */
    int64_t block_tiles, tile_blocks; /* dense: tiles of a unit, such blocks */
    int64_t units;
    int64_t row_step, v_step, sums_step; /* elements from row to row of one tile, from f to f */
    int32_t tasks;
    size_t twiddles, weights, packing; /* byte offsets in packed: axis 1's twiddles are at 0, axis 2's,
                                          U, scratch of packing */
    size_t packed_bytes;
    fal__fft_scratch scratch;
    double cycles;
} fal__fft_plan;

static inline bool fal__fft_by_lines(const fal__fft_plan *plan)
{
    return plan->rows.n == 1;
}

static inline size_t fal__fft_vector(const fal__fft_plan *plan)
{
    return (size_t)plan->kernels->lanes * plan->compute->panel_bytes;
}

/* fft_line.c: the factors of n, chosen for the least cycles, which are returned; a negative number where n
 * has others than 2, 3 and 5. */
double fal__fft_factor(const fal__fft *kernels, int64_t n, fal__fft_line *line);
/* Twiddles of a line, in numbers; and their values. */
int64_t fal__fft_twiddle_count(const fal__fft_line *line);
void fal__fft_twiddles(const fal__fft_line *line, size_t element, void *twiddles);

/* fft_plan.c: pure; the reason of a refusal. */
bool fal__fft_applies(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity);
/* Everything but tasks, at the least cost; false when nothing fits. */
bool fal__fft_plan_for(fal__fft_plan *plan, const fal__problem *problem, const fal__machine *machine);
/* Splits the work of a dense plan for so many threads, and counts units. */
void fal__fft_share(fal__fft_plan *plan, int32_t threads);

/* fft_move.c: where a tile lies. */
typedef struct fal__fft_place {
    int64_t n, od, row, column; /* image and plane; numbers of the tile; of lane 0 */
    int64_t lanes;              /* tiles: how many; else 1 */
} fal__fft_place;

fal__fft_place fal__fft_place_of(const fal__fft_plan *plan, int64_t tile);
/* Outputs of the tile that exist, of an axis. */
int64_t fal__fft_valid(const fal__fft_axis *axis, const fal__problem_axis *p, int64_t tile);
/* Rows 0 .. count-1 of the tile are to be read; the others are 0. */
int64_t fal__fft_rows_read(const fal__fft_plan *plan, const fal__fft_place *at);

/* The lanes of a vector: element offsets of the first in x, y, w or bias, and from lane to lane. */
typedef struct fal__fft_vector_of {
    int64_t x, x_lane, y, y_lane, lanes;
} fal__fft_vector_of;

/* A row of a tile for a transform along axis 2, row `row` of the tile: into patch, [n2][lane]. Where it can
 * be read in place, the place of index 0 is returned instead, and *count tells how many numbers are there. */
const void *fal__fft_read_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                              const fal__fft_vector_of *lanes, const void *x, bool in_place, void *patch,
                              int64_t *count);
/* Where row `row` of the outputs of a tile can be written in place (*count numbers); else NULL. */
void *fal__fft_target_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                          const fal__fft_vector_of *lanes, void *y, int64_t *count);
/* Writes it from patch. */
void fal__fft_write_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                        const fal__fft_vector_of *lanes, const void *patch, void *y);

/* What one task works with. */
typedef struct fal__fft_task {
    const fal__fft_plan *plan;
    const fal__run *run;
    const char *twiddles[2]; /* of axis 1, axis 2 */
    const char *weights;
    char *lines, *column, *buffers, *rows, *sums_rows, *transformed, *sums, *bias;
} fal__fft_task;

/* Pointers into packed weights and a task's scratch. */
fal__fft_task fal__fft_task_of(const fal__fft_plan *plan, const fal__run *run, const char *packed,
                               char *scratch);
/* Two lines in t->lines, as the parts of a complex number, to the spectra of both. */
void fal__fft_lines_forward(const fal__fft_task *t, void *a, void *b, int64_t step);

/* fft_weights.c: twiddles; then pieces first .. end-1 of U, of the fal__fft_weight_pieces there are. */
void fal__fft_pack_twiddles(const fal__fft_plan *plan, char *packed);
int64_t fal__fft_weight_pieces(const fal__fft_plan *plan);
void fal__fft_pack_weights(const fal__fft_plan *plan, const void *w, char *packed, char *scratch,
                           int64_t first, int64_t end);

/* fft_run.c: units first .. end-1. */
void fal__fft_run_units(const fal__fft_plan *plan, const fal__run *run, const char *packed, char *scratch,
                        int64_t first, int64_t end);

#endif
