/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_kernels_transpose.c: fal__compute.transpose and .finite of every level.
 *
 * Transposed against the formula in kernels/transpose.h, for every number of columns, rows and taps around
 * the lengths of vectors, between guard pages; elements of the panel beyond the columns stay. One number that
 * is not finite is found at every place of every length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "kernels/kernels.h"
#include "support/support.h"

enum { LENGTH = 35, CHANNELS = 19, TAIL = 150 };

static double get(const void *at, int64_t i, size_t bytes)
{
    return bytes == 4 ? (double)((const float *)at)[i] : ((const double *)at)[i];
}

static void set(void *at, int64_t i, double value, size_t bytes)
{
    if (bytes == 4)
        ((float *)at)[i] = (float)value;
    else
        ((double *)at)[i] = value;
}

/* Columns with a gap of 3 between them, rows of the panel with 2 elements to spare. */
static void check(const fal__compute *compute, int32_t length, int64_t channels, int64_t taps, test_side side)
{
    const size_t bytes = compute->panel_bytes;
    const int64_t rows = channels * taps, step = rows + 3;
    const int32_t width = length + 2;
    const int64_t reach = (length - 1) * step + rows, panel = (rows - 1) * width + length;
    test_guard from = test_guard_new((size_t)reach * bytes, bytes, side),
               to = test_guard_new((size_t)panel * bytes, bytes, side);
    for (int64_t i = 0; i < reach; i++) set(from.data, i, (double)i, bytes);
    for (int64_t i = 0; i < panel; i++) set(to.data, i, -1, bytes);
    const fal__transpose t = {from.data, to.data, step, channels, taps, length, width};
    (*compute->transpose)(&t);
    for (int64_t row = 0; row < rows; row++)
        for (int32_t j = 0; j < width && row * width + j < panel; j++) {
            const int64_t tap = row / channels, channel = row % channels;
            const double expected = j < length ? (double)(j * step + channel * taps + tap) : -1;
            assert_true(get(to.data, row * width + j, bytes) == expected);
        }
    assert_true(test_guard_intact(&from) && test_guard_intact(&to));
    test_guard_free(&from);
    test_guard_free(&to);
}

static void turns_over_at_every_tail(void **state)
{
    (void)state;
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++)
        for (int a = 0; a < 2; a++)
            for (int32_t length = 1; length <= LENGTH; length++)
                for (int64_t channels = 1; channels <= CHANNELS; channels++) {
                    const fal__compute *compute =
                        fal__kernels_for(level)->compute[a == 0 ? FAL__F32 : FAL__F64];
                    const test_side side = (length + channels) % 2 ? TEST_AT_END : TEST_AT_START;
                    check(compute, length, channels, 1 + (length * channels) % 4, side);
                }
}

static void finds_what_is_not_finite(void **state)
{
    (void)state;
    static const double bad[] = {INFINITY, -INFINITY, NAN};
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++)
        for (int a = 0; a < 2; a++)
            for (int64_t count = 0; count <= TAIL; count++) {
                const fal__compute *compute = fal__kernels_for(level)->compute[a == 0 ? FAL__F32 : FAL__F64];
                const size_t bytes = compute->panel_bytes;
                test_guard panel = test_guard_new((size_t)count * bytes, bytes, TEST_AT_END);
                for (int64_t i = 0; i < count; i++) set(panel.data, i, i % 2 ? -3.0e38 : 1.0e-40, bytes);
                assert_true(compute->finite(panel.data, count));
                for (int64_t i = 0; i < count; i++) {
                    set(panel.data, i, bad[i % 3], bytes);
                    assert_false(compute->finite(panel.data, count));
                    set(panel.data, i, 0, bytes);
                }
                test_guard_free(&panel);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_over_at_every_tail),
        cmocka_unit_test(finds_what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
