/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_no_memory.c: every allocation of every function fails once.
 *
 * The k-th call of the allocator fails, alone and with all later ones, for k = 1, 2, 3 ... until the
 * function succeeds without having been disturbed. Each failure is FAL_E_NOMEM, leaks nothing and
 * leaves the result untouched, and the same call then succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { MOST_CALLS = 40 };

/* A function under test: runs on a case and a result with the context. */
typedef fal_status (*function)(const fal_context *context, const test_case *c, const test_result *r,
                               fal_operator op);

static fal_status one_call(const fal_context *context, const test_case *c, const test_result *r,
                           fal_operator op)
{
    return test_call(context, op, &r->operands, &c->p.params);
}

static fal_status plan(const fal_context *context, const test_case *c, const test_result *r, fal_operator op)
{
    return test_plan(context, op, &r->operands, &c->p.params, true, 0xFF);
}

/* Fails call k of `f`; true when k was beyond its last call. */
static bool fail_call(function f, const test_case *c, test_kind kind, int64_t k, bool once)
{
    char repro[TEST_TEXT];
    fal_operator op = test_operator(&c->p, kind);
    fal_error error = {0};
    test_memory memory = {.fail_from = k, .fail_once = once};
    fal_context context = {.error = &error, .threads = 1, .allocator = test_allocator(&memory)};
    test_result r = test_result_new(c, op, 0);
    uint64_t before = test_tensor_hash(&r.out);
    fal_status status = f(&context, c, &r, op);
    bool undisturbed = memory.calls < k;
    test_problem_text(&c->p, repro);
    assert_int_equal(memory.live, 0);
    assert_false(memory.broken);
    if (undisturbed) {
        assert_true(test_ok(status, &error, repro));
    } else {
        if (status != FAL_E_NOMEM) fail_msg("%s: call %d gave %s", repro, (int)k, fal_status_name(status));
        assert_int_equal(error.status, FAL_E_NOMEM);
        assert_true(strncmp(error.found, "cannot allocate ", 16) == 0);
        assert_true(test_tensor_hash(&r.out) == before);
        memory.fail_from = 0;
        assert_true(test_ok(f(&context, c, &r, op), &error, repro));
        assert_int_equal(memory.live, 0);
    }
    test_result_free(&r);
    return undisturbed;
}

static void check(function f)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        test_problem p = test_problem_random(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            for (int once = 0; once < 2; once++) {
                int64_t k = 1;
                while (!fail_call(f, &c, kind, k, once)) assert_true(++k < MOST_CALLS);
                assert_true(k > 1); /* it allocates at least once */
            }
        test_case_free(&c);
    }
}

static void one_call_survives_every_failed_allocation(void **state)
{
    (void)state;
    check(one_call);
}

static void plan_survives_every_failed_allocation(void **state)
{
    (void)state;
    check(plan);
}

/* Both gradients and the bias gradient in one call, and the bias gradient alone. */
static fal_status all_gradients(const fal_context *context, const test_case *c, const fal_tensor *gx,
                                const fal_tensor *gw, const fal_tensor *gb)
{
    fal_status (*grad)(const fal_context *, const fal_tensor *, const fal_tensor *, const fal_tensor *,
                       const fal_conv_params *, const fal_tensor *, const fal_tensor *, const fal_tensor *) =
        c->p.transposed ? fal_conv_transpose_grad : fal_conv_grad;
    return grad(context, &c->x.t, &c->w.t, &c->y.t, &c->p.params, gx, gw, gb);
}

static void gradients_survive_every_failed_allocation(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 120; seed++) {
        test_problem p = test_problem_random(seed);
        p.has_bias = true;
        p.params.beta = 0;
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_tensor gx = test_made(FAL_F32, c.x.t.rank, c.x.t.shape, TEST_ZERO, 0),
                    gw = test_made(FAL_F32, c.w.t.rank, c.w.t.shape, TEST_ZERO, 0),
                    gb = test_made(FAL_F32, 1, c.bias.t.shape, TEST_ZERO, 0);
        for (int bias_only = 0; bias_only < 2; bias_only++) {
            bool undisturbed = false;
            for (int64_t k = 1; !undisturbed; k++) {
                assert_true(k < MOST_CALLS);
                test_memory memory = {.fail_from = k};
                fal_context context = {.threads = 1, .allocator = test_allocator(&memory)};
                fal_status status =
                    all_gradients(&context, &c, bias_only ? NULL : &gx.t, bias_only ? NULL : &gw.t, &gb.t);
                undisturbed = memory.calls < k;
                assert_int_equal(status, undisturbed ? FAL_OK : FAL_E_NOMEM);
                assert_int_equal(memory.live, 0);
                assert_false(memory.broken);
            }
        }
        test_tensor *all[] = {&gx, &gw, &gb};
        for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
        test_case_free(&c);
    }
}

/* A block that is not aligned is refused, and given back. */
static unsigned char odd_block[1 << 16];
static int odd_blocks;
static void *allocate_odd(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    size_t past = (uintptr_t)odd_block % alignment;
    if (bytes + 2 * alignment > sizeof odd_block) return NULL;
    odd_blocks++;
    return odd_block + (alignment - past) % alignment + 8;
}
static void release_odd(void *user, void *memory, size_t bytes)
{
    (void)user, (void)memory, (void)bytes;
    odd_blocks--;
}

static void misaligned_allocator_is_refused(void **state)
{
    (void)state;
    test_problem p = test_problem_random(7);
    test_case c = test_case_new(&p, TEST_INT, 0);
    fal_error error = {0};
    fal_context context = {.error = &error, .allocator = {NULL, allocate_odd, release_odd}};
    fal_plan *made = NULL;
    fal_operator op = test_operator(&p, TEST_FORWARD);
    assert_int_equal(fal_plan_create(&context, op, &c.operands, &p.params, &made), FAL_E_ALIGN);
    assert_null(made);
    assert_int_equal(odd_blocks, 0);
    test_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_survives_every_failed_allocation),
        cmocka_unit_test(plan_survives_every_failed_allocation),
        cmocka_unit_test(gradients_survive_every_failed_allocation),
        cmocka_unit_test(misaligned_allocator_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
