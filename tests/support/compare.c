/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare.c: equal, equal in bits, or within the computed bound.
 *
 * The bound is that of a sum in any order, with or without fused multiply-add: with n products and
 * a bias at most n+1 roundings touch a term, so |error| <= gamma(n+1) * (sum |x||w| + |bias|) with
 * gamma(k) = k*u / (1 - k*u). A constant tolerance would either fail by bad luck or hide an error.
 */
#include "support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void report(const fal_tensor *t, const int64_t *index, double actual, double expected,
                   const char *repro)
{
    fprintf(stderr, "%s\n  at [", repro);
    for (int32_t a = 0; a < t->rank; a++) fprintf(stderr, "%s%" PRId64, a ? "," : "", index[a]);
    fprintf(stderr, "]: %.17g, expected %.17g\n", actual, expected);
}

static bool same_shape(const fal_tensor *a, const fal_tensor *b, const char *repro)
{
    bool same = a->rank == b->rank;
    for (int32_t i = 0; same && i < a->rank; i++) same = a->shape[i] == b->shape[i];
    if (!same) fprintf(stderr, "%s\n  shapes differ\n", repro);
    return same;
}

static bool equal_numbers(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool test_equal(const fal_tensor *actual, const fal_tensor *expected, const char *repro)
{
    if (!same_shape(actual, expected, repro)) return false;
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(actual) > 0; more; more = test_next(actual, index)) {
        double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        if (equal_numbers(a, e)) continue;
        report(actual, index, a, e, repro);
        return false;
    }
    return true;
}

static const unsigned char *element(const fal_tensor *t, const int64_t *index)
{
    int64_t offset = 0;
    for (int32_t a = 0; a < t->rank; a++) offset += index[a] * t->strides[a];
    return (const unsigned char *)t->data + offset * (int64_t)fal_dtype_bytes(t->dtype);
}

bool test_same_bits(const fal_tensor *actual, const fal_tensor *expected, const char *repro)
{
    if (!same_shape(actual, expected, repro)) return false;
    size_t size = fal_dtype_bytes(actual->dtype);
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(actual) > 0; more; more = test_next(actual, index)) {
        if (memcmp(element(actual, index), element(expected, index), size) == 0) continue;
        report(actual, index, fal_tensor_get(actual, index), fal_tensor_get(expected, index), repro);
        return false;
    }
    return true;
}

/* Unit roundoff of the arithmetic, and of the type that the sum is rounded to in the end. */
static double unit(fal_dtype dtype)
{
    return dtype == FAL_F64 ? 0x1p-53 : 0x1p-24;
}
static double output_unit(fal_dtype dtype)
{
    return dtype == FAL_F16 ? 0x1p-11 : dtype == FAL_BF16 ? 0x1p-8 : 0;
}

bool test_within_bound(const fal_tensor *actual, const fal_tensor *expected, const fal_tensor *gauge,
                       const fal_tensor *terms, const char *repro)
{
    if (!same_shape(actual, expected, repro)) return false;
    double u = unit(actual->dtype), narrow = output_unit(actual->dtype);
    double least = actual->dtype == FAL_F64 ? 0x1p-1074 : actual->dtype == FAL_F16 ? 0x1p-25 : 0x1p-149;
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(actual) > 0; more; more = test_next(actual, index)) {
        double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        double k = (double)(fal_tensor_get_int(terms, index) + 1);
        /* The reference in f64 has an error of its own; twice the bound covers it. In narrower
         * types it is far smaller than the allowance of 2^-20. */
        double slack = actual->dtype == FAL_F64 ? 2 : 1 + 0x1p-20;
        double bound = slack * k * u / (1 - k * u) * fal_tensor_get(gauge, index) + k * least;
        bound = 2 * narrow * fabs(e) + (1 + narrow) * bound;
        if (fabs(a - e) <= bound) continue;
        report(actual, index, a, e, repro);
        fprintf(stderr, "  bound %.3g\n", bound);
        return false;
    }
    return true;
}
