/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * program.h: canonical problems with their solvers, ready to run one after another.
 *
 * The operators write the problems of a call into a program; the planner chooses a solver for each,
 * lets it prepare its state and adds up the memory. A program is immutable afterwards. It lives in
 * one block that the caller allocates: steps first, then the states.
 */
#ifndef FAL_PLANNER_PROGRAM_H
#define FAL_PLANNER_PROGRAM_H

#include "planner/choose.h"
#include "planner/context.h"

/* What decided. */
typedef enum fal__decision { FAL__BY_ESTIMATE, FAL__BY_MEASURING, FAL__BY_WISDOM } fal__decision;

enum { FAL__TIMINGS_MAX = 4 };

typedef struct fal__step {
    fal__problem problem;
    const fal__solver *solver;
    void *state;
    fal__needs needs;
    fal__decision decision;
    double estimate; /* predicted cycles on one thread */
    int32_t threads; /* that its work is worth */
    uint32_t capped; /* rows of solvers that did not fit the workspace cap */
    int32_t timings; /* of solvers that were measured, the chosen one's first */
    struct {
        int32_t row;
        double seconds;
    } timing[FAL__TIMINGS_MAX];
    size_t packed_offset; /* of its packed weights in the program's */
} fal__step;

typedef struct fal__program {
    int64_t count;
    fal__step *steps;
    fal__request request;
    fal__needs needs; /* packed: sum; workspace: maximum, because steps run one after another */
    int64_t multiply_adds;
} fal__program;

/* Data pointers of one execution, by role. */
typedef struct fal__pointers {
    void *role[FAL__ROLES]; /* indexed by fal__role */
} fal__pointers;

/* Bytes of the block for `count` steps; false when it overflows. */
bool fal__program_bytes(int64_t count, size_t *bytes);
/* Lays the program out in `block`; the caller then writes steps[].problem. */
void fal__program_place(fal__program *program, int64_t count, void *block);
/* Chooses and prepares a solver for every step, as program->request asks. */
fal_status fal__program_prepare(fal__program *program, const fal__setting *setting);
void fal__program_pack(const fal__program *program, const void *w, void *packed);
/* False: an integer result did not fit. packed may be NULL. */
bool fal__program_run(const fal__program *program, const fal_executor *executor,
                      const fal__pointers *pointers, const void *packed, void *workspace);

#endif
