/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_deform.c: deformable convolution: taps that offsets have moved.
 *
 * The samples between the cells are the library's own: the same operator with weights that are 1 at one
 * tap gives them one by one, all in one call:
 *
 *     w of (K*c, c, kh, kw), one 1 in each    gives (n, K*c, oh, ow): sample (channel, tap) of every output
 */
#include <inttypes.h>
#include <math.h>

#include "draw/scene_parts.h"

typedef struct samples {
    fal_tensor sample; /* (K*c, 1, 1, oh, ow) */
    fal_tensor offset; /* (q*2*K, 1, 1, oh, ow) */
    int64_t taps;
} samples;

/* With one group: every sample of every channel. */
static fal_status take_samples(draw_scene *scene, const fal_deform_operands *operands, samples *s,
                               fal_error *error)
{
    const fal_context context = {.threads = 1, .error = error};
    const fal_conv_geometry *g = &scene->geometry;
    fal_deform_operands one = *operands;
    fal_conv_params params = scene->problem.params;
    const bool nhwc = g->layout == FAL_NHWC;
    const int64_t count = s->taps * g->in_channels, kh = g->axis[0].kernel, kw = g->axis[1].kernel;
    const int64_t nchw_shape[4] = {count, g->in_channels, kh, kw},
                  nhwc_shape[4] = {kh, kw, g->in_channels, count};
    fal_tensor view;
    params.groups = 1;
    one.bias = (fal_tensor){0};
    DRAW_TRY(draw_scene_tensor(scene, operands->w.dtype, 4, nhwc ? nhwc_shape : nchw_shape, &one.w, error));
    draw_view_weight(&one.w, g->layout, &view);
    view.flags = 0;
    for (int64_t i = 0; i < count; i++)
        fal_tensor_set(&view, (const int64_t[]){i, i / s->taps, 0, i % s->taps / kw, i % kw}, 1);
    DRAW_TRY(fal_conv_output_shape(false, &one.x, &one.w, &params, &one.y, error));
    DRAW_TRY(draw_scene_tensor(scene, one.y.dtype, one.y.rank, one.y.shape, &one.y, error));
    DRAW_TRY(fal_deform_conv(&context, &one, &params, scene->problem.offset_groups));
    draw_view_data(&one.y, 2, g->layout, &s->sample);
    return FAL_OK;
}

static fal_status begin(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_context context = {.threads = 1, .error = error};
    fal_deform_operands operands = {
        .x = p->x, .offset = p->offset, .mask = p->mask, .w = p->w, .bias = p->bias};
    void *memory;
    DRAW_TRY(draw_script_conv.begin(scene, error));
    const fal_conv_geometry *g = &scene->geometry;
    if (g->spatial != 2)
        return draw_fail(error, FAL_E_RANK, "w", "a deformable convolution has two spatial axes");
    DRAW_TRY(fal_conv_output_shape(false, &p->x, &p->w, &p->params, &operands.y, error));
    DRAW_TRY(
        draw_scene_tensor(scene, operands.y.dtype, operands.y.rank, operands.y.shape, &operands.y, error));
    DRAW_TRY(fal_deform_conv(&context, &operands, &p->params, p->offset_groups));
    draw_view_data(&operands.y, 2, g->layout, &scene->sheet[DRAW_RESULT].values);
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(samples), &memory, error));
    samples *s = scene->detail = memory;
    s->taps = g->axis[0].kernel * g->axis[1].kernel;
    draw_view_data(&p->offset, 2, g->layout, &s->offset);
    return take_samples(scene, &operands, s, error);
}

/* Tap t of channel ic for the output in focus. */
static fal_status add_sample(draw_scene *scene, const draw_mark *focus, int64_t ic, int64_t t, bool first,
                             fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const samples *s = scene->detail;
    const int64_t kw = g->axis[1].kernel, tap[2] = {t / kw, t % kw};
    const int64_t q = scene->problem.offset_groups > 0 ? scene->problem.offset_groups : 1;
    const int64_t block = ic / (g->in_channels / q) * 2 * s->taps;
    draw_mark on_x = {.kind = DRAW_MARK_POINT, .plane = ic};
    draw_mark on_w = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN};
    for (int32_t a = 0; a < 2; a++) {
        int64_t index[5] = {block + 2 * t + a, 0, 0, focus->at[1], focus->at[2]};
        on_x.at[1 + a] =
            focus->at[1 + a] * g->axis[a].stride + tap[a] * g->axis[a].dilation - g->axis[a].begin;
        on_x.point[a] = (double)on_x.at[1 + a] + fal_tensor_get(&s->offset, index);
        on_w.at[1 + a] = tap[a];
    }
    on_w.plane = draw_weight_plane(scene, ic, focus->plane);
    on_x.note = draw_sheet_value(&scene->sheet[DRAW_WEIGHT], on_w.plane, on_w.at);
    DRAW_TRY(draw_mark_add(scene, &on_w, error));
    DRAW_TRY(draw_mark_add(scene, &on_x, error));
    const int64_t index[5] = {ic * s->taps + t, 0, 0, focus->at[1], focus->at[2]};
    return draw_say_product(scene, first, fal_tensor_get(&s->sample, index), on_x.note, error);
}

static fal_status step(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_conv_geometry *g = &scene->geometry;
    const samples *s = scene->detail;
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    const int64_t own_in = g->in_channels / g->groups, own_out = g->out_channels / g->groups;
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    char text[DRAW_NUMBER];
    bool first = true;
    draw_sheet_nth(y, n, &focus.plane, focus.at);
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_say_cell(scene, y, focus.plane, focus.at, error));
    if (scene->problem.bias.rank > 0) {
        draw_number(text, fal_tensor_get(&scene->problem.bias, &focus.plane));
        DRAW_TRY(draw_say(scene, error, " = %s", text));
        first = false;
    }
    const int64_t group = focus.plane / own_out;
    for (int64_t ic = group * own_in; ic < (group + 1) * own_in; ic++)
        for (int64_t t = 0; t < s->taps; t++, first = false)
            DRAW_TRY(add_sample(scene, &focus, ic, t, first, error));
    draw_number(text, draw_sheet_value(y, focus.plane, focus.at));
    return draw_say(scene, error, " = %s", text);
}

const draw_script draw_script_deform = {begin, step};
