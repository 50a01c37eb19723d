/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cairo_items.c: the items of a figure, painted by cairo.
 *
 * The same shapes, dashes, hatches and heads as in svg_items.c. Letters are the outlines of text.h, so no
 * font of the system takes part.
 */
#include <math.h>
#include <stdlib.h>

#include "draw/hatch.h"
#include "draw/raster.h"

typedef struct painter {
    cairo_t *cairo;
    const draw_figure *figure;
    cairo_font_face_t *const *fonts; /* NULL: outlines */
} painter;

static void set_paint(const painter *p, draw_paint paint, double opacity)
{
    const draw_rgb colour = draw_theme_rgb(p->figure->theme, paint);
    cairo_set_source_rgba(p->cairo, colour.r / 255.0, colour.g / 255.0, colour.b / 255.0, opacity);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static void rect_path(cairo_t *cairo, draw_point corner, draw_point size, double radius)
{
    const double most = fmin(size.x, size.y) / 2, r = fmin(radius, most), turn = acos(-1) / 2;
    if (!(r > 0)) {
        cairo_rectangle(cairo, corner.x, corner.y, size.x, size.y);
        return;
    }
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, corner.x + size.x - r, corner.y + r, r, -turn, 0);
    cairo_arc(cairo, corner.x + size.x - r, corner.y + size.y - r, r, 0, turn);
    cairo_arc(cairo, corner.x + r, corner.y + size.y - r, r, turn, 2 * turn);
    cairo_arc(cairo, corner.x + r, corner.y + r, r, 2 * turn, 3 * turn);
    cairo_close_path(cairo);
}

static draw_point line_end(const draw_item *item, const draw_point *points, size_t i)
{
    const size_t last = item->count - 1;
    if (item->kind == DRAW_ITEM_POLYGON) return points[i];
    if (i == 0 && item->style.arrow_tail) return draw_arrow_neck(points[1], points[0], item->style.width);
    if (i == last && item->style.arrow_head)
        return draw_arrow_neck(points[last - 1], points[last], item->style.width);
    return points[i];
}

static void shape_path(cairo_t *cairo, const draw_item *item, const draw_point *points)
{
    cairo_new_path(cairo);
    if (item->kind == DRAW_ITEM_RECT) {
        rect_path(cairo, points[0], points[1], item->style.radius);
    } else if (item->kind == DRAW_ITEM_CIRCLE) {
        cairo_arc(cairo, points[0].x, points[0].y, item->style.radius, 0, 2 * acos(-1));
    } else if (item->kind == DRAW_ITEM_CURVE) {
        const draw_point from = line_end(item, points, 0), to = line_end(item, points, 3);
        cairo_move_to(cairo, from.x, from.y);
        cairo_curve_to(cairo, points[1].x, points[1].y, points[2].x, points[2].y, to.x, to.y);
    } else {
        for (size_t i = 0; i < item->count; i++) {
            const draw_point point = line_end(item, points, i);
            cairo_line_to(cairo, point.x, point.y);
        }
        if (item->kind == DRAW_ITEM_POLYGON) cairo_close_path(cairo);
    }
}

/* The hatch's lines within the box around the current path, which becomes the clip. */
static void fill_hatch(const painter *p, draw_hatch hatch)
{
    const draw_hatch_lines lines = draw_hatch_of(hatch);
    const double period = DRAW_HATCH_PERIOD, middle = period / 2;
    double left, top, right, bottom;
    cairo_save(p->cairo);
    cairo_path_extents(p->cairo, &left, &top, &right, &bottom);
    cairo_clip(p->cairo);
    left = floor(left / period) * period;
    top = floor(top / period) * period;
    const double height = bottom - top;
    for (double y = top; y <= bottom && lines.level; y += period) {
        cairo_move_to(p->cairo, left, y + middle);
        cairo_line_to(p->cairo, right, y + middle);
    }
    for (double x = left; x <= right && lines.upright; x += period) {
        cairo_move_to(p->cairo, x + middle, top);
        cairo_line_to(p->cairo, x + middle, bottom);
    }
    for (double x = left; x <= right + height && lines.rising; x += period) {
        cairo_move_to(p->cairo, x, top);
        cairo_line_to(p->cairo, x - height, bottom);
    }
    for (double x = left - ceil(height / period) * period; x <= right && lines.falling; x += period) {
        cairo_move_to(p->cairo, x, top);
        cairo_line_to(p->cairo, x + height, bottom);
    }
    set_paint(p, DRAW_PAINT(DRAW_INK), DRAW_HATCH_OPACITY);
    cairo_set_dash(p->cairo, NULL, 0, 0);
    cairo_set_line_width(p->cairo, DRAW_HATCH_WIDTH);
    cairo_stroke(p->cairo);
    for (double y = top; y <= bottom && lines.dots; y += period)
        for (double x = left; x <= right; x += period) {
            cairo_new_sub_path(p->cairo);
            cairo_arc(p->cairo, x + middle, y + middle, DRAW_HATCH_DOT, 0, 2 * acos(-1));
        }
    cairo_fill(p->cairo);
    cairo_restore(p->cairo);
}

static void fill_head(const painter *p, const draw_item *item, draw_point from, draw_point tip)
{
    draw_point corners[DRAW_HEAD];
    draw_arrow_head(from, tip, item->style.width, corners);
    cairo_new_path(p->cairo);
    for (int i = 0; i < DRAW_HEAD; i++) cairo_line_to(p->cairo, corners[i].x, corners[i].y);
    cairo_close_path(p->cairo);
    cairo_fill(p->cairo);
}

static void paint_stroke(const painter *p, const draw_item *item, const draw_point *points)
{
    double dashes[2];
    const draw_style *style = &item->style;
    const double from = draw_dashes(style, dashes);
    const bool open = item->kind == DRAW_ITEM_POLYLINE || item->kind == DRAW_ITEM_CURVE;
    const size_t last = item->count - 1;
    set_paint(p, style->stroke, style->opacity);
    cairo_set_line_width(p->cairo, style->width);
    cairo_set_dash(p->cairo, dashes, style->dash == DRAW_SOLID ? 0 : 2, from);
    shape_path(p->cairo, item, points);
    cairo_stroke(p->cairo);
    if (open && style->arrow_tail) fill_head(p, item, points[1], points[0]);
    if (open && style->arrow_head) fill_head(p, item, points[last - 1], points[last]);
}

static void paint_shape(const painter *p, const draw_item *item, const draw_point *points)
{
    if (item->style.fill.role != DRAW_NOTHING) {
        const bool sharp = draw_on_a_scale(item->style.fill);
        set_paint(p, item->style.fill, item->style.opacity);
        shape_path(p->cairo, item, points);
        if (sharp) cairo_set_antialias(p->cairo, CAIRO_ANTIALIAS_NONE);
        cairo_fill(p->cairo);
        if (sharp) cairo_set_antialias(p->cairo, CAIRO_ANTIALIAS_DEFAULT);
        if (item->style.hatch > DRAW_HATCH_NONE) {
            shape_path(p->cairo, item, points);
            fill_hatch(p, item->style.hatch);
        }
    }
    if (item->style.stroke.role != DRAW_NOTHING) paint_stroke(p, item, points);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static double next_number(const char **text)
{
    char *end;
    const long number = strtol(*text, &end, 10);
    *text = end;
    return (double)number / DRAW_EM;
}

void draw_cairo_glyph(cairo_t *cairo, const draw_glyph *glyph)
{
    double x = 0, y = 0;
    for (const char *text = glyph->outline; *text != '\0';) {
        const char letter = *text++;
        if (letter == 'Z') cairo_close_path(cairo);
        if (letter == 'M' || letter == 'L') {
            x = next_number(&text);
            y = -next_number(&text);
            if (letter == 'M')
                cairo_move_to(cairo, x, y);
            else
                cairo_line_to(cairo, x, y);
        }
        if (letter == 'Q') { /* a quadratic curve is a cubic one with its controls at two thirds */
            const double cx = next_number(&text), cy = -next_number(&text);
            const double tx = next_number(&text), ty = -next_number(&text);
            cairo_curve_to(cairo, x + (cx - x) * 2 / 3, y + (cy - y) * 2 / 3, tx + (cx - tx) * 2 / 3,
                           ty + (cy - ty) * 2 / 3, tx, ty);
            x = tx;
            y = ty;
        }
    }
}

static void outline(cairo_t *cairo, const draw_text_style *letters, const char *text)
{
    cairo_save(cairo);
    cairo_scale(cairo, letters->size, letters->size);
    for (uint32_t code; (code = draw_utf8_next(&text)) != 0;) {
        const draw_glyph *glyph = draw_glyph_find(letters->face, code);
        draw_cairo_glyph(cairo, glyph);
        cairo_translate(cairo, (double)glyph->advance / DRAW_EM, 0);
    }
    cairo_restore(cairo);
}

static void paint_text(const painter *p, const draw_item *item, draw_point at, const char *text)
{
    const draw_text_style *letters = &item->letters;
    const draw_point origin = draw_text_origin(at, letters, text);
    cairo_save(p->cairo);
    cairo_translate(p->cairo, origin.x, origin.y);
    if (letters->turned) cairo_rotate(p->cairo, -acos(-1) / 2);
    cairo_new_path(p->cairo);
    if (letters->halo.role != DRAW_NOTHING) {
        outline(p->cairo, letters, text);
        set_paint(p, letters->halo, 1);
        cairo_set_dash(p->cairo, NULL, 0, 0);
        cairo_set_line_join(p->cairo, CAIRO_LINE_JOIN_ROUND);
        cairo_set_line_width(p->cairo, DRAW_HALO * letters->size);
        cairo_stroke(p->cairo);
    }
    set_paint(p, letters->paint, 1);
    if (p->fonts != NULL) {
        cairo_set_font_face(p->cairo, p->fonts[letters->face]);
        cairo_set_font_size(p->cairo, letters->size);
        cairo_move_to(p->cairo, 0, 0);
        cairo_show_text(p->cairo, text);
    } else {
        outline(p->cairo, letters, text);
        cairo_fill(p->cairo);
    }
    cairo_restore(p->cairo);
}

/* ---- Groups and pages ------------------------------------------------------------------------ */

static void begin(const painter *p, const draw_item *item, const draw_point *points)
{
    cairo_save(p->cairo);
    if (item->count == 2) {
        cairo_new_path(p->cairo);
        cairo_rectangle(p->cairo, points[0].x, points[0].y, points[1].x, points[1].y);
        cairo_clip(p->cairo);
    }
    if (item->style.opacity < 1) cairo_push_group(p->cairo);
}

static void end(const painter *p, double opacity)
{
    if (opacity < 1) {
        cairo_pop_group_to_source(p->cairo);
        cairo_paint_with_alpha(p->cairo, opacity);
    }
    cairo_restore(p->cairo);
}

static void paint_figure(const painter *p)
{
    double opacities[DRAW_DEPTH];
    int depth = 0;
    for (size_t i = 0; i < p->figure->item_count; i++) {
        const draw_item *item = &p->figure->items[i];
        const draw_point *points = p->figure->points + item->first;
        if (item->kind == DRAW_ITEM_BEGIN) {
            opacities[depth++] = item->style.opacity;
            begin(p, item, points);
        } else if (item->kind == DRAW_ITEM_END) {
            end(p, opacities[--depth]);
        } else if (item->kind == DRAW_ITEM_TEXT) {
            paint_text(p, item, *points, p->figure->characters + item->text);
        } else {
            paint_shape(p, item, points);
        }
    }
    while (depth > 0) end(p, opacities[--depth]);
}

/* The figure's units, with the view's corner at the origin. */
static void enter(cairo_t *cairo, const draw_page *page)
{
    cairo_save(cairo);
    cairo_scale(cairo, page->options.scale, page->options.scale);
    cairo_translate(cairo, -page->view.x, -page->view.y);
}

void draw_cairo_below(cairo_t *cairo, const draw_page *page, cairo_font_face_t *const fonts[DRAW_FACES])
{
    const painter p = {cairo, page->below, fonts};
    enter(cairo, page);
    if (!page->options.transparent) {
        set_paint(&p, DRAW_PAINT(DRAW_PAPER), 1);
        cairo_paint(cairo);
    }
    paint_figure(&p);
    cairo_restore(cairo);
}

void draw_cairo_above(cairo_t *cairo, const draw_page *page, cairo_font_face_t *const fonts[DRAW_FACES])
{
    const painter p = {cairo, page->above, fonts};
    if (page->above == NULL) return;
    enter(cairo, page);
    paint_figure(&p);
    cairo_restore(cairo);
}
