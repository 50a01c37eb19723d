/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Coverage and its sum against pairing every output with every tap, for all small numbers, and what a
 * whole problem costs against counting its products one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"
#include "geometry/geometry.h"

enum { ROOM = 80 };

static void check_axis(fal_axis a, bool transposed)
{
    if ((transposed ? fal_conv_transpose_size(&a, NULL) : fal_conv_size(&a, NULL)) != FAL_OK) return;
    int64_t outputs[ROOM] = {0}, inputs[ROOM] = {0}, all = 0;
    assert_in_range(a.output, 0, ROOM);
    int64_t n = transposed ? a.input : a.output, size = transposed ? a.output : a.input;
    for (int64_t from = 0; from < n; from++)
        for (int64_t t = 0; t < a.kernel; t++) {
            int64_t to = from * a.stride + t * a.dilation - a.begin;
            if (to < 0 || to >= size) continue;
            outputs[transposed ? to : from]++;
            inputs[transposed ? from : to]++;
            all++;
        }
    int64_t found[ROOM], products;
    memset(found, 0xff, sizeof found);
    assert_int_equal(fal_coverage_outputs(&a, transposed, found, NULL), FAL_OK);
    assert_memory_equal(found, outputs, (size_t)a.output * sizeof *found);
    if (a.output < ROOM) assert_int_equal(found[a.output], -1);
    memset(found, 0xff, sizeof found);
    assert_int_equal(fal_coverage_inputs(&a, transposed, found, NULL), FAL_OK);
    assert_memory_equal(found, inputs, (size_t)a.input * sizeof *found);
    assert_int_equal(found[a.input], -1);
    assert_int_equal(fal__axis_products(&a, transposed, &products, NULL), FAL_OK);
    assert_int_equal(products, all);
}

static void test_every_small_axis(void **state)
{
    (void)state;
    for (int64_t i = 0; i <= 12; i++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 4; s++)
                for (int64_t d = 1; d <= 4; d++)
                    for (int64_t begin = -3; begin <= 4; begin++)
                        for (int64_t end = -3; end <= 4; end++) {
                            fal_axis a = {.input = i,
                                          .kernel = k,
                                          .stride = s,
                                          .dilation = d,
                                          .begin = begin,
                                          .end = end};
                            check_axis(a, false);
                            check_axis(a, true);
                            a.output_padding = (s > d ? s : d) - 1;
                            check_axis(a, true);
                        }
}

static void expect(fal_axis a, int64_t count, const int64_t *counts)
{
    int64_t found[ROOM];
    assert_int_equal(fal_conv_transpose_size(&a, NULL), FAL_OK);
    assert_int_equal(a.output, count);
    assert_int_equal(fal_coverage_outputs(&a, true, found, NULL), FAL_OK);
    assert_memory_equal(found, counts, (size_t)count * sizeof *found);
}

/* Checkerboards and holes of transposed convolutions. */
static void test_known_patterns(void **state)
{
    (void)state;
    expect((fal_axis){.input = 5, .kernel = 3, .stride = 2}, 11,
           (int64_t[]){1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1});
    expect((fal_axis){.input = 5, .kernel = 3, .stride = 2, .dilation = 2}, 13,
           (int64_t[]){1, 0, 2, 0, 3, 0, 3, 0, 3, 0, 2, 0, 1});
    expect((fal_axis){.input = 3, .kernel = 1, .stride = 3}, 7, (int64_t[]){1, 0, 0, 1, 0, 0, 1});
    expect((fal_axis){.input = 3, .kernel = 4, .stride = 2, .begin = 1, .end = 1}, 6,
           (int64_t[]){1, 2, 2, 2, 2, 1});
}

/* Large numbers whose answer is known without counting. */
static void test_large_axes(void **state)
{
    (void)state;
    int64_t products, huge = INT64_C(1) << 40;
    fal_axis a = {.input = huge, .kernel = huge / 2};
    assert_int_equal(fal__axis_products(&a, false, &products, NULL), FAL_E_OVERFLOW); /* about 2^78 */
    a = (fal_axis){.input = huge, .kernel = 4, .stride = 4};
    assert_int_equal(fal__axis_products(&a, false, &products, NULL), FAL_OK);
    assert_int_equal(products, huge);
    /* `same`: three taps everywhere but one less at both ends */
    a = (fal_axis){.input = huge, .kernel = 3, .begin = 1, .end = 1};
    assert_int_equal(fal__axis_products(&a, false, &products, NULL), FAL_OK);
    assert_int_equal(products, 3 * huge - 2);
    assert_int_equal(fal__axis_products(&a, true, &products, NULL), FAL_OK);
    assert_int_equal(products, 3 * huge - 2);
    /* full padding reads every input with every tap */
    a = (fal_axis){.input = 1000003, .kernel = 4001, .dilation = 7, .begin = 28000, .end = 28000};
    assert_int_equal(fal__axis_products(&a, false, &products, NULL), FAL_OK);
    assert_int_equal(products, INT64_C(1000003) * 4001);
    static const int64_t numbers[] = {INT64_MIN, -(INT64_C(1) << 62), 0,        1, 3,
                                      1000,      INT64_C(1) << 62,    INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * COUNT * COUNT; n++) {
        int64_t pick[6];
        for (int rest = n, j = 0; j < 6; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        a = (fal_axis){pick[0], pick[1], pick[2], pick[3], pick[4], pick[5], 0, 0};
        for (int transposed = 0; transposed < 2; transposed++)
            if (fal__axis_products(&a, transposed, &products, NULL) == FAL_OK) assert_true(products >= 0);
    }
}

/* Counts one product at a time. */
static void check_counts(bool transposed, int64_t groups, fal_padding_mode mode)
{
    fal_tensor x = fal_tensor_of(NULL, FAL_F32, 4, (int64_t[]){2, 4, 5, 6});
    fal_tensor w = fal_tensor_of(
        NULL, FAL_F32, 4, transposed ? (int64_t[]){4, 6 / groups, 3, 2} : (int64_t[]){6, 4 / groups, 3, 2});
    fal_conv_params p = {.stride = {2, 1},
                         .dilation = {1, 3},
                         .padding_begin = {1, 2},
                         .padding_end = {0, 2},
                         .groups = groups,
                         .padding_mode = mode};
    fal_conv_geometry g;
    fal_counts c;
    assert_int_equal(fal_conv_describe(transposed, &x, &w, &p, &g, NULL), FAL_OK);
    assert_int_equal(fal_conv_counts(&g, FAL_F32, true, &c, NULL), FAL_OK);
    int64_t all = 0, real = 0;
    for (int64_t oc = 0; oc < g.out_channels; oc++)
        for (int64_t oy = 0; oy < g.axis[0].output; oy++)
            for (int64_t ox = 0; ox < g.axis[1].output; ox++) {
                fal_term terms[64];
                int64_t count;
                assert_int_equal(fal_conv_terms(&g, oc, (int64_t[]){oy, ox}, terms, 64, &count, NULL),
                                 FAL_OK);
                all += count;
                for (int64_t t = 0; t < count; t++) real += terms[t].inside;
            }
    if (!transposed) assert_int_equal(c.multiply_adds, 2 * all);
    if (transposed) assert_int_equal(c.multiply_adds, 2 * 4 * (6 / groups) * (3 * 2) * (5 * 6));
    assert_int_equal(c.real_multiply_adds, 2 * real);
    int64_t weights = 4 * 6 / groups * 6;
    assert_int_equal(c.parameters, weights + 6);
    assert_int_equal(c.weight_bytes, 4 * (weights + 6));
    assert_int_equal(c.input_bytes, 4 * 2 * 4 * 5 * 6);
    assert_int_equal(c.output_bytes, 4 * 2 * 6 * g.axis[0].output * g.axis[1].output);
    assert_int_equal(fal_conv_counts(&g, FAL_F16, false, &c, NULL), FAL_OK);
    assert_int_equal(c.parameters, weights);
    assert_int_equal(c.weight_bytes, 2 * weights);
}

static void test_counts_equal_the_terms(void **state)
{
    (void)state;
    check_counts(false, 1, FAL_PAD_ZEROS);
    check_counts(false, 2, FAL_PAD_CONSTANT);
    check_counts(false, 2, FAL_PAD_REFLECT);
    check_counts(true, 1, FAL_PAD_ZEROS);
    check_counts(true, 2, FAL_PAD_ZEROS);
}

/* With 2 input and 4 output channels the weight holds 8 kernel planes, 4 with two groups. Depthwise and
 * pointwise together cost less than the dense layer they replace. */
static void test_known_layers(void **state)
{
    (void)state;
    static const struct {
        int64_t x[4], w[4], groups, parameters, multiply_adds;
    } layers[] = {
        {{1, 2, 5, 5}, {4, 2, 3, 3}, 1, 8 * 9, 8 * 9 * 9},
        {{1, 2, 5, 5}, {4, 1, 3, 3}, 2, 4 * 9, 4 * 9 * 9},
        {{1, 64, 34, 34}, {64, 1, 3, 3}, 64, 576, 576 * 1024},
        {{1, 64, 32, 32}, {128, 64, 1, 1}, 1, 8192, 8192 * 1024},
    };
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
        fal_tensor x = fal_tensor_of(NULL, FAL_F32, 4, layers[l].x),
                   w = fal_tensor_of(NULL, FAL_F32, 4, layers[l].w);
        fal_conv_geometry g;
        fal_counts c;
        assert_int_equal(
            fal_conv_describe(false, &x, &w, &(fal_conv_params){.groups = layers[l].groups}, &g, NULL),
            FAL_OK);
        assert_int_equal(fal_conv_counts(&g, FAL_F32, false, &c, NULL), FAL_OK);
        assert_int_equal(c.parameters, layers[l].parameters);
        assert_int_equal(c.multiply_adds, layers[l].multiply_adds);
        assert_int_equal(c.real_multiply_adds, layers[l].multiply_adds);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    fal_axis a = {.input = 5, .kernel = 3};
    int64_t counts[8];
    assert_int_equal(fal_coverage_outputs(NULL, false, counts, NULL), FAL_E_NULL);
    assert_int_equal(fal_coverage_outputs(&a, false, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_coverage_inputs(&a, true, NULL, NULL), FAL_E_NULL);
    a.kernel = 9;
    assert_int_equal(fal_coverage_inputs(&a, false, counts, NULL), FAL_E_KERNEL);
    fal_counts c;
    fal_error error;
    fal_conv_geometry g = {.batched = true,
                           .spatial = 1,
                           .n = 1,
                           .groups = 1,
                           .in_channels = 1,
                           .out_channels = 1,
                           .axis = {{5, 3, 1, 1, 0, 0, 0, 3}}};
    assert_int_equal(fal_conv_counts(&g, FAL_F32, false, &c, NULL), FAL_OK);
    assert_int_equal(fal_conv_counts(&g, FAL_DTYPE_NONE, false, &c, NULL), FAL_E_DTYPE);
    assert_int_equal(fal_conv_counts(NULL, FAL_F32, false, &c, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_counts(&g, FAL_F32, false, NULL, NULL), FAL_E_NULL);
    g.axis[0].output = 4;
    assert_int_equal(fal_conv_counts(&g, FAL_F32, false, &c, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "geometry has impossible output sizes");
    g.axis[0] = (fal_axis){INT64_MAX / 8, 1, 1, 1, 0, 0, 0, INT64_MAX / 8};
    assert_int_equal(fal_conv_counts(&g, FAL_F64, false, &c, NULL), FAL_OK);
    g.n = 2;
    assert_int_equal(fal_conv_counts(&g, FAL_F64, false, &c, NULL), FAL_E_OVERFLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_axis), cmocka_unit_test(test_known_patterns),
        cmocka_unit_test(test_large_axes),       cmocka_unit_test(test_counts_equal_the_terms),
        cmocka_unit_test(test_known_layers),     cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
