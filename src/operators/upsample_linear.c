/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upsample_linear.c: linear up-sampling of float32 and float64 tensors without gaps, in two passes.
 *
 * A row of y is a mixture of at most four rows of x, and each of its results one of two neighbours in that
 * mixture, which is made first, in double, for a stretch that fits the stack:
 *
 *     mixed[i] = sum over k of weight[k] * x_k[i]          y[j] = w_from * mixed[from] + w_to * mixed[to]
 *
 * Twice the size is the common case: every second result has the same two weights, so that the second pass
 * walks both kinds side by side. With channels side by side the lanes of both passes are channels.
 */
#include "base/checked.h"
#include "operators/upsample.h"

enum { MIXED = 4096 /* cells of a stretch, of all lanes */ };
typedef FAL__VECTOR(double, 16) pair;
typedef FAL__VECTOR(float, 8) half_pair;

typedef struct line {
    const fal__upsample *u;
    const fal__source *sources;
    int count;
    int64_t lanes; /* channels, or 1 */
    char *y;
    double *mixed;
} line;

/* ---- Rows ---- */

static FAL__ALWAYS_INLINE pair load_pair(const char *x, int64_t i, bool single)
{
    if (single) return FAL__CONVERT(*(const half_pair *)(const void *)(x + i * 4), pair);
    return *(const pair *)(const void *)(x + i * 8);
}

static FAL__ALWAYS_INLINE double load_one(const char *x, int64_t i, bool single)
{
    return single ? (double)((const float *)(const void *)x)[i] : ((const double *)(const void *)x)[i];
}

static FAL__ALWAYS_INLINE void mix(double *to, const char *const *x, const double *weight, const int count,
                                   int64_t n, const bool single)
{
    int64_t i = 0;
    for (; i + 2 <= n; i += 2) {
        pair sum = weight[0] * load_pair(x[0], i, single);
        for (int k = 1; k < count; k++) sum += weight[k] * load_pair(x[k], i, single);
        *(pair *)(to + i) = sum;
    }
    for (; i < n; i++) {
        double sum = weight[0] * load_one(x[0], i, single);
        for (int k = 1; k < count; k++) sum += weight[k] * load_one(x[k], i, single);
        to[i] = sum;
    }
}

/* n elements of the mixture of the rows, from element `at` of each. */
static void mix_rows(const line *l, int64_t at, int64_t n, double *to)
{
    const bool single = l->u->bytes == sizeof(float);
    const char *x[4];
    double weight[4];
    for (int k = 0; k < l->count; k++) {
        x[k] = l->sources[k].x + at * l->u->bytes;
        weight[k] = l->sources[k].weight;
    }
    switch (l->count * 2 + single) {
    case 2: mix(to, x, weight, 1, n, false); return;
    case 3: mix(to, x, weight, 1, n, true); return;
    case 4: mix(to, x, weight, 2, n, false); return;
    case 5: mix(to, x, weight, 2, n, true); return;
    default: mix(to, x, weight, l->count, n, single);
    }
}

/* ---- Results ---- */

static FAL__ALWAYS_INLINE double blend(const double *mixed, int64_t from, int64_t to, const fal__sample *s)
{
    /* An infinite neighbour must not turn a weight of 0 into NaN. */
    return s->w_to == 0 ? s->w_from * mixed[from] : s->w_from * mixed[from] + s->w_to * mixed[to];
}

static FAL__ALWAYS_INLINE void store_one(char *y, int64_t i, double v, bool single)
{
    if (single)
        ((float *)(void *)y)[i] = (float)v;
    else
        ((double *)(void *)y)[i] = v;
}

/* The channels of result j; `base` is the first cell of the mixture. */
static FAL__ALWAYS_INLINE void store_pixel(const line *l, int64_t base, int64_t j, const bool single)
{
    const fal__sample *s = &l->u->samples[2][j];
    const double *from = l->mixed + (s->from - base) * l->lanes, *to = l->mixed + (s->to - base) * l->lanes;
    char *y = l->y + j * l->u->y_strides.space[2] * l->u->bytes;
    int64_t c = 0;
    for (; c + 2 <= l->lanes && s->w_to != 0; c += 2) {
        const pair v = s->w_from * *(const pair *)(from + c) + s->w_to * *(const pair *)(to + c);
        if (single)
            *(half_pair *)(void *)(y + c * 4) = FAL__CONVERT(v, half_pair);
        else
            *(pair *)(void *)(y + c * 8) = v;
    }
    for (; c < l->lanes; c++)
        store_one(y, c, blend(l->mixed, from - l->mixed + c, to - l->mixed + c, s), single);
}

/* Do results j, j+1 and their neighbours up to `end` repeat, one cell on, every two results? */
static bool repeats(const fal__sample *s, int64_t j, int64_t end)
{
    const int64_t last = end - 2 - (end - j) % 2;
    for (int r = 0; r < 2; r++) {
        const fal__sample *a = &s[j + r], *b = &s[last + r];
        if (a->w_to == 0 || a->w_from != b->w_from || a->w_to != b->w_to ||
            b->from - a->from != (last - j) / 2 || a->to != a->from + 1)
            return false;
    }
    return true;
}

static void store_cells(const line *l, int64_t base, int64_t j, int64_t end)
{
    const fal__sample *s = l->u->samples[2];
    const bool single = l->u->bytes == sizeof(float);
    const fal__upsample *u = l->u;
    int64_t at = j;
    /* Both ends of a row are clamped: the pattern begins one period on and ends one before. */
    if (u->y_sizes.space[2] == 2 * u->x_sizes.space[2] && end - j > 8) {
        const int64_t first = j + (j == 0) * 2, stop = end - (end == u->y_sizes.space[2]) * 2;
        for (; at < first; at++)
            store_one(l->y, at, blend(l->mixed, s[at].from - base, s[at].to - base, &s[at]), single);
        if (stop - at >= 4 && repeats(s, at, stop)) {
            const double *p = l->mixed + s[at].from - base, *q = l->mixed + s[at + 1].from - base;
            const double a0 = s[at].w_from, b0 = s[at].w_to, a1 = s[at + 1].w_from, b1 = s[at + 1].w_to;
            const int64_t count = (stop - at) / 2;
            if (single) {
                float *y = (float *)(void *)l->y + at;
                for (int64_t i = 0; i < count; i++) {
                    y[2 * i] = (float)(a0 * p[i] + b0 * p[i + 1]);
                    y[2 * i + 1] = (float)(a1 * q[i] + b1 * q[i + 1]);
                }
                at += 2 * count;
            }
        }
    }
    for (; at < end; at++)
        store_one(l->y, at, blend(l->mixed, s[at].from - base, s[at].to - base, &s[at]), single);
}

bool fal__upsample_linear_applies(const fal__upsample *u, fal_dtype dtype)
{
    const fal__steps *x = &u->x_strides, *y = &u->y_strides;
    if (u->params.mode != FAL_UPSAMPLE_BILINEAR || (dtype != FAL_F32 && dtype != FAL_F64)) return false;
    return u->along_channels ? x->c == 1 && y->c == 1 : x->space[2] == 1 && y->space[2] == 1;
}

/* As many results as read cells that fit the mixture. */
static int64_t stretch(const fal__upsample *u, int64_t j, int64_t cells)
{
    const fal__sample *s = u->samples[2];
    const int64_t width = u->y_sizes.space[2], base = s[j].from;
    int64_t low = j + 1, high = width;
    while (low < high) {
        const int64_t middle = (low + high + 1) / 2;
        if (s[middle - 1].to - base < cells)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void fal__upsample_linear(const fal__upsample *u, const fal__source *sources, int count, int64_t channels,
                          char *y)
{
    double mixed[MIXED];
    const line l = {.u = u,
                    .sources = sources,
                    .count = count,
                    .lanes = u->along_channels ? channels : 1,
                    .y = y,
                    .mixed = mixed};
    const bool single = u->bytes == sizeof(float);
    const int64_t x_step = u->x_strides.space[2];
    for (int64_t j = 0, end; j < u->y_sizes.space[2]; j = end) {
        end = stretch(u, j, MIXED / l.lanes);
        const int64_t base = u->samples[2][j].from, cells = u->samples[2][end - 1].to - base + 1;
        if (x_step == l.lanes)
            mix_rows(&l, base * x_step, cells * l.lanes, l.mixed);
        else
            for (int64_t i = 0; i < cells; i++)
                mix_rows(&l, (base + i) * x_step, l.lanes, l.mixed + i * l.lanes);
        if (!u->along_channels) {
            store_cells(&l, base, j, end);
            continue;
        }
        for (int64_t i = j; i < end; i++)
            if (single)
                store_pixel(&l, base, i, true);
            else
                store_pixel(&l, base, i, false);
    }
}
