/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_move.tmpl.h: between strided tensors and patches whose lanes are channels.
 *
 * Parameters: those of lanes.tmpl.h, which is included before. Gives gather() and scatter() of
 * kernels/depthwise.h. Channels that are neighbours in memory are copied as vectors. Where positions are
 * neighbours, four positions of all channels are turned at a time:
 *
 *     channels 0 4 8 12   a0 a1 a2 a3 | e0 e1 e2 e3 | ...          a0 b0 c0 d0 | e0 f0 ...  position 0
 *     channels 1 5 9 13   b0 b1 b2 b3 | f0 f1 f2 f3 | ...   <->    a1 b1 c1 d1 | e1 f1 ...  position 1
 *     channels 2 6 ..     c0 c1 c2 c3 | ...                        a2 b2 c2 d2 | ...        position 2
 *     channels 3 7 ..     d0 d1 d2 d3 | ...                        a3 b3 c3 d3 | ...        position 3
 *
 * Quarters of 128 bits are loaded to where they belong, so that two rounds of shuffles within the
 * quarters are all that remains.
 */
static void gather_any(const LANES_TYPE *x, int64_t step, int64_t channel_step, int64_t from, int64_t count,
                       int64_t channels, LANES_TYPE *patch)
{
    for (int64_t i = from; i < count; i++) {
        int64_t c = 0;
        for (; c < channels; c++) patch[i * LANES + c] = x[i * step + c * channel_step];
        for (; c < LANES; c++) patch[i * LANES + c] = 0;
    }
}

static void scatter_any(const LANES_TYPE *patch, int64_t step, int64_t channel_step, int64_t from,
                        int64_t count, int64_t channels, LANES_TYPE beta, const fal__activation *activation,
                        LANES_TYPE *y)
{
    for (int64_t i = from; i < count; i++) {
        LANES_TYPE row[LANES];
        for (int c = 0; c < LANES; c++) row[c] = 0;
        for (int64_t c = 0; beta != 0 && c < channels; c++) row[c] = y[i * step + c * channel_step];
        lanes_vector v = lanes_load(patch + i * LANES);
        if (beta != 0) v += beta * lanes_load(row);
        if (activation != NULL) v = lanes_activate(v, activation);
        lanes_store(row, v);
        for (int64_t c = 0; c < channels; c++) y[i * step + c * channel_step] = row[c];
    }
}

#if defined(__AVX512F__) && defined(DEPTHWISE_TURNS)
/* In each quarter: element j of vector i becomes element i of vector j. */
static FAL__ALWAYS_INLINE void turn(__m512 v[4])
{
    const __m512d ab0 = _mm512_castps_pd(_mm512_unpacklo_ps(v[0], v[1])),
                  ab2 = _mm512_castps_pd(_mm512_unpackhi_ps(v[0], v[1])),
                  cd0 = _mm512_castps_pd(_mm512_unpacklo_ps(v[2], v[3])),
                  cd2 = _mm512_castps_pd(_mm512_unpackhi_ps(v[2], v[3]));
    v[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab0, cd0));
    v[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab0, cd0));
    v[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab2, cd2));
    v[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab2, cd2));
}

static FAL__ALWAYS_INLINE __m128 load_quarter(const float *x, const bool whole, __mmask8 mask)
{
    return whole ? _mm_loadu_ps(x) : _mm_maskz_loadu_ps(mask, x);
}

/* Up to four positions of 16 channels. */
static FAL__ALWAYS_INLINE void gather_four(const float *x, int64_t channel_step, float *patch,
                                           const bool whole, int count)
{
    const __mmask8 mask = (__mmask8)((1 << count) - 1);
    __m512 v[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const float *at = x + i * channel_step;
        v[i] = _mm512_castps128_ps512(load_quarter(at, whole, mask));
        v[i] = _mm512_insertf32x4(v[i], load_quarter(at + 4 * channel_step, whole, mask), 1);
        v[i] = _mm512_insertf32x4(v[i], load_quarter(at + 8 * channel_step, whole, mask), 2);
        v[i] = _mm512_insertf32x4(v[i], load_quarter(at + 12 * channel_step, whole, mask), 3);
    }
    turn(v);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        if (whole || i < count) _mm512_storeu_ps(patch + i * LANES, v[i]);
}

/* Four elements at every position or at every second one, where `mask` has bits. */
static FAL__ALWAYS_INLINE void store_quarter(float *y, __m128 quarter, __mmask8 mask, const bool whole,
                                             const int step)
{
    if (step == 2) {
        const __m256i twice = _mm256_set_epi32(3, 3, 2, 2, 1, 1, 0, 0);
        _mm256_mask_storeu_ps(y, mask, _mm256_permutevar8x32_ps(_mm256_castps128_ps256(quarter), twice));
    } else if (whole) {
        _mm_storeu_ps(y, quarter);
    } else {
        /* Extraction to memory under a mask is one instruction, but one that faults on what it masks. */
        FAL__IN_REGISTER(quarter);
        _mm_mask_storeu_ps(y, mask, quarter);
    }
}

static FAL__ALWAYS_INLINE void scatter_four(const float *patch, int64_t channel_step, float *y,
                                            const bool whole, int count, const int step)
{
    const __mmask8 mask = (__mmask8)(((1 << step * count) - 1) & (step == 2 ? 0x55 : 0xFF));
    __m512 v[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        v[i] = whole || i < count ? _mm512_loadu_ps(patch + i * LANES) : _mm512_setzero_ps();
    turn(v);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const __m128 quarters[4] = {_mm512_castps512_ps128(v[i]), _mm512_extractf32x4_ps(v[i], 1),
                                    _mm512_extractf32x4_ps(v[i], 2), _mm512_extractf32x4_ps(v[i], 3)};
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            store_quarter(y + (i + 4 * j) * channel_step, quarters[j], mask, whole, step);
    }
}

/* How many positions were moved. */
static int64_t gather_turned(const float *x, int64_t channel_step, int64_t count, float *patch)
{
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) gather_four(x + i, channel_step, patch + i * LANES, true, 4);
    if (i < count) gather_four(x + i, channel_step, patch + i * LANES, false, (int)(count - i));
    return count;
}

static FAL__ALWAYS_INLINE int64_t scatter_all(const float *patch, int64_t channel_step, int64_t count,
                                              float *y, const int step)
{
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) scatter_four(patch + i * LANES, channel_step, y + i * step, true, 4, step);
    if (i < count) scatter_four(patch + i * LANES, channel_step, y + i * step, false, (int)(count - i), step);
    return count;
}

/* Steps of 2 are what a transposed layer of stride 2 writes. */
static int64_t scatter_turned(const float *patch, int64_t step, int64_t channel_step, int64_t count, float *y)
{
    if (step == 1) return scatter_all(patch, channel_step, count, y, 1);
    return step == 2 ? scatter_all(patch, channel_step, count, y, 2) : 0;
}
#else
static int64_t gather_turned(const LANES_TYPE *x, int64_t channel_step, int64_t count, LANES_TYPE *patch)
{
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int c = 0; c < LANES; c++)
            for (int j = 0; j < 4; j++) patch[(i + j) * LANES + c] = x[i + j + c * channel_step];
    return i;
}

static int64_t scatter_turned(const LANES_TYPE *patch, int64_t step, int64_t channel_step, int64_t count,
                              LANES_TYPE *y)
{
    int64_t i = 0;
    for (; step == 1 && i + 4 <= count; i += 4)
        for (int c = 0; c < LANES; c++)
            for (int j = 0; j < 4; j++) y[i + j + c * channel_step] = patch[(i + j) * LANES + c];
    return i;
}
#endif

static void gather(const void *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   void *patch)
{
    int64_t done = 0;
    if (channel_step == 1)
        for (; done < count; done++)
            lanes_store((LANES_TYPE *)patch + done * LANES,
                        lanes_load_first((const LANES_TYPE *)x + done * step, (int)channels));
    else if (step == 1 && channels == LANES)
        done = gather_turned(x, channel_step, count, patch);
    gather_any(x, step, channel_step, done, count, channels, patch);
}

static void scatter(const void *patch, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                    double beta, const fal__activation *activation, void *y)
{
    int64_t done = 0;
    if (beta == 0 && activation == NULL) {
        if (channel_step == 1)
            for (; done < count; done++)
                lanes_store_first((LANES_TYPE *)y + done * step,
                                  lanes_load((const LANES_TYPE *)patch + done * LANES), (int)channels);
        else if (channels == LANES)
            done = scatter_turned(patch, step, channel_step, count, y);
    }
    scatter_any(patch, step, channel_step, done, count, channels, (LANES_TYPE)beta, activation, y);
}
