/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_tile.c: a matrix, its tiled view, and where the tiles lie in memory.
 *
 *     x (6,6), strides (6,1)     tiled by 2:  (3,3,2,2), strides (12,2,6,1)
 *
 * The view copies nothing: element [i,j,r,c] is memory[i*12 + j*2 + r*6 + c]. A step is a tile.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "draw/view_parts.h"

typedef struct tile_view {
    fal_tensor x, view; /* x with data of the caller's; view has the axes (i, j, r, c) */
    draw_sheet sheet;
    draw_panel panel;
    double cell, right, gap, strip, side, words, width;
    int64_t across;    /* cells in a line of the strip */
    int64_t low, high; /* offsets that the matrix reaches */
    bool placed;
} tile_view;

/* ---- Places ---- */

/* Element [r, c] of tile [i, j] in the drawing of the view. */
static draw_box box_in_view(const tile_view *v, int64_t i, int64_t j, int64_t r, int64_t c)
{
    const double high = (double)v->view.shape[2] * v->cell + v->gap,
                 wide = (double)v->view.shape[3] * v->cell + v->gap;
    const draw_box first = draw_panel_box(&v->panel, 0, (const int64_t[]){0, 0, 0});
    return (draw_box){v->right + (double)j * wide + (double)c * v->cell,
                      first.y + (double)i * high + (double)r * v->cell, v->cell, v->cell};
}

static draw_box box_in_memory(const tile_view *v, int64_t offset)
{
    const int64_t place = offset - v->low;
    return (draw_box){(double)(place % v->across) * v->side,
                      v->strip + (double)(place / v->across) * (v->side + 16), v->side, v->side};
}

/* ---- Words ---- */

static void list_of(const int64_t *numbers, int32_t count, char text[96])
{
    size_t used = 0;
    for (int32_t a = 0; a < count && used < 96; a++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%" PRId64, a ? "," : "", numbers[a]);
}

static double say_strides(draw_figure *figure, const tile_view *v, double y)
{
    const fal_tensor *both[2] = {&v->x, &v->view};
    static const char *const names[2] = {"x", "view"};
    char text[DRAW_WORDS], shape[96], strides[96];
    for (int i = 0; i < 2; i++) {
        list_of(both[i]->shape, both[i]->rank, shape);
        list_of(both[i]->strides, both[i]->rank, strides);
        snprintf(text, sizeof text, "%s: shape (%s), strides (%s)%s", names[i], shape, strides,
                 i == 0 ? "" : ": the same memory, nothing is copied");
        y = draw_words(figure, 0, y, v->width, DRAW_INK, text) + 2;
    }
    return y;
}

/* ---- Drawing ---- */

static bool even(int64_t i, int64_t j)
{
    return (i + j) % 2 == 0;
}

/* Neighbouring tiles differ in tint, so that they are found again in memory. */
static draw_style style_of(const tile_view *v, int64_t i, int64_t j)
{
    draw_style style = draw_style_plain(DRAW_INPUT);
    (void)v;
    if (!even(i, j)) style.fill = DRAW_PAINT(DRAW_PAPER);
    return style;
}

static void draw_element(draw_figure *figure, const draw_view *view, draw_box box, const draw_style *style,
                         const int64_t index[4])
{
    const tile_view *v = view->own;
    draw_rect(figure, box, style);
    if (view->look.bare) return;
    draw_cell_text(figure, box, style->fill, DRAW_PAINT(DRAW_INK), fal_tensor_get(&v->view, index));
}

/* One tile in all three places. */
static void draw_tile(draw_figure *figure, const draw_view *view, int64_t i, int64_t j, bool marked)
{
    const tile_view *v = view->own;
    const int64_t rows = v->view.shape[2], columns = v->view.shape[3];
    const draw_style style = marked ? draw_style_tap(DRAW_INPUT) : style_of(v, i, j);
    const draw_style outline =
        marked ? draw_style_window() : (draw_style){.stroke = DRAW_PAINT(DRAW_INK), .width = 1.4};
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            const int64_t index[4] = {i, j, r, c}, at[3] = {0, i * rows + r, j * columns + c};
            int64_t offset = 0;
            for (int32_t a = 0; a < 4; a++) offset += index[a] * v->view.strides[a];
            draw_element(figure, view, draw_panel_box(&v->panel, 0, at), &style, index);
            draw_element(figure, view, box_in_view(v, i, j, r, c), &style, index);
            draw_element(figure, view, box_in_memory(v, offset), &style, index);
        }
    const draw_box first = draw_panel_box(&v->panel, 0, (const int64_t[]){0, i * rows, j * columns});
    const draw_box there = box_in_view(v, i, j, 0, 0);
    const double wide = (double)columns * v->cell, high = (double)rows * v->cell;
    draw_rect(figure, (draw_box){first.x, first.y, wide, high}, &outline);
    draw_rect(figure, (draw_box){there.x, there.y, wide, high}, &outline);
}

static void draw_names(draw_figure *figure, const tile_view *v)
{
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    const draw_text_style small = {.size = 8.5, .paint = DRAW_PAINT(DRAW_FAINT)};
    const draw_text_style tiny = {.size = 7.5, .anchor = DRAW_MIDDLE, .paint = DRAW_PAINT(DRAW_FAINT)};
    draw_textf(figure, v->right, v->panel.y + 10, &bold, "view, %" PRId64 "×%" PRId64 "×%" PRId64 "×%" PRId64,
               v->view.shape[0], v->view.shape[1], v->view.shape[2], v->view.shape[3]);
    for (int64_t i = 0; i < v->view.shape[0]; i++)
        for (int64_t j = 0; j < v->view.shape[1]; j++) {
            const draw_box box = box_in_view(v, i, j, 0, 0);
            draw_textf(figure, box.x, box.y - 3.5, &small, "[%" PRId64 ",%" PRId64 "]", i, j);
        }
    draw_text(figure, 0, v->strip - 22, &bold, "memory, with the offset of every element");
    for (int64_t offset = v->low; offset < v->high; offset++) {
        const draw_box box = box_in_memory(v, offset);
        const draw_style style = draw_style_ring();
        draw_rect(figure, box, &style);
        draw_textf(figure, box.x + box.width / 2, box.y - 3, &tiny, "%" PRId64, offset);
    }
}

static void background(draw_view *view, draw_figure *figure)
{
    tile_view *v = view->own;
    const double top = draw_heading(figure, 0, 0, v->width, "A tiled view", "") + 4;
    if (!v->placed) {
        v->panel.y += top;
        v->strip += top;
        v->words += top;
        v->placed = true;
    }
    draw_panel_grid(figure, &v->panel, true);
    draw_names(figure, v);
    for (int64_t i = 0; i < v->view.shape[0]; i++)
        for (int64_t j = 0; j < v->view.shape[1]; j++) draw_tile(figure, view, i, j, false);
    say_strides(figure, v, v->words);
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    const tile_view *v = view->own;
    char text[DRAW_WORDS];
    (void)alone;
    if (step < 0) return FAL_OK;
    if (step >= view->steps)
        return draw_fail(error, FAL_E_VALUE, "step", "tile %" PRId64 " of %" PRId64, step, view->steps);
    const int64_t i = step / v->view.shape[1], j = step % v->view.shape[1];
    const int64_t *s = v->view.strides;
    draw_tile(figure, view, i, j, true);
    snprintf(text, sizeof text,
             "tile [%" PRId64 ",%" PRId64 "] begins at offset %" PRId64 "*%" PRId64 " + %" PRId64 "*%" PRId64
             " = %" PRId64,
             i, j, i, s[0], j, s[1], i * s[0] + j * s[1]);
    draw_words(figure, 0, v->words + 38, v->width, DRAW_INK, text);
    return FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const tile_view *v = view->own;
    char text[DRAW_WORDS];
    snprintf(text, sizeof text,
             "A matrix of %" PRId64 " by %" PRId64 ", its view as %" PRId64 " by %" PRId64
             " tiles of %" PRId64 " by %" PRId64 ", and the places of the elements in memory.",
             v->x.shape[0], v->x.shape[1], v->view.shape[0], v->view.shape[1], v->view.shape[2],
             v->view.shape[3]);
    draw_figure_describe(figure, "A tiled view", text);
}

/* ---- Opening ---- */

static fal_status prepare(draw_view *view, const fal_tensor *x, const int64_t *tile, fal_error *error)
{
    tile_view *v = view->own;
    view->look.heatmap = false; /* its numbers are places */
    v->x = *x;
    DRAW_TRY(fal_tensor_tile(x, tile, &v->view, error));
    DRAW_TRY(fal_tensor_extent(x, &v->low, &v->high));
    const int64_t count = v->high - v->low, rows = x->shape[0], columns = x->shape[1];
    DRAW_TRY(draw_readable(&view->look, 3 * count, rows > columns ? rows : columns, error));
    fal_tensor data = {.data = x->data,
                       .dtype = x->dtype,
                       .rank = 5,
                       .shape = {1, 1, 1, rows, columns},
                       .strides = {0, 0, 0, x->strides[0], x->strides[1]}};
    draw_sheet_set(&v->sheet, "matrix", "x", &data, 2);
    v->cell = fmin(draw_panel_cell(&v->sheet, &view->look), 34);
    draw_panel_measure(&v->panel, &v->sheet, DRAW_INPUT, v->cell, &view->look);
    v->gap = 14;
    v->right = v->panel.width + 40;
    const double wide = v->right + (double)columns * v->cell + (double)v->view.shape[1] * v->gap;
    v->side = fmin(v->cell, 26);
    v->width = fmax(wide, 460);
    v->across = (int64_t)(v->width / v->side);
    if (v->across > columns) v->across -= v->across % columns; /* whole rows of the matrix in a line */
    const double grid =
        fmax(v->panel.height, 32 + (double)rows * v->cell + (double)v->view.shape[0] * v->gap);
    v->strip = grid + 46;
    v->words = v->strip + ceil((double)count / (double)v->across) * (v->side + 16) + 8;
    view->steps = v->view.shape[0] * v->view.shape[1];
    view->usual = -1;
    return FAL_OK;
}

static const draw_view_kind kind = {
    .bytes = sizeof(tile_view), .background = background, .frame = frame, .describe = describe};

fal_status draw_view_tile(const fal_tensor *x, const int64_t *tile, const draw_look *look, draw_view **view,
                          fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, x, tile, error));
}
