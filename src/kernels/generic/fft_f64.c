/* SPDX-License-Identifier: BSD-3-Clause */
/* fft_f64.c: Fourier transforms for f64; see kernels/fft.h. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE double
#include "kernels/generic/lanes.tmpl.h"

#include "kernels/generic/fft_butterflies.tmpl.h"
#include "kernels/generic/fft_lines.tmpl.h"
#include "kernels/generic/fft_products.tmpl.h"
#include "kernels/generic/fft_spectra.tmpl.h"

extern const fal__fft FAL__NAMED(fal__fft_f64);
const fal__fft FAL__NAMED(fal__fft_f64) = {
    .lanes = LANES,
    .tiles_max = FFT_TILES,
    .radices = {{2, 12}, {3, 20}, {4, 27}, {5, 42}, {6, 38}, {8, 60}, {9, 74}, {10, 84}, {12, 115}, {0, 0}},
    .transform = fft_transform,
    .separate = fft_separate,
    .combine = fft_combine,
    .multiply = fft_multiply,
    .conjugate = fft_conjugate,
    .products = fft_products,
};
