/* SPDX-License-Identifier: BSD-3-Clause */
/* upsample.tmpl.h: the functions of upsample.h for one element type; parameters in each_type.tmpl.h. */

static void T(pick)(void *y_, int64_t y_step, const void *x_, int64_t x_step, const fal__sample *samples,
                    int64_t count)
{
    ELEMENT *y = y_;
    const ELEMENT *x = x_;
    int64_t j = 0;
    /* Twice the size: every cell twice. */
    const bool twice = count % 2 == 0 && x_step == 1 && y_step == 1 &&
                       samples[count - 1].from == count / 2 - 1 && samples[1].from == 0;
    for (; twice && j < count / 2; j++) y[2 * j] = y[2 * j + 1] = x[j];
    if (twice) return;
    for (; j < count; j++) y[j * y_step] = x[samples[j].from * x_step];
}

#if FLOATING
static void T(gather)(double *sums, const void *x_, int64_t x_step, const fal__sample *samples, int64_t count,
                      double weight)
{
    const ELEMENT *x = x_;
    for (int64_t j = 0; j < count; j++) {
        const fal__sample s = samples[j];
        sums[j] += weight * s.w_from * (double)LOAD(x[s.from * x_step]);
        /* An infinite neighbour must not turn a weight of 0 into NaN. */
        sums[j] += s.w_to == 0 ? 0 : weight * s.w_to * (double)LOAD(x[s.to * x_step]);
    }
}

static void T(scatter)(fal__upsample_block *block, const void *gy_, int64_t step, const fal__sample *samples,
                       int64_t count, double weight)
{
    double *sums = block->sums.real;
    const ELEMENT *gy = gy_;
    for (int64_t j = 0; j < count; j++) {
        const fal__sample s = samples[j];
        const int64_t from = s.from - block->cell, to = s.to - block->cell;
        const double g = (double)LOAD(gy[j * step]);
        if (from >= 0 && from < block->lanes) sums[from] += weight * s.w_from * g;
        if (s.w_to != 0 && to >= 0 && to < block->lanes) sums[to] += weight * s.w_to * g;
    }
}

static const fal__upsample_kernels T(kernels) = {T(pick), T(gather), T(scatter)};
#else
static void T(scatter)(fal__upsample_block *block, const void *gy_, int64_t step, const fal__sample *samples,
                       int64_t count, double weight)
{
    (void)weight;
    fal__int128 *sums = block->sums.whole;
    const ELEMENT *gy = gy_;
    for (int64_t j = 0; j < count; j++) {
        const int64_t from = samples[j].from - block->cell;
        if (from >= 0 && from < block->lanes) sums[from] += LOAD(gy[j * step]);
    }
}

static const fal__upsample_kernels T(kernels) = {T(pick), NULL, T(scatter)};
#endif
