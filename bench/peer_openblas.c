/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_openblas.c: the usual way to convolve in C: im2col, then a product of matrices by a BLAS.
 *
 * One image and one group at a time, so that the matrix of windows is as small as it can be:
 *
 *     nchw   y (oc/g, pixels) = w (oc/g, ic/g*taps) * columns (ic/g*taps, pixels)
 *     nhwc   y (pixels, oc/g) = columns (pixels, taps*ic/g) * w (taps*ic/g, oc/g)
 *
 * A 1x1 layer with stride 1 needs no columns: the image is the matrix. Forward convolutions only.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peer.h"

/* Everything as 3-D: missing axes have size 1. */
typedef struct blas {
    fal_axis axis[3];
    int64_t n, groups, ic, oc;   /* channels of one group */
    int64_t taps, pixels, cells; /* of the kernel, of y and of x in one image and channel */
    bool last, direct;           /* channels last; no columns needed */
    const float *x, *w;
    float *y, *columns;
} blas;

static void place(void *state, const fal_operands *o)
{
    blas *b = state;
    b->x = o->x.data;
    b->w = o->w.data;
    b->y = o->y.data;
}

static void release(void *state)
{
    blas *b = state;
    free(b->columns);
    free(b);
}

static void *prepare(const bench_problem *p)
{
    const fal_conv_geometry *g = &p->geometry;
    if (p->op != BENCH_CONV) return NULL;
    blas *b = calloc(1, sizeof *b);
    if (b == NULL) return NULL;
    *b = (blas){.n = g->n,
                .groups = g->groups,
                .ic = g->in_channels / g->groups,
                .oc = g->out_channels / g->groups,
                .taps = 1,
                .pixels = 1,
                .cells = 1,
                .last = g->layout == FAL_NHWC};
    bool plain = true;
    for (int a = 0; a < 3; a++) {
        const int lead = 3 - g->spatial;
        b->axis[a] = a >= lead ? g->axis[a - lead]
                               : (fal_axis){.input = 1, .kernel = 1, .stride = 1, .dilation = 1, .output = 1};
        b->taps *= b->axis[a].kernel;
        b->pixels *= b->axis[a].output;
        b->cells *= b->axis[a].input;
        plain = plain && b->axis[a].stride == 1 && b->axis[a].begin == 0;
    }
    b->direct = plain && b->taps == 1 && b->pixels == b->cells;
    if (!b->direct) b->columns = bench_block((size_t)(b->ic * b->taps * b->pixels) * sizeof(float));
    place(b, &p->operands);
    openblas_set_num_threads(p->context.threads);
    if (b->direct || b->columns != NULL) return b;
    release(b);
    return NULL;
}

/* One row of pixels of y and one tap, which meet one row of x, or none. */
typedef struct crossing {
    int64_t row, tap, kx;
    int64_t cell; /* of the image: the first of the row of x */
    bool inside;
} crossing;

/* The cell of x's row that the o-th pixel meets, or -1. */
static int64_t cell_of(const blas *b, const crossing *c, int64_t o)
{
    const fal_axis *w = &b->axis[2];
    const int64_t i = o * w->stride + c->kx * w->dilation - w->begin;
    return c->inside && i >= 0 && i < w->input ? i : -1;
}

static void unfold_channels_last(const blas *b, const float *x, const crossing *c)
{
    const int64_t width = b->axis[2].output, all = b->ic * b->groups;
    const size_t bytes = (size_t)b->ic * sizeof(float);
    for (int64_t o = 0; o < width; o++) {
        const int64_t i = cell_of(b, c, o);
        float *to = b->columns + ((c->row * width + o) * b->taps + c->tap) * b->ic;
        if (i >= 0)
            memcpy(to, x + (c->cell + i) * all, bytes);
        else
            memset(to, 0, bytes);
    }
}

static void unfold_planes(const blas *b, const float *x, const crossing *c)
{
    const int64_t width = b->axis[2].output;
    for (int64_t ic = 0; ic < b->ic; ic++) {
        const float *from = x + ic * b->cells + c->cell;
        float *to = b->columns + (ic * b->taps + c->tap) * b->pixels + c->row * width;
        for (int64_t o = 0; o < width; o++) {
            const int64_t i = cell_of(b, c, o);
            to[o] = i >= 0 ? from[i] : 0;
        }
    }
}

/* The textbook im2col of one group of one image, whose first element is x. */
static void unfold(const blas *b, const float *x)
{
    const fal_axis *d = &b->axis[0], *h = &b->axis[1], *w = &b->axis[2];
    for (int64_t row = 0; row < d->output * h->output; row++)
        for (int64_t tap = 0; tap < b->taps; tap++) {
            const int64_t ky = tap / w->kernel % h->kernel, kz = tap / w->kernel / h->kernel;
            const int64_t z = row / h->output * d->stride + kz * d->dilation - d->begin,
                          y = row % h->output * h->stride + ky * h->dilation - h->begin;
            const crossing c = {.row = row,
                                .tap = tap,
                                .kx = tap % w->kernel,
                                .cell = (z * h->input + y) * w->input,
                                .inside = z >= 0 && z < d->input && y >= 0 && y < h->input};
            (b->last ? unfold_channels_last : unfold_planes)(b, x, &c);
        }
}

static bool run(void *state)
{
    const blas *b = state;
    const int k = (int)(b->ic * b->taps), oc = (int)b->oc, pixels = (int)b->pixels,
              all_in = (int)(b->ic * b->groups), all_out = (int)(b->oc * b->groups);
    for (int64_t image = 0; image < b->n; image++)
        for (int64_t g = 0; g < b->groups; g++) {
            const float *x =
                b->x + image * b->ic * b->groups * b->cells + g * b->ic * (b->last ? 1 : b->cells);
            float *y = b->y + image * b->oc * b->groups * b->pixels + g * b->oc * (b->last ? 1 : b->pixels);
            if (!b->direct) unfold(b, x);
            const float *columns = b->direct ? x : b->columns;
            if (b->last)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, oc, k, 1, columns,
                            b->direct ? all_in : k, b->w + g * b->oc, all_out, 0, y, all_out);
            else
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, oc, pixels, k, 1, b->w + g * b->oc * k,
                            k, columns, pixels, 0, y, pixels);
        }
    return true;
}

static void detail(void *state, char *text, size_t capacity)
{
    const blas *b = state;
    snprintf(text, capacity, "%s", b->direct ? "sgemm" : "im2col, sgemm");
}

/* "OpenBLAS 0.3.21 SkylakeX": the core is the one whose kernels it chose. */
static void version(char *text, size_t capacity)
{
    const char *words = openblas_get_config();
    const char *number = strncmp(words, "OpenBLAS ", 9) == 0 ? words + 9 : words;
    snprintf(text, capacity, "%.*s %s", (int)strcspn(number, " "), number, openblas_get_corename());
}

const bench_peer bench_openblas = {.name = "openblas",
                                   .version = version,
                                   .prepare = prepare,
                                   .place = place,
                                   .run = run,
                                   .detail = detail,
                                   .release = release};
