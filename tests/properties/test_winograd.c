/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_winograd.c: Winograd's convolution, forced by name.
 *
 * F(2,3) and F(3,2) only halve and quarter their numbers, so on small integers they must equal the reference
 * over random problems: every layout, stride, dilation, padding mode, group, tail of channels, depth and cpu
 * level, in guarded memory. The others have irrational points or large factors; their bits must not depend on
 * threads, strides or packing, and their error on real data has a bound of its own (test_winograd_error.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 60 };
static const char *const names[] = {"winograd.f2x3",     "winograd.f4x3",     "winograd.f6x3",
                                    "winograd.row.f2x3", "winograd.row.f4x3", "winograd.row.f6x3"};

/* Axes that the named algorithm transforms, counted from the last. */
static int32_t transformed(const char *name)
{
    return strstr(name, "row") != NULL ? 1 : 2;
}

/* A random problem of the library's kind that the algorithm serves. */
static test_problem problem_of(const char *name, uint64_t seed)
{
    test_stream r = {seed, 1000};
    const int32_t axes = transformed(name);
    for (;; r.counter += 100) {
        test_problem p = test_problem_random(test_random(seed, r.counter));
        fal_conv_params *q = &p.params;
        p.seed = seed;
        q->padding = FAL_PADDING_EXPLICIT;
        q->accuracy = strstr(name, "f6") != NULL ? FAL_ACCURACY_FAST : FAL_ACCURACY_DEFAULT;
        if (p.spatial < axes) p.spatial = axes;
        const int64_t taps = strstr(name, "f6") != NULL                         ? 3
                             : strstr(name, "f4") != NULL && test_chance(&r, 4) ? test_draw(&r, 4, 5)
                                                                                : test_draw(&r, 2, 3);
        for (int32_t a = 0; a < p.spatial; a++) {
            const bool depth = a < p.spatial - axes;
            p.in[a] = test_draw(&r, 1, depth ? 4 : test_chance(&r, 4) ? 70 : 13);
            p.k[a] = depth ? test_draw(&r, 1, 3) : taps;
            q->stride[a] = depth && !p.transposed ? test_draw(&r, 1, 2) : 1;
            q->dilation[a] = depth || test_chance(&r, 2) ? test_draw(&r, 1, 3) : 1;
            q->padding_begin[a] = test_draw(&r, -1, 4);
            q->padding_end[a] = test_draw(&r, -1, 4);
            q->output_padding[a] = q->output_size[a] = 0;
        }
        test_problem_sizes(&p);
        bool valid = true;
        for (int32_t a = 0; a < p.spatial; a++)
            valid = valid && p.out[a] > 0 && p.in[a] + q->padding_begin[a] > 0 &&
                    p.in[a] + q->padding_end[a] > 0 && p.in[a] + q->padding_begin[a] + q->padding_end[a] > 0;
        if (valid) return p;
    }
}

/* Activations whose results are whole or halves: the reference rounds none of them. */
static void activate(test_problem *p, uint64_t seed)
{
    static const fal_activation kinds[] = {FAL_ACTIVATION_NONE, FAL_ACTIVATION_RELU, FAL_ACTIVATION_CLAMP,
                                           FAL_ACTIVATION_LEAKY_RELU};
    p->params.activation = kinds[seed % 4];
    p->params.activation_low = p->params.activation == FAL_ACTIVATION_CLAMP ? -3 : 0;
    p->params.activation_high = 5;
    p->params.activation_slope = 0.5;
}

/* Strided along an axis an input gradient has several phases, of which some have no product. */
static bool one_problem(const test_problem *p, test_kind kind)
{
    bool dense = kind == TEST_GRAD_INPUT;
    for (int32_t a = 0; a < p->spatial; a++) dense = dense && p->params.stride[a] == 1;
    return kind == TEST_FORWARD || dense;
}

static fal_status run_by(const char *name, fal_context *context, fal_operator op,
                         const fal_operands *operands, const fal_conv_params *params, bool packed)
{
    fal_conv_params forced = *params;
    forced.algorithm = name;
    return test_plan(context, op, operands, &forced, packed, packed ? 0xA5 : 0xFF);
}

static void check_exact(const char *name, fal_cpu_level cpu, uint64_t first)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(name, seed);
        test_case c = test_case_new(&p, TEST_INT, seed % 3 == 0 ? 0 : seed * 8 + 1);
        test_problem_text(&p, repro);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_INPUT; kind++) {
            if (!one_problem(&p, kind)) continue;
            activate(&p, kind == TEST_FORWARD ? seed / 2 : 0);
            fal_error error = {0};
            fal_context context = {.cpu = cpu, .threads = 1 + (int32_t)(seed % 3), .error = &error};
            fal_operator op = test_operator(&p, kind);
            test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&c, op, seed * 8 + 5);
            assert_int_equal(fal_reference(op, &expected.operands, &p.params, NULL), FAL_OK);
            assert_true(test_ok(run_by(name, &context, op, &actual.operands, &p.params, seed % 2 == 0),
                                &error, repro));
            assert_true(test_equal(&actual.out.t, &expected.out.t, repro));
            assert_true(test_tensor_gaps_intact(&actual.out));
            test_result_free(&expected);
            test_result_free(&actual);
        }
        test_case_free(&c);
    }
}

static void four_points_are_exact_on_integers(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        for (int i = 0; i < 6; i += 3) check_exact(names[i], cpu, 1000 * ((uint64_t)cpu * 2 + (uint64_t)i));
}

/* Threads, executors, strides, packing and a cap that makes blocks small: the same bits. */
static void bits_are_those_of_one_thread(void **state)
{
    (void)state;
    for (uint64_t seed = 5000; seed < 5000 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        const char *name = names[seed % 6];
        test_problem p = problem_of(name, seed);
        test_runs runs = {0};
        fal_error error = {0};
        fal_context alone = {.threads = 1, .error = &error},
                    many = {.threads = 2 + (int32_t)(seed % 6),
                            .executor =
                                seed / 6 % 2 ? test_executor_reversed(&runs) : test_executor_threads(&runs),
                            .error = &error};
        test_case c = test_case_new(&p, TEST_REAL, 0), strided = test_case_new(&p, TEST_REAL, seed);
        const fal_operator op = test_operator(&p, TEST_FORWARD);
        test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&strided, op, seed + 9);
        test_problem_text(&p, repro);
        assert_true(test_ok(run_by(name, &alone, op, &expected.operands, &p.params, false), &error, repro));
        assert_true(test_ok(run_by(name, &many, op, &actual.operands, &p.params, true), &error, repro));
        assert_true(test_same_bits(&actual.out.t, &expected.out.t, repro));
        test_result_free(&expected);
        test_result_free(&actual);
        test_case_free(&c);
        test_case_free(&strided);
    }
}

/* Large enough that work is divided by tiles and by output channels, and blocks change with the cap. */
static void blocks_and_caps_change_no_bit(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = {{40, 30}, {9, 7}};
    for (int i = 0; i < 2; i++)
        for (int size = 0; size < 6; size++) {
            test_problem p = {.spatial = 2, .batched = true, .dtype = FAL_F32, .n = 2, .ic = 70, .oc = 130};
            p.seed = (uint64_t)i;
            p.params = (fal_conv_params){
                .groups = 1, .padding_begin = {1, 1}, .padding_end = {1, 1}, .accuracy = FAL_ACCURACY_FAST};
            p.params.stride[0] = p.params.stride[1] = p.params.dilation[0] = p.params.dilation[1] = 1;
            p.k[0] = p.k[1] = 3, p.in[0] = sizes[i][0], p.in[1] = sizes[i][1];
            test_problem_sizes(&p);
            test_case c = test_case_new(&p, TEST_REAL, 0);
            test_runs runs = {0};
            fal_error error = {0};
            fal_context alone = {.threads = 1, .error = &error},
                        many = {.threads = 7, .executor = test_executor_serial(&runs), .error = &error},
                        capped = {.threads = 3,
                                  .workspace_cap_bytes = size == 2 ? 3300000 : 2300000,
                                  .error = &error};
            test_result a = test_result_new(&c, FAL_OP_CONV, 0), b = test_result_new(&c, FAL_OP_CONV, 0),
                        d = test_result_new(&c, FAL_OP_CONV, 0);
            const char *name = names[size];
            assert_true(
                test_ok(run_by(name, &alone, FAL_OP_CONV, &a.operands, &p.params, false), &error, name));
            assert_true(
                test_ok(run_by(name, &many, FAL_OP_CONV, &b.operands, &p.params, true), &error, name));
            assert_true(
                test_ok(run_by(name, &capped, FAL_OP_CONV, &d.operands, &p.params, false), &error, name));
            assert_true(runs.tasks > runs.runs);
            assert_true(test_same_bits(&b.out.t, &a.out.t, name));
            assert_true(test_same_bits(&d.out.t, &a.out.t, name));
            test_result_free(&a);
            test_result_free(&b);
            test_result_free(&d);
            test_case_free(&c);
        }
}

/* With many weights and few tiles the plan keeps the weights as they are: packed ahead or not, wherever they
 * stand in memory, the bits are the same. */
static void weights_kept_as_they_are_change_no_bit(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const char *name = names[1];
        test_problem p = {.spatial = 2, .batched = true, .dtype = FAL_F32, .n = 1, .ic = 500, .oc = 520};
        p.params = (fal_conv_params){.groups = 1,
                                     .padding_begin = {1, 1},
                                     .padding_end = {1, 1},
                                     .stride = {1, 1},
                                     .dilation = {1, 1},
                                     .flip_kernel = i == 1};
        p.k[0] = p.k[1] = 3, p.in[0] = 5, p.in[1] = 6;
        test_problem_sizes(&p);
        test_case c = test_case_new(&p, TEST_REAL, 0), strided = test_case_new(&p, TEST_REAL, i == 2 ? 7 : 0);
        fal_error error = {0};
        fal_context alone = {.threads = 1, .error = &error}, many = {.threads = 3, .error = &error};
        test_result a = test_result_new(&c, FAL_OP_CONV, 0), b = test_result_new(&strided, FAL_OP_CONV, 0);
        fal_conv_params forced = p.params;
        fal_plan *plan = NULL;
        fal_plan_info info = {0};
        forced.algorithm = name;
        assert_int_equal(fal_plan_create(&alone, FAL_OP_CONV, &a.operands, &forced, &plan), FAL_OK);
        assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
        fal_plan_destroy(plan);
        /* By the level's estimates: with vectors of 4 lanes products weigh more than weights. */
        if (fal_cpu_detect() > FAL_CPU_GENERIC) assert_true(info.packed_bytes < 2 * 4 * 500 * 520 * 9);
        assert_true(test_ok(run_by(name, &alone, FAL_OP_CONV, &a.operands, &p.params, false), &error, name));
        assert_true(test_ok(run_by(name, &many, FAL_OP_CONV, &b.operands, &p.params, true), &error, name));
        assert_true(test_same_bits(&b.out.t, &a.out.t, name));
        test_result_free(&a);
        test_result_free(&b);
        test_case_free(&c);
        test_case_free(&strided);
    }
}

static void refuse(fal_tensor x, fal_tensor w, fal_tensor y, fal_conv_params params, uint64_t cap,
                   const char *reason)
{
    fal_error error = {0};
    fal_context context = {.workspace_cap_bytes = cap, .error = &error};
    fal_operands o = {.x = x, .w = w, .y = y};
    fal_plan *plan = NULL;
    params.algorithm = names[1];
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &o, &params, &plan), FAL_E_UNSUPPORTED);
    assert_non_null(strstr(error.found, reason));
    assert_null(plan);
}

static void refusals_say_why(void **state)
{
    (void)state;
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 8, 9, 9), w = FAL_TENSOR(NULL, FAL_F32, 8, 8, 3, 3),
               y = FAL_TENSOR(NULL, FAL_F32, 1, 8, 7, 7);
    refuse(x, w, y, (fal_conv_params){.accuracy = FAL_ACCURACY_STRICT}, 0,
           "strict accuracy needs a direct sum");
    refuse(x, w, FAL_TENSOR(NULL, FAL_F32, 1, 8, 4, 4), (fal_conv_params){.stride = {2, 2}}, 0,
           "kernel 3x3 stride 2x2, needs equal numbers of taps that are served and stride 1");
    refuse(x, FAL_TENSOR(NULL, FAL_F32, 8, 8, 5, 3), FAL_TENSOR(NULL, FAL_F32, 1, 8, 5, 7),
           (fal_conv_params){0}, 0, "kernel 5x3 stride 1x1, needs equal numbers of taps");
    refuse(x, w, y, (fal_conv_params){0}, 10000, "bytes of workspace are needed, the cap is 10000");
    x.dtype = w.dtype = y.dtype = FAL_F64;
    refuse(x, w, y, (fal_conv_params){0}, 0, "only f32");
}

/* The solver that a plan of a 3 x 3 layer names. */
static const char *chosen(int64_t channels, int64_t size, fal_accuracy accuracy, uint64_t cap)
{
    fal_context context = {.threads = 1, .workspace_cap_bytes = cap};
    fal_conv_params params = {.padding_begin = {1, 1}, .padding_end = {1, 1}, .accuracy = accuracy};
    fal_operands o = {.x = FAL_TENSOR(NULL, FAL_F32, 1, channels, size, size),
                      .w = FAL_TENSOR(NULL, FAL_F32, channels, channels, 3, 3),
                      .y = FAL_TENSOR(NULL, FAL_F32, 1, channels, size, size)};
    fal_plan *plan = NULL;
    fal_plan_info info = {0};
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &o, &params, &plan), FAL_OK);
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    fal_plan_destroy(plan);
    return info.solver;
}

static void chosen_where_it_wins(void **state)
{
    (void)state;
    assert_string_equal(chosen(64, 56, FAL_ACCURACY_DEFAULT, 0), names[1]);
    assert_string_equal(chosen(128, 28, FAL_ACCURACY_DEFAULT, 0), names[1]);
    assert_null(strstr(chosen(64, 56, FAL_ACCURACY_STRICT, 0), "winograd"));
    /* (Blocks of 4 lanes live under this cap.) */
    if (fal_cpu_detect() > FAL_CPU_GENERIC)
        assert_null(strstr(chosen(64, 56, FAL_ACCURACY_DEFAULT, 100000), "winograd"));
    assert_string_not_equal(chosen(4, 56, FAL_ACCURACY_DEFAULT, 0), names[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_points_are_exact_on_integers),
        cmocka_unit_test(bits_are_those_of_one_thread),
        cmocka_unit_test(blocks_and_caps_change_no_bit),
        cmocka_unit_test(weights_kept_as_they_are_change_no_bit),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(chosen_where_it_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
