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

/* The lists of one row; every segment has room for all reduction steps. */
typedef struct fal__row_list {
    fal__row_segment *segments;
    int64_t count;
    int64_t *offsets; /* of the input, in elements; segment i begins at i*steps */
    int64_t *steps;   /* reduction steps, likewise */
    int64_t od, oh;   /* the border row it was made for; -1 when it is not made */
} fal__row_list;

enum { FAL__ROW_SLOTS = 8 };

/* The lists a task keeps: slot 0 serves every row whose taps all lie inside, the others one border row
 * each, for as long as no other needs the slot. Planes repeat their border rows, so that lists are made
 * once and not once a plane. */
typedef struct fal__row_lists {
    int64_t inside_first[2], inside_end[2]; /* planes and rows all of whose taps lie inside */
    fal__row_step *table;                   /* of all reduction steps */
    int32_t slots;
    fal__row_list slot[FAL__ROW_SLOTS];
} fal__row_lists;

/* Byte offsets of the lists in a task's scratch, and how many there are. */
typedef struct fal__row_lists_plan {
    int32_t slots;
    int64_t segments, entries; /* of one slot */
    size_t segment_bytes, offset_bytes, step_bytes, table_bytes;
} fal__row_lists_plan;

/* False, with a reason, where lists cannot describe the problem or would be too large. */
bool fal__row_lists_apply(const fal__problem *problem, char *why, size_t capacity);
/* Segments of a row at most. */
int64_t fal__row_segments(const fal__problem *problem);
/* Books the lists in a scratch of *bytes; false when it overflows. */
bool fal__row_lists_book(const fal__problem *problem, const fal__reduction *reduction,
                         fal__row_lists_plan *plan, size_t *bytes);
/* Empty lists in a task's scratch. */
void fal__row_lists_begin(const fal__problem *problem, const fal__reduction *reduction,
                          const fal__row_lists_plan *plan, char *scratch, fal__row_lists *lists);
/* The slot that serves row (od, oh); *made tells whether its lists were made anew. */
int32_t fal__row_lists_find(const fal__problem *problem, const fal__reduction *reduction, int64_t od,
                            int64_t oh, fal__row_lists *lists, bool *made);

#endif
