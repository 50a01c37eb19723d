/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_kernels.tmpl.h: the functions of pool_kernels.h for one element type; parameters in
 * each_type.tmpl.h. Every fold has one body, inlined once for neighbours in memory and once for any
 * step; it takes GROUP cells at a time, a count that the compiler knows and turns into vectors.
 */

/* ---- maximum ---- */

static void T(start_max)(fal__lanes *lanes)
{
    for (int j = 0; j < FAL__LANES; j++) BEST_OF(lanes)[j] = LEAST;
    for (int j = 0; j < FAL__LANES; j++) lanes->index[j] = -1;
}

/* Two selections: the first is one instruction, the second a branch that is never taken in vain. */
static FAL__ALWAYS_INLINE VALUE T(greater)(VALUE best, VALUE v)
{
    const VALUE greatest = v > best ? v : best;
    return IS_NAN(v) ? v : greatest;
}

static FAL__ALWAYS_INLINE void T(max_body)(VALUE *restrict best, const ELEMENT *restrict x, int64_t step,
                                           int32_t count)
{
    int32_t j = 0;
    for (; j + GROUP <= count; j += GROUP)
        for (int k = 0; k < GROUP; k++) best[j + k] = T(greater)(best[j + k], LOAD(x[(j + k) * step]));
    for (; j < count; j++) best[j] = T(greater)(best[j], LOAD(x[j * step]));
}

static void T(max)(fal__lanes *lanes, const fal__meeting *run)
{
    VALUE *best = BEST_OF(lanes) + run->first;
    if (run->step == 1)
        T(max_body)(best, run->x, 1, run->count);
    else
        T(max_body)(best, run->x, run->step, run->count);
}

/* The first cell is taken even when it is no more than the least value. Which lane takes is as good as
 * random, hence a mask and no branch. */
static FAL__ALWAYS_INLINE void T(max_index_one)(VALUE *best, int64_t *index, VALUE v, int64_t place)
{
    const int64_t take = -(int64_t)((v > *best) | IS_NAN(v) | (*index < 0));
    *best = T(greater)(*best, v);
    *index = (place & take) | (*index & ~take);
}

static FAL__ALWAYS_INLINE void T(max_index_body)(VALUE *restrict best, int64_t *restrict index,
                                                 const fal__meeting *run, int64_t step)
{
    const ELEMENT *restrict x = run->x;
    for (int32_t j = 0; j < run->count; j++)
        T(max_index_one)(best + j, index + j, LOAD(x[j * step]), run->index + j * run->index_step);
}

static void T(max_index)(fal__lanes *lanes, const fal__meeting *run)
{
    VALUE *best = BEST_OF(lanes) + run->first;
    if (run->step == 1)
        T(max_index_body)(best, lanes->index + run->first, run, 1);
    else
        T(max_index_body)(best, lanes->index + run->first, run, run->step);
}

static void T(finish_max)(const fal__lanes *lanes, int32_t count, void *y_, int64_t step)
{
    ELEMENT *y = y_;
    for (int32_t j = 0; j < count; j++) y[j * step] = KEEP(BEST_OF(lanes)[j]);
}

/* ---- average ---- */

static void T(start_sum)(fal__lanes *lanes)
{
    for (int j = 0; j < FAL__LANES; j++) SUM_OF(lanes)[j] = 0;
    for (int j = 0; j < FAL__LANES; j++) lanes->index[j] = -1;
}

static FAL__ALWAYS_INLINE void T(sum_body)(SUM *restrict sum, const ELEMENT *restrict x, int64_t step,
                                           int32_t count)
{
    int32_t j = 0;
    for (; j + GROUP <= count; j += GROUP)
        for (int k = 0; k < GROUP; k++) sum[j + k] += (SUM)LOAD(x[(j + k) * step]);
    for (; j < count; j++) sum[j] += (SUM)LOAD(x[j * step]);
}

static void T(sum)(fal__lanes *lanes, const fal__meeting *run)
{
    SUM *sum = SUM_OF(lanes) + run->first;
    if (run->step == 1)
        T(sum_body)(sum, run->x, 1, run->count);
    else
        T(sum_body)(sum, run->x, run->step, run->count);
}

static bool T(finish_average)(const fal__lanes *lanes, int32_t count, void *y_, int64_t step)
{
    ELEMENT *y = y_;
    bool fits = true;
    for (int32_t j = 0; j < count; j++) {
        const SUM divisor = (SUM)lanes->divisor[j];
        y[j * step] = ROUND(divisor == 0 ? 0 : SUM_OF(lanes)[j] / divisor);
    }
    return fits;
}

#if FLOATING
/* ---- norms ---- */

static FAL__ALWAYS_INLINE void T(norm_1_body)(double *restrict sum, const ELEMENT *restrict x, int64_t step,
                                              int32_t count)
{
    int32_t j = 0;
    for (; j + GROUP <= count; j += GROUP)
        for (int k = 0; k < GROUP; k++) sum[j + k] += fabs((double)LOAD(x[(j + k) * step]));
    for (; j < count; j++) sum[j] += fabs((double)LOAD(x[j * step]));
}

static void T(norm_1)(fal__lanes *lanes, const fal__meeting *run)
{
    if (run->step == 1)
        T(norm_1_body)(lanes->sum.f64 + run->first, run->x, 1, run->count);
    else
        T(norm_1_body)(lanes->sum.f64 + run->first, run->x, run->step, run->count);
}

static FAL__ALWAYS_INLINE double T(square)(ELEMENT e)
{
    const double v = (double)LOAD(e);
    return v * v;
}

static FAL__ALWAYS_INLINE void T(norm_2_body)(double *restrict sum, const ELEMENT *restrict x, int64_t step,
                                              int32_t count)
{
    int32_t j = 0;
    for (; j + GROUP <= count; j += GROUP)
        for (int k = 0; k < GROUP; k++) sum[j + k] += T(square)(x[(j + k) * step]);
    for (; j < count; j++) sum[j] += T(square)(x[j * step]);
}

static void T(norm_2)(fal__lanes *lanes, const fal__meeting *run)
{
    if (run->step == 1)
        T(norm_2_body)(lanes->sum.f64 + run->first, run->x, 1, run->count);
    else
        T(norm_2_body)(lanes->sum.f64 + run->first, run->x, run->step, run->count);
}

static void T(norm)(fal__lanes *lanes, const fal__meeting *run)
{
    double *sum = lanes->sum.f64 + run->first;
    const ELEMENT *x = run->x;
    for (int32_t j = 0; j < run->count; j++)
        sum[j] += pow(fabs((double)LOAD(x[j * run->step])) / lanes->scale, lanes->norm);
}

static void T(largest)(fal__lanes *lanes, const fal__meeting *run)
{
    double *best = lanes->sum.f64 + run->first;
    int64_t *index = lanes->index + run->first;
    const ELEMENT *x = run->x;
    for (int32_t j = 0; j < run->count; j++) {
        const double v = (double)LOAD(x[j * run->step]);
        if (!(fabs(v) > fabs(best[j]) || IS_NAN(v) || index[j] < 0)) continue;
        best[j] = v;
        index[j] = run->index + j * run->index_step;
    }
}

static void T(finish_norm)(const fal__lanes *lanes, int32_t count, void *y_, int64_t step)
{
    ELEMENT *y = y_;
    for (int32_t j = 0; j < count; j++) y[j * step] = ROUND(lanes->sum.f64[j]);
}

static void T(spread_norm)(fal__lanes *lanes, const fal__meeting *run)
{
    const double *norm = lanes->sum.f64 + run->first, *share = lanes->share.f64 + run->first;
    double *sums = (double *)lanes->sums + run->index;
    const ELEMENT *x = run->x;
    for (int32_t j = 0; j < run->count; j++) {
        const double v = (double)LOAD(x[j * run->step]);
        if (v == 0 || norm[j] == 0) continue;
        const double ratio = fabs(v) / norm[j];
        const double part = share[j] * (lanes->norm == 2 ? ratio : pow(ratio, lanes->norm - 1));
        sums[j * run->index_step] += v < 0 ? -part : part;
    }
}
#endif

static const fal__pool_kernels T(kernels) = {
    .start_max = T(start_max),
    .max = T(max),
    .max_index = T(max_index),
    .finish_max = T(finish_max),
    .start_sum = T(start_sum),
    .sum = T(sum),
    .finish_average = T(finish_average),
#if FLOATING
    .norm_1 = T(norm_1),
    .norm_2 = T(norm_2),
    .norm = T(norm),
    .largest = T(largest),
    .finish_norm = T(finish_norm),
    .spread_norm = T(spread_norm),
#endif
};
