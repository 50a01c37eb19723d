/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * operands.c: the memory of a race.
 */
#include "bench/operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, PAGE = 4096 };

static size_t bytes_of(const fal_tensor *t)
{
    return (size_t)fal_tensor_count(t) * fal_dtype_bytes(t->dtype);
}

/* Where the t-th operand begins at a place. 5 and 23 are odd, so that neither two places nor two
 * operands share a line of the 64 in a page. */
static void *address(const bench_memory *memory, int t, int place)
{
    return (char *)memory->blocks[t] + (5 + 5 * place + 23 * t) * LINE % PAGE;
}

/* Numbers without a pattern that arithmetic could profit from; the same in every run. */
static void fill(const fal_tensor *t, uint32_t seed)
{
    float *data = t->data;
    const int64_t count = fal_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U; /* Knuth's linear congruence */
        data[i] = (float)(seed >> 8) * 0x1p-23f - 1.0f;
    }
}

bool bench_memory_begin(bench_memory *memory, bench_problem *problem)
{
    fal_tensor *tensors[BENCH_TENSORS];
    const int count = bench_tensors(problem, tensors);
    *memory = (bench_memory){{NULL}};
    for (int t = 0; t < count; t++) {
        memory->blocks[t] = bench_block(bytes_of(tensors[t]) + PAGE);
        if (memory->blocks[t] == NULL) {
            bench_memory_end(memory);
            return false;
        }
        tensors[t]->data = address(memory, t, 0);
        fill(tensors[t], (uint32_t)t);
    }
    return true;
}

void bench_memory_move(const bench_memory *memory, int place, bench_problem *problem)
{
    fal_tensor *tensors[BENCH_TENSORS];
    const int count = bench_tensors(problem, tensors);
    for (int t = 0; t < count; t++) {
        void *to = address(memory, t, place);
        memmove(to, tensors[t]->data, bytes_of(tensors[t]));
        tensors[t]->data = to;
    }
}

void bench_memory_end(bench_memory *memory)
{
    for (int t = 0; t < BENCH_TENSORS; t++) free(memory->blocks[t]);
}

bool bench_same(const float *a, const float *b, int64_t count)
{
    float largest = 0, difference = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmaxf(largest, fabsf(a[i]));
        if (!(fabsf(a[i] - b[i]) <= difference)) difference = fabsf(a[i] - b[i]); /* NaN too */
    }
    return difference <= 1e-3f * largest;
}
