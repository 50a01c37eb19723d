/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * operands.h: the memory of a race: the tensors of a problem, and their places.
 */
#ifndef FALTUNG_BENCH_OPERANDS_H
#define FALTUNG_BENCH_OPERANDS_H

#include "bench/peer.h"

enum { BENCH_PLACES = 4 };

typedef struct bench_memory {
    void *blocks[BENCH_TENSORS]; /* in the order of bench_tensors; NULL: unused */
} bench_memory;

/* Allocates, fills with numbers in -1..1 and sets the data of all tensors; false without memory. */
bool bench_memory_begin(bench_memory *memory, bench_problem *problem);
/* Moves all tensors to their place-th place: each begins on another cache line of its page. */
void bench_memory_move(const bench_memory *memory, int place, bench_problem *problem);
void bench_memory_end(bench_memory *memory);

/* Are two results the same but for rounding: no difference above a thousandth of the largest number? */
bool bench_same(const float *a, const float *b, int64_t count);

#endif
