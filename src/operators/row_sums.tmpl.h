/* SPDX-License-Identifier: BSD-3-Clause */
/* row_sums.tmpl.h: the functions of row_sums.h for one element type; parameters in each_type.tmpl.h. */

static FAL__ALWAYS_INLINE void T(add_run)(WIDE *sums, int64_t to, const ELEMENT *x, int64_t step,
                                          int64_t count)
{
    for (int64_t j = 0; j < count; j++) sums[j * to] += (WIDE)LOAD(x[j * step]);
}

static void T(add)(void *sums, int64_t to, const void *x, int64_t step, int64_t count)
{
    if (step == 1 && to == 1)
        T(add_run)(sums, 1, x, 1, count);
    else
        T(add_run)(sums, to, x, step, count);
}

static bool T(store)(const void *sums_, int64_t from, void *y_, int64_t step, int64_t count)
{
    const WIDE *sums = sums_;
    ELEMENT *y = y_;
    bool fits = true;
    for (int64_t j = 0; j < count; j++) y[j * step] = ROUND(sums[j * from]);
    return fits;
}

#if FLOATING
static FAL__ALWAYS_INLINE void T(add_scaled_run)(double *sums, const ELEMENT *x, int64_t step, int64_t count,
                                                 double weight)
{
    for (int64_t j = 0; j < count; j++) sums[j] += weight * (double)LOAD(x[j * step]);
}

static void T(add_scaled)(void *sums, const void *x, int64_t step, int64_t count, double weight)
{
    if (step == 1)
        T(add_scaled_run)(sums, x, 1, count, weight);
    else
        T(add_scaled_run)(sums, x, step, count, weight);
}

static const fal__row_sums T(row_sums) = {sizeof(WIDE), T(add), T(add_scaled), T(store)};
#else
static const fal__row_sums T(row_sums) = {sizeof(WIDE), T(add), NULL, T(store)};
#endif
