/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view_stack.c: layers along one axis as a tree, the output above, the signal below.
 *
 *     layer 2    o       o       o        an element stands over the middle of what it sees
 *               / \     / \     / \
 *     layer 1  o   o   o   o   o   o
 *
 * A step is an element of the last layer: what it sees is marked down to the signal, and beside the tree
 * stands its footprint in the plane, the same stack on two axes, with the number of paths to every input.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/view_parts.h"

enum { LAYERS_MOST = 24, NODES_MOST = 3000, LONGEST = 160, FOOTPRINT_MOST = 64 };

typedef struct stack_view {
    fal_layer layer[LAYERS_MOST];
    fal_field field[LAYERS_MOST];
    fal_axis axis[LAYERS_MOST];
    int64_t size[LAYERS_MOST + 1];  /* elements; [0] is the signal */
    double *paths[LAYERS_MOST + 1]; /* from the step's element to every element */
    bool *crossed[LAYERS_MOST + 1]; /* elements that a marked line runs over */
    int32_t count;
    draw_scene holder; /* of that memory */
    fal_tap *taps;
    double pitch, row, left, low, right, bottom, width; /* low: the leftmost place of all */
    double top;
    bool upright;
} stack_view;

/* ---- Places ---- */

/* Where element o of level l stands, in elements of the signal: over the middle of what it sees, or, where
 * every layer keeps the length, over its own index, as time is drawn for causal layers. */
static double place(const stack_view *v, int32_t level, int64_t o)
{
    if (level == 0 || v->upright) return (double)o;
    const fal_field *f = &v->field[level - 1];
    return ((double)f->centre_twice / 2 + (double)o * (double)f->jump) / (double)f->denominator;
}

static draw_point node(const stack_view *v, int32_t level, int64_t o)
{
    return (draw_point){v->left + (place(v, level, o) - v->low + 0.5) * v->pitch,
                        v->top + 20 + (double)(v->count - level) * v->row};
}

static double radius(const stack_view *v)
{
    return fmin(9, v->pitch * 0.36);
}

/* ---- Meetings ---- */

typedef void visit(void *state, int32_t level, int64_t o, const fal_tap *tap);

static fal_status each_tap(const stack_view *v, int32_t level, int64_t o, visit *to, void *state,
                           fal_error *error)
{
    const fal_axis *axis = &v->axis[level - 1];
    int64_t count;
    DRAW_TRY(fal_axis_taps(axis, v->layer[level - 1].transposed, FAL_PAD_ZEROS, false, o, v->taps,
                           axis->kernel, &count, error));
    for (int64_t i = 0; i < count; i++)
        if (v->taps[i].index >= 0) to(state, level, o, &v->taps[i]);
    return FAL_OK;
}

static void add_paths(void *state, int32_t level, int64_t o, const fal_tap *tap)
{
    const stack_view *v = state;
    v->paths[level - 1][tap->index] += v->paths[level][o];
}

/* Which elements of a level lie under the line from a to b? Steep lines run over none. */
static void cross(const stack_view *v, int32_t level, draw_point a, draw_point b)
{
    const double length = hypot(b.x - a.x, b.y - a.y);
    for (int64_t o = 0; o < v->size[level]; o++) {
        const draw_point p = node(v, level, o);
        const double away = fabs((b.x - a.x) * (a.y - p.y) - (a.x - p.x) * (b.y - a.y)) / length;
        const bool between = p.x > fmin(a.x, b.x) + 1 && p.x < fmax(a.x, b.x) - 1;
        if (between && away < radius(v) + 2) v->crossed[level][o] = true;
    }
}

static void find_crossed(void *state, int32_t level, int64_t o, const fal_tap *tap)
{
    const stack_view *v = state;
    const draw_point a = node(v, level, o), b = node(v, level - 1, tap->index);
    cross(v, level, a, b);
    cross(v, level - 1, a, b);
}

static fal_status find_paths(stack_view *v, int64_t output, fal_error *error)
{
    for (int32_t l = 0; l <= v->count; l++) {
        memset(v->paths[l], 0, (size_t)v->size[l] * sizeof(double));
        memset(v->crossed[l], 0, (size_t)v->size[l] * sizeof(bool));
    }
    v->paths[v->count][output] = 1;
    for (int32_t l = v->count; l > 0; l--)
        for (int64_t o = 0; o < v->size[l]; o++)
            if (v->paths[l][o] > 0) {
                DRAW_TRY(each_tap(v, l, o, add_paths, v, error));
                DRAW_TRY(each_tap(v, l, o, find_crossed, v, error));
            }
    return FAL_OK;
}

typedef struct pen {
    draw_figure *figure;
    const stack_view *view;
    draw_style style;
} pen;

static void draw_edge(void *state, int32_t level, int64_t o, const fal_tap *tap)
{
    const pen *p = state;
    draw_line(p->figure, node(p->view, level, o), node(p->view, level - 1, tap->index), &p->style);
}

/* ---- Drawing ---- */

static void draw_node(draw_figure *figure, const stack_view *v, int32_t level, int64_t o, bool marked)
{
    const draw_role role = level == 0 ? DRAW_INPUT : level == v->count ? DRAW_OUTPUT : DRAW_KERNEL;
    draw_style style = marked ? draw_style_tap(role) : draw_style_plain(role);
    if (marked && level == v->count) style = draw_style_focus();
    draw_circle(figure, node(v, level, o), radius(v), &style);
}

/* "kernel 3, stride 2, padding 1" */
static void say_layer(const fal_layer *layer, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "%skernel %" PRId64,
                                   layer->transposed ? "transposed, " : "", layer->kernel);
    if (layer->stride > 1)
        used += (size_t)snprintf(text + used, capacity - used, ", stride %" PRId64, layer->stride);
    if (layer->dilation > 1)
        used += (size_t)snprintf(text + used, capacity - used, ", dilation %" PRId64, layer->dilation);
    if (layer->begin == 0 && layer->end == 0) return;
    used += (size_t)snprintf(text + used, capacity - used, ", padding %" PRId64, layer->begin);
    if (layer->begin != layer->end) snprintf(text + used, capacity - used, ":%" PRId64, layer->end);
}

static void draw_row_labels(draw_figure *figure, const stack_view *v)
{
    const draw_text_style bold = {.size = 10.5, .face = DRAW_SANS_BOLD},
                          small = {.size = 9.5, .paint = DRAW_PAINT(DRAW_FAINT)};
    for (int32_t l = 0; l <= v->count; l++) {
        char text[160];
        const double y = node(v, l, 0).y;
        if (l == 0) {
            draw_text(figure, 0, y, &bold, "signal");
            draw_textf(figure, 0, y + 13, &small, "%" PRId64 " elements", v->size[0]);
            continue;
        }
        say_layer(&v->layer[l - 1], text, sizeof text);
        draw_textf(figure, 0, y - 5, &bold, "layer %" PRId32, l);
        draw_text(figure, 0, y + 7, &small, text);
        draw_textf(figure, 0, y + 18, &small, "sees %" PRId64 ", %" PRId64 " output%s", v->field[l - 1].size,
                   v->size[l], v->size[l] == 1 ? "" : "s");
    }
}

static void background(draw_view *view, draw_figure *figure)
{
    stack_view *v = view->own;
    v->top = draw_heading(figure, 0, 0, v->width, "A stack of layers and what one output sees", "") + 4;
    pen p = {figure, v, {.stroke = DRAW_TINT(DRAW_FAINT, 0.5), .width = 0.7}};
    for (int32_t l = 1; l <= v->count; l++)
        for (int64_t o = 0; o < v->size[l]; o++)
            if (each_tap(v, l, o, draw_edge, &p, NULL) != FAL_OK) return;
    for (int32_t l = 0; l <= v->count; l++)
        for (int64_t o = 0; o < v->size[l]; o++) draw_node(figure, v, l, o, false);
    draw_row_labels(figure, v);
}

/* What the colours of the footprint say. */
static void say_paths(char text[DRAW_WORDS], double least, double most, bool written)
{
    if (written)
        snprintf(text, DRAW_WORDS, "paths to every input");
    else if (least == most)
        snprintf(text, DRAW_WORDS, "%.0f path%s to every input", most, most > 1 ? "s" : "");
    else
        snprintf(text, DRAW_WORDS, "stronger colour: more paths%s", least > 0 ? "" : "; none: not seen");
}

/* The plane seen by the step's element: paths to row r times paths to column c. */
static void draw_footprint(draw_figure *figure, const draw_view *view, int64_t first, int64_t last)
{
    const stack_view *v = view->own;
    const draw_text_style bold = {.size = 10.5, .face = DRAW_SANS_BOLD},
                          small = {.size = 9, .paint = DRAW_PAINT(DRAW_FAINT)};
    const int64_t size = last - first + 1;
    const double cell = fmin(24, 220 / (double)size);
    const draw_point at = {v->right, v->top + 34};
    const bool written = cell >= 14 && !view->look.bare;
    double least = INFINITY, most = 0;
    char text[DRAW_WORDS];
    for (int64_t i = first; i <= last; i++) {
        least = fmin(least, v->paths[0][i]);
        most = fmax(most, v->paths[0][i]);
    }
    say_paths(text, least * least, most * most, written);
    draw_textf(figure, at.x, v->top + 12, &bold, "in the plane: %" PRId64 "×%" PRId64, size, size);
    draw_text(figure, at.x, v->top + 26, &small, text);
    for (int64_t r = first; r <= last; r++)
        for (int64_t c = first; c <= last; c++) {
            const double paths = v->paths[0][r] * v->paths[0][c];
            const draw_box box = {at.x + (double)(c - first) * cell, at.y + (double)(r - first) * cell, cell,
                                  cell};
            draw_style style = {.fill = paths > 0 ? DRAW_TINT(DRAW_INPUT, 0.15 + 0.85 * paths / (most * most))
                                                  : DRAW_PAINT(DRAW_PAPER),
                                .hatch = DRAW_HATCH_NONE,
                                .stroke = DRAW_PAINT(DRAW_BORDER),
                                .width = cell >= 8 ? 0.6 : 0.2};
            draw_rect(figure, box, &style);
            if (written) draw_cell_text(figure, box, style.fill, DRAW_PAINT(DRAW_INK), paths);
        }
}

static fal_status frame(draw_view *view, draw_figure *figure, int64_t step, bool alone, fal_error *error)
{
    stack_view *v = view->own;
    char text[DRAW_WORDS];
    int64_t first = -1, last = -1, seen = 0;
    bool bound = false; /* a transposed layer's phases see less than the field says */
    (void)alone;
    for (int32_t l = 0; l < v->count; l++) bound = bound || v->layer[l].transposed;
    if (step >= view->steps)
        return draw_fail(error, FAL_E_VALUE, "step", "output %" PRId64 " of %" PRId64, step, view->steps);
    DRAW_TRY(find_paths(v, step, error));
    pen p = {figure, v, {.stroke = DRAW_PAINT(DRAW_ACCENT), .width = 2.2}};
    for (int32_t l = v->count; l > 0; l--)
        for (int64_t o = 0; o < v->size[l]; o++)
            if (v->paths[l][o] > 0) DRAW_TRY(each_tap(v, l, o, draw_edge, &p, error));
    for (int32_t l = 0; l <= v->count; l++)
        for (int64_t o = 0; o < v->size[l]; o++)
            if (v->paths[l][o] > 0 || v->crossed[l][o]) draw_node(figure, v, l, o, v->paths[l][o] > 0);
    for (int64_t i = 0; i < v->size[0]; i++) {
        if (v->paths[0][i] <= 0) continue;
        if (first < 0) first = i;
        last = i;
        seen++;
    }
    if (seen == 0)
        snprintf(text, sizeof text, "output %" PRId64 " sees padding only", step);
    else
        snprintf(text, sizeof text,
                 "output %" PRId64 " sees %" PRId64 " elements of the signal, from %" PRId64 " to %" PRId64
                 "; the receptive field is %s%" PRId64,
                 step, seen, first, last, bound ? "at most " : "", v->field[v->count - 1].size);
    draw_words(figure, 0, v->top + v->bottom, v->width, DRAW_INK, text);
    if (seen > 0 && last - first < FOOTPRINT_MOST) draw_footprint(figure, view, first, last);
    return FAL_OK;
}

static void describe(const draw_view *view, draw_figure *figure)
{
    const stack_view *v = view->own;
    char text[DRAW_WORDS];
    snprintf(text, sizeof text,
             "%" PRId32 " layers on a signal of %" PRId64 " elements; an output sees %" PRId64 " of them.",
             v->count, v->size[0], v->field[v->count - 1].size);
    draw_figure_describe(figure, "A stack of layers", text);
}

/* ---- Opening ---- */

static fal_status find_sizes(stack_view *v, fal_error *error)
{
    int64_t nodes = v->size[0];
    for (int32_t l = 0; l < v->count; l++) {
        fal_layer *layer = &v->layer[l];
        if (layer->kernel == 0) layer->kernel = 1;
        if (layer->stride == 0) layer->stride = 1;
        if (layer->dilation == 0) layer->dilation = 1;
        v->axis[l] = (fal_axis){.input = v->size[l],
                                .kernel = layer->kernel,
                                .stride = layer->stride,
                                .dilation = layer->dilation,
                                .begin = layer->begin,
                                .end = layer->end};
        DRAW_TRY((layer->transposed ? fal_conv_transpose_size : fal_conv_size)(&v->axis[l], error));
        v->size[l + 1] = v->axis[l].output;
        nodes += v->size[l + 1];
        if (v->size[l + 1] > LONGEST || nodes > NODES_MOST)
            return draw_fail(error, FAL_E_LIMIT, NULL,
                             "layer %" PRId32 " has %" PRId64 " elements: too many to be read", l + 1,
                             v->size[l + 1]);
    }
    return FAL_OK;
}

static fal_status make_room(stack_view *v, fal_error *error)
{
    int64_t longest = 1;
    void *memory;
    for (int32_t l = 0; l <= v->count; l++) {
        DRAW_TRY(draw_scene_alloc(&v->holder, v->size[l], sizeof(double), &memory, error));
        v->paths[l] = memory;
        DRAW_TRY(draw_scene_alloc(&v->holder, v->size[l], sizeof(bool), &memory, error));
        v->crossed[l] = memory;
        if (l < v->count && v->axis[l].kernel > longest) longest = v->axis[l].kernel;
    }
    DRAW_TRY(draw_scene_alloc(&v->holder, longest, sizeof *v->taps, &memory, error));
    v->taps = memory;
    return FAL_OK;
}

static void arrange(stack_view *v)
{
    double high = (double)v->size[0] - 1;
    v->low = 0;
    v->upright = true;
    for (int32_t l = 0; l < v->count; l++)
        v->upright = v->upright && v->size[l + 1] == v->size[0] && v->layer[l].stride == 1;
    for (int32_t l = 1; l <= v->count; l++) {
        v->low = fmin(v->low, place(v, l, 0));
        high = fmax(high, place(v, l, v->size[l] - 1));
    }
    v->left = 120;
    for (int32_t l = 0; l < v->count; l++) {
        const draw_text_style small = {.size = 9.5};
        char text[160];
        say_layer(&v->layer[l], text, sizeof text);
        v->left = fmax(v->left, draw_text_width(&small, text) + 20);
    }
    v->row = 64;
    v->pitch = fmax(9, fmin(28, 760 / (high - v->low + 1)));
    v->right = v->left + (high - v->low + 1) * v->pitch + 28;
    v->width = v->right + 220;
    v->bottom = fmax(20 + (double)v->count * v->row + 44, 34 + 220 + 24);
}

static fal_status prepare(draw_view *view, const fal_layer *layers, int32_t count, int64_t input,
                          fal_error *error)
{
    stack_view *v = view->own;
    if (count < 1 || count > LAYERS_MOST)
        return draw_fail(error, FAL_E_LIMIT, NULL, "%" PRId32 " layers: a tree of 1 to %d can be read", count,
                         LAYERS_MOST);
    if (input < 1 || input > LONGEST)
        return draw_fail(error, FAL_E_LIMIT, NULL, "a signal of %" PRId64 " elements: 1 to %d can be read",
                         input, LONGEST);
    memcpy(v->layer, layers, (size_t)count * sizeof *layers);
    v->count = count;
    v->size[0] = input;
    DRAW_TRY(find_sizes(v, error));
    DRAW_TRY(fal_receptive_field(v->layer, count, v->field, error));
    DRAW_TRY(make_room(v, error));
    arrange(v);
    view->steps = v->size[count];
    view->usual = (v->size[count] - 1) / 2;
    return FAL_OK;
}

static void release(draw_view *view)
{
    stack_view *v = view->own;
    draw_scene_empty(&v->holder);
}

static const draw_view_kind kind = {.bytes = sizeof(stack_view),
                                    .background = background,
                                    .frame = frame,
                                    .describe = describe,
                                    .release = release};

fal_status draw_view_stack(const fal_layer *layers, int32_t count, int64_t input, const draw_look *look,
                           draw_view **view, fal_error *error)
{
    DRAW_TRY(draw_view_new(&kind, look, view, error));
    return draw_view_done(view, prepare(*view, layers, count, input, error));
}
