/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * problem.h: one layer in one layout, resolved: every tensor that takes part, and what there is to count.
 */
#ifndef FALTUNG_BENCH_PROBLEM_H
#define FALTUNG_BENCH_PROBLEM_H

#include "bench/layer.h"

typedef struct bench_problem {
    bench_operator op;
    /* x, w and y; no bias. fold writes x from the columns y; what has no weights has no w. */
    fal_operands operands;
    fal_tensor offset, mask;       /* of deformable convolution, or of rank 0 */
    fal_deform_operands gradients; /* what deform-grad writes: x, offset, mask, w */
    fal_conv_params params;
    fal_pool_params pool;
    fal_upsample_params upsample;
    fal_conv_geometry geometry; /* where there is a window or a weight */
    double flops;        /* 2 * multiply-adds, padding counted; 0: this only moves or compares numbers */
    double bytes;        /* all tensors, each once */
    int64_t work;        /* elements touched, roughly */
    fal_context context; /* threads (at least 1) and instruction set; its error is the race's */
} bench_problem;

/* The shapes and counts alone, without data; refuses a layer that cannot be. */
fal_status bench_describe(const bench_layer *layer, fal_layout layout, bench_problem *problem,
                          fal_error *error);

/* Is it fal_plan's: a convolution or a gradient of one? */
bool bench_has_plan(bench_operator op);

/* All tensors of a problem, x, w and y first. Returns how many. */
enum { BENCH_TENSORS = 9 };
int bench_tensors(bench_problem *problem, fal_tensor *tensors[BENCH_TENSORS]);

/* The tensor that the operator writes (of deform-grad the gradient of x). */
const fal_tensor *bench_result(const bench_problem *problem);

#endif
