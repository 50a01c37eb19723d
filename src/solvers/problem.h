/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * problem.h: the one operator.
 *
 *     y[n,g,oc,o] = f(beta*y + bias[g,oc] + sum over ic, t of  x~[n,g,ic, o*s + t*d - begin] * w[g,oc,ic,t])
 *
 * Convolution, its transpose and their gradients in 1-D to 3-D, in every layout, are instances:
 * operators/ rewrites them by choosing strides, bases and roles, planner/ picks a solver, and a
 * solver computes exactly this and knows nothing else. x~ is x continued by `mode` beyond its ends, f the
 * activation.
 *
 * Spatial axes are always three; missing ones come first with size 1. All strides and bases count
 * elements and may be negative. Example, one phase of a transposed convolution: y_base and axis[].ys
 * address every s-th output, w_base and axis[].ws every (s/gcd)-th tap backwards.
 */
#ifndef FAL_SOLVERS_PROBLEM_H
#define FAL_SOLVERS_PROBLEM_H

#include "kernels/kernels.h"

/* Which operand of the caller (fal_operands) plays a part in the problem. */
typedef enum fal__role { FAL__ROLE_X, FAL__ROLE_W, FAL__ROLE_Y, FAL__ROLE_BIAS, FAL__ROLE_SCRATCH } fal__role;
enum { FAL__ROLES = FAL__ROLE_SCRATCH + 1 };

typedef struct fal__problem_axis {
    int64_t in, out, k;  /* sizes */
    int64_t s, d, begin; /* input position = o*s + t*d - begin; s > 0, d of any sign */
    int64_t xs, ws, ys;  /* element strides of x, w, y along this axis */
} fal__problem_axis;

typedef struct fal__problem {
    fal_dtype dtype;           /* of x and w */
    fal_dtype y_dtype;         /* the same, or for integers any integer type */
    int64_t n, groups, ic, oc; /* ic, oc of one group */
    fal__problem_axis axis[FAL_MAX_SPATIAL];
    int64_t x_n, x_g, x_ic, x_base; /* element strides and the offset of the first element */
    int64_t w_g, w_oc, w_ic, w_base;
    int64_t y_n, y_g, y_oc, y_base;
    int64_t b_g, b_oc; /* bias strides; the bias is used when has_bias */
    bool has_bias;
    fal_padding_mode mode;
    double padding_value;
    double beta;
    fal__activation activation; /* y = f(beta*y + sum); see fal__activation_or_null */
    fal_accuracy accuracy;      /* strict: one sum per output, in the order of parts/reduction.h */
    fal__role x_role, w_role, y_role;
    int32_t kernel_rank; /* of weights given while planning: parts/separable_terms.h; else 0 */
} fal__problem;

/* The activation as kernels take it: NULL where there is none. */
static inline const fal__activation *fal__activation_or_null(const fal__problem *problem)
{
    return problem->activation.kind != FAL_ACTIVATION_NONE ? &problem->activation : NULL;
}

#endif
