/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * formula.c: sizes and parameters in words, with the numbers in them.
 *
 * conv -v, shape and the JSON of both print the same text, so that what a reader checks by hand is what
 * the library computed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/layer.h"
#include "cli/tensors.h"

/* " + 1", and " - 1" for a crop */
static int signed_term(char *text, size_t capacity, int64_t value, bool negated)
{
    bool minus = (value < 0) != negated && value != 0;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return snprintf(text, capacity, " %c %" PRIu64, minus || (negated && value == 0) ? '-' : '+', magnitude);
}

/* Rounding up may count a last window that begins in the end padding; the library drops it. */
static bool last_window_dropped(const fal_axis *axis)
{
    int64_t reach = axis->input + axis->begin + axis->end - axis->dilation * (axis->kernel - 1) - 1;
    return (reach + axis->stride - 1) / axis->stride + 1 != axis->output;
}

void cli_formula(char text[CLI_FORMULA_TEXT], const fal_axis *axis, cli_formula_kind kind)
{
    char begin[32], end[32];
    bool transposed = kind == CLI_FORMULA_TRANSPOSE, up = kind == CLI_FORMULA_POOL_CEIL;
    signed_term(begin, sizeof begin, axis->begin, transposed);
    signed_term(end, sizeof end, axis->end, transposed);
    if (transposed) {
        snprintf(text, CLI_FORMULA_TEXT,
                 "(%" PRId64 "-1)*%" PRId64 "%s%s + %" PRId64 "*(%" PRId64 "-1) + %" PRId64 " + 1 = %" PRId64,
                 axis->input, axis->stride, begin, end, axis->dilation, axis->kernel, axis->output_padding,
                 axis->output);
        return;
    }
    snprintf(text, CLI_FORMULA_TEXT,
             "%s((%" PRId64 "%s%s - %" PRId64 "*(%" PRId64 "-1) - 1)/%" PRId64 ") + 1%s = %" PRId64,
             up ? "ceil" : "floor", axis->input, begin, end, axis->dilation, axis->kernel, axis->stride,
             up && last_window_dropped(axis) ? " - 1 (a window that would begin in the padding)" : "",
             axis->output);
}

const char *cli_axis_name(int32_t spatial, int32_t axis)
{
    static const char *const names[FAL_MAX_SPATIAL] = {"depth", "height", "width"};
    return spatial == 1 ? "length" : names[FAL_MAX_SPATIAL - spatial + axis];
}

void cli_format_padding(char text[CLI_FORMULA_TEXT], int32_t spatial, const fal_axis *axis)
{
    size_t used = 0;
    for (int32_t a = 0; a < spatial && used < CLI_FORMULA_TEXT; a++) {
        int length = snprintf(text + used, CLI_FORMULA_TEXT - used, "%s%" PRId64 ":%" PRId64, a ? "," : "",
                              axis[a].begin, axis[a].end);
        if (length > 0) used += (size_t)length;
    }
}

static json_t *field_of(int32_t spatial, const fal_axis *axis, size_t offset)
{
    int64_t values[FAL_MAX_SPATIAL];
    for (int32_t a = 0; a < spatial; a++) values[a] = *(const int64_t *)((const char *)&axis[a] + offset);
    return cli_json_ints(values, spatial);
}

json_t *cli_json_parameters(const cli_layer *layer)
{
    static const char *const modes[] = {"zeros", "reflect", "symmetric", "replicate", "circular", "constant"};
    const fal_conv_geometry *g = &layer->geometry;
    json_t *padding = json_array();
    for (int32_t a = 0; a < g->spatial; a++)
        json_array_append_new(padding, cli_json_ints((const int64_t[]){g->axis[a].begin, g->axis[a].end}, 2));
    json_t *parameters =
        json_pack("{s:o, s:o, s:o, s:o, s:I, s:s, s:b, s:s}", "kernel",
                  field_of(g->spatial, g->axis, offsetof(fal_axis, kernel)), "stride",
                  field_of(g->spatial, g->axis, offsetof(fal_axis, stride)), "dilation",
                  field_of(g->spatial, g->axis, offsetof(fal_axis, dilation)), "padding", padding, "groups",
                  (json_int_t)g->groups, "padding_mode", modes[g->padding_mode], "flip_kernel",
                  g->flip_kernel, "layout", g->layout == FAL_NHWC ? "nhwc" : "nchw");
    if (layer->transposed)
        json_object_set_new(parameters, "output_padding",
                            field_of(g->spatial, g->axis, offsetof(fal_axis, output_padding)));
    if (layer->params.activation != FAL_ACTIVATION_NONE)
        json_object_set_new(parameters, "activation", json_string(cli_activation_name(&layer->params)));
    return parameters;
}

json_t *cli_json_axes(int32_t spatial, const fal_axis *axis, cli_formula_kind kind)
{
    json_t *axes = json_array();
    for (int32_t a = 0; a < spatial; a++) {
        char text[CLI_FORMULA_TEXT];
        int64_t effective = 0;
        cli_formula(text, &axis[a], kind);
        fal_effective_kernel(axis[a].kernel, axis[a].dilation, &effective, NULL);
        json_array_append_new(axes, json_pack("{s:s, s:I, s:I, s:I, s:s}", "axis", cli_axis_name(spatial, a),
                                              "input", (json_int_t)axis[a].input, "output",
                                              (json_int_t)axis[a].output, "effective_kernel",
                                              (json_int_t)effective, "formula", text));
    }
    return axes;
}

static json_t *json_number(const fal_tensor *t, const int64_t *index)
{
    if (fal_dtype_is_integer(t->dtype)) return json_integer((json_int_t)fal_tensor_get_int(t, index));
    double value = fal_tensor_get(t, index);
    if (isfinite(value)) return json_real(value);
    return json_string(isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
}

/* Recursion over axes: at most FAL_MAX_RANK deep. */
static json_t *nested(const fal_tensor *t, int64_t *index, int32_t axis)
{
    if (axis == t->rank) return json_number(t, index);
    json_t *array = json_array();
    for (index[axis] = 0; index[axis] < t->shape[axis]; index[axis]++)
        if (json_array_append_new(array, nested(t, index, axis + 1)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

json_t *cli_json_values(const fal_tensor *tensor)
{
    int64_t index[FAL_MAX_RANK] = {0};
    return nested(tensor, index, 0);
}
