/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conv_grad_input.c: the gradient of a convolution's input, by its definition.
 *
 * Cell i of x has the factor w[oc,ic,t] in y[n,oc,o] for every pair (o, t) whose position shows it:
 * the cell itself, and with a border mode also its copies beyond the ends. Hence
 *
 *     gx[n,ic,i] = sum over oc of ic's group and all (o, t) with border(o*s + t*d - begin) = i of
 *                  gy[n,oc,o] * w[oc,ic,t]
 *
 * which is the adjoint of every padding mode at once. The pairs are found by trying all of them on
 * each axis; an axis that does not fit ends the search below it.
 */
#include "base/error.h"
#include "reference/nest.h"

/* One input cell, and the output and tap that meet in it on the axes tried so far. */
typedef struct meeting {
    int64_t n, ic;
    fal__cell i, o, t;
} meeting;

static void add_channels(const fal__nest *nest, const meeting *m, fal__sum *sum)
{
    int64_t first = m->ic / nest->group_ic * nest->group_oc;
    for (int64_t oc = first; oc < first + nest->group_oc; oc++)
        fal__sum_product(sum, fal__y(nest, m->n, oc, m->o), fal__w(nest, oc, m->ic, m->t));
}

static void try_axis(const fal__nest *nest, int32_t a, meeting *m, fal__sum *sum)
{
    if (a == FAL_MAX_SPATIAL) {
        add_channels(nest, m, sum);
        return;
    }
    const fal_axis *axis = &nest->g.axis[a];
    for (int64_t o = 0; o < axis->output; o++)
        for (int64_t t = 0; t < axis->kernel; t++) {
            int64_t position = o * axis->stride + t * axis->dilation - axis->begin;
            if (fal_border_index(nest->g.padding_mode, position, axis->input) != m->i.at[a]) continue;
            m->o.at[a] = o;
            m->t.at[a] = t;
            try_axis(nest, a + 1, m, sum);
        }
}

fal_status fal__nest_conv_grad_input(const fal__nest *nest)
{
    const fal__cell size = nest->input;
    for (int64_t n = 0; n < nest->g.n; n++)
        for (int64_t ic = 0; ic < nest->g.in_channels; ic++)
            for (fal__cell i = fal__first(size); fal__inside(i, size); i = fal__next(i, size)) {
                fal__sum sum = fal__sum_begin(nest);
                meeting m = {.n = n, .ic = ic, .i = i};
                try_axis(nest, 0, &m, &sum);
                FAL__TRY(fal__write_x(nest, n, ic, i, sum));
            }
    return FAL_OK;
}
