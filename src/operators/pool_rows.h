/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_rows.h: maxima and means of float32 and float64 tensors whose results lie side by side.
 *
 * The rows of a plane are cut into rectangles of windows of the same shape, which kernels/windows.h folds:
 * one in the middle, where every tap has a cell, and the borders, one row or column at a time:
 *
 *     . . . . . .      .  padding                      rows    0 | 1 2 | 3
 *     . a b b c .      a  b  c  windows that differ    columns 0 | 1 2 | 3
 *     . d e e f .      e  the middle: one run
 *     . d e e f .
 *     . g h h i .
 *
 * What it does not take (other types, Lp, tensors with gaps between neighbours) pool.c does cell by cell,
 * with the same bits.
 */
#ifndef FAL_OPERATORS_POOL_ROWS_H
#define FAL_OPERATORS_POOL_ROWS_H

#include "operators/pool_walk.h"

typedef struct fal__pool_rows {
    const fal__pool *pool;
    const fal__walk *walk;
    const fal__window_kernels *kernels;
    char *y;
    int64_t *indices; /* or NULL */
    fal__steps y_strides, index_strides;
    bool tiles; /* by pool_tiles.c */
} fal__pool_rows;

/* Does it take the problem, all fields filled in? */
bool fal__pool_rows_apply(const fal__pool_rows *rows);
/* Neighbouring rows of one plane; in the layout with channels side by side, of all channels. */
void fal__pool_rows_run(const fal__pool_rows *rows, const fal__plane_row *row);

/* ---- What pool_tiles.c needs of it, and gives ---- */

/* Outputs first..end-1 of an axis. */
typedef struct fal__pool_range {
    int64_t first, end;
} fal__pool_range;
/* The outputs whose windows have all their taps inside; none when adaptive. */
fal__pool_range fal__pool_middle(const fal_axis *axis, bool adaptive);
/* The next outputs from `at` on, before `end`, with windows alike: the middle, or one. */
fal__pool_range fal__pool_next(const fal__pool_range *middle, int64_t at, int64_t end);

/* Is it cheaper in two passes, rows before columns? */
bool fal__pool_tiles_apply(const fal__pool_rows *rows);
void fal__pool_tiles_run(const fal__pool_rows *rows, const fal__plane_row *row);

#endif
