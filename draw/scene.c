/* SPDX-License-Identifier: BSD-3-Clause */
/* scene.c: the life of a scene, its memory, its marks and its words. See scene.h. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/scene_parts.h"

typedef struct draw_block {
    struct draw_block *next;
    max_align_t memory[];
} draw_block;

fal_status draw_fail(fal_error *error, fal_status status, const char *field, const char *found, ...)
{
    if (error == NULL) return status;
    va_list list;
    *error = (fal_error){.status = status};
    snprintf(error->field, sizeof error->field, "%s", field ? field : "");
    va_start(list, found);
    vsnprintf(error->found, sizeof error->found, found, list);
    va_end(list);
    return status;
}

static fal_status no_memory(fal_error *error)
{
    return draw_fail(error, FAL_E_NOMEM, NULL, "no memory for the figure");
}

fal_status draw_scene_alloc(draw_scene *scene, int64_t count, size_t size, void **memory, fal_error *error)
{
    if (count < 0 || (uint64_t)count > (SIZE_MAX / 2) / size) return no_memory(error);
    size_t bytes = (count ? (size_t)count : 1) * size;
    draw_block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL) return no_memory(error);
    block->next = scene->blocks;
    scene->blocks = block;
    *memory = block->memory;
    return FAL_OK;
}

fal_status draw_small_enough(const fal_tensor *t, fal_error *error)
{
    const int64_t count = fal_tensor_count(t);
    if (count >= 0 && count <= DRAW_MOST_NUMBERS) return FAL_OK;
    draw_fail(error, FAL_E_LIMIT, NULL, "a figure of a tensor with %" PRId64 " numbers cannot be read",
              count);
    if (error != NULL)
        snprintf(error->allowed, sizeof error->allowed, "must have at most %d", DRAW_MOST_NUMBERS);
    return FAL_E_LIMIT;
}

fal_status draw_scene_tensor(draw_scene *scene, fal_dtype dtype, int32_t rank, const int64_t *shape,
                             fal_tensor *out, fal_error *error)
{
    void *data;
    *out = fal_tensor_of(NULL, dtype, rank, shape);
    DRAW_TRY(draw_small_enough(out, error));
    DRAW_TRY(draw_scene_alloc(scene, fal_tensor_count(out), fal_dtype_bytes(dtype) + 1, &data, error));
    out->data = data;
    return FAL_OK;
}

/* ---- Marks and words ---------------------------------------------------------------------------- */

fal_status draw_mark_add(draw_scene *scene, const draw_mark *mark, fal_error *error)
{
    if (scene->mark_count == scene->mark_capacity) {
        int64_t capacity = scene->mark_capacity ? 2 * scene->mark_capacity : 64;
        draw_mark *marks = realloc(scene->marks, (size_t)capacity * sizeof *marks);
        if (marks == NULL) return no_memory(error);
        scene->marks = marks;
        scene->mark_capacity = capacity;
    }
    scene->marks[scene->mark_count++] = *mark;
    return FAL_OK;
}

fal_status draw_say(draw_scene *scene, fal_error *error, const char *format, ...)
{
    char text[DRAW_WORDS];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    size_t used = scene->sum ? strlen(scene->sum) : 0, length = strlen(text);
    if (used + length + 1 > scene->sum_capacity) {
        size_t capacity = 2 * (used + length + 1);
        char *sum = realloc(scene->sum, capacity);
        if (sum == NULL) return no_memory(error);
        scene->sum = sum;
        scene->sum_capacity = capacity;
    }
    memcpy(scene->sum + used, text, length + 1);
    return FAL_OK;
}

void draw_number(char text[DRAW_NUMBER], double value)
{
    if (value == 0) value = 0; /* no minus */
    if (fabs(value) < 1e9 && value == floor(value))
        snprintf(text, DRAW_NUMBER, "%.0f", value);
    else
        snprintf(text, DRAW_NUMBER, "%.4g", value);
}

fal_status draw_say_cell(draw_scene *scene, const draw_sheet *sheet, int64_t plane, const int64_t at[3],
                         fal_error *error)
{
    const int64_t *shape = sheet->values.shape;
    const char *joint = "";
    DRAW_TRY(draw_say(scene, error, "%s[", sheet->name));
    if (draw_sheet_planes(sheet) > 1) {
        DRAW_TRY(draw_say(scene, error, "%" PRId64, plane / shape[1]));
        if (sheet->weight) DRAW_TRY(draw_say(scene, error, ",%" PRId64, plane % shape[1]));
        joint = ",";
    }
    for (int32_t a = 3 - sheet->spatial; a < 3; a++, joint = ",")
        DRAW_TRY(draw_say(scene, error, "%s%" PRId64, joint, at[a]));
    return draw_say(scene, error, "]");
}

fal_status draw_say_product(draw_scene *scene, bool first, double a, double b, fal_error *error)
{
    char left[DRAW_NUMBER], right[DRAW_NUMBER];
    scene->products = first ? 1 : scene->products + 1;
    if (scene->products == DRAW_PRODUCTS + 1) return draw_say(scene, error, " + …");
    if (scene->products > DRAW_PRODUCTS) return FAL_OK;
    draw_number(left, a);
    draw_number(right, b);
    bool open = !first && left[0] == '-', close = right[0] == '-';
    return draw_say(scene, error, "%s%s%s%s*%s%s%s", first ? " = " : " + ", open ? "(" : "", left,
                    open ? ")" : "", close ? "(" : "", right, close ? ")" : "");
}

void draw_caption(draw_scene *scene, const char *format, ...)
{
    va_list list;
    if (scene->captions == DRAW_CAPTIONS) return;
    va_start(list, format);
    vsnprintf(scene->caption[scene->captions++], DRAW_WORDS, format, list);
    va_end(list);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static const draw_script *script_of(draw_operator op)
{
    static const draw_script *const scripts[] = {
        [DRAW_OP_CONV] = &draw_script_conv,
        [DRAW_OP_CONV_TRANSPOSE] = &draw_script_conv_transpose,
        [DRAW_OP_SCATTER] = &draw_script_scatter,
        [DRAW_OP_GRAD_INPUT] = &draw_script_grad_input,
        [DRAW_OP_GRAD_WEIGHT] = &draw_script_grad_weight,
        [DRAW_OP_GATHER_INPUT] = &draw_script_gather_input,
        [DRAW_OP_GATHER_WEIGHT] = &draw_script_gather_weight,
        [DRAW_OP_POOL] = &draw_script_pool,
        [DRAW_OP_DEFORM] = &draw_script_deform,
        [DRAW_OP_PAD] = &draw_script_pad,
        [DRAW_OP_FOLD] = &draw_script_fold,
        [DRAW_OP_UNPOOL] = &draw_script_unpool,
    };
    return scripts[op];
}

/* "output size, on every axis: floor(...) = 3", or a line for each axis when they differ. A gradient's
 * formula is that of the operator: gy has the size of its output. */
static void say_sizes(draw_scene *scene)
{
    static const char *const names[] = {"depth", "height", "width"};
    const char *const *formula = scene->problem.formula;
    int32_t spatial = scene->geometry.spatial;
    const draw_operator op = scene->problem.op;
    const char *what = op >= DRAW_OP_GRAD_INPUT && op <= DRAW_OP_GATHER_WEIGHT ? "size of gy" : "output size";
    bool same = spatial > 1;
    for (int32_t a = 0; a < spatial; a++) {
        if (formula[a] == NULL) return;
        same = same && strcmp(formula[a], formula[0]) == 0;
    }
    if (same) {
        draw_caption(scene, "%s, on every axis: %s", what, formula[0]);
        return;
    }
    for (int32_t a = 0; a < spatial; a++)
        draw_caption(scene, "%s, %s: %s", what, spatial == 1 ? "length" : names[3 - spatial + a], formula[a]);
}

/* " stride 2" or " stride 2,1": one number when all axes share it; nothing when it is `usual`. */
static void say_numbers(draw_scene *scene, const fal_axis *axis, const char *what, size_t field,
                        int64_t usual)
{
    int64_t values[FAL_MAX_SPATIAL];
    const int32_t spatial = scene->geometry.spatial;
    size_t used = strlen(scene->title);
    bool same = true, all_usual = true;
    for (int32_t a = 0; a < spatial; a++) {
        values[a] = *(const int64_t *)((const char *)&axis[a] + field);
        same = same && values[a] == values[0];
        all_usual = all_usual && values[a] == usual;
    }
    if (all_usual) return;
    for (int32_t a = 0; a < (same ? 1 : spatial) && used < sizeof scene->title; a++)
        used += (size_t)snprintf(scene->title + used, sizeof scene->title - used, "%s%s%" PRId64,
                                 a      ? ","
                                 : used ? ", "
                                        : "",
                                 a ? "" : what, values[a]);
}

static void say_padding(draw_scene *scene, const fal_axis *axis)
{
    static const char *const modes[] = {
        "", " (reflect)", " (symmetric)", " (replicate)", " (circular)", " (constant)"};
    const int32_t spatial = scene->geometry.spatial;
    size_t used = strlen(scene->title);
    bool same = true, none = true;
    for (int32_t a = 0; a < spatial; a++) {
        same = same && axis[a].begin == axis[0].begin && axis[a].end == axis[0].begin;
        none = none && axis[a].begin == 0 && axis[a].end == 0;
    }
    if (none) return;
    for (int32_t a = 0; a < (same ? 1 : spatial) && used < sizeof scene->title; a++) {
        used += (size_t)snprintf(scene->title + used, sizeof scene->title - used, "%s%" PRId64,
                                 a      ? ","
                                 : used ? ", padding "
                                        : "padding ",
                                 axis[a].begin);
        if (!same && used < sizeof scene->title)
            used +=
                (size_t)snprintf(scene->title + used, sizeof scene->title - used, ":%" PRId64, axis[a].end);
    }
    if (used < sizeof scene->title)
        snprintf(scene->title + used, sizeof scene->title - used, "%s", modes[scene->geometry.padding_mode]);
}

/* The parameters that are not the usual ones. */
static void say_parameters(draw_scene *scene)
{
    const fal_conv_geometry *g = &scene->geometry;
    const fal_axis *axis = scene->said ? scene->said : g->axis;
    say_numbers(scene, axis, "kernel ", offsetof(fal_axis, kernel), 0);
    say_numbers(scene, axis, "stride ", offsetof(fal_axis, stride), axis[0].kernel ? 1 : 0);
    say_numbers(scene, axis, "dilation ", offsetof(fal_axis, dilation), axis[0].kernel ? 1 : 0);
    say_padding(scene, axis);
    say_numbers(scene, axis, "output padding ", offsetof(fal_axis, output_padding), 0);
    size_t used = strlen(scene->title);
    if (g->groups > 1)
        used += (size_t)snprintf(scene->title + used, sizeof scene->title - used, ", %" PRId64 " groups",
                                 g->groups);
    if (g->flip_kernel && used < sizeof scene->title)
        used += (size_t)snprintf(scene->title + used, sizeof scene->title - used, ", flipped kernel");
    if (g->n > 1 && used < sizeof scene->title)
        snprintf(scene->title + used, sizeof scene->title - used, ", image 0 of %" PRId64, g->n);
}

fal_status draw_scene_create(const draw_problem *problem, draw_scene **scene, fal_error *error)
{
    draw_scene *s = calloc(1, sizeof *s);
    *scene = NULL;
    if (s == NULL) return no_memory(error);
    fal_status status = draw_small_enough(&problem->x, error);
    if (status == FAL_OK) status = draw_small_enough(&problem->w, error);
    s->problem = *problem;
    s->step = -1;
    if (status == FAL_OK) status = script_of(problem->op)->begin(s, error);
    if (status != FAL_OK) {
        draw_scene_destroy(s);
        return status;
    }
    say_parameters(s);
    say_sizes(s);
    *scene = s;
    return FAL_OK;
}

void draw_scene_empty(draw_scene *scene)
{
    for (draw_block *block = scene->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(scene->marks);
    free(scene->sum);
}

void draw_scene_destroy(draw_scene *scene)
{
    if (scene == NULL) return;
    draw_scene_empty(scene);
    free(scene);
}

fal_status draw_scene_step(draw_scene *scene, int64_t n, fal_error *error)
{
    if (n < 0 || n >= scene->steps) {
        draw_fail(error, FAL_E_VALUE, "step", "step %" PRId64 " of %" PRId64, n, scene->steps);
        if (error != NULL && scene->steps > 0)
            snprintf(error->allowed, sizeof error->allowed, "must be 0..%" PRId64, scene->steps - 1);
        return FAL_E_VALUE;
    }
    scene->mark_count = 0;
    scene->step = n;
    scene->products = 0;
    if (scene->sum != NULL) scene->sum[0] = '\0';
    return script_of(scene->problem.op)->step(scene, n, error);
}
