/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.h: random layers for the tests of scenes, and what a step must say.
 */
#ifndef TESTS_DRAW_LAYER_H
#define TESTS_DRAW_LAYER_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "draw/scene_parts.h"
#include "support/support.h"

enum { LAYERS = 150, MOST = 4096 };

/* A layer in memory of its own. */
typedef struct layer {
    double x[MOST], w[MOST], y[MOST], gy[MOST], expected[MOST], bias[16];
    draw_problem problem;
    fal_tensor ty; /* of the result */
} layer;

static layer the;

static inline void fill(double *data, fal_tensor *t, test_stream *stream)
{
    t->data = data;
    for (int64_t i = 0; i < fal_tensor_count(t); i++) data[i] = (double)test_draw(stream, -4, 4);
}

/* A random layer; false when its shapes do not fit together. */
static inline bool make_layer(draw_operator op, uint64_t seed)
{
    test_stream stream = {.seed = seed};
    const bool transposed = op == DRAW_OP_CONV_TRANSPOSE || op == DRAW_OP_SCATTER ||
                            op == DRAW_OP_GATHER_INPUT || op == DRAW_OP_GATHER_WEIGHT;
    draw_problem *p = &the.problem;
    *p = (draw_problem){.op = op, .title = "test"};
    const int32_t spatial = (int32_t)test_draw(&stream, 1, 3);
    const int64_t groups = test_draw(&stream, 1, 2), own_in = test_draw(&stream, 1, 2),
                  own_out = test_draw(&stream, 1, 2);
    const bool nhwc = test_chance(&stream, 3);
    fal_conv_params *q = &p->params;
    int64_t x[FAL_MAX_RANK], w[FAL_MAX_RANK];
    q->groups = groups;
    q->layout = nhwc ? FAL_NHWC : FAL_NCHW;
    q->flip_kernel = test_chance(&stream, 3);
    if (!transposed) {
        q->padding_mode = (fal_padding_mode)test_draw(&stream, 0, 5);
        q->padding_value = q->padding_mode == FAL_PAD_CONSTANT ? 2 : 0;
    }
    x[0] = test_draw(&stream, 1, 2);
    x[nhwc ? spatial + 1 : 1] = groups * own_in;
    const int64_t outer = transposed ? groups * own_in : groups * own_out,
                  inner = transposed ? own_out : own_in;
    w[nhwc ? spatial + 1 : 0] = outer;
    w[nhwc ? spatial : 1] = inner;
    for (int32_t a = 0; a < spatial; a++) {
        x[(nhwc ? 1 : 2) + a] = test_draw(&stream, 1, spatial == 3 ? 4 : 6);
        w[(nhwc ? 0 : 2) + a] = test_draw(&stream, 1, 3);
        q->stride[a] = test_draw(&stream, 1, 3);
        q->dilation[a] = test_draw(&stream, 1, 2);
        q->padding_begin[a] = test_draw(&stream, -1, 2);
        q->padding_end[a] = test_draw(&stream, -1, 2);
        const int64_t most = q->stride[a] > q->dilation[a] ? q->stride[a] : q->dilation[a];
        q->output_padding[a] = transposed ? test_draw(&stream, 0, most - 1) : 0;
    }
    p->x = fal_tensor_of(NULL, FAL_F64, spatial + 2, x);
    p->w = fal_tensor_of(NULL, FAL_F64, spatial + 2, w);
    fill(the.x, &p->x, &stream);
    fill(the.w, &p->w, &stream);
    if (fal_conv_output_shape(transposed, &p->x, &p->w, q, &the.ty, NULL) != FAL_OK) return false;
    if (fal_tensor_count(&the.ty) > 400 || fal_tensor_count(&the.ty) == 0) return false;
    p->gy = the.ty;
    fill(the.gy, &p->gy, &stream);
    const int64_t channels = groups * own_out;
    if (op <= DRAW_OP_SCATTER && test_chance(&stream, 2)) {
        p->bias = fal_tensor_of(NULL, FAL_F64, 1, &channels);
        fill(the.bias, &p->bias, &stream);
    }
    return true;
}

/* The reference's result for the layer, shaped like the scene's result sheet. */
static inline void expect(fal_operator op, fal_tensor *view)
{
    const draw_problem *p = &the.problem;
    fal_operands operands = {.x = p->x, .w = p->w, .bias = p->bias, .y = the.ty};
    operands.y.data = the.expected;
    const bool input = op == FAL_OP_CONV_GRAD_INPUT || op == FAL_OP_CONV_TRANSPOSE_GRAD_INPUT;
    const bool weight = op == FAL_OP_CONV_GRAD_WEIGHT || op == FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT;
    if (input || weight) {
        operands.y = p->gy;
        operands.bias = (fal_tensor){0};
    }
    if (input) operands.x.data = the.expected;
    if (weight) operands.w.data = the.expected;
    assert_int_equal(fal_reference(op, &operands, &p->params, NULL), FAL_OK);
    const int32_t spatial = p->x.rank - 2;
    if (weight)
        draw_view_weight(&operands.w, p->params.layout, view);
    else
        draw_view_data(input ? &operands.x : &operands.y, spatial, p->params.layout, view);
}

static inline double number_at(const fal_tensor *view, int64_t plane, const int64_t at[3])
{
    return fal_tensor_get(
        view, (const int64_t[]){plane / view->shape[1], plane % view->shape[1], at[0], at[1], at[2]});
}

static inline void check_words(const draw_scene *scene, double value)
{
    char number[DRAW_NUMBER];
    const char *last = strrchr(scene->sum, '=');
    assert_non_null(last);
    draw_number(number, value);
    assert_memory_equal(last + 2, number, strlen(number));
}

/* The number of marks' notes on a cell of the result, ring included. */
static inline double added(const draw_scene *scene, int64_t plane, const int64_t at[3])
{
    double sum = 0;
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet == DRAW_RESULT && mark->plane == plane && memcmp(mark->at, at, 3 * sizeof at[0]) == 0)
            sum += mark->note;
    }
    return sum;
}

/* Every step adds its notes to what stood there; the last leaves the expected result. */
static inline void check_scatter(draw_scene *scene, const fal_tensor *expected, uint64_t seed)
{
    const draw_sheet *y = &scene->sheet[DRAW_RESULT];
    static double before[MOST];
    for (int64_t n = 0; n < scene->steps; n++) {
        int64_t plane, at[3], i = 0;
        assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
        for (bool more = draw_sheet_begin(y, &plane, at); more; more = draw_sheet_next(y, &plane, at), i++) {
            const draw_cell cell = draw_sheet_cell(y, plane, at);
            const double start = scene->problem.bias.rank ? the.bias[plane] : 0;
            const double was = n > 0 ? before[i] : start;
            if (cell.value != was + added(scene, plane, at))
                fail_msg("seed %d, step %d: marks do not add up", (int)seed, (int)n);
            before[i] = cell.value;
            if (n + 1 == scene->steps && cell.kind == DRAW_IS_CELL)
                assert_true(cell.value == number_at(expected, plane, at));
        }
    }
}

#endif
