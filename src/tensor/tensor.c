/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tensor.c: what a tensor is and when it is one.
 *
 * Sizes, spans and single elements. The checks here are the ground everything else stands on: after
 * fal_tensor_check every element offset, every span in bytes and every product of sizes fits 64 bits,
 * so that views and loops may compute them without looking again.
 */
#include "tensor/tensor.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/view.h"

fal_tensor fal_tensor_of(void *data, fal_dtype dtype, int32_t rank, const int64_t *shape)
{
    fal_tensor none = {.dtype = FAL_DTYPE_NONE};
    if (rank < 0 || rank > FAL_MAX_RANK || (shape == NULL && rank > 0)) return none;
    fal_tensor t = {.data = data, .dtype = dtype, .rank = rank};
    for (int32_t a = 0; a < rank; a++) t.shape[a] = shape[a];
    if (!fal__row_major(&t) || fal_tensor_check(&t, "tensor", NULL) != FAL_OK) return none;
    return t;
}

/* Product of the sizes with 0 counted as 1: with one empty axis the others must still multiply,
 * because row-major strides and parts of the shape are products of them. */
static bool count_ignoring_empty(const fal_tensor *t, int64_t *count)
{
    *count = 1;
    for (int32_t a = 0; a < t->rank; a++)
        if (!fal__mul(*count, fal__max(t->shape[a], 1), count)) return false;
    return true;
}

/* Lowest and highest element offset over the axes of size above 1; empty axes are passed over. */
static bool reach(const fal_tensor *t, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    for (int32_t a = 0; a < t->rank; a++) {
        if (t->shape[a] <= 1) continue;
        int64_t *end = t->strides[a] < 0 ? low : high;
        if (!fal__mul_add(t->shape[a] - 1, t->strides[a], *end, end)) return false;
    }
    return true;
}

static fal_status check_overflow(const fal_tensor *t, const char *name, fal_error *error)
{
    char shape[FAL__LIST_TEXT], strides[FAL__LIST_TEXT];
    const int64_t bytes = (int64_t)fal_dtype_bytes(t->dtype);
    int64_t count, low, high, span;
    const bool counted = count_ignoring_empty(t, &count) && fal__mul(count, bytes, &count);
    if (counted && reach(t, &low, &high) && fal__sub(high, low, &span) && fal__add(span, 1, &span) &&
        fal__mul(span, bytes, &span))
        return FAL_OK;
    fal__shape_text(t, shape, sizeof shape);
    if (!counted)
        return fal__fail(error, FAL_E_OVERFLOW, name, "the size of %s %s overflows 64 bits", name, shape);
    fal__list_text(t->strides, t->rank, strides, sizeof strides);
    return fal__fail(error, FAL_E_OVERFLOW, name, "the reach of %s %s with strides %s overflows 64 bits",
                     name, shape, strides);
}

fal_status fal_tensor_check(const fal_tensor *t, const char *name, fal_error *error)
{
    if (name == NULL) name = "tensor";
    if (t == NULL) return fal__fail(error, FAL_E_NULL, name, "%s is NULL", name);
    if (fal_dtype_bytes(t->dtype) == 0) {
        fal__fail(error, FAL_E_DTYPE, name, "%s has the unknown element type %d", name, (int)t->dtype);
        return fal__allowed(error, FAL_E_DTYPE, "must be one of f32 f64 f16 bf16 i8 u8 i16 i32 i64");
    }
    if (t->rank < 0 || t->rank > FAL_MAX_RANK) {
        fal__fail(error, FAL_E_RANK, name, "%s has rank %" PRId32, name, t->rank);
        return fal__allowed(error, FAL_E_RANK, "must be 0..%d", FAL_MAX_RANK);
    }
    for (int32_t a = 0; a < t->rank; a++) {
        if (t->shape[a] >= 0) continue;
        fal__fail(error, FAL_E_DIM, name, "axis %" PRId32 " of %s has size %" PRId64, a, name, t->shape[a]);
        return fal__allowed(error, FAL_E_DIM, "must be at least 0");
    }
    return check_overflow(t, name, error);
}

int64_t fal_tensor_count(const fal_tensor *t)
{
    int64_t count;
    if (t == NULL || t->rank < 0 || t->rank > FAL_MAX_RANK || !count_ignoring_empty(t, &count)) return -1;
    for (int32_t a = 0; a < t->rank; a++)
        if (t->shape[a] < 0) return -1;
    for (int32_t a = 0; a < t->rank; a++)
        if (t->shape[a] == 0) return 0;
    return count;
}

bool fal_tensor_is_compact(const fal_tensor *t)
{
    int64_t expected = 1, count = fal_tensor_count(t);
    if (count <= 0) return count == 0;
    for (int32_t a = t->rank - 1; a >= 0; a--) {
        if (t->shape[a] == 1) continue;
        if (t->strides[a] != expected) return false;
        expected *= t->shape[a];
    }
    return true;
}

fal_status fal_tensor_extent(const fal_tensor *t, int64_t *low, int64_t *high)
{
    FAL__TRY(fal_tensor_check(t, "tensor", NULL));
    if (low == NULL || high == NULL) return FAL_E_NULL;
    *low = *high = 0;
    if (fal_tensor_count(t) == 0) return FAL_OK;
    (void)reach(t, low, high);
    *high += 1;
    return FAL_OK;
}

/* ---- elements -------------------------------------------------------------------------------- */

void *fal__tensor_offset(const fal_tensor *t, int64_t offset)
{
    if (t->data == NULL) return NULL; /* a shape without memory, for planning, stays one */
    return (char *)t->data + offset * (int64_t)fal_dtype_bytes(t->dtype);
}

void *fal__tensor_at(const fal_tensor *t, const int64_t *index)
{
    int64_t offset = 0;
    for (int32_t a = 0; a < t->rank; a++) offset += index[a] * t->strides[a];
    return fal__tensor_offset(t, offset);
}

double fal_tensor_get(const fal_tensor *t, const int64_t *index)
{
    return fal__load_f64(fal__tensor_at(t, index), t->dtype);
}

int64_t fal_tensor_get_int(const fal_tensor *t, const int64_t *index)
{
    return fal__load_i64(fal__tensor_at(t, index), t->dtype);
}

void fal_tensor_set(const fal_tensor *t, const int64_t *index, double value)
{
    if (!(t->flags & FAL_READ_ONLY)) fal__store_f64(fal__tensor_at(t, index), t->dtype, value);
}

void fal_tensor_set_int(const fal_tensor *t, const int64_t *index, int64_t value)
{
    if (!(t->flags & FAL_READ_ONLY)) (void)fal__store_i64(fal__tensor_at(t, index), t->dtype, value);
}

/* ---- texts ----------------------------------------------------------------------------------- */

void fal__list_text(const int64_t *values, int32_t count, char *text, size_t capacity)
{
    size_t used = 0;
    for (int32_t i = 0; i < count && used < capacity; i++) {
        int length = snprintf(text + used, capacity - used, "%c%" PRId64, i == 0 ? '(' : ',', values[i]);
        used += (size_t)length;
    }
    if (used < capacity) snprintf(text + used, capacity - used, count > 0 ? ")" : "()");
}

void fal__shape_text(const fal_tensor *t, char *text, size_t capacity)
{
    fal__list_text(t->shape, t->rank, text, capacity);
}
