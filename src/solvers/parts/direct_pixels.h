/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels.h: the planned state of direct convolution with pixels in the lanes, shared by its planning,
 * its copies of x, its packing and its loops (solvers/direct_pixels.c, parts/direct_pixels_*.c).
 *
 * A block is a rectangle of outputs of one plane. For it and a range of input channels, x is copied once, so
 * that the outputs lie as one long row in the lanes and every tap is that row at another offset:
 *
 *     copy     [channel][plane of a tap][column copy][line][column]       pitch = columns of a line
 *
 * Taps that are a multiple of the stride apart read the same lines, others have lines of their own; where
 * taps lie farther apart than the block is high, each has its own. With columns there is a choice: shared,
 * the pitch is as much longer than the block is wide, and what is computed there is dropped; or each tap has
 * its own columns, and no lane is lost:
 *
 *     shared       | - a b c d - |                 tap 0 begins at -, tap 1 at a, tap 2 at b
 *     own          | - a b c | a b c d | b c d - |
 *
 * The copy holds zeros where padding is. A tap that no output of the block meets is left out; where blocks
 * are cut to end where the taps change, nothing is multiplied on padding at all.
 */
#ifndef FAL_SOLVERS_PARTS_DIRECT_PIXELS_H
#define FAL_SOLVERS_PARTS_DIRECT_PIXELS_H

#include "solvers/parts/reduction.h"

enum { FAL__DP_TAPS_MAX = 128 /* along an axis */, FAL__DP_HEADER = 64 /* bytes before packed weights */ };

/* How the outputs of an axis are cut into blocks, and the input copied for them. */
typedef struct fal__dp_axis {
    bool cut;      /* blocks end where the taps change */
    bool own;      /* every tap has its own lines */
    int64_t block; /* outputs of a block at most */
} fal__dp_axis;

typedef struct fal__direct_pixels {
    fal__problem problem; /* with plain axes joined */
    const fal__compute *compute;
    const fal__lane_kernels *kernels;
    fal__reduction reduction;
    bool in_place; /* whole vectors are read from x itself */
    fal__dp_axis axis[FAL_MAX_SPATIAL];
    int64_t k_channels, k_blocks;        /* input channels of a block of k */
    int64_t panels;                      /* of output channels: widths differ by one at most */
    int64_t panel_width, wider_panels;   /* the first few are one wider */
    int64_t split_panels, splits;        /* panels whose sums are kept at a time */
    int64_t blocks[FAL_MAX_SPATIAL];     /* along each axis */
    int64_t run_count, copy_size, lanes; /* of a block at most; the copy in elements */
    int32_t tasks;
    size_t walk, copy, sums, bias, runs, pieces, bytes; /* scratch of a task */
    size_t packed_bytes;
} fal__direct_pixels;

/* The beginning of packed weights: [group][block of k][panel][step][output channel]. */
typedef struct fal__dp_packed {
    int64_t finite;
} fal__dp_packed;

/* The first output channel of a panel. */
static inline int64_t fal__dp_panel(const fal__direct_pixels *s, int64_t panel)
{
    return panel * s->panel_width + (panel < s->wider_panels ? panel : s->wider_panels);
}

/* Outputs first..end-1 of an axis, the taps they meet, and the input lines for them. Class c holds the input
 * lines at[c] + j*s for j < count[c]; tap i reads from line shift[i] of class of[i] on. */
typedef struct fal__dp_stretch {
    int64_t first, end, taps, classes;
    int64_t tap[FAL__DP_TAPS_MAX], of[FAL__DP_TAPS_MAX], shift[FAL__DP_TAPS_MAX];
    int64_t at[FAL__DP_TAPS_MAX], count[FAL__DP_TAPS_MAX];
} fal__dp_stretch;

/* Gives the taps of a stretch their lines. */
void fal__dp_find_lines(const fal__problem_axis *axis, bool own, fal__dp_stretch *stretch);
/* The stretch of at most `block` outputs that begins at `first`. */
void fal__dp_stretch_at(const fal__problem *problem, int a, const fal__dp_axis *how, int64_t first,
                        fal__dp_stretch *stretch);

/* Stretches alike: their outputs, taps, classes; the lines of all classes, and of the longest. */
typedef struct fal__dp_kind {
    int64_t outputs, taps, classes, lines, pitch, many;
} fal__dp_kind;

enum { FAL__DP_KINDS_MAX = 12 };
typedef struct fal__dp_kinds {
    int32_t count;
    fal__dp_kind item[FAL__DP_KINDS_MAX]; /* too many are counted as alike */
    fal__dp_kind most;                    /* of any stretch, number by number */
} fal__dp_kinds;

/* All stretches of an axis. */
void fal__dp_find_kinds(const fal__problem *problem, int a, const fal__dp_axis *how, fal__dp_kinds *kinds);
/* One of `outputs` outputs that meets all taps. */
fal__dp_kind fal__dp_inner_kind(const fal__problem_axis *axis, bool own, int64_t outputs);

/* A block and the layout of its copy, in elements. */
typedef struct fal__dp_block {
    fal__dp_stretch axis[FAL_MAX_SPATIAL];
    int64_t pitch, row_class[FAL__DP_TAPS_MAX]; /* elements of a line; where the lines of a class begin */
    int64_t column_step, plane_step, channel;   /* between copies */
    int64_t lanes;                              /* from the first output to the last */
} fal__dp_block;

void fal__dp_block_layout(fal__dp_block *block, int64_t lanes);
/* Copies `channels` channels; x points at the first, in the block's image and group. */
void fal__dp_copy(const fal__direct_pixels *s, const fal__dp_block *block, const char *x, int64_t channels,
                  char *to);

/* Plans everything but the scratch and predicts the cycles; false, with a reason, when it does not apply.
 * Without `cycles` it is enough to know whether there is a plan. */
bool fal__dp_plan(const fal__problem *problem, const fal__machine *machine, fal__direct_pixels *s,
                  double *cycles, char *why, size_t capacity);

/* Blocks along an axis; with `cut` as if it were planned so. */
int64_t fal__dp_blocks(const fal__direct_pixels *s, int a, bool cut);

/* Books the scratch of a task; false when it overflows. */
bool fal__dp_book(fal__direct_pixels *s);
/* Units `task` of s->tasks. */
void fal__dp_run_task(const fal__direct_pixels *s, const fal__run *run, const char *packed, char *scratch,
                      int32_t task);

#endif
