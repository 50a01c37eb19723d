/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_grad.c: gradients of conv and conv-transpose.
 *
 * Which gradients: those that have a file; all three, printed, when none has.
 */
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/tensors.h"

enum { INPUT, WEIGHT, BIAS, GRADIENTS };

static const struct {
    const char *title, *key;
    cli_option_id option;
} gradients[GRADIENTS] = {[INPUT] = {"gradient of the input", "grad_input", CLI_GRAD_INPUT},
                          [WEIGHT] = {"gradient of the weight", "grad_weight", CLI_GRAD_WEIGHT},
                          [BIAS] = {"gradient of the bias", "grad_bias", CLI_GRAD_BIAS}};

/* The gradient that arrives, with the result's rank and type. */
static fal_status read_arriving(cli_command *command, const cli_layer *layer, fal_tensor *gy)
{
    const char *text = cli_operand(command, 3);
    CLI_TRY(cli_load(command, text, "gy", gy));
    cli_lead_axes(text, layer->geometry.layout, layer->y.rank, gy);
    if (gy->dtype == layer->x.dtype) return FAL_OK;
    cli_fail(command, FAL_E_DTYPE, "gy", "the input is %s, the gradient that arrives is %s",
             fal_dtype_name(layer->x.dtype), fal_dtype_name(gy->dtype));
    cli_allow(command, FAL_E_DTYPE, "types must be equal");
    return cli_hint(command, FAL_E_DTYPE, "faltung convert %.60s -o FILE.npy --dtype %s", text,
                    fal_dtype_name(layer->x.dtype));
}

static fal_status allocate(cli_command *command, const cli_layer *layer, const bool *wanted,
                           fal_tensor *results)
{
    results[INPUT] = layer->x;
    results[WEIGHT] = layer->w;
    results[BIAS] = fal_tensor_of(NULL, layer->x.dtype, 1, &layer->geometry.out_channels);
    for (int i = 0; i < GRADIENTS; i++)
        if (wanted[i]) CLI_TRY(cli_tensor_alloc(command, &results[i]));
    return FAL_OK;
}

/* The gradients by the plain loop nests. The bias comes with the weight; without a wish for the weight it
 * goes into memory of its own. */
static fal_status by_reference(cli_command *command, const cli_layer *layer, const fal_tensor *gy,
                               const bool *wanted, const fal_tensor *results)
{
    fal_operands operands = {.x = results[INPUT], .w = layer->w, .y = *gy};
    if (wanted[INPUT])
        CLI_TRY(fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_INPUT : FAL_OP_CONV_GRAD_INPUT,
                              &operands, &layer->params, &command->error));
    if (!wanted[WEIGHT] && !wanted[BIAS]) return FAL_OK;
    operands = (fal_operands){.x = layer->x, .w = results[WEIGHT], .y = *gy};
    if (!wanted[WEIGHT]) CLI_TRY(cli_tensor_alloc(command, &operands.w));
    if (wanted[BIAS]) operands.bias = results[BIAS];
    return fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT : FAL_OP_CONV_GRAD_WEIGHT,
                         &operands, &layer->params, &command->error);
}

static fal_status differentiate(cli_command *command, cli_layer *layer, const fal_tensor *gy,
                                const bool *wanted, const fal_tensor *results)
{
    const char *algorithm = cli_text(command, CLI_ALGORITHM, NULL);
    if (algorithm != NULL && strcmp(algorithm, "reference") == 0)
        return by_reference(command, layer, gy, wanted, results);
    layer->params.algorithm = algorithm;
    return (layer->transposed ? fal_conv_transpose_grad : fal_conv_grad)(
        &command->context, &layer->x, &layer->w, gy, &layer->params, wanted[INPUT] ? &results[INPUT] : NULL,
        wanted[WEIGHT] ? &results[WEIGHT] : NULL, wanted[BIAS] ? &results[BIAS] : NULL);
}

static fal_status print_all(cli_command *command, const cli_layer *layer, const bool *wanted,
                            const fal_tensor *results, bool to_files)
{
    json_t *json = json_pack("{s:s, s:o}", "operator", layer->transposed ? "conv-transpose" : "conv",
                             "parameters", cli_json_parameters(layer));
    for (int i = 0; i < GRADIENTS; i++) {
        if (!wanted[i]) continue;
        json_t *gradient = cli_json_tensor(&results[i]);
        if (!to_files) json_object_set_new(gradient, "values", cli_json_values(&results[i]));
        json_object_set_new(json, gradients[i].key, gradient);
    }
    return cli_json_print(command, json);
}

fal_status cli_run_grad(cli_command *command)
{
    cli_layer layer;
    fal_tensor gy, results[GRADIENTS];
    bool wanted[GRADIENTS], to_files = false;
    int transposed;
    CLI_TRY(cli_operand_word(command, 0, "operator", "conv conv-transpose", &transposed));
    CLI_TRY(
        cli_layer_read(command, transposed == 1, cli_operand(command, 1), cli_operand(command, 2), &layer));
    CLI_TRY(read_arriving(command, &layer, &gy));
    for (int i = 0; i < GRADIENTS; i++) to_files |= cli_given(command, gradients[i].option) != 0;
    for (int i = 0; i < GRADIENTS; i++) wanted[i] = !to_files || cli_given(command, gradients[i].option);
    CLI_TRY(allocate(command, &layer, wanted, results));
    fal_status status = differentiate(command, &layer, &gy, wanted, results);
    CLI_TRY(cli_hint_wider(command, status, layer.x.dtype));
    for (int i = 0; i < GRADIENTS; i++)
        if (to_files && wanted[i])
            CLI_TRY(cli_write(command, &results[i], cli_text(command, gradients[i].option, NULL)));
    if (command->json) return print_all(command, &layer, wanted, results, to_files);
    for (int i = 0; i < GRADIENTS && !to_files; i++) {
        char shape[160];
        cli_format_shape(shape, sizeof shape, &results[i]);
        fprintf(cli_out(command), "%s%s %s\n", i ? "\n" : "", gradients[i].title, shape);
        cli_print_tensor(cli_out(command), &results[i]);
    }
    return FAL_OK;
}
