/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute_i32.c: int32 panels and sums, for 8-bit tensors whose sums provably fit.
 *
 * The solver chooses it only when (products + 1) * max|x| * max|w| of the element type is below
 * 2^31, so no sum can wrap.
 */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define TILE_TYPE int32_t
#include "kernels/generic/tile.tmpl.h"

#define WIDEN(v)     ((int32_t)(v))
#define PACK_NAME    pack_i8
#define PACK_FROM    int8_t
#define PACK_TO      int32_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_u8
#define PACK_FROM    uint8_t
#define PACK_TO      int32_t
#define PACK_CONVERT WIDEN
#include "kernels/generic/pack.tmpl.h"

#define STORE_FROM int32_t
#define STORE_WIDE int64_t
#include "kernels/generic/store_integers.tmpl.h"

static void multiply_add(const void *a, const void *b, void *sum)
{
    *(int32_t *)sum += *(const int32_t *)a * *(const int32_t *)b;
}

const fal__compute FAL__NAMED(fal__compute_i32) = {
    .name = "i32",
    .panel_bytes = sizeof(int32_t),
    .sum_bytes = sizeof(int32_t),
    .lanes = TILE_LANES,
    .tile_count = FAL__TILES_MAX,
    .tiles = TILE_ENTRIES,
    .pack =
        {
            [FAL_I8] = pack_i8,
            [FAL_U8] = pack_u8,
        },
    .store = STORE_INTEGER_ENTRIES,
    .multiply_add = multiply_add,
};
