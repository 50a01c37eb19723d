/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.c: operands, literals and shapes into one layer.
 *
 * Order: the weight first, because its rank says how many spatial axes there are; then the input, whose
 * missing axes follow from that; then parameters, types, bias and the geometry.
 */
#include "cli/layer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/params.h"
#include "cli/tensors.h"

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

fal_status cli_shape_only(cli_command *command, const char *where, int32_t rank, const int64_t *shape,
                          fal_tensor *t)
{
    fal_dtype dtype = cli_dtype(command);
    *t = fal_tensor_of(NULL, dtype ? dtype : FAL_F32, rank, shape);
    if (t->dtype != FAL_DTYPE_NONE) return FAL_OK;
    return cli_fail(command, FAL_E_OVERFLOW, where,
                    "a tensor of this shape has more elements than 64 bits count");
}

/* A literal weight of rank 1 or 2 is one kernel. Above that its rank less 2 is the rule, unless the input
 * has more spatial axes: then the weight's leading axes are missing. */
static int32_t literal_spatial(const fal_tensor *w, const fal_tensor *x)
{
    if (w->rank <= 2) return w->rank;
    return larger(w->rank - 2, smaller(x->rank - 2, w->rank));
}

/* The spatial axes when only numbers were given. */
static int32_t spatial_of_numbers(cli_command *command, const fal_tensor *x)
{
    const int64_t *ints;
    int32_t kernel = cli_ints(command, CLI_KERNEL, &ints), size = cli_ints(command, CLI_INPUT_SIZE, &ints);
    if (kernel > 1) return kernel;
    if (size > 1) return size;
    if (cli_given(command, CLI_SPATIAL)) return (int32_t)cli_int(command, CLI_SPATIAL, 2);
    return x->rank >= 3 ? x->rank - 2 : 2;
}

/* A weight of one channel with the taps of --kernel. */
static fal_status weight_of_kernel(cli_command *command, int32_t spatial, fal_tensor *w)
{
    int64_t kernel[FAL_MAX_SPATIAL], shape[FAL_MAX_SPATIAL + 2] = {1, 1, 1, 1, 1};
    CLI_TRY(cli_axis_ints(command, CLI_KERNEL, spatial, kernel));
    int32_t first = cli_layout(command) == FAL_NHWC ? 0 : 2;
    for (int32_t a = 0; a < spatial; a++) shape[first + a] = kernel[a];
    return cli_shape_only(command, "--kernel", spatial + 2, shape, w);
}

static fal_status read_weight(cli_command *command, const char *text, const fal_tensor *x, fal_tensor *w)
{
    const int64_t *shape;
    if (text != NULL) {
        CLI_TRY(cli_load(command, text, "w", w));
        if (cli_is_literal(text)) {
            int32_t spatial = literal_spatial(w, x);
            if (spatial < 1 || spatial > FAL_MAX_SPATIAL) {
                cli_fail(command, FAL_E_RANK, "w", "the weight has rank %" PRId32, w->rank);
                return cli_allow(command, FAL_E_RANK, "must have 1 to 3 spatial axes");
            }
            cli_lead_weight_axes(text, cli_layout(command), spatial, w);
        }
        return FAL_OK;
    }
    int32_t rank = cli_ints(command, CLI_WEIGHT, &shape);
    if (rank > 0) return cli_shape_only(command, "--weight", rank, shape, w);
    if (!cli_given(command, CLI_KERNEL)) {
        cli_fail(command, FAL_E_USAGE, NULL, "no weight is given");
        return cli_allow(command, FAL_E_USAGE, "give W, --weight SHAPE or --kernel K");
    }
    int32_t spatial = spatial_of_numbers(command, x);
    if (spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, "--kernel", "%" PRId32 " spatial axes", spatial);
        return cli_allow(command, FAL_E_RANK, "must be 1 to 3");
    }
    return weight_of_kernel(command, spatial, w);
}

/* The input channels that a weight expects: a group's number times the groups, or all of them. */
static fal_status channels_of(cli_command *command, bool transposed, const fal_tensor *w, int64_t *channels)
{
    bool nhwc = cli_layout(command) == FAL_NHWC;
    int64_t groups = cli_int(command, CLI_GROUPS, 1);
    if (transposed) {
        *channels = w->shape[nhwc ? w->rank - 1 : 0];
        return FAL_OK;
    }
    int64_t own = w->shape[nhwc ? w->rank - 2 : 1];
    if (own > 0 && groups > INT64_MAX / own) {
        cli_fail(command, FAL_E_OVERFLOW, "--groups",
                 "groups %" PRId64 " times %" PRId64 " channels overflows", groups, own);
        return FAL_E_OVERFLOW;
    }
    *channels = own * groups;
    return FAL_OK;
}

/* One image of --input-size. */
static fal_status input_of_size(cli_command *command, bool transposed, const fal_tensor *w, fal_tensor *x)
{
    int32_t spatial = w->rank - 2;
    int64_t size[FAL_MAX_RANK], shape[FAL_MAX_RANK], channels;
    if (spatial < 1 || spatial > FAL_MAX_SPATIAL) {
        cli_fail(command, FAL_E_RANK, "w", "the weight has rank %" PRId32, w->rank);
        return cli_allow(command, FAL_E_RANK, "must be 3, 4 or 5");
    }
    CLI_TRY(cli_axis_ints(command, CLI_INPUT_SIZE, spatial, size));
    CLI_TRY(channels_of(command, transposed, w, &channels));
    bool nhwc = cli_layout(command) == FAL_NHWC;
    shape[0] = 1;
    shape[nhwc ? spatial + 1 : 1] = channels;
    memcpy(&shape[nhwc ? 1 : 2], size, (size_t)spatial * sizeof size[0]);
    CLI_TRY(cli_shape_only(command, "--input-size", spatial + 2, shape, x));
    x->dtype = w->dtype;
    return FAL_OK;
}

static fal_status read_input(cli_command *command, const char *text, fal_tensor *x)
{
    const int64_t *shape;
    *x = (fal_tensor){0};
    if (text != NULL) return cli_load(command, text, "x", x);
    int32_t rank = cli_ints(command, CLI_INPUT, &shape);
    if (rank > 0) return cli_shape_only(command, "--input", rank, shape, x);
    if (cli_given(command, CLI_INPUT_SIZE)) return FAL_OK; /* once the weight is known */
    bool operand = strchr(command->verb->operands, 'X') != NULL;
    cli_fail(command, FAL_E_USAGE, NULL, "no input is given");
    return cli_allow(command, FAL_E_USAGE, "give %s--input SHAPE or --input-size N", operand ? "X, " : "");
}

fal_status cli_hint_convert(cli_command *command, fal_status status, const char *text, fal_dtype dtype)
{
    const char *quote = cli_is_literal(text) ? "'" : "";
    return cli_hint(command, status, "faltung convert %s%.60s%s -o FILE.npy --dtype %s", quote, text, quote,
                    fal_dtype_name(dtype));
}

fal_status cli_same_type(cli_command *command, const fal_tensor *x, const cli_operand_name *name,
                         const fal_tensor *other)
{
    if (other->dtype == x->dtype) return FAL_OK;
    cli_fail(command, FAL_E_DTYPE, name->name, "the input is %s, %s is %s", fal_dtype_name(x->dtype),
             name->title, fal_dtype_name(other->dtype));
    cli_allow(command, FAL_E_DTYPE, "types must be equal");
    return cli_hint_convert(command, FAL_E_DTYPE, name->text, x->dtype);
}

fal_status cli_load_like(cli_command *command, const fal_tensor *x, const cli_operand_name *name,
                         fal_tensor *other)
{
    *other = (fal_tensor){0};
    if (name->text == NULL) return FAL_OK;
    CLI_TRY(cli_load(command, name->text, name->name, other));
    return cli_same_type(command, x, name, other);
}

fal_status cli_layer_load(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                          cli_layer *layer)
{
    *layer = (cli_layer){.transposed = transposed};
    CLI_TRY(read_input(command, x_text, &layer->x));
    CLI_TRY(read_weight(command, w_text, &layer->x, &layer->w));
    if (x_text != NULL) {
        cli_lead_axes(x_text, cli_layout(command), layer->w.rank, &layer->x);
    } else if (layer->x.rank == 0) {
        CLI_TRY(input_of_size(command, transposed, &layer->w, &layer->x));
    } else {
        layer->x.dtype = w_text ? layer->w.dtype : layer->x.dtype;
    }
    if (w_text == NULL) layer->w.dtype = layer->x.dtype;
    return FAL_OK;
}

fal_status cli_layer_operands(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                              cli_layer *layer)
{
    const cli_operand_name w = {w_text ? w_text : "", "w", "the weight"};
    const cli_operand_name bias = {cli_text(command, CLI_BIAS, NULL), "bias", "the bias"};
    CLI_TRY(cli_layer_load(command, transposed, x_text, w_text, layer));
    CLI_TRY(cli_same_type(command, &layer->x, &w, &layer->w));
    CLI_TRY(cli_load_like(command, &layer->x, &bias, &layer->bias));
    CLI_TRY(cli_conv_params(command, layer->w.rank - 2, &layer->params));
    layer->params.algorithm = NULL;
    return FAL_OK;
}

fal_status cli_layer_describe(cli_command *command, cli_layer *layer)
{
    CLI_TRY(fal_conv_describe(layer->transposed, &layer->x, &layer->w, &layer->params, &layer->geometry,
                              &command->error));
    return fal_conv_output_shape(layer->transposed, &layer->x, &layer->w, &layer->params, &layer->y,
                                 &command->error);
}

fal_status cli_layer_read(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                          cli_layer *layer)
{
    CLI_TRY(cli_layer_operands(command, transposed, x_text, w_text, layer));
    return cli_layer_describe(command, layer);
}

fal_status cli_window_axes(cli_command *command, const char *text, const fal_tensor *x, int32_t *spatial)
{
    CLI_TRY(cli_spatial_said(command, spatial));
    if (*spatial > 0) return FAL_OK;
    if (!cli_is_literal(text) || x->rank < 1 || x->rank > 2) return cli_spatial(command, x, spatial);
    *spatial = x->rank;
    return FAL_OK;
}
