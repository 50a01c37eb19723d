/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reference.c: the specification's entry points.
 *
 * Checks the operands as every operator does, lays out the nest and runs the one of the operator.
 * Everything else in the library must agree with what this room computes; nothing in it is ever
 * made faster at the price of a line that needs explaining.
 */
#include "base/error.h"
#include "geometry/operands.h"
#include "reference/nest.h"

/* gb[oc] = sum over n, o of gy[n,oc,o]: the bias has the factor 1 in every output of its channel. */
static fal_status bias_gradient(const fal__nest *nest)
{
    const fal__cell size = nest->output;
    for (int64_t oc = 0; oc < nest->g.out_channels; oc++) {
        fal__sum sum = fal__sum_begin(nest);
        for (int64_t n = 0; n < nest->g.n; n++)
            for (fal__cell o = fal__first(size); fal__inside(o, size); o = fal__next(o, size))
                fal__sum_term(&sum, fal__y(nest, n, oc, o));
        FAL__TRY(fal__write_bias(nest, oc, sum));
    }
    return FAL_OK;
}

static fal_status run_nest(fal_operator op, const fal__nest *nest)
{
    static fal_status (*const nests[])(const fal__nest *) = {
        [FAL_OP_CONV] = fal__nest_conv,
        [FAL_OP_CONV_TRANSPOSE] = fal__nest_conv_transpose,
        [FAL_OP_CONV_GRAD_INPUT] = fal__nest_conv_grad_input,
        [FAL_OP_CONV_GRAD_WEIGHT] = fal__nest_conv_grad_weight,
        [FAL_OP_CONV_TRANSPOSE_GRAD_INPUT] = fal__nest_conv_transpose_grad_input,
        [FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT] = fal__nest_conv_transpose_grad_weight,
    };
    FAL__TRY(nests[op](nest));
    bool has_bias = !fal__operand_missing(&nest->operands.bias);
    return has_bias && fal__operator_output(op) == FAL__PLACE_W ? bias_gradient(nest) : FAL_OK;
}

/* A constant border is part of the continued x, so it is a number of x's type. */
static fal__number border_value(const fal_tensor *x, double value)
{
    double cell = 0; /* large and aligned enough for every type */
    fal__store_f64(&cell, x->dtype, value);
    fal_tensor one = {.data = &cell, .dtype = x->dtype};
    return fal__number_at(&one, 0);
}

static void lay_out(fal__nest *nest, const fal_operands *operands, const fal_conv_params *params)
{
    static const fal_axis missing = {.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
    fal_conv_geometry *g = &nest->g;
    nest->operands = *operands;
    nest->xs = fal__data_strides_of(g, &operands->x);
    nest->ys = fal__data_strides_of(g, &operands->y);
    nest->ws = fal__weight_strides_of(g, &operands->w);
    nest->group_ic = g->in_channels / g->groups;
    nest->group_oc = g->out_channels / g->groups;
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++) {
        if (a >= g->spatial) g->axis[a] = missing;
        nest->input.at[a] = g->axis[a].input;
        nest->output.at[a] = g->axis[a].output;
        nest->taps.at[a] = g->axis[a].kernel;
    }
    nest->beta = params ? params->beta : 0;
    nest->activation = fal__activation_of(params);
    nest->border = border_value(&operands->x, params ? params->padding_value : 0);
}

fal_status fal_reference(fal_operator op, const fal_operands *operands, const fal_conv_params *params,
                         fal_error *error)
{
    fal__nest nest = {.error = error};
    FAL__TRY(fal__operands_check(op, operands, params, true, &nest.g, error));
    lay_out(&nest, operands, params);
    return run_nest(op, &nest);
}

static fal_status check_terms(fal_operator op, const fal_operands *operands, const fal_tensor *terms,
                              fal_error *error)
{
    fal__place place = fal__operator_output(op);
    FAL__TRY(fal__tensor_check_output(terms, "terms", error));
    if (terms->dtype != FAL_I64) {
        fal__fail(error, FAL_E_DTYPE, "terms", "terms is %s", fal_dtype_name(terms->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "must be i64");
    }
    FAL__TRY(fal__tensor_check_same_shape(terms, "terms", fal__operand(operands, place),
                                          fal__operand_name(op, place), error));
    FAL__TRY(fal__tensor_check_align(terms, "terms", error));
    for (fal__place other = FAL__PLACE_X; other <= FAL__PLACE_Y; other++)
        if (!fal__operand_missing(fal__operand(operands, other)))
            FAL__TRY(fal__tensor_check_alias(terms, "terms", fal__operand(operands, other),
                                             fal__operand_name(op, other), error));
    return FAL_OK;
}

fal_status fal_reference_gauge(fal_operator op, const fal_operands *operands, const fal_conv_params *params,
                               const fal_tensor *terms, fal_error *error)
{
    fal__nest nest = {.error = error, .gauge = true};
    FAL__TRY(fal__operands_check(op, operands, params, true, &nest.g, error));
    if (terms && !fal__operand_missing(terms)) {
        FAL__TRY(check_terms(op, operands, terms, error));
        nest.terms = terms;
    }
    lay_out(&nest, operands, params);
    return run_nest(op, &nest);
}
