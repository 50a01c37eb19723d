/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sequence.h: plans that run one after the other, all prepared before the first runs.
 *
 * A function that is made of several operators must not stop between them for want of memory: with
 * beta it adds to what the caller has, and when the caller tries again it would add twice. Used by
 * one_call.c and separable.c.
 *
 *     fal__sequence s;
 *     fal__sequence_begin(&s, context);
 *     status = fal__sequence_add(&s, op, &operands, &params);     // any number of times
 *     if (status == FAL_OK) status = fal__sequence_run(&s);
 *     fal__sequence_end(&s);
 */
#ifndef FAL_OPERATORS_SEQUENCE_H
#define FAL_OPERATORS_SEQUENCE_H

#include "faltung.h"

enum { FAL__SEQUENCE_STEPS = 5, FAL__SEQUENCE_SCRATCHES = 2 };

typedef struct fal__sequence_step {
    fal_plan *plan;
    fal_operands operands;
} fal__sequence_step;

typedef struct fal__sequence {
    const fal_context *context;
    fal_allocator allocator;
    fal_error *error;
    int32_t count, scratches;
    fal__sequence_step step[FAL__SEQUENCE_STEPS];
    struct {
        void *memory;
        size_t bytes;
    } scratch[FAL__SEQUENCE_SCRATCHES];
} fal__sequence;

void fal__sequence_begin(fal__sequence *s, const fal_context *context);
/* Checks an operator and plans it. Its tensors stay the caller's. */
fal_status fal__sequence_add(fal__sequence *s, fal_operator op, const fal_operands *operands,
                             const fal_conv_params *params);
/* Zeroed memory that lives until the end of the sequence. */
fal_status fal__sequence_scratch(fal__sequence *s, size_t bytes, const char *what, void **memory);
/* Allocates one workspace, enough for each, and executes all in the order of their adding. */
fal_status fal__sequence_run(fal__sequence *s);
/* Releases the plans; also after a failure. */
void fal__sequence_end(fal__sequence *s);

/* Gradients of a convolution or transposed convolution; NULL: not wanted. */
typedef struct fal__gradients {
    bool transposed;
    const fal_tensor *x, *w, *gy, *gx, *gw, *gb;
} fal__gradients;
/* one_call.c: checks all of it and adds an operator for the input's gradient and one for the others. */
fal_status fal__sequence_add_gradients(fal__sequence *s, const fal__gradients *g,
                                       const fal_conv_params *params);

#endif
