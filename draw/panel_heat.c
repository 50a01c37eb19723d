/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * panel_heat.c: a sheet as a heat map: a colour for every number, and the scale that says which.
 */
#include <math.h>

#include "draw/view_parts.h"

void draw_heat_scale(draw_panel *panel)
{
    panel->low = INFINITY;
    panel->high = -INFINITY;
    for (int64_t i = 0, count = draw_sheet_count(panel->sheet); i < count; i++) {
        int64_t plane, at[3];
        draw_sheet_nth(panel->sheet, i, &plane, at);
        double value = draw_sheet_value(panel->sheet, plane, at);
        panel->low = fmin(panel->low, value);
        panel->high = fmax(panel->high, value);
    }
}

void draw_heat_cell(draw_figure *figure, const draw_panel *panel, draw_box box, const draw_cell *cell)
{
    const bool number = cell->kind == DRAW_IS_CELL || cell->kind == DRAW_IS_GHOST;
    const double span = panel->high - panel->low;
    draw_style style = {.fill = DRAW_TINT(DRAW_HEAT, span > 0 ? (cell->value - panel->low) / span : 0.5),
                        .hatch = DRAW_HATCH_NONE};
    if (!number) return;
    if (cell->kind == DRAW_IS_GHOST) style.opacity = 0.55;
    box.width += DRAW_OVERLAP;
    box.height += DRAW_OVERLAP;
    draw_rect(figure, box, &style);
}

void draw_heat_ground(draw_figure *figure, const draw_panel *panel, int64_t plane)
{
    const draw_sheet *s = panel->sheet;
    const draw_style style = {.fill = DRAW_PAINT(DRAW_GHOST), .hatch = DRAW_HATCH_NONE};
    for (int64_t depth = draw_sheet_first(s, 0); depth < draw_sheet_end(s, 0); depth++) {
        const int64_t at[3] = {depth, draw_sheet_first(s, 1), draw_sheet_first(s, 2)};
        draw_box box = draw_panel_box(panel, plane, at);
        box.width *= (double)(draw_sheet_end(s, 2) - draw_sheet_first(s, 2));
        box.height *= (double)(draw_sheet_end(s, 1) - draw_sheet_first(s, 1));
        draw_rect(figure, box, &style);
    }
}

void draw_heat_key(draw_figure *figure, const draw_panel *panel)
{
    enum { STEPS = 32 };
    const draw_text_style style = {.size = 8.5, .centred = true, .paint = DRAW_PAINT(DRAW_FAINT)};
    char plain[DRAW_NUMBER], low[3 * DRAW_NUMBER], high[3 * DRAW_NUMBER];
    draw_number(plain, panel->low);
    draw_typeset(plain, low, sizeof low);
    draw_number(plain, panel->high);
    draw_typeset(plain, high, sizeof high);
    const double y = panel->y + panel->height - 8, wide = 2.5,
                 left = panel->x + draw_text_width(&style, low) + 6;
    if (panel->low >= panel->high) {
        const draw_style only = {.fill = DRAW_TINT(DRAW_HEAT, 0.5), .hatch = DRAW_HATCH_NONE};
        draw_rect(figure, (draw_box){panel->x, y - 4.5, 9, 9}, &only);
        draw_text(figure, panel->x + 15, y, &style, low);
        return;
    }
    draw_text(figure, panel->x, y, &style, low);
    for (int i = 0; i < STEPS; i++) {
        const draw_style shade = {.fill = DRAW_TINT(DRAW_HEAT, i / (STEPS - 1.0)), .hatch = DRAW_HATCH_NONE};
        draw_rect(figure, (draw_box){left + i * wide, y - 4.5, wide + DRAW_OVERLAP, 9}, &shade);
    }
    draw_text(figure, left + STEPS * wide + 6, y, &style, high);
}
