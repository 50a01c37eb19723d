/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc.c: see alloc.h. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

fal_status fal__allocator_check(const fal_allocator *allocator, fal_error *error)
{
    if ((allocator->allocate == NULL) == (allocator->release == NULL)) return FAL_OK;
    const char *missing = allocator->allocate == NULL ? "allocator.allocate" : "allocator.release";
    fal__fail(error, FAL_E_NULL, missing, "%s is NULL", missing);
    return fal__allowed(error, FAL_E_NULL, "give both functions or neither");
}

fal_status fal__allocate(const fal_allocator *allocator, size_t bytes, const char *what, void **memory,
                         fal_error *error)
{
    /* aligned_alloc wants a multiple of the alignment, and never 0. */
    size_t rounded =
        bytes == 0 ? FAL__ALIGNMENT : (bytes + FAL__ALIGNMENT - 1) / FAL__ALIGNMENT * FAL__ALIGNMENT;
    if (rounded < bytes || bytes > PTRDIFF_MAX) {
        return fal__fail(error, FAL_E_OVERFLOW, what, "%zu bytes for %s overflow", bytes, what);
    }
    void *block = allocator->allocate != NULL ? allocator->allocate(allocator->user, rounded, FAL__ALIGNMENT)
                                              : aligned_alloc(FAL__ALIGNMENT, rounded);
    if (block == NULL)
        return fal__fail(error, FAL_E_NOMEM, what, "cannot allocate %zu bytes for %s", bytes, what);
    if ((uintptr_t)block % FAL__ALIGNMENT != 0) {
        allocator->release(allocator->user, block, rounded);
        fal__fail(error, FAL_E_ALIGN, "allocator", "the allocator returned a misaligned block for %s", what);
        return fal__allowed(error, FAL_E_ALIGN, "blocks must be %d-byte aligned", FAL__ALIGNMENT);
    }
    *memory = block;
    return FAL_OK;
}

void fal__release(const fal_allocator *allocator, void *memory, size_t bytes)
{
    if (memory == NULL) return;
    size_t rounded =
        bytes == 0 ? FAL__ALIGNMENT : (bytes + FAL__ALIGNMENT - 1) / FAL__ALIGNMENT * FAL__ALIGNMENT;
    if (allocator->release != NULL)
        allocator->release(allocator->user, memory, rounded);
    else
        free(memory);
}
