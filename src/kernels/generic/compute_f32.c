/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compute_f32.c: float32 panels and sums, for tensors of f32, f16 and bf16.
 *
 * Half types widen exactly while packing and are rounded once while storing. One multiply-add per
 * lane and k, fused where the level has FMA.
 */
#include "kernels/generic/half_rows.h"
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define TILE_TYPE float
#include "kernels/generic/tile.tmpl.h"

#define SAME(v)      (v)
#define ANY_FITS(v)  true
#define PACK_NAME    pack_f32
#define PACK_FROM    float
#define PACK_TO      float
#define PACK_CONVERT SAME
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_f16
#define PACK_FROM    uint16_t
#define PACK_TO      float
#define PACK_CONVERT half_widen_one
#define PACK_ROW     half_widen
#include "kernels/generic/pack.tmpl.h"
#define PACK_NAME    pack_bf16
#define PACK_FROM    uint16_t
#define PACK_TO      float
#define PACK_CONVERT fal__bf16_to_f32
#include "kernels/generic/pack.tmpl.h"

#define ACTIVATE_TYPE float
#include "kernels/generic/activate.tmpl.h"
#define STORE_FROM    float
#define STORE_WIDE    float
#define STORE_NAME    store_f32
#define STORE_TO      float
#define STORE_WIDEN   SAME
#define STORE_CONVERT SAME
#define STORE_FITS    ANY_FITS
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_f16
#define STORE_TO      uint16_t
#define STORE_WIDEN   half_widen_one
#define STORE_CONVERT half_narrow_one
#define STORE_ROW     half_narrow
#define STORE_FITS    ANY_FITS
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_bf16
#define STORE_TO      uint16_t
#define STORE_WIDEN   fal__bf16_to_f32
#define STORE_CONVERT fal__f32_to_bf16
#define STORE_FITS    ANY_FITS
#include "kernels/generic/store.tmpl.h"

#define ROWS_TYPE  float
#define ROWS_INDEX int32_t
#include "kernels/generic/rows.tmpl.h"

#define PRODUCTS_TYPE float
#include "kernels/generic/channel_products.tmpl.h"
#define OUTER_TYPE float
#include "kernels/generic/outer.tmpl.h"
static const fal__outer_kernel outer_products = {.rows = OUTER_ROWS, .width = OUTER_WIDTH, .run = outer};

#define CHANNELS_TYPE float
#include "kernels/generic/channels.tmpl.h"

#define FINITE_TYPE float
#include "kernels/generic/finite.tmpl.h"

static void multiply_add(const void *a, const void *b, void *sum)
{
    *(float *)sum += *(const float *)a * *(const float *)b;
}

extern const fal__winograd FAL__NAMED(fal__winograd_f32);
extern const fal__direct FAL__NAMED(fal__direct_channels_f32);
extern const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f32);
extern const fal__depthwise FAL__NAMED(fal__depthwise_f32);
extern const fal__grouped_fn FAL__NAMED(fal__grouped_f32);
extern const fal__fft FAL__NAMED(fal__fft_f32);
extern const fal__transpose_fn FAL__NAMED(fal__transpose_f32);
const fal__compute FAL__NAMED(fal__compute_f32) = {
    .name = "f32",
    .panel_bytes = sizeof(float),
    .sum_bytes = sizeof(float),
    .lanes = TILE_LANES,
    .tile_count = FAL__TILES_MAX,
    .tiles = TILE_ENTRIES,
    .pack = {[FAL_F32] = pack_f32, [FAL_F16] = pack_f16, [FAL_BF16] = pack_bf16},
    .transpose = &FAL__NAMED(fal__transpose_f32),
    .store = {[FAL_F32] = store_f32, [FAL_F16] = store_f16, [FAL_BF16] = store_bf16},
    .finite = finite,
    .rows = rows,
    .pixels = &FAL__NAMED(fal__lane_kernels_f32),
    .channels = channels,
    .outer = &outer_products,
    .channel_products = channel_products,
    .winograd = &FAL__NAMED(fal__winograd_f32),
    .direct = &FAL__NAMED(fal__direct_channels_f32),
    .depthwise = &FAL__NAMED(fal__depthwise_f32),
    .grouped = &FAL__NAMED(fal__grouped_f32),
    .fft = &FAL__NAMED(fal__fft_f32),
    .multiply_add = multiply_add,
};
