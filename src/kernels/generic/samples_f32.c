/* SPDX-License-Identifier: BSD-3-Clause */
/* samples_f32.c: the functions of kernels/samples.h for float. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE float
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses it. */
#include "kernels/generic/samples.tmpl.h"

extern const fal__sample_kernels FAL__NAMED(fal__samples_f32);
const fal__sample_kernels FAL__NAMED(fal__samples_f32) = {.gather = gather, .scatter = scatter, .dots = dots};
