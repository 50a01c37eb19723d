/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * level.h: the instruction set in use.
 */
#ifndef FALTUNG_CLI_LEVEL_H
#define FALTUNG_CLI_LEVEL_H

#include "cli/cli.h"

/* The level that the command's context runs at: the best of the machine, or the cap if that is lower. */
fal_cpu_level cli_level_in_use(const cli_command *command);

#endif
