/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * row_lists.h: which elements meet the outputs of one row, as lists of offsets.
 *
 * A row of outputs (n, od, oh, :) is cut into segments whose outputs have the same taps; the list of a
 * segment holds, for every product that exists, the offset of the input element and the number of the
 * reduction step. Taps on zero padding are not in the lists, so nothing is multiplied there:
 *
 *     k = 3, begin 1      | taps 1 2 | taps 0 1 2 ............ | taps 0 1 |
 *
 * A border mode that copies cells has them in the lists, one segment per border output. Offsets count
 * from the element under tap 0 of an unpadded row, so rows whose taps all lie inside share their lists.
 * Users: shifted_rows, shifted_channels.
 */
#ifndef FAL_SOLVERS_PARTS_ROW_LISTS_H
#define FAL_SOLVERS_PARTS_ROW_LISTS_H

#include "solvers/parts/reduction.h"

typedef struct fal__row_segment {
    int64_t first, end; /* outputs of the row */
    int64_t taps;       /* entries of its list */
} fal__row_segment;

/* One reduction step, taken apart once: its tap, and the offsets of its channel in x and of its weight
 * in w (output channel 0 of group 0, the problem's base included). */
typedef struct fal__row_step {
    int64_t tap[FAL_MAX_SPATIAL], x, w;
} fal__row_step;

/* Lists of one row; every segment has room for all reduction steps. */
typedef struct fal__row_lists {
    fal__row_segment *segments;
    int64_t count;
    int64_t *offsets;     /* of the input, in elements; segment i begins at i*steps */
    int64_t *steps;       /* reduction steps, likewise */
    fal__row_step *table; /* of all reduction steps; filled with the first lists */
    bool inside;          /* made for a row all of whose taps lie inside: they serve every such row */
    bool made; /* false at first; then the rows and planes all of whose taps lie inside are known */
    int64_t inside_first[2], inside_end[2];
} fal__row_lists;

/* Segments of a row at most. */
int64_t fal__row_segments(const fal__problem *problem);
/* False, with a reason, where lists cannot describe the problem or would be too large. */
bool fal__row_lists_apply(const fal__problem *problem, char *why, size_t capacity);
/* Makes the lists of row (od, oh), unless those at hand serve it; returns whether it made them. */
bool fal__row_lists_make(const fal__problem *problem, const fal__reduction *reduction, int64_t od, int64_t oh,
                         fal__row_lists *lists);

#endif
