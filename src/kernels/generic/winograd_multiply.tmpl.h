/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_multiply.tmpl.h: a panel of tiles times a panel of weights.
 *
 * Contract: fal__winograd_product in kernels/winograd.h. rows x 2 vectors of sums stay in registers, and
 * each block of channels is walked lane by lane, every lane being broadcast to 2 multiply-adds. Weights
 * stream through the cache once: the two prefetches of each step bring those of the next slice while
 * this one is multiplied, spread evenly, which a hardware prefetcher that wakes at the first miss does not.
 */
static FAL__ALWAYS_INLINE void multiply_rows(int rows, const fal__winograd_product *p)
{
    lanes_vector sum[FAL__R0][2];
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) FAL__UNROLL(2)
    for (int j = 0; j < 2; j++) sum[i][j] = (lanes_vector){0};
    const float *v = p->v, *u = p->u, *ahead = p->ahead;
    const int64_t ahead_step = p->ahead_step;
    for (int64_t k = p->channels; k > 0; k -= LANES, v += p->block_step) {
        const float *row = v;
        for (int64_t steps = k < LANES ? k : LANES; steps > 0; steps--, row++, u += WIDTH) {
            FAL__PREFETCH(ahead);
            FAL__PREFETCH(ahead + ahead_step / 2);
            ahead += ahead_step;
            FAL__UNROLL(14)
            for (int i = 0; i < rows; i++) FAL__UNROLL(2)
            for (int j = 0; j < 2; j++) sum[i][j] += row[i * LANES] * lanes_load(u + j * LANES);
        }
    }
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) FAL__UNROLL(2)
    for (int j = 0; j < 2; j++) {
        float *at = p->sums + i * WIDTH + j * LANES;
        if (p->accumulate) sum[i][j] += lanes_load(at);
        lanes_store(at, sum[i][j]);
    }
}

/* Every number of rows has its own loop: a short last panel costs what it computes. */
static void multiply(int32_t rows, const fal__winograd_product *p)
{
    switch (rows) {
    case 1: multiply_rows(1, p); return;
    case 2: multiply_rows(2, p); return;
    case 3: multiply_rows(3, p); return;
    case 4: multiply_rows(4, p); return;
    case 5: multiply_rows(5, p); return;
    case 6: multiply_rows(6, p); return;
    default: break;
    }
#if defined(__AVX512F__) || defined(__aarch64__) /* FAL__R0 is above 6 */
    switch (rows) {
    case 7: multiply_rows(7, p); return;
    case 8: multiply_rows(8, p); return;
    default: break;
    }
#endif
#if defined(__AVX512F__) /* and above 8 */
    switch (rows) {
    case 9: multiply_rows(9, p); return;
    case 10: multiply_rows(10, p); return;
    case 11: multiply_rows(11, p); return;
    case 12: multiply_rows(12, p); return;
    case 13: multiply_rows(13, p); return;
    case 14: multiply_rows(14, p); return;
    default: break;
    }
#endif
}
