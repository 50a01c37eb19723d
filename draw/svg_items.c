/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_items.c: the items of a figure as elements.
 *
 * What an item looks like is a class (svg_look.c). Text keeps its measured length (textLength) whatever font
 * the viewer has.
 */
#include <string.h>

#include "draw/hatch.h"
#include "draw/svg.h"

void draw_svg_attribute(draw_svg *svg, const char *name, double number)
{
    DRAW_TEXTS(svg->out, " ", name, "=\"");
    draw_bytes_number(svg->out, number);
    draw_bytes_text(svg->out, "\"");
}

static void paint(draw_svg *svg, const char *name, draw_paint colour)
{
    DRAW_TEXTS(svg->out, " ", name, "=\"");
    draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, colour));
    draw_bytes_text(svg->out, "\"");
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static void path_point(draw_svg *svg, const char *letter, draw_point point)
{
    draw_bytes_text(svg->out, letter);
    draw_bytes_number(svg->out, point.x);
    draw_bytes_text(svg->out, " ");
    draw_bytes_number(svg->out, point.y);
}

/* The ends of a line step back under its arrow heads. */
static draw_point path_end(const draw_item *item, const draw_point *points, size_t i)
{
    const size_t last = item->count - 1;
    if (i == 0 && item->style.arrow_tail) return draw_arrow_neck(points[1], points[0], item->style.width);
    if (i == last && item->style.arrow_head)
        return draw_arrow_neck(points[last - 1], points[last], item->style.width);
    return points[i];
}

static void path(draw_svg *svg, const draw_item *item, const draw_point *points)
{
    static const char *const letters[] = {"M", "C", " ", " "};
    draw_bytes_text(svg->out, "<path d=\"");
    for (size_t i = 0; i < item->count; i++) {
        const bool closed = item->kind == DRAW_ITEM_POLYGON, curved = item->kind == DRAW_ITEM_CURVE;
        path_point(svg,
                   curved   ? letters[i]
                   : i == 0 ? "M"
                            : "L",
                   closed ? points[i] : path_end(item, points, i));
    }
    draw_bytes_text(svg->out, item->kind == DRAW_ITEM_POLYGON ? "Z\"" : "\"");
}

static void shape(draw_svg *svg, const draw_item *item, const draw_point *points)
{
    if (item->kind == DRAW_ITEM_RECT) {
        draw_bytes_text(svg->out, "<rect");
        draw_svg_attribute(svg, "x", points[0].x);
        draw_svg_attribute(svg, "y", points[0].y);
        draw_svg_attribute(svg, "width", points[1].x);
        draw_svg_attribute(svg, "height", points[1].y);
        if (item->style.radius > 0) draw_svg_attribute(svg, "rx", item->style.radius);
    } else if (item->kind == DRAW_ITEM_CIRCLE) {
        draw_bytes_text(svg->out, "<circle");
        draw_svg_attribute(svg, "cx", points[0].x);
        draw_svg_attribute(svg, "cy", points[0].y);
        draw_svg_attribute(svg, "r", item->style.radius);
    } else {
        path(svg, item, points);
    }
}

static void head(draw_svg *svg, const draw_item *item, draw_point from, draw_point tip)
{
    draw_point corners[DRAW_HEAD];
    draw_arrow_head(from, tip, item->style.width, corners);
    draw_bytes_text(svg->out, "<path d=\"");
    for (int i = 0; i < DRAW_HEAD; i++) path_point(svg, i == 0 ? "M" : "L", corners[i]);
    draw_bytes_text(svg->out, "Z\"");
    paint(svg, "fill", item->style.stroke);
    if (item->style.opacity < 1) draw_svg_attribute(svg, "fill-opacity", item->style.opacity);
    draw_bytes_text(svg->out, "/>\n");
}

static void add_shape(draw_svg *svg, const draw_item *item, const draw_point *points)
{
    static const char digits[] = "0123456789";
    const bool open = item->kind == DRAW_ITEM_POLYLINE || item->kind == DRAW_ITEM_CURVE;
    const size_t last = item->count - 1;
    shape(svg, item, points);
    draw_svg_class(svg, item);
    draw_bytes_text(svg->out, "/>\n");
    if (item->style.hatch > DRAW_HATCH_NONE && item->style.fill.role != DRAW_NOTHING) {
        shape(svg, item, points);
        DRAW_TEXTS(svg->out, " fill=\"url(#", svg->prefix, "h");
        draw_bytes_add(svg->out, &digits[item->style.hatch], 1);
        draw_bytes_text(svg->out, ")\"/>\n");
    }
    if (open && item->style.arrow_tail) head(svg, item, points[1], points[0]);
    if (open && item->style.arrow_head) head(svg, item, points[last - 1], points[last]);
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* A short text is centred well enough by its anchor; a long one is given its length. */
static bool is_long(const char *text)
{
    int letters = 0;
    while (letters < 4 && draw_utf8_next(&text) != 0) letters++;
    return letters == 4;
}

static void add_text(draw_svg *svg, const draw_item *item, draw_point at, const char *text)
{
    const draw_text_style *letters = &item->letters;
    const double down = letters->centred ? DRAW_CAPITAL / 2 * letters->size : 0;
    if (letters->turned)
        at.x += down;
    else
        at.y += down;
    draw_bytes_text(svg->out, "<text");
    draw_svg_attribute(svg, "x", at.x);
    draw_svg_attribute(svg, "y", at.y);
    if (letters->turned) {
        path_point(svg, " transform=\"rotate(-90 ", at);
        draw_bytes_text(svg->out, ")\"");
    }
    draw_svg_class(svg, item);
    if (is_long(text)) {
        draw_svg_attribute(svg, "textLength", draw_text_width(letters, text));
        draw_bytes_text(svg->out, " lengthAdjust=\"spacingAndGlyphs\"");
    }
    if (text[0] == ' ' || strstr(text, "  ") != NULL) draw_bytes_text(svg->out, " xml:space=\"preserve\"");
    draw_bytes_text(svg->out, ">");
    draw_bytes_xml(svg->out, text);
    draw_bytes_text(svg->out, "</text>\n");
}

/* ---- Groups ---------------------------------------------------------------------------------- */

static void add_group(draw_svg *svg, const draw_item *item, const draw_point *points, const char *name)
{
    if (item->count == 2) {
        svg->clips++;
        DRAW_TEXTS(svg->out, "<clipPath id=\"", svg->prefix, "c");
        draw_bytes_number(svg->out, svg->clips);
        draw_bytes_text(svg->out, "\"><rect");
        draw_svg_attribute(svg, "x", points[0].x);
        draw_svg_attribute(svg, "y", points[0].y);
        draw_svg_attribute(svg, "width", points[1].x);
        draw_svg_attribute(svg, "height", points[1].y);
        draw_bytes_text(svg->out, "/></clipPath>\n");
    }
    draw_bytes_text(svg->out, "<g");
    if (name[0] != '\0') {
        draw_bytes_text(svg->out, " aria-label=\"");
        draw_bytes_xml(svg->out, name);
        draw_bytes_text(svg->out, "\"");
    }
    if (item->style.opacity < 1) draw_svg_attribute(svg, "opacity", item->style.opacity);
    if (item->count == 2) {
        DRAW_TEXTS(svg->out, " clip-path=\"url(#", svg->prefix, "c");
        draw_bytes_number(svg->out, svg->clips);
        draw_bytes_text(svg->out, ")\"");
    }
    draw_bytes_text(svg->out, ">\n");
}

void draw_svg_items(draw_svg *svg, const draw_figure *figure)
{
    int depth = 0;
    for (size_t i = 0; i < figure->item_count; i++) {
        const draw_item *item = &figure->items[i];
        const draw_point *points = figure->points + item->first;
        if (item->kind == DRAW_ITEM_BEGIN) {
            add_group(svg, item, points, figure->characters + item->text);
            depth++;
        } else if (item->kind == DRAW_ITEM_END) {
            draw_bytes_text(svg->out, "</g>\n");
            depth--;
        } else if (item->kind == DRAW_ITEM_TEXT) {
            add_text(svg, item, *points, figure->characters + item->text);
        } else {
            add_shape(svg, item, points);
        }
    }
    while (depth-- > 0) draw_bytes_text(svg->out, "</g>\n");
}
