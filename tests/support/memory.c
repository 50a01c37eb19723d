/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c: the allocator of the tests.
 *
 * Every block lies between guard pages and begins filled with TEST_ROGUE, so that the library's own
 * memory is watched like the caller's. The k-th call can be told to fail.
 */
#include "support.h"

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    test_memory *memory = user;
    memory->calls++;
    if (memory->fail_from != 0) {
        bool fails =
            memory->fail_once ? memory->calls == memory->fail_from : memory->calls >= memory->fail_from;
        if (fails) return NULL;
    }
    for (int i = 0; i < TEST_MAX_BLOCKS; i++) {
        test_guard *block = &memory->block[i];
        if (block->map != NULL) continue;
        *block = test_guard_new(bytes, alignment, TEST_AT_END);
        memory->live++;
        return block->data;
    }
    memory->broken = true;
    return NULL;
}

static void release(void *user, void *data, size_t bytes)
{
    test_memory *memory = user;
    for (int i = 0; i < TEST_MAX_BLOCKS; i++) {
        test_guard *block = &memory->block[i];
        if (block->map == NULL || block->data != data) continue;
        if (block->bytes != bytes || !test_guard_intact(block)) memory->broken = true;
        test_guard_free(block);
        memory->live--;
        return;
    }
    memory->broken = true;
}

fal_allocator test_allocator(test_memory *memory)
{
    return (fal_allocator){.user = memory, .allocate = allocate, .release = release};
}
