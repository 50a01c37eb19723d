/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_winograd_grad.c: weight gradients by Winograd, forced by name.
 *
 * Its points are irrational, so it is near the reference and not equal to it: a product that is missing, or
 * that is counted twice, is far outside of what these tests allow over random problems of every layout,
 * padding mode, group, tail of channels, depth and cpu level, in guarded memory. The bound of every element
 * is held in test_winograd_error.c. Bits must not depend on threads, strides or workspace.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 60 };
static const char name[] = "winograd.grad";

/* A random problem of the library's kind whose gradient it serves. */
static test_problem problem_of(uint64_t seed)
{
    static const int64_t kernels[] = {3, 3, 2, 4, 5};
    test_stream r = {seed, 1000};
    for (;; r.counter += 100) {
        test_problem p = test_problem_random(test_random(seed, r.counter));
        fal_conv_params *q = &p.params;
        p.seed = seed;
        p.has_bias = false;
        p.ic = test_draw(&r, 3, 40), p.oc = (128 + p.ic - 1) / p.ic + test_draw(&r, 0, 30);
        q->groups = test_draw(&r, 1, 2);
        q->padding = FAL_PADDING_EXPLICIT;
        q->accuracy = FAL_ACCURACY_DEFAULT;
        if (p.spatial < 2) p.spatial = 2;
        const int64_t taps = kernels[test_draw(&r, 0, 4)];
        for (int32_t a = 0; a < p.spatial; a++) {
            const bool depth = a < p.spatial - 2;
            p.in[a] = test_draw(&r, 1, depth ? 3 : test_chance(&r, 4) ? 30 : 13);
            p.k[a] = depth ? test_draw(&r, 1, 3) : taps;
            q->stride[a] = depth ? test_draw(&r, 1, 2) : 1;
            q->dilation[a] = depth ? test_draw(&r, 1, 2) : 1;
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

static fal_status run(fal_context *context, const test_problem *p, const fal_operands *operands)
{
    fal_conv_params forced = p->params;
    forced.algorithm = name;
    return test_plan(context, test_operator(p, TEST_GRAD_WEIGHT), operands, &forced, false, 0xFF);
}

/* Every product adds at most a few roundings of a number not above the matrices' norms. */
static double allowed(const test_problem *p)
{
    double products = (double)p->n;
    for (int32_t a = 0; a < p->spatial; a++) products *= (double)(p->transposed ? p->in[a] : p->out[a]);
    return 4e-6 * (products + 30);
}

static void check_near(fal_cpu_level cpu, uint64_t first)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        char repro[TEST_TEXT];
        const test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, seed % 3 == 0 ? 0 : seed * 8 + 1);
        const fal_operator op = test_operator(&p, TEST_GRAD_WEIGHT);
        fal_error error = {0};
        fal_context context = {.cpu = cpu, .threads = 1 + (int32_t)(seed % 3), .error = &error};
        test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&c, op, seed * 8 + 5);
        test_problem_text(&p, repro);
        assert_int_equal(fal_reference(op, &expected.operands, &p.params, NULL), FAL_OK);
        assert_true(test_ok(run(&context, &p, &actual.operands), &error, repro));
        int64_t index[FAL_MAX_RANK] = {0};
        do {
            const double off =
                fabs(fal_tensor_get(&actual.out.t, index) - fal_tensor_get(&expected.out.t, index));
            if (!(off <= allowed(&p))) fprintf(stderr, "%s: off by %g of %g\n", repro, off, allowed(&p));
            assert_true(off <= allowed(&p));
        } while (test_next(&expected.out.t, index));
        assert_true(test_tensor_gaps_intact(&actual.out));
        test_result_free(&expected);
        test_result_free(&actual);
        test_case_free(&c);
    }
}

static void near_the_reference_at_every_level(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        check_near(cpu, 1000 * (uint64_t)cpu);
}

/* Results of one problem under two contexts, the second with strided operands: the same bits. */
static void compare(const test_problem *p, fal_context *one, fal_context *other, uint64_t strides)
{
    char repro[TEST_TEXT];
    const fal_operator op = test_operator(p, TEST_GRAD_WEIGHT);
    test_case plain = test_case_new(p, TEST_REAL, 0), strided = test_case_new(p, TEST_REAL, strides);
    test_result a = test_result_new(&plain, op, 0), b = test_result_new(&strided, op, strides);
    test_problem_text(p, repro);
    assert_true(test_ok(run(one, p, &a.operands), one->error, repro));
    assert_true(test_ok(run(other, p, &b.operands), other->error, repro));
    assert_true(test_same_bits(&b.out.t, &a.out.t, repro));
    test_result_free(&a);
    test_result_free(&b);
    test_case_free(&plain);
    test_case_free(&strided);
}

static void bits_are_those_of_one_thread(void **state)
{
    (void)state;
    for (uint64_t seed = 5000; seed < 5000 + SEEDS; seed++) {
        const test_problem p = problem_of(seed);
        test_runs runs = {0};
        fal_error error = {0};
        fal_context alone = {.threads = 1, .error = &error},
                    many = {.threads = 2 + (int32_t)(seed % 6),
                            .executor =
                                seed % 2 ? test_executor_reversed(&runs) : test_executor_threads(&runs),
                            .error = &error};
        compare(&p, &alone, &many, seed);
    }
}

/* Large enough for several segments, blocks and shares, and shares change with threads and cap. */
static void shares_and_caps_change_no_bit(void **state)
{
    (void)state;
    static const int64_t sizes[][4] = {{30, 33, 40, 70}, {9, 14, 150, 130}};
    for (int i = 0; i < 2; i++) {
        test_problem p = {.spatial = 2, .batched = true, .dtype = FAL_F32, .n = 5, .seed = (uint64_t)i};
        p.ic = sizes[i][2], p.oc = sizes[i][3];
        p.params = (fal_conv_params){.groups = 1,
                                     .padding_begin = {1, 1},
                                     .padding_end = {1, 1},
                                     .stride = {1, 1},
                                     .dilation = {1, 1}};
        p.k[0] = p.k[1] = 3, p.in[0] = sizes[i][0], p.in[1] = sizes[i][1];
        test_problem_sizes(&p);
        test_runs runs = {0};
        fal_error error = {0};
        fal_context alone = {.threads = 1, .error = &error},
                    many = {.threads = 7, .executor = test_executor_serial(&runs), .error = &error},
                    capped = {.threads = 3, .workspace_cap_bytes = 2300000, .error = &error};
        compare(&p, &alone, &many, 0);
        compare(&p, &alone, &capped, 3);
        assert_true(runs.tasks > runs.runs);
    }
}

static fal_plan_info plan_of(int64_t n, int64_t channels, int64_t size, int64_t taps, fal_conv_params params,
                             uint64_t cap, fal_error *error)
{
    const int64_t out = size + 2 - (taps - 1),
                  group_channels = params.groups > 0 ? channels / params.groups : channels;
    fal_context context = {.threads = 1, .workspace_cap_bytes = cap, .error = error};
    fal_operands o = {.x = FAL_TENSOR(NULL, FAL_F32, n, channels, size, size),
                      .w = FAL_TENSOR(NULL, FAL_F32, channels, group_channels, taps, taps),
                      .y = FAL_TENSOR(NULL, FAL_F32, n, channels, out, out)};
    fal_plan *plan = NULL;
    fal_plan_info info = {0};
    params.padding_begin[0] = params.padding_begin[1] = params.padding_end[0] = params.padding_end[1] = 1;
    if (fal_plan_create(&context, FAL_OP_CONV_GRAD_WEIGHT, &o, &params, &plan) == FAL_OK)
        assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    fal_plan_destroy(plan);
    return info;
}

static void refused(int64_t taps, fal_conv_params params, uint64_t cap, const char *reason)
{
    fal_error error = {0};
    params.algorithm = name;
    plan_of(2, 16, 9, taps, params, cap, &error);
    if (strstr(error.found, reason) == NULL) fprintf(stderr, "%s, not %s\n", error.found, reason);
    assert_non_null(strstr(error.found, reason));
}

static void refusals_say_why(void **state)
{
    (void)state;
    refused(3, (fal_conv_params){.accuracy = FAL_ACCURACY_STRICT}, 0, "strict accuracy needs a direct sum");
    refused(6, (fal_conv_params){0}, 0, "kernel 6x6, needs 2x2 to 5x5");
    refused(3, (fal_conv_params){.groups = 4}, 0, "16 pairs of channels in a group, needs 128");
    refused(3, (fal_conv_params){0}, 10000, "bytes of workspace are needed");
}

static void chosen_where_it_wins(void **state)
{
    (void)state;
    fal_error error = {0};
    const fal_conv_params none = {0}, strict = {.accuracy = FAL_ACCURACY_STRICT};
    const fal_plan_info wins = plan_of(8, 64, 56, 3, none, 0, &error);
    assert_string_equal(wins.solver, name);
    assert_true(wins.workspace_bytes <= 4 << 20);
    assert_string_not_equal(plan_of(8, 64, 56, 3, strict, 0, &error).solver, name);
    assert_string_not_equal(plan_of(8, 4, 56, 3, none, 0, &error).solver, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_the_reference_at_every_level),
        cmocka_unit_test(bits_are_those_of_one_thread),
        cmocka_unit_test(shares_and_caps_change_no_bit),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(chosen_where_it_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
