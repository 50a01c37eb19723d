/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_plan.c: how the library would compute a layer.
 *
 * Nothing is computed: the plan is made and asked to explain itself. The numbers that a program would
 * use come from fal_plan_info, the sentences from fal_plan_explain.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/layer.h"

/* The lines of the explanation as an array. */
static json_t *json_lines(const char *text)
{
    json_t *lines = json_array();
    while (*text != 0) {
        size_t length = 0;
        while (text[length] != 0 && text[length] != '\n') length++;
        json_array_append_new(lines, json_stringn(text, length));
        text += length + (text[length] == '\n');
    }
    return lines;
}

static fal_status print_json(cli_command *command, const cli_layer *layer, const fal_plan_info *info,
                             const char *text)
{
    json_t *json = json_pack(
        "{s:s, s:o, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:o}", "operator",
        layer->transposed ? "conv-transpose" : "conv", "parameters", cli_json_parameters(layer), "solver",
        info->solver, "kernel", info->kernel, "problems", (int)info->problems, "threads", (int)info->threads,
        "multiply_adds", (json_int_t)info->multiply_adds, "workspace_bytes",
        (json_int_t)info->workspace_bytes, "workspace_packed_bytes", (json_int_t)info->workspace_packed_bytes,
        "packed_bytes", (json_int_t)info->packed_bytes, "explanation", json_lines(text));
    return cli_json_print(command, json);
}

/* The plan's own words, and its numbers. */
static fal_status tell(cli_command *command, const cli_layer *layer, const fal_plan *plan)
{
    fal_plan_info info;
    char *text;
    const size_t length = fal_plan_explain(plan, NULL, 0);
    CLI_TRY(fal_plan_describe(plan, &info));
    CLI_TRY(cli_alloc(command, (int64_t)length + 1, 1, (void **)&text));
    fal_plan_explain(plan, text, length + 1);
    if (command->json) return print_json(command, layer, &info, text);
    fputs(text, cli_out(command));
    return FAL_OK;
}

fal_status cli_run_plan(cli_command *command)
{
    cli_layer layer;
    fal_plan *plan;
    int word;
    CLI_TRY(cli_operand_word(command, 0, "operator", "conv conv-transpose", &word));
    CLI_TRY(cli_layer_read(command, word == 1, cli_operand(command, 1), cli_operand(command, 2), &layer));
    const fal_operands operands = {.x = layer.x, .w = layer.w, .bias = layer.bias, .y = layer.y};
    fal_conv_params params = layer.params;
    params.algorithm = cli_text(command, CLI_ALGORITHM, NULL);
    CLI_TRY(fal_plan_create(&command->context, word == 1 ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV, &operands,
                            &params, &plan));
    fal_status status = tell(command, &layer, plan);
    fal_plan_destroy(plan);
    return status;
}
