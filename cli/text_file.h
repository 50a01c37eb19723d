/* SPDX-License-Identifier: BSD-3-Clause */
/* text_file.h: a file that holds text. Used by the verbs that read lists of layers. */
#ifndef FALTUNG_CLI_TEXT_FILE_H
#define FALTUNG_CLI_TEXT_FILE_H

#include "cli/cli.h"

/* The whole of `path` ("-": standard input), shorter than `most` bytes and without a zero byte, with a final
 * 0; it lives until the command ends. `what` names in a report what the file should be ("list of layers").
 * Sets command->in_file. */
fal_status cli_read_text(cli_command *command, const char *path, int64_t most, const char *what, char **text);

#endif
