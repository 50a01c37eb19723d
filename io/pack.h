/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pack.h: the elements of any strided tensor as the bytes of a file: row-major, little-endian.
 *
 * The writers take them in pieces, so that a permuted or flipped view is written without a copy of
 * the whole.
 */
#ifndef IO_PACK_H
#define IO_PACK_H

#include "io/formats.h"

typedef struct io_packer {
    const fal_tensor *tensor;
    size_t width; /* bytes of an element */
    int64_t left; /* elements not yet given */
    int64_t index[FAL_MAX_RANK];
} io_packer;

io_packer io_pack_begin(const fal_tensor *t);
/* Up to `capacity` bytes of the next whole elements; returns how many bytes, 0 at the end. */
size_t io_pack_next(io_packer *packer, void *out, size_t capacity);
/* Writes all elements to a file. */
fal_status io_pack_write(const fal_tensor *t, io_file *file, fal_error *error);

#endif
