/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * own.c: this library as a contender, in the two ways programs call it. An operator without plans has one
 * way only, which then stands in the place of the prepared one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/call.h"
#include "bench/peer.h"

typedef struct own {
    const bench_problem *problem;
    fal_operands operands;
    fal_plan *plan; /* NULL: every run is one call */
    fal_plan_info info;
    void *packed, *workspace;
} own;

void *bench_block(size_t bytes)
{
    const size_t line = 64;
    if (bytes > SIZE_MAX - line) return NULL;
    return aligned_alloc(line, (bytes / line + 1) * line);
}

static void release(void *state)
{
    own *o = state;
    fal_plan_destroy(o->plan);
    free(o->packed);
    free(o->workspace);
    free(o);
}

static own *new_own(const bench_problem *problem)
{
    own *o = calloc(1, sizeof *o);
    if (o == NULL) return NULL;
    o->problem = problem;
    o->operands = problem->operands;
    return o;
}

static void *prepare_one_call(const bench_problem *problem)
{
    return bench_has_plan(problem->op) ? new_own(problem) : NULL;
}

static bool plan(own *o)
{
    const bench_problem *p = o->problem;
    if (!bench_has_plan(p->op)) return true;
    if (fal_plan_create(&p->context, (fal_operator)p->op, &p->operands, &p->params, &o->plan) != FAL_OK ||
        fal_plan_describe(o->plan, &o->info) != FAL_OK)
        return false;
    o->workspace = bench_block(o->info.workspace_bytes);
    if (o->workspace == NULL) return false;
    if (o->info.packed_bytes == 0) return true; /* a gradient of weights has none to pack */
    o->packed = bench_block(o->info.packed_bytes);
    return o->packed != NULL &&
           fal_plan_pack_weights(o->plan, &p->operands.w, o->packed, p->context.error) == FAL_OK;
}

static void *prepare_prepacked(const bench_problem *problem)
{
    own *o = new_own(problem);
    if (o == NULL || plan(o)) return o;
    release(o);
    return NULL;
}

static void place(void *state, const fal_operands *operands)
{
    own *o = state;
    o->operands = *operands;
}

static bool run_one_call(void *state)
{
    const own *o = state;
    return bench_call(o->problem, &o->operands) == FAL_OK;
}

static bool run_prepacked(void *state)
{
    const own *o = state;
    if (o->plan == NULL) return run_one_call(state);
    return fal_plan_execute(o->plan, &o->operands, o->packed, o->workspace, o->info.workspace_bytes,
                            o->problem->context.error) == FAL_OK;
}

static void detail(void *state, char *text, size_t capacity)
{
    const own *o = state;
    if (o->plan == NULL) return;
    snprintf(text, capacity, "%s%s%s", o->info.solver, o->info.kernel ? ", " : "",
             o->info.kernel ? o->info.kernel : "");
}

static double predicted(void *state)
{
    const own *o = state;
    return o->info.predicted_seconds;
}

const bench_peer bench_prepacked = {.name = "prepacked",
                                    .prepare = prepare_prepacked,
                                    .place = place,
                                    .run = run_prepacked,
                                    .detail = detail,
                                    .predicted = predicted,
                                    .release = release};
const bench_peer bench_one_call = {.name = "one-call",
                                   .prepare = prepare_one_call,
                                   .place = place,
                                   .run = run_one_call,
                                   .detail = detail,
                                   .release = release};
