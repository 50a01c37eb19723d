/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dialects of one array and one kernel, by the numbers that come out: the resolved parameters, run
 * through the reference, must give what SciPy 1.10 printed. The input is 3 1 4 1 5 and tap t of the kernel
 * 10^t, so that every result spells which cells it saw and in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faltung.h"

enum { INPUT = 5, ROOM = 8 };

typedef struct {
    fal_dialect dialect;
    const char *padding;
    int kernel, count;
    int y[ROOM];
} row;

/* OpenCV's rows are its documented formula with the border of numpy.pad's 'reflect', MATLAB's a slice of
 * the full result that begins at ceil((k-1)/2). */
static const row rows[] = {
    {FAL_DIALECT_SCIPY_CONVOLVE, "full", 2, 6, {3, 31, 14, 41, 15, 50}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "same", 2, 5, {3, 31, 14, 41, 15}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "valid", 2, 4, {31, 14, 41, 15}},
    {FAL_DIALECT_SCIPY_CORRELATE, "full", 2, 6, {30, 13, 41, 14, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE, "same", 2, 5, {30, 13, 41, 14, 51}},
    {FAL_DIALECT_SCIPY_CORRELATE, "valid", 2, 4, {13, 41, 14, 51}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "full", 2, 6, {3, 31, 14, 41, 15, 50}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "same", 2, 5, {3, 31, 14, 41, 15}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "valid", 2, 4, {31, 14, 41, 15}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "full", 2, 6, {30, 13, 41, 14, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "same", 2, 5, {13, 41, 14, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "valid", 2, 4, {13, 41, 14, 51}},
    {FAL_DIALECT_NDIMAGE_CONVOLVE, NULL, 2, 5, {31, 14, 41, 15, 55}},
    {FAL_DIALECT_NDIMAGE_CORRELATE, NULL, 2, 5, {33, 13, 41, 14, 51}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "full", 3, 7, {3, 31, 314, 141, 415, 150, 500}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "same", 3, 5, {31, 314, 141, 415, 150}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "valid", 3, 3, {314, 141, 415}},
    {FAL_DIALECT_SCIPY_CORRELATE, "full", 3, 7, {300, 130, 413, 141, 514, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE, "same", 3, 5, {130, 413, 141, 514, 51}},
    {FAL_DIALECT_SCIPY_CORRELATE, "valid", 3, 3, {413, 141, 514}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "full", 3, 7, {3, 31, 314, 141, 415, 150, 500}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "same", 3, 5, {31, 314, 141, 415, 150}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "valid", 3, 3, {314, 141, 415}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "full", 3, 7, {300, 130, 413, 141, 514, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "same", 3, 5, {130, 413, 141, 514, 51}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "valid", 3, 3, {413, 141, 514}},
    {FAL_DIALECT_NDIMAGE_CONVOLVE, NULL, 3, 5, {331, 314, 141, 415, 155}},
    {FAL_DIALECT_NDIMAGE_CORRELATE, NULL, 3, 5, {133, 413, 141, 514, 551}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "full", 4, 8, {3, 31, 314, 3141, 1415, 4150, 1500, 5000}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "same", 4, 5, {31, 314, 3141, 1415, 4150}},
    {FAL_DIALECT_SCIPY_CONVOLVE, "valid", 4, 2, {3141, 1415}},
    {FAL_DIALECT_SCIPY_CORRELATE, "full", 4, 8, {3000, 1300, 4130, 1413, 5141, 514, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE, "same", 4, 5, {1300, 4130, 1413, 5141, 514}},
    {FAL_DIALECT_SCIPY_CORRELATE, "valid", 4, 2, {1413, 5141}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "full", 4, 8, {3, 31, 314, 3141, 1415, 4150, 1500, 5000}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "same", 4, 5, {31, 314, 3141, 1415, 4150}},
    {FAL_DIALECT_SCIPY_CONVOLVE2D, "valid", 4, 2, {3141, 1415}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "full", 4, 8, {3000, 1300, 4130, 1413, 5141, 514, 51, 5}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "same", 4, 5, {4130, 1413, 5141, 514, 51}},
    {FAL_DIALECT_SCIPY_CORRELATE2D, "valid", 4, 2, {1413, 5141}},
    {FAL_DIALECT_NDIMAGE_CONVOLVE, NULL, 4, 5, {3314, 3141, 1415, 4155, 1551}},
    {FAL_DIALECT_NDIMAGE_CORRELATE, NULL, 4, 5, {1331, 4133, 1413, 5141, 5514}},
    {FAL_DIALECT_OPENCV, NULL, 2, 5, {31, 13, 41, 14, 51}},
    {FAL_DIALECT_MATLAB, "full", 2, 6, {3, 31, 14, 41, 15, 50}},
    {FAL_DIALECT_MATLAB, "same", 2, 5, {31, 14, 41, 15, 50}},
    {FAL_DIALECT_MATLAB, "valid", 2, 4, {31, 14, 41, 15}},
    {FAL_DIALECT_OPENCV, NULL, 3, 5, {131, 413, 141, 514, 151}},
    {FAL_DIALECT_MATLAB, "full", 3, 7, {3, 31, 314, 141, 415, 150, 500}},
    {FAL_DIALECT_MATLAB, "same", 3, 5, {31, 314, 141, 415, 150}},
    {FAL_DIALECT_MATLAB, "valid", 3, 3, {314, 141, 415}},
    {FAL_DIALECT_OPENCV, NULL, 4, 5, {1314, 4131, 1413, 5141, 1514}},
    {FAL_DIALECT_MATLAB, "full", 4, 8, {3, 31, 314, 3141, 1415, 4150, 1500, 5000}},
    {FAL_DIALECT_MATLAB, "same", 4, 5, {314, 3141, 1415, 4150, 1500}},
    {FAL_DIALECT_MATLAB, "valid", 4, 2, {3141, 1415}},
};

/* A row of numbers. */
typedef struct {
    double *data;
    int64_t count;
} array;

/* Fills y->data and its count. */
static void run(fal_dialect dialect, const char *padding, array x, array w, array *y)
{
    fal_dialect_request request = {
        .dialect = dialect, .axis = {.input = x.count, .kernel = w.count}, .padding = padding};
    fal_dialect_answer answer;
    assert_int_equal(fal_dialect_resolve(&request, &answer, NULL), FAL_OK);
    y->count = answer.axis.output;
    fal_operands operands = {.x = FAL_TENSOR(x.data, FAL_F64, 1, 1, x.count),
                             .w = FAL_TENSOR(w.data, FAL_F64, 1, 1, w.count),
                             .y = FAL_TENSOR(y->data, FAL_F64, 1, 1, y->count)};
    fal_conv_params params = {.padding_begin = {answer.axis.begin},
                              .padding_end = {answer.axis.end},
                              .padding_mode = answer.border,
                              .flip_kernel = answer.flip_kernel};
    assert_int_equal(fal_reference(FAL_OP_CONV, &operands, &params, NULL), FAL_OK);
}

static void test_results_of_scipy(void **state)
{
    (void)state;
    double x[INPUT] = {3, 1, 4, 1, 5}, w[] = {1, 10, 100, 1000}, y[ROOM];
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        array result = {y, 0};
        run(rows[r].dialect, rows[r].padding, (array){x, INPUT}, (array){w, rows[r].kernel}, &result);
        assert_int_equal(result.count, rows[r].count);
        for (int i = 0; i < rows[r].count; i++)
            if ((int)y[i] != rows[r].y[i])
                fail_msg("%s %s, kernel %d: output %d is %g, not %d", fal_dialect_name(rows[r].dialect),
                         rows[r].padding ? rows[r].padding : "", rows[r].kernel, i, y[i], rows[r].y[i]);
    }
}

/* The example of MATLAB's own page on conv. */
static void test_matlab_example(void **state)
{
    (void)state;
    double x[] = {-1, 2, 3, -2, 0, 1, 2}, w[] = {2, 4, -1, 1}, y[ROOM];
    static const double expected[] = {15, 5, -9, 7, 6, 7, -1};
    array result = {y, 0};
    run(FAL_DIALECT_MATLAB, "same", (array){x, 7}, (array){w, 4}, &result);
    assert_int_equal(result.count, 7);
    for (int i = 0; i < 7; i++) assert_true(y[i] == expected[i]);
}

/* Where output 0 begins, for kernels of 1 to 5 taps: all frameworks agree on odd kernels only. */
static void test_centres_of_same(void **state)
{
    (void)state;
    static const struct {
        fal_dialect dialect;
        const char *padding;
        int begin[5];
    } centres[] = {{FAL_DIALECT_TORCH, "same", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_TENSORFLOW, "SAME", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_ONNX, "SAME_UPPER", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_ONNX, "SAME_LOWER", {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_JAX, "SAME", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_JAX, "SAME_LOWER", {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_SCIPY_CONVOLVE, "same", {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_SCIPY_CORRELATE, "same", {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_SCIPY_CONVOLVE2D, "same", {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_SCIPY_CORRELATE2D, "same", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_NDIMAGE_CONVOLVE, NULL, {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_NDIMAGE_CORRELATE, NULL, {0, 1, 1, 2, 2}},
                   {FAL_DIALECT_MATLAB, "same", {0, 0, 1, 1, 2}},
                   {FAL_DIALECT_OPENCV, NULL, {0, 1, 1, 2, 2}}};
    for (size_t c = 0; c < sizeof centres / sizeof *centres; c++)
        for (int64_t k = 1; k <= 5; k++) {
            fal_dialect_request request = {.dialect = centres[c].dialect,
                                           .axis = {.input = 9, .kernel = k},
                                           .padding = centres[c].padding};
            fal_dialect_answer answer;
            assert_int_equal(fal_dialect_resolve(&request, &answer, NULL), FAL_OK);
            assert_int_equal(answer.axis.output, 9);
            assert_int_equal(answer.axis.begin, centres[c].begin[k - 1]);
            assert_int_equal(answer.axis.begin + answer.axis.end, k - 1);
            assert_int_equal(answer.shift_twice, k - 1 - 2 * answer.axis.begin);
            bool even = k % 2 == 0, signal = centres[c].dialect >= FAL_DIALECT_SCIPY_CONVOLVE;
            if (even && signal) assert_memory_equal(answer.note, "even kernel", 11);
        }
}

static void test_borders_and_flips(void **state)
{
    (void)state;
    for (int d = 0; d < FAL_DIALECTS; d++) {
        fal_dialect_request request = {.dialect = (fal_dialect)d, .axis = {.input = 9, .kernel = 3}};
        fal_dialect_answer answer;
        assert_int_equal(fal_dialect_resolve(&request, &answer, NULL), FAL_OK);
        bool flips = d == FAL_DIALECT_SCIPY_CONVOLVE || d == FAL_DIALECT_SCIPY_CONVOLVE2D ||
                     d == FAL_DIALECT_NDIMAGE_CONVOLVE || d == FAL_DIALECT_MATLAB;
        assert_int_equal(answer.flip_kernel, flips);
        bool ndimage = d == FAL_DIALECT_NDIMAGE_CONVOLVE || d == FAL_DIALECT_NDIMAGE_CORRELATE;
        assert_int_equal(answer.border, ndimage                   ? FAL_PAD_SYMMETRIC
                                        : d == FAL_DIALECT_OPENCV ? FAL_PAD_REFLECT
                                                                  : FAL_PAD_ZEROS);
        assert_false(answer.ceil_mode);
        /* What happens when no padding is said. */
        int64_t sizes[FAL_DIALECTS] = {7, 7, 7, 7, 7, 11, 11, 11, 11, 9, 9, 11, 9};
        assert_int_equal(answer.axis.output, sizes[d]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_of_scipy), cmocka_unit_test(test_matlab_example),
        cmocka_unit_test(test_centres_of_same), cmocka_unit_test(test_borders_and_flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
