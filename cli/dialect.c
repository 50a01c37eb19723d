/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialect.c: what was typed, as another framework means it.
 *
 * The command has one set of words for padding; each framework gets its own word for the same rule, so
 * that one line can be compared over several. A framework without such a word refuses.
 */
#include "cli/dialect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"

fal_status cli_dialect_read(cli_command *command, const char *where, const char *text, size_t length,
                            cli_dialect *dialect)
{
    int64_t opset = 0;
    *dialect = (cli_dialect){.opset = 0};
    snprintf(dialect->name, sizeof dialect->name, "%.*s", (int)(length < 40 ? length : 39), text);
    char name[sizeof dialect->name];
    snprintf(name, sizeof name, "%s", dialect->name);
    char *at = strchr(name, '@');
    if (at != NULL) {
        *at = '\0';
        if (!cli_parse_int(at + 1, &opset) || opset < 1 || opset > INT32_MAX) {
            cli_fail(command, FAL_E_USAGE, where, "'%s' is not an opset", at + 1);
            return cli_allow(command, FAL_E_USAGE, "must be a whole number, as in onnx@11");
        }
    }
    dialect->opset = (int32_t)opset;
    fal_status status = fal_dialect_parse(name, &dialect->dialect, &command->error);
    if (status == FAL_OK && opset != 0 && dialect->dialect != FAL_DIALECT_ONNX)
        return cli_fail(command, FAL_E_USAGE, where, "'%s': only onnx has opsets", dialect->name);
    if (status == FAL_OK) return FAL_OK;
    snprintf(command->error.field, sizeof command->error.field, "%s", where);
    return status;
}

void cli_subject_params(cli_subject *subject, const fal_conv_params *params)
{
    subject->rule = params->padding;
    for (int32_t a = 0; a < subject->spatial; a++) {
        fal_axis *axis = &subject->axis[a];
        axis->stride = params->stride[a];
        axis->dilation = params->dilation[a];
        axis->begin = params->padding_begin[a];
        axis->end = params->padding_end[a];
        axis->output_padding = params->output_padding[a];
        axis->output = params->output_size[a];
    }
}

/* The word of a framework for one of the command's rules, or one that it will refuse. */
static const char *word_of(fal_dialect dialect, fal_padding rule)
{
    switch (rule) {
    case FAL_PADDING_VALID: return "valid";
    case FAL_PADDING_SAME: return dialect == FAL_DIALECT_ONNX ? "SAME_UPPER" : "same";
    case FAL_PADDING_SAME_LOWER: return "SAME_LOWER";
    case FAL_PADDING_FULL: return "full";
    case FAL_PADDING_CAUSAL: return "causal";
    case FAL_PADDING_EXPLICIT: break;
    }
    return NULL;
}

static bool axes_differ(const cli_subject *subject)
{
    for (int32_t a = 1; a < subject->spatial; a++)
        if (memcmp(&subject->axis[a], &subject->axis[0], sizeof subject->axis[0]) != 0) return true;
    return false;
}

fal_status cli_dialect_resolve(const cli_dialect *dialect, const cli_subject *subject,
                               fal_dialect_answer answers[FAL_MAX_SPATIAL], fal_error *error)
{
    for (int32_t a = 0; a < subject->spatial; a++) {
        fal_dialect_request request = {.dialect = dialect->dialect,
                                       .version = dialect->opset,
                                       .transposed = subject->transposed,
                                       .pooling = subject->pooling,
                                       .ceil_mode = subject->ceil_mode,
                                       .axis = subject->axis[a],
                                       .padding = word_of(dialect->dialect, subject->rule)};
        fal_status status = fal_dialect_resolve(&request, &answers[a], error);
        if (status == FAL_OK) continue;
        if (axes_differ(subject)) {
            char found[sizeof error->found];
            snprintf(found, sizeof found, "%s", error->found);
            snprintf(error->found, sizeof error->found, "%s: %.160s", cli_axis_name(subject->spatial, a),
                     found);
        }
        return status;
    }
    return FAL_OK;
}

fal_tensor cli_dialect_output(const cli_subject *subject, const fal_dialect_answer *answers)
{
    fal_tensor y = subject->y;
    for (int32_t a = 0; a < subject->spatial; a++) y.shape[subject->first + a] = answers[a].axis.output;
    return y;
}

void cli_dialect_params(const cli_command *command, const cli_subject *subject,
                        const fal_dialect_answer *answers, fal_conv_params *params)
{
    params->padding = FAL_PADDING_EXPLICIT;
    params->flip_kernel = answers[0].flip_kernel || cli_given(command, CLI_FLIP_KERNEL) > 0;
    if (!cli_given(command, CLI_PADDING_MODE)) params->padding_mode = answers[0].border;
    for (int32_t a = 0; a < subject->spatial; a++) {
        const fal_axis *axis = &answers[a].axis;
        params->stride[a] = axis->stride;
        params->dilation[a] = axis->dilation;
        params->padding_begin[a] = axis->begin;
        params->padding_end[a] = axis->end;
        params->output_padding[a] = axis->output_padding;
        params->output_size[a] = 0;
    }
}

void cli_format_shift(char text[CLI_DIALECT_TEXT], int32_t spatial, const fal_dialect_answer *answers)
{
    size_t used = 0;
    for (int32_t a = 0; a < spatial; a++) {
        int64_t twice = answers[a].shift_twice;
        uint64_t size = twice < 0 ? 0 - (uint64_t)twice : (uint64_t)twice;
        used += (size_t)snprintf(text + used, CLI_DIALECT_TEXT - used, "%s%s%" PRIu64 "%s", a ? "," : "",
                                 twice > 0   ? "+"
                                 : twice < 0 ? "-"
                                             : "",
                                 size / 2, size % 2 ? ".5" : "");
    }
}

void cli_format_border(char text[CLI_DIALECT_TEXT], fal_padding_mode mode)
{
    cli_word_at(cli_options[CLI_PADDING_MODE].choices, (int)mode, text, CLI_DIALECT_TEXT);
}

void cli_format_notes(char text[CLI_DIALECT_TEXT], int32_t spatial, const fal_dialect_answer *answers)
{
    text[0] = '\0';
    for (int32_t a = 0; a < spatial; a++) {
        size_t used = strlen(text);
        if (answers[a].note[0] == '\0' || strstr(text, answers[a].note) != NULL) continue;
        snprintf(text + used, CLI_DIALECT_TEXT - used, "%s%s", used ? "; " : "", answers[a].note);
    }
}

static json_t *json_axis(const cli_subject *subject, int32_t a, const fal_dialect_answer *answer)
{
    const fal_axis *axis = &answer->axis;
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:f}", "axis",
                             cli_axis_name(subject->spatial, a), "input", (json_int_t)axis->input, "output",
                             (json_int_t)axis->output, "kernel", (json_int_t)axis->kernel, "stride",
                             (json_int_t)axis->stride, "dilation", (json_int_t)axis->dilation, "padding",
                             cli_json_ints((const int64_t[]){axis->begin, axis->end}, 2), "pixel_shift",
                             (double)answer->shift_twice / 2);
    if (json != NULL && subject->transposed)
        json_object_set_new(json, "output_padding", json_integer(axis->output_padding));
    return json;
}

json_t *cli_json_dialect(const cli_dialect *dialect, const cli_subject *subject,
                         const fal_dialect_answer *answers)
{
    char border[CLI_DIALECT_TEXT], notes[CLI_DIALECT_TEXT];
    fal_tensor y = cli_dialect_output(subject, answers);
    json_t *axes = json_array();
    cli_format_border(border, answers[0].border);
    cli_format_notes(notes, subject->spatial, answers);
    for (int32_t a = 0; a < subject->spatial; a++)
        json_array_append_new(axes, json_axis(subject, a, &answers[a]));
    return json_pack("{s:s, s:o, s:o, s:s, s:b, s:b, s:s}", "dialect", dialect->name, "axes", axes, "output",
                     cli_json_tensor(&y), "border", border, "flip_kernel", answers[0].flip_kernel,
                     "ceil_mode", answers[0].ceil_mode, "note", notes);
}
