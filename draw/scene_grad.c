/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_grad.c: the gradients of a convolution.
 *
 *     grad-input    gx[i] = sum of gy[o]*w[t] over the outputs and taps that read i (fal_axis_readers)
 *     grad-weight   gw[t] = sum of x[position]*gy[o] over the outputs (fal_axis_taps): gy walks over x with
 *                   the convolution's stride as its dilation
 */
#include <math.h>

#include "draw/scene_parts.h"

/* What one axis contributes: pairs of an output and a tap. */
typedef struct meetings {
    int64_t *outputs;
    fal_tap *taps;
    int64_t capacity, count[FAL_MAX_SPATIAL];
} meetings;

fal_status draw_same_shape(const fal_tensor *y, const fal_tensor *gy, fal_error *error)
{
    bool fits = y->rank == gy->rank;
    for (int32_t a = 0; fits && a < y->rank; a++) fits = y->shape[a] == gy->shape[a];
    if (fits) return FAL_OK;
    return draw_fail(error, FAL_E_SHAPE, "gy", "the gradient that arrives has not the result's shape");
}

fal_status draw_grad_room(draw_scene *scene, fal_error *error)
{
    void *memory;
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(meetings), &memory, error));
    meetings *m = scene->detail = memory;
    for (int32_t a = 0; a < scene->geometry.spatial; a++) {
        const fal_axis *axis = &scene->geometry.axis[a];
        if (axis->output * axis->kernel > m->capacity) m->capacity = axis->output * axis->kernel;
    }
    DRAW_TRY(draw_scene_alloc(scene, FAL_MAX_SPATIAL * m->capacity, sizeof(int64_t), &memory, error));
    m->outputs = memory;
    DRAW_TRY(draw_scene_alloc(scene, FAL_MAX_SPATIAL * m->capacity, sizeof(fal_tap), &memory, error));
    m->taps = memory;
    return FAL_OK;
}

static fal_status begin(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    fal_tensor y;
    DRAW_TRY(fal_conv_describe(false, &p->x, &p->w, &p->params, &scene->geometry, error));
    DRAW_TRY(fal_conv_output_shape(false, &p->x, &p->w, &p->params, &y, error));
    DRAW_TRY(draw_same_shape(&y, &p->gy, error));
    scene->joint[0] = "∗";
    scene->joint[1] = "=";
    return draw_grad_room(scene, error);
}

static int64_t products(const draw_scene *scene)
{
    const meetings *m = scene->detail;
    int64_t count = 1;
    for (int32_t a = 0; a < scene->geometry.spatial; a++) count *= m->count[a];
    return count;
}

/* Product i: its output, tap and position on three axes. */
static void product(const draw_scene *scene, int64_t i, int64_t output[3], int64_t tap[3],
                    int64_t position[3])
{
    const meetings *m = scene->detail;
    int32_t spatial = scene->geometry.spatial;
    for (int32_t b = 2; b >= 0; b--) {
        int32_t a = b - (3 - spatial);
        output[b] = tap[b] = position[b] = 0;
        if (a < 0) continue;
        int64_t place = a * m->capacity + i % m->count[a];
        i /= m->count[a];
        output[b] = m->outputs[place];
        tap[b] = m->taps[place].tap;
        position[b] = m->taps[place].position;
    }
}

static fal_status say_result(draw_scene *scene, const draw_mark *focus, bool empty, fal_error *error)
{
    char text[DRAW_NUMBER];
    draw_number(text, draw_sheet_value(&scene->sheet[DRAW_RESULT], focus->plane, focus->at));
    return draw_say(scene, error, " = %s%s", text, empty ? " (no product)" : "");
}

static fal_status begin_step(draw_scene *scene, int64_t n, draw_mark *focus, fal_error *error)
{
    const draw_sheet *result = &scene->sheet[DRAW_RESULT];
    *focus = (draw_mark){.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    draw_sheet_nth(result, n, &focus->plane, focus->at);
    DRAW_TRY(draw_mark_add(scene, focus, error));
    return draw_say_cell(scene, result, focus->plane, focus->at, error);
}

/* ---- With respect to the input ---- */

static fal_status begin_input(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor gx, view;
    DRAW_TRY(begin(scene, error));
    const fal_conv_geometry *g = &scene->geometry;
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->x.rank, p->x.shape, &gx, error));
    DRAW_TRY(fal_conv_grad(&context, &p->x, &p->w, &p->gy, &p->params, &gx, NULL, NULL));
    draw_view_data(&p->gy, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "output's gradient", "gy", &view, g->spatial);
    draw_view_weight(&p->w, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "kernel", "w", &view, g->spatial);
    scene->sheet[DRAW_WEIGHT].transposed = true; /* what is read are the outer channels */
    draw_view_data(&gx, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "input's gradient", "gx", &view, g->spatial);
    for (int s = 0; s < DRAW_SHEETS; s++) scene->sheet[s].groups = g->groups;
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
    return FAL_OK;
}

static fal_status step_input(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    meetings *m = scene->detail;
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    draw_mark focus;
    bool first = true;
    DRAW_TRY(begin_step(scene, n, &focus, error));
    for (int32_t a = 0; a < g->spatial; a++)
        DRAW_TRY(fal_axis_readers(&g->axis[a], false, g->padding_mode, g->flip_kernel,
                                  focus.at[3 - g->spatial + a], &m->outputs[a * m->capacity],
                                  &m->taps[a * m->capacity], m->capacity, &m->count[a], error));
    const int64_t group = focus.plane / own_in;
    for (int64_t oc = group * own_out; oc < (group + 1) * own_out; oc++)
        for (int64_t i = 0, count = products(scene); i < count; i++) {
            draw_mark on_w = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN};
            draw_mark on_gy = {.kind = DRAW_MARK_TAP, .sheet = DRAW_READ, .plane = oc};
            int64_t position[3];
            product(scene, i, on_gy.at, on_w.at, position);
            on_w.plane = draw_weight_plane(scene, focus.plane, oc);
            on_gy.note = draw_sheet_value(&scene->sheet[DRAW_WEIGHT], on_w.plane, on_w.at);
            DRAW_TRY(draw_mark_add(scene, &on_w, error));
            DRAW_TRY(draw_mark_add(scene, &on_gy, error));
            double gy = draw_sheet_value(&scene->sheet[DRAW_READ], oc, on_gy.at);
            DRAW_TRY(draw_say_product(scene, first, gy, on_gy.note, error));
            first = false;
        }
    return say_result(scene, &focus, first, error);
}

const draw_script draw_script_grad_input = {begin_input, step_input};

/* ---- With respect to the weight ---- */

void draw_say_images(draw_scene *scene)
{
    if (scene->geometry.n > 1)
        draw_caption(scene, "the gradient is the sum over %d images; the first is shown",
                     (int)scene->geometry.n);
}

static fal_status begin_weight(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor gw, view;
    DRAW_TRY(begin(scene, error));
    const fal_conv_geometry *g = &scene->geometry;
    DRAW_TRY(draw_scene_tensor(scene, p->w.dtype, p->w.rank, p->w.shape, &gw, error));
    DRAW_TRY(fal_conv_grad(&context, &p->x, &p->w, &p->gy, &p->params, NULL, &gw, NULL));
    draw_view_data(&p->x, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "input", "x", &view, g->spatial);
    draw_sheet_ring(scene, &scene->sheet[DRAW_READ], g->axis);
    draw_view_data(&p->gy, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "output's gradient", "gy", &view, g->spatial);
    draw_view_weight(&gw, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "kernel's gradient", "gw", &view, g->spatial);
    for (int s = 0; s < DRAW_SHEETS; s++) scene->sheet[s].groups = g->groups;
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
    draw_say_images(scene);
    return FAL_OK;
}

/* The outputs that use the tap, with the position where it stands then. */
static fal_status find_positions(draw_scene *scene, int32_t a, int64_t tap, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const fal_axis *axis = &g->axis[a];
    meetings *m = scene->detail;
    fal_tap *list = &m->taps[a * m->capacity];
    m->count[a] = 0;
    for (int64_t o = 0; o < axis->output; o++) {
        int64_t count, at = m->count[a];
        /* Room for a whole window: capacity is output*kernel and `at` counts whole outputs. */
        DRAW_TRY(fal_axis_taps(axis, false, g->padding_mode, g->flip_kernel, o, &list[at], m->capacity - at,
                               &count, error));
        for (int64_t i = 0; i < count; i++)
            if (list[at + i].tap == tap) list[m->count[a]] = list[at + i];
        m->outputs[a * m->capacity + m->count[a]++] = o;
    }
    return FAL_OK;
}

fal_status draw_grad_weight_step(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    draw_mark focus;
    bool first = true;
    DRAW_TRY(begin_step(scene, n, &focus, error));
    for (int32_t a = 0; a < g->spatial; a++)
        DRAW_TRY(find_positions(scene, a, focus.at[3 - g->spatial + a], error));
    const int64_t oc = focus.plane / own_in, ic = oc / own_out * own_in + focus.plane % own_in;
    for (int64_t i = 0, count = products(scene); i < count; i++) {
        draw_mark on_gy = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .plane = oc, .note = NAN};
        draw_mark on_x = {.kind = DRAW_MARK_TAP, .sheet = DRAW_READ, .plane = ic};
        int64_t tap[3];
        product(scene, i, on_gy.at, tap, on_x.at);
        on_x.note = draw_sheet_value(&scene->sheet[DRAW_WEIGHT], oc, on_gy.at);
        draw_cell cell = draw_sheet_cell(x, ic, on_x.at);
        if (cell.kind == DRAW_IS_OUTSIDE) on_x.kind = DRAW_MARK_MISS;
        DRAW_TRY(draw_mark_add(scene, &on_gy, error));
        DRAW_TRY(draw_mark_add(scene, &on_x, error));
        if (cell.kind == DRAW_IS_OUTSIDE && cell.value == 0) continue;
        DRAW_TRY(draw_say_product(scene, first, cell.value, on_x.note, error));
        first = false;
    }
    return say_result(scene, &focus, first, error);
}

const draw_script draw_script_grad_weight = {begin_weight, draw_grad_weight_step};
