/* SPDX-License-Identifier: BSD-3-Clause */
/* context.c: see context.h. */
#include "planner/context.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

enum { THREADS_MAX = 1024, MEASURE_MAX = 3600 };

/* The two numbers that are not counts. */
static fal_status check_times(const fal_context *c)
{
    if (!(c->measure_seconds >= 0 && c->measure_seconds <= MEASURE_MAX)) {
        fal__fail(c->error, FAL_E_VALUE, "measure_seconds", "measure_seconds is %g", c->measure_seconds);
        return fal__allowed(c->error, FAL_E_VALUE, "0 = no measuring, at most %d", MEASURE_MAX);
    }
    if (!(c->cycles_per_second >= 0 && c->cycles_per_second < 1e18)) {
        fal__fail(c->error, FAL_E_VALUE, "cycles_per_second", "cycles_per_second is %g",
                  c->cycles_per_second);
        return fal__allowed(c->error, FAL_E_VALUE, "0 = not known, else that of a core");
    }
    return FAL_OK;
}

fal_status fal__context_resolve(const fal_context *context, fal__setting *setting)
{
    static const fal_context defaults;
    const fal_context *c = context != NULL ? context : &defaults;
    fal_error *error = c->error;
    FAL__TRY(fal__allocator_check(&c->allocator, error));
    if (c->threads < 0 || c->threads > THREADS_MAX) {
        fal__fail(error, FAL_E_THREADS, "threads", "threads is %" PRId32, c->threads);
        return fal__allowed(error, FAL_E_THREADS, "0 = automatic, 1..%d", THREADS_MAX);
    }
    if (c->cpu < FAL_CPU_AUTO || c->cpu > FAL_CPU_AVX512) {
        fal__fail(error, FAL_E_VALUE, "cpu", "cpu is %d", (int)c->cpu);
        return fal__allowed(error, FAL_E_VALUE, "must be a fal_cpu_level");
    }
    FAL__TRY(check_times(c));
    fal_cpu_level level = fal_cpu_detect();
    if (c->cpu != FAL_CPU_AUTO && c->cpu < level) level = c->cpu;
    *setting = (fal__setting){
        .allocator = c->allocator,
        .executor = c->executor,
        .cpu = level,
        .machine = {.kernels = fal__kernels_for(level),
                    .threads = c->threads != 0 ? c->threads : fal_thread_count(),
                    .workspace_cap = c->workspace_cap_bytes != 0 ? c->workspace_cap_bytes : UINT64_MAX},
        .measure_seconds = c->measure_seconds,
        .wisdom = c->wisdom,
        .cycles_per_second = c->cycles_per_second,
        .error = error};
    return FAL_OK;
}
