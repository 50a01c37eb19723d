/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_coverage.c: how many taps reach every output, and how often every input is read.
 *
 * Counts are those of `fal_coverage_outputs` and `fal_coverage_inputs`; on several axes they multiply. Under
 * the two grids stands the last axis as a diagram: a line for every meeting of an input and an output.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draw/view_parts.h"

enum { INPUTS, OUTPUTS, GRIDS };

typedef struct coverage_view {
    fal_tensor counts[GRIDS]; /* (1, 1, depth, rows, columns) */
    draw_sheet sheet[GRIDS];
    draw_panel panel[GRIDS];
    double most[GRIDS], least[GRIDS];
    fal_tap *taps; /* of one output on the last axis */
    bool uneven;   /* away from the edges */
    double width, bottom, pitch;
    bool placed;
} coverage_view;

static const double ROWS_APART = 110;

/* ---- Counting ---- */

/* Do neighbours on the larger side of the operator (inputs, or outputs when transposed) differ where no
 * edge is near? There position p is reached by all windows that could: K-1 <= p + begin <= (n-1)*s for n
 * windows. */
static bool differs(const fal_axis *axis, bool transposed, const int64_t *counts)
{
    const int64_t span = axis->dilation * (axis->kernel - 1);
    const int64_t size = transposed ? axis->output : axis->input,
                  windows = transposed ? axis->input : axis->output;
    const int64_t first = span - axis->begin, last = (windows - 1) * axis->stride - axis->begin;
    for (int64_t p = first > 0 ? first : 0; p < last && p + 1 < size; p++)
        if (counts[p] != counts[p + 1]) return true;
    return false;
}

static fal_status count(draw_view *view, int which, fal_error *error)
{
    coverage_view *v = view->own;
    const fal_conv_geometry *g = &view->scene->geometry;
    int64_t shape[5] = {1, 1, 1, 1, 1}, *axis[3] = {NULL, NULL, NULL}, one = 1;
    void *memory;
    for (int32_t a = 0; a < 3; a++) {
        const int32_t own = a - (3 - g->spatial);
        axis[a] = &one;
        if (own < 0) continue;
        const fal_axis *of = &g->axis[own];
        shape[2 + a] = which == INPUTS ? of->input : of->output;
        DRAW_TRY(draw_scene_alloc(view->scene, shape[2 + a], sizeof(int64_t), &memory, error));
        axis[a] = memory;
        DRAW_TRY((which == INPUTS ? fal_coverage_inputs : fal_coverage_outputs)(of, g->transposed, axis[a],
                                                                                error));
        if (g->transposed == (which == OUTPUTS)) v->uneven = v->uneven || differs(of, g->transposed, axis[a]);
    }
    DRAW_TRY(draw_scene_tensor(view->scene, FAL_I64, 5, shape, &v->counts[which], error));
    v->least[which] = INFINITY;
    v->most[which] = 0;
    for (int64_t z = 0; z < shape[2]; z++)
        for (int64_t y = 0; y < shape[3]; y++)
            for (int64_t x = 0; x < shape[4]; x++) {
                const int64_t product = axis[0][z] * axis[1][y] * axis[2][x];
                fal_tensor_set_int(&v->counts[which], (const int64_t[]){0, 0, z, y, x}, product);
                v->least[which] = fmin(v->least[which], (double)product);
                v->most[which] = fmax(v->most[which], (double)product);
            }
    draw_sheet_set(&v->sheet[which],
                   which == INPUTS ? "how often each input of" : "taps that reach each output of",
                   which == INPUTS ? "x" : "y", &v->counts[which], g->spatial);
    return FAL_OK;
}

static void name(coverage_view *v, int which)
{
    draw_sheet *sheet = &v->sheet[which];
    const char *what = which == INPUTS ? "times each input is read" : "taps that reach each output";
    const double least = v->least[which], most = v->most[which];
    if (least < most)
        snprintf(sheet->title, sizeof sheet->title, "%s: %.0f to %.0f", what, least, most);
    else
        snprintf(sheet->title, sizeof sheet->title, "%s: %.0f", what, least);
}

static void arrange(draw_view *view)
{
    coverage_view *v = view->own;
    const draw_look *look = &view->look;
    const fal_axis *last = &view->scene->geometry.axis[view->scene->geometry.spatial - 1];
    double x = 0, tallest = 0,
           cell = fmax(draw_panel_cell(&v->sheet[0], look), draw_panel_cell(&v->sheet[1], look));
    if (!look->heatmap) cell = fmin(cell, 30);
    for (int i = 0; i < GRIDS; i++) {
        draw_panel_measure(&v->panel[i], &v->sheet[i], i == INPUTS ? DRAW_INPUT : DRAW_OUTPUT,
                           look->heatmap ? draw_panel_cell(&v->sheet[i], look) : cell, look);
        v->panel[i].x = x;
        x += v->panel[i].width + 48;
        tallest = fmax(tallest, v->panel[i].height);
    }
    v->width = fmax(x - 48, 460);
    v->bottom = tallest;
    const int64_t longest = last->input > last->output ? last->input : last->output;
    v->pitch = fmin(34, v->width / (double)longest);
}

/* ---- Drawing ---- */

static void draw_counts(draw_figure *figure, const draw_view *view, int which)
{
    const coverage_view *v = view->own;
    const draw_panel *panel = &v->panel[which];
    const double span = v->most[which] - v->least[which];
    int64_t plane, at[3];
    draw_panel_grid(figure, panel, true);
    for (bool more = draw_sheet_begin(panel->sheet, &plane, at); more;
         more = draw_sheet_next(panel->sheet, &plane, at)) {
        const double value = draw_sheet_value(panel->sheet, plane, at);
        const double level = span > 0 ? (value - v->least[which]) / span : 0.5;
        draw_style style = {.fill = DRAW_TINT(DRAW_HEAT, level), .hatch = DRAW_HATCH_NONE};
        draw_box box = draw_panel_box(panel, plane, at);
        if (view->look.heatmap) {
            box.width += DRAW_OVERLAP;
            box.height += DRAW_OVERLAP;
        } else {
            style.stroke = DRAW_PAINT(DRAW_BORDER);
            style.width = 0.8;
        }
        draw_rect(figure, box, &style);
        if (view->look.heatmap || view->look.bare) continue;
        draw_cell_text(figure, box, style.fill, draw_theme_text_on(view->look.theme, style.fill), value);
    }
}

/* The middle of cell `i` of a row of `count`, the row in the middle of the figure. */
static double place(const coverage_view *v, int64_t i, int64_t number)
{
    return v->width / 2 + ((double)i - (double)(number - 1) / 2) * v->pitch;
}

static void draw_row(draw_figure *figure, const coverage_view *v, double y, int64_t number, draw_role role)
{
    const draw_style style = draw_style_plain(role);
    const draw_text_style text = {.size = 9, .anchor = DRAW_MIDDLE, .centred = true};
    const double side = fmin(v->pitch * 0.8, 24);
    for (int64_t i = 0; i < number; i++) {
        const double x = place(v, i, number);
        draw_rect(figure, (draw_box){x - side / 2, y - side / 2, side, side}, &style);
        if (side >= 13) draw_textf(figure, x, y, &text, "%" PRId64, i);
    }
}

static void draw_diagram(draw_figure *figure, const draw_view *view, double top)
{
    const coverage_view *v = view->own;
    const fal_conv_geometry *g = &view->scene->geometry;
    const fal_axis *axis = &g->axis[g->spatial - 1];
    const draw_text_style bold = {.size = 11, .face = DRAW_SANS_BOLD};
    const draw_style line = {.stroke = DRAW_PAINT(DRAW_INK), .width = 0.9};
    const double side = fmin(v->pitch * 0.8, 24), upper = top + 18 + side / 2, lower = upper + ROWS_APART;
    int64_t taps;
    draw_text(figure, 0, top, &bold,
              g->spatial > 1
                  ? "the last axis: inputs above, outputs below, a line for every tap that meets an input"
                  : "inputs above, outputs below, a line for every tap that meets an input");
    for (int64_t o = 0; o < axis->output; o++) {
        if (fal_axis_taps(axis, g->transposed, g->padding_mode, g->flip_kernel, o, v->taps, axis->kernel,
                          &taps, NULL))
            return;
        for (int64_t i = 0; i < taps; i++) {
            if (v->taps[i].index < 0) continue;
            draw_line(figure, (draw_point){place(v, v->taps[i].index, axis->input), upper + side / 2},
                      (draw_point){place(v, o, axis->output), lower - side / 2}, &line);
        }
    }
    draw_row(figure, v, upper, axis->input, DRAW_INPUT);
    draw_row(figure, v, lower, axis->output, DRAW_OUTPUT);
}

/* What the counts mean. */
static const char *verdict(const draw_view *view)
{
    const coverage_view *v = view->own;
    if (!view->scene->geometry.transposed)
        return v->uneven
                   ? "Taps on padding are not counted. Away from the edges some inputs are read more often "
                     "than "
                     "others."
                   : "Taps on padding are not counted. Away from the edges every input is read as often.";
    return v->uneven
               ? "Away from the edges neighbouring outputs get different numbers of taps: a checkerboard."
               : "Away from the edges every output gets the same number of taps.";
}

static void background(draw_view *view, draw_figure *figure)
{
    coverage_view *v = view->own;
    const draw_scene *scene = view->scene;
    const fal_axis *last = &scene->geometry.axis[scene->geometry.spatial - 1];
    char title[DRAW_WORDS];
    snprintf(title, sizeof title, "%s: who meets whom, and how often", scene->problem.title);
    const double top = draw_heading(figure, 0, 0, v->width, title, scene->title) + 4;
    for (int i = 0; i < GRIDS && !v->placed; i++) v->panel[i].y += top;
    if (!v->placed) v->bottom += top;
    v->placed = true;
    draw_counts(figure, view, INPUTS);
    draw_counts(figure, view, OUTPUTS);
    double y = v->bottom + 34;
    if (last->input <= 40 && last->output <= 80) {
        draw_diagram(figure, view, y);
        y += 18 + ROWS_APART + 2 * fmin(v->pitch * 0.8, 24) + 6;
    }
    y = draw_words(figure, 0, y, v->width, DRAW_INK, verdict(view));
    for (int i = 0; i < scene->captions; i++)
        y = draw_words(figure, 0, y + 4, v->width, DRAW_INK, scene->caption[i]);
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    (void)view;
    (void)figure;
    (void)alone;
    if (step <= 0) return FAL_OK;
    return draw_fail(error, FAL_E_VALUE, "step", "the coverage has no steps");
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const coverage_view *v = view->own;
    char text[3 * DRAW_WORDS];
    snprintf(text, sizeof text, "%s, %s. %s; %s. %s", view->scene->problem.title, view->scene->title,
             v->sheet[INPUTS].title, v->sheet[OUTPUTS].title, verdict(view));
    draw_figure_describe(figure, "Coverage", text);
}

static fal_status prepare(draw_view *view, const draw_problem *problem, fal_error *error)
{
    coverage_view *v = view->own;
    void *memory;
    draw_problem plain = *problem;
    if (plain.op == DRAW_OP_CONV_TRANSPOSE) plain.op = DRAW_OP_SCATTER; /* without zeros between */
    DRAW_TRY(draw_scene_create(&plain, &view->scene, error));
    const fal_conv_geometry *g = &view->scene->geometry;
    int64_t cells[GRIDS] = {1, 1}, longest = 0;
    for (int32_t a = 0; a < g->spatial; a++) {
        cells[INPUTS] *= g->axis[a].input;
        cells[OUTPUTS] *= g->axis[a].output;
        if (g->axis[a].input > longest) longest = g->axis[a].input;
        if (g->axis[a].output > longest) longest = g->axis[a].output;
    }
    DRAW_TRY(draw_readable(&view->look, cells[INPUTS] + cells[OUTPUTS], longest, error));
    for (int i = 0; i < GRIDS; i++) {
        DRAW_TRY(count(view, i, error));
        name(v, i);
    }
    DRAW_TRY(draw_scene_alloc(view->scene, g->axis[g->spatial - 1].kernel, sizeof *v->taps, &memory, error));
    v->taps = memory;
    arrange(view);
    view->steps = 1;
    view->usual = -1;
    return FAL_OK;
}

static const draw_view_kind kind = {
    .bytes = sizeof(coverage_view), .background = background, .frame = frame, .describe = describe};

fal_status draw_view_coverage(const draw_problem *problem, const draw_look *look, draw_view **view,
                              fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, problem, error));
}
