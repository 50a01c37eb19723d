/* SPDX-License-Identifier: BSD-3-Clause */
/* test_base_alloc.c: both allocators, sizes that overflow, blocks that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What a caller's allocator sees, and how it behaves. */
typedef struct record {
    size_t asked, released, alignment;
    size_t shift; /* bytes by which the next block is misaligned */
    bool refuse;
    char *block;
} record;

static void *record_allocate(void *user, size_t bytes, size_t alignment)
{
    record *r = user;
    r->asked = bytes;
    r->alignment = alignment;
    if (r->refuse) return NULL;
    r->block = aligned_alloc(alignment, bytes + alignment);
    return r->block + r->shift;
}

static void record_release(void *user, void *memory, size_t bytes)
{
    record *r = user;
    assert_ptr_equal(memory, r->block + r->shift);
    r->released = bytes;
    free(r->block);
}

static void the_default_allocator_aligns(void **state)
{
    (void)state;
    const fal_allocator libc = {0};
    for (size_t bytes = 0; bytes < 200; bytes++) {
        void *memory = NULL;
        assert_int_equal(fal__allocate(&libc, bytes, "block", &memory, NULL), FAL_OK);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % FAL__ALIGNMENT, 0);
        memset(memory, 1, bytes);
        fal__release(&libc, memory, bytes);
    }
    fal__release(&libc, NULL, 5);
}

static void a_caller_gets_back_what_it_gave(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 200; bytes++) {
        record r = {0};
        const fal_allocator mine = {&r, record_allocate, record_release};
        void *memory;
        assert_int_equal(fal__allocate(&mine, bytes, "block", &memory, NULL), FAL_OK);
        assert_true(r.asked >= bytes && r.asked > 0 && r.asked % FAL__ALIGNMENT == 0);
        assert_int_equal(r.alignment, FAL__ALIGNMENT);
        memset(memory, 1, bytes);
        fal__release(&mine, memory, bytes);
        assert_int_equal(r.released, r.asked);
    }
}

static void failures_are_named_and_leak_nothing(void **state)
{
    (void)state;
    fal_error error;
    record r = {.refuse = true};
    const fal_allocator mine = {&r, record_allocate, record_release};
    void *memory = &r;
    assert_int_equal(fal__allocate(&mine, 100, "plan", &memory, &error), FAL_E_NOMEM);
    assert_string_equal(error.found, "cannot allocate 100 bytes for plan");
    assert_ptr_equal(memory, &r);

    r = (record){.shift = 8};
    assert_int_equal(fal__allocate(&mine, 100, "plan", &memory, &error), FAL_E_ALIGN);
    assert_int_equal(r.released, r.asked);

    r = (record){0};
    assert_int_equal(fal__allocate(&mine, SIZE_MAX, "plan", &memory, &error), FAL_E_OVERFLOW);
    assert_int_equal(fal__allocate(&mine, (size_t)PTRDIFF_MAX + 1, "plan", &memory, &error), FAL_E_OVERFLOW);
    assert_int_equal(r.asked, 0);
}

static void half_an_allocator_is_refused(void **state)
{
    (void)state;
    fal_error error;
    const fal_allocator none = {0}, both = {NULL, record_allocate, record_release};
    const fal_allocator no_release = {.allocate = record_allocate}, no_allocate = {.release = record_release};
    assert_int_equal(fal__allocator_check(&none, &error), FAL_OK);
    assert_int_equal(fal__allocator_check(&both, &error), FAL_OK);
    assert_int_equal(fal__allocator_check(&no_release, &error), FAL_E_NULL);
    assert_string_equal(error.field, "allocator.release");
    assert_int_equal(fal__allocator_check(&no_allocate, &error), FAL_E_NULL);
    assert_string_equal(error.field, "allocator.allocate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_allocator_aligns),
        cmocka_unit_test(a_caller_gets_back_what_it_gave),
        cmocka_unit_test(failures_are_named_and_leak_nothing),
        cmocka_unit_test(half_an_allocator_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
