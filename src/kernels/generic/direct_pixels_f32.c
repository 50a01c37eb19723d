/* SPDX-License-Identifier: BSD-3-Clause */
/* direct_pixels_f32.c: direct_pixels.tmpl.h for float. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE   float
#define PIXELS_INDEX int32_t
#include "kernels/generic/direct_pixels.tmpl.h"

extern const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f32);
const fal__lane_kernels FAL__NAMED(fal__lane_kernels_f32) = PIXELS_ENTRY;
