/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tuning.h: --measure and --wisdom, around the making of a plan.
 *
 *     CLI_TRY(cli_tuning_begin(command));            before fal_plan_create
 *     CLI_TRY(cli_tuning_end(command));              after it
 */
#ifndef FALTUNG_CLI_TUNING_H
#define FALTUNG_CLI_TUNING_H

#include "cli/cli.h"

/* Reads both options into command->context; the wisdom lives until the command ends. A file that does not
 * exist is refused unless measuring will write it. */
fal_status cli_tuning_begin(cli_command *command);
/* What was measured is merged with what the file holds by now, and the file written with the command's other
 * outputs. Without --measure or --wisdom nothing happens. */
fal_status cli_tuning_end(cli_command *command);

#endif
