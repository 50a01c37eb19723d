/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * convert.c: rows of elements, moved and converted.
 *
 * Nine types would make 81 pairs. Instead a row passes in pieces through one of two wide types that
 * hold every value of their family exactly:
 *
 *     f32 f64 f16 bf16     -> double  -> any type
 *     i8 u8 i16 i32 i64    -> int64_t -> any type
 *
 * so there are 9 readers and 18 writers, each one loop, and exactly one rounding, in the writer. The
 * pieces stay in the first-level cache. Equal types skip this and are moved by size.
 *
 * Rounding is decided on the value, not by the rounding mode of the thread.
 */
#include "tensor/convert.h"

#include <string.h>

#include "base/checked.h"
#include "base/half.h"
#include "tensor/rows.h"
#include "tensor/tensor.h"

enum { PIECE = 256 }; /* elements; 2 KiB on the stack */

/* ---- one value ------------------------------------------------------------------------------- */

/* Nearest integer, ties to even, saturated to 64 bits; NaN gives 0. */
static int64_t to_integer(double value)
{
    if (value != value) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    if (value < -0x1p63) return INT64_MIN;
    int64_t whole = (int64_t)value;
    double rest = value - (double)whole; /* exact: beyond 2^52 it is 0 */
    if (rest > 0.5 || (rest == 0.5 && whole % 2 != 0)) return whole + 1;
    if (rest < -0.5 || (rest == -0.5 && whole % 2 != 0)) return whole - 1;
    return whole;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* A double that any narrowing to 51 bits or fewer rounds as it would round `value`: what does not
 * fit 53 bits is folded into the last place (round to odd), so it still tells a tie from a near tie. */
static double to_double_odd(int64_t value)
{
    const int64_t limit = (int64_t)1 << 53, lost = 1023; /* 63 - 53 = 10 bits */
    if (value > -limit && value < limit) return (double)value;
    if (value == INT64_MIN) return -0x1p63;
    int64_t magnitude = value < 0 ? -value : value;
    int64_t odd = (magnitude & ~lost) | ((magnitude & lost) != 0 ? lost + 1 : 0);
    return value < 0 ? -(double)odd : (double)odd;
}

/* ---- readers --------------------------------------------------------------------------------- */

static void read_floats(fal__row src, int64_t count, double *out)
{
    const int64_t s = src.stride;
    const float *f32 = src.data;
    const double *f64 = src.data;
    const uint16_t *half = src.data;
    switch (src.dtype) {
    case FAL_F32:
        for (int64_t i = 0; i < count; i++) out[i] = (double)f32[i * s];
        return;
    case FAL_F64:
        for (int64_t i = 0; i < count; i++) out[i] = f64[i * s];
        return;
    case FAL_F16:
        for (int64_t i = 0; i < count; i++) out[i] = (double)fal__f16_to_f32(half[i * s]);
        return;
    case FAL_BF16:
        for (int64_t i = 0; i < count; i++) out[i] = (double)fal__bf16_to_f32(half[i * s]);
        return;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = 0;
    }
}

static void read_integers(fal__row src, int64_t count, int64_t *out)
{
    const int64_t s = src.stride;
    const int8_t *i8 = src.data;
    const uint8_t *u8 = src.data;
    const int16_t *i16 = src.data;
    const int32_t *i32 = src.data;
    const int64_t *i64 = src.data;
    switch (src.dtype) {
    case FAL_I8:
        for (int64_t i = 0; i < count; i++) out[i] = i8[i * s];
        return;
    case FAL_U8:
        for (int64_t i = 0; i < count; i++) out[i] = u8[i * s];
        return;
    case FAL_I16:
        for (int64_t i = 0; i < count; i++) out[i] = i16[i * s];
        return;
    case FAL_I32:
        for (int64_t i = 0; i < count; i++) out[i] = i32[i * s];
        return;
    case FAL_I64:
        for (int64_t i = 0; i < count; i++) out[i] = i64[i * s];
        return;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = 0;
    }
}

/* ---- writers --------------------------------------------------------------------------------- */

/* Integers to integers; returns whether all fitted. */
static bool write_integers(const int64_t *in, int64_t count, fal__row dst)
{
    const int64_t s = dst.stride;
    int8_t *i8 = dst.data;
    uint8_t *u8 = dst.data;
    int16_t *i16 = dst.data;
    int32_t *i32 = dst.data;
    int64_t *i64 = dst.data;
    bool fits = true;
    switch (dst.dtype) {
    case FAL_I8:
        for (int64_t i = 0; i < count; i++)
            fits &= (i8[i * s] = (int8_t)clamp(in[i], INT8_MIN, INT8_MAX)) == in[i];
        break;
    case FAL_U8:
        for (int64_t i = 0; i < count; i++)
            fits &= (u8[i * s] = (uint8_t)clamp(in[i], 0, UINT8_MAX)) == in[i];
        break;
    case FAL_I16:
        for (int64_t i = 0; i < count; i++)
            fits &= (i16[i * s] = (int16_t)clamp(in[i], INT16_MIN, INT16_MAX)) == in[i];
        break;
    case FAL_I32:
        for (int64_t i = 0; i < count; i++)
            fits &= (i32[i * s] = (int32_t)clamp(in[i], INT32_MIN, INT32_MAX)) == in[i];
        break;
    case FAL_I64:
        for (int64_t i = 0; i < count; i++) i64[i * s] = in[i];
        break;
    default: break;
    }
    return fits;
}

/* Integers to floats. bf16 goes by way of double, which alone could round twice; f16 overflows to
 * infinity long before a double becomes inexact. */
static void write_integers_as_floats(const int64_t *in, int64_t count, fal__row dst)
{
    const int64_t s = dst.stride;
    float *f32 = dst.data;
    double *f64 = dst.data;
    uint16_t *half = dst.data;
    switch (dst.dtype) {
    case FAL_F32:
        for (int64_t i = 0; i < count; i++) f32[i * s] = (float)in[i];
        return;
    case FAL_F64:
        for (int64_t i = 0; i < count; i++) f64[i * s] = (double)in[i];
        return;
    case FAL_F16:
        for (int64_t i = 0; i < count; i++) half[i * s] = fal__f64_to_f16((double)in[i]);
        return;
    case FAL_BF16:
        for (int64_t i = 0; i < count; i++) half[i * s] = fal__f64_to_bf16(to_double_odd(in[i]));
        return;
    default: return;
    }
}

static void write_floats(const double *in, int64_t count, fal__row dst)
{
    const int64_t s = dst.stride;
    float *f32 = dst.data;
    double *f64 = dst.data;
    uint16_t *half = dst.data;
    switch (dst.dtype) {
    case FAL_F32:
        for (int64_t i = 0; i < count; i++) f32[i * s] = (float)in[i];
        return;
    case FAL_F64:
        for (int64_t i = 0; i < count; i++) f64[i * s] = in[i];
        return;
    case FAL_F16:
        for (int64_t i = 0; i < count; i++) half[i * s] = fal__f64_to_f16(in[i]);
        return;
    case FAL_BF16:
        for (int64_t i = 0; i < count; i++) half[i * s] = fal__f64_to_bf16(in[i]);
        return;
    default: return;
    }
}

/* Floats to integers: round, then saturate as integers do. */
static void write_floats_as_integers(const double *in, int64_t count, fal__row dst)
{
    int64_t whole[PIECE];
    for (int64_t i = 0; i < count; i++) whole[i] = to_integer(in[i]);
    (void)write_integers(whole, count, dst);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static fal__row row_at(fal__row row, int64_t i)
{
    row.data = (char *)row.data + i * row.stride * (int64_t)fal_dtype_bytes(row.dtype);
    return row;
}

void fal__convert_row(fal__row src, fal__row dst, int64_t count)
{
    if (src.dtype == dst.dtype) { /* the bits move unchanged: a signalling NaN stays one */
        fal__move_row(dst.data, dst.stride, src.data, src.stride, count, fal_dtype_bytes(src.dtype));
        return;
    }
    bool from_integer = fal_dtype_is_integer(src.dtype), to_integers = fal_dtype_is_integer(dst.dtype);
    int64_t integers[PIECE];
    double floats[PIECE];
    for (int64_t first = 0; first < count; first += PIECE) {
        int64_t piece = fal__min(PIECE, count - first);
        fal__row from = row_at(src, first), to = row_at(dst, first);
        if (from_integer) {
            read_integers(from, piece, integers);
            if (to_integers)
                (void)write_integers(integers, piece, to);
            else
                write_integers_as_floats(integers, piece, to);
        } else {
            read_floats(from, piece, floats);
            if (to_integers)
                write_floats_as_integers(floats, piece, to);
            else
                write_floats(floats, piece, to);
        }
    }
}

/* ---- single elements ------------------------------------------------------------------------- */

/* A row of one element. Loads only read through it. */
static fal__row row_of_one(const void *p, fal_dtype dtype)
{
    fal__row row = {.dtype = dtype, .stride = 1};
    memcpy(&row.data, &p, sizeof p); /* drops const */
    return row;
}

double fal__load_f64(const void *p, fal_dtype dtype)
{
    if (fal_dtype_is_integer(dtype)) return (double)fal__load_i64(p, dtype);
    double value;
    read_floats(row_of_one(p, dtype), 1, &value);
    return value;
}

int64_t fal__load_i64(const void *p, fal_dtype dtype)
{
    if (!fal_dtype_is_integer(dtype)) return to_integer(fal__load_f64(p, dtype));
    int64_t value;
    read_integers(row_of_one(p, dtype), 1, &value);
    return value;
}

void fal__store_f64(void *p, fal_dtype dtype, double value)
{
    if (fal_dtype_is_integer(dtype))
        (void)fal__store_i64(p, dtype, to_integer(value));
    else
        write_floats(&value, 1, row_of_one(p, dtype));
}

bool fal__store_i64(void *p, fal_dtype dtype, int64_t value)
{
    if (fal_dtype_is_integer(dtype)) return write_integers(&value, 1, row_of_one(p, dtype));
    write_integers_as_floats(&value, 1, row_of_one(p, dtype));
    return true;
}
