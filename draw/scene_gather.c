/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_gather.c: the gradients of a transposed convolution.
 *
 * A transposed convolution spreads, y[i*s + t*d - begin] += x[i]*w[t]; its gradients gather from the same
 * places. Both are those of a convolution that reads gy where that one reads its input:
 *
 *     grad-input    gx[i] = sum of gy[i*s + t*d - begin]*w[t]: the convolution of gy
 *     grad-weight   gw[t] = sum of gy[i*s + t*d - begin]*x[i]: x walks over gy
 *
 * So the steps are those of scene_conv.c and scene_grad.c; the numbers are fal_conv_transpose_grad's.
 */
#include <string.h>

#include "draw/scene_parts.h"

/* The convolution over gy, with as many windows as x has cells: what output padding has added is taken from
 * the end's padding, whose last windows would not fit. */
static fal_status describe(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    fal_conv_geometry spreading;
    fal_conv_params params = p->params;
    fal_tensor y;
    void *memory;
    DRAW_TRY(fal_conv_describe(true, &p->x, &p->w, &p->params, &spreading, error));
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof spreading.axis, &memory, error));
    memcpy(memory, spreading.axis, sizeof spreading.axis);
    scene->said = memory;
    DRAW_TRY(fal_conv_output_shape(true, &p->x, &p->w, &p->params, &y, error));
    DRAW_TRY(draw_same_shape(&y, &p->gy, error));
    params.padding = FAL_PADDING_EXPLICIT;
    for (int32_t a = 0; a < spreading.spatial; a++) {
        params.padding_begin[a] = spreading.axis[a].begin;
        params.padding_end[a] = spreading.axis[a].end - spreading.axis[a].output_padding;
        params.output_padding[a] = params.output_size[a] = 0;
    }
    DRAW_TRY(fal_conv_describe(false, &p->gy, &p->w, &params, &scene->geometry, error));
    scene->problem.bias = (fal_tensor){0};
    scene->joint[0] = "∗";
    scene->joint[1] = "=";
    return FAL_OK;
}

static void set_read(draw_scene *scene)
{
    const fal_conv_geometry *g = &scene->geometry;
    fal_tensor view;
    draw_view_data(&scene->problem.gy, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "output's gradient", "gy", &view, g->spatial);
    draw_sheet_ring(scene, &scene->sheet[DRAW_READ], scene->said);
}

static void set_end(draw_scene *scene)
{
    for (int s = 0; s < DRAW_SHEETS; s++) scene->sheet[s].groups = scene->geometry.groups;
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
}

/* ---- With respect to the input ---- */

static fal_status begin_input(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor gx, view;
    DRAW_TRY(describe(scene, error));
    const fal_conv_geometry *g = &scene->geometry;
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->x.rank, p->x.shape, &gx, error));
    DRAW_TRY(fal_conv_transpose_grad(&context, &p->x, &p->w, &p->gy, &p->params, &gx, NULL, NULL));
    set_read(scene);
    draw_view_weight(&p->w, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "kernel", "w", &view, g->spatial);
    draw_view_data(&gx, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "input's gradient", "gx", &view, g->spatial);
    draw_caption(scene, "What was spread is gathered: the convolution of gy with the same kernel.");
    set_end(scene);
    return FAL_OK;
}

const draw_script draw_script_gather_input = {begin_input, draw_conv_step};

/* ---- With respect to the weight ---- */

static fal_status begin_weight(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor gw, view;
    DRAW_TRY(describe(scene, error));
    const fal_conv_geometry *g = &scene->geometry;
    DRAW_TRY(draw_grad_room(scene, error));
    DRAW_TRY(draw_scene_tensor(scene, p->w.dtype, p->w.rank, p->w.shape, &gw, error));
    DRAW_TRY(fal_conv_transpose_grad(&context, &p->x, &p->w, &p->gy, &p->params, NULL, &gw, NULL));
    set_read(scene);
    draw_view_data(&p->x, g->spatial, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "input", "x", &view, g->spatial);
    draw_view_weight(&gw, g->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "kernel's gradient", "gw", &view, g->spatial);
    draw_say_images(scene);
    set_end(scene);
    return FAL_OK;
}

const draw_script draw_script_gather_weight = {begin_weight, draw_grad_weight_step};
