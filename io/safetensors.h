/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * safetensors.h: the element types of .safetensors, shared by its reader and writer.
 */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "io/formats.h"

typedef struct io_safetensors_type {
    const char *name;
    fal_dtype dtype; /* FAL_DTYPE_NONE: known, but the command has no such type */
    uint32_t bits;
} io_safetensors_type;

/* In the order by which the format's own writer sorts: by alignment. The last row has no name. */
extern const io_safetensors_type io_safetensors_types[];

#endif
