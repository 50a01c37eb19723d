/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * candidates.h: what became of each solver in the choices of a plan. Used by explain.c.
 */
#ifndef FAL_OPERATORS_CANDIDATES_H
#define FAL_OPERATORS_CANDIDATES_H

#include "operators/plan.h"

/* The solver in row `row` of solvers.inc, for one of the plan's problems. */
void fal__plan_candidate(const fal_plan *plan, const fal__step *step, int32_t row,
                         fal_plan_candidate *candidate);

#endif
