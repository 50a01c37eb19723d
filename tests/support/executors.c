/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executors.c: parallel-for in three orders.
 *
 * The contract of fal_executor allows any order on any threads; these are the extremes: in order,
 * in reverse order, and all at once on threads of their own.
 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>

static void count(test_runs *runs, int32_t tasks)
{
    runs->runs++;
    runs->tasks += tasks;
    if (tasks > runs->most) runs->most = tasks;
}

static void run_serial(void *user, int32_t tasks, void (*task)(void *argument, int32_t index), void *argument)
{
    count(user, tasks);
    for (int32_t i = 0; i < tasks; i++) task(argument, i);
}

static void run_reversed(void *user, int32_t tasks, void (*task)(void *argument, int32_t index),
                         void *argument)
{
    count(user, tasks);
    for (int32_t i = tasks - 1; i >= 0; i--) task(argument, i);
}

typedef struct job {
    void (*task)(void *argument, int32_t index);
    void *argument;
    int32_t index;
    pthread_t thread;
} job;

static void *run_job(void *user)
{
    const job *j = user;
    j->task(j->argument, j->index);
    return NULL;
}

static void run_threads(void *user, int32_t tasks, void (*task)(void *argument, int32_t index),
                        void *argument)
{
    count(user, tasks);
    job *jobs = calloc((size_t)tasks + 1, sizeof *jobs);
    if (jobs == NULL) abort();
    for (int32_t i = 0; i < tasks; i++) {
        jobs[i] = (job){.task = task, .argument = argument, .index = i};
        if (pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) != 0) abort();
    }
    for (int32_t i = 0; i < tasks; i++) pthread_join(jobs[i].thread, NULL);
    free(jobs);
}

fal_executor test_executor_serial(test_runs *runs)
{
    return (fal_executor){.user = runs, .run = run_serial};
}
fal_executor test_executor_reversed(test_runs *runs)
{
    return (fal_executor){.user = runs, .run = run_reversed};
}
fal_executor test_executor_threads(test_runs *runs)
{
    return (fal_executor){.user = runs, .run = run_threads};
}
