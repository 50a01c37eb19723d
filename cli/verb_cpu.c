/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_cpu.c: faltung cpu
 *
 * What the machine has, what is used, and why they differ when they do.
 */
#include <string.h>

#include "cli/json_out.h"
#include "cli/level.h"

fal_cpu_level cli_level_in_use(const cli_command *command)
{
    fal_cpu_level best = fal_cpu_detect(), cap = command->context.cpu;
    return cap == FAL_CPU_AUTO || cap > best ? best : cap;
}

fal_status cli_run_cpu(cli_command *command)
{
    fal_cpu_level best = fal_cpu_detect(), used = cli_level_in_use(command);
    int32_t threads = command->context.threads ? command->context.threads : fal_thread_count();
    if (command->json) {
        json_t *levels = json_array();
        for (int level = FAL_CPU_GENERIC; level <= (int)best; level++)
            json_array_append_new(levels, json_string(fal_cpu_level_name((fal_cpu_level)level)));
        return cli_json_print(command, json_pack("{s:s, s:o, s:s, s:i, s:s}", "version", fal_version(),
                                                 "levels", levels, "level", fal_cpu_level_name(used),
                                                 "threads", (int)threads, "executor", fal_executor_name()));
    }
    FILE *out = cli_out(command);
    fprintf(out, "version          %s\ninstruction set  %s%s\navailable       ", fal_version(),
            fal_cpu_level_name(used), used < best ? " (capped by FALTUNG_CPU)" : "");
    for (int level = FAL_CPU_GENERIC; level <= (int)best; level++)
        fprintf(out, " %s", fal_cpu_level_name((fal_cpu_level)level));
    fprintf(out, "\nthreads          %d (%s)\n", (int)threads, fal_executor_name());
    return FAL_OK;
}
