/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parallel.h: a loop over independent tasks, on whatever the caller chose.
 *
 * Solvers cut their outputs into at most `threads` tasks of a fixed partition and give each its own
 * piece of workspace, so any executor serves: OpenMP, serial, or the caller's own.
 */
#ifndef FAL_THREADS_PARALLEL_H
#define FAL_THREADS_PARALLEL_H

#include "faltung.h"

/* Runs task(argument, i) for i in 0..count-1 and returns when all have ended. */
void fal__parallel(const fal_executor *executor, int32_t count, void (*task)(void *argument, int32_t index),
                   void *argument);

/* The part of 0..total-1 that belongs to task `index` of `count`: contiguous, sizes differ by at most 1. */
void fal__partition(int64_t total, int32_t count, int32_t index, int64_t *begin, int64_t *end);

#endif
