/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_solvers.c: every solver that accepts a problem gives the bits of every other.
 *
 * The direct solvers add the same products in the same order, so on real data, at every CPU level and
 * with strided operands, forcing one or another by name changes nothing. A solver that does not
 * apply says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 120, SOLVERS = 7 };
static const char *const solvers[SOLVERS] = {"implicit-gemm",   "direct-channels",  "direct-pixels",
                                             "shifted-rows",    "shifted-channels", "outer-products",
                                             "channel-products"};

/* Runs `op` by the named solver; false when that solver refuses the problem. */
static bool runs_by(const char *solver, fal_cpu_level cpu, fal_operator op, const test_problem *p,
                    const fal_operands *operands)
{
    fal_error error = {0};
    fal_context context = {.threads = 2, .cpu = cpu, .error = &error};
    fal_conv_params params = p->params;
    params.algorithm = solver;
    fal_status status =
        test_plan(&context, op, operands, &params, p->seed % 2 == 0 && op <= FAL_OP_CONV_GRAD_INPUT, 0xA5);
    if (status != FAL_E_UNSUPPORTED) {
        char repro[TEST_TEXT];
        assert_true(test_ok(status, &error, test_problem_text(p, repro)));
        return true;
    }
    assert_non_null(strstr(error.found, solver));
    assert_true(strlen(error.found) > strlen(solver) + strlen(" does not apply: "));
    return false;
}

/* Where no tap meets a cell, any solver is accepted: there is nothing for an algorithm to do. */
static bool has_products(fal_operator op, const test_problem *p, const fal_operands *operands)
{
    fal_plan *plan;
    fal_plan_info info;
    assert_int_equal(fal_plan_create(NULL, op, operands, &p->params, &plan), FAL_OK);
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    fal_plan_destroy(plan);
    return info.multiply_adds > 0;
}

/* Counts, per solver, the problems that it found products in. */
static void compare(fal_cpu_level cpu, fal_dtype dtype, uint64_t first, int64_t *ran)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed);
        p.dtype = dtype;
        test_case c = test_case_new(&p, TEST_REAL, seed % 3);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result first_result = test_result_new(&c, op, 0);
            assert_true(runs_by(solvers[0], cpu, op, &p, &first_result.operands));
            const bool products = has_products(op, &p, &first_result.operands);
            ran[0] += products;
            for (int s = 1; s < SOLVERS; s++) {
                test_result other = test_result_new(&c, op, 0);
                if (runs_by(solvers[s], cpu, op, &p, &other.operands)) {
                    ran[s] += products;
                    assert_true(
                        test_same_bits(&other.out.t, &first_result.out.t, test_problem_text(&p, repro)));
                }
                test_result_free(&other);
            }
            test_result_free(&first_result);
        }
        test_case_free(&c);
    }
}

static void every_solver_gives_the_same_bits(void **state)
{
    (void)state;
    int64_t ran[SOLVERS] = {0};
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
        compare(cpu, FAL_F32, 100 * (uint64_t)cpu, ran);
        compare(cpu, FAL_F64, 1000 * (uint64_t)cpu, ran);
    }
    for (int s = 0; s < SOLVERS; s++) assert_true(ran[s] > SEEDS / 4);
}

static void other_types_are_refused_with_a_reason(void **state)
{
    (void)state;
    int64_t ran[SOLVERS] = {0};
    compare(FAL_CPU_AUTO, FAL_BF16, 7000, ran);
    compare(FAL_CPU_AUTO, FAL_I16, 8000, ran);
    for (int s = 1; s < SOLVERS; s++) assert_int_equal(ran[s], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_solver_gives_the_same_bits),
        cmocka_unit_test(other_types_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
