/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rows.tmpl.h: one row of few outputs as a sum of shifted rows.
 *
 * Parameter: ROWS_TYPE (float or double); activate() of activate.tmpl.h is in scope. Gives rows(), see
 * fal__rows_fn in kernels.h.
 *
 *     y[r][j] = beta*y[r][j] + bias[r] + sum over t of w[t][r] * x[offsets[t] + j*step]
 *
 * Lanes are neighbouring j. A block of U vectors of each output stays in registers over all taps,
 * so that x is read from L1 once per output block and y written once. Every loaded vector of x meets
 * all outputs: R outputs cost 1/R load per multiply-add. The tail takes one more vector, or vectors
 * of half the length, overlapping what was done; with beta, where no element may be written
 * twice, and below half a vector it takes single elements.
 * Of each shifted row no element outside 0 .. (count-1)*step is read.
 */
enum { ROWS_LANES = FAL__VECTOR_BYTES / sizeof(ROWS_TYPE) };

#define ROWS_BLOCK rows_block_full
#define ROWS_WIDTH ROWS_LANES
#include "kernels/generic/rows_block.tmpl.h"
#define ROWS_BLOCK rows_block_half
#define ROWS_WIDTH (ROWS_LANES / 2)
#include "kernels/generic/rows_block.tmpl.h"

static void rows_element(const fal__rows *f, int64_t j)
{
    const ROWS_TYPE *w = f->w, *bias = f->bias;
    for (int32_t r = 0; r < f->outputs; r++) {
        ROWS_TYPE sum = bias != NULL ? bias[r] : 0;
        for (int64_t t = 0; t < f->taps; t++) {
            sum += w[t * f->outputs + r] * ((const ROWS_TYPE *)f->x)[f->offsets[t] + j * f->step];
            FAL__SCALAR_LOOP;
        }
        ROWS_TYPE *y = (ROWS_TYPE *)f->y[r] + j * f->y_step;
        *y = f->beta != 0 ? sum + (ROWS_TYPE)f->beta * *y : sum;
    }
}

/* All columns for a number of outputs and vectors a block that are constants once inlined. */
static FAL__ALWAYS_INLINE void rows_all(const fal__rows *f, int32_t outputs, int vectors)
{
    const int64_t count = f->count, half = ROWS_LANES / 2;
    int64_t j = 0;
    for (; j + vectors * ROWS_LANES <= count; j += vectors * ROWS_LANES)
        rows_block_full(f, j, outputs, vectors);
    if (vectors > 4 && j + 4 * ROWS_LANES <= count) {
        rows_block_full(f, j, outputs, 4);
        j += 4 * ROWS_LANES;
    }
    if (j + 3 * ROWS_LANES <= count) {
        rows_block_full(f, j, outputs, 3);
        j += 3 * ROWS_LANES;
    }
    if (j + 2 * ROWS_LANES <= count) {
        rows_block_full(f, j, outputs, 2);
        j += 2 * ROWS_LANES;
    }
    if (j + ROWS_LANES <= count) {
        rows_block_full(f, j, outputs, 1);
        j += ROWS_LANES;
    }
    if (f->beta == 0 && j < count && count >= ROWS_LANES && count - j > half) {
        rows_block_full(f, count - ROWS_LANES, outputs, 1);
    } else if (f->beta == 0 && j < count && count >= half) {
        if (count - j > half) rows_block_half(f, j, outputs, 1);
        rows_block_half(f, count - half, outputs, 1);
    } else {
        for (; j < count; j++) rows_element(f, j);
    }
}

/* The row just written, in place. */
static void rows_activate(const fal__rows *f)
{
    for (int32_t r = 0; r < f->outputs; r++) {
        ROWS_TYPE *y = f->y[r];
        if (f->y_step == 1)
            activate(y, f->count, f->activation);
        else
            for (int64_t j = 0; j < f->count; j++) activate(y + j * f->y_step, 1, f->activation);
    }
}

/* Vectors a block: enough sums in flight to hide the latency, few enough for 16 registers. */
static void rows(const fal__rows *f)
{
    switch (f->outputs) {
    case 1: rows_all(f, 1, 8); break;
    case 2: rows_all(f, 2, 4); break;
    case 3: rows_all(f, 3, 4); break;
    default: rows_all(f, 4, 3); break;
    }
    if (f->activation != NULL) rows_activate(f);
}
