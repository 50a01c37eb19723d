/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * half_rows.h: rows of float16 widened and narrowed by the level's own instructions.
 *
 *     half_widen(from, to, count)     half_widen_one(h)       exact
 *     half_narrow(from, to, count)    half_narrow_one(v)      to nearest, ties to even; a NaN keeps its sign
 *                                                             and the upper bits of its payload
 *
 * The bits are those of base/half.h, which serves the levels without such instructions. (bfloat16 needs none:
 * its shifts become vectors by themselves.) Used by the packing and storing of compute_f32.c.
 */
#include "base/half.h"
#include "kernels/generic/level.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(__F16C__)
#include <immintrin.h>

static FAL__ALWAYS_INLINE float half_widen_one(uint16_t h)
{
    return _cvtsh_ss(h);
}

static FAL__ALWAYS_INLINE uint16_t half_narrow_one(float v)
{
    return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT);
}
#else
static FAL__ALWAYS_INLINE float half_widen_one(uint16_t h)
{
    return fal__f16_to_f32(h);
}

static FAL__ALWAYS_INLINE uint16_t half_narrow_one(float v)
{
    return fal__f32_to_f16(v);
}
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
static FAL__ALWAYS_INLINE void half_widen(const uint16_t *from, float *to, int64_t count)
{
    for (; count > 0; count -= 16, from += 16, to += 16) {
        const __mmask16 mask = (__mmask16)(count < 16 ? (1u << count) - 1 : 0xffff);
        _mm512_mask_storeu_ps(to, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from)));
    }
}

static FAL__ALWAYS_INLINE void half_narrow(const float *from, uint16_t *to, int64_t count)
{
    for (; count > 0; count -= 16, from += 16, to += 16) {
        const __mmask16 mask = (__mmask16)(count < 16 ? (1u << count) - 1 : 0xffff);
        const __m512 v = _mm512_maskz_loadu_ps(mask, from);
        _mm256_mask_storeu_epi16(to, mask, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
}
#else
static FAL__ALWAYS_INLINE void half_widen(const uint16_t *from, float *to, int64_t count)
{
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(from + i))));
#elif defined(__aarch64__)
    for (; i + 4 <= count; i += 4) vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
#endif
    for (; i < count; i++) to[i] = half_widen_one(from[i]);
}

static FAL__ALWAYS_INLINE void half_narrow(const float *from, uint16_t *to, int64_t count)
{
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128((void *)(to + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
    for (; i + 4 <= count; i += 4) vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
#endif
    for (; i < count; i++) to[i] = half_narrow_one(from[i]);
}
#endif
