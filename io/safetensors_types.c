/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors_types.c: see safetensors.h. BOOL is read as u8, so u8 is looked up from the end. */
#include "io/safetensors.h"

const io_safetensors_type io_safetensors_types[] = {
    {"BOOL", FAL_U8, 8},
    {"F4", FAL_DTYPE_NONE, 4},
    {"F6_E2M3", FAL_DTYPE_NONE, 6},
    {"F6_E3M2", FAL_DTYPE_NONE, 6},
    {"U8", FAL_U8, 8},
    {"I8", FAL_I8, 8},
    {"F8_E5M2", FAL_DTYPE_NONE, 8},
    {"F8_E4M3", FAL_DTYPE_NONE, 8},
    {"F8_E8M0", FAL_DTYPE_NONE, 8},
    {"F8_E4M3FNUZ", FAL_DTYPE_NONE, 8},
    {"F8_E5M2FNUZ", FAL_DTYPE_NONE, 8},
    {"I16", FAL_I16, 16},
    {"U16", FAL_DTYPE_NONE, 16},
    {"F16", FAL_F16, 16},
    {"BF16", FAL_BF16, 16},
    {"I32", FAL_I32, 32},
    {"U32", FAL_DTYPE_NONE, 32},
    {"F32", FAL_F32, 32},
    {"C64", FAL_DTYPE_NONE, 64},
    {"F64", FAL_F64, 64},
    {"I64", FAL_I64, 64},
    {"U64", FAL_DTYPE_NONE, 64},
    {NULL, FAL_DTYPE_NONE, 0},
};
