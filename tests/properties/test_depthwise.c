/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_depthwise.c: layers of many small groups, by the solvers made for them.
 *
 * Every number of channels from 2 to beyond two vectors, so that all tails occur, with kernels, strides,
 * dilations and pads that reach every path of the kernels; forward and backward, in both layouts, with bias,
 * beta and activation, at every CPU level. Bits must be those of implicit-gemm. The operands lie between
 * pages that fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

/* How one axis is walked. */
typedef struct walk {
    int64_t in, k, stride, dilation, begin, end;
} walk;

static const walk rows[] = {{5, 3, 1, 1, 1, 1},  {9, 3, 2, 1, 0, 1}, {6, 2, 1, 3, 2, 2}, {4, 1, 3, 1, 0, 0},
                            {15, 3, 1, 2, 2, 1}, {6, 5, 1, 1, 2, 2}, {11, 7, 1, 1, 3, 3}};
static const walk columns[] = {
    {7, 3, 1, 1, 1, 1},   {16, 3, 1, 1, 0, 2}, {23, 3, 2, 1, 1, 1}, {30, 5, 1, 1, 2, 2},
    {19, 5, 2, 1, 4, 4},  {14, 7, 1, 1, 3, 3}, {31, 7, 2, 1, 3, 3}, {9, 2, 1, 1, 0, 0},
    {40, 17, 1, 1, 8, 8}, {25, 4, 3, 1, 2, 1}, {21, 3, 1, 4, 4, 4}, {26, 3, 2, 3, 2, 5},
    {2, 3, 1, 1, 2, 2},   {5, 9, 1, 1, 9, 8},  {37, 1, 1, 1, 0, 0}, {33, 1, 2, 1, 1, 1},
};
enum { ROWS = sizeof rows / sizeof rows[0], COLUMNS = sizeof columns / sizeof columns[0] };

static void set_axis(test_problem *p, int a, walk w)
{
    p->in[a] = w.in;
    p->k[a] = w.k;
    p->params.stride[a] = w.stride;
    p->params.dilation[a] = w.dilation;
    p->params.padding_begin[a] = w.begin;
    p->params.padding_end[a] = w.end;
}

static test_problem problem_of(uint64_t seed, int64_t groups, int64_t ic, int64_t oc)
{
    static const fal_activation activations[] = {FAL_ACTIVATION_NONE, FAL_ACTIVATION_RELU,
                                                 FAL_ACTIVATION_LEAKY_RELU};
    test_problem p = {.seed = seed,
                      .batched = true,
                      .has_bias = test_random(seed, 0) % 2 == 0,
                      .dtype = test_random(seed, 1) % 4 == 0 ? FAL_F64 : FAL_F32,
                      .spatial = 2,
                      .n = 1 + (int64_t)(seed % 2),
                      .ic = ic,
                      .oc = oc};
    p.params.groups = groups;
    p.params.layout = test_random(seed, 2) % 2 ? FAL_NHWC : FAL_NCHW;
    p.params.beta = test_random(seed, 3) % 3 == 0 ? -1 : 0;
    p.params.flip_kernel = test_random(seed, 4) % 4 == 0;
    p.params.activation = activations[test_random(seed, 5) % 3];
    p.params.accuracy = FAL_ACCURACY_STRICT;
    p.transposed = test_random(seed, 6) % 4 == 0;
    set_axis(&p, 0, rows[seed % ROWS]);
    set_axis(&p, 1, columns[seed % COLUMNS]);
    test_problem_sizes(&p);
    if (p.out[0] < 1 || p.out[1] < 1) { /* a transposed layer that its pads leave nothing of */
        p.transposed = false;
        test_problem_sizes(&p);
    }
    return p;
}

/* By a plan of the named solver; false when it refuses. */
static bool solve(const char *solver, fal_cpu_level cpu, fal_operator op, const test_problem *p,
                  const fal_operands *operands, bool packed)
{
    fal_error error = {0};
    fal_context context = {.threads = 1 + (int32_t)(p->seed % 3), .cpu = cpu, .error = &error};
    fal_conv_params params = p->params;
    char repro[TEST_TEXT];
    if (op != FAL_OP_CONV && op != FAL_OP_CONV_TRANSPOSE) params.activation = FAL_ACTIVATION_NONE;
    params.algorithm = solver;
    const fal_status status = test_plan(&context, op, operands, &params, packed, 0xA5);
    if (status == FAL_E_UNSUPPORTED) return false;
    assert_true(test_ok(status, &error, test_problem_text(p, repro)));
    return true;
}

/* Whether the solver ran; its bits are then those of implicit-gemm. */
static bool check(const char *solver, fal_cpu_level cpu, const test_problem *p, test_kind kind)
{
    char repro[TEST_TEXT];
    const fal_operator op = test_operator(p, kind);
    test_case c = test_case_new(p, TEST_REAL, 0);
    test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&c, op, 0);
    const bool ran = solve(solver, cpu, op, p, &actual.operands, p->seed % 2 == 0);
    if (ran) {
        assert_true(solve("implicit-gemm", cpu, op, p, &expected.operands, false));
        assert_true(test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(p, repro)));
        assert_true(test_tensor_gaps_intact(&actual.out));
    }
    test_result_free(&expected);
    test_result_free(&actual);
    test_case_free(&c);
    return ran;
}

static void depthwise_at_all_tails(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++)
        for (uint64_t seed = 0; seed < 36 * COLUMNS / 4; seed++) {
            const test_problem p = problem_of(seed * 7 + (uint64_t)cpu, 2 + (int64_t)(seed % 36), 1, 1);
            assert_true(check("depthwise", cpu, &p, TEST_FORWARD));
            assert_true(check("depthwise", cpu, &p, TEST_GRAD_INPUT));
        }
}

/* Square kernels on channels first, of every width from 1 to beyond two vectors. */
static void planes_of_all_widths(void **state)
{
    (void)state;
    static const walk kernels[] = {{0, 3, 1, 1, 1, 1}, {0, 3, 2, 1, 1, 1}, {0, 3, 1, 1, 0, 2},
                                   {0, 3, 1, 9, 9, 8}, {0, 3, 2, 1, 0, 2}, {0, 3, 1, 2, 2, 1},
                                   {0, 3, 1, 3, 4, 4}, {0, 3, 2, 1, 2, 0}};
    int64_t ran = 0;
    for (int64_t width = 1; width <= 50; width++)
        for (uint64_t k = 0; k < 8; k++) {
            const uint64_t seed = 8 * (uint64_t)width + k;
            test_problem p = problem_of(seed, 2 + (int64_t)(seed % 3), 1, 1);
            walk row = kernels[k], column = kernels[k];
            row.in = 1 + (int64_t)(test_random(seed, 7) % 17);
            column.in = width;
            set_axis(&p, 0, row);
            set_axis(&p, 1, column);
            p.params.layout = FAL_NCHW;
            p.dtype = FAL_F32;
            p.transposed = false;
            test_problem_sizes(&p);
            if (p.out[0] < 1 || p.out[1] < 1) continue;
            ran += check("depthwise-planes", FAL_CPU_AUTO, &p, TEST_FORWARD);
            ran += check("depthwise-planes", FAL_CPU_AUTO, &p, TEST_GRAD_INPUT);
        }
    /* Rows of more tiles than a segment holds. */
    for (uint64_t seed = 0; seed < 6; seed++) {
        test_problem p = problem_of(seed, 3, 1, 1);
        set_axis(
            &p, 0,
            (walk){.in = 9, .k = 3, .stride = 1 + (int64_t)(seed % 2), .dilation = 1, .begin = 1, .end = 1});
        set_axis(
            &p, 1,
            (walk){
                .in = 700, .k = 3, .stride = 1 + (int64_t)(seed % 2), .dilation = 1, .begin = 1, .end = 1});
        p.params.layout = FAL_NCHW;
        p.dtype = FAL_F32;
        p.transposed = false;
        test_problem_sizes(&p);
        ran += check("depthwise-planes", FAL_CPU_AUTO, &p, TEST_FORWARD);
    }
    if (fal_cpu_detect() >= FAL_CPU_AVX512) assert_true(ran > 500);
}

/* Channels of a group that are a part of a vector at some level (2 and 4 of 8 floats, 8 of 16, 2 of 4
 * doubles), or a few of them. */
static void groups_of_few_channels(void **state)
{
    (void)state;
    static const int64_t channels[][2] = {{1, 2}, {2, 2},   {1, 4},   {3, 4},  {4, 4},  {8, 8},
                                          {5, 8}, {16, 16}, {12, 16}, {3, 32}, {32, 64}};
    int64_t ran = 0;
    for (fal_cpu_level cpu = FAL_CPU_AVX2; cpu <= fal_cpu_detect(); cpu++)
        for (uint64_t seed = 0; seed < 30 * COLUMNS; seed++) {
            const int64_t *c = channels[seed % 11];
            test_problem p = problem_of(seed * 3 + (uint64_t)cpu, 2 + (int64_t)(seed % 11), c[0], c[1]);
            ran += check("grouped-channels", cpu, &p, TEST_FORWARD);
            ran += check("grouped-channels", cpu, &p, TEST_GRAD_INPUT);
        }
    if (fal_cpu_detect() >= FAL_CPU_AVX2) assert_true(ran > 10 * COLUMNS);
}

/* Weight gradients of layers whose borders copy cells. */
static void borders_of_gradients(void **state)
{
    (void)state;
    static const fal_padding_mode modes[] = {FAL_PAD_ZEROS, FAL_PAD_REFLECT, FAL_PAD_REPLICATE,
                                             FAL_PAD_CIRCULAR};
    for (uint64_t seed = 0; seed < 8 * COLUMNS; seed++) {
        test_problem p = problem_of(seed, 2 + (int64_t)(seed % 21), 1, 1);
        p.params.padding_mode = modes[test_random(seed, 8) % 4];
        p.has_bias = false; /* whose gradient is a problem of its own */
        p.params.beta = 0;
        p.transposed = false;
        for (int a = 0; a < 2; a++) { /* a reflection reaches no further than the axis */
            p.params.padding_begin[a] =
                p.params.padding_begin[a] < p.in[a] ? p.params.padding_begin[a] : p.in[a] - 1;
            p.params.padding_end[a] =
                p.params.padding_end[a] < p.in[a] ? p.params.padding_end[a] : p.in[a] - 1;
        }
        test_problem_sizes(&p);
        if (p.out[0] < 1 || p.out[1] < 1) continue;
        assert_true(check("channel-products", FAL_CPU_AUTO, &p, TEST_GRAD_WEIGHT));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depthwise_at_all_tails),
        cmocka_unit_test(planes_of_all_widths),
        cmocka_unit_test(groups_of_few_channels),
        cmocka_unit_test(borders_of_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
