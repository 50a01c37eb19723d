/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_set.c: the table of one level; src/kernels/kernels.c picks among the levels. */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

extern const fal__compute FAL__NAMED(fal__compute_f32), FAL__NAMED(fal__compute_f64),
    FAL__NAMED(fal__compute_i32), FAL__NAMED(fal__compute_i64), FAL__NAMED(fal__compute_i128);

extern const fal__sample_kernels FAL__NAMED(fal__samples_f32), FAL__NAMED(fal__samples_f64);
extern const fal__window_kernels FAL__NAMED(fal__windows_f32), FAL__NAMED(fal__windows_f64);

extern const fal__kernel_set FAL__NAMED(fal__kernel_set);
const fal__kernel_set FAL__NAMED(fal__kernel_set) = {
    .level = FAL__LEVEL_NAME,
    .compute = {[FAL__F32] = &FAL__NAMED(fal__compute_f32),
                [FAL__F64] = &FAL__NAMED(fal__compute_f64),
                [FAL__I32] = &FAL__NAMED(fal__compute_i32),
                [FAL__I64] = &FAL__NAMED(fal__compute_i64),
                [FAL__I128] = &FAL__NAMED(fal__compute_i128)},
    .samples = {[FAL_F32] = &FAL__NAMED(fal__samples_f32), [FAL_F64] = &FAL__NAMED(fal__samples_f64)},
    .windows = {[FAL_F32] = &FAL__NAMED(fal__windows_f32), [FAL_F64] = &FAL__NAMED(fal__windows_f64)},
};
