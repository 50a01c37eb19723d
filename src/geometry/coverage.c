/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage.c: how many taps meet how many cells.
 *
 * Coverage shows checkerboards and gaps before anything is computed; the command draws it, fold()'s
 * overlap counts equal it, and counts.c sums it. Both operators are one picture: a "short" index a and
 * a tap t land on the "long" axis at
 *
 *     a*s + t*d - begin            convolution: a output, long axis input
 *                                  transposed:  a input,  long axis output
 *
 * so that two questions are enough: how many taps of one a land inside, and how many pairs land on
 * one place. Neither walks the taps.
 */
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"

/* Taps t in 0..k-1 with low <= t*d < high. */
static int64_t taps_between(int64_t k, int64_t d, int64_t low, int64_t high)
{
    int64_t first = fal__max(fal__ceil_div(low, d), 0), past = fal__min(fal__ceil_div(high, d), k);
    return fal__max(past - first, 0);
}

/* The taps of short index a that land in 0..size-1. */
static int64_t taps_inside(const fal_axis *axis, int64_t a, int64_t size)
{
    int64_t zero = axis->begin - a * axis->stride; /* t*d that lands on place 0 */
    return taps_between(axis->kernel, axis->dilation, zero, zero + size);
}

/* The inverse of d modulo m, for coprime d and m >= 1: extended Euclid. */
static int64_t inverse(int64_t d, int64_t m)
{
    int64_t r0 = m, r1 = d % m, x0 = 0, x1 = 1;
    while (r1 != 0) {
        int64_t q = r0 / r1, r = r0 - q * r1, x = x0 - q * x1;
        r0 = r1;
        r1 = r;
        x0 = x1;
        x1 = x;
    }
    return fal__floor_mod(x0, m);
}

/* The pairs (a, t), 0 <= a < count, with a*s + t*d = place + begin. Divided by g = gcd(s, d) the taps are
 * those of one residue modulo s/g, and a in range bounds t*d to an interval. */
static int64_t pairs_at(const fal_axis *axis, int64_t place, int64_t count)
{
    int64_t s = axis->stride, d = axis->dilation, sum = place + axis->begin, g = fal__gcd(s, d);
    if (sum < 0 || count == 0 || sum % g != 0) return 0;
    int64_t period = s / g;
    fal__int128 residue = (fal__int128)(sum / g % period) * inverse(d / g, period) % period;
    int64_t low, high = fal__min(sum / d, axis->kernel - 1), reach;
    low = fal__mul(count - 1, s, &reach) && sum > reach ? fal__ceil_div(sum - reach, d) : 0;
    /* t = residue + period*j in low..high */
    int64_t first = fal__ceil_div(low - (int64_t)residue, period);
    int64_t last = fal__floor_div(high - (int64_t)residue, period);
    return fal__max(last - first + 1, 0);
}

/* Resolves the output of a copy of the axis, so that index arithmetic on it cannot overflow. */
static fal_status resolved(const fal_axis *axis, bool transposed, const int64_t *counts, fal_axis *out,
                           fal_error *error)
{
    if (axis == NULL) return fal__fail(error, FAL_E_NULL, "axis", "axis is NULL");
    *out = *axis;
    FAL__TRY(transposed ? fal_conv_transpose_size(out, error) : fal_conv_size(out, error));
    return counts == NULL ? fal__fail(error, FAL_E_NULL, "counts", "counts is NULL") : FAL_OK;
}

fal_status fal_coverage_outputs(const fal_axis *axis, bool transposed, int64_t *counts, fal_error *error)
{
    fal_axis a;
    FAL__TRY(resolved(axis, transposed, counts, &a, error));
    for (int64_t o = 0; o < a.output; o++)
        counts[o] = transposed ? pairs_at(&a, o, a.input) : taps_inside(&a, o, a.input);
    return FAL_OK;
}

fal_status fal_coverage_inputs(const fal_axis *axis, bool transposed, int64_t *counts, fal_error *error)
{
    fal_axis a;
    FAL__TRY(resolved(axis, transposed, counts, &a, error));
    for (int64_t i = 0; i < a.input; i++)
        counts[i] = transposed ? taps_inside(&a, i, a.output) : pairs_at(&a, i, a.output);
    return FAL_OK;
}

/* sum over j = 0..n-1 of floor((step*j + start) / d), numbers not negative, d > 0: the whole points under
 * a line. Steep and high parts are summed at once; what remains is a flat line, whose points are counted
 * along the other axis with step and d swapped, as Euclid's algorithm does. O(log d). */
static fal__int128 floor_sum(fal__int128 n, fal__int128 step, fal__int128 start, fal__int128 d)
{
    fal__int128 sum = 0;
    for (;;) {
        sum += n * (n - 1) / 2 * (step / d) + n * (start / d);
        step %= d;
        start %= d;
        fal__int128 top = step * n + start;
        if (top < d) return sum;
        n = top / d;
        start = top % d;
        fal__int128 old = d;
        d = step;
        step = old;
    }
}

/* The pairs (a, t), 0 <= a < n, t a tap, with a*s + t*d < limit. Short index a has
 * ceil((limit - a*s)/d) of them, but all k while a is small and none when it is large:
 *
 *     taps  k |=========.            `full` indices have all
 *             |          '.         then the line falls by s/d an index
 *           0 |____________'.____
 *             0      full   some     a
 */
static fal__int128 pairs_below(const fal_axis *axis, int64_t n, int64_t limit)
{
    int64_t s = axis->stride, d = axis->dilation, k = axis->kernel;
    if (n <= 0 || limit <= 0) return 0;
    int64_t some = fal__min(n, fal__ceil_div(limit, s));
    int64_t full = fal__min(some, fal__max(fal__ceil_div(limit - d * (k - 1), s), 0));
    /* From the last index backwards the line rises. */
    fal__int128 start = (fal__int128)limit - (fal__int128)(some - 1) * s + d - 1;
    return (fal__int128)full * k + floor_sum(some - full, s, start, d);
}

fal_status fal__axis_products(const fal_axis *axis, bool transposed, int64_t *count, fal_error *error)
{
    fal_axis a;
    FAL__TRY(resolved(axis, transposed, count, &a, error));
    int64_t n = transposed ? a.input : a.output, size = transposed ? a.output : a.input;
    fal__int128 products = size == 0 ? 0 : pairs_below(&a, n, a.begin + size) - pairs_below(&a, n, a.begin);
    if (products > INT64_MAX)
        return fal__fail(error, FAL_E_OVERFLOW, "axis", "the number of products overflows 64 bits");
    *count = (int64_t)products;
    return FAL_OK;
}
