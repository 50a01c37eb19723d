/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable.h: the planned state of kernels that are products of columns and rows, shared by
 * solvers/separable.c and its loops, separable_run.c.
 */
#ifndef FAL_SOLVERS_PARTS_SEPARABLE_H
#define FAL_SOLVERS_PARTS_SEPARABLE_H

#include "solvers/solver.h"

typedef struct fal__separable {
    const fal__compute *compute;
    int64_t strip;    /* outputs of a strip, along axis 2 */
    int64_t together; /* channels that are neighbours, if they share their kernel; else 1 */
    int32_t tasks;
    int64_t window, ring_step;              /* places of the ring, elements from one to the next */
    size_t kernel;                          /* bytes of a packed kernel */
    size_t line, ring, held, offsets, taps; /* of a task's scratch: see walk */
    size_t bytes;
} fal__separable;

/* Packed, for each group: this, and a cache line further the terms, a column and a row each. */
typedef struct fal__separable_kernel {
    int64_t terms;
    int64_t by_rows; /* one term for each row, without its column */
    int64_t alike;   /* of the first: all groups have the same terms */
    int64_t unused;
} fal__separable_kernel;

/* Cells of a line under the windows of so many outputs. */
static inline int64_t fal__separable_reach(const fal__problem *problem, int64_t outputs)
{
    const fal__problem_axis *a = &problem->axis[2];
    const int64_t d = a->d < 0 ? -a->d : a->d;
    return (outputs - 1) * a->s + (a->k - 1) * d + 1;
}

/* What the tasks of one execution share. */
typedef struct fal__separable_job {
    const fal__run *run;
    const char *packed;
    char *scratch;
} fal__separable_job;

/* Task number `index` of those planned; argument is the job. */
void fal__separable_task(void *argument, int32_t index);

#endif
