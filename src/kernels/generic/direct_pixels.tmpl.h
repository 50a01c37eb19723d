/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels.tmpl.h: tiles of output channels x pixels, with the pixels in the lanes.
 *
 * Parameter: LANES_TYPE (float or double). Gives fal__lane_kernels (kernels/direct_pixels.h) for it.
 *
 * A step loads V vectors of pixels and R weights for R*V multiply-adds. x is read where it lies, so that
 * most vectors cross a cache line and count twice; the shapes keep that below the two loads that start
 * with two multiply-adds:
 *
 *     32 registers   R*V + V + 1 <= 32:  14x2  9x3  6x4  5x5  4x6  and up to 8 vectors for fewer rows
 *     16 registers   R*V + V + 1 <= 16:   6x2  4x3; with 1 or 2 rows a vector is the operand of its products
 */
#include "kernels/generic/lanes.tmpl.h"

/* Into L1, where a vector that crosses a line must find both; FAL__PREFETCH goes as far as L2. Fewer rows
 * have no loads to spare. */
#if defined(__AVX2__)
#define FAL__PIXELS_PREFETCH(p) _mm_prefetch((const void *)(p), _MM_HINT_T0)
#else
#define FAL__PIXELS_PREFETCH(p) FAL__PREFETCH(p)
#endif
#define FAL__PIXELS_AHEAD 5

#if defined(__AVX512F__)
#define FAL__PIXELS_ROWS 14
#define FAL__PIXELS_V2   8
#define FAL__PIXELS_V3   8
#define FAL__PIXELS_V4   6
#define FAL__PIXELS_V5   5
#define FAL__PIXELS_V6   4
#else
#define FAL__PIXELS_ROWS 6
#define FAL__PIXELS_V2   6
#define FAL__PIXELS_V3   4
#define FAL__PIXELS_V4   3
#define FAL__PIXELS_V5   2
#define FAL__PIXELS_V6   2
#endif

static FAL__ALWAYS_INLINE void pixels_begin(const fal__lane_tile *t, int rows, int vectors,
                                            lanes_vector sum[FAL__PIXELS_ROWS_MAX][FAL__PIXELS_VECTORS_MAX])
{
    const LANES_TYPE *bias = t->bias, *sums = t->sums;
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) {
        FAL__UNROLL(8)
        for (int j = 0; j < vectors; j++) {
            if (t->go_on)
                sum[i][j] = lanes_load(sums + (i * vectors + j) * LANES);
            else
                sum[i][j] = lanes_set(bias != NULL ? bias[i] : 0);
        }
    }
}

static FAL__ALWAYS_INLINE void pixels_end(const fal__lane_tile *t, int rows, int vectors,
                                          lanes_vector sum[FAL__PIXELS_ROWS_MAX][FAL__PIXELS_VECTORS_MAX])
{
    if (t->y == NULL) {
        LANES_TYPE *sums = t->sums;
        FAL__UNROLL(14)
        for (int i = 0; i < rows; i++) {
            FAL__UNROLL(8)
            for (int j = 0; j < vectors; j++) lanes_store(sums + (i * vectors + j) * LANES, sum[i][j]);
        }
        return;
    }
    LANES_TYPE *y = t->y;
    const int last = (int)t->count - (vectors - 1) * LANES;
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++, y += t->y_row) {
        FAL__UNROLL(8)
        for (int j = 0; j < vectors - 1; j++) lanes_store(y + j * LANES, sum[i][j]);
        lanes_store_first(y + (vectors - 1) * LANES, sum[i][vectors - 1], last);
    }
}

static FAL__ALWAYS_INLINE void pixels_tile(const fal__lane_tile *t, int rows, int vectors)
{
    lanes_vector sum[FAL__PIXELS_ROWS_MAX][FAL__PIXELS_VECTORS_MAX];
    pixels_begin(t, rows, vectors, sum);
    const fal__lane_run *run = t->runs, *end = run + t->run_count;
    const int64_t x_step = t->x_step, ahead = t->ahead, w_ahead = t->w_ahead;
    for (; run < end; run++) {
        const LANES_TYPE *x = (const LANES_TYPE *)t->x + run->at;
        const LANES_TYPE *w = (const LANES_TYPE *)t->w + run->first * rows;
        int64_t steps = run->steps;
        do {
            lanes_vector v[FAL__PIXELS_VECTORS_MAX];
            FAL__UNROLL(8)
            for (int j = 0; j < vectors; j++) {
                v[j] = lanes_load(x + j * LANES);
                if (rows > 1) FAL__IN_REGISTER(v[j]);
            }
            FAL__UNROLL(14)
            for (int i = 0; i < rows; i++) {
                const lanes_vector weight = lanes_set(w[i]);
                FAL__UNROLL(8)
                for (int j = 0; j < vectors; j++) sum[i][j] += weight * v[j];
            }
            if (rows >= FAL__PIXELS_AHEAD) {
                FAL__UNROLL(8)
                for (int j = 0; j < vectors; j++) FAL__PIXELS_PREFETCH(x + ahead + j * LANES);
                FAL__PIXELS_PREFETCH(x + ahead + vectors * LANES - 1);
            }
            FAL__PREFETCH(w + w_ahead);
            /* Else the last row's sums change places with a weight. */
            FAL__UNROLL(8)
            for (int j = 0; j < vectors; j++) FAL__IN_REGISTER(sum[rows - 1][j]);
            x += x_step;
            w += rows;
        } while (--steps > 0);
    }
    pixels_end(t, rows, vectors, sum);
}

#define PIXELS_TILE    pixels_tile_1
#define PIXELS_ROWS    1
#define PIXELS_VECTORS 8
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_2
#define PIXELS_ROWS    2
#define PIXELS_VECTORS FAL__PIXELS_V2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_3
#define PIXELS_ROWS    3
#define PIXELS_VECTORS FAL__PIXELS_V3
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_4
#define PIXELS_ROWS    4
#define PIXELS_VECTORS FAL__PIXELS_V4
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_5
#define PIXELS_ROWS    5
#define PIXELS_VECTORS FAL__PIXELS_V5
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_6
#define PIXELS_ROWS    6
#define PIXELS_VECTORS FAL__PIXELS_V6
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#if FAL__PIXELS_ROWS > 6
#define PIXELS_TILE    pixels_tile_7
#define PIXELS_ROWS    7
#define PIXELS_VECTORS 3
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_8
#define PIXELS_ROWS    8
#define PIXELS_VECTORS 3
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_9
#define PIXELS_ROWS    9
#define PIXELS_VECTORS 3
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_10
#define PIXELS_ROWS    10
#define PIXELS_VECTORS 2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_11
#define PIXELS_ROWS    11
#define PIXELS_VECTORS 2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_12
#define PIXELS_ROWS    12
#define PIXELS_VECTORS 2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_13
#define PIXELS_ROWS    13
#define PIXELS_VECTORS 2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#define PIXELS_TILE    pixels_tile_14
#define PIXELS_ROWS    14
#define PIXELS_VECTORS 2
#include "kernels/generic/direct_pixels_rows.tmpl.h"
#endif

#include "kernels/generic/direct_pixels_move.tmpl.h"

#if FAL__PIXELS_ROWS > 6
#define PIXELS_TILES_MORE                                                                          \
    , pixels_tile_7, pixels_tile_8, pixels_tile_9, pixels_tile_10, pixels_tile_11, pixels_tile_12, \
        pixels_tile_13, pixels_tile_14
#define PIXELS_VECTORS_MORE , 3, 3, 3, 2, 2, 2, 2, 2
#else
#define PIXELS_TILES_MORE
#define PIXELS_VECTORS_MORE
#endif
/* clang-format off */
#define PIXELS_ENTRY                                                                                         \
    {.lanes = LANES, .rows_max = FAL__PIXELS_ROWS,                                                           \
     .vectors_max = {0, 8, FAL__PIXELS_V2, FAL__PIXELS_V3, FAL__PIXELS_V4, FAL__PIXELS_V5,                   \
                     FAL__PIXELS_V6 PIXELS_VECTORS_MORE},                                                    \
     .tile = {NULL, pixels_tile_1, pixels_tile_2, pixels_tile_3, pixels_tile_4, pixels_tile_5,               \
              pixels_tile_6 PIXELS_TILES_MORE},                                                              \
     .store = pixels_store, .copy = pixels_copy, .pack = pixels_pack}
/* clang-format on */
