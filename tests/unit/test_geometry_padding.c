/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Padding rules: each is judged by the size it promises and by where the odd element goes, over all
 * small numbers; ONNX's words and output_shape by the text of the standard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faltung.h"

static void every_axis(void (*check)(fal_axis axis))
{
    for (int64_t i = 1; i <= 12; i++)
        for (int64_t k = 1; k <= 6; k++)
            for (int64_t s = 1; s <= 5; s++)
                for (int64_t d = 1; d <= 3; d++)
                    check((fal_axis){.input = i, .kernel = k, .stride = s, .dilation = d});
}

static int64_t span(const fal_axis *a)
{
    return a->dilation * (a->kernel - 1) + 1;
}

static fal_axis resolve(fal_axis a, fal_padding rule, bool transposed)
{
    assert_int_equal(fal_padding_resolve(&a, rule, transposed, NULL), FAL_OK);
    assert_int_equal(transposed ? fal_conv_transpose_size(&a, NULL) : fal_conv_size(&a, NULL), FAL_OK);
    return a;
}

/* The least total padding that gives ceil(i/s) outputs is found by trying. */
static void check_same(fal_axis a)
{
    int64_t wanted = (a.input + a.stride - 1) / a.stride, total = 0;
    for (;; total++) {
        fal_axis b = a;
        b.end = total;
        if (fal_conv_size(&b, NULL) == FAL_OK && b.output >= wanted) break;
    }
    fal_axis upper = resolve(a, FAL_PADDING_SAME, false), lower = resolve(a, FAL_PADDING_SAME_LOWER, false);
    assert_int_equal(upper.begin, total / 2);
    assert_int_equal(upper.end, total - total / 2);
    assert_int_equal(lower.begin, total - total / 2);
    assert_int_equal(lower.end, total / 2);
    assert_int_equal(upper.output, wanted);
    assert_int_equal(lower.output, wanted);
    if (a.stride == 1) assert_int_equal(total, span(&a) - 1); /* PyTorch's `same` */
}

static void test_same_gives_ceil(void **state)
{
    (void)state;
    every_axis(check_same);
    /* The padding of a 7-tap stride-2 layer on 224 is 2 and 3, not 3 and 3. */
    fal_axis a = resolve((fal_axis){.input = 224, .kernel = 7, .stride = 2}, FAL_PADDING_SAME, false);
    assert_int_equal(a.begin, 2);
    assert_int_equal(a.end, 3);
}

static void check_same_transposed(fal_axis a)
{
    fal_axis upper = resolve(a, FAL_PADDING_SAME, true), lower = resolve(a, FAL_PADDING_SAME_LOWER, true);
    assert_int_equal(upper.output, a.input * a.stride);
    assert_int_equal(lower.output, a.input * a.stride);
    assert_true(upper.end - upper.begin == 0 || upper.end - upper.begin == 1);
    assert_int_equal(lower.begin, upper.end);
    assert_int_equal(lower.end, upper.begin);
    if (span(&a) >= a.stride) assert_int_equal(upper.output_padding, 0);
    if (span(&a) < a.stride) assert_int_equal(upper.begin + upper.end, 0);
}

static void test_same_transposed_gives_multiple(void **state)
{
    (void)state;
    every_axis(check_same_transposed);
}

static void check_others(fal_axis a)
{
    fal_axis full = resolve(a, FAL_PADDING_FULL, false), causal = resolve(a, FAL_PADDING_CAUSAL, false);
    /* full: the first window ends on the first input, and no window misses the input */
    assert_int_equal(span(&a) - 1 - full.begin, 0);
    assert_int_equal(full.end, full.begin);
    if (a.stride == 1) assert_int_equal(full.output, a.input + span(&a) - 1);
    /* causal: output o ends its window on input o*s */
    assert_int_equal(causal.begin, span(&a) - 1);
    assert_int_equal(causal.end, 0);
    assert_int_equal(causal.output, (a.input + a.stride - 1) / a.stride);
    fal_axis valid = a;
    valid.begin = 3;
    valid.end = -1;
    assert_int_equal(fal_padding_resolve(&valid, FAL_PADDING_EXPLICIT, false, NULL), FAL_OK);
    assert_int_equal(valid.begin, 3);
    assert_int_equal(valid.end, -1);
    assert_int_equal(fal_padding_resolve(&valid, FAL_PADDING_VALID, false, NULL), FAL_OK);
    assert_int_equal(valid.begin, 0);
    assert_int_equal(valid.end, 0);
}

static void test_full_causal_valid_explicit(void **state)
{
    (void)state;
    every_axis(check_others);
    /* The transposed forms are the same numbers. */
    fal_axis a = {.input = 9, .kernel = 3, .dilation = 2};
    assert_int_equal(resolve(a, FAL_PADDING_FULL, true).output, 9 - 4);
    assert_int_equal(resolve(a, FAL_PADDING_CAUSAL, true).output, 9);
}

static void check_onnx(fal_axis a)
{
    int64_t all = (a.input - 1) * a.stride + span(&a);
    for (int64_t wanted = 1; wanted <= all + 3; wanted++) {
        fal_axis upper = a, lower = a;
        assert_int_equal(fal_onnx_output_shape(&upper, wanted, true, NULL), FAL_OK);
        assert_int_equal(fal_onnx_output_shape(&lower, wanted, false, NULL), FAL_OK);
        assert_int_equal(upper.output, wanted);
        assert_int_equal(lower.output, wanted);
        assert_int_equal(upper.begin + upper.end, all - wanted);
        assert_true(upper.end - upper.begin == 0 || upper.end - upper.begin == 1);
        assert_int_equal(lower.begin, upper.end);
        assert_int_equal(lower.end, upper.begin);
    }
}

static void test_onnx_output_shape(void **state)
{
    (void)state;
    every_axis(check_onnx);
    /* The standard's own example: 3 -> 10 with kernel 3, stride 3, output_padding 1 needs no pads. */
    fal_axis a = {.input = 3, .kernel = 3, .stride = 3, .output_padding = 1, .begin = 7};
    assert_int_equal(fal_onnx_output_shape(&a, 10, false, NULL), FAL_OK);
    assert_int_equal(a.begin, 0);
    assert_int_equal(a.end, 0);
    fal_error error;
    assert_int_equal(fal_onnx_output_shape(&a, 0, false, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "output_shape is 0");
    a.input = 0;
    assert_int_equal(fal_onnx_output_shape(&a, 4, false, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "input is 0");
    assert_int_equal(fal_onnx_output_shape(NULL, 4, false, NULL), FAL_E_NULL);
}

static void test_onnx_auto_pad(void **state)
{
    (void)state;
    fal_padding rule = FAL_PADDING_FULL;
    fal_error error;
    assert_int_equal(fal_onnx_auto_pad("SAME", &rule, &error), FAL_E_VALUE);
    assert_string_equal(error.allowed, "must be NOTSET, VALID, SAME_UPPER or SAME_LOWER");
    assert_int_equal(rule, FAL_PADDING_FULL);
    assert_int_equal(fal_onnx_auto_pad("NOTSET", &rule, NULL), FAL_OK);
    assert_int_equal(rule, FAL_PADDING_EXPLICIT);
    assert_int_equal(fal_onnx_auto_pad("VALID", &rule, NULL), FAL_OK);
    assert_int_equal(rule, FAL_PADDING_VALID);
    assert_int_equal(fal_onnx_auto_pad("SAME_UPPER", &rule, NULL), FAL_OK);
    assert_int_equal(rule, FAL_PADDING_SAME);
    assert_int_equal(fal_onnx_auto_pad("SAME_LOWER", &rule, NULL), FAL_OK);
    assert_int_equal(rule, FAL_PADDING_SAME_LOWER);
    assert_int_equal(fal_onnx_auto_pad(NULL, &rule, NULL), FAL_E_NULL);
    assert_int_equal(fal_onnx_auto_pad("VALID", NULL, NULL), FAL_E_NULL);
}

static void test_refusals_and_extremes(void **state)
{
    (void)state;
    fal_error error;
    fal_axis a = {.input = 5, .kernel = 3};
    assert_int_equal(fal_padding_resolve(&a, (fal_padding)6, false, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "padding is 6");
    assert_int_equal(fal_padding_resolve(&a, (fal_padding)-1, false, &error), FAL_E_VALUE);
    assert_int_equal(fal_padding_resolve(NULL, FAL_PADDING_SAME, false, NULL), FAL_E_NULL);
    a.kernel = 0;
    assert_int_equal(fal_padding_resolve(&a, FAL_PADDING_VALID, false, NULL), FAL_E_KERNEL);
    static const int64_t numbers[] = {0, 1, 2, 3, INT64_C(1) << 62, INT64_MAX - 1, INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * 12; n++) {
        int rest = n / 12;
        int64_t pick[4];
        for (int j = 0; j < 4; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        fal_axis b = {.input = pick[0], .kernel = pick[1], .stride = pick[2], .dilation = pick[3]};
        bool transposed = n % 2 == 0;
        if (fal_padding_resolve(&b, (fal_padding)(n / 2 % 6), transposed, NULL) != FAL_OK) continue;
        (void)(transposed ? fal_conv_transpose_size(&b, NULL) : fal_conv_size(&b, NULL));
        (void)fal_onnx_output_shape(&b, pick[2], n % 3 == 0, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_gives_ceil),
        cmocka_unit_test(test_same_transposed_gives_multiple),
        cmocka_unit_test(test_full_causal_valid_explicit),
        cmocka_unit_test(test_onnx_output_shape),
        cmocka_unit_test(test_onnx_auto_pad),
        cmocka_unit_test(test_refusals_and_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
