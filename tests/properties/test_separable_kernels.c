/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_separable_kernels.c: kernels that are products of a column and a row, by the solver made for them.
 *
 * Random layers of one kernel per channel: whole kernels of rank 1 must give the reference's numbers, kernels
 * of rank 2 on real data stay within a bound, gamma(k1 + k2 + 12) of what the sizes of both terms give. The
 * weights of an execution may be others than those that were planned with: then nothing is lost but time.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 60, TAPS = 12 };

static test_problem problem_of(uint64_t seed)
{
    test_stream r = {seed, 0};
    for (;;) {
        test_problem p = {.seed = seed, .batched = true, .dtype = seed % 4 == 3 ? FAL_F64 : FAL_F32};
        fal_conv_params *q = &p.params;
        bool valid = true;
        p.has_bias = test_chance(&r, 3);
        p.n = test_draw(&r, 1, 2);
        p.spatial = (int32_t)test_draw(&r, 2, 3);
        p.ic = p.oc = 1;
        q->groups = test_draw(&r, 1, 5);
        q->layout = test_chance(&r, 2) ? FAL_NHWC : FAL_NCHW;
        q->flip_kernel = test_chance(&r, 3);
        q->beta = test_chance(&r, 3) ? -1 : 0;
        q->activation = test_chance(&r, 3) ? FAL_ACTIVATION_RELU : FAL_ACTIVATION_NONE;
        q->padding_mode = (fal_padding_mode)test_draw(&r, 0, 4);
        for (int32_t a = 0; a < p.spatial; a++) {
            const bool taps = p.spatial - a <= 2;
            p.k[a] = taps ? test_draw(&r, 2, TAPS) : 1;
            p.in[a] = taps ? test_draw(&r, 1, 60) : test_draw(&r, 1, 3);
            q->stride[a] = test_chance(&r, 3) ? 2 : 1;
            q->dilation[a] = test_chance(&r, 3) ? test_draw(&r, 2, 3) : 1;
            q->padding_begin[a] = test_draw(&r, -1, p.k[a]);
            q->padding_end[a] = test_draw(&r, -1, p.k[a]);
            valid = valid && p.in[a] + q->padding_begin[a] > 0 && p.in[a] + q->padding_end[a] > 0 &&
                    p.in[a] + q->padding_begin[a] + q->padding_end[a] > 0;
        }
        test_problem_sizes(&p);
        for (int32_t a = 0; a < p.spatial; a++) valid = valid && p.out[a] > 0;
        if (valid) return p;
    }
}

/* Column and row of term r of group g. */
static double factor(uint64_t seed, int64_t g, int64_t r, int64_t axis, int64_t i, bool whole)
{
    const uint64_t random = test_random(seed, (uint64_t)(((g * 3 + r) * 2 + axis) * 100 + i));
    return whole ? (double)(random % 7) - 3 : ldexp((double)(random % 2001) - 1000, -10);
}

/* Weights that are sums of `terms` products; all groups alike, or not. */
static void set_weights(const test_problem *p, const fal_tensor *w, int64_t terms, bool whole)
{
    int64_t index[FAL_MAX_RANK] = {0};
    const bool last = p->params.layout == FAL_NHWC, alike = p->seed % 2 == 0;
    do {
        const int64_t g = index[last ? w->rank - 1 : 0], at = last ? p->spatial - 2 : w->rank - 2;
        double sum = 0;
        for (int64_t r = 0; r < terms; r++) {
            const double product = factor(p->seed, alike ? 0 : g, r, 0, index[at], whole) *
                                   factor(p->seed, alike ? 0 : g, r, 1, index[at + 1], whole);
            sum += product;
        }
        fal_tensor_set(w, index, sum);
    } while (test_next(w, index));
}

/* By the solver, planned with `planned` as weights; false when it refuses. */
static bool solve(const test_problem *p, const fal_tensor *planned, const fal_operands *operands)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    test_runs runs = {0};
    const fal_context context = {.threads = 1 + (int32_t)(p->seed % 3),
                                 .cpu = (fal_cpu_level)(1 + p->seed / 3 % (uint64_t)fal_cpu_detect()),
                                 .executor = test_executor_reversed(&runs),
                                 .error = &error};
    fal_conv_params params = p->params;
    fal_operands first = *operands;
    fal_plan *plan = NULL;
    fal_plan_info info;
    params.algorithm = "separable";
    first.w = *planned;
    const fal_status status = fal_plan_create(&context, FAL_OP_CONV, &first, &params, &plan);
    if (status == FAL_E_UNSUPPORTED) return false;
    assert_true(test_ok(status, &error, test_problem_text(p, repro)));
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    test_guard packed = test_guard_new(info.packed_bytes, 64, TEST_AT_END),
               workspace = test_guard_new(info.workspace_bytes, 64, TEST_AT_END);
    const bool pack = p->seed % 5 < 3;
    if (pack) assert_int_equal(fal_plan_pack_weights(plan, &operands->w, packed.data, &error), FAL_OK);
    assert_true(test_ok(fal_plan_execute(plan, operands, pack ? packed.data : NULL, workspace.data,
                                         info.workspace_bytes, &error),
                        &error, repro));
    assert_true(test_guard_intact(&packed) && test_guard_intact(&workspace));
    test_guard_free(&packed);
    test_guard_free(&workspace);
    fal_plan_destroy(plan);
    return true;
}

static void whole_kernels_are_exact(void **state)
{
    (void)state;
    int64_t ran = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char repro[TEST_TEXT];
        const test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_INT, seed % 3 == 0 ? seed * 8 + 1 : 0);
        set_weights(&p, &c.w.t, 1, true);
        test_result expected = test_result_new(&c, FAL_OP_CONV, 0),
                    actual = test_result_new(&c, FAL_OP_CONV, 0);
        assert_int_equal(fal_reference(FAL_OP_CONV, &expected.operands, &p.params, NULL), FAL_OK);
        if (solve(&p, &c.w.t, &actual.operands)) {
            ran++;
            assert_true(test_equal(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
            assert_true(test_tensor_gaps_intact(&actual.out));
        }
        test_result_free(&expected);
        test_result_free(&actual);
        test_case_free(&c);
    }
    assert_true(ran > SEEDS / 2);
}

static void other_weights_than_planned_are_computed_all_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        const test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_tensor planned = test_tensor_copy(&c.w.t, p.dtype);
        set_weights(&p, &planned.t, 1, true);
        test_result expected = test_result_new(&c, FAL_OP_CONV, 0),
                    actual = test_result_new(&c, FAL_OP_CONV, 0);
        assert_int_equal(fal_reference(FAL_OP_CONV, &expected.operands, &p.params, NULL), FAL_OK);
        if (solve(&p, &planned.t, &actual.operands))
            assert_true(test_equal(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
        test_tensor_free(&planned);
        test_result_free(&expected);
        test_result_free(&actual);
        test_case_free(&c);
    }
}

static void two_terms_keep_their_bound(void **state)
{
    (void)state;
    int64_t ran = 0;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        p.params.beta = 0;
        p.params.activation = FAL_ACTIVATION_NONE;
        p.has_bias = false;
        test_case c = test_case_new(&p, TEST_POS, 0);
        set_weights(&p, &c.w.t, 2, false);
        test_result actual = test_result_new(&c, FAL_OP_CONV, 0);
        test_wide wide = test_widen(&actual.operands);
        assert_int_equal(fal_reference(FAL_OP_CONV, &wide.operands, &p.params, NULL), FAL_OK);
        if (solve(&p, &c.w.t, &actual.operands)) {
            const double u = p.dtype == FAL_F32 ? 0x1p-24 : 0x1p-53;
            /* all x are at most 1; the terms found are at most three times the largest weight, each */
            const double bound = 60 * u * (double)(p.k[p.spatial - 1] * p.k[p.spatial - 2]) * 24;
            int64_t index[FAL_MAX_RANK] = {0};
            ran++;
            do {
                const double off =
                    fabs(fal_tensor_get(&actual.out.t, index) - fal_tensor_get(&wide.operands.y, index));
                if (!(off <= bound)) fail_msg("%s: off by %g", test_problem_text(&p, repro), off);
            } while (test_next(&actual.out.t, index));
        }
        test_wide_free(&wide);
        test_result_free(&actual);
        test_case_free(&c);
    }
    assert_true(ran > SEEDS / 2);
}

static void strict_accuracy_and_unknown_weights_are_refused(void **state)
{
    (void)state;
    test_problem p = problem_of(2);
    test_case c = test_case_new(&p, TEST_INT, 0);
    test_result y = test_result_new(&c, FAL_OP_CONV, 0);
    set_weights(&p, &c.w.t, 1, true);
    fal_tensor none = c.w.t;
    none.data = NULL;
    assert_true(solve(&p, &c.w.t, &y.operands));
    assert_false(solve(&p, &none, &y.operands));
    p.params.accuracy = FAL_ACCURACY_STRICT;
    assert_false(solve(&p, &c.w.t, &y.operands));
    test_result_free(&y);
    test_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_kernels_are_exact),
        cmocka_unit_test(other_weights_than_planned_are_computed_all_the_same),
        cmocka_unit_test(two_terms_keep_their_bound),
        cmocka_unit_test(strict_accuracy_and_unknown_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
