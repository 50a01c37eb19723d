/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_unpool.c: max-unpooling: maxima go back to where max pooling found them.
 *
 * Beside the maxima stand their places as numbers: an index counts the cells of the result's plane, row by
 * row. A step is a maximum; the numbers after it are zeros but where the maxima so far have gone. After the
 * last step they are those of fal_max_unpool.
 */
#include <inttypes.h>
#include <math.h>

#include "draw/scene_parts.h"

typedef struct unpooling {
    fal_tensor index; /* (c, 1, depth, rows, columns) */
    fal_tensor y;     /* the library's result */
} unpooling;

static fal_status begin(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_pool_params *q = &p->pool;
    const fal_context context = {.threads = 1, .error = error};
    fal_tensor y, view;
    void *memory;
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(unpooling), &memory, error));
    unpooling *u = scene->detail = memory;
    scene->geometry.spatial = q->spatial;
    draw_view_data(&p->x, q->spatial, q->layout, &view);
    draw_sheet_set(&scene->sheet[DRAW_READ], "maxima", "x", &view, q->spatial);
    draw_view_data(&p->indices, q->spatial, q->layout, &u->index);
    draw_sheet_set(&scene->sheet[DRAW_WEIGHT], "where they stood:", "i", &u->index, q->spatial);
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->image.rank, p->image.shape, &y, error));
    DRAW_TRY(fal_max_unpool(&context, &p->x, &p->indices, q, NULL, &y));
    draw_view_data(&y, q->spatial, q->layout, &u->y);
    DRAW_TRY(draw_scene_tensor(scene, u->y.dtype, u->y.rank, u->y.shape, &view, error));
    DRAW_TRY(fal_tensor_copy(&u->y, &view, error));
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "output", "y", &view, q->spatial);
    scene->scatter = true;
    scene->joint[0] = "at";
    scene->joint[1] = "→";
    scene->steps = draw_sheet_count(&scene->sheet[DRAW_READ]);
    draw_caption(scene, "An index counts the cells of the output, row by row; all others hold zeros.");
    return FAL_OK;
}

/* Where maximum n goes. */
static void place_of(const draw_scene *scene, int64_t n, int64_t *plane, int64_t at[3])
{
    const unpooling *u = scene->detail;
    int64_t from[3];
    draw_sheet_nth(&scene->sheet[DRAW_READ], n, plane, from);
    const int64_t index[5] = {*plane, 0, from[0], from[1], from[2]};
    int64_t place = fal_tensor_get_int(&u->index, index);
    for (int32_t a = 2; a >= 0; a--) {
        at[a] = place % scene->sheet[DRAW_RESULT].size[a];
        place /= scene->sheet[DRAW_RESULT].size[a];
    }
}

/* The result of the maxima up to and with n. */
static fal_status fill(const draw_scene *scene, int64_t n, fal_error *error)
{
    fal_tensor shown = scene->sheet[DRAW_RESULT].values;
    DRAW_TRY(fal_tensor_fill(&shown, 0, error));
    for (int64_t i = 0; i <= n; i++) {
        int64_t plane, from[3], at[3];
        draw_sheet_nth(&scene->sheet[DRAW_READ], i, &plane, from);
        place_of(scene, i, &plane, at);
        fal_tensor_set(&shown, (const int64_t[]){plane, 0, at[0], at[1], at[2]},
                       draw_sheet_value(&scene->sheet[DRAW_READ], plane, from));
    }
    return FAL_OK;
}

static fal_status step(draw_scene *scene, int64_t n, fal_error *error)
{
    const draw_sheet *x = &scene->sheet[DRAW_READ], *y = &scene->sheet[DRAW_RESULT];
    draw_mark focus = {.kind = DRAW_MARK_FOCUS, .sheet = DRAW_READ, .note = NAN};
    draw_mark index = {.kind = DRAW_MARK_TAP, .sheet = DRAW_WEIGHT, .note = NAN};
    draw_mark on_y = {.kind = DRAW_MARK_TAP, .sheet = DRAW_RESULT, .note = NAN};
    char value[DRAW_NUMBER];
    DRAW_TRY(fill(scene, n, error));
    draw_sheet_nth(x, n, &focus.plane, focus.at);
    draw_sheet_nth(x, n, &index.plane, index.at);
    place_of(scene, n, &on_y.plane, on_y.at);
    DRAW_TRY(draw_mark_add(scene, &focus, error));
    DRAW_TRY(draw_mark_add(scene, &index, error));
    DRAW_TRY(draw_mark_add(scene, &on_y, error));
    draw_number(value, draw_sheet_value(x, focus.plane, focus.at));
    DRAW_TRY(draw_say_cell(scene, x, focus.plane, focus.at, error));
    DRAW_TRY(
        draw_say(scene, error, " = %s goes to cell %" PRId64 ", ", value, draw_sheet_order(y, 0, on_y.at)));
    return draw_say_cell(scene, y, on_y.plane, on_y.at, error);
}

const draw_script draw_script_unpool = {begin, step};
