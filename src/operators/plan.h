/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.h: what a fal_plan holds. Made by plan_create.c, run by plan_execute.c, told by explain.c.
 *
 * One block of memory: the struct, then its program. Immutable once created.
 */
#ifndef FAL_OPERATORS_PLAN_H
#define FAL_OPERATORS_PLAN_H

#include "operators/border_adjoint.h"
#include "planner/program.h"

struct fal_plan {
    size_t bytes; /* of the block */
    fal_allocator allocator;
    fal_executor executor;
    fal_cpu_level cpu;
    int32_t threads;
    double cycles_per_second; /* 0: not known */
    fal__machine machine;     /* what the solvers were asked with */
    fal_operator op;
    fal_operands operands; /* shapes, strides and types; no data */
    fal_conv_geometry geometry;
    fal__adjoint adjoint;
    fal__program program;
    uint64_t fingerprint; /* of everything that packed weights depend on */
    fal_plan_info info;
};

/* Packed weights begin with this, then the program's. */
typedef struct fal__packed_header {
    uint64_t magic, fingerprint;
} fal__packed_header;
#define FAL__PACKED_MAGIC UINT64_C(0x66616c5061636b31) /* "falPack1" */
enum { FAL__PACKED_HEADER = 64 };

/* fal_plan_create; `at_once`: for one execution with these operands, which must be ready for it. */
fal_status fal__plan_create(const fal_context *context, fal_operator op, const fal_operands *operands,
                            const fal_conv_params *params, bool at_once, fal_plan **plan);

/* Forward operators and input gradients have weights to pack. */
bool fal__plan_packs(const fal_plan *plan);

#endif
