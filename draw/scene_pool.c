/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_pool.c: windows without weights: pooling, and padding, whose window is one cell.
 *
 * Adaptive windows follow from the sizes i and o of an axis: output j reads floor(j*i/o) to
 * ceil((j+1)*i/o) - 1. One output is the global window.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "draw/scene_parts.h"

typedef struct pooling {
    fal_axis axis[FAL_MAX_SPATIAL]; /* `end` grown to where the last window ends, see resolve */
    int64_t end[FAL_MAX_SPATIAL];   /* the padding itself */
    fal_tensor indices;
    fal_tap *taps;
    int64_t longest;
} pooling;

/* With ceil_mode a last window may reach beyond the padding; what lies there counts for nothing. An axis
 * that ends where that window ends has the same outputs without the mode. */
static fal_status resolve(draw_scene *scene, pooling *p, const fal_tensor *view, const fal_tensor *y,
                          fal_error *error)
{
    const fal_pool_params *q = &scene->problem.pool;
    for (int32_t a = 0; q->extent != FAL_POOL_WINDOW && a < q->spatial; a++) {
        const int32_t b = 5 - q->spatial + a;
        p->axis[a] = scene->geometry.axis[a] = (fal_axis){.input = view->shape[b], .output = y->shape[b]};
        if (view->shape[b] > p->longest) p->longest = view->shape[b];
    }
    if (q->extent != FAL_POOL_WINDOW) return FAL_OK;
    for (int32_t a = 0; a < q->spatial; a++) {
        fal_axis *axis = &p->axis[a];
        int64_t effective;
        *axis = (fal_axis){.input = view->shape[5 - q->spatial + a],
                           .kernel = q->kernel[a],
                           .stride = q->stride[a] ? q->stride[a] : q->kernel[a],
                           .dilation = q->dilation[a] ? q->dilation[a] : 1,
                           .begin = q->padding_begin[a],
                           .end = q->padding_end[a]};
        DRAW_TRY(fal_padding_resolve(axis, q->padding, false, error));
        DRAW_TRY(fal_pool_size(axis, q->ceil_mode, error));
        DRAW_TRY(fal_effective_kernel(axis->kernel, axis->dilation, &effective, error));
        p->end[a] = axis->end;
        scene->geometry.axis[a] = *axis;
        int64_t reach = (axis->output - 1) * axis->stride + effective - axis->input - axis->begin;
        if (reach > axis->end) axis->end = reach;
        if (axis->kernel > p->longest) p->longest = axis->kernel;
    }
    return FAL_OK;
}

/* How adaptive windows lie, on each axis or on all. */
static void say_windows(draw_scene *scene)
{
    static const char *const names[] = {"depth", "height", "width"};
    const fal_pool_params *q = &scene->problem.pool;
    const fal_axis *axis = scene->geometry.axis;
    bool same = true;
    if (q->extent == FAL_POOL_GLOBAL) draw_caption(scene, "every channel is one window");
    if (q->extent != FAL_POOL_ADAPTIVE) return;
    for (int32_t a = 0; a < q->spatial; a++)
        same = same && axis[a].input == axis[0].input && axis[a].output == axis[0].output;
    for (int32_t a = 0; a < (same ? 1 : q->spatial); a++)
        draw_caption(scene,
                     "%s: output j reads the inputs floor(j*%" PRId64 "/%" PRId64 ") to ceil((j+1)*%" PRId64
                     "/%" PRId64 ") - 1",
                     same ? q->spatial > 1 ? "on every axis" : "length" : names[3 - q->spatial + a],
                     axis[a].input, axis[a].output, axis[a].input, axis[a].output);
}

static fal_status begin_pool(draw_scene *scene, fal_error *error)
{
    const draw_problem *problem = &scene->problem;
    const fal_pool_params *q = &problem->pool;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor y, view, result;
    void *memory;
    DRAW_TRY(fal_pool_output_shape(&problem->x, q, &y, error));
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(pooling), &memory, error));
    pooling *p = scene->detail = memory;
    scene->geometry.spatial = q->spatial;
    draw_view_data(&problem->x, q->spatial, q->layout, &view);
    draw_view_data(&y, q->spatial, q->layout, &result);
    DRAW_TRY(resolve(scene, p, &view, &result, error));
    say_windows(scene);
    DRAW_TRY(draw_scene_alloc(scene, FAL_MAX_SPATIAL * p->longest, sizeof(fal_tap), &memory, error));
    p->taps = memory;
    draw_sheet_set(&scene->sheet[DRAW_READ], "input", "x", &view, q->spatial);
    draw_sheet_ring(scene, &scene->sheet[DRAW_READ], p->axis);
    scene->sheet[DRAW_READ].blank = true;
    DRAW_TRY(draw_scene_tensor(scene, y.dtype, y.rank, y.shape, &y, error));
    if (q->kind == FAL_POOL_MAX)
        DRAW_TRY(draw_scene_tensor(scene, FAL_I64, y.rank, y.shape, &p->indices, error));
    DRAW_TRY(fal_pool(&context, &problem->x, q, &y, q->kind == FAL_POOL_MAX ? &p->indices : NULL));
    draw_view_data(&y, q->spatial, q->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "output", "y", &view, q->spatial);
    const fal_tensor indices = p->indices;
    if (q->kind == FAL_POOL_MAX) draw_view_data(&indices, q->spatial, q->layout, &p->indices);
    scene->joint[1] = "→";
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
    return FAL_OK;
}

/* What output o of an axis reads. */
static fal_status list_window(const draw_scene *scene, int32_t a, int64_t o, int64_t *count, fal_error *error)
{
    const pooling *p = scene->detail;
    const fal_axis *axis = &p->axis[a];
    fal_tap *taps = &p->taps[a * p->longest];
    if (scene->problem.pool.extent == FAL_POOL_WINDOW)
        return fal_axis_taps(axis, false, FAL_PAD_ZEROS, false, o, taps, p->longest, count, error);
    const int64_t first = o * axis->input / axis->output,
                  end = ((o + 1) * axis->input + axis->output - 1) / axis->output;
    *count = end - first;
    for (int64_t i = 0; i < *count; i++)
        taps[i] = (fal_tap){.tap = i, .position = first + i, .index = first + i};
    return FAL_OK;
}

/* Marks the window and says its cells; counts those that exist and those that the average divides by. */
static fal_status mark_window(draw_scene *scene, const draw_mark *focus, int64_t *inside, int64_t *divided,
                              fal_error *error)
{
    const pooling *p = scene->detail;
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    const int32_t spatial = scene->geometry.spatial;
    int64_t count[FAL_MAX_SPATIAL], windows = 1;
    char text[DRAW_NUMBER];
    for (int32_t a = 0; a < spatial; a++) {
        DRAW_TRY(list_window(scene, a, focus->at[3 - spatial + a], &count[a], error));
        windows *= count[a];
    }
    *inside = *divided = 0;
    for (int64_t i = 0; i < windows; i++) {
        draw_mark mark = {.kind = DRAW_MARK_TAP, .plane = focus->plane, .note = NAN};
        bool padded = true;
        int64_t rest = i;
        for (int32_t a = spatial - 1; a >= 0; a--) {
            const fal_tap *tap = &p->taps[a * p->longest + rest % count[a]];
            rest /= count[a];
            mark.at[3 - spatial + a] = tap->position;
            if (tap->index < 0) mark.kind = DRAW_MARK_MISS;
            padded = padded && tap->position < p->axis[a].input + p->end[a];
        }
        *divided += padded;
        DRAW_TRY(draw_mark_add(scene, &mark, error));
        if (mark.kind == DRAW_MARK_MISS) continue;
        if (*inside == DRAW_PRODUCTS) DRAW_TRY(draw_say(scene, error, ", …"));
        if ((*inside)++ >= DRAW_PRODUCTS) continue;
        draw_number(text, draw_sheet_value(x, mark.plane, mark.at));
        DRAW_TRY(draw_say(scene, error, "%s%s", *inside > 1 ? ", " : "", text));
    }
    return FAL_OK;
}

static fal_status mark_maximum(draw_scene *scene, const draw_mark *focus, fal_error *error)
{
    const pooling *p = scene->detail;
    const draw_sheet *x = &scene->sheet[DRAW_READ];
    const int64_t index[5] = {focus->plane, 0, focus->at[0], focus->at[1], focus->at[2]};
    int64_t place = fal_tensor_get_int(&p->indices, index);
    draw_mark chosen = {.kind = DRAW_MARK_CHOSEN, .plane = focus->plane, .note = NAN};
    if (place < 0) return FAL_OK;
    for (int32_t a = 2; a >= 0; a--) {
        chosen.at[a] = place % x->size[a];
        place /= x->size[a];
    }
    return draw_mark_add(scene, &chosen, error);
}

static fal_status step_pool(draw_scene *scene, int64_t n, fal_error *error)
{
    const fal_pool_params *q = &scene->problem.pool;
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    int64_t inside, divided;
    char text[DRAW_NUMBER], norm[DRAW_NUMBER];
    draw_sheet_nth(y, n, &focus.plane, focus.at);
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_say_cell(scene, y, focus.plane, focus.at, error));
    draw_number(norm, q->norm > 0 ? q->norm : 2);
    if (q->kind == FAL_POOL_LP)
        DRAW_TRY(draw_say(scene, error, " = the L%s norm of (", norm));
    else
        DRAW_TRY(draw_say(scene, error, q->kind == FAL_POOL_MAX ? " = max(" : " = the sum of ("));
    DRAW_TRY(mark_window(scene, &focus, &inside, &divided, error));
    DRAW_TRY(draw_say(scene, error, ")"));
    if (q->kind == FAL_POOL_MAX && q->index_mode == FAL_INDEX_PLANE && !q->column_major)
        DRAW_TRY(mark_maximum(scene, &focus, error));
    if (q->kind == FAL_POOL_AVERAGE) {
        draw_number(text, (double)(q->divisor ? q->divisor : q->exclude_padding ? inside : divided));
        DRAW_TRY(draw_say(scene, error, " / %s", text));
    }
    draw_number(text, draw_sheet_value(y, focus.plane, focus.at));
    return draw_say(scene, error, " = %s", text);
}

const draw_script draw_script_pool = {begin_pool, step_pool};

/* ---- Padding ---- */

static fal_status begin_pad(draw_scene *scene, fal_error *error)
{
    const draw_problem *problem = &scene->problem;
    const fal_conv_params *q = &problem->params;
    const int32_t spatial = q->spatial;
    fal_tensor x = problem->x, y, view;
    const int32_t first = x.rank - spatial - (q->layout == FAL_NHWC ? 1 : 0);
    int64_t shape[FAL_MAX_RANK], begin[FAL_MAX_RANK] = {0};
    fal_axis axis[FAL_MAX_SPATIAL] = {{0}};
    memcpy(shape, x.shape, sizeof shape);
    for (int32_t a = 0; a < spatial; a++) {
        axis[a].begin = begin[first + a] = q->padding_begin[a];
        axis[a].end = q->padding_end[a];
        scene->geometry.axis[a] = axis[a];
        shape[first + a] += q->padding_begin[a] + q->padding_end[a];
        if (shape[first + a] < 1)
            return draw_fail(error, FAL_E_PADDING, "padding", "the crop leaves nothing of an axis");
    }
    DRAW_TRY(draw_scene_tensor(scene, x.dtype, x.rank, shape, &y, error));
    DRAW_TRY(fal_tensor_pad(&x, begin, q->padding_mode, q->padding_value, &y, error));
    scene->geometry.spatial = spatial;
    scene->geometry.padding_mode = q->padding_mode;
    draw_view_data(&x, spatial, q->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "input", "x", &view, spatial);
    draw_sheet_ring(scene, &scene->sheet[DRAW_READ], axis);
    draw_view_data(&y, spatial, q->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "output", "y", &view, spatial);
    scene->joint[1] = "→";
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_RESULT]);
    return FAL_OK;
}

static fal_status step_pad(draw_scene *scene, int64_t n, fal_error *error)
{
    const draw_sheet *x = &scene->sheet[DRAW_READ], *y = &scene->sheet[DRAW_RESULT];
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_RESULT, .note = NAN};
    draw_mark tap = {.kind = DRAW_MARK_TAP, .note = NAN}, source = {.kind = DRAW_MARK_CHOSEN, .note = NAN};
    char text[DRAW_NUMBER];
    draw_sheet_nth(y, n, &focus.plane, focus.at);
    for (int32_t a = 0; a < 3; a++) tap.at[a] = focus.at[a] - x->before[a];
    tap.plane = source.plane = focus.plane;
    draw_cell cell = draw_sheet_cell(x, tap.plane, tap.at);
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_mark_add(scene, &tap, error));
    DRAW_TRY(draw_say_cell(scene, y, focus.plane, focus.at, error));
    if (cell.kind != DRAW_IS_OUTSIDE) {
        memcpy(source.at, cell.source, sizeof source.at);
        DRAW_TRY(draw_mark_add(scene, &source, error));
        DRAW_TRY(draw_say(scene, error, " = "));
        DRAW_TRY(draw_say_cell(scene, x, source.plane, source.at, error));
    }
    draw_number(text, draw_sheet_value(y, focus.plane, focus.at));
    return draw_say(scene, error, " = %s", text);
}

const draw_script draw_script_pad = {begin_pad, step_pad};
