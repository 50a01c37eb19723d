/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * channels.tmpl.h: pixels whose channels lie side by side, each channel with weights of its own.
 *
 * Parameter: CHANNELS_TYPE (float or double); activate() of activate.tmpl.h is in scope. Gives channels(),
 * see fal__channels_fn in kernels.h.
 *
 *     y[p][c] = beta*y[p][c] + bias[c] + sum over t of w[weights[t] + c] * x[offsets[t] + p*x_step + c]
 *
 * Lanes are neighbouring channels. Four pixels share each loaded weight vector: with two vectors of
 * channels that is 10 loads for 8 multiply-adds. Tails of pixels go one by one; the tail of channels
 * takes an overlapping vector, or single elements where beta forbids to write twice. Nothing
 * outside channels 0..count-1 is read.
 */
enum { CHANNELS_LANES = FAL__VECTOR_BYTES / sizeof(CHANNELS_TYPE) };
typedef FAL__VECTOR(CHANNELS_TYPE, FAL__VECTOR_BYTES) channels_vector;

/* Channels c .. c + vectors*LANES - 1 of pixels p .. p+pixels-1. */
static FAL__ALWAYS_INLINE void channels_block(const fal__channel_rows *f, int64_t p, int64_t c, int pixels,
                                              int vectors)
{
    const CHANNELS_TYPE *x = (const CHANNELS_TYPE *)f->x + p * f->x_step + c;
    const CHANNELS_TYPE *w = (const CHANNELS_TYPE *)f->w + c;
    channels_vector sum[4][2];
    FAL__UNROLL(2)
    for (int v = 0; v < vectors; v++) {
        channels_vector bias = {0};
        if (f->bias != NULL)
            bias = *(const channels_vector *)((const CHANNELS_TYPE *)f->bias + c + v * CHANNELS_LANES);
        FAL__UNROLL(4)
        for (int i = 0; i < pixels; i++) sum[i][v] = bias;
    }
    for (int64_t t = 0; t < f->taps; t++) {
        const CHANNELS_TYPE *xt = x + f->offsets[t], *wt = w + f->weights[t];
        FAL__UNROLL(2)
        for (int v = 0; v < vectors; v++) {
            const channels_vector weight = *(const channels_vector *)(wt + v * CHANNELS_LANES);
            FAL__UNROLL(4)
            for (int i = 0; i < pixels; i++)
                sum[i][v] += weight * *(const channels_vector *)(xt + i * f->x_step + v * CHANNELS_LANES);
        }
    }
    FAL__UNROLL(4)
    for (int i = 0; i < pixels; i++) {
        FAL__UNROLL(2)
        for (int v = 0; v < vectors; v++) {
            CHANNELS_TYPE *y = (CHANNELS_TYPE *)f->y + (p + i) * f->y_step + c + v * CHANNELS_LANES;
            if (f->beta != 0) sum[i][v] += (CHANNELS_TYPE)f->beta * *(const channels_vector *)y;
            *(channels_vector *)y = sum[i][v];
        }
    }
}

static void channels_element(const fal__channel_rows *f, int64_t p, int64_t c)
{
    const CHANNELS_TYPE *x = (const CHANNELS_TYPE *)f->x + p * f->x_step + c,
                        *w = (const CHANNELS_TYPE *)f->w + c;
    CHANNELS_TYPE sum = f->bias != NULL ? ((const CHANNELS_TYPE *)f->bias)[c] : 0;
    for (int64_t t = 0; t < f->taps; t++) {
        sum += w[f->weights[t]] * x[f->offsets[t]];
        FAL__SCALAR_LOOP;
    }
    CHANNELS_TYPE *y = (CHANNELS_TYPE *)f->y + p * f->y_step + c;
    *y = f->beta != 0 ? sum + (CHANNELS_TYPE)f->beta * *y : sum;
}

static FAL__ALWAYS_INLINE void channels_pixels(const fal__channel_rows *f, int64_t p, int pixels)
{
    int64_t c = 0;
    for (; c + 2 * CHANNELS_LANES <= f->count; c += 2 * CHANNELS_LANES) channels_block(f, p, c, pixels, 2);
    if (c + CHANNELS_LANES <= f->count) {
        channels_block(f, p, c, pixels, 1);
        c += CHANNELS_LANES;
    }
    if (c < f->count && f->beta == 0 && f->count >= CHANNELS_LANES) {
        channels_block(f, p, f->count - CHANNELS_LANES, pixels, 1);
        return;
    }
    for (; c < f->count; c++)
        for (int i = 0; i < pixels; i++) channels_element(f, p + i, c);
}

static void channels(const fal__channel_rows *f)
{
    int64_t p = 0;
    for (; p + 4 <= f->pixels; p += 4) channels_pixels(f, p, 4);
    for (; p < f->pixels; p++) channels_pixels(f, p, 1);
    if (f->activation == NULL) return;
    for (p = 0; p < f->pixels; p++) activate((CHANNELS_TYPE *)f->y + p * f->y_step, f->count, f->activation);
}
