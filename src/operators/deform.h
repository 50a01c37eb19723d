/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.h: what the deformable convolution and its gradients share.
 *
 * The sampled values of a block of output pixels are columns, and with columns the operator is a matrix
 * product, which the planner does:
 *
 *     points    deform_points.c   offset and mask -> where each sample of the block stands
 *     columns   deform_rows.c     points and one image, channels last -> rows of channels
 *     product   a plan            columns (pixel, tap, channel) x weights -> y
 *
 * Columns exist for one block of one image at a time. Channels are last because the four cells around a
 * point are then four runs of memory, whatever the point, so that a row of channels is sampled with
 * vector loads; an image in another layout is copied once.
 *
 *     columns   [pixel 0: tap 0: c c c ... | tap 1: c c c ... | ...][pixel 1: ...
 *     points    [pixel 0: tap 0: group 0, group 1 | tap 1: ...     ][pixel 1: ...
 */
#ifndef FAL_OPERATORS_DEFORM_H
#define FAL_OPERATORS_DEFORM_H

#include "geometry/deform.h"
#include "planner/context.h"

/* ---- Points (deform_points.c) ---- */

/* Where one sample stands. */
typedef struct fal__point {
    int64_t row, column; /* the cell above and left of it, which may lie just outside */
    double down, right;  /* how far it stands from that cell, 0 <= ... < 1; NaN where the position is NaN */
    double mask;
    bool cell[2][2]; /* does that corner exist? [down][right]; all false outside the image's reach */
} fal__point;

/* A rectangle of output cells of image n. */
typedef struct fal__deform_block {
    int64_t n, row, column, rows, columns;
} fal__deform_block;

/* The points of pixels begin..end-1 of the block, counted row by row; `points` receives the first. */
void fal__deform_points(const fal__deform *d, const fal_deform_operands *o, const fal__deform_block *block,
                        int64_t begin, int64_t end, fal__point *points);

/* ---- Images (deform_image.c) ---- */

/* One image with its channels side by side; strides in elements. */
typedef struct fal__deform_image {
    void *data;
    int64_t row, column;
} fal__deform_image;

/* Do the channels of x lie apart, so that its images must be copied? */
bool fal__deform_image_apart(const fal__deform *d, const fal_tensor *x);
/* Rows begin..end-1 of image n of x into a compact (height, width, channels) of x's type, and back:
 * x = beta*x + copy. */
void fal__deform_image_copy(const fal__deform *d, const fal_tensor *x, int64_t n, int64_t begin, int64_t end,
                            void *copy);
void fal__deform_image_add(const fal__deform *d, void *copy, int64_t begin, int64_t end, const fal_tensor *x,
                           int64_t n);
/* Image n: the compact copy, or x itself when `copy` is NULL. */
fal__deform_image fal__deform_image_of(const fal__deform *d, const fal_tensor *x, int64_t n, void *copy);

/* ---- Rows of channels (deform_rows.c) ---- */

/* By position and mask of a point. */
typedef struct fal__slopes {
    double y, x, mask;
} fal__slopes;

/* The arithmetic of one type. All functions take channels first..first+count-1 of the image. */
typedef struct fal__deform_rows {
    size_t bytes; /* of an element */
    const fal__sample_kernels *kernels;
} fal__deform_rows;

/* For FAL_F32 or FAL_F64. */
fal__deform_rows fal__deform_rows_of(const fal__setting *setting, fal_dtype dtype);

/* to[c] = the sample of channel c, times the mask. */
void fal__deform_gather(const fal__deform_rows *rows, const fal__point *point, const fal__deform_image *image,
                        int64_t first, int64_t count, void *to);
/* The adjoint: the image's cells around the point += their factors * mask * from[c]. */
void fal__deform_scatter(const fal__deform_rows *rows, const fal__point *point,
                         const fal__deform_image *image, int64_t first, int64_t count, const void *from);
/* The derivatives of L = sum over c of from[c] * mask * sample(c). */
fal__slopes fal__deform_slopes(const fal__deform_rows *rows, const fal__point *point,
                               const fal__deform_image *image, int64_t first, int64_t count,
                               const void *from);

/* ---- Blocks and memory (deform_blocks.c) ---- */

/* How the output of an image is cut: whole rows, or pieces of one row where a row is too long. So all
 * blocks but the last of an image or of a row have one size, and two plans serve all. */
typedef struct fal__deform_blocks {
    int64_t rows, columns; /* of a full block */
    int64_t down, across;  /* number of blocks along each axis */
    int64_t rest;          /* rows or columns of the smaller last ones; 0: none */
} fal__deform_blocks;

/* As many pixels as have at most `bytes` of columns, at least one. */
fal__deform_blocks fal__deform_blocks_of(const fal__deform *d, int64_t bytes);
fal__deform_block fal__deform_block_at(const fal__deform *d, const fal__deform_blocks *blocks, int64_t n,
                                       int64_t index);
/* The columns of a block as the input of a convolution of its own, whose windows are single pixels:
 *     (rows, channels, columns, kh, kw)  with  w (oc, ic/g, 1, kh, kw)  gives  y (rows, oc, columns, 1, 1)
 * w and y are views of the caller's. y lies at the block. */
fal_operands fal__deform_product(const fal__deform *d, const fal_deform_operands *o,
                                 const fal__deform_block *block, void *columns);

/* Adds count*bytes, rounded up to whole cache lines, to *total; *offset: where it begins. False when it
 * overflows. */
bool fal__deform_book(size_t *total, int64_t count, size_t bytes, size_t *offset);

/* ---- Half precision (deform_half.c) ---- */

/* Runs the operator on float32 copies of f16 or bf16 operands and rounds what it wrote, once. */
fal_status fal__deform_half(const fal_context *context, const fal_deform_operands *operands,
                            const fal_conv_params *params, int64_t offset_groups,
                            const fal_deform_operands *gradients);

#endif
