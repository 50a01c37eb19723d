/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * selftest.h: what the files of `faltung selftest` share.
 */
#ifndef FALTUNG_CLI_SELFTEST_H
#define FALTUNG_CLI_SELFTEST_H

#include "cli/cli.h"

/* Allocates t, whose shape and type are set, and fills it with whole numbers low..high. */
fal_status cli_selftest_fill(cli_command *command, fal_tensor *t, uint64_t seed, int64_t low, int64_t high);
/* Operators that are not plain convolutions, at one instruction set, each against another way to compute
 * the same. Counts the equal and the different; says which differs. */
fal_status cli_selftest_operators(cli_command *command, fal_cpu_level level, int *passed, int *failed);

#endif
