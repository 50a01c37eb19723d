/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_products.tmpl.h: one entry of the spectra of some tiles times that of a matrix of kernels.
 *
 * Contract: fal__fft_product in kernels/fft.h. The sums of `tiles` x `vectors` complex vectors stay in
 * registers; for each channel its kernels are loaded, and each tile's number is broadcast to four
 * multiply-adds a vector.
 */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { FFT_TILES = 6 }; /* 24 sums, 4 kernels, 2 numbers: 30 of 32 registers */
#else
enum { FFT_TILES = 2 }; /* 8, 4 and 2 of 16 */
#endif

static FAL__ALWAYS_INLINE void fft_products_of(const int tiles, const int vectors,
                                               const fal__fft_product *product)
{
    fft_number sum[FFT_TILES][2];
    FAL__UNROLL(6)
    for (int i = 0; i < tiles; i++) FAL__UNROLL(2)
    for (int j = 0; j < vectors; j++) sum[i][j].re = sum[i][j].im = (lanes_vector){0};
    const LANES_TYPE *v = product->v, *u = product->u;
    for (int64_t block = 0; block < product->channels; block += LANES, v += product->block_step) {
        const int64_t left = product->channels - block, count = left < LANES ? left : LANES;
        for (int64_t c = 0; c < count; c++, u += 2 * vectors * LANES) {
            const LANES_TYPE *row = v + c;
            FAL__UNROLL(6)
            for (int i = 0; i < tiles; i++) {
                const lanes_vector re = lanes_set(row[2 * i * LANES]),
                                   im = lanes_set(row[(2 * i + 1) * LANES]);
                FAL__UNROLL(2)
                for (int j = 0; j < vectors; j++) {
                    const lanes_vector u_re = lanes_load(u + 2 * j * LANES);
                    const lanes_vector u_im = lanes_load(u + (2 * j + 1) * LANES);
                    sum[i][j].re += re * u_re;
                    sum[i][j].im += re * u_im;
                    sum[i][j].re -= im * u_im;
                    sum[i][j].im += im * u_re;
                }
            }
        }
    }
    LANES_TYPE *sums = product->sums;
    FAL__UNROLL(6)
    for (int i = 0; i < tiles; i++) FAL__UNROLL(2)
    for (int j = 0; j < vectors; j++, sums += 2 * LANES) {
        lanes_store(sums, sum[i][j].re);
        lanes_store(sums + LANES, sum[i][j].im);
    }
}

static void fft_products_1(int32_t tiles, const fal__fft_product *p)
{
    switch (tiles) {
    case 1: fft_products_of(1, 1, p); return;
    case 2: fft_products_of(2, 1, p); return;
#if defined(__AVX512F__) || defined(__aarch64__)
    case 3: fft_products_of(3, 1, p); return;
    case 4: fft_products_of(4, 1, p); return;
    case 5: fft_products_of(5, 1, p); return;
    case 6: fft_products_of(6, 1, p); return;
#endif
    default: return;
    }
}

static void fft_products_2(int32_t tiles, const fal__fft_product *p)
{
    switch (tiles) {
    case 1: fft_products_of(1, 2, p); return;
    case 2: fft_products_of(2, 2, p); return;
#if defined(__AVX512F__) || defined(__aarch64__)
    case 3: fft_products_of(3, 2, p); return;
    case 4: fft_products_of(4, 2, p); return;
    case 5: fft_products_of(5, 2, p); return;
    case 6: fft_products_of(6, 2, p); return;
#endif
    default: return;
    }
}

static void fft_products(int32_t tiles, int32_t vectors, const fal__fft_product *product)
{
    if (vectors == 1)
        fft_products_1(tiles, product);
    else
        fft_products_2(tiles, product);
}
