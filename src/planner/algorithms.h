/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * algorithms.h: which solvers a caller allows.
 *
 * fal_conv_params.algorithm is a list of names; here it becomes a set, in which bit i stands for row i of
 * solvers.inc. Used by program.c and, to say who was excluded, by the explanation of a plan.
 */
#ifndef FAL_PLANNER_ALGORITHMS_H
#define FAL_PLANNER_ALGORITHMS_H

#include "solvers/solver.h"

enum { FAL__SOLVERS_MAX = 32 };
#define FAL__ALGORITHMS_ANY UINT32_MAX

/* "a,b": only these; "-a": all but a; NULL: all. Refuses an empty name, one that no solver has, and a list
 * that leaves none. */
fal_status fal__algorithms_parse(const char *text, uint32_t *allowed, fal_error *error);

#endif
