/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npy_header.h: the header of an .npy array, read and written.
 *
 *     \x93NUMPY  major minor  length (2 or 4 bytes)  {'descr': '<f4', 'fortran_order': False, ...}
 *
 * The text is a Python literal, but only the one form that describes an array is understood, by a
 * parser without recursion; nothing is ever evaluated. Used for .npy files and for .npz members.
 */
#ifndef IO_NPY_HEADER_H
#define IO_NPY_HEADER_H

#include "io/source.h"

typedef struct io_npy_header {
    char descr[32]; /* as the file says: "<f4" */
    fal_dtype dtype;
    bool swap;    /* the elements have the other byte order than this machine */
    bool boolean; /* elements must be 0 or 1 */
    bool fortran;
    int32_t rank;
    int64_t shape[FAL_MAX_RANK];
    uint64_t count; /* elements; both are set by io_npy_resolve */
    uint64_t bytes;
} io_npy_header;

/* Reads magic, version and header text: all but dtype, swap, boolean, count and bytes. */
fal_status io_npy_read_header(io_source *source, const io_limits *limits, io_npy_header *header,
                              fal_error *error);
/* Derives the rest from descr and shape; refuses what the command cannot hold. `void_dtype` is what
 * 2-byte void elements are, or FAL_DTYPE_NONE. */
fal_status io_npy_resolve(io_npy_header *header, fal_dtype void_dtype, const io_place *place,
                          fal_error *error);

enum { IO_NPY_HEADER_BYTES = 512 }; /* more than the header of any tensor of rank 12 needs */
/* The header that NumPy would write for a row-major little-endian array. Returns its length. */
size_t io_npy_format_header(const fal_tensor *t, unsigned char out[IO_NPY_HEADER_BYTES]);

#endif
