/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * windows.h: random window problems and plain matrices for the unit tests of the lowerings.
 */
#ifndef FAL_TESTS_UNIT_WINDOWS_H
#define FAL_TESTS_UNIT_WINDOWS_H

#include "support/support.h"

/* A random convolution whose parameters also serve unfold and fold: kernel and spatial are set. */
static inline test_problem random_windows(uint64_t seed)
{
    test_problem p = test_problem_random(seed);
    for (uint64_t next = 1; p.transposed; next++) p = test_problem_random(seed + next * 1000003);
    p.seed = seed;
    p.params.beta = 0;
    p.params.spatial = p.spatial;
    for (int32_t a = 0; a < p.spatial; a++) p.params.kernel[a] = p.k[a];
    return p;
}

static inline int64_t product_of(const int64_t *sizes, int32_t count)
{
    int64_t all = 1;
    for (int32_t a = 0; a < count; a++) all *= sizes[a];
    return all;
}

/* A rows x columns matrix over memory, element (i, j) at data[i*row + j*column]. */
static inline fal_tensor matrix_at(const fal_tensor *memory, int64_t offset, int64_t rows, int64_t row,
                                   int64_t columns, int64_t column)
{
    fal_tensor m = {.data = (char *)memory->data + offset * (int64_t)fal_dtype_bytes(memory->dtype),
                    .dtype = memory->dtype,
                    .rank = 2,
                    .shape = {rows, columns},
                    .strides = {row, column}};
    return m;
}

static inline fal_tensor transposed(const fal_tensor *m)
{
    return (fal_tensor){.data = m->data,
                        .dtype = m->dtype,
                        .rank = 2,
                        .flags = m->flags,
                        .shape = {m->shape[1], m->shape[0]},
                        .strides = {m->strides[1], m->strides[0]}};
}

#endif
