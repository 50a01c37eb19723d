/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool_rules.c: the rules of pooling, one small table each.
 *
 * Ties, NaN and infinities with their indices; windows of padding; ceil mode's dropped window; the
 * divisors at borders; norms of extreme numbers; what ONNX calls an index; integers. The numbers are
 * worked out by hand, or stand in the documentation of the framework that the rule comes from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include <faltung.h>

enum { MOST = 32 };

static const float inf = INFINITY;

/* Pools one row and compares y, and the indices when they are given. */
static void row(const float *x, int64_t count, const fal_pool_params *params, const float *y,
                const int64_t *indices, int64_t outputs)
{
    float actual[MOST], copy[MOST];
    int64_t places[MOST];
    memcpy(copy, x, (size_t)count * sizeof *x);
    fal_tensor tx = FAL_TENSOR(copy, FAL_F32, 1, 1, count), ty = FAL_TENSOR(actual, FAL_F32, 1, 1, outputs);
    fal_tensor ti = FAL_TENSOR(places, FAL_I64, 1, 1, outputs), shape;
    assert_int_equal(fal_pool_output_shape(&tx, params, &shape, NULL), FAL_OK);
    assert_int_equal(shape.shape[2], outputs);
    assert_int_equal(fal_pool(NULL, &tx, params, &ty, indices != NULL ? &ti : NULL), FAL_OK);
    for (int64_t o = 0; o < outputs; o++) {
        if (!(actual[o] == y[o] || (isnan(actual[o]) && isnan(y[o]))))
            fail_msg("y[%d] is %.9g, expected %.9g", (int)o, (double)actual[o], (double)y[o]);
        if (indices != NULL) assert_int_equal(places[o], indices[o]);
    }
}

static void maximum_takes_the_first_of_equals_and_the_last_nan(void **state)
{
    (void)state;
    const fal_pool_params all = {.extent = FAL_POOL_GLOBAL};
    const struct {
        float x[4], y;
        int64_t index;
    } cases[] = {{{1, 3, 3, 2}, 3, 1},
                 {{0, 0, 0, 0}, 0, 0},
                 {{-0.0f, 0, 0, 0}, 0, 0},
                 {{1, NAN, 5, 2}, NAN, 1},
                 {{NAN, 1, NAN, 9}, NAN, 2},
                 {{NAN, NAN, NAN, NAN}, NAN, 3},
                 {{-inf, -inf, -inf, -inf}, -inf, 0},
                 {{-inf, -5, -inf, -5}, -5, 1},
                 {{-inf, inf, inf, NAN}, NAN, 3},
                 {{inf, inf, 1, 1}, inf, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        row(cases[i].x, 4, &all, &cases[i].y, &cases[i].index, 1);
}

static void padding_never_wins(void **state)
{
    (void)state;
    const fal_pool_params p = {.kernel = {3}, .stride = {1}, .padding_begin = {1}, .padding_end = {1}};
    row((float[]){-5, -6, -7}, 3, &p, (float[]){-5, -5, -6}, (int64_t[]){0, 0, 1}, 3);
    row((float[]){-inf, -inf, -inf}, 3, &p, (float[]){-inf, -inf, -inf}, (int64_t[]){0, 0, 1}, 3);
}

/* Dilation steps over a short input; PyTorch names cell 1 of a plane that has one cell. */
static void window_without_cells(void **state)
{
    (void)state;
    fal_pool_params p = {
        .kernel = {2}, .stride = {1}, .dilation = {2}, .padding_begin = {1}, .padding_end = {1}};
    row((float[]){7}, 1, &p, (float[]){-inf}, (int64_t[]){-1}, 1);
    p.kind = FAL_POOL_AVERAGE;
    row((float[]){7}, 1, &p, (float[]){0}, NULL, 1);
    p.exclude_padding = true;
    row((float[]){7}, 1, &p, (float[]){0}, NULL, 1);
    p.divisor = -4;
    row((float[]){7}, 1, &p, (float[]){0}, NULL, 1);
    p = (fal_pool_params){.kind = FAL_POOL_LP, .kernel = {2}, .stride = {1}, .padding_begin = {4}};
    row((float[]){3}, 1, &p, (float[]){0, 0, 0, 3}, NULL, 4);
    /* and its gradient reaches nobody */
    float x = 7, gy = 1, gx = 9;
    const fal_pool_params q = {
        .kernel = {2}, .stride = {1}, .dilation = {2}, .padding_begin = {1}, .padding_end = {1}};
    fal_tensor tx = FAL_TENSOR(&x, FAL_F32, 1, 1, 1), tgy = FAL_TENSOR(&gy, FAL_F32, 1, 1, 1);
    fal_tensor tgx = FAL_TENSOR(&gx, FAL_F32, 1, 1, 1);
    assert_int_equal(fal_pool_grad(NULL, &tx, &tgy, &q, &tgx), FAL_OK);
    assert_true(gx == 0);
}

/* PyTorch has limits of half the kernel; the definition does not need them. */
static void padding_beyond_half_the_kernel(void **state)
{
    (void)state;
    const fal_pool_params p = {.kernel = {2}, .stride = {1}, .padding_begin = {3}, .padding_end = {2}};
    row((float[]){1, 2}, 2, &p, (float[]){-inf, -inf, 1, 2, 2, -inf}, (int64_t[]){-1, -1, 0, 1, 1, -1}, 6);
}

static void ceil_mode_drops_a_window_that_starts_in_the_padding(void **state)
{
    (void)state;
    const struct {
        int64_t i, k, s, p, floor, ceil;
    } cases[] = {{9, 4, 4, 2, 3, 3}, {6, 1, 2, 0, 3, 3}, {6, 3, 2, 0, 2, 3}, {6, 3, 2, 1, 3, 4},
                 {5, 2, 2, 0, 2, 3}, {5, 2, 2, 1, 3, 3}, {1, 1, 5, 0, 1, 1}, {7, 3, 3, 0, 2, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        fal_pool_params p = {.kernel = {cases[c].k},
                             .stride = {cases[c].s},
                             .padding_begin = {cases[c].p},
                             .padding_end = {cases[c].p}};
        const fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 1, cases[c].i);
        fal_tensor y;
        assert_int_equal(fal_pool_output_shape(&x, &p, &y, NULL), FAL_OK);
        assert_int_equal(y.shape[2], cases[c].floor);
        p.ceil_mode = true;
        assert_int_equal(fal_pool_output_shape(&x, &p, &y, NULL), FAL_OK);
        assert_int_equal(y.shape[2], cases[c].ceil);
    }
}

/* 1..6, kernel 3, stride 2, ceil: the last window has two cells, with padding one cell and one pad. */
static void divisors_at_the_border(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6};
    fal_pool_params p = {.kind = FAL_POOL_AVERAGE, .kernel = {3}, .stride = {2}, .ceil_mode = true};
    row(x, 6, &p, (float[]){2, 4, 5.5f}, NULL, 3);
    p.padding_begin[0] = p.padding_end[0] = 1;
    row(x, 6, &p, (float[]){1, 3, 5, 3}, NULL, 4);
    p.exclude_padding = true;
    row(x, 6, &p, (float[]){1.5f, 3, 5, 6}, NULL, 4);
    p.divisor = -4;
    row(x, 6, &p, (float[]){-0.75f, -2.25f, -3.75f, -1.5f}, NULL, 4);
    p = (fal_pool_params){.kind = FAL_POOL_AVERAGE, .kernel = {3}, .stride = {1}, .padding_end = {2}};
    row((float[]){3, 6, 9}, 3, &p, (float[]){6, 5, 3}, NULL, 3);
    /* A dilated window counts its taps: two of three, and one. */
    p = (fal_pool_params){
        .kind = FAL_POOL_AVERAGE, .kernel = {3}, .stride = {1}, .dilation = {2}, .padding_begin = {2}};
    row((float[]){3, 6, 9, 12}, 4, &p, (float[]){4, 6}, NULL, 2);
    p.exclude_padding = true;
    row((float[]){3, 6, 9, 12}, 4, &p, (float[]){6, 9}, NULL, 2);
}

static void norms_are_norms(void **state)
{
    (void)state;
    fal_pool_params p = {.kind = FAL_POOL_LP, .kernel = {2}};
    row((float[]){3, -4, 0, 0}, 4, &p, (float[]){5, 0}, NULL, 2);
    p.norm = 1;
    row((float[]){3, -4, 0, -0.5f}, 4, &p, (float[]){7, 0.5f}, NULL, 2);
    p.norm = 3; /* odd powers of negative numbers */
    row((float[]){-2, 0, 0, -3}, 4, &p, (float[]){2, 3}, NULL, 2);
    p.norm = 0.5;
    row((float[]){-1, 4, 0, 9}, 4, &p, (float[]){9, 9}, NULL, 2);
    p.norm = INFINITY;
    row((float[]){3, -4, NAN, 1}, 4, &p, (float[]){4, NAN}, NULL, 2);
    p.norm = 1000; /* 2^1000 fits a double, the sum of two of them also; 5^1000 does not */
    row((float[]){5, 0, 0.001f, 0}, 4, &p, (float[]){5, 0.001f}, NULL, 2);
    p = (fal_pool_params){.kind = FAL_POOL_LP, .kernel = {3}, .stride = {2}, .norm = 1, .ceil_mode = true};
    row((float[]){1, 1, 1, 1, 1, 1}, 6, &p, (float[]){3, 3, 2}, NULL, 3);
    double x[] = {3e200, 4e200, 3e-200, 4e-200, 3e-160, 4e-160},
           y[3]; /* squares overflow, vanish, lose digits */
    p = (fal_pool_params){.kind = FAL_POOL_LP, .kernel = {2}};
    fal_tensor tx = FAL_TENSOR(x, FAL_F64, 1, 1, 6), ty = FAL_TENSOR(y, FAL_F64, 1, 1, 3);
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, NULL), FAL_OK);
    const double expected[] = {5e200, 5e-200, 5e-160};
    for (int i = 0; i < 3; i++) assert_true(fabs(y[i] / expected[i] - 1) < 1e-15);
}

static void norm_gradients(void **state)
{
    (void)state;
    const struct {
        double norm;
        float x[2], gx[2];
    } cases[] = {{2, {3, -4}, {0.6f, -0.8f}}, {2, {0, 0}, {0, 0}},          {1, {-3, 0}, {-1, 0}},
                 {0, {0, -2}, {0, -1}},       {INFINITY, {3, -4}, {0, -1}}, {INFINITY, {0, 0}, {0, 0}},
                 {INFINITY, {2, -2}, {1, 0}}, {0.5, {0, 4}, {0, 1}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float x[2] = {cases[i].x[0], cases[i].x[1]}, gx[2] = {9, 9}, gy = 1;
        const fal_pool_params p = {.kind = FAL_POOL_LP, .kernel = {2}, .norm = cases[i].norm};
        fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 2), tgx = FAL_TENSOR(gx, FAL_F32, 1, 1, 2);
        fal_tensor tgy = FAL_TENSOR(&gy, FAL_F32, 1, 1, 1);
        assert_int_equal(fal_pool_grad(NULL, &tx, &tgy, &p, &tgx), FAL_OK);
        for (int j = 0; j < 2; j++) assert_true(gx[j] == cases[i].gx[j]);
    }
}

/* Two images, two channels, 2x3 cells numbered by value; each window is one cell. */
static void index_modes(void **state)
{
    (void)state;
    float x[24], y[24];
    int64_t indices[24];
    for (int i = 0; i < 24; i++) x[i] = (float)i;
    const fal_tensor tx = FAL_TENSOR(x, FAL_F32, 2, 2, 2, 3), ty = FAL_TENSOR(y, FAL_F32, 2, 2, 2, 3);
    const fal_tensor ti = FAL_TENSOR(indices, FAL_I64, 2, 2, 2, 3);
    fal_pool_params p = {.kernel = {1, 1}};
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, &ti), FAL_OK);
    for (int i = 0; i < 24; i++) assert_int_equal(indices[i], i % 6);
    p.index_mode = FAL_INDEX_TENSOR;
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, &ti), FAL_OK);
    for (int i = 0; i < 24; i++) assert_int_equal(indices[i], i);
    /* ONNX storage_order 1: columns of a plane one after another: 0 2 4 / 1 3 5 */
    static const int64_t columns[6] = {0, 2, 4, 1, 3, 5};
    p.column_major = true;
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, &ti), FAL_OK);
    for (int i = 0; i < 24; i++) assert_int_equal(indices[i], i / 6 * 6 + columns[i % 6]);
    /* Channels last: (n, h, w, c) counted as it lies. */
    p = (fal_pool_params){.kernel = {1, 1}, .index_mode = FAL_INDEX_TENSOR, .layout = FAL_NHWC};
    const fal_tensor lx = FAL_TENSOR(x, FAL_F32, 2, 2, 3, 2), ly = FAL_TENSOR(y, FAL_F32, 2, 2, 3, 2);
    const fal_tensor li = FAL_TENSOR(indices, FAL_I64, 2, 2, 3, 2);
    assert_int_equal(fal_pool(NULL, &lx, &p, &ly, &li), FAL_OK);
    for (int i = 0; i < 24; i++) assert_int_equal(indices[i], i);
}

/* The example of ONNX's MaxPool test maxpool_with_argmax_2d_precomputed_strides. */
static void onnx_example(void **state)
{
    (void)state;
    float x[25], y[4];
    int64_t indices[4];
    for (int i = 0; i < 25; i++) x[i] = (float)(i + 1);
    const fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 5, 5), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 2, 2);
    const fal_tensor ti = FAL_TENSOR(indices, FAL_I64, 1, 1, 2, 2);
    const fal_pool_params p = {.kernel = {2, 2}, .index_mode = FAL_INDEX_TENSOR, .column_major = true};
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, &ti), FAL_OK);
    static const float values[] = {7, 9, 17, 19};
    static const int64_t places[] = {6, 16, 8, 18};
    for (int i = 0; i < 4; i++) {
        assert_true(y[i] == values[i]);
        assert_int_equal(indices[i], places[i]);
    }
}

static void adaptive_windows(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7};
    fal_pool_params p = {.kind = FAL_POOL_AVERAGE, .extent = FAL_POOL_ADAPTIVE, .output_size = {3}};
    row(x, 7, &p, (float[]){2, 4, 6}, NULL, 3);
    p.output_size[0] = 0;
    row(x, 7, &p, x, NULL, 7);
    p = (fal_pool_params){.extent = FAL_POOL_ADAPTIVE, .output_size = {5}}; /* more outputs than inputs */
    row(x, 3, &p, (float[]){1, 2, 2, 3, 3}, (int64_t[]){0, 1, 1, 2, 2}, 5);
    /* Positions beyond 2^62 are found without overflow: broadcast memory, one output of very many. */
    float one = 1, y[2];
    fal_tensor wide = FAL_TENSOR(&one, FAL_F32, 1, 1, 8), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 2);
    wide.strides[2] = 0;
    p = (fal_pool_params){.kind = FAL_POOL_AVERAGE, .extent = FAL_POOL_ADAPTIVE, .output_size = {2}};
    assert_int_equal(fal_pool(NULL, &wide, &p, &ty, NULL), FAL_OK);
    assert_true(y[0] == 1 && y[1] == 1);
}

static void integers(void **state)
{
    (void)state;
    int8_t x[] = {-3, -4, 127, 127}, y[2];
    fal_tensor tx = FAL_TENSOR(x, FAL_I8, 1, 1, 4), ty = FAL_TENSOR(y, FAL_I8, 1, 1, 2);
    fal_pool_params p = {.kind = FAL_POOL_AVERAGE, .kernel = {2}};
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, NULL), FAL_OK);
    assert_true(y[0] == -3 && y[1] == 127); /* -7/2 truncated; 254 needs more than 8 bits on the way */
    fal_error error = {0};
    const fal_context context = {.error = &error};
    p.divisor = 1;
    assert_int_equal(fal_pool(&context, &tx, &p, &ty, NULL), FAL_E_OVERFLOW);
    assert_string_equal(error.found, "a result does not fit i8, the type of y");
    int64_t big[] = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN}, mean[2];
    fal_tensor tb = FAL_TENSOR(big, FAL_I64, 1, 1, 4), tm = FAL_TENSOR(mean, FAL_I64, 1, 1, 2);
    p.divisor = 0;
    assert_int_equal(fal_pool(NULL, &tb, &p, &tm, NULL), FAL_OK);
    assert_true(mean[0] == INT64_MAX && mean[1] == INT64_MIN);
    p = (fal_pool_params){.kernel = {1}, .stride = {1}, .padding_begin = {1}, .padding_end = {1}};
    int64_t best[6];
    fal_tensor tmax = FAL_TENSOR(best, FAL_I64, 1, 1, 6);
    assert_int_equal(fal_pool(NULL, &tb, &p, &tmax, NULL), FAL_OK);
    assert_true(best[0] == INT64_MIN && best[5] == INT64_MIN && best[1] == INT64_MAX);
    /* The gradient divides as forward does: 7/2 is 3. */
    int8_t gy[] = {7, -7}, gx[4];
    fal_tensor tgy = FAL_TENSOR(gy, FAL_I8, 1, 1, 2), tgx = FAL_TENSOR(gx, FAL_I8, 1, 1, 4);
    p = (fal_pool_params){.kind = FAL_POOL_AVERAGE, .kernel = {2}};
    assert_int_equal(fal_pool_grad(NULL, NULL, &tgy, &p, &tgx), FAL_OK);
    assert_true(gx[0] == 3 && gx[1] == 3 && gx[2] == -3 && gx[3] == -3);
}

/* A window of 3 halves, whose sum is rounded once. */
static void halves_are_rounded_once(void **state)
{
    (void)state;
    uint16_t x[] = {0x6800, 0x3c00, 0x3c00}, y; /* 2048, 1, 1: adding 1 to 2048 in binary16 is lost */
    fal_tensor tx = FAL_TENSOR(x, FAL_F16, 1, 1, 3), ty = FAL_TENSOR(&y, FAL_F16, 1, 1, 1);
    const fal_pool_params p = {.kind = FAL_POOL_AVERAGE, .kernel = {3}, .divisor = 1};
    assert_int_equal(fal_pool(NULL, &tx, &p, &ty, NULL), FAL_OK);
    assert_int_equal(y, 0x6801); /* 2050 */
}

static void empty_tensors(void **state)
{
    (void)state;
    float y[2] = {5, 5};
    const fal_pool_params p = {.kernel = {2}, .padding_begin = {2}, .padding_end = {2}};
    fal_tensor none = FAL_TENSOR(NULL, FAL_F32, 0, 3, 4), ny = FAL_TENSOR(NULL, FAL_F32, 0, 3, 4);
    assert_int_equal(fal_pool(NULL, &none, &p, &ny, NULL), FAL_OK);
    fal_tensor empty = FAL_TENSOR(NULL, FAL_F32, 1, 1, 0), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 2);
    assert_int_equal(fal_pool(NULL, &empty, &p, &ty, NULL), FAL_OK);
    assert_true(y[0] == -inf && y[1] == -inf);
    const fal_pool_params global = {.kind = FAL_POOL_AVERAGE, .extent = FAL_POOL_GLOBAL};
    fal_tensor t1 = FAL_TENSOR(y, FAL_F32, 1, 1, 1);
    assert_int_equal(fal_pool(NULL, &empty, &global, &t1, NULL), FAL_OK);
    assert_true(y[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maximum_takes_the_first_of_equals_and_the_last_nan),
        cmocka_unit_test(padding_never_wins),
        cmocka_unit_test(window_without_cells),
        cmocka_unit_test(padding_beyond_half_the_kernel),
        cmocka_unit_test(ceil_mode_drops_a_window_that_starts_in_the_padding),
        cmocka_unit_test(divisors_at_the_border),
        cmocka_unit_test(norms_are_norms),
        cmocka_unit_test(norm_gradients),
        cmocka_unit_test(index_modes),
        cmocka_unit_test(onnx_example),
        cmocka_unit_test(adaptive_windows),
        cmocka_unit_test(integers),
        cmocka_unit_test(halves_are_rounded_once),
        cmocka_unit_test(empty_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
