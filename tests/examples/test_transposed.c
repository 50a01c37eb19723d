/* SPDX-License-Identifier: BSD-3-Clause */
/* test_transposed.c: worked examples of the transposed convolution and of its name. */
#include "example.h"

/* ---- Stride 2: [[1,2],[3,4]] with [[1,0],[0,-1]] ---- */

static double small_x[] = {1, 2, 3, 4}, small_w[] = {1, 0, 0, -1};
static const double small_y[] = {1, 0, 2, 0, 0, -1, 0, -2, 3, 0, 4, 0, 0, -3, 0, -4};

static void stride_two(void **state)
{
    (void)state;
    double y[16];
    fal_tensor x = plane(small_x, 2, 2), w = plane(small_w, 2, 2), ty = plane(y, 4, 4);
    fal_conv_params params = {.stride = {2, 2}};
    convolve(true, &x, &w, NULL, &params, &ty);
    expect(&ty, small_y);
}

/* The same by zeros between the elements of x, padding d(k-1)-p = 1 and the flipped kernel. */
static void stride_two_by_zero_stuffing(void **state)
{
    (void)state;
    double stuffed[9], y[16];
    fal_tensor x = plane(small_x, 2, 2), w = plane(small_w, 2, 2), tz = plane(stuffed, 3, 3),
               ty = plane(y, 4, 4);
    assert_int_equal(fal_tensor_zero_stuff(&x, (int64_t[]){1, 1, 2, 2}, &tz, NULL), FAL_OK);
    expect(&tz, (double[]){1, 0, 2, 0, 0, 0, 3, 0, 4});
    fal_conv_params params = {.padding_begin = {1, 1}, .padding_end = {1, 1}, .flip_kernel = true};
    convolve(false, &tz, &w, NULL, &params, &ty);
    expect(&ty, small_y);
}

/* Output padding goes to the end only: one more row and column, which the kernel does not reach here. */
static void output_padding_is_at_the_end(void **state)
{
    (void)state;
    double y[25], stuffed[9], z[25];
    fal_tensor x = plane(small_x, 2, 2), w = plane(small_w, 2, 2), ty = plane(y, 5, 5);
    fal_conv_params params = {.stride = {2, 2}, .output_padding = {1, 1}};
    convolve(true, &x, &w, NULL, &params, &ty);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) assert_true(y[i * 5 + j] == (i < 4 && j < 4 ? small_y[i * 4 + j] : 0));
    fal_tensor tz = plane(stuffed, 3, 3), by_stuffing = plane(z, 5, 5);
    assert_int_equal(fal_tensor_zero_stuff(&x, (int64_t[]){1, 1, 2, 2}, &tz, NULL), FAL_OK);
    fal_conv_params stuffing = {.padding_begin = {1, 1}, .padding_end = {2, 2}, .flip_kernel = true};
    convolve(false, &tz, &w, NULL, &stuffing, &by_stuffing);
    expect(&by_stuffing, y);
}

/* The copies of the kernel do not overlap, so correlating with it again gives x times sum w^2 = 2. */
static void correlating_again(void **state)
{
    (void)state;
    double y[16], back[4];
    for (int i = 0; i < 16; i++) y[i] = small_y[i];
    fal_tensor ty = plane(y, 4, 4), w = plane(small_w, 2, 2), tb = plane(back, 2, 2);
    fal_conv_params params = {.stride = {2, 2}};
    convolve(false, &ty, &w, NULL, &params, &tb);
    expect(&tb, (double[]){2, 4, 6, 8});
}

/* ---- Why "transposed": F and its transpose ---- */

static double x44[] = {1, 2, -3, -2, 5, 1, 4, -4, 0, -2, 0, -5, 3, 0, -1, 1};
static double w33[] = {2, 1, 4, 0, 3, -5, -3, 1, -2};
static const double z44[] = {-54, 55, -67, 164, 28, -43, 326, -157, 81, -108, 61, -142, -42, -22, -16, -24};

static void there_and_back(void **state)
{
    (void)state;
    double y[4], z[16];
    fal_tensor x = plane(x44, 4, 4), w = plane(w33, 3, 3), ty = plane(y, 2, 2), tz = plane(z, 4, 4);
    convolve(false, &x, &w, NULL, NULL, &ty);
    expect(&ty, (double[]){-27, 41, 14, 12});
    convolve(true, &ty, &w, NULL, NULL, &tz);
    expect(&tz, z44);
}

/* The negative test: with x[0][3] = +2, as some copies print it, y[0][1] is 57. */
static void a_misprint_is_noticed(void **state)
{
    (void)state;
    double misprinted[16], y[4];
    for (int i = 0; i < 16; i++) misprinted[i] = x44[i];
    misprinted[3] = 2;
    fal_tensor x = plane(misprinted, 4, 4), w = plane(w33, 3, 3), ty = plane(y, 2, 2);
    convolve(false, &x, &w, NULL, NULL, &ty);
    expect(&ty, (double[]){-27, 57, 14, 12});
    assert_true(y[1] != 41);
}

/* F of a kernel over a square image of `side`, stride `stride`. */
static void kernel_matrix(int64_t side, int64_t stride, double *memory, fal_tensor *f)
{
    fal_tensor x = plane(NULL, side, side), w = plane(w33, 3, 3);
    fal_conv_params params = {.stride = {stride, stride}};
    fal_conv_geometry g;
    int64_t rows, columns;
    assert_int_equal(fal_conv_describe(false, &x, &w, &params, &g, NULL), FAL_OK);
    assert_int_equal(fal_matrix_shape(&g, &rows, &columns, NULL, NULL), FAL_OK);
    *f = FAL_TENSOR(memory, FAL_F64, rows, columns);
    assert_int_equal(fal_matrix_dense(&g, &w, f, NULL), FAL_OK);
}

static void rows_of_the_kernel_matrix(void **state)
{
    (void)state;
    double memory[9 * 25];
    fal_tensor f;
    kernel_matrix(4, 1, memory, &f);
    expect_shape(&f, 2, (int64_t[]){4, 16});
    expect(&f, (double[]){2, 1, 4, 0, 0, 3, -5, 0,  -3, 1,  -2, 0,  0,  0,  0,  0, /* */
                          0, 2, 1, 4, 0, 0, 3,  -5, 0,  -3, 1,  -2, 0,  0,  0,  0, /* */
                          0, 0, 0, 0, 2, 1, 4,  0,  0,  3,  -5, 0,  -3, 1,  -2, 0, /* */
                          0, 0, 0, 0, 0, 2, 1,  4,  0,  0,  3,  -5, 0,  -3, 1,  -2});
    kernel_matrix(5, 1, memory, &f);
    expect_shape(&f, 2, (int64_t[]){9, 25});
}

static void matrix_and_its_transpose(void **state)
{
    (void)state;
    double memory[4 * 16], y[4], z[16];
    fal_tensor f, ft, x = FAL_TENSOR(x44, FAL_F64, 16, 1), ty = FAL_TENSOR(y, FAL_F64, 4, 1),
                      tz = FAL_TENSOR(z, FAL_F64, 16, 1);
    kernel_matrix(4, 1, memory, &f);
    assert_int_equal(fal_matmul(&f, &x, &ty, NULL), FAL_OK);
    expect(&ty, (double[]){-27, 41, 14, 12});
    assert_int_equal(fal_tensor_permute(&f, (int32_t[]){1, 0}, &ft, NULL), FAL_OK);
    assert_int_equal(fal_matmul(&ft, &ty, &tz, NULL), FAL_OK);
    expect(&tz, z44);
}

/* Stride 2 keeps rows 0, 2, 6, 8 of the 9 x 25 matrix; the transposed operator's matrix, the same columns. */
static void a_stride_drops_rows(void **state)
{
    (void)state;
    static const int64_t kept[] = {0, 2, 6, 8};
    double all[9 * 25], some[4 * 25], back[25 * 4];
    fal_tensor f, strided, x = plane(NULL, 2, 2), w = plane(w33, 3, 3);
    kernel_matrix(5, 1, all, &f);
    kernel_matrix(5, 2, some, &strided);
    expect_shape(&strided, 2, (int64_t[]){4, 25});
    fal_conv_params params = {.stride = {2, 2}};
    fal_conv_geometry g;
    fal_tensor transpose = FAL_TENSOR(back, FAL_F64, 25, 4);
    assert_int_equal(fal_conv_describe(true, &x, &w, &params, &g, NULL), FAL_OK);
    assert_int_equal(fal_matrix_dense(&g, &w, &transpose, NULL), FAL_OK);
    for (int64_t row = 0; row < 4; row++)
        for (int64_t column = 0; column < 25; column++) {
            double value = all[kept[row] * 25 + column];
            assert_true(some[row * 25 + column] == value && back[column * 4 + row] == value);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stride_two),
        cmocka_unit_test(stride_two_by_zero_stuffing),
        cmocka_unit_test(output_padding_is_at_the_end),
        cmocka_unit_test(correlating_again),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(a_misprint_is_noticed),
        cmocka_unit_test(rows_of_the_kernel_matrix),
        cmocka_unit_test(matrix_and_its_transpose),
        cmocka_unit_test(a_stride_drops_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
