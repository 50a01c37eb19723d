/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_spectra.tmpl.h: what is done to spectra between the transforms.
 *
 * Contracts: kernels/fft.h. For z = a + ib with a and b real, Z[n-k] is the conjugate of A[k] - iB[k], so
 * that
 *
 *     2 A[k] = Z[k] + conj Z[n-k],    2 B[k] = (Z[k] - conj Z[n-k]) / i
 *
 * and entries 0 and n/2 of A and B are real.
 */
static void fft_separate(int32_t n, const void *z_re_, const void *z_im_, void *a_, void *b_, int64_t step)
{
    const LANES_TYPE *z_re = z_re_, *z_im = z_im_;
    LANES_TYPE *a = a_, *b = b_;
    for (int64_t k = 0; k <= n / 2; k++, a += step, b += step) {
        const int64_t at = k * LANES, mirror = k == 0 ? 0 : (n - k) * LANES;
        const lanes_vector re = lanes_load(z_re + at), im = lanes_load(z_im + at);
        const lanes_vector mirror_re = lanes_load(z_re + mirror), mirror_im = lanes_load(z_im + mirror);
        lanes_store(a, re + mirror_re);
        lanes_store(a + LANES, im - mirror_im);
        lanes_store(b, im + mirror_im);
        lanes_store(b + LANES, mirror_re - re);
    }
}

static void fft_combine(int32_t n, const void *a_, const void *b_, int64_t step, void *z_re_, void *z_im_)
{
    const LANES_TYPE *a = a_, *b = b_;
    LANES_TYPE *z_re = z_re_, *z_im = z_im_;
    for (int64_t k = 0; k <= n / 2; k++, a += step, b += step) {
        const int64_t at = k * LANES, mirror = (n - k) * LANES;
        const lanes_vector a_re = lanes_load(a), a_im = lanes_load(a + LANES);
        const lanes_vector b_re = lanes_load(b), b_im = lanes_load(b + LANES);
        if (k == 0 || 2 * k == n) {
            lanes_store(z_re + at, a_re);
            lanes_store(z_im + at, b_re);
            continue;
        }
        lanes_store(z_re + at, a_re - b_im);
        lanes_store(z_im + at, a_im + b_re);
        lanes_store(z_re + mirror, a_re + b_im);
        lanes_store(z_im + mirror, b_re - a_im);
    }
}

static void fft_multiply(int64_t count, const void *x_, const void *u_, void *z_)
{
    const LANES_TYPE *x = x_, *u = u_;
    LANES_TYPE *z = z_;
    for (int64_t k = 0; k < count; k++, x += 2 * LANES, u += 2 * LANES, z += 2 * LANES) {
        const lanes_vector re = lanes_load(x), im = lanes_load(x + LANES);
        const lanes_vector u_re = lanes_load(u), u_im = lanes_load(u + LANES);
        lanes_store(z, re * u_re - im * u_im);
        lanes_store(z + LANES, re * u_im + im * u_re);
    }
}

static void fft_conjugate(int64_t count, const void *x_, double scale, void *z_, int64_t step)
{
    const LANES_TYPE *x = x_;
    LANES_TYPE *z = z_;
    const lanes_vector factor = lanes_set((LANES_TYPE)scale);
    for (int64_t k = 0; k < count; k++, x += 2 * LANES, z += step) {
        lanes_store(z, factor * lanes_load(x));
        lanes_store(z + LANES, -factor * lanes_load(x + LANES));
    }
}
