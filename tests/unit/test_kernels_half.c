/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_kernels_half.c: the kernels of every level convert halves as base/half.h does, bit for bit.
 *
 * Every 16-bit value on its way into a panel, in rows and in columns; float32 values around every half, and
 * halfway between neighbours, on their way out; every length of a tail, between guard pages. (A signalling
 * NaN may come back quiet.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/half.h"
#include "kernels/kernels.h"
#include "support/support.h"

enum { HALVES = 1 << 16, TAIL = 70 };

static const fal__compute *compute_of(fal_cpu_level level)
{
    return fal__kernels_for(level)->compute[FAL__F32];
}

static bool is_nan(uint32_t bits)
{
    return (bits & 0x7fffffffu) > 0x7f800000u;
}

static void check_widened(const float *panel)
{
    for (uint32_t h = 0; h < HALVES; h++) {
        const uint32_t expected = fal__float_bits(fal__f16_to_f32((uint16_t)h));
        const uint32_t quiet = is_nan(expected) ? 0x400000u : 0;
        assert_int_equal(fal__float_bits(panel[h]) | quiet, expected | quiet);
    }
}

static void every_half_widens(void **state)
{
    (void)state;
    static uint16_t halves[HALVES];
    static float panel[HALVES];
    for (uint32_t h = 0; h < HALVES; h++) halves[h] = (uint16_t)h;
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++) {
        const fal__pack_fn pack = compute_of(level)->pack[FAL_F16];
        const fal__segment row = {.step = 1, .length = HALVES}, column = {.step = 9, .length = 1};
        memset(panel, 0, sizeof panel);
        pack(halves, &row, 1, 1, 0, HALVES, panel);
        check_widened(panel);
        memset(panel, 0, sizeof panel);
        pack(halves, &column, 1, HALVES, 1, 1, panel);
        check_widened(panel);
    }
}

/* Rows of `count` floats, stored as halves. */
static void check_narrowed(fal_cpu_level level, const float *from, uint16_t *to, int64_t count)
{
    const fal__block block = {.outer = 1, .inner = count, .tile_inner = 1, .memory_inner = 1};
    assert_true(compute_of(level)->store[FAL_F16](from, &block, to));
    for (int64_t i = 0; i < count; i++) assert_int_equal(to[i], fal__f32_to_f16(from[i]));
}

static void floats_narrow(void **state)
{
    (void)state;
    static float from[HALVES];
    static uint16_t to[HALVES];
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++)
        for (uint32_t low = 0; low < 8; low++) {
            /* Around 0x1000, half of the last kept place, ties in both directions. */
            static const uint32_t lows[] = {0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x3000, 0xf000};
            for (uint32_t h = 0; h < HALVES; h++) from[h] = fal__bits_float(h << 16 | lows[low]);
            check_narrowed(level, from, to, HALVES);
        }
}

static void tails_stay_within(void **state)
{
    (void)state;
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++)
        for (size_t n = 0; n < TAIL; n++) {
            const test_side side = n % 2 != 0 ? TEST_AT_START : TEST_AT_END;
            test_guard narrow = test_guard_new(2 * n, 2, side), wide = test_guard_new(4 * n, 4, side);
            uint16_t *halves = (uint16_t *)(void *)narrow.data;
            float *floats = (float *)(void *)wide.data;
            const fal__segment row = {.step = 1, .length = (int32_t)n}, column = {.step = 9, .length = 1};
            for (size_t i = 0; i < n; i++) halves[i] = (uint16_t)(0x3c00 + i);
            compute_of(level)->pack[FAL_F16](halves, &row, 1, 1, 0, (int32_t)n, floats);
            for (size_t i = 0; i < n; i++) assert_true(floats[i] == fal__f16_to_f32(halves[i]));
            memset(floats, 0, 4 * n);
            compute_of(level)->pack[FAL_F16](halves, &column, 1, (int64_t)n, 1, 1, floats);
            for (size_t i = 0; i < n; i++) assert_true(floats[i] == fal__f16_to_f32(halves[i]));
            check_narrowed(level, floats, halves, (int64_t)n);
            assert_true(test_guard_intact(&narrow) && test_guard_intact(&wide));
            test_guard_free(&narrow);
            test_guard_free(&wide);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_widens),
        cmocka_unit_test(floats_narrow),
        cmocka_unit_test(tails_stay_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
