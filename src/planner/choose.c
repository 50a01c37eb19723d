/* SPDX-License-Identifier: BSD-3-Clause */
/* choose.c: see choose.h. */
#include "planner/choose.h"

#include <string.h>

#include "base/error.h"

static fal__machine on_one_thread(const fal__machine *machine)
{
    fal__machine alone = *machine;
    alone.threads = 1;
    return alone;
}

static double weights(const fal__problem *p)
{
    return (double)p->groups * (double)p->oc * (double)p->ic * (double)p->axis[0].k * (double)p->axis[1].k *
           (double)p->axis[2].k;
}

/* Solvers count what happens in the inner caches. Whoever solves it, every weight comes from further away
 * once, at some 16 bytes a cycle, which is all the work where few pixels meet many channels. */
double fal__predicted_cycles(const fal__solver *solver, const fal__problem *problem,
                             const fal__machine *machine)
{
    const fal__machine alone = on_one_thread(machine);
    enum { WEIGHT_RATE = 16 };
    const double bytes = weights(problem) * (double)fal_dtype_bytes(problem->dtype);
    return solver->estimate(problem, &alone) + bytes / WEIGHT_RATE;
}

bool fal__serves(const fal__solver *solver, const fal__problem *problem, const fal__machine *machine,
                 char *why, size_t capacity)
{
    const fal__machine alone = on_one_thread(machine);
    return solver->applies(problem, &alone, why, capacity);
}

/* Keeps the order; the row before wins a tie. */
static void insert(fal__candidates *candidates, fal__candidate candidate)
{
    int32_t at = candidates->count++;
    for (; at > 0 && candidates->item[at - 1].cycles > candidate.cycles; at--)
        candidates->item[at] = candidates->item[at - 1];
    candidates->item[at] = candidate;
}

void fal__candidates_of(const fal__problem *problem, const fal__machine *machine, const fal__request *request,
                        fal__candidates *candidates)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    fal__problem one;
    const bool single = request->reproducible && problem->n > 1;
    const fal__problem *compared = problem;
    if (single) {
        one = *problem;
        one.n = 1;
        compared = &one;
    }
    candidates->count = 0;
    candidates->refused = -1;
    candidates->why[0] = '\0';
    for (int32_t i = 0; i < count && i < FAL__SOLVERS_MAX; i++) {
        char *const why = candidates->why;
        if (!(fal__allowed_solvers(request, problem) >> i & 1)) continue;
        if (!fal__serves(solvers[i], problem, machine, why, sizeof candidates->why) ||
            (single && !fal__serves(solvers[i], compared, machine, why, sizeof candidates->why))) {
            candidates->refused = i;
            continue;
        }
        const double estimate = fal__predicted_cycles(solvers[i], compared, machine);
        double cycles = estimate;
        if (!request->packs && !request->reproducible) cycles += solvers[i]->pack_cycles * weights(compared);
        insert(candidates, (fal__candidate){i, cycles, single ? 0 : estimate, 0});
    }
}

void fal__candidates_prefer(fal__candidates *candidates, int32_t from)
{
    const fal__candidate chosen = candidates->item[from];
    for (int32_t i = from; i > 0; i--) candidates->item[i] = candidates->item[i - 1];
    candidates->item[0] = chosen;
}

fal_status fal__candidates_none(const fal__candidates *candidates, const fal__request *request,
                                fal_error *error)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    if (candidates->refused < 0)
        return fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "no algorithm applies");
    const bool single = (request->allowed & (request->allowed - 1)) == 0;
    return fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "%s%s does not apply: %s",
                     single ? "" : "no allowed algorithm applies; ", solvers[candidates->refused]->name,
                     candidates->why);
}
