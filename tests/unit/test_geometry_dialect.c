/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Convolution and pooling in the words of other frameworks, against each framework's documented formula
 * written out again, for all small numbers; and the names of the dialects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static fal_status resolve(fal_dialect dialect, fal_axis axis, const char *padding, fal_dialect_answer *answer)
{
    fal_dialect_request request = {.dialect = dialect, .axis = axis, .padding = padding};
    memset(answer, 0xff, sizeof *answer);
    return fal_dialect_resolve(&request, answer, NULL);
}

static void check(const fal_dialect_answer *answer, int64_t begin, int64_t end, int64_t output)
{
    assert_int_equal(answer->axis.begin, begin);
    assert_int_equal(answer->axis.end, end);
    assert_int_equal(answer->axis.output, output);
    assert_int_equal(answer->axis.output_padding, 0);
    assert_int_equal(answer->shift_twice, answer->axis.dilation * (answer->axis.kernel - 1) - 2 * begin);
}

/* TensorFlow's table of SAME: total = max(K - (i % s == 0 ? s : i % s), 0), the smaller half first. */
static void check_same(fal_axis a)
{
    int64_t effective = a.dilation * (a.kernel - 1) + 1, rest = a.input % a.stride;
    int64_t total = max(effective - (rest == 0 ? a.stride : rest), 0), half = total / 2;
    int64_t output = (a.input + a.stride - 1) / a.stride;
    fal_dialect_answer answer;
    static const fal_dialect upper[] = {FAL_DIALECT_TENSORFLOW, FAL_DIALECT_JAX, FAL_DIALECT_ONNX};
    for (int u = 0; u < 3; u++) {
        const char *word = upper[u] == FAL_DIALECT_ONNX ? "SAME_UPPER" : "SAME";
        assert_int_equal(resolve(upper[u], a, word, &answer), FAL_OK);
        check(&answer, half, total - half, output);
    }
    for (int u = 1; u < 3; u++) {
        assert_int_equal(resolve(upper[u], a, "SAME_LOWER", &answer), FAL_OK);
        check(&answer, total - half, half, output);
    }
    /* PyTorch's total does not look at the input; with stride 1 that is the same. */
    fal_status status = resolve(FAL_DIALECT_TORCH, a, "same", &answer);
    assert_int_equal(status, a.stride == 1 ? FAL_OK : FAL_E_STRIDE);
    if (status == FAL_OK)
        check(&answer, a.dilation * (a.kernel - 1) / 2, effective - 1 - a.dilation * (a.kernel - 1) / 2,
              a.input);
}

static void check_valid(fal_axis a)
{
    int64_t effective = a.dilation * (a.kernel - 1) + 1;
    static const fal_dialect all[] = {FAL_DIALECT_TORCH, FAL_DIALECT_TENSORFLOW, FAL_DIALECT_ONNX,
                                      FAL_DIALECT_JAX};
    for (int v = 0; v < 4; v++) {
        fal_dialect_answer answer;
        fal_status status = resolve(all[v], a, "valid", &answer);
        assert_int_equal(status, a.input < effective ? FAL_E_KERNEL : FAL_OK);
        if (status == FAL_OK) check(&answer, 0, 0, (a.input - effective + a.stride) / a.stride); /* ceil */
    }
}

static void test_every_small_window(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 12; i++)
        for (int64_t k = 1; k <= 7; k++)
            for (int64_t s = 1; s <= 4; s++)
                for (int64_t d = 1; d <= 3; d++) {
                    fal_axis a = {.input = i, .kernel = k, .stride = s, .dilation = d};
                    check_same(a);
                    check_valid(a);
                }
}

static void test_numbers_and_causal(void **state)
{
    (void)state;
    fal_dialect_answer answer;
    fal_axis a = {.input = 10, .kernel = 3, .dilation = 2, .begin = 1, .end = 3};
    static const fal_dialect unequal[] = {FAL_DIALECT_TENSORFLOW, FAL_DIALECT_ONNX, FAL_DIALECT_JAX};
    for (int u = 0; u < 3; u++) {
        assert_int_equal(resolve(unequal[u], a, u == 1 ? "NOTSET" : "explicit", &answer), FAL_OK);
        check(&answer, 1, 3, 10);
        assert_int_equal(answer.axis.stride, 1);
        assert_int_equal(resolve(unequal[u], a, NULL, &answer), FAL_OK);
        check(&answer, 1, 3, 10);
    }
    a.end = 1;
    assert_int_equal(resolve(FAL_DIALECT_CAFFE, a, NULL, &answer), FAL_OK);
    check(&answer, 1, 1, 8);
    assert_int_equal(resolve(FAL_DIALECT_TORCH, a, NULL, &answer), FAL_OK);
    check(&answer, 1, 1, 8);
    a.begin = a.end = 0;
    assert_int_equal(resolve(FAL_DIALECT_TENSORFLOW, a, "causal", &answer), FAL_OK);
    check(&answer, 4, 0, 10);
    a.begin = a.end = -1; /* JAX crops */
    assert_int_equal(resolve(FAL_DIALECT_JAX, a, NULL, &answer), FAL_OK);
    check(&answer, -1, -1, 4);
}

/* The pixel between a network of PyTorch, which pads 3 and 3, and one of TensorFlow, which pads 2 and 3. */
static void test_first_layer_of_a_network(void **state)
{
    (void)state;
    fal_dialect_answer torch, tf;
    fal_axis a = {.input = 224, .kernel = 7, .stride = 2, .begin = 3, .end = 3};
    assert_int_equal(resolve(FAL_DIALECT_TORCH, a, NULL, &torch), FAL_OK);
    a.begin = a.end = 0;
    assert_int_equal(resolve(FAL_DIALECT_TENSORFLOW, a, "same", &tf), FAL_OK);
    assert_int_equal(torch.axis.output, 112);
    assert_int_equal(torch.shift_twice, 0);
    assert_int_equal(tf.axis.output, 112);
    assert_int_equal(tf.shift_twice, 2);
    assert_string_equal(torch.note, "");
    assert_non_null(strstr(tf.note, "another size"));
}

/* ---- Pooling ---- */

static fal_status pool(fal_dialect dialect, fal_axis axis, bool ceil, const char *padding,
                       fal_dialect_answer *answer)
{
    fal_dialect_request request = {
        .dialect = dialect, .pooling = true, .ceil_mode = ceil, .axis = axis, .padding = padding};
    return fal_dialect_resolve(&request, answer, NULL);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* PyTorch's rule; ONNX has the same one. */
static void check_torch_pool(fal_axis a, bool ceil)
{
    int64_t effective = a.dilation * (a.kernel - 1) + 1;
    int64_t o = floor_div(a.input + 2 * a.begin - effective + (ceil ? a.stride - 1 : 0), a.stride) + 1;
    if (ceil && (o - 1) * a.stride >= a.input + a.begin) o--;
    bool fits = a.input + 2 * a.begin >= effective && o >= 1;
    fal_dialect_answer answer;
    if (a.begin <= effective / 2) {
        assert_int_equal(pool(FAL_DIALECT_TORCH, a, ceil, NULL, &answer), fits ? FAL_OK : FAL_E_KERNEL);
        if (fits) assert_int_equal(answer.axis.output, o);
        if (fits) assert_int_equal(answer.ceil_mode, ceil);
    } else {
        assert_int_equal(pool(FAL_DIALECT_TORCH, a, ceil, NULL, &answer), FAL_E_PADDING);
    }
    assert_int_equal(pool(FAL_DIALECT_ONNX, a, ceil, NULL, &answer), fits ? FAL_OK : FAL_E_KERNEL);
    if (fits) assert_int_equal(answer.axis.output, o);
}

/* Caffe's rule, which drops the last window only when there is padding. What it keeps must be the windows
 * of the answer. */
static void check_caffe_pool(fal_axis a)
{
    int64_t room = a.input + 2 * a.begin - a.kernel;
    if (room < 0 || a.dilation != 1 || a.begin >= a.kernel) return;
    int64_t o = (room + a.stride - 1) / a.stride + 1;
    if (a.begin > 0 && (o - 1) * a.stride >= a.input + a.begin) o--;
    fal_dialect_answer answer;
    fal_status status = pool(FAL_DIALECT_CAFFE, a, false, NULL, &answer);
    if (o == 0) {
        assert_int_equal(status, FAL_E_KERNEL);
        return;
    }
    assert_int_equal(status, FAL_OK);
    assert_int_equal(answer.axis.output, o);
    assert_int_equal(answer.axis.begin, a.begin);
    fal_axis again = answer.axis;
    assert_int_equal(fal_pool_size(&again, answer.ceil_mode, NULL), FAL_OK);
    assert_int_equal(again.output, o);
    bool beyond = (o - 1) * a.stride >= a.input + a.begin;
    assert_int_equal(strstr(answer.note, "FLT_MAX") != NULL, beyond);
    assert_int_equal(answer.ceil_mode, !beyond);
}

static void test_every_small_pool(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 11; i++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 5; s++)
                for (int64_t d = 1; d <= 3; d++)
                    for (int64_t p = 0; p <= 4; p++) {
                        fal_axis a = {
                            .input = i, .kernel = k, .stride = s, .dilation = d, .begin = p, .end = p};
                        check_torch_pool(a, false);
                        check_torch_pool(a, true);
                        check_caffe_pool(a);
                    }
}

static void test_pooling_defaults(void **state)
{
    (void)state;
    fal_dialect_answer answer;
    static const int64_t strides[] = {3, 3, 1, 1, 1};
    for (int d = FAL_DIALECT_TORCH; d <= FAL_DIALECT_CAFFE; d++) {
        assert_int_equal(pool((fal_dialect)d, (fal_axis){.input = 9, .kernel = 3}, false, NULL, &answer),
                         FAL_OK);
        assert_int_equal(answer.axis.stride, strides[d]);
        assert_true(answer.note[0] != '\0');
    }
    /* `same` of pooling is that of convolution. */
    fal_axis a = {.input = 10, .kernel = 3, .stride = 2};
    assert_int_equal(pool(FAL_DIALECT_TENSORFLOW, a, false, "same", &answer), FAL_OK);
    check(&answer, 0, 1, 5);
    assert_int_equal(pool(FAL_DIALECT_ONNX, a, false, "same_lower", &answer), FAL_OK);
    check(&answer, 1, 0, 5);
    /* Rounding up would add a window that begins in the padding: 9, 4, 4 with padding 2 gives 3, not 4. */
    a = (fal_axis){.input = 9, .kernel = 4, .stride = 4, .begin = 2, .end = 2};
    assert_int_equal(pool(FAL_DIALECT_ONNX, a, true, NULL, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 3);
    assert_non_null(strstr(answer.note, "dropped"));
}

/* ---- Names ---- */

static void test_names(void **state)
{
    (void)state;
    fal_dialect found;
    for (int d = 0; d < FAL_DIALECTS; d++) {
        assert_int_equal(fal_dialect_parse(fal_dialect_name((fal_dialect)d), &found, NULL), FAL_OK);
        assert_int_equal(found, d);
    }
    static const struct {
        const char *name;
        fal_dialect dialect;
    } others[] = {{"PyTorch", FAL_DIALECT_TORCH},
                  {"keras", FAL_DIALECT_TENSORFLOW},
                  {"tensorflow", FAL_DIALECT_TENSORFLOW},
                  {"scipy.signal.correlate2d", FAL_DIALECT_SCIPY_CORRELATE2D},
                  {"scipy.ndimage.convolve", FAL_DIALECT_NDIMAGE_CONVOLVE},
                  {"conv2", FAL_DIALECT_MATLAB},
                  {"opencv.filter2D", FAL_DIALECT_OPENCV}};
    for (size_t o = 0; o < sizeof others / sizeof *others; o++) {
        assert_int_equal(fal_dialect_parse(others[o].name, &found, NULL), FAL_OK);
        assert_int_equal(found, others[o].dialect);
    }
    static const char *const none[] = {"", "torc", "torchh", "tensorflow, keras", "scipy.", "keras,"};
    for (size_t n = 0; n < sizeof none / sizeof *none; n++)
        assert_int_equal(fal_dialect_parse(none[n], &found, NULL), FAL_E_VALUE);
    assert_string_equal(fal_dialect_name(FAL_DIALECTS), "unknown");
    assert_string_equal(fal_dialect_name((fal_dialect)-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_window),       cmocka_unit_test(test_numbers_and_causal),
        cmocka_unit_test(test_first_layer_of_a_network), cmocka_unit_test(test_every_small_pool),
        cmocka_unit_test(test_pooling_defaults),         cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
