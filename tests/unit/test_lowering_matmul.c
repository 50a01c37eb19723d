/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lowering_matmul.c: the tiled product equals three plain loops.
 *
 * Sizes on both sides of every tile boundary, every type, any strides, and the limits of integers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "windows.h"

static bool product_is_right(fal_dtype dtype, int64_t m, int64_t k, int64_t n, uint64_t seed)
{
    const int64_t a_shape[] = {m, k}, b_shape[] = {k, n}, c_shape[] = {m, n};
    test_tensor a = test_tensor_new(dtype, 2, a_shape, seed),
                b = test_tensor_new(dtype, 2, b_shape, seed + 1);
    test_tensor c = test_tensor_new(dtype, 2, c_shape, seed + 2),
                expected = test_tensor_new(dtype, 2, c_shape, 0);
    test_fill fill = fal_dtype_bytes(dtype) == 1 ? TEST_INT1 : TEST_INT; /* i8 has no room for more */
    if (dtype == FAL_U8) fill = TEST_ONEHOT;
    test_fill_tensor(&a.t, fill, seed);
    test_fill_tensor(&b.t, fill, seed + 3);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += fal_tensor_get(&a.t, (int64_t[]){i, p}) * fal_tensor_get(&b.t, (int64_t[]){p, j});
            fal_tensor_set(&expected.t, (int64_t[]){i, j}, sum);
        }
    fal_error error = {0};
    bool ok = test_ok(fal_matmul(&a.t, &b.t, &c.t, &error), &error, fal_dtype_name(dtype)) &&
              test_equal(&c.t, &expected.t, fal_dtype_name(dtype)) && test_tensor_gaps_intact(&c);
    test_tensor_free(&a);
    test_tensor_free(&b);
    test_tensor_free(&c);
    test_tensor_free(&expected);
    return ok;
}

static void every_type_on_both_sides_of_a_tile(void **state)
{
    (void)state;
    static const int64_t rows[] = {1, 15, 16, 17, 33}, depths[] = {1, 63, 64, 65},
                         columns[] = {1, 31, 32, 33};
    int wrong = 0;
    uint64_t seed = 1;
    for (int m = 0; m < 5; m++)
        for (int k = 0; k < 4; k++)
            for (int n = 0; n < 4; n++, seed++) {
                fal_dtype dtype = (fal_dtype)(FAL_F32 + seed % FAL_I64);
                wrong += !product_is_right(FAL_F32, rows[m], depths[k], columns[n], seed);
                wrong += !product_is_right(dtype, rows[m], depths[k], columns[n], 2 * seed);
            }
    for (fal_dtype dtype = FAL_F32; dtype <= FAL_I64; dtype++) wrong += !product_is_right(dtype, 5, 7, 9, 0);
    assert_int_equal(wrong, 0);
}

static void empty_products(void **state)
{
    (void)state;
    float a[1] = {1}, c[6] = {7, 7, 7, 7, 7, 7};
    fal_tensor ta = FAL_TENSOR(a, FAL_F32, 2, 0), tb = FAL_TENSOR(NULL, FAL_F32, 0, 3),
               tc = FAL_TENSOR(c, FAL_F32, 2, 3);
    assert_int_equal(fal_matmul(&ta, &tb, &tc, NULL), FAL_OK);
    for (int i = 0; i < 6; i++) assert_true(c[i] == 0); /* a sum without terms */
    ta = FAL_TENSOR(NULL, FAL_F32, 0, 2);
    tb = FAL_TENSOR(c, FAL_F32, 2, 3);
    tc = FAL_TENSOR(NULL, FAL_F32, 0, 3);
    assert_int_equal(fal_matmul(&ta, &tb, &tc, NULL), FAL_OK);
}

static void halves_are_rounded_once(void **state)
{
    (void)state;
    /* 2048 + 1 + 1: in f16 each addition alone would be lost */
    uint16_t a[3], b[3], c;
    fal_tensor ta = FAL_TENSOR(a, FAL_F16, 1, 3), tb = FAL_TENSOR(b, FAL_F16, 3, 1),
               tc = FAL_TENSOR(&c, FAL_F16, 1, 1);
    assert_int_equal(fal_tensor_fill(&ta, 1, NULL), FAL_OK);
    assert_int_equal(fal_tensor_fill(&tb, 1, NULL), FAL_OK);
    fal_tensor_set(&ta, (int64_t[]){0, 0}, 2048);
    assert_int_equal(fal_matmul(&ta, &tb, &tc, NULL), FAL_OK);
    assert_true(fal_tensor_get(&tc, (int64_t[]){0, 0}) == 2050);
}

static void integers_fit_or_are_refused(void **state)
{
    (void)state;
    int64_t a[2] = {INT64_MIN, INT64_MAX}, b[2] = {INT64_MIN, INT64_MIN}, c;
    fal_tensor ta = FAL_TENSOR(a, FAL_I64, 1, 2), tb = FAL_TENSOR(b, FAL_I64, 2, 1),
               tc = FAL_TENSOR(&c, FAL_I64, 1, 1);
    fal_error error = {0};
    assert_int_equal(fal_matmul(&ta, &tb, &tc, &error), FAL_E_OVERFLOW); /* 2^63 */
    assert_string_equal(error.found, "element (0,0) of the product does not fit i64");
    a[0] = INT64_MIN + 1; /* 2^126 - 2^63 - (2^126 - 2^63) */
    assert_int_equal(fal_matmul(&ta, &tb, &tc, &error), FAL_OK);
    assert_int_equal(c, 0);
    a[0] = a[1] = INT64_MIN; /* 2^127 leaves 128 bits */
    assert_int_equal(fal_matmul(&ta, &tb, &tc, &error), FAL_E_OVERFLOW);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    float data[16] = {0}, out[4];
    fal_tensor a = FAL_TENSOR(data, FAL_F32, 2, 3), b = FAL_TENSOR(data, FAL_F32, 3, 2),
               c = FAL_TENSOR(out, FAL_F32, 2, 2);
    fal_error error = {0};
    assert_int_equal(fal_matmul(&a, &b, &c, &error), FAL_OK);
    assert_int_equal(fal_matmul(&a, &a, &c, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "(2,3) times (2,3) is not (2,2)");
    c.data = data + 5;
    assert_int_equal(fal_matmul(&a, &b, &c, &error), FAL_E_ALIAS);
    c.data = out;
    c.dtype = FAL_I32;
    assert_int_equal(fal_matmul(&a, &b, &c, &error), FAL_E_DTYPE);
    c.dtype = FAL_F32;
    b.rank = 1;
    assert_int_equal(fal_matmul(&a, &b, &c, &error), FAL_E_RANK);
    assert_int_equal(fal_matmul(&a, NULL, &c, &error), FAL_E_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_on_both_sides_of_a_tile),
        cmocka_unit_test(empty_products),
        cmocka_unit_test(halves_are_rounded_once),
        cmocka_unit_test(integers_fit_or_are_refused),
        cmocka_unit_test(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
