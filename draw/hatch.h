/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hatch.h: the lines of hatches, on a grid that is fixed to the figure, so that neighbouring cells join and
 * every back end draws the same lines.
 */
#ifndef DRAW_HATCH_H
#define DRAW_HATCH_H

#include "draw/theme.h"

#define DRAW_HATCH_PERIOD  6.0 /* a tile is a square of this side with a corner at the origin */
#define DRAW_HATCH_WIDTH   0.7 /* of a line */
#define DRAW_HATCH_DOT     0.9 /* radius of a dot, which lies in the middle of a tile */
#define DRAW_HATCH_OPACITY 0.45

/* What a hatch is made of. Diagonals pass through the corners of the tiles, the others through their
 * middles. */
typedef struct draw_hatch_lines {
    int rising, falling, level, upright, dots; /* 0 or 1 */
} draw_hatch_lines;

static inline draw_hatch_lines draw_hatch_of(draw_hatch hatch)
{
    return (draw_hatch_lines){
        .rising = hatch == DRAW_HATCH_RISING || hatch == DRAW_HATCH_CROSSED,
        .falling = hatch == DRAW_HATCH_FALLING || hatch == DRAW_HATCH_CROSSED,
        .level = hatch == DRAW_HATCH_LEVEL || hatch == DRAW_HATCH_GRID,
        .upright = hatch == DRAW_HATCH_UPRIGHT || hatch == DRAW_HATCH_GRID,
        .dots = hatch == DRAW_HATCH_DOTS,
    };
}

#endif
