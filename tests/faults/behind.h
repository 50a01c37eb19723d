/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * behind.h: for a test that fails its own allocations: starts the program again behind faulty_libc.so, which
 * lies beside it.
 */
#ifndef FAL_TESTS_FAULTS_BEHIND_H
#define FAL_TESTS_FAULTS_BEHIND_H

/* The including file defines _XOPEN_SOURCE 700 first. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults/faulty.h"

/* Returns when the library is not there, or when the program is behind it already. */
static inline void start_behind(const char *library, char **arguments)
{
    if (getenv("FAULTY_STARTED") != NULL || access(library, R_OK) != 0) return;
    setenv("FAULTY_STARTED", "1", 1);
    setenv("LD_PRELOAD", library, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:allocator_may_return_null=1:detect_leaks=0", 1);
    execv("/proc/self/exe", arguments);
}

/* The page to write faults to; NULL when the library is not built here: the test is skipped. */
static inline fault_state *faults_behind(char **arguments)
{
    char library[512];
    const char *slash = strrchr(arguments[0], '/');
    snprintf(library, sizeof library, "%.*s/faulty_libc.so", slash ? (int)(slash - arguments[0]) : 1,
             slash ? arguments[0] : ".");
    start_behind(library, arguments);
    void *symbol = dlsym(dlopen(NULL, RTLD_NOW), "fault_page");
    if (symbol == NULL) return NULL;
    fault_state *(*page)(void);
    memcpy(&page, &symbol, sizeof page);
    return page();
}

#endif
