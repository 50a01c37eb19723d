/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bounds.c: how far a figure reaches, and the shape of arrow heads, which counts.
 */
#include <math.h>

#include "draw/items.h"

/* An empty box has left > right. */
typedef struct extent {
    double left, top, right, bottom;
} extent;

static const extent nowhere = {INFINITY, INFINITY, -INFINITY, -INFINITY};

static void include(extent *e, double x, double y, double reach)
{
    e->left = fmin(e->left, x - reach);
    e->top = fmin(e->top, y - reach);
    e->right = fmax(e->right, x + reach);
    e->bottom = fmax(e->bottom, y + reach);
}

static extent meet(extent a, extent b)
{
    return (extent){fmax(a.left, b.left), fmax(a.top, b.top), fmin(a.right, b.right),
                    fmin(a.bottom, b.bottom)};
}

static bool is_empty(extent e)
{
    return e.left > e.right || e.top > e.bottom;
}

static void include_box(extent *e, draw_box box, double reach)
{
    include(e, box.x, box.y, reach);
    include(e, box.x + box.width, box.y + box.height, reach);
}

void draw_arrow_head(draw_point from, draw_point tip, double width, draw_point corners[DRAW_HEAD])
{
    const double length = 4 + 2.5 * width, half = 0.4 * length;
    const double dx = tip.x - from.x, dy = tip.y - from.y, distance = hypot(dx, dy);
    const double ux = distance > 0 ? dx / distance : 1, uy = distance > 0 ? dy / distance : 0;
    const draw_point foot = {tip.x - ux * length, tip.y - uy * length};
    corners[0] = tip;
    corners[1] = (draw_point){foot.x - uy * half, foot.y + ux * half};
    corners[2] = (draw_point){foot.x + uy * half, foot.y - ux * half};
}

draw_point draw_arrow_neck(draw_point from, draw_point tip, double width)
{
    draw_point corners[DRAW_HEAD];
    draw_arrow_head(from, tip, width, corners);
    return (draw_point){(corners[1].x + corners[2].x) / 2, (corners[1].y + corners[2].y) / 2};
}

static void include_head(extent *e, draw_point from, draw_point tip, double width)
{
    draw_point corners[DRAW_HEAD];
    draw_arrow_head(from, tip, width, corners);
    for (int i = 0; i < DRAW_HEAD; i++) include(e, corners[i].x, corners[i].y, 0);
}

static void include_shape(extent *e, const draw_item *item, const draw_point *points)
{
    const double reach = item->style.stroke.role == DRAW_NOTHING ? 0 : item->style.width / 2;
    const size_t last = item->count - 1;
    if (item->kind == DRAW_ITEM_RECT) {
        include_box(e, (draw_box){points[0].x, points[0].y, points[1].x, points[1].y}, reach);
        return;
    }
    if (item->kind == DRAW_ITEM_CIRCLE) {
        include(e, points[0].x, points[0].y, item->style.radius + reach);
        return;
    }
    /* A Bezier curve lies between its points. */
    for (size_t i = 0; i <= last; i++) include(e, points[i].x, points[i].y, reach);
    if (item->kind == DRAW_ITEM_POLYGON) return;
    if (item->style.arrow_tail) include_head(e, points[1], points[0], item->style.width);
    if (item->style.arrow_head) include_head(e, points[last - 1], points[last], item->style.width);
}

draw_box draw_figure_bounds(const draw_figure *figure)
{
    const extent everywhere = {-INFINITY, -INFINITY, INFINITY, INFINITY};
    extent all = nowhere, clips[DRAW_DEPTH + 1] = {everywhere};
    int depth = 0;
    for (size_t i = 0; i < figure->item_count; i++) {
        const draw_item *item = &figure->items[i];
        const draw_point *points = figure->points + item->first;
        extent e = nowhere;
        if (item->kind == DRAW_ITEM_BEGIN) {
            if (item->count == 2)
                include_box(&e, (draw_box){points[0].x, points[0].y, points[1].x, points[1].y}, 0);
            clips[depth + 1] = item->count == 2 ? meet(clips[depth], e) : clips[depth];
            depth++;
        } else if (item->kind == DRAW_ITEM_END) {
            depth--;
        } else {
            if (item->kind == DRAW_ITEM_TEXT)
                include_box(&e, draw_text_box(*points, &item->letters, figure->characters + item->text), 0);
            else
                include_shape(&e, item, points);
            e = meet(e, clips[depth]);
            if (is_empty(e)) continue;
            include(&all, e.left, e.top, 0);
            include(&all, e.right, e.bottom, 0);
        }
    }
    if (is_empty(all)) return (draw_box){0, 0, 0, 0};
    return (draw_box){all.left, all.top, all.right - all.left, all.bottom - all.top};
}
