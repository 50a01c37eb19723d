/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_separable.c: the separable convolution is two convolutions.
 *
 * Against the reference of each half on small integers, exactly: forward, and all gradients through the
 * gradient of the intermediate. Then shapes, refusals that write nothing, and failing allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { PLACES = 6, Y = 5 }; /* x, depthwise, its bias, pointwise, its bias, y */

typedef struct pair {
    test_problem p; /* of the depthwise half */
    int64_t oc;     /* of the pointwise half */
    fal_tensor middle;
    test_tensor memory[PLACES];
    fal_separable_operands o;
} pair;

static fal_tensor *place(fal_separable_operands *o, int i)
{
    fal_tensor *const places[PLACES] = {&o->x,         &o->depthwise,      &o->depthwise_bias,
                                        &o->pointwise, &o->pointwise_bias, &o->y};
    return places[i];
}

/* A random depthwise problem, with a pointwise half of `oc` outputs behind it. */
static pair make_pair(uint64_t seed, fal_dtype dtype)
{
    pair s = {.p = test_problem_random(seed), .oc = 1 + (int64_t)(seed % 5)};
    for (uint64_t next = 1; s.p.transposed || s.p.params.flip_kernel; next++)
        s.p = test_problem_random(seed + 7919 * next);
    s.p.seed = seed;
    s.p.dtype = dtype;
    s.p.params.groups = 1 + (int64_t)(seed % 4);
    s.p.ic = 1;
    s.p.oc = seed % 3 == 0 ? 2 : 1;
    s.p.params.beta = 0;
    s.p.has_bias = seed % 2 == 0;
    const fal_operands shapes = test_problem_shapes(&s.p);
    s.middle = shapes.y;
    const bool last = s.p.params.layout == FAL_NHWC;
    const int32_t spatial = s.p.spatial, channel = last ? s.middle.rank - 1 : s.middle.rank - 1 - spatial;
    int64_t pointwise[FAL_MAX_RANK] = {1, 1, 1, 1, 1};
    pointwise[last ? spatial + 1 : 0] = s.oc;
    pointwise[last ? spatial : 1] = s.middle.shape[channel];
    fal_tensor y = s.middle;
    y.shape[channel] = s.oc;
    const fal_tensor wanted[PLACES] = {shapes.x,
                                       shapes.w,
                                       shapes.bias,
                                       {.rank = spatial + 2, .dtype = dtype},
                                       {.rank = s.p.has_bias ? 1 : 0, .dtype = dtype, .shape = {s.oc}},
                                       y};
    for (int i = 0; i < PLACES; i++) {
        if (wanted[i].rank == 0) continue;
        const int64_t *shape = i == 3 ? pointwise : wanted[i].shape;
        s.memory[i] = test_tensor_new(dtype, wanted[i].rank, shape, seed + (uint64_t)i);
        test_fill_tensor(&s.memory[i].t, TEST_INT1, seed + 10 + (uint64_t)i);
        *place(&s.o, i) = s.memory[i].t;
    }
    return s;
}

static void free_pair(pair *s)
{
    for (int i = 0; i < PLACES; i++) {
        if (s->memory[i].guard.map == NULL) continue;
        assert_true(test_tensor_gaps_intact(&s->memory[i]));
        test_tensor_free(&s->memory[i]);
    }
}

static fal_conv_params pointwise_params(const pair *s)
{
    return (fal_conv_params){.layout = s->p.params.layout, .beta = s->p.params.beta};
}

/* The parameters a caller gives: groups are the library's to know. */
static fal_conv_params given_params(const pair *s)
{
    fal_conv_params p = s->p.params;
    p.groups = 0;
    return p;
}

static void by_reference(fal_operator op, const fal_operands *o, const fal_conv_params *params)
{
    fal_error error = {0};
    assert_true(test_ok(fal_reference(op, o, params, &error), &error, "reference"));
}

static test_tensor middle_of(const pair *s)
{
    test_tensor middle = test_tensor_new(s->p.dtype, s->middle.rank, s->middle.shape, 0);
    fal_conv_params params = s->p.params;
    params.beta = 0;
    by_reference(FAL_OP_CONV, &(fal_operands){s->o.x, s->o.depthwise, s->o.depthwise_bias, middle.t},
                 &params);
    return middle;
}

static void forward_is_both_halves(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_I32};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        char repro[TEST_TEXT];
        fal_error error = {0};
        const fal_context context = {.error = &error, .threads = 2};
        pair s = make_pair(seed, dtypes[seed % 3]);
        if (seed % 4 == 0) s.p.params.beta = 2;
        test_tensor middle = middle_of(&s), expected = test_tensor_copy(&s.o.y, s.p.dtype);
        const fal_conv_params second = pointwise_params(&s), params = given_params(&s);
        by_reference(FAL_OP_CONV, &(fal_operands){middle.t, s.o.pointwise, s.o.pointwise_bias, expected.t},
                     &second);
        fal_tensor y;
        assert_int_equal(fal_separable_output_shape(&s.o, &params, &y, &error), FAL_OK);
        assert_int_equal(y.rank, s.o.y.rank);
        assert_memory_equal(y.shape, s.o.y.shape, (size_t)y.rank * sizeof y.shape[0]);
        assert_true(test_ok(fal_separable_conv(&context, &s.o, &params), &error, "separable"));
        assert_true(test_equal(&s.o.y, &expected.t, test_problem_text(&s.p, repro)));
        test_tensor_free(&middle);
        test_tensor_free(&expected);
        free_pair(&s);
    }
}

/* Row-major memory for the gradients in `wanted`, filled with 1, which beta multiplies. */
static fal_separable_operands make_gradients(const pair *s, unsigned wanted, test_tensor memory[PLACES])
{
    fal_separable_operands g = {.y = {.rank = 0}};
    for (int i = 0; i < Y; i++) {
        memory[i] = (test_tensor){.low = 0};
        if (!(wanted >> i & 1) || s->memory[i].guard.map == NULL) continue;
        memory[i] = test_tensor_copy(&s->memory[i].t, s->p.dtype);
        fal_tensor_fill(&memory[i].t, 1, NULL);
        *place(&g, i) = memory[i].t;
    }
    return g;
}

/* The same by the references of both halves. */
static void reference_gradients(const pair *s, const fal_separable_operands *g)
{
    fal_conv_params first = s->p.params, second = pointwise_params(s);
    test_tensor middle = middle_of(s),
                gmiddle = test_tensor_new(s->p.dtype, s->middle.rank, s->middle.shape, 0);
    by_reference(FAL_OP_CONV_GRAD_WEIGHT, &(fal_operands){middle.t, g->pointwise, g->pointwise_bias, s->o.y},
                 &second);
    second.beta = 0;
    by_reference(FAL_OP_CONV_GRAD_INPUT, &(fal_operands){.x = gmiddle.t, .w = s->o.pointwise, .y = s->o.y},
                 &second);
    by_reference(FAL_OP_CONV_GRAD_WEIGHT, &(fal_operands){s->o.x, g->depthwise, g->depthwise_bias, gmiddle.t},
                 &first);
    by_reference(FAL_OP_CONV_GRAD_INPUT, &(fal_operands){.x = g->x, .w = s->o.depthwise, .y = gmiddle.t},
                 &first);
    test_tensor_free(&middle);
    test_tensor_free(&gmiddle);
}

static void gradients_go_through_both_halves(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        char repro[TEST_TEXT];
        fal_error error = {0};
        const fal_context context = {.error = &error, .threads = 2};
        pair s = make_pair(seed, seed % 2 ? FAL_F32 : FAL_F64);
        if (seed % 4 == 0) s.p.params.beta = 2;
        test_tensor expected[PLACES], actual[PLACES];
        const fal_separable_operands e = make_gradients(&s, ~0u, expected);
        reference_gradients(&s, &e);
        const fal_conv_params params = given_params(&s);
        const unsigned subsets[] = {31, 1, 2, 4, 8, 16};
        for (int k = 0; k < 6; k++) {
            const fal_separable_operands a = make_gradients(&s, subsets[k], actual);
            assert_true(test_ok(fal_separable_conv_grad(&context, &s.o, &params, &a), &error,
                                test_problem_text(&s.p, repro)));
            for (int i = 0; i < Y; i++) {
                if (actual[i].guard.map == NULL) continue;
                assert_true(test_equal(&actual[i].t, &expected[i].t, test_problem_text(&s.p, repro)));
                test_tensor_free(&actual[i]);
            }
        }
        for (int i = 0; i < Y; i++)
            if (expected[i].guard.map != NULL) test_tensor_free(&expected[i]);
        free_pair(&s);
    }
}

static void refuses(const pair *s, const fal_separable_operands *o, fal_status status, const char *field,
                    const char *found)
{
    fal_error error = {0};
    const fal_context context = {.error = &error};
    const fal_conv_params params = given_params(s);
    const uint64_t before = test_tensor_hash(&s->memory[Y]);
    assert_int_equal(fal_separable_conv(&context, o, &params), status);
    assert_string_equal(error.field, field);
    assert_string_equal(error.found, found);
    assert_true(test_tensor_hash(&s->memory[Y]) == before);
}

static void refusals_name_the_half(void **state)
{
    (void)state;
    float x[16] = {0}, d[8] = {0}, p[6] = {0}, y[12] = {0}, bias[4] = {0};
    const fal_separable_operands good = {.x = FAL_TENSOR(x, FAL_F32, 1, 2, 8),
                                         .depthwise = FAL_TENSOR(d, FAL_F32, 2, 1, 3),
                                         .pointwise = FAL_TENSOR(p, FAL_F32, 2, 2, 1),
                                         .y = FAL_TENSOR(y, FAL_F32, 1, 2, 6)};
    pair s = {.memory = {[Y] = test_tensor_new(FAL_F32, 1, (int64_t[]){1}, 0)}};
    fal_separable_operands o = good;
    assert_int_equal(fal_separable_conv(NULL, &o, NULL), FAL_OK);
    o.depthwise.shape[1] = 2;
    refuses(&s, &o, FAL_E_SHAPE, "depthwise.x", "input has 2 channels, weight expects 4 (groups 2 x 2)");
    o = good;
    o.pointwise.shape[1] = 3;
    refuses(&s, &o, FAL_E_SHAPE, "pointwise.x", "input has 2 channels, weight expects 3");
    o = good;
    o.pointwise = FAL_TENSOR(p, FAL_F32, 1, 2, 3);
    refuses(&s, &o, FAL_E_KERNEL, "pointwise.w", "pointwise has kernel size 3 on axis 0");
    o = good;
    o.pointwise_bias = FAL_TENSOR(bias, FAL_F32, 3);
    refuses(&s, &o, FAL_E_SHAPE, "pointwise.bias", "bias is (3)");
    o = good;
    o.y.data = x;
    refuses(&s, &o, FAL_E_ALIAS, "y", "y shares memory with x");
    o = good;
    o.x.data = NULL;
    refuses(&s, &o, FAL_E_NULL, "x", "x has no data");
    fal_separable_operands g = {.x = good.x};
    assert_int_equal(fal_separable_conv_grad(NULL, &good, NULL, &g), FAL_E_ALIAS);
    g = (fal_separable_operands){.pointwise = good.depthwise};
    assert_int_equal(fal_separable_conv_grad(NULL, &good, NULL, &g), FAL_E_SHAPE);
    assert_int_equal(fal_separable_conv_grad(NULL, &good, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_separable_conv(NULL, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_separable_output_shape(&good, NULL, NULL, NULL), FAL_E_NULL);
    test_tensor_free(&s.memory[Y]);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    pair s = make_pair(6, FAL_F32);
    const fal_conv_params params = given_params(&s);
    test_tensor memory[PLACES];
    const fal_separable_operands g = make_gradients(&s, ~0u, memory);
    for (int backward = 0; backward < 2; backward++) {
        fal_status status = FAL_E_NOMEM;
        for (int64_t calls = 1; status != FAL_OK; calls++) {
            test_memory heap = {.fail_from = calls};
            const fal_context context = {.allocator = test_allocator(&heap), .threads = 1};
            status = backward ? fal_separable_conv_grad(&context, &s.o, &params, &g)
                              : fal_separable_conv(&context, &s.o, &params);
            assert_true(status == FAL_OK || status == FAL_E_NOMEM);
            assert_int_equal(heap.live, 0);
            assert_false(heap.broken);
        }
    }
    for (int i = 0; i < Y; i++)
        if (memory[i].guard.map != NULL) test_tensor_free(&memory[i]);
    free_pair(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_both_halves),
        cmocka_unit_test(gradients_go_through_both_halves),
        cmocka_unit_test(refusals_name_the_half),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
