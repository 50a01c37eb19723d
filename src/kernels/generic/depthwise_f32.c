/* SPDX-License-Identifier: BSD-3-Clause */
/* depthwise_f32.c: the functions of kernels/depthwise.h for float. */
#include "kernels/depthwise.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE      float
#define DEPTHWISE_TURNS /* quarters of a vector hold four elements */
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/depthwise.tmpl.h"
#include "kernels/generic/depthwise_move.tmpl.h"

extern const fal__planes_fn FAL__NAMED(fal__depthwise_planes_f32);
extern const fal__depthwise FAL__NAMED(fal__depthwise_f32);
const fal__depthwise FAL__NAMED(fal__depthwise_f32) = {
    .run = run, .gather = gather, .scatter = scatter, .run_planes = &FAL__NAMED(fal__depthwise_planes_f32)};
