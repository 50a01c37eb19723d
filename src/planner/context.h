/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * context.h: a caller's fal_context with every default filled in.
 *
 * Used by plan creation and, through it, by the one-call functions.
 */
#ifndef FAL_PLANNER_CONTEXT_H
#define FAL_PLANNER_CONTEXT_H

#include "solvers/solver.h"

typedef struct fal__setting {
    fal_allocator allocator;
    fal_executor executor;
    fal_cpu_level cpu; /* the level in use */
    fal__machine machine;
    double measure_seconds;   /* 0: estimates decide */
    fal_wisdom *wisdom;       /* or NULL */
    double cycles_per_second; /* 0: not known */
    fal_error *error;
} fal__setting;

/* Refuses half an allocator, threads outside 0..1024, an unknown cpu level, and times and clock rates that
 * are none. context may be NULL. */
fal_status fal__context_resolve(const fal_context *context, fal__setting *setting);

#endif
