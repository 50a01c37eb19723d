/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * man.c: manual pages in roff, from the tables.
 *
 * faltung(1) and one faltung-VERB(1) per verb; the build writes them with `faltung help --man VERB`.
 * No date: the same source gives the same bytes.
 */
#include <stdio.h>
#include <string.h>

#include "cli/parts.h"
#include "cli/text.h"

/* Text in roff: backslashes and dashes are escaped, `code` becomes bold, and a line does not begin with
 * a control character. */
static void escaped(FILE *out, const char *text)
{
    bool bold = false, line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        line_start = *text == '\n';
        switch (*text) {
        case '\\': fputs("\\e", out); break;
        case '-': fputs("\\-", out); break;
        case '\'': fputs("\\(aq", out); break;
        case '^': fputs("\\(ha", out); break;
        case '~': fputs("\\(ti", out); break;
        case '`':
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
            break;
        case '\n':
            fputs("\n.PP\n", out);
            text += strspn(text + 1, "\n");
            break;
        default: fputc(*text, out);
        }
    }
}

static void section(FILE *out, const char *title)
{
    fprintf(out, ".SH %s\n", title);
}

static void option_item(FILE *out, const cli_option *option)
{
    char choices[160];
    cli_option_choices(option, choices, sizeof choices);
    fputs(".TP\n", out);
    if (option->letter) fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", out);
    escaped(out, option->name);
    fputs("\\fR", out);
    if (option->value) fprintf(out, " \\fI%s\\fR", option->value);
    fputc('\n', out);
    escaped(out, option->help);
    fputs(".\n", out);
    if (choices[0] != '\0') {
        fputs("One of ", out);
        escaped(out, choices);
        fputs(".\n", out);
    }
    if (option->more != NULL) {
        escaped(out, option->more);
        fputc('\n', out);
    }
    if (option->preset != NULL) {
        fputs("Default: ", out);
        escaped(out, option->preset);
        fputs(".\n", out);
    }
}

static void exit_status(FILE *out)
{
    section(out, "EXIT STATUS");
    fputs(".TP\n0\ndone\n.TP\n1\nthe answer is no (diff, solve, selftest)\n"
          ".TP\n2\nusage or impossible parameters\n.TP\n3\ncannot read, parse or write\n"
          ".TP\n4\nout of memory, or an internal error\n.TP\n130\ninterrupted\n",
          out);
}

static void environment(FILE *out)
{
    section(out, "ENVIRONMENT");
    fputs(".TP\n\\fBFALTUNG_THREADS\\fR\nthe number of threads, unless \\-\\-threads says it\n"
          ".TP\n\\fBFALTUNG_CPU\\fR\ncaps the instruction set: generic, avx2 or avx512\n",
          out);
}

static void verb_page(FILE *out, const cli_verb *verb)
{
    fprintf(out, ".TH FALTUNG\\-%s 1 \"\" \"faltung %s\" \"faltung\"\n", verb->name, FAL_VERSION_STRING);
    section(out, "NAME");
    fputs("faltung\\-", out);
    escaped(out, verb->name);
    fputs(" \\- ", out);
    escaped(out, verb->summary);
    fputc('\n', out);
    section(out, "SYNOPSIS");
    fputs("\\fBfaltung ", out);
    escaped(out, verb->name);
    fprintf(out, "\\fR \\fI%s\\fR [\\fIoptions\\fR]\n", verb->operands);
    section(out, "DESCRIPTION");
    escaped(out, verb->description);
    fputc('\n', out);
    section(out, "OPTIONS");
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        if (cli_verb_takes(verb, (cli_option_id)id)) option_item(out, &cli_options[id]);
    section(out, "EXAMPLES");
    for (int i = 0; i < CLI_MAX_EXAMPLES && verb->examples[i].line != NULL; i++) {
        fputs(".PP\n", out);
        escaped(out, verb->examples[i].what);
        fputs(":\n.PP\n.RS 4\n.nf\n", out);
        escaped(out, verb->examples[i].line);
        fputs("\n.fi\n.RE\n", out);
    }
    exit_status(out);
    environment(out);
    section(out, "SEE ALSO");
    fputs("\\fBfaltung\\fR(1)\n", out);
}

static void command_page(FILE *out)
{
    fprintf(out, ".TH FALTUNG 1 \"\" \"faltung %s\" \"faltung\"\n", FAL_VERSION_STRING);
    section(out, "NAME");
    fputs("faltung \\- convolution on files\n", out);
    section(out, "SYNOPSIS");
    fputs("\\fBfaltung\\fR \\fIVERB\\fR [\\fIoptions\\fR] [\\fIfiles\\fR]\n", out);
    section(out, "DESCRIPTION");
    escaped(out, cli_tensors_text);
    fputc('\n', out);
    section(out, "VERBS");
    for (int i = 0; i < cli_verb_count; i++) {
        fputs(".TP\n\\fBfaltung\\-", out);
        escaped(out, cli_verbs[i].name);
        fputs("\\fR(1)\n", out);
        escaped(out, cli_verbs[i].summary);
        fputc('\n', out);
    }
    section(out, "EXAMPLES");
    fputs(".nf\n", out);
    escaped(out, "faltung conv-transpose '[[1,2],[3,4]]' '[[1,0],[0,-1]]' --stride 2");
    fputs("\n.fi\n", out);
    exit_status(out);
    environment(out);
}

void cli_man(FILE *out, const cli_verb *verb)
{
    if (verb != NULL)
        verb_page(out, verb);
    else
        command_page(out);
}
