/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unpool.h: what unpooling and its gradient share: where an index points.
 *
 * Every element o of x has an index, which names a cell of a counted shape: a plane of it
 * (FAL_INDEX_PLANE) or all of it (FAL_INDEX_TENSOR). The cell with the same position in y is meant; a
 * counted shape may therefore be smaller or larger than y as long as no index leaves y. In the plane
 * mode an element stays in its own image and channel, so planes are independent; in the tensor mode
 * it may go anywhere, so that all is one walk in row-major order of x.
 */
#ifndef FAL_OPERATORS_UNPOOL_H
#define FAL_OPERATORS_UNPOOL_H

#include "operators/planes.h"

typedef struct fal__unpool {
    fal_conv_geometry g; /* inputs: x, outputs: y */
    fal__steps x_sizes, y_sizes, counted;
    fal__steps x_strides, y_strides, index_strides;
    const int64_t *indices;
    char *x, *y; /* or their gradients; one of the two is only read */
    int64_t bytes;
    bool plane, column_major;
} fal__unpool;

/* The operands under the names that messages give them. `x_written`: the gradient, which writes x. */
typedef struct fal__unpool_operands {
    const fal_tensor *x, *indices, *y;
    const char *x_name, *y_name;
    bool x_written;
    const fal_pool_params *params;
    const int64_t *index_shape;
} fal__unpool_operands;

/* All checks, those of the indices included. */
fal_status fal__unpool_describe(const fal__setting *setting, const fal__unpool_operands *operands,
                                fal__unpool *out);

/* An element of x or a cell of y. */
typedef struct fal__unpool_cell {
    int64_t n, c, space[FAL_MAX_SPATIAL];
} fal__unpool_cell;

/* The cell of y that element `o` of x goes to; false when there is none. */
bool fal__unpool_target(const fal__unpool *u, const fal__unpool_cell *o, fal__unpool_cell *target);

/* Walks the elements of x in row-major order (of plane n, c; n < 0: of the whole x), or from the last
 * to the first, until `visit` returns false. Returns whether it never did. */
typedef bool (*fal__unpool_visit)(const fal__unpool *u, const fal__unpool_cell *o, void *argument);
bool fal__unpool_walk(const fal__unpool *u, int64_t n, int64_t c, bool backwards, fal__unpool_visit visit,
                      void *argument);

/* The loop over planes, or over the one unit that a whole tensor is. */
fal__plane_rows fal__unpool_units(const fal__unpool *u);

static inline int64_t fal__unpool_offset(const fal__steps *s, const fal__unpool_cell *at)
{
    return at->n * s->n + at->c * s->c + at->space[0] * s->space[0] + at->space[1] * s->space[1] +
           at->space[2] * s->space[2];
}

#endif
