/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_lines.tmpl.h: one line of a tile through B, of a kernel through G, of sums through A.
 *
 * The product of two polynomials is known by its values at as many points as it has coefficients
 * (Toom 1963, Cook 1966); a correlation is the transpose of such a product (Winograd 1980). With a
 * points p_0 .. p_(a-1), the last of which is infinity, r taps, m = a - r + 1 outputs and
 * N_i = product over l != i of (p_i - p_l):
 *
 *     B^T  row i: the coefficients of product over l != i of (x - p_l);  last row: of all (x - p_l)
 *     G    row i: p_i^k / N_i for k < r;                                 last row: 0 .. 0 1
 *     A^T  row j: p_i^j;                                                 last column: 0 .. 0 1
 *
 * B depends on the points alone, so that F(2,3) and F(3,2), or F(4,3), F(5,2) and F(2,5), share it. All
 * point sets are 0, pairs +-p, infinity, and with q = p^2
 *
 *     +-p   x (x +- p) Q(x^2), Q(y) = product over the other pairs of (y - q_l);  N = 2 q Q(q)
 *     0     P(x^2),            P(y) = product over all pairs of (y - q_l);        N = P(0)
 *     inf   x P(x^2)
 *
 * so that the rows of a pair share their even and odd parts, which halves the work:
 *
 *     a = 4   +-1                          halves only: exact on small integers
 *     a = 6   +-h, +-2h; h = sqrt(2)/2     q = 1/2 and 2. The usual +-1, +-2 need no irrational number but
 *                                          amplify rounding errors twice as much
 *     a = 8   +-1, +-2, +-1/2              the best symmetric points there are; four times the error of a = 6
 *
 * Every `a`, `m` and `r` below is a constant after inlining; all conditions on them vanish.
 */
enum { POINTS_MAX = 8, PAIRS_MAX = 3 };

#define SQRT_HALF 0.70710678118654752440

/* p and q of pair i. */
static FAL__ALWAYS_INLINE double pair_point(int a, int i)
{
    if (a == 6) return i == 0 ? SQRT_HALF : 2 * SQRT_HALF;
    return i == 0 ? 1 : i == 1 ? 2 : 0.5;
}

static FAL__ALWAYS_INLINE double pair_square(int a, int i)
{
    if (a == 6) return i == 0 ? 0.5 : 2;
    return i == 0 ? 1 : i == 1 ? 4 : 0.25;
}

static FAL__ALWAYS_INLINE double pair_power(int a, int i, int exponent)
{
    double power = exponent % 2 ? pair_point(a, i) : 1;
    for (int k = 0; k < exponent / 2; k++) power *= pair_square(a, i);
    return power;
}

static FAL__ALWAYS_INLINE double pair_norm(int a, int i)
{
    double norm = 2 * pair_square(a, i);
    for (int l = 0; l < a / 2 - 1; l++)
        if (l != i) norm *= pair_square(a, i) - pair_square(a, l);
    return norm;
}

/* Product of (y - q) over two pairs, or one, at the coefficients r[0], r[2], r[4]. */
static FAL__ALWAYS_INLINE lanes_vector even_line(int pairs, double q0, double q1, const lanes_vector *r)
{
    if (pairs == 0) return r[0];
    if (pairs == 1) return r[2] - (float)q0 * r[0];
    return (r[4] - (float)(q0 + q1) * r[2]) + (float)(q0 * q1) * r[0];
}

/* Likewise P, over all pairs. */
static FAL__ALWAYS_INLINE lanes_vector whole_line(int a, const lanes_vector *r)
{
    const double q0 = pair_square(a, 0), q1 = pair_square(a, 1), q2 = pair_square(a, 2);
    if (a == 4) return even_line(1, q0, 0, r);
    if (a == 6) return even_line(2, q0, q1, r);
    return (r[6] - (float)(q0 + q1 + q2) * r[4]) +
           ((float)(q0 * q1 + q0 * q2 + q1 * q2) * r[2] - (float)(q0 * q1 * q2) * r[0]);
}

/* r: one line of a tile; t: its values at the points. */
static FAL__ALWAYS_INLINE void input_line(int a, const lanes_vector *r, lanes_vector *t)
{
    const int pairs = a / 2 - 1;
    t[0] = whole_line(a, r);
    t[a - 1] = whole_line(a, r + 1);
    FAL__UNROLL(3)
    for (int i = 0; i < pairs; i++) {
        const double q0 = pair_square(a, i == 0 ? 1 : 0), q1 = pair_square(a, i == 2 ? 1 : 2);
        const lanes_vector even = even_line(pairs - 1, q0, q1, r + 2);
        const lanes_vector odd = (float)pair_point(a, i) * even_line(pairs - 1, q0, q1, r + 1);
        t[2 * i + 1] = even + odd;
        t[2 * i + 2] = even - odd;
    }
}

/* w: one line of r taps; u: its values at the points, divided by N. */
static FAL__ALWAYS_INLINE void weight_line(int a, int r, const lanes_vector *w, lanes_vector *u)
{
    const int pairs = a / 2 - 1;
    u[0] = (pairs % 2 ? -1.0f : 1.0f) * w[0]; /* the product of all q is 1 */
    u[a - 1] = w[r - 1];
    FAL__UNROLL(3)
    for (int i = 0; i < pairs; i++) {
        const double norm = pair_norm(a, i);
        lanes_vector even = (float)(1 / norm) * w[0];
        lanes_vector odd = (float)(pair_point(a, i) / norm) * w[1];
        FAL__UNROLL(4)
        for (int k = 2; k < r; k++) {
            const float factor = (float)(pair_power(a, i, k) / norm);
            if (k % 2)
                odd += factor * w[k];
            else
                even += factor * w[k];
        }
        u[2 * i + 1] = even + odd;
        u[2 * i + 2] = even - odd;
    }
}

/* t: sums at the points; y: m outputs. */
static FAL__ALWAYS_INLINE void output_line(int a, int m, const lanes_vector *t, lanes_vector *y)
{
    const int pairs = a / 2 - 1;
    lanes_vector even[PAIRS_MAX], odd[PAIRS_MAX];
    FAL__UNROLL(3)
    for (int i = 0; i < pairs; i++) {
        even[i] = t[2 * i + 1] + t[2 * i + 2];
        odd[i] = t[2 * i + 1] - t[2 * i + 2];
    }
    FAL__UNROLL(8)
    for (int j = 0; j < m; j++) {
        const lanes_vector *part = j % 2 ? odd : even;
        lanes_vector sum = (float)pair_power(a, 0, j) * part[0];
        FAL__UNROLL(3)
        for (int i = 1; i < pairs; i++) sum += (float)pair_power(a, i, j) * part[i];
        if (j == 0) sum += t[0];
        if (j == m - 1) sum += t[a - 1];
        y[j] = sum;
    }
}
