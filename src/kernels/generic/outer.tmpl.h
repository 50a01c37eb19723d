/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outer.tmpl.h: sums of outer products, for one floating type; see kernels/outer_products.h.
 *
 * Parameter: OUTER_TYPE (float or double). Gives outer(), OUTER_ROWS and OUTER_WIDTH.
 *
 * A step needs the addresses of up to 14 elements that lie a_step apart. Four bases, each 0, 1, 2 or 3 steps
 * away from its element, keep them in general registers: x86 adds an index to a base for nothing.
 */
enum {
    OUTER_LANES = FAL__VECTOR_BYTES / sizeof(OUTER_TYPE),
    OUTER_VECTORS = FAL__V0,
    OUTER_WIDTH = OUTER_VECTORS * OUTER_LANES,
    OUTER_ROWS = FAL__R0
};
typedef FAL__VECTOR(OUTER_TYPE, FAL__VECTOR_BYTES) outer_vector;

/* Rows first .. first+rows-1. */
static FAL__ALWAYS_INLINE void outer_rows(const fal__outer *f, int64_t first, int rows)
{
    const int64_t step = f->a_step, b_vector = f->b_vector;
    const OUTER_TYPE *a = (const OUTER_TYPE *)f->a + first * step;
    OUTER_TYPE *sums = (OUTER_TYPE *)f->sums + first * OUTER_WIDTH;
    outer_vector sum[OUTER_ROWS][OUTER_VECTORS];
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) {
        FAL__UNROLL(2)
        for (int v = 0; v < OUTER_VECTORS; v++)
            sum[i][v] = *(const outer_vector *)(sums + i * OUTER_WIDTH + v * OUTER_LANES);
    }
    for (int64_t k = 0; k < f->steps; k++) {
        const OUTER_TYPE *b = (const OUTER_TYPE *)f->b + f->b_offsets[k];
        const OUTER_TYPE *base[4];
        FAL__UNROLL(4)
        for (int q = 0; q < 4; q++) base[q] = a + f->a_offsets[k] + 4 * q * step;
        FAL__UNROLL(14)
        for (int i = 0; i < rows; i++) {
            const OUTER_TYPE factor = base[i / 4][i % 4 * step];
            FAL__UNROLL(2)
            for (int v = 0; v < OUTER_VECTORS; v++)
                sum[i][v] += factor * *(const outer_vector *)(b + v * b_vector);
        }
    }
    FAL__UNROLL(14)
    for (int i = 0; i < rows; i++) {
        FAL__UNROLL(2)
        for (int v = 0; v < OUTER_VECTORS; v++)
            *(outer_vector *)(sums + i * OUTER_WIDTH + v * OUTER_LANES) = sum[i][v];
    }
}

static void outer(const fal__outer *f)
{
    int64_t i = 0;
    for (; i + OUTER_ROWS <= f->rows; i += OUTER_ROWS) outer_rows(f, i, OUTER_ROWS);
    for (; OUTER_ROWS > 8 && i + 8 <= f->rows; i += 8) outer_rows(f, i, OUTER_ROWS > 8 ? 8 : 1);
    for (; i + 4 <= f->rows; i += 4) outer_rows(f, i, 4);
    for (; i + 2 <= f->rows; i += 2) outer_rows(f, i, 2);
    for (; i < f->rows; i++) outer_rows(f, i, 1);
}
