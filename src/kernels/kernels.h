/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernels.h: what a solver may call in its inner loops.
 *
 * A `fal__compute` is one arithmetic (the type of the packed panels and of the accumulators) with
 * everything needed around it: register tiles, packing from each element type, storing to each.
 * Kernels know pointers, strides and counts only; tensors, padding and threads are the solver's.
 *
 * Packed panels. Both operands of a tile are packed the same way: k rows of `width` elements,
 *
 *     panel:  [k=0][0..width-1] [k=1][0..width-1] ...        width = mr for A, nr for B
 *
 * so that the tile walks both front to back. A holds what is broadcast, B what fills the lanes;
 * which of weights and pixels plays which part is the solver's choice.
 */
#ifndef FAL_KERNELS_KERNELS_H
#define FAL_KERNELS_KERNELS_H

#include "base/activation.h"
#include "kernels/channel_products.h"
#include "kernels/depthwise.h"
#include "kernels/direct_channels.h"
#include "kernels/direct_pixels.h"
#include "kernels/fft.h"
#include "kernels/grouped.h"
#include "kernels/outer_products.h"
#include "kernels/samples.h"
#include "kernels/transpose.h"
#include "kernels/windows.h"
#include "kernels/winograd.h"

enum { FAL__DTYPES = FAL_I64 + 1, FAL__TILES_MAX = 4 };

/* c[mr][nr] = (accumulate ? c : 0) + sum over k of a[k][mr] * b[k][nr], k in ascending order. Reads
 * k*mr, k*nr and writes mr*nr elements; a and b aligned to their element, c likewise. */
typedef void (*fal__tile_fn)(int64_t k, const void *a, const void *b, void *c, bool accumulate);

typedef struct fal__tile {
    int32_t mr, nr;
    fal__tile_fn run;
} fal__tile;

/* A stretch of a panel row: `length` elements from column `to` on come from x[from + j*step]. */
typedef struct fal__segment {
    int64_t from, step;
    int32_t to, length;
} fal__segment;

/* panel[r][segment.to + j] = x[segment.from + r*row_step + j*segment.step] for r in 0..rows-1, every
 * segment and its j. Columns without a segment are left alone. Reads and writes nothing else. */
typedef void (*fal__pack_fn)(const void *x, const fal__segment *segments, int32_t count, int64_t rows,
                             int64_t row_step, int32_t width, void *panel);

/* A block of finished sums on its way from a tile to memory; steps in elements. */
typedef struct fal__block {
    int64_t outer, inner;               /* counts */
    int64_t tile_outer, tile_inner;     /* steps in the tile */
    int64_t memory_outer, memory_inner; /* steps in y */
    double beta;                        /* y = f(beta*y + sum); y is not read when 0 */
    const fal__activation *activation;  /* f, or NULL: the sum as it is */
} fal__block;

/* Returns false when an integer result does not fit y's type (the rest is stored all the same). */
typedef bool (*fal__store_fn)(const void *tile, const fal__block *block, void *y);

/* A row of 1 to 4 outputs as a sum of `taps` shifted rows:
 *     y[r][j*y_step] = beta*y[r][j*y_step] + bias[r] + sum over t of w[t*outputs + r] * x[offsets[t] +
 * j*step] for j in 0..count-1, t ascending. y_step > 0. */
enum { FAL__ROWS_MAX = 4 };
typedef struct fal__rows {
    int64_t taps, count, step, y_step;
    int32_t outputs;
    const void *x;
    const int64_t *offsets;
    const void *w;
    const void *bias; /* or NULL */
    double beta;
    const fal__activation *activation; /* of all that; or NULL */
    void *y[FAL__ROWS_MAX];
} fal__rows;
typedef void (*fal__rows_fn)(const fal__rows *rows);

/* `pixels` neighbouring outputs of `count` channels that lie side by side in x, w and y:
 *     y[p*y_step + c] = beta*y[..] + bias[c] + sum over t of w[weights[t] + c] * x[offsets[t] + p*x_step + c]
 * t ascending. */
typedef struct fal__channel_rows {
    int64_t taps, count, pixels, x_step, y_step;
    const void *x, *w;
    const int64_t *offsets, *weights;
    const void *bias; /* or NULL */
    double beta;
    const fal__activation *activation; /* of all that; or NULL */
    void *y;
} fal__channel_rows;
typedef void (*fal__channels_fn)(const fal__channel_rows *rows);

typedef struct fal__compute {
    const char *name;              /* "f32" */
    size_t panel_bytes, sum_bytes; /* of one panel element, of one accumulator */
    int32_t lanes;                 /* elements of a vector */
    int32_t tile_count;
    fal__tile tiles[FAL__TILES_MAX];    /* the largest first; the last one has mr == 1 */
    fal__pack_fn pack[FAL__DTYPES];     /* by element type of the tensor; NULL where it does not apply */
    const fal__transpose_fn *transpose; /* f32 and f64, from tensors of the same type; else NULL */
    fal__store_fn store[FAL__DTYPES];
    /* True when the `count` panel elements hold no NaN and no infinity; NULL for integers. */
    bool (*finite)(const void *panel, int64_t count);
    fal__rows_fn rows;                     /* f32 and f64 on tensors of the same type; else NULL */
    fal__channels_fn channels;             /* likewise */
    const fal__outer_kernel *outer;        /* f32 and f64; else NULL */
    fal__channel_sums_fn channel_products; /* likewise */
    const fal__winograd *winograd;         /* f32; else NULL */
    const fal__depthwise *depthwise;       /* f32 and f64; else NULL */
    const fal__grouped_fn *grouped;        /* f32 and f64; else NULL */
    const fal__lane_kernels *pixels;       /* f32 and f64; else NULL */
    const fal__direct *direct;             /* f32 and f64; else NULL */
    const fal__fft *fft;                   /* f32 and f64; else NULL */
    /* sum = sum + a[i]*b[j], one product outside any tile. */
    void (*multiply_add)(const void *a, const void *b, void *sum);
} fal__compute;

typedef enum fal__arithmetic {
    FAL__F32,  /* f32, f16, bf16 */
    FAL__F64,  /* f64 */
    FAL__I32,  /* 8-bit integers while the sum provably fits 32 bits */
    FAL__I64,  /* integers while the sum provably fits 64 bits */
    FAL__I128, /* the other integers */
    FAL__ARITHMETICS
} fal__arithmetic;

typedef struct fal__kernel_set {
    const char *level; /* "generic", "avx2", "avx512" */
    const fal__compute *compute[FAL__ARITHMETICS];
    const fal__sample_kernels *samples[FAL__DTYPES]; /* f32 and f64; else NULL */
    const fal__window_kernels *windows[FAL__DTYPES]; /* f32 and f64; else NULL */
} fal__kernel_set;

/* The kernels compiled for `level`, or for the highest level below it that was built. */
const fal__kernel_set *fal__kernels_for(fal_cpu_level level);

#endif
