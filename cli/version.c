/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version.c: --version says which library runs, and what it was built with.
 */
#include "cli/cli.h"

void cli_version(FILE *out)
{
    fprintf(out, "faltung %s (%s, up to %s)\n", fal_version(), fal_executor_name(),
            fal_cpu_level_name(fal_cpu_detect()));
}
