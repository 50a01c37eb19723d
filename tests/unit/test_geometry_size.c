/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes of one axis against counting: windows are placed one by one and scatter targets are marked,
 * for every small number. No formula of the library is used to judge it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faltung.h"

enum { MAX_I = 12, MAX_K = 5, MAX_S = 4, MAX_D = 3, MAX_P = 4, NONE = -1 };

/* Calls `check` on every small axis. */
static void every_axis(void (*check)(fal_axis axis))
{
    for (int64_t i = 0; i <= MAX_I; i++)
        for (int64_t k = 1; k <= MAX_K; k++)
            for (int64_t s = 1; s <= MAX_S; s++)
                for (int64_t d = 1; d <= MAX_D; d++)
                    for (int64_t begin = -MAX_P; begin <= MAX_P; begin++)
                        for (int64_t end = -MAX_P; end <= MAX_P; end++)
                            check((fal_axis){i, k, s, d, begin, end, 0, NONE});
}

/* Places of the last tap, one tap at a time. */
static int64_t last_tap(const fal_axis *a, int64_t start)
{
    int64_t place = start;
    for (int64_t t = 1; t < a->kernel; t++) place += a->dilation;
    return place;
}

static int64_t count_windows(const fal_axis *a)
{
    int64_t windows = 0;
    for (int64_t start = -a->begin; last_tap(a, start) < a->input + a->end; start += a->stride) windows++;
    return windows;
}

static void check_conv(fal_axis a)
{
    int64_t expected = count_windows(&a);
    fal_error error = {0};
    fal_status status = fal_conv_size(&a, &error);
    assert_int_equal(status, expected > 0 ? FAL_OK : FAL_E_KERNEL);
    assert_int_equal(error.status, status);
    assert_int_equal(a.output, expected > 0 ? expected : NONE);
}

static void test_conv_counts_windows(void **state)
{
    (void)state;
    every_axis(check_conv);
}

/* Ceil mode: also a window that hangs over the end, but none that starts in the end padding. A window
 * that lies wholly inside the padded input is dropped by the same rule when it starts there. */
static void check_pool(fal_axis a)
{
    fal_axis floor_mode = a;
    assert_int_equal(fal_pool_size(&floor_mode, false, NULL), count_windows(&a) ? FAL_OK : FAL_E_KERNEL);
    if (count_windows(&a) == 0) return;
    assert_int_equal(floor_mode.output, count_windows(&a));

    int64_t start = -a.begin, windows = 1;
    while (last_tap(&a, start) < a.input + a.end - 1) { /* something is still unread */
        start += a.stride;
        windows++;
    }
    if (start >= a.input) windows--;
    fal_status status = fal_pool_size(&a, true, NULL);
    assert_int_equal(status, windows > 0 ? FAL_OK : FAL_E_KERNEL);
    if (windows > 0) assert_int_equal(a.output, windows);
}

static void test_pool_counts_windows_and_drops_the_last(void **state)
{
    (void)state;
    every_axis(check_pool);
    fal_axis a = {.input = 4, .kernel = 3, .stride = 3};
    assert_int_equal(fal_pool_size(&a, true, NULL), FAL_OK);
    assert_int_equal(a.output, 2);
}

/* The blocks are painted on a long ruler; what is left between the cuts is the output. */
static void check_transposed(fal_axis a)
{
    int64_t limit = a.stride > a.dilation ? a.stride : a.dilation;
    for (int64_t extra = -1; extra <= limit; extra++) {
        fal_axis b = a;
        b.output_padding = extra;
        int64_t painted = 0;
        for (int64_t i = 0; i < a.input; i++) {
            int64_t past = last_tap(&a, i * a.stride) + 1;
            painted = past > painted ? past : painted;
        }
        int64_t expected = a.input == 0 ? 0 : painted + extra - a.begin - a.end;
        fal_status status = fal_conv_transpose_size(&b, NULL);
        if (extra < 0 || extra >= limit) {
            assert_int_equal(status, FAL_E_PADDING);
        } else if (a.input > 0 && expected < 1) {
            assert_int_equal(status, FAL_E_SHAPE);
            assert_int_equal(b.output, NONE);
        } else {
            assert_int_equal(status, FAL_OK);
            assert_int_equal(b.output, expected);
        }
    }
}

static void test_transposed_counts_targets(void **state)
{
    (void)state;
    every_axis(check_transposed);
}

/* Every wanted size is either given by exactly one output padding, or refused. */
static void check_output_padding(fal_axis a)
{
    int64_t limit = a.stride > a.dilation ? a.stride : a.dilation;
    for (int64_t wanted = 1; wanted <= 30; wanted++) {
        int64_t unique = NONE;
        for (int64_t extra = 0; extra < limit; extra++) {
            fal_axis b = a;
            b.output_padding = extra;
            if (fal_conv_transpose_size(&b, NULL) == FAL_OK && b.output == wanted) unique = extra;
        }
        fal_axis b = a;
        fal_status status = fal_output_padding_for(&b, wanted, NULL);
        assert_int_equal(status, unique == NONE ? FAL_E_SHAPE : FAL_OK);
        if (unique != NONE) assert_int_equal(b.output_padding, unique);
        assert_int_equal(b.output, unique == NONE ? NONE : wanted);
    }
}

static void test_output_padding_for_is_the_inverse(void **state)
{
    (void)state;
    every_axis(check_output_padding);
    fal_axis a = {.input = 3, .kernel = 3, .stride = 2};
    fal_error error;
    assert_int_equal(fal_output_padding_for(&a, 9, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "output_size is 9");
    assert_string_equal(error.allowed, "must be 7..8");
}

static void check_associated(fal_axis a)
{
    if (fal_conv_size(&a, NULL) != FAL_OK) return;
    fal_axis t = {0};
    assert_int_equal(fal_associated_transpose(&a, &t, NULL), FAL_OK);
    assert_int_equal(t.input, a.output);
    assert_int_equal(t.output, a.input);
    if (a.input == 0) return; /* a transposed convolution makes no empty output of its own */
    t.output = NONE;
    assert_int_equal(fal_conv_transpose_size(&t, NULL), FAL_OK);
    assert_int_equal(t.output, a.input);
    assert_true(t.output_padding < t.stride);
    /* And a convolution with the same numbers comes back. */
    fal_axis back = {t.output, t.kernel, t.stride, t.dilation, t.begin, t.end, 0, NONE};
    assert_int_equal(fal_conv_size(&back, NULL), FAL_OK);
    assert_int_equal(back.output, t.input);
}

static void test_associated_transpose_round_trip(void **state)
{
    (void)state;
    every_axis(check_associated);
}

static void test_worked_examples(void **state)
{
    (void)state;
    fal_axis a = {.input = 7, .kernel = 5, .stride = 2, .begin = 2, .end = 2};
    assert_int_equal(fal_conv_size(&a, NULL), FAL_OK);
    assert_int_equal(a.output, 4);
    fal_axis b = {.input = 7, .kernel = 3, .dilation = 3};
    assert_int_equal(fal_conv_size(&b, NULL), FAL_OK);
    assert_int_equal(b.output, 1);
    assert_int_equal(b.stride, 1); /* 0 took its default */
    /* Bilinear doubling: padding 1 gives 2i-1, with output padding 2i. */
    fal_axis c = {.input = 9, .kernel = 3, .stride = 2, .begin = 1, .end = 1};
    assert_int_equal(fal_conv_transpose_size(&c, NULL), FAL_OK);
    assert_int_equal(c.output, 17);
    c.output_padding = 1;
    assert_int_equal(fal_conv_transpose_size(&c, NULL), FAL_OK);
    assert_int_equal(c.output, 18);
    int64_t effective;
    assert_int_equal(fal_effective_kernel(3, 3, &effective, NULL), FAL_OK);
    assert_int_equal(effective, 7);
}

/* The numbers a caller can get wrong, and what is said. */
static const struct {
    fal_axis axis;
    fal_status status;
    const char *field, *found, *allowed;
} refused_axes[] = {
    {{.input = 5}, FAL_E_KERNEL, "kernel", "kernel is 0", "must be at least 1"},
    {{.input = 5, .kernel = -2}, FAL_E_KERNEL, "kernel", "kernel is -2", "must be at least 1"},
    {{.input = 5, .kernel = 1, .stride = -1}, FAL_E_STRIDE, "stride", "stride is -1", "must be at least 1"},
    {{.input = 5, .kernel = 1, .dilation = -3},
     FAL_E_DILATION,
     "dilation",
     "dilation is -3",
     "must be at least 1"},
    {{.input = -1, .kernel = 1}, FAL_E_DIM, "input", "input is -1", "must be at least 0"},
    {{.input = 10, .kernel = 7, .dilation = 2},
     FAL_E_KERNEL,
     "kernel",
     "kernel 7 with dilation 2 spans 13, padded input is 10",
     "the kernel must fit into the padded input"},
    {{.input = 3, .kernel = 3, .begin = -2},
     FAL_E_KERNEL,
     "kernel",
     "kernel 3 is larger than the padded input 1",
     "the kernel must fit into the padded input"},
    {{.input = 3, .kernel = 3, .dilation = INT64_C(1) << 62},
     FAL_E_OVERFLOW,
     "dilation",
     "kernel 3 with dilation 4611686018427387904 overflows 64 bits",
     ""},
    {{.input = 3, .kernel = 3, .begin = INT64_MAX},
     FAL_E_OVERFLOW,
     "padding",
     "input 3 with padding 9223372036854775807 and 0 overflows 64 bits",
     ""},
};

static void test_refused_axes(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof refused_axes / sizeof *refused_axes; r++) {
        fal_axis a = refused_axes[r].axis;
        fal_error error;
        a.output = NONE;
        assert_int_equal(fal_conv_size(&a, &error), refused_axes[r].status);
        assert_string_equal(error.field, refused_axes[r].field);
        assert_string_equal(error.found, refused_axes[r].found);
        assert_string_equal(error.allowed, refused_axes[r].allowed);
        assert_int_equal(a.output, NONE);
    }
}

static void test_refused_outputs(void **state)
{
    (void)state;
    fal_axis none = {.input = 1, .kernel = 1, .begin = 2, .end = 2};
    fal_error error;
    assert_int_equal(fal_conv_transpose_size(&none, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "transposed output size is -3");
    none = (fal_axis){.input = 4, .kernel = 3, .stride = 2, .output_padding = 2};
    assert_int_equal(fal_conv_transpose_size(&none, &error), FAL_E_PADDING);
    assert_string_equal(error.found, "output_padding is 2");
    assert_string_equal(error.allowed, "must be 0..1, below stride 2 or dilation 1");
    /* The size would be 1, but outputs i*s + t*d - begin do not fit. */
    none = (fal_axis){.input = 1, .kernel = 1, .begin = -INT64_MAX, .end = INT64_MAX};
    assert_int_equal(fal_conv_transpose_size(&none, NULL), FAL_E_OVERFLOW);
    assert_int_equal(fal_conv_size(NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_transpose_size(NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_pool_size(NULL, true, NULL), FAL_E_NULL);
    assert_int_equal(fal_output_padding_for(NULL, 1, NULL), FAL_E_NULL);
    assert_int_equal(fal_effective_kernel(1, 1, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_associated_transpose(NULL, &none, NULL), FAL_E_NULL);
    assert_int_equal(fal_associated_transpose(&none, NULL, NULL), FAL_E_NULL);
}

/* Every combination of extreme numbers: any answer, but no undefined arithmetic (a sanitizer looks)
 * and no size that is not positive. */
static void test_extremes(void **state)
{
    (void)state;
    static const int64_t numbers[] = {
        INT64_MIN,        INT64_MIN + 1,    -(INT64_C(1) << 62), -1,       0, 1, 3,
        INT64_C(1) << 31, INT64_C(1) << 62, INT64_MAX - 1,       INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * COUNT * COUNT; n++) {
        int64_t pick[6];
        for (int rest = n, j = 0; j < 6; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        fal_axis a = {pick[0], pick[1], pick[2], pick[3], pick[4], pick[5], 0, NONE}, t;
        fal_axis b = a, c = a, p = a;
        if (fal_conv_size(&b, NULL) == FAL_OK) {
            assert_true(b.output >= 1);
            assert_int_equal(fal_associated_transpose(&b, &t, NULL), FAL_OK);
        }
        if (fal_conv_transpose_size(&c, NULL) == FAL_OK) assert_true(c.output >= (c.input > 0));
        if (fal_pool_size(&p, true, NULL) == FAL_OK) assert_true(p.output >= 1);
        c = a;
        if (fal_output_padding_for(&c, pick[5], NULL) == FAL_OK) assert_int_equal(c.output, pick[5]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_counts_windows),
        cmocka_unit_test(test_pool_counts_windows_and_drops_the_last),
        cmocka_unit_test(test_transposed_counts_targets),
        cmocka_unit_test(test_output_padding_for_is_the_inverse),
        cmocka_unit_test(test_associated_transpose_round_trip),
        cmocka_unit_test(test_worked_examples),
        cmocka_unit_test(test_refused_axes),
        cmocka_unit_test(test_refused_outputs),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
