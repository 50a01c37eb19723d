/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * activation.h: fal_activation resolved, and as a function of one number.
 *
 * The reference applies it in double, the kernels in the type of their sums; all with the same
 * comparisons, so that a NaN stays one, -0 stays -0 under RELU, and hard-swish is exactly v from 3 on.
 * Used by geometry (checks), reference and kernels.
 */
#ifndef FAL_BASE_ACTIVATION_H
#define FAL_BASE_ACTIVATION_H

#include <math.h>

#include "base/compiler.h"
#include "faltung.h"

typedef struct fal__activation {
    fal_activation kind;
    double low, high, slope; /* where `kind` has no use for one, it is 0 */
} fal__activation;

/* Defaults filled in; params may be NULL. */
static inline fal__activation fal__activation_of(const fal_conv_params *params)
{
    fal__activation f = {.kind = params != NULL ? params->activation : FAL_ACTIVATION_NONE};
    if (f.kind == FAL_ACTIVATION_CLAMP) {
        f.low = params->activation_low;
        f.high = params->activation_high;
    }
    if (f.kind == FAL_ACTIVATION_LEAKY_RELU)
        f.slope = params->activation_slope != 0 ? params->activation_slope : 0.01;
    return f;
}

static inline double fal__clamp_f64(double v, double low, double high)
{
    const double raised = v < low ? low : v;
    return high < raised ? high : raised;
}

static inline double fal__activate_f64(double v, const fal__activation *f)
{
    switch (f->kind) {
    case FAL_ACTIVATION_RELU: return v < 0 ? 0 : v;
    case FAL_ACTIVATION_CLAMP: return fal__clamp_f64(v, f->low, f->high);
    case FAL_ACTIVATION_LEAKY_RELU: return v < 0 ? f->slope * v : v;
    case FAL_ACTIVATION_HARD_SWISH: return v * (fal__clamp_f64(v + 3, 0, 6) / 6);
    case FAL_ACTIVATION_NONE: break;
    }
    return v;
}

/* Integers have RELU and CLAMP with whole bounds of less than 2^63. */
static inline fal__int128 fal__activate_i128(fal__int128 v, const fal__activation *f)
{
    if (f->kind == FAL_ACTIVATION_RELU) return v < 0 ? 0 : v;
    if (f->kind != FAL_ACTIVATION_CLAMP) return v;
    const int64_t low = (int64_t)f->low, high = (int64_t)f->high;
    const fal__int128 raised = v < low ? low : v;
    return high < raised ? high : raised;
}

/* By how much an error of v may grow: the greatest slope. */
static inline double fal__activation_steepest(const fal__activation *f)
{
    if (f->kind == FAL_ACTIVATION_LEAKY_RELU) return fabs(f->slope) > 1 ? fabs(f->slope) : 1;
    return f->kind == FAL_ACTIVATION_HARD_SWISH ? 1.5 : 1;
}

#endif
