/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock_rate.c: cycles a second of a core, by a chain of additions that wait for each other.
 *
 * An addition of integers takes one cycle on every processor that is built for, and so does an exclusive
 * or. Taking turns they cannot be joined by the compiler, nor begun before the one before is done. Counters
 * that a processor has for time run at another rate than its arithmetic.
 */
#include "bench/peak.h"

enum { PIECE = 2000, STEPS = 10, OPERATIONS = 2, LEAST_PIECES = 20 };

static volatile uint64_t start_value = 1, one = 0x5851f42d4c957f2d, other = 0x14057b7ef767814f;
static volatile uint64_t end_value;

double bench_cycles_per_second(double seconds)
{
    const uint64_t a = one, b = other;
    const double start = bench_now();
    double best = 0, from = start, now;
    int pieces = 0;
    do {
        uint64_t x = start_value;
        for (int i = 0; i < PIECE; i++) {
            x = ((((((((((x ^ a) + b) ^ a) + b) ^ a) + b) ^ a) + b) ^ a) + b);
            x = ((((((((((x ^ a) + b) ^ a) + b) ^ a) + b) ^ a) + b) ^ a) + b);
        }
        end_value = x;
        now = bench_now();
        const double rate = (double)PIECE * STEPS * OPERATIONS / (now - from);
        if (rate > best) best = rate; /* of a piece that nobody interrupted */
        from = now;
    } while (now - start < seconds || ++pieces < LEAST_PIECES);
    return best;
}
