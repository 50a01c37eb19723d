/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg.h: what stills and animations in SVG share.
 */
#ifndef DRAW_SVG_H
#define DRAW_SVG_H

#include "draw/bytes.h"
#include "draw/items.h"

typedef struct draw_svg {
    draw_bytes *out;
    draw_theme theme;
    const char *prefix; /* of ids */
    bool controls;      /* there are links */
    int clips;          /* ids that were given away */
    unsigned hatches;   /* bit h: the pattern of hatch h has been written */
    draw_bytes looks;   /* of all classes, one after another, each ending in a 0 */
    int count;          /* of them */
    draw_bytes scratch; /* the look of one item */
} draw_svg;

/* svg_look.c: collect the looks of every figure, write them into the style sheet, name an item's class. */
void draw_svg_collect(draw_svg *svg, const draw_figure *figure);
void draw_svg_sheet(draw_svg *svg);
void draw_svg_class(draw_svg *svg, const draw_item *item);
/* Releases what was collected; lack of memory for it becomes that of the output. */
void draw_svg_close(draw_svg *svg);

/* The head: size, title, description; then the paper. `view` is the part of the plane that is shown. */
void draw_svg_head(draw_svg *svg, const draw_figure *figure, draw_box view, const draw_output *options);
void draw_svg_paper(draw_svg *svg, draw_box view, const draw_output *options);
/* Patterns of the hatches that a figure needs and that have not been written. */
void draw_svg_hatches(draw_svg *svg, const draw_figure *figure);
void draw_svg_items(draw_svg *svg, const draw_figure *figure);
/* ` name="number"` */
void draw_svg_attribute(draw_svg *svg, const char *name, double number);

void draw_svg_still(const draw_figure *below, const draw_figure *above, const draw_output *options,
                    draw_bytes *bytes);
void draw_svg_moving(const draw_animation *animation, const draw_output *options, draw_bytes *bytes);

#endif
