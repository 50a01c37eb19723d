/* SPDX-License-Identifier: BSD-3-Clause */
/* test_strides.c: worked examples of strides, tiles and windows. */
#include "example.h"

static void row_major_strides(void **state)
{
    (void)state;
    fal_tensor t = FAL_TENSOR(NULL, FAL_F64, 3, 4, 5);
    expect_strides(&t, (int64_t[]){20, 5, 1});
}

/* The same (3,4) matrix stored by rows and by columns: other offsets, the same element. */
static void one_element_two_orders(void **state)
{
    (void)state;
    double rows[12], columns[12];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) rows[i * 4 + j] = columns[i + 3 * j] = 10 * i + j;
    fal_tensor by_rows = FAL_TENSOR(rows, FAL_F64, 3, 4), by_columns = by_rows;
    by_columns.data = columns;
    by_columns.strides[0] = 1;
    by_columns.strides[1] = 3;
    const int64_t index[] = {1, 2};
    assert_true(fal_tensor_get(&by_rows, index) == rows[6] && rows[6] == 12);
    assert_true(fal_tensor_get(&by_columns, index) == columns[7] && columns[7] == 12);
    assert_true(fal_tensor_is_compact(&by_rows) && !fal_tensor_is_compact(&by_columns));
}

static void count_to_36(double data[36])
{
    for (int i = 0; i < 36; i++) data[i] = i + 1;
}

static void tiles_of_a_matrix(void **state)
{
    (void)state;
    double data[36];
    count_to_36(data);
    fal_tensor t = FAL_TENSOR(data, FAL_F64, 6, 6), tiles;
    assert_int_equal(fal_tensor_tile(&t, (int64_t[]){2, 2}, &tiles, NULL), FAL_OK);
    expect_shape(&tiles, 4, (int64_t[]){3, 3, 2, 2});
    expect_strides(&tiles, (int64_t[]){12, 2, 6, 1});
    assert_true(fal_tensor_get(&tiles, (int64_t[]){1, 2, 0, 1}) == 18);
}

static void windows_of_a_matrix(void **state)
{
    (void)state;
    double data[36];
    count_to_36(data);
    fal_tensor t = FAL_TENSOR(data, FAL_F64, 6, 6), windows, second;
    assert_int_equal(fal_tensor_windows(&t, 0, 2, (int64_t[]){3, 3}, NULL, NULL, &windows, NULL), FAL_OK);
    expect_shape(&windows, 4, (int64_t[]){4, 4, 3, 3});
    expect_strides(&windows, (int64_t[]){6, 1, 6, 1});
    assert_true(fal_tensor_get(&windows, (int64_t[]){0, 0, 0, 0}) == 1);
    assert_int_equal(fal_tensor_slice(&windows, 0, 1, 2, 1, &second, NULL), FAL_OK);
    assert_int_equal(fal_tensor_slice(&second, 1, 1, 2, 1, &second, NULL), FAL_OK);
    expect(&second, (double[]){8, 9, 10, 14, 15, 16, 20, 21, 22});
    assert_true(windows.flags & FAL_READ_ONLY);
}

/* Windows of an NHWC image, reshaped and multiplied by the weight, are the convolution. */
static void windows_of_nhwc_times_the_weight(void **state)
{
    (void)state;
    enum { N = 2, H = 5, W = 6, C = 3, K = 2, OC = 4, OH = H - K + 1, OW = W - K + 1 };
    double x[N * H * W * C], w[K * K * C * OC], copied[N * OH * OW * K * K * C], y[N * OH * OW * OC],
        product[N * OH * OW * OC];
    for (int i = 0; i < N * H * W * C; i++) x[i] = i * 7 % 11 - 5;
    for (int i = 0; i < K * K * C * OC; i++) w[i] = i * 5 % 7 - 3;
    fal_tensor tx = FAL_TENSOR(x, FAL_F64, N, H, W, C), tw = FAL_TENSOR(w, FAL_F64, K, K, C, OC), windows;
    fal_tensor ty = FAL_TENSOR(y, FAL_F64, N, OH, OW, OC);
    assert_int_equal(fal_tensor_windows(&tx, 1, 2, (int64_t[]){K, K}, NULL, NULL, &windows, NULL), FAL_OK);
    expect_shape(&windows, 6, (int64_t[]){N, OH, OW, K, K, C});
    expect_strides(&windows, (int64_t[]){H * W * C, W * C, C, W * C, C, 1});
    fal_tensor copy = FAL_TENSOR(copied, FAL_F64, N, OH, OW, K, K, C);
    assert_int_equal(fal_tensor_copy(&windows, &copy, NULL), FAL_OK);
    fal_tensor rows = FAL_TENSOR(copied, FAL_F64, N * OH * OW, K * K * C),
               weight = FAL_TENSOR(w, FAL_F64, K * K * C, OC),
               result = FAL_TENSOR(product, FAL_F64, N * OH * OW, OC);
    assert_int_equal(fal_matmul(&rows, &weight, &result, NULL), FAL_OK);
    fal_conv_params params = {.layout = FAL_NHWC};
    convolve(false, &tx, &tw, NULL, &params, &ty);
    expect(&ty, product);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_major_strides),
        cmocka_unit_test(one_element_two_orders),
        cmocka_unit_test(tiles_of_a_matrix),
        cmocka_unit_test(windows_of_a_matrix),
        cmocka_unit_test(windows_of_nhwc_times_the_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
