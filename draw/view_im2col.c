/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_im2col.c: convolution as one product of matrices: every window becomes a column, or a row.
 *
 *     nchw   y (oc, P) = w (oc, c*K) cols (c*K, P)        windows are columns, channels slowest in them
 *     nhwc   y (P, oc) = cols (P, K*c) w (K*c, oc)        windows are rows, channels fastest in them
 *
 * A step is a window. Without a weight only the windows are shown.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/table.h"

enum { COLS, W, Y, TABLES };

typedef struct im2col_view {
    draw_panel input;
    draw_table table[TABLES];
    char title[TABLES][64];
    bool rows;    /* nhwc: windows are rows */
    bool product; /* there is a weight */
    int order[TABLES], count;
    double width, bottom, words;
    bool placed;
} im2col_view;

/* ---- Numbers ---- */

/* The first image's windows. */
static fal_status unfold(draw_view *view, const fal_conv_params *params, fal_tensor *matrix, fal_error *error)
{
    const fal_tensor *x = &view->scene->problem.x;
    fal_tensor cols;
    DRAW_TRY(fal_unfold_shape(x, params, &cols, error));
    DRAW_TRY(draw_scene_tensor(view->scene, cols.dtype, cols.rank, cols.shape, &cols, error));
    DRAW_TRY(fal_unfold(x, params, &cols, error));
    const int32_t first = cols.rank - 2;
    *matrix = (fal_tensor){.data = cols.data, .dtype = cols.dtype, .rank = 2};
    for (int32_t a = 0; a < 2; a++) {
        matrix->shape[a] = cols.shape[first + a];
        matrix->strides[a] = cols.strides[first + a];
    }
    return FAL_OK;
}

/* The weight as a matrix; a true convolution's taps are reversed. */
static fal_status flatten(draw_view *view, int64_t inner, fal_tensor *matrix, fal_error *error)
{
    const fal_conv_geometry *g = &view->scene->geometry;
    const bool nhwc = g->layout == FAL_NHWC;
    fal_tensor w = view->scene->problem.w, copy;
    const int64_t shape[2] = {nhwc ? inner : g->out_channels, nhwc ? g->out_channels : inner};
    for (int32_t a = 0; g->flip_kernel && a < g->spatial; a++)
        DRAW_TRY(fal_tensor_flip(&w, nhwc ? a : 2 + a, &w, error));
    DRAW_TRY(draw_scene_tensor(view->scene, w.dtype, w.rank, w.shape, &copy, error));
    DRAW_TRY(fal_tensor_copy(&w, &copy, error));
    return fal_tensor_reshape(&copy, 2, shape, matrix, error);
}

static fal_status compute(draw_view *view, fal_error *error)
{
    im2col_view *v = view->own;
    const fal_conv_geometry *g = &view->scene->geometry;
    fal_conv_params params = view->scene->problem.params;
    fal_tensor *cols = &v->table[COLS].values, *w = &v->table[W].values, *y = &v->table[Y].values;
    params.spatial = g->spatial;
    params.flip_kernel = false;
    params.groups = 0;
    for (int32_t a = 0; a < g->spatial; a++) params.kernel[a] = g->axis[a].kernel;
    DRAW_TRY(unfold(view, &params, cols, error));
    if (!v->product) return FAL_OK;
    DRAW_TRY(flatten(view, cols->shape[v->rows ? 1 : 0], w, error));
    const fal_tensor *a = v->rows ? cols : w, *b = v->rows ? w : cols;
    const int64_t shape[2] = {a->shape[0], b->shape[1]};
    DRAW_TRY(draw_scene_tensor(view->scene, cols->dtype, 2, shape, y, error));
    return fal_matmul(a, b, y, error);
}

/* ---- Layout ---- */

static void label(im2col_view *v, const draw_scene *scene)
{
    const fal_conv_geometry *g = &scene->geometry;
    const bool channels = g->in_channels > 1;
    draw_side window = {0}, place = {0}, out = {0};
    if (channels && !v->rows) window.axes[window.rank++] = g->in_channels;
    for (int32_t a = 0; a < g->spatial; a++) {
        window.axes[window.rank++] = g->axis[a].kernel;
        place.axes[place.rank++] = g->axis[a].output;
    }
    if (channels && v->rows) window.axes[window.rank++] = g->in_channels;
    out.axes[out.rank++] = g->out_channels;
    v->table[COLS].rows = v->rows ? place : window;
    v->table[COLS].columns = v->rows ? window : place;
    v->table[W].rows = v->rows ? window : out;
    v->table[W].columns = v->rows ? out : window;
    v->table[Y].rows = v->rows ? place : out;
    v->table[Y].columns = v->rows ? out : place;
}

static void arrange(draw_view *view)
{
    static const char *const names[TABLES] = {"", "kernel", "output"};
    static const draw_role roles[TABLES] = {DRAW_INPUT, DRAW_KERNEL, DRAW_OUTPUT};
    im2col_view *v = view->own;
    const draw_sheet *x = &view->scene->sheet[DRAW_READ];
    double cell = draw_panel_cell(x, &view->look), at = 0, tallest = 0;
    v->order[0] = v->rows || !v->product ? COLS : W;
    v->order[1] = v->rows ? W : COLS;
    v->order[2] = Y;
    v->count = v->product ? 3 : 1;
    draw_panel_measure(&v->input, x, DRAW_INPUT, fmin(cell, 34), &view->look);
    cell = 0;
    for (int i = 0; i < v->count; i++) {
        draw_table *t = &v->table[v->order[i]];
        t->look = &view->look;
        const double side = draw_table_cell(t);
        /* Numbers need room; colours must fit. */
        cell = i == 0 ? side : view->look.heatmap ? fmin(cell, side) : fmax(cell, side);
    }
    for (int i = 0; i < v->count; i++) {
        const int which = v->order[i];
        draw_table *t = &v->table[which];
        const char *name = which == COLS ? v->rows ? "windows as rows" : "windows as columns" : names[which];
        snprintf(v->title[which], sizeof v->title[which], "%s, %" PRId64 "x%" PRId64, name,
                 t->values.shape[0], t->values.shape[1]);
        t->title = v->title[which];
        t->role = roles[which];
        draw_table_measure(t, cell);
        tallest = fmax(tallest, t->height);
    }
    const double below = v->input.height + DRAW_GAP;
    for (int i = 0; i < v->count; i++) {
        draw_table *t = &v->table[v->order[i]];
        t->x = at;
        t->y = below + (tallest - t->height) / 2;
        at += t->width + 44;
    }
    v->width = fmax(460, fmax(at - 44, v->input.width));
    v->bottom = below + tallest;
}

/* ---- Drawing ---- */

static void draw_operators(draw_figure *figure, const im2col_view *v)
{
    const draw_text_style big = {.size = 20, .anchor = DRAW_MIDDLE, .centred = true};
    for (int i = 0; i + 1 < v->count; i++) {
        const draw_table *left = &v->table[v->order[i]], *right = &v->table[v->order[i + 1]];
        draw_text(figure, (left->x + left->width + right->x) / 2, right->y + (right->height + right->top) / 2,
                  &big, i == 0 ? "×" : "=");
    }
}

static void background(draw_view *view, draw_figure *figure)
{
    im2col_view *v = view->own;
    const draw_scene *scene = view->scene;
    char title[DRAW_WORDS];
    snprintf(title, sizeof title, "%s%s", scene->problem.title,
             v->product ? " as one matrix product (im2col)" : "");
    const double top = draw_heading(figure, 0, 0, v->width, title, scene->title) + 4;
    if (!v->placed) {
        v->input.y += top;
        for (int i = 0; i < TABLES; i++) v->table[i].y += top;
        v->bottom += top;
        v->placed = true;
    }
    draw_panel_grid(figure, &v->input, false);
    for (int i = 0; i < v->count; i++) draw_table_grid(figure, &v->table[v->order[i]], v->order[i] != W);
    draw_operators(figure, v);
    double y = v->bottom + 20;
    y = draw_words(figure, 0, y, v->width, DRAW_INK,
                   v->rows
                       ? "nhwc: every window is a row; within it the channels of a tap are neighbours."
                       : "nchw: every window is a column; within it the taps of a channel are neighbours.");
    for (int i = 0; i < scene->captions; i++)
        y = draw_words(figure, 0, y + 4, v->width, DRAW_INK, scene->caption[i]);
    v->words = y + 6;
}

static void draw_step(draw_view *view, draw_figure *figure, int64_t step)
{
    const im2col_view *v = view->own;
    draw_scene *scene = view->scene;
    const draw_table *cols = &v->table[COLS], *y = &v->table[Y];
    for (int64_t i = 0; i < scene->mark_count; i++) scene->marks[i].note = NAN;
    draw_panel_marks(figure, &v->input, scene, DRAW_READ);
    if (v->rows)
        draw_table_outline(figure, cols, step, 1, 0, cols->values.shape[1]);
    else
        draw_table_outline(figure, cols, 0, cols->values.shape[0], step, 1);
    if (!v->product) return;
    if (v->rows)
        draw_table_outline(figure, y, step, 1, 0, y->values.shape[1]);
    else
        draw_table_outline(figure, y, 0, y->values.shape[0], step, 1);
    draw_words(figure, 0, v->words, v->width, DRAW_INK, scene->sum);
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    const im2col_view *v = view->own;
    if (step >= view->steps)
        return draw_fail(error, FAL_E_VALUE, "step", "window %" PRId64 " of %" PRId64, step, view->steps);
    if (step >= 0) DRAW_TRY(draw_scene_step(view->scene, step, error));
    for (int i = 0; i < v->count; i++) {
        const draw_table *t = &v->table[v->order[i]];
        for (int64_t r = 0; v->order[i] != W && r < t->values.shape[0]; r++)
            for (int64_t c = 0; c < t->values.shape[1]; c++)
                if (alone || (v->rows ? r : c) <= step) draw_table_value(figure, t, r, c);
    }
    if (step >= 0) draw_step(view, figure, step);
    return FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const im2col_view *v = view->own;
    char text[2 * DRAW_WORDS];
    snprintf(text, sizeof text, "%s, %s. The input and its %s%s.", view->scene->problem.title,
             view->scene->title, v->title[COLS],
             v->product ? ", the kernel as a matrix, and their product" : "");
    draw_figure_describe(figure, view->scene->problem.title, text);
}

/* ---- Opening ---- */

/* Unfolding has a window without a weight: any weight of that size gives the same windows. */
static fal_status open_scene(draw_view *view, const draw_problem *problem, fal_error *error)
{
    draw_problem p = *problem;
    const fal_conv_params *q = &problem->params;
    const bool nhwc = q->layout == FAL_NHWC;
    int64_t shape[FAL_MAX_RANK];
    if (problem->w.rank > 0) return draw_scene_create(problem, &view->scene, error);
    for (int32_t a = 0; a < q->spatial; a++) shape[nhwc ? a : 2 + a] = q->kernel[a];
    shape[nhwc ? q->spatial + 1 : 0] = 1;
    const int32_t batched = problem->x.rank > q->spatial + 1 ? 1 : 0;
    shape[nhwc ? q->spatial : 1] = problem->x.shape[nhwc ? batched + q->spatial : batched];
    p.w = fal_tensor_of(NULL, problem->x.dtype, q->spatial + 2, shape);
    const int64_t count = fal_tensor_count(&p.w);
    draw_scene holder = {0};
    DRAW_TRY(draw_scene_tensor(&holder, p.w.dtype, p.w.rank, p.w.shape, &p.w, error));
    fal_status status = count > 0 ? draw_scene_create(&p, &view->scene, error)
                                  : draw_fail(error, FAL_E_KERNEL, "kernel", "no window is given");
    if (status == FAL_OK) {
        /* The weight lives as long as the scene that refers to it. */
        status =
            draw_scene_tensor(view->scene, p.w.dtype, p.w.rank, p.w.shape, &view->scene->problem.w, error);
        draw_view_weight(&view->scene->problem.w, q->layout, &view->scene->sheet[DRAW_WEIGHT].values);
    }
    draw_scene_empty(&holder);
    return status;
}

static fal_status prepare(draw_view *view, const draw_problem *problem, fal_error *error)
{
    im2col_view *v = view->own;
    DRAW_TRY(open_scene(view, problem, error));
    const fal_conv_geometry *g = &view->scene->geometry;
    if (g->groups > 1)
        return draw_fail(error, FAL_E_GROUPS, "groups",
                         "%" PRId64 " groups are as many products; one can be shown", g->groups);
    v->rows = g->layout == FAL_NHWC;
    v->product = problem->w.rank > 0;
    DRAW_TRY(compute(view, error));
    const int64_t *shape = v->table[COLS].values.shape;
    DRAW_TRY(
        draw_readable(&view->look, shape[0] * shape[1], shape[0] > shape[1] ? shape[0] : shape[1], error));
    view->steps = shape[v->rows ? 0 : 1];
    view->usual = 0;
    label(v, view->scene);
    arrange(view);
    return FAL_OK;
}

fal_status draw_view_im2col(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error)
{
    DRAW_TRY(draw_view_new(look, sizeof(im2col_view), view, error));
    draw_view *v = *view;
    const fal_status status = prepare(v, problem, error);
    v->background = background;
    v->frame = frame;
    v->describe = describe;
    if (status == FAL_OK) return FAL_OK;
    draw_view_close(v);
    *view = NULL;
    return status;
}
