/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_reference_gradients.c: the gradients are derivatives, and the operators are adjoint.
 *
 * A convolution is linear in each operand, so the central difference with step 1 of L = sum y * gy has no
 * truncation error: on small integers it equals the gradient exactly, in f32 as in f64. No
 * tolerance, no reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

/* L = sum over y of forward(operands) * gy. */
static double loss(const test_case *c)
{
    fal_operands operands = c->operands;
    test_tensor y = test_tensor_new(operands.y.dtype, operands.y.rank, operands.y.shape, 0);
    operands.y = y.t;
    fal_error error = {0};
    char repro[TEST_TEXT];
    assert_true(test_ok(fal_reference(test_operator(&c->p, TEST_FORWARD), &operands, &c->p.params, &error),
                        &error, test_problem_text(&c->p, repro)));
    double sum = test_dot(&y.t, &c->operands.y);
    test_tensor_free(&y);
    return sum;
}

/* dL/d(element `at` of t), t an operand of c. */
static double slope(const test_case *c, const fal_tensor *t, const int64_t *at)
{
    double old = fal_tensor_get(t, at);
    fal_tensor_set(t, at, old + 1);
    double above = loss(c);
    fal_tensor_set(t, at, old - 1);
    double below = loss(c);
    fal_tensor_set(t, at, old);
    return (above - below) / 2;
}

/* Some elements of `gradient` against the slope of L at the same elements of `t`. */
static int wrong_elements(const test_case *c, const fal_tensor *t, const fal_tensor *gradient,
                          const char *what)
{
    test_stream stream = {c->p.seed, 1000};
    int64_t at[FAL_MAX_RANK], count = fal_tensor_count(t);
    int wrong = 0;
    for (int i = 0; i < 6; i++) {
        test_index(t, test_draw(&stream, 0, count - 1), at);
        double expected = slope(c, t, at), actual = fal_tensor_get(gradient, at);
        if (actual == expected) continue;
        char repro[TEST_TEXT];
        print_error("%s\n  %s is %g, slope is %g\n", test_problem_text(&c->p, repro), what, actual, expected);
        wrong++;
    }
    return wrong;
}

static int check_case(const test_case *c)
{
    int wrong = 0;
    for (test_kind kind = TEST_GRAD_INPUT; kind <= TEST_GRAD_WEIGHT; kind++) {
        fal_operator op = test_operator(&c->p, kind);
        test_result r = test_result_new(c, op, 0);
        assert_int_equal(fal_reference(op, &r.operands, &c->p.params, NULL), FAL_OK);
        bool input = kind == TEST_GRAD_INPUT;
        wrong += wrong_elements(c, input ? &c->x.t : &c->w.t, &r.out.t, input ? "gx" : "gw");
        if (!input && c->p.has_bias) wrong += wrong_elements(c, &c->bias.t, &r.operands.bias, "gb");
        test_result_free(&r);
    }
    return wrong;
}

static void gradients_are_central_differences(void **state)
{
    (void)state;
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        test_problem p = test_problem_random(seed);
        p.dtype = seed % 2 ? FAL_F32 : FAL_F64;
        p.params.beta = 0;
        test_case c = test_case_new(&p, TEST_INT, seed);
        wrong += check_case(&c);
        test_case_free(&c);
    }
    assert_int_equal(wrong, 0);
}

/* <y(x, w), gy> = <x, gx> = <w, gw>: one trilinear form, seen from each operand. A bias and a constant
 * border are not linear in x and are left out. */
static void operators_are_adjoint(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 200; seed++) {
        test_problem p = test_problem_random(seed);
        p.params.beta = 0;
        p.params.padding_value = 0;
        p.has_bias = false;
        test_case c = test_case_new(&p, TEST_INT, seed);
        double forward = loss(&c);
        for (test_kind kind = TEST_GRAD_INPUT; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result r = test_result_new(&c, op, 0);
            assert_int_equal(fal_reference(op, &r.operands, &p.params, NULL), FAL_OK);
            const fal_tensor *operand = kind == TEST_GRAD_INPUT ? &c.x.t : &c.w.t;
            assert_true(test_dot(&r.out.t, operand) == forward);
            test_result_free(&r);
        }
        test_case_free(&c);
    }
}

/* The transposed convolution of gy with the same weight, of the input's size, is the gradient of the input.
 * Its output padding is the part of the input that the last window does not reach. */
static void transposed_convolution_is_the_input_gradient(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 300; checked < 60; seed++) {
        test_problem p = test_problem_random(seed);
        if (p.transposed || p.params.padding_mode != FAL_PAD_ZEROS) continue;
        p.params.beta = 0;
        p.has_bias = false;
        test_case c = test_case_new(&p, TEST_INT, seed);
        fal_operands back = {.x = c.y.t, .w = c.w.t};
        fal_conv_params params = p.params;
        fal_conv_geometry g;
        fal_error error = {0};
        assert_int_equal(fal_conv_describe(false, &c.x.t, &c.w.t, &p.params, &g, &error), FAL_OK);
        params.padding = FAL_PADDING_EXPLICIT;
        for (int32_t a = 0; a < p.spatial; a++) {
            fal_axis transposed;
            assert_int_equal(fal_associated_transpose(&g.axis[a], &transposed, &error), FAL_OK);
            params.padding_begin[a] = transposed.begin;
            params.padding_end[a] = transposed.end;
            params.output_padding[a] = transposed.output_padding;
        }
        test_result gradient = test_result_new(&c, FAL_OP_CONV_GRAD_INPUT, 0);
        test_tensor z = test_tensor_new(FAL_F32, c.x.t.rank, c.x.t.shape, 0);
        back.y = z.t;
        char repro[TEST_TEXT];
        test_problem_text(&p, repro);
        assert_true(test_ok(fal_reference(FAL_OP_CONV_TRANSPOSE, &back, &params, &error), &error, repro));
        assert_int_equal(fal_reference(FAL_OP_CONV_GRAD_INPUT, &gradient.operands, &p.params, NULL), FAL_OK);
        assert_true(test_equal(&z.t, &gradient.out.t, repro));
        test_result_free(&gradient);
        test_tensor_free(&z);
        test_case_free(&c);
        checked++;
    }
}

/* Borders by hand: y = x~ with a kernel of one tap, so that gx counts the copies of each cell. */
static void every_padding_mode_returns_its_copies(void **state)
{
    (void)state;
    static const struct {
        fal_padding_mode mode;
        float gx[4];
    } cases[] = {
        {FAL_PAD_ZEROS, {1, 1, 1, 1}},     {FAL_PAD_REFLECT, {1, 3, 2, 1}},
        {FAL_PAD_SYMMETRIC, {2, 1, 2, 2}}, {FAL_PAD_REPLICATE, {2, 1, 1, 3}},
        {FAL_PAD_CIRCULAR, {2, 2, 1, 2}},  {FAL_PAD_CONSTANT, {1, 1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float gx[4], w[1] = {1}, gy[7] = {1, 1, 1, 1, 1, 1, 1};
        fal_operands operands = {.x = FAL_TENSOR(gx, FAL_F32, 1, 4),
                                 .w = FAL_TENSOR(w, FAL_F32, 1, 1, 1),
                                 .y = FAL_TENSOR(gy, FAL_F32, 1, 7)};
        fal_conv_params params = {
            .padding_begin = {1}, .padding_end = {2}, .padding_mode = cases[i].mode, .padding_value = 5};
        assert_int_equal(fal_reference(FAL_OP_CONV_GRAD_INPUT, &operands, &params, NULL), FAL_OK);
        for (int e = 0; e < 4; e++) assert_true(gx[e] == cases[i].gx[e]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_central_differences),
        cmocka_unit_test(operators_are_adjoint),
        cmocka_unit_test(transposed_convolution_is_the_input_gradient),
        cmocka_unit_test(every_padding_mode_returns_its_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
