/* SPDX-License-Identifier: BSD-3-Clause */
/* grouped_f64.c: the function of kernels/grouped.h for double. */
#include "kernels/grouped.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/grouped_spread.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/grouped_sums.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/grouped_whole.tmpl.h"
/* What follows uses these. */
#include "kernels/generic/grouped.tmpl.h"

extern const fal__grouped_fn FAL__NAMED(fal__grouped_f64);
const fal__grouped_fn FAL__NAMED(fal__grouped_f64) = run;
