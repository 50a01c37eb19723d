/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_look.c: how items look, as classes of a style sheet.
 *
 * An animation repeats a dozen looks a thousand times. Each is written once, as a class, in the order in
 * which the looks first appear; an element names its class. Colours of a continuous scale are the exception:
 * there may be as many as cells, so they stay with their elements.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/svg.h"

static void put_number(draw_bytes *css, const char *name, double number, const char *after)
{
    draw_bytes_text(css, name);
    draw_bytes_number(css, number);
    draw_bytes_text(css, after);
}

static void put_colour(draw_bytes *css, const char *name, draw_theme theme, draw_paint paint)
{
    draw_bytes_text(css, name);
    draw_bytes_colour(css, draw_theme_rgb(theme, paint));
    draw_bytes_text(css, ";");
}

static void put_dashes(draw_bytes *css, const draw_style *style)
{
    double lengths[2];
    const double from = draw_dashes(style, lengths);
    put_number(css, "stroke-dasharray:", lengths[0], " ");
    put_number(css, "", lengths[1], ";");
    if (from > 0) put_number(css, "stroke-dashoffset:", from, ";");
}

static void describe_shape(draw_bytes *css, draw_theme theme, const draw_style *style)
{
    if (style->fill.role == DRAW_NOTHING)
        draw_bytes_text(css, "fill:none;");
    else if (!draw_on_a_scale(style->fill))
        put_colour(css, "fill:", theme, style->fill);
    if (style->fill.role != DRAW_NOTHING && style->opacity < 1)
        put_number(css, "fill-opacity:", style->opacity, ";");
    if (draw_on_a_scale(style->fill)) draw_bytes_text(css, "shape-rendering:crispEdges;");
    if (style->stroke.role == DRAW_NOTHING) return;
    put_colour(css, "stroke:", theme, style->stroke);
    if (style->width < 1 || style->width > 1) put_number(css, "stroke-width:", style->width, ";");
    if (style->opacity < 1) put_number(css, "stroke-opacity:", style->opacity, ";");
    if (style->dash != DRAW_SOLID) put_dashes(css, style);
}

static void describe_text(draw_bytes *css, draw_theme theme, const draw_text_style *letters)
{
    static const char *const anchors[] = {"", "text-anchor:middle;", "text-anchor:end;"};
    if (fabs(letters->size - DRAW_TEXT_SIZE) > 1e-9) put_number(css, "font-size:", letters->size, "px;");
    draw_bytes_text(css, anchors[letters->anchor]);
    if (letters->face == DRAW_SANS_BOLD) draw_bytes_text(css, "font-weight:bold;");
    if (letters->face == DRAW_MONO)
        draw_bytes_text(css, "font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;");
    if (letters->paint.role != DRAW_INK || letters->paint.level != 0)
        put_colour(css, "fill:", theme, letters->paint);
    if (letters->halo.role == DRAW_NOTHING) return;
    put_colour(css, "stroke:", theme, letters->halo);
    put_number(css, "stroke-width:", DRAW_HALO * letters->size, ";stroke-linejoin:round;paint-order:stroke;");
}

/* Writes an item's declarations over what the bytes held; false when it has none, or is no item to see. */
static bool describe(draw_bytes *css, draw_theme theme, const draw_item *item)
{
    css->count = 0;
    if (item->kind == DRAW_ITEM_BEGIN || item->kind == DRAW_ITEM_END) return false;
    if (item->kind == DRAW_ITEM_TEXT)
        describe_text(css, theme, &item->letters);
    else
        describe_shape(css, theme, &item->style);
    draw_bytes_add(css, "", 1);
    return !css->failed && css->count > 1;
}

/* The number of a look; the number of looks when it is not there. */
static int number_of(const draw_svg *svg, const char *look)
{
    int number = 0;
    for (size_t at = 0; at < svg->looks.count; number++) {
        const char *known = (const char *)svg->looks.data + at;
        if (strcmp(known, look) == 0) break;
        at += strlen(known) + 1;
    }
    return number;
}

/* A class is a letter, or letters: a, b, ... z, ba, bb; behind the prefix. */
static void put_name(draw_svg *svg, int number)
{
    char name[8];
    size_t at = sizeof name;
    do name[--at] = (char)('a' + number % 26);
    while ((number /= 26) > 0);
    draw_bytes_text(svg->out, svg->prefix);
    draw_bytes_text(svg->out, "_");
    draw_bytes_add(svg->out, name + at, sizeof name - at);
}

void draw_svg_collect(draw_svg *svg, const draw_figure *figure)
{
    for (size_t i = 0; i < figure->item_count; i++) {
        if (!describe(&svg->scratch, svg->theme, &figure->items[i])) continue;
        const char *look = (const char *)svg->scratch.data;
        if (number_of(svg, look) == svg->count) {
            draw_bytes_add(&svg->looks, look, svg->scratch.count);
            svg->count += !svg->looks.failed;
        }
    }
}

void draw_svg_sheet(draw_svg *svg)
{
    const char *look = (const char *)svg->looks.data;
    for (int i = 0; i < svg->count; i++, look += strlen(look) + 1) {
        draw_bytes_text(svg->out, ".");
        put_name(svg, i);
        draw_bytes_text(svg->out, "{");
        draw_bytes_add(svg->out, look, strlen(look) - 1); /* without the last semicolon */
        draw_bytes_text(svg->out, "}\n");
    }
}

void draw_svg_class(draw_svg *svg, const draw_item *item)
{
    if (item->kind != DRAW_ITEM_TEXT && draw_on_a_scale(item->style.fill)) {
        draw_bytes_text(svg->out, " fill=\"");
        draw_bytes_colour(svg->out, draw_theme_rgb(svg->theme, item->style.fill));
        draw_bytes_text(svg->out, "\"");
    }
    if (!describe(&svg->scratch, svg->theme, item)) return;
    draw_bytes_text(svg->out, " class=\"");
    put_name(svg, number_of(svg, (const char *)svg->scratch.data));
    draw_bytes_text(svg->out, "\"");
}

void draw_svg_close(draw_svg *svg)
{
    if (svg->looks.failed || svg->scratch.failed) svg->out->failed = true;
    draw_bytes_free(&svg->looks);
    draw_bytes_free(&svg->scratch);
}
