/* SPDX-License-Identifier: BSD-3-Clause */
/* windows_f64.c: the functions of kernels/windows.h for double. */
#include <math.h>
#include <stdbool.h>

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE  double
#define LANES_INDEX int64_t
#include "kernels/generic/lanes.tmpl.h"
/* What follows uses it. */
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#include "kernels/generic/windows.tmpl.h"
/* And of this. */
#include "kernels/generic/windows_mean.tmpl.h"

extern const fal__window_kernels FAL__NAMED(fal__windows_f64);
const fal__window_kernels FAL__NAMED(fal__windows_f64) = {
    .max = max, .max_index = max_index, .mean = mean, .row_sums = row_sums, .mean_of_sums = mean_of_sums};
