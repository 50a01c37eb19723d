/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * windows_mean.tmpl.h: the means of kernels/windows.h for one floating type.
 *
 * Parameters: those of windows.tmpl.h, included before. Sums are double; a vector of cells becomes two of
 * them when its type is float.
 */

/* A sum takes two registers for each vector of double: the row's and the window's. */
#if defined(__AVX512F__)
enum { SUM_CHAINS = 4 };
#else
enum { SUM_CHAINS = 2 };
#endif

/* ---- The mean ---- */

/* A vector of results takes PARTS vectors of double, a part of it each. */
enum { WIDE = FAL__VECTOR_BYTES / sizeof(double), PARTS = LANES / WIDE };
typedef FAL__VECTOR(double, FAL__VECTOR_BYTES) lanes_wide;
typedef FAL__VECTOR(LANES_TYPE, sizeof(LANES_TYPE) * WIDE) lanes_part;

typedef union lanes_parts {
    lanes_vector all;
    lanes_part part[PARTS];
} lanes_parts;

static FAL__ALWAYS_INLINE lanes_wide widen(lanes_part v)
{
#if defined(__AVX512F__)
    if (sizeof(LANES_TYPE) == 4) return (lanes_wide)_mm512_cvtps_pd(*(const __m256 *)(const void *)&v);
#elif defined(__AVX2__)
    if (sizeof(LANES_TYPE) == 4) return (lanes_wide)_mm256_cvtps_pd(*(const __m128 *)(const void *)&v);
#endif
    return FAL__CONVERT(v, lanes_wide);
}

/* The cells of one tap, as double. */
static FAL__ALWAYS_INLINE lanes_wide wide_cells(const LANES_TYPE *p, int part, int n, int64_t step)
{
    if (step == 1 && n == LANES) return widen(*(const lanes_part *)(p + part * WIDE));
    const lanes_parts v = {.all = pick(p, n, step)};
    return widen(v.part[part]);
}

/* A divisor, its inverse, and whether a product with that is the quotient to the bit. */
typedef struct divisor {
    double value, inverse;
    bool exact;
} divisor;

static divisor divisor_of(double value)
{
    int exponent;
    return (divisor){value, 1 / value, frexp(value, &exponent) == 0.5};
}

/* sum / by->value, rounded once. Where the sum is one of floats, far from the ends of double's range, a
 * product q with the inverse is put right by its rest (Markstein 1990):
 *
 *     r = sum - q*d  (exact, one fused multiply-add),   q + r/d is the rounded quotient
 *
 * unless q is no number or infinite. */
static FAL__ALWAYS_INLINE lanes_wide quotient(lanes_wide sum, const divisor *by)
{
    if (by->exact) return sum * by->inverse;
#if defined(__AVX512F__)
    if (sizeof(LANES_TYPE) == 4) {
        const __m512d d = _mm512_set1_pd(by->value), inverse = _mm512_set1_pd(by->inverse);
        const __m512d q = _mm512_mul_pd((__m512d)sum, inverse), r = _mm512_fnmadd_pd(q, d, (__m512d)sum);
        const __mmask8 number = _mm512_cmp_pd_mask(r, r, _CMP_ORD_Q);
        return (lanes_wide)_mm512_mask3_fmadd_pd(r, inverse, q, number);
    }
#endif
    return sum / by->value;
}

/* Whole vectors go to memory part by part: joined on the way they would wait for each other. */
static FAL__ALWAYS_INLINE void store_mean(const lanes_wide *sum, const divisor *by, LANES_TYPE *y, int n)
{
    lanes_parts v;
    FAL__UNROLL(2)
    for (int i = 0; i < PARTS; i++) {
        const lanes_part part = FAL__CONVERT(quotient(sum[i], by), lanes_part);
        if (n == LANES)
            *(lanes_part *)(y + i * WIDE) = part;
        else
            v.part[i] = part;
    }
    if (n != LANES) lanes_store_first(y, v.all, n);
}

static FAL__ALWAYS_INLINE void store_sums(const lanes_wide *sum, double *y, int n)
{
    FAL__UNROLL(2)
    for (int i = 0; i < PARTS; i++)
        if (n == LANES)
            *(lanes_wide *)(y + i * WIDE) = sum[i];
        else
            for (int k = 0; k < WIDE; k++)
                if (i * WIDE + k < n) y[i * WIDE + k] = sum[i][k];
}

/* Sums of vectors that lie as in max_block; each is its row's and joins the others' at the row's end. */
static FAL__ALWAYS_INLINE void sum_block(const fal__window_run *run, const LANES_TYPE *x,
                                         lanes_wide sum[CHAINS][PARTS], const int chains, int64_t last, int n,
                                         const int64_t step)
{
    lanes_wide row[CHAINS][PARTS];
    FAL__UNROLL(4)
    for (int v = 0; v < chains; v++) FAL__UNROLL(2)
    for (int i = 0; i < PARTS; i++) sum[v][i] = (lanes_wide){0};
    for (int64_t a = 0; a < run->taps[0]; a++)
        for (int64_t b = 0; b < run->taps[1]; b++) {
            const LANES_TYPE *cell = x + a * run->tap_step[0] + b * run->tap_step[1];
            FAL__UNROLL(4)
            for (int v = 0; v < chains; v++) FAL__UNROLL(2)
            for (int i = 0; i < PARTS; i++) row[v][i] = wide_cells(cell + LANE_OF(v) * step, i, n, step);
            for (int64_t c = 1; c < run->taps[2]; c++) {
                cell += run->tap_step[2];
                FAL__UNROLL(4)
                for (int v = 0; v < chains; v++) FAL__UNROLL(2)
                for (int i = 0; i < PARTS; i++) row[v][i] += wide_cells(cell + LANE_OF(v) * step, i, n, step);
            }
            FAL__UNROLL(4)
            for (int v = 0; v < chains; v++) FAL__UNROLL(2)
            for (int i = 0; i < PARTS; i++) sum[v][i] += row[v][i];
        }
}

/* by NULL: y is double and receives the sums. j: the lane of the first vector. */
static FAL__ALWAYS_INLINE void mean_block(const fal__window_run *run, const LANES_TYPE *x, void *y, int64_t j,
                                          const divisor *by, const int chains, int64_t last, int n,
                                          const int64_t step)
{
    lanes_wide sum[CHAINS][PARTS];
    sum_block(run, x + j * step, sum, chains, last, n, step);
    FAL__UNROLL(4)
    for (int v = 0; v < chains; v++)
        if (by != NULL)
            store_mean(sum[v], by, (LANES_TYPE *)y + j + LANE_OF(v), n);
        else
            store_sums(sum[v], (double *)y + j + LANE_OF(v), n);
}

static FAL__ALWAYS_INLINE void mean_row(const fal__window_run *run, const LANES_TYPE *x, void *y,
                                        const divisor *by, const int64_t step)
{
    if (run->lanes < LANES) {
        mean_block(run, x, y, 0, by, 1, 0, (int)run->lanes, step);
        return;
    }
    for (int64_t j = 0; j < run->lanes; j += SUM_CHAINS * LANES) {
        const int64_t rest = run->lanes - j, last = rest - LANES;
        if (SUM_CHAINS == 4 && rest > 3 * LANES)
            mean_block(run, x, y, j, by, 4, last < 3 * LANES ? last : 3 * LANES, LANES, step);
        else if (SUM_CHAINS == 4 && rest > 2 * LANES)
            mean_block(run, x, y, j, by, 3, last, LANES, step);
        else if (rest > LANES)
            mean_block(run, x, y, j, by, 2, last < LANES ? last : LANES, LANES, step);
        else
            mean_block(run, x, y, j, by, 1, last, LANES, step);
    }
}

static FAL__ALWAYS_INLINE void mean_rows(const fal__window_run *run, const divisor *by, const int64_t step)
{
    const int64_t bytes = by != NULL ? (int64_t)sizeof(LANES_TYPE) : (int64_t)sizeof(double);
    for (int64_t p = 0; p < run->places; p++)
        mean_row(run, (const LANES_TYPE *)run->x + p * run->x_place,
                 (char *)run->y + p * run->y_place * bytes, by, step);
}

static FAL__ALWAYS_INLINE void mean_steps(const fal__window_run *run, const divisor *by)
{
    if (run->step == 1)
        mean_rows(run, by, 1);
    else if (run->step == 2)
        mean_rows(run, by, 2);
    else
        mean_rows(run, by, run->step);
}

static void mean(const fal__window_run *run, double value)
{
    const divisor by = divisor_of(value);
    mean_steps(run, &by);
}

static void row_sums(const fal__window_run *run)
{
    mean_steps(run, NULL);
}

/* ---- The mean of sums of rows ---- */

static FAL__ALWAYS_INLINE void mean_sums_block(const fal__window_run *run, const double *x, LANES_TYPE *y,
                                               const divisor *by, int n)
{
    lanes_wide sum[PARTS] = {{0}};
    for (int64_t a = 0; a < run->taps[0]; a++)
        for (int64_t b = 0; b < run->taps[1]; b++) {
            const double *row = x + a * run->tap_step[0] + b * run->tap_step[1];
            FAL__UNROLL(2)
            for (int i = 0; i < PARTS; i++)
                if (n == LANES)
                    sum[i] += *(const lanes_wide *)(row + i * WIDE);
                else
                    for (int k = 0; k < WIDE; k++)
                        if (i * WIDE + k < n) sum[i][k] += row[i * WIDE + k];
        }
    store_mean(sum, by, y, n);
}

static void mean_of_sums(const fal__window_run *run, double value)
{
    const divisor by = divisor_of(value);
    const int64_t lanes = run->lanes;
    for (int64_t p = 0; p < run->places; p++) {
        const double *x = (const double *)run->x + p * run->x_place;
        LANES_TYPE *y = (LANES_TYPE *)run->y + p * run->y_place;
        int64_t j = 0;
        for (; j + LANES <= lanes; j += LANES) mean_sums_block(run, x + j, y + j, &by, LANES);
        if (j < lanes && lanes >= LANES)
            mean_sums_block(run, x + lanes - LANES, y + lanes - LANES, &by, LANES);
        else if (j < lanes)
            mean_sums_block(run, x, y, &by, (int)lanes);
    }
}
