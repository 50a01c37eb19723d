/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_plan.c: how the library would compute a layer.
 *
 * Nothing is computed: the plan is made and asked to explain itself. The numbers that a program would
 * use come from fal_plan_info and fal_plan_candidate_at, the sentences from fal_plan_explain. Predicted
 * cycles become seconds by the clock rate, which is measured here because the library keeps no such thing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench/peak.h"
#include "cli/layer.h"
#include "cli/tuning.h"

static const double clock_seconds = 3e-3; /* how long the clock rate is measured */

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

/* Every solver for every canonical problem. */
static json_t *json_candidates(const fal_plan *plan, int32_t problems)
{
    static const char *const verdicts[] = {[FAL_VERDICT_CHOSEN] = "chosen",
                                           [FAL_VERDICT_SLOWER] = "slower",
                                           [FAL_VERDICT_EXCLUDED] = "excluded",
                                           [FAL_VERDICT_REFUSED] = "refused"};
    json_t *all = json_array();
    for (int32_t p = 0; p < problems; p++) {
        json_t *list = json_array();
        fal_plan_candidate c;
        for (int32_t i = 0; fal_plan_candidate_at(plan, p, i, &c) == FAL_OK; i++)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:f, s:f, s:s}", "solver", c.solver, "verdict",
                                            verdicts[c.verdict], "predicted_cycles", c.predicted_cycles,
                                            "measured_ns", c.measured_seconds * 1e9, "reason", c.reason));
        json_array_append_new(all, list);
    }
    return all;
}

static fal_status print_json(cli_command *command, const cli_layer *layer, const fal_plan *plan,
                             const char *text)
{
    fal_plan_info info;
    CLI_TRY(fal_plan_describe(plan, &info));
    json_t *json = json_pack(
        "{s:s, s:o, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o, s:o}", "operator",
        layer->transposed ? "conv-transpose" : "conv", "parameters", cli_json_parameters(layer), "solver",
        info.solver, "kernel", info.kernel, "problems", (int)info.problems, "threads", (int)info.threads,
        "multiply_adds", (json_int_t)info.multiply_adds, "workspace_bytes", (json_int_t)info.workspace_bytes,
        "workspace_packed_bytes", (json_int_t)info.workspace_packed_bytes, "packed_bytes",
        (json_int_t)info.packed_bytes, "predicted_cycles", info.predicted_cycles, "predicted_ns",
        info.predicted_seconds * 1e9, "cycles_per_second", command->context.cycles_per_second, "candidates",
        json_candidates(plan, info.problems), "explanation", json_lines(text));
    return cli_json_print(command, json);
}

/* The plan's own words, and its numbers. */
static fal_status tell(cli_command *command, const cli_layer *layer, const fal_plan *plan)
{
    char *text;
    const size_t length = fal_plan_explain(plan, NULL, 0);
    CLI_TRY(cli_alloc(command, (int64_t)length + 1, 1, (void **)&text));
    fal_plan_explain(plan, text, length + 1);
    if (command->json) return print_json(command, layer, plan, text);
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
    CLI_TRY(cli_tuning_begin(command));
    command->context.cycles_per_second = bench_cycles_per_second(clock_seconds);
    CLI_TRY(fal_plan_create(&command->context, word == 1 ? FAL_OP_CONV_TRANSPOSE : FAL_OP_CONV, &operands,
                            &params, &plan));
    fal_status status = tell(command, &layer, plan);
    fal_plan_destroy(plan);
    return status == FAL_OK ? cli_tuning_end(command) : status;
}
