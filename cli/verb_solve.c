/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_solve.c: the parameters that turn one size into another.
 *
 * One axis at a time, as sizes are: what is given stays, the rest is searched.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/json_out.h"
#include "cli/layer.h"

/* The only entry of a list option; 0 (free) when not given. */
static fal_status one(cli_command *command, cli_option_id id, int64_t *value)
{
    const int64_t *ints;
    int32_t count = cli_ints(command, id, &ints);
    if (count == 0) return FAL_OK;
    *value = ints[0];
    if (count == 1) return FAL_OK;
    char where[48];
    snprintf(where, sizeof where, "--%s", cli_options[id].name);
    cli_fail(command, FAL_E_RANK, where, "%s has %" PRId32 " entries", cli_options[id].name, count);
    return cli_allow(command, FAL_E_RANK, "solve speaks of one axis: give 1");
}

static fal_status read_padding(cli_command *command, fal_axis *axis)
{
    const cli_value *padding = &command->values[CLI_PADDING];
    axis->begin = axis->end = -1;
    if (!padding->given) return FAL_OK;
    if (padding->count != 1) {
        cli_fail(command, FAL_E_PADDING, "--padding", "'%.40s' is not the padding of one axis",
                 padding->text);
        return cli_allow(command, FAL_E_PADDING, "give one number, or begin:end");
    }
    axis->begin = padding->ints[0];
    axis->end = padding->ends[0];
    if (axis->begin >= 0 && axis->end >= 0) return FAL_OK;
    cli_fail(command, FAL_E_PADDING, "--padding", "padding is %" PRId64 ":%" PRId64, axis->begin, axis->end);
    return cli_allow(command, FAL_E_PADDING, "solve looks for padding of at least 0");
}

static fal_status read_query(cli_command *command, fal_solve_query *query)
{
    *query = (fal_solve_query){.transposed = cli_given(command, CLI_TRANSPOSED) > 0,
                               .max_kernel = cli_int(command, CLI_MAX_KERNEL, 0),
                               .max_stride = cli_int(command, CLI_MAX_STRIDE, 0),
                               .max_dilation = cli_int(command, CLI_MAX_DILATION, 0)};
    query->axis.input = cli_int(command, CLI_SOLVE_INPUT, 0);
    query->axis.output = cli_int(command, CLI_SOLVE_OUTPUT, 0);
    query->axis.output_padding = -1;
    if (query->axis.input == 0 || query->axis.output == 0) {
        cli_fail(command, FAL_E_USAGE, NULL, "no %s size is given",
                 query->axis.input == 0 ? "input" : "output");
        return cli_allow(command, FAL_E_USAGE, "give --input N and --output N");
    }
    CLI_TRY(one(command, CLI_KERNEL, &query->axis.kernel));
    CLI_TRY(one(command, CLI_STRIDE, &query->axis.stride));
    CLI_TRY(one(command, CLI_DILATION, &query->axis.dilation));
    CLI_TRY(one(command, CLI_OUTPUT_PADDING, &query->axis.output_padding));
    return read_padding(command, &query->axis);
}

static fal_status print_json(cli_command *command, const fal_solve_query *query, const fal_axis *solutions,
                             int64_t shown, int64_t count)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < shown; i++) {
        const fal_axis *axis = &solutions[i];
        char formula[CLI_FORMULA_TEXT];
        cli_formula(formula, axis, query->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
        json_array_append_new(
            list, json_pack("{s:I, s:I, s:I, s:[I,I], s:I, s:s}", "kernel", (json_int_t)axis->kernel,
                            "stride", (json_int_t)axis->stride, "dilation", (json_int_t)axis->dilation,
                            "padding", (json_int_t)axis->begin, (json_int_t)axis->end, "output_padding",
                            (json_int_t)axis->output_padding, "formula", formula));
    }
    return cli_json_print(command,
                          json_pack("{s:I, s:I, s:b, s:I, s:o}", "input", (json_int_t)query->axis.input,
                                    "output", (json_int_t)query->axis.output, "transposed", query->transposed,
                                    "count", (json_int_t)count, "solutions", list));
}

static void print_table(FILE *out, const fal_solve_query *query, const fal_axis *solutions, int64_t shown)
{
    fprintf(out, "%8s %8s %8s %9s%s  %s\n", "kernel", "stride", "dilation", "padding",
            query->transposed ? " output-padding" : "", "size");
    for (int64_t i = 0; i < shown; i++) {
        const fal_axis *axis = &solutions[i];
        char padding[48], formula[CLI_FORMULA_TEXT];
        snprintf(padding, sizeof padding, "%" PRId64 ":%" PRId64, axis->begin, axis->end);
        cli_formula(formula, axis, query->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
        fprintf(out, "%8" PRId64 " %8" PRId64 " %8" PRId64 " %9s", axis->kernel, axis->stride, axis->dilation,
                padding);
        if (query->transposed) fprintf(out, " %14" PRId64, axis->output_padding);
        fprintf(out, "  %s\n", formula);
    }
}

fal_status cli_run_solve(cli_command *command)
{
    fal_solve_query query;
    fal_axis *solutions;
    int64_t count = 0, limit = cli_int(command, CLI_LIMIT, 20);
    CLI_TRY(read_query(command, &query));
    CLI_TRY(cli_alloc(command, limit, sizeof *solutions, (void **)&solutions));
    CLI_TRY(fal_solve(&query, solutions, limit, &count, &command->error));
    int64_t shown = count < limit ? count : limit;
    command->answer_is_no = count == 0;
    if (command->json) return print_json(command, &query, solutions, shown, count);
    if (count == 0) {
        cli_note(command, true, "no parameters within these limits turn %" PRId64 " into %" PRId64,
                 query.axis.input, query.axis.output);
        return FAL_OK;
    }
    print_table(cli_out(command), &query, solutions, shown);
    if (shown < count)
        cli_note(command, true, "%" PRId64 " of %" PRId64 "; --limit N shows more", shown, count);
    return FAL_OK;
}
