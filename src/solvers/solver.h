/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * solver.h: the shape of an algorithm.
 *
 * A solver computes the canonical problem (problem.h) for the cases it applies to. The planner asks all
 * rows of solvers.inc, keeps the cheapest and lets it prepare a state of `state_bytes` that lives in
 * the plan and never changes afterwards; execution hands it pointers only. In order of a plan's life:
 *
 *     applies   pure; writes the reason of a refusal
 *     estimate  pure; predicted cycles of one execution with packed weights, on one thread
 *     prepare   fills the state, books memory
 *     pack      weights into the solver's own format (optional step)
 *     run       computes; allocates nothing
 *     describe  one line for people
 */
#ifndef FAL_SOLVERS_SOLVER_H
#define FAL_SOLVERS_SOLVER_H

#include "kernels/kernels.h"
#include "solvers/problem.h"

/* What a solver may use. */
typedef struct fal__machine {
    const fal__kernel_set *kernels;
    int32_t threads;
    uint64_t workspace_cap; /* bytes; UINT64_MAX when there is none */
} fal__machine;

/* What a prepared solver needs for one execution, in bytes, and the kernel it will run. */
typedef struct fal__needs {
    size_t packed;           /* packed weights; 0 when the problem has none worth packing ahead */
    size_t workspace;        /* without packed weights */
    size_t workspace_packed; /* with them */
    char kernel[32];         /* "f32 14x32 avx512" */
} fal__needs;

/* One execution. x, w, y, bias point at the caller's operands in the roles of the problem, before
 * the problem's bases are added. */
typedef struct fal__run {
    const fal__problem *problem;
    const void *state;
    const fal_executor *executor;
    const void *x, *w, *bias;
    void *y;
    const void *packed; /* or NULL: weights are read from w */
    void *workspace;
} fal__run;

typedef struct fal__solver {
    const char *name; /* stable: it stands in command lines and saved choices */
    int32_t version;  /* raised when equal input may give other bits */
    size_t state_bytes;
    double pack_cycles; /* about, for each weight, where they are packed on every call; 0: they are not */
    bool (*applies)(const fal__problem *problem, const fal__machine *machine, char *why, size_t capacity);
    double (*estimate)(const fal__problem *problem, const fal__machine *machine);
    fal_status (*prepare)(const fal__problem *problem, const fal__machine *machine, void *state,
                          fal__needs *needs, fal_error *error);
    void (*pack)(const fal__problem *problem, const void *state, const void *w, void *packed);
    bool (*run)(const fal__run *run); /* false: an integer result did not fit y's type */
    size_t (*describe)(const fal__problem *problem, const void *state, char *text, size_t capacity);
} fal__solver;

/* All solvers in the order of solvers.inc; *count receives their number. */
const fal__solver *const *fal__solvers(int32_t *count);

#endif
