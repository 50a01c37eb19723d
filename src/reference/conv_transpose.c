/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv_transpose.c: the transposed convolution and its gradients, by their definition.
 *
 * Every input cell scatters a copy of the kernel, s apart:
 *
 *     y[n,oc, i*s + t*d - begin] += x[n,ic,i] * w[ic,oc,t]       then + bias[oc] everywhere
 *
 * The same products seen from an output, so that each is one sum and is rounded once:
 *
 *     y[n,oc,o] = bias[oc] + sum over ic of oc's group, t with i = (o + begin - t*d)/s an input cell
 *
 * Three operands, one relation o = i*s + t*d - begin: each gradient fixes its own two.
 */
#include "base/error.h"
#include "reference/nest.h"

/* The input cell that reaches output o through tap t; false when none does. */
static bool source_cell(const fal__nest *nest, fal__cell o, fal__cell t, fal__cell *i)
{
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal_axis *axis = &nest->g.axis[a];
        int64_t distance = o.at[a] + axis->begin - t.at[a] * axis->dilation;
        i->at[a] = distance / axis->stride;
        if (distance < 0 || distance % axis->stride != 0 || i->at[a] >= axis->input) return false;
    }
    return true;
}

/* The output that input cell i reaches through tap t; false when it is cut off by the padding. */
static bool target_cell(const fal__nest *nest, fal__cell i, fal__cell t, fal__cell *o)
{
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal_axis *axis = &nest->g.axis[a];
        o->at[a] = i.at[a] * axis->stride + t.at[a] * axis->dilation - axis->begin;
        if (o->at[a] < 0 || o->at[a] >= axis->output) return false;
    }
    return true;
}

static fal__sum output_sum(const fal__nest *nest, int64_t n, int64_t oc, fal__cell o)
{
    fal__sum sum = fal__sum_begin(nest);
    int64_t first = oc / nest->group_oc * nest->group_ic;
    fal__cell i;
    for (int64_t ic = first; ic < first + nest->group_ic; ic++)
        for (fal__cell t = fal__first(nest->taps); fal__inside(t, nest->taps); t = fal__next(t, nest->taps))
            if (source_cell(nest, o, t, &i))
                fal__sum_product(&sum, fal__x(nest, n, ic, i), fal__w(nest, oc, ic, t));
    return sum;
}

fal_status fal__nest_conv_transpose(const fal__nest *nest)
{
    const fal__cell size = nest->output;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (int64_t oc = 0; oc < nest->g.out_channels; oc++)
            for (fal__cell o = fal__first(size); fal__inside(o, size); o = fal__next(o, size))
                FAL__TRY(fal__write_y(nest, n, oc, o, output_sum(nest, n, oc, o)));
    return FAL_OK;
}

/* gx[n,ic,i] = sum over oc of ic's group, t of gy[n,oc, i*s + t*d - begin] * w[ic,oc,t] */
static fal__sum input_sum(const fal__nest *nest, int64_t n, int64_t ic, fal__cell i)
{
    fal__sum sum = fal__sum_begin(nest);
    int64_t first = ic / nest->group_ic * nest->group_oc;
    fal__cell o;
    for (int64_t oc = first; oc < first + nest->group_oc; oc++)
        for (fal__cell t = fal__first(nest->taps); fal__inside(t, nest->taps); t = fal__next(t, nest->taps))
            if (target_cell(nest, i, t, &o))
                fal__sum_product(&sum, fal__y(nest, n, oc, o), fal__w(nest, oc, ic, t));
    return sum;
}

fal_status fal__nest_conv_transpose_grad_input(const fal__nest *nest)
{
    const fal__cell size = nest->input;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (int64_t ic = 0; ic < nest->g.in_channels; ic++)
            for (fal__cell i = fal__first(size); fal__inside(i, size); i = fal__next(i, size))
                FAL__TRY(fal__write_x(nest, n, ic, i, input_sum(nest, n, ic, i)));
    return FAL_OK;
}

/* gw[ic,oc,t] = sum over n, i of x[n,ic,i] * gy[n,oc, i*s + t*d - begin] */
static fal__sum weight_sum(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t)
{
    fal__sum sum = fal__sum_begin(nest);
    const fal__cell size = nest->input;
    fal__cell o;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (fal__cell i = fal__first(size); fal__inside(i, size); i = fal__next(i, size))
            if (target_cell(nest, i, t, &o))
                fal__sum_product(&sum, fal__x(nest, n, ic, i), fal__y(nest, n, oc, o));
    return sum;
}

fal_status fal__nest_conv_transpose_grad_weight(const fal__nest *nest)
{
    const fal__cell size = nest->taps;
    for (int64_t ic = 0; ic < nest->g.in_channels; ic++) {
        int64_t first = ic / nest->group_ic * nest->group_oc;
        for (int64_t oc = first; oc < first + nest->group_oc; oc++)
            for (fal__cell t = fal__first(size); fal__inside(t, size); t = fal__next(t, size))
                FAL__TRY(fal__write_w(nest, oc, ic, t, weight_sum(nest, oc, ic, t)));
    }
    return FAL_OK;
}
