/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * level.h: the little that differs between the instruction sets this folder is compiled for.
 *
 * Every file here is compiled once per level with the compiler's flags for it and FAL__LEVEL set to
 * its name; external names get the level as suffix. The vector length follows from the flags.
 */
#ifndef FAL_KERNELS_GENERIC_LEVEL_H
#define FAL_KERNELS_GENERIC_LEVEL_H

#include "base/compiler.h"

#ifndef FAL__LEVEL
#define FAL__LEVEL generic
#endif

#define FAL__PASTE2(a, b) a##__##b
#define FAL__PASTE(a, b)  FAL__PASTE2(a, b)
/* FAL__NAMED(fal__compute_f32) is fal__compute_f32__avx2 at that level. */
#define FAL__NAMED(name) FAL__PASTE(name, FAL__LEVEL)
#define FAL__TEXT2(a)    #a
#define FAL__TEXT(a)     FAL__TEXT2(a)
/* The level's name for people: on 64-bit ARM the baseline has a name of its own. */
#if defined(__aarch64__)
#define FAL__LEVEL_NAME "neon"
#else
#define FAL__LEVEL_NAME FAL__TEXT(FAL__LEVEL)
#endif

/*
 * Tile shapes, rows x vectors. Each accumulator row meets every vector of B once per k, so a tile
 * of R x V needs R*V + V + 1 registers and issues R*V multiply-adds for R + V loads. Two
 * multiply-adds start per cycle and last 4 or 5, so at least 10 accumulators must be in flight: the
 * narrow tiles take more vectors for that.
 *
 *     32 registers, AVX-512: 14x2 = 31, 8x3 = 28, 4x6 = 31, 1x8 = 17
 *     32 registers, NEON:     8x3 = 28, 6x4 = 29, 4x6 = 31, 1x8 = 17   fewest loads a multiply-add
 *     16 registers:           6x2 = 15, 4x2 = 11, 2x5 = 16, 1x8 = 17   (the operand of one is memory)
 */
#if defined(__AVX512F__)
enum {
    FAL__VECTOR_BYTES = 64,
    FAL__R0 = 14,
    FAL__V0 = 2,
    FAL__R1 = 8,
    FAL__V1 = 3,
    FAL__R2 = 4,
    FAL__V2 = 6
};
#elif defined(__AVX2__)
enum { FAL__VECTOR_BYTES = 32, FAL__R0 = 6, FAL__V0 = 2, FAL__R1 = 4, FAL__V1 = 2, FAL__R2 = 2, FAL__V2 = 5 };
#elif defined(__aarch64__)
enum { FAL__VECTOR_BYTES = 16, FAL__R0 = 8, FAL__V0 = 3, FAL__R1 = 6, FAL__V1 = 4, FAL__R2 = 4, FAL__V2 = 6 };
#else
enum { FAL__VECTOR_BYTES = 16, FAL__R0 = 6, FAL__V0 = 2, FAL__R1 = 4, FAL__V1 = 2, FAL__R2 = 2, FAL__V2 = 5 };
#endif
enum { FAL__R3 = 1, FAL__V3 = 8 };

/* Can a multiply-add take one lane of a register as its factor? Then A is loaded by vectors; else every
 * element of A is broadcast by the load itself. */
#if defined(__aarch64__)
enum { FAL__LANE_FACTOR = 1 };
#else
enum { FAL__LANE_FACTOR = 0 };
#endif

#endif
