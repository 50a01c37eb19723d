/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h: the two tables from which the command is made.
 *
 * options.inc has one row per option and verbs.inc one row per verb. The parser, --help, the manual
 * pages, the completions and the tests of the examples read these rows and nothing else, so none of
 * them can disagree. To add an option: one row in options.inc and its name in the verbs that take it.
 * To add a verb: one row in verbs.inc and one file cli/verb_NAME.c with cli_run_NAME().
 *
 * Two rows may share a long name (`--kernel 3` of unfold, `--kernel gaussian` of filter): a verb
 * lists the one it means. Rows of one name must agree on whether they take a value.
 */
#ifndef FALTUNG_CLI_OPTIONS_H
#define FALTUNG_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "faltung.h"

/* What the text of an option becomes (see cli_value in cli.h). */
typedef enum cli_kind {
    CLI_KIND_FLAG,    /* no value; counts how often it was given */
    CLI_KIND_INT,     /* one integer in low..high */
    CLI_KIND_INTS,    /* 1 to 12 integers in low..high, separated by commas */
    CLI_KIND_NUMBER,  /* a decimal number; inf and nan are numbers */
    CLI_KIND_TEXT,    /* anything; the verb reads it */
    CLI_KIND_CHOICE,  /* a word of `choices` */
    CLI_KIND_PADDING, /* `1`, `1,2`, `0:1,2:0`, or a rule: same, valid, ... */
    CLI_KIND_FILE,    /* a tensor to read: a file, a member, `-` or a literal */
    CLI_KIND_OUTPUT   /* a file to write; checked before the work starts */
} cli_kind;

typedef struct cli_option {
    const char *name;   /* "stride": the long name without its dashes */
    char letter;        /* 'o', or 0 */
    cli_kind kind;      /* */
    const char *value;  /* "FILE": how the value is written in help; NULL for flags */
    const char *help;   /* one line, lower case, without a full stop */
    const char *more;   /* whole sentences for --help and the manual; NULL when `help` says it all */
    const char *preset; /* the default as a reader sees it, or NULL */
    /* Words separated by spaces; other spellings of a word follow it after '=':
     * "zeros replicate=edge=nearest". The value's `choice` is the word's place. */
    const char *choices;
    int64_t low, high;  /* of every integer; both 0: any */
    fal_status refusal; /* status of a number out of range; 0 means FAL_E_VALUE */
} cli_option;

#define OPTION(id, ...) CLI_##id,
typedef enum cli_option_id {
#include "cli/options.inc"
    CLI_OPTION_COUNT
} cli_option_id;
#undef OPTION

extern const cli_option cli_options[CLI_OPTION_COUNT];

struct cli_command;

typedef struct cli_example {
    const char *line; /* a whole command line, run by the tests */
    const char *what; /* what it shows: one sentence without a full stop */
} cli_example;

enum { CLI_MAX_EXAMPLES = 6 };

typedef struct cli_verb {
    const char *name;             /* "conv-transpose" */
    const char *operands;         /* "X W" as written in the synopsis */
    const char *summary;          /* one line, lower case, without a full stop */
    const char *description;      /* paragraphs separated by "\n\n", whole sentences */
    const cli_option_id *options; /* ended by CLI_OPTION_COUNT; those of every verb are not listed */
    int least_operands;           /* fewer: short help and exit 2 */
    int most_operands;            /* more: refused */
    const char *words;            /* words that the first operand may be, for completion; or NULL */
    const char *endings;          /* of files that -o takes beside the tensor files: "mtx"; or NULL */
    bool figures;                 /* -o takes nothing but these endings, and `-` */
    fal_status (*run)(struct cli_command *command);
    cli_example examples[CLI_MAX_EXAMPLES]; /* ended by a NULL line */
} cli_verb;

#define VERB(id, ...) fal_status cli_run_##id(struct cli_command *command);
#include "cli/verbs.inc"
#undef VERB

extern const cli_verb cli_verbs[];
extern const int cli_verb_count;

/* cli_verb_find gives the verb of that name, or NULL. */
const cli_verb *cli_verb_find(const char *name);
/* cli_verb_takes: is this option one of the verb's, or one that every verb takes? verb may be NULL:
 * then only the latter. */
bool cli_verb_takes(const cli_verb *verb, cli_option_id id);
/* The option that `name` (or `letter`) means to this verb; CLI_OPTION_COUNT when it means none. */
cli_option_id cli_option_named(const cli_verb *verb, const char *name);
cli_option_id cli_option_lettered(const cli_verb *verb, char letter);
/* The first option of any verb with this name; CLI_OPTION_COUNT when there is none. */
cli_option_id cli_option_anywhere(const char *name);

/* cli_word_index: the place of `word` in a list such as cli_option.choices ('-' and '_' are equal), or
 * -1. */
int cli_word_index(const char *words, const char *word);
/* cli_word_at copies the canonical word at `index`; false past the last. */
bool cli_word_at(const char *words, int index, char *text, size_t capacity);

#endif
