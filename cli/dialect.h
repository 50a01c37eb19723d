/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect.h: operators as other frameworks mean them, for `shape` and `convert`.
 *
 * --dialect resolves what was typed as one framework means it; --compare shows several side by side. Both
 * start from a subject: the operator with the numbers as typed, before any framework gives them a meaning.
 */
#ifndef FALTUNG_CLI_DIALECT_H
#define FALTUNG_CLI_DIALECT_H

#include "cli/json_out.h"

/* "onnx@10" */
typedef struct cli_dialect {
    fal_dialect dialect;
    int32_t opset; /* 0: the newest */
    char name[40]; /* as it is shown */
} cli_dialect;

typedef struct cli_subject {
    bool transposed, pooling, ceil_mode;
    int32_t spatial, first;         /* the spatial axes of y begin at axis `first` */
    fal_axis axis[FAL_MAX_SPATIAL]; /* numbers as typed, 0 where none was; output: --output-size */
    fal_padding rule;
    fal_tensor x, w, y; /* shapes; w of rank 0 for pooling; y's spatial sizes are not known yet */
} cli_subject;

/* cli_dialect_read reads one name with `length` characters, such as "tf" or "onnx@10"; `where` is the
 * option it came from. */
fal_status cli_dialect_read(cli_command *command, const char *where, const char *text, size_t length,
                            cli_dialect *dialect);
/* The numbers of the parameters into a subject whose sizes, input and kernel of each axis, are filled. */
void cli_subject_params(cli_subject *subject, const fal_conv_params *params);
/* One answer an axis; the refusal of an axis into *error. */
fal_status cli_dialect_resolve(const cli_dialect *dialect, const cli_subject *subject,
                               fal_dialect_answer answers[FAL_MAX_SPATIAL], fal_error *error);
/* The subject's y with the answers' sizes. */
fal_tensor cli_dialect_output(const cli_subject *subject, const fal_dialect_answer *answers);
/* The answers as parameters of this library; a padding mode that was typed stays. */
void cli_dialect_params(const cli_command *command, const cli_subject *subject,
                        const fal_dialect_answer *answers, fal_conv_params *params);

enum { CLI_DIALECT_TEXT = 256 };

/* "+1,+0.5": from where a centred kernel has its middle to where this one has it. */
void cli_format_shift(char text[CLI_DIALECT_TEXT], int32_t spatial, const fal_dialect_answer *answers);
/* "zeros", "reflect": the word of --padding-mode. */
void cli_format_border(char text[CLI_DIALECT_TEXT], fal_padding_mode mode);
/* The notes of all axes, each once. */
void cli_format_notes(char text[CLI_DIALECT_TEXT], int32_t spatial, const fal_dialect_answer *answers);
/* {"dialect": "tf", "axes": [...], "output": {...}, "border": "zeros", ...} */
json_t *cli_json_dialect(const cli_dialect *dialect, const cli_subject *subject,
                         const fal_dialect_answer *answers);

/* cli_compare prints the columns of --compare (dialect_compare.c). */
fal_status cli_compare(cli_command *command, const cli_subject *subject);

#endif
