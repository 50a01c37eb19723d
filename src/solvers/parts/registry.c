/* SPDX-License-Identifier: BSD-3-Clause */
/* registry.c: solvers.inc as a table. */
#include "solvers/solver.h"

#define FAL__SOLVER(name) extern const fal__solver fal__solver_##name;
#include "solvers/solvers.inc"
#undef FAL__SOLVER

#define FAL__SOLVER(name) &fal__solver_##name,
static const fal__solver *const solvers[] = {
#include "solvers/solvers.inc"
};
#undef FAL__SOLVER

const fal__solver *const *fal__solvers(int32_t *count)
{
    *count = (int32_t)(sizeof solvers / sizeof *solvers);
    return solvers;
}
