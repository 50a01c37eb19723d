/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each framework refuses, word for word, and that nothing is written then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

typedef struct {
    fal_dialect_request request;
    fal_status status;
    const char *field, *message;
} refusal;

#define AXIS .axis = {.input = 8, .kernel = 3}

static const refusal refusals[] = {
    /* words */
    {{.dialect = FAL_DIALECT_TORCH, AXIS, .padding = "full"},
     FAL_E_PADDING,
     "padding",
     "PyTorch has no word 'full' for the padding of a convolution; its words are valid, same, or numbers"},
    {{.dialect = FAL_DIALECT_TORCH, .transposed = true, AXIS, .padding = "same"},
     FAL_E_PADDING,
     "padding",
     "PyTorch has no word 'same' for the padding of a transposed convolution; must be given in numbers"},
    {{.dialect = FAL_DIALECT_TENSORFLOW, .pooling = true, AXIS, .padding = "causal"},
     FAL_E_PADDING,
     "padding",
     "TensorFlow has no word 'causal' for the padding of a pooling; its words are VALID, SAME, or numbers"},
    {{.dialect = FAL_DIALECT_ONNX, AXIS, .padding = "same"},
     FAL_E_PADDING,
     "padding",
     "ONNX has no word 'same' for the padding of a convolution; its words are NOTSET, VALID, SAME_UPPER, "
     "SAME_LOWER, or numbers"},
    {{.dialect = FAL_DIALECT_JAX, .transposed = true, AXIS, .padding = "SAME_LOWER"},
     FAL_E_PADDING,
     "padding",
     "JAX has no word 'SAME_LOWER' for the padding of a transposed convolution; its words are VALID, SAME, "
     "or "
     "numbers"},
    {{.dialect = FAL_DIALECT_CAFFE, AXIS, .padding = "valid"},
     FAL_E_PADDING,
     "padding",
     "Caffe has no word 'valid' for the padding of a convolution; must be given in numbers"},
    {{.dialect = FAL_DIALECT_SCIPY_CONVOLVE2D, AXIS, .padding = "explicit"},
     FAL_E_PADDING,
     "padding",
     "scipy.signal.convolve2d has no word 'explicit' for the padding of a convolution; its words are full, "
     "same, valid"},
    {{.dialect = FAL_DIALECT_OPENCV, AXIS, .padding = "valid"},
     FAL_E_PADDING,
     "padding",
     "OpenCV's filter2D has no word 'valid' for the padding of a convolution; its words are same"},
    /* words and numbers */
    {{.dialect = FAL_DIALECT_ONNX, .axis = {.input = 8, .kernel = 3, .begin = 1}, .padding = "SAME_UPPER"},
     FAL_E_PADDING,
     "padding",
     "padding is 1 and 0; the word 'SAME_UPPER' excludes numbers"},
    {{.dialect = FAL_DIALECT_MATLAB, .axis = {.input = 8, .kernel = 3, .end = 1}},
     FAL_E_PADDING,
     "padding",
     "padding is 0 and 1; MATLAB's conv2 takes no numbers; its words are full, same, valid"},
    /* numbers */
    {{.dialect = FAL_DIALECT_TORCH, .axis = {.input = 8, .kernel = 3, .begin = 1, .end = 2}},
     FAL_E_PADDING,
     "padding",
     "padding is 1 and 2; PyTorch pads both ends alike; pad the input first"},
    {{.dialect = FAL_DIALECT_CAFFE, .transposed = true, .axis = {.input = 8, .kernel = 3, .begin = 1}},
     FAL_E_PADDING,
     "padding",
     "padding is 1 and 0; Caffe pads both ends alike"},
    {{.dialect = FAL_DIALECT_ONNX, .axis = {.input = 8, .kernel = 3, .begin = -1}},
     FAL_E_PADDING,
     "padding",
     "padding is -1 and 0; ONNX takes no negative padding"},
    {{.dialect = FAL_DIALECT_TORCH, .axis = {.input = 8, .kernel = 3, .stride = 2}, .padding = "same"},
     FAL_E_STRIDE,
     "stride",
     "padding 'same' with stride 2; PyTorch has 'same' for stride 1 only; give the padding in numbers"},
    {{.dialect = FAL_DIALECT_TORCH, .pooling = true, .axis = {.input = 8, .kernel = 3, .begin = 2, .end = 2}},
     FAL_E_PADDING,
     "padding",
     "padding is 2, the effective kernel 3; PyTorch's pooling pads at most half of the effective kernel"},
    {{.dialect = FAL_DIALECT_CAFFE, .pooling = true, .axis = {.input = 8, .kernel = 2, .begin = 2, .end = 2}},
     FAL_E_PADDING,
     "padding",
     "padding is 2, kernel is 2; Caffe's pooling pads less than the kernel"},
    {{.dialect = FAL_DIALECT_SCIPY_CORRELATE, .axis = {.input = 8, .kernel = 3, .stride = 2}},
     FAL_E_STRIDE,
     "stride",
     "scipy.signal.correlate has no stride, here 2; must be 1"},
    {{.dialect = FAL_DIALECT_OPENCV, .axis = {.input = 8, .kernel = 3, .dilation = 2}},
     FAL_E_DILATION,
     "dilation",
     "OpenCV's filter2D has no dilation, here 2; must be 1"},
    {{.dialect = FAL_DIALECT_CAFFE, .pooling = true, .axis = {.input = 8, .kernel = 3, .dilation = 2}},
     FAL_E_DILATION,
     "dilation",
     "Caffe has no dilation, here 2; must be 1"},
    {{.dialect = FAL_DIALECT_SCIPY_CONVOLVE, .axis = {.input = 3, .kernel = 8}, .padding = "valid"},
     FAL_E_KERNEL,
     "kernel",
     "kernel 8 is larger than the padded input 3; the kernel must fit into the padded input; SciPy exchanges "
     "the operands here: give the longer one as the input"},
    {{.dialect = FAL_DIALECT_JAX, .axis = {.input = 3, .kernel = 8}},
     FAL_E_KERNEL,
     "kernel",
     "kernel 8 is larger than the padded input 3; the kernel must fit into the padded input; JAX gives an "
     "empty output here"},
    /* operators */
    {{.dialect = FAL_DIALECT_MATLAB, .transposed = true, AXIS},
     FAL_E_UNSUPPORTED,
     "dialect",
     "MATLAB's conv2 has no transposed convolution"},
    {{.dialect = FAL_DIALECT_NDIMAGE_CONVOLVE, .pooling = true, AXIS},
     FAL_E_UNSUPPORTED,
     "dialect",
     "scipy.ndimage.convolve has no pooling"},
    {{.dialect = FAL_DIALECT_TENSORFLOW, .pooling = true, .ceil_mode = true, AXIS},
     FAL_E_VALUE,
     "ceil_mode",
     "TensorFlow has no ceil mode for a pooling; its sizes are rounded down"},
    {{.dialect = FAL_DIALECT_TORCH, .ceil_mode = true, AXIS},
     FAL_E_VALUE,
     "ceil_mode",
     "PyTorch has no ceil mode for a convolution; its sizes are rounded down"},
    {{.dialect = FAL_DIALECT_TORCH, .transposed = true, .pooling = true, AXIS},
     FAL_E_VALUE,
     "pooling",
     "a request is both transposed and pooling"},
    /* versions */
    {{.dialect = FAL_DIALECT_TORCH, .version = 2, AXIS},
     FAL_E_VALUE,
     "version",
     "version is 2; only ONNX has one"},
    {{.dialect = FAL_DIALECT_ONNX, .version = -1, AXIS},
     FAL_E_VALUE,
     "version",
     "version is -1; an opset is at least 1"},
    {{.dialect = FAL_DIALECT_ONNX, .version = 9, .pooling = true, .ceil_mode = true, AXIS},
     FAL_E_VALUE,
     "version",
     "opset 9 has no ceil_mode for pooling; must be at least 10"},
    {{.dialect = FAL_DIALECT_ONNX,
      .version = 8,
      .pooling = true,
      .axis = {.input = 8, .kernel = 3, .dilation = 2}},
     FAL_E_VALUE,
     "version",
     "opset 8 has no dilations for pooling; must be at least 10"},
    /* transposed */
    {{.dialect = FAL_DIALECT_TORCH, .axis = {.input = 8, .kernel = 3, .output = 8}},
     FAL_E_PADDING,
     "output",
     "output is 8; only a transposed convolution has one"},
    {{.dialect = FAL_DIALECT_ONNX, .axis = {.input = 8, .kernel = 3, .output_padding = 1}},
     FAL_E_PADDING,
     "output_padding",
     "output_padding is 1; only a transposed convolution has one"},
    {{.dialect = FAL_DIALECT_JAX,
      .transposed = true,
      .axis = {.input = 8, .kernel = 3, .stride = 2, .output_padding = 1}},
     FAL_E_PADDING,
     "output_padding",
     "output_padding is 1; JAX has none"},
    {{.dialect = FAL_DIALECT_CAFFE, .transposed = true, .axis = {.input = 8, .kernel = 3, .output = 10}},
     FAL_E_SHAPE,
     "output",
     "output is 10; Caffe takes no size for it"},
    {{.dialect = FAL_DIALECT_TENSORFLOW,
      .transposed = true,
      .axis = {.input = 8, .kernel = 3, .stride = 2, .output = 17},
      .padding = "same"},
     FAL_E_SHAPE,
     "output",
     "a convolution of output size 17 gives 9; TensorFlow's must give back the input's size, 8"},
    {{.dialect = FAL_DIALECT_TORCH,
      .transposed = true,
      .axis = {.input = 3, .kernel = 3, .dilation = 2, .output = 8}},
     FAL_E_SHAPE,
     "output",
     "output_size is 8; PyTorch's output_size must be 7..7"},
    {{.dialect = FAL_DIALECT_ONNX,
      .transposed = true,
      .axis = {.input = 0, .kernel = 3},
      .padding = "SAME_UPPER"},
     FAL_E_DIM,
     "input",
     "input is 0; must be at least 1"},
    /* plain numbers */
    {{.dialect = FAL_DIALECT_TORCH, .axis = {.input = 8, .kernel = 0}},
     FAL_E_KERNEL,
     "kernel",
     "kernel is 0; must be at least 1"},
    {{.dialect = FAL_DIALECT_TORCH, .axis = {.input = 8, .kernel = 3, .stride = -1}},
     FAL_E_STRIDE,
     "stride",
     "stride is -1; must be at least 1"},
    {{.dialect = FAL_DIALECTS, AXIS},
     FAL_E_VALUE,
     "dialect",
     "dialect is 13; must be one of fal_dialect, 0..12"},
};

static void test_every_refusal(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof refusals / sizeof *refusals; r++) {
        fal_error error = {0};
        fal_dialect_answer answer, kept;
        char message[400];
        memset(&answer, 0x5a, sizeof answer);
        kept = answer;
        assert_int_equal(fal_dialect_resolve(&refusals[r].request, &answer, &error), refusals[r].status);
        fal_error_message(&error, message, sizeof message);
        assert_string_equal(message, refusals[r].message);
        assert_string_equal(error.field, refusals[r].field);
        assert_memory_equal(&answer, &kept, sizeof answer);
        assert_int_equal(fal_dialect_resolve(&refusals[r].request, &answer, NULL), refusals[r].status);
    }
}

static void test_null(void **state)
{
    (void)state;
    fal_dialect dialect;
    fal_error error;
    fal_dialect_answer answer;
    const fal_dialect_request request = {AXIS};
    assert_int_equal(fal_dialect_resolve(NULL, &answer, NULL), FAL_E_NULL);
    assert_int_equal(fal_dialect_resolve(&request, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_dialect_parse(NULL, &dialect, NULL), FAL_E_NULL);
    assert_int_equal(fal_dialect_parse("torch", NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_dialect_parse("theano", &dialect, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "'theano' is not a known dialect");
    assert_memory_equal(error.allowed, "must be torch, tf, onnx,", 24);
}

/* Every pair of numbers near the ends of 64 bits: an answer or a refusal, never an overflow (which the
 * sanitizer build would report). */
static void test_extreme_numbers(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, 3, INT64_C(1) << 31, INT64_C(1) << 62, INT64_MAX - 1, INT64_MAX};
    static const char *const words[] = {NULL, "same", "SAME_LOWER", "valid", "full"};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int d = 0; d < FAL_DIALECTS; d++)
        for (int operator= 0; operator<4; operator++)
            for (int place = 0; place < 5 * COUNT * COUNT * COUNT * COUNT; place++) {
                int rest = place, word = rest % 5;
                int64_t pick[4];
                rest /= 5;
                for (int p = 0; p < 4; p++, rest /= COUNT) pick[p] = numbers[rest % COUNT];
                fal_dialect_request request = {.dialect = (fal_dialect)d,
                                               .transposed = operator== 1,
                                               .pooling = operator>= 2,
                                               .ceil_mode = operator== 3,
                                               .axis = {.input = pick[0],
                                                        .kernel = pick[1],
                                                        .stride = pick[2],
                                                        .begin = pick[3],
                                                        .end = pick[3]},
                                               .padding = words[word]};
                fal_dialect_answer answer;
                (void)fal_dialect_resolve(&request, &answer, NULL);
                request.axis.dilation = pick[3];
                request.axis.begin = request.axis.end = 0;
                request.axis.output = operator== 1 ? pick[3] : 0;
                request.axis.output_padding = operator== 1 ? pick[3] % 5 : 0;
                (void)fal_dialect_resolve(&request, &answer, NULL);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_refusal), cmocka_unit_test(test_null),
                                       cmocka_unit_test(test_extreme_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
