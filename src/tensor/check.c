/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check.c: refusals of tensors that are well formed but cannot serve as an operand.
 *
 * Whether a tensor is well formed at all is fal_tensor_check, in tensor.c.
 */
#include <stdio.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* Names the axis to blame for a self overlap: the first that walks over memory in steps of 0, else
 * the first whose removal cures it. */
static int32_t overlapping_axis(const fal_tensor *t)
{
    for (int32_t a = 0; a < t->rank; a++)
        if (t->shape[a] > 1 && t->strides[a] == 0) return a;
    for (int32_t a = 0; a < t->rank; a++) {
        fal_tensor without = *t;
        without.shape[a] = 1;
        if (!fal__tensor_self_overlaps(&without)) return a;
    }
    return 0;
}

fal_status fal__tensor_check_output(const fal_tensor *t, const char *name, fal_error *error)
{
    FAL__TRY(fal_tensor_check(t, name, error));
    if (t->flags & FAL_READ_ONLY) {
        fal__fail(error, FAL_E_LAYOUT, name, "%s is a read-only view", name);
        return fal__allowed(error, FAL_E_LAYOUT, "results need memory that can be written");
    }
    if (!fal__tensor_self_overlaps(t)) return FAL_OK;
    int32_t axis = overlapping_axis(t);
    fal__fail(error, FAL_E_LAYOUT, name,
              "elements of %s overlap along axis %" PRId32 " (size %" PRId64 ", stride %" PRId64 ")", name,
              axis, t->shape[axis], t->strides[axis]);
    return fal__allowed(error, FAL_E_LAYOUT, "every element of a result needs a place of its own");
}

fal_status fal__tensor_check_align(const fal_tensor *t, const char *name, fal_error *error)
{
    if (fal_tensor_count(t) == 0) return FAL_OK;
    if (t->data == NULL) return fal__fail(error, FAL_E_NULL, name, "%s has no data", name);
    size_t bytes = fal_dtype_bytes(t->dtype), off = (size_t)((uintptr_t)t->data % bytes);
    if (off == 0) return FAL_OK;
    fal__fail(error, FAL_E_ALIGN, name, "the data of %s (%s) lies %zu bytes past an aligned address", name,
              fal_dtype_name(t->dtype), off);
    return fal__allowed(error, FAL_E_ALIGN, "must be a multiple of %zu", bytes);
}

fal_status fal__tensor_check_same_shape(const fal_tensor *a, const char *a_name, const fal_tensor *b,
                                        const char *b_name, fal_error *error)
{
    bool same = a->rank == b->rank;
    for (int32_t k = 0; same && k < a->rank; k++) same = a->shape[k] == b->shape[k];
    if (same) return FAL_OK;
    char a_text[FAL__LIST_TEXT], b_text[FAL__LIST_TEXT];
    fal__shape_text(a, a_text, sizeof a_text);
    fal__shape_text(b, b_text, sizeof b_text);
    fal_status status = a->rank == b->rank ? FAL_E_SHAPE : FAL_E_RANK;
    fal__fail(error, status, b_name, "%s has shape %s, %s %s", b_name, b_text, a_name, a_text);
    return fal__allowed(error, status, "shapes must be equal");
}

fal_status fal__tensor_check_alias(const fal_tensor *output, const char *output_name, const fal_tensor *other,
                                   const char *other_name, fal_error *error)
{
    if (!fal__tensor_overlap(output, other)) return FAL_OK;
    fal__fail(error, FAL_E_ALIAS, output_name, "%s shares memory with %s", output_name, other_name);
    return fal__allowed(error, FAL_E_ALIAS, "a result must not overlap an operand");
}
