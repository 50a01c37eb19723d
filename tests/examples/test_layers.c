/* SPDX-License-Identifier: BSD-3-Clause */
/* test_layers.c: worked examples of sizes, groups and whole layers. */
#include "example.h"

static int64_t conv_size(fal_axis axis)
{
    fal_error error = {0};
    if (fal_conv_size(&axis, &error) != FAL_OK) fail_msg("%s", error.found);
    return axis.output;
}

static void sizes_of_convolutions(void **state)
{
    (void)state;
    assert_int_equal(conv_size((fal_axis){.input = 7, .kernel = 5, .stride = 2, .begin = 2, .end = 2}), 4);
    assert_int_equal(conv_size((fal_axis){.input = 7, .kernel = 3, .dilation = 3}), 1);
}

/* (i-1)s - 2p + d(k-1) + output_padding + 1, and (i-1)s - 2p + k where nothing else is given. */
static void sizes_of_transposed_convolutions(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 6; i++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 3; s++)
                for (int64_t d = 1; d <= 3; d++)
                    for (int64_t extra = 0; extra < s; extra++)
                        for (int64_t p = 0; 2 * p < (i - 1) * s + d * (k - 1) + extra + 1; p++) {
                            fal_axis axis = {.input = i,
                                             .kernel = k,
                                             .stride = s,
                                             .dilation = d,
                                             .begin = p,
                                             .end = p,
                                             .output_padding = extra};
                            assert_int_equal(fal_conv_transpose_size(&axis, NULL), FAL_OK);
                            assert_int_equal(axis.output, (i - 1) * s - 2 * p + d * (k - 1) + extra + 1);
                            if (d == 1 && extra == 0) assert_int_equal(axis.output, (i - 1) * s - 2 * p + k);
                        }
}

static void depthwise_then_pointwise(void **state)
{
    (void)state;
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 64, 32, 32),
               depthwise = FAL_TENSOR(NULL, FAL_F32, 64, 1, 3, 3),
               pointwise = FAL_TENSOR(NULL, FAL_F32, 128, 64, 1, 1), y;
    fal_conv_params params = {.padding_begin = {1, 1}, .padding_end = {1, 1}, .groups = 64};
    assert_int_equal(fal_conv_output_shape(false, &x, &depthwise, &params, &y, NULL), FAL_OK);
    expect_shape(&y, 4, (int64_t[]){1, 64, 32, 32});
    assert_int_equal(fal_conv_output_shape(false, &y, &pointwise, NULL, &y, NULL), FAL_OK);
    expect_shape(&y, 4, (int64_t[]){1, 128, 32, 32});
}

/* 2 input and 4 output channels: 8 kernel planes without groups, 4 with two groups; the output has the same
 * size. */
static void groups_change_the_weight_and_not_the_output(void **state)
{
    (void)state;
    for (int64_t groups = 1; groups <= 2; groups++) {
        fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 2, 5, 5),
                   w = FAL_TENSOR(NULL, FAL_F32, 4, 2 / groups, 3, 3), y;
        fal_conv_params params = {.groups = groups};
        fal_conv_geometry g;
        fal_counts counts;
        assert_int_equal(fal_conv_describe(false, &x, &w, &params, &g, NULL), FAL_OK);
        assert_int_equal(fal_conv_counts(&g, FAL_F32, false, &counts, NULL), FAL_OK);
        assert_int_equal(counts.parameters, 9 * (groups == 1 ? 8 : 4));
        assert_int_equal(fal_conv_output_shape(false, &x, &w, &params, &y, NULL), FAL_OK);
        expect_shape(&y, 4, (int64_t[]){1, 4, 3, 3});
    }
}

/* An impulse in one channel reaches the outputs of its own group only; a shuffle, or a pointwise
 * convolution after it, mixes groups. */
static void groups_do_not_mix(void **state)
{
    (void)state;
    double x[4] = {0, 0, 1, 0}, w[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[4], mixed[4];
    fal_tensor tx = FAL_TENSOR(x, FAL_F64, 1, 4, 1), tw = FAL_TENSOR(w, FAL_F64, 4, 2, 1),
               ty = FAL_TENSOR(y, FAL_F64, 1, 4, 1), shuffled;
    fal_conv_params params = {.groups = 2};
    convolve(false, &tx, &tw, NULL, &params, &ty);
    expect(&ty, (double[]){0, 0, 5, 7});
    assert_int_equal(fal_tensor_shuffle(&ty, 1, 2, &shuffled, NULL), FAL_OK);
    expect_shape(&shuffled, 4, (int64_t[]){1, 2, 2, 1});
    expect(&shuffled, (double[]){0, 5, 0, 7});
    double ones[16];
    for (int i = 0; i < 16; i++) ones[i] = 1;
    fal_tensor pointwise = FAL_TENSOR(ones, FAL_F64, 4, 4, 1), tm = FAL_TENSOR(mixed, FAL_F64, 1, 4, 1);
    convolve(false, &ty, &pointwise, NULL, NULL, &tm);
    expect(&tm, (double[]){12, 12, 12, 12});
}

/* Batch 2, channels 2 -> 4, 5x5, 3x3, groups 2, dilation 2, stride 2, padding 1, bias, on which every
 * framework agrees. Element e of x is 7e mod 11 - 5, of w 5e mod 7 - 3; y was summed from the definition. */
static void the_configuration_of_every_framework(void **state)
{
    (void)state;
    static const double expected[] = {18, -16, 0,  -13, 6,  0,   -19, 3,   -4,  -11, 3,
                                      17, -18, 3,  -18, 10, 23,  23,  -12, 9,   -15, -15,
                                      20, -15, 17, -11, 10, -11, 10,  -4,  -18, -11};
    double x[100], w[36], bias[] = {1, -2, 3, -4}, y[32];
    for (int e = 0; e < 100; e++) x[e] = e * 7 % 11 - 5;
    for (int e = 0; e < 36; e++) w[e] = e * 5 % 7 - 3;
    fal_tensor tx = FAL_TENSOR(x, FAL_F64, 2, 2, 5, 5), tw = FAL_TENSOR(w, FAL_F64, 4, 1, 3, 3),
               tb = FAL_TENSOR(bias, FAL_F64, 4), ty = FAL_TENSOR(y, FAL_F64, 2, 4, 2, 2);
    fal_conv_params params = {
        .stride = {2, 2}, .dilation = {2, 2}, .padding_begin = {1, 1}, .padding_end = {1, 1}, .groups = 2};
    convolve(false, &tx, &tw, &tb, &params, &ty);
    expect(&ty, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_convolutions),
        cmocka_unit_test(sizes_of_transposed_convolutions),
        cmocka_unit_test(depthwise_then_pointwise),
        cmocka_unit_test(groups_change_the_weight_and_not_the_output),
        cmocka_unit_test(groups_do_not_mix),
        cmocka_unit_test(the_configuration_of_every_framework),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
