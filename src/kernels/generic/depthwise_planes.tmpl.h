/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_planes.tmpl.h: tiles of a plane, pixels in the lanes, 3 x 3 taps; for AVX-512.
 *
 * Used by depthwise_planes_f32.c alone. The 9 weights stay in registers as vectors. A tile is ROWS rows of
 * outputs; every row of the input is loaded once and meets all rows of outputs that it belongs to:
 *
 *     sum[r] += w[j - r*stride][t] * x[row j][column tap t of 16 outputs]       7 rows: 63 multiply-adds
 *
 * 32 neighbouring positions of a row are loaded as two vectors, and each tap's elements taken by one
 * permutation of both: of the even ones for stride 2, of any that dilation asks for. Taps further apart than
 * that are loaded one by one, which costs more where loads cross cache lines.
 *
 * Rows of 8 outputs and fewer go two planes at a time, a half of the vector each:
 *
 *     a = row of one plane, b = of the next      tap t    a[t] a[s+t] a[2s+t] .. | b[t] b[s+t] b[2s+t] ..
 *
 * Lanes whose column lies outside the input are neither loaded nor added to: masks do both without cost, so
 * that border vectors are as fast as others.
 */

/* What the tiles of one plane share, or of two; steps of elements. */
typedef struct plane_view {
    const float *x;
    float *y;
    int64_t x_row, y_row;
    int64_t x_second, y_second;           /* from the first plane to the second */
    bool second;                          /* there is one */
    int64_t row_first, rows_in, rows_out; /* as in fal__depthwise_axis */
    int64_t first, in, out, apart;        /* of the columns; between their taps */
    float beta;
    __m512 start;
    __m512 weight[9];
} plane_view;

/* Bit i: 0 <= at[i] < in. */
static FAL__ALWAYS_INLINE __mmask16 lanes_inside(__m512i at, int64_t in)
{
    return _mm512_cmplt_epu32_mask(at, _mm512_set1_epi32((int)in));
}

static FAL__ALWAYS_INLINE __m512i lanes_counted(int64_t first, const int step)
{
    const __m512i count = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_add_epi32(_mm512_set1_epi32((int)first),
                            step == 2 ? _mm512_add_epi32(count, count) : count);
}

/* How the inputs of a tap come about: by a load, as a permutation of one vector, of two, or of one of each of
 * two planes. */
enum { BY_LOADS = 0, FROM_ONE = 1, FROM_TWO = 2, OF_PLANES };

/* Outputs of a tile at most: 3 taps of as many reach over the positions of the vectors. */
static FAL__ALWAYS_INLINE int64_t tile_most(int64_t apart, int64_t stride, const int inputs)
{
    const int64_t positions = inputs == FROM_TWO ? 32 : 16, most = inputs == OF_PLANES ? 8 : 16;
    const int64_t reached = inputs == BY_LOADS ? most : (positions - 1 - 2 * apart) / stride + 1;
    return reached < most ? reached : most;
}

/* The permutation of tap t. */
static FAL__ALWAYS_INLINE __m512i tap_lanes(int64_t apart, int t, const int stride, const int inputs)
{
    const __m512i second = _mm512_set_epi32(8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i tap = lanes_counted(t * apart, stride);
    if (inputs != OF_PLANES) return tap;
    /* 8 lanes of the second plane: back by 8 outputs, on by a vector. */
    return _mm512_add_epi32(tap, stride == 2 ? _mm512_setzero_si512() : second);
}

/* Which lanes of a tile exist: those added to for each tap, those loaded of the two vectors, those stored. */
typedef struct plane_lanes {
    __mmask16 add[3], load[2], store;
} plane_lanes;

static FAL__ALWAYS_INLINE plane_lanes find_lanes(const plane_view *f, int64_t c0, int64_t count,
                                                 const int stride, const int inputs)
{
    const int64_t from = f->first + c0 * stride;
    plane_lanes lanes = {.store = (__mmask16)((1u << count) - 1)};
    for (int t = 0; t < 3; t++) {
        lanes.add[t] = lanes_inside(lanes_counted(from + t * f->apart, stride), f->in) & lanes.store;
        if (inputs == OF_PLANES) lanes.add[t] |= (__mmask16)(lanes.add[t] << 8);
    }
    for (int i = 0; i < 2; i++) lanes.load[i] = lanes_inside(lanes_counted(from + 16 * i, 1), f->in);
    return lanes;
}

static FAL__ALWAYS_INLINE void store_lanes(float *y, __mmask16 lanes, float beta, __m512 sum)
{
    if (beta != 0) sum = _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_maskz_loadu_ps(lanes, y), sum);
    _mm512_mask_storeu_ps(y, lanes, sum);
}

static FAL__ALWAYS_INLINE void store_half(float *y, __mmask8 lanes, float beta, __m256 sum)
{
    if (beta != 0) sum = _mm256_fmadd_ps(_mm256_set1_ps(beta), _mm256_maskz_loadu_ps(lanes, y), sum);
    _mm256_mask_storeu_ps(y, lanes, sum);
}

/* Rows r0 .. r0+PLANE_ROWS-1 of outputs, of which `count` exist, columns c0 ..; `tap` are the permutations.
 */
static FAL__ALWAYS_INLINE void wide_tile(const plane_view *f, const plane_lanes *at, const __m512i *tap,
                                         int64_t r0, int64_t count, int64_t c0, const int stride,
                                         const int inputs)
{
    const int64_t row = f->row_first + r0 * stride, in = f->rows_in, x_row = f->x_row;
    const float *x = f->x + row * x_row + f->first + c0 * stride;
    const plane_lanes lanes = *at;
    __m512 sum[PLANE_ROWS];
#pragma GCC unroll 7
    for (int r = 0; r < PLANE_ROWS; r++) sum[r] = f->start;
#pragma GCC unroll 15
    for (int j = 0; j < (PLANE_ROWS - 1) * stride + 3; j++, x += x_row) {
        if ((uint64_t)(row + j) >= (uint64_t)in) continue;
        __m512 a = _mm512_setzero_ps(), b = a;
        if (inputs != BY_LOADS) a = _mm512_maskz_loadu_ps(lanes.load[0], x);
        if (inputs == FROM_TWO) b = _mm512_maskz_loadu_ps(lanes.load[1], x + 16);
        if (inputs == OF_PLANES) b = _mm512_maskz_loadu_ps(lanes.load[0], x + f->x_second);
#pragma GCC unroll 3
        for (int t = 0; t < 3; t++) {
            __m512 v = a;
            if (inputs == BY_LOADS)
                v = _mm512_maskz_loadu_ps(lanes.add[t], x + t * f->apart);
            else if (inputs != FROM_ONE)
                v = _mm512_permutex2var_ps(a, tap[t], b);
            else if (stride == 2 || t > 0)
                v = _mm512_permutexvar_ps(tap[t], a);
            FAL__IN_REGISTER(v);
#pragma GCC unroll 7
            for (int r = 0; r < PLANE_ROWS; r++) {
                const int h = j - r * stride;
                if (h < 0 || h >= 3) continue;
                sum[r] = _mm512_mask3_fmadd_ps(v, f->weight[h * 3 + t], sum[r], lanes.add[t]);
            }
        }
    }
    float *y = f->y + r0 * f->y_row + c0;
#pragma GCC unroll 7
    for (int r = 0; r < PLANE_ROWS; r++, y += f->y_row) {
        if (r >= count) break;
        if (inputs != OF_PLANES) {
            store_lanes(y, lanes.store, f->beta, sum[r]);
        } else {
            store_half(y, (__mmask8)lanes.store, f->beta, _mm512_castps512_ps256(sum[r]));
            if (f->second)
                store_half(y + f->y_second, (__mmask8)lanes.store, f->beta,
                           _mm512_extractf32x8_ps(sum[r], 1));
        }
    }
}
