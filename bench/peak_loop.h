/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peak_loop.h: the loops of peak_loop.c, one for each instruction set that was built.
 */
#ifndef FALTUNG_BENCH_PEAK_LOOP_H
#define FALTUNG_BENCH_PEAK_LOOP_H

#include <stdint.h>

#define BENCH_LOOP_NAME(level)  BENCH_LOOP_NAME_(level)
#define BENCH_LOOP_NAME_(level) bench_peak_loop_##level

/* Runs `rounds` rounds, says in *flops how many operations they were, and returns a number that depends
 * on all of them, so that none can be left out. */
typedef float bench_peak_loop(int64_t rounds, float m, float c, double *flops);
bench_peak_loop bench_peak_loop_generic, bench_peak_loop_avx2, bench_peak_loop_avx512;

#endif
