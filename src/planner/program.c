/* SPDX-License-Identifier: BSD-3-Clause */
/* program.c: choosing, preparing and running; see program.h. */
#include "planner/program.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

/* The largest state of any solver, so that a block can be sized before one is chosen. */
static size_t state_bytes(void)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    size_t bytes = 0;
    for (int32_t i = 0; i < count; i++)
        if (solvers[i]->state_bytes > bytes) bytes = solvers[i]->state_bytes;
    return (bytes + 63) / 64 * 64;
}

bool fal__program_bytes(int64_t count, size_t *bytes)
{
    int64_t total;
    if (!fal__mul_add(count, (int64_t)(sizeof(fal__step) + state_bytes()), 64, &total)) return false;
    *bytes = (size_t)total;
    return true;
}

void fal__program_place(fal__program *program, int64_t count, void *block)
{
    const size_t step_bytes = ((size_t)count * sizeof(fal__step) + 63) / 64 * 64;
    *program = (fal__program){.count = count, .steps = block};
    memset(block, 0, step_bytes);
    for (int64_t i = 0; i < count; i++)
        program->steps[i].state = (char *)block + step_bytes + (size_t)i * state_bytes();
}

/* "must be implicit-gemm or shifted-rows" */
static fal_status allow_names(const fal__solver *const *solvers, int32_t count, fal_error *error)
{
    char names[128] = "";
    size_t used = 0;
    for (int32_t i = 0; i < count && used < sizeof names; i++) {
        const char *joint = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", joint, solvers[i]->name);
    }
    return fal__allowed(error, FAL_E_UNSUPPORTED, "must be %s", names);
}

/* Solvers are told apart by bits of a mask. */
enum { SOLVERS_MAX = 32 };

/* The cheapest solver that applies and is not in `passed`, or the one asked for. NULL: there is none. */
static const fal__solver *choose(fal__step *step, const fal__machine *machine, const char *algorithm,
                                 uint32_t *passed, char *why, size_t capacity)
{
    int32_t count, best = -1;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t i = 0; i < count && i < SOLVERS_MAX; i++) {
        if (*passed >> i & 1 || (algorithm != NULL && strcmp(algorithm, solvers[i]->name) != 0)) continue;
        if (!solvers[i]->applies(&step->problem, machine, why, capacity)) continue;
        const double estimate = solvers[i]->estimate(&step->problem, machine);
        if (best >= 0 && estimate >= step->estimate) continue;
        best = i;
        step->estimate = estimate;
    }
    if (best < 0) return NULL;
    *passed |= UINT32_C(1) << best;
    return solvers[best];
}

static fal_status refuse_algorithm(const char *algorithm, const char *why, fal_error *error)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t i = 0; i < count && algorithm != NULL; i++)
        if (strcmp(algorithm, solvers[i]->name) == 0)
            return fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "%s does not apply: %s", algorithm, why);
    fal__fail(error, FAL_E_UNSUPPORTED, "algorithm", "there is no algorithm %.40s",
              algorithm != NULL ? algorithm : "");
    return allow_names(solvers, count, error);
}

/* Waking a thread costs some microseconds: a task should bring this many cycles of work. */
enum { CYCLES_PER_TASK = 50000 };

static int32_t worthwhile_threads(const fal__machine *machine, double cycles)
{
    const double tasks = cycles / CYCLES_PER_TASK;
    return tasks < 1 ? 1 : tasks < machine->threads ? (int32_t)tasks : machine->threads;
}

static bool add_size(size_t *total, size_t more)
{
    int64_t sum;
    if (more > PTRDIFF_MAX - 63 || !fal__add((int64_t)*total, (int64_t)((more + 63) / 64 * 64), &sum))
        return false;
    *total = (size_t)sum;
    return true;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int64_t multiply_adds(const fal__problem *p)
{
    /* Every product below divides the size of an operand or is checked by the geometry. */
    int64_t count = p->n * p->groups * p->oc;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (!fal__mul(count, p->axis[a].out, &count) || !fal__mul(count, p->axis[a].k, &count))
            return INT64_MAX;
    return fal__mul(count, p->ic, &count) ? count : INT64_MAX;
}

/* Chooses and prepares; a solver that cannot live under the workspace cap gives way to the next. */
static fal_status prepare_step(fal__step *step, const fal__machine *machine, const char *algorithm,
                               fal_error *error)
{
    uint32_t passed = 0;
    char why[128] = "";
    fal_status status = FAL_OK;
    for (;;) {
        const fal__solver *solver = choose(step, machine, algorithm, &passed, why, sizeof why);
        if (solver == NULL) return status != FAL_OK ? status : refuse_algorithm(algorithm, why, error);
        fal__machine own = *machine;
        own.threads = worthwhile_threads(machine, step->estimate);
        step->solver = solver;
        status = solver->prepare(&step->problem, &own, step->state, &step->needs, error);
        if (status == FAL_OK && error != NULL && error->status == FAL_E_WORKSPACE)
            memset(error, 0, sizeof *error);
        if (status != FAL_E_WORKSPACE) return status;
    }
}

fal_status fal__program_prepare(fal__program *program, const fal__machine *machine, const char *algorithm,
                                fal_error *error)
{
    for (int64_t i = 0; i < program->count; i++) {
        fal__step *step = &program->steps[i];
        FAL__TRY(prepare_step(step, machine, algorithm, error));
        step->packed_offset = program->needs.packed;
        if (!add_size(&program->needs.packed, step->needs.packed))
            return fal__fail(error, FAL_E_OVERFLOW, "w", "the packed weights overflow 64 bits");
        program->needs.workspace = larger(program->needs.workspace, step->needs.workspace);
        program->needs.workspace_packed =
            larger(program->needs.workspace_packed, step->needs.workspace_packed);
        if (!fal__add(program->multiply_adds, multiply_adds(&step->problem), &program->multiply_adds))
            program->multiply_adds = INT64_MAX;
    }
    return FAL_OK;
}

void fal__program_pack(const fal__program *program, const void *w, void *packed)
{
    for (int64_t i = 0; i < program->count; i++) {
        const fal__step *step = &program->steps[i];
        step->solver->pack(&step->problem, step->state, w, (char *)packed + step->packed_offset);
    }
}

bool fal__program_run(const fal__program *program, const fal_executor *executor,
                      const fal__pointers *pointers, const void *packed, void *workspace)
{
    bool fits = true;
    for (int64_t i = 0; i < program->count; i++) {
        const fal__step *step = &program->steps[i];
        const fal__run run = {.problem = &step->problem,
                              .state = step->state,
                              .executor = executor,
                              .x = pointers->role[step->problem.x_role],
                              .w = pointers->role[step->problem.w_role],
                              .bias = pointers->role[FAL__ROLE_BIAS],
                              .y = pointers->role[step->problem.y_role],
                              .packed = packed != NULL ? (const char *)packed + step->packed_offset : NULL,
                              .workspace = workspace};
        fits &= step->solver->run(&run);
    }
    return fits;
}
