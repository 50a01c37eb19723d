/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_move.tmpl.h: between strided tensors and patches whose lanes are channels.
 *
 * Gives `lanes` (the vector), gather() and scatter() of kernels/winograd.h. Channels that are
 * neighbours in memory (channels last) are copied as vectors. Where pixels are neighbours, squares of
 * four pixels by four channels are turned in 128-bit registers, of which every level has enough and
 * shuffles two a cycle:
 *
 *     channel 0:  a0 a1 a2 a3          pixel 0:  a0 b0 c0 d0
 *     channel 1:  b0 b1 b2 b3    <->   pixel 1:  a1 b1 c1 d1
 *     channel 2:  c0 c1 c2 c3          pixel 2:  a2 b2 c2 d2
 *     channel 3:  d0 d1 d2 d3          pixel 3:  a3 b3 c3 d3
 */
typedef FAL__VECTOR(float, 16) four;

/* Rows are channels on one side and pixels on the other. */
static FAL__ALWAYS_INLINE void turn(const four from[4], four to[4])
{
    const four ab01 = FAL__SHUFFLE4(from[0], from[1], 0, 4, 1, 5),
               ab23 = FAL__SHUFFLE4(from[0], from[1], 2, 6, 3, 7);
    const four cd01 = FAL__SHUFFLE4(from[2], from[3], 0, 4, 1, 5),
               cd23 = FAL__SHUFFLE4(from[2], from[3], 2, 6, 3, 7);
    to[0] = FAL__SHUFFLE4(ab01, cd01, 0, 1, 4, 5);
    to[1] = FAL__SHUFFLE4(ab01, cd01, 2, 3, 6, 7);
    to[2] = FAL__SHUFFLE4(ab23, cd23, 0, 1, 4, 5);
    to[3] = FAL__SHUFFLE4(ab23, cd23, 2, 3, 6, 7);
}

static FAL__ALWAYS_INLINE void turn_square(const float *from, int64_t from_step, float *to, int64_t to_step)
{
    four rows[4], turned[4];
    FAL__UNROLL(4)
    for (int i = 0; i < 4; i++) rows[i] = *(const four *)(from + i * from_step);
    turn(rows, turned);
    FAL__UNROLL(4)
    for (int j = 0; j < 4; j++) *(four *)(to + j * to_step) = turned[j];
}

/* Pixel j of all channels is one vector of the patch. */
static void gather(const float *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   float *patch)
{
    if (channel_step == 1) {
        for (int64_t j = 0; j < count; j++)
            if (channels == LANES)
                lanes_store(patch + j * LANES, lanes_load(x + j * step));
            else
                lanes_store_first(patch + j * LANES, lanes_load_first(x + j * step, (int)channels),
                                  (int)channels);
        return;
    }
    int64_t turned_channels = 0, turned_count = 0;
    if (step == 1) {
        turned_channels = channels / 4 * 4, turned_count = count / 4 * 4;
        for (int64_t j = 0; j < turned_count; j += 4)
            for (int64_t c = 0; c < turned_channels; c += 4) {
                const float *from = x + c * channel_step + j;
                turn_square(from, channel_step, patch + j * LANES + c, LANES);
                /* The next block of channels, one row in four for each four pixels: all of its lines. */
                FAL__PREFETCH(from + (LANES + j / 4 % 4) * channel_step);
            }
    }
    for (int64_t c = 0; c < channels; c++)
        for (int64_t j = c < turned_channels ? turned_count : 0; j < count; j++)
            patch[j * LANES + c] = x[j * step + c * channel_step];
}

/* The vector that goes to y: beta*y + value, activated, in the first n lanes. */
static FAL__ALWAYS_INLINE lanes_vector finish(lanes_vector value, float beta, const fal__activation *f,
                                              const float *y, int n)
{
    if (beta != 0) value += beta * (n == LANES ? lanes_load(y) : lanes_load_first(y, n));
    return lanes_activate(value, f);
}

/* One channel of a patch that was turned to [channel][pixel] already: `count` pixels. */
static FAL__ALWAYS_INLINE void store_row(const float *row, int64_t count, float beta,
                                         const fal__activation *f, float *y, int64_t step)
{
    for (int64_t j = 0; j < count; j += LANES) {
        const int n = count - j < LANES ? (int)(count - j) : LANES;
        if (step == 1) {
            const lanes_vector value = finish(lanes_load(row + j), beta, f, y + j, n);
            if (n == LANES)
                lanes_store(y + j, value);
            else
                lanes_store_first(y + j, value, n);
        } else {
            float part[LANES] = {0};
            for (int i = 0; i < n && beta != 0; i++) part[i] = y[(j + i) * step];
            lanes_store(part, finish(lanes_load(row + j), beta, f, part, LANES));
            for (int i = 0; i < n; i++) y[(j + i) * step] = part[i];
        }
    }
}

static void scatter(const float *patch, int64_t count, int64_t channels, float beta,
                    const struct fal__activation *f, float *y, int64_t step, int64_t channel_step)
{
    if (channel_step == 1) {
        const int n = (int)channels;
        for (int64_t j = 0; j < count; j++) {
            const lanes_vector value = finish(lanes_load(patch + j * LANES), beta, f, y + j * step, n);
            if (n == LANES)
                lanes_store(y + j * step, value);
            else
                lanes_store_first(y + j * step, value, n);
        }
        return;
    }
    /* [pixel][channel] is turned to [channel][pixel], a few vectors of pixels at a time. */
    enum { PIXELS = 4 * LANES };
    float turned[LANES * PIXELS];
    for (; count > 0; count -= PIXELS, patch += PIXELS * LANES, y += PIXELS * step) {
        const int64_t pixels = count < PIXELS ? count : PIXELS;
        for (int64_t j = 0; j < pixels; j += 4)
            for (int c = 0; c < LANES; c += 4)
                turn_square(patch + j * LANES + c, LANES, turned + c * PIXELS + j, PIXELS);
        for (int64_t c = 0; c < channels; c++)
            store_row(turned + c * PIXELS, pixels, beta, f, y + c * channel_step, step);
    }
}
