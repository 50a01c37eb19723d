/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_layers_parameters.c: what a new layer holds.
 *
 * Names and shapes of its parameters, and their first values: bounds and moments, the same for the same
 * seed, in both layouts and on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "unit/layers.h"

static void expect(const fal_conv_layer *layer, int32_t number, const char *name, int32_t rank,
                   const int64_t *shape)
{
    const char *given;
    fal_tensor v, g;
    assert_int_equal(fal_conv_layer_parameter(layer, number, &given, &v, &g, NULL), FAL_OK);
    assert_string_equal(given, name);
    assert_int_equal(v.rank, rank);
    assert_memory_equal(v.shape, shape, (size_t)rank * sizeof *shape);
    assert_memory_equal(g.shape, shape, (size_t)rank * sizeof *shape);
    assert_true(v.dtype == FAL_F32 && g.dtype == FAL_F32 && v.data != g.data);
}

static void parameters_have_pytorchs_names_and_shapes(void **state)
{
    (void)state;
    fal_conv_layer_options o = plain_options();
    fal_conv_layer *layer = make(CONV, &o);
    assert_int_equal(fal_conv_layer_parameter_count(layer), 2);
    expect(layer, 0, "weight", 4, (int64_t[]){6, 2, 3, 2});
    expect(layer, 1, "bias", 1, (int64_t[]){6});
    fal_conv_layer_destroy(layer);
    layer = make(TRANSPOSE, &o);
    expect(layer, 0, "weight", 4, (int64_t[]){4, 3, 3, 2});
    expect(layer, 1, "bias", 1, (int64_t[]){6});
    fal_conv_layer_destroy(layer);
    layer = make(SEPARABLE, &o);
    assert_int_equal(fal_conv_layer_parameter_count(layer), 4);
    expect(layer, 0, "depthwise.weight", 4, (int64_t[]){4, 1, 3, 2});
    expect(layer, 1, "depthwise.bias", 1, (int64_t[]){4});
    expect(layer, 2, "pointwise.weight", 4, (int64_t[]){6, 4, 1, 1});
    expect(layer, 3, "pointwise.bias", 1, (int64_t[]){6});
    fal_conv_layer_destroy(layer);
    o.no_bias = true;
    o.params.layout = FAL_NHWC;
    layer = make(SEPARABLE, &o);
    assert_int_equal(fal_conv_layer_parameter_count(layer), 2);
    expect(layer, 0, "depthwise.weight", 4, (int64_t[]){3, 2, 1, 4});
    expect(layer, 1, "pointwise.weight", 4, (int64_t[]){1, 1, 4, 6});
    fal_conv_layer_destroy(layer);
}

static void check_spread(const fal_tensor *t, double bound)
{
    int64_t index[FAL_MAX_RANK] = {0};
    double sum = 0, squares = 0, most = 0;
    for (bool more = true; more; more = test_next(t, index)) {
        const double v = fal_tensor_get(t, index);
        sum += v;
        squares += v * v;
        most = fmax(most, fabs(v));
    }
    const double n = (double)fal_tensor_count(t);
    /* Uniform in +-bound: mean 0, mean square bound^2/3; five standard deviations of n values. */
    assert_true(most <= (double)(float)bound && most > (1 - 8 / n) * bound);
    assert_true(fabs(sum / n) < 5 * bound / sqrt(3 * n));
    assert_true(fabs(squares / n - bound * bound / 3) < 5 * bound * bound * sqrt(4 / (45 * n)));
}

static void values_start_within_one_over_the_root_of_fan_in(void **state)
{
    (void)state;
    fal_conv_layer_options o = {
        .in_channels = 24, .out_channels = 36, .spatial = 2, .kernel = {3, 5}, .params = {.groups = 3}};
    for (uint64_t seed = 0; seed < 4; seed++) {
        o.seed = seed;
        o.dtype = seed % 2 ? FAL_F64 : FAL_F32;
        fal_conv_layer *layer = make(CONV, &o);
        fal_tensor w = value(layer, 0), b = value(layer, 1);
        check_spread(&w, 1 / sqrt(8 * 15));
        check_spread(&b, 1 / sqrt(8 * 15));
        fal_conv_layer_destroy(layer);
        layer = make(TRANSPOSE, &o);
        w = value(layer, 0);
        check_spread(&w, 1 / sqrt(12 * 15));
        fal_conv_layer_destroy(layer);
        layer = make(SEPARABLE, &o);
        w = value(layer, 0), b = value(layer, 2);
        check_spread(&w, 1 / sqrt(15));
        check_spread(&b, 1 / sqrt(24));
        fal_conv_layer_destroy(layer);
    }
}

static void values_depend_on_the_seed_alone(void **state)
{
    (void)state;
    fal_conv_layer_options o = plain_options();
    for (int kind = 0; kind < KINDS; kind++) {
        fal_conv_layer *a = make(kind, &o), *b = make(kind, &o);
        o.seed++;
        fal_conv_layer *other = make(kind, &o);
        o.seed--;
        for (int32_t i = 0; i < fal_conv_layer_parameter_count(a); i++) {
            const fal_tensor ta = value(a, i), tb = value(b, i), tc = value(other, i);
            assert_true(test_same_bits(&ta, &tb, "same seed"));
            assert_true(memcmp(ta.data, tc.data, (size_t)fal_tensor_count(&ta) * 4) != 0);
        }
        fal_conv_layer_destroy(a);
        fal_conv_layer_destroy(b);
        fal_conv_layer_destroy(other);
    }
}

/* Written down once, so that a change of the generator is seen. */
static void values_are_the_same_on_every_machine(void **state)
{
    (void)state;
    const fal_conv_layer_options o = plain_options();
    fal_conv_layer *layer = make(CONV, &o);
    const float *w = value(layer, 0).data, *b = value(layer, 1).data;
    const float expected[] = {0x1.b9db020000000p-5f, 0x1.c69bec0000000p-5f, -0x1.04f9aa0000000p-3f,
                              0x1.d39cba0000000p-4f};
    assert_true(w[0] == expected[0] && w[1] == expected[1] && w[71] == expected[2] && b[0] == expected[3]);
    fal_conv_layer_destroy(layer);
}

/* The channels-last view of a channels-first weight: bias and vectors as they are. */
static fal_tensor weight_last(const fal_tensor *t)
{
    fal_tensor last = *t;
    const int32_t axes[] = {2, 3, 1, 0};
    if (t->rank == 4) assert_int_equal(fal_tensor_permute(t, axes, &last, NULL), FAL_OK);
    return last;
}

static void values_do_not_depend_on_the_layout(void **state)
{
    (void)state;
    fal_conv_layer_options o = plain_options();
    for (int kind = 0; kind < KINDS; kind++) {
        o.params.layout = FAL_NCHW;
        fal_conv_layer *first = make(kind, &o);
        o.params.layout = FAL_NHWC;
        fal_conv_layer *last = make(kind, &o);
        for (int32_t i = 0; i < fal_conv_layer_parameter_count(first); i++) {
            const fal_tensor a = value(first, i), b = value(last, i), moved = weight_last(&a);
            assert_true(test_equal(&b, &moved, "layout"));
        }
        fal_conv_layer_destroy(first);
        fal_conv_layer_destroy(last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_have_pytorchs_names_and_shapes),
        cmocka_unit_test(values_start_within_one_over_the_root_of_fan_in),
        cmocka_unit_test(values_depend_on_the_seed_alone),
        cmocka_unit_test(values_are_the_same_on_every_machine),
        cmocka_unit_test(values_do_not_depend_on_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
