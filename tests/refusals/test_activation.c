/* SPDX-License-Identifier: BSD-3-Clause */
/* test_activation.c: the rows of table activation in rows.inc: bad activations of the convolution of calls.h.
 */
#define ROW_activation REFUSALS_ROW
#include "refusals/calls.h"
#include "refusals/rows.h"

#include <math.h>

static void V01(void)
{
    start();
    p.activation = (fal_activation)5;
    refuse(FAL_E_VALUE, "activation is 5; must be one of fal_activation, 0..4");
}

static void V02(void)
{
    start();
    p.activation = FAL_ACTIVATION_CLAMP;
    p.activation_high = NAN;
    refuse(FAL_E_VALUE, "activation_high is nan");
}

static void V03(void)
{
    start();
    p.activation = FAL_ACTIVATION_LEAKY_RELU;
    p.activation_slope = INFINITY;
    refuse(FAL_E_VALUE, "activation_slope is inf; must be finite");
}

static void V04(void)
{
    fal_plan *plan;
    start();
    p.activation = FAL_ACTIVATION_RELU;
    o.bias = (fal_tensor){0};
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV_GRAD_INPUT, &o, &p, &plan), FAL_E_VALUE);
    said(FAL_E_VALUE, "activation is 1 in a gradient; must be none");
    assert_null(plan);
    assert_int_equal(fal_conv_grad(&context, &o.x, &o.w, &o.y, &p, NULL, &o.w, NULL), FAL_E_VALUE);
    said(FAL_E_VALUE, "activation is 1 in a gradient; must be none");
}

static void V05(void)
{
    start();
    o.x.dtype = o.w.dtype = o.bias.dtype = o.y.dtype = FAL_I32;
    p.activation = FAL_ACTIVATION_HARD_SWISH;
    refuse(FAL_E_VALUE, "activation is 4 for integer tensors; must be 1 (relu) or 2 (clamp)");
}

static void V06(void)
{
    start();
    o.x.dtype = o.w.dtype = o.bias.dtype = o.y.dtype = FAL_I32;
    p.activation = FAL_ACTIVATION_CLAMP;
    p.activation_high = 2.5;
    refuse(FAL_E_VALUE, "activation_high is 2.5; must be a whole number for integer tensors");
}

static const refusals_row rows[] = {
#include "refusals/rows.inc"
};

int main(void)
{
    return refusals_main("activation", rows, sizeof rows / sizeof *rows, NULL, NULL);
}
