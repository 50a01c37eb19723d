/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tensors.c: test tensors with random strides in guarded memory.
 *
 * Strides are made from the fastest axis outward: the axes take a random order, each axis steps
 * over what lies inside it plus a random gap, and some run backwards. Every byte that belongs to
 * no element holds TEST_ROGUE and must still hold it when the test ends.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Fills strides for a random order of axes with gaps; returns the number of elements spanned and
 * sets *low to the offset of the lowest one (0 or negative). */
static int64_t random_strides(fal_tensor *t, test_stream *stream, int64_t *low)
{
    int32_t order[FAL_MAX_RANK];
    for (int32_t a = 0; a < t->rank; a++) {
        int32_t j = (int32_t)test_draw(stream, 0, a);
        order[a] = order[j];
        order[j] = a;
    }
    int64_t span = 1, gap = test_draw(stream, 1, 3);
    *low = 0;
    for (int32_t a = 0; a < t->rank; a++) {
        int64_t size = t->shape[order[a]], step = a == 0 ? gap : span + test_draw(stream, 0, 3);
        bool backwards = test_chance(stream, 4);
        t->strides[order[a]] = backwards ? -step : step;
        if (size < 1) continue;
        if (backwards) *low -= (size - 1) * step;
        span += (size - 1) * step;
    }
    return span;
}

test_tensor test_tensor_new(fal_dtype dtype, int32_t rank, const int64_t *shape, uint64_t seed)
{
    test_tensor made = {.t = fal_tensor_of(NULL, dtype, rank, shape)};
    test_stream stream = {seed, 0};
    int64_t span = fal_tensor_count(&made.t);
    test_side side = TEST_AT_END;
    if (seed != 0) {
        int64_t strided = random_strides(&made.t, &stream, &made.low);
        if (span > 0) span = strided;
        side = test_chance(&stream, 2) ? TEST_AT_START : TEST_AT_END;
    }
    size_t size = fal_dtype_bytes(dtype);
    made.guard = test_guard_new((size_t)span * size, size, side);
    made.t.data = made.guard.data - made.low * (int64_t)size;
    return made;
}

test_tensor test_tensor_copy(const fal_tensor *t, fal_dtype dtype)
{
    test_tensor copy = test_tensor_new(dtype, t->rank, t->shape, 0);
    if (fal_tensor_copy(t, &copy.t, NULL) != FAL_OK) abort();
    return copy;
}

bool test_tensor_gaps_intact(const test_tensor *tensor)
{
    const fal_tensor *t = &tensor->t;
    size_t size = fal_dtype_bytes(t->dtype), span = tensor->guard.bytes / size;
    unsigned char *is_element = calloc(span + 1, 1);
    if (is_element == NULL) abort();
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index)) {
        int64_t offset = -tensor->low;
        for (int32_t a = 0; a < t->rank; a++) offset += index[a] * t->strides[a];
        is_element[offset] = 1;
    }
    bool intact = test_guard_intact(&tensor->guard);
    for (size_t i = 0; i < span * size; i++)
        if (!is_element[i / size] && tensor->guard.data[i] != TEST_ROGUE) intact = false;
    free(is_element);
    return intact;
}

uint64_t test_tensor_hash(const test_tensor *tensor)
{
    uint64_t hash = 0xCBF29CE484222325u; /* FNV-1a */
    for (size_t i = 0; i < tensor->guard.bytes; i++) hash = (hash ^ tensor->guard.data[i]) * 0x100000001B3u;
    return hash;
}

void test_tensor_free(test_tensor *tensor)
{
    test_guard_free(&tensor->guard);
    *tensor = (test_tensor){0};
}
