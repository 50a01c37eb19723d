/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signals.c: Ctrl-C leaves nothing behind.
 *
 * SIGPIPE keeps its default action: `faltung print big.npy | head` ends quietly. A file above the
 * system's limit is an error like a full disk, and not the end of the program.
 */
#define _XOPEN_SOURCE 700

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/parts.h"
#include "io/io.h"

/* Only async-signal-safe calls. */
static void on_signal(int number)
{
    cli_progress_wipe();
    io_cleanup_temporaries();
    _exit(128 + number);
}

void cli_catch_signals(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_DFL;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, NULL);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        /* A signal that the caller ignores (nohup, a background job) stays ignored. */
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
}
