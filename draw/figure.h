/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * figure.h: what views draw into and back ends draw from: a list of rectangles, lines and texts.
 *
 * Units are points (1/72 inch), x to the right, y down. Items lie over those added before. Colours are
 * roles (theme.h), text is measured the same everywhere (text.h), so nothing depends on the back end.
 *
 *     draw_figure *figure = draw_figure_create(DRAW_LIGHT);      // NULL only without memory
 *     draw_rect(figure, (draw_box){0, 0, 30, 30}, &(draw_style){.fill = DRAW_PAINT(DRAW_INPUT)});
 *     draw_text(figure, 15, 15, &(draw_text_style){.anchor = DRAW_MIDDLE, .centred = true}, "7");
 *     draw_figure_describe(figure, "One cell", "A cell of the input that holds 7.");
 *     draw_figure_fit(figure, DRAW_MARGIN);
 *     fal_status status = draw_figure_status(figure);
 *     draw_figure_free(figure);
 *
 * Adding cannot fail where it stands: a figure that ran out of memory, or was given a number that is not
 * finite, remembers that, ignores what comes after, and draw_figure_status() tells. No function prints; none
 * keeps state outside the figure.
 */
#ifndef DRAW_FIGURE_H
#define DRAW_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "draw/text.h"
#include "draw/theme.h"
#include "faltung.h"

#if defined(__GNUC__)
#define DRAW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define DRAW_PRINTF(f, a)
#endif

typedef struct draw_point {
    double x, y;
} draw_point;

typedef struct draw_box {
    double x, y, width, height;
} draw_box;

typedef enum draw_dash { DRAW_SOLID = 0, DRAW_DASHED = 1, DRAW_DOTTED = 2 } draw_dash;

/* How a shape looks. A zeroed style is invisible; a fill alone, a stroke alone, or both. */
typedef struct draw_style {
    draw_paint fill;
    draw_hatch hatch;  /* over the fill; 0: what the theme gives the fill's role */
    draw_paint stroke; /* drawn along the middle of the outline */
    double width;      /* of the stroke; 0: DRAW_LINE_WIDTH */
    draw_dash dash;
    double dash_side; /* 0, or the side of a square: each of its sides begins and ends in half a dash, so that
                         neighbours' dashes lie on each other (set by draw_rect) */
    double radius;    /* of a rectangle's corners */
    double opacity;   /* 0: 1, opaque */
    bool arrow_head;  /* a line, polyline or curve ends in an arrow head */
    bool arrow_tail;  /* and begins in one */
} draw_style;

#define DRAW_LINE_WIDTH 1.0
#define DRAW_MARGIN     12.0 /* around a figure */
#define DRAW_CELL       30.0 /* side of a grid's cell that holds a number */
#define DRAW_GAP        24.0 /* between the parts of a figure */

typedef struct draw_figure draw_figure;

draw_figure *draw_figure_create(draw_theme theme);
void draw_figure_free(draw_figure *figure); /* accepts NULL */
draw_theme draw_figure_theme(const draw_figure *figure);
/* FAL_OK, FAL_E_NOMEM, or FAL_E_VALUE for a coordinate that is not finite; FAL_E_NOMEM for NULL. */
fal_status draw_figure_status(const draw_figure *figure);

/* ---- Shapes ----------------------------------------------------------------------------------- */

void draw_rect(draw_figure *figure, draw_box box, const draw_style *style);
void draw_circle(draw_figure *figure, draw_point centre, double radius, const draw_style *style);
void draw_line(draw_figure *figure, draw_point from, draw_point to, const draw_style *style);
void draw_polyline(draw_figure *figure, const draw_point *points, size_t count, const draw_style *style);
void draw_polygon(draw_figure *figure, const draw_point *points, size_t count, const draw_style *style);
/* A cubic Bezier curve: where it starts, two control points, where it ends. */
void draw_curve(draw_figure *figure, const draw_point points[4], const draw_style *style);

/* ---- Text ------------------------------------------------------------------------------------- */

/* UTF-8, one line, copied. `style` may be NULL: sans, DRAW_TEXT_SIZE, ink, starting at (x, y). */
void draw_text(draw_figure *figure, double x, double y, const draw_text_style *style, const char *text);
void draw_textf(draw_figure *figure, double x, double y, const draw_text_style *style, const char *format,
                ...) DRAW_PRINTF(5, 6);
/* Lines filled with words up to `width`, `size * 1.35` apart; "\n" ends a line. Returns the y of the line
 * that would come next. */
double draw_paragraph(draw_figure *figure, draw_point at, double width, const draw_text_style *style,
                      const char *text);

/* ---- Groups ----------------------------------------------------------------------------------- */

/* Items until the matching end are one: they are faded together (opacity 0..1; 1 for none) and, when `clip`
 * is not NULL, cut at its edges. `name` (may be NULL) is what a screen reader or a style sheet calls it.
 * Groups nest up to DRAW_DEPTH; a group left open is closed with the figure. */
enum { DRAW_DEPTH = 16 };
void draw_group_begin(draw_figure *figure, double opacity, const draw_box *clip, const char *name);
void draw_group_end(draw_figure *figure);

/* ---- The whole -------------------------------------------------------------------------------- */

/* What is shown: the title (short) and the description (a sentence or more) for those who do not see it. */
void draw_figure_describe(draw_figure *figure, const char *title, const char *description);
/* The smallest box around every item, strokes, heads and letters included; empty when there is none. */
draw_box draw_figure_bounds(const draw_figure *figure);
/* The part of the plane that is shown. Until it is set: the bounds with DRAW_MARGIN around them. */
void draw_figure_view(draw_figure *figure, draw_box view);
void draw_figure_fit(draw_figure *figure, double margin);
draw_box draw_figure_viewed(const draw_figure *figure);

/* ---- Animations ------------------------------------------------------------------------------- */

/* A background that stays, and frames of which each lies over it for its time.
 *
 *     draw_animation *animation = draw_animation_create(DRAW_LIGHT);
 *     draw_rect(draw_animation_background(animation), ...);
 *     for (...) draw_rect(draw_animation_frame(animation, 1.0), ...);
 *     draw_animation_still(animation, 4);        // the frame that a still shows; default 0
 *     draw_animation_fit(animation, DRAW_MARGIN);
 *     fal_status status = draw_animation_status(animation);
 *
 * A frame stays where it is until the animation is freed. A still figure is an animation without frames.
 * The title and description are the background's; a frame's own title says what that step is. */
typedef struct draw_animation draw_animation;

draw_animation *draw_animation_create(draw_theme theme);
void draw_animation_free(draw_animation *animation); /* accepts NULL */
draw_figure *draw_animation_background(draw_animation *animation);
/* Appends a frame; without memory one that swallows everything, and the animation remembers. */
draw_figure *draw_animation_frame(draw_animation *animation, double seconds);
void draw_animation_still(draw_animation *animation, size_t frame);
/* Shows the box around all frames, so that nothing moves and nothing is cut. */
void draw_animation_fit(draw_animation *animation, double margin);
fal_status draw_animation_status(const draw_animation *animation);
size_t draw_animation_count(const draw_animation *animation);

#endif
