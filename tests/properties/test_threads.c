/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_threads.c: every solver on several threads at once, and inside somebody else's threads.
 *
 * Layers large enough that their work is divided, by every solver that takes them: the bits are those of one
 * thread. Built with the thread sanitizer (`make tsan`) the same runs show that no two tasks touch the same
 * memory; OpenMP's own synchronisation is not seen by it, so there the executor of the tests runs the tasks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "support/support.h"

enum { THREADS = 4, LAYERS = 7 };

/* Each has work for at least two tasks by the fastest solver. */
static test_problem layer(int i, fal_layout layout)
{
    static const struct {
        bool transposed;
        int64_t n, groups, ic, oc, size, kernel, stride, dilation;
    } layers[LAYERS] = {
        {false, 1, 1, 32, 32, 24, 3, 1, 1},  {false, 2, 1, 64, 64, 20, 1, 1, 1},
        {false, 1, 64, 64, 64, 40, 3, 1, 1}, {false, 1, 8, 64, 64, 24, 3, 1, 1},
        {false, 1, 1, 16, 48, 28, 5, 2, 1},  {true, 1, 1, 32, 32, 14, 3, 2, 1},
        {false, 1, 1, 32, 32, 22, 3, 1, 2},
    };
    test_problem p = {
        .seed = (uint64_t)i + 1, .transposed = layers[i].transposed, .batched = true, .spatial = 2};
    p.dtype = FAL_F32;
    p.n = layers[i].n;
    p.ic = layers[i].ic / layers[i].groups;
    p.oc = layers[i].oc / layers[i].groups;
    p.params = (fal_conv_params){.groups = layers[i].groups, .layout = layout};
    for (int a = 0; a < 2; a++) {
        p.in[a] = layers[i].size;
        p.k[a] = layers[i].kernel;
        p.params.stride[a] = layers[i].stride;
        p.params.dilation[a] = layers[i].dilation;
        p.params.padding_begin[a] = p.params.padding_end[a] = layers[i].kernel / 2;
    }
    test_problem_sizes(&p);
    return p;
}

/* The name of the solver in this row, or NULL past the last. */
static const char *solver_name(const fal_plan *plan, int32_t row)
{
    fal_plan_candidate c;
    return fal_plan_candidate_at(plan, 0, row, &c) == FAL_OK ? c.solver : NULL;
}

/* By one thread, then by several: by a plan with and without packed weights. False: the solver refuses. */
static bool same_by(const char *solver, const test_case *c, fal_operator op, const fal_executor *executor)
{
    char repro[TEST_TEXT];
    fal_conv_params params = c->p.params;
    params.algorithm = solver;
    const fal_context alone = {.threads = 1}, many = {.threads = THREADS, .executor = *executor};
    test_result expected = test_result_new(c, op, 0), actual = test_result_new(c, op, 0);
    const bool packs = op <= FAL_OP_CONV_GRAD_INPUT;
    const bool runs = test_plan(&alone, op, &expected.operands, &params, packs, 0) == FAL_OK;
    for (int packed = 0; runs && packed <= packs; packed++) {
        assert_int_equal(test_plan(&many, op, &actual.operands, &params, packed, 0xA5), FAL_OK);
        if (!test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(&c->p, repro)))
            fail_msg("by %s", solver);
    }
    test_result_free(&expected);
    test_result_free(&actual);
    return runs;
}

static void check_all_solvers(const fal_executor *executor)
{
    for (int i = 0; i < LAYERS; i++)
        for (int layout = FAL_NCHW; layout <= FAL_NHWC; layout++) {
            const test_problem p = layer(i, (fal_layout)layout);
            test_case c = test_case_new(&p, TEST_REAL, 0);
            /* Gradients in one layout: they are the same solvers again. */
            const test_kind last = i % 2 == (int)layout ? TEST_GRAD_WEIGHT : TEST_FORWARD;
            for (test_kind kind = TEST_FORWARD; kind <= last; kind++) {
                const fal_operator op = test_operator(&p, kind);
                fal_plan *plan = NULL;
                int32_t ran = 0;
                assert_int_equal(fal_plan_create(NULL, op, &c.operands, &p.params, &plan), FAL_OK);
                for (int32_t row = 0; solver_name(plan, row) != NULL; row++)
                    ran += same_by(solver_name(plan, row), &c, op, executor);
                assert_true(ran > 0);
                fal_plan_destroy(plan);
            }
            test_case_free(&c);
        }
}

static void every_solver_divides_its_work(void **state)
{
    (void)state;
    test_runs runs = {0};
    const fal_executor executor = test_executor_threads(&runs);
    check_all_solvers(&executor);
    assert_int_equal(runs.most, THREADS);
}

/* Threads of the caller's OpenMP, each with plans of several threads: nested regions give one thread, or
 * several where the caller allowed that, and always the same bits. */
static void somebody_elses_threads(void **state)
{
    (void)state;
#ifdef _OPENMP
    const test_problem p = layer(0, FAL_NCHW);
    test_case c = test_case_new(&p, TEST_REAL, 0);
    const fal_context alone = {.threads = 1}, many = {.threads = THREADS};
    test_result expected = test_result_new(&c, FAL_OP_CONV, 0), results[THREADS];
    assert_int_equal(test_call(&alone, FAL_OP_CONV, &expected.operands, &p.params), FAL_OK);
    for (int levels = 1; levels <= 2; levels++) {
        fal_status status[THREADS];
        omp_set_max_active_levels(levels);
        for (int t = 0; t < THREADS; t++) results[t] = test_result_new(&c, FAL_OP_CONV, 0);
#pragma omp parallel for num_threads(THREADS)
        for (int t = 0; t < THREADS; t++)
            status[t] = test_call(&many, FAL_OP_CONV, &results[t].operands, &p.params);
        for (int t = 0; t < THREADS; t++) {
            char repro[TEST_TEXT];
            assert_int_equal(status[t], FAL_OK);
            assert_true(test_same_bits(&results[t].out.t, &expected.out.t, test_problem_text(&p, repro)));
            test_result_free(&results[t]);
        }
    }
    test_result_free(&expected);
    test_case_free(&c);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_solver_divides_its_work),
        cmocka_unit_test(somebody_elses_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
