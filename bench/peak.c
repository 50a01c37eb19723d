/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peak.c: the clock, the arithmetic peak and the bandwidth of copying.
 *
 * The threads are OpenMP's, the ones that the library uses: two pools of threads that wait for work on
 * the same processors would disturb each other.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench/peak.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/peak_loop.h"

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bench_peak_loop *loop_of(fal_cpu_level level)
{
#ifdef FAL__HAVE_AVX512
    if (level == FAL_CPU_AVX512) return bench_peak_loop_avx512;
#endif
#ifdef FAL__HAVE_AVX2
    if (level >= FAL_CPU_AVX2) return bench_peak_loop_avx2;
#endif
    (void)level;
    return bench_peak_loop_generic;
}

/* Where the results go; only that they are written matters. */
static volatile float sink;

/* Operations a second of one thread. Short pieces, because the clock decides when it is enough. */
static double rate_of(bench_peak_loop *loop, double seconds)
{
    const double start = bench_now();
    double all = 0, flops, end;
    do {
        sink = loop(1000, 0.999f, 0.001f, &flops);
        all += flops;
        end = bench_now();
    } while (end - start < seconds);
    return all / (end - start);
}

double bench_peak_flops(fal_cpu_level level, int32_t threads, double seconds)
{
    bench_peak_loop *loop = loop_of(level);
    double sum = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    {
        rate_of(loop, seconds / 10); /* until all have begun */
        sum += rate_of(loop, seconds);
    }
#else
    (void)threads;
    sum = rate_of(loop, seconds);
#endif
    return sum;
}

double bench_copy_bytes(size_t bytes)
{
    char *from = malloc(bytes), *to = malloc(bytes);
    double best = 0;
    if (from != NULL && to != NULL) {
        memset(from, 1, bytes);
        memset(to, 2, bytes);
        for (int i = 0; i < 5; i++) {
            const double start = bench_now();
            memcpy(to, from, bytes);
            const double rate = 2.0 * (double)bytes / (bench_now() - start);
            sink = (float)to[(size_t)i * bytes / 5];
            if (rate > best) best = rate;
        }
    }
    free(from);
    free(to);
    return best;
}
