/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * name.c: what the processor calls itself, and its caches.
 *
 * Used to tell machines apart in saved choices, and for people. On x86-64 both come from the instruction
 * cpuid, which any program may use; elsewhere the name is "unknown".
 */
#include "faltung.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

enum { BRAND_LEAVES = 3, BRAND_TEXT = 16 * BRAND_LEAVES };

/* Removes runs of spaces and the "(R)" and "(TM)" of marketing. */
static void tidy(const char *from, char *to)
{
    size_t length = 0;
    while (*from != '\0') {
        if (strncmp(from, "(R)", 3) == 0 || strncmp(from, "(r)", 3) == 0) {
            from += 3;
        } else if (strncmp(from, "(TM)", 4) == 0 || strncmp(from, "(tm)", 4) == 0) {
            from += 4;
        } else {
            const bool space = *from == ' ';
            if (!space || (length > 0 && to[length - 1] != ' '))
                to[length++] = *from >= ' ' && *from <= '~' ? *from : '?';
            from++;
        }
    }
    while (length > 0 && to[length - 1] == ' ') length--;
    to[length] = '\0';
}

static void brand(char name[BRAND_TEXT + 1])
{
    unsigned registers[4 * BRAND_LEAVES];
    char raw[BRAND_TEXT + 1] = "";
    if ((unsigned)__get_cpuid_max(0x80000000u, NULL) >= 0x80000004u) {
        for (unsigned i = 0; i < BRAND_LEAVES; i++) {
            unsigned *r = registers + (size_t)4 * i;
            __cpuid(0x80000002u + i, r[0], r[1], r[2], r[3]);
        }
        memcpy(raw, registers, BRAND_TEXT);
    }
    tidy(raw, name);
}

/* Bytes of the data or unified cache of each level 1..3, by the leaf that describes them: Intel's 4, or
 * AMD's of the same shape. */
static void cache_sizes(uint64_t size[4])
{
    unsigned a, b, c, d;
    const unsigned top = (unsigned)__get_cpuid_max(0, NULL),
                   extended = (unsigned)__get_cpuid_max(0x80000000u, NULL);
    unsigned leaf = 4;
    if (extended >= 0x8000001du) {
        __cpuid(0x80000001u, a, b, c, d);
        if (c >> 22 & 1u) leaf = 0x8000001du; /* AMD: topology extensions */
    }
    if (leaf == 4 && top < 4) return;
    for (unsigned i = 0; i < 8; i++) {
        __cpuid_count(leaf, i, a, b, c, d);
        const unsigned type = a & 31u, level = a >> 5 & 7u; /* 1 data, 2 instructions, 3 both */
        if (type == 0) return;
        if (type == 2 || level < 1 || level > 3) continue;
        const uint64_t ways = (b >> 22) + 1, parts = (b >> 12 & 1023u) + 1, line = (b & 4095u) + 1;
        size[level] = ways * parts * line * ((uint64_t)c + 1);
    }
}

size_t fal_cpu_name(char *text, size_t capacity)
{
    char name[BRAND_TEXT + 1], nothing;
    uint64_t size[4] = {0};
    int length;
    brand(name);
    cache_sizes(size);
    if (text == NULL || capacity == 0) {
        text = &nothing;
        capacity = 1;
    }
    const char *known = name[0] != '\0' ? name : "unknown";
    if (size[1] == 0)
        length = snprintf(text, capacity, "%s", known);
    else
        length = snprintf(text, capacity, "%s, caches %lluK %lluK %lluK", known,
                          (unsigned long long)(size[1] >> 10), (unsigned long long)(size[2] >> 10),
                          (unsigned long long)(size[3] >> 10));
    return length < 0 ? 0 : (size_t)length;
}
#else
size_t fal_cpu_name(char *text, size_t capacity)
{
    static const char name[] = "unknown";
    if (text != NULL && capacity > 0) snprintf(text, capacity, "%s", name);
    return sizeof name - 1;
}
#endif
