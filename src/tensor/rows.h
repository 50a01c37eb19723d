/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rows.h: rows of elements of one type, moved without a look at them.
 *
 * What unfold, padding and up-sampling do most. A row may be as short as a few elements, so that a call
 * of the C library for each would cost more than the bytes.
 */
#ifndef FAL_TENSOR_ROWS_H
#define FAL_TENSOR_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* to[i*to_step] = from[i*from_step] for 0 <= i < count, elements of 1, 2, 4 or 8 bytes, steps in elements
 * of either sign. The rows do not overlap; from_step 0 repeats one element. */
void fal__move_row(void *to, int64_t to_step, const void *from, int64_t from_step, int64_t count,
                   size_t bytes);

#endif
