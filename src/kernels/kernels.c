/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernels.c: from a level to its kernels.
 *
 * The build compiles src/kernels/generic once per level and defines FAL__HAVE_<LEVEL> here for each
 * one it could build. Nothing in this file runs above the baseline.
 */
#include "kernels/kernels.h"

extern const fal__kernel_set fal__kernel_set__generic;
#ifdef FAL__HAVE_AVX2
extern const fal__kernel_set fal__kernel_set__avx2;
#endif
#ifdef FAL__HAVE_AVX512
extern const fal__kernel_set fal__kernel_set__avx512;
#endif

const fal__kernel_set *fal__kernels_for(fal_cpu_level level)
{
#ifdef FAL__HAVE_AVX512
    if (level >= FAL_CPU_AVX512) return &fal__kernel_set__avx512;
#endif
#ifdef FAL__HAVE_AVX2
    if (level >= FAL_CPU_AVX2) return &fal__kernel_set__avx2;
#endif
    (void)level;
    return &fal__kernel_set__generic;
}
