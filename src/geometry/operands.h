/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * operands.h: the one check of the operands of every operator.
 *
 * The reference, the one-call functions and the planner accept exactly the same operands because
 * they all ask here. Operands keep their place in the layer (x, w, bias, y); the operator decides
 * which of them is read and which is written:
 *
 *     forward        x, w, bias  ->  y
 *     grad input     gy, w       ->  gx           (in the places of y and x)
 *     grad weight    x, gy       ->  gw, gb       (in the places of w and bias)
 */
#ifndef FAL_GEOMETRY_OPERANDS_H
#define FAL_GEOMETRY_OPERANDS_H

#include "faltung.h"

/* The four places of fal_operands, in its order. */
typedef enum fal__place { FAL__PLACE_X, FAL__PLACE_W, FAL__PLACE_BIAS, FAL__PLACE_Y } fal__place;
enum { FAL__PLACES = 4 };

/* Is it one of the three operators of the transposed convolution? */
static inline bool fal__operator_transposed(fal_operator op)
{
    return op == FAL_OP_CONV_TRANSPOSE || op == FAL_OP_CONV_TRANSPOSE_GRAD_INPUT ||
           op == FAL_OP_CONV_TRANSPOSE_GRAD_WEIGHT;
}

/* The place that is written; a weight gradient also writes the bias when it is given. */
static inline fal__place fal__operator_output(fal_operator op)
{
    if (op == FAL_OP_CONV || op == FAL_OP_CONV_TRANSPOSE) return FAL__PLACE_Y;
    if (op == FAL_OP_CONV_GRAD_INPUT || op == FAL_OP_CONV_TRANSPOSE_GRAD_INPUT) return FAL__PLACE_X;
    return FAL__PLACE_W;
}

/* The message name of a place: "y", or "gy" where it holds a gradient. */
const char *fal__operand_name(fal_operator op, fal__place place);
const fal_tensor *fal__operand(const fal_operands *operands, fal__place place);

/* Neither rank nor type: not given. */
static inline bool fal__operand_missing(const fal_tensor *t)
{
    return t->rank == 0 && t->dtype == FAL_DTYPE_NONE;
}

/* fal__operands_check resolves the geometry and checks every given operand against it: validity,
 * element type, shape, whether the written ones can be written; with `need_data` also the data:
 * present, aligned, outputs apart from all other operands. For integers the written tensors may have any
 * integer type, and beta and padding_value must be whole numbers. params NULL means all defaults. */
fal_status fal__operands_check(fal_operator op, const fal_operands *operands, const fal_conv_params *params,
                               bool need_data, fal_conv_geometry *geometry, fal_error *error);

/* Whether an operator may have params' activation on results of this type: forward ones may, integers only
 * RELU and CLAMP between whole numbers, and an operator without one always. The numbers themselves are
 * fal_conv_describe's to check. */
fal_status fal__check_activation(bool forward, fal_dtype dtype, const fal_conv_params *params,
                                 fal_error *error);

/* A constant border is a part of the continued x, so an integer x refuses a padding_value that its type
 * does not hold. (A floating x rounds it.) */
fal_status fal__check_border(const fal_tensor *x, const fal_conv_params *params, fal_error *error);

#endif
