/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * checked.h: 64-bit arithmetic on sizes that cannot lie.
 *
 * Every product or sum of sizes, strides and bytes goes through these. Each returns true and
 * writes the result, or returns false when it does not fit. Used by every room; the pattern is
 *
 *     if (!fal__mul(a, b, &c)) return fal__fail(error, FAL_E_OVERFLOW, "x", "element count overflows");
 */
#ifndef FAL_BASE_CHECKED_H
#define FAL_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

static inline bool fal__add(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool fal__sub(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_sub_overflow(a, b, out);
}
static inline bool fal__mul(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* Sums of products of 64-bit integers: two of the largest products already leave 128 bits. */
static inline bool fal__add128(fal__int128 a, fal__int128 b, fal__int128 *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* a*b + c */
static inline bool fal__mul_add(int64_t a, int64_t b, int64_t c, int64_t *out)
{
    int64_t product;
    return fal__mul(a, b, &product) && fal__add(product, c, out);
}

/* Division toward minus infinity and its remainder in 0..b-1; b > 0. C truncates toward zero. */
static inline int64_t fal__floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}
static inline int64_t fal__floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}
/* Division toward plus infinity; b > 0. */
static inline int64_t fal__ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

static inline int64_t fal__min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t fal__max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Greatest common divisor of two positive numbers (Euclid). */
static inline int64_t fal__gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

#endif
