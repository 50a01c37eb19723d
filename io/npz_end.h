/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npz_end.h: the end of a zip archive, which says where its directory is. Used by npz_directory.c.
 */
#ifndef IO_NPZ_END_H
#define IO_NPZ_END_H

#include "io/source.h"

typedef struct io_npz_end {
    uint64_t entries; /* members */
    uint64_t offset;  /* of the central directory, which ends where the end records begin */
    uint64_t length;
} io_npz_end;

fal_status io_npz_find_end(io_source *source, io_npz_end *out, fal_error *error);

#endif
