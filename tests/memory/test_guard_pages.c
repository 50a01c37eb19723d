/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_guard_pages.c: no byte outside the caller's elements is read or written.
 *
 * Every operand, workspace and packed weight lies between pages that fault. Between the elements of
 * strided tensors stand NaNs, which would show in the sums when read and in a comparison when
 * written. Hundreds of random problems, forward and gradients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 400 };

static test_problem problem_of(uint64_t seed)
{
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8, FAL_I16, FAL_U8, FAL_I64};
    test_problem p = test_problem_random(seed);
    p.dtype = seed % 2 ? FAL_F32 : dtypes[seed / 2 % 8];
    return p;
}

typedef struct hashes {
    uint64_t x, w, bias, y;
} hashes;

static uint64_t hash_of(const test_tensor *t)
{
    return t->guard.map == NULL ? 0 : test_tensor_hash(t);
}

static hashes hash_case(const test_case *c)
{
    return (hashes){hash_of(&c->x), hash_of(&c->w), hash_of(&c->bias), hash_of(&c->y)};
}

static bool gaps_intact(const test_case *c, const test_result *r)
{
    const test_tensor *all[] = {&c->x, &c->w, &c->bias, &c->y, &r->out, &r->bias};
    for (int i = 0; i < 6; i++)
        if (all[i]->guard.map != NULL && !test_tensor_gaps_intact(all[i])) return false;
    return true;
}

/* Nothing of what was in a result before is left: small integers give no NaN. */
static bool fully_written(const test_tensor *out)
{
    if (out->guard.map == NULL || fal_dtype_is_integer(out->t.dtype)) return true;
    int64_t index[FAL_MAX_RANK] = {0};
    do
        if (isnan(fal_tensor_get(&out->t, index))) return false;
    while (test_next(&out->t, index));
    return true;
}

typedef enum way { ONE_CALL, PLAN, PACKED } way;

static void check(uint64_t seed, uint64_t strides, way how)
{
    char repro[TEST_TEXT];
    test_memory memory = {0};
    fal_error error = {0};
    test_runs runs = {0};
    fal_context context = {.error = &error,
                           .allocator = test_allocator(&memory),
                           .threads = 1 + (int32_t)(seed % 3),
                           .executor = test_executor_serial(&runs)};
    test_problem p = problem_of(seed);
    test_case c = test_case_new(&p, TEST_INT, strides);
    hashes before = hash_case(&c);
    test_problem_text(&p, repro);
    for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
        fal_operator op = test_operator(&p, kind);
        test_result r = test_result_new(&c, op, strides == 0 ? 0 : strides + 4);
        fal_status status = how == ONE_CALL ? test_call(&context, op, &r.operands, &p.params)
                                            : test_plan(&context, op, &r.operands, &p.params, how == PACKED,
                                                        seed % 2 ? 0xFF : 0xA4);
        assert_true(test_ok(status, &error, repro));
        hashes after = hash_case(&c);
        if (memcmp(&before, &after, sizeof before) != 0) fail_msg("%s: an input has changed", repro);
        if (!gaps_intact(&c, &r)) fail_msg("%s: a byte between the elements has changed", repro);
        if (!fully_written(&r.out) || !fully_written(&r.bias)) fail_msg("%s: not fully written", repro);
        test_result_free(&r);
    }
    assert_int_equal(memory.live, 0);
    assert_false(memory.broken);
    test_case_free(&c);
}

static void guard_pages_compact_operands(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) check(seed, 0, (way)(seed % 3));
}

static void guard_pages_strided_operands(void **state)
{
    (void)state;
    for (uint64_t seed = 1001; seed <= 1000 + SEEDS; seed++) check(seed, seed * 16, (way)(seed % 3));
}

static void guard_pages_every_cpu_level(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        for (uint64_t seed = 2001; seed <= 2000 + SEEDS / 4; seed++) {
            test_problem p = problem_of(seed);
            test_case c = test_case_new(&p, TEST_INT, 0);
            fal_context context = {.cpu = cpu, .threads = 1};
            for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
                fal_operator op = test_operator(&p, kind);
                test_result r = test_result_new(&c, op, 0);
                assert_int_equal(test_plan(&context, op, &r.operands, &p.params, seed % 2, 0xFF), FAL_OK);
                assert_true(gaps_intact(&c, &r));
                test_result_free(&r);
            }
            test_case_free(&c);
        }
}

/* The reference keeps the same promise. */
static void guard_pages_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 3001; seed <= 3000 + SEEDS / 4; seed++) {
        test_problem p = problem_of(seed);
        test_case c = test_case_new(&p, TEST_INT, seed * 16);
        hashes before = hash_case(&c);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result r = test_result_new(&c, op, seed * 16 + 5);
            assert_int_equal(fal_reference(op, &r.operands, &p.params, NULL), FAL_OK);
            hashes after = hash_case(&c);
            assert_memory_equal(&before, &after, sizeof before);
            assert_true(gaps_intact(&c, &r) && fully_written(&r.out) && fully_written(&r.bias));
            test_result_free(&r);
        }
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_pages_compact_operands),
        cmocka_unit_test(guard_pages_strided_operands),
        cmocka_unit_test(guard_pages_every_cpu_level),
        cmocka_unit_test(guard_pages_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
