/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rows_block.tmpl.h: the register block of rows.tmpl.h for one vector length.
 *
 * Parameters: ROWS_TYPE, ROWS_INDEX (the integer type of its size), ROWS_BLOCK (name of the function),
 * ROWS_WIDTH (elements of a vector).
 * Stride 2 reads two overlapping vectors, a = x[0 .. W-1] and b = x[W-1 .. 2W-2], and keeps the even
 * elements of a and the odd ones of b: the last element read is the last one needed.
 */
#define ROWS_VECTOR FAL__CONCAT(ROWS_BLOCK, _vector)
#define ROWS_LOAD   FAL__CONCAT(ROWS_BLOCK, _load)
#define ROWS_STORE  FAL__CONCAT(ROWS_BLOCK, _store)
typedef FAL__VECTOR(ROWS_TYPE, ROWS_WIDTH * sizeof(ROWS_TYPE)) ROWS_VECTOR;

static FAL__ALWAYS_INLINE ROWS_VECTOR ROWS_LOAD(const ROWS_TYPE *x, int64_t step)
{
    if (step == 1) return *(const ROWS_VECTOR *)x;
#ifdef FAL__SHUFFLE
    if (step == 2) {
        FAL__VECTOR(ROWS_INDEX, ROWS_WIDTH * sizeof(ROWS_TYPE)) mask;
        for (int i = 0; i < ROWS_WIDTH / 2; i++) {
            mask[i] = 2 * i;
            mask[i + ROWS_WIDTH / 2] = ROWS_WIDTH + 2 * i + 1;
        }
        return FAL__SHUFFLE(*(const ROWS_VECTOR *)x, *(const ROWS_VECTOR *)(x + ROWS_WIDTH - 1), mask);
    }
#endif
    ROWS_VECTOR v;
    for (int i = 0; i < ROWS_WIDTH; i++) v[i] = x[i * step];
    return v;
}

static FAL__ALWAYS_INLINE void ROWS_STORE(const fal__rows *f, ROWS_VECTOR sum, ROWS_TYPE *y)
{
    if (f->y_step == 1) {
        if (f->beta != 0) sum += (ROWS_TYPE)f->beta * *(const ROWS_VECTOR *)y;
        *(ROWS_VECTOR *)y = sum;
        return;
    }
    for (int i = 0; i < ROWS_WIDTH; i++) {
        ROWS_TYPE *at = y + i * f->y_step;
        *at = f->beta != 0 ? sum[i] + (ROWS_TYPE)f->beta * *at : sum[i];
    }
}

/* Columns j .. j + vectors*ROWS_WIDTH - 1 of all outputs. */
static FAL__ALWAYS_INLINE void FAL__CONCAT(ROWS_BLOCK, _step)(const fal__rows *f, int64_t j, int32_t outputs,
                                                              int vectors, int64_t step)
{
    const ROWS_TYPE *w = f->w, *bias = f->bias;
    ROWS_VECTOR sum[4][8];
    FAL__UNROLL(4)
    for (int r = 0; r < outputs; r++) {
        FAL__UNROLL(8)
        for (int u = 0; u < vectors; u++) sum[r][u] = (ROWS_VECTOR){0} + (bias != NULL ? bias[r] : 0);
    }
    for (int64_t t = 0; t < f->taps; t++, w += outputs) {
        const ROWS_TYPE *x = (const ROWS_TYPE *)f->x + f->offsets[t] + j * step;
        FAL__UNROLL(8)
        for (int u = 0; u < vectors; u++) {
            const ROWS_VECTOR v = ROWS_LOAD(x + u * ROWS_WIDTH * step, step);
            FAL__UNROLL(4)
            for (int r = 0; r < outputs; r++) sum[r][u] += w[r] * v;
        }
    }
    FAL__UNROLL(4)
    for (int r = 0; r < outputs; r++) {
        FAL__UNROLL(8)
        for (int u = 0; u < vectors; u++)
            ROWS_STORE(f, sum[r][u], (ROWS_TYPE *)f->y[r] + (j + u * ROWS_WIDTH) * f->y_step);
    }
}

static FAL__ALWAYS_INLINE void ROWS_BLOCK(const fal__rows *f, int64_t j, int32_t outputs, int vectors)
{
    if (f->step == 1)
        FAL__CONCAT(ROWS_BLOCK, _step)(f, j, outputs, vectors, 1);
    else if (f->step == 2)
        FAL__CONCAT(ROWS_BLOCK, _step)(f, j, outputs, vectors, 2);
    else
        FAL__CONCAT(ROWS_BLOCK, _step)(f, j, outputs, vectors, f->step);
}

#undef ROWS_BLOCK
#undef ROWS_WIDTH
#undef ROWS_VECTOR
#undef ROWS_LOAD
#undef ROWS_STORE
