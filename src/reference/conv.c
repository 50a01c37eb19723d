/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv.c: the convolution, by its definition.
 *
 *     y[n,oc,o] = beta*y[n,oc,o] + bias[oc] + sum over ic of oc's group, t of
 *                 x~[n,ic, o*s + t*d - begin] * w[oc,ic,t]
 *
 * x~ is x continued beyond its ends by the padding mode. With zeros a tap outside has no product at
 * all; with a constant it has one.
 */
#include "base/error.h"
#include "reference/nest.h"

/* The cell of x that output o meets at tap t; false when none stands there. */
static bool input_cell(const fal__nest *nest, fal__cell o, fal__cell t, fal__cell *i)
{
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal_axis *axis = &nest->g.axis[a];
        int64_t position = o.at[a] * axis->stride + t.at[a] * axis->dilation - axis->begin;
        i->at[a] = fal_border_index(nest->g.padding_mode, position, axis->input);
        if (i->at[a] < 0) return false;
    }
    return true;
}

/* The element of x~ under tap t of output o; false when there is none. */
static bool extended_x(const fal__nest *nest, int64_t n, int64_t ic, fal__cell o, fal__cell t,
                       fal__number *value)
{
    fal__cell i;
    if (input_cell(nest, o, t, &i)) {
        *value = fal__x(nest, n, ic, i);
        return true;
    }
    *value = nest->border;
    return nest->g.padding_mode == FAL_PAD_CONSTANT;
}

static fal__sum output_sum(const fal__nest *nest, int64_t n, int64_t oc, fal__cell o)
{
    fal__sum sum = fal__sum_begin(nest);
    int64_t first = oc / nest->group_oc * nest->group_ic;
    fal__number x;
    for (int64_t ic = first; ic < first + nest->group_ic; ic++)
        for (fal__cell t = fal__first(nest->taps); fal__inside(t, nest->taps); t = fal__next(t, nest->taps))
            if (extended_x(nest, n, ic, o, t, &x)) fal__sum_product(&sum, x, fal__w(nest, oc, ic, t));
    return sum;
}

fal_status fal__nest_conv(const fal__nest *nest)
{
    const fal__cell size = nest->output;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (int64_t oc = 0; oc < nest->g.out_channels; oc++)
            for (fal__cell o = fal__first(size); fal__inside(o, size); o = fal__next(o, size))
                FAL__TRY(fal__write_y(nest, n, oc, o, output_sum(nest, n, oc, o)));
    return FAL_OK;
}

/* The gradient of the weight: y is linear in w, and the factor of w[oc,ic,t] in y[n,oc,o] is the
 * element of x~ that meets it there, so
 *
 *     gw[oc,ic,t] = sum over n, o of x~[n,ic, o*s + t*d - begin] * gy[n,oc,o]
 */
static fal__sum weight_sum(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t)
{
    fal__sum sum = fal__sum_begin(nest);
    const fal__cell size = nest->output;
    fal__number x;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (fal__cell o = fal__first(size); fal__inside(o, size); o = fal__next(o, size))
            if (extended_x(nest, n, ic, o, t, &x)) fal__sum_product(&sum, x, fal__y(nest, n, oc, o));
    return sum;
}

fal_status fal__nest_conv_grad_weight(const fal__nest *nest)
{
    const fal__cell size = nest->taps;
    for (int64_t oc = 0; oc < nest->g.out_channels; oc++) {
        int64_t first = oc / nest->group_oc * nest->group_ic;
        for (int64_t ic = first; ic < first + nest->group_ic; ic++)
            for (fal__cell t = fal__first(size); fal__inside(t, size); t = fal__next(t, size))
                FAL__TRY(fal__write_w(nest, oc, ic, t, weight_sum(nest, oc, ic, t)));
    }
    return FAL_OK;
}
