/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_move.tmpl.h: what direct convolution with pixels in the lanes moves: stretches of rows into
 * its copies, weights into panels, sums into y. See kernels/direct_pixels.h; parameters as in
 * direct_pixels.tmpl.h.
 */

/* Of y[0], y[step], y[2*step] .. the first n, on their way in and out; nothing between them is touched. A
 * vector of y, the q-th of the stretch, holds the places q*LANES + i: lane place/step goes to those that the
 * step divides.
 *
 *     step 3      v  a b c d ..      y  a . . b | . . c . | . d . .
 */
#if defined(__AVX512F__)
enum { PIXELS_APART = 4 }; /* the largest step served */

static FAL__ALWAYS_INLINE void pixels_store_apart(LANES_TYPE *y, lanes_vector v, int n, const int step)
{
    const int end = (n - 1) * step + 1;
    FAL__UNROLL(4)
    for (int q = 0; q < step; q++) {
        if (q * LANES >= end) break;
        typedef FAL__VECTOR(PIXELS_INDEX, FAL__VECTOR_BYTES) indices;
        indices lane;
        uint32_t mask = 0;
        FAL__UNROLL(16)
        for (int i = 0; i < LANES; i++) {
            lane[i] = (q * LANES + i) / step;
            mask |= (uint32_t)((q * LANES + i) % step == 0) << i;
        }
        if (end < (q + 1) * LANES) mask &= (1u << (end - q * LANES)) - 1;
        if (sizeof(LANES_TYPE) == 4)
            _mm512_mask_storeu_ps((void *)(y + q * LANES), (__mmask16)mask,
                                  _mm512_permutexvar_ps((__m512i)lane, (__m512)v));
        else
            _mm512_mask_storeu_pd((void *)(y + q * LANES), (__mmask8)mask,
                                  _mm512_permutexvar_pd((__m512i)lane, (__m512d)v));
    }
}
#else
enum { PIXELS_APART = 1 };

static FAL__ALWAYS_INLINE void pixels_store_apart(LANES_TYPE *y, lanes_vector v, int n, const int step)
{
    for (int i = 0; i < n; i++) y[i * step] = v[i];
}
#endif

/* `count` elements to y, y_step apart. */
static FAL__ALWAYS_INLINE void pixels_store_row(const fal__lane_store *s, const LANES_TYPE *sums,
                                                LANES_TYPE *y, int64_t count)
{
    const LANES_TYPE beta = (LANES_TYPE)s->beta;
    for (int64_t j = 0; j < count; j += LANES) {
        const int n = count - j < LANES ? (int)(count - j) : LANES;
        LANES_TYPE lanes[LANES] = {0};
        lanes_vector v = lanes_load_first(sums + j, n);
        if (s->y_step == 1) {
            if (s->beta != 0) v += beta * lanes_load_first(y + j, n);
            lanes_store_first(y + j, lanes_activate(v, s->activation), n);
            continue;
        }
        LANES_TYPE *at = y + j * s->y_step;
        if (s->beta != 0) {
            for (int i = 0; i < n; i++) lanes[i] = at[i * s->y_step];
            v += beta * lanes_load(lanes);
        }
        v = lanes_activate(v, s->activation);
        if (s->y_step < 2 || s->y_step > PIXELS_APART) {
            lanes_store(lanes, v);
            for (int i = 0; i < n; i++) at[i * s->y_step] = lanes[i];
        } else if (s->y_step == 2) {
            pixels_store_apart(at, v, n, 2);
        } else if (s->y_step == 3) {
            pixels_store_apart(at, v, n, 3);
        } else {
            pixels_store_apart(at, v, n, 4);
        }
    }
}

static void pixels_store(const fal__lane_store *s)
{
    for (int32_t r = 0; r < s->rows; r++)
        for (int64_t i = 0; i < s->count; i++) {
            const fal__lane_piece *piece = &s->pieces[i];
            pixels_store_row(s, (const LANES_TYPE *)s->sums + r * s->width + piece->lane,
                             (LANES_TYPE *)s->y + r * s->y_row + piece->at, piece->length);
        }
}

/* Elements 0, 2, 4 .. of x, n of them. The second vector begins one element early, so that it ends with the
 * last one needed: a = x[0 .. L-1], b = x[L-1 .. 2L-2], and the even elements of a and the odd ones of b. */
#ifdef FAL__SHUFFLE
typedef FAL__VECTOR(PIXELS_INDEX, FAL__VECTOR_BYTES) pixels_indices;

static FAL__ALWAYS_INLINE pixels_indices pixels_evens(void)
{
    pixels_indices even;
    for (int i = 0; i < LANES / 2; i++) {
        even[i] = 2 * i;
        even[i + LANES / 2] = LANES + 2 * i + 1;
    }
    return even;
}

static FAL__ALWAYS_INLINE lanes_vector pixels_even(const LANES_TYPE *x, int n)
{
    const pixels_indices even = pixels_evens();
    if (n == LANES) return FAL__SHUFFLE(lanes_load(x), lanes_load(x + LANES - 1), even);
    const int reach = 2 * n - 1, first = reach < LANES ? reach : LANES;
    const lanes_vector rest =
        reach > first ? lanes_load_first(x + LANES - 1, reach - LANES + 1) : lanes_set(0);
    return FAL__SHUFFLE(lanes_load_first(x, first), rest, even);
}

/* Elements 0, 4, 8 .. of x, a whole vector: the even ones of the even ones, by the same overlap. */
static FAL__ALWAYS_INLINE lanes_vector pixels_fourth(const LANES_TYPE *x)
{
    return FAL__SHUFFLE(pixels_even(x, LANES), pixels_even(x + 2 * LANES - 2, LANES), pixels_evens());
}
#endif

static FAL__ALWAYS_INLINE void pixels_copy_row(const LANES_TYPE *x, int64_t step, LANES_TYPE *to,
                                               int64_t count)
{
    int64_t j = 0;
    if (step == 1) {
        for (; j + LANES <= count; j += LANES) lanes_store(to + j, lanes_load(x + j));
        if (j == count) return;
        if (count < LANES) {
            lanes_store(to, lanes_load_first(x, (int)count));
        } else {
            j = count - LANES; /* once more, rather than in part */
            lanes_store(to + j, lanes_load(x + j));
        }
        return;
    }
#ifdef FAL__SHUFFLE
    if (step == 2) {
        for (; j + LANES <= count; j += LANES) lanes_store(to + j, pixels_even(x + 2 * j, LANES));
        if (j == count) return;
        if (count < LANES) {
            lanes_store(to, pixels_even(x, (int)count));
        } else {
            j = count - LANES; /* once more, rather than in part */
            lanes_store(to + j, pixels_even(x + 2 * j, LANES));
        }
        return;
    }
    if (step == 4 && count >= LANES) {
        for (; j + LANES <= count; j += LANES) lanes_store(to + j, pixels_fourth(x + 4 * j));
        if (j < count) lanes_store(to + count - LANES, pixels_fourth(x + 4 * (count - LANES)));
        return;
    }
#endif
    for (; j < count; j++) to[j] = x[j * step];
}

static FAL__ALWAYS_INLINE void pixels_fill(LANES_TYPE *to, int64_t count, LANES_TYPE fill)
{
    for (int64_t j = 0; j < count; j += LANES) lanes_store(to + j, lanes_set(fill));
}

/* Rows inside, so that a channel is read from front to back. */
static FAL__ALWAYS_INLINE void pixels_copy_all(const fal__lane_copy *s, int64_t step)
{
    const LANES_TYPE fill = (LANES_TYPE)s->fill;
    for (int64_t c = 0; c < s->channels; c++) {
        const LANES_TYPE *x = (const LANES_TYPE *)s->x + c * s->x_channel;
        LANES_TYPE *to = (LANES_TYPE *)s->to + c * s->to_channel;
        for (int64_t r = 0; r < s->rows; r++, x += s->x_row, to += s->to_row) {
            pixels_fill(to, s->before, fill);
            pixels_copy_row(x, step, to + s->before, s->count);
            pixels_fill(to + s->before + s->count, s->after, fill);
        }
    }
}

static void pixels_copy(const fal__lane_copy *s)
{
    if (s->count == 0) {
        for (int64_t c = 0; c < s->channels; c++)
            for (int64_t r = 0; r < s->rows; r++)
                pixels_fill((LANES_TYPE *)s->to + c * s->to_channel + r * s->to_row, s->before + s->after,
                            (LANES_TYPE)s->fill);
    } else if (s->x_step == 1) {
        pixels_copy_all(s, 1);
    } else if (s->x_step == 2) {
        pixels_copy_all(s, 2);
    } else if (s->x_step == 4) {
        pixels_copy_all(s, 4);
    } else {
        pixels_copy_all(s, s->x_step);
    }
}

/* With a constant number of rows the inner loop is a row of loads and stores. */
static FAL__ALWAYS_INLINE void pixels_pack_rows(const LANES_TYPE *w, int64_t w_row, int64_t w_step,
                                                int64_t steps, int32_t rows, LANES_TYPE *packed)
{
    for (int64_t i = 0; i < steps; i++, w += w_step) {
        FAL__UNROLL(14)
        for (int32_t r = 0; r < rows; r++) *packed++ = w[r * w_row];
    }
}

static void pixels_pack(const void *w, int64_t w_row, int64_t w_step, int64_t steps, int32_t rows,
                        void *packed)
{
    switch (rows) {
    case 14: pixels_pack_rows(w, w_row, w_step, steps, 14, packed); break;
    case 13: pixels_pack_rows(w, w_row, w_step, steps, 13, packed); break;
    case 12: pixels_pack_rows(w, w_row, w_step, steps, 12, packed); break;
    case 11: pixels_pack_rows(w, w_row, w_step, steps, 11, packed); break;
    case 6: pixels_pack_rows(w, w_row, w_step, steps, 6, packed); break;
    case 5: pixels_pack_rows(w, w_row, w_step, steps, 5, packed); break;
    case 4: pixels_pack_rows(w, w_row, w_step, steps, 4, packed); break;
    default: pixels_pack_rows(w, w_row, w_step, steps, rows, packed); break;
    }
}
