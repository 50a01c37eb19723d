/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_scatter.c: the transposed convolution as every input spreading the kernel over the result.
 *
 * The result is shown on a canvas without padding, (i-1)s + d(k-1)+1 long on every axis, of which padding
 * crops the ends; output padding adds cells behind it. The numbers after step n are those of the library
 * for an x whose later cells are zero.
 */
#include <math.h>
#include <string.h>

#include "draw/scene_parts.h"

typedef struct scatter {
    fal_tensor x;      /* compact copy, filled step by step */
    fal_tensor canvas; /* the library's result without padding */
    fal_tensor shown;  /* (channels, 1, space) of everything that is drawn */
    fal_conv_params params;
    fal_conv_geometry geometry; /* of the canvas */
    int64_t *outputs;
    fal_tap *taps;
    int64_t capacity;
} scatter;

/* Copies the canvas to where it is shown; beyond it there is only the bias. */
static void show(const draw_scene *scene, const scatter *s)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    fal_tensor canvas;
    int64_t begin[3] = {0, 0, 0}, ring[3];
    draw_view_data(&s->canvas, g->spatial, g->layout, &canvas);
    for (int32_t a = 0; a < 3; a++) {
        if (a >= 3 - g->spatial) begin[a] = g->axis[a - (3 - g->spatial)].begin;
        ring[a] = draw_sheet_first(y, a);
    }
    for (int64_t i = 0, count = fal_tensor_count(&s->shown); i < count; i++) {
        int64_t at[5] = {0}, from[5], rest = i;
        bool there = true;
        for (int32_t a = 4; a >= 0; a--) {
            at[a] = rest % s->shown.shape[a];
            rest /= s->shown.shape[a];
            from[a] = a < 2 ? at[a] : at[a] + ring[a - 2] + begin[a - 2];
            there = there && from[a] >= 0 && from[a] < canvas.shape[a];
        }
        const fal_tensor *bias = &scene->problem.bias;
        double value = there ? fal_tensor_get(&canvas, from) : bias->rank ? fal_tensor_get(bias, at) : 0;
        fal_tensor_set(&s->shown, at, value);
    }
}

static fal_status run(const draw_scene *scene, const scatter *s, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    DRAW_TRY(
        fal_conv_transpose(&context, &s->x, &p->w, p->bias.rank ? &p->bias : NULL, &s->params, &s->canvas));
    show(scene, s);
    return FAL_OK;
}

/* The ring of the result: what padding crops. */
static void set_ring(draw_scene *scene, const scatter *s)
{
    draw_sheet *y = &scene->sheet[DRAW_RESULT];
    y->cut = true;
    for (int32_t a = 0; a < scene->geometry.spatial; a++) {
        const fal_axis *axis = &scene->geometry.axis[a];
        const int32_t b = 3 - scene->geometry.spatial + a;
        const int64_t behind = s->geometry.axis[a].output - axis->begin - axis->output;
        y->before[b] = axis->begin > 0 ? axis->begin : 0;
        y->after[b] = behind > 0 ? behind : 0;
    }
}

static fal_status make_room(draw_scene *scene, scatter *s, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_conv_geometry *g = &scene->geometry;
    draw_sheet *y = &scene->sheet[DRAW_RESULT];
    fal_tensor canvas;
    void *memory;
    int64_t shape[5] = {y->values.shape[0], 1, 0, 0, 0}, origin = 0;
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->x.rank, p->x.shape, &s->x, error));
    DRAW_TRY(fal_conv_output_shape(true, &p->x, &p->w, &s->params, &canvas, error));
    DRAW_TRY(draw_scene_tensor(scene, canvas.dtype, canvas.rank, canvas.shape, &s->canvas, error));
    for (int32_t a = 0; a < 3; a++) shape[2 + a] = draw_sheet_end(y, a) - draw_sheet_first(y, a);
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, 5, shape, &s->shown, error));
    /* The sheet's values begin behind the ring. */
    for (int32_t a = 0; a < 3; a++) origin -= draw_sheet_first(y, a) * s->shown.strides[2 + a];
    memcpy(y->values.strides, s->shown.strides, sizeof y->values.strides);
    y->values.data = (char *)s->shown.data + origin * (int64_t)fal_dtype_bytes(s->shown.dtype);
    for (int32_t a = 0; a < g->spatial; a++)
        if (g->axis[a].output > s->capacity) s->capacity = g->axis[a].output;
    for (int32_t a = 0; a < g->spatial; a++)
        if (s->geometry.axis[a].output > s->capacity) s->capacity = s->geometry.axis[a].output;
    DRAW_TRY(draw_scene_alloc(scene, s->capacity * FAL_MAX_SPATIAL, sizeof(int64_t), &memory, error));
    s->outputs = memory;
    DRAW_TRY(draw_scene_alloc(scene, s->capacity * FAL_MAX_SPATIAL, sizeof(fal_tap), &memory, error));
    s->taps = memory;
    return FAL_OK;
}

static fal_status begin(draw_scene *scene, fal_error *error)
{
    void *memory;
    const draw_problem *p = &scene->problem;
    DRAW_TRY(draw_script_conv_transpose.begin(scene, error));
    scene->captions = 0; /* those are about the other picture */
    for (int32_t a = 0; a < 3; a++) {
        scene->sheet[DRAW_READ].spread[a] = 1;
        scene->sheet[DRAW_READ].before[a] = scene->sheet[DRAW_READ].after[a] = 0;
    }
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(scatter), &memory, error));
    scatter *s = scene->detail = memory;
    s->params = p->params;
    s->params.padding = FAL_PADDING_EXPLICIT;
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++)
        s->params.padding_begin[a] = s->params.padding_end[a] = s->params.output_padding[a] =
            s->params.output_size[a] = 0;
    DRAW_TRY(fal_conv_describe(true, &p->x, &p->w, &s->params, &s->geometry, error));
    set_ring(scene, s);
    DRAW_TRY(make_room(scene, s, error));
    scene->scatter = true;
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_READ]);
    scene->joint[0] = "×";
    return fal_tensor_copy(&p->x, &s->x, error) == FAL_OK ? run(scene, s, error) : FAL_E_INTERNAL;
}

/* x up to and with cell n of its order. */
static void fill(const draw_scene *scene, const scatter *s, int64_t n)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    fal_tensor copy;
    draw_view_data(&s->x, g->spatial, g->layout, &copy);
    copy.flags = 0; /* writable */
    for (int64_t i = 0, count = draw_sheet_count(x); i < count; i++) {
        int64_t plane, at[3];
        draw_sheet_nth(x, i, &plane, at);
        const int64_t index[5] = {plane, 0, at[0], at[1], at[2]};
        fal_tensor_set(&copy, index, i <= n ? draw_sheet_value(x, plane, at) : 0);
    }
}

/* The marks of one product: where it lands. */
static fal_status land(draw_scene *scene, const draw_mark *focus, int64_t oc, const int64_t *number,
                       fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const scatter *s = scene->detail;
    draw_mark on_w = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN};
    draw_mark on_y = {.kind = DRAW_MARK_TAP, .sheet = DRAW_RESULT, .plane = oc};
    for (int32_t a = 0; a < g->spatial; a++) {
        const int32_t b = 3 - g->spatial + a;
        on_w.at[b] = s->taps[a * s->capacity + number[a]].tap;
        on_y.at[b] = s->outputs[a * s->capacity + number[a]] - g->axis[a].begin;
    }
    on_w.plane = draw_weight_plane(scene, focus->plane, oc);
    on_y.note = draw_sheet_value(&scene->sheet[DRAW_WEIGHT], on_w.plane, on_w.at) *
                draw_sheet_value(&scene->sheet[DRAW_READ], focus->plane, focus->at);
    DRAW_TRY(draw_mark_add(scene, &on_w, error));
    return draw_mark_add(scene, &on_y, error);
}

static fal_status spread(draw_scene *scene, const draw_mark *focus, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    scatter *s = scene->detail;
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    int64_t count[FAL_MAX_SPATIAL], products = 1;
    for (int32_t a = 0; a < g->spatial; a++) {
        DRAW_TRY(fal_axis_readers(&s->geometry.axis[a], true, FAL_PAD_ZEROS, g->flip_kernel,
                                  focus->at[3 - g->spatial + a], &s->outputs[a * s->capacity],
                                  &s->taps[a * s->capacity], s->capacity, &count[a], error));
        products *= count[a];
    }
    const int64_t group = focus->plane / own_in;
    for (int64_t oc = group * own_out; oc < (group + 1) * own_out; oc++)
        for (int64_t i = 0; i < products; i++) {
            int64_t number[FAL_MAX_SPATIAL], rest = i;
            for (int32_t a = g->spatial - 1; a >= 0; a--) {
                number[a] = rest % count[a];
                rest /= count[a];
            }
            DRAW_TRY(land(scene, focus, oc, number, error));
        }
    return FAL_OK;
}

static fal_status step(draw_scene *scene, int64_t n, fal_error *error)
{
    const scatter *s = scene->detail;
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    char text[DRAW_NUMBER];
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_READ, .note = NAN};
    draw_sheet_nth(x, n, &focus.plane, focus.at);
    fill(scene, s, n);
    DRAW_TRY(run(scene, s, error));
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    draw_number(text, draw_sheet_value(x, focus.plane, focus.at));
    DRAW_TRY(draw_say_cell(scene, x, focus.plane, focus.at, error));
    DRAW_TRY(draw_say(scene, error, " = %s adds %s*w to the marked cells", text, text));
    return spread(scene, &focus, error);
}

const draw_script draw_script_scatter = {begin, step};
