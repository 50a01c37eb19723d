/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd.h: the inner loops of Winograd's convolution with 3x3 kernels, in float32.
 *
 * F(m,3) computes an m x m tile of outputs from an a x a tile of inputs, a = m + 2, with a*a products
 * per pair of channels instead of 9*m*m (the matrices are derived in generic/winograd_f32.c):
 *
 *     Y = A^T [ sum over channels of (G w G^T) * (B^T x B) ] A          * element by element
 *
 * Input channels lie side by side in the lanes of a vector while they are transformed, output channels
 * while they are multiplied and transformed back; no element ever changes its lane. Layouts:
 *
 *     patch        [row][column][lane]          inputs or outputs of a strip of tiles, one block of channels
 *     transformed  [block][row of the panel][lane], one such panel for each of the a*a products
 *     weights      [channel][width]             likewise, width = FAL__WINOGRAD_VECTORS * lanes
 *     sums         [tile][width]                likewise
 *
 * Used through fal__compute.winograd by solvers/parts/winograd_run.c. All steps count elements.
 */
#ifndef FAL_KERNELS_WINOGRAD_H
#define FAL_KERNELS_WINOGRAD_H

#include "faltung.h"

enum { FAL__WINOGRAD_VECTORS = 2, FAL__WINOGRAD_WIDTH_MAX = 32, FAL__WINOGRAD_TAPS = 9 };

/* The tile sizes: m = 2 and m = 4. */
typedef enum fal__winograd_size { FAL__F2X3, FAL__F4X3, FAL__WINOGRAD_SIZES } fal__winograd_size;

typedef struct fal__winograd {
    int32_t lanes; /* of a vector: the channels of a block */
    int32_t rows;  /* tiles of a panel at most */

    /* patch[j*lanes + c] = x[j*step + c*channel_step] for j < count, c < channels <= lanes. */
    void (*gather)(const float *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   float *patch);
    /* y[j*step + c*channel_step] = beta*y[..] + patch[j*lanes + c]; y is not read when beta is 0. */
    void (*scatter)(const float *patch, int64_t count, int64_t channels, float beta, float *y, int64_t step,
                    int64_t channel_step);
    /* B^T x B of `tiles` neighbouring tiles: tile i begins at column i*m of the patch, its products go to
     * v[i*lanes + product*v_step]. */
    void (*input[FAL__WINOGRAD_SIZES])(const float *patch, int64_t row_step, int64_t tiles, float *v,
                                       int64_t v_step);
    /* sums[i][..] = (accumulate ? sums : 0) + (sum over k channels of v[i][k] * u[k][..]) for the first
     * `rows` tiles of a panel; its blocks of channels are block_step apart. The channels are added to each
     * other in ascending order, and their sum then to what was there. */
    void (*multiply)(int32_t rows, int64_t k, const float *v, int64_t block_step, const float *u, float *sums,
                     bool accumulate);
    /* A^T M A + bias of `tiles` neighbouring tiles, one vector of channels: reads
     * sums[i*sums_row + product*sums_step], writes columns i*m .. of the patch. */
    void (*output[FAL__WINOGRAD_SIZES])(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                                        const float *bias, float *patch, int64_t row_step);
    /* G w G^T of `width` kernels, in double and rounded once: taps[tap][width], tap = 3*row + column;
     * products go to u[product*u_step + ..]. */
    void (*weights[FAL__WINOGRAD_SIZES])(const float *taps, float *u, int64_t u_step);
} fal__winograd;

#endif
