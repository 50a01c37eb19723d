/* SPDX-License-Identifier: BSD-3-Clause */
/* depthwise_f64.c: the functions of kernels/depthwise.h for double. */
#include "kernels/depthwise.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/depthwise.tmpl.h"
#include "kernels/generic/depthwise_move.tmpl.h"

extern const fal__depthwise FAL__NAMED(fal__depthwise_f64);
const fal__depthwise FAL__NAMED(fal__depthwise_f64) = {.run = run, .gather = gather, .scatter = scatter};
