/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * palette.h: the colours of a GIF, which may have 256.
 *
 * A figure has a few flat colours and, along edges and letters, their mixtures. The most frequent colours are
 * taken as they are, so flat areas stay exact; what is left takes the nearest of them.
 */
#ifndef DRAW_PALETTE_H
#define DRAW_PALETTE_H

#include <stddef.h>
#include <stdint.h>

#include "draw/theme.h"

enum {
    DRAW_PALETTE = 255, /* colours, besides the one that means transparent */
    DRAW_BIN_BITS = 6,  /* of each part that tell colours apart */
    DRAW_BINS = 1 << 3 * DRAW_BIN_BITS
};

typedef struct draw_bin {
    uint64_t count, r, g, b; /* pixels and the sums of their parts */
} draw_bin;

typedef struct draw_palette {
    draw_bin bins[DRAW_BINS];
    uint8_t index[DRAW_BINS]; /* of the colour that stands for a bin */
    draw_rgb colours[DRAW_PALETTE];
    int count;
} draw_palette;

/* Zeroed memory to begin with; 8 MiB, so it is not for the stack. */
void draw_palette_count(draw_palette *palette, draw_rgb colour);
void draw_palette_choose(draw_palette *palette);
uint8_t draw_palette_index(const draw_palette *palette, draw_rgb colour);

#endif
