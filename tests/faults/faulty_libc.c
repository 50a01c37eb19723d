/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faulty_libc.c: see faulty.h. Built as a shared object for LD_PRELOAD.
 *
 * Calls count only while main() runs: what the loader and the start of other libraries ask for is not
 * the program's. Standard output gets a buffer and the time zone is read here, so that the C library's own
 * blocks for them are no leak. The C library writes its streams without passing here.
 */
#define _GNU_SOURCE
#include "faulty.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static fault_state own_state, *state = &own_state;

fault_state *fault_page(void)
{
    return state;
}

__attribute__((constructor)) static void attach(void)
{
    const char *fd = getenv("FAULTY_FD");
    if (fd == NULL) return;
    void *page = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd), 0);
    if (page != MAP_FAILED) state = page;
}

/* ---- What happens at a call ---- */

/* The fault that happens at the call that has just been counted, or NULL. */
static const fault *fault_at(fault_call call)
{
    const fault *happens = NULL;
    for (int i = 0; i < FAULTS && happens == NULL; i++) {
        const fault *f = &state->faults[i];
        if (f->action == FAULT_NONE || (i > 0 && state->fired == 0) || f->call != (int64_t)call) continue;
        int64_t number = state->calls[call] - state->begun[i];
        if (number >= f->first && number <= f->last && (number - f->first) % f->step == 0) happens = f;
    }
    if (happens == NULL) return NULL;
    if (state->fired++ == 0)
        for (int i = 1; i < FAULTS; i++) state->begun[i] = state->calls[state->faults[i].call];
    return happens;
}

/* Counts a call of a file function. True when it fails instead of happening; errno is set. */
static bool fails(fault_call call, const fault **happens)
{
    *happens = NULL;
    if (!state->armed) return false;
    state->calls[call]++;
    *happens = fault_at(call);
    if (*happens == NULL) return false;
    if ((*happens)->action == FAULT_BEFORE) raise((int)(*happens)->number);
    if ((*happens)->action != FAULT_ERROR) return false;
    errno = (int)(*happens)->number;
    return true;
}

/* After a call: passes its result on. */
static long ended(const fault *happens, long result)
{
    if (happens != NULL && happens->action == FAULT_AFTER) raise((int)happens->number);
    return result;
}

static size_t shortened(const fault *happens, size_t count)
{
    if (happens == NULL || happens->action != FAULT_SHORT) return count;
    return count < (size_t)happens->number ? count : (size_t)happens->number;
}

/* The C library's own function. */
static void find(const char *name, void *function)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) abort();
    memcpy(function, &symbol, sizeof symbol); /* ISO C has no conversion between the two kinds of pointers */
}

/* ---- Memory ---- */

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} libc;

/* Finding the functions may itself ask for a little memory, which is never given back. */
static _Alignas(64) unsigned char early[16384];
static size_t early_used;

static bool is_early(const void *block)
{
    return (uintptr_t)block >= (uintptr_t)early && (uintptr_t)block < (uintptr_t)early + sizeof early;
}

static void *early_block(size_t bytes)
{
    size_t at = early_used, rounded = (bytes + 63) / 64 * 64;
    if (rounded > sizeof early - at) abort();
    early_used += rounded;
    return early + at;
}

/* False while the search is under way. */
static bool ready(void)
{
    static enum { UNKNOWN, SEARCHING, KNOWN } progress = UNKNOWN;
    if (progress == UNKNOWN) {
        progress = SEARCHING;
        find("malloc", &libc.malloc);
        find("calloc", &libc.calloc);
        find("realloc", &libc.realloc);
        find("aligned_alloc", &libc.aligned_alloc);
        find("posix_memalign", &libc.posix_memalign);
        find("free", &libc.free);
        progress = KNOWN;
    }
    return progress == KNOWN;
}

static bool refused(void)
{
    if (!state->armed) return false;
    state->calls[FAULT_MEMORY]++;
    const fault *happens = fault_at(FAULT_MEMORY);
    if (happens == NULL) return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    if (state->armed && block != NULL) state->live++;
    return block;
}

void *malloc(size_t bytes)
{
    if (!ready()) return early_block(bytes);
    return refused() ? NULL : counted(libc.malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    if (!ready()) return early_block(count * bytes);
    return refused() ? NULL : counted(libc.calloc(count, bytes));
}

void *realloc(void *block, size_t bytes)
{
    if (!ready()) return early_block(bytes);
    if (refused()) return NULL;
    void *moved = libc.realloc(block, bytes);
    return block == NULL ? counted(moved) : moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (!ready()) return early_block(bytes);
    return refused() ? NULL : counted(libc.aligned_alloc(alignment, bytes));
}

int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    if (!ready() || refused()) return ENOMEM;
    int status = libc.posix_memalign(block, alignment, bytes);
    if (status == 0) counted(*block);
    return status;
}

void free(void *block)
{
    if (block == NULL || is_early(block) || !ready()) return;
    if (state->armed) state->live--;
    libc.free(block);
}

/* ---- Threads ---- */

/* The C library keeps a few blocks of every thread's for the next one. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    find("pthread_create", &next);
    int64_t live = state->live;
    int status = next(thread, attributes, start, argument);
    state->live = live;
    return status;
}

/* ---- Files ---- */

static int open_as(const char *name, const char *path, int flags, va_list more)
{
    int (*next)(const char *, int, ...);
    const fault *happens;
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    if (fails(FAULT_OPEN, &happens)) return -1;
    find(name, &next);
    return (int)ended(happens, next(path, flags, mode));
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int fd = open_as("open", path, flags, more);
    va_end(more);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int fd = open_as("open64", path, flags, more);
    va_end(more);
    return fd;
}

ssize_t read(int fd, void *to, size_t count)
{
    ssize_t (*next)(int, void *, size_t);
    const fault *happens;
    if (fails(FAULT_READ, &happens)) return -1;
    find("read", &next);
    return ended(happens, next(fd, to, shortened(happens, count)));
}

ssize_t write(int fd, const void *from, size_t count)
{
    ssize_t (*next)(int, const void *, size_t);
    const fault *happens;
    if (fails(FAULT_WRITE, &happens)) return -1;
    find("write", &next);
    return ended(happens, next(fd, from, shortened(happens, count)));
}

off_t lseek(int fd, off_t offset, int whence)
{
    off_t (*next)(int, off_t, int);
    const fault *happens;
    if (fails(FAULT_SEEK, &happens)) return -1;
    find("lseek", &next);
    return ended(happens, next(fd, offset, whence));
}

off64_t lseek64(int fd, off64_t offset, int whence)
{
    off64_t (*next)(int, off64_t, int);
    const fault *happens;
    if (fails(FAULT_SEEK, &happens)) return -1;
    find("lseek64", &next);
    return ended(happens, next(fd, offset, whence));
}

/* A function of one descriptor. */
static int on_descriptor(fault_call call, const char *name, int fd)
{
    int (*next)(int);
    const fault *happens;
    bool failing = fails(call, &happens);
    /* Linux closes the file also when close reports an error. */
    if (failing && call != FAULT_CLOSE) return -1;
    int number = errno;
    find(name, &next);
    int result = (int)ended(happens, next(fd));
    if (!failing) return result;
    errno = number;
    return -1;
}

int fsync(int fd)
{
    return on_descriptor(FAULT_SYNC, "fsync", fd);
}

int close(int fd)
{
    return on_descriptor(FAULT_CLOSE, "close", fd);
}

/* A function of two paths. */
static int on_paths(fault_call call, const char *name, const char *from, const char *to)
{
    int (*next)(const char *, const char *);
    const fault *happens;
    if (fails(call, &happens)) return -1;
    find(name, &next);
    return (int)ended(happens, next(from, to));
}

int link(const char *from, const char *to)
{
    return on_paths(FAULT_LINK, "link", from, to);
}

int rename(const char *from, const char *to)
{
    return on_paths(FAULT_RENAME, "rename", from, to);
}

int unlink(const char *path)
{
    int (*next)(const char *);
    const fault *happens;
    if (fails(FAULT_UNLINK, &happens)) return -1;
    find("unlink", &next);
    return (int)ended(happens, next(path));
}

static int status_as(const char *name, const char *path, void *status)
{
    int (*next)(const char *, void *);
    const fault *happens;
    if (fails(FAULT_STAT, &happens)) return -1;
    find(name, &next);
    return (int)ended(happens, next(path, status));
}

int stat(const char *restrict path, struct stat *restrict status)
{
    return status_as("stat", path, status);
}

int stat64(const char *restrict path, struct stat64 *restrict status)
{
    return status_as("stat64", path, status);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    return status_as("lstat", path, status);
}

int lstat64(const char *restrict path, struct stat64 *restrict status)
{
    return status_as("lstat64", path, status);
}

static int status_of(const char *name, int fd, void *status)
{
    int (*next)(int, void *);
    const fault *happens;
    if (fails(FAULT_STAT, &happens)) return -1;
    find(name, &next);
    return (int)ended(happens, next(fd, status));
}

int fstat(int fd, struct stat *status)
{
    return status_of("fstat", fd, status);
}

int fstat64(int fd, struct stat64 *status)
{
    return status_of("fstat64", fd, status);
}

/* ---- main() ---- */

typedef int main_function(int, char **, char **);
static main_function *program;

static int armed_main(int count, char **arguments, char **environment)
{
    static char buffer[BUFSIZ];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    tzset();
    state->armed = 1;
    int code = program(count, arguments, environment);
    state->armed = 0;
    return code;
}

int __libc_start_main(main_function *main, int count, char **arguments, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack);

int __libc_start_main(main_function *main, int count, char **arguments, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack)
{
    int (*next)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    find("__libc_start_main", &next);
    if (getenv("FAULTY_FD") == NULL) return next(main, count, arguments, init, fini, loader_fini, stack);
    program = main;
    return next(armed_main, count, arguments, init, fini, loader_fini, stack);
}
