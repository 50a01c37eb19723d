/* SPDX-License-Identifier: BSD-3-Clause */
/* sequence.c: see sequence.h. */
#include "operators/sequence.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "operators/plan.h"

void fal__sequence_begin(fal__sequence *s, const fal_context *context)
{
    *s = (fal__sequence){.context = context};
    if (context == NULL) return;
    s->allocator = context->allocator;
    s->error = context->error;
}

fal_status fal__sequence_add(fal__sequence *s, fal_operator op, const fal_operands *operands,
                             const fal_conv_params *params)
{
    fal__sequence_step *step = &s->step[s->count];
    FAL__TRY(fal__plan_create(s->context, op, operands, params, true, &step->plan));
    step->operands = *operands;
    s->count++;
    return FAL_OK;
}

fal_status fal__sequence_scratch(fal__sequence *s, size_t bytes, const char *what, void **memory)
{
    FAL__TRY(fal__allocator_check(&s->allocator, s->error));
    FAL__TRY(fal__allocate(&s->allocator, bytes, what, memory, s->error));
    memset(*memory, 0, bytes);
    s->scratch[s->scratches].memory = *memory;
    s->scratch[s->scratches++].bytes = bytes;
    return FAL_OK;
}

fal_status fal__sequence_run(fal__sequence *s)
{
    fal_plan_info info[FAL__SEQUENCE_STEPS];
    size_t bytes = 0;
    void *workspace = NULL;
    for (int32_t i = 0; i < s->count; i++) {
        FAL__TRY(fal_plan_describe(s->step[i].plan, &info[i]));
        if (info[i].workspace_bytes > bytes) bytes = info[i].workspace_bytes;
    }
    if (bytes > 0) FAL__TRY(fal__allocate(&s->allocator, bytes, "workspace", &workspace, s->error));
    fal_status status = FAL_OK;
    for (int32_t i = 0; i < s->count && status == FAL_OK; i++)
        status = fal_plan_execute(s->step[i].plan, &s->step[i].operands, NULL, workspace,
                                  info[i].workspace_bytes, s->error);
    fal__release(&s->allocator, workspace, bytes);
    return status;
}

void fal__sequence_end(fal__sequence *s)
{
    for (int32_t i = 0; i < s->count; i++) fal_plan_destroy(s->step[i].plan);
    for (int32_t i = 0; i < s->scratches; i++)
        fal__release(&s->allocator, s->scratch[i].memory, s->scratch[i].bytes);
    s->count = s->scratches = 0;
}
