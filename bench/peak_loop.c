/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peak_loop.c: nothing but multiply-adds, compiled once for each instruction set.
 *
 * A core that starts two fused multiply-adds a cycle, each done after four cycles, needs 2*4 = 8 of them
 * that do not wait for each other; five cycles of latency need 10. There are 12 chains: with the two
 * constants they fill 14 of the 16 registers that every x86-64 level has, so nothing is loaded or stored.
 * The loop's own counter and branch run beside them on ports that multiply nothing. Without fused
 * multiply-adds (generic) the compiler makes a product and a sum of each, which is that level's peak.
 *
 * Every chain runs a = a*m + c, which stays near c/(1-m) = 1: numbers that are neither denormal nor
 * infinite, so that no machine slows down, and that no compiler can foresee.
 */
#include <stdint.h>
#include <string.h>

#include "bench/peak_loop.h"

#if BENCH_LANES * 4 == 64
typedef float lanes __attribute__((vector_size(64)));
#elif BENCH_LANES * 4 == 32
typedef float lanes __attribute__((vector_size(32)));
#else
typedef float lanes __attribute__((vector_size(16)));
#endif

enum { CHAINS = 12 };

float BENCH_LOOP_NAME(BENCH_LEVEL)(int64_t rounds, float m, float c, double *flops)
{
    lanes a[CHAINS], sum = {0};
    float parts[BENCH_LANES], total = 0;
    for (int i = 0; i < CHAINS; i++) a[i] = sum + (float)i / CHAINS;
    for (int64_t r = 0; r < rounds; r++)
        for (int i = 0; i < CHAINS; i++) a[i] = a[i] * m + c;
    for (int i = 0; i < CHAINS; i++) sum += a[i];
    memcpy(parts, &sum, sizeof parts);
    for (int i = 0; i < BENCH_LANES; i++) total += parts[i];
    *flops = 2.0 * CHAINS * BENCH_LANES * (double)rounds;
    return total;
}
