/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_algebra.c: what convolution obeys as a bilinear form, without any reference.
 *
 * Forward and both gradients are the three faces of one trilinear form L(x, w, gy) =
 * <conv(x, w), gy>. Data are small integers, so that every identity holds exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "support/support.h"

enum { SEEDS = 99 };

/* A random problem without the parts that are not bilinear. */
static test_problem bilinear(uint64_t seed)
{
    test_problem p = test_problem_random(seed);
    p.has_bias = false;
    p.params.padding_value = 0;
    p.params.beta = 0;
    return p;
}

static test_tensor like(const fal_tensor *t, test_fill fill, uint64_t seed)
{
    return test_made(t->dtype, t->rank, t->shape, fill, seed);
}

/* The operands with `t` in place number `place` (0 x, 1 w, 2 y). */
static fal_operands with(fal_operands operands, int place, const fal_tensor *t)
{
    *(place == 0 ? &operands.x : place == 1 ? &operands.w : &operands.y) = *t;
    return operands;
}

/* f(a1 + a2) = f(a1) + f(a2) in operand `place`, for the operators that read it. */
static void check_additive(uint64_t seed, int place)
{
    char repro[TEST_TEXT];
    test_problem p = bilinear(seed);
    test_case c = test_case_new(&p, TEST_INT, 0);
    const fal_tensor *a1 = place == 0 ? &c.x.t : place == 1 ? &c.w.t : &c.y.t;
    test_tensor a2 = like(a1, TEST_INT, seed + 99), a12 = test_sum(1, a1, 1, &a2.t);
    fal_operands second = with(c.operands, place, &a2.t), both = with(c.operands, place, &a12.t);
    for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
        int written = kind == TEST_FORWARD ? 2 : kind == TEST_GRAD_INPUT ? 0 : 1;
        if (written == place) continue;
        test_tensor f1 = test_apply(&p, kind, &c.operands), f2 = test_apply(&p, kind, &second),
                    f12 = test_apply(&p, kind, &both), sum = test_sum(1, &f1.t, 1, &f2.t);
        assert_true(test_equal(&f12.t, &sum.t, test_problem_text(&p, repro)));
        test_tensor_free(&f1);
        test_tensor_free(&f2);
        test_tensor_free(&f12);
        test_tensor_free(&sum);
    }
    test_tensor_free(&a2);
    test_tensor_free(&a12);
    test_case_free(&c);
}

static void property_07_additive_in_x(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) check_additive(seed, 0);
}
static void property_08_additive_in_w(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 200 + SEEDS; seed++) check_additive(seed, 1);
}
static void property_08_additive_in_gy(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 300 + SEEDS; seed++) check_additive(seed, 2);
}

/* f(factor * x, factor * bias) = factor * f(x, bias) for real data, bit for bit. */
static void check_scaling(uint64_t seed, double factor)
{
    char repro[TEST_TEXT];
    test_problem p = test_problem_random(seed), q;
    p.params.beta = 0;
    q = p;
    q.params.padding_value *= factor;
    test_case c = test_case_new(&p, TEST_REAL, 0);
    test_tensor x = test_sum(factor, &c.x.t, 0, &c.x.t), b = {0};
    fal_operands scaled = with(c.operands, 0, &x.t);
    if (p.has_bias) {
        b = test_sum(factor, &c.bias.t, 0, &c.bias.t);
        scaled.bias = b.t;
    }
    test_tensor y = test_apply(&p, TEST_FORWARD, &c.operands), ys = test_apply(&q, TEST_FORWARD, &scaled),
                expected = test_sum(factor, &y.t, 0, &y.t);
    assert_true(test_equal(&ys.t, &expected.t, test_problem_text(&p, repro)));
    test_tensor_free(&x);
    test_tensor_free(&b);
    test_tensor_free(&y);
    test_tensor_free(&ys);
    test_tensor_free(&expected);
    test_case_free(&c);
}

static void property_09_scaling_by_powers_of_two(void **state)
{
    (void)state;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++) check_scaling(seed, seed % 2 ? 0x1p-20 : 0x1p7);
}
static void property_10_negation(void **state)
{
    (void)state;
    for (uint64_t seed = 500; seed < 500 + SEEDS; seed++) check_scaling(seed, -1);
}

/* A zero input or a zero weight leaves the bias, in every output. */
static void check_bias_only(uint64_t seed, bool zero_weight)
{
    char repro[TEST_TEXT];
    test_problem p = test_problem_random(seed);
    p.has_bias = true;
    if (!zero_weight) p.params.padding_value = 0;
    test_case c = test_case_new(&p, TEST_INT, 0);
    test_fill_tensor(zero_weight ? &c.w.t : &c.x.t, TEST_ZERO, 0);
    test_tensor y = test_apply(&p, TEST_FORWARD, &c.operands);
    int32_t channel = p.params.layout == FAL_NHWC ? y.t.rank - 1 : p.batched;
    int64_t index[FAL_MAX_RANK] = {0};
    bool same = true;
    do same = same && fal_tensor_get(&y.t, index) == fal_tensor_get(&c.bias.t, &index[channel]);
    while (test_next(&y.t, index));
    if (!same) print_error("%s\n", test_problem_text(&p, repro));
    assert_true(same);
    test_tensor_free(&y);
    test_case_free(&c);
}

static void property_11_zero_input_or_weight_leaves_the_bias(void **state)
{
    (void)state;
    for (uint64_t seed = 600; seed < 600 + SEEDS; seed++) check_bias_only(seed, seed % 2);
}

static void property_12_13_adjoints(void **state)
{
    (void)state;
    for (uint64_t seed = 700; seed < 700 + 2 * SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = bilinear(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_tensor y = test_apply(&p, TEST_FORWARD, &c.operands),
                    gx = test_apply(&p, TEST_GRAD_INPUT, &c.operands),
                    gw = test_apply(&p, TEST_GRAD_WEIGHT, &c.operands);
        double form = test_dot(&y.t, &c.y.t), by_x = test_dot(&gx.t, &c.x.t), by_w = test_dot(&gw.t, &c.w.t);
        if (form != by_x || form != by_w)
            print_error("%s\n  <y,gy> %g <x,gx> %g <w,gw> %g\n", test_problem_text(&p, repro), form, by_x,
                        by_w);
        assert_true(form == by_x && form == by_w);
        test_tensor_free(&y);
        test_tensor_free(&gx);
        test_tensor_free(&gw);
        test_case_free(&c);
    }
}

/* The transposed convolution with conv's own weight is conv's gradient with respect to its input:
 * the same memory serves, (oc, ic/g, k) read as (ic', oc'/g, k). And the other way round. */
static void property_12_transpose_is_the_input_gradient(void **state)
{
    (void)state;
    for (uint64_t seed = 900; seed < 900 + 2 * SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = bilinear(seed), t;
        p.params.padding_mode = FAL_PAD_ZEROS;
        p.params.padding = FAL_PADDING_EXPLICIT;
        test_problem_sizes(&p);
        bool fits = true;
        for (int32_t a = 0; a < p.spatial; a++) fits = fits && p.out[a] > 0;
        if (!fits) continue;
        t = p;
        t.transposed = !p.transposed;
        t.ic = p.oc;
        t.oc = p.ic;
        for (int32_t a = 0; a < p.spatial; a++) {
            t.in[a] = p.out[a];
            t.out[a] = p.in[a];
            t.params.output_padding[a] = 0;
            t.params.output_size[a] = t.transposed ? p.in[a] : 0;
        }
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_operands back = {.x = c.y.t, .w = c.w.t};
        if (p.transposed) { /* a plain convolution counts its own size: the tail may give one output more */
            test_problem_sizes(&t);
            for (int32_t a = 0; a < p.spatial; a++) fits = fits && t.out[a] == p.in[a];
        }
        if (fits) {
            test_tensor gx = test_apply(&p, TEST_GRAD_INPUT, &c.operands),
                        y = test_apply(&t, TEST_FORWARD, &back);
            assert_true(test_equal(&y.t, &gx.t, test_problem_text(&p, repro)));
            test_tensor_free(&gx);
            test_tensor_free(&y);
        }
        test_case_free(&c);
    }
}

/* Column by column: the matrix of the input gradient is the transposed matrix of the forward. */
static void property_14_matrix_is_transposed(void **state)
{
    (void)state;
    int done = 0;
    for (uint64_t seed = 1100; done < 20; seed++) {
        char repro[TEST_TEXT];
        test_problem p = bilinear(seed);
        fal_operands shapes = test_problem_shapes(&p);
        int64_t columns = fal_tensor_count(&shapes.x), rows = fal_tensor_count(&shapes.y);
        if (columns > 60 || rows > 60) continue;
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_tensor image[60];
        for (int64_t j = 0; j < columns; j++) {
            test_fill_tensor(&c.x.t, TEST_ONEHOT, (uint64_t)j);
            image[j] = test_apply(&p, TEST_FORWARD, &c.operands);
        }
        for (int64_t i = 0; i < rows; i++) {
            test_fill_tensor(&c.y.t, TEST_ONEHOT, (uint64_t)i);
            test_tensor row = test_apply(&p, TEST_GRAD_INPUT, &c.operands);
            for (int64_t j = 0; j < columns; j++) {
                bool same = ((float *)row.t.data)[j] == ((float *)image[j].t.data)[i];
                if (!same) print_error("%s\n", test_problem_text(&p, repro));
                assert_true(same);
            }
            test_tensor_free(&row);
        }
        for (int64_t j = 0; j < columns; j++) test_tensor_free(&image[j]);
        test_case_free(&c);
        done++;
    }
}

/* L(.. + e ..) - L(.. - e ..) over 2 for one element of operand `place` (0 x, 1 w). No truncation
 * error: L is linear in each operand, so the step can be 1. */
static double central_difference(const test_case *c, int place, const int64_t *index)
{
    const fal_tensor *t = place == 0 ? &c->x.t : &c->w.t;
    double old = fal_tensor_get(t, index), form[2];
    for (int side = 0; side < 2; side++) {
        fal_tensor_set(t, index, old + (side ? 1 : -1));
        test_tensor y = test_apply(&c->p, TEST_FORWARD, &c->operands);
        form[side] = test_dot(&y.t, &c->y.t);
        test_tensor_free(&y);
    }
    fal_tensor_set(t, index, old);
    return (form[1] - form[0]) / 2;
}

static void property_15_gradient_is_the_central_difference(void **state)
{
    (void)state;
    for (uint64_t seed = 1300; seed < 1300 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed);
        p.params.beta = 0;
        p.dtype = seed % 2 ? FAL_F32 : FAL_F64;
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_operands read = c.operands;
        read.bias = (fal_tensor){0};
        for (int place = 0; place < 2; place++) {
            test_tensor g = test_apply(&p, place == 0 ? TEST_GRAD_INPUT : TEST_GRAD_WEIGHT, &read);
            for (uint64_t k = 0; k < 3; k++) {
                int64_t index[FAL_MAX_RANK];
                test_index(&g.t, (int64_t)(test_random(seed, k) % (uint64_t)fal_tensor_count(&g.t)), index);
                double expected = central_difference(&c, place, index), actual = fal_tensor_get(&g.t, index);
                if (actual != expected)
                    print_error("%s\n  %g, difference %g\n", test_problem_text(&p, repro), actual, expected);
                assert_true(actual == expected);
            }
            test_tensor_free(&g);
        }
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_07_additive_in_x),
        cmocka_unit_test(property_08_additive_in_w),
        cmocka_unit_test(property_08_additive_in_gy),
        cmocka_unit_test(property_09_scaling_by_powers_of_two),
        cmocka_unit_test(property_10_negation),
        cmocka_unit_test(property_11_zero_input_or_weight_leaves_the_bias),
        cmocka_unit_test(property_12_13_adjoints),
        cmocka_unit_test(property_12_transpose_is_the_input_gradient),
        cmocka_unit_test(property_14_matrix_is_transposed),
        cmocka_unit_test(property_15_gradient_is_the_central_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
