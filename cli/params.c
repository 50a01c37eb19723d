/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * params.c: options into fal_conv_params.
 *
 * Only counts are checked here, because only the command knows that one number means all axes. What
 * the numbers may be is the library's business.
 */
#include <inttypes.h>

#include "cli/params.h"

/* The command's words in the order of the library's enums: a change there must stop the build. */
_Static_assert(FAL_PADDING_VALID == 1 && FAL_PADDING_SAME == 2 && FAL_PADDING_SAME_LOWER == 3 &&
                   FAL_PADDING_FULL == 4 && FAL_PADDING_CAUSAL == 5,
               "--padding lists the rules in this order");
_Static_assert(FAL_PAD_ZEROS == 0 && FAL_PAD_REFLECT == 1 && FAL_PAD_SYMMETRIC == 2 &&
                   FAL_PAD_REPLICATE == 3 && FAL_PAD_CIRCULAR == 4 && FAL_PAD_CONSTANT == 5,
               "--padding-mode lists the modes in this order");
_Static_assert(FAL_ACCURACY_DEFAULT == 0 && FAL_ACCURACY_STRICT == 1 && FAL_ACCURACY_FAST == 2,
               "--accuracy lists the levels in this order");
_Static_assert(FAL_NCHW == 0 && FAL_NHWC == 1, "--layout lists the layouts in this order");
_Static_assert(FAL_F32 == 1 && FAL_I64 == 9, "--dtype lists the types in this order");

static fal_status wrong_count(cli_command *command, cli_option_id id, int32_t count, int32_t axes)
{
    char where[48];
    snprintf(where, sizeof where, "--%s", cli_options[id].name);
    cli_fail(command, FAL_E_RANK, where, "%s has %" PRId32 " entries for %" PRId32 " %sax%s",
             cli_options[id].name, count, axes, cli_given(command, CLI_ALL_AXES) ? "" : "spatial ",
             axes == 1 ? "is" : "es");
    if (axes == 1) return cli_allow(command, FAL_E_RANK, "give 1");
    return cli_allow(command, FAL_E_RANK, "give 1 for all axes, or %" PRId32, axes);
}

fal_status cli_axis_ints(cli_command *command, cli_option_id id, int32_t spatial, int64_t *values)
{
    const int64_t *given;
    int32_t count = cli_ints(command, id, &given);
    if (count == 0) return FAL_OK;
    if (count != 1 && count != spatial) return wrong_count(command, id, count, spatial);
    for (int32_t a = 0; a < spatial; a++) values[a] = given[count == 1 ? 0 : a];
    return FAL_OK;
}

fal_status cli_axis_padding(cli_command *command, int32_t axes, int64_t *begin, int64_t *end)
{
    const cli_value *value = &command->values[CLI_PADDING];
    if (!value->given || value->choice != FAL_PADDING_EXPLICIT) return FAL_OK;
    if (value->count != 1 && value->count != axes)
        return wrong_count(command, CLI_PADDING, value->count, axes);
    for (int32_t a = 0; a < axes; a++) {
        begin[a] = value->ints[value->count == 1 ? 0 : a];
        end[a] = value->ends[value->count == 1 ? 0 : a];
    }
    return FAL_OK;
}

fal_padding cli_padding(const cli_command *command)
{
    return (fal_padding)cli_choice(command, CLI_PADDING, FAL_PADDING_EXPLICIT);
}

fal_status cli_border(cli_command *command, fal_padding_mode *mode, double *value)
{
    *mode = (fal_padding_mode)cli_choice(command, CLI_PADDING_MODE, FAL_PAD_ZEROS);
    *value = cli_number(command, CLI_PADDING_VALUE, 0);
    if (!cli_given(command, CLI_PADDING_VALUE) || *mode == FAL_PAD_CONSTANT) return FAL_OK;
    cli_fail(command, FAL_E_PADDING, "--padding-value",
             "a padding value without constant padding has no effect");
    return cli_hint(command, FAL_E_PADDING, "add --padding-mode constant");
}

fal_status cli_conv_params(cli_command *command, int32_t spatial, fal_conv_params *params)
{
    *params = (fal_conv_params){0};
    if (spatial < 1 || spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, NULL, "the weight leaves %" PRId32 " spatial axes", spatial);
        return cli_allow(command, FAL_E_RANK, "must be 1..%d", FAL_MAX_SPATIAL);
    }
    CLI_TRY(cli_axis_ints(command, CLI_STRIDE, spatial, params->stride));
    CLI_TRY(cli_axis_ints(command, CLI_DILATION, spatial, params->dilation));
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, spatial, params->kernel));
    CLI_TRY(cli_axis_ints(command, CLI_OUTPUT_PADDING, spatial, params->output_padding));
    CLI_TRY(cli_axis_ints(command, CLI_OUTPUT_SIZE, spatial, params->output_size));
    params->padding = cli_padding(command);
    CLI_TRY(cli_axis_padding(command, spatial, params->padding_begin, params->padding_end));
    CLI_TRY(cli_border(command, &params->padding_mode, &params->padding_value));
    params->groups = cli_int(command, CLI_GROUPS, 0);
    params->flip_kernel = cli_given(command, CLI_FLIP_KERNEL) > 0;
    params->layout = cli_layout(command);
    params->accuracy = (fal_accuracy)cli_choice(command, CLI_ACCURACY, FAL_ACCURACY_DEFAULT);
    params->algorithm = cli_text(command, CLI_ALGORITHM, NULL);
    params->reproducible = cli_given(command, CLI_REPRODUCIBLE) > 0;
    params->spatial = spatial;
    return cli_activation(command, params);
}

fal_status cli_spatial_said(cli_command *command, int32_t *spatial)
{
    static const cli_option_id lists[] = {CLI_KERNEL, CLI_PADDING, CLI_OUTPUT_SIZE, CLI_SCALE};
    *spatial = (int32_t)cli_int(command, CLI_SPATIAL, 0);
    for (size_t i = 0; *spatial == 0 && i < sizeof lists / sizeof lists[0]; i++) {
        int32_t count = command->values[lists[i]].count;
        if (count <= 1) continue;
        *spatial = count;
        if (count <= FAL_MAX_SPATIAL) continue;
        cli_fail(command, FAL_E_RANK, NULL, "%" PRId32 " spatial axes in --%s", count,
                 cli_options[lists[i]].name);
        return cli_allow(command, FAL_E_RANK, "must be 1..%d", FAL_MAX_SPATIAL);
    }
    return FAL_OK;
}

fal_status cli_spatial(cli_command *command, const fal_tensor *x, int32_t *spatial)
{
    CLI_TRY(cli_spatial_said(command, spatial));
    if (*spatial > 0) return FAL_OK;
    if (x->rank == 3) {
        cli_fail(command, FAL_E_RANK, "x",
                 "an input of rank 3 is a batch of 1-D signals or one image without a batch");
        return cli_hint(command, FAL_E_RANK, "say --spatial 1 for signals, --spatial 2 for an image");
    }
    *spatial = x->rank - 2;
    if (*spatial >= 1 && *spatial <= FAL_MAX_SPATIAL) return FAL_OK;
    cli_fail(command, FAL_E_RANK, "x", "an input of rank %" PRId32 " leaves %" PRId32 " spatial axes",
             x->rank, *spatial);
    return cli_allow(command, FAL_E_RANK, "must be 1..%d", FAL_MAX_SPATIAL);
}

fal_layout cli_layout(const cli_command *command)
{
    return (fal_layout)cli_choice(command, CLI_LAYOUT, FAL_NCHW);
}

fal_dtype cli_dtype(const cli_command *command)
{
    return (fal_dtype)(cli_choice(command, CLI_DTYPE, -1) + 1);
}
