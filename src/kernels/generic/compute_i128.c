/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute_i128.c: int64 panels and 128-bit sums, for integer tensors whose sums may leave 64 bits.
 *
 * No vector unit multiplies 64 x 64 -> 128 bits, so the tile is scalar; exactness is the point. A
 * sum is exact modulo 2^128, and so right whenever it fits y's type and fewer than 2^127 was passed on
 * the way; that holds for every tensor with less than 2 products of two extreme 64-bit values.
 */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

enum { ROWS = 1, COLUMNS = 4 };

/* One row of four: the products of a broadcast element with four lanes. */
static void tile_1x4(int64_t k, const void *a_, const void *b_, void *c_, bool accumulate)
{
    const int64_t *a = a_, *b = b_;
    fal__int128 *c = c_, sum[COLUMNS];
    for (int j = 0; j < COLUMNS; j++) sum[j] = accumulate ? c[j] : 0;
    for (; k > 0; k--, a += ROWS, b += COLUMNS)
        for (int j = 0; j < COLUMNS; j++) sum[j] += (fal__int128)a[0] * b[j];
    for (int j = 0; j < COLUMNS; j++) c[j] = sum[j];
}

#define WIDEN(v)     ((int64_t)(v))
#define PACK_NAME    pack_i8
#define PACK_FROM    int8_t
#define PACK_TO      int64_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_u8
#define PACK_FROM    uint8_t
#define PACK_TO      int64_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_i16
#define PACK_FROM    int16_t
#define PACK_TO      int64_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_i32
#define PACK_FROM    int32_t
#define PACK_TO      int64_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_i64
#define PACK_FROM    int64_t
#define PACK_TO      int64_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"

#define STORE_FROM fal__int128
#define STORE_WIDE fal__int128
#include "kernels/generic/store_integers.tmpl.h"

static void multiply_add(const void *a, const void *b, void *sum)
{
    *(fal__int128 *)sum += (fal__int128) * (const int64_t *)a * *(const int64_t *)b;
}

const fal__compute FAL__NAMED(fal__compute_i128) = {
    .name = "i128",
    .panel_bytes = sizeof(int64_t),
    .sum_bytes = sizeof(fal__int128),
    .lanes = 1,
    .tile_count = 1,
    .tiles = {{ROWS, COLUMNS, tile_1x4}},
    .pack = {[FAL_I8] = pack_i8,
             [FAL_U8] = pack_u8,
             [FAL_I16] = pack_i16,
             [FAL_I32] = pack_i32,
             [FAL_I64] = pack_i64},
    .store = STORE_INTEGER_ENTRIES,
    .multiply_add = multiply_add,
};
