/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parallel.c: see parallel.h.
 *
 * Inside somebody else's parallel region OpenMP gives one thread, and the loop still runs every
 * index: the partition is in the indices, not in the threads.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "threads/parallel.h"

#include "base/compiler.h"

#ifdef _OPENMP
#include <omp.h>
#include <sched.h>

/* Asking the system first leaves OpenMP's runtime asleep, which takes memory as soon as it is touched and
 * does not always survive when there is none. */
int32_t fal_thread_count(void)
{
    int processors = 0;
#ifdef CPU_COUNT
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) processors = CPU_COUNT(&allowed);
#endif
    if (processors < 1) processors = omp_get_num_procs();
    return processors < 1 ? 1 : processors > 1024 ? 1024 : (int32_t)processors;
}

/* A function of its own: Clang greets the runtime at the beginning of the function that holds the loop. */
static FAL__NOINLINE void run_default(int32_t count, void (*task)(void *argument, int32_t index),
                                      void *argument)
{
#pragma omp parallel for num_threads(count) schedule(static, 1)
    for (int32_t i = 0; i < count; i++) task(argument, i);
}
#else
int32_t fal_thread_count(void)
{
    return 1;
}

static void run_default(int32_t count, void (*task)(void *argument, int32_t index), void *argument)
{
    for (int32_t i = 0; i < count; i++) task(argument, i);
}
#endif

const char *fal_executor_name(void)
{
#ifdef _OPENMP
    return "openmp";
#else
    return "serial";
#endif
}

void fal__parallel(const fal_executor *executor, int32_t count, void (*task)(void *argument, int32_t index),
                   void *argument)
{
    if (count == 1) {
        task(argument, 0);
    } else if (executor->run != NULL) {
        executor->run(executor->user, count, task, argument);
    } else {
        run_default(count, task, argument);
    }
}

void fal__partition(int64_t total, int32_t count, int32_t index, int64_t *begin, int64_t *end)
{
    int64_t share = total / count, rest = total % count;
    *begin = index * share + (index < rest ? index : rest);
    *end = *begin + share + (index < rest);
}
