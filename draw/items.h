/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * items.h: what a figure is made of, for the back ends. Views use figure.h.
 *
 * Points and characters of all items lie in two arrays, so an item is a fixed size and a figure is four
 * blocks of memory. Defaults are already filled in: a style's width, opacity and hatch, a text's size and
 * paint are what is to be drawn.
 */
#ifndef DRAW_ITEMS_H
#define DRAW_ITEMS_H

#include "draw/figure.h"

typedef enum draw_kind {
    DRAW_ITEM_RECT,     /* points: corner, {width, height} */
    DRAW_ITEM_CIRCLE,   /* points: centre; style.radius */
    DRAW_ITEM_POLYLINE, /* points: two or more */
    DRAW_ITEM_POLYGON,  /* points: two or more */
    DRAW_ITEM_CURVE,    /* points: four */
    DRAW_ITEM_TEXT,     /* points: where it is anchored */
    DRAW_ITEM_BEGIN,    /* points: none, or corner and {width, height} of the clip; text: the name or "" */
    DRAW_ITEM_END
} draw_kind;

typedef struct draw_item {
    draw_kind kind;
    size_t first, count; /* points */
    size_t text;         /* where it starts in the characters; ends with a 0 */
    draw_style style;    /* of shapes; opacity also of groups */
    draw_text_style letters;
} draw_item;

struct draw_figure {
    draw_theme theme;
    fal_status status;
    int depth;     /* groups that are open */
    bool has_view; /* view was set */
    draw_box view;
    draw_item *items;
    size_t item_count, item_capacity;
    draw_point *points;
    size_t point_count, point_capacity;
    char *characters;
    size_t character_count, character_capacity;
    char *title, *description; /* NULL: none */
};

typedef struct draw_frame {
    draw_figure *figure;
    double seconds;
} draw_frame;

struct draw_animation {
    fal_status status;
    draw_figure *background;
    draw_frame *frames;
    size_t count, capacity, still;
    draw_figure swallower; /* what a frame that could not be made is */
};

/* Makes room for `needed` elements of `size` bytes; false without memory, and nothing has changed. */
bool draw_grow(void **memory, size_t *capacity, size_t needed, size_t size);

/* Lengths of a dash and of the gap behind it; returns how much of the first dash is left out. */
double draw_dashes(const draw_style *style, double lengths[2]);
/* Does the fill stand for a number? Such cells touch each other and have sharp edges, so that no seams are
 * seen between them. */
bool draw_on_a_scale(draw_paint paint);

/* Where text begins and how far it reaches: the box of its letters, turned or not. */
draw_box draw_text_box(draw_point at, const draw_text_style *style, const char *text);
/* The start of the foot line of a text anchored at `at`. */
draw_point draw_text_origin(draw_point at, const draw_text_style *style, const char *text);

/* The three corners of an arrow head whose tip is `tip` and that points away from `from`. */
enum { DRAW_HEAD = 3 };
void draw_arrow_head(draw_point from, draw_point tip, double width, draw_point corners[DRAW_HEAD]);
/* Where the line itself must end, so that it does not show beyond the head's tip. */
draw_point draw_arrow_neck(draw_point from, draw_point tip, double width);

#endif
