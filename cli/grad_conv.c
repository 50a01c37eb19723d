/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grad_conv.c: the gradients of conv and conv-transpose.
 */
#include <string.h>

#include "cli/grad.h"
#include "cli/tensors.h"

enum { INPUT, WEIGHT, BIAS };

/* The gradients by the plain loop nests. The bias comes with the weight; without a wish for the weight it
 * goes into memory of its own. */
static fal_status by_reference(cli_command *command, const cli_layer *layer, const fal_tensor *gy,
                               const cli_gradient *g)
{
    fal_operands operands = {.x = g[INPUT].tensor, .w = layer->w, .y = *gy};
    if (g[INPUT].wanted)
        CLI_TRY(fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_INPUT : FAL_OP_CONV_GRAD_INPUT,
                              &operands, &layer->params, &command->error));
    if (!g[WEIGHT].wanted && !g[BIAS].wanted) return FAL_OK;
    operands = (fal_operands){.x = layer->x, .w = g[WEIGHT].tensor, .y = *gy};
    if (!g[WEIGHT].wanted) {
        operands.w = layer->w;
        CLI_TRY(cli_tensor_alloc(command, &operands.w));
    }
    if (g[BIAS].wanted) operands.bias = g[BIAS].tensor;
    return fal_reference(layer->transposed ? FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT : FAL_OP_CONV_GRAD_WEIGHT,
                         &operands, &layer->params, &command->error);
}

static fal_status differentiate(cli_command *command, cli_layer *layer, const fal_tensor *gy,
                                const cli_gradient *g)
{
    const char *algorithm = cli_text(command, CLI_ALGORITHM, NULL);
    if (algorithm != NULL && strcmp(algorithm, "reference") == 0) return by_reference(command, layer, gy, g);
    layer->params.algorithm = algorithm;
    return (layer->transposed ? fal_conv_transpose_grad : fal_conv_grad)(
        &command->context, &layer->x, &layer->w, gy, &layer->params,
        g[INPUT].wanted ? &g[INPUT].tensor : NULL, g[WEIGHT].wanted ? &g[WEIGHT].tensor : NULL,
        g[BIAS].wanted ? &g[BIAS].tensor : NULL);
}

static fal_status grad(cli_command *command, bool transposed, cli_gradients *gradients)
{
    cli_layer layer;
    fal_tensor gy;
    cli_gradient *g = gradients->entry;
    CLI_TRY(cli_layer_read(command, transposed, cli_operand(command, 1), cli_operand(command, 2), &layer));
    CLI_TRY(cli_arriving(command, 3, &layer.x, &layer.y, &gy));
    const fal_tensor bias = fal_tensor_of(NULL, layer.x.dtype, 1, &layer.geometry.out_channels);
    CLI_TRY(cli_gradient_alloc(command, &g[INPUT], &layer.x));
    CLI_TRY(cli_gradient_alloc(command, &g[WEIGHT], &layer.w));
    CLI_TRY(cli_gradient_alloc(command, &g[BIAS], &bias));
    CLI_TRY(cli_hint_wider(command, differentiate(command, &layer, &gy, g), layer.x.dtype));
    if (command->json) gradients->facts = json_pack("{s:o}", "parameters", cli_json_parameters(&layer));
    return FAL_OK;
}

fal_status cli_grad_conv(cli_command *command, cli_gradients *gradients)
{
    return grad(command, false, gradients);
}

fal_status cli_grad_conv_transpose(cli_command *command, cli_gradients *gradients)
{
    return grad(command, true, gradients);
}
