/* SPDX-License-Identifier: BSD-3-Clause */
/* separable_terms.c: see separable_terms.h. */
#include "solvers/parts/separable_terms.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"

/* Kernels of such whole numbers are left to sums that are exact on whole numbers. */
static const double SMALL = 1024;

bool fal__separable_shape(const fal__problem *p)
{
    const fal__problem_axis *a = p->axis;
    return (p->dtype == FAL_F32 || p->dtype == FAL_F64) && p->y_dtype == p->dtype &&
           p->w_role == FAL__ROLE_W && p->ic == 1 && p->oc == 1 && p->groups > 0 && a[0].k == 1 &&
           a[1].k > 1 && a[2].k > 1 && a[1].k <= FAL__SEPARABLE_TAPS && a[2].k <= FAL__SEPARABLE_TAPS;
}

static double weight(const fal__problem *p, const void *w, int64_t g, int64_t i, int64_t j)
{
    const int64_t at = p->w_base + g * p->w_g + i * p->axis[1].ws + j * p->axis[2].ws;
    return p->dtype == FAL_F32 ? (double)((const float *)w)[at] : ((const double *)w)[at];
}

/* What terms r < t->rank leave of an element, and the sum of their sizes. */
static double rest(const fal__terms *t, double value, int64_t i, int64_t j, double *gauge)
{
    *gauge = 0;
    for (int32_t r = 0; r < t->rank; r++) {
        const double product = t->u[r][i] * t->v[r][j];
        value -= product;
        *gauge += fabs(product);
    }
    return value;
}

/* One more term, through the largest rest. True when nothing was left before it. */
static bool add_term(const fal__problem *p, const void *w, int64_t g, double unit, fal__terms *t)
{
    double largest = 0, gauge;
    bool done = true;
    int64_t row = 0, column = 0;
    for (int64_t i = 0; i < p->axis[1].k; i++)
        for (int64_t j = 0; j < p->axis[2].k; j++) {
            const double left = fabs(rest(t, weight(p, w, g, i, j), i, j, &gauge));
            done &= left <= 8 * unit * gauge;
            if (!(left > largest)) continue;
            largest = left;
            row = i;
            column = j;
        }
    if (done || t->rank == FAL__RANK_MAX) return done;
    const double pivot = rest(t, weight(p, w, g, row, column), row, column, &gauge);
    double *u = t->u[t->rank], *v = t->v[t->rank];
    for (int64_t i = 0; i < p->axis[1].k; i++)
        u[i] = rest(t, weight(p, w, g, i, column), i, column, &gauge) / pivot;
    for (int64_t j = 0; j < p->axis[2].k; j++) v[j] = rest(t, weight(p, w, g, row, j), row, j, &gauge);
    t->rank++;
    return false;
}

/* The least power of two that makes every element a whole number of at most `limit`; 0 when there is none. */
static double whole_scale(const fal__problem *p, const void *w, int64_t g, double limit)
{
    for (double scale = 1; scale <= 0x1p40; scale *= 2) {
        bool whole = true;
        for (int64_t i = 0; i < p->axis[1].k && whole; i++)
            for (int64_t j = 0; j < p->axis[2].k && whole; j++) {
                const double value = scale * weight(p, w, g, i, j);
                whole = fabs(value) <= limit && value == rint(value);
            }
        if (whole) return scale;
    }
    return 0;
}

/* A term of whole numbers anew: the column divided by its common divisor, the row to match. By the lemma of
 * Gauss the row is whole, too. */
static void make_whole(const fal__problem *p, const void *w, int64_t g, double scale, fal__terms *t)
{
    int64_t row = 0, column = 0, divisor = 0;
    for (int64_t i = 0; i < p->axis[1].k; i++)
        if (fabs(t->u[0][i]) == 1) row = i;
    for (int64_t j = 0; j < p->axis[2].k; j++)
        if (t->v[0][j] != 0) column = j;
    for (int64_t i = 0; i < p->axis[1].k; i++) {
        const int64_t value = (int64_t)fabs(scale * weight(p, w, g, i, column));
        if (value != 0) divisor = divisor == 0 ? value : fal__gcd(divisor, value);
    }
    for (int64_t i = 0; i < p->axis[1].k; i++)
        t->u[0][i] = scale * weight(p, w, g, i, column) / (double)divisor;
    for (int64_t j = 0; j < p->axis[2].k; j++) t->v[0][j] = weight(p, w, g, row, j) / t->u[0][row];
}

static bool all_finite(const fal__problem *p, const void *w, int64_t g)
{
    for (int64_t i = 0; i < p->axis[1].k; i++)
        for (int64_t j = 0; j < p->axis[2].k; j++)
            if (!isfinite(weight(p, w, g, i, j))) return false;
    return true;
}

bool fal__terms_find(const fal__problem *p, const void *w, int64_t g, fal__terms *terms)
{
    const double unit = p->dtype == FAL_F32 ? 0x1p-24 : 0x1p-53;
    memset(terms, 0, sizeof *terms);
    if (!all_finite(p, w, g)) return false;
    bool done = false;
    while (!done && terms->rank < FAL__RANK_MAX) done = add_term(p, w, g, unit, terms);
    if (!done && !add_term(p, w, g, unit, terms)) return false;
    if (terms->rank > 1) {
        const double taps = (double)(p->axis[1].k + p->axis[2].k) * terms->rank;
        return taps < 0.7 * (double)(p->axis[1].k * p->axis[2].k) && whole_scale(p, w, g, SMALL) == 0;
    }
    const double scale = whole_scale(p, w, g, 0x1p24);
    if (terms->rank == 1 && scale != 0) make_whole(p, w, g, scale, terms);
    return true;
}

bool fal__kernels_alike(const fal__problem *p, const void *w)
{
    for (int64_t g = 1; g < p->groups; g++)
        for (int64_t i = 0; i < p->axis[1].k; i++)
            for (int64_t j = 0; j < p->axis[2].k; j++)
                if (weight(p, w, g, i, j) != weight(p, w, 0, i, j)) return false;
    return true;
}

int32_t fal__kernel_rank(const fal__problem *p, const void *w)
{
    fal__terms terms;
    int32_t rank = 0;
    if (!fal__separable_shape(p) || w == NULL) return 0;
    for (int64_t g = 0; g < p->groups; g++) {
        if (!fal__terms_find(p, w, g, &terms)) return 0;
        if (terms.rank > rank) rank = terms.rank;
    }
    return rank;
}
