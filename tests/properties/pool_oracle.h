/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_oracle.h: pooling by its definition, one cell at a time, for test_pool.c.
 *
 * A random case, and functions that visit the cells of a window by trying every tap. Nothing here is
 * clever: sums run in double, a row of cells first and then the rows, so that results must be equal.
 */
#ifndef FAL_TESTS_POOL_ORACLE_H
#define FAL_TESTS_POOL_ORACLE_H

#include <math.h>
#include <stdio.h>

#include "support/support.h"

typedef struct pool_case {
    uint64_t seed;
    bool batched;
    int32_t spatial;
    int64_t n, c, in[FAL_MAX_SPATIAL], out[FAL_MAX_SPATIAL];
    fal_dtype dtype;
    fal_pool_params params;
    bool possible; /* false: a kernel does not fit */
} pool_case;

/* A position: image, channel, space. */
typedef struct pool_at {
    int64_t n, c, space[FAL_MAX_SPATIAL];
} pool_at;

static inline int64_t or_one(int64_t value)
{
    return value == 0 ? 1 : value;
}

static inline int64_t stride_of(const pool_case *p, int32_t a)
{
    return p->params.stride[a] == 0 ? p->params.kernel[a] : p->params.stride[a];
}

/* Windows by counting them: in ceil mode one that starts inside input or begin padding may overhang by
 * less than a stride. */
static inline int64_t count_windows(const pool_case *p, int32_t a)
{
    const fal_pool_params *q = &p->params;
    if (q->extent == FAL_POOL_GLOBAL) return 1;
    if (q->extent == FAL_POOL_ADAPTIVE) return q->output_size[a] == 0 ? p->in[a] : q->output_size[a];
    const int64_t s = stride_of(p, a), span = or_one(q->dilation[a]) * (q->kernel[a] - 1) + 1;
    const int64_t room = p->in[a] + q->padding_begin[a] + q->padding_end[a];
    if (span > room) return 0;
    int64_t o = 0;
    while (o * s + span <= room) o++;
    if (q->ceil_mode && (o - 1) * s + span < room) o++;
    if (q->ceil_mode && (o - 1) * s >= p->in[a] + q->padding_begin[a]) o--;
    return o;
}

/* Tap t of output o stands on *cell. False: adaptive window o has no such tap. */
static inline bool tap_position(const pool_case *p, int32_t a, int64_t o, int64_t t, int64_t *cell)
{
    const fal_pool_params *q = &p->params;
    if (q->extent == FAL_POOL_WINDOW) {
        *cell = o * stride_of(p, a) - q->padding_begin[a] + t * or_one(q->dilation[a]);
        return true;
    }
    *cell = t; /* every cell is tried */
    return t * p->out[a] < (o + 1) * p->in[a] && (t + 1) * p->out[a] > o * p->in[a];
}

static inline int64_t tap_count(const pool_case *p, int32_t a)
{
    return p->params.extent == FAL_POOL_WINDOW ? p->params.kernel[a] : p->in[a];
}

/* The cells of window `o`, in row-major order. */
typedef struct pool_cells {
    int64_t count, clipped; /* taps on cells; taps inside input and padding */
    pool_at at[1024];
} pool_cells;

static inline void find_cells(const pool_case *p, const pool_at *o, pool_cells *cells)
{
    int64_t taps[FAL_MAX_SPATIAL] = {1, 1, 1}, t[FAL_MAX_SPATIAL];
    cells->count = cells->clipped = 0;
    for (int32_t a = 0; a < p->spatial; a++) taps[a] = tap_count(p, a);
    for (t[0] = 0; t[0] < taps[0]; t[0]++)
        for (t[1] = 0; t[1] < taps[1]; t[1]++)
            for (t[2] = 0; t[2] < taps[2]; t[2]++) {
                pool_at at = {.n = o->n, .c = o->c};
                bool inside = true, clipped = true;
                for (int32_t a = 0; a < p->spatial; a++) {
                    if (!tap_position(p, a, o->space[a], t[a], &at.space[a])) inside = clipped = false;
                    if (at.space[a] < 0 || at.space[a] >= p->in[a]) inside = false;
                    if (at.space[a] >= p->in[a] + p->params.padding_end[a]) clipped = false;
                }
                if (inside) cells->at[cells->count++] = at;
                cells->clipped += clipped;
            }
}

static inline void index_of(const pool_case *p, const pool_at *at, int64_t *index)
{
    int32_t axis = 0;
    if (p->batched) index[axis++] = at->n;
    if (p->params.layout == FAL_NCHW) index[axis++] = at->c;
    for (int32_t a = 0; a < p->spatial; a++) index[axis++] = at->space[a];
    if (p->params.layout == FAL_NHWC) index[axis] = at->c;
}

static inline int32_t shape_of(const pool_case *p, bool output, int64_t *shape)
{
    pool_at sizes = {.n = p->n, .c = p->c};
    for (int32_t a = 0; a < p->spatial; a++) sizes.space[a] = output ? p->out[a] : p->in[a];
    index_of(p, &sizes, shape);
    return p->spatial + (p->batched ? 2 : 1);
}

/* The number by which max pooling names a cell. */
static inline int64_t number_of(const pool_case *p, const pool_at *at)
{
    int64_t number = 0, plane = 1;
    for (int32_t i = 0; i < p->spatial; i++) {
        const int32_t a = p->params.column_major ? p->spatial - 1 - i : i;
        number = number * p->in[a] + at->space[a];
        plane *= p->in[a];
    }
    if (p->params.index_mode == FAL_INDEX_PLANE) return number;
    if (p->params.layout == FAL_NHWC) return (at->n * plane + number) * p->c + at->c;
    return (at->n * p->c + at->c) * plane + number;
}

static inline double value_at(const pool_case *p, const fal_tensor *t, const pool_at *at)
{
    int64_t index[FAL_MAX_RANK];
    index_of(p, at, index);
    return fal_tensor_get(t, index);
}

/* The cell that a maximum takes, of |x| for norms; -1: the window has none. */
static inline int64_t find_greatest(const pool_case *p, const fal_tensor *x, const pool_cells *cells)
{
    int64_t best = -1;
    double greatest = 0;
    for (int64_t i = 0; i < cells->count; i++) {
        double v = value_at(p, x, &cells->at[i]);
        if (p->params.kind == FAL_POOL_LP) v = fabs(v);
        if (best >= 0 && !(v > greatest) && !isnan(v)) continue;
        best = i;
        greatest = v;
    }
    return best;
}

static inline double find_norm(const pool_case *p, const fal_tensor *x, const pool_cells *cells)
{
    const double norm = p->params.norm == 0 ? 2 : p->params.norm;
    if (isinf(norm)) {
        const int64_t best = find_greatest(p, x, cells);
        return best < 0 ? 0 : fabs(value_at(p, x, &cells->at[best]));
    }
    long double sum = 0;
    for (int64_t i = 0; i < cells->count; i++)
        sum += powl(fabsl((long double)value_at(p, x, &cells->at[i])), norm);
    return (double)powl(sum, 1 / (long double)norm);
}

static inline int64_t find_divisor(const pool_case *p, const pool_cells *cells)
{
    if (p->params.divisor != 0) return p->params.divisor;
    return p->params.exclude_padding || p->params.extent != FAL_POOL_WINDOW ? cells->count : cells->clipped;
}

static inline const char *case_text(const pool_case *p, char text[TEST_TEXT])
{
    const fal_pool_params *q = &p->params;
    int at = snprintf(text, TEST_TEXT, "seed %llu kind %d extent %d %s %s n %lld c %lld%s%s%s divisor %lld",
                      (unsigned long long)p->seed, (int)q->kind, (int)q->extent, fal_dtype_name(p->dtype),
                      q->layout == FAL_NHWC ? "nhwc" : "nchw", (long long)p->n, (long long)p->c,
                      p->batched ? "" : " unbatched", q->ceil_mode ? " ceil" : "",
                      q->exclude_padding ? " exclude" : "", (long long)q->divisor);
    for (int32_t a = 0; a < p->spatial; a++)
        at += snprintf(text + at, TEST_TEXT - (size_t)at, " | i %lld k %lld s %lld d %lld p %lld,%lld o %lld",
                       (long long)p->in[a], (long long)q->kernel[a], (long long)q->stride[a],
                       (long long)q->dilation[a], (long long)q->padding_begin[a],
                       (long long)q->padding_end[a], (long long)p->out[a]);
    return text;
}

static inline void draw_axis(pool_case *p, int32_t a, test_stream *s)
{
    fal_pool_params *q = &p->params;
    p->in[a] = test_draw(s, test_chance(s, 30) ? 0 : 1, p->spatial == 1 ? 90 : p->spatial == 2 ? 12 : 6);
    if (q->extent == FAL_POOL_ADAPTIVE) q->output_size[a] = test_draw(s, 0, p->in[a] + 2);
    if (q->extent == FAL_POOL_WINDOW) {
        q->kernel[a] = test_draw(s, 1, p->spatial == 3 ? 3 : 5);
        q->stride[a] = test_draw(s, 0, 4);
        q->dilation[a] = test_draw(s, 0, 3);
        q->padding_begin[a] = test_chance(s, 2) ? 0 : test_draw(s, 0, 4);
        q->padding_end[a] = test_chance(s, 2) ? q->padding_begin[a] : test_draw(s, 0, 4);
    }
    p->out[a] = count_windows(p, a);
    if (p->out[a] == 0 && q->extent == FAL_POOL_WINDOW) p->possible = false;
}

static inline pool_case draw_case(uint64_t seed, fal_pool_kind kind)
{
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F32, FAL_F16, FAL_BF16,
                                      FAL_I8,  FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
    static const double norms[] = {0, 1, 2, 3, 0.5, 2.5, 7, INFINITY};
    test_stream s = {seed, 0};
    pool_case p = {.seed = seed, .batched = !test_chance(&s, 4), .possible = true};
    fal_pool_params *q = &p.params;
    p.spatial = (int32_t)test_draw(&s, 1, 3);
    p.n = p.batched ? test_draw(&s, 1, 2) : 1;
    p.c = test_chance(&s, 8) ? test_draw(&s, 33, 40) : test_draw(&s, 1, 3);
    p.dtype = types[test_draw(&s, 0, kind == FAL_POOL_LP ? 4 : 9)];
    q->kind = kind;
    q->extent = test_chance(&s, 3) ? (fal_pool_extent)test_draw(&s, 1, 2) : FAL_POOL_WINDOW;
    q->spatial = p.batched && test_chance(&s, 2) ? 0 : p.spatial;
    q->layout = test_chance(&s, 2) ? FAL_NHWC : FAL_NCHW;
    q->ceil_mode = test_chance(&s, 2);
    q->exclude_padding = test_chance(&s, 2);
    if (kind == FAL_POOL_AVERAGE && test_chance(&s, 4)) q->divisor = test_chance(&s, 2) ? -3 : 5;
    if (kind == FAL_POOL_LP) q->norm = norms[test_draw(&s, 0, 7)];
    q->index_mode = test_chance(&s, 2) ? FAL_INDEX_TENSOR : FAL_INDEX_PLANE;
    q->column_major = test_chance(&s, 3);
    for (int32_t a = 0; a < p.spatial; a++) draw_axis(&p, a, &s);
    return p;
}

/* The next output in row-major order of (n, c, space); false after the last. */
static inline bool next_output(const pool_case *p, pool_at *o)
{
    for (int32_t a = p->spatial - 1; a >= 0; a--) {
        if (++o->space[a] < p->out[a]) return true;
        o->space[a] = 0;
    }
    if (++o->c < p->c) return true;
    o->c = 0;
    return ++o->n < p->n;
}

#endif
