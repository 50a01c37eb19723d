/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_conv.c: convolution, and the transposed one in its two readings.
 *
 *     conv             window of x, times w, into one cell of y: the terms of fal_conv_terms
 *     conv-transpose   the same on x with s-1 zeros between its cells and a ring of d(k-1)-p around: the
 *                      classical picture. With u = position*s in the relation of the index map,
 *                      o + begin = u + t*d, tap t of output o stands at u = o + begin - t*d
 *     scatter          what the library does: every x spreads x*w over y. The parts of y that padding
 *                      crops are computed as well, with the same operator and no padding, to be shown
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "draw/scene_parts.h"

/* ---- Begin: what the three have in common ---- */

static fal_status describe(draw_scene *scene, bool transposed, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    return fal_conv_describe(transposed, &p->x, &p->w, &p->params, &scene->geometry, error);
}

static fal_status begin(draw_scene *scene, bool transposed, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    const fal_tensor *bias = p->bias.rank > 0 ? &p->bias : NULL;
    fal_tensor y, view;
    DRAW_TRY(describe(scene, transposed, error));
    const fal_conv_geometry *g = &scene->geometry;
    draw_view_data(&p->x, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "input", "x", &view, g->spatial);
    draw_view_weight(&p->w, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "kernel", "w", &view, g->spatial);
    scene->sheet[DRAW_WEIGHT].transposed = transposed;
    DRAW_TRY(fal_conv_output_shape(transposed, &p->x, &p->w, &p->params, &y, error));
    DRAW_TRY(draw_scene_tensor(scene, y.dtype, y.rank, y.shape, &y, error));
    DRAW_TRY((transposed ? fal_conv_transpose : fal_conv)(&context, &p->x, &p->w, bias, &p->params, &y));
    draw_view_data(&y, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "output", "y", &view, g->spatial);
    for (int s = 0; s < DRAW_SHEETS; s++) scene->sheet[s].groups = g->groups;
    scene->joint[0] = "∗";
    scene->joint[1] = "=";
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
    return FAL_OK;
}

/* ---- Convolution ---- */

static fal_status begin_conv(draw_scene *scene, fal_error *error)
{
    DRAW_TRY(begin(scene, false, error));
    draw_sheet_ring(scene, &scene->sheet[DRAW_READ], scene->geometry.axis);
    return FAL_OK;
}

/* Bias in front of the products, as the library adds it. */
static fal_status say_bias(draw_scene *scene, int64_t oc, bool *first, fal_error *error)
{
    char text[DRAW_NUMBER];
    if (scene->problem.bias.rank == 0) return FAL_OK;
    draw_number(text, fal_tensor_get(&scene->problem.bias, &oc));
    *first = false;
    return draw_say(scene, error, " = %s", text);
}

static fal_status say_result(draw_scene *scene, const draw_sheet *y, int64_t plane, const int64_t at[3],
                             bool empty, fal_error *error)
{
    char text[DRAW_NUMBER];
    draw_number(text, draw_sheet_value(y, plane, at));
    return draw_say(scene, error, " = %s%s", text, empty ? " (no product)" : "");
}

/* A term as marks on x and w, and as words when it adds something. */
static fal_status add_term(draw_scene *scene, const fal_term *term, int64_t oc, bool *first, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *x = &scene->sheet[DRAW_READ], *w = &scene->sheet[DRAW_WEIGHT];
    draw_mark on_w = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN};
    draw_mark on_x = {.kind = term->inside ? DRAW_MARK_TAP : DRAW_MARK_MISS, .plane = term->ic};
    draw_widen(g->spatial, term->tap, 0, on_w.at);
    draw_widen(g->spatial, term->position, 0, on_x.at);
    on_w.plane = draw_weight_plane(scene, term->ic, oc);
    on_x.note = draw_sheet_value(w, on_w.plane, on_w.at);
    DRAW_TRY(draw_mark_add(scene, &on_w, error));
    DRAW_TRY(draw_mark_add(scene, &on_x, error));
    draw_cell cell = draw_sheet_cell(x, term->ic, on_x.at);
    if (!term->inside && cell.value == 0) return FAL_OK;
    DRAW_TRY(draw_say_product(scene, *first, cell.value, on_x.note, error));
    *first = false;
    return FAL_OK;
}

fal_status draw_conv_step(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    int64_t count;
    fal_term *terms;
    draw_sheet_nth(y, n, &focus.plane, focus.at);
    const int64_t *o = &focus.at[3 - g->spatial];
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_say_cell(scene, y, focus.plane, focus.at, error));
    DRAW_TRY(fal_conv_terms(g, focus.plane, o, NULL, 0, &count, error));
    if (scene->detail == NULL) /* every output has the same number of terms */
        DRAW_TRY(draw_scene_alloc(scene, count, sizeof *terms, &scene->detail, error));
    terms = scene->detail;
    DRAW_TRY(fal_conv_terms(g, focus.plane, o, terms, count, &count, error));
    bool first = true;
    DRAW_TRY(say_bias(scene, focus.plane, &first, error));
    for (int64_t i = 0; i < count; i++) DRAW_TRY(add_term(scene, &terms[i], focus.plane, &first, error));
    return say_result(scene, y, focus.plane, focus.at, first, error);
}

const draw_script draw_script_conv = {begin_conv, draw_conv_step};

/* ---- Transposed, on stuffed input ---- */

static fal_status begin_transpose(draw_scene *scene, fal_error *error)
{
    DRAW_TRY(begin(scene, true, error));
    draw_sheet *x = &scene->sheet[DRAW_READ];
    if (!scene->geometry.flip_kernel)
        draw_caption(
            scene,
            "Seen from the output the kernel is reversed: the corner of a cell says which weight it meets.");
    for (int32_t a = 0; a < scene->geometry.spatial; a++) {
        const fal_axis *axis = &scene->geometry.axis[a];
        const int32_t b = 3 - scene->geometry.spatial + a;
        const int64_t span = axis->dilation * (axis->kernel - 1);
        x->spread[b] = axis->stride;
        x->before[b] = span - axis->begin;
        x->after[b] = span - axis->end + axis->output_padding;
    }
    return FAL_OK;
}

/* Does tap t of this axis meet a cell of x in output o? */
static fal_status meets(const draw_scene *scene, int32_t a, int64_t o, int64_t t, bool *yes, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    int64_t count;
    fal_tap *taps = scene->detail;
    DRAW_TRY(fal_axis_taps(&g->axis[a], true, g->padding_mode, g->flip_kernel, o, taps, g->axis[a].kernel,
                           &count, error));
    *yes = false;
    for (int64_t i = 0; i < count; i++) *yes = *yes || taps[i].tap == t;
    return FAL_OK;
}

static fal_status add_stuffed(draw_scene *scene, int64_t ic, const draw_mark *focus, int64_t number,
                              bool *first, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const int64_t oc = focus->plane, *o = &focus->at[3 - g->spatial];
    const draw_sheet *x = &scene->sheet[DRAW_READ], *w = &scene->sheet[DRAW_WEIGHT];
    draw_mark on_w = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN}, on_x = {.plane = ic};
    int64_t position[FAL_MAX_SPATIAL], tap[FAL_MAX_SPATIAL];
    bool inside = true;
    for (int32_t a = g->spatial - 1; a >= 0; a--) {
        const fal_axis *axis = &g->axis[a];
        bool yes;
        /* Walked backwards, so that the window is read from its first position to its last. */
        const int64_t walk = axis->kernel - 1 - number % axis->kernel;
        number /= axis->kernel;
        tap[a] = g->flip_kernel ? axis->kernel - 1 - walk : walk;
        position[a] = o[a] + axis->begin - walk * axis->dilation;
        DRAW_TRY(meets(scene, a, o[a], tap[a], &yes, error));
        inside = inside && yes;
    }
    draw_widen(g->spatial, tap, 0, on_w.at);
    draw_widen(g->spatial, position, 0, on_x.at);
    on_x.kind = inside ? DRAW_MARK_TAP : DRAW_MARK_MISS;
    on_w.plane = draw_weight_plane(scene, ic, oc);
    on_x.note = draw_sheet_value(w, on_w.plane, on_w.at);
    if (inside) DRAW_TRY(draw_mark_add(scene, &on_w, error));
    DRAW_TRY(draw_mark_add(scene, &on_x, error));
    if (!inside) return FAL_OK;
    DRAW_TRY(draw_say_product(scene, *first, draw_sheet_cell(x, ic, on_x.at).value, on_x.note, error));
    *first = false;
    return FAL_OK;
}

static fal_status step_transpose(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    int64_t taps = 1, longest = 1;
    for (int32_t a = 0; a < g->spatial; a++) {
        taps *= g->axis[a].kernel;
        if (g->axis[a].kernel > longest) longest = g->axis[a].kernel;
    }
    if (scene->detail == NULL)
        DRAW_TRY(draw_scene_alloc(scene, longest, sizeof(fal_tap), &scene->detail, error));
    draw_sheet_nth(y, n, &focus.plane, focus.at);
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_say_cell(scene, y, focus.plane, focus.at, error));
    bool first = true;
    DRAW_TRY(say_bias(scene, focus.plane, &first, error));
    const int64_t group = focus.plane / own_out;
    for (int64_t ic = group * own_in; ic < (group + 1) * own_in; ic++)
        for (int64_t t = 0; t < taps; t++) DRAW_TRY(add_stuffed(scene, ic, &focus, t, &first, error));
    return say_result(scene, y, focus.plane, focus.at, first, error);
}

const draw_script draw_script_conv_transpose = {begin_transpose, step_transpose};
