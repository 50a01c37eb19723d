/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text.h: how wide text is, and the shapes of its letters.
 *
 * The letters are part of the program (glyphs_*.inc, outlines of DejaVu Sans and DejaVu Sans Mono): so a
 * figure is laid out the same for every back end and looks the same on every machine, with or without
 * fonts. A character that is not in the table is a box.
 */
#ifndef DRAW_TEXT_H
#define DRAW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draw/theme.h"

typedef enum draw_face { DRAW_SANS = 0, DRAW_SANS_BOLD = 1, DRAW_MONO = 2, DRAW_FACES = 3 } draw_face;
typedef enum draw_anchor { DRAW_START = 0, DRAW_MIDDLE = 1, DRAW_END = 2 } draw_anchor;

typedef struct draw_text_style {
    double size;    /* of the font, in figure units; 0: DRAW_TEXT_SIZE */
    draw_face face; /* bold there is for the sans face only */
    draw_anchor anchor;
    bool centred;     /* y is the middle of the capitals and digits instead of their foot */
    bool turned;      /* reads upwards; x and y change their parts */
    draw_paint paint; /* 0: DRAW_INK */
    draw_paint halo;  /* an edge around the letters that keeps a hatch or a line away; 0: none */
} draw_text_style;

#define DRAW_TEXT_SIZE 12.0
/* Heights above and below the foot of the letters, as a share of the size. */
#define DRAW_CAPITAL 0.729 /* capitals and digits */
#define DRAW_ASCENT  0.78  /* the highest letter or bracket */
#define DRAW_DESCENT 0.24  /* the lowest */

#define DRAW_HALO 0.3 /* width of the halo, as a share of the size */

/* Width of UTF-8 text in figure units. `style` may be NULL. */
double draw_text_width(const draw_text_style *style, const char *text);

/* One letter on a grid of DRAW_EM units to the em, y upwards from the foot. `outline` is "M x y", "L x y",
 * "Q x y x y" (a control point, an end point) and "Z" in that spelling. */
enum { DRAW_EM = 1024 };
typedef struct draw_glyph {
    uint32_t code; /* Unicode */
    int advance;
    const char *outline;
} draw_glyph;

const draw_glyph *draw_glyph_find(draw_face face, uint32_t code); /* never NULL */

/* Reads one character of UTF-8 and moves on; 0 at the end; U+FFFD for each byte that is not UTF-8. */
uint32_t draw_utf8_next(const char **text);

#endif
