/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * safetensors_header.h: the header of a .safetensors file, parsed and proved.
 *
 *     8 bytes: N   N bytes: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}   data
 *
 * Proved means: every tensor's bytes are exactly its shape times its type, and together the tensors
 * cover the data without hole, overlap or rest, so that the file means one thing only.
 */
#ifndef IO_SAFETENSORS_HEADER_H
#define IO_SAFETENSORS_HEADER_H

#include <jansson.h>

#include "io/safetensors.h"

typedef struct io_st_tensor {
    const char *name; /* inside the tree */
    const io_safetensors_type *type;
    int32_t rank;
    int64_t shape[FAL_MAX_RANK];
    uint64_t begin, end; /* within the data */
    size_t index;        /* in the header's order */
} io_st_tensor;

typedef struct io_st_header {
    json_t *tree;
    io_st_tensor *tensors; /* in the header's order */
    size_t count;
    uint64_t data; /* file offset of the data */
} io_st_header;

/* Reads from the start of a source of known size. */
fal_status io_st_header_read(io_source *source, const io_limits *limits, io_st_header *out, fal_error *error);
void io_st_header_free(io_st_header *header);

#endif
