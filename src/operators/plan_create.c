/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_create.c: from operands and parameters to an immutable plan.
 *
 * check (geometry) -> rewrite (rewrite.c) -> choose and prepare (planner). The only allocation is the
 * plan itself.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "geometry/operands.h"
#include "operators/plan.h"
#include "solvers/parts/separable_terms.h"

bool fal__plan_packs(const fal_plan *plan)
{
    return fal__operator_output(plan->op) != FAL__PLACE_W;
}

static fal__call make_call(fal_operator op, const fal_operands *o, const fal_conv_geometry *geometry,
                           const fal_conv_params *params)
{
    return (fal__call){.op = op,
                       .geometry = *geometry,
                       .x_dtype = o->x.dtype,
                       .w_dtype = o->w.dtype,
                       .y_dtype = o->y.dtype,
                       .bias_dtype = o->bias.dtype,
                       .x = fal__data_strides_of(geometry, &o->x),
                       .y = fal__data_strides_of(geometry, &o->y),
                       .w = fal__weight_strides_of(geometry, &o->w),
                       .bias_stride = o->bias.rank == 1 && o->bias.shape[0] > 1 ? o->bias.strides[0] : 0,
                       .beta = params != NULL ? params->beta : 0,
                       .padding_value = params != NULL ? params->padding_value : 0,
                       .activation = fal__activation_of(params)};
}

/* FNV-1a over whole structs; they are zeroed before they are filled, so padding bytes agree. */
static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++) h = (h ^ at[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t fingerprint(const fal_plan *plan)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (int64_t i = 0; i < plan->program.count; i++) {
        const fal__step *step = &plan->program.steps[i];
        const fal__problem *p = &step->problem;
        h = hash(h, step->needs.kernel, strlen(step->needs.kernel));
        h = hash(h, step->solver->name, strlen(step->solver->name));
        h = hash(h, &step->solver->version, sizeof step->solver->version);
        const int64_t shape[] = {p->groups,
                                 p->ic,
                                 p->oc,
                                 p->w_g,
                                 p->w_oc,
                                 p->w_ic,
                                 p->w_base,
                                 (int64_t)p->dtype,
                                 (int64_t)step->needs.packed};
        for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
            const int64_t walk[] = {p->axis[a].k, p->axis[a].ws, p->axis[a].d};
            h = hash(h, walk, sizeof walk);
        }
        h = hash(h, shape, sizeof shape);
    }
    return h;
}

/* Of one execution: on one thread, and divided among those that each problem is worth. */
static void predict(const fal_plan *plan, double *cycles, double *on_threads)
{
    const double times = plan->adjoint.needed ? (double)plan->adjoint.images : 1;
    *cycles = *on_threads = 0;
    for (int64_t i = 0; i < plan->program.count; i++) {
        const fal__step *step = &plan->program.steps[i];
        *cycles += times * step->estimate;
        *on_threads += times * step->estimate / step->threads;
    }
}

/* The step that speaks for all: the last that forms products; NULL when there is none at all. */
static const fal__step *main_step(const fal__program *program)
{
    const fal__step *found = program->count > 0 ? program->steps : NULL;
    for (int64_t i = 0; i < program->count; i++)
        if (program->steps[i].problem.ic > 0) found = &program->steps[i];
    return found;
}

static void fill_info(fal_plan *plan)
{
    const fal__program *program = &plan->program;
    const fal__step *step = main_step(program);
    double cycles, on_threads;
    predict(plan, &cycles, &on_threads);
    const size_t scratch = plan->adjoint.needed ? plan->adjoint.scratch_bytes : 0;
    plan->info = (fal_plan_info){
        .solver = step != NULL ? step->solver->name : "none",
        .kernel = step != NULL ? step->needs.kernel : "",
        .problems = (int32_t)fal__min(program->count, INT32_MAX),
        .threads = plan->threads,
        .workspace_bytes = program->needs.workspace + scratch,
        .workspace_packed_bytes = program->needs.workspace_packed + scratch,
        .packed_bytes = fal__plan_packs(plan) ? program->needs.packed + FAL__PACKED_HEADER : 0,
        .multiply_adds = program->multiply_adds,
        .predicted_cycles = cycles,
        .predicted_seconds = plan->cycles_per_second > 0 ? on_threads / plan->cycles_per_second : 0};
    if (plan->adjoint.needed &&
        !fal__mul(plan->info.multiply_adds, plan->adjoint.images, &plan->info.multiply_adds))
        plan->info.multiply_adds = INT64_MAX;
}

/* `w`: the weights' data, or NULL. */
static fal_status prepare(fal_plan *plan, const fal__call *call, const fal__setting *setting,
                          const fal_conv_params *params, const void *w, fal__problem *problems)
{
    fal__rewrite(call, problems);
    /* A choice that is to be repeated must not depend on when the weights came. */
    const bool look = !plan->program.request.reproducible;
    for (int64_t i = 0; i < plan->program.count; i++) {
        if (params != NULL) problems[i].accuracy = params->accuracy;
        if (look && problems[i].accuracy != FAL_ACCURACY_STRICT)
            problems[i].kernel_rank = fal__kernel_rank(&problems[i], w);
        plan->program.steps[i].problem = problems[i];
        if (plan->adjoint.needed) plan->program.steps[i].problem.y_role = FAL__ROLE_SCRATCH;
    }
    fal__setting rest = *setting;
    if (plan->adjoint.needed) {
        if (rest.machine.workspace_cap < plan->adjoint.scratch_bytes)
            return fal__fail(setting->error, FAL_E_WORKSPACE, "workspace_cap_bytes",
                             "the gradient of one image under this padding mode needs %zu bytes of workspace",
                             plan->adjoint.scratch_bytes);
        rest.machine.workspace_cap -= plan->adjoint.scratch_bytes;
    }
    plan->machine = rest.machine;
    FAL__TRY(fal__program_prepare(&plan->program, &rest));
    fill_info(plan);
    plan->fingerprint = fingerprint(plan);
    return FAL_OK;
}

/* What the choice may look at. */
static fal_status read_request(const fal__setting *setting, const fal_conv_params *params, bool packs,
                               fal__request *request)
{
    *request = (fal__request){.reproducible = params != NULL && params->reproducible, .packs = packs};
    FAL__TRY(
        fal__algorithms_parse(params != NULL ? params->algorithm : NULL, &request->allowed, setting->error));
    if (!request->reproducible || setting->measure_seconds <= 0) return FAL_OK;
    fal__fail(setting->error, FAL_E_VALUE, "measure_seconds",
              "a reproducible choice was asked for, and measuring depends on chance");
    return fal__hint(setting->error, FAL_E_VALUE, "leave one of reproducible and measure_seconds out");
}

static void keep_operands(fal_plan *plan, const fal_operands *operands)
{
    plan->operands = *operands;
    plan->operands.x.data = plan->operands.w.data = plan->operands.bias.data = plan->operands.y.data = NULL;
}

fal_status fal__plan_create(const fal_context *context, fal_operator op, const fal_operands *operands,
                            const fal_conv_params *params, bool at_once, fal_plan **out)
{
    fal__setting setting;
    FAL__TRY(fal__context_resolve(context, &setting));
    if (out == NULL) return fal__fail(setting.error, FAL_E_NULL, "plan", "plan is NULL");
    *out = NULL;
    fal_conv_geometry geometry;
    fal__request request;
    FAL__TRY(fal__operands_check(op, operands, params, at_once, &geometry, setting.error));
    const bool packs = !at_once && fal__operator_output(op) != FAL__PLACE_W;
    FAL__TRY(read_request(&setting, params, packs, &request));
    fal__call call = make_call(op, operands, &geometry, params);
    fal__adjoint adjoint;
    if (!fal__adjoint_plan(&call, &adjoint))
        return fal__fail(setting.error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");

    const int64_t count = fal__rewrite(&call, NULL);
    size_t program_bytes;
    int64_t problem_bytes;
    if (!fal__program_bytes(count, &program_bytes) || !fal__mul(count, sizeof(fal__problem), &problem_bytes))
        return fal__fail(setting.error, FAL_E_OVERFLOW, "stride", "the number of phases overflows");
    const size_t head = (sizeof(fal_plan) + 63) / 64 * 64, bytes = head + program_bytes;
    void *block, *problems;
    FAL__TRY(fal__allocate(&setting.allocator, bytes, "plan", &block, setting.error));
    fal_status status =
        fal__allocate(&setting.allocator, (size_t)problem_bytes, "plan", &problems, setting.error);
    if (status == FAL_OK) {
        fal_plan *plan = block;
        *plan = (fal_plan){.bytes = bytes,
                           .allocator = setting.allocator,
                           .executor = setting.executor,
                           .cpu = setting.cpu,
                           .threads = setting.machine.threads,
                           .cycles_per_second = setting.cycles_per_second,
                           .op = op,
                           .geometry = geometry,
                           .adjoint = adjoint};
        keep_operands(plan, operands);
        fal__program_place(&plan->program, count, (char *)block + head);
        plan->program.request = request;
        status = prepare(plan, &call, &setting, params, operands->w.data, problems);
        fal__release(&setting.allocator, problems, (size_t)problem_bytes);
    }
    if (status != FAL_OK) {
        fal__release(&setting.allocator, block, bytes);
        return status;
    }
    *out = block;
    return FAL_OK;
}

fal_status fal_plan_create(const fal_context *context, fal_operator op, const fal_operands *operands,
                           const fal_conv_params *params, fal_plan **out)
{
    return fal__plan_create(context, op, operands, params, false, out);
}

void fal_plan_destroy(fal_plan *plan)
{
    if (plan == NULL) return;
    const fal_allocator allocator = plan->allocator;
    fal__release(&allocator, plan, plan->bytes);
}

fal_status fal_plan_describe(const fal_plan *plan, fal_plan_info *info)
{
    if (plan == NULL || info == NULL) return FAL_E_NULL;
    *info = plan->info;
    return FAL_OK;
}
