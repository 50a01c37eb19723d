/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The check that every operator makes: what it accepts and resolves, and what it says of everything
 * else, word for word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

static fal_tensor tensor(const char *shape)
{
    fal_tensor t = {.dtype = FAL_F32};
    for (; *shape; t.rank++) {
        int64_t size = 0;
        for (; *shape >= '0' && *shape <= '9'; shape++) size = 10 * size + (*shape - '0');
        if (*shape == ',') shape++;
        t.shape[t.rank] = size;
    }
    int64_t stride = 1;
    for (int32_t a = t.rank - 1; a >= 0; a--) {
        t.strides[a] = stride;
        stride *= t.shape[a] > 0 ? t.shape[a] : 1;
    }
    return t;
}

/* ---- Refusals ---- */

typedef struct {
    bool transposed;
    const char *x, *w;
    fal_conv_params params;
    fal_status status;
    const char *field, *message; /* found; allowed; hint */
    const char *fix;             /* of "layout" */
} refusal;

#define HUGE_DILATION (INT64_C(1) << 62)

/* One row, one mistake. */
/* clang-format off */
static const refusal refusals[] = {
    /* ranks */
    {0, "1,1,5", "3,3", {.groups = 1}, FAL_E_RANK, "w",
     "w has 2 axes; must be 3..5: two of channels and 1..3 of taps", ""},
    {0, "1,1,5,5,5,5", "1,1,3,3,3,3", {.groups = 1}, FAL_E_RANK, "w",
     "w has 6 axes; must be 3..5: two of channels and 1..3 of taps", ""},
    {0, "5,5", "1,1,3,3", {.groups = 1}, FAL_E_RANK, "x",
     "x has 2 axes, w has 4; must be 4, or 3 without a batch", ""},
    {0, "1,1,5,5,5", "1,1,3,3", {.groups = 1}, FAL_E_RANK, "x",
     "x has 5 axes, w has 4; must be 4, or 3 without a batch", ""},
    /* enums */
    {0, "1,1,5", "1,1,3", {.padding = (fal_padding)6}, FAL_E_VALUE, "padding",
     "padding is 6; must be one of fal_padding, 0..5", ""},
    {0, "1,1,5", "1,1,3", {.padding_mode = (fal_padding_mode)-1}, FAL_E_VALUE, "padding_mode",
     "padding_mode is -1; must be one of fal_padding_mode, 0..5", ""},
    {0, "1,1,5", "1,1,3", {.layout = (fal_layout)2}, FAL_E_VALUE, "layout",
     "layout is 2; must be one of fal_layout, 0..1", ""},
    {0, "1,1,5", "1,1,3", {.accuracy = (fal_accuracy)9}, FAL_E_VALUE, "accuracy",
     "accuracy is 9; must be one of fal_accuracy, 0..2", ""},
    /* single numbers */
    {0, "1,1,5", "1,1,3", {.stride = {-1}}, FAL_E_STRIDE, "stride[0]",
     "stride[0] is -1; must be at least 1", ""},
    {1, "1,1,5,5", "1,1,3,3", {.stride = {2, -2}}, FAL_E_STRIDE, "stride[1]",
     "stride[1] is -2; must be at least 1", ""},
    {0, "1,1,5,5", "1,1,3,3", {.dilation = {1, -4}}, FAL_E_DILATION, "dilation[1]",
     "dilation[1] is -4; must be at least 1", ""},
    {0, "1,1,5", "1,1,3", {.groups = -2}, FAL_E_GROUPS, "groups", "groups is -2; must be at least 1", ""},
    {0, "1,1,5,5", "1,1,3,0", {.groups = 1}, FAL_E_KERNEL, "kernel[1]",
     "kernel[1] is 0; must be at least 1", ""},
    {0, "1,1,5", "0,1,3", {.groups = 1}, FAL_E_DIM, "w",
     "weight has 0 output channels; must be at least 1", ""},
    {1, "1,1,5", "1,0,3", {.groups = 1}, FAL_E_DIM, "w",
     "weight has 0 output channels; must be at least 1", ""},
    /* channels and groups */
    {0, "1,6,9,9", "8,4,3,3", {.groups = 2}, FAL_E_SHAPE, "x",
     "input has 6 channels, weight expects 8 (groups 2 x 4)", ""},
    {0, "1,6,9,8", "8,4,3,3", {.groups = 2}, FAL_E_SHAPE, "x",
     "input has 6 channels, weight expects 8 (groups 2 x 4); "
     "is the input NHWC? then the weight must be (k..., ic/g, oc)", "nhwc"},
    {0, "1,9,9,3", "3,3,3,16", {.groups = 1}, FAL_E_SHAPE, "x",
     "input has 9 channels, weight expects 3; is the input NHWC?", "nhwc"},
    {0, "9,9,3", "3,3,3,16", {.groups = 1}, FAL_E_SHAPE, "x",
     "input has 9 channels, weight expects 3; is the input NHWC?", "nhwc"},
    {0, "1,3,9,9", "16,3,5,5", {.layout = FAL_NHWC}, FAL_E_SHAPE, "x",
     "input has 9 channels, weight expects 5; is the input NCHW?", "nchw"},
    {1, "1,9,9,4", "3,3,2,4", {.groups = 1}, FAL_E_SHAPE, "x",
     "input has 9 channels, weight expects 3; is the input NHWC?", "nhwc"},
    {1, "1,9,9,4", "4,2,3,3", {.groups = 1}, FAL_E_SHAPE, "x",
     "input has 9 channels, weight expects 4; "
     "is the input NHWC? then the weight must be (k..., oc/g, ic)", "nhwc"},
    {1, "1,5,9,9", "4,2,3,3", {.groups = 2}, FAL_E_GROUPS, "groups",
     "input has 5 channels, not divisible by groups 2", ""},
    {0, "1,6,9", "8,2,3", {.groups = 4}, FAL_E_GROUPS, "groups",
     "input has 6 channels, not divisible by groups 4", ""},
    {0, "1,9,9,4", "3,3,2,16", {.groups = 2}, FAL_E_GROUPS, "groups",
     "weight has 3 output channels, not divisible by groups 2", ""},
    {0, "1,8,9", "6,2,3", {.groups = 4}, FAL_E_GROUPS, "groups",
     "weight has 6 output channels, not divisible by groups 4", ""},
    {1, "1,6,9", "6,2,3", {.groups = 4}, FAL_E_GROUPS, "groups",
     "weight has 6 input channels, not divisible by groups 4", ""},
    /* kernel and padding */
    {0, "1,1,10", "1,1,7", {.dilation = {2}}, FAL_E_KERNEL, "kernel[0]",
     "axis 0: kernel 7 with dilation 2 spans 13, padded input is 10; "
     "the kernel must fit into the padded input", ""},
    {0, "1,1,9,2", "1,1,3,3", {.groups = 1}, FAL_E_KERNEL, "kernel[1]",
     "axis 1: kernel 3 is larger than the padded input 2; the kernel must fit into the padded input", ""},
    {0, "1,1,5", "1,1,3", {.padding_begin = {-2}, .padding_end = {-1}}, FAL_E_KERNEL, "kernel[0]",
     "axis 0: kernel 3 is larger than the padded input 2; the kernel must fit into the padded input", ""},
    {0, "1,1,0", "1,1,3", {.padding_begin = {1}}, FAL_E_KERNEL, "kernel[0]",
     "axis 0: kernel 3 is larger than the padded input 1; the kernel must fit into the padded input", ""},
    {0, "1,1,0", "1,1,3", {.padding_begin = {3}, .padding_mode = FAL_PAD_REFLECT}, FAL_E_DIM, "input[0]",
     "axis 0: the input is empty, padding mode reflect has nothing to repeat; "
     "must have at least 1 element", ""},
    {0, "1,1,5", "1,1,3", {.padding = FAL_PADDING_SAME, .padding_end = {1}}, FAL_E_PADDING, "padding",
     "axis 0: padding is given as a rule and as numbers; give one of them", ""},
    {0, "1,1,5", "1,1,3", {.dilation = {HUGE_DILATION}}, FAL_E_OVERFLOW, "dilation[0]",
     "axis 0: kernel 3 with dilation 4611686018427387904 overflows 64 bits", ""},
    {0, "1,1,5,5", "1,1,3,3", {.padding_begin = {0, INT64_MAX}}, FAL_E_OVERFLOW, "padding[1]",
     "axis 1: input 5 with padding 9223372036854775807 and 0 overflows 64 bits", ""},
    {0, "1,1,5", "1,1,3", {.padding_begin = {INT64_MIN}}, FAL_E_OVERFLOW, "padding[0]",
     "axis 0: input 5 with padding -9223372036854775808 and 0 overflows 64 bits", ""},
    {0, "1,1,5,5", "1,1,3,3", {.padding_begin = {INT64_C(1) << 40, INT64_C(1) << 40}}, FAL_E_OVERFLOW, "y",
     "the size of y (1,1,1099511627779,1099511627779) overflows 64 bits", ""},
    /* transposed only, and not */
    {0, "1,1,5", "1,1,3", {.output_padding = {1}}, FAL_E_PADDING, "output_padding[0]",
     "output_padding[0] is 1 in a convolution; only a transposed convolution has one", ""},
    {0, "1,1,5", "1,1,3", {.output_size = {9}}, FAL_E_PADDING, "output_size[0]",
     "output_size[0] is 9 in a convolution; only a transposed convolution has one", ""},
    {1, "1,1,5", "1,1,3", {.padding_mode = FAL_PAD_CIRCULAR}, FAL_E_PADDING, "padding_mode",
     "padding_mode is circular in a transposed convolution; must be zeros", ""},
    {1, "1,1,5,5", "1,1,3,3", {.stride = {2, 2}, .output_padding = {1, 2}},
     FAL_E_PADDING, "output_padding[1]",
     "output_padding[1] is 2; must be 0..1, below stride 2 or dilation 1", ""},
    {1, "1,1,5", "1,1,3", {.output_padding = {-1}}, FAL_E_PADDING, "output_padding[0]",
     "output_padding[0] is -1; must be 0..0, below stride 1 or dilation 1", ""},
    {1, "1,1,5", "1,1,3", {.stride = {2}, .output_padding = {1}, .output_size = {12}},
     FAL_E_PADDING, "output_padding[0]",
     "output_padding[0] is 1, but output_size is given too; give one of them", ""},
    {1, "1,1,5", "1,1,3", {.stride = {2}, .output_padding = {1}, .padding = FAL_PADDING_SAME},
     FAL_E_PADDING, "output_padding[0]",
     "output_padding[0] is 1, but padding `same` sets it; give one of them", ""},
    {1, "1,1,5", "1,1,3", {.output_size = {-4}}, FAL_E_PADDING, "output_size[0]",
     "output_size[0] is -4; must be at least 1, or 0 for the formula's", ""},
    {1, "1,1,3,3", "1,1,3,3", {.stride = {2, 2}, .output_size = {7, 9}}, FAL_E_SHAPE, "output_size[1]",
     "output_size[1] is 9; must be 7..8", ""},
    {1, "1,1,3", "1,1,3", {.stride = {2}, .output_size = {7}, .padding = FAL_PADDING_SAME},
     FAL_E_SHAPE, "output_size[0]",
     "output_size[0] is 7; padding `same` gives 6", ""},
    {1, "1,1,1,1", "1,1,1,1", {.padding_begin = {0, 2}, .padding_end = {0, 2}}, FAL_E_SHAPE, "output[1]",
     "axis 1: transposed output size is -3; must be at least 1", ""},
    {1, "1,1,5", "1,1,3", {.stride = {HUGE_DILATION}}, FAL_E_OVERFLOW, "output[0]",
     "axis 0: input 5 with stride 4611686018427387904 and kernel 3 spread over 3 overflows 64 bits", ""},
};
/* clang-format on */

static void test_refusals(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof refusals / sizeof *refusals; r++) {
        const refusal *row = &refusals[r];
        fal_tensor x = tensor(row->x), w = tensor(row->w), y;
        fal_conv_geometry g, untouched;
        fal_error error;
        char message[512];
        memset(&g, 0x55, sizeof g);
        untouched = g;
        assert_int_equal(fal_conv_describe(row->transposed, &x, &w, &row->params, &g, &error), row->status);
        fal_error_message(&error, message, sizeof message);
        assert_string_equal(message, row->message);
        assert_string_equal(error.field, row->field);
        assert_int_equal(error.status, row->status);
        assert_string_equal(error.fix_value, row->fix);
        assert_string_equal(error.fix_field, row->fix[0] ? "layout" : "");
        assert_memory_equal(&g, &untouched, sizeof g);
        assert_int_equal(fal_conv_output_shape(row->transposed, &x, &w, &row->params, &y, NULL), row->status);
    }
}

static void test_types_and_pointers(void **state)
{
    (void)state;
    fal_tensor x = tensor("1,1,5"), w = tensor("1,1,3"), y;
    fal_conv_geometry g;
    fal_error error;
    assert_int_equal(fal_conv_describe(false, NULL, &w, NULL, &g, &error), FAL_E_NULL);
    assert_string_equal(error.found, "x is NULL");
    assert_int_equal(fal_conv_describe(false, &x, NULL, NULL, &g, &error), FAL_E_NULL);
    assert_string_equal(error.found, "w is NULL");
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_output_shape(false, &x, &w, NULL, NULL, NULL), FAL_E_NULL);
    w.dtype = FAL_F64;
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, &error), FAL_E_DTYPE);
    assert_string_equal(error.found, "x is f32, w is f64");
    assert_string_equal(error.allowed, "types must match");
    w.dtype = (fal_dtype)99;
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, NULL), FAL_E_DTYPE);
    w = tensor("1,1,3");
    x.shape[2] = -5;
    assert_int_equal(fal_conv_output_shape(false, &x, &w, NULL, &y, NULL), FAL_E_DIM);
}

/* ---- What is accepted ---- */

static fal_conv_geometry describe(bool transposed, const char *x, const char *w, fal_conv_params params)
{
    fal_tensor tx = tensor(x), tw = tensor(w);
    fal_conv_geometry g;
    fal_error error = {0};
    fal_status status = fal_conv_describe(transposed, &tx, &tw, &params, &g, &error);
    assert_string_equal(error.found, "");
    assert_int_equal(status, FAL_OK);
    return g;
}

static void expect_shape(bool transposed, const char *x, const char *w, fal_conv_params params, const char *y)
{
    fal_tensor tx = tensor(x), tw = tensor(w), expected = tensor(y), found;
    assert_int_equal(fal_conv_output_shape(transposed, &tx, &tw, &params, &found, NULL), FAL_OK);
    assert_int_equal(found.rank, expected.rank);
    assert_memory_equal(found.shape, expected.shape, sizeof(int64_t) * (size_t)found.rank);
    assert_memory_equal(found.strides, expected.strides, sizeof(int64_t) * (size_t)found.rank);
    assert_int_equal(found.dtype, FAL_F32);
    assert_null(found.data);
}

static void test_resolved_numbers(void **state)
{
    (void)state;
    fal_conv_geometry g = describe(false, "2,4,5,6", "6,2,3,1",
                                   (fal_conv_params){.groups = 2,
                                                     .stride = {0, 3},
                                                     .padding_begin = {1},
                                                     .padding_end = {-1},
                                                     .flip_kernel = true,
                                                     .padding_mode = FAL_PAD_REFLECT});
    assert_false(g.transposed);
    assert_true(g.batched);
    assert_true(g.flip_kernel);
    assert_int_equal(g.spatial, 2);
    assert_int_equal(g.n, 2);
    assert_int_equal(g.groups, 2);
    assert_int_equal(g.in_channels, 4);
    assert_int_equal(g.out_channels, 6);
    assert_int_equal(g.padding_mode, FAL_PAD_REFLECT);
    assert_memory_equal(&g.axis[0], &((fal_axis){5, 3, 1, 1, 1, -1, 0, 3}), sizeof(fal_axis));
    assert_memory_equal(&g.axis[1], &((fal_axis){6, 1, 3, 1, 0, 0, 0, 2}), sizeof(fal_axis));
    assert_memory_equal(&g.axis[2], &((fal_axis){0}), sizeof(fal_axis));

    g = describe(true, "4,5", "4,3,3", (fal_conv_params){.groups = 2, .stride = {2}, .output_size = {12}});
    assert_true(g.transposed);
    assert_false(g.batched);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.in_channels, 4);
    assert_int_equal(g.out_channels, 6);
    assert_memory_equal(&g.axis[0], &((fal_axis){5, 3, 2, 1, 0, 0, 1, 12}), sizeof(fal_axis));
}

static void test_output_shapes(void **state)
{
    (void)state;
    fal_conv_params none = {0}, half = {.padding_begin = {1, 1}, .padding_end = {1, 1}};
    expect_shape(false, "1,64,32,32", "64,1,3,3",
                 (fal_conv_params){.groups = 64, .padding_begin = {1, 1}, .padding_end = {1, 1}},
                 "1,64,32,32");
    expect_shape(false, "1,64,32,32", "128,64,1,1", none, "1,128,32,32");
    expect_shape(false, "2,2,5,5", "4,1,3,3",
                 (fal_conv_params){.groups = 2,
                                   .stride = {2, 2},
                                   .dilation = {2, 2},
                                   .padding_begin = {1, 1},
                                   .padding_end = {1, 1}},
                 "2,4,2,2");
    expect_shape(false, "7,9,3", "3,3,3,16",
                 (fal_conv_params){.layout = FAL_NHWC, .padding_begin = {1, 1}, .padding_end = {1, 1}},
                 "7,9,16");
    expect_shape(true, "2,7,9,4", "3,3,5,4", (fal_conv_params){.layout = FAL_NHWC, .stride = {2, 1}},
                 "2,15,11,5");
    expect_shape(true, "1,1,2,2", "1,1,2,2", (fal_conv_params){.stride = {2, 2}}, "1,1,4,4");
    expect_shape(false, "3,1,8,9,10", "2,1,3,3,3", none, "3,2,6,7,8");
    expect_shape(true, "1,1,5", "1,1,3", (fal_conv_params){.stride = {2}, .padding = FAL_PADDING_SAME},
                 "1,1,10");
    expect_shape(true, "1,1,5", "1,1,2",
                 (fal_conv_params){.stride = {3}, .padding = FAL_PADDING_SAME_LOWER, .output_size = {15}},
                 "1,1,15");
    expect_shape(false, "1,1,224", "1,1,7", (fal_conv_params){.stride = {2}, .padding = FAL_PADDING_SAME},
                 "1,1,112");
    /* output_padding below the dilation, beyond the stride */
    expect_shape(true, "1,1,3", "1,1,2", (fal_conv_params){.dilation = {3}, .output_padding = {2}}, "1,1,8");
    /* batch 0, no input channels, and an empty axis that padding fills */
    expect_shape(false, "0,1,5,5", "1,1,3,3", half, "0,1,5,5");
    expect_shape(false, "2,0,5", "3,0,3", none, "2,3,3");
    expect_shape(true, "2,0,5", "0,3,3", none, "2,3,7");
    expect_shape(false, "1,1,0", "1,1,3", (fal_conv_params){.padding_begin = {2}, .padding_end = {2}},
                 "1,1,2");
    expect_shape(false, "1,1,0", "1,1,3",
                 (fal_conv_params){.padding_begin = {3}, .padding_mode = FAL_PAD_CONSTANT}, "1,1,1");
    expect_shape(true, "1,1,0", "1,1,3", none, "1,1,0");
    /* huge and legal */
    expect_shape(false, "1,1,5", "1,1,3", (fal_conv_params){.stride = {INT64_MAX}}, "1,1,1");
    expect_shape(false, "1,1,5", "1,1,1", (fal_conv_params){.dilation = {INT64_MAX}}, "1,1,5");
}

/* Entries beyond the last axis are not looked at, and NULL parameters are all defaults. */
static void test_defaults(void **state)
{
    (void)state;
    fal_tensor x = tensor("1,1,5"), w = tensor("1,1,3");
    fal_conv_geometry g, h = describe(false, "1,1,5", "1,1,3", (fal_conv_params){.stride = {0, -1}});
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, NULL), FAL_OK);
    assert_memory_equal(&g.axis, &h.axis, sizeof g.axis);
    assert_int_equal(g.groups, 1);
    assert_int_equal(g.axis[0].stride, 1);
    assert_int_equal(g.axis[0].dilation, 1);
    assert_int_equal(g.axis[0].output, 3);
}

/* Any extreme parameters: some answer, no undefined arithmetic. */
static void test_extremes(void **state)
{
    (void)state;
    static const int64_t numbers[] = {INT64_MIN, -(INT64_C(1) << 62), -1,       0, 1,
                                      2,         INT64_C(1) << 62,    INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    fal_tensor x = tensor("1,2,5"), w = tensor("2,2,3");
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * COUNT * COUNT * 2; n++) {
        int64_t pick[6];
        for (int rest = n / 2, j = 0; j < 6; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        fal_conv_params p = {.stride = {pick[0]},
                             .dilation = {pick[1]},
                             .padding_begin = {pick[2]},
                             .padding_end = {pick[3]},
                             .output_padding = {pick[4] == 2 ? pick[5] : 0},
                             .output_size = {pick[4] == 1 ? pick[5] : 0},
                             .groups = pick[4] == 0 ? pick[5] : 0,
                             .padding = pick[4] < 0 ? (fal_padding)(pick[5] & 7) : FAL_PADDING_EXPLICIT};
        fal_conv_geometry g;
        fal_counts counts;
        if (fal_conv_describe(n % 2, &x, &w, &p, &g, NULL) != FAL_OK) continue;
        assert_true(g.axis[0].output >= 1);
        (void)fal_conv_counts(&g, FAL_F32, true, &counts, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_types_and_pointers),
        cmocka_unit_test(test_resolved_numbers), cmocka_unit_test(test_output_shapes),
        cmocka_unit_test(test_defaults),         cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
