/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_shape.c: what a layer makes of its input and what it costs.
 *
 * conv and conv-transpose ask the library for the geometry of the whole layer; pool has no weight, so
 * its axes are worked out one by one. With --dialect a framework gives the numbers their meaning before
 * anything is resolved; --compare shows such meanings and nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/coverage.h"
#include "cli/dialect.h"
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

/* ---- What both kinds of operator may add ---- */

/* What --dialect made of the parameters; without it only the subject is used. */
typedef struct {
    bool given;
    cli_dialect dialect;
    cli_subject subject;
    fal_dialect_answer answers[FAL_MAX_SPATIAL];
} meaning;

static fal_status read_meaning(cli_command *command, meaning *m)
{
    const char *name = cli_text(command, CLI_DIALECT, "");
    m->given = true;
    CLI_TRY(cli_dialect_read(command, "--dialect", name, strlen(name), &m->dialect));
    return cli_dialect_resolve(&m->dialect, &m->subject, m->answers, &command->error);
}

static void print_meaning(FILE *out, const meaning *m)
{
    char text[CLI_DIALECT_TEXT];
    if (!m->given) return;
    print_row(out, "dialect", m->dialect.name);
    cli_format_shift(text, m->subject.spatial, m->answers);
    print_row(out, "pixel shift", text);
    if (!m->subject.pooling && !m->subject.transposed) {
        cli_format_border(text, m->answers[0].border);
        print_row(out, "border", text);
    }
    if (!m->subject.pooling) print_row(out, "kernel", m->answers[0].flip_kernel ? "flipped" : "as it stands");
    cli_format_notes(text, m->subject.spatial, m->answers);
    if (text[0] != '\0') print_row(out, "note", text);
}

/* Before anything is printed, because an axis may be too long to count. */
static fal_status cover(cli_command *command, bool transposed, int32_t spatial, const fal_axis *axis,
                        cli_coverage *coverage)
{
    if (!cli_given(command, CLI_COVERAGE)) return FAL_OK;
    for (int32_t a = 0; a < spatial; a++)
        CLI_TRY(cli_coverage_of(command, transposed, &axis[a], &coverage[a]));
    return FAL_OK;
}

static fal_status finish_json(cli_command *command, const meaning *m, const cli_coverage *coverage,
                              json_t *json)
{
    if (json != NULL && m->given)
        json_object_set_new(json, "dialect", cli_json_dialect(&m->dialect, &m->subject, m->answers));
    if (json != NULL && cli_given(command, CLI_COVERAGE))
        json_object_set_new(json, "coverage", cli_coverage_json(m->subject.spatial, coverage));
    return cli_json_print(command, json);
}

/* ---- conv, conv-transpose ---- */

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

static json_t *json_layer(const cli_layer *layer, const fal_counts *counts, const fal_axis *back)
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
    return json;
}

/* The layer without its padding: shapes and channels are checked, sizes and kernels of the axes known. Full
 * padding lets any kernel fit. */
static fal_status layer_subject(cli_command *command, const cli_layer *layer, cli_subject *subject)
{
    cli_layer bare = *layer;
    bare.params = (fal_conv_params){.groups = layer->params.groups, .layout = layer->params.layout};
    if (!layer->transposed) bare.params.padding = FAL_PADDING_FULL;
    CLI_TRY(cli_layer_describe(command, &bare));
    const fal_conv_geometry *g = &bare.geometry;
    *subject = (cli_subject){.transposed = layer->transposed,
                             .spatial = g->spatial,
                             .first = bare.y.rank - g->spatial - (g->layout == FAL_NHWC ? 1 : 0),
                             .x = layer->x,
                             .w = layer->w,
                             .y = bare.y};
    for (int32_t a = 0; a < g->spatial; a++)
        subject->axis[a] = (fal_axis){.input = g->axis[a].input, .kernel = g->axis[a].kernel};
    cli_subject_params(subject, &layer->params);
    return FAL_OK;
}

static fal_status shape_of_layer(cli_command *command, bool transposed)
{
    cli_layer layer;
    meaning m = {.given = false};
    fal_counts counts;
    fal_axis back[FAL_MAX_SPATIAL];
    cli_coverage coverage[FAL_MAX_SPATIAL];
    CLI_TRY(
        cli_layer_operands(command, transposed, cli_operand(command, 1), cli_operand(command, 2), &layer));
    if (cli_given(command, CLI_COMPARE) || cli_given(command, CLI_DIALECT))
        CLI_TRY(layer_subject(command, &layer, &m.subject));
    if (cli_given(command, CLI_COMPARE)) return cli_compare(command, &m.subject);
    if (cli_given(command, CLI_DIALECT)) {
        CLI_TRY(read_meaning(command, &m));
        cli_dialect_params(command, &m.subject, m.answers, &layer.params);
    }
    CLI_TRY(cli_layer_describe(command, &layer));
    const fal_conv_geometry *g = &layer.geometry;
    m.subject.spatial = g->spatial;
    CLI_TRY(fal_conv_counts(g, layer.x.dtype, layer.bias.rank > 0, &counts, &command->error));
    if (!transposed) CLI_TRY(associated(command, g, back));
    CLI_TRY(cover(command, transposed, g->spatial, g->axis, coverage));
    if (command->json) return finish_json(command, &m, coverage, json_layer(&layer, &counts, back));
    print_layer(command, &layer, &counts);
    print_meaning(cli_out(command), &m);
    if (!transposed) print_associated(cli_out(command), g->spatial, back);
    if (cli_given(command, CLI_COVERAGE)) cli_coverage_print(cli_out(command), g->spatial, coverage);
    return FAL_OK;
}

/* ---- pool ---- */

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

/* Sizes, kernels and the numbers as typed; y's spatial sizes are still x's. */
static fal_status pool_subject(cli_command *command, cli_subject *subject)
{
    fal_conv_params params;
    *subject = (cli_subject){.pooling = true, .ceil_mode = cli_given(command, CLI_CEIL_MODE) > 0};
    CLI_TRY(pool_input(command, &subject->x, &subject->spatial));
    int32_t spatial = subject->spatial;
    CLI_TRY(cli_conv_params(command, spatial, &params));
    subject->first = subject->x.rank - spatial - (params.layout == FAL_NHWC ? 1 : 0);
    if (subject->first < 0 || subject->first > 2) {
        cli_fail(command, FAL_E_RANK, "--input", "an input of rank %" PRId32 " with %" PRId32 " spatial axes",
                 subject->x.rank, spatial);
        return cli_allow(command, FAL_E_RANK, "must be %" PRId32 " or %" PRId32, spatial + 1, spatial + 2);
    }
    subject->y = subject->x;
    for (int32_t a = 0; a < spatial; a++) {
        subject->axis[a].input = subject->x.shape[subject->first + a];
        subject->axis[a].kernel = params.kernel[a];
    }
    cli_subject_params(subject, &params);
    return FAL_OK;
}

static fal_status pool_axis(cli_command *command, const cli_subject *subject, int32_t a, fal_axis *axis)
{
    *axis = subject->axis[a];
    axis->stride = axis->stride ? axis->stride : axis->kernel;
    axis->dilation = axis->dilation ? axis->dilation : 1;
    if (subject->rule != FAL_PADDING_EXPLICIT)
        CLI_TRY(fal_padding_resolve(axis, subject->rule, false, &command->error));
    return fal_pool_size(axis, subject->ceil_mode, &command->error);
}

/* Coverage counts whole windows: a last one that hangs over the end becomes end padding. The library
 * accepted the window before it, so that one more stride fits. */
static fal_axis with_overhang(fal_axis axis)
{
    int64_t reach = (axis.output - 1) * axis.stride - axis.begin + axis.dilation * (axis.kernel - 1) + 1;
    if (axis.output > 0 && reach > axis.input + axis.end) axis.end = reach - axis.input;
    return axis;
}

/* The axes as they are said and as they are covered, and y's sizes. */
static fal_status pool_axes(cli_command *command, meaning *m, fal_axis *axis, fal_axis *covered)
{
    cli_subject *subject = &m->subject;
    if (cli_given(command, CLI_DIALECT)) CLI_TRY(read_meaning(command, m));
    for (int32_t a = 0; a < subject->spatial; a++) {
        if (m->given)
            axis[a] = m->answers[a].axis;
        else
            CLI_TRY(pool_axis(command, subject, a, &axis[a]));
        subject->y.shape[subject->first + a] = axis[a].output;
        covered[a] = with_overhang(axis[a]);
    }
    return FAL_OK;
}

static fal_status shape_of_pool(cli_command *command)
{
    meaning m = {.given = false};
    fal_axis axis[FAL_MAX_SPATIAL], covered[FAL_MAX_SPATIAL];
    cli_coverage coverage[FAL_MAX_SPATIAL];
    const cli_subject *subject = &m.subject;
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, "--kernel", "no window is given");
        return cli_allow(command, FAL_E_USAGE, "give --kernel K");
    }
    CLI_TRY(pool_subject(command, &m.subject));
    if (cli_given(command, CLI_COMPARE)) return cli_compare(command, subject);
    CLI_TRY(pool_axes(command, &m, axis, covered));
    CLI_TRY(cover(command, false, subject->spatial, covered, coverage));
    bool up = m.given ? m.answers[0].ceil_mode : subject->ceil_mode;
    cli_formula_kind kind = up ? CLI_FORMULA_POOL_CEIL : CLI_FORMULA_POOL;
    if (command->json)
        return finish_json(command, &m, coverage,
                           json_pack("{s:s, s:o, s:o, s:o}", "operator", "pool", "input",
                                     cli_json_tensor(&subject->x), "output", cli_json_tensor(&subject->y),
                                     "size", cli_json_axes(subject->spatial, axis, kind)));
    FILE *out = cli_out(command);
    print_shape(out, "input", &subject->x);
    print_axes(out, subject->spatial, axis, kind);
    print_shape(out, "output", &subject->y);
    print_meaning(out, &m);
    if (cli_given(command, CLI_COVERAGE)) cli_coverage_print(out, subject->spatial, coverage);
    return FAL_OK;
}

/* A comparison shows the meanings alone. */
static fal_status check_compare(cli_command *command)
{
    static const cli_option_id others[] = {CLI_DIALECT, CLI_COVERAGE};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (cli_given(command, CLI_COMPARE) && cli_given(command, others[i])) {
            cli_fail(command, FAL_E_USAGE, NULL, "--compare and --%s are given", cli_options[others[i]].name);
            return cli_allow(command, FAL_E_USAGE, "give one of them");
        }
    return FAL_OK;
}

fal_status cli_run_shape(cli_command *command)
{
    int word;
    CLI_TRY(check_compare(command));
    CLI_TRY(cli_operand_word(command, 0, "operator", "conv conv-transpose pool", &word));
    return word == 2 ? shape_of_pool(command) : shape_of_layer(command, word == 1);
}
