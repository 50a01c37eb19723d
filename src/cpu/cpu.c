/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cpu.c: which instruction sets may run here.
 *
 * The compiler's builtin asks the processor and the operating system (a kernel that does not save
 * the wide registers makes them unusable). It keeps its own answer, so a call costs a few loads.
 * Built for the baseline: this file runs before anything is known.
 */
#include "faltung.h"

fal_cpu_level fal_cpu_detect(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    return v4 ? FAL_CPU_AVX512 : v3 ? FAL_CPU_AVX2 : FAL_CPU_GENERIC;
#else
    return FAL_CPU_GENERIC;
#endif
}

const char *fal_cpu_level_name(fal_cpu_level level)
{
    switch (level) {
    case FAL_CPU_AUTO: return "auto";
#if defined(__aarch64__)
    case FAL_CPU_GENERIC: return "neon";
#else
    case FAL_CPU_GENERIC: return "generic";
#endif
    case FAL_CPU_AVX2: return "avx2";
    case FAL_CPU_AVX512: return "avx512";
    }
    return "unknown";
}
