/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenes of windows: folding, pools of every extent, unpooling, padding, deformable taps. The marked cells of
 * a step make the number that the library computed.
 */
#include "draw/layer.h"

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

/* The window of every output gives its number, and windows cover the input. */
static void check_adaptive_scenes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= LAYERS; seed++) {
        test_stream stream = {.seed = seed};
        const int64_t shape[4] = {1, 2, test_draw(&stream, 1, 7), test_draw(&stream, 1, 7)};
        draw_problem p = {.op = DRAW_OP_POOL, .title = "test"};
        draw_scene *scene;
        bool read[2][7][7] = {{{false}}};
        p.pool = (fal_pool_params){.kind = (fal_pool_kind)test_draw(&stream, 0, 1),
                                   .extent = (fal_pool_extent)test_draw(&stream, 1, 2),
                                   .spatial = 2};
        for (int32_t a = 0; a < 2 && p.pool.extent == FAL_POOL_ADAPTIVE; a++)
            p.pool.output_size[a] = test_draw(&stream, 1, 8);
        p.x = fal_tensor_of(NULL, FAL_F64, 4, shape);
        fill(the.x, &p.x, &stream);
        fal_error error = {0};
        if (draw_scene_create(&p, &scene, &error) != FAL_OK) fail_msg("seed %d: %s", (int)seed, error.found);
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *focus = &scene->marks[0];
            const double value = draw_sheet_value(&scene->sheet[DRAW_RESULT], focus->plane, focus->at);
            double cells = 0;
            for (int64_t i = 0; i < scene->mark_count; i++) {
                const draw_mark *mark = &scene->marks[i];
                if (mark->sheet != DRAW_READ || mark->kind != DRAW_MARK_TAP) continue;
                read[mark->plane][mark->at[1]][mark->at[2]] = true;
                cells++;
            }
            assert_true(fabs(value - pooled(scene, &p.pool, cells)) < 1e-12);
            check_words(scene, value);
        }
        for (int64_t i = 0; i < fal_tensor_count(&p.x); i++) {
            const int64_t c = i / (shape[2] * shape[3]), at = i % (shape[2] * shape[3]);
            assert_true(read[c][at / shape[3]][at % shape[3]]);
        }
        draw_scene_destroy(scene);
    }
}

/* Maxima go where the library puts them, one a step. */
static void check_unpool_scenes(void **state)
{
    (void)state;
    static int64_t indices[MOST];
    for (uint64_t seed = 1; seed <= LAYERS; seed++) {
        test_stream stream = {.seed = seed};
        const int64_t shape[4] = {1, 2, test_draw(&stream, 2, 6), test_draw(&stream, 2, 6)};
        draw_problem p = {.op = DRAW_OP_UNPOOL, .title = "test"};
        draw_scene *scene;
        fal_tensor expected;
        p.pool = (fal_pool_params){.spatial = 2, .kernel = {2, 2}, .stride = {test_draw(&stream, 1, 2), 2}};
        p.image = fal_tensor_of(NULL, FAL_F64, 4, shape);
        fill(the.gy, &p.image, &stream);
        assert_int_equal(fal_pool_output_shape(&p.image, &p.pool, &p.x, NULL), FAL_OK);
        p.x.data = the.x;
        p.indices = fal_tensor_of(indices, FAL_I64, 4, p.x.shape);
        assert_int_equal(fal_pool(NULL, &p.image, &p.pool, &p.x, &p.indices), FAL_OK);
        p.image.data = the.expected;
        assert_int_equal(fal_max_unpool(NULL, &p.x, &p.indices, &p.pool, NULL, &p.image), FAL_OK);
        draw_view_data(&p.image, 2, FAL_NCHW, &expected);
        assert_int_equal(draw_scene_create(&p, &scene, NULL), FAL_OK);
        const draw_sheet *y = &scene->sheet[DRAW_RESULT];
        assert_int_equal(scene->steps, fal_tensor_count(&p.x));
        for (int64_t n = 0; n < scene->steps; n++) {
            assert_int_equal(draw_scene_step(scene, n, NULL), FAL_OK);
            const draw_mark *from = &scene->marks[0], *to = &scene->marks[2];
            assert_int_equal(to->sheet, DRAW_RESULT);
            assert_true(draw_sheet_value(y, to->plane, to->at) ==
                        draw_sheet_value(&scene->sheet[DRAW_READ], from->plane, from->at));
        }
        for (int64_t i = 0; i < draw_sheet_count(y); i++) {
            int64_t plane, at[3];
            draw_sheet_nth(y, i, &plane, at);
            assert_true(draw_sheet_value(y, plane, at) == number_at(&expected, plane, at));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_fold_scenes),     cmocka_unit_test(check_pool_scenes),
        cmocka_unit_test(check_adaptive_scenes), cmocka_unit_test(check_unpool_scenes),
        cmocka_unit_test(check_pad_scenes),      cmocka_unit_test(check_deform_scenes),
    };
    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
