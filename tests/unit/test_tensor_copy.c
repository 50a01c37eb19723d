/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tensor_copy.c: conversion of values, copies between views, fills and zero stuffing.
 *
 * The oracle of conversion is written from the rule, in long double, which on the machines that run
 * the tests holds every double and every int64_t exactly; 16-bit floats are found by trying all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "support/support.h"
#include "tensor/tensor.h"

_Static_assert(LDBL_MANT_DIG >= 64, "the oracle needs a long double that holds int64_t");

static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8,
                                  FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
enum { TYPES = sizeof types / sizeof *types };

/* ---- oracle ----------------------------------------------------------------------------------- */

/* Least and greatest value of an integer type. */
static void limits(fal_dtype dtype, int64_t *low, int64_t *high)
{
    int bits = 8 * (int)fal_dtype_bytes(dtype);
    *high = dtype == FAL_U8 ? 255 : (int64_t)(((uint64_t)1 << (bits - 1)) - 1);
    *low = dtype == FAL_U8 ? 0 : -*high - 1;
}

/* Nearest 16-bit float to a finite value, ties to even; by bisection over the patterns, where the
 * pattern of infinity stands for the next power of two. */
static uint16_t nearest_half(fal_dtype dtype, long double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0, low = 0, high = dtype == FAL_F16 ? 0x7c00 : 0x7f80;
    uint16_t infinity = high;
    long double magnitude = fabsl(value), top = dtype == FAL_F16 ? 0x1p16L : 0x1p128L;
    if (magnitude >= top) return sign | infinity;
    long double below = 0, above = top;
    while (high - low > 1) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        long double at = (long double)(dtype == FAL_F16 ? fal__f16_to_f32(middle) : fal__bf16_to_f32(middle));
        if (at <= magnitude)
            low = middle, below = at;
        else
            high = middle, above = at;
    }
    long double down = magnitude - below, up = above - magnitude;
    return sign | (down < up || (down == up && low % 2 == 0) ? low : high);
}

/* Is `actual`, of type dtype, what `value` converts to? */
static bool is_conversion(const void *actual, fal_dtype dtype, long double value)
{
    if (fal_dtype_is_integer(dtype)) {
        int64_t low, high, expected;
        limits(dtype, &low, &high);
        long double whole = rintl(value); /* ties to even by default */
        expected = isnan(value) ? 0 : whole <= low ? low : whole >= high ? high : (int64_t)whole;
        return fal__load_i64(actual, dtype) == expected;
    }
    if (isnan(value)) return isnan(fal__load_f64(actual, dtype));
    if (dtype == FAL_F32) {
        float expected = (float)value;
        return memcmp(actual, &expected, sizeof expected) == 0;
    }
    if (dtype == FAL_F64) {
        double expected = (double)value;
        return memcmp(actual, &expected, sizeof expected) == 0;
    }
    uint16_t expected = nearest_half(dtype, value);
    return memcmp(actual, &expected, sizeof expected) == 0;
}

/* ---- single values ---------------------------------------------------------------------------- */

typedef union element {
    double f64;
    uint16_t half;
    int64_t i64;
} element;

/* The value of an element, exactly. */
static long double value_of(const void *p, fal_dtype dtype)
{
    return fal_dtype_is_integer(dtype) ? (long double)fal__load_i64(p, dtype)
                                       : (long double)fal__load_f64(p, dtype);
}

/* Converts `count` elements at `data` to every type by a copy, and one by one by load and store. */
static void check_conversions(void *data, fal_dtype from, int64_t count)
{
    static int64_t converted[65536];
    for (int k = 0; k < TYPES; k++) {
        fal_tensor src = FAL_TENSOR(data, from, count), dst = FAL_TENSOR(converted, types[k], count);
        assert_int_equal(fal_tensor_copy(&src, &dst, NULL), FAL_OK);
        for (int64_t i = 0; i < count; i++) {
            const void *in = fal__tensor_at(&src, &i), *out = fal__tensor_at(&dst, &i);
            if (from == types[k]) {
                assert_memory_equal(in, out, fal_dtype_bytes(from));
                continue;
            }
            long double value = value_of(in, from);
            assert_true(is_conversion(out, types[k], value));
            element stored = {.i64 = 0};
            if (fal_dtype_is_integer(from)) {
                bool fits = fal__store_i64(&stored, types[k], fal__load_i64(in, from));
                int64_t low = INT64_MIN, high = INT64_MAX;
                if (fal_dtype_is_integer(types[k])) limits(types[k], &low, &high);
                assert_int_equal(fits, value >= low && value <= high);
            } else {
                fal__store_f64(&stored, types[k], fal__load_f64(in, from));
            }
            assert_true(is_conversion(&stored, types[k], value));
        }
    }
}

/* What the oracle above relies on: an element read is the element in memory. */
static void elements_are_read_as_c_reads_them(void **state)
{
    (void)state;
    for (int64_t i = -300; i <= 300; i++) {
        int8_t i8 = (int8_t)(i % 128);
        uint8_t u8 = (uint8_t)(i + 300);
        int16_t i16 = (int16_t)(i * 109);
        int32_t i32 = (int32_t)(i * 7158278);
        int64_t i64 = i * 30744573456182586;
        float f32 = (float)i / 7;
        double f64 = (double)i / 7;
        assert_true(fal__load_i64(&i8, FAL_I8) == i8 && fal__load_f64(&i8, FAL_I8) == i8);
        assert_true(fal__load_i64(&u8, FAL_U8) == u8 && fal__load_f64(&u8, FAL_U8) == u8);
        assert_true(fal__load_i64(&i16, FAL_I16) == i16 && fal__load_f64(&i16, FAL_I16) == i16);
        assert_true(fal__load_i64(&i32, FAL_I32) == i32 && fal__load_f64(&i32, FAL_I32) == i32);
        assert_true(fal__load_i64(&i64, FAL_I64) == i64 && fal__load_f64(&i64, FAL_I64) == (double)i64);
        assert_true(fal__load_f64(&f32, FAL_F32) == (double)f32);
        assert_true(fal__load_f64(&f64, FAL_F64) == f64);
        assert_true(fal__load_i64(&f64, FAL_F64) == llrint(f64));
    }
}

static void every_half_converts_to_every_type(void **state)
{
    (void)state;
    static uint16_t patterns[65536];
    for (uint32_t i = 0; i < 65536; i++) patterns[i] = (uint16_t)i;
    check_conversions(patterns, FAL_F16, 65536);
    check_conversions(patterns, FAL_BF16, 65536);
    check_conversions(patterns, FAL_I16, 65536);
}

static void bytes_convert_to_every_type(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    check_conversions(bytes, FAL_U8, 256);
    check_conversions(bytes, FAL_I8, 256);
}

/* Ties, neighbours of ties, ends of every range, and special values. */
static void edges_of_doubles(void **state)
{
    (void)state;
    static double values[4000];
    int64_t count = 0;
    const double ends[] = {0,
                           1,
                           127,
                           128,
                           255,
                           256,
                           32767,
                           32768,
                           0x1p31,
                           0x1p31 - 1,
                           0x1p52,
                           0x1p53,
                           0x1p62,
                           0x1p63,
                           65504,
                           65520,
                           0x1p127,
                           0x1.fffffep127,
                           0x1.ffffffp127,
                           0x1.fe8p127,
                           0x1.ffp127,
                           0x1p-24,
                           0x1p-25,
                           0x1p-14,
                           0x1p-126,
                           0x1p-149,
                           0x1p-150,
                           0x1p-133,
                           0x1p-134,
                           0x1p-1074,
                           0x1p1023};
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        for (int sign = -1; sign <= 1; sign += 2)
            for (double shift = -2; shift <= 2; shift += 0.5) {
                double value = sign * (ends[e] + shift);
                values[count++] = value;
                values[count++] = nextafter(value, -INFINITY);
                values[count++] = nextafter(value, INFINITY);
            }
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
        values[count++] = nextafter(ends[e], 0);
        values[count++] = -ends[e];
    }
    const double special[] = {NAN, -NAN, INFINITY, -INFINITY, -0.0};
    for (size_t e = 0; e < sizeof special / sizeof *special; e++) values[count++] = special[e];
    check_conversions(values, FAL_F64, count);
    static float narrow[4000];
    for (int64_t i = 0; i < count; i++) narrow[i] = (float)values[i];
    check_conversions(narrow, FAL_F32, count);
}

static void edges_of_integers(void **state)
{
    (void)state;
    static int64_t values[8000];
    static int32_t narrow[8000];
    int64_t count = 0;
    for (int bit = 0; bit < 63; bit++)
        for (int64_t shift = -3; shift <= 3; shift++) {
            int64_t value = ((int64_t)1 << bit) + shift;
            values[count++] = value;
            values[count++] = -value;
        }
    /* Ties of bf16 and f32 and their neighbours, where a double in between would round twice. */
    for (int bit = 54; bit < 63; bit++)
        for (int64_t shift = -1; shift <= 1; shift++) {
            values[count++] = ((int64_t)1 << bit) + ((int64_t)1 << (bit - 8)) + shift;
            values[count++] = -(((int64_t)1 << bit) + ((int64_t)3 << (bit - 8)) + shift);
            values[count++] = ((int64_t)1 << bit) + ((int64_t)1 << (bit - 24)) + shift;
            values[count++] = ((int64_t)1 << bit) + ((int64_t)3 << (bit - 24)) + shift;
        }
    values[count++] = INT64_MIN;
    values[count++] = INT64_MAX;
    check_conversions(values, FAL_I64, count);
    for (int64_t i = 0; i < count; i++) narrow[i] = (int32_t)(values[i] % INT32_MAX);
    narrow[0] = INT32_MIN;
    narrow[1] = INT32_MAX;
    check_conversions(narrow, FAL_I32, count);
}

static void random_doubles(void **state)
{
    (void)state;
    static double values[10000];
    test_stream s = {41, 0};
    for (int i = 0; i < 10000; i++)
        values[i] =
            ldexp((double)test_draw(&s, -((int64_t)1 << 53), (int64_t)1 << 53), (int)test_draw(&s, -80, 12));
    check_conversions(values, FAL_F64, 10000);
}

/* ---- copies between views --------------------------------------------------------------------- */

/* Turns `t` into another view of the same shape: flips some axes; sometimes a broadcast. */
static fal_tensor source_view(test_stream *s, const fal_tensor *t)
{
    fal_tensor view = *t;
    for (int32_t a = 0; a < t->rank; a++) {
        if (test_chance(s, 3)) assert_int_equal(fal_tensor_flip(&view, a, &view, NULL), FAL_OK);
        if (!test_chance(s, 5) || t->shape[a] == 0) continue;
        assert_int_equal(fal_tensor_slice(&view, a, 0, 1, 1, &view, NULL), FAL_OK);
        assert_int_equal(fal_tensor_broadcast(&view, t->rank, t->shape, &view, NULL), FAL_OK);
    }
    return view;
}

static void any_view_to_any_view(void **state)
{
    (void)state;
    test_stream s = {42, 0};
    for (int from = 0; from < TYPES; from++)
        for (int to = 0; to < TYPES; to++)
            for (int round = 0; round < 40; round++) {
                int64_t shape[FAL_MAX_RANK];
                int32_t rank = (int32_t)test_draw(&s, 0, 5);
                for (int32_t a = 0; a < rank; a++) shape[a] = test_chance(&s, 25) ? 0 : test_draw(&s, 1, 4);
                /* Sometimes one long axis: rows longer than a piece of the conversion. */
                if (rank > 0 && rank < 3 && test_chance(&s, 4)) shape[test_draw(&s, 0, rank - 1)] = 600;
                test_tensor src = test_tensor_new(types[from], rank, shape, (uint64_t)test_draw(&s, 0, 20));
                test_tensor dst = test_tensor_new(types[to], rank, shape, (uint64_t)test_draw(&s, 0, 20));
                test_fill_tensor(&src.t, TEST_IDX, 0);
                fal_tensor view = source_view(&s, &src.t);
                uint64_t before = test_tensor_hash(&src);
                assert_int_equal(fal_tensor_copy(&view, &dst.t, NULL), FAL_OK);
                int64_t i[FAL_MAX_RANK] = {0};
                for (bool more = fal_tensor_count(&dst.t) > 0; more; more = test_next(&dst.t, i))
                    assert_true(is_conversion(fal__tensor_at(&dst.t, i), types[to],
                                              value_of(fal__tensor_at(&view, i), types[from])));
                assert_true(test_tensor_gaps_intact(&dst));
                assert_true(test_tensor_hash(&src) == before);
                test_tensor_free(&src);
                test_tensor_free(&dst);
            }
}

static void fills(void **state)
{
    (void)state;
    test_stream s = {43, 0};
    for (int k = 0; k < TYPES; k++)
        for (int round = 0; round < 60; round++) {
            int64_t shape[FAL_MAX_RANK];
            int32_t rank = (int32_t)test_draw(&s, 0, 4);
            for (int32_t a = 0; a < rank; a++) shape[a] = test_draw(&s, 0, 4) + (round % 3 == 0 ? 20 : 0);
            if (rank == 4) shape[0] = 2;
            test_tensor dst = test_tensor_new(types[k], rank, shape, (uint64_t)test_draw(&s, 0, 5));
            double value = round == 0 ? NAN : (double)test_draw(&s, -1000, 1000) / 8;
            assert_int_equal(fal_tensor_fill(&dst.t, value, NULL), FAL_OK);
            int64_t i[FAL_MAX_RANK] = {0};
            for (bool more = fal_tensor_count(&dst.t) > 0; more; more = test_next(&dst.t, i))
                assert_true(is_conversion(fal__tensor_at(&dst.t, i), types[k], (long double)value));
            assert_true(test_tensor_gaps_intact(&dst));
            test_tensor_free(&dst);
        }
}

static void zeros_are_stuffed_between(void **state)
{
    (void)state;
    test_stream s = {44, 0};
    for (int round = 0; round < 2000; round++) {
        int64_t shape[FAL_MAX_RANK], big[FAL_MAX_RANK], factor[FAL_MAX_RANK];
        int32_t rank = (int32_t)test_draw(&s, 0, 3);
        for (int32_t a = 0; a < rank; a++) {
            shape[a] = test_draw(&s, test_chance(&s, 20) ? 0 : 1, 4);
            factor[a] = test_draw(&s, 1, 4);
            big[a] = shape[a] == 0 ? 0 : (shape[a] - 1) * factor[a] + 1;
        }
        test_tensor src = test_tensor_new(FAL_F32, rank, shape, (uint64_t)test_draw(&s, 0, 9));
        test_tensor dst =
            test_tensor_new(test_chance(&s, 2) ? FAL_F32 : FAL_I32, rank, big, (uint64_t)test_draw(&s, 0, 9));
        test_fill_tensor(&src.t, TEST_INT, (uint64_t)round);
        assert_int_equal(fal_tensor_zero_stuff(&src.t, factor, &dst.t, NULL), FAL_OK);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&dst.t) > 0; more; more = test_next(&dst.t, i)) {
            bool kept = true;
            for (int32_t a = 0; a < rank; a++) {
                kept = kept && i[a] % factor[a] == 0;
                from[a] = i[a] / factor[a];
            }
            assert_true(fal_tensor_get(&dst.t, i) == (kept ? fal_tensor_get(&src.t, from) : 0));
        }
        assert_true(test_tensor_gaps_intact(&dst));
        test_tensor_free(&src);
        test_tensor_free(&dst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_read_as_c_reads_them),
        cmocka_unit_test(every_half_converts_to_every_type),
        cmocka_unit_test(bytes_convert_to_every_type),
        cmocka_unit_test(edges_of_doubles),
        cmocka_unit_test(edges_of_integers),
        cmocka_unit_test(random_doubles),
        cmocka_unit_test(any_view_to_any_view),
        cmocka_unit_test(fills),
        cmocka_unit_test(zeros_are_stuffed_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
