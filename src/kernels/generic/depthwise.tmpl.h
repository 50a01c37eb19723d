/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depthwise.tmpl.h: one row of outputs after another, a few columns at a time in registers.
 *
 * Parameters: those of lanes.tmpl.h, which is included before. Gives run() of kernels/depthwise.h.
 *
 * A tile is TILE outputs of a row. The taps of a row of the kernel are held in registers while the
 * columns under the tile are loaded one after another; each meets every output that it belongs to:
 *
 *     column      0    1    2    3    4    5    6    7    8            stride 1, 3 taps, TILE 7:
 *     output 0   w0   w1   w2                                         9 + 3 loads for 21 multiply-adds,
 *     output 1        w0   w1   w2                                    so the loads of two ports keep up
 *     ...                            (rows of the kernel in order)     with the arithmetic of two
 *     output 6                                 w0   w1   w2
 *
 * An output receives its taps in ascending order. Longer rows of the kernel go in pieces of at most 7
 * taps. Strides above 2 go tap by tap, since no column then serves two outputs of one piece of weights.
 * At the ends of a row, columns outside the input are skipped one by one.
 */
#if defined(__AVX512F__)
enum { TILE = 7 };
#else
enum { TILE = 6 };
#endif

/* What the tiles of a call share, in steps of elements. */
typedef struct tile_steps {
    int64_t column, stride, row, plane, w_row, w_plane; /* of x, and of the weights of a row and a plane */
    int64_t y, taps;
} tile_steps;

/* One tile: x at the column of its first tap, x and w at the first plane tap and row tap of `planes` x `rows`
 * that read the input; of the columns, counted from the first, low..high-1 do. */
typedef struct tile_place {
    const LANES_TYPE *x, *w;
    int64_t planes, rows, low, high;
    uint32_t inside; /* of the first 32 columns, one bit each */
} tile_place;

/* Bit c: column first + c is in the input; for c < 32. */
static FAL__ALWAYS_INLINE uint32_t columns_inside(int64_t low, int64_t high)
{
    const uint64_t below_low = low <= 0 ? 0 : low >= 32 ? UINT32_MAX : (UINT64_C(1) << low) - 1;
    const uint64_t below_high = high <= 0 ? 0 : high >= 32 ? UINT32_MAX : (UINT64_C(1) << high) - 1;
    return (uint32_t)(below_high & ~below_low);
}

/* `taps` neighbouring taps of one row of the kernel; inside: see columns_inside. */
static FAL__ALWAYS_INLINE void tile_taps(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                         int64_t step, uint32_t inside, const int taps, const int stride,
                                         const int edge)
{
    lanes_vector weight[7];
#pragma GCC unroll 7
    for (int t = 0; t < taps; t++) weight[t] = lanes_load(w + t * LANES);
#pragma GCC unroll 32
    for (int c = 0; c < (TILE - 1) * stride + taps; c++, x += step) {
        const bool sure = edge == 0 || (edge == 1 && c >= taps - 1 && c <= (TILE - 1) * stride);
        if (!sure && (inside >> c & 1) == 0) continue;
        lanes_vector v = lanes_load(x);
        FAL__IN_REGISTER(v);
#pragma GCC unroll 7
        for (int t = 0; t < taps; t++)
            if (c >= t && (c - t) % stride == 0 && (c - t) / stride < TILE)
                sum[(c - t) / stride] += weight[t] * v;
    }
}

/* One tap, for any stride. */
static FAL__ALWAYS_INLINE void tile_tap(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                        const tile_steps *step, int64_t low, int64_t high, const int edge)
{
    const lanes_vector weight = lanes_load(w);
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++, x += step->stride * step->column) {
        if (edge && (u * step->stride < low || u * step->stride >= high)) continue;
        sum[u] += weight * lanes_load(x);
    }
}

/* A row of the kernel. taps 0: any number; stride 0: any stride. */
static FAL__ALWAYS_INLINE void tile_row(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                        const tile_place *at, const tile_steps *step, const int taps,
                                        const int stride, const int edge)
{
    if (taps != 0) {
        tile_taps(sum, x, w, step->column, at->inside, taps, stride, edge);
        return;
    }
    int64_t t = 0;
    if (stride != 0)
        for (; t + 7 <= step->taps; t += 7, x += 7 * step->column, w += 7 * LANES)
            tile_taps(sum, x, w, step->column, edge ? columns_inside(at->low - t, at->high - t) : 0, 7,
                      stride, edge);
    for (; t < step->taps; t++, x += step->column, w += LANES)
        tile_tap(sum, x, w, step, at->low - t, at->high - t, edge);
}

/* The outputs just stored, in place: once in the code, and in L1. */
static void activate_tile(const fal__activation *activation, LANES_TYPE *y, int64_t step, int64_t count)
{
    for (int64_t u = 0; u < count; u++, y += step) lanes_store(y, lanes_activate(lanes_load(y), activation));
}

/* y = beta*y + sum. */
static FAL__ALWAYS_INLINE void tile_store(const lanes_vector *sum, LANES_TYPE beta, LANES_TYPE *y,
                                          int64_t step, int64_t count, const int edge)
{
    if (beta == 0) {
#pragma GCC unroll 7
        for (int u = 0; u < TILE; u++, y += step) {
            if (edge == 2 && u >= count) break;
            lanes_store(y, sum[u]);
        }
        return;
    }
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++, y += step) {
        if (edge == 2 && u >= count) break;
        lanes_store(y, sum[u] + beta * lanes_load(y));
    }
}

/* The first `count` outputs of a tile; without `edge` all of them, and all columns are inside. */
static FAL__ALWAYS_INLINE void tile(const tile_place *at, const tile_steps *step, lanes_vector start,
                                    LANES_TYPE beta, LANES_TYPE *y, int64_t count, const int taps,
                                    const int stride, const int edge)
{
    lanes_vector sum[TILE];
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++) sum[u] = start;
    const LANES_TYPE *x_plane = at->x, *w_plane = at->w;
    for (int64_t d = 0; d < at->planes; d++, x_plane += step->plane, w_plane += step->w_plane) {
        const LANES_TYPE *x = x_plane, *w = w_plane;
        for (int64_t h = 0; h < at->rows; h++, x += step->row, w += step->w_row)
            tile_row(sum, x, w, at, step, taps, stride, edge);
    }
    tile_store(sum, beta, y, step->y, count, edge);
}

/* The taps first..end-1 of output `o` that read the input. */
static FAL__ALWAYS_INLINE void taps_inside(const fal__depthwise_axis *axis, int64_t o, int64_t *first,
                                           int64_t *end)
{
    const int64_t at = axis->first + o * axis->stride;
    int64_t a = 0, b = axis->taps;
    while (a < b && (at + a * axis->dilation < 0 || at + a * axis->dilation >= axis->in)) a++;
    while (a < b && (at + (b - 1) * axis->dilation < 0 || at + (b - 1) * axis->dilation >= axis->in)) b--;
    *first = a;
    *end = b;
}

/* All tiles of a row of outputs; `at` is its output 0. */
static FAL__ALWAYS_INLINE void run_row(const fal__depthwise_block *f, const tile_steps *step, tile_place at,
                                       lanes_vector start, LANES_TYPE *y, const int taps, const int stride)
{
    const fal__depthwise_axis *column = &f->column;
    const LANES_TYPE beta = (LANES_TYPE)f->beta, *const x = at.x;
    const int64_t next = TILE * column->stride, reach = (TILE - 1) * column->stride + column->taps;
    for (int64_t o = 0; o < column->out;) {
        LANES_TYPE *to = y + o * step->y;
        const int64_t from = column->first + o * column->stride;
        at.x = x + from * step->column;
        at.low = -from;
        at.high = column->in - from;
        int64_t count = 0;
        if (at.low <= 0)
            for (; o + count + TILE <= column->out && at.high >= reach; count += TILE) {
                tile(&at, step, start, beta, to + count * step->y, TILE, taps, stride, 0);
                at.x += next * step->column;
                at.high -= next;
            }
        if (count == 0) {
            count = column->out - o < TILE ? column->out - o : TILE;
            at.inside = columns_inside(at.low, at.high);
            if (taps != 0 && count == TILE && at.low < taps && at.high > (TILE - 1) * stride)
                tile(&at, step, start, beta, to, TILE, taps, stride, 1);
            else
                tile(&at, step, start, beta, to, count, taps, stride, 2);
        }
        if (f->activation != NULL) activate_tile(f->activation, to, step->y, count);
        o += count;
        /* What is left of the row is fewer than a tile: some again. */
        if (o < column->out && column->out - o < TILE && o >= TILE && beta == 0) o = column->out - TILE;
    }
}

static FAL__ALWAYS_INLINE void run_taps(const fal__depthwise_block *block, const int taps, const int stride)
{
    const fal__depthwise_block f = *block; /* so that no store can change it */
    const tile_steps step = {.column = f.column.x,
                             .stride = f.column.stride,
                             .row = f.row.dilation * f.row.x,
                             .plane = f.plane.dilation * f.plane.x,
                             .w_row = f.column.taps * LANES,
                             .w_plane = f.row.taps * f.column.taps * LANES,
                             .y = f.column.y,
                             .taps = f.column.taps};
    int64_t plane_first, plane_end, row_first, row_end;
    taps_inside(&f.plane, 0, &plane_first, &plane_end);
    for (int64_t i = 0; i < f.blocks; i++) {
        const LANES_TYPE *x = (const LANES_TYPE *)f.x + i * LANES + f.row.first * f.row.x +
                              f.plane.first * f.plane.x + plane_first * step.plane;
        const LANES_TYPE *w = (const LANES_TYPE *)f.w + (i * f.plane.taps + plane_first) * step.w_plane;
        const lanes_vector start =
            f.bias != NULL ? lanes_load((const LANES_TYPE *)f.bias + i * LANES) : lanes_set(0);
        for (int64_t r = 0; r < f.row.out; r++) {
            taps_inside(&f.row, r, &row_first, &row_end);
            const tile_place at = {.x = x + r * f.row.stride * f.row.x + row_first * step.row,
                                   .w = w + row_first * step.w_row,
                                   .planes = plane_end - plane_first,
                                   .rows = row_end - row_first};
            run_row(&f, &step, at, start, (LANES_TYPE *)f.y + i * LANES + r * f.row.y, taps, stride);
        }
    }
}

static void run_3_1(const fal__depthwise_block *f)
{
    run_taps(f, 3, 1);
}
static void run_5_1(const fal__depthwise_block *f)
{
    run_taps(f, 5, 1);
}
static void run_7_1(const fal__depthwise_block *f)
{
    run_taps(f, 7, 1);
}
static void run_3_2(const fal__depthwise_block *f)
{
    run_taps(f, 3, 2);
}
static void run_5_2(const fal__depthwise_block *f)
{
    run_taps(f, 5, 2);
}
static void run_7_2(const fal__depthwise_block *f)
{
    run_taps(f, 7, 2);
}
static void run_any_1(const fal__depthwise_block *f)
{
    run_taps(f, 0, 1);
}
static void run_any(const fal__depthwise_block *f)
{
    run_taps(f, 0, 0);
}

static void run(const fal__depthwise_block *f)
{
    const int64_t taps = f->column.taps, stride = f->column.stride;
    if (stride == 1) {
        switch (taps) {
        case 3: run_3_1(f); return;
        case 5: run_5_1(f); return;
        case 7: run_7_1(f); return;
        default: run_any_1(f); return;
        }
    }
    if (stride == 2 && taps == 3)
        run_3_2(f);
    else if (stride == 2 && taps == 5)
        run_5_2(f);
    else if (stride == 2 && taps == 7)
        run_7_2(f);
    else
        run_any(f);
}
