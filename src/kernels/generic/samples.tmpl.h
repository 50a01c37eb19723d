/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * samples.tmpl.h: the functions of kernels/samples.h for one floating type.
 *
 * Parameters: those of lanes.tmpl.h, included before. The number of pixels is a constant of each loop, so
 * that their addresses and factors stay in registers.
 */

static FAL__ALWAYS_INLINE lanes_vector some(const LANES_TYPE *p, int n)
{
    return n == LANES ? lanes_load(p) : lanes_load_first(p, n);
}

static FAL__ALWAYS_INLINE lanes_vector mixture(const LANES_TYPE *const *cell, const lanes_vector *factor,
                                               const int used, int64_t c, int n)
{
    lanes_vector sum = factor[0] * some(cell[0] + c, n);
    FAL__UNROLL(4)
    for (int k = 1; k < used; k++) sum += factor[k] * some(cell[k] + c, n);
    return sum;
}

static FAL__ALWAYS_INLINE void gather_of(const void *const *cells, const double *factors, const int used,
                                         double mask, int64_t count, LANES_TYPE *to)
{
    const LANES_TYPE *cell[4];
    lanes_vector factor[4];
    const lanes_vector all = lanes_set((LANES_TYPE)mask);
    FAL__UNROLL(4)
    for (int k = 0; k < used; k++) {
        cell[k] = cells[k];
        factor[k] = lanes_set((LANES_TYPE)factors[k]);
    }
    int64_t c = 0;
    for (; c + LANES <= count; c += LANES) lanes_store(to + c, mixture(cell, factor, used, c, LANES) * all);
    if (c < count)
        lanes_store_first(to + c, mixture(cell, factor, used, c, (int)(count - c)) * all, (int)(count - c));
}

static void gather(const void *const *cells, const double *factor, int used, double mask, int64_t count,
                   void *to)
{
    switch (used) {
    case 1: gather_of(cells, factor, 1, mask, count, to); return;
    case 2: gather_of(cells, factor, 2, mask, count, to); return;
    case 3: gather_of(cells, factor, 3, mask, count, to); return;
    default: gather_of(cells, factor, 4, mask, count, to);
    }
}

static FAL__ALWAYS_INLINE void spread(LANES_TYPE *cell, lanes_vector factor, lanes_vector v, int n)
{
    const lanes_vector sum = some(cell, n) + factor * v;
    if (n == LANES)
        lanes_store(cell, sum);
    else
        lanes_store_first(cell, sum, n);
}

static FAL__ALWAYS_INLINE void scatter_of(void *const *cells, const double *factors, const int used,
                                          int64_t count, const LANES_TYPE *from)
{
    LANES_TYPE *cell[4];
    lanes_vector factor[4];
    FAL__UNROLL(4)
    for (int k = 0; k < used; k++) {
        cell[k] = cells[k];
        factor[k] = lanes_set((LANES_TYPE)factors[k]);
    }
    for (int64_t c = 0; c < count; c += LANES) {
        const int n = count - c < LANES ? (int)(count - c) : LANES;
        const lanes_vector v = some(from + c, n);
        FAL__UNROLL(4)
        for (int k = 0; k < used; k++) spread(cell[k] + c, factor[k], v, n);
    }
}

static void scatter(void *const *cells, const double *factor, int used, int64_t count, const void *from)
{
    switch (used) {
    case 1: scatter_of(cells, factor, 1, count, from); return;
    case 2: scatter_of(cells, factor, 2, count, from); return;
    case 3: scatter_of(cells, factor, 3, count, from); return;
    default: scatter_of(cells, factor, 4, count, from);
    }
}

/* Lanes are added up in double, one after the other. */
static FAL__ALWAYS_INLINE double total_of(lanes_vector v)
{
    double total = 0;
    for (int i = 0; i < LANES; i++) total += (double)v[i];
    return total;
}

static FAL__ALWAYS_INLINE void dots_of(const void *const *cells, const int used, int64_t count,
                                       const LANES_TYPE *from, double *sums)
{
    const LANES_TYPE *cell[4];
    lanes_vector sum[4];
    FAL__UNROLL(4)
    for (int k = 0; k < used; k++) {
        cell[k] = cells[k];
        sum[k] = (lanes_vector){0};
    }
    for (int64_t c = 0; c < count; c += LANES) {
        const int n = count - c < LANES ? (int)(count - c) : LANES;
        const lanes_vector v = some(from + c, n);
        FAL__UNROLL(4)
        for (int k = 0; k < used; k++) sum[k] += v * some(cell[k] + c, n);
    }
    FAL__UNROLL(4)
    for (int k = 0; k < used; k++) sums[k] = total_of(sum[k]);
}

static void dots(const void *const *cells, int used, int64_t count, const void *from, double *sums)
{
    switch (used) {
    case 1: dots_of(cells, 1, count, from, sums); return;
    case 2: dots_of(cells, 2, count, from, sums); return;
    case 3: dots_of(cells, 3, count, from, sums); return;
    default: dots_of(cells, 4, count, from, sums);
    }
}
