/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * border_adjoint.h: the input gradient under a border mode that copies cells.
 *
 * Reflecting, symmetric, replicating and circular borders show a cell of x at several positions. The
 * gradient of the extended input is a plain transposed walk; this file folds it back: every position
 * is added to the cell it shows. The extension exists for one image at a time, in scratch:
 *
 *     extended gradient   | b a | a b c d | d c |      begin 2, end 2, symmetric
 *     sums                      | a b c d |
 */
#ifndef FAL_OPERATORS_BORDER_ADJOINT_H
#define FAL_OPERATORS_BORDER_ADJOINT_H

#include "operators/rewrite.h"

typedef struct fal__adjoint {
    bool needed;
    fal_dtype sum_dtype; /* f32 for f32, f16, bf16; f64; i64 for integers */
    fal_dtype x_dtype;
    int64_t images, channels;
    fal__problem_axis axis[FAL_MAX_SPATIAL]; /* in: extended size; out: x's; begin; ys: x's stride */
    fal_padding_mode mode;
    int64_t x_n, x_c, y_n;
    double beta;
    size_t sums_bytes, scratch_bytes; /* of one image's sums; of sums and extension together */
} fal__adjoint;

/* Decides whether `call` needs it; if so fills *adjoint and turns the call into the gradient of one
 * extended image in row-major scratch. False when a size overflows. */
bool fal__adjoint_plan(fal__call *call, fal__adjoint *adjoint);

/* Where the program writes the extended image. */
void *fal__adjoint_extension(const fal__adjoint *adjoint, void *scratch);

/* Folds the extension into image n of gx. False when an integer does not fit. */
bool fal__adjoint_fold(const fal__adjoint *adjoint, void *scratch, int64_t n, void *gx);

#endif
