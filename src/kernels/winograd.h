/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd.h: the inner loops of Winograd's convolution, in float32.
 *
 * F(m,r) computes m neighbouring outputs of a kernel of r taps from a = m + r - 1 inputs by a products
 * per pair of channels instead of r*m. In two dimensions rows and columns are transformed (the matrices
 * are derived in generic/winograd_lines.tmpl.h):
 *
 *     Y = A^T [ sum over channels of (G w G^T) * (B^T x B) ] A          * element by element
 *
 * Input channels lie side by side in the lanes of a vector while they are transformed, output channels
 * while they are multiplied and transformed back; no element ever changes its lane. Layouts:
 *
 *     patch        [row][column][lane]     inputs or outputs of a strip of tiles, one vector of channels
 *     transformed  [block of channels][tile][lane], one such slice for each product
 *     weights      [channel][width]        likewise, width = FAL__WINOGRAD_VECTORS * lanes
 *     sums         [tile][width]           likewise
 *
 * Used through fal__compute.winograd by solvers/parts/winograd_run.c. All steps count elements.
 */
#ifndef FAL_KERNELS_WINOGRAD_H
#define FAL_KERNELS_WINOGRAD_H

#include "faltung.h"

struct fal__activation; /* kernels.h */

enum { FAL__WINOGRAD_VECTORS = 2, FAL__WINOGRAD_WIDTH_MAX = 32, FAL__WINOGRAD_TAPS_MAX = 5 };

/* Which axes are transformed: the columns alone, or rows and columns. */
typedef enum fal__winograd_dims {
    FAL__COLUMNS,
    FAL__ROWS_AND_COLUMNS,
    FAL__WINOGRAD_DIMS
} fal__winograd_dims;

/* Input (i, j) of tile k is the vector at x + i*row_step + j*column_step + k*tile_step. */
typedef struct fal__winograd_tiles {
    const float *x;
    int64_t row_step, column_step, tile_step;
    int64_t count;
} fal__winograd_tiles;
/* B^T x B, or x B, of neighbouring tiles: the products of tile k go to v[k*v_tile + product*v_step]. */
typedef void (*fal__winograd_input)(const fal__winograd_tiles *tiles, float *v, int64_t v_tile,
                                    int64_t v_step);
/* A^T M A + bias of `tiles` neighbouring tiles, one vector of channels: reads
 * sums[k*sums_row + product*sums_step], writes columns k*m .. of the patch. */
typedef void (*fal__winograd_output)(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                                     const float *bias, float *patch, int64_t row_step);
/* Where the taps of a vector of output channels stand: tap (i, j) of input channel c is the vector at
 * taps + i*row_step + j*column_step + c*channel_step. */
typedef struct fal__winograd_taps {
    const float *taps;
    int64_t row_step, column_step, channel_step;
} fal__winograd_taps;
/* G w G^T of `channels` input channels; products go to u[product*u_step + c*u_channel ..]. */
typedef void (*fal__winograd_weights)(const fal__winograd_taps *w, int64_t channels, float *u,
                                      int64_t u_channel, int64_t u_step);

/* F(m, taps) in `points` = m + taps - 1 points. */
typedef struct fal__winograd_transform {
    int32_t points, taps, m;
    fal__winograd_input input[FAL__WINOGRAD_DIMS];
    fal__winograd_output output[FAL__WINOGRAD_DIMS];
    fal__winograd_weights weights[FAL__WINOGRAD_DIMS];
} fal__winograd_transform;

/* A panel of tiles times a panel of weights. */
typedef struct fal__winograd_product {
    int64_t channels;   /* to be added up */
    const float *v;     /* of the panel's first tile */
    int64_t block_step; /* from one block of channels to the next */
    const float *u;
    float *sums;
    bool accumulate;    /* to what stands there; the channels are added to each other first */
    const float *ahead; /* weights that will be needed: one step for each channel is fetched into cache */
    int64_t ahead_step; /* at most 2 cache lines */
} fal__winograd_product;

/* A panel of a weight gradient: sums[i][..] += sum over k < steps of a[k*a_step + i] * b[k*width ..]. */
typedef struct fal__winograd_outer {
    int64_t steps; /* tiles */
    const float *a, *b;
    int64_t a_step;
    float *sums;
    bool accumulate; /* else what stands there is not read */
} fal__winograd_outer;

typedef struct fal__winograd {
    int32_t lanes; /* of a vector: the channels of a block */
    int32_t rows;  /* tiles of a panel at most */
    int32_t transform_count;
    const fal__winograd_transform *transforms;

    /* patch[j*lanes + c] = x[j*step + c*channel_step] for j < count, c < channels <= lanes. */
    void (*gather)(const float *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   float *patch);
    /* y[j*step + c*channel_step] = beta*y[..] + patch[j*lanes + c], then `activation` unless it is NULL;
     * y is not read when beta is 0. */
    void (*scatter)(const float *patch, int64_t count, int64_t channels, float beta,
                    const struct fal__activation *activation, float *y, int64_t step, int64_t channel_step);
    /* sums[i][..] = sum over channels of v[i][c] * u[c][..] for the first `tiles` tiles of a panel, the
     * channels in ascending order. */
    void (*multiply)(int32_t tiles, const fal__winograd_product *product);
    /* Of the first `panel` rows, at most `rows`. */
    void (*outer)(int32_t panel, const fal__winograd_outer *outer);
} fal__winograd;

#endif
