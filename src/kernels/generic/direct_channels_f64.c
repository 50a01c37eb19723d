/* SPDX-License-Identifier: BSD-3-Clause */
/* direct_channels_f64.c: the tiles of direct_channels.h for double. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/direct_channels.tmpl.h"
#include "kernels/generic/direct_finish.tmpl.h"

extern const fal__direct FAL__NAMED(fal__direct_channels_f64);
const fal__direct FAL__NAMED(fal__direct_channels_f64) = {
    .rows = DIRECT_ROWS,
    .tile = {NULL, direct_tile_1, direct_tile_2, direct_tile_3, direct_tile_4, direct_tile_5, direct_tile_6},
    .finish = direct_finish,
};
