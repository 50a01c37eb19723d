/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_move.tmpl.h: what direct convolution with pixels in the lanes moves: stretches of rows into
 * its copies, weights into panels, sums into y. See kernels/direct_pixels.h; parameters as in
 * direct_pixels.tmpl.h.
 */

/* `count` elements to y, y_step apart. */
static FAL__ALWAYS_INLINE void pixels_store_row(const fal__lane_store *s, const LANES_TYPE *sums,
                                                LANES_TYPE *y, int64_t count)
{
    const LANES_TYPE beta = (LANES_TYPE)s->beta;
    for (int64_t j = 0; j < count; j += LANES) {
        const int n = count - j < LANES ? (int)(count - j) : LANES;
        LANES_TYPE lanes[LANES];
        lanes_vector v = lanes_load_first(sums + j, n);
        if (s->y_step == 1) {
            if (s->beta != 0) v += beta * lanes_load_first(y + j, n);
            lanes_store_first(y + j, lanes_activate(v, s->activation), n);
            continue;
        }
        if (s->beta != 0) {
            for (int i = 0; i < n; i++) lanes[i] = y[(j + i) * s->y_step];
            v += beta * lanes_load_first(lanes, n);
        }
        lanes_store(lanes, lanes_activate(v, s->activation));
        for (int i = 0; i < n; i++) y[(j + i) * s->y_step] = lanes[i];
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

/* Elements 0, 2, 4 .. of x: of each pair of vectors the even ones. Reads up to the last one needed. */
static FAL__ALWAYS_INLINE int64_t pixels_copy_even(const LANES_TYPE *x, LANES_TYPE *to, int64_t count)
{
    int64_t j = 0;
#ifdef FAL__SHUFFLE
    FAL__VECTOR(PIXELS_INDEX, FAL__VECTOR_BYTES) even;
    for (int i = 0; i < LANES / 2; i++) {
        even[i] = 2 * i;
        even[i + LANES / 2] = LANES + 2 * i + 1;
    }
    /* The second vector begins one element early, so that it ends with the last one needed. */
    for (; j + LANES <= count; j += LANES)
        lanes_store(to + j, FAL__SHUFFLE(lanes_load(x + 2 * j), lanes_load(x + 2 * j + LANES - 1), even));
#else
    (void)x, (void)to, (void)count;
#endif
    return j;
}

static FAL__ALWAYS_INLINE void pixels_copy_row(const LANES_TYPE *x, int64_t step, LANES_TYPE *to,
                                               int64_t count)
{
    int64_t j = 0;
    if (step == 1) {
        for (; j + LANES <= count; j += LANES) lanes_store(to + j, lanes_load(x + j));
        if (j < count) lanes_store(to + j, lanes_load_first(x + j, (int)(count - j)));
        return;
    }
    if (step == 2) j = pixels_copy_even(x, to, count);
    for (; j < count; j++) to[j] = x[j * step];
}

static FAL__ALWAYS_INLINE void pixels_copy_fill(LANES_TYPE *to, int64_t count, LANES_TYPE fill)
{
    for (int64_t j = 0; j < count; j += LANES) lanes_store(to + j, lanes_set(fill));
}

static void pixels_copy(const fal__lane_copy *s)
{
    const LANES_TYPE fill = (LANES_TYPE)s->fill;
    const LANES_TYPE *x = s->x;
    LANES_TYPE *to = s->to;
    for (int64_t c = 0; c < s->channels; c++, x += s->x_channel, to += s->to_channel) {
        pixels_copy_fill(to, s->before, fill);
        pixels_copy_row(x, s->x_step, to + s->before, s->count);
        pixels_copy_fill(to + s->before + s->count, s->after, fill);
    }
}

static void pixels_pack(const void *w_, int64_t w_row, int64_t w_step, int64_t steps, int32_t rows,
                        void *packed_)
{
    const LANES_TYPE *w = w_;
    LANES_TYPE *packed = packed_;
    for (int64_t i = 0; i < steps; i++, w += w_step)
        for (int32_t r = 0; r < rows; r++) *packed++ = w[r * w_row];
}
