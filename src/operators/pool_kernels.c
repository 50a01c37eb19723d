/* SPDX-License-Identifier: BSD-3-Clause */
/* pool_kernels.c: the table of pool_kernels.h. */
#include "operators/pool_kernels.h"

enum { GROUP = 8 };

#define FAL__TEMPLATE "operators/pool_kernels.tmpl.h"
#include "operators/each_type.tmpl.h"

const fal__pool_kernels *fal__pool_kernels_for(fal_dtype dtype)
{
    static const fal__pool_kernels *const table[] = {
        [FAL_F32] = &kernels_f32,   [FAL_F64] = &kernels_f64, [FAL_F16] = &kernels_f16,
        [FAL_BF16] = &kernels_bf16, [FAL_I8] = &kernels_i8,   [FAL_U8] = &kernels_u8,
        [FAL_I16] = &kernels_i16,   [FAL_I32] = &kernels_i32, [FAL_I64] = &kernels_i64};
    return table[dtype];
}
