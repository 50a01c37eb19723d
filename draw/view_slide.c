/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_slide.c: what is read, the kernel and the result side by side, one step marked on all of them.
 *
 * Works for every operator that a scene knows: it draws the sheets that are there. Channels of the input
 * and rows of the table of kernels stand at the same height.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/view_parts.h"

typedef struct slide {
    draw_panel panel[DRAW_SHEETS];
    double width, bottom, words; /* of the grids; where the words below begin */
    bool piled;                  /* below each other */
    bool placed;                 /* below the heading */
} slide;

static bool present(const draw_scene *scene, int32_t sheet)
{
    return scene->sheet[sheet].values.rank > 0;
}

/* ---- Layout ---- */

/* Long and low grids stand below each other, with room for the joints on the left. */
static void pile(slide *s, const draw_scene *scene)
{
    double y = 0;
    s->piled = true;
    s->width = 460;
    for (int32_t i = 0; i < DRAW_SHEETS; i++) {
        if (!present(scene, i)) continue;
        s->panel[i].x = 34;
        s->panel[i].y = y;
        y += s->panel[i].height + DRAW_GAP;
        s->width = fmax(s->width, 34 + s->panel[i].width);
    }
    s->bottom = y - DRAW_GAP;
}

static void arrange(draw_view *view)
{
    static const draw_role roles[DRAW_SHEETS] = {DRAW_INPUT, DRAW_KERNEL, DRAW_OUTPUT};
    slide *s = view->own;
    const draw_scene *scene = view->scene;
    const double joint = 44;
    double cell = 0, tallest = 0, x = 0;
    for (int32_t i = 0; i < DRAW_SHEETS; i++)
        if (present(scene, i)) cell = fmax(cell, draw_panel_cell(&scene->sheet[i], &view->look));
    for (int32_t i = 0; i < DRAW_SHEETS; i++) {
        if (!present(scene, i)) continue;
        double side = view->look.heatmap ? draw_panel_cell(&scene->sheet[i], &view->look) : cell;
        draw_panel_measure(&s->panel[i], &scene->sheet[i], roles[i], side, &view->look);
    }
    draw_panel *read = &s->panel[DRAW_READ], *weight = &s->panel[DRAW_WEIGHT];
    if (present(scene, DRAW_WEIGHT) && scene->sheet[DRAW_WEIGHT].weight) draw_panel_align(read, weight);
    for (int32_t i = 0; i < DRAW_SHEETS; i++)
        if (present(scene, i)) tallest = fmax(tallest, s->panel[i].height);
    for (int32_t i = 0; i < DRAW_SHEETS; i++) {
        if (!present(scene, i)) continue;
        s->panel[i].x = x;
        s->panel[i].y = (tallest - s->panel[i].height) / 2;
        x += s->panel[i].width + joint;
    }
    s->width = fmax(x - joint, 460);
    s->bottom = tallest;
    if (s->width > 1000 && s->width > 2.2 * tallest) pile(s, scene);
}

static void draw_joints(draw_figure *figure, const draw_view *view)
{
    const slide *s = view->own;
    const draw_scene *scene = view->scene;
    const draw_text_style big = {.size = 20, .anchor = DRAW_MIDDLE, .centred = true};
    const draw_panel *last = &s->panel[DRAW_READ];
    for (int32_t i = 1; i < DRAW_SHEETS; i++) {
        if (!present(scene, i)) continue;
        const draw_panel *next = &s->panel[i];
        const double x = s->piled ? 12 : (last->x + last->width + next->x) / 2;
        draw_text(figure, x, next->y + next->height / 2 + 10, &big, scene->joint[i - 1]);
        last = next;
    }
}

/* ---- Words and keys ---- */

static const char *ring_text(const draw_scene *scene)
{
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    const draw_problem *p = &scene->problem;
    bool longer = false;
    static const char *const texts[] = {"zero padding",
                                        "reflect padding: a copy, with the index of its source",
                                        "symmetric padding: a copy, with the index of its source",
                                        "replicate padding: a copy, with the index of its source",
                                        "circular padding: a copy, with the index of its source",
                                        "constant padding"};
    for (int32_t a = 0; a < scene->geometry.spatial; a++)
        longer = longer || scene->geometry.axis[a].output_padding > 0;
    if (p->op == DRAW_OP_CONV_TRANSPOSE)
        return longer ? "ring of zeros: d(k-1) - padding, and output padding behind"
                      : "ring of zeros: d(k-1) - padding";
    if (p->op != DRAW_OP_POOL) return texts[x->mode];
    return p->pool.kind == FAL_POOL_MAX ? "padding: it never competes" : "padding: it adds nothing";
}

static bool has_ring(const draw_sheet *sheet, bool cropped)
{
    for (int32_t a = 0; a < 3; a++)
        if (cropped ? sheet->before[a] < 0 || sheet->after[a] < 0
                    : sheet->before[a] > 0 || sheet->after[a] > 0)
            return true;
    return false;
}

static double draw_keys(draw_figure *figure, const draw_view *view, double y)
{
    const slide *s = view->own;
    const draw_scene *scene = view->scene;
    const draw_sheet *x = &scene->sheet[DRAW_READ], *result = &scene->sheet[DRAW_RESULT];
    const draw_operator op = scene->problem.op;
    draw_key keys[8];
    int count = 0;
    draw_style cropped = draw_style_ring(), focus = draw_style_focus(),
               tap = draw_style_tap(scene->scatter ? DRAW_OUTPUT : DRAW_INPUT);
    /* Cells that have a colour of their own keep it. */
    if (x->groups > 1 || x->mode != FAL_PAD_ZEROS) tap.fill = DRAW_PAINT(DRAW_NOTHING);
    if (view->look.heatmap) tap = (draw_style){.fill = DRAW_PAINT(DRAW_ACCENT), .radius = 7};
    cropped.hatch = DRAW_HATCH_FALLING;
    if (op == DRAW_OP_DEFORM)
        keys[count++] = (draw_key){{.fill = DRAW_PAINT(DRAW_ACCENT), .radius = 7},
                                   "where a tap reads; the ring: where it stood"};
    else
        keys[count++] = (draw_key){tap, op == DRAW_OP_UNPOOL ? "where this step writes"
                                        : scene->scatter     ? "cells that this step adds to"
                                                             : "cells that this step reads"};
    if (view->look.heatmap) focus.fill = DRAW_PAINT(DRAW_NOTHING);
    if (op != DRAW_OP_FOLD)
        keys[count++] =
            (draw_key){focus, scene->scatter ? "the input of this step" : "the result of this step"};
    if (op == DRAW_OP_POOL && scene->problem.pool.kind == FAL_POOL_MAX)
        keys[count++] = (draw_key){{.stroke = DRAW_PAINT(DRAW_ACCENT), .width = 2.2}, "the maximum"};
    if (has_ring(x, false)) {
        bool copy = x->mode != FAL_PAD_ZEROS && x->mode != FAL_PAD_CONSTANT;
        draw_style style = draw_style_ring();
        if (view->look.heatmap) style.dash = DRAW_SOLID;
        if (copy) style.fill = DRAW_TINT(DRAW_GROUP, 0.45);
        keys[count++] = (draw_key){style, ring_text(scene)};
    }
    for (int32_t a = 0; a < 3; a++)
        if (x->spread[a] > 1) {
            keys[count++] = (draw_key){draw_style_between(), "zeros between the cells"};
            break;
        }
    if (has_ring(x, true) || (result->cut && has_ring(result, false)))
        keys[count++] = (draw_key){cropped, "cropped by the padding"};
    return draw_legend(figure, 0, y, s->width, keys, count);
}

static void background(draw_view *view, draw_figure *figure)
{
    slide *s = view->own;
    const draw_scene *scene = view->scene;
    const double top = draw_heading(figure, 0, 0, s->width, scene->problem.title, scene->title) + 4;
    for (int32_t i = 0; i < DRAW_SHEETS && !s->placed; i++) s->panel[i].y += top;
    if (!s->placed) s->bottom += top;
    s->placed = true;
    for (int32_t i = 0; i < DRAW_SHEETS; i++)
        if (present(scene, i)) draw_panel_grid(figure, &s->panel[i], i == DRAW_RESULT);
    draw_joints(figure, view);
    double y = s->bottom + 26;
    y = draw_keys(figure, view, y);
    for (int i = 0; i < scene->captions; i++)
        y = draw_words(figure, 0, y + 4, s->width, DRAW_INK, scene->caption[i]);
    s->words = y + 6;
}

/* The numbers that the result has by now. */
static void draw_result(const draw_view *view, draw_figure *figure, int64_t step, bool alone)
{
    const slide *s = view->own;
    const draw_scene *scene = view->scene;
    const draw_sheet *result = &scene->sheet[DRAW_RESULT];
    const draw_panel *panel = &s->panel[DRAW_RESULT];
    const bool all = alone || scene->scatter;
    int64_t plane, at[3];
    for (bool more = draw_sheet_begin(result, &plane, at); more; more = draw_sheet_next(result, &plane, at))
        if (all || draw_sheet_order(result, plane, at) <= step) draw_panel_value(figure, panel, plane, at);
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    const slide *s = view->own;
    draw_scene *scene = view->scene;
    if (step >= 0) DRAW_TRY(draw_scene_step(scene, step, error));
    draw_result(view, figure, step, alone);
    if (step < 0) return FAL_OK;
    for (int32_t i = 0; i < DRAW_SHEETS; i++)
        if (present(scene, i)) draw_panel_marks(figure, &s->panel[i], scene, i);
    draw_words(figure, 0, s->words, s->width, DRAW_INK, scene->sum);
    return FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const draw_scene *scene = view->scene;
    char text[DRAW_CAPTIONS * DRAW_WORDS];
    size_t used = (size_t)snprintf(text, sizeof text, "%s.", scene->title);
    for (int32_t i = 0; i < DRAW_SHEETS && used < sizeof text; i++)
        if (present(scene, i))
            used += (size_t)snprintf(text + used, sizeof text - used, " %s.", scene->sheet[i].title);
    for (int i = 0; i < scene->captions && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s.", scene->caption[i]);
    draw_figure_describe(figure, scene->problem.title, text);
}

static fal_status prepare(draw_view *view, const draw_problem *problem, fal_error *error)
{
    int64_t cells = 0, longest = 0;
    DRAW_TRY(draw_scene_create(problem, &view->scene, error));
    for (int32_t i = 0; i < DRAW_SHEETS; i++) {
        const draw_sheet *sheet = &view->scene->sheet[i];
        int64_t positions = 1;
        if (!present(view->scene, i)) continue;
        for (int32_t a = 0; a < 3; a++) {
            const int64_t length = draw_sheet_end(sheet, a) - draw_sheet_first(sheet, a);
            positions *= length;
            if (length > longest) longest = length;
        }
        cells += positions * draw_sheet_planes(sheet);
    }
    DRAW_TRY(draw_readable(&view->look, cells, longest, error));
    arrange(view);
    view->steps = view->scene->steps;
    view->usual = view->scene->scatter ? view->steps - 1 : 0;
    return FAL_OK;
}

static const draw_view_kind kind = {
    .bytes = sizeof(slide), .background = background, .frame = frame, .describe = describe};

fal_status draw_view_slide(const draw_problem *problem, const draw_look *look, draw_view **view,
                           fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, problem, error));
}
