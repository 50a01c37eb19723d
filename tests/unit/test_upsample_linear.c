/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_upsample_linear.c: linear up-sampling against its formulas, and as a transposed convolution.
 *
 * The oracle walks outputs and adds all inputs times the product of one-dimensional hat functions, so
 * it shares no bisection, no corners and no blocks with the library. The gradient is checked against
 * the forward matrix, entry by entry, and by the adjoint identity in numbers that are exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "support/support.h"

enum { SEEDS = 900 };
static const fal_context alone = {.threads = 1};

/* A random case: sizes of x and y in the order of the layout. */
typedef struct scene {
    fal_upsample_params params;
    fal_dtype dtype;
    int32_t rank, first, spatial; /* first spatial axis */
    int64_t in[FAL_MAX_RANK], out[FAL_MAX_RANK];
    char text[TEST_TEXT];
} scene;

static scene draw(uint64_t seed)
{
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16};
    test_stream s = {seed, 0};
    scene c = {.dtype = types[seed % 4], .spatial = (int32_t)test_draw(&s, 1, 3)};
    const bool batched = !test_chance(&s, 3);
    c.params.coordinates = (fal_coordinates)(seed % 3);
    c.params.layout = test_chance(&s, 2) ? FAL_NHWC : FAL_NCHW;
    c.params.spatial = batched && test_chance(&s, 2) ? 0 : c.spatial;
    if (batched) c.in[c.rank++] = test_draw(&s, 1, 2);
    const int64_t channels = test_chance(&s, 12) ? 70 : test_draw(&s, 1, 3);
    if (c.params.layout == FAL_NCHW) c.in[c.rank++] = channels;
    c.first = c.rank;
    for (int32_t a = 0; a < c.spatial; a++) {
        const int64_t i = test_draw(&s, 1, c.spatial == 1 ? 40 : 6), factor = test_draw(&s, 1, 4);
        c.in[c.rank] = i;
        c.out[c.rank] = test_draw(&s, 1, c.spatial == 1 ? 150 : 9);
        /* s*(i-1)+1 names s only while s <= i */
        if (c.params.coordinates == FAL_TRANSPOSED_CONV)
            c.out[c.rank] = test_chance(&s, 2) && factor <= i ? factor * (i - 1) + 1 : factor * i;
        c.rank++;
    }
    if (c.params.layout == FAL_NHWC) c.in[c.rank++] = channels;
    for (int32_t a = 0; a < c.rank; a++)
        if (c.out[a] == 0) c.out[a] = c.in[a];
    int at = snprintf(c.text, sizeof c.text, "seed %llu %s coordinates %d", (unsigned long long)seed,
                      fal_dtype_name(c.dtype), (int)c.params.coordinates);
    for (int32_t a = 0; a < c.rank; a++)
        at += snprintf(c.text + at, sizeof c.text - (size_t)at, " %lld>%lld", (long long)c.in[a],
                       (long long)c.out[a]);
    return c;
}

/* The weight of input i in output o of one axis: the hat function around its position. */
static double hat(const scene *c, int32_t axis, int64_t o, int64_t i)
{
    const double in = (double)c->in[axis], out = (double)c->out[axis];
    double position;
    switch (c->params.coordinates) {
    case FAL_HALF_PIXEL:
        position = ((double)o + 0.5) * in / out - 0.5;
        position = fmin(fmax(position, 0), in - 1);
        break;
    case FAL_ALIGN_CORNERS: position = out == 1 ? 0 : (double)o * (in - 1) / (out - 1); break;
    default: position = (double)o / ceil(out / in); break;
    }
    return fmax(0, 1 - fabs(position - (double)i));
}

/* The product over the axes; 0 in another image or channel. */
static double weight(const scene *c, const int64_t *o, const int64_t *i)
{
    double product = 1;
    for (int32_t a = 0; a < c->rank; a++)
        if (a >= c->first && a < c->first + c->spatial)
            product *= hat(c, a, o[a], i[a]);
        else if (o[a] != i[a])
            return 0;
    return product;
}

/* Relative to the sum of the terms: roundings of the type, and of positions in double. */
static void close_to(const scene *c, double actual, double expected, double gauge)
{
    const double unit = c->dtype == FAL_F64   ? 1e-13
                        : c->dtype == FAL_F32 ? 0x1p-23
                        : c->dtype == FAL_F16 ? 0x1p-10
                                              : 0x1p-7;
    if (!(fabs(actual - expected) <= unit * gauge + (c->dtype == FAL_F16 ? 0x1p-23 : 1e-30)))
        fail_msg("%s\n  %.17g, expected %.17g", c->text, actual, expected);
}

/* The dense oracle is quadratic, so channels of large cases are sampled. */
static bool left_out(const scene *c, const int64_t *index)
{
    const int32_t axis = c->params.layout == FAL_NHWC ? c->rank - 1 : c->first - 1;
    return c->in[axis] > 3 && index[axis] % 23 != 0;
}

/* The next cell of the same image and channel; false after the last. */
static bool next_cell(const scene *c, int64_t *i)
{
    for (int32_t a = c->first + c->spatial - 1; a >= c->first; a--) {
        if (++i[a] < c->in[a]) return true;
        i[a] = 0;
    }
    return false;
}

static void check_forward(const scene *c, const fal_tensor *x, const fal_tensor *y)
{
    int64_t o[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(y, o)) {
        if (left_out(c, o)) continue;
        double sum = 0, gauge = 0;
        int64_t i[FAL_MAX_RANK];
        for (int32_t a = 0; a < c->rank; a++) i[a] = a >= c->first && a < c->first + c->spatial ? 0 : o[a];
        do {
            const double term = weight(c, o, i) * fal_tensor_get(x, i);
            sum += term;
            gauge += fabs(term);
        } while (next_cell(c, i));
        close_to(c, fal_tensor_get(y, o), sum, gauge);
    }
}

static void check_gradient(const scene *c, const fal_tensor *gy, const fal_tensor *gx)
{
    int64_t i[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(gx, i)) {
        if (left_out(c, i)) continue;
        double sum = 0, gauge = 0;
        int64_t o[FAL_MAX_RANK] = {0};
        for (bool rest = true; rest; rest = test_next(gy, o)) {
            const double term = weight(c, o, i);
            if (term == 0) continue;
            sum += term * fal_tensor_get(gy, o);
            gauge += fabs(term * fal_tensor_get(gy, o));
        }
        close_to(c, fal_tensor_get(gx, i), sum, gauge);
    }
}

static void every_mode_against_hats(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const scene c = draw(seed);
        const uint64_t strides = seed % 2 ? seed : 0;
        test_tensor x = test_tensor_new(c.dtype, c.rank, c.in, strides);
        test_tensor y = test_tensor_new(c.dtype, c.rank, c.out, strides);
        test_tensor gy = test_tensor_new(c.dtype, c.rank, c.out, strides);
        test_tensor gx = test_tensor_new(c.dtype, c.rank, c.in, strides);
        fal_error error = {0};
        const fal_context context = {.threads = 1, .error = &error};
        test_fill_tensor(&x.t, TEST_REAL, seed);
        test_fill_tensor(&gy.t, TEST_REAL, seed + 1);
        assert_true(test_ok(fal_upsample(&context, &x.t, &c.params, &y.t), &error, c.text));
        assert_true(test_ok(fal_upsample_grad(&context, &gy.t, &c.params, &gx.t), &error, c.text));
        assert_true(test_tensor_gaps_intact(&y) && test_tensor_gaps_intact(&gx));
        check_forward(&c, &x.t, &y.t);
        if (fal_tensor_count(&x.t) * fal_tensor_count(&gy.t) < 200000) check_gradient(&c, &gy.t, &gx.t);
        test_tensor_free(&x);
        test_tensor_free(&y);
        test_tensor_free(&gy);
        test_tensor_free(&gx);
    }
}

/* Factors of two have exact weights, so that <up(x), gy> = <x, grad(gy)> holds exactly. */
static void gradient_is_the_adjoint(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const bool corners = seed % 3 == FAL_ALIGN_CORNERS;
        const fal_upsample_params p = {.coordinates = (fal_coordinates)(seed % 3)};
        const int64_t i = 2 + (int64_t)(seed % 4), f = seed % 2 ? 2 : 4;
        const int64_t in[] = {2, 3, i, 3}, out[] = {2, 3, corners ? f * (i - 1) + 1 : f * i, corners ? 5 : 6};
        test_tensor x = test_made(FAL_F32, 4, in, TEST_INT, seed),
                    y = test_made(FAL_F32, 4, out, TEST_NAN, 1);
        test_tensor gy = test_made(FAL_F32, 4, out, TEST_INT, seed + 1),
                    gx = test_made(FAL_F32, 4, in, TEST_NAN, 1);
        assert_int_equal(fal_upsample(&alone, &x.t, &p, &y.t), FAL_OK);
        assert_int_equal(fal_upsample_grad(&alone, &gy.t, &p, &gx.t), FAL_OK);
        assert_true(test_dot(&y.t, &gy.t) == test_dot(&x.t, &gx.t));
        test_tensor_free(&x);
        test_tensor_free(&y);
        test_tensor_free(&gy);
        test_tensor_free(&gx);
    }
}

/* The header's words: stride s, kernel 1-|t|/s, padding s-1, here in one dimension. */
static void equals_the_transposed_convolution(void **state)
{
    (void)state;
    for (int64_t s = 1; s <= 8; s *= 2)
        for (int64_t i = s; i <= 9; i++)
            for (int64_t extra = 0; extra <= (s > 1); extra++) {
                const int64_t shape[] = {1, 1, i}, taps[] = {1, 1, 2 * s - 1};
                const int64_t out[] = {1, 1, s * (i - 1) + 1 + extra * (s - 1)};
                test_tensor x = test_made(FAL_F64, 3, shape, TEST_INT, (uint64_t)i);
                test_tensor w = test_made(FAL_F64, 3, taps, TEST_ZERO, 1),
                            y = test_made(FAL_F64, 3, out, TEST_NAN, 1);
                for (int64_t t = 0; t < 2 * s - 1; t++)
                    fal_tensor_set(&w.t, (int64_t[]){0, 0, t}, 1 - fabs((double)(t - s + 1)) / (double)s);
                const fal_conv_params q = {.stride = {s},
                                           .padding_begin = {s - 1},
                                           .padding_end = {s - 1},
                                           .output_padding = {extra * (s - 1)}};
                test_tensor expected = test_conv(true, &x.t, &w.t, NULL, &q);
                const fal_upsample_params p = {.coordinates = FAL_TRANSPOSED_CONV};
                assert_int_equal(fal_upsample(&alone, &x.t, &p, &y.t), FAL_OK);
                assert_true(test_equal(&y.t, &expected.t, "triangle kernel"));
                test_tensor_free(&x);
                test_tensor_free(&w);
                test_tensor_free(&y);
                test_tensor_free(&expected);
            }
}

static void row(const float *x, int64_t i, const float *y, int64_t o, fal_coordinates coordinates)
{
    float from[8], actual[32];
    for (int64_t j = 0; j < i; j++) from[j] = x[j];
    fal_tensor tx = FAL_TENSOR(from, FAL_F32, 1, 1, i), ty = FAL_TENSOR(actual, FAL_F32, 1, 1, o);
    const fal_upsample_params p = {.coordinates = coordinates};
    assert_int_equal(fal_upsample(NULL, &tx, &p, &ty), FAL_OK);
    for (int64_t j = 0; j < o; j++) assert_true(actual[j] == y[j]);
}

static void small_tables(void **state)
{
    (void)state;
    const float x[] = {0, 4, 8}, inf = INFINITY;
    row(x, 3, (float[]){0, 1, 3, 5, 7, 8}, 6, FAL_HALF_PIXEL);
    row(x, 3, (float[]){0, 2, 4, 6, 8}, 5, FAL_ALIGN_CORNERS);
    row(x, 3, (float[]){0}, 1, FAL_ALIGN_CORNERS);
    row(x, 3, (float[]){4}, 1, FAL_HALF_PIXEL);
    row(x, 3, (float[]){0, 2, 4, 6, 8}, 5, FAL_TRANSPOSED_CONV);
    row(x, 3, (float[]){0, 2, 4, 6, 8, 4}, 6, FAL_TRANSPOSED_CONV);
    row(x + 1, 1, (float[]){4, 3, 2, 1}, 4, FAL_TRANSPOSED_CONV);
    row(x, 3, x, 3, FAL_HALF_PIXEL);
    /* A neighbour of weight 0 is not read: infinity spreads no NaN. */
    row((float[]){1, inf, 3}, 3, (float[]){1, inf, inf, inf, 3}, 5, FAL_ALIGN_CORNERS);
    row((float[]){1, inf, 3}, 3, (float[]){1, inf, 3}, 3, FAL_HALF_PIXEL);
}

static void layouts_and_threads_give_equal_bits(void **state)
{
    (void)state;
    const int64_t in[] = {2, 5, 40, 41}, out[] = {2, 5, 90, 100};
    test_tensor x = test_made(FAL_F32, 4, in, TEST_REAL, 3), gy = test_made(FAL_F32, 4, out, TEST_REAL, 4);
    for (int coordinates = 0; coordinates < 2; coordinates++) {
        fal_upsample_params p = {.coordinates = (fal_coordinates)coordinates};
        test_tensor y = test_made(FAL_F32, 4, out, TEST_NAN, 1), gx = test_made(FAL_F32, 4, in, TEST_NAN, 1);
        assert_int_equal(fal_upsample(&alone, &x.t, &p, &y.t), FAL_OK);
        assert_int_equal(fal_upsample_grad(&alone, &gy.t, &p, &gx.t), FAL_OK);
        for (int32_t threads = 1; threads <= 3; threads++) {
            test_runs runs = {0};
            const fal_context context = {.threads = threads, .executor = test_executor_threads(&runs)};
            const int32_t axes[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
            fal_tensor last[4];
            test_tensor made[4];
            const fal_tensor *first[4] = {&x.t, &y.t, &gy.t, &gx.t};
            for (int k = 0; k < 4; k++) { /* channels-last copies */
                fal_tensor seen;
                assert_int_equal(fal_tensor_permute(first[k], axes, &seen, NULL), FAL_OK);
                made[k] = test_tensor_copy(&seen, FAL_F32);
            }
            p.layout = FAL_NHWC;
            assert_int_equal(fal_upsample(&context, &made[0].t, &p, &made[1].t), FAL_OK);
            assert_int_equal(fal_upsample_grad(&context, &made[2].t, &p, &made[3].t), FAL_OK);
            assert_int_equal(runs.most, threads == 1 ? 0 : threads);
            for (int k = 0; k < 4; k++) {
                assert_int_equal(fal_tensor_permute(&made[k].t, back, &last[k], NULL), FAL_OK);
                assert_true(test_same_bits(&last[k], first[k], "channels last"));
                test_tensor_free(&made[k]);
            }
        }
        test_tensor_free(&y);
        test_tensor_free(&gx);
    }
    test_tensor_free(&x);
    test_tensor_free(&gy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_against_hats),
        cmocka_unit_test(gradient_is_the_adjoint),
        cmocka_unit_test(equals_the_transposed_convolution),
        cmocka_unit_test(small_tables),
        cmocka_unit_test(layouts_and_threads_give_equal_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
