/* SPDX-License-Identifier: BSD-3-Clause */
/* compute_f64.c: float64 panels and sums, for tensors of f64. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define TILE_TYPE double
#include "kernels/generic/tile.tmpl.h"

#define SAME(v)      (v)
#define ANY_FITS(v)  true
#define PACK_NAME    pack_f64
#define PACK_FROM    double
#define PACK_TO      double
#define PACK_CONVERT SAME
#include "kernels/generic/pack.tmpl.h"

#define ACTIVATE_TYPE double
#include "kernels/generic/activate.tmpl.h"
#define STORE_FROM    double
#define STORE_WIDE    double
#define STORE_NAME    store_f64
#define STORE_TO      double
#define STORE_WIDEN   SAME
#define STORE_CONVERT SAME
#define STORE_FITS    ANY_FITS
#include "kernels/generic/store.tmpl.h"

#define ROWS_TYPE  double
#define ROWS_INDEX int64_t
#include "kernels/generic/rows.tmpl.h"

#define PRODUCTS_TYPE double
#include "kernels/generic/channel_products.tmpl.h"
#define OUTER_TYPE double
#include "kernels/generic/outer.tmpl.h"
static const fal__outer_kernel outer_products = {.rows = OUTER_ROWS, .width = OUTER_WIDTH, .run = outer};

#define CHANNELS_TYPE double
#include "kernels/generic/channels.tmpl.h"

#define FINITE_TYPE double
#include "kernels/generic/finite.tmpl.h"

static void multiply_add(const void *a, const void *b, void *sum)
{
    *(double *)sum += *(const double *)a * *(const double *)b;
}

extern const fal__direct FAL__NAMED(fal__direct_channels_f64);
extern const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f64);
extern const fal__depthwise FAL__NAMED(fal__depthwise_f64);
extern const fal__grouped_fn FAL__NAMED(fal__grouped_f64);
extern const fal__fft FAL__NAMED(fal__fft_f64);
extern const fal__transpose_fn FAL__NAMED(fal__transpose_f64);
const fal__compute FAL__NAMED(fal__compute_f64) = {
    .name = "f64",
    .panel_bytes = sizeof(double),
    .sum_bytes = sizeof(double),
    .lanes = TILE_LANES,
    .tile_count = FAL__TILES_MAX,
    .tiles = TILE_ENTRIES,
    .pack = {[FAL_F64] = pack_f64},
    .transpose = &FAL__NAMED(fal__transpose_f64),
    .store = {[FAL_F64] = store_f64},
    .finite = finite,
    .rows = rows,
    .pixels = &FAL__NAMED(fal__lane_kernels_f64),
    .channels = channels,
    .outer = &outer_products,
    .channel_products = channel_products,
    .direct = &FAL__NAMED(fal__direct_channels_f64),
    .depthwise = &FAL__NAMED(fal__depthwise_f64),
    .grouped = &FAL__NAMED(fal__grouped_f64),
    .fft = &FAL__NAMED(fal__fft_f64),
    .multiply_add = multiply_add,
};
