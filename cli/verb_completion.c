/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_completion.c: faltung completion bash|zsh|fish
 */
#include "cli/parts.h"

fal_status cli_run_completion(cli_command *command)
{
    static void (*const scripts[])(FILE *) = {cli_completion_bash, cli_completion_zsh, cli_completion_fish};
    int shell;
    CLI_TRY(cli_operand_word(command, 0, "shell", "bash zsh fish", &shell));
    scripts[shell](cli_out(command));
    return FAL_OK;
}
