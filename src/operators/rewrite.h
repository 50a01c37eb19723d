/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rewrite.h: every operator as canonical problems.
 *
 *     conv                          one problem, as it stands
 *     transposed conv's grad input  one problem: it is a convolution of gy
 *     conv_transpose                one problem per phase of the output (phases.c)
 *     conv's grad input             the same, with the channel axes of the weight exchanged
 *     both grad weights             one problem: batch and reduced channels exchange places, output
 *                                   positions become taps, stride and dilation exchange places
 *     grad bias                     one problem: gy against a border of ones
 *
 * Nothing is copied: a rewriting chooses strides, bases and sizes.
 */
#ifndef FAL_OPERATORS_REWRITE_H
#define FAL_OPERATORS_REWRITE_H

#include "geometry/geometry.h"
#include "solvers/problem.h"

/* The operands of a checked call, by stride. */
typedef struct fal__call {
    fal_operator op;
    fal_conv_geometry geometry;
    fal_dtype x_dtype, w_dtype, y_dtype, bias_dtype; /* bias_dtype NONE: no bias */
    fal__data_strides x, y;
    fal__weight_strides w;
    int64_t bias_stride;
    double beta, padding_value;
    fal__activation activation;
} fal__call;

/* Writes the problems of the call to `problems` when it is not NULL, and returns their number. */
int64_t fal__rewrite(const fal__call *call, fal__problem *problems);

/* The problems of a transposed walk: `base` holds everything but the axes, `axes` those of the
 * geometry, with the strides of the tensor that is read, the weight and the one that is written. */
typedef struct fal__transposed_axis {
    int64_t in, out, k, s, d, begin; /* out position = i*s + t*d - begin */
    int64_t xs, ws, ys;
    bool flip;
} fal__transposed_axis;
int64_t fal__rewrite_phases(const fal__problem *base, const fal__transposed_axis *axes,
                            fal__problem *problems);

#endif
