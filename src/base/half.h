/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * half.h: float16 and bfloat16 as numbers.
 *
 * Both are stored as uint16_t. Widening is exact; narrowing rounds to nearest, ties to even, with
 * subnormals, overflow to infinity and quiet NaN that keeps the upper bits of its payload, as the
 * processors' own instructions do. Written with integer operations only, so that the
 * result is the same on every machine and in every rounding mode. Used by tensor, reference and
 * the packing of the kernels.
 *
 *     binary16  s eeeee mmmmmmmmmm   bias 15      bfloat16  s eeeeeeee mmmmmmm   bias 127
 */
#ifndef FAL_BASE_HALF_H
#define FAL_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float fal__bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t fal__float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float fal__bf16_to_f32(uint16_t h)
{
    return fal__bits_float((uint32_t)h << 16);
}

static inline uint16_t fal__f32_to_bf16(float value)
{
    uint32_t bits = fal__float_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u); /* NaN stays NaN */
    /* Add half of the last kept place, less one when the kept part is even: ties go to even. */
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float fal__f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, mantissa = h & 0x3ffu;
    if (exponent == 31) return fal__bits_float(sign | 0x7f800000u | mantissa << 13);
    if (exponent != 0) return fal__bits_float(sign | (exponent + 112) << 23 | mantissa << 13);
    /* Subnormal: mantissa * 2^-24, exact in float32. */
    float magnitude = (float)mantissa * 0x1p-24f;
    return sign ? -magnitude : magnitude;
}

static inline uint16_t fal__f32_to_f16(float value)
{
    uint32_t bits = fal__float_bits(value), magnitude = bits & 0x7fffffffu;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu)); /* NaN */
    if (magnitude >= 0x477ff000u) return sign | 0x7c00u;                /* rounds to 2^16 or more */
    if (magnitude >= 0x38800000u) {                                     /* normal: 2^-14 and above */
        uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u); /* 13 bits go, ties to even */
        return (uint16_t)(sign | ((rounded - 0x38000000u) >> 13));
    }
    if (magnitude < 0x33000000u) return sign; /* below half of the least subnormal */
    /* Subnormal: the value is m * 2^(e-150) with 24-bit m; the unit is 2^-24, so 126-e bits go. */
    uint32_t shift = 126 - (magnitude >> 23), m = (magnitude & 0x7fffffu) | 0x800000u;
    uint32_t kept = m >> shift, rest = m & ((1u << shift) - 1), half = 1u << (shift - 1);
    return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1u)))));
}

/* From double in one rounding. Narrowing twice (f64 to f32 to f16) could round a tie the wrong way;
 * rounding the intermediate to odd cannot, because f32 keeps more than two bits beyond f16. */
static inline float fal__f64_to_f32_odd(double value)
{
    float nearest = (float)value;
    uint32_t bits = fal__float_bits(nearest);
    if ((double)nearest == value || value != value || (bits & 0x7fffffffu) == 0x7f800000u) return nearest;
    if (bits & 1u) return nearest;
    /* Inexact with an even last bit: step toward the value; the neighbour is odd. */
    int toward_zero = (value > 0) == ((double)nearest > value);
    if ((bits & 0x7fffffffu) == 0) return fal__bits_float((value < 0 ? 0x80000000u : 0u) | 1u);
    return fal__bits_float(toward_zero ? bits - 1 : bits + 1);
}

static inline uint16_t fal__f64_to_f16(double value)
{
    return fal__f32_to_f16(fal__f64_to_f32_odd(value));
}
static inline uint16_t fal__f64_to_bf16(double value)
{
    return fal__f32_to_bf16(fal__f64_to_f32_odd(value));
}

#endif
