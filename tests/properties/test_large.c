/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_large.c: problems that the random ones are too small for.
 *
 * Long reductions and wide layers, where a solver works in several blocks, splits channels, or packs
 * weights on the way because they do not fit a cache. Data are -1, 0, 1, so that sums of millions of
 * products stay exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

static const test_problem large[] = {
    {.seed = 1,
     .batched = true,
     .has_bias = true,
     .spatial = 2,
     .n = 1,
     .ic = 512,
     .oc = 260,
     .in = {4, 4},
     .k = {3, 3}}, /* weights above 4 MiB, a reduction of 4608 */
    {.seed = 2,
     .batched = true,
     .has_bias = true,
     .spatial = 2,
     .n = 1,
     .ic = 70,
     .oc = 34,
     .in = {14, 13},
     .k = {3, 3},
     .params = {.padding = FAL_PADDING_SAME, .layout = FAL_NHWC}},
    {.seed = 3,
     .batched = true,
     .spatial = 1,
     .n = 2,
     .ic = 3,
     .oc = 5,
     .in = {1501},
     .k = {9},
     .params = {.stride = {2}, .padding = FAL_PADDING_CAUSAL}}, /* long rows */
    {.seed = 4,
     .batched = true,
     .has_bias = true,
     .spatial = 2,
     .n = 2,
     .ic = 1,
     .oc = 2,
     .in = {57, 61},
     .k = {5, 5},
     .params = {.groups = 9, .padding = FAL_PADDING_SAME, .padding_mode = FAL_PAD_REFLECT}},
    {.seed = 5, .batched = true, .spatial = 2, .n = 700, .ic = 3, .oc = 4, .in = {3, 3}, .k = {2, 2}},
    {.seed = 6,
     .batched = true,
     .spatial = 3,
     .n = 1,
     .ic = 20,
     .oc = 12,
     .in = {6, 9, 11},
     .k = {3, 3, 3},
     .params = {.dilation = {1, 2, 1}, .padding = FAL_PADDING_SAME, .padding_mode = FAL_PAD_CIRCULAR}},
    {.seed = 7,
     .transposed = true,
     .batched = true,
     .has_bias = true,
     .spatial = 2,
     .n = 1,
     .ic = 150,
     .oc = 20,
     .in = {9, 7},
     .k = {4, 4},
     .params = {.stride = {2, 2}, .padding_begin = {1, 1}, .padding_end = {1, 1}}},
    {.seed = 8,
     .transposed = true,
     .batched = true,
     .spatial = 2,
     .n = 2,
     .ic = 10,
     .oc = 9,
     .in = {40, 33},
     .k = {3, 3},
     .params = {.stride = {2, 3}, .groups = 2, .layout = FAL_NHWC, .flip_kernel = true}},
};

/* Stride and dilation in figures, and the sizes. */
static test_problem resolved(const test_problem *given, fal_dtype dtype)
{
    test_problem p = *given;
    p.dtype = dtype;
    p.params.accuracy = FAL_ACCURACY_STRICT; /* compared exactly */
    if (p.params.groups == 0) p.params.groups = 1;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        if (p.params.stride[a] == 0) p.params.stride[a] = 1;
        if (p.params.dilation[a] == 0) p.params.dilation[a] = 1;
    }
    test_problem_sizes(&p);
    return p;
}

/* All operators by call, plan and packed plan under `context`. */
static void check(const test_problem *p, fal_context context)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    context.error = &error;
    test_case c = test_case_new(p, TEST_INT1, 0);
    test_problem_text(p, repro);
    for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
        fal_operator op = test_operator(p, kind);
        test_result expected = test_result_new(&c, op, 0);
        assert_true(test_ok(fal_reference(op, &expected.operands, &p->params, &error), &error, repro));
        for (int packed = -1; packed < 2; packed++) {
            test_result r = test_result_new(&c, op, 0);
            fal_status status = packed < 0 ? test_call(&context, op, &r.operands, &p->params)
                                           : test_plan(&context, op, &r.operands, &p->params, packed, 0xFF);
            assert_true(test_ok(status, &error, repro));
            assert_true(test_equal(&r.out.t, &expected.out.t, repro));
            if (r.bias.t.rank != 0) assert_true(test_equal(&r.bias.t, &expected.bias.t, repro));
            test_result_free(&r);
        }
        test_result_free(&expected);
    }
    test_case_free(&c);
}

static void large_problems_equal_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        test_runs runs = {0};
        test_problem p = resolved(&large[i], FAL_F32);
        check(&p, (fal_context){.threads = 3, .executor = test_executor_threads(&runs)});
    }
}

static void large_problems_of_other_types(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F64, FAL_BF16, FAL_I8, FAL_I16};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        test_problem p = resolved(&large[i], dtypes[i % 4]);
        check(&p, (fal_context){.threads = 1});
    }
}

/* A cap that leaves room for one block at a time. */
static void large_problems_in_a_small_workspace(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        test_problem p = resolved(&large[i], FAL_F32);
        check(&p, (fal_context){.threads = 2, .workspace_cap_bytes = 512 * 1024});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_problems_equal_the_reference),
        cmocka_unit_test(large_problems_of_other_types),
        cmocka_unit_test(large_problems_in_a_small_workspace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
