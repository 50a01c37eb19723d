/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_deform_conv.c: deform-conv, in version 1 (no mask) and 2, and its gradients.
 *
 * Input, weight, bias and parameters are a layer like that of conv; offsets and mask join them.
 */
#include <inttypes.h>

#include "cli/grad.h"
#include "cli/limits.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

typedef struct deform {
    cli_layer layer;
    fal_deform_operands operands;
    int64_t offset_groups;
} deform;

/* Operands `first`, ...: X OFFSET W. */
static fal_status read_deform(cli_command *command, int first, deform *d)
{
    const cli_operand_name offset = {cli_operand(command, first + 1), "offset", "the offset"};
    const cli_operand_name mask = {cli_text(command, CLI_MASK, NULL), "mask", "the mask"};
    cli_layer *layer = &d->layer;
    *d = (deform){.offset_groups = cli_int(command, CLI_OFFSET_GROUPS, 1)};
    CLI_TRY(cli_layer_operands(command, false, cli_operand(command, first), cli_operand(command, first + 2),
                               layer));
    if (layer->w.rank != 4) {
        cli_fail(command, FAL_E_RANK, "w", "the weight has rank %" PRId32, layer->w.rank);
        return cli_allow(command, FAL_E_RANK, "must be 4: a deformable convolution has two spatial axes");
    }
    CLI_TRY(cli_load_like(command, &layer->x, &offset, &d->operands.offset));
    CLI_TRY(cli_load_like(command, &layer->x, &mask, &d->operands.mask));
    cli_lead_axes(offset.text, layer->params.layout, layer->x.rank, &d->operands.offset);
    if (mask.text != NULL) cli_lead_axes(mask.text, layer->params.layout, layer->x.rank, &d->operands.mask);
    CLI_TRY(cli_layer_describe(command, layer));
    d->operands.x = layer->x;
    d->operands.w = layer->w;
    d->operands.bias = layer->bias;
    fal_counts counts;
    CLI_TRY(
        fal_conv_counts(&layer->geometry, layer->x.dtype, layer->bias.rank > 0, &counts, &command->error));
    return cli_check_work(command, counts.multiply_adds);
}

/* How far the result is from the plain loop nest. */
static fal_status check(cli_command *command, const deform *d, double *difference)
{
    deform plain = *d;
    CLI_TRY(cli_tensor_alloc(command, &plain.operands.y));
    CLI_TRY(fal_deform_conv_reference(&plain.operands, &d->layer.params, d->offset_groups, &command->error));
    *difference = cli_largest_difference(&d->operands.y, &plain.operands.y);
    return FAL_OK;
}

fal_status cli_run_deform_conv(cli_command *command)
{
    deform d;
    double difference;
    const bool checked = cli_given(command, CLI_CHECK) > 0;
    CLI_TRY(read_deform(command, 0, &d));
    d.operands.y = d.layer.y;
    CLI_TRY(cli_tensor_alloc(command, &d.operands.y));
    CLI_TRY(fal_deform_conv(&command->context, &d.operands, &d.layer.params, d.offset_groups));
    if (checked) CLI_TRY(check(command, &d, &difference));
    const cli_outcome outcome = {.x = &d.layer.x,
                                 .y = &d.operands.y,
                                 .spatial = d.layer.geometry.spatial,
                                 .axis = d.layer.geometry.axis,
                                 .formula = CLI_FORMULA_CONV,
                                 .difference = checked ? &difference : NULL};
    return cli_planes_emit(command, &outcome);
}

fal_status cli_grad_deform_conv(cli_command *command, cli_gradients *gradients)
{
    enum { INPUT, OFFSET, MASK, WEIGHT, BIAS };
    deform d;
    cli_gradient *g = gradients->entry;
    CLI_TRY(read_deform(command, 1, &d));
    const fal_tensor bias = fal_tensor_of(NULL, d.layer.x.dtype, 1, &d.layer.geometry.out_channels);
    if (cli_given(command, CLI_GRAD_MASK) && !cli_given(command, CLI_MASK)) {
        cli_fail(command, FAL_E_USAGE, "--grad-mask", "the gradient of a mask is wanted, but there is none");
        return cli_allow(command, FAL_E_USAGE, "give --mask FILE");
    }
    if (!cli_given(command, CLI_MASK)) g[MASK].wanted = false;
    CLI_TRY(cli_arriving(command, 4, &d.layer.x, &d.layer.y, &d.operands.y));
    CLI_TRY(cli_gradient_alloc(command, &g[INPUT], &d.operands.x));
    CLI_TRY(cli_gradient_alloc(command, &g[OFFSET], &d.operands.offset));
    CLI_TRY(cli_gradient_alloc(command, &g[MASK], &d.operands.mask));
    CLI_TRY(cli_gradient_alloc(command, &g[WEIGHT], &d.operands.w));
    CLI_TRY(cli_gradient_alloc(command, &g[BIAS], &bias));
    const fal_deform_operands results = {.x = g[INPUT].tensor,
                                         .offset = g[OFFSET].tensor,
                                         .mask = g[MASK].tensor,
                                         .w = g[WEIGHT].tensor,
                                         .bias = g[BIAS].tensor};
    CLI_TRY(fal_deform_conv_grad(&command->context, &d.operands, &d.layer.params, d.offset_groups, &results));
    if (command->json) gradients->facts = json_pack("{s:o}", "parameters", cli_json_parameters(&d.layer));
    return FAL_OK;
}
