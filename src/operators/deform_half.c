/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_half.c: f16 and bf16 by way of float32 copies; see deform.h.
 *
 * Widening is exact, so the only rounding to the narrow type is the one on the way back.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "operators/deform.h"

static fal_tensor *place_of(fal_deform_operands *operands, int place)
{
    fal_tensor *const places[] = {&operands->x, &operands->offset, &operands->mask,
                                  &operands->w, &operands->bias,   &operands->y};
    return places[place];
}

static size_t bytes_of(const fal_tensor *wide)
{
    return (size_t)fal_tensor_count(wide) * sizeof(float);
}

/* Allocates a float32 twin of every given tensor; `read`: copies its elements as well, those of y only
 * with read_y. */
static fal_status widen(const fal_allocator *allocator, const fal_deform_operands *narrow, bool read,
                        bool read_y, fal_deform_operands *out, fal_error *error)
{
    for (int p = 0; p < FAL__DEFORM_PLACES; p++) {
        const fal_tensor *from = fal__deform_operand(narrow, p);
        if (fal__operand_missing(from)) continue;
        fal_tensor wide = fal_tensor_of(NULL, FAL_F32, from->rank, from->shape);
        if (wide.dtype != FAL_F32)
            return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
        FAL__TRY(fal__allocate(allocator, bytes_of(&wide), "float32 copies", &wide.data, error));
        *place_of(out, p) = wide;
        if (p == FAL__DEFORM_PLACES - 1 ? read_y : read) FAL__TRY(fal_tensor_copy(from, &wide, error));
    }
    return FAL_OK;
}

static void release(const fal_allocator *allocator, fal_deform_operands *w)
{
    for (int p = 0; p < FAL__DEFORM_PLACES; p++) {
        const fal_tensor *t = place_of(w, p);
        if (t->data != NULL) fal__release(allocator, t->data, bytes_of(t));
    }
}

static fal_status narrow_all(fal_deform_operands *wide, const fal_deform_operands *narrow, fal_error *error)
{
    for (int p = 0; p < FAL__DEFORM_PLACES; p++) {
        const fal_tensor *to = fal__deform_operand(narrow, p);
        if (!fal__operand_missing(to)) FAL__TRY(fal_tensor_copy(place_of(wide, p), to, error));
    }
    return FAL_OK;
}

fal_status fal__deform_half(const fal_context *context, const fal_deform_operands *operands,
                            const fal_conv_params *params, int64_t offset_groups,
                            const fal_deform_operands *gradients)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    const bool beta = params != NULL && params->beta != 0;
    fal_deform_operands wide = {0}, wide_gradients = {0}, written = {0};
    if (gradients != NULL) written = *gradients;
    written.y = (fal_tensor){0};
    fal_status status =
        widen(&setting.allocator, operands, true, beta || gradients != NULL, &wide, setting.error);
    if (status == FAL_OK)
        status = widen(&setting.allocator, &written, beta, false, &wide_gradients, setting.error);
    if (status == FAL_OK && gradients == NULL) {
        status = fal_deform_conv(context, &wide, params, offset_groups);
        if (status == FAL_OK) status = fal_tensor_copy(&wide.y, &operands->y, setting.error);
    } else if (status == FAL_OK) {
        status = fal_deform_conv_grad(context, &wide, params, offset_groups, &wide_gradients);
        if (status == FAL_OK) status = narrow_all(&wide_gradients, &written, setting.error);
    }
    release(&setting.allocator, &wide);
    release(&setting.allocator, &wide_gradients);
    return status;
}
