/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filters.h: the named kernels of the filter verb.
 */
#ifndef FALTUNG_CLI_FILTERS_H
#define FALTUNG_CLI_FILTERS_H

#include "cli/cli.h"

/* cli_filter_kernel makes the kernel that --kernel, --size and --sigma describe, as a rank-2 float32
 * tensor: a name, a file or a literal. */
fal_status cli_filter_kernel(cli_command *command, fal_tensor *kernel);

#endif
