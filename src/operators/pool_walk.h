/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_walk.h: all cells of several windows at once.
 *
 * Outputs are made in blocks of up to FAL__LANES neighbours, either along the row or along the
 * channels, whichever lies closer together in memory. The walk meets the cells of a block in runs, one
 * cell a lane, and hands each run to a fold (pool_kernels.h), whose loop is the only one that touches
 * elements:
 *
 *     kernel 3, stride 1, one row      x   . a b c d e f .
 *     run of tap 0   lanes 1..5            .-a-b-c-d-e         lane 0 has padding there
 *     run of tap 1   lanes 0..5              a-b-c-d-e-f
 *     run of tap 2   lanes 0..4                b-c-d-e-f-.
 *
 * Each lane meets its own cells in row-major order, so a sum has one order whatever the layout, also where
 * every row is summed by itself (end_row).
 */
#ifndef FAL_OPERATORS_POOL_WALK_H
#define FAL_OPERATORS_POOL_WALK_H

#include "base/compiler.h"
#include "operators/pool.h"

enum { FAL__LANES = 32 };

/* A block in the making. Who uses what is said in pool_kernels.h. */
typedef struct fal__lanes {
    union {
        float f32[FAL__LANES];
        double f64[FAL__LANES];
        int8_t i8[FAL__LANES];
        uint8_t u8[FAL__LANES];
        int16_t i16[FAL__LANES];
        int32_t i32[FAL__LANES];
        int64_t i64[FAL__LANES];
    } best; /* the greatest so far */
    union {
        double f64[FAL__LANES];
        int64_t i64[FAL__LANES];
        fal__int128 i128[FAL__LANES];
    } sum;
    union {
        double f64[FAL__LANES];
        fal__int128 i128[FAL__LANES];
    } share;                     /* gradient: what a window hands out; average: the rows before */
    void *sums;                  /* gradient: what cells have received, by index */
    int64_t index[FAL__LANES];   /* of the greatest; -1: no cell yet */
    int64_t divisor[FAL__LANES]; /* average; 0: no cell, the result is 0 */
    double norm, scale;          /* Lp: cells are divided by scale first */
} fal__lanes;

/* Lanes first..first+count-1 meet one cell each: lane first + j the one at x[j*step], whose index is
 * index + j*index_step. */
typedef struct fal__meeting {
    int32_t first, count;
    const void *x;
    int64_t step, index, index_step;
} fal__meeting;

typedef void (*fal__fold_fn)(fal__lanes *lanes, const fal__meeting *run);

typedef struct fal__walk {
    const fal__pool *pool;
    const char *x; /* NULL: the folds read no cells */
    int64_t bytes; /* of an element */
    fal__steps strides, index;
    bool along_channels;
    void (*end_row)(fal__lanes *lanes); /* called when a row of taps has been met; NULL: nothing is */
    /* Taps of a row from the last to the first: a cell then meets its windows in ascending order. */
    bool backwards;
} fal__walk;

/* The block of output (n, c, o) and its count - 1 neighbours along channels or row. */
typedef struct fal__spot {
    int64_t n, c, o[FAL_MAX_SPATIAL];
    int32_t count;
} fal__spot;

/* A walk over x; adaptive windows differ in size, so their lanes always lie along channels. */
fal__walk fal__walk_over(const fal__pool *pool, const fal_tensor *x);
void fal__walk_windows(const fal__walk *walk, const fal__spot *at, fal__fold_fn fold, fal__lanes *lanes);
/* What the sum of a window is divided by; 0 when it has no cell. */
int64_t fal__pool_divisor(const fal__pool *pool, const fal__window window[FAL_MAX_SPATIAL]);
/* Fills lanes->divisor. */
void fal__walk_divisors(const fal__walk *walk, const fal__spot *at, fal__lanes *lanes);

#endif
