/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * border.c: which element stands at a position beyond the ends of an axis.
 *
 * Reflecting and wrapping make the axis periodic, so any reach is one remainder. Axis of 4:
 *
 *     position   -6 -5 -4 -3 -2 -1 | 0 1 2 3 | 4 5 6 7
 *     reflect     0  1  2  3  2  1 | 0 1 2 3 | 2 1 0 1    period 2*4-2, no end is repeated
 *     symmetric   2  3  3  2  1  0 | 0 1 2 3 | 3 2 1 0    period 2*4, ends are repeated
 *     circular    2  3  0  1  2  3 | 0 1 2 3 | 0 1 2 3    period 4
 */
#include "faltung.h"

/* Remainder in 0..period-1, toward minus infinity. Periods reach 2^64-2, hence unsigned. */
static uint64_t floor_mod(int64_t position, uint64_t period)
{
    if (position >= 0) return (uint64_t)position % period;
    return period - 1 - (uint64_t)(-(position + 1)) % period;
}

int64_t fal_border_index(fal_padding_mode mode, int64_t position, int64_t size)
{
    if (size <= 0) return -1;
    if (position >= 0 && position < size) return position;
    uint64_t n = (uint64_t)size, r;
    switch (mode) {
    case FAL_PAD_REFLECT:
        if (size == 1) return 0;
        r = floor_mod(position, 2 * n - 2);
        return (int64_t)(r < n ? r : 2 * n - 2 - r);
    case FAL_PAD_SYMMETRIC: r = floor_mod(position, 2 * n); return (int64_t)(r < n ? r : 2 * n - 1 - r);
    case FAL_PAD_REPLICATE: return position < 0 ? 0 : size - 1;
    case FAL_PAD_CIRCULAR: return (int64_t)floor_mod(position, n);
    case FAL_PAD_ZEROS:
    case FAL_PAD_CONSTANT: break;
    }
    return -1;
}
