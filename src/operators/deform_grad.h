/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_grad.h: one call of the deformable convolution's gradient, planned.
 *
 * deform_grad_plan.c plans it and does the products, deform_grad.c walks images and blocks.
 */
#ifndef FAL_OPERATORS_DEFORM_GRAD_H
#define FAL_OPERATORS_DEFORM_GRAD_H

#include "operators/deform.h"

/* A plan for full blocks or for the smaller last ones; NULL: not needed. */
typedef struct fal__deform_plan {
    fal_plan *plan;
    fal_plan_info info;
    size_t packed_at; /* packed weights, `packed_step` bytes for each tap */
    size_t packed_step;
} fal__deform_plan;

typedef struct fal__deform_grad {
    fal__deform d;
    const fal_deform_operands *o, *gradients; /* o->y is the incoming gradient */
    fal__setting setting;
    fal__deform_rows rows;
    fal__deform_blocks blocks;
    fal__deform_plan weight[2], input[2]; /* [0] full, [1] smaller */
    bool wants_x, wants_w, wants_slopes;
    bool copies; /* x's images are copied */
    int32_t tasks;
    size_t copy_at, gx_at, columns_at, points_at, product_at, bytes;
    char *memory;
    fal__deform_block block; /* at work */
} fal__deform_grad;

/* All blocks of image n. */
fal_status fal__deform_grad_image(fal__deform_grad *b, int64_t n);
/* gw += columns x gy of the block. */
fal_status fal__deform_grad_weight(const fal__deform_grad *b);
/* The columns become those of the gradient: gy x weights of the block, tap by tap. */
fal_status fal__deform_grad_columns(const fal__deform_grad *b);

#endif
