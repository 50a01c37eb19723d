/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * windows.tmpl.h: the maxima of kernels/windows.h for one floating type, and what its means use, too.
 *
 * Parameters: those of lanes.tmpl.h, included before, and LANES_INDEX, the integer as wide as an element.
 *
 * Each function walks a run in blocks of CHAINS vectors of results, so that as many folds are in flight: a
 * comparison or an addition takes four cycles. pick() brings the cells of one tap to the lanes:
 *
 *     step 1    one load
 *     step 2    two loads that overlap in one cell, so that neither reads beyond the last window:
 *               x   0 1 2 3 4 5 6      a = 0 1 2 3, b = 3 4 5 6      0 2 of a, 4 6 of b
 *     other     cell by cell
 */

enum { CHAINS = 4 };

typedef FAL__VECTOR(LANES_INDEX, FAL__VECTOR_BYTES) lanes_index;

/* Where vector v of a block begins, whose last one begins at `last`. */
#define LANE_OF(v) ((v) == chains - 1 ? last : (v) * (int64_t)LANES)

/* Elements 0, 2, ... of a, then elements 1, 3, ... of b. */
static FAL__ALWAYS_INLINE lanes_vector every_second(lanes_vector a, lanes_vector b)
{
#if defined(__AVX512F__)
    if (sizeof(LANES_TYPE) == 4) {
        const __m512i places = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
        return (lanes_vector)_mm512_permutex2var_ps((__m512)a, places, (__m512)b);
    }
    const __m512i places = _mm512_setr_epi64(0, 2, 4, 6, 9, 11, 13, 15);
    return (lanes_vector)_mm512_permutex2var_pd((__m512d)a, places, (__m512d)b);
#elif defined(__AVX2__)
    const __m256d pairs = sizeof(LANES_TYPE) == 4
                              ? (__m256d)_mm256_shuffle_ps((__m256)a, (__m256)b, _MM_SHUFFLE(3, 1, 2, 0))
                              : _mm256_shuffle_pd((__m256d)a, (__m256d)b, 10);
    return (lanes_vector)_mm256_permute4x64_pd(pairs, _MM_SHUFFLE(3, 1, 2, 0));
#elif defined(__SSE2__)
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm_shuffle_ps((__m128)a, (__m128)b, _MM_SHUFFLE(3, 1, 2, 0));
    return (lanes_vector)_mm_shuffle_pd((__m128d)a, (__m128d)b, 2);
#else
    lanes_vector v = a;
    for (int i = 0; i < LANES; i++) v[i] = 2 * i < LANES ? a[2 * i] : b[2 * i - LANES + 1];
    return v;
#endif
}

/* The cells p[0], p[step], ... of the first n lanes. */
static FAL__ALWAYS_INLINE lanes_vector pick(const LANES_TYPE *p, int n, int64_t step)
{
    if (step == 1) return n == LANES ? lanes_load(p) : lanes_load_first(p, n);
    if (step == 2) {
        if (n == LANES) return every_second(lanes_load(p), lanes_load(p + LANES - 1));
        const int cells = 2 * n - 1, rest = cells - (LANES - 1);
        return every_second(lanes_load_first(p, cells < LANES ? cells : LANES),
                            lanes_load_first(p + (rest > 0 ? LANES - 1 : 0), rest > 0 ? rest : 0));
    }
    lanes_vector v = {0};
    for (int i = 0; i < LANES; i++)
        if (i < n) v[i] = p[i * step];
    return v;
}

/* Which lanes of v replace those of best? */
#if defined(__AVX512F__)
typedef __mmask16 lanes_taken;

static FAL__ALWAYS_INLINE lanes_taken greater(lanes_vector best, lanes_vector v)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_taken)(_mm512_cmp_ps_mask((__m512)v, (__m512)best, _CMP_GT_OQ) |
                             _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q));
    return (lanes_taken)(_mm512_cmp_pd_mask((__m512d)v, (__m512d)best, _CMP_GT_OQ) |
                         _mm512_cmp_pd_mask((__m512d)v, (__m512d)v, _CMP_UNORD_Q));
}

static FAL__ALWAYS_INLINE lanes_vector take(lanes_vector best, lanes_vector v, lanes_taken taken)
{
    if (sizeof(LANES_TYPE) == 4) return (lanes_vector)_mm512_mask_mov_ps((__m512)best, taken, (__m512)v);
    return (lanes_vector)_mm512_mask_mov_pd((__m512d)best, (__mmask8)taken, (__m512d)v);
}

static FAL__ALWAYS_INLINE lanes_index take_index(lanes_index best, LANES_INDEX v, lanes_taken taken)
{
    if (sizeof(LANES_TYPE) == 4) return (lanes_index)_mm512_mask_set1_epi32((__m512i)best, taken, (int32_t)v);
    return (lanes_index)_mm512_mask_set1_epi64((__m512i)best, (__mmask8)taken, (int64_t)v);
}

/* The maximum instruction gives its second operand where they are equal or one is NaN. */
static FAL__ALWAYS_INLINE lanes_vector fold(lanes_vector best, lanes_vector v)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_mask_mov_ps(_mm512_max_ps((__m512)v, (__m512)best),
                                                _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q),
                                                (__m512)v);
    return (lanes_vector)_mm512_mask_mov_pd(_mm512_max_pd((__m512d)v, (__m512d)best),
                                            _mm512_cmp_pd_mask((__m512d)v, (__m512d)v, _CMP_UNORD_Q),
                                            (__m512d)v);
}
#else
typedef lanes_index lanes_taken;

static FAL__ALWAYS_INLINE lanes_taken greater(lanes_vector best, lanes_vector v)
{
    return (lanes_taken)((v > best) | (v != v));
}

static FAL__ALWAYS_INLINE lanes_index take_index(lanes_index best, LANES_INDEX v, lanes_taken taken)
{
    return (v & taken) | (best & ~taken);
}

static FAL__ALWAYS_INLINE lanes_vector take(lanes_vector best, lanes_vector v, lanes_taken taken)
{
    return (lanes_vector)(((lanes_index)v & taken) | ((lanes_index)best & ~taken));
}

static FAL__ALWAYS_INLINE lanes_vector fold(lanes_vector best, lanes_vector v)
{
    return take(best, v, greater(best, v));
}
#endif

/* ---- The greatest cell ---- */

/* `chains` vectors of results, side by side but for the last, which begins at lane `last`; x is the first tap
 * of the first. n < LANES: one vector of so many lanes. */
static FAL__ALWAYS_INLINE void max_block(const fal__window_run *run, const LANES_TYPE *x, LANES_TYPE *y,
                                         const int chains, int64_t last, int n, const int64_t step)
{
    lanes_vector best[CHAINS];
    FAL__UNROLL(4)
    for (int v = 0; v < chains; v++) best[v] = pick(x + LANE_OF(v) * step, n, step);
    for (int64_t a = 0; a < run->taps[0]; a++)
        for (int64_t b = 0; b < run->taps[1]; b++) {
            const LANES_TYPE *row = x + a * run->tap_step[0] + b * run->tap_step[1];
            for (int64_t c = a + b == 0; c < run->taps[2]; c++) {
                const LANES_TYPE *cell = row + c * run->tap_step[2];
                FAL__UNROLL(4)
                for (int v = 0; v < chains; v++)
                    best[v] = fold(best[v], pick(cell + LANE_OF(v) * step, n, step));
            }
        }
    FAL__UNROLL(4)
    for (int v = 0; v < chains; v++)
        if (n == LANES)
            lanes_store(y + LANE_OF(v), best[v]);
        else
            lanes_store_first(y, best[v], n);
}

/* The last vector of a row goes back to be a whole one: what is made twice is the same. */
static FAL__ALWAYS_INLINE void max_row(const fal__window_run *run, const LANES_TYPE *x, LANES_TYPE *y,
                                       const int64_t step)
{
    if (run->lanes < LANES) {
        max_block(run, x, y, 1, 0, (int)run->lanes, step);
        return;
    }
    for (int64_t j = 0; j < run->lanes; j += CHAINS * LANES) {
        const int64_t rest = run->lanes - j, last = rest - LANES;
        if (rest > 3 * LANES)
            max_block(run, x + j * step, y + j, 4, last < 3 * LANES ? last : 3 * LANES, LANES, step);
        else if (rest > 2 * LANES)
            max_block(run, x + j * step, y + j, 3, last, LANES, step);
        else if (rest > LANES)
            max_block(run, x + j * step, y + j, 2, last, LANES, step);
        else
            max_block(run, x + j * step, y + j, 1, last, LANES, step);
    }
}

static FAL__ALWAYS_INLINE void max_rows(const fal__window_run *run, const int64_t step)
{
    for (int64_t p = 0; p < run->places; p++)
        max_row(run, (const LANES_TYPE *)run->x + p * run->x_place, (LANES_TYPE *)run->y + p * run->y_place,
                step);
}

static void max(const fal__window_run *run)
{
    if (run->step == 1)
        max_rows(run, 1);
    else if (run->step == 2)
        max_rows(run, 2);
    else
        max_rows(run, run->step);
}

/* ---- The greatest cell and its index ---- */

static FAL__ALWAYS_INLINE void max_index_block(const fal__window_run *run, const fal__window_indices *f,
                                               const LANES_TYPE *x, LANES_TYPE *y, int64_t *to, int64_t first,
                                               int n, const int64_t step)
{
    lanes_vector best = pick(x, n, step);
    lanes_index index = {0};
    for (int64_t a = 0; a < run->taps[0]; a++)
        for (int64_t b = 0; b < run->taps[1]; b++)
            for (int64_t c = a + b == 0; c < run->taps[2]; c++) {
                const lanes_vector v =
                    pick(x + a * run->tap_step[0] + b * run->tap_step[1] + c * run->tap_step[2], n, step);
                const lanes_taken taken = greater(best, v);
                index =
                    take_index(index, (LANES_INDEX)(a * f->tap[0] + b * f->tap[1] + c * f->tap[2]), taken);
                best = take(best, v, taken);
            }
    lanes_store_first(y, best, n);
    for (int i = 0; i < n; i++) to[i * f->to_lane] = first + i * f->lane + index[i];
}

static FAL__ALWAYS_INLINE void max_index_rows(const fal__window_run *run, const fal__window_indices *f,
                                              const int64_t step)
{
    for (int64_t p = 0; p < run->places; p++)
        for (int64_t j = 0; j < run->lanes; j += LANES) {
            const int n = run->lanes - j < LANES ? (int)(run->lanes - j) : LANES;
            max_index_block(run, f, (const LANES_TYPE *)run->x + p * run->x_place + j * step,
                            (LANES_TYPE *)run->y + p * run->y_place + j,
                            f->to + p * f->to_place + j * f->to_lane, f->first + p * f->place + j * f->lane,
                            n, step);
        }
}

static void max_index(const fal__window_run *run, const fal__window_indices *indices)
{
    if (run->step == 1)
        max_index_rows(run, indices, 1);
    else if (run->step == 2)
        max_index_rows(run, indices, 2);
    else
        max_index_rows(run, indices, run->step);
}
