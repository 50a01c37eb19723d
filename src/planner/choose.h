/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * choose.h: who could solve a canonical problem, cheapest first.
 *
 * The order looks at neither the number of threads nor, when results must be reproducible, at the number
 * of images or at whether weights are packed ahead: solvers differ in the last bits of a sum, and a result
 * must not change with any of them.
 */
#ifndef FAL_PLANNER_CHOOSE_H
#define FAL_PLANNER_CHOOSE_H

#include "planner/algorithms.h"

/* What a caller asks of a choice. */
typedef struct fal__request {
    uint32_t allowed;  /* see algorithms.h */
    bool reproducible; /* one order for all numbers of images; neither wisdom nor measuring */
    bool packs;        /* weights are expected to be packed ahead; else their packing counts */
} fal__request;

/* The solvers that may serve a problem: those asked for, or all where nothing is multiplied, which is no
 * matter of algorithms. */
static inline uint32_t fal__allowed_solvers(const fal__request *request, const fal__problem *problem)
{
    return problem->ic == 0 ? FAL__ALGORITHMS_ANY : request->allowed;
}

typedef struct fal__candidate {
    int32_t row;     /* in solvers.inc */
    double cycles;   /* by which the order is made */
    double estimate; /* of one execution on one thread; 0: not asked yet */
    double seconds;  /* as measured; 0: not */
} fal__candidate;

typedef struct fal__candidates {
    int32_t count;
    fal__candidate item[FAL__SOLVERS_MAX];
    int32_t refused; /* the row of the last allowed solver that refused, or -1 */
    char why[160];   /* and its reason */
} fal__candidates;

void fal__candidates_of(const fal__problem *problem, const fal__machine *machine, const fal__request *request,
                        fal__candidates *candidates);
/* Moves the candidate at `from` to the front; the others keep their order. */
void fal__candidates_prefer(fal__candidates *candidates, int32_t from);
/* The status of a request that no solver serves: candidates->count is 0. */
fal_status fal__candidates_none(const fal__candidates *candidates, const fal__request *request,
                                fal_error *error);

/* Cycles of one execution on one thread, as the order compares them. */
double fal__predicted_cycles(const fal__solver *solver, const fal__problem *problem,
                             const fal__machine *machine);
/* Does the solver serve the problem, whatever the number of threads? Writes the reason when not. */
bool fal__serves(const fal__solver *solver, const fal__problem *problem, const fal__machine *machine,
                 char *why, size_t capacity);

#endif
