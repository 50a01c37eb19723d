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
#include "base/error.h"
#include "solvers/solver.h"

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

/* Tasks for `units` of work with `bytes` of scratch each: no more than there are units or threads, one
 * alone when the cap does not allow more, 0 when it does not even allow that. */
static inline int32_t fal__task_count(const fal__machine *machine, int64_t units, size_t bytes)
{
    const int32_t tasks = (int32_t)fal__max(1, fal__min(machine->threads, units));
    if (bytes > machine->workspace_cap) return 0;
    return (uint64_t)bytes * (uint64_t)tasks > machine->workspace_cap ? 1 : tasks;
}

/* The report when `bytes` of workspace are above the cap. */
static inline fal_status fal__refuse_cap(const fal__machine *machine, size_t bytes, fal_error *error)
{
    fal__fail(error, FAL_E_WORKSPACE, "workspace_cap_bytes", "at least %zu bytes of workspace are needed",
              bytes);
    return fal__allowed(error, FAL_E_WORKSPACE, "the cap is %" PRIu64, machine->workspace_cap);
}

#endif
