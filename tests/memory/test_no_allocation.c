/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_no_allocation.c: execute and pack allocate nothing.
 *
 * Twice over: the context's allocator counts, and this program replaces malloc and its kin by
 * counting ones, because a stray call would not ask the context. The replacement needs glibc and
 * is left out under the address sanitizer, which replaces malloc itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "support/support.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

static volatile long allocations; /* of the C library, from this program and all it calls */

#if defined(__GLIBC__) && !defined(SANITIZED)
enum { INTERPOSED = 1 };
/* glibc's own names for what stands behind malloc. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes)
{
    allocations++;
    return __libc_realloc(memory, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes)
{
    allocations++;
    return __libc_memalign(alignment, bytes);
}
#else
enum { INTERPOSED = 0 };
#endif

/* The compiler may not drop the pair. */
static void *volatile kept;

static void malloc_is_really_counted(void **state)
{
    (void)state;
    if (!INTERPOSED) skip();
    long before = allocations;
    kept = malloc(10);
    free(kept);
    assert_int_equal(allocations - before, 1);
}

static void check(uint64_t seed, bool packed)
{
    test_problem p = test_problem_random(seed);
    test_case c = test_case_new(&p, TEST_INT, seed);
    test_memory memory = {0};
    test_runs runs = {0};
    fal_context context = {
        .threads = 3, .executor = test_executor_reversed(&runs), .allocator = test_allocator(&memory)};
    for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
        fal_operator op = test_operator(&p, kind);
        test_result r = test_result_new(&c, op, seed + 5);
        fal_plan *plan;
        fal_plan_info info;
        assert_int_equal(fal_plan_create(&context, op, &r.operands, &p.params, &plan), FAL_OK);
        assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
        test_guard weights = test_guard_new(info.packed_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END),
                   workspace = test_guard_new(info.workspace_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
        bool pack = packed && info.packed_bytes > 0;
        int64_t calls = memory.calls;
        long before = allocations;
        if (pack) assert_int_equal(fal_plan_pack_weights(plan, &c.w.t, weights.data, NULL), FAL_OK);
        assert_int_equal(fal_plan_execute(plan, &r.operands, pack ? weights.data : NULL, workspace.data,
                                          workspace.bytes, NULL),
                         FAL_OK);
        long after = allocations;
        assert_int_equal(memory.calls, calls);
        assert_int_equal(after, before);
        fal_plan_destroy(plan);
        test_guard_free(&weights);
        test_guard_free(&workspace);
        test_result_free(&r);
    }
    assert_int_equal(memory.live, 0);
    assert_false(memory.broken);
    test_case_free(&c);
}

static void execute_allocates_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) check(seed, false);
}

static void packing_allocates_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 200; seed++) check(seed, true);
}

/* The one-call functions take their memory from the context and from nowhere else. */
static void one_call_uses_the_context_allocator_only(void **state)
{
    (void)state;
    for (uint64_t seed = 201; seed <= 260; seed++) {
        test_problem p = test_problem_random(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_memory memory = {0};
        test_runs runs = {0};
        fal_context context = {.executor = test_executor_serial(&runs), .allocator = test_allocator(&memory)};
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result r = test_result_new(&c, op, 0);
            long before = allocations;
            fal_status status = test_call(&context, op, &r.operands, &p.params);
            long after = allocations;
            assert_int_equal(status, FAL_OK);
            assert_int_equal(after, before);
            assert_true(memory.calls > 0);
            test_result_free(&r);
        }
        assert_int_equal(memory.live, 0);
        assert_false(memory.broken);
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_is_really_counted),
        cmocka_unit_test(execute_allocates_nothing),
        cmocka_unit_test(packing_allocates_nothing),
        cmocka_unit_test(one_call_uses_the_context_allocator_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
