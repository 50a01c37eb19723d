/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped.tmpl.h: tiles of a few columns and two rows of outputs, from the first row to the last.
 *
 * Parameters: those of lanes.tmpl.h, which is included before, as are grouped_spread.tmpl.h,
 * grouped_sums.tmpl.h (several groups in a vector) and grouped_whole.tmpl.h (vectors of one group). Gives
 * run() of kernels/grouped.h.
 */

/* The outputs just stored, in place: once in the code, and in L1. */
static void activate_row(const fal__activation *activation, LANES_TYPE *y, int64_t step, int64_t count,
                         int lanes)
{
    for (int64_t u = 0; u < count; u++, y += step)
        lanes_store_first(y, lanes_activate(lanes_load_first(y, lanes), activation), lanes);
}

/* y = activation(beta*y + sum) for the first `count` outputs of a row. */
static FAL__ALWAYS_INLINE void tile_store(const fal__grouped_block *f, const lanes_vector *sum, LANES_TYPE *y,
                                          int64_t count)
{
    const LANES_TYPE beta = (LANES_TYPE)f->beta;
    const int lanes = f->oc < LANES ? (int)(f->groups * f->oc) : LANES;
    const bool plain = beta == 0 && lanes == LANES;
    LANES_TYPE *to = y;
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++, to += f->column.y) {
        if (u >= count) break;
        if (plain)
            lanes_store(to, sum[u]);
        else if (beta == 0)
            lanes_store_first(to, sum[u], lanes);
        else
            lanes_store_first(to, sum[u] + beta * lanes_load_first(to, lanes), lanes);
    }
    if (f->activation != NULL) activate_row(f->activation, y, f->column.y, count, lanes);
}

/* The first `count` outputs of two rows of a tile, or of the first row alone. */
static FAL__ALWAYS_INLINE void tile(const tile_place *at, const tile_steps *step, lanes_vector start,
                                    LANES_TYPE *y, int64_t count, bool second, const int ic, const int stride)
{
    lanes_vector sum[2][TILE];
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++) sum[0][u] = sum[1][u] = start;
    if (stride == WHOLE) {
        whole_sums(sum, at, step);
    } else if (stride != 0) {
        tile_sums(sum, at, step, ic, stride);
    } else {
        tile_sums_any(sum[0], at, step, 0);
        tile_sums_any(sum[1], at, step, 1);
    }
    tile_store(step->f, sum[0], y, count);
    if (second) tile_store(step->f, sum[1], y + step->f->row.y, count);
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

/* Asks for the lines that the next block will read under the rows that are new to this tile: neighbouring
 * blocks are neighbours in memory, columns often a page apart, which no hardware prefetcher follows. */
static FAL__ALWAYS_INLINE void ask_for_next(const tile_steps *step, const tile_place *at)
{
    const fal__grouped_block *f = step->f;
    const int64_t first = at->position[0], end = first + 2 * f->row.stride;
    const LANES_TYPE *x = at->x + at->plane_first * f->plane.dilation * f->plane.x + step->block;
    for (int64_t row = first < 0 ? 0 : first; row < end && row < f->row.in; row++)
        for (int64_t c = at->low < 0 ? 0 : at->low; c < at->high; c++)
            FAL__PREFETCH(x + row * f->row.x + c * step->column);
}

/* All rows of the columns o .. o+count-1 of a block; x and y at its position and output 0. */
static FAL__ALWAYS_INLINE void run_columns(const tile_steps *step, tile_place at, lanes_vector start,
                                           LANES_TYPE *y, int64_t o, int64_t count, bool ask, const int ic,
                                           const int stride)
{
    const fal__grouped_block *f = step->f;
    const fal__depthwise_axis *row = &f->row, *column = &f->column;
    const int64_t from = column->first + o * column->stride,
                  reach = (count - 1) * column->stride + column->taps;
    at.low = -from;
    at.high = column->in - from < reach ? column->in - from : reach;
    at.inside = columns_inside(at.low, at.high);
    at.x += from * column->x;
    for (int64_t r = 0; r < row->out; r += 2) {
        if (r + 1 == row->out && r > 0 && f->beta == 0) r--; /* one row is left: another once more */
        const bool second = r + 1 < row->out;
        for (int i = 0; i < 2; i++) {
            at.position[i] = row->first + (r + i) * row->stride;
            taps_inside(row, r + i, &at.row_first[i], &at.row_end[i]);
        }
        if (ask) ask_for_next(step, &at);
        if (!second) at.row_end[1] = at.row_first[1] = 0;
        tile(&at, step, start, y + o * column->y + r * row->y, count, second, ic, stride);
    }
}

/* Row taps by which a row of outputs is ahead of the next one, where both then meet the same row of the
 * input; else as many as there are, so that one comes after the other. */
static int64_t row_lead(const fal__depthwise_axis *row)
{
    const int64_t lead = row->stride / row->dilation;
    return lead > 0 && lead < row->taps && lead * row->dilation == row->stride ? lead : row->taps;
}

static FAL__ALWAYS_INLINE void run_stride(const fal__grouped_block *block, const int ic, const int stride)
{
    const fal__grouped_block f = *block; /* so that no store can change it */
    int32_t index[CHANNELS][INDEX_WORDS];
    if (stride != WHOLE) fill_index(&f, index);
    const int64_t lead = row_lead(&f.row);
    tile_steps step = {.f = &f,
                       .window = (int)(f.groups * f.ic),
                       .ic = f.ic,
                       .column = f.column.x,
                       .apart = f.column.stride * f.column.x,
                       .block = f.oc < LANES ? LANES / f.oc * f.ic : LANES,
                       .w_tap = f.ic * LANES,
                       .lead = stride == 2 || (stride == WHOLE && lead > 1) ? 0 : lead,
                       .index = (const int32_t(*)[INDEX_WORDS])index};
    step.w_row = f.column.taps * step.w_tap;
    step.w_plane = f.row.taps * step.w_row;
    tile_place at = {.w = f.w};
    taps_inside(&f.plane, 0, &at.plane_first, &at.plane_end);
    for (int64_t i = 0; i < f.blocks; i++, at.w += f.plane.taps * step.w_plane) {
        at.x = (const LANES_TYPE *)f.x + i * LANES / f.oc * f.ic + f.plane.first * f.plane.x;
        LANES_TYPE *y = (LANES_TYPE *)f.y + i * LANES;
        const lanes_vector start =
            f.bias != NULL ? lanes_load((const LANES_TYPE *)f.bias + i * LANES) : lanes_set(0);
        for (int64_t o = 0; o < f.column.out; o += TILE) {
            /* What is left of the row is fewer than a tile: some again. */
            if (f.column.out - o < TILE && o > 0 && f.beta == 0) o = f.column.out - TILE;
            const int64_t count = f.column.out - o < TILE ? f.column.out - o : TILE;
            run_columns(&step, at, start, y, o, count, i + 1 < f.blocks, ic, stride);
        }
    }
}

static FAL__NOINLINE void run_4_1(const fal__grouped_block *f)
{
    run_stride(f, 4, 1);
}

static FAL__NOINLINE void run_8_1(const fal__grouped_block *f)
{
    run_stride(f, 8, 1);
}

static FAL__NOINLINE void run_any_1(const fal__grouped_block *f)
{
    run_stride(f, 0, 1);
}

static FAL__NOINLINE void run_4_2(const fal__grouped_block *f)
{
    run_stride(f, 4, 2);
}

static FAL__NOINLINE void run_8_2(const fal__grouped_block *f)
{
    run_stride(f, 8, 2);
}

static FAL__NOINLINE void run_any_2(const fal__grouped_block *f)
{
    run_stride(f, 0, 2);
}

static FAL__NOINLINE void run_whole(const fal__grouped_block *f)
{
    run_stride(f, 0, WHOLE);
}

static FAL__NOINLINE void run_any(const fal__grouped_block *f)
{
    run_stride(f, 0, 0);
}

static void run(const fal__grouped_block *f)
{
    const int64_t stride = f->column.taps == TAPS ? f->column.stride : 0;
    if (f->oc >= LANES)
        run_whole(f);
    else if (stride == 1)
        f->ic == 4 ? run_4_1(f) : f->ic == 8 ? run_8_1(f) : run_any_1(f);
    else if (stride == 2)
        f->ic == 4 ? run_4_2(f) : f->ic == 8 ? run_8_2(f) : run_any_2(f);
    else
        run_any(f);
}
