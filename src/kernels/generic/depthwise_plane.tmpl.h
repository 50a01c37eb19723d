/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_plane.tmpl.h: several rows of a vector of pixels at a time, in registers.
 *
 * Parameters: those of lanes.tmpl.h, which is included before, for floats. Gives run_plane() of
 * kernels/depthwise.h.
 *
 * A vector of every row of the input is loaded once for each column tap, unaligned, and meets all rows of
 * outputs that it belongs to; 3 x 3 weights stay in registers as 9 vectors:
 *
 *     sum[r] += w[j - r][t] * x[row j][first + t*dilation .. + 15]         R = 7 rows: 27 loads for 63
 * multiply-adds
 *
 * Lanes whose column lies outside the input are neither loaded nor added to: masks do both without cost, so
 * that border vectors are as fast as others. Stride 2 takes the even or odd elements of two vectors.
 */
#if defined(__AVX512F__)
enum { PLANE_SMALL = 1024 /* outputs of a plane that stays in L1 while it is walked column by column */ };

static FAL__ALWAYS_INLINE int clamp16(int64_t n)
{
    return (int)(n < 0 ? 0 : n > 16 ? 16 : n);
}

/* Bit i: 0 <= at + i*stride < in, for i < 16. */
static FAL__ALWAYS_INLINE __mmask16 lanes_from(int64_t at, int64_t in, const int stride)
{
    const int low = clamp16((stride - 1 - at) / stride), high = clamp16((in - at + stride - 1) / stride);
    return (__mmask16)((0xFFFFu << low) & (0xFFFFu >> (16 - high)));
}

/* What the tiles of a plane share. */
typedef struct plane_walk {
    const fal__depthwise_plane *f;
    const float *w; /* taps side by side */
    float bias, beta;
} plane_walk;

/* Which lanes of a tile exist: those added to for each tap, and for stride 2 those loaded of the two vectors
 * under taps 0 and 1 and under tap 2. */
typedef struct plane_lanes {
    __mmask16 add[7], load[4], store;
} plane_lanes;

static FAL__ALWAYS_INLINE plane_lanes find_lanes(const plane_walk *walk, int64_t from, int64_t left,
                                                 const int taps, const int stride)
{
    const int64_t apart = walk->f->column.dilation, in = walk->f->column.in;
    plane_lanes lanes;
    lanes.store = lanes_from(0, left, 1);
#pragma GCC unroll 7
    for (int t = 0; t < taps; t++) lanes.add[t] = lanes_from(from + t * apart, in, stride);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        lanes.load[i] = stride == 1 ? 0 : lanes_from(from + i % 2 * 16 + i / 2 * 2, in, 1);
    return lanes;
}

/* The inputs of 16 outputs under tap t of a row; x is the first one's under tap 0. */
static FAL__ALWAYS_INLINE __m512 load_tap(const float *x, const plane_lanes *lanes, int t, int64_t apart,
                                          const int stride)
{
    if (stride == 1) return _mm512_maskz_loadu_ps(lanes->add[t], x + t * apart);
    const int pair = t / 2;
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512 a = _mm512_maskz_loadu_ps(lanes->load[2 * pair], x + 2 * pair),
                 b = _mm512_maskz_loadu_ps(lanes->load[2 * pair + 1], x + 2 * pair + 16);
    return _mm512_permutex2var_ps(a, t % 2 ? _mm512_add_epi32(even, _mm512_set1_epi32(1)) : even, b);
}

/* Rows r0 .. r0+count-1 of outputs, count <= rows, columns c0 .. c0+15. */
static FAL__ALWAYS_INLINE void plane_tile(const plane_walk *walk, const plane_lanes *at, const __m512 *weight,
                                          int64_t r0, int64_t count, int64_t c0, const int rows,
                                          const int taps, const int stride)
{
    const fal__depthwise_plane *f = walk->f;
    const int64_t from = f->column.first + c0 * stride, row = f->row.first + r0 * stride;
    const plane_lanes lanes = *at;
    __m512 sum[7];
#pragma GCC unroll 7
    for (int r = 0; r < rows; r++) sum[r] = _mm512_set1_ps(walk->bias);
#pragma GCC unroll 32
    for (int j = 0; j < (rows - 1) * stride + taps; j++) {
        if (row + j < 0 || row + j >= f->row.in) continue;
        const float *x = (const float *)f->x + (row + j) * f->row.x + from;
#pragma GCC unroll 7
        for (int t = 0; t < taps; t++) {
            const __m512 v = load_tap(x, &lanes, t, f->column.dilation, stride);
#pragma GCC unroll 7
            for (int r = 0; r < rows; r++) {
                const int h = j - r * stride;
                if (h < 0 || h >= taps) continue;
                const __m512 w = taps == 3 ? weight[h * 3 + t] : _mm512_set1_ps(walk->w[h * taps + t]);
                sum[r] = _mm512_mask3_fmadd_ps(v, w, sum[r], lanes.add[t]);
            }
        }
    }
    float *y = (float *)f->y + r0 * f->row.y + c0;
#pragma GCC unroll 7
    for (int r = 0; r < rows; r++, y += f->row.y) {
        if (r >= count) break;
        if (walk->beta != 0)
            sum[r] = (__m512)((lanes_vector)sum[r] +
                              walk->beta * (lanes_vector)_mm512_maskz_loadu_ps(lanes.store, y));
        _mm512_mask_storeu_ps(y, lanes.store, sum[r]);
    }
}

static FAL__ALWAYS_INLINE void plane_tiles(const plane_walk *walk, const int rows, const int taps,
                                           const int stride)
{
    __m512 weight[9];
#pragma GCC unroll 9
    for (int i = 0; taps == 3 && i < 9; i++) {
        weight[i] = _mm512_set1_ps(walk->w[i]);
        FAL__IN_REGISTER(weight[i]);
    }
    const int64_t out = walk->f->row.out, strip = out * walk->f->column.out <= PLANE_SMALL ? out : rows;
    for (int64_t top = 0; top < out; top += strip)
        for (int64_t c = 0; c < walk->f->column.out; c += 16) {
            const plane_lanes lanes =
                find_lanes(walk, walk->f->column.first + c * stride, walk->f->column.out - c, taps, stride);
            for (int64_t r = top; r < top + strip && r < out; r += rows) {
                int64_t count = out - r;
                /* What is left is fewer rows than a tile: some again. */
                if (count < rows && r > 0 && walk->beta == 0) count = rows, r = out - rows;
                plane_tile(walk, &lanes, weight, r, count < rows ? count : rows, c, rows, taps, stride);
            }
        }
}

static void plane_3_1(const plane_walk *walk)
{
    plane_tiles(walk, 7, 3, 1);
}
static void plane_3_2(const plane_walk *walk)
{
    plane_tiles(walk, 4, 3, 2);
}
static void plane_5_1(const plane_walk *walk)
{
    plane_tiles(walk, 7, 5, 1);
}
static void plane_7_1(const plane_walk *walk)
{
    plane_tiles(walk, 7, 7, 1);
}

static bool run_plane(const fal__depthwise_plane *plane, int64_t taps, int64_t stride)
{
    const bool twice = stride == 2 && taps == 3;
    if (!twice && (stride != 1 || (taps != 3 && taps != 5 && taps != 7))) return false;
    if (plane == NULL) return true;
    float w[49];
    const plane_walk walk = {.f = plane,
                             .w = w,
                             .bias = plane->bias != NULL ? *(const float *)plane->bias : 0,
                             .beta = (float)plane->beta};
    for (int64_t h = 0; h < taps; h++)
        for (int64_t t = 0; t < taps; t++)
            w[h * taps + t] = ((const float *)plane->w)[h * plane->w_row + t * plane->w_column];
    if (twice)
        plane_3_2(&walk);
    else if (taps == 3)
        plane_3_1(&walk);
    else if (taps == 5)
        plane_5_1(&walk);
    else
        plane_7_1(&walk);
    for (int64_t r = 0; plane->activation != NULL && r < plane->row.out; r++) {
        float *y = (float *)plane->y + r * plane->row.y;
        for (int64_t c = 0; c < plane->column.out; c += LANES) {
            const int n = (int)(plane->column.out - c < LANES ? plane->column.out - c : LANES);
            lanes_store_first(y + c, lanes_activate(lanes_load_first(y + c, n), plane->activation), n);
        }
    }
    return true;
}
#else
static bool run_plane(const fal__depthwise_plane *plane, int64_t taps, int64_t stride)
{
    (void)plane;
    (void)taps;
    (void)stride;
    return false;
}
#endif
