/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parts.h: what the parts of the command ask of each other. Verbs need cli.h, not this.
 */
#ifndef FALTUNG_CLI_PARTS_H
#define FALTUNG_CLI_PARTS_H

#include "cli/cli.h"

/* value.c: reads the text of an option into command->values[id]; text is NULL for flags. */
fal_status cli_read_value(cli_command *command, cli_option_id id, const char *text);
/* value.c: adds "must be one of a, b, c" to a failure. */
fal_status cli_allow_words(cli_command *command, const char *words);

/* guess.c: the nearest option of the verb, or verb, to a mistyped word; NULL when none is near. */
const char *cli_option_guess(const cli_verb *verb, const char *typed);
const char *cli_verb_guess(const char *typed);

/* executor.c: what fal_context.executor is unless a verb sets another. */
fal_executor cli_executor(void);

/* progress.c: asks a signal handler may make; async-signal-safe. */
void cli_progress_wipe(void);

/* completion.c: the script of a shell. */
void cli_completion_bash(FILE *out);
void cli_completion_zsh(FILE *out);
void cli_completion_fish(FILE *out);

#endif
