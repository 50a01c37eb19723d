/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenes say what the library computes: for random layers every number of a result is the reference's, and
 * the cells that a step marks, times their notes, add up to it.
 */
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

static void fill(double *data, fal_tensor *t, test_stream *stream)
{
    t->data = data;
    for (int64_t i = 0; i < fal_tensor_count(t); i++) data[i] = (double)test_draw(stream, -4, 4);
}

/* A random layer; false when its shapes do not fit together. */
static bool make_layer(draw_operator op, uint64_t seed)
{
    test_stream stream = {.seed = seed};
    const bool transposed = op == DRAW_OP_CONV_TRANSPOSE || op == DRAW_OP_SCATTER;
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
static void expect(fal_operator op, fal_tensor *view)
{
    const draw_problem *p = &the.problem;
    fal_operands operands = {.x = p->x, .w = p->w, .bias = p->bias, .y = the.ty};
    operands.y.data = the.expected;
    if (op == FAL_OP_CONV_GRAD_INPUT || op == FAL_OP_CONV_GRAD_WEIGHT) {
        operands.y = p->gy;
        operands.bias = (fal_tensor){0};
    }
    if (op == FAL_OP_CONV_GRAD_INPUT) operands.x.data = the.expected;
    if (op == FAL_OP_CONV_GRAD_WEIGHT) operands.w.data = the.expected;
    assert_int_equal(fal_reference(op, &operands, &p->params, NULL), FAL_OK);
    const int32_t spatial = p->x.rank - 2;
    if (op == FAL_OP_CONV_GRAD_WEIGHT)
        draw_view_weight(&operands.w, p->params.layout, view);
    else
        draw_view_data(op == FAL_OP_CONV_GRAD_INPUT ? &operands.x : &operands.y, spatial, p->params.layout,
                       view);
}

static double number_at(const fal_tensor *view, int64_t plane, const int64_t at[3])
{
    return fal_tensor_get(
        view, (const int64_t[]){plane / view->shape[1], plane % view->shape[1], at[0], at[1], at[2]});
}

/* Marks times notes, and the bias. */
static double add_up(const draw_scene *scene, const draw_mark *focus)
{
    double sum = scene->problem.bias.rank ? the.bias[focus->plane] : 0;
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet != DRAW_READ) continue;
        const draw_cell cell = draw_sheet_cell(&scene->sheet[DRAW_READ], mark->plane, mark->at);
        if (mark->kind == DRAW_MARK_TAP) assert_true(cell.kind == DRAW_IS_CELL || cell.kind == DRAW_IS_GHOST);
        if (mark->kind == DRAW_MARK_MISS) assert_int_not_equal(cell.kind, DRAW_IS_CELL);
        sum += cell.value * mark->note;
    }
    return sum;
}

static void check_words(const draw_scene *scene, double value)
{
    char number[DRAW_NUMBER];
    const char *last = strrchr(scene->sum, '=');
    assert_non_null(last);
    draw_number(number, value);
    assert_memory_equal(last + 2, number, strlen(number));
}

static void check_gather(draw_operator op, fal_operator reference)
{
    int layers = 0;
    for (uint64_t seed = 1; layers < LAYERS && seed < 40 * LAYERS; seed++) {
        draw_scene *scene;
        fal_tensor expected;
        if (!make_layer(op, seed)) continue;
        fal_error error = {0};
        if (draw_scene_create(&the.problem, &scene, &error) != FAL_OK)
            fail_msg("seed %d: %s", (int)seed, error.found);
        expect(reference, &expected);
        const draw_sheet *result = &scene->sheet[DRAW_RESULT];
        assert_int_equal(scene->steps, draw_sheet_count(result));
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *focus = &scene->marks[0];
            const double value = number_at(&expected, focus->plane, focus->at);
            if (draw_sheet_value(result, focus->plane, focus->at) != value)
                fail_msg("seed %d, step %d", (int)seed, (int)n);
            /* A weight's gradient adds up all images, of which the first is drawn. */
            if (op != DRAW_OP_GRAD_WEIGHT || the.problem.x.shape[0] == 1)
                if (add_up(scene, focus) != value)
                    fail_msg("seed %d, step %d: marks do not add up", (int)seed, (int)n);
            check_words(scene, value);
        }
        draw_scene_destroy(scene);
        layers++;
    }
    assert_int_equal(layers, LAYERS);
}

static void check_conv_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_CONV, FAL_OP_CONV);
}

static void check_conv_transpose_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_CONV_TRANSPOSE, FAL_OP_CONV_TRANSPOSE);
}

static void check_grad_input_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_GRAD_INPUT, FAL_OP_CONV_GRAD_INPUT);
}

static void check_grad_weight_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_GRAD_WEIGHT, FAL_OP_CONV_GRAD_WEIGHT);
}

/* ---- Scatter ---- */

/* The number of marks' notes on a cell of the result, ring included. */
static double added(const draw_scene *scene, int64_t plane, const int64_t at[3])
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
static void check_scatter(draw_scene *scene, const fal_tensor *expected, uint64_t seed)
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

static void check_scatter_scenes(void **state)
{
    (void)state;
    int layers = 0;
    for (uint64_t seed = 1; layers < LAYERS / 3 && seed < 40 * LAYERS; seed++) {
        draw_scene *scene;
        fal_tensor expected;
        if (!make_layer(DRAW_OP_SCATTER, seed)) continue;
        assert_int_equal(draw_scene_create(&the.problem, &scene, NULL), FAL_OK);
        expect(FAL_OP_CONV_TRANSPOSE, &expected);
        check_scatter(scene, &expected, seed);
        draw_scene_destroy(scene);
        layers++;
    }
    assert_int_equal(layers, LAYERS / 3);
}

/* ---- Fold ---- */

static void check_fold_scenes(void **state)
{
    (void)state;
    int layers = 0;
    for (uint64_t seed = 1; layers < LAYERS / 3 && seed < 40 * LAYERS; seed++) {
        draw_scene *scene;
        fal_tensor expected;
        test_stream stream = {.seed = seed};
        if (!make_layer(DRAW_OP_CONV, seed) || the.problem.params.padding_mode == FAL_PAD_CONSTANT) continue;
        draw_problem p = {
            .op = DRAW_OP_FOLD, .title = "test", .params = the.problem.params, .image = the.problem.x};
        const int32_t first = p.params.layout == FAL_NHWC ? 0 : 2;
        p.params.groups = 0;
        p.params.flip_kernel = false;
        p.params.spatial = the.problem.x.rank - 2;
        for (int32_t a = 0; a < p.params.spatial; a++) p.params.kernel[a] = the.problem.w.shape[first + a];
        assert_int_equal(fal_unfold_shape(&p.image, &p.params, &p.x, NULL), FAL_OK);
        if (fal_tensor_count(&p.x) > MOST) continue;
        fill(the.gy, &p.x, &stream);
        p.image.data = the.expected;
        assert_int_equal(fal_fold(&p.x, &p.params, &p.image, NULL), FAL_OK);
        draw_view_data(&p.image, p.params.spatial, p.params.layout, &expected);
        assert_int_equal(draw_scene_create(&p, &scene, NULL), FAL_OK);
        check_scatter(scene, &expected, seed);
        draw_scene_destroy(scene);
        layers++;
    }
    assert_int_equal(layers, LAYERS / 3);
}

/* ---- Windows without weights ---- */

/* What a pool of this kind makes of the marked cells. */
static double pooled(const draw_scene *scene, const fal_pool_params *q, double divided)
{
    double sum = 0, most = -INFINITY, squares = 0;
    for (int64_t i = 0; i < scene->mark_count; i++) {
        const draw_mark *mark = &scene->marks[i];
        if (mark->sheet != DRAW_READ || mark->kind != DRAW_MARK_TAP) continue;
        const double x = draw_sheet_value(&scene->sheet[DRAW_READ], mark->plane, mark->at);
        sum += x;
        squares += x * x;
        most = fmax(most, x);
    }
    return q->kind == FAL_POOL_MAX ? most : q->kind == FAL_POOL_AVERAGE ? sum / divided : sqrt(squares);
}

static void check_pool_scenes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LAYERS; seed++) {
        test_stream stream = {.seed = seed};
        const int64_t shape[4] = {1, 2, test_draw(&stream, 3, 6), test_draw(&stream, 3, 6)};
        draw_problem p = {.op = DRAW_OP_POOL, .title = "test"};
        draw_scene *scene;
        p.pool = (fal_pool_params){.kind = (fal_pool_kind)test_draw(&stream, 0, 2),
                                   .spatial = 2,
                                   .ceil_mode = test_chance(&stream, 2)};
        for (int32_t a = 0; a < 2; a++) {
            p.pool.kernel[a] = test_draw(&stream, 2, 3);
            p.pool.stride[a] = test_draw(&stream, 1, 3);
            p.pool.padding_begin[a] = p.pool.padding_end[a] = test_draw(&stream, 0, 1);
        }
        p.pool.divisor = p.pool.kind == FAL_POOL_AVERAGE ? 4 : 0;
        p.x = fal_tensor_of(NULL, FAL_F64, 4, shape);
        fill(the.x, &p.x, &stream);
        assert_int_equal(draw_scene_create(&p, &scene, NULL), FAL_OK);
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *focus = &scene->marks[0];
            const double value = draw_sheet_value(&scene->sheet[DRAW_RESULT], focus->plane, focus->at);
            assert_true(fabs(value - pooled(scene, &p.pool, 4)) < 1e-12);
            check_words(scene, value);
            for (int64_t i = 0; i < scene->mark_count; i++)
                if (scene->marks[i].kind == DRAW_MARK_CHOSEN)
                    assert_true(value ==
                                draw_sheet_value(&scene->sheet[DRAW_READ], focus->plane, scene->marks[i].at));
        }
        draw_scene_destroy(scene);
    }
}

static void check_pad_scenes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LAYERS; seed++) {
        test_stream stream = {.seed = seed};
        const int64_t shape[4] = {1, 1, test_draw(&stream, 2, 5), test_draw(&stream, 2, 5)};
        draw_problem p = {.op = DRAW_OP_PAD, .title = "test", .params = {.spatial = 2}};
        draw_scene *scene;
        p.params.padding_mode = (fal_padding_mode)test_draw(&stream, 0, 5);
        p.params.padding_value = p.params.padding_mode == FAL_PAD_CONSTANT ? 7 : 0;
        for (int32_t a = 0; a < 2; a++) {
            p.params.padding_begin[a] = test_draw(&stream, -1, 3);
            p.params.padding_end[a] = test_draw(&stream, 0, 3);
        }
        p.x = fal_tensor_of(NULL, FAL_F64, 4, shape);
        fill(the.x, &p.x, &stream);
        assert_int_equal(draw_scene_create(&p, &scene, NULL), FAL_OK);
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *focus = &scene->marks[0], *tap = &scene->marks[1];
            const double value = draw_sheet_value(&scene->sheet[DRAW_RESULT], focus->plane, focus->at);
            assert_true(value == draw_sheet_cell(&scene->sheet[DRAW_READ], tap->plane, tap->at).value);
        }
        draw_scene_destroy(scene);
    }
}

/* ---- Deformable ---- */

/* Without offsets it is the convolution, and its points are the cells. */
static void check_deform_scenes(void **state)
{
    (void)state;
    static double offsets[MOST];
    int layers = 0;
    for (uint64_t seed = 1; layers < 30 && seed < 4000; seed++) {
        draw_scene *scene;
        fal_tensor expected;
        if (!make_layer(DRAW_OP_CONV, seed) || the.problem.x.rank != 4) continue;
        if (the.problem.params.padding_mode != FAL_PAD_ZEROS || the.problem.params.flip_kernel) continue;
        draw_problem *p = &the.problem;
        const bool nhwc = p->params.layout == FAL_NHWC;
        const int64_t taps = nhwc ? p->w.shape[0] * p->w.shape[1] : p->w.shape[2] * p->w.shape[3];
        int64_t shape[4];
        memcpy(shape, the.ty.shape, sizeof shape);
        shape[nhwc ? 3 : 1] = 2 * taps;
        p->offset = fal_tensor_of(offsets, FAL_F64, 4, shape);
        p->offset_groups = 1;
        p->op = DRAW_OP_DEFORM;
        if (draw_scene_create(p, &scene, NULL) != FAL_OK) continue;
        expect(FAL_OP_CONV, &expected);
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *focus = &scene->marks[0];
            const double value = number_at(&expected, focus->plane, focus->at);
            assert_true(fabs(draw_sheet_value(&scene->sheet[DRAW_RESULT], focus->plane, focus->at) - value) <
                        1e-9);
            for (int64_t i = 0; i < scene->mark_count; i++)
                if (scene->marks[i].kind == DRAW_MARK_POINT)
                    assert_true(scene->marks[i].point[0] == (double)scene->marks[i].at[1] &&
                                scene->marks[i].point[1] == (double)scene->marks[i].at[2]);
        }
        draw_scene_destroy(scene);
        layers++;
    }
    assert_true(layers > 10);
}

static void check_refusals_scenes(void **state)
{
    (void)state;
    draw_scene *scene;
    fal_error error = {0};
    while (!make_layer(DRAW_OP_CONV, 3 + (uint64_t)error.status)) error.status++;
    assert_int_equal(draw_scene_create(&the.problem, &scene, NULL), FAL_OK);
    assert_int_equal(draw_scene_step(scene, scene->steps, &error), FAL_E_VALUE);
    assert_string_not_equal(error.allowed, "");
    assert_int_equal(draw_scene_step(scene, -1, &error), FAL_E_VALUE);
    draw_scene_destroy(scene);
    the.problem.params.stride[0] = -1;
    assert_int_not_equal(draw_scene_create(&the.problem, &scene, &error), FAL_OK);
    assert_null(scene);
    draw_scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_conv_scenes),       cmocka_unit_test(check_conv_transpose_scenes),
        cmocka_unit_test(check_grad_input_scenes), cmocka_unit_test(check_grad_weight_scenes),
        cmocka_unit_test(check_scatter_scenes),    cmocka_unit_test(check_fold_scenes),
        cmocka_unit_test(check_pool_scenes),       cmocka_unit_test(check_pad_scenes),
        cmocka_unit_test(check_deform_scenes),     cmocka_unit_test(check_refusals_scenes),
    };
    return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
