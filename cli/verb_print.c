/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_print.c: faltung print FILE
 */
#include "cli/tensors.h"

fal_status cli_run_print(cli_command *command)
{
    fal_tensor tensor;
    CLI_TRY(cli_load(command, cli_operand(command, 0), "input", &tensor));
    return cli_emit(command, &tensor);
}
