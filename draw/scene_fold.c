/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scene_fold.c: fold (col2im): windows put back where they came from, and added where they overlap.
 *
 * What is read is the matrix of columns (nhwc: rows). A step is a window; the numbers after it are those of
 * fal_fold for columns whose later windows are zero.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "draw/scene_parts.h"

typedef struct folding {
    fal_tensor cols;  /* compact copy, filled window by window */
    fal_tensor image; /* the library's result */
    fal_tensor table; /* the first image's columns as given: (1, 1, 1, rows, columns) */
    fal_axis axis[FAL_MAX_SPATIAL];
    int64_t taps, windows; /* of one channel */
    fal_tap *list;         /* of one output on each axis */
    int64_t longest;
} folding;

/* The matrix of the first image. */
static void view_columns(const fal_tensor *cols, fal_tensor *view)
{
    const int32_t first = cols->rank - 2;
    *view = (fal_tensor){.data = cols->data,
                         .dtype = cols->dtype,
                         .rank = 5,
                         .shape = {1, 1, 1, cols->shape[first], cols->shape[first + 1]},
                         .strides = {0, 0, 0, cols->strides[first], cols->strides[first + 1]}};
}

static fal_status run(const draw_scene *scene, const folding *f, fal_error *error)
{
    return fal_fold(&f->cols, &scene->problem.params, &f->image, error);
}

/* The convolution that has these windows, axis by axis. */
static fal_status find_axes(draw_scene *scene, folding *f, const fal_tensor *view, fal_error *error)
{
    const fal_conv_params *q = &scene->problem.params;
    f->taps = f->windows = f->longest = 1;
    for (int32_t a = 0; a < q->spatial; a++) {
        f->axis[a] = (fal_axis){.input = view->shape[5 - q->spatial + a],
                                .kernel = q->kernel[a],
                                .stride = q->stride[a] ? q->stride[a] : 1,
                                .dilation = q->dilation[a] ? q->dilation[a] : 1,
                                .begin = q->padding_begin[a],
                                .end = q->padding_end[a]};
        DRAW_TRY(fal_padding_resolve(&f->axis[a], q->padding, false, error));
        DRAW_TRY(fal_conv_size(&f->axis[a], error));
        scene->geometry.axis[a] = f->axis[a];
        f->taps *= f->axis[a].kernel;
        f->windows *= f->axis[a].output;
        if (f->axis[a].kernel > f->longest) f->longest = f->axis[a].kernel;
    }
    scene->geometry.spatial = q->spatial;
    scene->geometry.padding_mode = q->padding_mode;
    return FAL_OK;
}

static fal_status begin(draw_scene *scene, fal_error *error)
{
    const draw_problem *p = &scene->problem;
    const fal_conv_params *q = &p->params;
    fal_tensor view;
    void *memory;
    DRAW_TRY(draw_scene_alloc(scene, 1, sizeof(folding), &memory, error));
    folding *f = scene->detail = memory;
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->image.rank, p->image.shape, &f->image, error));
    DRAW_TRY(draw_scene_tensor(scene, p->x.dtype, p->x.rank, p->x.shape, &f->cols, error));
    DRAW_TRY(fal_tensor_copy(&p->x, &f->cols, error));
    DRAW_TRY(run(scene, f, error));
    draw_view_data(&f->image, q->spatial, q->layout, &view);
    DRAW_TRY(find_axes(scene, f, &view, error));
    draw_sheet_set(&scene->sheet[DRAW_RESULT], "image", "y", &view, q->spatial);
    view_columns(&p->x, &f->table);
    draw_sheet_set(&scene->sheet[DRAW_READ], q->layout == FAL_NHWC ? "windows as rows" : "windows as columns",
                   "x", &f->table, 2);
    DRAW_TRY(draw_scene_alloc(scene, FAL_MAX_SPATIAL * f->longest, sizeof(fal_tap), &memory, error));
    f->list = memory;
    scene->joint[1] = "→";
    scene->scatter = true;
    scene->steps = f->windows;
    draw_caption(scene,
                 "Overlapping windows are added: folding is the transpose of unfolding, not its inverse.");
    return FAL_OK;
}

/* The columns up to and with window n. */
static void fill(const draw_scene *scene, const folding *f, int64_t n)
{
    const bool rows = scene->problem.params.layout == FAL_NHWC;
    fal_tensor copy;
    view_columns(&f->cols, &copy);
    for (int64_t r = 0; r < copy.shape[3]; r++)
        for (int64_t c = 0; c < copy.shape[4]; c++) {
            const int64_t index[5] = {0, 0, 0, r, c};
            fal_tensor_set(&copy, index, (rows ? r : c) <= n ? fal_tensor_get(&f->table, index) : 0);
        }
}

/* Entry `tap` of channel `channel` of window n: in the matrix, and where it lands. */
static fal_status land(draw_scene *scene, int64_t n, int64_t channel, int64_t tap, fal_error *error)
{
    const folding *f = scene->detail;
    const fal_conv_params *q = &scene->problem.params;
    const bool rows = q->layout == FAL_NHWC;
    const int64_t channels = draw_sheet_planes(&scene->sheet[DRAW_RESULT]);
    const int64_t entry = rows ? tap * channels + channel : channel * f->taps + tap;
    draw_mark on_x = {.kind = DRAW_MARK_TAP, .note = NAN, .at = {0, rows ? n : entry, rows ? entry : n}};
    draw_mark on_y = {.kind = DRAW_MARK_TAP, .sheet = DRAW_RESULT, .plane = channel};
    bool inside = true;
    for (int32_t a = q->spatial - 1; a >= 0; a--) {
        const fal_tap *here = &f->list[a * f->longest + tap % f->axis[a].kernel];
        tap /= f->axis[a].kernel;
        inside = inside && here->index >= 0;
        on_y.at[3 - q->spatial + a] = here->index;
    }
    DRAW_TRY(draw_mark_add(scene, &on_x, error));
    on_y.note = draw_sheet_value(&scene->sheet[DRAW_READ], 0, on_x.at);
    return inside ? draw_mark_add(scene, &on_y, error) : FAL_OK;
}

static fal_status step(draw_scene *scene, int64_t n, fal_error *error)
{
    const folding *f = scene->detail;
    const fal_conv_params *q = &scene->problem.params;
    int64_t rest = n, count;
    fill(scene, f, n);
    DRAW_TRY(run(scene, f, error));
    for (int32_t a = q->spatial - 1; a >= 0; a--) {
        DRAW_TRY(fal_axis_taps(&f->axis[a], false, q->padding_mode, false, rest % f->axis[a].output,
                               &f->list[a * f->longest], f->longest, &count, error));
        rest /= f->axis[a].output;
    }
    for (int64_t c = 0; c < draw_sheet_planes(&scene->sheet[DRAW_RESULT]); c++)
        for (int64_t t = 0; t < f->taps; t++) DRAW_TRY(land(scene, n, c, t, error));
    return draw_say(scene, error, "window %" PRId64 " is added to the marked cells", n);
}

const draw_script draw_script_fold = {begin, step};
