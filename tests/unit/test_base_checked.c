/* SPDX-License-Identifier: BSD-3-Clause */
/* test_base_checked.c: checked arithmetic against 128-bit integers, floor division against loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/compiler.h"

/* Numbers around every place where 64 bits end. */
static const int64_t corners[] = {
    INT64_MIN,
    INT64_MIN + 1,
    -((int64_t)1 << 62),
    -((int64_t)1 << 32),
    -3037000500,
    -3037000499,
    -3,
    -2,
    -1,
    0,
    1,
    2,
    3,
    3037000499,
    3037000500,
    (int64_t)1 << 32,
    INT64_MAX / 2,
    (int64_t)1 << 62,
    INT64_MAX - 1,
    INT64_MAX,
};
enum { CORNERS = sizeof corners / sizeof *corners };

static bool fits(fal__int128 value)
{
    return value >= INT64_MIN && value <= INT64_MAX;
}

static void overflow_is_found_exactly(void **state)
{
    (void)state;
    for (int i = 0; i < CORNERS; i++)
        for (int j = 0; j < CORNERS; j++) {
            fal__int128 a = corners[i], b = corners[j];
            int64_t out;
            assert_int_equal(fal__add(corners[i], corners[j], &out), fits(a + b));
            if (fits(a + b)) assert_true(out == a + b);
            assert_int_equal(fal__sub(corners[i], corners[j], &out), fits(a - b));
            if (fits(a - b)) assert_true(out == a - b);
            assert_int_equal(fal__mul(corners[i], corners[j], &out), fits(a * b));
            if (fits(a * b)) assert_true(out == a * b);
            for (int k = 0; k < CORNERS; k++) {
                /* The product itself must fit too. */
                bool expected = fits(a * b) && fits(a * b + corners[k]);
                assert_int_equal(fal__mul_add(corners[i], corners[j], corners[k], &out), expected);
                if (expected) assert_true(out == a * b + corners[k]);
            }
        }
}

static void sums_of_products_may_leave_128_bits(void **state)
{
    (void)state;
    const fal__int128 product = (fal__int128)INT64_MIN * INT64_MIN; /* 2^126 */
    fal__int128 sum;
    assert_true(fal__add128(product, product - 1, &sum) && sum == product + (product - 1));
    assert_false(fal__add128(product, product, &sum));
    assert_true(fal__add128(-product, -product, &sum) && sum + product == -product);
    assert_false(fal__add128(-product - 1, -product, &sum));
}

static void division_rounds_as_named(void **state)
{
    (void)state;
    for (int64_t a = -50; a <= 50; a++)
        for (int64_t b = 1; b <= 12; b++) {
            int64_t floor = -100, ceil = 100;
            while ((floor + 1) * b <= a) floor++;
            while ((ceil - 1) * b >= a) ceil--;
            assert_int_equal(fal__floor_div(a, b), floor);
            assert_int_equal(fal__ceil_div(a, b), ceil);
            assert_int_equal(fal__floor_mod(a, b), a - floor * b);
        }
    assert_true(fal__floor_div(INT64_MIN, 1) == INT64_MIN);
    assert_true(fal__floor_div(INT64_MIN, INT64_MAX) == -2);
    assert_true(fal__floor_mod(INT64_MIN, INT64_MAX) == INT64_MAX - 1);
    assert_true(fal__ceil_div(INT64_MAX, 2) == ((int64_t)1 << 62));
}

static void divisors_are_greatest(void **state)
{
    (void)state;
    for (int64_t a = 1; a <= 40; a++)
        for (int64_t b = 1; b <= 40; b++) {
            int64_t greatest = a;
            while (a % greatest != 0 || b % greatest != 0) greatest--;
            assert_int_equal(fal__gcd(a, b), greatest);
        }
    assert_int_equal(fal__min(-3, 2), -3);
    assert_int_equal(fal__max(-3, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflow_is_found_exactly),
        cmocka_unit_test(sums_of_products_may_leave_128_bits),
        cmocka_unit_test(division_rounds_as_named),
        cmocka_unit_test(divisors_are_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
