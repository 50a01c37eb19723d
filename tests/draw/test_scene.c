/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenes say what the library computes: for random layers every number of a result is the reference's, and
 * the cells that a step marks, times their notes, add up to it.
 */
#include "draw/layer.h"

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
            const bool weight = op == DRAW_OP_GRAD_WEIGHT || op == DRAW_OP_GATHER_WEIGHT;
            if (!weight || the.problem.x.shape[0] == 1)
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

static void check_gather_input_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_GATHER_INPUT, FAL_OP_CONV_TRANSPOSE_GRAD_INPUT);
}

static void check_gather_weight_scenes(void **state)
{
    (void)state;
    check_gather(DRAW_OP_GATHER_WEIGHT, FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT);
}

/* ---- Scatter ---- */

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
        cmocka_unit_test(check_conv_scenes),         cmocka_unit_test(check_conv_transpose_scenes),
        cmocka_unit_test(check_grad_input_scenes),   cmocka_unit_test(check_grad_weight_scenes),
        cmocka_unit_test(check_gather_input_scenes), cmocka_unit_test(check_gather_weight_scenes),
        cmocka_unit_test(check_scatter_scenes),      cmocka_unit_test(check_refusals_scenes),
    };
    return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
