/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upsample.h: what up-sampling and its gradient share: where each output stands, axis by axis.
 *
 * Output o of an axis is a mixture of at most two neighbouring inputs, from and to. Positions are
 * fractions of whole numbers, so that the inputs are exact and a weight is rounded once:
 *
 *     half-pixel       ((2x+1)*i - o) / 2o, not below 0          PyTorch's align_corners=False
 *     align-corners    x*(i-1) / (o-1); o = 1 stands on input 0
 *     transposed-conv  x / s; beyond the last input its weight 1 - r/s goes on alone and fades
 *     nearest          half-pixel: floor(x*i / o); align-corners: the nearer input, of two the first
 *
 *     i = 3, s = 4     x    0 . . . 1 . . . 2 . . .
 *                      y    0 1 2 3 4 5 6 7 8 9 a b      5 = 3/4 of 1 and 1/4 of 2, b = 1/4 of 2
 */
#ifndef FAL_OPERATORS_UPSAMPLE_H
#define FAL_OPERATORS_UPSAMPLE_H

#include "base/compiler.h"
#include "operators/planes.h"
#include "operators/row_sums.h"

/* An input with weight 0 is not read: then to == from. */
typedef struct fal__sample {
    int64_t from, to;
    double w_from, w_to;
} fal__sample;

static inline double fal__sample_weight(const fal__sample *s, int64_t input)
{
    return input == s->from ? s->w_from : input == s->to ? s->w_to : 0;
}

enum { FAL__UPSAMPLE_LANES = 64 };

/* A block of a gradient: neighbouring cells of a row, or channels of one cell. */
typedef struct fal__upsample_block {
    union {
        double real[FAL__UPSAMPLE_LANES];
        fal__int128 whole[FAL__UPSAMPLE_LANES];
    } sums;
    int64_t cell, lanes; /* the first cell */
} fal__upsample_block;

/* The functions that depend on the element type. */
typedef struct fal__upsample_kernels {
    /* y[j*y_step] = x[samples[j].from*x_step] */
    void (*pick)(void *y, int64_t y_step, const void *x, int64_t x_step, const fal__sample *samples,
                 int64_t count);
    /* sums[j] += weight*w_from * x[from*x_step] + weight*w_to * x[to*x_step]; NULL for integers */
    void (*gather)(double *sums, const void *x, int64_t x_step, const fal__sample *samples, int64_t count,
                   double weight);
    /* The adjoint: for every sample j, sums[from - cell] += weight*w_from * gy[j*step], and so for `to`,
     * as far as they lie in the block. Integers have weights of 1 only. */
    void (*scatter)(fal__upsample_block *block, const void *gy, int64_t step, const fal__sample *samples,
                    int64_t count, double weight);
} fal__upsample_kernels;
const fal__upsample_kernels *fal__upsample_kernels_for(fal_dtype dtype);

typedef struct fal__upsample {
    fal_conv_geometry g; /* inputs: x, outputs: y */
    fal__steps x_sizes, y_sizes, x_strides, y_strides;
    fal_upsample_params params;
    int64_t bytes;
    bool along_channels; /* lanes lie along channels, else along the row */
    bool linear;         /* by upsample_linear.c */
    char *x, *y;         /* or their gradients */
    const fal__upsample_kernels *kernels;
    const fal__row_sums *arithmetic;
    fal__sample *samples[FAL_MAX_SPATIAL]; /* of the outputs of an axis; one block */
    size_t memory_bytes;
} fal__upsample;

/* A row of x (or a pixel's channels) that takes part. */
typedef struct fal__source {
    const char *x;
    double weight;
} fal__source;

/* upsample_linear.c: the row (or the channels of its pixels) at y as a mixture of rows of x. */
bool fal__upsample_linear_applies(const fal__upsample *u, fal_dtype dtype);
void fal__upsample_linear(const fal__upsample *u, const fal__source *sources, int count, int64_t channels,
                          char *y);

/* x and y, or their gradients, and the names that messages give them. */
typedef struct fal__upsample_operands {
    const fal_tensor *x, *y;
    const char *x_name, *y_name;
    bool x_written; /* the gradient; else y is written */
    const fal_upsample_params *params;
} fal__upsample_operands;

/* Checks the operands, and allocates and fills the samples; without samples there is nothing to write. */
fal_status fal__upsample_create(const fal__setting *setting, const fal__upsample_operands *operands,
                                fal__upsample *u);
void fal__upsample_release(const fal__setting *setting, fal__upsample *u);

#endif
