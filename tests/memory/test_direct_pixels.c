/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_direct_pixels.c: direct convolution with pixels in the lanes, at every tail.
 *
 * Rows of every length around a few vectors, every number of output channels of a tile, blocks of one and of
 * several ranges of input channels, strides that are copied by vectors and by elements: small integers in
 * guarded memory equal the reference, at every CPU level, with packed weights and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "support/support.h"

static test_problem new_problem(int32_t spatial, int64_t ic, int64_t oc)
{
    test_problem p = {.batched = true, .has_bias = oc % 2 == 0, .dtype = FAL_F32, .spatial = spatial, .n = 1};
    p.ic = ic, p.oc = oc;
    p.params.groups = 1;
    p.params.algorithm = "direct-pixels";
    for (int a = 0; a < spatial; a++) p.in[a] = p.k[a] = p.params.stride[a] = p.params.dilation[a] = 1;
    return p;
}

/* By the solver, in memory that lies as `seed` says, and by the reference. */
static void check_case(const test_problem *p, fal_operator op, const test_case *c, uint64_t seed,
                       fal_cpu_level cpu)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    fal_context context = {.threads = 1 + (int32_t)(seed % 3), .cpu = cpu, .error = &error};
    test_result expected = test_result_new(c, op, 0), r = test_result_new(c, op, seed % 2);
    test_problem_text(p, repro);
    assert_true(test_ok(fal_reference(op, &expected.operands, &p->params, &error), &error, repro));
    assert_true(
        test_ok(test_plan(&context, op, &r.operands, &p->params, seed % 3 == 0, 0xFF), &error, repro));
    assert_true(test_equal(&r.out.t, &expected.out.t, repro));
    assert_true(test_tensor_gaps_intact(&r.out));
    test_result_free(&expected);
    test_result_free(&r);
}

static void check_operator(test_problem p, fal_operator op, uint64_t seed)
{
    p.seed = seed;
    test_problem_sizes(&p);
    test_case c = test_case_new(&p, TEST_INT, seed % 4 == 3 ? seed : 0);
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        check_case(&p, op, &c, seed, cpu);
    test_case_free(&c);
}

static void check(test_problem p, uint64_t seed)
{
    check_operator(p, FAL_OP_CONV, seed);
}

/* Read in place: 1 to 70 pixels, 1 to 30 output channels. */
static void pointwise(void **state)
{
    (void)state;
    for (int64_t width = 1; width <= 70; width++) {
        test_problem p = new_problem(1, 3, 1 + width * 7 % 30);
        p.in[0] = width;
        p.dtype = width % 3 == 0 ? FAL_F64 : FAL_F32;
        check(p, (uint64_t)width);
    }
}

/* Few output channels take more vectors at a time. */
static void few_outputs(void **state)
{
    (void)state;
    for (int64_t oc = 1; oc <= 9; oc++)
        for (int64_t width = 100; width <= 180; width += 13) {
            test_problem p = new_problem(1, 2, oc);
            p.in[0] = width;
            p.k[0] = 3;
            check(p, (uint64_t)(oc * 200 + width));
        }
}

static void strided_rows(void **state)
{
    (void)state;
    for (int64_t width = 7; width <= 75; width += 2)
        for (int64_t s = 1; s <= 4; s++) {
            test_problem p = new_problem(1, 2, 3);
            p.in[0] = width;
            p.k[0] = 4;
            p.params.stride[0] = s;
            p.params.padding_begin[0] = width % 4 - 1;
            p.params.padding_end[0] = width % 3;
            check(p, (uint64_t)(width * 4 + s));
        }
}

/* Short rows that follow each other in the lanes, on padding, with cut blocks where it is wide. */
static void planes(void **state)
{
    (void)state;
    static const fal_padding_mode modes[] = {FAL_PAD_ZEROS, FAL_PAD_REPLICATE, FAL_PAD_ZEROS,
                                             FAL_PAD_CONSTANT};
    for (int64_t i = 0; i < 120; i++) {
        test_problem p = new_problem(2, 1 + i % 5, 1 + i * 5 % 17);
        p.n = 1 + i % 2;
        for (int a = 0; a < 2; a++) {
            p.in[a] = a == 0 ? 5 + i % 9 : 5 + i % 31;
            p.k[a] = 3;
            p.params.stride[a] = 1 + i / 4 % 2;
            p.params.dilation[a] = 1 + i / 8 % 2;
            p.params.padding_begin[a] = i % 3, p.params.padding_end[a] = (i + a) % 3;
        }
        p.params.padding_mode = modes[i % 4];
        p.params.padding_value = i % 4 == 3 ? 2 : 0;
        check(p, (uint64_t)i);
    }
}

/* Blocks that end where the taps of a dilated kernel change. */
static void far_taps(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 40; i++) {
        test_problem p = new_problem(2, 1 + i % 4, 1 + i * 5 % 17);
        for (int a = 0; a < 2; a++) {
            p.in[a] = 13 + (a == 0 ? i % 7 : i);
            p.k[a] = 3;
            p.params.dilation[a] = p.params.padding_begin[a] = p.params.padding_end[a] = 4 + i % 9;
        }
        check(p, (uint64_t)i);
    }
}

/* An input gradient of stride 2 writes every second element, of stride 3 every third; where the kernel is no
 * wider than the stride, planes are read in place. */
static void every_other(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 320; i++) {
        test_problem p = new_problem(i % 2 == 0 ? 2 : 3, 1 + i % 16, 1 + i % 4);
        p.dtype = i % 5 == 0 ? FAL_F64 : FAL_F32;
        for (int a = 0; a < p.spatial; a++) {
            p.params.stride[a] = 2 + i / 80;
            p.k[a] = p.params.stride[a] + (i % 3 == 0);
            p.in[a] = a + 1 < p.spatial ? 2 * p.k[a] : p.k[a] + i % 80;
        }
        p.has_bias = false;
        p.params.beta = i % 4 < 2 ? 0 : 1;
        check_operator(p, FAL_OP_CONV_GRAD_INPUT, (uint64_t)i);
    }
}

/* Sums that are put aside between ranges of input channels; an old y, an activation. */
static void many_channels(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 6; i++) {
        test_problem p = new_problem(2, 120 + i, 29 + i);
        for (int a = 0; a < 2; a++) {
            p.in[a] = 7 + i;
            p.k[a] = i % 3 == 0 ? 1 : 3;
            p.params.padding_begin[a] = p.params.padding_end[a] = i % 3 == 0 ? 0 : 1;
        }
        p.params.beta = i % 2 == 0 ? 0 : 1;
        p.params.activation = i % 4 < 2 ? FAL_ACTIVATION_NONE : FAL_ACTIVATION_RELU;
        check(p, (uint64_t)i);
    }
}

/* The taps of an infinite weight that fall on padding do not exist. */
static void infinite_weights(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 9; i++) {
        test_problem p = new_problem(2, 2, 4);
        for (int a = 0; a < 2; a++) {
            p.in[a] = 6 + i;
            p.k[a] = 3;
            p.params.padding_begin[a] = p.params.padding_end[a] = 1;
        }
        p.seed = (uint64_t)i;
        test_problem_sizes(&p);
        test_case c = test_case_new(&p, TEST_POS, 0);
        const int64_t index[FAL_MAX_RANK] = {1, 1, i / 3, i % 3};
        fal_tensor_set(&c.w.t, index, INFINITY);
        fal_error error = {0};
        fal_context context = {.error = &error};
        test_result r = test_result_new(&c, FAL_OP_CONV, 0), other = test_result_new(&c, FAL_OP_CONV, 0);
        fal_conv_params gemm = p.params;
        gemm.algorithm = "implicit-gemm";
        assert_true(
            test_ok(test_plan(&context, FAL_OP_CONV, &r.operands, &p.params, i % 2, 0xFF), &error, "inf"));
        assert_true(
            test_ok(test_plan(&context, FAL_OP_CONV, &other.operands, &gemm, false, 0xFF), &error, "inf"));
        assert_true(test_same_bits(&r.out.t, &other.out.t, "an infinite weight"));
        test_result_free(&r);
        test_result_free(&other);
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise),     cmocka_unit_test(few_outputs),      cmocka_unit_test(strided_rows),
        cmocka_unit_test(planes),        cmocka_unit_test(far_taps),         cmocka_unit_test(every_other),
        cmocka_unit_test(many_channels), cmocka_unit_test(infinite_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
