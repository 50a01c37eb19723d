/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * candidates.c: what became of each solver in the choices of a plan.
 *
 * A plan keeps what decided; who else applied, and at what cost, is asked again here, because questions
 * after planning are rare and a plan should be small.
 */
#include "operators/candidates.h"

#include <stdio.h>

#include "base/error.h"

static const char *const decisions[] = {[FAL__BY_ESTIMATE] = "by its estimate",
                                        [FAL__BY_MEASURING] = "as measured",
                                        [FAL__BY_WISDOM] = "by wisdom"};

static double measured_seconds(const fal__step *step, int32_t row)
{
    for (int32_t i = 0; i < step->timings; i++)
        if (step->timing[i].row == row) return step->timing[i].seconds;
    return 0;
}

/* Why a solver that could have been used was not. */
static const char *slower_reason(const fal_plan *plan, const fal__step *step, const fal_plan_candidate *c)
{
    if (step->decision == FAL__BY_MEASURING && c->measured_seconds > 0) return "as measured";
    if (c->predicted_cycles >= step->estimate) return "by its estimate";
    return step->decision == FAL__BY_WISDOM     ? "by wisdom"
           : plan->program.request.reproducible ? "for one image, which decides"
                                                : "by its estimate";
}

void fal__plan_candidate(const fal_plan *plan, const fal__step *step, int32_t row,
                         fal_plan_candidate *candidate)
{
    int32_t count;
    const fal__solver *solver = fal__solvers(&count)[row];
    *candidate = (fal_plan_candidate){.solver = solver->name};
    if (!fal__serves(solver, &step->problem, &plan->machine, candidate->reason, sizeof candidate->reason)) {
        candidate->verdict = FAL_VERDICT_REFUSED;
        return;
    }
    candidate->predicted_cycles = fal__predicted_cycles(solver, &step->problem, &plan->machine);
    candidate->measured_seconds = measured_seconds(step, row);
    const char *reason;
    const uint32_t allowed = fal__allowed_solvers(&plan->program.request, &step->problem);
    if (!(allowed >> row & 1)) {
        candidate->verdict = FAL_VERDICT_EXCLUDED;
        reason = "not among the algorithms asked for";
    } else if (step->capped >> row & 1) {
        candidate->verdict = FAL_VERDICT_EXCLUDED;
        reason = "needs more workspace than the cap";
    } else if (solver == step->solver) {
        candidate->verdict = FAL_VERDICT_CHOSEN;
        reason = (allowed & (allowed - 1)) == 0 ? "the only one asked for" : decisions[step->decision];
    } else {
        candidate->verdict = FAL_VERDICT_SLOWER;
        reason = slower_reason(plan, step, candidate);
    }
    snprintf(candidate->reason, sizeof candidate->reason, "%s", reason);
}

fal_status fal_plan_candidate_at(const fal_plan *plan, int32_t problem, int32_t number,
                                 fal_plan_candidate *candidate)
{
    int32_t count;
    fal__solvers(&count);
    if (plan == NULL || candidate == NULL) return FAL_E_NULL;
    if (problem < 0 || problem >= plan->program.count || number < 0 || number >= count) return FAL_E_VALUE;
    fal__plan_candidate(plan, &plan->program.steps[problem], number, candidate);
    return FAL_OK;
}
