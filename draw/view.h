/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view.h: ways to look at an operator, each as a background and steps that lie over it.
 *
 *     draw_view *view;
 *     draw_view_slide(&problem, &look, &view, &error);
 *     draw_view_still(view, 4, &figure, &error);        // step 4, with everything computed
 *     draw_view_moving(view, 1.0, &animation, &error);  // all steps, the result filling up
 *     draw_view_close(view);
 */
#ifndef FALTUNG_DRAW_VIEW_H
#define FALTUNG_DRAW_VIEW_H

#include "draw/figure.h"
#include "draw/scene.h"

/* How it shall look. */
typedef struct draw_look {
    draw_theme theme;
    bool bare;    /* no numbers in the cells */
    bool heatmap; /* small coloured cells instead of numbers */
} draw_look;

typedef struct draw_view draw_view;

/* What is read, the kernel, the result: one output at a time. */
fal_status draw_view_slide(const draw_problem *problem, const draw_look *look, draw_view **view,
                           fal_error *error);
/* The kernel matrix: y = F x, and z = F' y with its transpose. conv and conv-transpose. */
fal_status draw_view_matrix(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error);
/* Windows as rows or columns, and the product that makes the result of them. conv. */
fal_status draw_view_im2col(const draw_problem *problem, const draw_look *look, draw_view **view,
                            fal_error *error);
/* How many taps reach every output, and how often every input is read. */
fal_status draw_view_coverage(const draw_problem *problem, const draw_look *look, draw_view **view,
                              fal_error *error);
/* A stack of layers along one axis of `input` elements as a tree, with the receptive field of one output of
 * the last layer, which is the step, and its footprint in the plane. */
fal_status draw_view_stack(const fal_layer *layers, int32_t count, int64_t input, const draw_look *look,
                           draw_view **view, fal_error *error);
/* A matrix, its tiled view, and where the tiles lie in memory. */
fal_status draw_view_tile(const fal_tensor *x, const int64_t *tile, const draw_look *look, draw_view **view,
                          fal_error *error);

void draw_view_close(draw_view *view); /* NULL is fine */
int64_t draw_view_steps(const draw_view *view);
/* The step that a still shows when none is asked for; -1: a still without one. */
int64_t draw_view_usual_step(const draw_view *view);
fal_status draw_view_still(draw_view *view, int64_t step, draw_figure **figure, fal_error *error);
fal_status draw_view_moving(draw_view *view, double seconds, draw_animation **animation, fal_error *error);

#endif
