/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.c: a sign of life for work over a second, on a terminal only.
 *
 * A helper thread wakes ten times a second; after the first second it rewrites one line on standard
 * error ("faltung conv: 45 %, 3.2 s, about 4 s left"). The thread reads two atomic numbers and nothing
 * else of the work, so results cannot depend on it. The line is wiped before anything is printed.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/parts.h"

/* One terminal, one line: the state of the process, not of a command. */
static struct {
    bool running;
    atomic_bool shown;
    _Atomic int64_t done, total;
    char who[64];
    struct timespec start;
    pthread_t thread;
    bool stop; /* guarded by lock, announced by wake */
    pthread_mutex_t lock;
    pthread_cond_t wake;
} line = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void show(double seconds)
{
    int64_t done = atomic_load(&line.done), total = atomic_load(&line.total);
    atomic_store(&line.shown, true);
    if (total > 0 && done > 0 && done <= total) {
        double part = (double)done / (double)total;
        fprintf(stderr, "\r%s: %.0f %%, %.1f s, about %.0f s left\033[K", line.who, 100 * part, seconds,
                seconds / part - seconds);
    } else {
        fprintf(stderr, "\r%s: %.1f s\033[K", line.who, seconds);
    }
    fflush(stderr);
}

/* Waits a tenth of a second, or less when told to stop. Realtime is good enough: a clock that is set
 * makes one wait longer or shorter. */
static void wait_a_little(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&line.wake, &line.lock, &until);
}

static void *watch(void *unused)
{
    pthread_mutex_lock(&line.lock);
    while (!line.stop) {
        wait_a_little();
        double seconds = seconds_since(&line.start);
        if (seconds > 1 && !line.stop) show(seconds);
    }
    pthread_mutex_unlock(&line.lock);
    return unused;
}

void cli_progress(int64_t done, int64_t total)
{
    atomic_store(&line.total, total);
    atomic_store(&line.done, done);
}

void cli_progress_begin(const cli_command *command)
{
    const char *terminal = getenv("TERM");
    if (cli_given(command, CLI_QUIET) || !isatty(STDERR_FILENO)) return;
    if (terminal == NULL || strcmp(terminal, "dumb") == 0) return;
    snprintf(line.who, sizeof line.who, "faltung %s", command->verb->name);
    clock_gettime(CLOCK_MONOTONIC, &line.start);
    line.stop = false;
    line.running = pthread_create(&line.thread, NULL, watch, NULL) == 0;
}

void cli_progress_end(void)
{
    if (!line.running) return;
    pthread_mutex_lock(&line.lock);
    line.stop = true;
    pthread_cond_signal(&line.wake);
    pthread_mutex_unlock(&line.lock);
    pthread_join(line.thread, NULL);
    line.running = false;
    cli_progress_wipe();
}

void cli_progress_wipe(void)
{
    static const char wipe[] = "\r\033[K";
    if (!atomic_exchange(&line.shown, false)) return;
    if (write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0) return; /* nothing to be done about it */
}

FILE *cli_out(cli_command *command)
{
    (void)command;
    cli_progress_end();
    return stdout;
}

void cli_note(cli_command *command, bool always, const char *text, ...)
{
    va_list values;
    if (cli_given(command, CLI_QUIET) || (!always && !cli_given(command, CLI_VERBOSE))) return;
    cli_progress_end();
    va_start(values, text);
    fprintf(stderr, "faltung %s: ", command->verb->name);
    vfprintf(stderr, text, values);
    fprintf(stderr, "\n");
    va_end(values);
}
