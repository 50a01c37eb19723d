/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * each_type.tmpl.h: includes the file FAL__TEMPLATE once for each element type.
 *
 * The template finds
 *     T(name)      name_f32, name_i8, ...       ELEMENT   the type in memory
 *     VALUE        in which elements compare    LOAD(e), KEEP(v)  to VALUE and back, exact
 *     SUM          in which a window is summed  SUM_OF(lanes)     the lanes' array of them
 *     BEST_OF      the lanes' array of VALUE    LEAST     the least VALUE: that of no cell at all
 *     WIDE         double or 128 bits           ROUND(w)  a sum as ELEMENT, rounded once; for integers
 *                                               saturated, with `bool fits` of the function cleared
 *     IS_NAN(v)    FLOATING (1 or 0)
 *
 * one_type.tmpl.h includes the template and forgets what belongs to the one type.
 * Sums of 8- and 16-bit integers fit 64 bits for every window that can be walked in a lifetime.
 */
#ifndef FAL__SATURATE
#define FAL__SATURATE
#include <math.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/half.h"
static inline int64_t fal__saturate(fal__int128 v, int64_t least, int64_t greatest, bool *fits)
{
    if (v >= least && v <= greatest) return (int64_t)v;
    *fits = false;
    return v < least ? least : greatest;
}
#endif

/* ---- floating types: sums in double ---- */

#define FLOATING  1
#define IS_NAN(v) ((v) != (v))
#define WIDE      double
#define SUM       double
#define SUM_OF(l) ((l)->sum.f64)

#define T(name)    name##_f32
#define ELEMENT    float
#define VALUE      float
#define BEST_OF(l) ((l)->best.f32)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      (-INFINITY)
#define ROUND(w)   ((float)(w))
#include "operators/one_type.tmpl.h"

#define T(name)    name##_f64
#define ELEMENT    double
#define VALUE      double
#define BEST_OF(l) ((l)->best.f64)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      (-(double)INFINITY)
#define ROUND(w)   (w)
#include "operators/one_type.tmpl.h"

#define T(name)    name##_f16
#define ELEMENT    uint16_t
#define VALUE      float
#define BEST_OF(l) ((l)->best.f32)
#define LOAD(e)    fal__f16_to_f32(e)
#define KEEP(v)    fal__f32_to_f16(v)
#define LEAST      (-INFINITY)
#define ROUND(w)   fal__f64_to_f16(w)
#include "operators/one_type.tmpl.h"

#define T(name)    name##_bf16
#define ELEMENT    uint16_t
#define VALUE      float
#define BEST_OF(l) ((l)->best.f32)
#define LOAD(e)    fal__bf16_to_f32(e)
#define KEEP(v)    fal__f32_to_bf16(v)
#define LEAST      (-INFINITY)
#define ROUND(w)   fal__f64_to_bf16(w)
#include "operators/one_type.tmpl.h"

#undef FLOATING
#undef IS_NAN
#undef WIDE
#undef SUM
#undef SUM_OF

/* ---- integers: exact sums ---- */

#define FLOATING  0
#define IS_NAN(v) false
#define WIDE      fal__int128
#define SUM       int64_t
#define SUM_OF(l) ((l)->sum.i64)

#define T(name)    name##_i8
#define ELEMENT    int8_t
#define VALUE      int8_t
#define BEST_OF(l) ((l)->best.i8)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      INT8_MIN
#define ROUND(w)   ((int8_t)fal__saturate(w, INT8_MIN, INT8_MAX, &fits))
#include "operators/one_type.tmpl.h"

#define T(name)    name##_u8
#define ELEMENT    uint8_t
#define VALUE      uint8_t
#define BEST_OF(l) ((l)->best.u8)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      0
#define ROUND(w)   ((uint8_t)fal__saturate(w, 0, UINT8_MAX, &fits))
#include "operators/one_type.tmpl.h"

#define T(name)    name##_i16
#define ELEMENT    int16_t
#define VALUE      int16_t
#define BEST_OF(l) ((l)->best.i16)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      INT16_MIN
#define ROUND(w)   ((int16_t)fal__saturate(w, INT16_MIN, INT16_MAX, &fits))
#include "operators/one_type.tmpl.h"

#undef SUM
#undef SUM_OF
#define SUM       fal__int128
#define SUM_OF(l) ((l)->sum.i128)

#define T(name)    name##_i32
#define ELEMENT    int32_t
#define VALUE      int32_t
#define BEST_OF(l) ((l)->best.i32)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      INT32_MIN
#define ROUND(w)   ((int32_t)fal__saturate(w, INT32_MIN, INT32_MAX, &fits))
#include "operators/one_type.tmpl.h"

#define T(name)    name##_i64
#define ELEMENT    int64_t
#define VALUE      int64_t
#define BEST_OF(l) ((l)->best.i64)
#define LOAD(e)    (e)
#define KEEP(v)    (v)
#define LEAST      INT64_MIN
#define ROUND(w)   fal__saturate(w, INT64_MIN, INT64_MAX, &fits)
#include "operators/one_type.tmpl.h"

#undef FLOATING
#undef IS_NAN
#undef WIDE
#undef SUM
#undef SUM_OF
#undef FAL__TEMPLATE
