/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arithmetic.c: what the algebraic properties need of tensors besides convolution.
 *
 * Element by element through fal_tensor_get and in double, which holds every sum of the tests'
 * small integers exactly. Used by tests/properties.
 */
#include "support.h"

test_tensor test_made(fal_dtype dtype, int32_t rank, const int64_t *shape, test_fill fill, uint64_t seed)
{
    test_tensor made = test_tensor_new(dtype, rank, shape, 0);
    test_fill_tensor(&made.t, fill, seed);
    return made;
}

test_tensor test_sum(double p, const fal_tensor *a, double q, const fal_tensor *b)
{
    test_tensor sum = test_tensor_new(a->dtype, a->rank, a->shape, 0);
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(a) > 0; more; more = test_next(a, index))
        fal_tensor_set(&sum.t, index, p * fal_tensor_get(a, index) + q * fal_tensor_get(b, index));
    return sum;
}

double test_dot(const fal_tensor *a, const fal_tensor *b)
{
    double sum = 0;
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(a) > 0; more; more = test_next(a, index))
        sum += fal_tensor_get(a, index) * fal_tensor_get(b, index);
    return sum;
}

void test_index(const fal_tensor *t, int64_t i, int64_t *index)
{
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        index[a] = i % t->shape[a];
        i /= t->shape[a];
    }
}
