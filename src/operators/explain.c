/* SPDX-License-Identifier: BSD-3-Clause */
/* explain.c: a plan told to a person. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "operators/plan.h"

/* Text that may not fit: the length goes on counting. */
typedef struct sink {
    char *text;
    size_t capacity, length;
} sink;

static void say(sink *s, const char *format, ...) FAL__PRINTF(2, 3);
static void say(sink *s, const char *format, ...)
{
    char nothing;
    const bool room = s->length < s->capacity;
    va_list values;
    va_start(values, format);
    const int length =
        vsnprintf(room ? s->text + s->length : &nothing, room ? s->capacity - s->length : 1, format, values);
    va_end(values);
    if (length > 0) s->length += (size_t)length;
}

static const char *operator_name(fal_operator op)
{
    switch (op) {
    case FAL_OP_CONV: return "convolution";
    case FAL_OP_CONV_TRANSPOSE: return "transposed convolution";
    case FAL_OP_CONV_GRAD_INPUT: return "input gradient of a convolution";
    case FAL_OP_CONV_GRAD_WEIGHT: return "weight gradient of a convolution";
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT: return "input gradient of a transposed convolution";
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT: return "weight gradient of a transposed convolution";
    }
    return "operator";
}

/* "  then clamp to 0..6" */
static void say_activation(sink *s, const fal__activation *f)
{
    switch (f->kind) {
    case FAL_ACTIVATION_RELU: say(s, "  then relu\n"); break;
    case FAL_ACTIVATION_CLAMP: say(s, "  then clamp to %g..%g\n", f->low, f->high); break;
    case FAL_ACTIVATION_LEAKY_RELU: say(s, "  then leaky relu, slope %g\n", f->slope); break;
    case FAL_ACTIVATION_HARD_SWISH: say(s, "  then hard-swish\n"); break;
    case FAL_ACTIVATION_NONE: break;
    }
}

/* Every solver on one problem: chosen, slower, or refused and why. */
static void say_candidates(sink *s, const fal_plan *plan, const fal__step *step)
{
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t i = 0; i < count; i++) {
        char why[160] = "";
        say(s, "    %-18s", solvers[i]->name);
        if (!solvers[i]->applies(&step->problem, &plan->machine, why, sizeof why)) {
            say(s, "refused: %s\n", why);
            continue;
        }
        const double cycles = solvers[i]->estimate(&step->problem, &plan->machine);
        const bool chosen = solvers[i] == step->solver;
        say(s, "%s, about %.3g million cycles\n",
            chosen                    ? "chosen"
            : cycles < step->estimate ? "not asked for, or above the workspace cap"
                                      : "slower",
            cycles / 1e6);
    }
}

/* The problem, what solves it and how, and what was considered. */
static void say_step(sink *s, const fal_plan *plan, const fal__step *step)
{
    const fal__problem *p = &step->problem;
    char line[256];
    step->solver->describe(p, step->state, line, sizeof line);
    say(s,
        "  n %" PRId64 ", groups %" PRId64 ", channels %" PRId64 " -> %" PRId64 ", out %" PRId64 "x%" PRId64
        "x%" PRId64 ", taps %" PRId64 "x%" PRId64 "x%" PRId64 "\n",
        p->n, p->groups, p->ic, p->oc, p->axis[0].out, p->axis[1].out, p->axis[2].out, p->axis[0].k,
        p->axis[1].k, p->axis[2].k);
    say_activation(s, &p->activation);
    say_candidates(s, plan, step);
    say(s, "    %s: %s\n", step->solver->name, line);
}

size_t fal_plan_explain(const fal_plan *plan, char *text, size_t capacity)
{
    enum { STEPS_SHOWN = 16 };
    sink s = {text, text == NULL ? 0 : capacity, 0};
    if (s.capacity > 0) text[0] = 0;
    if (plan == NULL) return 0;
    const fal_plan_info *info = &plan->info;
    say(&s, "%s, %s, instruction set %s, at most %d thread(s)\n", operator_name(plan->op),
        fal_dtype_name(plan->operands.w.dtype), fal_cpu_level_name(plan->cpu), info->threads);
    say(&s, "%d canonical problem(s), %" PRId64 " multiply-adds:\n", info->problems, info->multiply_adds);
    for (int64_t i = 0; i < plan->program.count && i < STEPS_SHOWN; i++)
        say_step(&s, plan, &plan->program.steps[i]);
    if (plan->program.count > STEPS_SHOWN)
        say(&s, "  and %" PRId64 " more\n", plan->program.count - STEPS_SHOWN);
    if (plan->adjoint.needed)
        say(&s, "then the extended gradient of each image (%zu bytes) is folded back through the border\n",
            plan->adjoint.scratch_bytes);
    say(&s, "workspace %zu bytes, with packed weights %zu; packed weights %zu bytes\n", info->workspace_bytes,
        info->workspace_packed_bytes, info->packed_bytes);
    return s.length;
}
