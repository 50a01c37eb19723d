/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parallel.c: see parallel.h.
 *
 * Inside somebody else's parallel region OpenMP gives one thread, and the loop still runs every
 * index: the partition is in the indices, not in the threads.
 */
#include "threads/parallel.h"

#ifdef _OPENMP
#include <omp.h>
#endif

int32_t fal_thread_count(void)
{
#ifdef _OPENMP
    int processors = omp_get_num_procs();
    return processors < 1 ? 1 : processors > 1024 ? 1024 : (int32_t)processors;
#else
    return 1;
#endif
}

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
#ifdef _OPENMP
#pragma omp parallel for num_threads(count) schedule(static, 1)
#endif
        for (int32_t i = 0; i < count; i++) task(argument, i);
    }
}

void fal__partition(int64_t total, int32_t count, int32_t index, int64_t *begin, int64_t *end)
{
    int64_t share = total / count, rest = total % count;
    *begin = index * share + (index < rest ? index : rest);
    *end = *begin + share + (index < rest);
}
