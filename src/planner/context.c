/* SPDX-License-Identifier: BSD-3-Clause */
/* context.c: see context.h. */
#include "planner/context.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

enum { THREADS_MAX = 1024 };

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
    fal_cpu_level level = fal_cpu_detect();
    if (c->cpu != FAL_CPU_AUTO && c->cpu < level) level = c->cpu;
    *setting = (fal__setting){
        .allocator = c->allocator,
        .executor = c->executor,
        .cpu = level,
        .machine = {.kernels = fal__kernels_for(level),
                    .threads = c->threads != 0 ? c->threads : fal_thread_count(),
                    .workspace_cap = c->workspace_cap_bytes != 0 ? c->workspace_cap_bytes : UINT64_MAX},
        .error = error};
    return FAL_OK;
}
