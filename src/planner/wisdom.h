/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wisdom.h: what measuring found out about canonical problems on this machine.
 *
 * A wisdom holds lines of text, each
 *
 *     0.1.0 avx512 Intel_Xeon_8488C_48K_2048K | f32 ... n1 g1 c64:64 ... = winograd.f4x3/1 812300 ns, 2
 * threads # 5d41402a
 *     |---------------------------- key ------------------------------|   |------- what was found
 * -----------|   checksum
 *
 * The key is everything that may change which solver is fastest, so equal keys are equal questions. It
 * leaves out the number of threads: one choice serves all of them, because the bits of a result must not
 * depend on it. Lines of other machines and versions are kept and never match.
 *
 * Used by program.c and by the public functions in wisdom.c.
 */
#ifndef FAL_PLANNER_WISDOM_H
#define FAL_PLANNER_WISDOM_H

#include "planner/choose.h"

/* The row of the solver that a plan should use, or -1: nothing is known, or not to this library. */
int32_t fal__wisdom_find(const fal_wisdom *wisdom, const fal__problem *problem, const char *level,
                         bool packs);

/* What was measured; replaces what was known. */
typedef struct fal__finding {
    const fal__problem *problem;
    const char *level;
    bool packs;  /* weights are packed ahead */
    int32_t row; /* of the fastest solver */
    double seconds;
    int32_t threads;
} fal__finding;
fal_status fal__wisdom_learn(fal_wisdom *wisdom, const fal__finding *finding, fal_error *error);

/* The key's part that tells the problem, at most `capacity` bytes with the final 0 (wisdom_key.c). */
enum { FAL__WISDOM_LINE = 1024 };
void fal__wisdom_problem(const fal__problem *problem, char *text, size_t capacity);

#endif
