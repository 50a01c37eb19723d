/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * alloc.h: the caller's allocator, or the C library's.
 *
 * The library allocates only in plan creation and in the one-call functions (their plan and
 * workspace); everything it allocates is released through the same allocator with its size.
 */
#ifndef FAL_BASE_ALLOC_H
#define FAL_BASE_ALLOC_H

#include "faltung.h"

/* Alignment of every block: a cache line, and the widest vector. */
enum { FAL__ALIGNMENT = 64 };

/* Refuses an allocator with one function missing. */
fal_status fal__allocator_check(const fal_allocator *allocator, fal_error *error);
/* *memory = `bytes` bytes (at least 1) aligned to FAL__ALIGNMENT, not cleared. `what` is named in
 * the message: "cannot allocate 1048576 bytes for plan". */
fal_status fal__allocate(const fal_allocator *allocator, size_t bytes, const char *what, void **memory,
                         fal_error *error);
void fal__release(const fal_allocator *allocator, void *memory, size_t bytes);

#endif
