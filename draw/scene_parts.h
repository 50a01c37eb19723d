/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_parts.h: what the operators of a scene share. Views include scene.h only.
 *
 * An operator is a pair of functions: `begin` fills the sheets, computes the results and says how many steps
 * there are; `step` marks the cells of one of them.
 */
#ifndef FALTUNG_DRAW_SCENE_PARTS_H
#define FALTUNG_DRAW_SCENE_PARTS_H

#include "draw/scene.h"

#if defined(__GNUC__)
#define DRAW_WORDS_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define DRAW_WORDS_LIKE(f, a)
#endif

/* Forwards a failure. */
#define DRAW_TRY(expression)                                   \
    do {                                                       \
        fal_status draw_try_status = (expression);             \
        if (draw_try_status != FAL_OK) return draw_try_status; \
    } while (0)

typedef struct draw_script {
    fal_status (*begin)(draw_scene *scene, fal_error *error);
    fal_status (*step)(draw_scene *scene, int64_t n, fal_error *error);
} draw_script;

extern const draw_script draw_script_conv, draw_script_conv_transpose, draw_script_scatter,
    draw_script_grad_input, draw_script_grad_weight, draw_script_gather_input, draw_script_gather_weight,
    draw_script_pool, draw_script_deform, draw_script_pad, draw_script_fold, draw_script_unpool;

/* ---- failures and memory ---- */

fal_status draw_fail(fal_error *error, fal_status status, const char *field, const char *found, ...)
    DRAW_WORDS_LIKE(4, 5);
/* Zeroed memory that lives as long as the scene; at least one element. */
fal_status draw_scene_alloc(draw_scene *scene, int64_t count, size_t size, void **memory, fal_error *error);
/* A compact tensor of zeros. */
fal_status draw_scene_tensor(draw_scene *scene, fal_dtype dtype, int32_t rank, const int64_t *shape,
                             fal_tensor *out, fal_error *error);

/* Frees what a scene holds, not the scene. */
void draw_scene_empty(draw_scene *scene);

/* ---- what gradients and convolutions share ---- */

/* A step of a convolution over what the sheet DRAW_READ holds, whatever that is. */
fal_status draw_conv_step(draw_scene *scene, int64_t n, fal_error *error);
/* Room for the steps of a gradient, and a step of a weight's. */
fal_status draw_grad_room(draw_scene *scene, fal_error *error);
fal_status draw_grad_weight_step(draw_scene *scene, int64_t n, fal_error *error);
/* Says that a weight's gradient sums over all images. */
void draw_say_images(draw_scene *scene);
/* Refuses a gradient that has not the result's shape. */
fal_status draw_same_shape(const fal_tensor *y, const fal_tensor *gy, fal_error *error);

/* ---- sheets ---- */

/* The first image of (n, c, space) as (c, 1, depth, rows, columns). */
void draw_view_data(const fal_tensor *t, int32_t spatial, fal_layout layout, fal_tensor *out);
/* A weight as (outer, inner, depth, rows, columns), in the order of nchw. */
void draw_view_weight(const fal_tensor *t, fal_layout layout, fal_tensor *out);
/* A sheet without a ring: `view` is one of the two views above. `what` and `name`: "input", "x"; w and gw
 * are weights. */
void draw_sheet_set(draw_sheet *sheet, const char *what, const char *name, const fal_tensor *view,
                    int32_t spatial);
/* Gives a sheet the ring of a convolution's input. */
void draw_sheet_ring(draw_scene *scene, draw_sheet *sheet, const fal_axis *axis);
/* Space of rank `spatial` to three axes, missing ones filled, and back. */
void draw_widen(int32_t spatial, const int64_t *space, int64_t missing, int64_t wide[3]);
/* The cell of a sheet that has number n. */
void draw_sheet_nth(const draw_sheet *sheet, int64_t n, int64_t *plane, int64_t at[3]);
int64_t draw_sheet_count(const draw_sheet *sheet);
/* The plane of a weight that joins two channels, counted over all groups. */
int64_t draw_weight_plane(const draw_scene *scene, int64_t ic, int64_t oc);

/* ---- marks and words ---- */

fal_status draw_mark_add(draw_scene *scene, const draw_mark *mark, fal_error *error);
/* The number of a cell of a plane. */
double draw_sheet_value(const draw_sheet *sheet, int64_t plane, const int64_t at[3]);
/* Appends to scene->sum. */
fal_status draw_say(draw_scene *scene, fal_error *error, const char *format, ...) DRAW_WORDS_LIKE(3, 4);
/* Appends "y[0,2]". */
fal_status draw_say_cell(draw_scene *scene, const draw_sheet *sheet, int64_t plane, const int64_t at[3],
                         fal_error *error);
/* Appends " = " or " + " and "a*b"; negative numbers in parentheses, an ellipsis where there are many. */
fal_status draw_say_product(draw_scene *scene, bool first, double a, double b, fal_error *error);
/* Adds a line below the figure. */
void draw_caption(draw_scene *scene, const char *format, ...) DRAW_WORDS_LIKE(2, 3);

#endif
