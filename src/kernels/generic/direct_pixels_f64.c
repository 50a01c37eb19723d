/* SPDX-License-Identifier: BSD-3-Clause */
/* direct_pixels_f64.c: direct_pixels.tmpl.h for double. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE   double
#define PIXELS_INDEX int64_t
#include "kernels/generic/direct_pixels.tmpl.h"

extern const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f64);
const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f64) = PIXELS_ENTRY;
