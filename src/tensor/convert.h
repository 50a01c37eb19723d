/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * convert.h: rows of elements, moved and converted. Used inside tensor/ only.
 *
 * A row is a run of elements a fixed stride apart. Copying, filling and padding are loops over rows;
 * only here are elements touched.
 */
#ifndef FAL_TENSOR_CONVERT_H
#define FAL_TENSOR_CONVERT_H

#include "faltung.h"

/* The element at `data` and those `stride` elements apart. */
typedef struct fal__row {
    void *data;
    fal_dtype dtype;
    int64_t stride;
} fal__row;

/* dst[i] = src[i] for 0 <= i < count, converted as fal_tensor_copy says. The rows do not overlap,
 * except that src may be one element repeated (stride 0). */
void fal__convert_row(fal__row src, fal__row dst, int64_t count);

#endif
