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
 * each pass of each transform, no more roundings than its row has entries; one more where entries are rounded
 * themselves. The matrices are written here from their definition by points, not copied from the library. A
 * second test holds the error of layers as networks have them, where the worst case says little.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

enum { POINTS = 8, TAPS = 5 };

/* |A^T|, |B^T| and |G| of F(m,taps) with points p[0..], the last point being infinity. */
typedef struct transform {
    int m, taps;
    double p[POINTS - 1];
    double a[POINTS][POINTS], b[POINTS][POINTS], g[POINTS][TAPS];
    int roundings; /* of a term in one pass each */
} transform;

/* An axis that is not transformed. */
static transform identity = {.m = 1, .taps = 1, .a = {{1}}, .b = {{1}}, .g = {{1}}};

/* One algorithm on one kernel. */
static const struct {
    const char *name;
    int points, taps;
    double limit; /* of the relative error of layers */
} algorithms[] = {
    {"winograd.f2x3", 4, 3, 2e-6},     {"winograd.f4x3", 6, 3, 2e-6},     {"winograd.f6x3", 8, 3, 8e-6},
    {"winograd.row.f2x3", 4, 3, 2e-6}, {"winograd.row.f4x3", 6, 3, 2e-6}, {"winograd.row.f6x3", 8, 3, 2e-6},
    {"winograd.f2x3", 4, 2, 2e-6},     {"winograd.f4x3", 6, 2, 2e-6},     {"winograd.f4x3", 6, 4, 2e-6},
    {"winograd.row.f4x3", 6, 4, 2e-6}, {"winograd.f4x3", 6, 5, 2e-6},     {"winograd.row.f4x3", 6, 5, 2e-6}};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0] };

static bool along_rows(const char *name)
{
    return strstr(name, "row") == NULL;
}

/* c = the coefficients of the product of (x - p[l]) over l < count, l != skip. */
static void polynomial(const double *p, int count, int skip, double c[POINTS])
{
    for (int k = 0; k < POINTS; k++) c[k] = k == 0;
    for (int l = 0; l < count; l++) {
        if (l == skip) continue;
        for (int k = POINTS - 1; k >= 0; k--) c[k] = (k > 0 ? c[k - 1] : 0) - p[l] * c[k];
    }
}

static int entries(const double *row, int count)
{
    int found = 0;
    for (int k = 0; k < count; k++) found += fabs(row[k]) > 1e-9;
    return found;
}

static transform make(int all, int taps)
{
    transform t = {.m = all - taps + 1, .taps = taps};
    const double sets[3][7] = {
        {0, 1, -1}, {0, sqrt(0.5), -sqrt(0.5), sqrt(2), -sqrt(2)}, {0, 1, -1, 2, -2, 0.5, -0.5}};
    const int points = all - 1;
    int b = 0, g = 0, a = 0;
    memcpy(t.p, sets[all / 2 - 2], sizeof t.p);
    for (int i = 0; i <= points; i++) {
        double norm = 1;
        polynomial(t.p, points, i, t.b[i]);
        for (int l = 0; l < points && i < points; l++)
            if (l != i) norm *= t.p[i] - t.p[l];
        for (int k = 0; k < taps; k++) t.g[i][k] = i < points ? fabs(pow(t.p[i], k) / norm) : k == taps - 1;
        for (int j = 0; j < t.m; j++) t.a[j][i] = i < points ? fabs(pow(t.p[i], j)) : j == t.m - 1;
        for (int k = 0; k < POINTS; k++) t.b[i][k] = fabs(t.b[i][k]);
        b = entries(t.b[i], all) > b ? entries(t.b[i], all) : b;
        g = entries(t.g[i], taps) > g ? entries(t.g[i], taps) : g;
    }
    for (int j = 0; j < t.m; j++) a = entries(t.a[j], all) > a ? entries(t.a[j], all) : a;
    t.roundings = b + g + a + (all > 4 ? 3 : 0);
    return t;
}

static double at(const fal_tensor *t, int64_t n, int64_t c, int64_t row, int64_t column)
{
    const int64_t index[] = {n, c, row, column};
    const bool inside = row >= 0 && column >= 0 && row < t->shape[2] && column < t->shape[3];
    return inside ? fabs(fal_tensor_get(t, index)) : 0;
}

/* W of the tile whose first output is (row, column), for padding 1. */
static void gauge(const transform *r, const transform *s, const test_case *c, int64_t oc, int64_t row,
                  int64_t column, double w[POINTS][POINTS])
{
    const int rows = r->m + r->taps - 1, columns = s->m + s->taps - 1;
    double sum[POINTS][POINTS] = {{0}};
    for (int64_t ic = 0; ic < c->p.ic; ic++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) {
                double x = 0, weight = 0;
                for (int k = 0; k < rows; k++)
                    for (int l = 0; l < columns; l++)
                        x += r->b[i][k] * s->b[j][l] * at(&c->x.t, 0, ic, row - 1 + k, column - 1 + l);
                for (int k = 0; k < r->taps; k++)
                    for (int l = 0; l < s->taps; l++)
                        weight += r->g[i][k] * s->g[j][l] * at(&c->w.t, oc, ic, k, l);
                sum[i][j] += x * weight;
            }
    for (int y = 0; y < r->m; y++)
        for (int x = 0; x < s->m; x++) {
            w[y][x] = 0;
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < columns; j++) w[y][x] += r->a[y][i] * s->a[x][j] * sum[i][j];
        }
}

/* ic -> oc channels on a plane of rows x columns, padding 1. */
static test_problem layer(int64_t ic, int64_t oc, int64_t rows, int64_t columns, int64_t kernel_rows,
                          int64_t kernel_columns)
{
    test_problem p = {.seed = (uint64_t)(ic + oc + rows + columns),
                      .batched = true,
                      .dtype = FAL_F32,
                      .spatial = 2,
                      .n = 1,
                      .ic = ic,
                      .oc = oc,
                      .in = {rows, columns},
                      .k = {kernel_rows, kernel_columns},
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
    params.accuracy = FAL_ACCURACY_FAST;
    *y = test_result_new(c, FAL_OP_CONV, 0);
    assert_true(test_ok(test_plan(&context, FAL_OP_CONV, &y->operands, &params, true, 0xFF), &error, name));
    test_wide wide = test_widen(&c->operands);
    params = c->p.params;
    *exact = test_conv(false, &wide.operands.x, &wide.operands.w, NULL, &params);
    test_wide_free(&wide);
}

static void check_bound(int algorithm, fal_cpu_level cpu, test_fill fill, int64_t ic)
{
    const char *name = algorithms[algorithm].name;
    const transform t = make(algorithms[algorithm].points, algorithms[algorithm].taps);
    const transform *r = along_rows(name) ? &t : &identity;
    const test_problem p = layer(ic, 5, 10, 13, r->taps, t.taps);
    test_case c = test_case_new(&p, fill, 0);
    test_result y;
    test_tensor exact;
    both(&c, name, cpu, &y, &exact);
    const double k = (double)(ic + t.roundings + r->roundings + 2), u = 0x1p-24, gamma = k * u / (1 - k * u);
    double worst = 0;
    for (int64_t oc = 0; oc < p.oc; oc++)
        for (int64_t row = 0; row < p.out[0]; row += r->m)
            for (int64_t column = 0; column < p.out[1]; column += t.m) {
                double w[POINTS][POINTS];
                gauge(r, &t, &c, oc, row, column, w);
                for (int64_t i = 0; i < r->m && row + i < p.out[0]; i++)
                    for (int64_t j = 0; j < t.m && column + j < p.out[1]; j++) {
                        const int64_t index[] = {0, oc, row + i, column + j};
                        const double off =
                            fabs(fal_tensor_get(&y.out.t, index) - fal_tensor_get(&exact.t, index));
                        if (w[i][j] > 0) worst = fmax(worst, off / (gamma * w[i][j]));
                    }
            }
    if (worst > 1) fprintf(stderr, "%s of %d taps: %.3g times its bound\n", name, t.taps, worst);
    assert_true(worst <= 1);
    assert_true(worst > 1e-5); /* the bound is one: errors are there */
    test_tensor_free(&exact);
    test_result_free(&y);
    test_case_free(&c);
}

static void every_output_is_within_its_bound(void **state)
{
    (void)state;
    for (int i = 0; i < ALGORITHMS; i++)
        for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
            check_bound(i, cpu, TEST_REAL, 24);
            check_bound(i, cpu, TEST_POS, 33);
        }
}

/* W of the gradient of one pair of channels, for padding 1: the tiles of gy are the kernels. */
static void gradient_gauge(const transform *t, const test_case *c, int64_t oc, int64_t ic,
                           double w[POINTS][POINTS])
{
    const int points = t->m + t->taps - 1, side = t->taps;
    double sum[POINTS][POINTS] = {{0}};
    for (int64_t row = 0; row < c->p.out[0]; row += side)
        for (int64_t column = 0; column < c->p.out[1]; column += side)
            for (int i = 0; i < points; i++)
                for (int j = 0; j < points; j++) {
                    double x = 0, gy = 0;
                    for (int k = 0; k < points; k++)
                        for (int l = 0; l < points; l++)
                            x += t->b[i][k] * t->b[j][l] * at(&c->x.t, 0, ic, row - 1 + k, column - 1 + l);
                    for (int k = 0; k < side; k++)
                        for (int l = 0; l < side; l++)
                            gy += t->g[i][k] * t->g[j][l] * at(&c->y.t, 0, oc, row + k, column + l);
                    sum[i][j] += x * gy;
                }
    for (int y = 0; y < t->m; y++)
        for (int x = 0; x < t->m; x++) {
            w[y][x] = 0;
            for (int i = 0; i < points; i++)
                for (int j = 0; j < points; j++) w[y][x] += t->a[y][i] * t->a[x][j] * sum[i][j];
        }
}

/* The gradient by `name`, or in float64 by a direct sum. */
static test_tensor gradient(const test_case *c, const char *name, fal_cpu_level cpu)
{
    fal_error error = {0};
    fal_context context = {.cpu = cpu, .threads = 1, .error = &error};
    fal_conv_params params = c->p.params;
    fal_operands operands = c->operands;
    test_wide wide = test_widen(&c->operands);
    if (name == NULL) operands = wide.operands;
    test_tensor gw = test_tensor_new(name != NULL ? FAL_F32 : FAL_F64, 4, c->w.t.shape, 0);
    operands.w = gw.t;
    operands.bias = (fal_tensor){0};
    params.algorithm = name;
    assert_true(test_ok(test_plan(&context, FAL_OP_CONV_GRAD_WEIGHT, &operands, &params, false, 0xFF), &error,
                        "gradient"));
    test_wide_free(&wide);
    return gw;
}

static void check_gradient(int64_t taps, fal_cpu_level cpu, test_fill fill)
{
    const transform t = make(6, (int)(7 - taps));
    const test_problem p = layer(12, 11, 13, 41, taps, taps);
    test_case c = test_case_new(&p, fill, 0);
    test_tensor gw = gradient(&c, "winograd.grad", cpu), exact = gradient(&c, NULL, cpu);
    const double tiles = ceil((double)p.out[0] / t.taps) * ceil((double)p.out[1] / t.taps);
    const double k = tiles + 4 * t.roundings + 2, u = 0x1p-24, gamma = k * u / (1 - k * u);
    double worst = 0;
    for (int64_t oc = 0; oc < p.oc; oc++)
        for (int64_t ic = 0; ic < p.ic; ic++) {
            double w[POINTS][POINTS];
            gradient_gauge(&t, &c, oc, ic, w);
            for (int64_t i = 0; i < taps; i++)
                for (int64_t j = 0; j < taps; j++) {
                    const int64_t index[] = {oc, ic, i, j};
                    const double off = fabs(fal_tensor_get(&gw.t, index) - fal_tensor_get(&exact.t, index));
                    worst = fmax(worst, off / (gamma * w[i][j]));
                }
        }
    if (worst > 1) fprintf(stderr, "gradient of %d taps: %.3g times its bound\n", (int)taps, worst);
    assert_true(worst <= 1);
    assert_true(worst > 1e-6);
    test_tensor_free(&exact);
    test_tensor_free(&gw);
    test_case_free(&c);
}

static void every_gradient_is_within_its_bound(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
        check_gradient(3, cpu, TEST_POS);
        for (int64_t taps = 2; taps <= 5; taps++) check_gradient(taps, cpu, TEST_REAL);
    }
}

/* ||y' - y|| / ||y|| of one layer. */
static double relative_error(const char *name, int64_t channels, int64_t size, int64_t taps)
{
    const test_problem p = layer(channels, channels, size, size, along_rows(name) ? taps : 1, taps);
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
        for (int t = 0; t < ALGORITHMS; t++) {
            const double error =
                relative_error(algorithms[t].name, layers[i][0], layers[i][1], algorithms[t].taps);
            if (error >= algorithms[t].limit)
                fprintf(stderr, "%s of %d taps, layer %d: %.3g\n", algorithms[t].name, algorithms[t].taps, i,
                        error);
            assert_true(error < algorithms[t].limit);
            assert_true(error > 1e-8);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_output_is_within_its_bound),
        cmocka_unit_test(every_gradient_is_within_its_bound),
        cmocka_unit_test(layers_of_networks_lose_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
