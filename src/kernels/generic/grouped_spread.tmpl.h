/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped_spread.tmpl.h: one channel of each group to all lanes of its group; and what may be skipped.
 *
 * Parameters: those of lanes.tmpl.h, which is included before. Used by grouped.tmpl.h.
 */
#if defined(__AVX512F__)
typedef __m512i lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return _mm512_loadu_si512(words);
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    return (lanes_vector)_mm512_permutexvar_ps(index, (__m512)window);
}
#elif defined(__AVX2__)
typedef __m256i lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return _mm256_loadu_si256((const void *)words);
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    return (lanes_vector)_mm256_permutevar8x32_ps((__m256)window, index);
}
#else
typedef const int32_t *lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return words;
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    const int words = (int)sizeof(LANES_TYPE) / 4;
    lanes_vector v;
    for (int i = 0; i < LANES; i++) v[i] = window[index[i * words] / words];
    return v;
}
#endif

/* The permutations as 32-bit words, channel by channel. */
enum { INDEX_WORDS = FAL__VECTOR_BYTES / 4, CHANNELS = LANES < 8 ? 8 : LANES /* of a group, at most */ };
static void fill_index(const fal__grouped_block *f, int32_t index[CHANNELS][INDEX_WORDS])
{
    const int words = (int)sizeof(LANES_TYPE) / 4;
    for (int i = 0; i < f->ic; i++)
        for (int l = 0; l < INDEX_WORDS; l++)
            index[i][l] = (int32_t)(l / words / f->oc * f->ic + i) * words + l % words;
}

/* sum + a*b, or sum as it is: without a branch where the level has masks. The fused instruction is named,
 * because a product and its sum on two sides of a branch are not fused by themselves. */
#if defined(__AVX512F__)
static FAL__ALWAYS_INLINE lanes_vector add_product_if(bool on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_mask3_fmadd_ps((__m512)a, (__m512)b, (__m512)sum, on ? 0xFFFF : 0);
    return (lanes_vector)_mm512_mask3_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum, on ? 0xFF : 0);
}
#elif defined(__AVX2__)
static FAL__ALWAYS_INLINE lanes_vector add_product_if(bool on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (!on) return sum;
    if (sizeof(LANES_TYPE) == 4) return (lanes_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
    return (lanes_vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
}
#else
static FAL__ALWAYS_INLINE lanes_vector add_product_if(bool on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (on) sum += a * b;
    return sum;
}
#endif

/* Bit c: column c is in the input; for c < 32. */
static FAL__ALWAYS_INLINE uint32_t columns_inside(int64_t low, int64_t high)
{
    const uint64_t below_low = low <= 0 ? 0 : low >= 32 ? UINT32_MAX : (UINT64_C(1) << low) - 1;
    const uint64_t below_high = high <= 0 ? 0 : high >= 32 ? UINT32_MAX : (UINT64_C(1) << high) - 1;
    return (uint32_t)(below_high & ~below_low);
}
