/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random.c: counter-based random numbers and the fills of tensors.
 *
 * The generator is the finaliser of SplitMix64 applied to seed and counter: no state, so a value
 * depends on its place alone and not on strides, order or threads. Used by every test with data.
 */
#include "support.h"

#include <math.h>

uint64_t test_random(uint64_t seed, uint64_t counter)
{
    uint64_t z = seed * 0xD1342543DE82EF95u + (counter + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

int64_t test_draw(test_stream *stream, int64_t low, int64_t high)
{
    return low + (int64_t)(test_random(stream->seed, stream->counter++) % (uint64_t)(high - low + 1));
}

bool test_chance(test_stream *stream, int64_t one_in)
{
    return test_draw(stream, 1, one_in) == 1;
}

int64_t test_pick(test_stream *stream, const int64_t *values, int64_t count)
{
    return values[test_draw(stream, 0, count - 1)];
}

bool test_next(const fal_tensor *t, int64_t *index)
{
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        if (++index[a] < t->shape[a]) return true;
        index[a] = 0;
    }
    return false;
}

static bool is_unsigned(fal_dtype dtype)
{
    return dtype == FAL_U8;
}

static double small_integer(fal_dtype dtype, uint64_t bits)
{
    if ((bits >> 32) % 4 == 0) return 0;
    double reach = dtype == FAL_F16 ? 2 : 8;
    if (is_unsigned(dtype)) return (double)(bits % 9);
    return (double)(bits % (uint64_t)(2 * reach + 1)) - reach;
}

static double special(fal_dtype dtype, uint64_t bits)
{
    switch ((bits >> 40) % 24) {
    case 0: return NAN;
    case 1: return INFINITY;
    case 2: return -INFINITY;
    case 3: return -0.0;
    default: return small_integer(dtype, bits);
    }
}

/* The value of element `i` of `count`. */
static double fill_value(test_fill fill, fal_dtype dtype, uint64_t seed, int64_t i, int64_t count)
{
    uint64_t bits = test_random(seed, (uint64_t)i);
    double uniform = (double)(bits >> 11) * 0x1p-53;
    switch (fill) {
    case TEST_INT: return small_integer(dtype, bits);
    case TEST_INT1: return is_unsigned(dtype) ? (double)(bits % 2) : (double)(bits % 3) - 1;
    case TEST_ONEHOT: return (uint64_t)i == seed % (uint64_t)count;
    case TEST_IDX: return (double)i;
    case TEST_REAL: return 2 * uniform - 1;
    case TEST_POS: return 0.1 + 0.9 * uniform;
    case TEST_WIDE: return (bits & 1 ? 1 : -1) * ldexp(1, (int)((bits >> 20) % 61) - 30);
    case TEST_SPECIAL: return special(dtype, bits);
    case TEST_ZERO: return 0;
    case TEST_NAN: return fal_dtype_is_integer(dtype) ? -INFINITY : (double)NAN;
    }
    return 0;
}

void test_fill_tensor(const fal_tensor *t, test_fill fill, uint64_t seed)
{
    int64_t count = fal_tensor_count(t), index[FAL_MAX_RANK] = {0};
    for (int64_t i = 0; i < count; i++) {
        fal_tensor_set(t, index, fill_value(fill, t->dtype, seed, i, count));
        test_next(t, index);
    }
}
