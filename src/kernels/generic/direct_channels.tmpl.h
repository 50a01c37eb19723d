/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels.tmpl.h: register tiles of pixels by output channels, see kernels/direct_channels.h.
 *
 * Parameter: that of lanes.tmpl.h. Gives direct_tile_1 .. direct_tile_6, one a
 * number of vectors, and DIRECT_ROWS, the most pixels of each.
 *
 * A step of R pixels by V vectors takes V loads and R broadcasts for R*V multiply-adds, in R*V + V + 1
 * registers. With two multiply-adds and two loads a cycle, multiply-adds are the longer half from two vectors
 * on:
 *
 *     32 registers: 14x1, 14x2, 9x3, 7x4 (one weight is an operand in memory), 5x5, 4x6
 *     16 registers: 8x1, 6x2, 4x3, 3x4, 2x5, 2x6 (likewise)
 *
 * The pixel loops are written three to a pointer: 0, 1 and 2 steps are addressing modes, and fourteen
 * pointers would not fit the general registers.
 */
#include "kernels/generic/lanes.tmpl.h"

#if defined(__AVX512F__) || defined(__aarch64__)
#define DIRECT_WIDE 1
enum { DIRECT_R1 = 14, DIRECT_R2 = 14, DIRECT_R3 = 9, DIRECT_R4 = 7, DIRECT_R5 = 5, DIRECT_R6 = 4 };
#else
#define DIRECT_WIDE 0
enum { DIRECT_R1 = 8, DIRECT_R2 = 6, DIRECT_R3 = 4, DIRECT_R4 = 3, DIRECT_R5 = 2, DIRECT_R6 = 2 };
#endif
/* Into L1: the pixels of a short tile arrive all at once. FAL__PREFETCH goes as far as L2. */
#if defined(__AVX2__)
#define DIRECT_PREFETCH(p) _mm_prefetch((const void *)(p), _MM_HINT_T0)
#else
#define DIRECT_PREFETCH(p) FAL__PREFETCH(p)
#endif
#define DIRECT_ROWS                                                         \
    {                                                                       \
        0, DIRECT_R1, DIRECT_R2, DIRECT_R3, DIRECT_R4, DIRECT_R5, DIRECT_R6 \
    }

static FAL__ALWAYS_INLINE void direct_tile(int rows, int vectors, const fal__direct_tile *f)
{
    lanes_vector sum[FAL__DIRECT_ROWS][FAL__DIRECT_VECTORS];
    const int last = f->last;
    const LANES_TYPE *from = f->from;
    const int64_t from_step = f->from_step;
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++, from += from_step) {
        FAL__UNROLL(6)
        for (int j = 0; j + 1 < vectors; j++) sum[i][j] = lanes_load(from + j * LANES);
        sum[i][vectors - 1] = lanes_load_first(from + (vectors - 1) * LANES, last);
    }
    const int64_t step = f->pixel_step, next = f->ic_step, ahead_step = f->ahead_step;
    const char *ahead = f->ahead;
    for (const fal__direct_run *run = f->runs, *end = run + f->run_count; run < end; run++) {
        const LANES_TYPE *x[(FAL__DIRECT_ROWS + 2) / 3];
        const LANES_TYPE *w = (const LANES_TYPE *)f->w + (run->w - f->row) * vectors * LANES;
        FAL__UNROLL(5)
        for (int i = 0; i < rows; i += 3) x[i / 3] = (const LANES_TYPE *)f->x + run->x + i * step;
        for (int64_t k = run->steps; k > 0; k--) {
            DIRECT_PREFETCH(ahead);
            ahead += ahead_step;
            FAL__UNROLL(14)
            for (int i = 0; i < rows; i++) {
                const LANES_TYPE a = x[i / 3][i % 3 * step];
                FAL__UNROLL(6)
                for (int j = 0; j < vectors; j++) sum[i][j] += a * lanes_load(w + j * LANES);
            }
            w += vectors * LANES;
            FAL__UNROLL(5)
            for (int i = 0; i < rows; i += 3) x[i / 3] += next;
        }
    }
    LANES_TYPE *to = f->to;
    const int64_t to_step = f->to_step;
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++, to += to_step) {
        FAL__UNROLL(6)
        for (int j = 0; j + 1 < vectors; j++) lanes_store(to + j * LANES, sum[i][j]);
        lanes_store_first(to + (vectors - 1) * LANES, sum[i][vectors - 1], last);
    }
}

static void direct_tile_1(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 1, f); break;
    case 2: direct_tile(2, 1, f); break;
    case 3: direct_tile(3, 1, f); break;
    case 4: direct_tile(4, 1, f); break;
    case 5: direct_tile(5, 1, f); break;
    case 6: direct_tile(6, 1, f); break;
    case 7: direct_tile(7, 1, f); break;
    case 8: direct_tile(8, 1, f); break;
#if DIRECT_WIDE
    case 9: direct_tile(9, 1, f); break;
    case 10: direct_tile(10, 1, f); break;
    case 11: direct_tile(11, 1, f); break;
    case 12: direct_tile(12, 1, f); break;
    case 13: direct_tile(13, 1, f); break;
    case 14: direct_tile(14, 1, f); break;
#endif
    default: break;
    }
}

static void direct_tile_2(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 2, f); break;
    case 2: direct_tile(2, 2, f); break;
    case 3: direct_tile(3, 2, f); break;
    case 4: direct_tile(4, 2, f); break;
    case 5: direct_tile(5, 2, f); break;
    case 6: direct_tile(6, 2, f); break;
#if DIRECT_WIDE
    case 7: direct_tile(7, 2, f); break;
    case 8: direct_tile(8, 2, f); break;
    case 9: direct_tile(9, 2, f); break;
    case 10: direct_tile(10, 2, f); break;
    case 11: direct_tile(11, 2, f); break;
    case 12: direct_tile(12, 2, f); break;
    case 13: direct_tile(13, 2, f); break;
    case 14: direct_tile(14, 2, f); break;
#endif
    default: break;
    }
}

static void direct_tile_3(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 3, f); break;
    case 2: direct_tile(2, 3, f); break;
    case 3: direct_tile(3, 3, f); break;
    case 4: direct_tile(4, 3, f); break;
#if DIRECT_WIDE
    case 5: direct_tile(5, 3, f); break;
    case 6: direct_tile(6, 3, f); break;
    case 7: direct_tile(7, 3, f); break;
    case 8: direct_tile(8, 3, f); break;
    case 9: direct_tile(9, 3, f); break;
#endif
    default: break;
    }
}

static void direct_tile_4(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 4, f); break;
    case 2: direct_tile(2, 4, f); break;
    case 3: direct_tile(3, 4, f); break;
#if DIRECT_WIDE
    case 4: direct_tile(4, 4, f); break;
    case 5: direct_tile(5, 4, f); break;
    case 6: direct_tile(6, 4, f); break;
    case 7: direct_tile(7, 4, f); break;
#endif
    default: break;
    }
}

static void direct_tile_5(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 5, f); break;
    case 2: direct_tile(2, 5, f); break;
#if DIRECT_WIDE
    case 3: direct_tile(3, 5, f); break;
    case 4: direct_tile(4, 5, f); break;
    case 5: direct_tile(5, 5, f); break;
#endif
    default: break;
    }
}

static void direct_tile_6(const fal__direct_tile *f)
{
    switch (f->rows) {
    case 1: direct_tile(1, 6, f); break;
    case 2: direct_tile(2, 6, f); break;
#if DIRECT_WIDE
    case 3: direct_tile(3, 6, f); break;
    case 4: direct_tile(4, 6, f); break;
#endif
    default: break;
    }
}
