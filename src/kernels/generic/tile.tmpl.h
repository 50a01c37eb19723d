/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tile.tmpl.h: the register tile of a matrix product, for one element type.
 *
 * Parameter: TILE_TYPE, the type of panels and accumulators (float, double, int32_t, int64_t).
 * Gives: tile_0 .. tile_3, the four shapes of level.h, and TILE_ENTRIES, their table rows.
 *
 * The accumulators stay in registers: rows and vectors are constants once tile_body is inlined, its
 * two inner loops unroll completely and the array dissolves. Nothing is read beyond k*mr and k*nr
 * elements. The sum runs over k in ascending order, continued through memory when `accumulate`, so
 * that cutting k into blocks changes no bit.
 */
typedef FAL__VECTOR(TILE_TYPE, FAL__VECTOR_BYTES) tile_vector;

enum { TILE_LANES = FAL__VECTOR_BYTES / sizeof(TILE_TYPE), TILE_ROWS_MAX = 14, TILE_VECTORS_MAX = 8 };

static FAL__ALWAYS_INLINE void tile_body(int rows, int vectors, int64_t k, const TILE_TYPE *a,
                                         const TILE_TYPE *b, TILE_TYPE *c, bool accumulate)
{
    tile_vector sum[TILE_ROWS_MAX][TILE_VECTORS_MAX];
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) {
        FAL__UNROLL(8)
        for (int j = 0; j < vectors; j++)
            sum[i][j] =
                accumulate ? *(const tile_vector *)(c + (i * vectors + j) * TILE_LANES) : (tile_vector){0};
    }
    for (; k > 0; k--) {
        tile_vector left = {0};
        FAL__UNROLL(14)
        for (int i = 0; i < rows; i++) {
            const int lane = i % TILE_LANES;
            const bool by_lane = FAL__LANE_FACTOR && i - lane + TILE_LANES <= rows;
            if (by_lane && lane == 0) left = *(const tile_vector *)(a + i);
            const TILE_TYPE factor = by_lane ? left[lane] : a[i];
            FAL__UNROLL(8)
            for (int j = 0; j < vectors; j++)
                sum[i][j] += factor * *(const tile_vector *)(b + j * TILE_LANES);
        }
        a += rows;
        b += vectors * TILE_LANES;
    }
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) {
        FAL__UNROLL(8)
        for (int j = 0; j < vectors; j++) *(tile_vector *)(c + (i * vectors + j) * TILE_LANES) = sum[i][j];
    }
}

static void tile_0(int64_t k, const void *a, const void *b, void *c, bool accumulate)
{
    tile_body(FAL__R0, FAL__V0, k, a, b, c, accumulate);
}

static void tile_1(int64_t k, const void *a, const void *b, void *c, bool accumulate)
{
    tile_body(FAL__R1, FAL__V1, k, a, b, c, accumulate);
}

static void tile_2(int64_t k, const void *a, const void *b, void *c, bool accumulate)
{
    tile_body(FAL__R2, FAL__V2, k, a, b, c, accumulate);
}

static void tile_3(int64_t k, const void *a, const void *b, void *c, bool accumulate)
{
    tile_body(FAL__R3, FAL__V3, k, a, b, c, accumulate);
}

#define TILE_ENTRIES                                                                      \
    {                                                                                     \
        {FAL__R0, FAL__V0 * TILE_LANES, tile_0}, {FAL__R1, FAL__V1 * TILE_LANES, tile_1}, \
            {FAL__R2, FAL__V2 * TILE_LANES, tile_2},                                      \
        {                                                                                 \
            FAL__R3, FAL__V3 *TILE_LANES, tile_3                                          \
        }                                                                                 \
    }
