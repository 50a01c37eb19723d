/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * booking.h: laying out scratch memory piece by piece.
 *
 * A solver books its pieces while planning and turns the offsets into pointers while running, so the
 * size it announced and the size it uses are the same by construction.
 */
#ifndef FAL_SOLVERS_PARTS_BOOKING_H
#define FAL_SOLVERS_PARTS_BOOKING_H

#include <stddef.h>

#include "base/checked.h"

/* Appends count*bytes to *total, rounded to whole cache lines, and writes where the piece begins.
 * False when the size overflows. */
static inline bool fal__book(size_t *total, int64_t count, size_t bytes, size_t *offset)
{
    int64_t size, end;
    *offset = *total;
    if (!fal__mul(count, (int64_t)bytes, &size) || !fal__add(size, (int64_t)*total + 63, &end)) return false;
    *total = (size_t)(end / 64 * 64);
    return true;
}

#endif
