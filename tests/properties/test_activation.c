/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_activation.c: an activation is the function of the finished sum and nothing else.
 *
 * Every solver, by name and at every CPU level: its result with an activation is, bit for bit, the activation
 * of its result without one (strided outputs, beta, transposed phases and their rest included). Against the
 * reference: all types, where the halves are rounded once and integers need only fit afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "solvers/solver.h"
#include "support/support.h"

enum { SEEDS = 60 };

/* An activation that changes the sums of the tests in more ways than one. */
static void draw_activation(fal_conv_params *p, uint64_t seed, bool integer)
{
    p->activation = (fal_activation)(1 + seed % (integer ? 2 : 4));
    p->activation_low = -3;
    p->activation_high = 2 + (double)(seed % 5);
    p->activation_slope = seed % 3 == 0 ? 0 : -0.25 * (double)(seed % 3);
}

static float clamp_f32(float v, float low, float high)
{
    v = v < low ? low : v;
    return v > high ? high : v;
}

/* The definition in the arithmetic of the type. */
static double expected_value(double sum, fal_dtype dtype, const fal_conv_params *p)
{
    const double slope = p->activation_slope != 0 ? p->activation_slope : 0.01;
    const float narrow = (float)sum;
    switch (p->activation) {
    case FAL_ACTIVATION_RELU: return sum < 0 ? 0 : sum;
    case FAL_ACTIVATION_CLAMP:
        return sum < p->activation_low    ? p->activation_low
               : sum > p->activation_high ? p->activation_high
                                          : sum;
    case FAL_ACTIVATION_LEAKY_RELU:
        if (dtype == FAL_F32) return narrow < 0 ? (float)slope * narrow : narrow;
        return sum < 0 ? slope * sum : sum;
    case FAL_ACTIVATION_HARD_SWISH:
        if (dtype == FAL_F32) return narrow * (clamp_f32(narrow + 3, 0, 6) / 6);
        return sum * (fmin(fmax(sum + 3, 0), 6) / 6);
    case FAL_ACTIVATION_NONE: break;
    }
    return sum;
}

static void activate(const fal_tensor *t, const fal_conv_params *p)
{
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index))
        fal_tensor_set(t, index, expected_value(fal_tensor_get(t, index), t->dtype, p));
}

/* Does the solver serve the forward problem without an activation, and then with one? */
static bool check_solver(const char *solver, fal_cpu_level cpu, const test_case *c, uint64_t seed)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    fal_context context = {.threads = 2, .cpu = cpu, .error = &error};
    const fal_operator op = test_operator(&c->p, TEST_FORWARD);
    fal_conv_params plain = c->p.params, activated;
    plain.algorithm = solver;
    activated = plain;
    draw_activation(&activated, seed, false);
    test_result expected = test_result_new(c, op, seed % 4), actual = test_result_new(c, op, seed % 4);
    const bool packed = seed % 2 == 0;
    bool served = test_plan(&context, op, &expected.operands, &plain, packed, 0xA5) == FAL_OK;
    if (served) {
        const fal_status status = test_plan(&context, op, &actual.operands, &activated, packed, 0xA5);
        if (status == FAL_E_UNSUPPORTED) {
            assert_non_null(strstr(error.found, "activation"));
            served = false;
        } else {
            assert_true(test_ok(status, &error, test_problem_text(&c->p, repro)));
            activate(&expected.out.t, &activated);
            assert_true(test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(&c->p, repro)));
            assert_true(test_tensor_gaps_intact(&actual.out));
        }
    }
    test_result_free(&expected);
    test_result_free(&actual);
    return served;
}

static void every_solver_activates_what_it_summed(void **state)
{
    (void)state;
    int32_t count;
    const fal__solver *const *solvers = fal__solvers(&count);
    for (int32_t s = 0; s < count; s++) {
        for (uint64_t seed = 0; seed < 3 * SEEDS; seed++) {
            test_problem p = test_problem_random(seed);
            p.dtype = seed % 5 == 0 ? FAL_F64 : FAL_F32;
            if (seed % 2 == 0) p.params.accuracy = FAL_ACCURACY_DEFAULT;
            test_case c = test_case_new(&p, TEST_REAL, seed % 3);
            const fal_cpu_level cpu = (fal_cpu_level)(FAL_CPU_GENERIC + seed % (uint64_t)fal_cpu_detect());
            const bool served = check_solver(solvers[s]->name, cpu, &c, seed);
            if (strcmp(solvers[s]->name, "implicit-gemm") == 0) assert_true(served);
            test_case_free(&c);
        }
    }
}

static void all_types_equal_the_reference(void **state)
{
    (void)state;
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8,
                                      FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++)
        for (uint64_t seed = 500; seed < 500 + SEEDS; seed++) {
            char repro[TEST_TEXT];
            fal_error error = {0};
            fal_context context = {.threads = 1, .error = &error};
            test_problem p = test_problem_random(seed);
            p.dtype = types[t];
            if (p.dtype == FAL_BF16 || p.dtype == FAL_F16) p.params.beta = 0;
            draw_activation(&p.params, seed, fal_dtype_is_integer(p.dtype));
            p.params.activation_slope = 0.25; /* exact, and so are the sums of small integers */
            test_case c = test_case_new(&p, TEST_INT, seed % 3);
            const fal_operator op = test_operator(&p, TEST_FORWARD);
            test_result expected = test_result_new(&c, op, 0), actual = test_result_new(&c, op, seed % 4);
            assert_int_equal(fal_reference(op, &expected.operands, &p.params, &error), FAL_OK);
            const fal_status status = test_call(&context, op, &actual.operands, &p.params);
            assert_true(test_ok(status, &error, test_problem_text(&p, repro)));
            if (p.params.activation != FAL_ACTIVATION_HARD_SWISH)
                assert_true(test_equal(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
            test_result_free(&expected);
            test_result_free(&actual);
            test_case_free(&c);
        }
}

/* sums -40, -1, 1, 1000 */
static void only_the_activated_integer_must_fit(void **state)
{
    (void)state;
    int16_t x[] = {-40, -1, 1, 1000}, w[] = {1};
    uint8_t y[4];
    int64_t wide[4];
    fal_error error = {0};
    fal_context context = {.error = &error};
    fal_conv_params p = {.activation = FAL_ACTIVATION_CLAMP, .activation_high = 255};
    const fal_tensor tx = FAL_TENSOR(x, FAL_I16, 1, 1, 4), tw = FAL_TENSOR(w, FAL_I16, 1, 1, 1);
    const fal_tensor ty = FAL_TENSOR(y, FAL_U8, 1, 1, 4), twide = FAL_TENSOR(wide, FAL_I64, 1, 1, 4);
    const uint8_t clamped[] = {0, 0, 1, 255};
    assert_int_equal(fal_conv(&context, &tx, &tw, NULL, &p, &ty), FAL_OK);
    assert_memory_equal(y, clamped, sizeof y);
    p.activation = FAL_ACTIVATION_RELU;
    assert_int_equal(fal_conv(&context, &tx, &tw, NULL, &p, &ty), FAL_E_OVERFLOW);
    /* A bound beyond the type of the sums. */
    p = (fal_conv_params){
        .activation = FAL_ACTIVATION_CLAMP, .activation_low = 0x1p40, .activation_high = 0x1p41};
    assert_int_equal(fal_conv(&context, &tx, &tw, NULL, &p, &twide), FAL_OK);
    for (int i = 0; i < 4; i++) assert_true(wide[i] == INT64_C(1) << 40);
}

static void a_nan_stays_one(void **state)
{
    (void)state;
    for (int kind = FAL_ACTIVATION_NONE; kind <= FAL_ACTIVATION_HARD_SWISH; kind++) {
        float x[] = {NAN, 1, -INFINITY, INFINITY}, w[] = {1}, y[4];
        fal_conv_params p = {.activation = (fal_activation)kind, .activation_low = -2, .activation_high = 2};
        const fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 4), tw = FAL_TENSOR(w, FAL_F32, 1, 1, 1);
        const fal_tensor ty = FAL_TENSOR(y, FAL_F32, 1, 1, 4);
        assert_int_equal(fal_conv(NULL, &tx, &tw, NULL, &p, &ty), FAL_OK);
        assert_true(isnan(y[0]) != 0);
        assert_true(!isnan(y[1]));
        if (kind == FAL_ACTIVATION_CLAMP) assert_true(y[2] == -2 && y[3] == 2);
    }
}

/* Stride 3, kernel 1: two of three outputs meet no tap and hold f(beta*y + bias). */
static void outputs_without_products_are_activated_once(void **state)
{
    (void)state;
    for (int beta = 0; beta <= 1; beta++) {
        float x[] = {-3, 4}, w[] = {1}, b[] = {-2}, y[] = {1, 1, 5, 1};
        fal_conv_params p = {
            .stride = {3}, .activation = FAL_ACTIVATION_LEAKY_RELU, .activation_slope = 0.5, .beta = beta};
        const fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 2), tw = FAL_TENSOR(w, FAL_F32, 1, 1, 1);
        const fal_tensor tb = FAL_TENSOR(b, FAL_F32, 1), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 4);
        assert_int_equal(fal_conv_transpose(NULL, &tx, &tw, &tb, &p, &ty), FAL_OK);
        const float expected[2][4] = {{-2.5F, -1, -1, 2}, {-2, -0.5F, 3, 3}};
        assert_memory_equal(y, expected[beta], sizeof y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_solver_activates_what_it_summed),
        cmocka_unit_test(all_types_equal_the_reference),
        cmocka_unit_test(only_the_activated_integer_must_fit),
        cmocka_unit_test(a_nan_stays_one),
        cmocka_unit_test(outputs_without_products_are_activated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
