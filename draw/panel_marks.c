/* SPDX-License-Identifier: BSD-3-Clause */
/* panel_marks.c: the cells of one step on a sheet: marked, with notes, and outlined as a window. */
#include <math.h>
#include <stdio.h>

#include "draw/view_parts.h"

static bool drawn(const draw_sheet *sheet, const int64_t at[3])
{
    for (int32_t a = 0; a < 3; a++)
        if (at[a] < draw_sheet_first(sheet, a) || at[a] >= draw_sheet_end(sheet, a)) return false;
    return true;
}

static void draw_note(draw_figure *figure, const draw_panel *panel, draw_box box, draw_paint fill,
                      const draw_mark *mark)
{
    char plain[DRAW_NUMBER], text[3 * DRAW_NUMBER + 4], number[3 * DRAW_NUMBER];
    if (panel->look->bare || isnan(mark->note)) return;
    draw_number(plain, mark->note);
    draw_typeset(plain, number, sizeof number);
    /* On what is read the note is a factor, on the result of a scatter step it is a summand. */
    snprintf(text, sizeof text, "%s%s", mark->sheet == DRAW_RESULT ? (plain[0] == '-' ? "" : "+") : "×",
             number);
    draw_cell_note(figure, box, false, fill, DRAW_PAINT(mark->kind == DRAW_MARK_MISS ? DRAW_FAINT : DRAW_INK),
                   text);
}

/* Colours stay to be seen: a dot on a cell that takes part, an outline around the one in focus. */
static void draw_heat_mark(draw_figure *figure, const draw_panel *panel, draw_box box, draw_mark_kind kind)
{
    const draw_style dot = {.fill = DRAW_PAINT(DRAW_ACCENT), .stroke = DRAW_PAINT(DRAW_PAPER), .width = 0.6};
    draw_style focus = {.stroke = DRAW_PAINT(DRAW_ACCENT), .width = fmin(3, fmax(1, panel->cell / 4))};
    const draw_point middle = {box.x + box.width / 2, box.y + box.height / 2};
    if (kind == DRAW_MARK_FOCUS) draw_rect(figure, box, &focus);
    if (kind == DRAW_MARK_TAP && panel->cell >= 6)
        draw_circle(figure, middle, fmin(2.4, panel->cell / 5), &dot);
}

static void draw_mark_cell(draw_figure *figure, const draw_panel *panel, const draw_mark *mark)
{
    const draw_cell cell = draw_sheet_cell(panel->sheet, mark->plane, mark->at);
    const draw_box box = draw_panel_box(panel, mark->plane, mark->at);
    draw_style style = draw_style_tap(draw_panel_role(panel, mark->plane));
    if (mark->kind == DRAW_MARK_MISS) {
        style = cell.kind == DRAW_IS_BETWEEN ? draw_style_between() : draw_style_ring();
        style.stroke = DRAW_PAINT(DRAW_INK);
        style.width = 1.2;
    }
    if (mark->kind == DRAW_MARK_FOCUS) style = draw_style_focus();
    if (cell.kind == DRAW_IS_GHOST) style.dash = DRAW_DASHED;
    if (cell.kind == DRAW_IS_GHOST && draw_panel_copies(panel->sheet))
        style.fill = draw_panel_colour(cell.source);
    if (draw_panel_copies(panel->sheet) && cell.kind == DRAW_IS_CELL)
        style.fill = draw_panel_colour(cell.source);
    if (panel->look->heatmap) {
        draw_heat_mark(figure, panel, box, mark->kind);
        return;
    }
    draw_rect(figure, box, &style);
    draw_note(figure, panel, box, style.fill, mark);
    if (panel->look->bare) return;
    if (panel->sheet->blank && cell.kind == DRAW_IS_OUTSIDE) return;
    draw_cell_text(figure, box, style.fill, DRAW_PAINT(mark->kind == DRAW_MARK_MISS ? DRAW_FAINT : DRAW_INK),
                   cell.value);
    if (cell.kind == DRAW_IS_GHOST && draw_panel_copies(panel->sheet))
        draw_panel_source(figure, panel, box, cell.source);
}

/* A second, inner outline. */
static void draw_chosen(draw_figure *figure, const draw_panel *panel, const draw_mark *mark)
{
    const draw_style style = {.stroke = DRAW_PAINT(DRAW_ACCENT), .width = 2.2};
    const draw_box box = draw_panel_box(panel, mark->plane, mark->at);
    const double in = box.width > 12 ? 3 : 0;
    draw_rect(figure, (draw_box){box.x + in, box.y + in, box.width - 2 * in, box.height - 2 * in}, &style);
}

/* An arrow from the cell where the tap stood to where the offset has moved it. It begins beside the number.
 */
static void draw_sampling(draw_figure *figure, const draw_panel *panel, const draw_mark *mark)
{
    const draw_style arrow = {.stroke = DRAW_PAINT(DRAW_INK), .width = 1.1};
    const draw_style ring = {.stroke = DRAW_PAINT(DRAW_FAINT), .width = 1, .dash = DRAW_DASHED};
    const draw_style dot = {.fill = DRAW_PAINT(DRAW_ACCENT), .stroke = DRAW_PAINT(DRAW_PAPER), .width = 0.8};
    const draw_style still = {.stroke = DRAW_PAINT(DRAW_ACCENT), .width = 2};
    const draw_box box = draw_panel_box(panel, mark->plane, mark->at);
    const draw_point from = {box.x + box.width / 2, box.y + box.height / 2};
    const double x = (mark->point[1] - (double)mark->at[2]) * panel->cell;
    const double y = (mark->point[0] - (double)mark->at[1]) * panel->cell;
    const double far = hypot(x, y), radius = panel->cell * 0.3;
    draw_circle(figure, from, radius, far < 8 ? &still : &ring);
    if (far < 8) return;
    const draw_point to = {from.x + x, from.y + y};
    if (far > radius)
        draw_line(figure, (draw_point){from.x + x * radius / far, from.y + y * radius / far}, to, &arrow);
    draw_circle(figure, to, 3.4, &dot);
}

/* The box around a step's window on one plane and depth. */
static void draw_window(draw_figure *figure, const draw_panel *panel, const draw_scene *scene, int32_t sheet,
                        int64_t plane, int64_t depth)
{
    const draw_style style = draw_style_window();
    draw_box whole = {0};
    int64_t count = 0;
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet != sheet || mark->plane != plane || mark->at[0] != depth) continue;
        if (mark->kind > DRAW_MARK_MISS || !drawn(panel->sheet, mark->at)) continue;
        const draw_box box = draw_panel_box(panel, plane, mark->at);
        const double right = fmax(whole.x + whole.width, box.x + box.width);
        const double foot = fmax(whole.y + whole.height, box.y + box.height);
        if (count++ == 0) {
            whole = box;
            continue;
        }
        whole.x = fmin(whole.x, box.x);
        whole.y = fmin(whole.y, box.y);
        whole.width = right - whole.x;
        whole.height = foot - whole.y;
    }
    if (count > 1) draw_rect(figure, whole, &style);
}

void draw_panel_marks(draw_figure *figure, const draw_panel *panel, const draw_scene *scene, int32_t sheet)
{
    const draw_sheet *s = panel->sheet;
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet == sheet && mark->kind <= DRAW_MARK_MISS && drawn(s, mark->at))
            draw_mark_cell(figure, panel, mark);
    }
    for (int64_t plane = 0; sheet != DRAW_WEIGHT && plane < draw_sheet_planes(s); plane++)
        for (int64_t d = draw_sheet_first(s, 0); d < draw_sheet_end(s, 0); d++)
            draw_window(figure, panel, scene, sheet, plane, d);
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet != sheet) continue;
        if (mark->kind == DRAW_MARK_CHOSEN) draw_chosen(figure, panel, mark);
        if (mark->kind == DRAW_MARK_POINT) draw_sampling(figure, panel, mark);
    }
}
