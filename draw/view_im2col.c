/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_im2col.c: convolution as one product of matrices: every window becomes a column, or a row.
 *
 *     nchw   y (oc, P) = w (oc, c*K) cols (c*K, P)        windows are columns, channels slowest in them
 *     nhwc   y (P, oc) = cols (P, K*c) w (K*c, oc)        windows are rows, channels fastest in them
 *
 * A step is a window. Without a weight only the windows are shown. Groups are as many products.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw/table.h"

enum { COLS, W, Y, TABLES };

/* What one group computes; groups do not mix, so that there are as many products. */
typedef struct product {
    draw_table table[TABLES];
    char title[TABLES][64];
} product;

typedef struct im2col_view {
    draw_panel input;
    product *products;
    int64_t groups;
    bool rows;     /* nhwc: windows are rows */
    bool weighted; /* there is a weight */
    int order[TABLES], count;
    double width, bottom, words;
    bool placed;
} im2col_view;

/* ---- Numbers ---- */

/* The channels of one group of x. */
static fal_status own_channels(const draw_view *view, int64_t group, fal_tensor *x, fal_error *error)
{
    const fal_conv_geometry *g = &view->scene->geometry;
    const fal_tensor *all = &view->scene->problem.x;
    const int64_t own = g->in_channels / g->groups;
    const int32_t channel = all->rank - (g->layout == FAL_NHWC ? 1 : 1 + g->spatial);
    return fal_tensor_slice(all, channel, group * own, (group + 1) * own, 1, x, error);
}

/* The first image's windows. */
static fal_status unfold(draw_view *view, const fal_tensor *x, fal_tensor *matrix, fal_error *error)
{
    const fal_conv_geometry *g = &view->scene->geometry;
    fal_conv_params params = view->scene->problem.params;
    fal_tensor cols;
    params.spatial = g->spatial;
    params.flip_kernel = false;
    params.groups = 0;
    for (int32_t a = 0; a < g->spatial; a++) params.kernel[a] = g->axis[a].kernel;
    DRAW_TRY(fal_unfold_shape(x, &params, &cols, error));
    DRAW_TRY(draw_scene_tensor(view->scene, cols.dtype, cols.rank, cols.shape, &cols, error));
    DRAW_TRY(fal_unfold(x, &params, &cols, error));
    const int32_t first = cols.rank - 2;
    *matrix = (fal_tensor){.data = cols.data, .dtype = cols.dtype, .rank = 2};
    for (int32_t a = 0; a < 2; a++) {
        matrix->shape[a] = cols.shape[first + a];
        matrix->strides[a] = cols.strides[first + a];
    }
    return FAL_OK;
}

/* The weight of one group as a matrix; a true convolution's taps are reversed. */
static fal_status flatten(draw_view *view, int64_t group, int64_t inner, fal_tensor *matrix, fal_error *error)
{
    const fal_conv_geometry *g = &view->scene->geometry;
    const bool nhwc = g->layout == FAL_NHWC;
    const int64_t own = g->out_channels / g->groups, shape[2] = {nhwc ? inner : own, nhwc ? own : inner};
    fal_tensor w = view->scene->problem.w, copy;
    DRAW_TRY(fal_tensor_slice(&w, nhwc ? w.rank - 1 : 0, group * own, (group + 1) * own, 1, &w, error));
    for (int32_t a = 0; g->flip_kernel && a < g->spatial; a++)
        DRAW_TRY(fal_tensor_flip(&w, nhwc ? a : 2 + a, &w, error));
    DRAW_TRY(draw_scene_tensor(view->scene, w.dtype, w.rank, w.shape, &copy, error));
    DRAW_TRY(fal_tensor_copy(&w, &copy, error));
    return fal_tensor_reshape(&copy, 2, shape, matrix, error);
}

static void add_bias(const im2col_view *v, const fal_tensor *bias, int64_t group)
{
    const fal_tensor *y = &v->products[group].table[Y].values;
    const int64_t own = y->shape[v->rows ? 1 : 0];
    for (int64_t i = 0; i < y->shape[0] * y->shape[1]; i++) {
        const int64_t at[2] = {i / y->shape[1], i % y->shape[1]}, oc = group * own + at[v->rows ? 1 : 0];
        fal_tensor_set(y, at, fal_tensor_get(y, at) + fal_tensor_get(bias, &oc));
    }
}

static fal_status compute(draw_view *view, int64_t group, fal_error *error)
{
    im2col_view *v = view->own;
    draw_table *table = v->products[group].table;
    fal_tensor *cols = &table[COLS].values, *w = &table[W].values, *y = &table[Y].values, x;
    DRAW_TRY(own_channels(view, group, &x, error));
    DRAW_TRY(unfold(view, &x, cols, error));
    if (!v->weighted) return FAL_OK;
    DRAW_TRY(flatten(view, group, cols->shape[v->rows ? 1 : 0], w, error));
    const fal_tensor *a = v->rows ? cols : w, *b = v->rows ? w : cols;
    const int64_t shape[2] = {a->shape[0], b->shape[1]};
    DRAW_TRY(draw_scene_tensor(view->scene, cols->dtype, 2, shape, y, error));
    DRAW_TRY(fal_matmul(a, b, y, error));
    if (view->scene->problem.bias.rank > 0) add_bias(v, &view->scene->problem.bias, group);
    return FAL_OK;
}

/* ---- Layout ---- */

static void label(const im2col_view *v, const draw_scene *scene, int64_t group)
{
    const fal_conv_geometry *g = &scene->geometry;
    const bool channels = g->in_channels > 1;
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    draw_table *table = v->products[group].table;
    draw_side window = {0}, place = {0}, out = {.rank = 1, .axes = {own_out}, .from = {group * own_out}};
    if (channels && v->rows) window.from[g->spatial] = group * own_in;
    if (channels && !v->rows) window.from[0] = group * own_in;
    if (channels && !v->rows) window.axes[window.rank++] = own_in;
    for (int32_t a = 0; a < g->spatial; a++) {
        window.axes[window.rank++] = g->axis[a].kernel;
        place.axes[place.rank++] = g->axis[a].output;
    }
    if (channels && v->rows) window.axes[window.rank++] = own_in;
    table[COLS].rows = v->rows ? place : window;
    table[COLS].columns = v->rows ? window : place;
    table[W].rows = v->rows ? window : out;
    table[W].columns = v->rows ? out : window;
    table[Y].rows = v->rows ? place : out;
    table[Y].columns = v->rows ? out : place;
}

static void name(const draw_view *view, int64_t group, int which)
{
    static const char *const names[TABLES] = {"", "kernel", "output"};
    static const draw_role roles[TABLES] = {DRAW_INPUT, DRAW_KERNEL, DRAW_OUTPUT};
    const im2col_view *v = view->own;
    product *p = &v->products[group];
    draw_table *t = &p->table[which];
    const char *what = which == COLS ? v->rows ? "windows as rows" : "windows as columns" : names[which];
    char of[40] = "";
    if (v->groups > 1) snprintf(of, sizeof of, " of group %" PRId64, group);
    snprintf(p->title[which], sizeof p->title[which], "%s%s, %" PRId64 "x%" PRId64, what, of,
             t->values.shape[0], t->values.shape[1]);
    t->title = p->title[which];
    t->look = &view->look;
    t->role = v->groups > 1 ? (draw_role)(DRAW_GROUP + group % DRAW_GROUPS) : roles[which];
}

/* The products below each other, tables at the same height, each column of them as wide as its widest. */
static void arrange(draw_view *view)
{
    im2col_view *v = view->own;
    draw_sheet *x = &view->scene->sheet[DRAW_READ];
    double cell = fmin(draw_panel_cell(x, &view->look), 34), at = 0;
    const int64_t wide = draw_sheet_end(x, 2) - draw_sheet_first(x, 2),
                  deep = draw_sheet_end(x, 0) - draw_sheet_first(x, 0);
    x->across = (int64_t)fmax(1, 600 / ((double)(wide * deep) * cell + 26));
    v->order[0] = v->rows || !v->weighted ? COLS : W;
    v->order[1] = v->rows ? W : COLS;
    v->order[2] = Y;
    v->count = v->weighted ? 3 : 1;
    draw_panel_measure(&v->input, x, DRAW_INPUT, cell, &view->look);
    for (int64_t i = 0; i < v->groups * v->count; i++) {
        draw_table *t = &v->products[i / v->count].table[v->order[i % v->count]];
        name(view, i / v->count, v->order[i % v->count]);
        const double side = draw_table_cell(t);
        /* Numbers need room; colours must fit. */
        cell = i == 0 ? side : view->look.heatmap ? fmin(cell, side) : fmax(cell, side);
    }
    for (int i = 0; i < v->count; i++) {
        double widest = 0;
        for (int64_t group = 0; group < v->groups; group++) {
            draw_table *t = &v->products[group].table[v->order[i]];
            draw_table_measure(t, cell);
            t->x = at;
            widest = fmax(widest, t->width);
        }
        at += widest + 44;
    }
    v->width = fmax(460, fmax(at - 44, v->input.width));
    v->bottom = v->input.height;
    for (int64_t group = 0; group < v->groups; group++) {
        double tallest = 0;
        for (int i = 0; i < v->count; i++)
            tallest = fmax(tallest, v->products[group].table[v->order[i]].height);
        for (int i = 0; i < v->count; i++) {
            draw_table *t = &v->products[group].table[v->order[i]];
            t->y = v->bottom + DRAW_GAP + (tallest - t->height) / 2;
        }
        v->bottom += DRAW_GAP + tallest;
    }
}

/* ---- Drawing ---- */

static void draw_operators(draw_figure *figure, const im2col_view *v, const product *p)
{
    const draw_text_style big = {.size = 20, .anchor = DRAW_MIDDLE, .centred = true};
    for (int i = 0; i + 1 < v->count; i++) {
        const draw_table *left = &p->table[v->order[i]], *right = &p->table[v->order[i + 1]];
        draw_text(figure, (left->x + left->width + right->x) / 2, right->y + (right->height + right->top) / 2,
                  &big, i == 0 ? "×" : "=");
    }
}

static double draw_meaning(draw_figure *figure, const draw_view *view, double y)
{
    const im2col_view *v = view->own;
    const draw_scene *scene = view->scene;
    y = draw_words(figure, 0, y, v->width, DRAW_INK,
                   v->rows
                       ? "nhwc: every window is a row; within it the channels of a tap are neighbours."
                       : "nchw: every window is a column; within it the taps of a channel are neighbours.");
    if (v->groups > 1)
        y = draw_words(figure, 0, y + 4, v->width, DRAW_INK,
                       v->weighted ? "Groups do not mix: each is a product of its own." : "");
    if (v->weighted && scene->problem.bias.rank > 0)
        y = draw_words(figure, 0, y + 4, v->width, DRAW_INK,
                       "The output is the product with the bias of every channel added.");
    for (int i = 0; i < scene->captions; i++)
        y = draw_words(figure, 0, y + 4, v->width, DRAW_INK, scene->caption[i]);
    return y;
}

static void background(draw_view *view, draw_figure *figure)
{
    im2col_view *v = view->own;
    const draw_scene *scene = view->scene;
    char title[DRAW_WORDS];
    snprintf(title, sizeof title, "%s%s", scene->problem.title,
             !v->weighted    ? ""
             : v->groups > 1 ? " as matrix products (im2col)"
                             : " as one matrix product (im2col)");
    const double top = draw_heading(figure, 0, 0, v->width, title, scene->title) + 4;
    if (!v->placed) {
        v->input.y += top;
        for (int64_t i = 0; i < v->groups * TABLES; i++) v->products[i / TABLES].table[i % TABLES].y += top;
        v->bottom += top;
        v->placed = true;
    }
    draw_panel_grid(figure, &v->input, false);
    for (int64_t group = 0; group < v->groups; group++) {
        const product *p = &v->products[group];
        for (int i = 0; i < v->count; i++) draw_table_grid(figure, &p->table[v->order[i]], v->order[i] != W);
        draw_operators(figure, v, p);
    }
    v->words = draw_meaning(figure, view, v->bottom + 20) + 6;
}

/* The first number of the window's result: every entry of the window times its weight, in their order. */
static fal_status say_product(draw_view *view, int64_t step, fal_error *error)
{
    const im2col_view *v = view->own;
    draw_scene *scene = view->scene;
    const draw_table *table = v->products[0].table;
    const int64_t oc = 0, entries = table[COLS].values.shape[v->rows ? 1 : 0];
    char text[DRAW_NUMBER];
    if (scene->sum != NULL) scene->sum[0] = '\0';
    DRAW_TRY(
        draw_say_cell(scene, &scene->sheet[DRAW_RESULT], scene->marks[0].plane, scene->marks[0].at, error));
    if (scene->problem.bias.rank > 0) {
        draw_number(text, fal_tensor_get(&scene->problem.bias, &oc));
        DRAW_TRY(draw_say(scene, error, " = %s", text));
    }
    for (int64_t i = 0; i < entries; i++) {
        const int64_t on_cols[2] = {v->rows ? step : i, v->rows ? i : step},
                      on_w[2] = {v->rows ? i : 0, v->rows ? 0 : i};
        DRAW_TRY(draw_say_product(scene, i == 0 && scene->problem.bias.rank == 0,
                                  fal_tensor_get(&table[COLS].values, on_cols),
                                  fal_tensor_get(&table[W].values, on_w), error));
    }
    const int64_t on_y[2] = {v->rows ? step : 0, v->rows ? 0 : step};
    draw_number(text, fal_tensor_get(&table[Y].values, on_y));
    return draw_say(scene, error, " = %s", text);
}

static void outline(draw_figure *figure, const im2col_view *v, const draw_table *t, int64_t step)
{
    if (v->rows)
        draw_table_outline(figure, t, step, 1, 0, t->values.shape[1]);
    else
        draw_table_outline(figure, t, 0, t->values.shape[0], step, 1);
}

/* The window on the channels of every group; the first group's is said. */
static fal_status draw_step(draw_view *view, draw_figure *figure, int64_t step, fal_error *error)
{
    const im2col_view *v = view->own;
    draw_scene *scene = view->scene;
    const int64_t own_out = scene->geometry.out_channels / v->groups;
    for (int64_t group = v->groups - 1; group >= 0; group--) {
        const product *p = &v->products[group];
        DRAW_TRY(draw_scene_step(scene, group * own_out * view->steps + step, error));
        for (int64_t i = 0; i < scene->mark_count; i++) scene->marks[i].note = NAN;
        draw_panel_marks(figure, &v->input, scene, DRAW_READ);
        outline(figure, v, &p->table[COLS], step);
        if (v->weighted) outline(figure, v, &p->table[Y], step);
    }
    if (!v->weighted) return FAL_OK;
    DRAW_TRY(say_product(view, step, error));
    draw_words(figure, 0, v->words, v->width, DRAW_INK, scene->sum);
    return FAL_OK;
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    const im2col_view *v = view->own;
    if (step >= view->steps)
        return draw_fail(error, FAL_E_VALUE, "step", "window %" PRId64 " of %" PRId64, step, view->steps);
    for (int64_t i = 0; i < v->groups * v->count; i++) {
        const int which = v->order[i % v->count];
        const draw_table *t = &v->products[i / v->count].table[which];
        for (int64_t r = 0; which != W && r < t->values.shape[0]; r++)
            for (int64_t c = 0; c < t->values.shape[1]; c++)
                if (alone || (v->rows ? r : c) <= step) draw_table_value(figure, t, r, c);
    }
    return step >= 0 ? draw_step(view, figure, step, error) : FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const im2col_view *v = view->own;
    char text[2 * DRAW_WORDS];
    snprintf(text, sizeof text, "%s, %s. The input and its %s%s.", view->scene->problem.title,
             view->scene->title, v->products[0].title[COLS],
             v->weighted ? ", the kernel as a matrix, and their product" : "");
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
    int64_t cells = 0, longest = 0;
    void *memory;
    DRAW_TRY(open_scene(view, problem, error));
    const fal_conv_geometry *g = &view->scene->geometry;
    v->groups = g->groups;
    v->rows = g->layout == FAL_NHWC;
    v->weighted = problem->w.rank > 0;
    DRAW_TRY(draw_scene_alloc(view->scene, v->groups, sizeof *v->products, &memory, error));
    v->products = memory;
    for (int64_t group = 0; group < v->groups; group++) {
        DRAW_TRY(compute(view, group, error));
        label(v, view->scene, group);
        const int64_t *shape = v->products[group].table[COLS].values.shape;
        cells += shape[0] * shape[1];
        longest = shape[0] > shape[1] ? shape[0] : shape[1];
    }
    DRAW_TRY(draw_readable(&view->look, cells, longest, error));
    view->steps = v->products[0].table[COLS].values.shape[v->rows ? 0 : 1];
    view->usual = 0;
    arrange(view);
    return FAL_OK;
}

static const draw_view_kind kind = {
    .bytes = sizeof(im2col_view), .background = background, .frame = frame, .describe = describe};

fal_status draw_view_im2col(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, problem, error));
}
