/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_lines.tmpl.h: a whole transform, pass by pass.
 *
 * Stockham's order: a pass of radix r reads numbers a distance n/r apart and writes r neighbours, so that the
 * last pass leaves everything in its place and no numbers are exchanged. With m = what is left of n after
 * this pass and s = the product of the radices before it,
 *
 *     x: [j < r][p < m][t < s]  --butterfly along j, times exp(-2*pi*i*p*j/(r*m))-->  y: [p][j][t]
 *
 * The first pass reads the caller's numbers, the last writes to the caller's; those beyond the caller's
 * count are read from a vector of zeros, and written to one that nobody reads.
 */
typedef struct fft_pass {
    int64_t m, s;
    const LANES_TYPE *twiddles;
    const LANES_TYPE *x_re, *x_im;
    int64_t x_step, x_count;
    LANES_TYPE *y_re, *y_im;
    int64_t y_step, y_count;
    const LANES_TYPE *zeros;
    LANES_TYPE *waste;
} fft_pass;

static FAL__ALWAYS_INLINE void fft_run_pass(const int r1, const int r2, const fft_pass *q)
{
    const int r = r1 * r2;
    const int64_t m = q->m, s = q->s;
    const LANES_TYPE *w = q->twiddles;
    for (int64_t p = 0; p < m; p++) {
        for (int64_t t = 0; t < s; t++) {
            fft_number z[FFT_RADIX_MAX];
            FAL__UNROLL(16)
            for (int place = 0; place < r; place++) {
                const int64_t at = t + s * (p + m * fft_input(r1, r2, place));
                const bool given = at < q->x_count;
                z[place].re = lanes_load(given ? q->x_re + at * q->x_step : q->zeros);
                z[place].im = lanes_load(given ? q->x_im + at * q->x_step : q->zeros);
            }
            fft_butterfly(r1, r2, z);
            FAL__UNROLL(16)
            for (int j = 0; j < r; j++) {
                const int64_t at = t + s * (r * p + j);
                const bool wanted = at < q->y_count;
                fft_number y = z[fft_place(r1, r2, j)];
                if (p > 0 && j > 0) y = fft_turn(y, w[2 * (j - 1)], w[2 * (j - 1) + 1]);
                lanes_store(wanted ? q->y_re + at * q->y_step : q->waste, y.re);
                lanes_store(wanted ? q->y_im + at * q->y_step : q->waste, y.im);
            }
        }
        if (p > 0) w += 2 * (r - 1);
    }
}

static void fft_pass_2(const fft_pass *q)
{
    fft_run_pass(1, 2, q);
}

static void fft_pass_3(const fft_pass *q)
{
    fft_run_pass(1, 3, q);
}

static void fft_pass_4(const fft_pass *q)
{
    fft_run_pass(1, 4, q);
}

static void fft_pass_5(const fft_pass *q)
{
    fft_run_pass(1, 5, q);
}

static void fft_pass_6(const fft_pass *q)
{
    fft_run_pass(2, 3, q);
}

static void fft_pass_8(const fft_pass *q)
{
    fft_run_pass(2, 4, q);
}

static void fft_pass_9(const fft_pass *q)
{
    fft_run_pass(3, 3, q);
}

static void fft_pass_10(const fft_pass *q)
{
    fft_run_pass(2, 5, q);
}

static void fft_pass_12(const fft_pass *q)
{
    fft_run_pass(3, 4, q);
}

static void fft_pass_of(int32_t radix, const fft_pass *q)
{
    switch (radix) {
    case 2: fft_pass_2(q); return;
    case 3: fft_pass_3(q); return;
    case 4: fft_pass_4(q); return;
    case 5: fft_pass_5(q); return;
    case 6: fft_pass_6(q); return;
    case 8: fft_pass_8(q); return;
    case 9: fft_pass_9(q); return;
    case 10: fft_pass_10(q); return;
    case 12: fft_pass_12(q); return;
    default: return;
    }
}

static void fft_transform(const fal__fft_line *line, const void *twiddles, const fal__fft_source *from,
                          const fal__fft_target *to, void *scratch)
{
    const int64_t n = line->n;
    LANES_TYPE *const space = scratch, *const buffers = space + 2 * LANES;
    lanes_store(space, (lanes_vector){0});
    fft_pass q = {.m = n,
                  .s = 1,
                  .twiddles = twiddles,
                  .x_re = from->re,
                  .x_im = from->im,
                  .x_step = from->step,
                  .x_count = from->count,
                  .zeros = space,
                  .waste = space + LANES};
    for (int32_t i = 0; i < line->passes; i++) {
        const bool last = i == line->passes - 1;
        LANES_TYPE *buffer = buffers + i % 2 * 2 * n * LANES;
        const int32_t r = line->radix[i];
        q.m /= r;
        q.y_re = last ? to->re : buffer;
        q.y_im = last ? to->im : buffer + LANES;
        q.y_step = last ? to->step : 2 * LANES;
        q.y_count = last ? to->count : n;
        fft_pass_of(r, &q);
        q.twiddles += 2 * (q.m - 1) * (r - 1);
        q.s *= r;
        q.x_re = q.y_re;
        q.x_im = q.y_im;
        q.x_step = q.y_step;
        q.x_count = n;
    }
}
