/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * figure.c: the display list: appends items, and remembers the first thing that went wrong.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/items.h"

bool draw_grow(void **memory, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) return true;
    size_t wanted = *capacity < 16 ? 16 : *capacity + *capacity / 2;
    if (wanted < needed) wanted = needed;
    if (wanted > SIZE_MAX / size) return false;
    void *grown = realloc(*memory, wanted * size);
    if (grown == NULL) return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}

draw_figure *draw_figure_create(draw_theme theme)
{
    draw_figure *figure = calloc(1, sizeof *figure);
    if (figure != NULL) figure->theme = theme;
    return figure;
}

void draw_figure_free(draw_figure *figure)
{
    if (figure == NULL) return;
    free(figure->items);
    free(figure->points);
    free(figure->characters);
    free(figure->title);
    free(figure->description);
    free(figure);
}

draw_theme draw_figure_theme(const draw_figure *figure)
{
    return figure->theme;
}

fal_status draw_figure_status(const draw_figure *figure)
{
    return figure == NULL ? FAL_E_NOMEM : figure->status;
}

static void fail(draw_figure *figure, fal_status status)
{
    if (figure->status == FAL_OK) figure->status = status;
}

/* A new item with its points; NULL when the figure has failed, before or now. */
static draw_item *append(draw_figure *figure, draw_kind kind, const draw_point *points, size_t count)
{
    if (figure->status != FAL_OK) return NULL;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(points[i].x) || !isfinite(points[i].y)) fail(figure, FAL_E_VALUE);
    if (figure->status != FAL_OK) return NULL;
    if (!draw_grow((void **)&figure->items, &figure->item_capacity, figure->item_count + 1,
                   sizeof *figure->items) ||
        !draw_grow((void **)&figure->points, &figure->point_capacity, figure->point_count + count,
                   sizeof *figure->points)) {
        fail(figure, FAL_E_NOMEM);
        return NULL;
    }
    draw_item *item = &figure->items[figure->item_count++];
    *item = (draw_item){.kind = kind, .first = figure->point_count, .count = count};
    if (count > 0) memcpy(figure->points + figure->point_count, points, count * sizeof *points);
    figure->point_count += count;
    return item;
}

/* Adds a text to the characters; what cannot be kept takes its item away again. */
static void append_text(draw_figure *figure, draw_item *item, const char *text)
{
    size_t size = strlen(text) + 1;
    if (!draw_grow((void **)&figure->characters, &figure->character_capacity, figure->character_count + size,
                   1)) {
        figure->item_count--;
        fail(figure, FAL_E_NOMEM);
        return;
    }
    item->text = figure->character_count;
    memcpy(figure->characters + figure->character_count, text, size);
    figure->character_count += size;
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static void append_shape(draw_figure *figure, draw_kind kind, const draw_point *points, size_t count,
                         const draw_style *style)
{
    const double numbers[] = {style->width, style->radius, style->opacity, style->fill.level,
                              style->stroke.level};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!isfinite(numbers[i])) fail(figure, FAL_E_VALUE);
    draw_item *item = append(figure, kind, points, count);
    if (item == NULL) return;
    item->style = *style;
    if (style->width <= 0) item->style.width = DRAW_LINE_WIDTH;
    if (style->opacity <= 0 || style->opacity > 1) item->style.opacity = 1;
    if (style->hatch == DRAW_HATCH_ROLE) item->style.hatch = draw_theme_hatch(figure->theme, style->fill);
}

bool draw_on_a_scale(draw_paint paint)
{
    return paint.role == DRAW_HEAT || paint.role == DRAW_DIVERGING;
}

double draw_dashes(const draw_style *style, double lengths[2])
{
    const bool dashed = style->dash == DRAW_DASHED;
    const double period = dashed ? 7 : 3, count = fmax(1, round(style->dash_side / period));
    const double stretch = style->dash_side > 0 ? style->dash_side / (count * period) : 1;
    lengths[0] = (dashed ? 4 : 1) * stretch;
    lengths[1] = (dashed ? 3 : 2) * stretch;
    return style->dash_side > 0 ? lengths[0] / 2 : 0;
}

void draw_rect(draw_figure *figure, draw_box box, const draw_style *style)
{
    const draw_point points[2] = {{box.x, box.y}, {box.width, box.height}};
    draw_style own = *style;
    own.dash_side = style->dash != DRAW_SOLID && fabs(box.width - box.height) < 1e-9 && style->radius <= 0
                        ? box.width
                        : 0;
    append_shape(figure, DRAW_ITEM_RECT, points, 2, &own);
}

void draw_circle(draw_figure *figure, draw_point centre, double radius, const draw_style *style)
{
    draw_style round = *style;
    round.radius = radius;
    append_shape(figure, DRAW_ITEM_CIRCLE, &centre, 1, &round);
}

void draw_line(draw_figure *figure, draw_point from, draw_point to, const draw_style *style)
{
    draw_polyline(figure, (const draw_point[2]){from, to}, 2, style);
}

void draw_polyline(draw_figure *figure, const draw_point *points, size_t count, const draw_style *style)
{
    if (count >= 2) append_shape(figure, DRAW_ITEM_POLYLINE, points, count, style);
}

void draw_polygon(draw_figure *figure, const draw_point *points, size_t count, const draw_style *style)
{
    if (count >= 2) append_shape(figure, DRAW_ITEM_POLYGON, points, count, style);
}

void draw_curve(draw_figure *figure, const draw_point points[4], const draw_style *style)
{
    append_shape(figure, DRAW_ITEM_CURVE, points, 4, style);
}

/* ---- Text ------------------------------------------------------------------------------------ */

void draw_text(draw_figure *figure, double x, double y, const draw_text_style *style, const char *text)
{
    const draw_point at = {x, y};
    draw_text_style letters = style == NULL ? (draw_text_style){0} : *style;
    if (!isfinite(letters.size)) fail(figure, FAL_E_VALUE);
    if (letters.size <= 0) letters.size = DRAW_TEXT_SIZE;
    if (letters.paint.role == DRAW_NOTHING) letters.paint.role = DRAW_INK;
    draw_item *item = append(figure, DRAW_ITEM_TEXT, &at, 1);
    if (item == NULL) return;
    item->letters = letters;
    append_text(figure, item, text);
}

void draw_textf(draw_figure *figure, double x, double y, const draw_text_style *style, const char *format,
                ...)
{
    char text[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    draw_text(figure, x, y, style, text);
}

/* Where the word that begins at `from` ends; what stands behind an equals sign belongs to it. */
static size_t word_end(const char *text, size_t from)
{
    size_t end = from + strcspn(text + from, " \n");
    if (end > from && text[end - 1] == '=' && text[end] == ' ') end += 1 + strcspn(text + end + 1, " \n");
    return end;
}

/* How many bytes of `text` go into one line, at least one word. */
static size_t line_length(const draw_text_style *style, const char *text, double width, char *line,
                          size_t capacity)
{
    size_t fits = 0, end = 0;
    while (text[end] != '\0' && text[end] != '\n') {
        const size_t next = word_end(text, end + (text[end] == ' '));
        if (next >= capacity) break;
        memcpy(line, text, next);
        line[next] = '\0';
        if (fits > 0 && draw_text_width(style, line) > width) break;
        fits = end = next;
    }
    if (fits == 0 && text[0] != '\0' && text[0] != '\n') { /* a word longer than the buffer */
        fits = capacity - 1;
        while (fits > 1 && ((unsigned char)text[fits] & 0xC0) == 0x80) fits--;
        memcpy(line, text, fits);
    }
    line[fits] = '\0';
    return fits;
}

double draw_paragraph(draw_figure *figure, draw_point at, double width, const draw_text_style *style,
                      const char *text)
{
    const double step = 1.35 * (style != NULL && style->size > 0 ? style->size : DRAW_TEXT_SIZE);
    char line[1024];
    while (*text != '\0') {
        size_t length = line_length(style, text, width, line, sizeof line);
        draw_text(figure, at.x, at.y, style, line);
        at.y += step;
        text += length;
        text += *text == '\n' || *text == ' ';
    }
    return at.y;
}

/* ---- Groups ---------------------------------------------------------------------------------- */

void draw_group_begin(draw_figure *figure, double opacity, const draw_box *clip, const char *name)
{
    draw_point points[2] = {{0, 0}, {0, 0}};
    if (clip != NULL) {
        points[0] = (draw_point){clip->x, clip->y};
        points[1] = (draw_point){clip->width, clip->height};
    }
    if (figure->depth == DRAW_DEPTH || !(opacity >= 0 && opacity <= 1)) fail(figure, FAL_E_VALUE);
    draw_item *item = append(figure, DRAW_ITEM_BEGIN, points, clip == NULL ? 0 : 2);
    if (item == NULL) return;
    item->style.opacity = opacity;
    append_text(figure, item, name == NULL ? "" : name);
    if (figure->status == FAL_OK) figure->depth++;
}

void draw_group_end(draw_figure *figure)
{
    if (figure->depth == 0) fail(figure, FAL_E_VALUE);
    if (append(figure, DRAW_ITEM_END, NULL, 0) != NULL) figure->depth--;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static bool copy(char **to, const char *text)
{
    size_t size = strlen(text) + 1;
    char *made = malloc(size);
    if (made == NULL) return false;
    memcpy(made, text, size);
    free(*to);
    *to = made;
    return true;
}

void draw_figure_describe(draw_figure *figure, const char *title, const char *description)
{
    if (title != NULL && !copy(&figure->title, title)) fail(figure, FAL_E_NOMEM);
    if (description != NULL && !copy(&figure->description, description)) fail(figure, FAL_E_NOMEM);
}

void draw_figure_view(draw_figure *figure, draw_box view)
{
    if (!isfinite(view.x) || !isfinite(view.y) || !(view.width >= 0) || !(view.height >= 0) ||
        !isfinite(view.width) || !isfinite(view.height)) {
        fail(figure, FAL_E_VALUE);
        return;
    }
    figure->view = view;
    figure->has_view = true;
}

void draw_figure_fit(draw_figure *figure, double margin)
{
    draw_box box = draw_figure_bounds(figure);
    draw_figure_view(
        figure, (draw_box){box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin});
}

draw_box draw_figure_viewed(const draw_figure *figure)
{
    if (figure->has_view) return figure->view;
    draw_box box = draw_figure_bounds(figure);
    return (draw_box){box.x - DRAW_MARGIN, box.y - DRAW_MARGIN, box.width + 2 * DRAW_MARGIN,
                      box.height + 2 * DRAW_MARGIN};
}
