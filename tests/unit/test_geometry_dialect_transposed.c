/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transposed convolution in the words of other frameworks. What TensorFlow and JAX compute is defined by
 * which input, tap and output meet: those meetings are listed from each framework's own definition and
 * compared with the ones that the answer's axis has. ONNX and PyTorch define sizes and pads in formulas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

enum { MOST = 64 };

/* meets[input][output] is 1 + the tap that joins them, 0 where none does. */
typedef struct {
    int64_t outputs;
    signed char tap[MOST][MOST];
} meetings;

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static fal_status resolve(const fal_dialect_request *request, fal_dialect_answer *answer)
{
    memset(answer, 0xff, sizeof *answer);
    return fal_dialect_resolve(request, answer, NULL);
}

static void check_meetings(const meetings *expected, const fal_dialect_answer *answer)
{
    const fal_axis *a = &answer->axis;
    meetings found = {.outputs = a->output};
    assert_int_equal(found.outputs, expected->outputs);
    for (int64_t i = 0; i < a->input; i++)
        for (int64_t t = 0; t < a->kernel; t++) {
            int64_t o = i * a->stride + t * a->dilation - a->begin;
            int64_t tap = answer->flip_kernel ? a->kernel - 1 - t : t;
            if (o >= 0 && o < a->output) found.tap[i][o] = (signed char)(tap + 1);
        }
    assert_memory_equal(found.tap, expected->tap, sizeof found.tap);
    fal_axis again = *a;
    assert_int_equal(fal_conv_transpose_size(&again, NULL), FAL_OK);
    assert_int_equal(again.output, a->output);
}

/* ---- TensorFlow: the gradient of the convolution over an input of the output's size ---- */

/* False when that convolution does not give the input's size. */
static bool tensorflow_meetings(fal_axis a, bool same, int64_t size, meetings *m)
{
    int64_t effective = a.dilation * (a.kernel - 1) + 1, rest = size % a.stride, left = 0;
    int64_t windows = same               ? (size + a.stride - 1) / a.stride
                      : size < effective ? 0
                                         : (size - effective) / a.stride + 1;
    if (windows != a.input) return false;
    if (same) left = max(effective - (rest == 0 ? a.stride : rest), 0) / 2;
    *m = (meetings){.outputs = size};
    for (int64_t o = 0; o < windows; o++)
        for (int64_t t = 0; t < a.kernel; t++) {
            int64_t at = o * a.stride + t * a.dilation - left;
            if (at >= 0 && at < size) m->tap[o][at] = (signed char)(t + 1);
        }
    return true;
}

static void check_tensorflow(fal_axis a, bool same)
{
    meetings m;
    fal_dialect_answer answer;
    fal_dialect_request request = {
        .dialect = FAL_DIALECT_TENSORFLOW, .transposed = true, .axis = a, .padding = same ? "SAME" : "VALID"};
    for (int64_t size = 1; size < 40; size++) {
        request.axis.output = size;
        bool possible = tensorflow_meetings(a, same, size, &m);
        fal_status status = resolve(&request, &answer);
        assert_int_equal(status == FAL_OK, possible);
        if (possible) check_meetings(&m, &answer);
    }
    int64_t effective = a.dilation * (a.kernel - 1) + 1;
    int64_t keras = a.input * a.stride + (same ? 0 : max(effective - a.stride, 0));
    request.axis.output = 0;
    assert_true(tensorflow_meetings(a, same, keras, &m));
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    check_meetings(&m, &answer);
    for (int64_t extra = 1; extra < a.stride; extra++) { /* Keras with output_padding */
        keras = (a.input - 1) * a.stride + effective - (same ? effective / 2 * 2 : 0) + extra;
        request.axis.output_padding = extra;
        assert_int_equal(resolve(&request, &answer) == FAL_OK, tensorflow_meetings(a, same, keras, &m));
        if (answer.axis.output == keras) check_meetings(&m, &answer);
    }
}

/* ---- JAX: the kernel as it stands over the dilated input, padded by lo and hi ---- */

static void jax_meetings(fal_axis a, int64_t lo, int64_t hi, meetings *m)
{
    int64_t effective = a.dilation * (a.kernel - 1) + 1, dilated = (a.input - 1) * a.stride + 1;
    *m = (meetings){.outputs = dilated + lo + hi - effective + 1};
    for (int64_t o = 0; o < m->outputs; o++)
        for (int64_t t = 0; t < a.kernel; t++) {
            int64_t at = o + t * a.dilation - lo;
            if (at >= 0 && at < dilated && at % a.stride == 0)
                m->tap[at / a.stride][o] = (signed char)(t + 1);
        }
}

static void check_jax(fal_axis a)
{
    meetings m;
    fal_dialect_answer answer;
    fal_dialect_request request = {.dialect = FAL_DIALECT_JAX, .transposed = true, .axis = a};
    int64_t k = a.dilation * (a.kernel - 1) + 1, s = a.stride, total = k + s - 2;
    int64_t lo = s > k - 1 ? k - 1 : (total + 1) / 2;
    request.padding = "SAME";
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    jax_meetings(a, lo, total - lo, &m);
    assert_int_equal(m.outputs, a.input * s);
    check_meetings(&m, &answer);
    assert_true(answer.axis.end >= 0);

    request.padding = "VALID";
    total = k + s - 2 + max(k - s, 0);
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    jax_meetings(a, k - 1, total - (k - 1), &m);
    assert_int_equal(m.outputs, a.input * s + max(k - s, 0));
    check_meetings(&m, &answer);

    request.padding = NULL;
    for (request.axis.begin = 0; request.axis.begin <= k; request.axis.begin++)
        for (request.axis.end = 0; request.axis.end <= k; request.axis.end++) {
            jax_meetings(a, request.axis.begin, request.axis.end, &m);
            fal_status status = resolve(&request, &answer);
            assert_int_equal(status, m.outputs >= 1 ? FAL_OK : FAL_E_SHAPE);
            if (status == FAL_OK) check_meetings(&m, &answer);
        }
}

static void test_every_small_meeting(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 4; i++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 4; s++)
                for (int64_t d = 1; d <= 2; d++) {
                    fal_axis a = {.input = i, .kernel = k, .stride = s, .dilation = d};
                    check_tensorflow(a, true);
                    check_tensorflow(a, false);
                    check_jax(a);
                }
}

/* ---- ONNX ---- */

static int64_t floor_half(int64_t a)
{
    return (a - (a % 2 != 0 && a < 0)) / 2;
}

/* Text of the operator: total = s*(i-1) + output_padding + K - output_shape. Opset 11: with SAME_UPPER the
 * beginning gets total/2 and the end the rest, otherwise the reverse; opset 1: all the other way round. */
static void check_onnx_shape(fal_axis a, const char *word, int32_t opset)
{
    fal_dialect_answer answer;
    fal_dialect_request request = {
        .dialect = FAL_DIALECT_ONNX, .version = opset, .transposed = true, .axis = a, .padding = word};
    int64_t k = a.dilation * (a.kernel - 1) + 1;
    int64_t total = a.stride * (a.input - 1) + a.output_padding + k - a.output;
    bool upper = word != NULL && strcmp(word, "SAME_UPPER") == 0, early = opset != 0 && opset < 11;
    int64_t less = floor_half(total), begin = upper != early ? less : total - less;
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.begin, begin);
    assert_int_equal(answer.axis.end, total - begin);
    assert_int_equal(answer.axis.output, a.output);
    assert_int_equal(answer.axis.output_padding, a.output_padding);
    assert_int_equal(answer.note[0] != '\0', total % 2 != 0 || (early && upper) || a.output_padding > 0 ||
                                                 (early && word != NULL && strcmp(word, "SAME_LOWER") == 0));
}

static void test_onnx_output_shape(void **state)
{
    (void)state;
    static const char *const words[] = {NULL, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    static const int32_t opsets[] = {0, 1, 10, 11, 22};
    for (int64_t k = 1; k <= 5; k++)
        for (int64_t s = 1; s <= 3; s++)
            for (int64_t o = 4; o <= 14; o++)
                for (int w = 0; w < 5; w++)
                    for (int v = 0; v < 5; v++) {
                        fal_axis a = {.input = 4, .kernel = k, .stride = s, .dilation = 2, .output = o};
                        check_onnx_shape(a, words[w], opsets[v]);
                        a.output_padding = 1;
                        check_onnx_shape(a, words[w], opsets[v]);
                    }
}

static void test_onnx_auto_pad(void **state)
{
    (void)state;
    fal_dialect_answer answer;
    fal_dialect_request request = {.dialect = FAL_DIALECT_ONNX, .transposed = true, .padding = "SAME_UPPER"};
    static const struct {
        int64_t kernel, stride, extra;
        int32_t opset;
        int64_t begin, end, output_padding;
        bool contradicts;
    } rows[] = {{3, 2, 0, 0, 0, 1, 0, false}, {3, 2, 0, 11, 0, 1, 0, false}, {3, 2, 0, 10, 1, 0, 0, false},
                {4, 2, 0, 0, 1, 1, 0, false}, {1, 3, 0, 0, 0, 0, 2, true},   {3, 2, 1, 0, 1, 1, 1, true},
                {2, 3, 1, 0, 0, 0, 1, false}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        request.version = rows[r].opset;
        request.axis = (fal_axis){
            .input = 5, .kernel = rows[r].kernel, .stride = rows[r].stride, .output_padding = rows[r].extra};
        assert_int_equal(resolve(&request, &answer), FAL_OK);
        assert_int_equal(answer.axis.begin, rows[r].begin);
        assert_int_equal(answer.axis.end, rows[r].end);
        assert_int_equal(answer.axis.output, 5 * rows[r].stride);
        if (rows[r].extra == 0) assert_int_equal(answer.axis.output_padding, rows[r].output_padding);
        assert_int_equal(strstr(answer.note, "contradicts") != NULL, rows[r].contradicts);
    }
    request.version = 0;
    request.padding = "SAME_LOWER";
    request.axis = (fal_axis){.input = 5, .kernel = 3, .stride = 2};
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.begin, 1);
    assert_int_equal(answer.axis.end, 0);
    request.padding = "VALID";
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 11);
}

/* ---- PyTorch and Caffe ---- */

static void test_torch_output_size(void **state)
{
    (void)state;
    fal_dialect_answer answer;
    fal_dialect_request request = {.transposed = true,
                                   .axis = {.input = 5, .kernel = 3, .stride = 2, .begin = 1, .end = 1}};
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 9);
    assert_string_equal(answer.note, "");
    request.axis.output = 10;
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output_padding, 1);
    assert_non_null(strstr(answer.note, "appends no zeros"));
    request.axis.output = 11;
    assert_int_equal(resolve(&request, &answer), FAL_E_SHAPE);
    /* A dilation above the stride allows an output_padding that output_size cannot reach. */
    request.axis = (fal_axis){.input = 3, .kernel = 3, .dilation = 2, .output_padding = 1};
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 8);
    request.axis.output_padding = 0;
    request.axis.output = 8;
    assert_int_equal(resolve(&request, &answer), FAL_E_SHAPE);

    request = (fal_dialect_request){.dialect = FAL_DIALECT_CAFFE,
                                    .transposed = true,
                                    .axis = {.input = 5, .kernel = 4, .stride = 2, .begin = 1, .end = 1}};
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 10);
    assert_int_equal(answer.shift_twice, 1);
}

/* TensorFlow with numbers is the plain formula. */
static void test_tensorflow_numbers(void **state)
{
    (void)state;
    fal_dialect_answer answer;
    fal_dialect_request request = {.dialect = FAL_DIALECT_TENSORFLOW,
                                   .transposed = true,
                                   .axis = {.input = 5, .kernel = 3, .stride = 2, .begin = 0, .end = 1}};
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output, 10);
    request.axis.output = 11;
    assert_int_equal(resolve(&request, &answer), FAL_OK);
    assert_int_equal(answer.axis.output_padding, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_meeting), cmocka_unit_test(test_onnx_output_shape),
        cmocka_unit_test(test_onnx_auto_pad), cmocka_unit_test(test_torch_output_size),
        cmocka_unit_test(test_tensorflow_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
