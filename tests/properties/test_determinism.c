/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_determinism.c: the bits of a result depend on nothing but the operands.
 *
 * Real data, where another order of additions would show: any number of threads, any executor, any
 * order of tasks, strides and alignment of the operands, and several executions of one plan at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 80, AT_ONCE = 4 };
static const fal_context alone = {.threads = 1};

static test_problem problem_of(uint64_t seed)
{
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F32, FAL_F64, FAL_F16, FAL_BF16};
    test_problem p = test_problem_random(seed);
    p.dtype = dtypes[seed % 5];
    p.params.beta = 0;
    return p;
}

/* Runs each operator of many problems in one way and compares the bits with the serial result. */
static void check_against_serial(uint64_t first, const fal_context *context, bool packed)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        fal_context serial = {.threads = 1};
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&c, op, 0);
            assert_int_equal(test_plan(&serial, op, &expected.operands, &p.params, packed, 0), FAL_OK);
            assert_int_equal(test_plan(context, op, &actual.operands, &p.params, packed, 0xFF), FAL_OK);
            assert_true(test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
            if (actual.bias.t.rank != 0)
                assert_true(test_same_bits(&actual.bias.t, &expected.bias.t, test_problem_text(&p, repro)));
            test_result_free(&expected);
            test_result_free(&actual);
        }
        test_case_free(&c);
    }
}

static void check_executor(fal_executor (*executor)(test_runs *runs))
{
    static const int32_t threads[] = {1, 2, 3, 7};
    int64_t parallel = 0;
    for (uint64_t i = 0; i < 4; i++) {
        test_runs runs = {0};
        fal_context context = {.threads = threads[i], .executor = executor(&runs)};
        check_against_serial(100 * i + 1, &context, i % 2 == 0);
        assert_true(runs.most <= threads[i]);
        parallel += runs.tasks - runs.runs;
    }
    assert_true(parallel > 0); /* some work was divided */
}

static void bits_do_not_depend_on_threads_serial(void **state)
{
    (void)state;
    check_executor(test_executor_serial);
}
static void bits_do_not_depend_on_threads_reversed(void **state)
{
    (void)state;
    check_executor(test_executor_reversed);
}
static void bits_do_not_depend_on_threads_at_once(void **state)
{
    (void)state;
    check_executor(test_executor_threads);
}

static void bits_do_not_depend_on_threads_default_executor(void **state)
{
    (void)state;
    static const int32_t threads[] = {2, 3, 7};
    for (uint64_t i = 0; i < 3; i++) {
        fal_context context = {.threads = threads[i]};
        check_against_serial(500 + 100 * i, &context, true);
    }
}

static void bits_do_not_depend_on_strides(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1000 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case compact = test_case_new(&p, TEST_REAL, 0), strided = test_case_new(&p, TEST_REAL, seed);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result expected = test_result_new(&compact, op, 0),
                        actual = test_result_new(&strided, op, seed + 9);
            assert_int_equal(test_call(&alone, op, &expected.operands, &p.params), FAL_OK);
            assert_int_equal(test_call(&alone, op, &actual.operands, &p.params), FAL_OK);
            assert_true(test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
            test_result_free(&expected);
            test_result_free(&actual);
        }
        test_case_free(&compact);
        test_case_free(&strided);
    }
}

/* One execution of a shared plan, on a thread of its own. */
typedef struct job {
    const fal_plan *plan;
    fal_operands operands;
    const void *packed;
    test_guard workspace;
    fal_status status;
    pthread_t thread;
} job;

static void *execute(void *user)
{
    job *j = user;
    for (int repeat = 0; repeat < 3; repeat++)
        j->status =
            fal_plan_execute(j->plan, &j->operands, j->packed, j->workspace.data, j->workspace.bytes, NULL);
    return NULL;
}

/* A plan is immutable: AT_ONCE threads run it together, each with a workspace and an output. */
static void one_plan_runs_on_many_threads(void **state)
{
    (void)state;
    for (uint64_t seed = 2000; seed < 2000 + SEEDS / 2; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        fal_operator op = test_operator(&p, TEST_FORWARD);
        test_runs runs = {0};
        fal_context context = {.threads = 1, .executor = test_executor_serial(&runs)};
        fal_plan *plan = NULL;
        fal_plan_info info;
        assert_int_equal(fal_plan_create(&context, op, &c.operands, &p.params, &plan), FAL_OK);
        assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
        test_guard packed = test_guard_new(info.packed_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
        if (info.packed_bytes > 0)
            assert_int_equal(fal_plan_pack_weights(plan, &c.w.t, packed.data, NULL), FAL_OK);
        test_result results[AT_ONCE];
        job jobs[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) {
            results[i] = test_result_new(&c, op, 0);
            size_t bytes = info.packed_bytes > 0 ? info.workspace_packed_bytes : info.workspace_bytes;
            jobs[i] = (job){.plan = plan,
                            .operands = results[i].operands,
                            .packed = info.packed_bytes > 0 ? packed.data : NULL,
                            .workspace = test_guard_new(bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END)};
        }
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(pthread_create(&jobs[i].thread, NULL, execute, &jobs[i]), 0);
        for (int i = 0; i < AT_ONCE; i++) pthread_join(jobs[i].thread, NULL);
        for (int i = 0; i < AT_ONCE; i++) {
            assert_int_equal(jobs[i].status, FAL_OK);
            assert_true(test_same_bits(&results[i].out.t, &results[0].out.t, test_problem_text(&p, repro)));
        }
        test_tensor single = test_apply(&p, TEST_FORWARD, &c.operands);
        assert_true(test_same_bits(&results[0].out.t, &single.t, test_problem_text(&p, repro)));
        test_tensor_free(&single);
        for (int i = 0; i < AT_ONCE; i++) {
            test_result_free(&results[i]);
            test_guard_free(&jobs[i].workspace);
        }
        test_guard_free(&packed);
        fal_plan_destroy(plan);
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_do_not_depend_on_threads_serial),
        cmocka_unit_test(bits_do_not_depend_on_threads_reversed),
        cmocka_unit_test(bits_do_not_depend_on_threads_at_once),
        cmocka_unit_test(bits_do_not_depend_on_threads_default_executor),
        cmocka_unit_test(bits_do_not_depend_on_strides),
        cmocka_unit_test(one_plan_runs_on_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
