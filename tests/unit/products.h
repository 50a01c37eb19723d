/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * products.h: every product of a problem, found from the other side.
 *
 * The reference asks of each output which products it has. Here the products are listed: from each
 * output of a convolution, from each input of a transposed one, with borders walked step by step
 * instead of computed. Summing them by output, by input or by weight gives all six operators, so that one
 * short list is an independent check of all loop nests. Used by the unit tests of reference and lowering.
 */
#ifndef FAL_TESTS_UNIT_PRODUCTS_H
#define FAL_TESTS_UNIT_PRODUCTS_H

#include <faltung.h>

/* One product of the trilinear form sum y * x * w. Channels count over all groups. */
typedef struct product {
    int64_t n, ic, oc;
    int64_t i[FAL_MAX_SPATIAL], o[FAL_MAX_SPATIAL];
    int64_t t[FAL_MAX_SPATIAL]; /* in the weight's own order */
    bool border;                /* the input is the constant border */
} product;
typedef void product_visitor(void *user, const product *p);

/* The next cell of a box, last axis fastest; false after the last. */
static inline bool box_next(int32_t axes, const int64_t *size, int64_t *cell)
{
    for (int32_t a = axes - 1; a >= 0; a--) {
        if (++cell[a] < size[a]) return true;
        cell[a] = 0;
    }
    return false;
}

/* The cell seen after walking from cell 0 to `position`, one step at a time; -1 for none. */
static inline int64_t walk_border(fal_padding_mode mode, int64_t position, int64_t size)
{
    int64_t at = 0, direction = position < 0 ? -1 : 1, steps = position < 0 ? -position : position;
    for (; steps > 0; steps--) {
        int64_t next = at + direction;
        if (next >= 0 && next < size) {
            at = next;
        } else if (mode == FAL_PAD_CIRCULAR) {
            at = next < 0 ? size - 1 : 0;
        } else if (mode == FAL_PAD_SYMMETRIC) {
            direction = -direction;
        } else if (mode == FAL_PAD_REFLECT) {
            direction = -direction;
            if (size > 1) at += direction;
        } else if (mode != FAL_PAD_REPLICATE) {
            return -1;
        }
    }
    return at;
}

/* The index of (n, c, cell) in x or y, and of (oc, ic, tap) in w. */
static inline void data_index(const fal_conv_geometry *g, int64_t n, int64_t c, const int64_t *cell,
                              int64_t *index)
{
    int32_t a = 0;
    if (g->batched) index[a++] = n;
    if (g->layout == FAL_NCHW) index[a++] = c;
    for (int32_t s = 0; s < g->spatial; s++) index[a++] = cell[s];
    if (g->layout == FAL_NHWC) index[a++] = c;
}

static inline void weight_index(const fal_conv_geometry *g, int64_t oc, int64_t ic, const int64_t *tap,
                                int64_t *index)
{
    int64_t full = g->transposed ? ic : oc;
    int64_t part = g->transposed ? oc % (g->out_channels / g->groups) : ic % (g->in_channels / g->groups);
    int32_t first = g->layout == FAL_NCHW ? 2 : 0;
    for (int32_t s = 0; s < g->spatial; s++) index[first + s] = tap[s];
    index[g->layout == FAL_NCHW ? 0 : g->spatial + 1] = full;
    index[g->layout == FAL_NCHW ? 1 : g->spatial] = part;
}

/* Fills the far cell of `p` from its near one and the tap `walk`; false when there is no product. */
static inline bool meet(const fal_conv_geometry *g, const int64_t *walk, product *p)
{
    p->border = false;
    for (int32_t a = 0; a < g->spatial; a++) {
        const fal_axis *axis = &g->axis[a];
        int64_t near = g->transposed ? p->i[a] : p->o[a];
        int64_t far = near * axis->stride + walk[a] * axis->dilation - axis->begin;
        p->t[a] = g->flip_kernel ? axis->kernel - 1 - walk[a] : walk[a];
        if (g->transposed) {
            if (far < 0 || far >= axis->output) return false;
            p->o[a] = far;
        } else {
            p->i[a] = walk_border(g->padding_mode, far, axis->input);
            if (p->i[a] < 0 && g->padding_mode != FAL_PAD_CONSTANT) return false;
            p->border = p->border || p->i[a] < 0;
        }
    }
    return true;
}

/* Visits every product of a geometry whose outputs and channels are not empty. */
static inline void each_product(const fal_conv_geometry *g, product_visitor *visit, void *user)
{
    int64_t group_ic = g->in_channels / g->groups, group_oc = g->out_channels / g->groups;
    int64_t near[FAL_MAX_SPATIAL] = {0}, near_size[FAL_MAX_SPATIAL], taps[FAL_MAX_SPATIAL];
    for (int32_t a = 0; a < g->spatial; a++) {
        near_size[a] = g->transposed ? g->axis[a].input : g->axis[a].output;
        taps[a] = g->axis[a].kernel;
    }
    do {
        int64_t walk[FAL_MAX_SPATIAL] = {0};
        do {
            product p = {0};
            for (int32_t a = 0; a < g->spatial; a++) (g->transposed ? p.i : p.o)[a] = near[a];
            if (!meet(g, walk, &p)) continue;
            for (p.n = 0; p.n < g->n; p.n++)
                for (p.oc = 0; p.oc < g->out_channels; p.oc++)
                    for (int64_t c = 0; c < group_ic; c++) {
                        p.ic = p.oc / group_oc * group_ic + c;
                        visit(user, &p);
                    }
        } while (box_next(g->spatial, taps, walk));
    } while (box_next(g->spatial, near_size, near));
}

#endif
