/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faulty.h: a C library that fails when told, and what it saw.
 *
 * faulty_libc.c is preloaded before the program under test and stands in front of the C library's
 * memory and file functions. Tester and program share one page, the fault_state: the tester writes the
 * faults before the program starts, the program counts its calls there. The page is a file whose
 * descriptor stands in the environment variable FAULTY_FD; command.py mirrors the structs.
 */
#ifndef FAL_TESTS_FAULTS_FAULTY_H
#define FAL_TESTS_FAULTS_FAULTY_H

#include <stdint.h>

/* Kinds of calls, which are counted apart. */
typedef enum fault_call {
    FAULT_MEMORY, /* malloc, calloc, realloc, aligned_alloc, posix_memalign */
    FAULT_OPEN,
    FAULT_STAT, /* stat, lstat, fstat */
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SEEK,
    FAULT_SYNC, /* fsync */
    FAULT_CLOSE,
    FAULT_LINK,
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_CALLS
} fault_call;

typedef enum fault_action {
    FAULT_NONE,
    FAULT_ERROR,  /* the call fails with errno = number; memory: NULL and ENOMEM */
    FAULT_SHORT,  /* read and write move at most `number` bytes */
    FAULT_BEFORE, /* signal `number` is raised before the call */
    FAULT_AFTER   /* signal `number` is raised after the call */
} fault_action;

/* Happens at calls first, first + step, ... last of its kind; the first call is 1. */
typedef struct fault {
    int64_t call, action, number, first, last, step;
} fault;

enum { FAULTS = 2 };

typedef struct fault_state {
    int64_t armed;              /* calls are counted and fail; 1 while main() runs */
    int64_t live;               /* blocks allocated less blocks released while armed */
    int64_t fired;              /* faults that have happened */
    int64_t calls[FAULT_CALLS]; /* while armed */
    int64_t begun[FAULTS];      /* calls of its kind before a fault was put in force */
    fault faults[FAULTS];       /* the second comes into force when the first has happened */
} fault_state;

/* The page; a program's own when no FAULTY_FD is given. */
fault_state *fault_page(void);

#endif
