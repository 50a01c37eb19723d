/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_reference.c: every path equals the reference.
 *
 * On small integers all sums are exact in every type, so that results must be equal, not close:
 * the one-call functions, plans, packed plans, all CPU levels and all element types, forward and
 * both gradients. On real data they must keep the computed bound. Random problems, many seeds; a
 * failure prints the seed and the problem.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

typedef enum path { ONE_CALL, PLAN, PACKED } path;

static fal_status run(path how, const fal_context *context, fal_operator op, const fal_operands *operands,
                      const fal_conv_params *params)
{
    if (how == ONE_CALL) return test_call(context, op, operands, params);
    return test_plan(context, op, operands, params, how == PACKED, how == PACKED ? 0xA5 : 0xFF);
}

/* One operator of a case by `how` and by the reference, equal. */
static bool equals_reference(const test_case *c, test_kind kind, path how, fal_cpu_level cpu)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    test_runs runs = {0};
    fal_context context = {.error = &error,
                           .cpu = cpu,
                           .threads = 1 + (int32_t)(c->p.seed % 3),
                           .executor = test_executor_reversed(&runs)};
    fal_operator op = test_operator(&c->p, kind);
    test_problem_text(&c->p, repro);
    test_result expected = test_result_new(c, op, 0), actual = test_result_new(c, op, c->p.seed * 8 + 5);
    bool ok = test_ok(fal_reference(op, &expected.operands, &c->p.params, &error), &error, repro) &&
              test_ok(run(how, &context, op, &actual.operands, &c->p.params), &error, repro) &&
              test_equal(&actual.out.t, &expected.out.t, repro);
    if (ok && actual.operands.bias.rank != 0 && kind == TEST_GRAD_WEIGHT)
        ok = test_equal(&actual.bias.t, &expected.bias.t, repro);
    test_result_free(&expected);
    test_result_free(&actual);
    return ok;
}

static void check_seeds(uint64_t first, uint64_t count, fal_dtype dtype, path how, fal_cpu_level cpu)
{
    int wrong = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        test_problem p = test_problem_random(seed);
        p.dtype = dtype;
        test_case c = test_case_new(&p, TEST_INT, seed % 3 == 0 ? 0 : seed * 8 + 1);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            wrong += !equals_reference(&c, kind, how, cpu);
        test_case_free(&c);
    }
    assert_int_equal(wrong, 0);
}

static void property_01_one_call_equals_reference(void **state)
{
    (void)state;
    check_seeds(1000, 600, FAL_F32, ONE_CALL, FAL_CPU_AUTO);
}

static void property_01_plan_equals_reference(void **state)
{
    (void)state;
    check_seeds(2000, 600, FAL_F32, PLAN, FAL_CPU_AUTO);
}

static void property_01_packed_plan_equals_reference(void **state)
{
    (void)state;
    check_seeds(3000, 600, FAL_F32, PACKED, FAL_CPU_AUTO);
}

static void property_01_every_type_equals_reference(void **state)
{
    (void)state;
    for (fal_dtype dtype = FAL_F64; dtype <= FAL_I64; dtype++)
        for (path how = ONE_CALL; how <= PACKED; how++)
            check_seeds(10000 + 300 * (uint64_t)dtype + 100 * (uint64_t)how, 60, dtype, how, FAL_CPU_AUTO);
}

static void property_03_every_cpu_level_equals_reference(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_BF16, FAL_I8, FAL_I64};
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        for (uint64_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
            check_seeds(16000 + 300 * (uint64_t)cpu + 60 * d, 60, dtypes[d], PACKED, cpu);
}

/* A forced level is really used: the plan says so. */
static void property_03_cpu_level_is_obeyed(void **state)
{
    (void)state;
    test_problem p = test_problem_random(1);
    fal_operands shapes = test_problem_shapes(&p);
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
        fal_context context = {.cpu = cpu};
        fal_plan *plan = NULL;
        fal_plan_info info = {0};
        fal_operator op = test_operator(&p, TEST_FORWARD);
        assert_int_equal(fal_plan_create(&context, op, &shapes, &p.params, &plan), FAL_OK);
        assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
        assert_non_null(strstr(info.kernel, fal_cpu_level_name(cpu)));
        fal_plan_destroy(plan);
    }
}

/* Within gamma(n+1) * G of the float64 reference. */
static bool within_bound(const test_case *c, test_kind kind)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    fal_context context = {.error = &error, .threads = 1};
    fal_operator op = test_operator(&c->p, kind);
    const fal_conv_params *params = &c->p.params;
    test_problem_text(&c->p, repro);
    test_result actual = test_result_new(c, op, 0);
    actual.operands.bias = kind == TEST_FORWARD ? actual.operands.bias : (fal_tensor){0};
    test_wide expected = test_widen(&actual.operands), gauge = test_widen(&actual.operands);
    test_tensor terms = test_tensor_new(FAL_I64, actual.out.t.rank, actual.out.t.shape, 0);
    bool ok = test_ok(fal_reference(op, &expected.operands, params, &error), &error, repro) &&
              test_ok(fal_reference_gauge(op, &gauge.operands, params, &terms.t, &error), &error, repro) &&
              test_ok(test_call(&context, op, &actual.operands, params), &error, repro) &&
              test_within_bound(&actual.out.t, test_written(op, &expected.operands),
                                test_written(op, &gauge.operands), &terms.t, repro);
    test_wide_free(&expected);
    test_wide_free(&gauge);
    test_tensor_free(&terms);
    test_result_free(&actual);
    return ok;
}

static void check_bound(uint64_t first, uint64_t count, fal_dtype dtype, test_fill fill)
{
    int wrong = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        test_problem p = test_problem_random(seed);
        p.dtype = dtype;
        p.params.beta = 0;
        test_case c = test_case_new(&p, fill, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            wrong += !within_bound(&c, kind);
        test_case_free(&c);
    }
    assert_int_equal(wrong, 0);
}

static void property_02_real_data_within_bound(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16};
    for (uint64_t d = 0; d < 4; d++) check_bound(7000 + 100 * d, 60, dtypes[d], TEST_REAL);
}

static void property_02_positive_data_within_bound(void **state)
{
    (void)state;
    check_bound(7500, 60, FAL_F32, TEST_POS);
}

static void property_02_wide_range_within_bound(void **state)
{
    (void)state;
    check_bound(7600, 60, FAL_F32, TEST_WIDE);
    check_bound(7700, 60, FAL_F64, TEST_WIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_01_one_call_equals_reference),
        cmocka_unit_test(property_01_plan_equals_reference),
        cmocka_unit_test(property_01_packed_plan_equals_reference),
        cmocka_unit_test(property_01_every_type_equals_reference),
        cmocka_unit_test(property_02_real_data_within_bound),
        cmocka_unit_test(property_02_positive_data_within_bound),
        cmocka_unit_test(property_02_wide_range_within_bound),
        cmocka_unit_test(property_03_every_cpu_level_equals_reference),
        cmocka_unit_test(property_03_cpu_level_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
