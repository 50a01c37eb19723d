/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.c: the deformable convolution, by its definition.
 *
 *     y[n,oc,o] = f(beta*y + bias[oc] + sum over ic of oc's group, t of  m * x(n,ic,Y,X) * w[oc,ic,t])
 *
 *     x(n,ic,Y,X) = sum over cells i,j of  x[n,ic,i,j] * max(0, 1-|Y-i|) * max(0, 1-|X-j|)
 *
 * with the position (Y,X) of deform.h and the mask m of the sample, 1 without a mask. A cell at distance 1 or
 * more is no part of a sample, so a position on a cell reads that cell alone, and the sample fades to 0
 * over the last step beyond an end and is 0 from there on. A position that is NaN gives NaN, an infinite
 * one 0. The sample is a number like any other: 0 times an infinite weight is NaN.
 */
#include <math.h>

#include "base/error.h"
#include "geometry/deform.h"
#include "geometry/operands.h"
#include "tensor/tensor.h"

/* One call, laid out. */
typedef struct nest {
    fal__deform d;
    const fal_deform_operands *o;
    fal__data_strides x, y;
    fal__weight_strides w;
} nest;

typedef struct place {
    int64_t n, oy, ox, a, b; /* output cell and tap */
} place;

static double at(const fal_tensor *t, int64_t offset)
{
    return fal__load_f64(fal__tensor_offset(t, offset), t->dtype);
}

static double sample(const nest *s, int64_t n, int64_t ic, double y, double x)
{
    const fal_axis *axis = s->d.g.axis;
    if (isnan(y) || isnan(x)) return NAN;
    /* Outside this box every cell is at distance 1 or more. */
    if (y <= -1 || x <= -1 || y >= (double)axis[0].input || x >= (double)axis[1].input) return 0;
    const int64_t top = (int64_t)floor(y), left = (int64_t)floor(x);
    double sum = 0;
    for (int64_t i = top; i <= top + 1; i++)
        for (int64_t j = left; j <= left + 1; j++) {
            const double factor = fmax(0, 1 - fabs(y - (double)i)) * fmax(0, 1 - fabs(x - (double)j));
            if (i < 0 || j < 0 || i >= axis[0].input || j >= axis[1].input || factor == 0) continue;
            sum += at(&s->o->x, n * s->x.n + ic * s->x.c + i * s->x.space[0] + j * s->x.space[1]) * factor;
        }
    return sum;
}

/* The sample of channel ic under one tap of one output, times its mask. */
static double moved(const nest *s, int64_t ic, const place *p)
{
    const fal__deform *d = &s->d;
    const fal_axis *v = &d->g.axis[0], *h = &d->g.axis[1];
    const int64_t q = ic / d->group_channels, tap = p->a * h->kernel + p->b;
    const fal__data_strides *os = &d->offset, *ms = &d->mask;
    const int64_t dy =
        p->n * os->n + (q * d->taps + tap) * 2 * os->c + p->oy * os->space[0] + p->ox * os->space[1];
    const double y = (double)(p->oy * v->stride - v->begin + p->a * v->dilation) + at(&s->o->offset, dy);
    const double x =
        (double)(p->ox * h->stride - h->begin + p->b * h->dilation) + at(&s->o->offset, dy + os->c);
    const double value = sample(s, p->n, ic, y, x);
    if (!d->has_mask) return value;
    return value * at(&s->o->mask, p->n * ms->n + (q * d->taps + tap) * ms->c + p->oy * ms->space[0] +
                                       p->ox * ms->space[1]);
}

static double output_sum(const nest *s, int64_t n, int64_t oc, int64_t oy, int64_t ox)
{
    const fal_conv_geometry *g = &s->d.g;
    const int64_t group_ic = g->in_channels / g->groups, group_oc = g->out_channels / g->groups;
    const int64_t first = oc / group_oc * group_ic;
    double sum = 0;
    for (int64_t c = 0; c < group_ic; c++)
        for (int64_t a = 0; a < g->axis[0].kernel; a++)
            for (int64_t b = 0; b < g->axis[1].kernel; b++) {
                const place p = {n, oy, ox, a, b};
                sum += moved(s, first + c, &p) *
                       at(&s->o->w, oc * s->w.out + c * s->w.in + a * s->w.space[0] + b * s->w.space[1]);
            }
    return sum;
}

static void write_y(const nest *s, int64_t n, int64_t oc, int64_t oy, int64_t ox)
{
    const fal_tensor *y = &s->o->y, *bias = &s->o->bias;
    const int64_t offset = n * s->y.n + oc * s->y.c + oy * s->y.space[0] + ox * s->y.space[1];
    double sum = output_sum(s, n, oc, oy, ox);
    if (!fal__operand_missing(bias)) sum += at(bias, oc * bias->strides[0]);
    if (s->d.beta != 0) sum += s->d.beta * at(y, offset);
    fal__store_f64(fal__tensor_offset(y, offset), y->dtype, fal__activate_f64(sum, &s->d.activation));
}

fal_status fal_deform_conv_reference(const fal_deform_operands *operands, const fal_conv_params *params,
                                     int64_t offset_groups, fal_error *error)
{
    nest s = {.o = operands};
    FAL__TRY(fal__deform_check(operands, params, offset_groups, NULL, &s.d, error));
    const fal_conv_geometry *g = &s.d.g;
    s.x = fal__data_strides_of(g, &operands->x);
    s.y = fal__data_strides_of(g, &operands->y);
    s.w = fal__weight_strides_of(g, &operands->w);
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t oc = 0; oc < g->out_channels; oc++)
            for (int64_t oy = 0; oy < g->axis[0].output; oy++)
                for (int64_t ox = 0; ox < g->axis[1].output; ox++) write_y(&s, n, oc, oy, ox);
    return FAL_OK;
}
