/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped_sums.tmpl.h: the products of a few columns of two rows of outputs, in registers.
 *
 * Parameters: those of lanes.tmpl.h, which is included before, as is grouped_spread.tmpl.h. Used by
 * grouped.tmpl.h.
 *
 * Rows of 3 taps and stride 1 or 2 are walked column by column, two rows of outputs together. A window of the
 * input is loaded once, each of its channels spread once, and meets every output of both rows that it belongs
 * to:
 *
 *     column       c-1        c         c+1            row j of the input, both rows of outputs:
 *     output u    w0[0][i]  w0[1][i]  w0[2][i]         sum[0][u] += w[tap j  ][t][i] * spread(window, i)
 *                                                      sum[1][u] += w[tap j-1][t][i] * spread(window, i)
 *
 * For 3 x 3 taps that is a permutation for 4.5 multiply-adds, with stride 2 for 1.8, and a load for each.
 * Columns outside the input are skipped, so that nothing is masked.
 *
 * Other kernels go tap by tap, a permutation for each multiply-add.
 */
#if defined(__AVX512F__)
enum { TILE = 7 };
#else
enum { TILE = 4 };
#endif
enum { TAPS = 3 };

/* What the tiles of a call share; steps of elements. */
typedef struct tile_steps {
    const fal__grouped_block *f;
    int window;                          /* lanes of x that exist */
    int64_t ic, column, apart;           /* of x: columns, neighbouring outputs of a row */
    int64_t block;                       /* of x: to the inputs of the next block, about */
    int64_t w_tap, w_row, w_plane, lead; /* row taps by which a row of outputs is ahead of the next one */
    const int32_t (*index)[INDEX_WORDS];
} tile_steps;

/* What two rows of outputs meet: row `row` of the input under row tap `tap`, or nothing. */
typedef struct tile_meeting {
    const LANES_TYPE *x[2], *w[2];
} tile_meeting;

/* The window of column c. */
static FAL__ALWAYS_INLINE lanes_vector load_window(const LANES_TYPE *x, const tile_steps *step, const int c)
{
    x += c * step->column;
    return FAL__LIKELY(step->window == LANES) ? lanes_load(x) : lanes_load_first(x, step->window);
}

/* Channel i of column c, to all outputs under whose taps it lies, of the rows with a bit in `rows`. */
static FAL__ALWAYS_INLINE void add_channel(lanes_vector sum[2][TILE], const tile_meeting *at,
                                           const lanes_vector window[2], const tile_steps *step, int64_t i,
                                           const int c, const int ic, const int stride, const int rows)
{
    const lanes_index index = load_index(step->index[i]);
    const int64_t w_tap = ic != 0 ? ic * LANES : step->w_tap;
    lanes_vector v[2];
    v[0] = spread(window[0], index);
    FAL__IN_REGISTER(v[0]);
    v[1] = v[0];
    if (stride == 2 && rows == 3) {
        v[1] = spread(window[1], index);
        FAL__IN_REGISTER(v[1]);
    }
#pragma GCC unroll 3
    for (int t = 0; t < TAPS; t++) {
        if (c < t || (c - t) % stride != 0 || (c - t) / stride >= TILE) continue;
        if (rows & 1) sum[0][(c - t) / stride] += lanes_load(at->w[0] + t * w_tap + i * LANES) * v[0];
        if (rows & 2) sum[1][(c - t) / stride] += lanes_load(at->w[1] + t * w_tap + i * LANES) * v[1];
    }
}

/* One row of the input under a tile, or with stride 2 one under each row of outputs. Columns that are not
 * `inside` (a bit each) are skipped. ic 0: any number of channels. */
static FAL__ALWAYS_INLINE void add_row(lanes_vector sum[2][TILE], const tile_meeting *at,
                                       const tile_steps *step, uint32_t inside, const int ic,
                                       const int stride, const int rows)
{
#pragma GCC unroll 16
    for (int c = 0; c < (TILE - 1) * stride + TAPS; c++) {
        if ((inside >> c & 1) == 0) continue;
        lanes_vector window[2];
        window[0] = window[1] = load_window(at->x[rows == 2], step, c);
        if (stride == 2 && rows == 3) window[1] = load_window(at->x[1], step, c);
        if (ic != 0) {
#pragma GCC unroll 8
            for (int i = 0; i < ic; i++) add_channel(sum, at, window, step, i, c, ic, stride, rows);
        } else {
            for (int64_t i = 0; i < step->ic; i++) add_channel(sum, at, window, step, i, c, ic, stride, rows);
        }
    }
}

/* Where two rows of a tile stand: their taps that exist, and their columns, counted from the first, that do.
 */
typedef struct tile_place {
    const LANES_TYPE *x, *w;          /* column 0 of the tile at position 0; the weights of the block */
    int64_t plane_first, plane_end;   /* taps */
    int64_t row_first[2], row_end[2]; /* of each row */
    int64_t position[2];              /* of row tap 0 */
    int64_t low, high;
    uint32_t inside; /* of the columns, one bit each */
} tile_place;

/* What the rows of a tile meet in step j of plane tap d; there[r]: row r meets something. */
static FAL__ALWAYS_INLINE tile_meeting meet(const tile_place *at, const tile_steps *step, int64_t d,
                                            int64_t j, bool there[2])
{
    const fal__grouped_block *f = step->f;
    tile_meeting meeting;
#pragma GCC unroll 2
    for (int r = 0; r < 2; r++) {
        const int64_t tap = r == 0 ? j : j - step->lead, row = at->position[r] + tap * f->row.dilation;
        there[r] = tap >= at->row_first[r] && tap < at->row_end[r];
        meeting.x[r] = at->x + d * f->plane.dilation * f->plane.x + row * f->row.x;
        meeting.w[r] = at->w + d * step->w_plane + tap * step->w_row;
    }
    return meeting;
}

static FAL__ALWAYS_INLINE void tile_sums(lanes_vector sum[2][TILE], const tile_place *at,
                                         const tile_steps *step, const int ic, const int stride)
{
    for (int64_t d = at->plane_first; d < at->plane_end; d++)
        for (int64_t j = 0; j < step->f->row.taps + step->lead; j++) {
            bool there[2];
            const tile_meeting meeting = meet(at, step, d, j, there);
            if (there[0] && there[1])
                add_row(sum, &meeting, step, at->inside, ic, stride, 3);
            else if (there[0])
                add_row(sum, &meeting, step, at->inside, ic, stride, 1);
            else if (there[1])
                add_row(sum, &meeting, step, at->inside, ic, stride, 2);
        }
}

/* One tap of all channels, for any stride: the windows stay in registers while their channels are spread. */
static FAL__ALWAYS_INLINE void add_tap(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                       const tile_steps *step, int64_t low, int64_t high)
{
    lanes_vector window[TILE];
    bool there[TILE];
#pragma GCC unroll 7
    for (int u = 0; u < TILE; u++) {
        const int64_t column = u * step->f->column.stride;
        there[u] = column >= low && column < high;
        window[u] = there[u] ? lanes_load_first(x + u * step->apart, step->window) : lanes_set(0);
    }
    for (int64_t i = 0; i < step->ic; i++, w += LANES) {
        const lanes_vector weight = lanes_load(w);
        const lanes_index index = load_index(step->index[i]);
#pragma GCC unroll 7
        for (int u = 0; u < TILE; u++)
            sum[u] = add_product_if(there[u], sum[u], weight, spread(window[u], index));
    }
}

/* Row r of a tile, tap by tap. */
static FAL__ALWAYS_INLINE void tile_sums_any(lanes_vector *sum, const tile_place *at, const tile_steps *step,
                                             const int r)
{
    const fal__grouped_block *f = step->f;
    for (int64_t d = at->plane_first; d < at->plane_end; d++)
        for (int64_t h = at->row_first[r]; h < at->row_end[r]; h++) {
            const int64_t row = at->position[r] + h * f->row.dilation;
            const LANES_TYPE *x = at->x + d * f->plane.dilation * f->plane.x + row * f->row.x;
            const LANES_TYPE *w = at->w + d * step->w_plane + h * step->w_row;
            for (int64_t t = 0; t < f->column.taps; t++, w += step->w_tap)
                add_tap(sum, x + t * step->column, w, step, at->low - t, at->high - t);
        }
}
