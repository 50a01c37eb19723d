/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise_planes_f32.c: run_planes() of kernels/depthwise.h.
 *
 * The shape of the tiles is chosen once a call; then every plane loads its weights and walks its tiles. Only
 * levels with masks have such kernels.
 */
#include "kernels/depthwise.h"

#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE float
#include "kernels/generic/lanes.tmpl.h"

#if defined(__AVX512F__)
enum {
    PLANE_ROWS = 7,     /* of a tile */
    PLANE_SMALL = 1024, /* outputs of a plane that stays in L1 while it is walked column by column */
    SEGMENT_TILES = 16, /* columns of tiles whose lanes are found once a call */
    PERMUTED_APART = 8  /* taps further apart are loaded one by one */
};

#include "kernels/generic/depthwise_planes.tmpl.h"

/* Columns of outputs from..end-1 as tiles of `width`, the last one smaller, and which of their lanes exist.
 */
typedef struct plane_segment {
    int64_t from, end, width;
    plane_lanes lanes[SEGMENT_TILES];
} plane_segment;

static FAL__ALWAYS_INLINE void find_segment(const plane_view *f, plane_segment *s, const int stride,
                                            const int inputs)
{
    int64_t i = 0;
    for (int64_t c = s->from; c < s->end; c += s->width)
        s->lanes[i++] = find_lanes(f, c, s->end - c < s->width ? s->end - c : s->width, stride, inputs);
}

/* Tiles from the top to the bottom of one plane. What is left are fewer rows than a tile: some again. */
static FAL__ALWAYS_INLINE void wide_plane(const plane_view *f, const plane_segment *s, const __m512i *tap,
                                          const int stride, const int inputs)
{
    const int64_t strip = f->rows_out * f->out <= PLANE_SMALL ? f->rows_out : PLANE_ROWS;
    for (int64_t top = 0; top < f->rows_out; top += strip) {
        const plane_lanes *lanes = s->lanes;
        for (int64_t c = s->from; c < s->end; c += s->width, lanes++)
            for (int64_t r = top; r < top + strip && r < f->rows_out; r += PLANE_ROWS) {
                if (f->rows_out - r < PLANE_ROWS && r > 0 && f->beta == 0) r = f->rows_out - PLANE_ROWS;
                wide_tile(f, lanes, tap, r, f->rows_out - r, c, stride, inputs);
            }
    }
}

/* The outputs just stored, in place: once in the code, and in L1. */
static FAL__NOINLINE void activate_plane(const fal__depthwise_planes *p, float *y)
{
    for (int64_t r = 0; r < p->row.out; r++, y += p->row.y)
        for (int64_t c = 0; c < p->column.out; c += LANES) {
            const int n = (int)(p->column.out - c < LANES ? p->column.out - c : LANES);
            lanes_store_first(y + c, lanes_activate(lanes_load_first(y + c, n), p->activation), n);
        }
}

static FAL__ALWAYS_INLINE plane_view view_of(const fal__depthwise_planes *p)
{
    return (plane_view){.x_row = p->row.x,
                        .y_row = p->row.y,
                        .row_first = p->row.first,
                        .rows_in = p->row.in,
                        .rows_out = p->row.out,
                        .first = p->column.first,
                        .in = p->column.in,
                        .out = p->column.out,
                        .apart = p->column.dilation,
                        .beta = (float)p->beta};
}

/* One element in all lanes, or with `second` that one in the upper half. */
static FAL__ALWAYS_INLINE __m512 spread_planes(const float *from, int64_t second, const int inputs)
{
    const __m512 v = _mm512_set1_ps(*from);
    return inputs == OF_PLANES ? _mm512_mask_broadcastss_ps(v, 0xFF00, _mm_load_ss(from + second)) : v;
}

/* Weights, bias and place of plane i, and of the next one. */
static FAL__ALWAYS_INLINE void see_plane(const fal__depthwise_planes *p, int64_t i, plane_view *f,
                                         const int inputs)
{
    const float *w = (const float *)p->w + i * p->w_plane;
    f->second = i + 1 < p->planes;
    const int64_t next = f->second ? 1 : 0;
#pragma GCC unroll 9
    for (int t = 0; t < 9; t++) {
        f->weight[t] = spread_planes(w + t / 3 * p->w_row + t % 3 * p->w_column, next * p->w_plane, inputs);
        FAL__IN_REGISTER(f->weight[t]);
    }
    f->start = _mm512_setzero_ps();
    if (p->bias != NULL)
        f->start = spread_planes((const float *)p->bias + i * p->bias_plane, next * p->bias_plane, inputs);
    f->x = (const float *)p->x + i * p->x_plane;
    f->y = (float *)p->y + i * p->y_plane;
    f->x_second = next * p->x_plane;
    f->y_second = next * p->y_plane;
}

static FAL__ALWAYS_INLINE void run_wide(const fal__depthwise_planes *p, const int stride, const int inputs)
{
    plane_view f = view_of(p);
    plane_segment segment = {.end = 0};
    const int64_t most = tile_most(f.apart, stride, inputs), tiles = (f.out + most - 1) / most;
    segment.width = (f.out + tiles - 1) / tiles;
    __m512i tap[3];
    for (int t = 0; t < 3; t++) tap[t] = tap_lanes(f.apart, t, stride, inputs);
    while (segment.end < f.out) {
        segment.from = segment.end;
        segment.end += SEGMENT_TILES * segment.width;
        if (segment.end > f.out) segment.end = f.out;
        find_segment(&f, &segment, stride, inputs);
        for (int64_t i = 0; i < p->planes; i += inputs == OF_PLANES ? 2 : 1) {
            see_plane(p, i, &f, inputs);
            wide_plane(&f, &segment, tap, stride, inputs);
        }
    }
}

static FAL__NOINLINE void run_one_1(const fal__depthwise_planes *p)
{
    run_wide(p, 1, FROM_ONE);
}
static FAL__NOINLINE void run_two_1(const fal__depthwise_planes *p)
{
    run_wide(p, 1, FROM_TWO);
}
static FAL__NOINLINE void run_two_2(const fal__depthwise_planes *p)
{
    run_wide(p, 2, FROM_TWO);
}
static FAL__NOINLINE void run_loads_1(const fal__depthwise_planes *p)
{
    run_wide(p, 1, BY_LOADS);
}
static FAL__NOINLINE void run_planes_1(const fal__depthwise_planes *p)
{
    run_wide(p, 1, OF_PLANES);
}
static FAL__NOINLINE void run_planes_2(const fal__depthwise_planes *p)
{
    run_wide(p, 2, OF_PLANES);
}

static bool run_planes(const fal__depthwise_planes *p, int64_t taps, int64_t stride)
{
    if (taps != 3 || stride > 2) return false;
    if (p == NULL) return true;
    const int64_t apart = p->column.dilation;
    const bool near = apart > 0 && apart <= PERMUTED_APART;
    const int64_t one = near ? tile_most(apart, stride, FROM_ONE) : 1;
    if (near && p->column.out <= tile_most(apart, stride, OF_PLANES))
        stride == 1 ? run_planes_1(p) : run_planes_2(p);
    else if (stride == 2)
        run_two_2(p);
    else if (!near)
        run_loads_1(p);
    else if ((p->column.out + one - 1) / one == (p->column.out + LANES - 1) / LANES)
        run_one_1(p); /* as many tiles, with half the loads */
    else
        run_two_1(p);
    for (int64_t i = 0; p->activation != NULL && i < p->planes; i++)
        activate_plane(p, (float *)p->y + i * p->y_plane);
    return true;
}
#else
static bool run_planes(const fal__depthwise_planes *p, int64_t taps, int64_t stride)
{
    (void)p;
    (void)taps;
    (void)stride;
    return false;
}
#endif

extern const fal__planes_fn FAL__NAMED(fal__depthwise_planes_f32);
const fal__planes_fn FAL__NAMED(fal__depthwise_planes_f32) = run_planes;
