/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_multiply.c: the two ways to see a convolution as a product of matrices.
 *
 * Unfold the input, with windows as rows or as columns; or unfold the kernel. Stride, padding, bias and batch
 * only change which windows there are.
 */
#include "example.h"

static double x44[] = {1, 2, -3, -2, 5, 1, 4, -4, 0, -2, 0, -5, 3, 0, -1, 1};
static double w33[] = {2, 1, 4, 0, 3, -5, -3, 1, -2};
static const double y22[] = {-27, 41, 14, 12};

/* The kernel as a row (1 x K) times windows as columns (K x P). */
static void kernel_as_row_times_windows_as_columns(void **state)
{
    (void)state;
    double cols[9 * 4], y[4];
    fal_tensor x = plane(x44, 4, 4), c = FAL_TENSOR(cols, FAL_F64, 1, 9, 4),
               k = FAL_TENSOR(w33, FAL_F64, 1, 9), matrix = FAL_TENSOR(cols, FAL_F64, 9, 4),
               ty = FAL_TENSOR(y, FAL_F64, 1, 4);
    fal_conv_params params = {.kernel = {3, 3}};
    assert_int_equal(fal_unfold(&x, &params, &c, NULL), FAL_OK);
    assert_int_equal(fal_matmul(&k, &matrix, &ty, NULL), FAL_OK);
    expect(&ty, y22);
}

/* Windows as rows (P x K) times the kernel as a column: the same call into a permuted view. */
static void windows_as_rows_times_kernel_as_column(void **state)
{
    (void)state;
    double rows[4 * 9], y[4];
    fal_tensor x = plane(x44, 4, 4), r = FAL_TENSOR(rows, FAL_F64, 1, 4, 9), c,
               k = FAL_TENSOR(w33, FAL_F64, 9, 1), matrix = FAL_TENSOR(rows, FAL_F64, 4, 9),
               ty = FAL_TENSOR(y, FAL_F64, 4, 1);
    fal_conv_params params = {.kernel = {3, 3}};
    assert_int_equal(fal_tensor_permute(&r, (int32_t[]){0, 2, 1}, &c, NULL), FAL_OK);
    assert_int_equal(fal_unfold(&x, &params, &c, NULL), FAL_OK);
    assert_true(rows[0] == 1 && rows[8] == 0 && rows[9] == 2); /* window 0 ends with x[2][2] */
    assert_int_equal(fal_matmul(&matrix, &k, &ty, NULL), FAL_OK);
    expect(&ty, y22);
}

/* F (P x HW) times the image as a column. */
static void unfolded_kernel_times_image(void **state)
{
    (void)state;
    double f[4 * 16], y[4];
    fal_tensor x = plane(x44, 4, 4), w = plane(w33, 3, 3), matrix = FAL_TENSOR(f, FAL_F64, 4, 16),
               column = FAL_TENSOR(x44, FAL_F64, 16, 1), ty = FAL_TENSOR(y, FAL_F64, 4, 1);
    fal_conv_geometry g;
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, NULL), FAL_OK);
    assert_int_equal(fal_matrix_dense(&g, &w, &matrix, NULL), FAL_OK);
    assert_int_equal(fal_matmul(&matrix, &column, &ty, NULL), FAL_OK);
    expect(&ty, y22);
}

/* Two images, stride 2, padding 1 and a bias: other windows, the same product. */
static void stride_padding_bias_and_batch(void **state)
{
    (void)state;
    double x[32], cols[2 * 9 * 4], y[8], bias[1] = {10}, product[8];
    for (int i = 0; i < 32; i++) x[i] = x44[i % 16] * (i < 16 ? 1 : -2);
    fal_tensor tx = FAL_TENSOR(x, FAL_F64, 2, 1, 4, 4), w = plane(w33, 3, 3),
               b = FAL_TENSOR(bias, FAL_F64, 1), ty = FAL_TENSOR(y, FAL_F64, 2, 1, 2, 2),
               c = FAL_TENSOR(cols, FAL_F64, 2, 9, 4), k = FAL_TENSOR(w33, FAL_F64, 1, 9);
    fal_conv_params params = {
        .stride = {2, 2}, .padding_begin = {1, 1}, .padding_end = {1, 1}, .kernel = {3, 3}};
    assert_int_equal(fal_unfold(&tx, &params, &c, NULL), FAL_OK);
    for (int64_t n = 0; n < 2; n++) {
        fal_tensor matrix = FAL_TENSOR(cols + 36 * n, FAL_F64, 9, 4),
                   row = FAL_TENSOR(product + 4 * n, FAL_F64, 1, 4);
        assert_int_equal(fal_matmul(&k, &matrix, &row, NULL), FAL_OK);
    }
    for (int i = 0; i < 8; i++) product[i] += bias[0];
    convolve(false, &tx, &w, &b, &params, &ty);
    expect(&ty, product);
}

static void shape_of_unfold(void **state)
{
    (void)state;
    fal_tensor x = FAL_TENSOR(NULL, FAL_F64, 2, 5, 3, 4), cols;
    fal_conv_params params = {.kernel = {2, 3}};
    assert_int_equal(fal_unfold_shape(&x, &params, &cols, NULL), FAL_OK);
    expect_shape(&cols, 3, (int64_t[]){2, 30, 4});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_as_row_times_windows_as_columns),
        cmocka_unit_test(windows_as_rows_times_kernel_as_column),
        cmocka_unit_test(unfolded_kernel_times_image),
        cmocka_unit_test(stride_padding_bias_and_batch),
        cmocka_unit_test(shape_of_unfold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
