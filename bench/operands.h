/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * operands.h: the memory of a race: x, w and y, and their places.
 */
#ifndef FALTUNG_BENCH_OPERANDS_H
#define FALTUNG_BENCH_OPERANDS_H

#include "bench/peer.h"

enum { BENCH_PLACES = 4 };

typedef struct bench_memory {
    void *blocks[3]; /* of x, w, y */
} bench_memory;

/* Allocates, fills with numbers in -1..1 and sets the data of `operands`; false without memory. */
bool bench_memory_begin(bench_memory *memory, fal_operands *operands);
/* Moves all operands to their place-th place: each begins on another cache line of its page. */
void bench_memory_move(const bench_memory *memory, int place, fal_operands *operands);
void bench_memory_end(bench_memory *memory);

/* The operand that an operator writes. */
const fal_tensor *bench_result(fal_operator op, const fal_operands *operands);
/* Are two results the same but for rounding: no difference above a thousandth of the largest number? */
bool bench_same(const float *a, const float *b, int64_t count);

#endif
