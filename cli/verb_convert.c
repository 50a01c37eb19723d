/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_convert.c: faltung convert A -o B [--dtype TYPE]
 */
#include "cli/params.h"
#include "cli/tensors.h"

fal_status cli_run_convert(cli_command *command)
{
    fal_tensor source, result;
    CLI_TRY(cli_load(command, cli_operand(command, 0), "input", &source));
    fal_dtype dtype = cli_dtype(command);
    if (dtype == FAL_DTYPE_NONE || dtype == source.dtype) return cli_emit(command, &source);
    result = source;
    result.dtype = dtype;
    CLI_TRY(cli_tensor_alloc(command, &result));
    CLI_TRY(fal_tensor_copy(&source, &result, &command->error));
    return cli_emit(command, &result);
}
