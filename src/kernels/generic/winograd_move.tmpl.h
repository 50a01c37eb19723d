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
typedef FAL__VECTOR(float, FAL__VECTOR_BYTES) lanes;
typedef FAL__VECTOR(float, 16) four;
enum { LANES = FAL__VECTOR_BYTES / sizeof(float), WIDTH = FAL__WINOGRAD_VECTORS * LANES };

static FAL__ALWAYS_INLINE lanes load(const float *from)
{
    return *(const lanes *)from;
}

static FAL__ALWAYS_INLINE void store(float *to, lanes value)
{
    *(lanes *)to = value;
}

/* to[j*to_step + i] = beta*to[..] + from[i*from_step + j] for i, j < 4. */
static FAL__ALWAYS_INLINE void turn(const float *from, int64_t from_step, float beta, float *to,
                                    int64_t to_step)
{
    const four a = *(const four *)from, b = *(const four *)(from + from_step),
               c = *(const four *)(from + 2 * from_step), d = *(const four *)(from + 3 * from_step);
    const four ab01 = FAL__SHUFFLE4(a, b, 0, 4, 1, 5), ab23 = FAL__SHUFFLE4(a, b, 2, 6, 3, 7);
    const four cd01 = FAL__SHUFFLE4(c, d, 0, 4, 1, 5), cd23 = FAL__SHUFFLE4(c, d, 2, 6, 3, 7);
    const four turned[4] = {FAL__SHUFFLE4(ab01, cd01, 0, 1, 4, 5), FAL__SHUFFLE4(ab01, cd01, 2, 3, 6, 7),
                            FAL__SHUFFLE4(ab23, cd23, 0, 1, 4, 5), FAL__SHUFFLE4(ab23, cd23, 2, 3, 6, 7)};
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        four *at = (four *)(to + j * to_step);
        four value = turned[j];
        if (beta != 0) value += beta * *at;
        *at = value;
    }
}

static void gather(const float *x, int64_t step, int64_t channel_step, int64_t count, int64_t channels,
                   float *patch)
{
    if (channel_step == 1 && channels == LANES) {
        for (int64_t j = 0; j < count; j++) store(patch + j * LANES, load(x + j * step));
        return;
    }
    int64_t turned_channels = 0, turned_count = 0;
    if (step == 1) {
        turned_channels = channels / 4 * 4, turned_count = count / 4 * 4;
        for (int64_t c = 0; c < turned_channels; c += 4)
            for (int64_t j = 0; j < turned_count; j += 4)
                turn(x + c * channel_step + j, channel_step, 0, patch + j * LANES + c, LANES);
    }
    for (int64_t c = 0; c < channels; c++)
        for (int64_t j = c < turned_channels ? turned_count : 0; j < count; j++)
            patch[j * LANES + c] = x[j * step + c * channel_step];
}

static void scatter(const float *patch, int64_t count, int64_t channels, float beta, float *y, int64_t step,
                    int64_t channel_step)
{
    if (channel_step == 1 && channels == LANES) {
        for (int64_t j = 0; j < count; j++) {
            lanes value = load(patch + j * LANES);
            if (beta != 0) value += beta * load(y + j * step);
            store(y + j * step, value);
        }
        return;
    }
    int64_t turned_channels = 0, turned_count = 0;
    if (step == 1) {
        turned_channels = channels / 4 * 4, turned_count = count / 4 * 4;
        for (int64_t c = 0; c < turned_channels; c += 4)
            for (int64_t j = 0; j < turned_count; j += 4)
                turn(patch + j * LANES + c, LANES, beta, y + c * channel_step + j, channel_step);
    }
    for (int64_t c = 0; c < channels; c++)
        for (int64_t j = c < turned_channels ? turned_count : 0; j < count; j++) {
            float *at = y + j * step + c * channel_step;
            const float value = patch[j * LANES + c];
            *at = beta != 0 ? value + beta * *at : value;
            FAL__SCALAR_LOOP;
        }
}
