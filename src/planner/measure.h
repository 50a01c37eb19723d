/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure.h: which of the most promising solvers is fastest here, by trying them.
 *
 * Used by program.c when the caller's context grants time. The memory is the context's allocator's, for
 * as long as the trial takes: operands of the problem's own sizes and strides, and for each solver a
 * state, packed weights and a workspace.
 */
#ifndef FAL_PLANNER_MEASURE_H
#define FAL_PLANNER_MEASURE_H

#include "planner/choose.h"
#include "planner/context.h"

/* Times the candidates whose estimate is near the first one's and moves the fastest to the front. `seconds`
 * is a wish: each of them runs once however long that takes, but none begins after it. *measured tells
 * whether at least two were compared. */
fal_status fal__measure(const fal__problem *problem, const fal__setting *setting, bool packs, double seconds,
                        fal__candidates *candidates, bool *measured);

/* As many threads as `cycles` of work on one thread are worth waking. */
int32_t fal__worthwhile_threads(const fal__machine *machine, double cycles);

#endif
