/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_integers.tmpl.h: store functions from one sum type to the five integer types.
 *
 * Parameters: STORE_FROM, STORE_WIDE (an integer of 64 bits at least: a bound of the activation may be
 * beyond the sums). Gives store_i8 .. store_i64 and STORE_INTEGER_ENTRIES.
 */
static void activate(STORE_WIDE *v, int64_t count, const fal__activation *f)
{
    const bool relu = f->kind == FAL_ACTIVATION_RELU;
    const STORE_WIDE low = relu ? 0 : (STORE_WIDE)f->low, high = relu ? INT64_MAX : (STORE_WIDE)f->high;
    for (int64_t i = 0; i < count; i++) {
        const STORE_WIDE raised = v[i] < low ? low : v[i];
        v[i] = !relu && high < raised ? high : raised;
    }
}

#define SAME(v)     ((STORE_FROM)(v))
#define TO_I8(v)    ((int8_t)(v))
#define TO_U8(v)    ((uint8_t)(v))
#define TO_I16(v)   ((int16_t)(v))
#define TO_I32(v)   ((int32_t)(v))
#define TO_I64(v)   ((int64_t)(v))
#define FITS_I8(v)  ((v) == (int8_t)(v))
#define FITS_U8(v)  ((v) == (uint8_t)(v))
#define FITS_I16(v) ((v) == (int16_t)(v))
#define FITS_I32(v) ((v) == (int32_t)(v))
#define FITS_I64(v) ((v) == (int64_t)(v))

#define STORE_NAME    store_i8
#define STORE_TO      int8_t
#define STORE_WIDEN   SAME
#define STORE_CONVERT TO_I8
#define STORE_FITS    FITS_I8
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_u8
#define STORE_TO      uint8_t
#define STORE_WIDEN   SAME
#define STORE_CONVERT TO_U8
#define STORE_FITS    FITS_U8
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_i16
#define STORE_TO      int16_t
#define STORE_WIDEN   SAME
#define STORE_CONVERT TO_I16
#define STORE_FITS    FITS_I16
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_i32
#define STORE_TO      int32_t
#define STORE_WIDEN   SAME
#define STORE_CONVERT TO_I32
#define STORE_FITS    FITS_I32
#include "kernels/generic/store.tmpl.h"
#define STORE_NAME    store_i64
#define STORE_TO      int64_t
#define STORE_WIDEN   SAME
#define STORE_CONVERT TO_I64
#define STORE_FITS    FITS_I64
#include "kernels/generic/store.tmpl.h"

#define STORE_INTEGER_ENTRIES                                                                   \
    {                                                                                           \
        [FAL_I8] = store_i8, [FAL_U8] = store_u8, [FAL_I16] = store_i16, [FAL_I32] = store_i32, \
        [FAL_I64] = store_i64                                                                   \
    }
