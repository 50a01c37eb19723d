/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * theme.h: colours by the part that they play.
 *
 * A figure never names a colour, it names a role ("a cell of the kernel"), and the theme decides: light
 * and dark use the palette of Okabe and Ito, whose colours people with any kind of colour vision tell
 * apart; print uses greys of well separated lightness with a hatch for each role, for paper and for copying
 * machines. In every theme the roles differ in lightness too, but a figure must not rest its meaning on
 * that: labels, hatches and dashes carry it.
 */
#ifndef DRAW_THEME_H
#define DRAW_THEME_H

#include <stdint.h>

typedef enum draw_theme { DRAW_LIGHT = 0, DRAW_DARK = 1, DRAW_PRINT = 2, DRAW_THEMES = 3 } draw_theme;

typedef enum draw_role {
    DRAW_NOTHING = 0, /* not painted: a zeroed style draws nothing */
    DRAW_PAPER,       /* what the figure lies on; also the inside of empty cells */
    DRAW_INK,         /* text, axes */
    DRAW_FAINT,       /* text and lines of lesser weight: indices, captions' small print */
    DRAW_BORDER,      /* outlines of cells */
    DRAW_INPUT,
    DRAW_KERNEL,
    DRAW_OUTPUT,
    DRAW_GHOST,  /* padding: a cell that is not there, or that repeats another */
    DRAW_ZERO,   /* a zero that was stuffed between inputs, or an empty entry of a matrix */
    DRAW_ACCENT, /* what this step is about */
    DRAW_GROUP,  /* group g of a grouped convolution is DRAW_GROUP + g % DRAW_GROUPS */
    DRAW_GROUP_LAST = DRAW_GROUP + 7,
    DRAW_HEAT,      /* level 0..1: low to high */
    DRAW_DIVERGING, /* level -1..1: negative to positive, paper at 0 */
    DRAW_ROLES
} draw_role;
enum { DRAW_GROUPS = DRAW_GROUP_LAST - DRAW_GROUP + 1 };

/* Lines over a fill, at 45 degrees or along the axes, so that roles can be told without colour. */
typedef enum draw_hatch {
    DRAW_HATCH_ROLE = 0, /* what the theme gives the fill's role: none, but for print */
    DRAW_HATCH_NONE,
    DRAW_HATCH_RISING,  /* //// */
    DRAW_HATCH_FALLING, /* \\\\ */
    DRAW_HATCH_CROSSED, /* both */
    DRAW_HATCH_LEVEL,   /* ---- */
    DRAW_HATCH_UPRIGHT, /* |||| */
    DRAW_HATCH_GRID,    /* both */
    DRAW_HATCH_DOTS,
    DRAW_HATCHES
} draw_hatch;

/* A role and how much of it. For DRAW_HEAT and DRAW_DIVERGING `level` is the place on the scale; for the
 * others the share of the role's colour in a mix with paper, where 0 means 1, the colour itself. */
typedef struct draw_paint {
    draw_role role;
    float level;
} draw_paint;

#define DRAW_PAINT(role)       ((draw_paint){(draw_role)(role), 0})
#define DRAW_TINT(role, level) ((draw_paint){(draw_role)(role), (float)(level)})

typedef struct draw_rgb {
    uint8_t r, g, b;
} draw_rgb;

/* The colour of a paint; black for DRAW_NOTHING. */
draw_rgb draw_theme_rgb(draw_theme theme, draw_paint paint);
/* The hatch that the theme gives a fill. */
draw_hatch draw_theme_hatch(draw_theme theme, draw_paint fill);
/* Ink or paper, whichever is easier to read on that fill. */
draw_paint draw_theme_text_on(draw_theme theme, draw_paint fill);
/* WCAG 2 contrast of two colours, 1..21. */
double draw_rgb_contrast(draw_rgb a, draw_rgb b);

#endif
