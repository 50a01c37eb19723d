/* SPDX-License-Identifier: BSD-3-Clause */
/* row_sums.c: the table of row_sums.h. */
#include "operators/row_sums.h"

#define FAL__TEMPLATE "operators/row_sums.tmpl.h"
#include "operators/each_type.tmpl.h"

const fal__row_sums *fal__row_sums_for(fal_dtype dtype)
{
    static const fal__row_sums *const table[] = {
        [FAL_F32] = &row_sums_f32,   [FAL_F64] = &row_sums_f64, [FAL_F16] = &row_sums_f16,
        [FAL_BF16] = &row_sums_bf16, [FAL_I8] = &row_sums_i8,   [FAL_U8] = &row_sums_u8,
        [FAL_I16] = &row_sums_i16,   [FAL_I32] = &row_sums_i32, [FAL_I64] = &row_sums_i64};
    return table[dtype];
}
