/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fifteen relationships of Dumoulin and Visin, "A guide to convolution arithmetic for deep
 * learning", one test each, over all small numbers. i, k, s, p, o as there; a prime marks the
 * transposed convolution, whose input i' is the output of the convolution it belongs to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faltung.h"

enum { LARGEST = 16 };

static int64_t conv(int64_t i, int64_t k, int64_t s, int64_t p, int64_t d)
{
    fal_axis a = {.input = i, .kernel = k, .stride = s, .dilation = d, .begin = p, .end = p};
    assert_int_equal(fal_conv_size(&a, NULL), FAL_OK);
    return a.output;
}

/* The transposed convolution that belongs to a convolution of input i. */
static fal_axis transpose_of(int64_t i, int64_t k, int64_t s, int64_t p)
{
    fal_axis a = {.input = i, .kernel = k, .stride = s, .begin = p, .end = p}, t;
    assert_int_equal(fal_associated_transpose(&a, &t, NULL), FAL_OK);
    int64_t expected = t.output;
    assert_int_equal(fal_conv_transpose_size(&t, NULL), FAL_OK);
    assert_int_equal(t.output, expected);
    return t;
}

/* The same as a convolution of stride 1 over the input with s-1 zeros between its elements: padding
 * p' = k-p-1, and `extra` more zeros at the end. */
static int64_t emulated(const fal_axis *t, int64_t extra)
{
    fal_axis a = {.input = (t->input - 1) * t->stride + 1,
                  .kernel = t->kernel,
                  .begin = t->kernel - t->begin - 1,
                  .end = t->kernel - t->end - 1 + extra};
    assert_int_equal(fal_conv_size(&a, NULL), FAL_OK);
    return a.output;
}

static void test_relationship_1_no_padding_unit_strides(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++) assert_int_equal(conv(i, k, 1, 0, 1), (i - k) + 1);
}

static void test_relationship_2_padding_unit_strides(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++)
            for (int64_t p = 0; p <= 5; p++) assert_int_equal(conv(i, k, 1, p, 1), (i - k) + 2 * p + 1);
}

static void test_relationship_3_half_padding(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t n = 0; n <= 5; n++) {
            int64_t k = 2 * n + 1, p = k / 2;
            assert_int_equal(conv(i, k, 1, p, 1), i);
            fal_axis same = {.input = i, .kernel = k};
            assert_int_equal(fal_padding_resolve(&same, FAL_PADDING_SAME, false, NULL), FAL_OK);
            assert_int_equal(same.begin, p);
            assert_int_equal(same.end, p);
        }
}

static void test_relationship_4_full_padding(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= 7; k++) {
            assert_int_equal(conv(i, k, 1, k - 1, 1), i + (k - 1));
            fal_axis full = {.input = i, .kernel = k};
            assert_int_equal(fal_padding_resolve(&full, FAL_PADDING_FULL, false, NULL), FAL_OK);
            assert_int_equal(full.begin, k - 1);
            assert_int_equal(full.end, k - 1);
        }
}

static void test_relationship_5_no_padding_strides(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++)
            for (int64_t s = 1; s <= 5; s++) assert_int_equal(conv(i, k, s, 0, 1), (i - k) / s + 1);
}

static void test_relationship_6_padding_strides(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++)
            for (int64_t s = 1; s <= 5; s++)
                for (int64_t p = 0; p <= 4; p++) {
                    int64_t o = (i + 2 * p - k) / s + 1;
                    assert_int_equal(conv(i, k, s, p, 1), o);
                    /* Its consequence: s inputs share an output when s divides i + 2p - k. */
                    if ((i + 2 * p - k) % s == 0)
                        for (int64_t more = 0; more < s; more++)
                            assert_int_equal(conv(i + more, k, s, p, 1), o);
                }
}

static void test_relationship_7_pooling(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++)
            for (int64_t s = 1; s <= 5; s++) {
                fal_axis a = {.input = i, .kernel = k, .stride = s};
                assert_int_equal(fal_pool_size(&a, false, NULL), FAL_OK);
                assert_int_equal(a.output, (i - k) / s + 1);
            }
}

static void test_relationship_8_no_padding_unit_strides_transposed(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++) {
            fal_axis t = transpose_of(i, k, 1, 0);
            assert_int_equal(t.output, t.input + (k - 1));
            assert_int_equal(t.output, emulated(&t, 0)); /* p' = k-1 */
        }
}

static void test_relationship_9_padding_unit_strides_transposed(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= i; k++)
            for (int64_t p = 0; p < k; p++) {
                fal_axis t = transpose_of(i, k, 1, p);
                assert_int_equal(t.output, t.input + (k - 1) - 2 * p);
                assert_int_equal(t.output, emulated(&t, 0)); /* p' = k-p-1 */
            }
}

static void test_relationship_10_half_padding_transposed(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t n = 0; n <= 5; n++) {
            fal_axis t = transpose_of(i, 2 * n + 1, 1, n);
            assert_int_equal(t.output, t.input);
            assert_int_equal(t.output, emulated(&t, 0)); /* p' = p */
        }
}

static void test_relationship_11_full_padding_transposed(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= 7; k++) {
            fal_axis t = transpose_of(i, k, 1, k - 1);
            assert_int_equal(t.output, t.input - (k - 1));
            assert_int_equal(t.output, emulated(&t, 0)); /* p' = 0 */
        }
}

static void test_relationship_12_no_padding_strides_transposed(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 6; k++)
        for (int64_t s = 1; s <= 5; s++)
            for (int64_t i = k; i <= LARGEST; i += s) { /* s divides i-k */
                fal_axis t = transpose_of(i, k, s, 0);
                assert_int_equal(t.output, s * (t.input - 1) + k);
                assert_int_equal(t.output, emulated(&t, 0));
            }
}

static void test_relationship_13_padding_strides_transposed(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 6; k++)
        for (int64_t s = 1; s <= 5; s++)
            for (int64_t p = 0; p < k; p++)
                for (int64_t i = 1; i <= LARGEST; i++) {
                    if (i + 2 * p < k || (i + 2 * p - k) % s != 0) continue;
                    fal_axis t = transpose_of(i, k, s, p);
                    assert_int_equal(t.output, s * (t.input - 1) + k - 2 * p);
                    assert_int_equal(t.output, emulated(&t, 0));
                }
}

static void test_relationship_14_any_stride_transposed(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 6; k++)
        for (int64_t s = 1; s <= 5; s++)
            for (int64_t p = 0; p < k; p++)
                for (int64_t i = 1; i <= LARGEST; i++) {
                    if (i + 2 * p < k) continue;
                    int64_t a = (i + 2 * p - k) % s;
                    fal_axis t = transpose_of(i, k, s, p);
                    assert_int_equal(t.output_padding, a);
                    assert_int_equal(t.output, s * (t.input - 1) + a + k - 2 * p);
                    assert_int_equal(t.output, emulated(&t, a)); /* a zeros more at the end */
                }
}

static void test_relationship_15_dilation(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= LARGEST; i++)
        for (int64_t k = 1; k <= 6; k++)
            for (int64_t d = 1; d <= 4; d++)
                for (int64_t s = 1; s <= 5; s++)
                    for (int64_t p = 0; p <= 4; p++) {
                        int64_t effective, room = i + 2 * p - k - (k - 1) * (d - 1);
                        assert_int_equal(fal_effective_kernel(k, d, &effective, NULL), FAL_OK);
                        assert_int_equal(effective, k + (k - 1) * (d - 1));
                        if (room >= 0) assert_int_equal(conv(i, k, s, p, d), room / s + 1);
                    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relationship_1_no_padding_unit_strides),
        cmocka_unit_test(test_relationship_2_padding_unit_strides),
        cmocka_unit_test(test_relationship_3_half_padding),
        cmocka_unit_test(test_relationship_4_full_padding),
        cmocka_unit_test(test_relationship_5_no_padding_strides),
        cmocka_unit_test(test_relationship_6_padding_strides),
        cmocka_unit_test(test_relationship_7_pooling),
        cmocka_unit_test(test_relationship_8_no_padding_unit_strides_transposed),
        cmocka_unit_test(test_relationship_9_padding_unit_strides_transposed),
        cmocka_unit_test(test_relationship_10_half_padding_transposed),
        cmocka_unit_test(test_relationship_11_full_padding_transposed),
        cmocka_unit_test(test_relationship_12_no_padding_strides_transposed),
        cmocka_unit_test(test_relationship_13_padding_strides_transposed),
        cmocka_unit_test(test_relationship_14_any_stride_transposed),
        cmocka_unit_test(test_relationship_15_dilation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
