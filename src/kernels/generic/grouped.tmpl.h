/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grouped.tmpl.h: a few columns of a row of outputs at a time, in registers.
 *
 * Parameters: those of lanes.tmpl.h, which is included before. Gives run() of kernels/grouped.h.
 *
 * A tile is up to TILE columns, walked from the first row to the last. The rows that the next row of outputs
 * needs anew are spread into the ring; then each weight is loaded once and meets the columns of its tap
 * there:
 *
 *     ring     [plane tap][slot = position modulo slots][channel i of a group][column][lane]
 *     sum[u] += weight[tap t][i] * ring[..][i][u*stride + t]
 *
 * One load for each multiply-add, which two ports sustain, and TILE sums that do not wait for each other. For
 * 3 x 3 taps spreading adds a permutation and a store for every 9 of them.
 */
#if defined(__AVX512F__)
enum { TILE = 14, NARROW = 7 };
#else
enum { TILE = 12, NARROW = 6 };
#endif

#if defined(__AVX512F__)
typedef __m512i lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return _mm512_loadu_si512(words);
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    return (lanes_vector)_mm512_permutexvar_ps(index, (__m512)window);
}
#elif defined(__AVX2__)
typedef __m256i lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return _mm256_loadu_si256((const void *)words);
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    return (lanes_vector)_mm256_permutevar8x32_ps((__m256)window, index);
}
#else
typedef const int32_t *lanes_index;
static FAL__ALWAYS_INLINE lanes_index load_index(const int32_t *words)
{
    return words;
}

static FAL__ALWAYS_INLINE lanes_vector spread(lanes_vector window, lanes_index index)
{
    const int words = (int)sizeof(LANES_TYPE) / 4;
    lanes_vector v;
    for (int i = 0; i < LANES; i++) v[i] = window[index[i * words] / words];
    return v;
}
#endif

/* The permutations as 32-bit words, channel by channel. */
enum { INDEX_WORDS = FAL__VECTOR_BYTES / 4 };
static void fill_index(const fal__grouped_block *f, int32_t index[LANES][INDEX_WORDS])
{
    const int words = (int)sizeof(LANES_TYPE) / 4;
    for (int i = 0; i < f->ic; i++)
        for (int l = 0; l < INDEX_WORDS; l++)
            index[i][l] = (int32_t)(l / words / f->oc * f->ic + i) * words + l % words;
}

/* What the tiles of a call share; steps of elements. */
typedef struct tile_steps {
    const fal__grouped_block *f;
    int window;            /* lanes of x that exist */
    int64_t columns;       /* of the ring */
    int64_t channel, slot; /* of the ring: steps between them */
    int64_t w_tap, w_row, w_plane;
    const int32_t (*index)[INDEX_WORDS];
} tile_steps;

/* Position `row` of every plane tap plane_first..plane_end-1 into its slot; columns low..high-1 of the tile,
 * which begins at column 0 of x. */
static void spread_row(const tile_steps *step, const LANES_TYPE *x, int64_t plane_first, int64_t plane_end,
                       int64_t row, int64_t low, int64_t high)
{
    const fal__grouped_block *f = step->f;
    const int64_t column = f->column.x;
    for (int64_t d = plane_first; d < plane_end; d++) {
        const LANES_TYPE *from = x + d * f->plane.dilation * f->plane.x + row * f->row.x;
        LANES_TYPE *to = (LANES_TYPE *)f->ring + (d * f->slots + row % f->slots) * step->slot;
        for (int64_t i = 0; i < f->ic; i++, to += step->channel) {
            const lanes_index index = load_index(step->index[i]);
            const LANES_TYPE *at = from + low * column;
            LANES_TYPE *end = to + high * LANES;
            const int window = step->window;
            if (window == LANES)
#pragma GCC unroll 4
                for (LANES_TYPE *c = to + low * LANES; c < end; c += LANES, at += column)
                    lanes_store(c, spread(lanes_load(at), index));
            else
                for (LANES_TYPE *c = to + low * LANES; c < end; c += LANES, at += column)
                    lanes_store(c, spread(lanes_load_first(at, window), index));
        }
    }
}

/* The outputs of a tile whose column under a tap exists: bit u where low <= u*stride < high. */
static FAL__ALWAYS_INLINE uint32_t outputs_inside(int64_t low, int64_t high, int64_t stride)
{
    const int64_t first = low <= 0 ? 0 : (low + stride - 1) / stride;
    const int64_t end = high <= 0 ? 0 : (high + stride - 1) / stride;
    const uint64_t below_first = (UINT64_C(1) << (first < 32 ? first : 32)) - 1;
    const uint64_t below_end = (UINT64_C(1) << (end < 32 ? end : 32)) - 1;
    return (uint32_t)(below_end & ~below_first);
}

/* sum + a*b, or sum as it is: without a branch where the level has masks. The fused instruction is named,
 * because a product and its sum on two sides of a branch are not fused by themselves. */
#if defined(__AVX512F__)
typedef __mmask16 lanes_switch;
static FAL__ALWAYS_INLINE lanes_vector add_product_if(lanes_switch on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (sizeof(LANES_TYPE) == 4)
        return (lanes_vector)_mm512_mask3_fmadd_ps((__m512)a, (__m512)b, (__m512)sum, on);
    return (lanes_vector)_mm512_mask3_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum, (__mmask8)on);
}
#elif defined(__AVX2__)
typedef int lanes_switch;
static FAL__ALWAYS_INLINE lanes_vector add_product_if(lanes_switch on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (on == 0) return sum;
    if (sizeof(LANES_TYPE) == 4) return (lanes_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
    return (lanes_vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
}
#else
typedef int lanes_switch;
static FAL__ALWAYS_INLINE lanes_vector add_product_if(lanes_switch on, lanes_vector sum, lanes_vector a,
                                                      lanes_vector b)
{
    if (on != 0) sum += a * b;
    return sum;
}
#endif

/* One tap of all channels of a group. edge 0: every column exists; 1: all but the outer three on each side
 * are sure to. What is read of a column that does not exist is in the ring and of no consequence. */
static FAL__ALWAYS_INLINE void tile_tap(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                        const tile_steps *step, uint32_t inside, const int outputs,
                                        const int edge)
{
    lanes_switch on[TILE];
#pragma GCC unroll 14
    for (int u = 0; u < outputs; u++) on[u] = (lanes_switch) - (int)(inside >> u & 1);
    for (int64_t i = 0; i < step->f->ic; i++, x += step->channel, w += LANES) {
        const lanes_vector weight = lanes_load(w);
#pragma GCC unroll 14
        for (int u = 0; u < outputs; u++) {
            const lanes_vector v = lanes_load(x + u * LANES);
            if (edge == 0 || (edge == 1 && u >= 3 && u < outputs - 3))
                sum[u] += weight * v;
            else
                sum[u] = add_product_if(on[u], sum[u], weight, v);
        }
    }
}

/* The same from the tensor itself: the windows of a tap stay in registers while their channels are spread. */
static FAL__ALWAYS_INLINE void tile_tap_spread(lanes_vector *sum, const LANES_TYPE *x, const LANES_TYPE *w,
                                               const tile_steps *step, uint32_t inside, const int edge)
{
    const int64_t apart = step->f->column.stride * step->f->column.x;
    lanes_vector window[NARROW];
    lanes_switch on[NARROW];
#pragma GCC unroll 7
    for (int u = 0; u < NARROW; u++) {
        const bool there = edge == 0 || (inside >> u & 1) != 0;
        on[u] = (lanes_switch) - (int)there;
        window[u] = there ? lanes_load_first(x + u * apart, step->window) : lanes_set(0);
    }
    for (int64_t i = 0; i < step->f->ic; i++, w += LANES) {
        const lanes_vector weight = lanes_load(w);
        const lanes_index index = load_index(step->index[i]);
#pragma GCC unroll 7
        for (int u = 0; u < NARROW; u++) {
            const lanes_vector v = spread(window[u], index);
            if (edge == 0)
                sum[u] += weight * v;
            else
                sum[u] = add_product_if(on[u], sum[u], weight, v);
        }
    }
}

/* Where a row of a tile stands: its taps that exist, and its columns, counted from the first, that do. */
typedef struct tile_place {
    const LANES_TYPE *w;
    int64_t plane_first, plane_end, row_first, row_end; /* taps */
    int64_t position;                                   /* of row tap 0 */
    int64_t low, high;
} tile_place;

/* stride 1: from the ring; 0: any other stride, from x, the first column of the tile at position 0. */
static FAL__ALWAYS_INLINE void tile_sums(lanes_vector *sum, const tile_place *at, const tile_steps *step,
                                         const LANES_TYPE *x, const int outputs, const int stride,
                                         const int edge)
{
    const fal__grouped_block *f = step->f;
    for (int64_t d = at->plane_first; d < at->plane_end; d++)
        for (int64_t h = at->row_first; h < at->row_end; h++) {
            const int64_t row = at->position + h * f->row.dilation;
            const LANES_TYPE *ring =
                (const LANES_TYPE *)f->ring + (d * f->slots + row % f->slots) * step->slot;
            const LANES_TYPE *direct = x + d * f->plane.dilation * f->plane.x + row * f->row.x;
            const LANES_TYPE *w = at->w + d * step->w_plane + h * step->w_row;
            for (int64_t t = 0; t < f->column.taps; t++, w += step->w_tap) {
                const uint32_t inside =
                    edge != 0 ? outputs_inside(at->low - t, at->high - t, stride ? 1 : f->column.stride) : 0;
                if (stride == 1)
                    tile_tap(sum, ring + t * LANES, w, step, inside, outputs, edge);
                else
                    tile_tap_spread(sum, direct + t * f->column.x, w, step, inside, edge);
            }
        }
}

/* The outputs just stored, in place: once in the code, and in L1. */
static void activate_row(const fal__activation *activation, LANES_TYPE *y, int64_t step, int64_t count,
                         int lanes)
{
    for (int64_t u = 0; u < count; u++, y += step)
        lanes_store_first(y, lanes_activate(lanes_load_first(y, lanes), activation), lanes);
}

/* y = activation(beta*y + sum) for the first `count` outputs of a row. */
static FAL__ALWAYS_INLINE void tile_store(const fal__grouped_block *f, const lanes_vector *sum, LANES_TYPE *y,
                                          int64_t count, const int outputs)
{
    const LANES_TYPE beta = (LANES_TYPE)f->beta;
    const int lanes = (int)(f->groups * f->oc);
    const bool plain = beta == 0 && lanes == LANES;
    LANES_TYPE *to = y;
#pragma GCC unroll 14
    for (int u = 0; u < outputs; u++, to += f->column.y) {
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

/* The first `count` outputs of a row of a tile. */
static FAL__ALWAYS_INLINE void tile(const tile_place *at, const tile_steps *step, lanes_vector start,
                                    const LANES_TYPE *x, LANES_TYPE *y, int64_t count, const int outputs,
                                    const int stride, const int edge)
{
    lanes_vector sum[TILE];
#pragma GCC unroll 14
    for (int u = 0; u < outputs; u++) sum[u] = start;
    tile_sums(sum, at, step, x, outputs, stride, edge);
    tile_store(step->f, sum, y, count, outputs);
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

/* All rows of the columns o .. o+count-1 of a block; x and y at its position and output 0. */
static FAL__ALWAYS_INLINE void run_columns(const tile_steps *step, tile_place at, const LANES_TYPE *x,
                                           lanes_vector start, LANES_TYPE *y, int64_t o, int64_t count,
                                           const int outputs, const int stride)
{
    const fal__grouped_block *f = step->f;
    const fal__depthwise_axis *row = &f->row, *column = &f->column;
    const int64_t from = column->first + o * column->stride;
    const int64_t reach = (count - 1) * column->stride + column->taps, last = (outputs - 1) * column->stride;
    int64_t next = 0; /* the first row that the ring has not seen */
    at.low = -from;
    at.high = column->in - from;
    if (at.high > reach) at.high = reach;
    const bool all = count == outputs && at.low <= 0 && at.high >= reach;
    /* Outputs 3 .. outputs-4 have all their columns. */
    const bool most = count == outputs && at.low <= 3 * column->stride &&
                      at.high >= last - 3 * column->stride + column->taps;
    x += from * column->x;
    y += o * column->y;
    for (int64_t r = 0; r < row->out; r++, y += row->y) {
        taps_inside(row, r, &at.row_first, &at.row_end);
        at.position = row->first + r * row->stride;
        if (stride == 1 && at.row_first < at.row_end) {
            /* All rows from the first tap to the last, those between taps as well: a later row may need them.
             */
            const int64_t reach_rows = (row->taps - 1) * row->dilation;
            const int64_t low = at.position + (reach_rows < 0 ? reach_rows : 0),
                          end = at.position + (reach_rows < 0 ? 0 : reach_rows) + 1;
            for (next = next < low ? low : next; next < end && next < row->in; next++)
                spread_row(step, x, at.plane_first, at.plane_end, next, at.low < 0 ? 0 : at.low, at.high);
        }
        if (all)
            tile(&at, step, start, x, y, count, outputs, stride, 0);
        else if (most)
            tile(&at, step, start, x, y, count, outputs, stride, 1);
        else
            tile(&at, step, start, x, y, count, outputs, stride, 2);
    }
}

static FAL__ALWAYS_INLINE void run_stride(const fal__grouped_block *f, const int stride)
{
    int32_t index[LANES][INDEX_WORDS];
    fill_index(f, index);
    tile_steps step = {.f = f,
                       .window = (int)(f->groups * f->ic),
                       .columns = TILE - 1 + f->column.taps,
                       .w_tap = f->ic * LANES,
                       .index = (const int32_t(*)[INDEX_WORDS])index};
    step.channel = step.columns * LANES;
    step.slot = step.channel * f->ic;
    step.w_row = f->column.taps * step.w_tap;
    step.w_plane = f->row.taps * step.w_row;
    tile_place at = {.w = f->w};
    taps_inside(&f->plane, 0, &at.plane_first, &at.plane_end);
    for (int64_t i = 0; i < f->blocks; i++, at.w += f->plane.taps * step.w_plane) {
        const LANES_TYPE *x =
            (const LANES_TYPE *)f->x + i * (LANES / f->oc) * f->ic + f->plane.first * f->plane.x;
        LANES_TYPE *y = (LANES_TYPE *)f->y + i * LANES;
        const lanes_vector start =
            f->bias != NULL ? lanes_load((const LANES_TYPE *)f->bias + i * LANES) : lanes_set(0);
        const int64_t most = stride == 1 && f->column.out > NARROW ? TILE : NARROW;
        for (int64_t o = 0; o < f->column.out;) {
            int64_t count = f->column.out - o < most ? f->column.out - o : most;
            /* What is left of the row is fewer than a tile: some again. */
            if (count < most && o >= most && f->beta == 0) o = f->column.out - most, count = most;
            if (stride == 1 && count > NARROW)
                run_columns(&step, at, x, start, y, o, count, TILE, stride);
            else
                run_columns(&step, at, x, start, y, o, count, NARROW, stride);
            o += count;
        }
    }
}

static void run_1(const fal__grouped_block *f)
{
    run_stride(f, 1);
}

static void run_any(const fal__grouped_block *f)
{
    run_stride(f, 0);
}

static void run(const fal__grouped_block *f)
{
    if (f->column.stride == 1)
        run_1(f);
    else
        run_any(f);
}
