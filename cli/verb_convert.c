/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_convert.c: faltung convert A -o B [--dtype TYPE] [--weights FROM:TO]
 */
#include "cli/dialect_weight.h"
#include "cli/params.h"
#include "cli/tensors.h"

/* What describes a weight means nothing of another tensor. */
static fal_status refuse_idle(cli_command *command)
{
    static const cli_option_id idle[] = {CLI_TRANSPOSED, CLI_DEPTHWISE, CLI_GROUPS};
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        if (!cli_given(command, idle[i])) continue;
        cli_fail(command, FAL_E_USAGE, NULL, "--%s has no effect without --weights",
                 cli_options[idle[i]].name);
        return cli_hint(command, FAL_E_USAGE, "add --weights FROM:TO");
    }
    return FAL_OK;
}

fal_status cli_run_convert(cli_command *command)
{
    fal_tensor source, result;
    const char *name = cli_given(command, CLI_WEIGHTS) ? "weight" : "input";
    CLI_TRY(cli_load(command, cli_operand(command, 0), name, &source));
    if (cli_given(command, CLI_WEIGHTS)) {
        CLI_TRY(cli_convert_weight(command, &source, &result));
        return cli_emit(command, &result);
    }
    CLI_TRY(refuse_idle(command));
    fal_dtype dtype = cli_dtype(command);
    if (dtype == FAL_DTYPE_NONE || dtype == source.dtype) return cli_emit(command, &source);
    result = source;
    result.dtype = dtype;
    CLI_TRY(cli_tensor_alloc(command, &result));
    CLI_TRY(fal_tensor_copy(&source, &result, &command->error));
    return cli_emit(command, &result);
}
