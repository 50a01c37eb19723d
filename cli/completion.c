/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * completion.c: scripts that complete verbs, options, words and files, from the tables.
 *
 * bash and zsh get one list of words per verb and per option with choices; fish gets one line for
 * every option of every verb, with its help.
 */
#include <stdio.h>
#include <string.h>

#include "cli/parts.h"

/* Writes a list of words without their aliases, each with the separator before it. */
static void put_words(FILE *out, const char *words, const char *separator)
{
    char word[32];
    for (int i = 0; words != NULL && cli_word_at(words, i, word, sizeof word); i++)
        fprintf(out, "%s%s", i ? separator : "", word);
}

static void put_verbs(FILE *out)
{
    for (int i = 0; i < cli_verb_count; i++) fprintf(out, "%s%s", i ? " " : "", cli_verbs[i].name);
}

static void put_options(FILE *out, const cli_verb *verb)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_verb_takes(verb, (cli_option_id)id)) fprintf(out, " --%s", cli_options[id].name);
}

/* The body that bash and zsh share: `case` tables of the words. */
static void put_cases(FILE *out)
{
    fputs("    case $previous in\n", out);
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if (cli_options[id].choices == NULL) continue;
        fprintf(out, "    --%s) choices='", cli_options[id].name);
        put_words(out, cli_options[id].choices, " ");
        fputs("' ;;\n", out);
    }
    fputs("    *)\n        case $verb in\n        '') choices='", out);
    put_verbs(out);
    fputs("' ;;\n", out);
    for (int i = 0; i < cli_verb_count; i++) {
        fprintf(out, "        %s)\n            case $current in\n            -*) choices='",
                cli_verbs[i].name);
        put_options(out, &cli_verbs[i]);
        fputs("' ;;\n            *) choices='", out);
        put_words(out, cli_verbs[i].words, " ");
        if (strcmp(cli_verbs[i].name, "help") == 0) put_verbs(out);
        fputs("' ;;\n            esac ;;\n", out);
    }
    fputs("        esac ;;\n    esac\n", out);
}

void cli_completion_bash(FILE *out)
{
    fputs(
        "# bash completion for faltung\n"
        "_faltung() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb='' choices='' "
        "i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        [[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }\n"
        "    done\n",
        out);
    put_cases(out);
    fputs("    COMPREPLY=($(compgen -W \"$choices\" -- \"$current\"))\n"
          "    [[ -n $verb && $current != -* ]] && COMPREPLY+=($(compgen -f -- \"$current\"))\n"
          "    return 0\n"
          "}\n"
          "complete -o filenames -F _faltung faltung\n",
          out);
}

void cli_completion_zsh(FILE *out)
{
    fputs("#compdef faltung\n"
          "_faltung() {\n"
          "    local current=$words[CURRENT] previous=$words[CURRENT-1] verb='' choices='' i\n"
          "    for ((i = 2; i < CURRENT; i++)); do\n"
          "        [[ $words[i] == -* ]] || { verb=$words[i]; break; }\n"
          "    done\n",
          out);
    put_cases(out);
    fputs("    compadd -- ${=choices}\n"
          "    [[ -n $verb && $current != -* ]] && _files\n"
          "    return 0\n"
          "}\n"
          "if [[ $funcstack[1] == _faltung ]]; then _faltung \"$@\"; else compdef _faltung faltung; fi\n",
          out);
}

/* A string in single quotes as fish reads it. */
static void fish_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish_verb(FILE *out, const cli_verb *verb)
{
    fprintf(out, "complete -c faltung -n __fish_use_subcommand -f -a %s -d ", verb->name);
    fish_quoted(out, verb->summary);
    fputc('\n', out);
    if (verb->words != NULL) {
        fprintf(out, "complete -c faltung -n '__fish_seen_subcommand_from %s' -a '", verb->name);
        put_words(out, verb->words, " ");
        fputs("'\n", out);
    }
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = &cli_options[id];
        if (!cli_verb_takes(verb, (cli_option_id)id)) continue;
        fprintf(out, "complete -c faltung -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
                option->name);
        if (option->letter) fprintf(out, " -s %c", option->letter);
        if (option->kind != CLI_KIND_FLAG) fputs(" -r", out);
        if (option->choices != NULL) {
            fputs(" -f -a '", out);
            put_words(out, option->choices, " ");
            fputc('\'', out);
        }
        fputs(" -d ", out);
        fish_quoted(out, option->help);
        fputc('\n', out);
    }
}

void cli_completion_fish(FILE *out)
{
    fputs("# fish completion for faltung\n", out);
    for (int i = 0; i < cli_verb_count; i++) fish_verb(out, &cli_verbs[i]);
}
