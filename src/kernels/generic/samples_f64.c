/* SPDX-License-Identifier: BSD-3-Clause */
/* samples_f64.c: the functions of kernels/samples.h for double. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses it. */
#include "kernels/generic/samples.tmpl.h"

extern const fal__sample_kernels FAL__NAMED(fal__samples_f64);
const fal__sample_kernels FAL__NAMED(fal__samples_f64) = {.gather = gather, .scatter = scatter, .dots = dots};
