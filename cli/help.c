/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * help.c: the help texts, from the tables.
 *
 * -h is a page to glance at: usage, options in one line each, two examples. --help adds descriptions.
 * Lines are filled to 80 columns, so that the text reads the same everywhere.
 */
#include <stdio.h>
#include <string.h>

#include "cli/parts.h"
#include "cli/text.h"

enum { WIDTH = 80 };

void cli_wrap(FILE *out, const char *text, int indent)
{
    int column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " \n");
        if (column > 0 && column + 1 + (int)word > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += column == 0 ? fprintf(out, "%*s", indent, "") : fprintf(out, " ");
        fwrite(text, 1, word, out);
        column += (int)word;
        text += word;
        if (*text == '\n') {
            fputs("\n\n", out);
            column = 0;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

void cli_option_spelling(const cli_option *option, char *text, size_t capacity)
{
    char letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, capacity, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
}

void cli_option_choices(const cli_option *option, char *text, size_t capacity)
{
    char word[32];
    text[0] = '\0';
    for (int i = 0; option->choices != NULL && cli_word_at(option->choices, i, word, sizeof word); i++) {
        size_t used = strlen(text);
        snprintf(text + used, capacity - used, "%s%s", i ? ", " : "", word);
    }
}

static void print_option(FILE *out, const cli_option *option, bool full)
{
    char spelling[64], choices[160];
    cli_option_spelling(option, spelling, sizeof spelling);
    cli_option_choices(option, choices, sizeof choices);
    fprintf(out, "  %-26s", spelling);
    if (strlen(spelling) > 26) fprintf(out, "\n%28s", "");
    fprintf(out, " %s", option->help);
    if (option->preset != NULL) fprintf(out, " [%s]", option->preset);
    fputc('\n', out);
    if (choices[0] != '\0') cli_wrap(out, choices, 29);
    if (full && option->more != NULL) {
        cli_wrap(out, option->more, 29);
        fputc('\n', out);
    }
}

static void print_options(FILE *out, const cli_verb *verb, bool full)
{
    fprintf(out, "\nOptions%s:\n", full ? " ([default])" : "");
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_verb_takes(verb, (cli_option_id)id)) print_option(out, &cli_options[id], full);
}

static void print_examples(FILE *out, const cli_verb *verb, int most)
{
    fprintf(out, "\nExamples:\n");
    for (int i = 0; i < most && i < CLI_MAX_EXAMPLES && verb->examples[i].line != NULL; i++)
        fprintf(out, "  # %s\n  %s\n", verb->examples[i].what, verb->examples[i].line);
}

static void print_environment(FILE *out)
{
    fputs("\nExit codes: 0 done; 1 the answer is no; 2 usage or impossible parameters; 3 cannot\n"
          "read, parse or write; 4 out of memory or internal; 130 interrupted.\n",
          out);
}

static void verb_help(FILE *out, const cli_verb *verb, bool full)
{
    fprintf(out, "faltung %s: %s\n\nUsage: faltung %s %s%s[options]\n", verb->name, verb->summary, verb->name,
            verb->operands, verb->operands[0] ? " " : "");
    if (full) {
        fputc('\n', out);
        cli_wrap(out, verb->description, 0);
    }
    print_options(out, verb, full);
    print_examples(out, verb, full ? CLI_MAX_EXAMPLES : 2);
    if (full)
        print_environment(out);
    else
        fprintf(out, "\nMore: faltung %s --help\n", verb->name);
}

static void command_help(FILE *out, bool full)
{
    fputs("faltung: convolution on files\n\nUsage: faltung VERB [options] [files]\n", out);
    if (full) {
        fputc('\n', out);
        cli_wrap(out, cli_tensors_text, 0);
    }
    fputs("\nVerbs:\n", out);
    for (int i = 0; i < cli_verb_count; i++)
        fprintf(out, "  %-18s %s\n", cli_verbs[i].name, cli_verbs[i].summary);
    fputs("\nExamples:\n"
          "  faltung conv-transpose '[[1,2],[3,4]]' '[[1,0],[0,-1]]' --stride 2\n"
          "  faltung filter photo.png --kernel gaussian -o blurred.png\n",
          out);
    if (full) print_environment(out);
    fputs("\nMore: faltung help VERB\n", out);
}

void cli_help(FILE *out, const cli_verb *verb, bool full)
{
    if (verb != NULL)
        verb_help(out, verb, full);
    else
        command_help(out, full);
}

const char cli_tensors_text[] =
    "A tensor is a file: .npy, a member of an .npz (weights.npz:conv1), a tensor of a .safetensors "
    "(model.safetensors:fc.weight), a PNG or JPEG image (float32 in 0..1), a WAV sound (in -1..1), or - for "
    "standard input. Types are told by the bytes. An argument that begins with [ is a literal tensor of "
    "float32: '[[1,2],[3,4]]'. Without -o a result is printed, in full up to 1,000 numbers.";
