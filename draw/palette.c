/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * palette.c: counts colours and chooses the most frequent.
 */
#include "draw/palette.h"

static size_t bin_of(draw_rgb colour)
{
    enum { DROP = 8 - DRAW_BIN_BITS };
    return (size_t)colour.r >> DROP << 2 * DRAW_BIN_BITS | (size_t)colour.g >> DROP << DRAW_BIN_BITS |
           (size_t)colour.b >> DROP;
}

void draw_palette_count(draw_palette *palette, draw_rgb colour)
{
    draw_bin *bin = &palette->bins[bin_of(colour)];
    bin->count++;
    bin->r += colour.r;
    bin->g += colour.g;
    bin->b += colour.b;
}

static draw_rgb mean_of(const draw_bin *bin)
{
    const uint64_t half = bin->count / 2;
    return (draw_rgb){(uint8_t)((bin->r + half) / bin->count), (uint8_t)((bin->g + half) / bin->count),
                      (uint8_t)((bin->b + half) / bin->count)};
}

static int distance(draw_rgb a, draw_rgb b)
{
    const int r = a.r - b.r, g = a.g - b.g, c = a.b - b.b;
    return 3 * r * r + 6 * g * g + c * c; /* about what the eye weighs them with */
}

static uint8_t nearest(const draw_palette *palette, draw_rgb colour)
{
    int best = 0;
    for (int i = 1; i < palette->count; i++)
        if (distance(colour, palette->colours[i]) < distance(colour, palette->colours[best])) best = i;
    return (uint8_t)best;
}

void draw_palette_choose(draw_palette *palette)
{
    size_t chosen[DRAW_PALETTE]; /* falling count; of equals the first bin comes first */
    palette->count = 0;
    for (size_t bin = 0; bin < DRAW_BINS; bin++) {
        const uint64_t pixels = palette->bins[bin].count;
        int place = palette->count;
        if (pixels == 0) continue;
        while (place > 0 && palette->bins[chosen[place - 1]].count < pixels) place--;
        if (place == DRAW_PALETTE) continue;
        if (palette->count < DRAW_PALETTE) palette->count++;
        for (int i = palette->count - 1; i > place; i--) chosen[i] = chosen[i - 1];
        chosen[place] = bin;
    }
    for (int i = 0; i < palette->count; i++) palette->colours[i] = mean_of(&palette->bins[chosen[i]]);
    for (size_t bin = 0; bin < DRAW_BINS; bin++)
        if (palette->bins[bin].count > 0)
            palette->index[bin] = nearest(palette, mean_of(&palette->bins[bin]));
}

uint8_t draw_palette_index(const draw_palette *palette, draw_rgb colour)
{
    return palette->index[bin_of(colour)];
}
