/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_f32.c: the transforms of F(2,3) and F(4,3), and the products between them.
 *
 * The product of two polynomials is known by its values at as many points as it has coefficients
 * (Toom 1963, Cook 1966); a correlation is the transpose of such a product (Winograd 1980), and a 2-D
 * tile applies it to columns and then to rows (Lavin and Gray 2016). With points p_1 .. p_(a-1)
 * and infinity, N_i = product over l != i of (p_i - p_l):
 *
 *     B^T  row i: the coefficients of product over l != i of (x - p_l); last row: of all (x - p_l)
 *     G    row i: 1, p_i, p_i^2, all divided by N_i;                     last row: 0 0 1
 *     A^T  row j: p_i^j;                                                 last column: 0 .. 0 1
 *
 * F(2,3), points 0, 1, -1 (the row of 0 is negated in B and in G):
 *
 *     B^T =  1  0 -1  0       G =   1    0    0       A^T =  1  1  1  0
 *            0  1  1  0            1/2  1/2  1/2             0  1 -1  1
 *            0 -1  1  0            1/2 -1/2  1/2
 *            0 -1  0  1             0    0    1
 *
 * Only halves and quarters appear: on small integers every step is exact.
 *
 * F(4,3), points 0, +-h, +-2h with h = sqrt(2)/2, so that h^2 = 1/2 and (2h)^2 = 2:
 *
 *     0     (x^2 - 1/2)(x^2 - 2) = x^4 - 5/2 x^2 + 1             N = 1
 *     +-h   x (x +- h)(x^2 - 2)  = x^4 +- h x^3 - 2 x^2 -+ 2h x  N = 2 h^2 (h^2 - 2) = -3/2
 *     +-2h  x (x +- 2h)(x^2 - 1/2) = x^4 +- 2h x^3 - 1/2 x^2 -+ h x     N = 2 * 2 * (2 - 1/2) = 6
 *     inf   x (x^2 - 1/2)(x^2 - 2) = x^5 - 5/2 x^3 + x
 *
 * The usual points 0, +-1, +-2 need no irrational number but amplify rounding errors twice as much:
 * the entries of A and G grow with powers of the points, and these are nearer to 1. Rows of +-p
 * share their even and odd parts, which halves the work.
 */
#include "kernels/generic/level.h"
#include "kernels/winograd.h"

#include "kernels/generic/winograd_move.tmpl.h"

#define SQRT_HALF 0.70710678118654752440

/* r: one line of a tile; t: its values at the points. m = 2 or 4. */
static FAL__ALWAYS_INLINE void input_line(int m, const lanes r[6], lanes t[6])
{
    if (m == 2) {
        t[0] = r[0] - r[2];
        t[1] = r[1] + r[2];
        t[2] = r[2] - r[1];
        t[3] = r[3] - r[1];
        return;
    }
    const float h = (float)SQRT_HALF;
    const lanes near_odd = h * (r[3] - 2.0f * r[1]), near_even = r[4] - 2.0f * r[2];
    const lanes far_odd = h * (2.0f * r[3] - r[1]), far_even = r[4] - 0.5f * r[2];
    t[0] = r[0] + r[4] - 2.5f * r[2];
    t[1] = near_even + near_odd;
    t[2] = near_even - near_odd;
    t[3] = far_even + far_odd;
    t[4] = far_even - far_odd;
    t[5] = r[1] + r[5] - 2.5f * r[3];
}

/* y[j] = sum over i of p_i^j * t[i]. */
static FAL__ALWAYS_INLINE void output_line(int m, const lanes t[6], lanes y[4])
{
    if (m == 2) {
        y[0] = t[0] + t[1] + t[2];
        y[1] = t[1] - t[2] + t[3];
        return;
    }
    const float h = (float)SQRT_HALF;
    const lanes near_even = t[1] + t[2], near_odd = t[1] - t[2];
    const lanes far_even = t[3] + t[4], far_odd = t[3] - t[4];
    y[0] = t[0] + near_even + far_even;
    y[1] = h * (near_odd + 2.0f * far_odd);
    y[2] = 0.5f * near_even + 2.0f * far_even;
    y[3] = h * (0.5f * near_odd + 4.0f * far_odd) + t[5];
}

/* Columns first, then rows. */
static FAL__ALWAYS_INLINE void input_tiles(int m, const float *patch, int64_t row_step, int64_t tiles,
                                           float *v, int64_t v_step)
{
    const int a = m + 2;
    for (int64_t tile = 0; tile < tiles; tile++, patch += m * LANES, v += LANES) {
        lanes column[6], half[6][6], line[6];
#pragma GCC unroll 6
        for (int j = 0; j < a; j++) {
#pragma GCC unroll 6
            for (int i = 0; i < a; i++) line[i] = load(patch + i * row_step + j * LANES);
            input_line(m, line, column);
#pragma GCC unroll 6
            for (int i = 0; i < a; i++) half[i][j] = column[i];
        }
#pragma GCC unroll 6
        for (int i = 0; i < a; i++) {
            input_line(m, half[i], line);
#pragma GCC unroll 6
            for (int j = 0; j < a; j++) store(v + (i * a + j) * v_step, line[j]);
        }
    }
}

static FAL__ALWAYS_INLINE void output_tiles(int m, const float *sums, int64_t sums_row, int64_t sums_step,
                                            int64_t tiles, const float *bias, float *patch, int64_t row_step)
{
    const int a = m + 2;
    const lanes constant = load(bias);
    for (int64_t tile = 0; tile < tiles; tile++, sums += sums_row, patch += m * LANES) {
        lanes column[4], half[4][6], line[6];
#pragma GCC unroll 6
        for (int j = 0; j < a; j++) {
#pragma GCC unroll 6
            for (int i = 0; i < a; i++) line[i] = load(sums + (i * a + j) * sums_step);
            output_line(m, line, column);
#pragma GCC unroll 4
            for (int i = 0; i < m; i++) half[i][j] = column[i];
        }
#pragma GCC unroll 4
        for (int i = 0; i < m; i++) {
            output_line(m, half[i], column);
#pragma GCC unroll 4
            for (int j = 0; j < m; j++) store(patch + i * row_step + j * LANES, column[j] + constant);
        }
    }
}

static void input_2(const float *patch, int64_t row_step, int64_t tiles, float *v, int64_t v_step)
{
    input_tiles(2, patch, row_step, tiles, v, v_step);
}

static void input_4(const float *patch, int64_t row_step, int64_t tiles, float *v, int64_t v_step)
{
    input_tiles(4, patch, row_step, tiles, v, v_step);
}

static void output_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles, const float *bias,
                     float *patch, int64_t row_step)
{
    output_tiles(2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_4(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles, const float *bias,
                     float *patch, int64_t row_step)
{
    output_tiles(4, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

/* G w G^T for a matrix G of a rows. The zeros of G are multiplied: weights are transformed once. */
static FAL__ALWAYS_INLINE void weight_kernels(int a, double g[6][3], const float *taps, float *u,
                                              int64_t u_step)
{
    for (int c = 0; c < WIDTH; c += LANES)
        for (int i = 0; i < a; i++) {
            double row[3][LANES];
            for (int j = 0; j < 3; j++)
                for (int l = 0; l < LANES; l++)
                    row[j][l] = g[i][0] * (double)taps[j * WIDTH + c + l] +
                                g[i][1] * (double)taps[(3 + j) * WIDTH + c + l] +
                                g[i][2] * (double)taps[(6 + j) * WIDTH + c + l];
            for (int j = 0; j < a; j++)
                for (int l = 0; l < LANES; l++)
                    u[(i * a + j) * u_step + c + l] =
                        (float)(g[j][0] * row[0][l] + g[j][1] * row[1][l] + g[j][2] * row[2][l]);
        }
}

static void weights_2(const float *taps, float *u, int64_t u_step)
{
    double g[6][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    weight_kernels(4, g, taps, u, u_step);
}

static void weights_4(const float *taps, float *u, int64_t u_step)
{
    const double h = SQRT_HALF, near = -2.0 / 3, far = 1.0 / 6;
    double g[6][3] = {{1, 0, 0},
                      {near, near * h, near / 2},
                      {near, -near * h, near / 2},
                      {far, far * 2 * h, far * 2},
                      {far, -far * 2 * h, far * 2},
                      {0, 0, 1}};
    weight_kernels(6, g, taps, u, u_step);
}

/* rows x 2 vectors of sums in registers; each block of channels is walked lane by lane. */
static FAL__ALWAYS_INLINE void multiply_rows(int rows, int64_t k, const float *v, int64_t block_step,
                                             const float *u, float *sums, bool accumulate)
{
    lanes sum[FAL__R0][2];
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) sum[i][j] = (lanes){0};
    for (; k > 0; k -= LANES, v += block_step) {
        const float *row = v;
        for (int64_t steps = k < LANES ? k : LANES; steps > 0; steps--, row++, u += WIDTH)
#pragma GCC unroll 14
            for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
                for (int j = 0; j < 2; j++) sum[i][j] += row[i * LANES] * load(u + j * LANES);
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            float *at = sums + i * WIDTH + j * LANES;
            if (accumulate) sum[i][j] += load(at);
            store(at, sum[i][j]);
        }
}

/* Every number of rows has its own loop: a short last panel costs what it computes. */
static void multiply(int32_t rows, int64_t k, const float *v, int64_t block_step, const float *u, float *sums,
                     bool accumulate)
{
    switch (rows) {
    case 1: multiply_rows(1, k, v, block_step, u, sums, accumulate); return;
    case 2: multiply_rows(2, k, v, block_step, u, sums, accumulate); return;
    case 3: multiply_rows(3, k, v, block_step, u, sums, accumulate); return;
    case 4: multiply_rows(4, k, v, block_step, u, sums, accumulate); return;
    case 5: multiply_rows(5, k, v, block_step, u, sums, accumulate); return;
    case 6: multiply_rows(6, k, v, block_step, u, sums, accumulate); return;
    default: break;
    }
#if defined(__AVX512F__)
    switch (rows) {
    case 7: multiply_rows(7, k, v, block_step, u, sums, accumulate); return;
    case 8: multiply_rows(8, k, v, block_step, u, sums, accumulate); return;
    case 9: multiply_rows(9, k, v, block_step, u, sums, accumulate); return;
    case 10: multiply_rows(10, k, v, block_step, u, sums, accumulate); return;
    case 11: multiply_rows(11, k, v, block_step, u, sums, accumulate); return;
    case 12: multiply_rows(12, k, v, block_step, u, sums, accumulate); return;
    case 13: multiply_rows(13, k, v, block_step, u, sums, accumulate); return;
    case 14: multiply_rows(14, k, v, block_step, u, sums, accumulate); return;
    default: break;
    }
#endif
}

extern const fal__winograd FAL__NAMED(fal__winograd_f32);
const fal__winograd FAL__NAMED(fal__winograd_f32) = {
    .lanes = LANES,
    .rows = FAL__R0,
    .gather = gather,
    .scatter = scatter,
    .input = {[FAL__F2X3] = input_2, [FAL__F4X3] = input_4},
    .multiply = multiply,
    .output = {[FAL__F2X3] = output_2, [FAL__F4X3] = output_4},
    .weights = {[FAL__F2X3] = weights_2, [FAL__F4X3] = weights_4},
};
