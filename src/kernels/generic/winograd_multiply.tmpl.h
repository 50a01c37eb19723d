/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_multiply.tmpl.h: a panel of tiles times a panel of weights, and for weight gradients a panel of
 * outputs times one of inputs.
 *
 * Contracts: fal__winograd_product and fal__winograd_outer in kernels/winograd.h. rows x 2 vectors of sums
 * stay in registers, and each factor is broadcast to 2 multiply-adds. Both operands come from L2, and a
 * hardware prefetcher wakes at the first miss: so each step asks for the weights of 8 steps later, for a line
 * of the next block, and each block for some of the sums' lines, which are written at the end. Weights
 * stream through L2 once: two requests more bring those of the next slice while this one is multiplied,
 * spread evenly.
 */
enum {
    NEAR = 8,                 /* steps */
    LINE = 64 / sizeof(float) /* elements */
};

static FAL__ALWAYS_INLINE void finish_rows(int rows, lanes_vector sum[FAL__R0][2], bool accumulate, float *to)
{
    if (accumulate) {
        FAL__UNROLL(14)
        for (int i = 0; i < rows; i++) FAL__UNROLL(2)
        for (int j = 0; j < 2; j++) sum[i][j] += lanes_load(to + i * WIDTH + j * LANES);
    }
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) FAL__UNROLL(2)
    for (int j = 0; j < 2; j++) lanes_store(to + i * WIDTH + j * LANES, sum[i][j]);
}

/* The lines of a row of factors that will be needed soon. */
static FAL__ALWAYS_INLINE void fetch_row(const float *u)
{
    FAL__PREFETCH_NEAR(u + NEAR * WIDTH);
    if (WIDTH > (int)LINE) FAL__PREFETCH_NEAR(u + NEAR * WIDTH + LINE);
}

static FAL__ALWAYS_INLINE void multiply_rows(int rows, const fal__winograd_product *p)
{
    lanes_vector sum[FAL__R0][2];
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) FAL__UNROLL(2)
    for (int j = 0; j < 2; j++) sum[i][j] = (lanes_vector){0};
    const float *v = p->v, *u = p->u, *ahead = p->ahead, *to = p->sums;
    const int64_t ahead_step = p->ahead_step, half_step = ahead_step / 2;
    for (int64_t k = p->channels; k > 0; k -= LANES, v += p->block_step, to += 4 * LINE) {
        const float *row = v, *next = v + p->block_step;
        FAL__UNROLL(4)
        for (int i = 0; i < 4; i++) FAL__PREFETCH_WRITE(to + i * LINE);
        for (int64_t steps = k < LANES ? k : LANES; steps > 0; steps--, row++, u += WIDTH, next += LANES) {
            FAL__PREFETCH(ahead);
            FAL__PREFETCH(ahead + half_step);
            FAL__PREFETCH_NEAR(next);
            fetch_row(u);
            ahead += ahead_step;
            FAL__UNROLL(14)
            for (int i = 0; i < rows; i++) FAL__UNROLL(2)
            for (int j = 0; j < 2; j++) sum[i][j] += row[i * LANES] * lanes_load(u + j * LANES);
        }
    }
    finish_rows(rows, sum, p->accumulate, p->sums);
}

static FAL__ALWAYS_INLINE void outer_rows(int rows, const fal__winograd_outer *p)
{
    lanes_vector sum[FAL__R0][2];
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) FAL__UNROLL(2)
    for (int j = 0; j < 2; j++) sum[i][j] = (lanes_vector){0};
    const float *a = p->a, *b = p->b, *to = p->sums;
    const int64_t step = p->a_step;
    for (int64_t k = p->steps; k > 0; k--, a += step, b += WIDTH, to += LINE) {
        FAL__PREFETCH_NEAR(a + NEAR * step);
        FAL__PREFETCH_WRITE(to);
        fetch_row(b);
        FAL__UNROLL(14)
        for (int i = 0; i < rows; i++) FAL__UNROLL(2)
        for (int j = 0; j < 2; j++) sum[i][j] += a[i] * lanes_load(b + j * LANES);
    }
    finish_rows(rows, sum, p->accumulate, p->sums);
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

static void outer(int32_t rows, const fal__winograd_outer *p)
{
    switch (rows) {
    case 1: outer_rows(1, p); return;
    case 2: outer_rows(2, p); return;
    case 3: outer_rows(3, p); return;
    case 4: outer_rows(4, p); return;
    case 5: outer_rows(5, p); return;
    case 6: outer_rows(6, p); return;
    default: break;
    }
#if defined(__AVX512F__) || defined(__aarch64__) /* FAL__R0 is above 6 */
    switch (rows) {
    case 7: outer_rows(7, p); return;
    case 8: outer_rows(8, p); return;
    default: break;
    }
#endif
#if defined(__AVX512F__) /* and above 8 */
    switch (rows) {
    case 9: outer_rows(9, p); return;
    case 10: outer_rows(10, p); return;
    case 11: outer_rows(11, p); return;
    case 12: outer_rows(12, p); return;
    case 13: outer_rows(13, p); return;
    case 14: outer_rows(14, p); return;
    default: break;
    }
#endif
}
