/* SPDX-License-Identifier: BSD-3-Clause */
/* test_kernels.c: worked examples of what kernels do: correlation, convolution, bilinear doubling. */
#include "example.h"

enum { H = 4, W = 3 };

static void numbers(double image[H * W])
{
    for (int i = 0; i < H * W; i++) image[i] = i * i % 13 - 4;
}

/* sum k(n,m) I(x+n, y+m), plus a bias. */
static void networks_correlate(void **state)
{
    (void)state;
    double image[H * W], k[4] = {1, 2, 3, 4}, bias[1] = {5}, y[(H - 1) * (W - 1)];
    numbers(image);
    fal_tensor x = plane(image, H, W), w = plane(k, 2, 2), b = FAL_TENSOR(bias, FAL_F64, 1),
               ty = plane(y, H - 1, W - 1);
    convolve(false, &x, &w, &b, NULL, &ty);
    for (int i = 0; i < H - 1; i++)
        for (int j = 0; j < W - 1; j++)
            assert_true(y[i * (W - 1) + j] == 5 + image[i * W + j] + 2 * image[i * W + j + 1] +
                                                  3 * image[(i + 1) * W + j] +
                                                  4 * image[(i + 1) * W + j + 1]);
}

/* sum k(n,m) I(x-n, y-m): the kernel flipped on every axis. The full convolution multiplies polynomials:
 * (1 + 2t)(3 + 4t + 5t^2) = 3 + 10t + 13t^2 + 10t^3. */
static void signal_processing_convolves(void **state)
{
    (void)state;
    double signal[3] = {3, 4, 5}, k[2] = {1, 2}, flipped[2] = {2, 1}, y[4];
    fal_tensor x = FAL_TENSOR(signal, FAL_F64, 1, 1, 3), w = FAL_TENSOR(k, FAL_F64, 1, 1, 2),
               wf = FAL_TENSOR(flipped, FAL_F64, 1, 1, 2), ty = FAL_TENSOR(y, FAL_F64, 1, 1, 4);
    fal_conv_params params = {.padding = FAL_PADDING_FULL, .flip_kernel = true};
    static const double product[] = {3, 10, 13, 10};
    convolve(false, &x, &w, NULL, &params, &ty);
    expect(&ty, product);
    params.flip_kernel = false;
    convolve(false, &x, &wf, NULL, &params, &ty);
    expect(&ty, product);
}

/* ---- Bilinear ---- */

/* On the unit square, [1-x, x] [[f00, f01], [f10, f11]] [1-y, y]'; zeros beyond the image. */
static double node(const double *image, int64_t i, int64_t j)
{
    return i < H && j < W ? image[i * W + j] : 0;
}

static double bilinear(const double *image, double x, double y)
{
    int64_t i = (int64_t)x, j = (int64_t)y;
    double u = x - (double)i, v = y - (double)j;
    return (1 - u) * ((1 - v) * node(image, i, j) + v * node(image, i, j + 1)) +
           u * ((1 - v) * node(image, i + 1, j) + v * node(image, i + 1, j + 1));
}

/* Doubles the image by a transposed convolution and compares every element with the formula at half steps. */
static void double_the_image(int64_t output_padding)
{
    double image[H * W], k[9] = {.25, .5, .25, .5, 1, .5, .25, .5, .25}, y[4 * H * W];
    int64_t height = 2 * H - 1 + output_padding, width = 2 * W - 1 + output_padding;
    numbers(image);
    fal_tensor x = plane(image, H, W), w = plane(k, 3, 3), ty = plane(y, height, width);
    fal_conv_params params = {.stride = {2, 2},
                              .padding_begin = {1, 1},
                              .padding_end = {1, 1},
                              .output_padding = {output_padding, output_padding}};
    convolve(true, &x, &w, NULL, &params, &ty);
    for (int64_t i = 0; i < height; i++)
        for (int64_t j = 0; j < width; j++)
            assert_true(y[i * width + j] == bilinear(image, (double)i / 2, (double)j / 2));
}

/* Size 2i-1: nodes are kept, and element r stands at r(i-1)/(2i-2) = r/2, as with aligned corners. */
static void doubling_to_odd_size_is_bilinear(void **state)
{
    (void)state;
    double_the_image(0);
}

/* Size 2i: the last row and column lie half way to the zeros outside. */
static void doubling_to_even_size_fades_at_the_end(void **state)
{
    (void)state;
    double_the_image(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_correlate),
        cmocka_unit_test(signal_processing_convolves),
        cmocka_unit_test(doubling_to_odd_size_is_bilinear),
        cmocka_unit_test(doubling_to_even_size_fades_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
