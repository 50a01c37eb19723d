/* SPDX-License-Identifier: BSD-3-Clause */
/* program.c: choosing, preparing and running; see program.h. */
#include "planner/program.h"

#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "planner/measure.h"
#include "planner/wisdom.h"

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

/* Waking a thread costs some microseconds: a task should bring this many cycles of work. */
enum { CYCLES_PER_TASK = 50000 };

int32_t fal__worthwhile_threads(const fal__machine *machine, double cycles)
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

/* Candidates in the order in which they may be used: what wisdom or measuring found first. */
static fal_status rank(fal__step *step, const fal__setting *setting, const fal__request *request,
                       double seconds, fal__candidates *candidates)
{
    const fal__problem *problem = &step->problem;
    const char *level = fal_cpu_level_name(setting->cpu);
    bool measured = false;
    fal__candidates_of(problem, &setting->machine, request, candidates);
    if (candidates->count == 0) return fal__candidates_none(candidates, request, setting->error);
    if (request->reproducible) return FAL_OK;
    const int32_t known =
        setting->wisdom != NULL ? fal__wisdom_find(setting->wisdom, problem, level, request->packs) : -1;
    for (int32_t i = 0; known >= 0 && i < candidates->count; i++) {
        if (candidates->item[i].row != known) continue;
        step->decision = FAL__BY_WISDOM;
        fal__candidates_prefer(candidates, i);
        return FAL_OK;
    }
    if (setting->measure_seconds <= 0 || known >= 0) return FAL_OK;
    FAL__TRY(fal__measure(problem, setting, request->packs, seconds, candidates, &measured));
    if (!measured) return FAL_OK;
    step->decision = FAL__BY_MEASURING;
    if (setting->wisdom == NULL) return FAL_OK;
    const fal__candidate *best = &candidates->item[0];
    const fal__finding finding = {.problem = problem,
                                  .level = level,
                                  .packs = request->packs,
                                  .row = best->row,
                                  .seconds = best->seconds,
                                  .threads = fal__worthwhile_threads(&setting->machine, best->cycles)};
    return fal__wisdom_learn(setting->wisdom, &finding, setting->error);
}

/* Phases that differ only in where their operands begin need one choice. */
static bool same_question(const fal__problem *a, const fal__problem *b)
{
    fal__problem moved = *b;
    moved.x_base = a->x_base;
    moved.w_base = a->w_base;
    moved.y_base = a->y_base;
    return memcmp(a, &moved, sizeof moved) == 0;
}

static void keep_timings(fal__step *step, const fal__candidates *candidates)
{
    step->timings = 0;
    for (int32_t i = 0; i < candidates->count && step->timings < FAL__TIMINGS_MAX; i++) {
        if (candidates->item[i].seconds <= 0) continue;
        step->timing[step->timings].row = candidates->item[i].row;
        step->timing[step->timings++].seconds = candidates->item[i].seconds;
    }
}

/* Prepares the first candidate; one that cannot live under the workspace cap gives way to the next. Fewer
 * threads come before another solver, so that the choice does not depend on how many there are. */
static fal_status prepare_step(fal__step *step, const fal__setting *setting,
                               const fal__candidates *candidates)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    fal_error *error = setting->error;
    fal_status status = FAL_E_WORKSPACE;
    for (int32_t i = 0; i < candidates->count && status == FAL_E_WORKSPACE; i++) {
        const fal__candidate *candidate = &candidates->item[i];
        fal__machine own = setting->machine;
        step->solver = solvers[candidate->row];
        step->estimate = candidate->estimate > 0 ? candidate->estimate
                                                 : fal__predicted_cycles(step->solver, &step->problem, &own);
        step->threads = own.threads = fal__worthwhile_threads(&own, step->estimate);
        status = step->solver->prepare(&step->problem, &own, step->state, &step->needs, error);
        if (status == FAL_E_WORKSPACE && own.threads > 1) {
            step->threads = own.threads = 1;
            status = step->solver->prepare(&step->problem, &own, step->state, &step->needs, error);
        }
        if (status == FAL_OK && error != NULL && error->status == FAL_E_WORKSPACE)
            memset(error, 0, sizeof *error);
        if (status != FAL_E_WORKSPACE) continue;
        step->capped |= UINT32_C(1) << candidate->row;
        step->decision = FAL__BY_ESTIMATE;
    }
    return status;
}

static fal_status book(fal__program *program, fal__step *step, fal_error *error)
{
    step->packed_offset = program->needs.packed;
    if (!add_size(&program->needs.packed, step->needs.packed))
        return fal__fail(error, FAL_E_OVERFLOW, "w", "the packed weights overflow 64 bits");
    program->needs.workspace = larger(program->needs.workspace, step->needs.workspace);
    program->needs.workspace_packed = larger(program->needs.workspace_packed, step->needs.workspace_packed);
    if (!fal__add(program->multiply_adds, multiply_adds(&step->problem), &program->multiply_adds))
        program->multiply_adds = INT64_MAX;
    return FAL_OK;
}

fal_status fal__program_prepare(fal__program *program, const fal__setting *setting)
{
    fal__candidates candidates;
    for (int64_t i = 0; i < program->count; i++) {
        fal__step *step = &program->steps[i];
        if (i > 0 && same_question(&step->problem, &step[-1].problem)) {
            step->decision = step[-1].decision;
        } else {
            const double seconds = setting->measure_seconds / (double)program->count;
            FAL__TRY(rank(step, setting, &program->request, seconds, &candidates));
        }
        keep_timings(step, &candidates);
        FAL__TRY(prepare_step(step, setting, &candidates));
        FAL__TRY(book(program, step, setting->error));
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
