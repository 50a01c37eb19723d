/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verb_conv_integer.c: conv-integer, the convolution of 8-bit integers with zero points.
 *
 * A zero point is a number, or a tensor: one number for x, one or one per output channel for w.
 */
#include <inttypes.h>
#include <math.h>

#include "cli/limits.h"
#include "cli/params.h"
#include "cli/planes.h"
#include "cli/tensors.h"

/* "--x-zero-point" and what it gives. */
typedef struct zero_point {
    cli_option_id option;
    const char *name, *title; /* in the library's words and in a sentence */
    fal_tensor value;         /* rank and dtype 0: not given */
} zero_point;

static bool is_8_bits(fal_dtype dtype)
{
    return dtype == FAL_I8 || dtype == FAL_U8;
}

/* Here and not in the library, because only here is it certain what helps. */
static fal_status check_8_bits(cli_command *command, int operand, const char *name, const fal_tensor *t)
{
    if (is_8_bits(t->dtype)) return FAL_OK;
    cli_fail(command, FAL_E_DTYPE, name, "%s is %s", name, fal_dtype_name(t->dtype));
    cli_allow(command, FAL_E_DTYPE, "must be i8 or u8");
    return cli_hint_convert(command, FAL_E_DTYPE, cli_operand(command, operand),
                            operand == 0 ? FAL_U8 : FAL_I8);
}

/* Numbers of a literal or of the option itself, exactly in an 8-bit type. */
static fal_status narrow(cli_command *command, zero_point *zero, fal_dtype dtype)
{
    int64_t index[FAL_MAX_RANK] = {0};
    char where[48];
    int64_t low = dtype == FAL_I8 ? INT8_MIN : 0, high = dtype == FAL_I8 ? INT8_MAX : UINT8_MAX;
    bool more = fal_tensor_count(&zero->value) > 0;
    snprintf(where, sizeof where, "--%s", cli_options[zero->option].name);
    for (; more; more = cli_next_index(&zero->value, index)) {
        double value = fal_tensor_get(&zero->value, index);
        if (value == floor(value) && value >= (double)low && value <= (double)high) continue;
        cli_fail(command, FAL_E_VALUE, where, "zero point %.17g", value);
        return cli_allow(command, FAL_E_VALUE,
                         "must be a whole number in %" PRId64 "..%" PRId64 ", as %s is %s", low, high,
                         zero->title, fal_dtype_name(dtype));
    }
    fal_tensor whole = zero->value;
    whole.dtype = dtype;
    CLI_TRY(cli_tensor_alloc(command, &whole));
    CLI_TRY(fal_tensor_copy(&zero->value, &whole, &command->error));
    zero->value = whole;
    return FAL_OK;
}

static fal_status read_zero(cli_command *command, fal_dtype dtype, zero_point *zero)
{
    const char *text = cli_text(command, zero->option, NULL);
    double *number;
    double value;
    if (text == NULL) return FAL_OK;
    if (cli_parse_number(text, &value)) {
        const int64_t one = 1;
        CLI_TRY(cli_alloc(command, 1, sizeof *number, (void **)&number));
        *number = value;
        zero->value = fal_tensor_of(number, FAL_F64, 1, &one);
        return narrow(command, zero, dtype);
    }
    CLI_TRY(cli_load(command, text, zero->name, &zero->value));
    if (cli_is_literal(text)) return narrow(command, zero, dtype);
    if (zero->value.dtype == dtype) return FAL_OK;
    cli_fail(command, FAL_E_DTYPE, zero->name, "%s is %s, its zero point is %s", zero->title,
             fal_dtype_name(dtype), fal_dtype_name(zero->value.dtype));
    cli_allow(command, FAL_E_DTYPE, "types must be equal");
    return cli_hint_convert(command, FAL_E_DTYPE, text, dtype);
}

/* The one number of x's zero point. */
static fal_status x_zero_of(cli_command *command, const zero_point *zero, int32_t *value)
{
    const int64_t first[FAL_MAX_RANK] = {0};
    *value = 0;
    if (zero->value.dtype == FAL_DTYPE_NONE) return FAL_OK;
    if (fal_tensor_count(&zero->value) != 1) {
        cli_fail(command, FAL_E_SHAPE, "--x-zero-point", "%" PRId64 " zero points",
                 fal_tensor_count(&zero->value));
        return cli_allow(command, FAL_E_SHAPE, "the input has one");
    }
    *value = (int32_t)fal_tensor_get_int(&zero->value, first);
    return FAL_OK;
}

/* Shapes alone: for the geometry both operands have one type. */
static fal_status describe(cli_command *command, cli_layer *layer)
{
    fal_counts counts;
    fal_tensor like = layer->w;
    like.dtype = layer->x.dtype;
    CLI_TRY(fal_conv_describe(false, &layer->x, &like, &layer->params, &layer->geometry, &command->error));
    CLI_TRY(fal_conv_output_shape(false, &layer->x, &like, &layer->params, &layer->y, &command->error));
    layer->y.dtype = FAL_I32;
    CLI_TRY(fal_conv_counts(&layer->geometry, FAL_I32, false, &counts, &command->error));
    return cli_check_work(command, counts.multiply_adds);
}

fal_status cli_run_conv_integer(cli_command *command)
{
    cli_layer layer;
    zero_point x_zero = {CLI_X_ZERO_POINT, "x_zero", "x", {0}};
    zero_point w_zero = {CLI_W_ZERO_POINT, "w_zero", "w", {0}};
    int32_t x_value;
    CLI_TRY(cli_layer_load(command, false, cli_operand(command, 0), cli_operand(command, 1), &layer));
    CLI_TRY(check_8_bits(command, 0, "x", &layer.x));
    CLI_TRY(check_8_bits(command, 1, "w", &layer.w));
    CLI_TRY(cli_conv_params(command, layer.w.rank - 2, &layer.params));
    CLI_TRY(read_zero(command, layer.x.dtype, &x_zero));
    CLI_TRY(read_zero(command, layer.w.dtype, &w_zero));
    CLI_TRY(x_zero_of(command, &x_zero, &x_value));
    CLI_TRY(describe(command, &layer));
    CLI_TRY(cli_tensor_alloc(command, &layer.y));
    CLI_TRY(fal_conv_integer(&command->context, &layer.x, x_value, &layer.w,
                             w_zero.value.dtype != FAL_DTYPE_NONE ? &w_zero.value : NULL, &layer.params,
                             &layer.y));
    const cli_outcome outcome = {.x = &layer.x,
                                 .y = &layer.y,
                                 .spatial = layer.geometry.spatial,
                                 .axis = layer.geometry.axis,
                                 .formula = CLI_FORMULA_CONV};
    return cli_planes_emit(command, &outcome);
}
