/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_special_values.c: NaN, infinities, zeros, overflow and the floating-point environment.
 *
 * A special value reaches exactly the results that read it. Who reads it is found without special
 * values: by a one-hot operand and ones elsewhere, on small integers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fenv.h>
#include <float.h>
#include <math.h>

#include "support/support.h"

enum { SEEDS = 99 };
/* One thread: on small problems the others cost more than they do. */
static const fal_context alone = {.threads = 1};
#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

/* A strict random problem, without what would add numbers of its own. */
static test_problem strict(uint64_t seed)
{
    test_problem p = test_problem_random(seed);
    p.params.accuracy = FAL_ACCURACY_STRICT;
    p.params.beta = 0;
    if (p.params.padding_mode == FAL_PAD_CONSTANT) p.params.padding_mode = FAL_PAD_ZEROS;
    p.has_bias = false;
    return p;
}

/* The operand that `special` stands in: the first (x, or gy for the input gradient) or the second (w,
 * or gy for the weight gradient). */
static const fal_tensor *operand(const test_case *c, test_kind kind, bool second)
{
    if (kind == TEST_GRAD_INPUT) return second ? &c->w.t : &c->y.t;
    if (kind == TEST_GRAD_WEIGHT) return second ? &c->y.t : &c->x.t;
    return second ? &c->w.t : &c->x.t;
}

/* `value` at one element of one operand, zeros or small integers elsewhere; the result must be NaN (or
 * infinite) exactly where that element is read. */
static void check_footprint(uint64_t seed, test_kind kind, bool second, double value, bool zeros)
{
    char repro[TEST_TEXT];
    test_problem p = strict(seed);
    test_case c = test_case_new(&p, TEST_INT, 0);
    const fal_tensor *host = operand(&c, kind, second), *other = operand(&c, kind, !second);
    uint64_t place = test_random(seed, 1) % (uint64_t)fal_tensor_count(host);
    int64_t at[FAL_MAX_RANK];
    test_index(host, (int64_t)place, at);
    test_fill_tensor(host, TEST_ONEHOT, place);
    fal_tensor_fill(other, 1, NULL);
    test_tensor readers = test_apply(&p, kind, &c.operands);
    test_fill_tensor(host, TEST_INT, seed);
    test_fill_tensor(other, zeros ? TEST_ZERO : TEST_POS, seed);
    fal_tensor_set(host, at, value);
    test_tensor actual = test_apply(&p, kind, &c.operands);
    int64_t index[FAL_MAX_RANK] = {0};
    do {
        double y = fal_tensor_get(&actual.t, index);
        bool reads = fal_tensor_get(&readers.t, index) != 0;
        if (reads ? isfinite(y) || (isinf(value) && !zeros && y != value) : !isfinite(y))
            fail_msg("%s: kind %d, %g in the %s operand: %g, %s", test_problem_text(&p, repro), (int)kind,
                     value, second ? "second" : "first", y, reads ? "reads it" : "does not read it");
    } while (test_next(&actual.t, index));
    test_tensor_free(&readers);
    test_tensor_free(&actual);
    test_case_free(&c);
}

static void check_every_footprint(uint64_t first, double value, bool zeros)
{
    for (uint64_t seed = first; seed < first + SEEDS; seed++)
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            for (int second = 0; second < 2; second++) check_footprint(seed, kind, second, value, zeros);
}

static void property_47_nan_reaches_exactly_its_readers(void **state)
{
    (void)state;
    check_every_footprint(1, NAN, false);
}

/* No product is skipped because a weight is zero: 0 * NaN is NaN. */
static void property_47_zero_times_nan_is_nan(void **state)
{
    (void)state;
    check_every_footprint(100, NAN, true);
}

/* One infinity gives infinities where it is read and never a NaN: no tap on the padding is multiplied. */
static void property_48_infinity_reaches_exactly_its_readers(void **state)
{
    (void)state;
    check_every_footprint(200, INFINITY, false);
    check_every_footprint(300, -INFINITY, false);
}

/* Infinite weights everywhere: outputs on padding alone are finite, the others infinite, none NaN. */
static void property_48_infinite_weight_on_padding_does_not_exist(void **state)
{
    (void)state;
    test_tensor x = test_tensor_new(FAL_F32, 4, SHAPE(1, 2, 5, 5), 0),
                w = test_tensor_new(FAL_F32, 4, SHAPE(3, 2, 3, 3), 0);
    fal_tensor_fill(&x.t, 1, NULL);
    fal_tensor_fill(&w.t, INFINITY, NULL);
    fal_conv_params params = {.padding_begin = {4, 4}, .padding_end = {4, 4}};
    test_tensor y = test_conv(false, &x.t, &w.t, NULL, &params);
    int64_t o[4] = {0};
    do {
        bool inside = o[2] >= 2 && o[2] <= 8 && o[3] >= 2 && o[3] <= 8;
        assert_true(fal_tensor_get(&y.t, o) == (inside ? (double)INFINITY : 0));
    } while (test_next(&y.t, o));
    test_tensor_free(&x);
    test_tensor_free(&w);
    test_tensor_free(&y);
}

/* Special values in every operand: exactly what the reference says, for which 0*inf and inf-inf are
 * NaN and a tap on padding does not exist. */
static void property_48_special_values_equal_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 400; seed < 400 + 2 * SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed);
        p.params.accuracy = FAL_ACCURACY_STRICT;
        test_case c = test_case_new(&p, TEST_SPECIAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result actual = test_result_new(&c, op, 0), expected = test_result_new(&c, op, 0);
            assert_int_equal(test_call(&alone, op, &actual.operands, &p.params), FAL_OK);
            assert_int_equal(fal_reference(op, &expected.operands, &p.params, NULL), FAL_OK);
            assert_true(test_equal(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
            test_result_free(&actual);
            test_result_free(&expected);
        }
        test_case_free(&c);
    }
}

/* Nine products of 3e37 stay below FLT_MAX whatever their signs: no partial sum may overflow. Twelve of
 * one sign do not, and give infinity. */
static void property_50_overflow_only_where_the_sum_overflows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 1, 9, 17), TEST_INT1, seed),
                    w = test_made(FAL_F32, 4, SHAPE(7, 1, 3, 3), TEST_INT1, seed + 100),
                    large = test_sum(3e37, &x.t, 0, &x.t), y = test_conv(false, &large.t, &w.t, NULL, NULL);
        int64_t o[4] = {0};
        do assert_true(isfinite(fal_tensor_get(&y.t, o)));
        while (test_next(&y.t, o));
        test_tensor_free(&y);
        fal_tensor_fill(&large.t, 3e37, NULL);
        test_tensor ones = test_tensor_new(FAL_F32, 4, SHAPE(1, 1, 3, 4), 0);
        fal_tensor_fill(&ones.t, -1, NULL);
        y = test_conv(false, &large.t, &ones.t, NULL, NULL);
        assert_true(fal_tensor_get(&y.t, SHAPE(0, 0, 0, 0)) == -(double)INFINITY);
        test_tensor *all[] = {&x, &w, &large, &ones, &y};
        for (int i = 0; i < 5; i++) test_tensor_free(all[i]);
    }
}

/* Finite data never raise FE_INVALID: no arithmetic on lanes that belong to nobody. */
static void property_51_finite_data_raise_no_invalid(void **state)
{
    (void)state;
    for (uint64_t seed = 600; seed < 600 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = test_problem_random(seed);
        test_case c = test_case_new(&p, TEST_REAL, seed);
        fal_context serial = {.threads = 1};
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result r = test_result_new(&c, op, seed + 50);
            feclearexcept(FE_ALL_EXCEPT);
            assert_int_equal(test_plan(&serial, op, &r.operands, &p.params, seed % 2, 0xFF), FAL_OK);
            if (fetestexcept(FE_INVALID | FE_DIVBYZERO)) fail_msg("%s", test_problem_text(&p, repro));
            test_result_free(&r);
        }
        test_case_free(&c);
    }
}

/* In each rounding mode within twice the bound (small integers: exact), and the mode is left alone. */
static void property_51_rounding_modes(void **state)
{
    (void)state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (uint64_t seed = 700; seed < 700 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        test_problem p = strict(seed);
        test_case c = test_case_new(&p, TEST_INT, 0);
        test_tensor expected = test_apply(&p, TEST_FORWARD, &c.operands);
        fesetround(modes[seed % 3]);
        test_tensor actual = test_apply(&p, TEST_FORWARD, &c.operands);
        int mode = fegetround();
        fesetround(FE_TONEAREST);
        assert_int_equal(mode, modes[seed % 3]);
        assert_true(test_equal(&actual.t, &expected.t, test_problem_text(&p, repro)));
        test_tensor_free(&expected);
        test_tensor_free(&actual);
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_47_nan_reaches_exactly_its_readers),
        cmocka_unit_test(property_47_zero_times_nan_is_nan),
        cmocka_unit_test(property_48_infinity_reaches_exactly_its_readers),
        cmocka_unit_test(property_48_infinite_weight_on_padding_does_not_exist),
        cmocka_unit_test(property_48_special_values_equal_the_reference),
        cmocka_unit_test(property_50_overflow_only_where_the_sum_overflows),
        cmocka_unit_test(property_51_finite_data_raise_no_invalid),
        cmocka_unit_test(property_51_rounding_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
