/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hostile.h: every small damage to a small file, under a limit on memory.
 *
 * The rule: reading ends in a refusal that says why, or in a tensor of which every byte is there. It
 * never ends for lack of memory, because no damaged file of a few hundred bytes may ask for more than
 * MOST_BYTES: under the sanitizers a larger request ends the process, elsewhere the system refuses it
 * and FAL_E_NOMEM fails the test.
 */
#ifndef TESTS_IO_HOSTILE_H
#define TESTS_IO_HOSTILE_H

#include <sys/resource.h>

#include "files.h"

enum { MOST_BYTES = 32 << 20 };

/* Read by the address sanitizer when the program starts. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=32:allocator_may_return_null=0";
}

static inline bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

/* What this process uses now, and MOST_BYTES. */
static inline int limit_memory(void **state)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && !sanitized() && fscanf(file, "%lu", &pages) == 1) {
        rlim_t now = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
        const struct rlimit limit = {.rlim_cur = now + MOST_BYTES, .rlim_max = RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
    }
    if (file != NULL) fclose(file);
    return make_scratch(state);
}

/* Reads and lists one variant. Returns whether it was accepted. */
static inline bool survives(const bytes *b, const char *member, const char *what, size_t where)
{
    char spec[256];
    io_array out;
    io_listing list;
    fal_error error = {0};
    snprintf(spec, sizeof spec, "%s%s", store("hostile", b->data, b->count), member);
    fal_status status = io_read(spec, NULL, &out, &error);
    if (status == FAL_E_NOMEM || status == FAL_E_IO || status == FAL_E_INTERNAL) {
        fail_msg("%s at %zu: %s, %s", what, where, fal_status_name(status), error.found);
    }
    if (status == FAL_OK) {
        assert_int_equal(fal_tensor_check(&out.tensor, "out", &error), FAL_OK);
        size_t bytes_held = (size_t)fal_tensor_count(&out.tensor) * fal_dtype_bytes(out.tensor.dtype);
        assert_int_equal(out.bytes, bytes_held);
        volatile unsigned char sum = 0;
        for (size_t i = 0; i < out.bytes; i++) sum = (unsigned char)(sum + ((unsigned char *)out.memory)[i]);
        io_array_free(&out);
    } else {
        check_refusal(&out, &error, status);
    }
    fal_status listed = io_list(spec, NULL, &list, &error);
    assert_int_not_equal(listed, FAL_E_NOMEM);
    if (listed == FAL_OK) io_listing_free(&list);
    return status == FAL_OK;
}

/* Cuts the file at every length: none may be accepted. */
static inline void cut_everywhere(const bytes *whole, const char *member)
{
    assert_true(survives(whole, member, "whole", whole->count));
    for (size_t count = 0; count < whole->count; count++) {
        bytes part = {.data = whole->data, .count = count};
        if (survives(&part, member, "cut", count)) fail_msg("accepted when cut to %zu bytes", count);
    }
}

/* Every bit flipped and every byte set to the usual suspects, in the first and last `most` bytes. */
static inline void damage_everywhere(const bytes *whole, const char *member, size_t most)
{
    static const unsigned char suspects[] = {0x00, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < whole->count; i++) {
        if (i >= most && i + most < whole->count) continue;
        unsigned char old = whole->data[i];
        for (int bit = 0; bit < 8; bit++) {
            whole->data[i] = (unsigned char)(old ^ 1 << bit);
            survives(whole, member, "flip", i);
        }
        for (size_t s = 0; s < sizeof suspects; s++) {
            whole->data[i] = suspects[s];
            survives(whole, member, "set", i);
        }
        whole->data[i] = old;
    }
}

#endif
