/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outputs.c: the files of one command appear together, when nothing can go wrong any more.
 *
 * A verb writes each result under a temporary name and seals it (io/atomic_file.c). Only when the verb
 * has ended well and standard output has taken its text do all of them get their names. Verbs reach this
 * through cli_write; main.c commits or aborts.
 */
#include "cli/cli.h"

io_file *cli_next_output(cli_command *command)
{
    return &command->outputs[command->output_count++];
}

fal_status cli_commit_outputs(cli_command *command)
{
    for (int i = 0; i < command->output_count; i++) {
        io_file *file = &command->outputs[i];
        if (file->path == NULL) continue;
        fal_status status = io_file_commit(file, &command->error);
        command->in_file = status != FAL_OK;
        CLI_TRY(status);
    }
    return FAL_OK;
}

void cli_abort_outputs(cli_command *command)
{
    for (int i = 0; i < command->output_count; i++) io_file_abort(&command->outputs[i]);
}
