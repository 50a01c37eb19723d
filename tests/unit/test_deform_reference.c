/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_deform_reference.c: the reference of the deformable convolution against its definition.
 *
 * The definition is written here once more in another form: every output asks all cells of the image, with
 * the hat function max(0, 1-|t|) as their factor. Then the rules at the edges, one by one, the plain
 * convolution as the case without offsets, and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "unit/deform.h"

static double hat(double t)
{
    return fabs(t) < 1 ? 1 - fabs(t) : 0;
}

static double weight_at(const deform_case *c, int64_t oc, int64_t ic, int64_t a, int64_t b)
{
    const int64_t first[] = {oc, ic, a, b}, last[] = {a, b, ic, oc};
    return fal_tensor_get(&c->operands.w, c->params.layout == FAL_NHWC ? last : first);
}

static double sample(const deform_case *c, int64_t n, int64_t ic, double y, double x)
{
    double sum = 0;
    for (int64_t i = 0; i < c->in[0]; i++)
        for (int64_t j = 0; j < c->in[1]; j++)
            sum += deform_get(c, &c->operands.x, n, ic, i, j) * hat(y - (double)i) * hat(x - (double)j);
    return sum;
}

static double defined(const deform_case *c, int64_t n, int64_t oc, int64_t oy, int64_t ox)
{
    const int64_t group_ic = c->ic / c->params.groups, group_oc = c->oc / c->params.groups;
    const int64_t taps = c->k[0] * c->k[1];
    double sum = c->biased ? fal_tensor_get(&c->operands.bias, &oc) : 0;
    for (int64_t g = 0; g < group_ic; g++)
        for (int64_t t = 0; t < taps; t++) {
            const int64_t ic = oc / group_oc * group_ic + g, a = t / c->k[1], b = t % c->k[1];
            const int64_t place = ic / (c->ic / c->offset_groups) * taps + t;
            const double y =
                (double)(oy * c->params.stride[0] - c->params.padding_begin[0] + a * c->params.dilation[0]) +
                deform_get(c, &c->operands.offset, n, 2 * place, oy, ox);
            const double x =
                (double)(ox * c->params.stride[1] - c->params.padding_begin[1] + b * c->params.dilation[1]) +
                deform_get(c, &c->operands.offset, n, 2 * place + 1, oy, ox);
            const double m = c->masked ? deform_get(c, &c->operands.mask, n, place, oy, ox) : 1;
            sum += sample(c, n, ic, y, x) * m * weight_at(c, oc, g, a, b);
        }
    return sum;
}

/* fal_deform_conv_reference of the case into a new tensor. */
static test_tensor reference(const deform_case *c)
{
    fal_error error = {0};
    char repro[TEST_TEXT];
    test_tensor y = deform_like(c, DEFORM_Y, c->seed);
    fal_deform_operands o = c->operands;
    o.y = y.t;
    assert_true(test_ok(fal_deform_conv_reference(&o, &c->params, c->offset_groups, &error), &error,
                        deform_text(c, repro)));
    assert_true(test_tensor_gaps_intact(&y));
    return y;
}

static void check_definition(deform_offset kind, double tolerance)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        deform_case c = deform_draw(seed, FAL_F64);
        char repro[TEST_TEXT];
        deform_make(&c, kind, seed);
        test_tensor y = reference(&c);
        for (int64_t n = 0; n < c.n; n++)
            for (int64_t oc = 0; oc < c.oc; oc++)
                for (int64_t oy = 0; oy < c.out[0]; oy++)
                    for (int64_t ox = 0; ox < c.out[1]; ox++) {
                        const double expected = defined(&c, n, oc, oy, ox);
                        const double actual = deform_get(&c, &y.t, n, oc, oy, ox);
                        if (fabs(actual - expected) <= tolerance * (1 + fabs(expected))) continue;
                        fail_msg("%s: %g, expected %g", deform_text(&c, repro), actual, expected);
                    }
        test_tensor_free(&y);
        deform_free(&c);
    }
}

static void equals_the_definition(void **state)
{
    (void)state;
    check_definition(OFFSET_WHOLE, 0);
    check_definition(OFFSET_QUARTER, 0);
    check_definition(OFFSET_REAL, 1e-13);
}

static void without_offsets_it_is_the_convolution(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        deform_case c = deform_draw(seed, FAL_F32);
        char repro[TEST_TEXT];
        deform_make(&c, OFFSET_ZERO, seed);
        if (c.masked) fal_tensor_fill(&c.operands.mask, 1, NULL);
        test_tensor y = reference(&c), plain = deform_like(&c, DEFORM_Y, 0);
        const fal_operands o = {c.operands.x, c.operands.w, c.operands.bias, plain.t};
        assert_int_equal(fal_reference(FAL_OP_CONV, &o, &c.params, NULL), FAL_OK);
        /* A crop hides cells from the windows, and without offsets no sample leaves its window. */
        assert_true(test_equal(&y.t, &plain.t, deform_text(&c, repro)));
        test_tensor_free(&y);
        test_tensor_free(&plain);
        deform_free(&c);
    }
}

/* One sample of the 2x3 image 1 2 3 / 4 5 6 at (y, x), times 10 by the weight. */
static double one_sample(double y, double x)
{
    double image[] = {1, 2, 3, 4, 5, 6}, offset[] = {y, x}, w = 10, result = -1;
    const fal_deform_operands o = {.x = FAL_TENSOR(image, FAL_F64, 1, 1, 2, 3),
                                   .offset = FAL_TENSOR(offset, FAL_F64, 1, 2, 1, 1),
                                   .w = FAL_TENSOR(&w, FAL_F64, 1, 1, 1, 1),
                                   .y = FAL_TENSOR(&result, FAL_F64, 1, 1, 1, 1)};
    const fal_conv_params p = {.stride = {2, 3}};
    assert_int_equal(fal_deform_conv_reference(&o, &p, 0, NULL), FAL_OK);
    double again = -1;
    fal_deform_operands same = o;
    same.y.data = &again;
    assert_int_equal(fal_deform_conv(NULL, &same, &p, 0), FAL_OK);
    assert_true(again == result || (isnan(again) && isnan(result)));
    return result;
}

static void samples_fade_to_nothing_beyond_the_ends(void **state)
{
    (void)state;
    assert_true(one_sample(0, 0) == 10);
    assert_true(one_sample(1, 2) == 60);
    assert_true(one_sample(0.5, 0.5) == 30);  /* between 1 2 4 5 */
    assert_true(one_sample(0, 1.25) == 22.5); /* y comes before x */
    assert_true(one_sample(-0.5, 0) == 5);
    assert_true(one_sample(-1, 0) == 0);
    assert_true(one_sample(1.75, 2) == 15);
    assert_true(one_sample(2, 0) == 0); /* y = H */
    assert_true(one_sample(0, -0.75) == 2.5);
    assert_true(one_sample(0, -1) == 0);
    assert_true(one_sample(1, 2.5) == 30);
    assert_true(one_sample(1, 3) == 0); /* x = W */
    assert_true(one_sample(-0.5, -0.5) == 2.5);
    assert_true(one_sample(1e300, 0) == 0);
    assert_true(one_sample(INFINITY, 0) == 0);
    assert_true(one_sample(0, -INFINITY) == 0);
    assert_true(isnan(one_sample(NAN, 0)));
    assert_true(isnan(one_sample(0, NAN)));
    assert_true(isnan(one_sample(NAN, 7)));
}

static fal_status run(bool reference_only, const fal_deform_operands *o, const fal_conv_params *p)
{
    return reference_only ? fal_deform_conv_reference(o, p, 1, NULL) : fal_deform_conv(NULL, o, p, 1);
}

/* A sample on a cell reads that cell alone. */
static void special_cells_stay_where_they_are(void **state)
{
    (void)state;
    double image[] = {1, NAN, INFINITY, 4}, offset[] = {0, 0}, w = 1, y = 0;
    const fal_conv_params p = {.stride = {2, 2}};
    const fal_deform_operands o = {.x = FAL_TENSOR(image, FAL_F64, 1, 1, 2, 2),
                                   .offset = FAL_TENSOR(offset, FAL_F64, 1, 2, 1, 1),
                                   .w = FAL_TENSOR(&w, FAL_F64, 1, 1, 1, 1),
                                   .y = FAL_TENSOR(&y, FAL_F64, 1, 1, 1, 1)};
    for (int i = 0; i < 2; i++) {
        offset[0] = offset[1] = 0;
        assert_int_equal(run(i == 1, &o, &p), FAL_OK);
        assert_true(y == 1);
        offset[0] = 0.5;
        assert_int_equal(run(i == 1, &o, &p), FAL_OK);
        assert_true(isinf(y));
        offset[1] = 0.5;
        assert_int_equal(run(i == 1, &o, &p), FAL_OK);
        assert_true(isnan(y));
    }
}

/* ---- refusals ----------------------------------------------------------------------------------- */

static deform_case valid(void)
{
    deform_case c = {.seed = 5, .dtype = FAL_F32, .batched = true, .masked = true, .biased = true};
    c.n = 1, c.ic = 4, c.oc = 2, c.offset_groups = 2;
    for (int a = 0; a < 2; a++) c.in[a] = 5, c.k[a] = 3, c.params.stride[a] = c.params.dilation[a] = 1;
    c.params.groups = 2;
    deform_count_outputs(&c);
    deform_make(&c, OFFSET_ZERO, 0);
    return c;
}

/* Every entry refuses alike and writes nothing. */
static void refuses(const deform_case *c, fal_status status, const char *field, const char *found)
{
    fal_error error = {0}, second = {0};
    const fal_context context = {.error = &second};
    const uint64_t before = test_tensor_hash(&c->memory[DEFORM_Y]);
    assert_int_equal(fal_deform_conv_reference(&c->operands, &c->params, c->offset_groups, &error), status);
    assert_string_equal(error.field, field);
    assert_string_equal(error.found, found);
    assert_int_equal(fal_deform_conv(&context, &c->operands, &c->params, c->offset_groups), status);
    assert_string_equal(second.found, error.found);
    assert_true(test_tensor_hash(&c->memory[DEFORM_Y]) == before);
}

static void refuses_bad_operands(void **state)
{
    (void)state;
    deform_case c = valid();
    const fal_deform_operands good = c.operands;
    c.operands.offset = (fal_tensor){0};
    refuses(&c, FAL_E_NULL, "offset", "offset is not given");
    c.operands = good;
    c.operands.w = (fal_tensor){0};
    refuses(&c, FAL_E_NULL, "w", "w is not given");
    c.operands = good;
    c.operands.offset.shape[1] = 34;
    refuses(&c, FAL_E_SHAPE, "offset", "offset is (1,34,3,3)");
    c.operands = good;
    c.operands.mask.shape[1] = 9;
    refuses(&c, FAL_E_SHAPE, "mask", "mask is (1,9,3,3)");
    c.operands = good;
    c.operands.bias.shape[0] = 1;
    refuses(&c, FAL_E_SHAPE, "bias", "bias is (1)");
    c.operands = good;
    c.operands.y.flags = FAL_READ_ONLY;
    refuses(&c, FAL_E_LAYOUT, "y", "y is a read-only view");
    c.operands = good;
    c.operands.mask.dtype = FAL_F64;
    refuses(&c, FAL_E_DTYPE, "mask", "x is f32, mask is f64");
    c.operands = good;
    c.operands.x.dtype = FAL_I32;
    refuses(&c, FAL_E_DTYPE, "x", "x is i32");
    c.operands = good;
    c.operands.mask = c.operands.offset;
    c.operands.mask.shape[1] = 18;
    c.operands.y.data = c.operands.mask.data;
    refuses(&c, FAL_E_ALIAS, "y", "y shares memory with offset");
    c.operands = good;
    c.operands.x.data = NULL;
    refuses(&c, FAL_E_NULL, "x", "x has no data");
    c.operands = good;
    deform_free(&c);
}

static void refuses_bad_parameters(void **state)
{
    (void)state;
    deform_case c = valid();
    const fal_conv_params good = c.params;
    c.offset_groups = 3;
    refuses(&c, FAL_E_GROUPS, "offset_groups", "input has 4 channels, not divisible by offset_groups 3");
    c.offset_groups = -1;
    refuses(&c, FAL_E_GROUPS, "offset_groups", "offset_groups is -1");
    c.offset_groups = 2;
    c.params.flip_kernel = true;
    refuses(&c, FAL_E_VALUE, "flip_kernel", "flip_kernel is set in a deformable convolution");
    c.params = good;
    c.params.padding_mode = FAL_PAD_REFLECT;
    refuses(&c, FAL_E_PADDING, "padding_mode", "padding_mode is 1 in a deformable convolution");
    c.params = good;
    c.params.stride[1] = -1;
    refuses(&c, FAL_E_STRIDE, "stride[1]", "stride[1] is -1");
    deform_free(&c);
    assert_int_equal(fal_deform_conv_reference(NULL, NULL, 0, NULL), FAL_E_NULL);
    assert_int_equal(fal_deform_conv(NULL, NULL, NULL, 0), FAL_E_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_definition),
        cmocka_unit_test(without_offsets_it_is_the_convolution),
        cmocka_unit_test(samples_fade_to_nothing_beyond_the_ends),
        cmocka_unit_test(special_cells_stay_where_they_are),
        cmocka_unit_test(refuses_bad_operands),
        cmocka_unit_test(refuses_bad_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
