/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * panel.c: a sheet as a grid: cells and what stands around them, and labels.
 *
 *     input x, 2x3x3           title
 *     channel 0                label of a plane, when there are several
 *        -1  0  1  2           indices; the ring counts on beyond the ends
 *     -1  .  .  .  .
 *      0  .  1  2  3
 *
 * Depths of a plane stand side by side, channels below each other, kernels in a table. Marks are in
 * panel_marks.c, heat maps in panel_heat.c.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/view_parts.h"

static const double TITLE = 20, LABEL = 14, INDEX = 12, SIDE = 18, BELOW = 10, BESIDE = 8, SLICES = 14,
                    SCALE = 24;
static const double NAME = 9.5, SMALL = 8.5, NOTE = 7.5;

/* ---- Measures ---- */

static bool labelled(const draw_panel *panel)
{
    return draw_sheet_planes(panel->sheet) > 1;
}

static bool indexed(const draw_panel *panel)
{
    return panel->cell >= 12;
}

static int64_t extent(const draw_sheet *sheet, int32_t axis)
{
    return draw_sheet_end(sheet, axis) - draw_sheet_first(sheet, axis);
}

double draw_panel_cell(const draw_sheet *sheet, const draw_look *look)
{
    const draw_text_style style = {.size = DRAW_TEXT_SIZE};
    char text[DRAW_NUMBER];
    double widest = 0;
    int64_t longest = 1;
    for (int32_t a = 0; a < 3; a++)
        if (extent(sheet, a) > longest) longest = extent(sheet, a);
    if (look->heatmap) return fmax(2, fmin(24, floor(320 / (double)longest)));
    if (look->bare) return 24;
    for (int64_t i = 0, count = draw_sheet_count(sheet); i < count; i++) {
        int64_t plane, at[3];
        draw_sheet_nth(sheet, i, &plane, at);
        draw_number(text, draw_sheet_value(sheet, plane, at));
        widest = fmax(widest, draw_text_width(&style, text));
    }
    return fmin(66, fmax(34, ceil(widest + 12)));
}

/* "channel 3, group 1" or "w[3,0], group 1"; nothing where there is one plane. */
static void label_of(const draw_sheet *sheet, int64_t plane, char text[80])
{
    const int64_t inner = sheet->values.shape[1];
    char group[32] = "";
    text[0] = '\0';
    if (draw_sheet_planes(sheet) <= 1) return;
    if (sheet->groups > 1) snprintf(group, sizeof group, ", group %" PRId64, draw_sheet_group(sheet, plane));
    if (sheet->weight)
        snprintf(text, 80, "%s[%" PRId64 ",%" PRId64 "]%s", sheet->name, plane / inner, plane % inner, group);
    else
        snprintf(text, 80, "channel %" PRId64 "%s", plane, group);
}

static double widest_label(const draw_sheet *sheet)
{
    const draw_text_style style = {.size = NAME};
    char text[80];
    double widest = 0;
    for (int64_t plane = 0; plane < draw_sheet_planes(sheet); plane++) {
        label_of(sheet, plane, text);
        widest = fmax(widest, draw_text_width(&style, text));
    }
    return widest;
}

void draw_panel_measure(draw_panel *panel, const draw_sheet *sheet, draw_role role, double cell,
                        const draw_look *look)
{
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    int64_t rows = 0, columns = 0;
    *panel = (draw_panel){.sheet = sheet, .look = look, .role = role, .cell = cell};
    for (int64_t plane = 0; plane < draw_sheet_planes(sheet); plane++) {
        int64_t row, column;
        draw_sheet_place(sheet, plane, &row, &column);
        if (row >= rows) rows = row + 1;
        if (column >= columns) columns = column + 1;
    }
    panel->slice = (double)extent(sheet, 2) * cell + SLICES;
    const double wide = (double)extent(sheet, 0) * panel->slice - SLICES;
    const double high = (double)extent(sheet, 1) * cell;
    const double label = columns > 1 ? widest_label(sheet) : 0;
    panel->pitch_x = fmax(wide, label) + (indexed(panel) && sheet->spatial > 1 ? SIDE : 0) + BESIDE;
    panel->pitch_y = high + (labelled(panel) ? LABEL : 0) + (extent(sheet, 0) > 1 ? LABEL : 0) +
                     (indexed(panel) ? INDEX : 0) + BELOW;
    panel->width = fmax((double)columns * panel->pitch_x - BESIDE, draw_text_width(&bold, sheet->title));
    panel->height = TITLE + (double)rows * panel->pitch_y - BELOW;
    panel->rows = rows;
    if (look->heatmap) panel->height += SCALE;
    if (look->heatmap) draw_heat_scale(panel);
}

static void stretch(draw_panel *panel, double pitch)
{
    panel->shift = (pitch - panel->pitch_y) / 2;
    panel->pitch_y = pitch;
    panel->height = TITLE + (double)panel->rows * pitch - BELOW + (panel->look->heatmap ? SCALE : 0);
}

void draw_panel_align(draw_panel *a, draw_panel *b)
{
    if (a->rows != b->rows || a->rows < 2) return;
    stretch(a->pitch_y < b->pitch_y ? a : b, fmax(a->pitch_y, b->pitch_y));
}

/* The upper left corner of a plane's cells. */
static draw_point corner(const draw_panel *panel, int64_t plane)
{
    int64_t row, column;
    draw_sheet_place(panel->sheet, plane, &row, &column);
    draw_point at = {panel->x + (double)column * panel->pitch_x,
                     panel->y + TITLE + panel->shift + (double)row * panel->pitch_y};
    if (indexed(panel) && panel->sheet->spatial > 1) at.x += SIDE;
    if (labelled(panel)) at.y += LABEL;
    if (extent(panel->sheet, 0) > 1) at.y += LABEL;
    if (indexed(panel)) at.y += INDEX;
    return at;
}

draw_box draw_panel_box(const draw_panel *panel, int64_t plane, const int64_t at[3])
{
    const draw_sheet *sheet = panel->sheet;
    draw_point c = corner(panel, plane);
    return (draw_box){c.x + (double)(at[0] - draw_sheet_first(sheet, 0)) * panel->slice +
                          (double)(at[2] - draw_sheet_first(sheet, 2)) * panel->cell,
                      c.y + (double)(at[1] - draw_sheet_first(sheet, 1)) * panel->cell, panel->cell,
                      panel->cell};
}

/* ---- Cells ---- */

/* Hatches are kept away from letters. */
static draw_paint halo_on(const draw_figure *figure, draw_paint fill)
{
    const draw_hatch hatch = draw_theme_hatch(draw_figure_theme(figure), fill);
    return hatch == DRAW_HATCH_NONE ? DRAW_PAINT(DRAW_NOTHING) : fill;
}

void draw_cell_text(draw_figure *figure, draw_box box, draw_paint fill, draw_paint paint, double value)
{
    char plain[DRAW_NUMBER], text[3 * DRAW_NUMBER];
    draw_text_style style = {.size = DRAW_TEXT_SIZE,
                             .anchor = DRAW_MIDDLE,
                             .centred = true,
                             .paint = paint,
                             .halo = halo_on(figure, fill)};
    draw_number(plain, value);
    draw_typeset(plain, text, sizeof text);
    double width = draw_text_width(&style, text), room = box.width - 4;
    if (width > room) style.size *= room / width;
    draw_text(figure, box.x + box.width / 2, box.y + box.height / 2, &style, text);
}

void draw_cell_note(draw_figure *figure, draw_box box, bool upper_left, draw_paint fill, draw_paint paint,
                    const char *text)
{
    draw_text_style style = {.size = NOTE,
                             .anchor = upper_left ? DRAW_START : DRAW_END,
                             .paint = paint,
                             .halo = halo_on(figure, fill)};
    double width = draw_text_width(&style, text), room = box.width - 4;
    if (width > room) style.size *= room / width;
    if (upper_left)
        draw_text(figure, box.x + 2.5, box.y + 2.5 + NOTE * DRAW_CAPITAL, &style, text);
    else
        draw_text(figure, box.x + box.width - 2.5, box.y + box.height - 2.8, &style, text);
}

draw_role draw_panel_role(const draw_panel *panel, int64_t plane)
{
    if (panel->sheet->groups <= 1) return panel->role;
    return (draw_role)(DRAW_GROUP + draw_sheet_group(panel->sheet, plane) % DRAW_GROUPS);
}

/* Borders that repeat cells give every cell of the plane a colour of its own, which its draw_panel_copies
 * wear. */
bool draw_panel_copies(const draw_sheet *sheet)
{
    bool ring = false;
    for (int32_t a = 0; a < 3; a++) ring = ring || sheet->before[a] > 0 || sheet->after[a] > 0;
    return ring && !sheet->cut && sheet->mode != FAL_PAD_ZEROS && sheet->mode != FAL_PAD_CONSTANT;
}

draw_paint draw_panel_colour(const int64_t source[3])
{
    const int64_t hue = (source[2] + 2 * source[1] + 5 * source[0]) % (DRAW_GROUPS - 1);
    return DRAW_TINT(DRAW_GROUP + (int)hue, source[1] % 2 ? 0.28 : 0.45);
}

void draw_panel_source(draw_figure *figure, const draw_panel *panel, draw_box box, const int64_t source[3])
{
    char text[64];
    size_t used = 0;
    for (int32_t a = 3 - panel->sheet->spatial; a < 3 && used < sizeof text; a++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, used ? "," : "", source[a]);
    draw_cell_note(figure, box, true, draw_panel_colour(source), DRAW_PAINT(DRAW_INK), text);
}

static void draw_one(draw_figure *figure, const draw_panel *panel, int64_t plane, const int64_t at[3],
                     bool empty)
{
    const draw_sheet *sheet = panel->sheet;
    const draw_cell cell = draw_sheet_cell(sheet, plane, at);
    const draw_box box = draw_panel_box(panel, plane, at);
    const bool written = !panel->look->bare && !(empty && (cell.kind == DRAW_IS_CELL || sheet->cut)) &&
                         !(sheet->blank && cell.kind == DRAW_IS_OUTSIDE);
    draw_style style = draw_style_plain(draw_panel_role(panel, plane));
    draw_paint ink = DRAW_PAINT(DRAW_INK);
    if (panel->look->heatmap) {
        if (!empty) draw_heat_cell(figure, panel, box, &cell);
        return;
    }
    if (draw_panel_copies(sheet)) {
        style.fill = draw_panel_colour(cell.source);
        style.hatch = DRAW_HATCH_ROLE;
    }
    if (cell.kind == DRAW_IS_BETWEEN) style = draw_style_between();
    if (cell.kind == DRAW_IS_OUTSIDE) style = draw_style_ring();
    if (cell.kind == DRAW_IS_GHOST) style.dash = DRAW_DASHED;
    if (cell.kind == DRAW_IS_GHOST && sheet->cut) style.fill = DRAW_PAINT(DRAW_GHOST);
    if (cell.kind == DRAW_IS_CROPPED || (cell.kind == DRAW_IS_GHOST && sheet->cut))
        style.hatch = DRAW_HATCH_FALLING;
    if (cell.kind != DRAW_IS_CELL) ink = DRAW_PAINT(DRAW_FAINT);
    draw_rect(figure, box, &style);
    if (written) draw_cell_text(figure, box, style.fill, ink, cell.value);
    if (written && cell.kind == DRAW_IS_GHOST && !sheet->cut)
        draw_panel_source(figure, panel, box, cell.source);
}

void draw_panel_value(draw_figure *figure, const draw_panel *panel, int64_t plane, const int64_t at[3])
{
    const draw_cell cell = draw_sheet_cell(panel->sheet, plane, at);
    const draw_box box = draw_panel_box(panel, plane, at);
    if (panel->look->heatmap)
        draw_heat_cell(figure, panel, box, &cell);
    else if (!panel->look->bare)
        draw_cell_text(figure, box, DRAW_PAINT(DRAW_NOTHING),
                       DRAW_PAINT(cell.kind == DRAW_IS_CELL ? DRAW_INK : DRAW_FAINT), cell.value);
}

/* ---- Labels ---- */

/* Every index, or every second, fifth, tenth where they would touch. */
static int64_t index_step(const draw_panel *panel, int32_t axis)
{
    static const int64_t steps[] = {1, 2, 5, 10, 20, 50, 100};
    const draw_text_style style = {.size = SMALL};
    const draw_sheet *sheet = panel->sheet;
    const double pitch = panel->cell * (double)sheet->spread[axis];
    char text[24];
    int i = 0;
    snprintf(text, sizeof text, "%" PRId64, draw_sheet_end(sheet, axis) - 1);
    const double size = axis == 1 ? SMALL : draw_text_width(&style, text);
    while (i < 6 && size + 3 > pitch * (double)steps[i]) i++;
    return steps[i];
}

static void draw_indices(draw_figure *figure, const draw_panel *panel, int64_t plane, int32_t axis,
                         int64_t depth)
{
    const draw_sheet *sheet = panel->sheet;
    const draw_text_style style = {.size = SMALL,
                                   .anchor = axis == 2 ? DRAW_MIDDLE : DRAW_END,
                                   .centred = axis == 1,
                                   .paint = DRAW_PAINT(DRAW_FAINT)};
    const int64_t step = index_step(panel, axis);
    char plain[24], text[72];
    for (int64_t p = draw_sheet_first(sheet, axis); p < draw_sheet_end(sheet, axis); p++) {
        const int64_t at[3] = {depth, axis == 1 ? p : draw_sheet_first(sheet, 1),
                               axis == 2 ? p : draw_sheet_first(sheet, 2)};
        const draw_box box = draw_panel_box(panel, plane, at);
        if (sheet->spread[axis] > 1 && (p < 0 || p % sheet->spread[axis] != 0)) continue;
        if (p / sheet->spread[axis] >= sheet->size[axis] && sheet->spread[axis] > 1) continue;
        if (p / sheet->spread[axis] % step != 0) continue;
        snprintf(plain, sizeof plain, "%" PRId64, p / sheet->spread[axis]);
        draw_typeset(plain, text, sizeof text);
        if (axis == 2)
            draw_text(figure, box.x + box.width / 2, box.y - 4, &style, text);
        else
            draw_text(figure, box.x - 5, box.y + box.height / 2, &style, text);
    }
}

static void draw_labels(draw_figure *figure, const draw_panel *panel, int64_t plane)
{
    const draw_sheet *sheet = panel->sheet;
    const draw_text_style style = {.size = NAME, .paint = DRAW_PAINT(DRAW_INK)};
    const draw_point c = corner(panel, plane);
    char text[80];
    double y = c.y - (indexed(panel) ? INDEX : 0) - 4;
    for (int64_t d = draw_sheet_first(sheet, 0); d < draw_sheet_end(sheet, 0); d++) {
        if (extent(sheet, 0) > 1)
            draw_textf(figure, c.x + (double)(d - draw_sheet_first(sheet, 0)) * panel->slice, y, &style,
                       "depth %s%" PRId64, d < 0 ? "−" : "", (d < 0 ? -d : d) / sheet->spread[0]);
        if (!indexed(panel)) continue;
        draw_indices(figure, panel, plane, 2, d);
        if (sheet->spatial > 1 && d == draw_sheet_first(sheet, 0)) draw_indices(figure, panel, plane, 1, d);
    }
    if (extent(sheet, 0) > 1) y -= LABEL;
    label_of(sheet, plane, text);
    if (text[0] != '\0') draw_text(figure, c.x, y, &style, text);
}

void draw_panel_grid(draw_figure *figure, const draw_panel *panel, bool empty)
{
    const draw_sheet *sheet = panel->sheet;
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    char title[3 * sizeof sheet->title];
    int64_t at[3];
    draw_typeset(sheet->title, title, sizeof title);
    draw_text(figure, panel->x, panel->y + 10, &bold, title);
    if (panel->look->heatmap) draw_heat_key(figure, panel);
    for (int64_t plane = 0; plane < draw_sheet_planes(sheet); plane++) {
        draw_labels(figure, panel, plane);
        if (panel->look->heatmap) draw_heat_ground(figure, panel, plane);
    }
    int64_t plane;
    for (bool more = draw_sheet_begin(sheet, &plane, at); more; more = draw_sheet_next(sheet, &plane, at))
        draw_one(figure, panel, plane, at, empty);
}
