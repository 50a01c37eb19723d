/* SPDX-License-Identifier: BSD-3-Clause */
/* transpose_f64.c: the function of kernels/transpose.h for double. */
#include "kernels/transpose.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/transpose.tmpl.h"

extern const fal__transpose_fn FAL__NAMED(fal__transpose_f64);
const fal__transpose_fn FAL__NAMED(fal__transpose_f64) = transpose;
