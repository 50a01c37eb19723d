/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * finite.tmpl.h: are all numbers of a panel finite? See fal__compute.finite. Parameter: FINITE_TYPE.
 *
 * v*0 is 0 for every finite v and NaN for the others, and a sum keeps a NaN. Four vectors of sums, so that
 * the adds do not wait for each other.
 */
static bool finite(const void *panel_, int64_t count)
{
    enum { SUMS = 4, WIDTH = FAL__VECTOR_BYTES / sizeof(FINITE_TYPE) };
    typedef FAL__VECTOR(FINITE_TYPE, FAL__VECTOR_BYTES) vector;
    const FINITE_TYPE *panel = panel_;
    vector sum[SUMS] = {{0}};
    int64_t i = 0;
    for (; i + SUMS * WIDTH <= count; i += SUMS * WIDTH) {
        FAL__UNROLL(4)
        for (int s = 0; s < SUMS; s++) sum[s] += *(const vector *)(panel + i + s * WIDTH) * (FINITE_TYPE)0;
    }
    sum[0] += sum[1] + sum[2] + sum[3];
    FINITE_TYPE total = 0;
    for (; i < count; i++) total += panel[i] * (FINITE_TYPE)0;
    for (int lane = 0; lane < WIDTH; lane++) total += sum[0][lane];
    return total == 0;
}
#undef FINITE_TYPE
