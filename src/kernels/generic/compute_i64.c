/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute_i64.c: int64 panels and sums, for integer tensors whose sums provably fit.
 *
 * The solver chooses it only when (products + 1) * max|x| * max|w| of the element type is below
 * 2^63, so no sum can wrap.
 */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define TILE_TYPE int64_t
#include "kernels/generic/tile.tmpl.h"

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

#define STORE_FROM int64_t
#define STORE_WIDE int64_t
#include "kernels/generic/store_integers.tmpl.h"

static void multiply_add(const void *a, const void *b, void *sum)
{
    *(int64_t *)sum += *(const int64_t *)a * *(const int64_t *)b;
}

const fal__compute FAL__NAMED(fal__compute_i64) = {
    .name = "i64",
    .panel_bytes = sizeof(int64_t),
    .sum_bytes = sizeof(int64_t),
    .lanes = TILE_LANES,
    .tile_count = FAL__TILES_MAX,
    .tiles = TILE_ENTRIES,
    .pack =
        {
            [FAL_I8] = pack_i8,
            [FAL_U8] = pack_u8,
            [FAL_I16] = pack_i16,
        },
    .store = STORE_INTEGER_ENTRIES,
    .multiply_add = multiply_add,
};
