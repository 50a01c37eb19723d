/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_run.h: what solvers/depthwise.c prepares, and how it is walked.
 *
 * A unit of work is a piece of one image and a run of blocks of channels. Where the channels of a block are
 * no neighbours, or too few for a vector, the piece is turned into a patch, computed there and turned back.
 */
#ifndef FAL_SOLVERS_PARTS_DEPTHWISE_RUN_H
#define FAL_SOLVERS_PARTS_DEPTHWISE_RUN_H

#include "base/checked.h"
#include "solvers/parts/reduction.h"

typedef struct fal__depthwise_state {
    const fal__compute *compute;
    fal__reduction reduction;
    int32_t lanes, tasks;
    bool turn_x, turn_y;                  /* channels are no neighbours */
    int64_t blocks, group, groups;        /* blocks, of a unit, units of them */
    int64_t strips, spans;                /* of channels, of rows, of columns */
    int64_t rows, columns;                /* outputs of a piece */
    int64_t x_rows, x_columns, y_planes;  /* of the patches: their most */
    size_t packed;                        /* bytes of the weights: block, tap, lane */
    size_t bias, x_patch, y_patch, bytes; /* scratch of a task */
} fal__depthwise_state;

/* Units of work of one execution. */
static inline int64_t fal__depthwise_units(const fal__problem *p, const fal__depthwise_state *s)
{
    return p->n * s->groups * p->axis[0].out * s->strips * s->spans;
}

/* Channels of a block: a vector's lanes, or what is left. */
static inline int32_t fal__depthwise_channels(const fal__problem *p, const fal__depthwise_state *s,
                                              int64_t block)
{
    return (int32_t)fal__min(s->lanes, p->groups - block * s->lanes);
}

/* The tasks; `packed` are the weights, `scratch` holds a piece of s->bytes for each. */
void fal__depthwise_run(const fal__run *run, const void *packed, char *scratch);

#endif
