/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peak.h: what this machine can do at most, measured beside the layers, and the clock for both.
 */
#ifndef FALTUNG_BENCH_PEAK_H
#define FALTUNG_BENCH_PEAK_H

#include <faltung.h>

/* Seconds since some moment. */
double bench_now(void);

/* bench_peak_flops gives the float32 multiply-adds, counted as two, that all threads together do in a
 * second at an instruction set. One sample takes about `seconds`. */
double bench_peak_flops(fal_cpu_level level, int32_t threads, double seconds);

/* bench_cycles_per_second gives the clock rate of a core: the best of short pieces within `seconds`. */
double bench_cycles_per_second(double seconds);

/* bench_copy_bytes gives the bytes a second, read and written, of one thread's copy between two arrays
 * of `bytes`: the best of a few. 0 when there is no memory for them. */
double bench_copy_bytes(size_t bytes);

#endif
