/* SPDX-License-Identifier: BSD-3-Clause */
/* explain.c: a plan told to a person. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "operators/candidates.h"

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

/* What the rewriting made of the operator. */
static const char *problems_are(fal_operator op)
{
    switch (op) {
    case FAL_OP_CONV: return "the layer as it stands";
    case FAL_OP_CONV_TRANSPOSE: return "one for each phase of the output, which the stride interleaves";
    case FAL_OP_CONV_GRAD_INPUT:
        return "one for each phase of the input's gradient; the weight's channel axes change places";
    case FAL_OP_CONV_TRANSPOSE_GRAD_INPUT: return "a convolution of the gradient";
    case FAL_OP_CONV_GRAD_WEIGHT:
    case FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT:
        return "a correlation of input and gradient in which batch and channels change places";
    }
    return "";
}

/* "1.21 million cycles, 0.403 ms" */
static void say_cycles(sink *s, const fal_plan *plan, double cycles)
{
    say(s, "%.3g million cycles", cycles / 1e6);
    if (plan->cycles_per_second > 0) say(s, ", %.3g ms", cycles / plan->cycles_per_second * 1e3);
}

/* Every solver on one problem: chosen, slower, excluded or refused, and why. */
static void say_candidates(sink *s, const fal_plan *plan, const fal__step *step)
{
    static const char *const verdicts[] = {[FAL_VERDICT_CHOSEN] = "chosen",
                                           [FAL_VERDICT_SLOWER] = "slower",
                                           [FAL_VERDICT_EXCLUDED] = "excluded",
                                           [FAL_VERDICT_REFUSED] = "refused"};
    int32_t count;
    fal__solvers(&count);
    for (int32_t i = 0; i < count; i++) {
        fal_plan_candidate c;
        fal__plan_candidate(plan, step, i, &c);
        say(s, "    %-18s %-8s ", c.solver, verdicts[c.verdict]);
        if (c.predicted_cycles > 0) {
            say_cycles(s, plan, c.predicted_cycles);
            if (c.measured_seconds > 0) say(s, ", measured %.3g ms", c.measured_seconds * 1e3);
            say(s, ": ");
        }
        say(s, "%s\n", c.reason);
    }
}

/* Problems of the same sizes, solved by the same solver as fast: only where they read and write differs. */
static bool alike(const fal__step *a, const fal__step *b)
{
    const fal__problem *p = &a->problem, *q = &b->problem;
    bool same = a->solver == b->solver && a->decision == b->decision && p->n == q->n &&
                p->groups == q->groups && p->ic == q->ic && p->oc == q->oc &&
                fabs(a->estimate - b->estimate) <= 1e-3 * a->estimate;
    for (int i = 0; i < FAL_MAX_SPATIAL; i++)
        same = same && p->axis[i].out == q->axis[i].out && p->axis[i].k == q->axis[i].k;
    return same;
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

static double tensor_bytes(const fal_tensor *t)
{
    return t->rank == 0 ? 0 : (double)fal_tensor_count(t) * (double)fal_dtype_bytes(t->dtype);
}

/* Floating-point operations that a core starts in a cycle: two vectors of multiply-adds, or at the level
 * without fused ones a vector of products and one of sums. 0 for integers, of which there are many kinds. */
static double operations_a_cycle(const fal_plan *plan)
{
    const fal_dtype dtype = plan->operands.w.dtype;
    if (fal_dtype_is_integer(dtype)) return 0;
    const double lanes = plan->machine.kernels->compute[dtype == FAL_F64 ? FAL__F64 : FAL__F32]->lanes;
    return plan->cpu == FAL_CPU_GENERIC ? 2 * lanes : 4 * lanes;
}

/* The roofline: what arithmetic and memory take at least on one thread, and where the prediction stands. */
static void say_limits(sink *s, const fal_plan *plan)
{
    enum { MEMORY_RATE = 8 }; /* bytes a cycle from memory: one core of most machines gets 4 to 12 */
    const fal_operands *o = &plan->operands;
    const double operations = 2 * (double)plan->info.multiply_adds, a_cycle = operations_a_cycle(plan);
    const double bytes =
        tensor_bytes(&o->x) + tensor_bytes(&o->w) + tensor_bytes(&o->y) + tensor_bytes(&o->bias);
    if (bytes <= 0) return;
    say(s, "work: %.4g million operations on %.3g MB of tensors, %.3g a byte\n", operations / 1e6,
        bytes / 1e6, operations / bytes);
    if (a_cycle <= 0) return;
    const double arithmetic = operations / a_cycle, memory = bytes / MEMORY_RATE;
    const bool by_memory = memory > arithmetic;
    const double limit = by_memory ? memory : arithmetic;
    say(s,
        "limit: %s; direct arithmetic %.3g million cycles (%.0f operations a cycle), memory %.3g (%d bytes a "
        "cycle, if no cache holds them)\n",
        by_memory ? "memory" : "arithmetic", arithmetic / 1e6, a_cycle, memory / 1e6, MEMORY_RATE);
    say(s, "predicted: ");
    say_cycles(s, plan, plan->info.predicted_cycles);
    say(s, " on one thread");
    if (limit > 0 && plan->info.predicted_cycles > 0)
        say(s, ", %.0f %% of the limit's speed", 100 * limit / plan->info.predicted_cycles);
    say(s, "\n");
}

size_t fal_plan_explain(const fal_plan *plan, char *text, size_t capacity)
{
    enum { STEPS_SHOWN = 16 };
    sink s = {text, text == NULL ? 0 : capacity, 0};
    if (s.capacity > 0) text[0] = 0;
    if (plan == NULL) return 0;
    const fal_plan_info *info = &plan->info;
    const bool several = plan->program.count != 1;
    say(&s, "%s, %s, instruction set %s, at most %d thread%s%s\n", operator_name(plan->op),
        fal_dtype_name(plan->operands.w.dtype), fal_cpu_level_name(plan->cpu), info->threads,
        info->threads == 1 ? "" : "s", plan->program.request.reproducible ? ", reproducible" : "");
    say_limits(&s, plan);
    say(&s, "%d canonical problem%s, %s:\n", info->problems, several ? "s" : "", problems_are(plan->op));
    int64_t step = 0;
    for (int shown = 0; step < plan->program.count && shown < STEPS_SHOWN; shown++) {
        const fal__step *first = &plan->program.steps[step];
        int64_t more = 0;
        say_step(&s, plan, first);
        while (step + more + 1 < plan->program.count && alike(first, first + more + 1)) more++;
        if (more > 0) say(&s, "    and %" PRId64 " more like this one\n", more);
        step += more + 1;
    }
    if (step < plan->program.count) say(&s, "  and %" PRId64 " more\n", plan->program.count - step);
    if (plan->adjoint.needed)
        say(&s, "then the extended gradient of each image (%zu bytes) is folded back through the border\n",
            plan->adjoint.scratch_bytes);
    say(&s, "workspace %zu bytes, with packed weights %zu; packed weights %zu bytes\n", info->workspace_bytes,
        info->workspace_packed_bytes, info->packed_bytes);
    return s.length;
}
