/* SPDX-License-Identifier: BSD-3-Clause */
/* transpose_f32.c: the function of kernels/transpose.h for float. */
#include "kernels/transpose.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE float
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/transpose.tmpl.h"

extern const fal__transpose_fn FAL__NAMED(fal__transpose_f32);
const fal__transpose_fn FAL__NAMED(fal__transpose_f32) = transpose;
