/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_help.c: faltung help [VERB] [--man | --examples]
 *
 * --man serves the build, which installs the pages; --examples serves the tests, which run every line.
 */
#include "cli/parts.h"

static void print_examples(FILE *out, const cli_verb *verb)
{
    for (int i = 0; i < CLI_MAX_EXAMPLES && verb->examples[i].line != NULL; i++)
        fprintf(out, "%s\n", verb->examples[i].line);
}

fal_status cli_run_help(cli_command *command)
{
    const char *name = cli_operand(command, 0);
    const cli_verb *verb = name ? cli_verb_find(name) : NULL;
    FILE *out = cli_out(command);
    if (name != NULL && verb == NULL) {
        const char *guess = cli_verb_guess(name);
        cli_fail(command, FAL_E_USAGE, NULL, "unknown verb '%s'", name);
        if (guess != NULL) return cli_hint(command, FAL_E_USAGE, "did you mean '%s'?", guess);
        return cli_hint(command, FAL_E_USAGE, "faltung help lists the verbs");
    }
    if (cli_given(command, CLI_MAN))
        cli_man(out, verb);
    else if (!cli_given(command, CLI_EXAMPLES))
        cli_help(out, verb, true);
    else
        for (int i = 0; i < cli_verb_count; i++)
            if (verb == NULL || verb == &cli_verbs[i]) print_examples(out, &cli_verbs[i]);
    return FAL_OK;
}
