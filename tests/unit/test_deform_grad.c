/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_deform_grad.c: the gradients of the deformable convolution are derivatives.
 *
 * L = sum of y*gy is linear in x, mask, w and bias: its central difference with step 1 is the gradient, and
 * on small integers exactly. It is bilinear between the kinks of the interpolation: a step of 1/8 around an
 * odd multiple of 1/4 meets none, so the same holds for offsets. At the ends the slope is 0 outside the
 * range where a sample can be other than 0. Then beta, threads, subsets, half types and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "unit/deform.h"

static const char *const names[] = {"gx", "goffset", "gmask", "gw", "gb"};

/* L of the case, by the reference, in double. */
static double loss(const deform_case *c)
{
    test_tensor y = deform_like(c, DEFORM_Y, 0);
    fal_deform_operands o = c->operands;
    o.y = y.t;
    assert_int_equal(fal_deform_conv_reference(&o, &c->params, c->offset_groups, NULL), FAL_OK);
    const double sum = test_dot(&y.t, &c->operands.y);
    test_tensor_free(&y);
    return sum;
}

/* The gradients of a case, in tensors of their own. */
typedef struct gradients {
    test_tensor memory[DEFORM_Y];
    fal_deform_operands tensors;
} gradients;

static gradients make_gradients(const deform_case *c, unsigned wanted, uint64_t strides)
{
    gradients g = {.tensors = {.y = {0}}};
    for (int p = 0; p < DEFORM_Y; p++) {
        if (!(wanted >> p & 1) || deform_place((fal_deform_operands *)&c->operands, p)->rank == 0) continue;
        g.memory[p] = deform_like(c, p, strides == 0 ? 0 : strides + 50 + (uint64_t)p);
        *deform_place(&g.tensors, p) = g.memory[p].t;
    }
    return g;
}

static void free_gradients(gradients *g)
{
    for (int p = 0; p < DEFORM_Y; p++)
        if (g->memory[p].guard.map != NULL) {
            assert_true(test_tensor_gaps_intact(&g->memory[p]));
            test_tensor_free(&g->memory[p]);
        }
}

static void run(const deform_case *c, const fal_context *given, gradients *g)
{
    char repro[TEST_TEXT];
    fal_error error = {0};
    fal_context context = *given;
    context.error = &error;
    context.cpu = (fal_cpu_level)(c->seed / 3 % 4); /* every instruction set, by turns */
    assert_true(
        test_ok(fal_deform_conv_grad(&context, &c->operands, &c->params, c->offset_groups, &g->tensors),
                &error, deform_text(c, repro)));
}

/* Some elements of each gradient against the difference quotient with this step. */
static void check_slopes(const deform_case *c, gradients *g, const double steps[DEFORM_Y])
{
    char repro[TEST_TEXT];
    test_stream stream = {c->seed, 400};
    for (int p = 0; p < DEFORM_Y; p++) {
        const fal_tensor *t = deform_place((fal_deform_operands *)&c->operands, p);
        const fal_tensor *gradient = deform_place(&g->tensors, p);
        for (int i = 0; t->rank > 0 && i < 5; i++) {
            int64_t at[FAL_MAX_RANK];
            test_index(t, test_draw(&stream, 0, fal_tensor_count(t) - 1), at);
            const double old = fal_tensor_get(t, at);
            fal_tensor_set(t, at, old + steps[p]);
            const double above = loss(c);
            fal_tensor_set(t, at, old - steps[p]);
            const double slope = (above - loss(c)) / (2 * steps[p]);
            fal_tensor_set(t, at, old);
            if (fal_tensor_get(gradient, at) != slope)
                fail_msg("%s\n  %s is %g, slope is %g", deform_text(c, repro), names[p],
                         fal_tensor_get(gradient, at), slope);
        }
    }
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    static const double steps[DEFORM_Y] = {1, 0.125, 1, 1, 1};
    static const fal_context context = {.threads = 2};
    for (uint64_t seed = 1; seed <= 50; seed++) {
        deform_case c = deform_draw(seed, seed % 2 ? FAL_F32 : FAL_F64);
        deform_make(&c, OFFSET_QUARTER, seed % 4 == 0 ? 0 : seed);
        gradients g = make_gradients(&c, ~0u, seed % 5 == 0 ? 0 : seed);
        run(&c, &context, &g);
        check_slopes(&c, &g, steps);
        free_gradients(&g);
        deform_free(&c);
    }
}

/* On the cells themselves everything but the offsets is smooth, and must be the convolution's gradient. */
static void without_offsets_they_are_the_convolutions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        deform_case c = deform_draw(seed, FAL_F32);
        char repro[TEST_TEXT];
        deform_make(&c, OFFSET_ZERO, seed);
        if (c.masked) fal_tensor_fill(&c.operands.mask, 1, NULL);
        c.biased = true;
        gradients g = make_gradients(&c, ~0u, seed);
        test_tensor gx = deform_like(&c, DEFORM_X, 0), gw = deform_like(&c, DEFORM_W, 0);
        test_tensor gb = deform_like(&c, DEFORM_BIAS, 0), bias = deform_like(&c, DEFORM_BIAS, 0);
        g.tensors.bias = bias.t;
        run(&c, &(fal_context){0}, &g);
        assert_int_equal(
            fal_conv_grad(NULL, &c.operands.x, &c.operands.w, &c.operands.y, &c.params, &gx.t, &gw.t, &gb.t),
            FAL_OK);
        assert_true(test_equal(&g.tensors.x, &gx.t, deform_text(&c, repro)));
        assert_true(test_equal(&g.tensors.w, &gw.t, deform_text(&c, repro)));
        assert_true(test_equal(&bias.t, &gb.t, deform_text(&c, repro)));
        test_tensor_free(&gx);
        test_tensor_free(&gw);
        test_tensor_free(&gb);
        test_tensor_free(&bias);
        free_gradients(&g);
        deform_free(&c);
    }
}

/* The slopes of one sample of the row 3 7 (a 1x2 image) at (y, x). */
static void one_slope(double y, double x, double along_y, double along_x)
{
    double image[] = {3, 7}, offset[] = {y, x}, w = 1, gy = 1, slopes[2];
    const fal_deform_operands o = {.x = FAL_TENSOR(image, FAL_F64, 1, 1, 1, 2),
                                   .offset = FAL_TENSOR(offset, FAL_F64, 1, 2, 1, 1),
                                   .w = FAL_TENSOR(&w, FAL_F64, 1, 1, 1, 1),
                                   .y = FAL_TENSOR(&gy, FAL_F64, 1, 1, 1, 1)};
    const fal_deform_operands g = {.offset = FAL_TENSOR(slopes, FAL_F64, 1, 2, 1, 1)};
    const fal_conv_params p = {.stride = {1, 2}};
    assert_int_equal(fal_deform_conv_grad(NULL, &o, &p, 0, &g), FAL_OK);
    if (slopes[0] == along_y && slopes[1] == along_x) return;
    if (isnan(slopes[0]) && isnan(slopes[1]) && isnan(along_y)) return;
    fail_msg("at (%g, %g): %g %g, expected %g %g", y, x, slopes[0], slopes[1], along_y, along_x);
}

static void slopes_at_kinks_and_ends(void **state)
{
    (void)state;
    one_slope(0, 0.5, -5, 4); /* on the row: the slope toward the zeros below it */
    one_slope(0, 0, -3, 4);   /* on a cell: toward growing y and x */
    one_slope(-0.5, 0.25, 4, 2);
    one_slope(0, 1, -7, -7);
    one_slope(-1, 0, 0, 0); /* the ends are outside */
    one_slope(1, 0, 0, 0);
    one_slope(0, -1, 0, 0);
    one_slope(0, 2, 0, 0);
    one_slope(0.5, -0.5, -1.5, 1.5);
    one_slope(INFINITY, 0, 0, 0);
    one_slope(NAN, 0, NAN, NAN);
}

static void beta_adds_to_what_is_there(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        deform_case c = deform_draw(seed, seed % 2 ? FAL_F32 : FAL_BF16);
        char repro[TEST_TEXT];
        deform_make(&c, OFFSET_QUARTER, seed);
        if (c.dtype == FAL_BF16) { /* sums that 8 bits hold */
            fal_tensor_fill(&c.operands.y, 0, NULL);
            fal_tensor_set(&c.operands.y, (int64_t[4]){0}, 2);
        }
        gradients plain = make_gradients(&c, ~0u, 0), added = make_gradients(&c, ~0u, seed);
        run(&c, &(fal_context){0}, &plain);
        for (int p = 0; p < DEFORM_Y; p++)
            if (added.memory[p].guard.map != NULL) fal_tensor_fill(&added.memory[p].t, 4, NULL);
        c.params.beta = -2;
        run(&c, &(fal_context){0}, &added);
        for (int p = 0; p < DEFORM_Y; p++) {
            const fal_tensor *t = deform_place(&plain.tensors, p);
            if (t->rank == 0 || c.dtype == FAL_BF16) continue;
            int64_t index[FAL_MAX_RANK] = {0};
            for (bool more = true; more; more = test_next(t, index))
                fal_tensor_set(t, index, fal_tensor_get(t, index) - 8);
            assert_true(test_equal(deform_place(&added.tensors, p), t, deform_text(&c, repro)));
        }
        free_gradients(&plain);
        free_gradients(&added);
        deform_free(&c);
    }
}

/* Each gradient alone is the one of all together; the number of threads changes no bit. */
static void subsets_and_threads_change_no_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        deform_case c = deform_draw(seed, seed % 2 ? FAL_F32 : FAL_F64);
        char repro[TEST_TEXT];
        c.n = c.batched ? 2 : 1;
        c.in[0] = 40, c.in[1] = 30;
        c.ic *= 40 / c.ic + 1;
        deform_count_outputs(&c);
        deform_make(&c, OFFSET_REAL, 0);
        gradients all = make_gradients(&c, ~0u, 0);
        run(&c, &(fal_context){.threads = 1}, &all);
        for (unsigned p = 0; p < DEFORM_Y; p++) {
            if (all.memory[p].guard.map == NULL) continue;
            test_runs runs = {0};
            const fal_context context = {.threads = 2 + (int32_t)p,
                                         .executor = test_executor_reversed(&runs)};
            gradients one = make_gradients(&c, 1u << p, 0);
            run(&c, &context, &one);
            assert_true(
                test_same_bits(deform_place(&one.tensors, (int)p), &all.memory[p].t, deform_text(&c, repro)));
            free_gradients(&one);
        }
        free_gradients(&all);
        deform_free(&c);
    }
}

static void half_types_round_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        deform_case c = deform_draw(seed, FAL_F16), wide;
        char repro[TEST_TEXT];
        deform_make(&c, OFFSET_QUARTER, seed);
        wide = c;
        wide.dtype = FAL_F32;
        for (int p = 0; p < DEFORM_TENSORS; p++) {
            fal_tensor *t = deform_place(&wide.operands, p);
            if (t->rank == 0) continue;
            wide.memory[p] = test_tensor_copy(t, FAL_F32);
            *t = wide.memory[p].t;
        }
        gradients narrow = make_gradients(&c, ~0u, seed), exact = make_gradients(&wide, ~0u, 0);
        run(&c, &(fal_context){0}, &narrow);
        run(&wide, &(fal_context){0}, &exact);
        for (int p = 0; p < DEFORM_Y; p++) {
            if (exact.memory[p].guard.map == NULL) continue;
            test_tensor rounded = test_tensor_copy(&exact.memory[p].t, FAL_F16);
            assert_true(test_equal(deform_place(&narrow.tensors, p), &rounded.t, deform_text(&c, repro)));
            test_tensor_free(&rounded);
        }
        free_gradients(&narrow);
        free_gradients(&exact);
        deform_free(&c);
        deform_free(&wide);
    }
}

static void refusals_write_nothing(void **state)
{
    (void)state;
    deform_case c = deform_draw(1, FAL_F32);
    c.masked = false;
    deform_make(&c, OFFSET_ZERO, 0);
    gradients g = make_gradients(&c, ~0u, 0);
    const fal_deform_operands good = g.tensors;
    const uint64_t before = test_tensor_hash(&g.memory[DEFORM_X]);
    fal_error error = {0};
    const fal_context context = {.error = &error};
    g.tensors.mask = c.operands.offset;
    g.tensors.mask.shape[c.params.layout == FAL_NHWC ? g.tensors.mask.rank - 1 : g.tensors.mask.rank - 3] /=
        2;
    assert_int_equal(fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, &g.tensors),
                     FAL_E_NULL);
    assert_string_equal(error.found, "gmask is given, but there is no mask");
    g.tensors = good;
    g.tensors.w.shape[0] += 1;
    assert_int_equal(fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, &g.tensors),
                     FAL_E_SHAPE);
    assert_string_equal(error.field, "gw");
    g.tensors = good;
    g.tensors.x = c.operands.x;
    assert_int_equal(fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, &g.tensors),
                     FAL_E_ALIAS);
    assert_string_equal(error.field, "gx");
    assert_int_equal(fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, NULL),
                     FAL_E_NULL);
    assert_true(test_tensor_hash(&g.memory[DEFORM_X]) == before);
    g.tensors = good;
    free_gradients(&g);
    deform_free(&c);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    deform_case c = deform_draw(3, FAL_BF16);
    deform_make(&c, OFFSET_QUARTER, 3);
    gradients g = make_gradients(&c, ~0u, 0);
    fal_status status = FAL_E_NOMEM;
    for (int64_t calls = 1; status != FAL_OK; calls++) {
        test_memory memory = {.fail_from = calls};
        const fal_context context = {.allocator = test_allocator(&memory), .threads = 1};
        status = fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, &g.tensors);
        assert_true(status == FAL_OK || status == FAL_E_NOMEM);
        assert_int_equal(memory.live, 0);
        assert_false(memory.broken);
    }
    free_gradients(&g);
    deform_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(without_offsets_they_are_the_convolutions),
        cmocka_unit_test(slopes_at_kinks_and_ends),
        cmocka_unit_test(beta_adds_to_what_is_there),
        cmocka_unit_test(subsets_and_threads_change_no_bit),
        cmocka_unit_test(half_types_round_once),
        cmocka_unit_test(refusals_write_nothing),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
