/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_workspace.c: what is in the workspace before, and where buffers lie, changes no bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 100 };
/* One thread: on small problems the others cost more than they do. */
static const fal_context alone = {.threads = 1};

static test_problem problem_of(uint64_t seed)
{
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_BF16, FAL_F32};
    test_problem p = test_problem_random(seed);
    p.dtype = dtypes[seed % 4];
    p.params.beta = 0;
    return p;
}

/* Zeros, 0xA5, NaNs: equal bits. */
static void workspace_content_does_not_matter(void **state)
{
    (void)state;
    static const unsigned char garbage[] = {0x00, 0xA5, 0xFF, 0x7F};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result first = test_result_new(&c, op, 0);
            assert_int_equal(test_plan(&alone, op, &first.operands, &p.params, seed % 2, garbage[0]), FAL_OK);
            for (int i = 1; i < 4; i++) {
                test_result other = test_result_new(&c, op, 0);
                assert_int_equal(test_plan(&alone, op, &other.operands, &p.params, seed % 2, garbage[i]),
                                 FAL_OK);
                assert_true(test_same_bits(&other.out.t, &first.out.t, test_problem_text(&p, repro)));
                test_result_free(&other);
            }
            test_result_free(&first);
        }
        test_case_free(&c);
    }
}

/* One workspace, large enough for all, used by one plan after another. */
static void workspace_of_another_plan_serves(void **state)
{
    (void)state;
    enum { ENOUGH = 1 << 23 };
    test_guard workspace = test_guard_new(ENOUGH, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
    test_runs runs = {0};
    fal_context context = {.threads = 2, .executor = test_executor_serial(&runs)};
    for (uint64_t seed = 101; seed <= 100 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result fresh = test_result_new(&c, op, 0), used = test_result_new(&c, op, 0);
            fal_plan *plan;
            fal_plan_info info;
            assert_int_equal(test_plan(&context, op, &fresh.operands, &p.params, false, 0), FAL_OK);
            assert_int_equal(fal_plan_create(&context, op, &used.operands, &p.params, &plan), FAL_OK);
            assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
            assert_true(info.workspace_bytes <= ENOUGH);
            for (int repeat = 0; repeat < 2; repeat++)
                assert_int_equal(fal_plan_execute(plan, &used.operands, NULL, workspace.data, ENOUGH, NULL),
                                 FAL_OK);
            fal_plan_destroy(plan);
            assert_true(test_same_bits(&used.out.t, &fresh.out.t, test_problem_text(&p, repro)));
            test_result_free(&fresh);
            test_result_free(&used);
        }
        test_case_free(&c);
    }
    test_guard_free(&workspace);
}

/* The same tensor, `offset` elements into a block of its own. */
static test_tensor moved(const test_tensor *t, int64_t offset)
{
    int64_t count = fal_tensor_count(&t->t), shape[] = {count + offset};
    size_t size = fal_dtype_bytes(t->t.dtype);
    test_tensor block = {.t = t->t};
    block.guard = test_guard_new((size_t)shape[0] * size, 64, TEST_AT_START);
    block.t.data = block.guard.data + (size_t)offset * size;
    memcpy(block.t.data, t->t.data, (size_t)count * size);
    return block;
}

/* Every element offset within a cache line, for one operand after another. */
static void alignment_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 201; seed <= 212; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        int64_t places = 64 / (int64_t)fal_dtype_bytes(p.dtype);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result expected = test_result_new(&c, op, 0);
            assert_int_equal(test_call(&alone, op, &expected.operands, &p.params), FAL_OK);
            for (int64_t offset = 0; offset < places; offset++) {
                test_result r = test_result_new(&c, op, 0);
                test_tensor x = moved(&c.x, offset), w = moved(&c.w, (offset * 3 + 1) % places),
                            y = moved(&c.y, (offset * 5 + 2) % places),
                            out = moved(&r.out, (offset * 7 + 3) % places);
                fal_operands operands = r.operands;
                operands.x = kind == TEST_GRAD_INPUT ? out.t : x.t;
                operands.w = kind == TEST_GRAD_WEIGHT ? out.t : w.t;
                operands.y = kind == TEST_FORWARD ? out.t : y.t;
                assert_int_equal(test_call(&alone, op, &operands, &p.params), FAL_OK);
                assert_true(test_same_bits(&out.t, &expected.out.t, test_problem_text(&p, repro)));
                test_tensor *all[] = {&x, &w, &y, &out};
                for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
                test_result_free(&r);
            }
            test_result_free(&expected);
        }
        test_case_free(&c);
    }
}

/* A cap is kept, or refused with E_WORKSPACE; the result is the same. */
static void workspace_cap_is_kept(void **state)
{
    (void)state;
    int served = 0, refused = 0;
    for (uint64_t seed = 301; seed <= 300 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            fal_context context = {.workspace_cap_bytes = 8192, .threads = 1};
            fal_plan *plan = NULL;
            fal_plan_info info;
            test_result r = test_result_new(&c, op, 0), free_run = test_result_new(&c, op, 0);
            fal_status status = fal_plan_create(&context, op, &r.operands, &p.params, &plan);
            if (status == FAL_E_WORKSPACE) {
                refused++;
                assert_null(plan);
                test_result_free(&r);
                test_result_free(&free_run);
                continue;
            }
            assert_int_equal(status, FAL_OK);
            assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
            assert_true(info.workspace_bytes <= context.workspace_cap_bytes);
            fal_plan_destroy(plan);
            assert_int_equal(test_call(&context, op, &r.operands, &p.params), FAL_OK);
            assert_int_equal(test_call(&alone, op, &free_run.operands, &p.params), FAL_OK);
            assert_true(test_equal(&r.out.t, &free_run.out.t, test_problem_text(&p, repro)));
            test_result_free(&r);
            test_result_free(&free_run);
            served++;
        }
        test_case_free(&c);
    }
    assert_true(served > 0 && refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workspace_content_does_not_matter),
        cmocka_unit_test(workspace_of_another_plan_serves),
        cmocka_unit_test(alignment_does_not_matter),
        cmocka_unit_test(workspace_cap_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
