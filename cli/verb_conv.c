/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_conv.c: conv and conv-transpose.
 *
 * One path for both: read the layer, run it, compare it if asked, say what was done, give the result.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/tensors.h"

static void remark(cli_command *command, const cli_layer *layer, const cli_run_facts *facts)
{
    char x[160], w[160], y[160], formula[CLI_FORMULA_TEXT];
    const fal_conv_geometry *g = &layer->geometry;
    cli_format_shape(x, sizeof x, &layer->x);
    cli_format_shape(w, sizeof w, &layer->w);
    cli_format_shape(y, sizeof y, &layer->y);
    cli_note(command, false, "input %s, weight %s, result %s, %s", x, w, y, fal_dtype_name(layer->x.dtype));
    for (int32_t a = 0; a < g->spatial; a++) {
        cli_formula(formula, &g->axis[a], layer->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
        cli_note(command, false, "%s %s", cli_axis_name(g->spatial, a), formula);
    }
    cli_note(command, false, "solver %s%s%s, threads %" PRId32 ", %.3f ms, %.2f GFLOP/s", facts->solver,
             facts->kernel[0] ? ", kernel " : "", facts->kernel, facts->threads, (double)facts->time_ns / 1e6,
             facts->gflops);
}

static fal_status print_facts(cli_command *command, const cli_layer *layer, const fal_tensor *y,
                              const cli_run_facts *facts, const double *difference)
{
    const fal_conv_geometry *g = &layer->geometry;
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:i, s:I, s:f}", "operator",
        layer->transposed ? "conv-transpose" : "conv", "input", cli_json_tensor(&layer->x), "weight",
        cli_json_tensor(&layer->w), "output", cli_json_tensor(y), "parameters", cli_json_parameters(layer),
        "size",
        cli_json_axes(g->spatial, g->axis, layer->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV),
        "solver", facts->solver, "kernel", facts->kernel, "threads", (int)facts->threads, "time_ns",
        (json_int_t)facts->time_ns, "gflops", facts->gflops);
    if (layer->bias.rank > 0) json_object_set_new(json, "bias", cli_json_tensor(&layer->bias));
    if (difference != NULL) json_object_set_new(json, "largest_difference", json_real(*difference));
    if (!cli_given(command, CLI_OUTPUT)) json_object_set_new(json, "values", cli_json_values(y));
    return cli_json_print(command, json);
}

static fal_status convolve(cli_command *command, bool transposed)
{
    cli_layer layer;
    cli_run_facts facts;
    double difference = 0;
    bool check = cli_given(command, CLI_CHECK) > 0;
    const char *path = cli_text(command, CLI_OUTPUT, ""); /* "": printed */
    CLI_TRY(cli_layer_read(command, transposed, cli_operand(command, 0), cli_operand(command, 1), &layer));
    fal_tensor y = layer.y;
    CLI_TRY(cli_tensor_alloc(command, &y));
    CLI_TRY(cli_layer_run(command, &layer, cli_text(command, CLI_ALGORITHM, NULL), &y, &facts));
    if (check) CLI_TRY(cli_layer_check(command, &layer, &y, &difference));
    if (*path) CLI_TRY(cli_write(command, &y, path));
    remark(command, &layer, &facts);
    if (check && !command->json)
        cli_note(command, true, "largest difference from the reference: %g", difference);
    if (command->json && strcmp(path, "-") != 0)
        return print_facts(command, &layer, &y, &facts, check ? &difference : NULL);
    return *path ? FAL_OK : cli_emit(command, &y);
}

fal_status cli_run_conv(cli_command *command)
{
    return convolve(command, false);
}

fal_status cli_run_conv_transpose(cli_command *command)
{
    return convolve(command, true);
}
