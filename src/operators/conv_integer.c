/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv_integer.c: convolution of 8-bit integers with zero points.
 *
 *     y = sum over ic, t of (x - x_zero) * (w - w_zero[oc])       exact, or FAL_E_OVERFLOW
 *
 * The differences are written to temporaries of one integer type and convolved exactly. Padding then is the
 * number 0, which is what x_zero on the border means. The type is the narrowest that holds what the operands'
 * types allow: i8 or u8 where zero points permit (both 0, or u8 around 128 beside i8), whose products are
 * summed in 32 bits while they provably fit; else i16, whose differences lie in -255..255 and whose sums are
 * 64 bits wide. Either way a sum that y cannot hold is found and refused.
 */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "geometry/geometry.h"
#include "geometry/operands.h"
#include "planner/context.h"
#include "tensor/tensor.h"

typedef struct range {
    int64_t low, high;
} range;

typedef struct job {
    fal__setting setting;
    const fal_tensor *x, *w, *w_zero, *y;
    int64_t x_zero;
    fal_conv_params params;
    fal_conv_geometry geometry;
    fal_dtype dtype; /* of the differences */
} job;

static range range_of(fal_dtype dtype)
{
    return dtype == FAL_I8 ? (range){INT8_MIN, INT8_MAX} : (range){0, UINT8_MAX};
}

static bool holds(fal_dtype dtype, range r)
{
    const range all = range_of(dtype);
    return r.low >= all.low && r.high <= all.high;
}

/* ---- Checks ---- */

static fal_status check_8_bits(const fal_tensor *t, const char *name, fal_error *error)
{
    FAL__TRY(fal_tensor_check(t, name, error));
    if (t->dtype == FAL_I8 || t->dtype == FAL_U8) return FAL_OK;
    fal__fail(error, FAL_E_DTYPE, name, "%s is %s", name, fal_dtype_name(t->dtype));
    return fal__allowed(error, FAL_E_DTYPE, "must be i8 or u8");
}

static fal_status check_x_zero(const job *j)
{
    const range r = range_of(j->x->dtype);
    if (j->x_zero >= r.low && j->x_zero <= r.high) return FAL_OK;
    fal__fail(j->setting.error, FAL_E_VALUE, "x_zero", "x_zero is %" PRId64, j->x_zero);
    return fal__allowed(j->setting.error, FAL_E_VALUE, "must be %" PRId64 "..%" PRId64 " as %s", r.low,
                        r.high, fal_dtype_name(j->x->dtype));
}

static fal_status check_w_zero(const job *j)
{
    fal_error *error = j->setting.error;
    const fal_tensor *t = j->w_zero;
    if (t == NULL) return FAL_OK;
    FAL__TRY(fal_tensor_check(t, "w_zero", error));
    if (t->dtype != j->w->dtype) {
        fal__fail(error, FAL_E_DTYPE, "w_zero", "w is %s, w_zero is %s", fal_dtype_name(j->w->dtype),
                  fal_dtype_name(t->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "types must be equal");
    }
    const bool one = fal_tensor_count(t) == 1;
    if (!one && (t->rank != 1 || t->shape[0] != j->geometry.out_channels)) {
        char shape[FAL__LIST_TEXT];
        fal__shape_text(t, shape, sizeof shape);
        fal__fail(error, FAL_E_SHAPE, "w_zero", "w_zero is %s", shape);
        return fal__allowed(error, FAL_E_SHAPE, "must be one element, or (%" PRId64 ")",
                            j->geometry.out_channels);
    }
    return fal__tensor_check_align(t, "w_zero", error);
}

/* The geometry looks at shapes: for it both operands have the type of the differences. */
static fal_status check(job *j)
{
    fal_error *error = j->setting.error;
    FAL__TRY(check_8_bits(j->x, "x", error));
    FAL__TRY(check_8_bits(j->w, "w", error));
    FAL__TRY(check_x_zero(j));
    FAL__TRY(fal__check_border(j->x, &j->params, error));
    FAL__TRY(fal__tensor_check_output(j->y, "y", error));
    if (j->y->dtype != FAL_I32) {
        fal__fail(error, FAL_E_DTYPE, "y", "y is %s", fal_dtype_name(j->y->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "must be i32");
    }
    fal_operands like = {.x = *j->x, .w = *j->w, .y = *j->y};
    like.x.dtype = like.w.dtype = FAL_I16;
    FAL__TRY(fal__operands_check(FAL_OP_CONV, &like, &j->params, false, &j->geometry, error));
    FAL__TRY(fal__tensor_check_align(j->x, "x", error));
    FAL__TRY(fal__tensor_check_align(j->w, "w", error));
    FAL__TRY(fal__tensor_check_align(j->y, "y", error));
    FAL__TRY(check_w_zero(j));
    FAL__TRY(fal__tensor_check_alias(j->y, "y", j->x, "x", error));
    FAL__TRY(fal__tensor_check_alias(j->y, "y", j->w, "w", error));
    return j->w_zero == NULL ? FAL_OK : fal__tensor_check_alias(j->y, "y", j->w_zero, "w_zero", error);
}

/* ---- Differences ---- */

static int64_t w_zero_of(const job *j, int64_t oc)
{
    if (j->w_zero == NULL) return 0;
    int64_t index[FAL_MAX_RANK] = {0};
    if (fal_tensor_count(j->w_zero) > 1) index[0] = oc;
    return fal_tensor_get_int(j->w_zero, index);
}

/* What the differences can be, by the types alone. */
static fal_dtype difference_type(const job *j)
{
    range x = range_of(j->x->dtype), w = range_of(j->w->dtype), zero = {w_zero_of(j, 0), w_zero_of(j, 0)};
    for (int64_t oc = 1; oc < j->geometry.out_channels; oc++) {
        zero.low = fal__min(zero.low, w_zero_of(j, oc));
        zero.high = fal__max(zero.high, w_zero_of(j, oc));
    }
    x.low -= j->x_zero, x.high -= j->x_zero;
    w.low -= zero.high, w.high -= zero.low;
    if (holds(FAL_I8, x) && holds(FAL_I8, w)) return FAL_I8;
    return holds(FAL_U8, x) && holds(FAL_U8, w) ? FAL_U8 : FAL_I16;
}

/* to = from - zero, where `axis` (or -1) is the axis along which the zero points of w lie. */
static void subtract(const job *j, const fal_tensor *from, int32_t axis, const fal_tensor *to)
{
    const int32_t last = from->rank - 1;
    const int64_t count = fal_tensor_count(from), length = from->shape[last];
    const int64_t bytes = (int64_t)fal_dtype_bytes(to->dtype),
                  step = from->shape[last] > 1 ? from->strides[last] : 0;
    char *out = to->data;
    int64_t index[FAL_MAX_RANK] = {0};
    for (int64_t done = 0; done < count; done += length) {
        const char *in = fal__tensor_at(from, index);
        for (int64_t i = 0; i < length; i++, in += step, out += bytes) {
            const int64_t zero = axis < 0 ? j->x_zero : w_zero_of(j, axis == last ? i : index[axis]);
            fal__store_i64(out, to->dtype, fal__load_i64(in, from->dtype) - zero);
        }
        for (int32_t a = last - 1; a >= 0 && ++index[a] == from->shape[a]; a--) index[a] = 0;
    }
}

/* A row-major twin of t in the type of the differences. */
static fal_status make_twin(const job *j, const fal_tensor *t, const char *what, fal_tensor *twin)
{
    *twin = fal_tensor_of(NULL, j->dtype, t->rank, t->shape);
    if (twin->dtype != j->dtype)
        return fal__fail(j->setting.error, FAL_E_OVERFLOW, what, "the %s overflow 64 bits", what);
    return fal__allocate(&j->setting.allocator, (size_t)fal_tensor_count(twin) * fal_dtype_bytes(j->dtype),
                         what, &twin->data, j->setting.error);
}

static void release_twin(const job *j, fal_tensor *twin)
{
    if (twin->data != NULL)
        fal__release(&j->setting.allocator, twin->data,
                     (size_t)fal_tensor_count(twin) * fal_dtype_bytes(j->dtype));
}

fal_status fal_conv_integer(const fal_context *context, const fal_tensor *x, int32_t x_zero,
                            const fal_tensor *w, const fal_tensor *w_zero, const fal_conv_params *params,
                            const fal_tensor *y)
{
    job j = {.x = x, .w = w, .w_zero = w_zero, .y = y, .x_zero = x_zero};
    if (params != NULL) j.params = *params;
    FAL__TRY(fal__context_resolve(context, &j.setting));
    FAL__TRY(check(&j));
    if (fal_tensor_count(y) == 0) return FAL_OK;
    j.dtype = difference_type(&j);
    /* A constant border is given on the scale of x. */
    if (j.params.padding_mode == FAL_PAD_CONSTANT) j.params.padding_value -= (double)j.x_zero;
    fal_tensor x_twin = {0}, w_twin = {0};
    fal_status status = make_twin(&j, x, "differences of x", &x_twin);
    if (status == FAL_OK) status = make_twin(&j, w, "differences of w", &w_twin);
    if (status == FAL_OK) {
        subtract(&j, x, -1, &x_twin);
        subtract(&j, w, fal__weight_out_axis(&j.geometry), &w_twin);
        status = fal_conv(context, &x_twin, &w_twin, NULL, &j.params, y);
    }
    release_twin(&j, &x_twin);
    release_twin(&j, &w_twin);
    return status;
}
