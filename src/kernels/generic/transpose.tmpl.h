/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * transpose.tmpl.h: see kernels/transpose.h. Parameter: LANES_TYPE; needs lanes.tmpl.h.
 *
 * A block of LANES x LANES elements turns over in log2(LANES) rounds. A round interleaves vector i with
 * vector i + LANES/2, which moves the highest bit of the vector's number to the lowest of the lane's and
 * every other bit up by one; after all rounds number and lane have changed places.
 *
 *     a = a0 a1 a2 a3                          low  = a0 b0 a1 b1
 *     b = b0 b1 b2 b3     -- interleave -->    high = a2 b2 a3 b3
 */
#if defined(__AVX512F__)
static FAL__ALWAYS_INLINE lanes_vector lanes_low(lanes_vector a, lanes_vector b)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_permutex2var_ps(
            (__m512)a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), (__m512)b);
    return (lanes_vector)_mm512_permutex2var_pd((__m512d)a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
                                                (__m512d)b);
}

static FAL__ALWAYS_INLINE lanes_vector lanes_high(lanes_vector a, lanes_vector b)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_permutex2var_ps(
            (__m512)a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
            (__m512)b);
    return (lanes_vector)_mm512_permutex2var_pd((__m512d)a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15),
                                                (__m512d)b);
}
#elif defined(__AVX2__)
/* Unpacking works within the halves of a vector: of its two results, the lower halves or the upper ones. */
static FAL__ALWAYS_INLINE lanes_vector lanes_interleaved(lanes_vector a, lanes_vector b, bool upper)
{
    if (sizeof(LANES_TYPE) == 4) {
        const __m256 low = _mm256_unpacklo_ps((__m256)a, (__m256)b);
        const __m256 high = _mm256_unpackhi_ps((__m256)a, (__m256)b);
        return (lanes_vector)(upper ? _mm256_permute2f128_ps(low, high, 0x31)
                                    : _mm256_permute2f128_ps(low, high, 0x20));
    }
    const __m256d low = _mm256_unpacklo_pd((__m256d)a, (__m256d)b);
    const __m256d high = _mm256_unpackhi_pd((__m256d)a, (__m256d)b);
    return (lanes_vector)(upper ? _mm256_permute2f128_pd(low, high, 0x31)
                                : _mm256_permute2f128_pd(low, high, 0x20));
}

static FAL__ALWAYS_INLINE lanes_vector lanes_low(lanes_vector a, lanes_vector b)
{
    return lanes_interleaved(a, b, false);
}

static FAL__ALWAYS_INLINE lanes_vector lanes_high(lanes_vector a, lanes_vector b)
{
    return lanes_interleaved(a, b, true);
}
#else
static FAL__ALWAYS_INLINE lanes_vector lanes_low(lanes_vector a, lanes_vector b)
{
    lanes_vector v;
    for (int i = 0; i < LANES; i++) v[i] = i % 2 ? b[i / 2] : a[i / 2];
    return v;
}

static FAL__ALWAYS_INLINE lanes_vector lanes_high(lanes_vector a, lanes_vector b)
{
    lanes_vector v;
    for (int i = 0; i < LANES; i++) v[i] = i % 2 ? b[LANES / 2 + i / 2] : a[LANES / 2 + i / 2];
    return v;
}
#endif

/* v[i][j] becomes v[j][i]. */
static FAL__ALWAYS_INLINE void lanes_turn_over(lanes_vector v[LANES])
{
    FAL__UNROLL(4)
    for (int round = 1; round < LANES; round *= 2) {
        lanes_vector turned[LANES];
        FAL__UNROLL(8)
        for (int i = 0; i < LANES / 2; i++) {
            turned[2 * i] = lanes_low(v[i], v[i + LANES / 2]);
            turned[2 * i + 1] = lanes_high(v[i], v[i + LANES / 2]);
        }
        FAL__UNROLL(16)
        for (int i = 0; i < LANES; i++) v[i] = turned[i];
    }
}

/* Where element r of a column goes: the row of its tap and channel, counted on from one to the next. */
typedef struct place {
    int64_t tap, channel;
} place;

static FAL__ALWAYS_INLINE LANES_TYPE *next_row(const fal__transpose *t, place *at)
{
    LANES_TYPE *row = (LANES_TYPE *)t->to + (at->tap * t->channels + at->channel) * t->width;
    if (++at->tap == t->taps) {
        at->tap = 0;
        at->channel++;
    }
    return row;
}

/* A block: `height` elements of `columns` columns, to column j of the panel's rows. */
static FAL__ALWAYS_INLINE void transpose_block(const fal__transpose *t, const LANES_TYPE *from, int32_t j,
                                               int height, int columns, place *at)
{
    lanes_vector v[LANES];
    FAL__UNROLL(16)
    for (int i = 0; i < LANES; i++) {
        const LANES_TYPE *column = from + (i < columns ? i : 0) * t->step;
        v[i] = height == LANES ? lanes_load(column) : lanes_load_first(column, height);
    }
    lanes_turn_over(v);
    FAL__UNROLL(16)
    for (int i = 0; i < LANES; i++)
        if (i < height) {
            LANES_TYPE *row = next_row(t, at) + j;
            if (columns == LANES)
                lanes_store(row, v[i]);
            else
                lanes_store_first(row, v[i], columns);
        }
}

/* `columns` columns from j on, all of their elements. */
static FAL__ALWAYS_INLINE void transpose_columns(const fal__transpose *t, int32_t j, int columns)
{
    const LANES_TYPE *from = (const LANES_TYPE *)t->from + j * t->step;
    const int64_t rows = t->channels * t->taps;
    place at = {0, 0};
    int64_t r = 0;
    for (; r + LANES <= rows; r += LANES) transpose_block(t, from + r, j, LANES, columns, &at);
    if (r < rows) transpose_block(t, from + r, j, (int)(rows - r), columns, &at);
}

static void transpose(const fal__transpose *t)
{
    int32_t j = 0;
    for (; j + LANES <= t->length; j += LANES) transpose_columns(t, j, LANES);
    if (j < t->length) transpose_columns(t, j, (int)(t->length - j));
}
