/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * operands.c: the one check of the operands of every operator.
 *
 * Order: presence, each tensor by itself, element types, the geometry (fal_conv_describe), shapes
 * against the geometry, and last what depends on memory. A mistake is thus named where the caller
 * made it and not by its consequences.
 */
#include "geometry/operands.h"

#include <math.h>

#include "base/error.h"
#include "geometry/geometry.h"
#include "tensor/tensor.h"

const fal_tensor *fal__operand(const fal_operands *operands, fal__place place)
{
    const fal_tensor *const places[FAL__PLACES] = {&operands->x, &operands->w, &operands->bias, &operands->y};
    return places[place];
}

const char *fal__operand_name(fal_operator op, fal__place place)
{
    static const char *const plain[FAL__PLACES] = {"x", "w", "bias", "y"};
    static const char *const gradient[FAL__PLACES] = {"gx", "gw", "gb", "gy"};
    fal__place output = fal__operator_output(op);
    bool is_gradient = output != FAL__PLACE_Y && (place == FAL__PLACE_Y || place == output ||
                                                  (place == FAL__PLACE_BIAS && output == FAL__PLACE_W));
    return is_gradient ? gradient[place] : plain[place];
}

static bool is_written(fal_operator op, fal__place place)
{
    fal__place output = fal__operator_output(op);
    return place == output || (place == FAL__PLACE_BIAS && output == FAL__PLACE_W);
}

static fal_status check_presence(fal_operator op, const fal_operands *operands, fal_error *error)
{
    if ((unsigned)op > FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT) {
        fal__fail(error, FAL_E_VALUE, "op", "operator is %d", (int)op);
        return fal__allowed(error, FAL_E_VALUE, "must be one of the fal_operator values");
    }
    if (!operands) return fal__fail(error, FAL_E_NULL, "operands", "operands is NULL");
    for (fal__place place = FAL__PLACE_X; place <= FAL__PLACE_Y; place++) {
        const fal_tensor *t = fal__operand(operands, place);
        const char *name = fal__operand_name(op, place);
        if (!fal__operand_missing(t)) {
            FAL__TRY(is_written(op, place) ? fal__tensor_check_output(t, name, error)
                                           : fal_tensor_check(t, name, error));
        } else if (place != FAL__PLACE_BIAS) {
            return fal__fail(error, FAL_E_NULL, name, "%s is not given", name);
        }
    }
    if (fal__operator_output(op) == FAL__PLACE_X && !fal__operand_missing(&operands->bias))
        return fal__fail(error, FAL_E_VALUE, "bias", "bias is given, but an input gradient has none");
    return FAL_OK;
}

/* x and w are never both written; what is read has the common type. */
static fal__place first_read(fal_operator op)
{
    return fal__operator_output(op) == FAL__PLACE_X ? FAL__PLACE_W : FAL__PLACE_X;
}

/* All types equal; with integers the written tensors may have any integer type. */
static fal_status check_types(fal_operator op, const fal_operands *operands, fal_error *error)
{
    fal__place first = first_read(op);
    fal_dtype common = fal__operand(operands, first)->dtype;
    for (fal__place place = FAL__PLACE_X; place <= FAL__PLACE_Y; place++) {
        const fal_tensor *t = fal__operand(operands, place);
        bool any_integer = is_written(op, place) && fal_dtype_is_integer(common);
        bool fits = t->dtype == common || (any_integer && fal_dtype_is_integer(t->dtype));
        if (fal__operand_missing(t) || fits) continue;
        const char *name = fal__operand_name(op, place);
        fal__fail(error, FAL_E_DTYPE, name, "%s is %s, %s is %s", fal__operand_name(op, first),
                  fal_dtype_name(common), name, fal_dtype_name(t->dtype));
        return fal__allowed(error, FAL_E_DTYPE, "%s",
                            any_integer ? "must be an integer type" : "types must be equal");
    }
    return FAL_OK;
}

/* Integer results are exact, so a number that enters them must be an integer. */
static fal_status check_whole(fal_dtype dtype, const char *name, double value, fal_error *error)
{
    if (!fal_dtype_is_integer(dtype) || (fabs(value) < 0x1p63 && value == floor(value))) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, name, "%s is %g", name, value);
    return fal__allowed(error, FAL_E_VALUE, "must be a whole number for integer tensors");
}

/* The activation is part of a forward operator; its own slope would be missing in a gradient. Sums of
 * integers stay whole under RELU and CLAMP. */
fal_status fal__check_activation(bool forward, fal_dtype dtype, const fal_conv_params *p, fal_error *error)
{
    if (p->activation == FAL_ACTIVATION_NONE) return FAL_OK;
    if (!forward) {
        fal__fail(error, FAL_E_VALUE, "activation", "activation is %d in a gradient", (int)p->activation);
        return fal__allowed(error, FAL_E_VALUE, "must be none: only forward operators have one");
    }
    if (!fal_dtype_is_integer(dtype) || p->activation == FAL_ACTIVATION_RELU) return FAL_OK;
    if (p->activation != FAL_ACTIVATION_CLAMP) {
        fal__fail(error, FAL_E_VALUE, "activation", "activation is %d for integer tensors",
                  (int)p->activation);
        return fal__allowed(error, FAL_E_VALUE, "must be %d (relu) or %d (clamp)", FAL_ACTIVATION_RELU,
                            FAL_ACTIVATION_CLAMP);
    }
    FAL__TRY(check_whole(dtype, "activation_low", p->activation_low, error));
    return check_whole(dtype, "activation_high", p->activation_high, error);
}

fal_status fal__check_border(const fal_tensor *x, const fal_conv_params *params, fal_error *error)
{
    if (!params || params->padding_mode != FAL_PAD_CONSTANT || !fal_dtype_is_integer(x->dtype)) return FAL_OK;
    int64_t cell = 0; /* large and aligned enough for every integer type */
    double value = params->padding_value;
    bool whole = fabs(value) < 0x1p63 && value == floor(value);
    if (whole && fal__store_i64(&cell, x->dtype, (int64_t)value)) return FAL_OK;
    fal__fail(error, FAL_E_VALUE, "padding_value", "padding_value is %g", value);
    return fal__allowed(error, FAL_E_VALUE, "must be a whole number that %s holds", fal_dtype_name(x->dtype));
}

static fal_status check_memory(fal_operator op, const fal_operands *operands, fal_error *error)
{
    for (fal__place place = FAL__PLACE_X; place <= FAL__PLACE_Y; place++) {
        const fal_tensor *t = fal__operand(operands, place);
        if (!fal__operand_missing(t))
            FAL__TRY(fal__tensor_check_align(t, fal__operand_name(op, place), error));
    }
    for (fal__place a = FAL__PLACE_X; a <= FAL__PLACE_Y; a++) {
        const fal_tensor *output = fal__operand(operands, a);
        if (!is_written(op, a) || fal__operand_missing(output)) continue;
        for (fal__place b = FAL__PLACE_X; b <= FAL__PLACE_Y; b++) {
            const fal_tensor *other = fal__operand(operands, b);
            if (b == a || fal__operand_missing(other)) continue;
            FAL__TRY(fal__tensor_check_alias(output, fal__operand_name(op, a), other,
                                             fal__operand_name(op, b), error));
        }
    }
    return FAL_OK;
}

fal_status fal__operands_check(fal_operator op, const fal_operands *operands, const fal_conv_params *params,
                               bool need_data, fal_conv_geometry *geometry, fal_error *error)
{
    static const fal_conv_params defaults = {0};
    if (!params) params = &defaults;
    FAL__TRY(check_presence(op, operands, error));
    FAL__TRY(check_types(op, operands, error));
    /* The geometry looks at shapes; an integer gradient may have a wider type than the rest. */
    fal_tensor x = operands->x, w = operands->w;
    x.dtype = w.dtype = fal__operand(operands, first_read(op))->dtype;
    FAL__TRY(fal_conv_describe(fal__operator_transposed(op), &x, &w, params, geometry, error));
    FAL__TRY(check_whole(operands->y.dtype, "beta", params->beta, error));
    const bool forward = fal__operator_output(op) == FAL__PLACE_Y;
    FAL__TRY(fal__check_activation(forward, operands->y.dtype, params, error));
    FAL__TRY(fal__check_border(&operands->x, params, error));
    FAL__TRY(fal__expect_output(geometry, &operands->y, fal__operand_name(op, FAL__PLACE_Y), error));
    if (!fal__operand_missing(&operands->bias))
        FAL__TRY(fal__expect_bias(geometry, &operands->bias, fal__operand_name(op, FAL__PLACE_BIAS), error));
    return need_data ? check_memory(op, operands, error) : FAL_OK;
}
