/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * executor.c: the command's threads.
 *
 * A command runs one operator and ends, so threads are started for a call and joined after it. OpenMP,
 * the library's default, would keep them, but ends the process when there is no memory for one; here a
 * thread that cannot be started leaves its task to the caller, and the command keeps its exit codes.
 * `bench` times the default instead.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "cli/parts.h"

enum { THREADS_MAX = 1024 }; /* fal_context.threads at most */

typedef struct share {
    void (*task)(void *argument, int32_t index);
    void *argument;
    int32_t index;
} share;

static void *run_share(void *argument)
{
    const share *s = argument;
    s->task(s->argument, s->index);
    return NULL;
}

static void run(void *user, int32_t count, void (*task)(void *argument, int32_t index), void *argument)
{
    (void)user;
    share shares[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    int32_t started = 0;
    for (; started < count - 1 && started < THREADS_MAX; started++) {
        shares[started] = (share){.task = task, .argument = argument, .index = started};
        if (pthread_create(&threads[started], NULL, run_share, &shares[started]) != 0) break;
    }
    for (int32_t i = started; i < count; i++) task(argument, i);
    for (int32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
}

fal_executor cli_executor(void)
{
    return (fal_executor){.run = run};
}
