/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise.h: a rectangle of outputs as the depthwise kernel sees it.
 *
 * The outputs of an image are cut into pieces of some rows and columns. This part turns a piece of the
 * problem into the axes of kernels/depthwise.h, whose columns know no dilation: of a row dilated by g, the
 * outputs fall into g classes that share no input, and each is a row of its own with steps g times as long.
 * A negative dilation is the same row, walked backwards.
 *
 *     g = 2    outputs  0 1 2 3 4 5    class 0: 0 2 4     class 1: 1 3 5
 *
 * Used by solvers/depthwise.c.
 */
#ifndef FAL_SOLVERS_PARTS_DEPTHWISE_H
#define FAL_SOLVERS_PARTS_DEPTHWISE_H

#include "kernels/depthwise.h"
#include "solvers/problem.h"

/* Outputs first..end-1 of an axis, and the positions low..high-1 of the input that their taps can reach. */
typedef struct fal__depthwise_span {
    int64_t first, end, low, high;
} fal__depthwise_span;

fal__depthwise_span fal__depthwise_reach(const fal__problem_axis *axis, int64_t first, int64_t end);

/* The dilation of the columns, at least 1: as many classes there are. */
int64_t fal__depthwise_classes(const fal__problem_axis *axis);

/* The axis without dilation or direction: for planes and rows. Positions count from span->low, x from
 * there on x_step apart. */
fal__depthwise_axis fal__depthwise_rows(const fal__problem_axis *axis, const fal__depthwise_span *span,
                                        int64_t x_step, int64_t y_step);

/* The columns of class `class` < classes; *x_offset and *y_offset are those of its first position, counted
 * from span->low, and of its first output, counted from span->first. */
fal__depthwise_axis fal__depthwise_columns(const fal__problem_axis *axis, const fal__depthwise_span *span,
                                           int64_t class, int64_t x_step, int64_t y_step, int64_t *x_offset,
                                           int64_t *y_offset);

/* Cycles that x and y take on their way through the caches, once: lines from L2 hide behind the arithmetic
 * for the greater part, those from behind it only where the arithmetic is much. For estimates. */
double fal__depthwise_traffic(const fal__problem *problem, size_t element);

#endif
