/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guard.c: memory between two pages that nobody may touch.
 *
 * One byte read or written outside faults at once, in every build, also where a sanitizer is not
 * at hand. Used for tensors, workspaces, packed weights and every block of the test allocator.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(bool condition, const char *what)
{
    if (condition) return;
    perror(what);
    abort();
}

test_guard test_guard_new(size_t bytes, size_t alignment, test_side side)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (bytes + page) / page * page; /* at least one page, also for 0 bytes */
    if (side == TEST_AT_END && bytes > 0 && bytes % page == 0) inner = bytes;
    test_guard guard = {.map_bytes = inner + 2 * page, .bytes = bytes};
    guard.map = mmap(NULL, guard.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(guard.map != MAP_FAILED, "mmap");
    must(mprotect(guard.map + page, inner, PROT_READ | PROT_WRITE) == 0, "mprotect");
    memset(guard.map + page, TEST_ROGUE, inner);
    guard.data = guard.map + page;
    if (side == TEST_AT_END) guard.data += (inner - bytes) / alignment * alignment;
    return guard;
}

static bool holds_rogue(const unsigned char *from, const unsigned char *to)
{
    while (from < to && *from == TEST_ROGUE) from++;
    return from == to;
}

bool test_guard_intact(const test_guard *guard)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const unsigned char *low = guard->map + page, *high = guard->map + guard->map_bytes - page;
    return holds_rogue(low, guard->data) && holds_rogue(guard->data + guard->bytes, high);
}

void test_guard_free(test_guard *guard)
{
    if (guard->map != NULL) must(munmap(guard->map, guard->map_bytes) == 0, "munmap");
    *guard = (test_guard){0};
}
