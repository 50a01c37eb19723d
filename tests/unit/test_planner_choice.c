/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_planner_choice.c: lists of algorithms, reproducible choices, measuring, predictions and costs of
 * candidates: what decides, and that the results stay right whoever is chosen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

/* n images of `channels` channels under as many 3x3 kernels. */
static fal_operands operands_of(int64_t n, int64_t channels, int64_t size)
{
    const int64_t x[] = {n, channels, size, size}, w[] = {channels, channels, 3, 3},
                  y[] = {n, channels, size - 2, size - 2};
    return (fal_operands){.x = fal_tensor_of(NULL, FAL_F32, 4, x),
                          .w = fal_tensor_of(NULL, FAL_F32, 4, w),
                          .y = fal_tensor_of(NULL, FAL_F32, 4, y)};
}

static fal_status plan(const fal_context *context, const fal_operands *operands, const char *algorithm,
                       fal_plan **out)
{
    const fal_conv_params params = {.algorithm = algorithm};
    return fal_plan_create(context, FAL_OP_CONV, operands, &params, out);
}

static const char *solver_of(const fal_plan *p)
{
    fal_plan_info info;
    assert_int_equal(fal_plan_describe(p, &info), FAL_OK);
    return info.solver;
}

static fal_verdict verdict_of(const fal_plan *p, const char *solver)
{
    fal_plan_candidate c;
    for (int32_t i = 0; fal_plan_candidate_at(p, 0, i, &c) == FAL_OK; i++)
        if (strcmp(c.solver, solver) == 0) return c.verdict;
    fail_msg("there is no solver %s", solver);
    return FAL_VERDICT_REFUSED;
}

static void lists_allow_and_forbid(void **state)
{
    (void)state;
    const fal_operands operands = operands_of(1, 8, 12);
    const fal_context context = {.threads = 1};
    fal_plan *p;
    assert_int_equal(plan(&context, &operands, "implicit-gemm", &p), FAL_OK);
    assert_string_equal(solver_of(p), "implicit-gemm");
    assert_int_equal(verdict_of(p, "shifted-rows"), FAL_VERDICT_EXCLUDED);
    fal_plan_destroy(p);
    assert_int_equal(plan(&context, &operands, "shifted-rows,implicit-gemm,-shifted-rows", &p), FAL_OK);
    assert_string_equal(solver_of(p), "implicit-gemm");
    fal_plan_destroy(p);
    /* Whoever is chosen gives way when forbidden, until none is left. */
    char list[512] = "";
    fal_status status = plan(&context, &operands, NULL, &p);
    int32_t taken = 0;
    while (status == FAL_OK) {
        char name[40];
        snprintf(name, sizeof name, "%s-%s", taken++ > 0 ? "," : "", solver_of(p));
        assert_null(strstr(list, name));
        assert_true(strlen(list) + strlen(name) < sizeof list);
        strcat(list, name);
        fal_plan_destroy(p);
        status = plan(&context, &operands, list, &p);
    }
    assert_int_equal(status, FAL_E_UNSUPPORTED);
    assert_true(taken >= 3);
}

static void strange_lists_are_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {"",
                                        ",",
                                        "-",
                                        "implicit-gemm,",
                                        ",implicit-gemm",
                                        "--implicit-gemm",
                                        "implicit-gemm implicit-gemm",
                                        "implicit-gem",
                                        "implicit-gemmm",
                                        "IMPLICIT-GEMM"};
    const fal_operands operands = operands_of(1, 8, 12);
    fal_plan *p;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        fal_error error = {0};
        const fal_context context = {.error = &error};
        assert_int_equal(plan(&context, &operands, lists[i], &p), FAL_E_UNSUPPORTED);
        assert_string_equal(error.field, "algorithm");
        assert_non_null(strstr(error.found, "there is no algorithm"));
        assert_non_null(strstr(error.allowed, "implicit-gemm"));
    }
    fal_error error = {0};
    const fal_context context = {.error = &error};
    assert_int_equal(plan(&context, &operands, "implicit-gemm,-implicit-gemm", &p), FAL_E_UNSUPPORTED);
    assert_non_null(strstr(error.found, "leaves no algorithm"));
}

/* Sums of at most a few hundred products below 1: rounding, a few times that of Winograd included, stays far
 * below this. */
static bool near(const fal_tensor *a, const fal_tensor *b)
{
    int64_t index[FAL_MAX_RANK] = {0};
    if (fal_tensor_count(a) == 0) return true;
    do
        if (!(fabs(fal_tensor_get(a, index) - fal_tensor_get(b, index)) < 2e-4)) return false;
    while (test_next(a, index));
    return true;
}

/* Random layers by every solver that can be had by forbidding the one before: results stay in bounds. */
static void every_list_gives_right_results(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 40; seed++) {
        char repro[TEST_TEXT], list[512] = "";
        test_problem p = test_problem_random(seed);
        p.dtype = FAL_F32;
        p.params.beta = 0;
        test_case c = test_case_new(&p, TEST_REAL, seed % 3);
        test_result first = test_result_new(&c, test_operator(&p, TEST_FORWARD), 0);
        for (int32_t taken = 0;; taken++) {
            fal_plan *made = NULL;
            fal_plan_info info;
            fal_conv_params params = p.params;
            test_result r = test_result_new(&c, test_operator(&p, TEST_FORWARD), 0);
            const fal_operands *o = taken == 0 ? &first.operands : &r.operands;
            const fal_context context = {.threads = 2};
            params.algorithm = taken == 0 ? NULL : list;
            if (fal_plan_create(&context, test_operator(&p, TEST_FORWARD), o, &params, &made) != FAL_OK) {
                assert_true(taken >= 1);
                test_result_free(&r);
                break;
            }
            assert_int_equal(fal_plan_describe(made, &info), FAL_OK);
            const char *solver = info.solver; /* its text is the library's */
            fal_plan_destroy(made);
            assert_int_equal(
                test_plan(&context, test_operator(&p, TEST_FORWARD), o, &params, seed % 2 == 0, 0), FAL_OK);
            char name[40];
            snprintf(name, sizeof name, "%s-%s", taken > 0 ? "," : "", solver);
            strcat(list, name);
            if (taken > 0 && !near(&r.out.t, &first.out.t))
                fail_msg("%s differs: %s", solver, test_problem_text(&p, repro));
            test_result_free(&r);
        }
        test_result_free(&first);
        test_case_free(&c);
    }
}

/* The choice does not look at the number of threads. */
static void threads_do_not_choose(void **state)
{
    (void)state;
    static const int32_t threads[] = {2, 7, 64};
    for (int64_t channels = 1; channels <= 64; channels *= 2) {
        const fal_operands operands = operands_of(2, channels, 30);
        const fal_context alone = {.threads = 1};
        fal_plan *one, *many;
        assert_int_equal(plan(&alone, &operands, NULL, &one), FAL_OK);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            const fal_context context = {.threads = threads[i]};
            assert_int_equal(plan(&context, &operands, NULL, &many), FAL_OK);
            assert_string_equal(solver_of(many), solver_of(one));
            fal_plan_destroy(many);
        }
        fal_plan_destroy(one);
    }
}

/* With `reproducible` an image's bits are the same alone and in any batch, by a plan and by one call. */
static void reproducible_images(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 2, 9};
    enum {
        CHANNELS = 24,
        SIZE = 11,
        IMAGE = CHANNELS * SIZE * SIZE,
        OUT = CHANNELS * (SIZE - 2) * (SIZE - 2)
    };
    static float images[9 * IMAGE], x[9 * IMAGE + 3], w[CHANNELS * CHANNELS * 9], y[9 * OUT + 3], first[OUT];
    for (int i = 0; i < 9 * IMAGE; i++) images[i] = sinf((float)(i % IMAGE) * 0.7f);
    for (int i = 0; i < CHANNELS * CHANNELS * 9; i++) w[i] = cosf((float)i * 1.3f);
    const fal_conv_params params = {.reproducible = true};
    for (size_t b = 0; b < 3; b++)
        for (int shift = 0; shift < 3; shift++) {
            fal_operands o = operands_of(batches[b], CHANNELS, SIZE);
            o.x.data = x + shift; /* another alignment, and the same numbers */
            memcpy(x + shift, images, sizeof images);
            o.w.data = w;
            o.y.data = y + shift;
            if (shift == 1)
                assert_int_equal(fal_conv(NULL, &o.x, &o.w, NULL, &params, &o.y), FAL_OK);
            else
                assert_int_equal(
                    test_plan(&(fal_context){.threads = shift + 1}, FAL_OP_CONV, &o, &params, true, 0),
                    FAL_OK);
            if (b == 0 && shift == 0) memcpy(first, y, sizeof first);
            for (int64_t n = 0; n < batches[b]; n++)
                assert_memory_equal(y + shift + n * OUT, first, sizeof first);
        }
}

static void numbers_of_the_context_are_checked(void **state)
{
    (void)state;
    const fal_operands operands = operands_of(1, 8, 12);
    const double bad[] = {-1, NAN, INFINITY, -INFINITY};
    fal_plan *p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fal_error error = {0};
        fal_context context = {.measure_seconds = bad[i], .error = &error};
        assert_int_equal(plan(&context, &operands, NULL, &p), FAL_E_VALUE);
        assert_string_equal(error.field, "measure_seconds");
        context = (fal_context){.cycles_per_second = bad[i], .error = &error};
        assert_int_equal(plan(&context, &operands, NULL, &p), FAL_E_VALUE);
        assert_string_equal(error.field, "cycles_per_second");
    }
    fal_error error = {0};
    const fal_context context = {.measure_seconds = 0.1, .error = &error};
    const fal_conv_params params = {.reproducible = true};
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &operands, &params, &p), FAL_E_VALUE);
    assert_string_equal(error.field, "measure_seconds");
    assert_true(error.hint[0] != 0);
}

static void predictions_become_seconds(void **state)
{
    (void)state;
    const fal_operands operands = operands_of(1, 16, 40);
    fal_plan_info cycles, seconds;
    fal_plan *p;
    fal_context context = {.threads = 1};
    assert_int_equal(plan(&context, &operands, NULL, &p), FAL_OK);
    assert_int_equal(fal_plan_describe(p, &cycles), FAL_OK);
    fal_plan_destroy(p);
    assert_true(cycles.predicted_cycles > 1000);
    assert_true(cycles.predicted_seconds <= 0);
    context.cycles_per_second = 2e9;
    assert_int_equal(plan(&context, &operands, NULL, &p), FAL_OK);
    assert_int_equal(fal_plan_describe(p, &seconds), FAL_OK);
    assert_true(fabs(seconds.predicted_seconds * 2e9 / cycles.predicted_cycles - 1) < 1e-9);
    fal_plan_candidate c;
    assert_int_equal(fal_plan_candidate_at(p, 1, 0, &c), FAL_E_VALUE);
    assert_int_equal(fal_plan_candidate_at(p, -1, 0, &c), FAL_E_VALUE);
    assert_int_equal(fal_plan_candidate_at(p, 0, -1, &c), FAL_E_VALUE);
    assert_int_equal(fal_plan_candidate_at(NULL, 0, 0, &c), FAL_E_NULL);
    fal_plan_destroy(p);
}

/* Measuring in guarded memory: all of it comes from the allocator and goes back; when any of it fails, so
 * does the plan, and nothing leaks. */
static void measuring_keeps_to_its_memory(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_BF16, FAL_I8};
    for (uint64_t seed = 1; seed < 24; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed);
        p.dtype = dtypes[seed % 4];
        test_case c = test_case_new(&p, TEST_INT, seed);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            test_result r = test_result_new(&c, test_operator(&p, kind), seed);
            test_memory memory = {0};
            fal_error error = {0};
            fal_context context = {
                .allocator = test_allocator(&memory), .threads = 2, .measure_seconds = 1e-4, .error = &error};
            fal_plan *made = NULL;
            fal_status status =
                fal_plan_create(&context, test_operator(&p, kind), &r.operands, &p.params, &made);
            assert_true(test_ok(status, &error, test_problem_text(&p, repro)));
            assert_int_equal(memory.live, 1);
            fal_plan_destroy(made);
            assert_false(memory.broken);
            const int64_t calls = memory.calls;
            for (int64_t n = 1; n <= calls; n += calls > 6 ? 3 : 1) {
                memory = (test_memory){.fail_from = n, .fail_once = true};
                status = fal_plan_create(&context, test_operator(&p, kind), &r.operands, &p.params, &made);
                if (status == FAL_OK) fal_plan_destroy(made);
                assert_true(status == FAL_OK || status == FAL_E_NOMEM);
                assert_int_equal(memory.live, 0);
                assert_false(memory.broken);
            }
            test_result_free(&r);
        }
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_allow_and_forbid),
        cmocka_unit_test(strange_lists_are_refused),
        cmocka_unit_test(every_list_gives_right_results),
        cmocka_unit_test(threads_do_not_choose),
        cmocka_unit_test(reproducible_images),
        cmocka_unit_test(numbers_of_the_context_are_checked),
        cmocka_unit_test(predictions_become_seconds),
        cmocka_unit_test(measuring_keeps_to_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
