/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_execute.c: packing weights and running a plan. Allocates nothing, writes no global.
 *
 * The checks compare numbers the plan already holds, so that they cost far less than a microsecond.
 */
#include <string.h>

#include "base/error.h"
#include "geometry/operands.h"
#include "operators/plan.h"
#include "tensor/tensor.h"

/* The tensor must be what was planned: the type, the shape, and every stride that is used. */
static fal_status check_same(const fal_tensor *given, const fal_tensor *planned, const char *name,
                             fal_error *error)
{
    if (fal__operand_missing(planned) && !fal__operand_missing(given))
        return fal__fail(error, FAL_E_VALUE, name, "%s is given, the plan was made without one", name);
    if (fal__operand_missing(given) && !fal__operand_missing(planned))
        return fal__fail(error, FAL_E_NULL, name, "%s is not given, the plan was made with one", name);
    if (given->dtype != planned->dtype || given->rank != planned->rank) {
        fal__fail(error, FAL_E_SHAPE, name, "%s is %s of rank %d, the plan was made for %s of rank %d", name,
                  fal_dtype_name(given->dtype), given->rank, fal_dtype_name(planned->dtype), planned->rank);
        return FAL_E_SHAPE;
    }
    for (int32_t a = 0; a < planned->rank; a++)
        if (given->shape[a] != planned->shape[a])
            return fal__fail(error, FAL_E_SHAPE, name,
                             "%s has size %" PRId64 " on axis %d, the plan was made for %" PRId64, name,
                             given->shape[a], a, planned->shape[a]);
    for (int32_t a = 0; a < planned->rank; a++)
        if (given->shape[a] > 1 && given->strides[a] != planned->strides[a])
            return fal__fail(error, FAL_E_LAYOUT, name,
                             "%s has stride %" PRId64 " on axis %d, the plan was made for %" PRId64, name,
                             given->strides[a], a, planned->strides[a]);
    return FAL_OK;
}

static const fal_tensor *planned_operand(const fal_plan *plan, fal__place place)
{
    return fal__operand(&plan->operands, place);
}

static fal_status check_operands(const fal_plan *plan, const fal_operands *operands, bool packed,
                                 fal_error *error)
{
    const fal__place output = fal__operator_output(plan->op);
    for (fal__place place = FAL__PLACE_X; place <= FAL__PLACE_Y; place++) {
        const fal_tensor *t = fal__operand(operands, place), *planned = planned_operand(plan, place);
        const char *name = fal__operand_name(plan->op, place);
        FAL__TRY(check_same(t, planned, name, error));
        if (fal__operand_missing(planned) || (packed && place == FAL__PLACE_W)) continue;
        FAL__TRY(fal__tensor_check_align(t, name, error));
    }
    for (fal__place a = FAL__PLACE_X; a <= FAL__PLACE_Y; a++) {
        const bool written = a == output || (a == FAL__PLACE_BIAS && output == FAL__PLACE_W);
        if (!written || fal__operand_missing(planned_operand(plan, a))) continue;
        if (fal__operand(operands, a)->flags & FAL_READ_ONLY)
            return fal__fail(error, FAL_E_LAYOUT, fal__operand_name(plan->op, a), "%s is read only",
                             fal__operand_name(plan->op, a));
        for (fal__place b = FAL__PLACE_X; b <= FAL__PLACE_Y; b++) {
            if (b == a || fal__operand_missing(planned_operand(plan, b)) || (packed && b == FAL__PLACE_W))
                continue;
            FAL__TRY(fal__tensor_check_alias(fal__operand(operands, a), fal__operand_name(plan->op, a),
                                             fal__operand(operands, b), fal__operand_name(plan->op, b),
                                             error));
        }
    }
    return FAL_OK;
}

static fal_status check_block(const void *block, size_t given, size_t needed, const char *name,
                              fal_error *error)
{
    if (needed == 0) return FAL_OK;
    if (block == NULL || given < needed) {
        if (block == NULL)
            fal__fail(error, FAL_E_WORKSPACE, name, "%s is NULL", name);
        else
            fal__fail(error, FAL_E_WORKSPACE, name, "%s has %zu bytes", name, given);
        return fal__allowed(error, FAL_E_WORKSPACE, "%zu bytes needed, aligned to %d", needed,
                            FAL_WORKSPACE_ALIGNMENT);
    }
    if ((uintptr_t)block % FAL_WORKSPACE_ALIGNMENT == 0) return FAL_OK;
    return fal__fail(error, FAL_E_ALIGN, name, "%s is not %d-byte aligned", name, FAL_WORKSPACE_ALIGNMENT);
}

/* Scratch is written all the time: an operand inside it would change under way. */
static fal_status check_apart(const fal_plan *plan, const fal_operands *operands, const void *packed,
                              void *workspace, size_t needed, fal_error *error)
{
    const int64_t bytes = (int64_t)needed, packed_bytes = (int64_t)plan->info.packed_bytes;
    const fal_tensor scratch = {
        .data = workspace, .dtype = FAL_U8, .rank = 1, .shape = {bytes}, .strides = {1}};
    for (fal__place place = FAL__PLACE_X; place <= FAL__PLACE_Y; place++) {
        if (fal__operand_missing(planned_operand(plan, place)) || (packed != NULL && place == FAL__PLACE_W))
            continue;
        FAL__TRY(fal__tensor_check_alias(&scratch, "workspace", fal__operand(operands, place),
                                         fal__operand_name(plan->op, place), error));
    }
    if (packed == NULL) return FAL_OK;
    fal_tensor weights = scratch;
    weights.data = (void *)(uintptr_t)packed;
    weights.shape[0] = packed_bytes;
    return fal__tensor_check_alias(&scratch, "workspace", &weights, "packed", error);
}

static fal_status check_packed(const fal_plan *plan, const void *packed, fal_error *error)
{
    if (!fal__plan_packs(plan))
        return fal__fail(error, FAL_E_VALUE, "packed",
                         "packed weights are given, but a weight gradient has none");
    FAL__TRY(check_block(packed, plan->info.packed_bytes, plan->info.packed_bytes, "packed", error));
    const fal__packed_header *header = packed;
    if (header->magic == FAL__PACKED_MAGIC && header->fingerprint == plan->fingerprint) return FAL_OK;
    fal__fail(error, FAL_E_HANDLE, "packed", "the packed weights belong to another plan");
    return fal__hint(error, FAL_E_HANDLE, "pack them with this plan");
}

fal_status fal_plan_pack_weights(const fal_plan *plan, const fal_tensor *w, void *packed, fal_error *error)
{
    if (plan == NULL) return fal__fail(error, FAL_E_NULL, "plan", "plan is NULL");
    if (w == NULL) return fal__fail(error, FAL_E_NULL, "w", "w is NULL");
    if (!fal__plan_packs(plan))
        return fal__fail(error, FAL_E_UNSUPPORTED, "plan", "a weight gradient has no weights to pack");
    FAL__TRY(check_same(w, &plan->operands.w, "w", error));
    FAL__TRY(fal__tensor_check_align(w, "w", error));
    FAL__TRY(check_block(packed, plan->info.packed_bytes, plan->info.packed_bytes, "packed", error));
    memset(packed, 0, FAL__PACKED_HEADER);
    *(fal__packed_header *)packed =
        (fal__packed_header){.magic = FAL__PACKED_MAGIC, .fingerprint = plan->fingerprint};
    fal__program_pack(&plan->program, w->data, (char *)packed + FAL__PACKED_HEADER);
    return FAL_OK;
}

/* The program once per image into the extension, each folded into its image of gx. */
static bool run_adjoint(const fal_plan *plan, fal__pointers pointers, const void *packed, char *workspace)
{
    const fal__adjoint *adjoint = &plan->adjoint;
    char *gy = pointers.role[FAL__ROLE_Y];
    const int64_t step = adjoint->y_n * (int64_t)fal_dtype_bytes(plan->operands.y.dtype);
    bool fits = true;
    pointers.role[FAL__ROLE_SCRATCH] = fal__adjoint_extension(adjoint, workspace);
    for (int64_t n = 0; n < adjoint->images; n++) {
        pointers.role[FAL__ROLE_Y] = gy + n * step;
        fits &= fal__program_run(&plan->program, &plan->executor, &pointers, packed,
                                 workspace + adjoint->scratch_bytes);
        fits &= fal__adjoint_fold(adjoint, workspace, n, pointers.role[FAL__ROLE_X]);
    }
    return fits;
}

fal_status fal_plan_execute(const fal_plan *plan, const fal_operands *operands, const void *packed,
                            void *workspace, size_t workspace_bytes, fal_error *error)
{
    if (plan == NULL) return fal__fail(error, FAL_E_NULL, "plan", "plan is NULL");
    if (operands == NULL) return fal__fail(error, FAL_E_NULL, "operands", "operands is NULL");
    FAL__TRY(check_operands(plan, operands, packed != NULL, error));
    if (packed != NULL) FAL__TRY(check_packed(plan, packed, error));
    const size_t needed = packed != NULL ? plan->info.workspace_packed_bytes : plan->info.workspace_bytes;
    FAL__TRY(check_block(workspace, workspace_bytes, needed, "workspace", error));
    if (needed > 0) FAL__TRY(check_apart(plan, operands, packed, workspace, needed, error));
    const fal__place output = fal__operator_output(plan->op);
    if (fal_tensor_count(fal__operand(operands, output)) == 0 && output != FAL__PLACE_W) return FAL_OK;
    fal__pointers pointers = {.role = {[FAL__ROLE_X] = operands->x.data,
                                       [FAL__ROLE_W] = operands->w.data,
                                       [FAL__ROLE_Y] = operands->y.data,
                                       [FAL__ROLE_BIAS] = operands->bias.data}};
    const void *steps = packed != NULL ? (const char *)packed + FAL__PACKED_HEADER : NULL;
    const bool fits = plan->adjoint.needed
                          ? run_adjoint(plan, pointers, steps, workspace)
                          : fal__program_run(&plan->program, &plan->executor, &pointers, steps, workspace);
    if (fits) return FAL_OK;
    const char *name = fal__operand_name(plan->op, output);
    const fal_dtype dtype = fal__operand(operands, output)->dtype;
    fal__fail(error, FAL_E_OVERFLOW, name, "a result does not fit %s", fal_dtype_name(dtype));
    return fal__hint(error, FAL_E_OVERFLOW, "use a wider integer type for %s", name);
}
