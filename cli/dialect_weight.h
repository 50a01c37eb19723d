/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect_weight.h: convert --weights FROM:TO.
 */
#ifndef FALTUNG_CLI_DIALECT_WEIGHT_H
#define FALTUNG_CLI_DIALECT_WEIGHT_H

#include "cli/cli.h"

/* cli_convert_weight gives `source` in the order of the second framework, in the type of --dtype. */
fal_status cli_convert_weight(cli_command *command, const fal_tensor *source, fal_tensor *result);

#endif
