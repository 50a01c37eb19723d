/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_winograd_error.c: how far Winograd's convolution may be from the exact sum.
 *
 * Every output has a bound that follows from the matrices: with W the same expression with all
 * numbers made positive,
 *
 *     |y' - y| <= gamma(K) * W,   W = |A^T| [ sum over c of (|G||w||G^T|) * (|B^T||x||B|) ] |A|
 *
 * K = C + 2 rB + 2 rG + 2 rA + 2, with r the most entries in a row: a term meets C additions and, in
 * each pass of each transform, no more roundings than its row has entries. The matrices are written
 * here from their definition by points, not copied from the library. A second test holds the error
 * of layers as networks have them, where the worst case says little.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "support/support.h"

/* |A^T|, |B^T| and |G| of F(m,3) with points p[0..m], the last point being infinity. */
typedef struct transform {
    const char *name;
    int m, terms; /* 2 rB + 2 rG + 2 rA + 2 */
    double p[5];
    double a[4][6], b[6][6], g[6][3];
} transform;

static transform transforms[] = {
    {.name = "winograd.f2x3", .m = 2, .terms = 18, .p = {0, 1, -1}},
    {.name = "winograd.f4x3", .m = 4, .terms = 28},
};

/* c = the coefficients of the product of (x - p[l]) over l < count, l != skip. */
static void polynomial(const double *p, int count, int skip, double c[6])
{
    for (int k = 0; k < 6; k++) c[k] = k == 0;
    for (int l = 0; l < count; l++) {
        if (l == skip) continue;
        for (int k = 5; k >= 0; k--) c[k] = (k > 0 ? c[k - 1] : 0) - p[l] * c[k];
    }
}

static void make(transform *t)
{
    const int points = t->m + 1;
    if (t->m == 4)
        for (int i = 1; i < 5; i++) t->p[i] = (i % 2 ? 1 : -1) * (i < 3 ? sqrt(0.5) : sqrt(2));
    for (int i = 0; i <= points; i++) {
        double norm = 1;
        polynomial(t->p, points, i, t->b[i]);
        for (int l = 0; l < points && i < points; l++)
            if (l != i) norm *= t->p[i] - t->p[l];
        for (int k = 0; k < 3; k++) t->g[i][k] = i < points ? fabs(pow(t->p[i], k) / norm) : k == 2;
        for (int j = 0; j < t->m; j++) t->a[j][i] = i < points ? fabs(pow(t->p[i], j)) : j == t->m - 1;
        for (int k = 0; k < 6; k++) t->b[i][k] = fabs(t->b[i][k]);
    }
}

static double at(const fal_tensor *t, int64_t n, int64_t c, int64_t row, int64_t column)
{
    const int64_t index[] = {n, c, row, column};
    const bool inside = row >= 0 && column >= 0 && row < t->shape[2] && column < t->shape[3];
    return inside ? fabs(fal_tensor_get(t, index)) : 0;
}

/* W of the tile whose first output is (row, column), for padding 1. */
static void gauge(const transform *t, const test_case *c, int64_t oc, int64_t row, int64_t column,
                  double w[4][4])
{
    const int a = t->m + 2;
    double sum[6][6] = {{0}};
    for (int64_t ic = 0; ic < c->p.ic; ic++)
        for (int i = 0; i < a; i++)
            for (int j = 0; j < a; j++) {
                double x = 0, weight = 0;
                for (int k = 0; k < a; k++)
                    for (int l = 0; l < a; l++)
                        x += t->b[i][k] * t->b[j][l] * at(&c->x.t, 0, ic, row - 1 + k, column - 1 + l);
                for (int k = 0; k < 3; k++)
                    for (int l = 0; l < 3; l++) weight += t->g[i][k] * t->g[j][l] * at(&c->w.t, oc, ic, k, l);
                sum[i][j] += x * weight;
            }
    for (int y = 0; y < t->m; y++)
        for (int x = 0; x < t->m; x++) {
            w[y][x] = 0;
            for (int i = 0; i < a; i++)
                for (int j = 0; j < a; j++) w[y][x] += t->a[y][i] * t->a[x][j] * sum[i][j];
        }
}

/* ic -> oc channels on a plane of rows x columns, padding 1. */
static test_problem layer(int64_t ic, int64_t oc, int64_t rows, int64_t columns)
{
    test_problem p = {.seed = (uint64_t)(ic + oc + rows + columns),
                      .batched = true,
                      .dtype = FAL_F32,
                      .spatial = 2,
                      .n = 1,
                      .ic = ic,
                      .oc = oc,
                      .in = {rows, columns},
                      .k = {3, 3},
                      .params = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1}};
    p.params.padding_begin[0] = p.params.padding_begin[1] = 1;
    p.params.padding_end[0] = p.params.padding_end[1] = 1;
    test_problem_sizes(&p);
    return p;
}

/* y by the named algorithm, and in float64 by a direct sum. */
static void both(const test_case *c, const char *name, fal_cpu_level cpu, test_result *y, test_tensor *exact)
{
    fal_error error = {0};
    fal_context context = {.cpu = cpu, .threads = 1, .error = &error};
    fal_conv_params params = c->p.params;
    params.algorithm = name;
    *y = test_result_new(c, FAL_OP_CONV, 0);
    assert_true(test_ok(test_plan(&context, FAL_OP_CONV, &y->operands, &params, true, 0xFF), &error, name));
    test_wide wide = test_widen(&c->operands);
    params = c->p.params;
    *exact = test_conv(false, &wide.operands.x, &wide.operands.w, NULL, &params);
    test_wide_free(&wide);
}

static void check_bound(const transform *t, fal_cpu_level cpu, test_fill fill, int64_t ic)
{
    const test_problem p = layer(ic, 5, 10, 13);
    test_case c = test_case_new(&p, fill, 0);
    test_result y;
    test_tensor exact;
    both(&c, t->name, cpu, &y, &exact);
    const double k = (double)(ic + t->terms), u = 0x1p-24, gamma = k * u / (1 - k * u);
    double worst = 0;
    for (int64_t oc = 0; oc < p.oc; oc++)
        for (int64_t row = 0; row < p.out[0]; row += t->m)
            for (int64_t column = 0; column < p.out[1]; column += t->m) {
                double w[4][4];
                gauge(t, &c, oc, row, column, w);
                for (int64_t i = 0; i < t->m && row + i < p.out[0]; i++)
                    for (int64_t j = 0; j < t->m && column + j < p.out[1]; j++) {
                        const int64_t index[] = {0, oc, row + i, column + j};
                        const double off =
                            fabs(fal_tensor_get(&y.out.t, index) - fal_tensor_get(&exact.t, index));
                        worst = fmax(worst, off / (gamma * w[i][j]));
                    }
            }
    assert_true(worst <= 1);
    assert_true(worst > 1e-5); /* the bound is one: errors are there */
    test_tensor_free(&exact);
    test_result_free(&y);
    test_case_free(&c);
}

static void every_output_is_within_its_bound(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        make(&transforms[i]);
        for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
            check_bound(&transforms[i], cpu, TEST_REAL, 24);
            check_bound(&transforms[i], cpu, TEST_POS, 33);
        }
    }
}

/* ||y' - y|| / ||y|| of one layer. */
static double relative_error(const char *name, int64_t channels, int64_t size)
{
    const test_problem p = layer(channels, channels, size, size);
    test_case c = test_case_new(&p, TEST_REAL, 0);
    test_result y;
    test_tensor exact;
    int64_t index[FAL_MAX_RANK] = {0};
    double off = 0, all = 0;
    both(&c, name, FAL_CPU_AUTO, &y, &exact);
    do {
        const double e = fal_tensor_get(&exact.t, index), d = fal_tensor_get(&y.out.t, index) - e;
        off += d * d;
        all += e * e;
    } while (test_next(&exact.t, index));
    test_tensor_free(&exact);
    test_result_free(&y);
    test_case_free(&c);
    return sqrt(off / all);
}

static void layers_of_networks_lose_little(void **state)
{
    (void)state;
    static const int64_t layers[][2] = {{64, 28}, {128, 14}, {256, 14}, {512, 7}};
    for (int i = 0; i < 4; i++)
        for (int t = 0; t < 2; t++) {
            const double error = relative_error(transforms[t].name, layers[i][0], layers[i][1]);
            if (error >= 2e-6) fprintf(stderr, "%s %d: %.3g\n", transforms[t].name, i, error);
            assert_true(error < 2e-6);
            assert_true(error > 1e-8);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_output_is_within_its_bound),
        cmocka_unit_test(layers_of_networks_lose_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
