/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes.tmpl.h: vectors of one floating type, of which only the first lanes may be in memory.
 *
 * Parameter: LANES_TYPE (float or double). A kernel written with these has no scalar tails: the last
 * vector of a row is loaded and stored in part, at the speed of a whole one where the level has masks
 * (AVX-512; AVX2 for loads and stores), and nothing beyond element n-1 is touched.
 *
 *     lanes_load(p)            lanes_load_first(p, n)         the other lanes are 0
 *     lanes_store(p, v)        lanes_store_first(p, v, n)     0 <= n <= LANES
 *     lanes_set(s)             all lanes s
 *     lanes_activate(v, f)     fal__activation; f may be NULL
 *
 * Used by the kernels of this folder that read tensors where they lie.
 */
#if defined(__AVX2__)
#include <immintrin.h>
#endif

enum { LANES = FAL__VECTOR_BYTES / sizeof(LANES_TYPE) };
typedef FAL__VECTOR(LANES_TYPE, FAL__VECTOR_BYTES) lanes_vector;

static FAL__ALWAYS_INLINE lanes_vector lanes_load(const LANES_TYPE *p)
{
    return *(const lanes_vector *)p;
}

static FAL__ALWAYS_INLINE void lanes_store(LANES_TYPE *p, lanes_vector v)
{
    *(lanes_vector *)p = v;
}

static FAL__ALWAYS_INLINE lanes_vector lanes_set(LANES_TYPE s)
{
    return s - (lanes_vector){0};
}

#if defined(__AVX512F__)
static FAL__ALWAYS_INLINE lanes_vector lanes_load_first(const LANES_TYPE *p, int n)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), (const void *)p);
    return (lanes_vector)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), (const void *)p);
}

static FAL__ALWAYS_INLINE void lanes_store_first(LANES_TYPE *p, lanes_vector v, int n)
{
    if (sizeof(LANES_TYPE) == 4)
        _mm512_mask_storeu_ps((void *)p, (__mmask16)((1u << n) - 1), (__m512)v);
    else
        _mm512_mask_storeu_pd((void *)p, (__mmask8)((1u << n) - 1), (__m512d)v);
}
#elif defined(__AVX2__)
/* Lane i of the mask is all ones when i < n: a window over ones and zeros. */
static FAL__ALWAYS_INLINE __m256i lanes_mask(int n)
{
    static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    const int words = (int)sizeof(LANES_TYPE) / 4;
    return _mm256_loadu_si256((const void *)(window + 8 - n * words));
}

static FAL__ALWAYS_INLINE lanes_vector lanes_load_first(const LANES_TYPE *p, int n)
{
    if (sizeof(LANES_TYPE) == 4) return (lanes_vector)_mm256_maskload_ps((const void *)p, lanes_mask(n));
    return (lanes_vector)_mm256_maskload_pd((const void *)p, lanes_mask(n));
}

static FAL__ALWAYS_INLINE void lanes_store_first(LANES_TYPE *p, lanes_vector v, int n)
{
    if (sizeof(LANES_TYPE) == 4)
        _mm256_maskstore_ps((void *)p, lanes_mask(n), (__m256)v);
    else
        _mm256_maskstore_pd((void *)p, lanes_mask(n), (__m256d)v);
}
#else
static FAL__ALWAYS_INLINE lanes_vector lanes_load_first(const LANES_TYPE *p, int n)
{
    lanes_vector v = {0};
    for (int i = 0; i < LANES; i++)
        if (i < n) v[i] = p[i];
    return v;
}

static FAL__ALWAYS_INLINE void lanes_store_first(LANES_TYPE *p, lanes_vector v, int n)
{
    for (int i = 0; i < LANES; i++)
        if (i < n) p[i] = v[i];
}
#endif

/* a where a < b, else b; a NaN in a stays: comparisons with it are false, and b is the bound's side. */
static FAL__ALWAYS_INLINE lanes_vector lanes_choose(lanes_vector yes, lanes_vector no, lanes_vector a,
                                                    lanes_vector b)
{
    lanes_vector chosen;
    for (int i = 0; i < LANES; i++) chosen[i] = a[i] < b[i] ? yes[i] : no[i];
    return chosen;
}

static FAL__ALWAYS_INLINE lanes_vector lanes_clamp(lanes_vector v, LANES_TYPE low, LANES_TYPE high)
{
    const lanes_vector l = lanes_set(low), h = lanes_set(high);
    v = lanes_choose(l, v, v, l);
    return lanes_choose(h, v, h, v);
}

static FAL__ALWAYS_INLINE lanes_vector lanes_activate(lanes_vector v, const fal__activation *f)
{
    if (f == NULL) return v;
    const lanes_vector zero = {0};
    switch (f->kind) {
    case FAL_ACTIVATION_RELU: return lanes_choose(zero, v, v, zero);
    case FAL_ACTIVATION_CLAMP: return lanes_clamp(v, (LANES_TYPE)f->low, (LANES_TYPE)f->high);
    case FAL_ACTIVATION_LEAKY_RELU: return lanes_choose((LANES_TYPE)f->slope * v, v, v, zero);
    case FAL_ACTIVATION_HARD_SWISH: return v * (lanes_clamp(v + 3, 0, 6) / 6);
    case FAL_ACTIVATION_NONE: break;
    }
    return v;
}
