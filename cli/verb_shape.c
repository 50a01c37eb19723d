/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_shape.c: what a layer makes of its input and what it costs.
 *
 * conv and conv-transpose ask the library for the geometry of the whole layer; pool has no weight, so
 * its axes are worked out one by one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/layer.h"
#include "cli/params.h"
#include "cli/tensors.h"

enum { LABEL = 18 };

static void print_row(FILE *out, const char *label, const char *text)
{
    fprintf(out, "%-*s%s\n", LABEL, label, text);
}

static void print_shape(FILE *out, const char *label, const fal_tensor *t)
{
    char text[320];
    cli_format_shape(text, sizeof text, t);
    print_row(out, label, text);
}

static void print_axes(FILE *out, int32_t spatial, const fal_axis *axis, cli_formula_kind kind)
{
    char text[CLI_FORMULA_TEXT];
    size_t used = 0;
    for (int32_t a = 0; a < spatial; a++) {
        cli_formula(text, &axis[a], kind);
        print_row(out, cli_axis_name(spatial, a), text);
    }
    for (int32_t a = 0; a < spatial && used < sizeof text; a++) {
        int64_t effective = 0;
        fal_effective_kernel(axis[a].kernel, axis[a].dilation, &effective, NULL);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, a ? " x " : "", effective);
    }
    print_row(out, "effective kernel", text);
    cli_format_padding(text, spatial, axis);
    print_row(out, "padding", text);
}

/* The transposed convolution that leads back from the result's size to the input's. */
static fal_status associated(cli_command *command, const fal_conv_geometry *g, fal_axis *back)
{
    for (int32_t a = 0; a < g->spatial; a++)
        CLI_TRY(fal_associated_transpose(&g->axis[a], &back[a], &command->error));
    return FAL_OK;
}

static void print_associated(FILE *out, int32_t spatial, const fal_axis *back)
{
    char formula[CLI_FORMULA_TEXT];
    fprintf(out, "\nThe associated transposed convolution, from the result's size back to the input's:\n");
    for (int32_t a = 0; a < spatial; a++) {
        cli_formula(formula, &back[a], CLI_FORMULA_TRANSPOSE);
        fprintf(out, "%-*s%s\n", LABEL, cli_axis_name(spatial, a), formula);
        fprintf(out,
                "%-*skernel %" PRId64 ", stride %" PRId64 ", dilation %" PRId64 ", padding %" PRId64
                ":%" PRId64 ", output padding %" PRId64 "\n",
                LABEL, "", back[a].kernel, back[a].stride, back[a].dilation, back[a].begin, back[a].end,
                back[a].output_padding);
    }
}

static void print_layer(cli_command *command, const cli_layer *layer, const fal_counts *counts)
{
    FILE *out = cli_out(command);
    const fal_conv_geometry *g = &layer->geometry;
    char text[160];
    print_shape(out, "input", &layer->x);
    print_shape(out, "weight", &layer->w);
    print_axes(out, g->spatial, g->axis, layer->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV);
    print_shape(out, "output", &layer->y);
    snprintf(text, sizeof text, "%" PRId64, counts->parameters);
    print_row(out, "parameters", text);
    snprintf(text, sizeof text, "%" PRId64 ", of them %" PRId64 " with a real input", counts->multiply_adds,
             counts->real_multiply_adds);
    print_row(out, "multiply-adds", text);
    snprintf(text, sizeof text, "input %" PRId64 ", weight %" PRId64 ", output %" PRId64 " (%s)",
             counts->input_bytes, counts->weight_bytes, counts->output_bytes, fal_dtype_name(layer->x.dtype));
    print_row(out, "bytes", text);
}

static json_t *axes_as_parameters(int32_t spatial, const fal_axis *back)
{
    cli_layer layer = {.transposed = true, .geometry = {.transposed = true, .spatial = spatial, .groups = 1}};
    memcpy(layer.geometry.axis, back, (size_t)spatial * sizeof back[0]);
    return cli_json_parameters(&layer);
}

static fal_status json_layer(cli_command *command, const cli_layer *layer, const fal_counts *counts,
                             const fal_axis *back)
{
    const fal_conv_geometry *g = &layer->geometry;
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "operator",
        layer->transposed ? "conv-transpose" : "conv", "input", cli_json_tensor(&layer->x), "weight",
        cli_json_tensor(&layer->w), "output", cli_json_tensor(&layer->y), "parameters",
        cli_json_parameters(layer), "size",
        cli_json_axes(g->spatial, g->axis, layer->transposed ? CLI_FORMULA_TRANSPOSE : CLI_FORMULA_CONV),
        "weights_and_biases", (json_int_t)counts->parameters, "multiply_adds",
        (json_int_t)counts->multiply_adds, "real_multiply_adds", (json_int_t)counts->real_multiply_adds,
        "input_bytes", (json_int_t)counts->input_bytes, "weight_bytes", (json_int_t)counts->weight_bytes,
        "output_bytes", (json_int_t)counts->output_bytes);
    if (!layer->transposed)
        json_object_set_new(json, "associated_transpose", axes_as_parameters(g->spatial, back));
    return cli_json_print(command, json);
}

static fal_status shape_of_layer(cli_command *command, bool transposed)
{
    cli_layer layer;
    fal_counts counts;
    fal_axis back[FAL_MAX_SPATIAL];
    CLI_TRY(cli_layer_read(command, transposed, cli_operand(command, 1), cli_operand(command, 2), &layer));
    const fal_conv_geometry *g = &layer.geometry;
    CLI_TRY(fal_conv_counts(g, layer.x.dtype, layer.bias.rank > 0, &counts, &command->error));
    if (!transposed) CLI_TRY(associated(command, g, back));
    if (command->json) return json_layer(command, &layer, &counts, back);
    print_layer(command, &layer, &counts);
    if (!transposed) print_associated(cli_out(command), g->spatial, back);
    return FAL_OK;
}

/* Pooling has no weight, so its input or the window gives the spatial axes. */
static fal_status pool_input(cli_command *command, fal_tensor *x, int32_t *spatial)
{
    const int64_t *ints;
    const char *text = cli_operand(command, 1);
    int64_t shape[FAL_MAX_RANK] = {1, 1};
    int32_t rank = cli_ints(command, CLI_INPUT, &ints), kernel = cli_ints(command, CLI_KERNEL, &ints);
    if (text != NULL) {
        CLI_TRY(cli_load(command, text, "x", x));
        CLI_TRY(cli_window_axes(command, text, x, spatial));
        cli_lead_axes(text, cli_layout(command), *spatial + 2, x);
        return FAL_OK;
    }
    if (rank > 0) {
        cli_ints(command, CLI_INPUT, &ints);
        CLI_TRY(cli_shape_only(command, "--input", rank, ints, x));
        return cli_spatial(command, x, spatial);
    }
    int32_t sizes = cli_ints(command, CLI_INPUT_SIZE, &ints);
    *spatial = kernel > 1 ? kernel : sizes > 1 ? sizes : (int32_t)cli_int(command, CLI_SPATIAL, 2);
    if (sizes == 0 || *spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_USAGE, NULL, sizes ? "too many spatial axes" : "no input is given");
        return cli_allow(command, FAL_E_USAGE, "give X, --input SHAPE or --input-size N of 1 to 3 axes");
    }
    CLI_TRY(
        cli_axis_ints(command, CLI_INPUT_SIZE, *spatial, &shape[cli_layout(command) == FAL_NHWC ? 1 : 2]));
    if (cli_layout(command) == FAL_NHWC) shape[*spatial + 1] = 1;
    return cli_shape_only(command, "--input-size", *spatial + 2, shape, x);
}

static fal_status pool_axis(cli_command *command, const fal_conv_params *params, int32_t a, fal_axis *axis)
{
    *axis = (fal_axis){.input = axis->input,
                       .kernel = params->kernel[a],
                       .stride = params->stride[a] ? params->stride[a] : params->kernel[a],
                       .dilation = params->dilation[a] ? params->dilation[a] : 1,
                       .begin = params->padding_begin[a],
                       .end = params->padding_end[a]};
    if (params->padding != FAL_PADDING_EXPLICIT)
        CLI_TRY(fal_padding_resolve(axis, params->padding, false, &command->error));
    return fal_pool_size(axis, cli_given(command, CLI_CEIL_MODE) > 0, &command->error);
}

static fal_status shape_of_pool(cli_command *command)
{
    fal_tensor x, y;
    fal_conv_params params;
    fal_axis axis[FAL_MAX_SPATIAL];
    int32_t spatial;
    cli_formula_kind kind = cli_given(command, CLI_CEIL_MODE) ? CLI_FORMULA_POOL_CEIL : CLI_FORMULA_POOL;
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K");
    }
    CLI_TRY(pool_input(command, &x, &spatial));
    CLI_TRY(cli_conv_params(command, spatial, &params));
    int32_t first = x.rank - spatial - (params.layout == FAL_NHWC ? 1 : 0);
    if (first < 0 || first > 2) {
        cli_fail(command, FAL_E_RANK, "--input", "an input of rank %" PRId32 " with %" PRId32 " spatial axes",
                 x.rank, spatial);
        return cli_allow(command, FAL_E_RANK, "must be %" PRId32 " or %" PRId32, spatial + 1, spatial + 2);
    }
    y = x;
    for (int32_t a = 0; a < spatial; a++) {
        axis[a].input = x.shape[first + a];
        CLI_TRY(pool_axis(command, &params, a, &axis[a]));
        y.shape[first + a] = axis[a].output;
    }
    if (command->json)
        return cli_json_print(command, json_pack("{s:s, s:o, s:o, s:o}", "operator", "pool", "input",
                                                 cli_json_tensor(&x), "output", cli_json_tensor(&y), "size",
                                                 cli_json_axes(spatial, axis, kind)));
    FILE *out = cli_out(command);
    print_shape(out, "input", &x);
    print_axes(out, spatial, axis, kind);
    print_shape(out, "output", &y);
    return FAL_OK;
}

fal_status cli_run_shape(cli_command *command)
{
    int word;
    CLI_TRY(cli_operand_word(command, 0, "operator", "conv conv-transpose pool", &word));
    return word == 2 ? shape_of_pool(command) : shape_of_layer(command, word == 1);
}
