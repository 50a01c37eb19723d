/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dtype.c: the facts of the element types, one row each.
 *
 * Everything that only depends on the type is asked here; converting values is convert.c.
 */
#include <string.h>

#include "faltung.h"

static const struct {
    fal_dtype dtype;
    const char *name, *long_name;
    size_t bytes;
    bool integer;
} dtypes[] = {
    {FAL_F32, "f32", "float32", 4, false}, {FAL_F64, "f64", "float64", 8, false},
    {FAL_F16, "f16", "float16", 2, false}, {FAL_BF16, "bf16", "bfloat16", 2, false},
    {FAL_I8, "i8", "int8", 1, true},       {FAL_U8, "u8", "uint8", 1, true},
    {FAL_I16, "i16", "int16", 2, true},    {FAL_I32, "i32", "int32", 4, true},
    {FAL_I64, "i64", "int64", 8, true},
};

enum { DTYPES = sizeof dtypes / sizeof *dtypes };

/* Row of a type, or DTYPES. Rows stand in the order of the numbers, which begin at 1. */
static size_t row_of(fal_dtype dtype)
{
    size_t row = (size_t)dtype - 1;
    return row < DTYPES ? row : DTYPES;
}

size_t fal_dtype_bytes(fal_dtype dtype)
{
    size_t row = row_of(dtype);
    return row < DTYPES ? dtypes[row].bytes : 0;
}

const char *fal_dtype_name(fal_dtype dtype)
{
    size_t row = row_of(dtype);
    return row < DTYPES ? dtypes[row].name : "none";
}

fal_dtype fal_dtype_parse(const char *name)
{
    if (name == NULL) return FAL_DTYPE_NONE;
    for (size_t i = 0; i < DTYPES; i++)
        if (strcmp(name, dtypes[i].name) == 0 || strcmp(name, dtypes[i].long_name) == 0)
            return dtypes[i].dtype;
    return FAL_DTYPE_NONE;
}

bool fal_dtype_is_integer(fal_dtype dtype)
{
    size_t row = row_of(dtype);
    return row < DTYPES && dtypes[row].integer;
}
