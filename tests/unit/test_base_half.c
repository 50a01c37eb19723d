/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_base_half.c: float16 and bfloat16 against the definition of their bits.
 *
 * The oracle is the list of all values, made with ldexp; rounding is a search for the nearest one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/half.h"
#include "support/support.h"

/* One of the two formats. */
typedef struct format {
    int mantissa_bits, bias;
    uint16_t infinity; /* pattern of +infinity, one past the largest finite one */
    float (*widen)(uint16_t);
    uint16_t (*from_f32)(float);
    uint16_t (*from_f64)(double);
} format;

static const format formats[] = {
    {10, 15, 0x7c00, fal__f16_to_f32, fal__f32_to_f16, fal__f64_to_f16},
    {7, 127, 0x7f80, fal__bf16_to_f32, fal__f32_to_bf16, fal__f64_to_bf16},
};

/* The value of a positive pattern by definition; that of infinity continues the series. */
static double value_of(const format *f, uint16_t pattern)
{
    int exponent = pattern >> f->mantissa_bits, mantissa = pattern & ((1 << f->mantissa_bits) - 1);
    if (exponent == 0) return ldexp(mantissa, 1 - f->bias - f->mantissa_bits);
    return ldexp(mantissa + (1 << f->mantissa_bits), exponent - f->bias - f->mantissa_bits);
}

/* Pattern nearest to value >= 0, ties to even; infinity when the series says so. */
static uint16_t nearest(const format *f, double value)
{
    uint16_t low = 0, high = f->infinity;
    if (value >= value_of(f, high)) return high;
    while (high - low > 1) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        if (value_of(f, middle) <= value)
            low = middle;
        else
            high = middle;
    }
    double below = value - value_of(f, low), above = value_of(f, high) - value; /* exact: neighbours */
    if (below != above) return below < above ? low : high;
    return low % 2 == 0 ? low : high;
}

static void every_pattern_widens_to_its_value_and_back(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const format *f = &formats[k];
        for (uint32_t pattern = 0; pattern < 65536; pattern++) {
            uint16_t h = (uint16_t)pattern, magnitude = h & 0x7fff;
            float wide = f->widen(h);
            assert_int_equal(signbit(wide) != 0, h >> 15);
            if (magnitude > f->infinity) {
                assert_true(isnan(wide) && isnan(f->widen(f->from_f32(wide))));
                assert_true(isnan(f->widen(f->from_f64((double)wide))));
                continue;
            }
            if (magnitude == f->infinity)
                assert_true(isinf(wide));
            else
                assert_true(fabs((double)wide) == value_of(f, magnitude));
            assert_int_equal(f->from_f32(wide), h);
            assert_int_equal(f->from_f64((double)wide), h);
        }
    }
}

/* Narrows value and -value from f64, and from f32 when it is one. */
static void check_narrowing(const format *f, double value)
{
    uint16_t expected = nearest(f, value);
    assert_int_equal(f->from_f64(value), expected);
    assert_int_equal(f->from_f64(-value), expected | 0x8000);
    if (value > 0x1.fffffep127 || (double)(float)value != value) return;
    assert_int_equal(f->from_f32((float)value), expected);
    assert_int_equal(f->from_f32((float)-value), expected | 0x8000);
}

static void ties_and_their_neighbours_round_once(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const format *f = &formats[k];
        for (uint16_t h = 0; h < f->infinity; h++) {
            double tie = (value_of(f, h) + value_of(f, (uint16_t)(h + 1))) / 2;
            check_narrowing(f, tie);
            check_narrowing(f, nextafter(tie, 0)); /* rounding to f32 first would make these ties */
            check_narrowing(f, nextafter(tie, INFINITY));
            if (tie > 0x1p-120 && tie < 0x1.8p127) {
                check_narrowing(f, (double)nextafterf((float)tie, 0));
                check_narrowing(f, (double)nextafterf((float)tie, INFINITY));
            }
        }
    }
}

static void random_values_round_to_the_nearest(void **state)
{
    (void)state;
    test_stream s = {7, 0};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 100000; i++) {
            double mantissa = (double)test_draw(&s, 0, (int64_t)1 << 53);
            check_narrowing(&formats[k], ldexp(mantissa, (int)test_draw(&s, -210, 90)));
        }
    for (int k = 0; k < 2; k++) {
        check_narrowing(&formats[k], 0x1p1023);
        check_narrowing(&formats[k], 0x1p-1074);
        assert_int_equal(formats[k].from_f64(INFINITY), formats[k].infinity);
        assert_int_equal(formats[k].from_f32(-INFINITY), formats[k].infinity | 0x8000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_widens_to_its_value_and_back),
        cmocka_unit_test(ties_and_their_neighbours_round_once),
        cmocka_unit_test(random_values_round_to_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
