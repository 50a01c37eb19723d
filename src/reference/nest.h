/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nest.h: what every loop nest of the reference stands on.
 *
 * A nest speaks of batch n, channels ic and oc, cells of the input or output and taps of the kernel;
 * layouts, strides, types and missing axes are behind it. Space has always three axes: those that a
 * problem lacks come last with one cell, one tap and stride 0.
 *
 *     for (fal__cell o = fal__first(nest->output); fal__inside(o, nest->output);
 *          o = fal__next(o, nest->output))
 */
#ifndef FAL_REFERENCE_NEST_H
#define FAL_REFERENCE_NEST_H

#include "base/activation.h"
#include "geometry/geometry.h"
#include "reference/sum.h"

/* A position in space: of the input, of the output, or in the kernel. Also a size. */
typedef struct fal__cell {
    int64_t at[FAL_MAX_SPATIAL];
} fal__cell;

typedef struct fal__nest {
    fal_conv_geometry g;
    fal__cell input, output, taps; /* sizes */
    int64_t group_ic, group_oc;    /* channels of one group */
    fal_operands operands;
    fal__data_strides xs, ys;
    fal__weight_strides ws;
    fal__number border; /* what stands on a constant border */
    double beta;
    fal__activation activation;
    bool gauge;
    const fal_tensor *terms; /* gauge only; NULL: not wanted */
    fal_error *error;
} fal__nest;

/* ---- Walking over a box of cells, the last axis fastest ---- */

static inline fal__cell fal__first(fal__cell size)
{
    bool empty = size.at[1] == 0 || size.at[2] == 0;
    return (fal__cell){{empty ? size.at[0] : 0, 0, 0}};
}

static inline bool fal__inside(fal__cell cell, fal__cell size)
{
    return cell.at[0] < size.at[0];
}

static inline fal__cell fal__next(fal__cell cell, fal__cell size)
{
    for (int32_t a = FAL_MAX_SPATIAL - 1; a > 0; a--) {
        if (++cell.at[a] < size.at[a]) return cell;
        cell.at[a] = 0;
    }
    cell.at[0]++;
    return cell;
}

/* ---- Elements ---- */

static inline int64_t fal__data_offset(const fal__data_strides *s, int64_t n, int64_t c, fal__cell p)
{
    return n * s->n + c * s->c + p.at[0] * s->space[0] + p.at[1] * s->space[1] + p.at[2] * s->space[2];
}

static inline fal__number fal__x(const fal__nest *nest, int64_t n, int64_t ic, fal__cell i)
{
    return fal__number_at(&nest->operands.x, fal__data_offset(&nest->xs, n, ic, i));
}

static inline fal__number fal__y(const fal__nest *nest, int64_t n, int64_t oc, fal__cell o)
{
    return fal__number_at(&nest->operands.y, fal__data_offset(&nest->ys, n, oc, o));
}

/* ic and oc count over all groups; both lie in the same one. A true convolution reads the kernel
 * from its other end. */
static inline int64_t fal__weight_offset(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t)
{
    if (nest->g.transposed)
        oc %= nest->group_oc;
    else
        ic %= nest->group_ic;
    int64_t offset = oc * nest->ws.out + ic * nest->ws.in;
    for (int32_t a = 0; a < FAL_MAX_SPATIAL; a++)
        offset += (nest->g.flip_kernel ? nest->taps.at[a] - 1 - t.at[a] : t.at[a]) * nest->ws.space[a];
    return offset;
}

static inline fal__number fal__w(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t)
{
    return fal__number_at(&nest->operands.w, fal__weight_offset(nest, oc, ic, t));
}

/* An empty sum, and the way of a finished one into the operand that the operator writes:
 * written = beta*written + sum, for y with the bias and the activation. FAL_E_OVERFLOW when an integer does
 * not fit. */
fal__sum fal__sum_begin(const fal__nest *nest);
fal_status fal__write_x(const fal__nest *nest, int64_t n, int64_t ic, fal__cell i, fal__sum sum);
fal_status fal__write_y(const fal__nest *nest, int64_t n, int64_t oc, fal__cell o, fal__sum sum);
fal_status fal__write_w(const fal__nest *nest, int64_t oc, int64_t ic, fal__cell t, fal__sum sum);
fal_status fal__write_bias(const fal__nest *nest, int64_t oc, fal__sum sum);

/* ---- The nests, one per operator ---- */

fal_status fal__nest_conv(const fal__nest *nest);
fal_status fal__nest_conv_transpose(const fal__nest *nest);
fal_status fal__nest_conv_grad_input(const fal__nest *nest);
fal_status fal__nest_conv_grad_weight(const fal__nest *nest);
fal_status fal__nest_conv_transpose_grad_input(const fal__nest *nest);
fal_status fal__nest_conv_transpose_grad_weight(const fal__nest *nest);

#endif
