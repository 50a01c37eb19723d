/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli.h: what a verb sees.
 *
 * main() parses the command line into a cli_command, checks the output files, runs the verb and ends
 * the program. A verb returns FAL_OK or a status; it never prints an error, frees memory or exits.
 *
 *     fal_status cli_run_conv(cli_command *command)
 *     {
 *         fal_tensor x, w, y;
 *         fal_conv_params params;
 *         CLI_TRY(cli_load(command, cli_operand(command, 0), "x", &x));
 *         CLI_TRY(cli_load(command, cli_operand(command, 1), "w", &w));
 *         CLI_TRY(cli_conv_params(command, w.rank - 2, &params));
 *         CLI_TRY(fal_conv_output_shape(false, &x, &w, &params, &y, &command->error));
 *         CLI_TRY(cli_tensor_alloc(command, &y));
 *         CLI_TRY(fal_conv(&command->context, &x, &w, NULL, &params, &y));
 *         return cli_emit(command, &y);
 *     }
 *
 * The answer "no" (diff, solve, selftest) is FAL_OK with command->answer_is_no set. Tensors are in
 * cli/tensors.h, convolution parameters in cli/params.h, JSON in cli/json_out.h.
 */
#ifndef FALTUNG_CLI_H
#define FALTUNG_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/options.h"
#include "faltung.h"
#include "io/io.h"

/* Exit codes; people script them. */
enum {
    CLI_EXIT_DONE = 0,
    CLI_EXIT_NO = 1,       /* the answer is no */
    CLI_EXIT_USAGE = 2,    /* usage or impossible parameters */
    CLI_EXIT_FILE = 3,     /* cannot read, parse or write */
    CLI_EXIT_INTERNAL = 4, /* out of memory, or a defect */
    CLI_EXIT_INTERRUPTED = 130
};

/* One option as it was given. What is filled depends on its kind. */
typedef struct cli_value {
    int given;                  /* how often; 0: not given. Values are given once, flags at will */
    const char *text;           /* as typed */
    bool full;                  /* HELP: in its long form, --help */
    int32_t count;              /* entries of the lists below */
    int64_t ints[FAL_MAX_RANK]; /* INT (one), INTS; PADDING: begin of each axis */
    int64_t ends[FAL_MAX_RANK]; /* PADDING: end of each axis */
    double number;              /* NUMBER */
    int choice;                 /* CHOICE: place of the word; PADDING: its fal_padding rule */
} cli_value;

/* Memory that lives until the command ends. */
typedef struct cli_block {
    struct cli_block *next;
    void (*release)(void *memory);
    void *memory;
} cli_block;

/* A tensor's name in the library's messages ("x") and on the command line ("photo.npy"). */
typedef struct cli_source {
    const char *name, *text;
} cli_source;

enum { CLI_MAX_SOURCES = 16 };

typedef struct cli_command {
    const cli_verb *verb; /* NULL until it is known */
    cli_value values[CLI_OPTION_COUNT];
    int operand_count;
    const char **operands;
    fal_context context; /* threads and instruction set as asked; error = &error below */
    fal_error error;     /* the failure that a returned status speaks of */
    bool answer_is_no;   /* exit 1 */
    bool json;           /* --json */
    bool optioned;       /* any option was given */
    bool bare;           /* nothing but the verb was given, and it needs more */
    bool in_file;        /* the failure is a file's, whatever its status: exit 3 */
    bool stdin_taken;    /* `-` was read */
    int64_t rate;        /* samples a second of the first WAV that was read; 0: none was */
    cli_block *blocks;
    io_file outputs[CLI_OPTION_COUNT]; /* one for each option at most; see outputs.c */
    int output_count;
    cli_source sources[CLI_MAX_SOURCES];
    int source_count;
} cli_command;

/* Forwards a failure: the one shorthand of the command. */
#define CLI_TRY(expression)                                  \
    do {                                                     \
        fal_status cli_try_status = (expression);            \
        if (cli_try_status != FAL_OK) return cli_try_status; \
    } while (0)

#if defined(__GNUC__)
#define CLI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define CLI_PRINTF(f, a)
#endif

/* ---- the parsed command (parse.c) ---- */

/* cli_parse reads argv into a zeroed command. On failure command->error says why. */
fal_status cli_parse(cli_command *command, int argc, char **argv);
/* How often an option was given; as truth value: was it given? */
int cli_given(const cli_command *command, cli_option_id id);
/* The value of an option that was not given: the last argument. */
int64_t cli_int(const cli_command *command, cli_option_id id, int64_t otherwise);
double cli_number(const cli_command *command, cli_option_id id, double otherwise);
const char *cli_text(const cli_command *command, cli_option_id id, const char *otherwise);
int cli_choice(const cli_command *command, cli_option_id id, int otherwise);
/* The list as given: its entries in *ints, their number returned (0: not given). */
int32_t cli_ints(const cli_command *command, cli_option_id id, const int64_t **ints);
/* The i-th operand, or NULL when there are fewer. */
const char *cli_operand(const cli_command *command, int i);
/* The place of an operand among words, as for options ("conv conv-transpose"); refuses others with a
 * guess. `what` names the operand: "operator". */
fal_status cli_operand_word(cli_command *command, int i, const char *what, const char *words, int *place);

/* Whole-string, locale-independent numbers for verbs that read texts of their own. */
bool cli_parse_int(const char *text, int64_t *value);
bool cli_parse_number(const char *text, double *value);

/* ---- failures (report.c) ---- */

/* cli_fail fills command->error: what was found (with the numbers) and where (an option "--at", a file,
 * or NULL). Returns status. cli_allow adds what is allowed, cli_hint what to do. */
fal_status cli_fail(cli_command *command, fal_status status, const char *where, const char *found, ...)
    CLI_PRINTF(4, 5);
fal_status cli_allow(cli_command *command, fal_status status, const char *allowed, ...) CLI_PRINTF(3, 4);
fal_status cli_hint(cli_command *command, fal_status status, const char *hint, ...) CLI_PRINTF(3, 4);
/* Writes command->error to standard error, as text or JSON. main() calls it. */
void cli_report(const cli_command *command);
/* The exit code that a status stands for. */
int cli_exit_code(const cli_command *command, fal_status status);

/* ---- memory (memory.c) ---- */

/* cli_alloc gives zeroed memory that lives until the command ends. */
fal_status cli_alloc(cli_command *command, int64_t count, size_t size, void **memory);
/* Hands memory over to the command: release(memory) is called at its end. */
fal_status cli_adopt(cli_command *command, void *memory, void (*release)(void *memory));
void cli_release_all(cli_command *command);

/* ---- files that appear together (outputs.c) ---- */

/* Where a verb leaves a sealed file. */
io_file *cli_next_output(cli_command *command);
/* Gives all of them their names, or removes them. */
fal_status cli_commit_outputs(cli_command *command);
void cli_abort_outputs(cli_command *command);

/* ---- output and progress (progress.c) ---- */

/* Standard output, for every line a verb prints. The first call ends the progress line. */
FILE *cli_out(cli_command *command);
/* A remark for -v (or for everybody when `always`) on standard error; silent with -q. */
void cli_note(cli_command *command, bool always, const char *text, ...) CLI_PRINTF(3, 4);
/* On a terminal, work over a second shows its elapsed time; verbs that know say how far they are. */
void cli_progress(int64_t done, int64_t total);
void cli_progress_begin(const cli_command *command);
void cli_progress_end(void);

/* ---- help, manual pages, completions, signals ---- */

/* The verb's help (NULL: the command's); `full` for --help, else for -h. */
void cli_help(FILE *out, const cli_verb *verb, bool full);
void cli_man(FILE *out, const cli_verb *verb);
void cli_version(FILE *out);
/* On SIGINT and SIGTERM temporary files are removed and the program ends with 130 or 143. */
void cli_catch_signals(void);

#endif
