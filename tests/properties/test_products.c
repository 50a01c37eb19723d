/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_products.c: convolution as a product: composition, commutativity, separable kernels,
 * projections, and the matrix products that special shapes become.
 *
 * Small integers, exact; no reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

enum { SEEDS = 100 };
#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

static test_tensor ints(int32_t rank, const int64_t *shape, uint64_t seed)
{
    return test_made(FAL_F32, rank, shape, TEST_INT, seed);
}

static fal_tensor permuted(const fal_tensor *t, const int32_t *axes)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_permute(t, axes, &out, NULL), FAL_OK);
    return out;
}

static fal_tensor reshaped(const fal_tensor *t, int32_t rank, const int64_t *shape)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_reshape(t, rank, shape, &out, NULL), FAL_OK);
    return out;
}

/* conv(conv(x, a), b) = conv(x, c) with c[oc,ic] = sum over m of the true convolution of a[m,ic] and
 * b[oc,m]: itself a flipped convolution with ic as the batch. */
static void property_16_composition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t ic = test_draw(&r, 1, 4), m = test_draw(&r, 1, 4), oc = test_draw(&r, 1, 4);
        test_tensor x = ints(4, SHAPE(2, ic, test_draw(&r, 1, 9), test_draw(&r, 1, 9)), seed),
                    a = ints(4, SHAPE(m, ic, test_draw(&r, 1, 3), test_draw(&r, 1, 3)), seed + 100),
                    b = ints(4, SHAPE(oc, m, test_draw(&r, 1, 3), test_draw(&r, 1, 3)), seed + 200);
        fal_conv_params full = {.padding = FAL_PADDING_FULL}, flipped = full;
        flipped.flip_kernel = true;
        test_tensor xa = test_conv(false, &x.t, &a.t, NULL, &full),
                    xab = test_conv(false, &xa.t, &b.t, NULL, &full);
        fal_tensor a_by_ic = permuted(&a.t, (const int32_t[]){1, 0, 2, 3});
        test_tensor c = test_conv(false, &a_by_ic, &b.t, NULL, &flipped);
        fal_tensor c_by_oc = permuted(&c.t, (const int32_t[]){1, 0, 2, 3});
        test_tensor xc = test_conv(false, &x.t, &c_by_oc, NULL, &full);
        assert_true(test_equal(&xc.t, &xab.t, "composition"));
        test_tensor *all[] = {&x, &a, &b, &xa, &xab, &c, &xc};
        for (int i = 0; i < 7; i++) test_tensor_free(all[i]);
    }
}

static void property_17_commutativity(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        test_tensor x = ints(4, SHAPE(1, 1, test_draw(&r, 1, 12), test_draw(&r, 1, 12)), seed),
                    w = ints(4, SHAPE(1, 1, test_draw(&r, 1, 12), test_draw(&r, 1, 12)), seed + 100);
        fal_conv_params params = {.padding = FAL_PADDING_FULL, .flip_kernel = true};
        test_tensor xw = test_conv(false, &x.t, &w.t, NULL, &params),
                    wx = test_conv(false, &w.t, &x.t, NULL, &params);
        assert_true(test_equal(&xw.t, &wx.t, "commutativity"));
        test_tensor *all[] = {&x, &w, &xw, &wx};
        for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
    }
}

static void property_18_separable_kernel_is_two_passes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t kh = test_draw(&r, 1, 5), kw = test_draw(&r, 1, 5);
        test_tensor x = ints(4, SHAPE(1, 1, test_draw(&r, 5, 14), test_draw(&r, 5, 14)), seed),
                    u = ints(4, SHAPE(1, 1, kh, 1), seed + 100), v = ints(4, SHAPE(1, 1, 1, kw), seed + 200);
        fal_tensor column = reshaped(&u.t, 2, SHAPE(kh, 1)), row = reshaped(&v.t, 2, SHAPE(1, kw));
        test_tensor outer = test_tensor_new(FAL_F32, 4, SHAPE(1, 1, kh, kw), 0);
        fal_tensor matrix = reshaped(&outer.t, 2, SHAPE(kh, kw));
        assert_int_equal(fal_matmul(&column, &row, &matrix, NULL), FAL_OK);
        fal_conv_params params = {.stride = {2, 1}, .padding = FAL_PADDING_FULL};
        fal_conv_params down = {.stride = {2}, .padding = FAL_PADDING_FULL},
                        across = {.padding = FAL_PADDING_FULL};
        test_tensor whole = test_conv(false, &x.t, &outer.t, NULL, &params),
                    first = test_conv(false, &x.t, &u.t, NULL, &down),
                    second = test_conv(false, &first.t, &v.t, NULL, &across);
        assert_true(test_equal(&second.t, &whole.t, "separable"));
        test_tensor *all[] = {&x, &u, &v, &outer, &whole, &first, &second};
        for (int i = 0; i < 7; i++) test_tensor_free(all[i]);
    }
}

/* The sum of output channels weighted by r is the convolution with the weighted sum of kernels. Both
 * sums are themselves 1x1 convolutions or matrix products. */
static void property_19_projection_of_output_channels(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t ic = test_draw(&r, 1, 9), oc = test_draw(&r, 1, 40), kh = test_draw(&r, 1, 3);
        test_tensor x = test_made(FAL_F64, 4, SHAPE(1, ic, 11, 13), TEST_INT, seed),
                    w = test_made(FAL_F64, 4, SHAPE(oc, ic, kh, 2), TEST_INT, seed + 100),
                    weights = test_made(FAL_F64, 4, SHAPE(1, oc, 1, 1), TEST_INT, seed + 200),
                    mixed = test_tensor_new(FAL_F64, 4, SHAPE(1, ic, kh, 2), 0);
        fal_tensor row = reshaped(&weights.t, 2, SHAPE(1, oc)),
                   kernels = reshaped(&w.t, 2, SHAPE(oc, ic * kh * 2)),
                   mixed_row = reshaped(&mixed.t, 2, SHAPE(1, ic * kh * 2));
        assert_int_equal(fal_matmul(&row, &kernels, &mixed_row, NULL), FAL_OK);
        fal_conv_params params = {.stride = {1, 2}, .padding_begin = {1, 2}, .padding_end = {0, 1}},
                        plain = {.groups = 1};
        test_tensor y = test_conv(false, &x.t, &w.t, NULL, &params),
                    projected = test_conv(false, &y.t, &weights.t, NULL, &plain),
                    direct = test_conv(false, &x.t, &mixed.t, NULL, &params);
        assert_true(test_equal(&projected.t, &direct.t, "projection"));
        test_tensor *all[] = {&x, &w, &weights, &mixed, &y, &projected, &direct};
        for (int i = 0; i < 7; i++) test_tensor_free(all[i]);
    }
}

static void property_35_pointwise_is_a_matrix_product(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t ic = test_draw(&r, 1, 40), oc = test_draw(&r, 1, 40), space = test_draw(&r, 1, 50);
        test_tensor x = ints(3, SHAPE(1, ic, space), seed), w = ints(3, SHAPE(oc, ic, 1), seed + 100),
                    product = test_tensor_new(FAL_F32, 3, SHAPE(1, oc, space), 0);
        fal_tensor a = reshaped(&w.t, 2, SHAPE(oc, ic)), b = reshaped(&x.t, 2, SHAPE(ic, space)),
                   c = reshaped(&product.t, 2, SHAPE(oc, space));
        assert_int_equal(fal_matmul(&a, &b, &c, NULL), FAL_OK);
        test_tensor y = test_conv(false, &x.t, &w.t, NULL, &(fal_conv_params){.groups = 1});
        assert_true(test_equal(&y.t, &product.t, "pointwise"));
        test_tensor *all[] = {&x, &w, &product, &y};
        for (int i = 0; i < 4; i++) test_tensor_free(all[i]);
    }
}

static void property_35_kernel_of_the_input_size_is_a_dot_product(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t shape[] = {1, test_draw(&r, 1, 9), test_draw(&r, 1, 9), test_draw(&r, 1, 9)};
        test_tensor x = ints(4, shape, seed), w = ints(4, shape, seed + 100),
                    y = test_conv(false, &x.t, &w.t, NULL, &(fal_conv_params){.groups = 1});
        assert_int_equal(fal_tensor_count(&y.t), 1);
        assert_true(fal_tensor_get(&y.t, SHAPE(0, 0, 0, 0)) == test_dot(&x.t, &w.t));
        test_tensor *all[] = {&x, &w, &y};
        for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
    }
}

/* 1-D = 2-D with height 1 = 3-D with depth and height 1, for the whole family. */
static void property_35_unit_axes_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1, done = 0; done < SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed), q;
        if (p.spatial == 3) continue;
        done++;
        p.params.beta = 0;
        q = p;
        q.spatial = 3;
        for (int32_t a = 0; a < 3; a++) {
            int32_t from = a - (3 - p.spatial);
            bool has = from >= 0;
            q.in[a] = has ? p.in[from] : 1;
            q.k[a] = has ? p.k[from] : 1;
            q.out[a] = has ? p.out[from] : 1;
            q.params.stride[a] = has ? p.params.stride[from] : 0;
            q.params.dilation[a] = has ? p.params.dilation[from] : 0;
            q.params.padding_begin[a] = has ? p.params.padding_begin[from] : 0;
            q.params.padding_end[a] = has ? p.params.padding_end[from] : 0;
            q.params.output_padding[a] = has ? p.params.output_padding[from] : 0;
            q.params.output_size[a] = has ? p.params.output_size[from] : 0;
        }
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_operands shapes = test_problem_shapes(&q), tall = c.operands;
        tall.x = reshaped(&c.x.t, shapes.x.rank, shapes.x.shape);
        tall.w = reshaped(&c.w.t, shapes.w.rank, shapes.w.shape);
        tall.y = reshaped(&c.y.t, shapes.y.rank, shapes.y.shape);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            if (kind != TEST_FORWARD) c.operands.bias = tall.bias = (fal_tensor){0};
            test_tensor flat = test_apply(&p, kind, &c.operands), high = test_apply(&q, kind, &tall);
            fal_tensor lowered = reshaped(&high.t, flat.t.rank, flat.t.shape);
            assert_true(test_equal(&lowered, &flat.t, test_problem_text(&p, repro)));
            test_tensor_free(&flat);
            test_tensor_free(&high);
        }
        test_case_free(&c);
    }
}

/* fold(unfold(x)) = coverage * x with coverage = fold(unfold(1)), and <unfold(x), c> = <x, fold(c)>. */
static void property_36_fold_and_unfold(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        fal_conv_params params = {.kernel = {test_draw(&r, 1, 3), test_draw(&r, 1, 3)}, .spatial = 2};
        for (int a = 0; a < 2; a++) {
            params.stride[a] = test_draw(&r, 1, 3);
            params.dilation[a] = test_draw(&r, 1, 2);
            params.padding_begin[a] = test_draw(&r, 0, 3);
            params.padding_end[a] = test_draw(&r, 0, 3);
        }
        int64_t shape[] = {2, 3, test_draw(&r, 5, 9), test_draw(&r, 5, 9)};
        test_tensor x = ints(4, shape, seed), one = test_tensor_new(FAL_F32, 4, shape, 0),
                    back = test_tensor_new(FAL_F32, 4, shape, 0),
                    coverage = test_tensor_new(FAL_F32, 4, shape, 0);
        fal_tensor cols_shape;
        fal_tensor_fill(&one.t, 1, NULL);
        assert_int_equal(fal_unfold_shape(&x.t, &params, &cols_shape, NULL), FAL_OK);
        test_tensor cols = test_tensor_new(FAL_F32, cols_shape.rank, cols_shape.shape, 0),
                    other = ints(cols_shape.rank, cols_shape.shape, seed + 100);
        assert_int_equal(fal_unfold(&one.t, &params, &cols.t, NULL), FAL_OK);
        assert_int_equal(fal_fold(&cols.t, &params, &coverage.t, NULL), FAL_OK);
        assert_int_equal(fal_unfold(&x.t, &params, &cols.t, NULL), FAL_OK);
        assert_int_equal(fal_fold(&cols.t, &params, &back.t, NULL), FAL_OK);
        int64_t index[4] = {0};
        do
            assert_true(fal_tensor_get(&back.t, index) ==
                        fal_tensor_get(&coverage.t, index) * fal_tensor_get(&x.t, index));
        while (test_next(&x.t, index));
        double forward = test_dot(&cols.t, &other.t);
        assert_int_equal(fal_fold(&other.t, &params, &back.t, NULL), FAL_OK);
        assert_true(forward == test_dot(&x.t, &back.t));
        test_tensor *all[] = {&x, &one, &back, &coverage, &cols, &other};
        for (int i = 0; i < 6; i++) test_tensor_free(all[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_16_composition),
        cmocka_unit_test(property_17_commutativity),
        cmocka_unit_test(property_18_separable_kernel_is_two_passes),
        cmocka_unit_test(property_19_projection_of_output_channels),
        cmocka_unit_test(property_35_pointwise_is_a_matrix_product),
        cmocka_unit_test(property_35_kernel_of_the_input_size_is_a_dot_product),
        cmocka_unit_test(property_35_unit_axes_change_nothing),
        cmocka_unit_test(property_36_fold_and_unfold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
