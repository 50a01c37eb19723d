/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h: how much a file and a run may ask for: --limits KEY=N,...
 *
 * Every limit has a default that honest files stay below. A refusal names the key and the value that
 * would have let it pass.
 */
#ifndef FALTUNG_CLI_LIMITS_H
#define FALTUNG_CLI_LIMITS_H

#include "cli/cli.h"
#include "io/io.h"

typedef struct cli_limits {
    io_limits file;
    uint64_t work; /* multiply-adds of one run [10^14] */
} cli_limits;

/* The limits as given; those of files that were not given stay 0, which means their default. */
fal_status cli_read_limits(cli_command *command, cli_limits *limits);
/* Refuses more multiply-adds than the limit. */
fal_status cli_check_work(cli_command *command, int64_t multiply_adds);

#endif
