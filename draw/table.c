/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c: see table.h. */
#include "draw/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double TITLE = 20, LABEL = 8.5;

draw_side draw_side_of(const fal_tensor *t, int32_t first)
{
    draw_side side = {0};
    for (int32_t a = first; a < t->rank && side.rank < 5; a++)
        if (t->shape[a] > 1 || (a + 1 == t->rank && side.rank == 0)) side.axes[side.rank++] = t->shape[a];
    return side;
}

static void label_of(const draw_side *side, int64_t number, char text[64])
{
    int64_t index[5] = {0};
    size_t used = 0;
    text[0] = '\0';
    for (int32_t a = side->rank - 1; a >= 0; a--) {
        index[a] = side->from[a] + number % side->axes[a];
        number /= side->axes[a];
    }
    for (int32_t a = 0; a < side->rank && used < 64; a++)
        used += (size_t)snprintf(text + used, 64 - used, "%s%" PRId64, a ? "," : "", index[a]);
}

static double widest_label(const draw_side *side, int64_t count)
{
    const draw_text_style style = {.size = LABEL};
    char text[64];
    double widest = 0;
    for (int64_t i = 0; side->rank > 0 && i < count; i++) {
        label_of(side, i, text);
        widest = fmax(widest, draw_text_width(&style, text));
    }
    return widest;
}

double draw_table_cell(const draw_table *table)
{
    const draw_text_style style = {.size = DRAW_TEXT_SIZE};
    const int64_t rows = table->values.shape[0], columns = table->values.shape[1];
    char text[DRAW_NUMBER];
    double widest = 0;
    if (table->look->heatmap)
        return fmax(2, fmin(16, floor(400 / (double)(rows > columns ? rows : columns))));
    if (table->look->bare) return 18;
    for (int64_t i = 0; i < rows * columns; i++) {
        const int64_t at[2] = {i / columns, i % columns};
        draw_number(text, fal_tensor_get(&table->values, at));
        widest = fmax(widest, draw_text_width(&style, text));
    }
    return fmin(46, fmax(table->taps && table->kernel.rank ? 31 : 27, ceil(widest + 8)));
}

/* Turned labels stand above columns that are narrower than them. */
static bool turned(const draw_table *table)
{
    return widest_label(&table->columns, table->values.shape[1]) > table->cell - 6;
}

static void find_scale(const fal_tensor *values, double *low, double *high)
{
    const int64_t columns = values->shape[1];
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < values->shape[0] * columns; i++) {
        const double value = fal_tensor_get(values, (const int64_t[]){i / columns, i % columns});
        *low = fmin(*low, value);
        *high = fmax(*high, value);
    }
}

void draw_table_range(const fal_tensor *values, char low[DRAW_NUMBER], char high[DRAW_NUMBER])
{
    double least, most;
    find_scale(values, &least, &most);
    draw_number(low, least);
    draw_number(high, most);
}

void draw_table_measure(draw_table *table, double cell)
{
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    table->cell = cell > 0 ? cell : draw_table_cell(table);
    if (table->look->heatmap) find_scale(&table->values, &table->low, &table->high);
    const bool labels = table->cell >= 12;
    const double above = widest_label(&table->columns, table->values.shape[1]);
    table->left = labels && table->rows.rank ? widest_label(&table->rows, table->values.shape[0]) + 7 : 0;
    table->top = TITLE + (!labels || !table->columns.rank ? 0 : turned(table) ? above + 6 : LABEL + 6);
    table->width = fmax(table->left + (double)table->values.shape[1] * table->cell,
                        draw_text_width(&bold, table->title));
    table->height = table->top + (double)table->values.shape[0] * table->cell;
}

draw_box draw_table_box(const draw_table *table, int64_t row, int64_t column)
{
    return (draw_box){table->x + table->left + (double)column * table->cell,
                      table->y + table->top + (double)row * table->cell, table->cell, table->cell};
}

/* ---- Cells ---- */

static draw_style style_of(const draw_table *table, int64_t row, int64_t column)
{
    draw_style style = draw_style_plain(table->role);
    if (table->look->heatmap) style.stroke = DRAW_PAINT(DRAW_NOTHING);
    if (table->taps == NULL && table->look->heatmap) {
        const double value = fal_tensor_get(&table->values, (const int64_t[]){row, column});
        const double span = table->high - table->low;
        style.fill = DRAW_TINT(DRAW_HEAT, span > 0 ? (value - table->low) / span : 0.5);
    }
    if (table->taps == NULL) return style;
    const int32_t tap = table->taps[row * table->values.shape[1] + column];
    if (tap == -1) {
        style = draw_style_between();
        style.dash = DRAW_SOLID;
        style.width = 0.4;
    } else if (tap >= 0) {
        style.fill = DRAW_TINT(DRAW_GROUP + tap % DRAW_GROUPS, tap / DRAW_GROUPS % 2 ? 0.25 : 0.55);
        style.hatch = DRAW_HATCH_ROLE;
    }
    return style;
}

/* Where taps have names in the corners, numbers stand a little lower. */
static void put_number(draw_figure *figure, const draw_table *table, draw_box box, draw_paint fill,
                       int64_t row, int64_t column)
{
    const int64_t at[2] = {row, column};
    const bool none = table->taps != NULL && table->taps[row * table->values.shape[1] + column] == -1;
    if (table->look->bare || table->look->heatmap) return;
    if (table->taps != NULL && table->kernel.rank > 0) {
        box.y += 5;
        box.height -= 5;
    }
    draw_cell_text(figure, box, fill, DRAW_PAINT(none ? DRAW_FAINT : DRAW_INK),
                   fal_tensor_get(&table->values, at));
}

/* The name of the tap in the corner. */
static void draw_tap(draw_figure *figure, const draw_table *table, draw_box box, draw_paint fill, int64_t row,
                     int64_t column)
{
    char text[64];
    if (table->taps == NULL || table->kernel.rank == 0 || table->look->heatmap || table->cell < 24) return;
    const int32_t tap = table->taps[row * table->values.shape[1] + column];
    if (tap < 0) return;
    label_of(&table->kernel, tap, text);
    draw_cell_note(figure, box, true, fill, DRAW_PAINT(DRAW_INK), text);
}

void draw_table_value(draw_figure *figure, const draw_table *table, int64_t row, int64_t column)
{
    put_number(figure, table, draw_table_box(table, row, column), DRAW_PAINT(DRAW_NOTHING), row, column);
}

void draw_table_mark(draw_figure *figure, const draw_table *table, int64_t row, int64_t column,
                     const draw_style *style)
{
    const draw_box box = draw_table_box(table, row, column);
    draw_style thin = *style;
    if (table->cell < 8) thin.stroke = DRAW_PAINT(DRAW_NOTHING);
    draw_rect(figure, box, &thin);
    put_number(figure, table, box, style->fill, row, column);
}

void draw_table_outline(draw_figure *figure, const draw_table *table, int64_t row, int64_t rows,
                        int64_t column, int64_t columns)
{
    draw_style style = draw_style_window();
    draw_box box = draw_table_box(table, row, column);
    style.width = fmin(style.width, table->cell / 2);
    box.width *= (double)columns;
    box.height *= (double)rows;
    draw_rect(figure, box, &style);
}

/* ---- Labels and lines ---- */

static void draw_side_labels(draw_figure *figure, const draw_table *table, bool columns)
{
    const draw_side *side = columns ? &table->columns : &table->rows;
    const bool up = columns && turned(table);
    const draw_text_style style = {.size = LABEL,
                                   .anchor = up        ? DRAW_START
                                             : columns ? DRAW_MIDDLE
                                                       : DRAW_END,
                                   .centred = !columns || up,
                                   .turned = up,
                                   .paint = DRAW_PAINT(DRAW_FAINT)};
    char text[64];
    if (side->rank == 0 || table->cell < 12) return;
    for (int64_t i = 0; i < table->values.shape[columns ? 1 : 0]; i++) {
        const draw_box box = draw_table_box(table, columns ? 0 : i, columns ? i : 0);
        label_of(side, i, text);
        if (columns)
            draw_text(figure, box.x + box.width / 2, box.y - 4, &style, text);
        else
            draw_text(figure, box.x - 4, box.y + box.height / 2, &style, text);
    }
}

/* Lines where the slower axes of a side move on. */
static void draw_blocks(draw_figure *figure, const draw_table *table, bool columns)
{
    const draw_side *side = columns ? &table->columns : &table->rows;
    const int64_t rows = table->values.shape[0], count = table->values.shape[columns ? 1 : 0];
    const draw_box first = draw_table_box(table, 0, 0),
                   end = draw_table_box(table, rows, table->values.shape[1]);
    int64_t block = 1;
    for (int32_t a = side->rank - 1; a > 0; a--) {
        const draw_style style = {.stroke = DRAW_PAINT(DRAW_INK), .width = 1.2 + 0.8 * (side->rank - 1 - a)};
        block *= side->axes[a];
        for (int64_t i = block; i < count && table->cell >= 8; i += block) {
            const draw_box at = draw_table_box(table, columns ? 0 : i, columns ? i : 0);
            draw_line(figure, (draw_point){at.x, at.y},
                      columns ? (draw_point){at.x, end.y} : (draw_point){end.x, at.y}, &style);
        }
    }
    const draw_style frame = {.stroke = DRAW_PAINT(DRAW_INK), .width = table->cell < 8 ? 0.6 : 1.4};
    draw_rect(figure, (draw_box){first.x, first.y, end.x - first.x, end.y - first.y}, &frame);
}

/* A heat map lies on the colour of zeros. */
static void draw_ground(draw_figure *figure, const draw_table *table)
{
    const draw_style style = {.fill = DRAW_PAINT(DRAW_ZERO), .hatch = DRAW_HATCH_NONE};
    draw_box box = draw_table_box(table, 0, 0);
    box.width *= (double)table->values.shape[1];
    box.height *= (double)table->values.shape[0];
    draw_rect(figure, box, &style);
}

void draw_table_grid(draw_figure *figure, const draw_table *table, bool empty)
{
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    char title[DRAW_WORDS];
    draw_typeset(table->title, title, sizeof title);
    draw_text(figure, table->x + table->left, table->y + 10, &bold, title);
    if (table->look->heatmap) draw_ground(figure, table);
    for (int64_t row = 0; row < table->values.shape[0]; row++)
        for (int64_t column = 0; column < table->values.shape[1]; column++) {
            const draw_style style = style_of(table, row, column);
            const draw_box box = draw_table_box(table, row, column);
            if (table->look->heatmap && style.fill.role == DRAW_ZERO) continue;
            draw_rect(figure, box, &style);
            if (!empty) put_number(figure, table, box, style.fill, row, column);
            draw_tap(figure, table, box, style.fill, row, column);
        }
    draw_side_labels(figure, table, true);
    draw_side_labels(figure, table, false);
    draw_blocks(figure, table, true);
    draw_blocks(figure, table, false);
}
