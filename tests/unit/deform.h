/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform.h: random deformable convolutions for test_deform_*.c.
 *
 * A case holds the six tensors of a call in guarded memory with random strides. Offsets are drawn so
 * that a test can choose what is exact:
 *
 *     OFFSET_ZERO      no offsets, the plain convolution
 *     OFFSET_WHOLE     whole numbers: every sample is a cell or 0
 *     OFFSET_QUARTER   odd multiples of 1/4: sums of small integers stay exact, and no sample stands on a
 *                      kink of the interpolation
 *     OFFSET_REAL      anything
 */
#ifndef FAL_TESTS_UNIT_DEFORM_H
#define FAL_TESTS_UNIT_DEFORM_H

#include <inttypes.h>
#include <stdio.h>

#include "support/support.h"

typedef enum deform_offset { OFFSET_ZERO, OFFSET_WHOLE, OFFSET_QUARTER, OFFSET_REAL } deform_offset;

enum { DEFORM_X, DEFORM_OFFSET, DEFORM_MASK, DEFORM_W, DEFORM_BIAS, DEFORM_Y, DEFORM_TENSORS };

typedef struct deform_case {
    uint64_t seed;
    fal_dtype dtype;
    bool batched, masked, biased;
    int64_t n, ic, oc, offset_groups; /* channels of all groups */
    int64_t in[2], k[2], out[2];
    fal_conv_params params;
    test_tensor memory[DEFORM_TENSORS];
    fal_deform_operands operands;
} deform_case;

static inline fal_tensor *deform_place(fal_deform_operands *o, int place)
{
    fal_tensor *const places[] = {&o->x, &o->offset, &o->mask, &o->w, &o->bias, &o->y};
    return places[place];
}

/* The layout's shape of a tensor with these channels and this space; returns the rank. */
static inline int32_t deform_shape(const deform_case *c, int64_t channels, const int64_t *space,
                                   int64_t *shape)
{
    const bool last = c->params.layout == FAL_NHWC;
    int32_t rank = 0;
    if (c->batched) shape[rank++] = c->n;
    if (!last) shape[rank++] = channels;
    for (int a = 0; a < 2; a++) shape[rank++] = space[a];
    if (last) shape[rank++] = channels;
    return rank;
}

/* The shape of one of the six tensors; returns the rank. */
static inline int32_t deform_shape_of(const deform_case *c, int place, int64_t *shape)
{
    const int64_t samples = c->offset_groups * c->k[0] * c->k[1], group_ic = c->ic / c->params.groups;
    switch (place) {
    case DEFORM_X: return deform_shape(c, c->ic, c->in, shape);
    case DEFORM_OFFSET: return deform_shape(c, 2 * samples, c->out, shape);
    case DEFORM_MASK: return deform_shape(c, samples, c->out, shape);
    case DEFORM_Y: return deform_shape(c, c->oc, c->out, shape);
    case DEFORM_BIAS: shape[0] = c->oc; return 1;
    default: break;
    }
    const bool last = c->params.layout == FAL_NHWC;
    shape[last ? 3 : 0] = c->oc;
    shape[last ? 2 : 1] = group_ic;
    shape[last ? 0 : 2] = c->k[0];
    shape[last ? 1 : 3] = c->k[1];
    return 4;
}

static inline void deform_count_outputs(deform_case *c)
{
    for (int a = 0; a < 2; a++) {
        const int64_t K = (c->k[a] - 1) * c->params.dilation[a] + 1;
        c->out[a] = 0;
        for (int64_t at = -c->params.padding_begin[a]; at + K <= c->in[a] + c->params.padding_end[a];
             at += c->params.stride[a])
            c->out[a]++;
    }
}

/* Parameters only, no memory. */
static inline deform_case deform_draw(uint64_t seed, fal_dtype dtype)
{
    static const int64_t counts[] = {1, 1, 2, 3};
    test_stream r = {seed, 7000};
    deform_case c = {.seed = seed, .dtype = dtype, .batched = !test_chance(&r, 5)};
    c.n = c.batched ? test_draw(&r, 1, 3) : 1;
    c.masked = test_chance(&r, 2);
    c.biased = test_chance(&r, 2);
    c.params.layout = test_chance(&r, 2) ? FAL_NHWC : FAL_NCHW;
    c.params.groups = test_pick(&r, counts, 4);
    c.offset_groups = test_pick(&r, counts, 4);
    c.ic = c.params.groups * c.offset_groups * test_draw(&r, 1, 3);
    c.oc = c.params.groups * test_draw(&r, 1, 4);
    do {
        for (int a = 0; a < 2; a++) {
            c.in[a] = test_draw(&r, 1, 9);
            c.k[a] = test_draw(&r, 1, 3);
            c.params.stride[a] = test_draw(&r, 1, 3);
            c.params.dilation[a] = test_draw(&r, 1, 2);
            c.params.padding_begin[a] = test_draw(&r, -1, 3);
            c.params.padding_end[a] = test_draw(&r, -1, 3);
        }
        deform_count_outputs(&c);
    } while (c.out[0] < 1 || c.out[1] < 1);
    return c;
}

static inline void deform_fill_offsets(const deform_case *c, deform_offset kind)
{
    const fal_tensor *t = &c->operands.offset;
    test_stream r = {c->seed, 9000};
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index)) {
        double value = 0;
        if (kind == OFFSET_WHOLE) value = (double)test_draw(&r, -3, 3);
        if (kind == OFFSET_QUARTER) value = (double)(2 * test_draw(&r, -6, 5) + 1) / 4;
        if (kind == OFFSET_REAL) value = (double)test_draw(&r, -3000000, 3000000) * 1e-6;
        fal_tensor_set(t, index, value);
    }
}

/* Memory and data: small integers, or reals for OFFSET_REAL. strides 0: row-major. */
static inline void deform_make(deform_case *c, deform_offset kind, uint64_t strides)
{
    const test_fill fill = kind == OFFSET_REAL ? TEST_REAL : TEST_INT;
    c->operands = (fal_deform_operands){0};
    for (int p = 0; p < DEFORM_TENSORS; p++) {
        if ((p == DEFORM_MASK && !c->masked) || (p == DEFORM_BIAS && !c->biased)) continue;
        int64_t shape[FAL_MAX_RANK];
        const int32_t rank = deform_shape_of(c, p, shape);
        const uint64_t order = strides == 0 ? 0 : strides + (uint64_t)p;
        c->memory[p] = test_tensor_new(c->dtype, rank, shape, order);
        *deform_place(&c->operands, p) = c->memory[p].t;
        test_fill_tensor(&c->memory[p].t, fill, c->seed + (uint64_t)p);
    }
    deform_fill_offsets(c, kind);
}

static inline void deform_free(deform_case *c)
{
    for (int p = 0; p < DEFORM_TENSORS; p++)
        if (c->memory[p].guard.map != NULL) test_tensor_free(&c->memory[p]);
}

static inline const char *deform_text(const deform_case *c, char text[TEST_TEXT])
{
    const fal_conv_params *p = &c->params;
    snprintf(text, TEST_TEXT,
             "deform seed %" PRIu64 " %s %s%s n%" PRId64 " ic%" PRId64 " oc%" PRId64 " g%" PRId64 " q%" PRId64
             " in %" PRId64 "x%" PRId64 " k %" PRId64 "x%" PRId64 " s %" PRId64 ",%" PRId64 " d %" PRId64
             ",%" PRId64 " p %" PRId64 ":%" PRId64 ",%" PRId64 ":%" PRId64 "%s%s",
             c->seed, fal_dtype_name(c->dtype), p->layout == FAL_NHWC ? "nhwc" : "nchw",
             c->batched ? "" : " unbatched", c->n, c->ic, c->oc, p->groups, c->offset_groups, c->in[0],
             c->in[1], c->k[0], c->k[1], p->stride[0], p->stride[1], p->dilation[0], p->dilation[1],
             p->padding_begin[0], p->padding_end[0], p->padding_begin[1], p->padding_end[1],
             c->masked ? " mask" : "", c->biased ? " bias" : "");
    return text;
}

/* A fresh memory for one of the tensors, of its shape: for results. */
static inline test_tensor deform_like(const deform_case *c, int place, uint64_t strides)
{
    int64_t shape[FAL_MAX_RANK];
    const int32_t rank = deform_shape_of(c, place, shape);
    return test_tensor_new(c->dtype, rank, shape, strides);
}

/* Element (n, channel, row, column) of a tensor in the case's layout. */
static inline double deform_get(const deform_case *c, const fal_tensor *t, int64_t n, int64_t channel,
                                int64_t row, int64_t column)
{
    const bool last = c->params.layout == FAL_NHWC;
    int64_t index[4];
    int rank = 0;
    if (c->batched) index[rank++] = n;
    if (!last) index[rank++] = channel;
    index[rank++] = row;
    index[rank++] = column;
    if (last) index[rank++] = channel;
    return fal_tensor_get(t, index);
}

#endif
