/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_layout.c: layouts, groups, channels, images, and what is fused into a call.
 *
 * The same numbers in another arrangement, in parts, or in two steps give the same results: forward
 * and gradients, on random problems.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "support/support.h"

enum { SEEDS = 150 };
/* One thread: on small problems the others cost more than they do. */
static const fal_context alone = {.threads = 1};

static fal_tensor slice(const fal_tensor *t, int32_t axis, int64_t start, int64_t stop)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_slice(t, axis, start, stop, 1, &out, NULL), FAL_OK);
    return out;
}

static fal_tensor flipped(const fal_tensor *t, int32_t axis)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_flip(t, axis, &out, NULL), FAL_OK);
    return out;
}

/* The next random problem from *seed on, channels-first, strict, with more than one image or group
 * where asked. */
static test_problem next_problem(uint64_t *seed, bool images, bool groups)
{
    for (;;) {
        test_problem p = test_problem_random((*seed)++);
        if ((images && p.n < 2) || (groups && p.params.groups < 2)) continue;
        p.params.layout = FAL_NCHW;
        p.params.accuracy = FAL_ACCURACY_STRICT;
        p.params.beta = 0;
        return p;
    }
}

static const fal_tensor *result_of(test_kind kind, const fal_operands *operands)
{
    return kind == TEST_FORWARD ? &operands->y : kind == TEST_GRAD_INPUT ? &operands->x : &operands->w;
}

/* Operands without what only the forward operator reads. */
static fal_operands for_kind(test_kind kind, fal_operands operands)
{
    if (kind != TEST_FORWARD) operands.bias = (fal_tensor){0};
    return operands;
}

static void property_30_channels_last_equals_channels_first(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false), q = p;
        q.params.layout = FAL_NHWC;
        test_case c = test_case_new(&p, TEST_INT, seed);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operands first = for_kind(kind, c.operands), last = test_channels_last(&p, &first);
            test_tensor expected = test_apply(&p, kind, &first), actual = test_apply(&q, kind, &last);
            fal_operands views = c.operands;
            *(kind == TEST_FORWARD ? &views.y : kind == TEST_GRAD_INPUT ? &views.x : &views.w) = expected.t;
            views = test_channels_last(&p, &views);
            assert_true(test_equal(&actual.t, result_of(kind, &views), test_problem_text(&p, repro)));
            test_tensor_free(&expected);
            test_tensor_free(&actual);
        }
        test_case_free(&c);
    }
}

/* Part number `part` of `parts` along the axis that a group or an image owns. */
static fal_tensor part_of(const fal_tensor *t, int32_t axis, int64_t part, int64_t parts)
{
    if (t->rank == 0) return *t;
    int64_t size = t->shape[axis] / parts;
    return slice(t, axis, part * size, (part + 1) * size);
}

static void property_31_groups_are_separate_convolutions(void **state)
{
    (void)state;
    uint64_t seed = 1000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, true), q = p;
        q.params.groups = 1;
        int64_t groups = p.params.groups;
        int32_t channels = p.batched ? 1 : 0;
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operands all = for_kind(kind, c.operands);
            test_tensor whole = test_apply(&p, kind, &all);
            for (int64_t g = 0; g < groups; g++) {
                fal_operands own = {.x = part_of(&all.x, channels, g, groups),
                                    .w = part_of(&all.w, 0, g, groups),
                                    .bias = part_of(&all.bias, 0, g, groups),
                                    .y = part_of(&all.y, channels, g, groups)};
                test_tensor single = test_apply(&q, kind, &own);
                fal_tensor expected = part_of(&whole.t, kind == TEST_GRAD_WEIGHT ? 0 : channels, g, groups);
                assert_true(test_same_bits(&single.t, &expected, test_problem_text(&p, repro)));
                test_tensor_free(&single);
            }
            test_tensor_free(&whole);
        }
        test_case_free(&c);
    }
}

static void property_31_block_diagonal_weights_are_groups(void **state)
{
    (void)state;
    uint64_t seed = 2000;
    for (int i = 0; i < SEEDS / 2; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, true), q = p;
        int64_t groups = p.params.groups, inner = p.transposed ? p.oc : p.ic;
        q.params.groups = 1;
        q.ic = p.ic * groups;
        q.oc = p.oc * groups;
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_tensor shape = test_problem_shapes(&q).w;
        test_tensor dense = test_made(FAL_F32, shape.rank, shape.shape, TEST_ZERO, 0);
        for (int64_t g = 0; g < groups; g++) {
            fal_tensor block = part_of(&dense.t, 0, g, groups), own = part_of(&c.w.t, 0, g, groups);
            block = slice(&block, 1, g * inner, (g + 1) * inner);
            assert_int_equal(fal_tensor_copy(&own, &block, NULL), FAL_OK);
        }
        fal_operands wide = c.operands;
        wide.w = dense.t;
        test_tensor y = test_apply(&p, TEST_FORWARD, &c.operands), yd = test_apply(&q, TEST_FORWARD, &wide);
        assert_true(test_equal(&yd.t, &y.t, test_problem_text(&p, repro)));
        test_tensor_free(&dense);
        test_tensor_free(&y);
        test_tensor_free(&yd);
        test_case_free(&c);
    }
}

/* Input channels reversed in x and w: nothing changes. Output channels reversed in w: y reversed. */
static void property_32_channel_order(void **state)
{
    (void)state;
    uint64_t seed = 3000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false);
        if (p.params.groups > 1) continue;
        p.has_bias = false;
        int32_t in_axis = p.transposed ? 0 : 1, channels = p.batched ? 1 : 0;
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_operands inputs = c.operands, outputs = c.operands;
        inputs.x = flipped(&c.x.t, channels);
        inputs.w = flipped(&c.w.t, in_axis);
        outputs.w = flipped(&c.w.t, 1 - in_axis);
        test_tensor y = test_apply(&p, TEST_FORWARD, &c.operands), yi = test_apply(&p, TEST_FORWARD, &inputs),
                    yo = test_apply(&p, TEST_FORWARD, &outputs);
        fal_tensor reversed = flipped(&y.t, channels);
        assert_true(test_equal(&yi.t, &y.t, test_problem_text(&p, repro)));
        assert_true(test_same_bits(&yo.t, &reversed, test_problem_text(&p, repro)));
        test_tensor_free(&y);
        test_tensor_free(&yi);
        test_tensor_free(&yo);
        test_case_free(&c);
    }
}

/* A batch is its images one by one, bit for bit, whatever their order. */
static void property_33_batch_is_its_images(void **state)
{
    (void)state;
    uint64_t seed = 4000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, true, false), q = p;
        q.n = 1;
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_INPUT; kind++) {
            fal_operands all = for_kind(kind, c.operands), reversed = all;
            reversed.x = flipped(&all.x, 0);
            reversed.y = flipped(&all.y, 0);
            test_tensor batch = test_apply(&p, kind, &all), back = test_apply(&p, kind, &reversed);
            fal_tensor expected = flipped(&batch.t, 0);
            assert_true(test_same_bits(&back.t, &expected, test_problem_text(&p, repro)));
            for (int64_t n = 0; n < p.n; n++) {
                fal_operands one = all;
                one.x = slice(&all.x, 0, n, n + 1);
                one.y = slice(&all.y, 0, n, n + 1);
                test_tensor image = test_apply(&q, kind, &one);
                expected = slice(&batch.t, 0, n, n + 1);
                assert_true(test_same_bits(&image.t, &expected, test_problem_text(&p, repro)));
                test_tensor_free(&image);
            }
            test_tensor_free(&batch);
            test_tensor_free(&back);
        }
        test_case_free(&c);
    }
}

static void property_37_flip_kernel_is_a_flipped_weight(void **state)
{
    (void)state;
    uint64_t seed = 5000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false), q = p;
        p.params.flip_kernel = true;
        q.params.flip_kernel = false;
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operands read = for_kind(kind, c.operands), turned = read;
            for (int32_t a = 0; a < p.spatial; a++) turned.w = flipped(&turned.w, 2 + a);
            test_tensor by_flag = test_apply(&p, kind, &read), by_view = test_apply(&q, kind, &turned);
            fal_tensor expected = by_view.t;
            if (kind == TEST_GRAD_WEIGHT)
                for (int32_t a = 0; a < p.spatial; a++) expected = flipped(&expected, 2 + a);
            bool same = kind == TEST_FORWARD
                            ? test_same_bits(&by_flag.t, &expected, test_problem_text(&p, repro))
                            : test_equal(&by_flag.t, &expected, test_problem_text(&p, repro));
            assert_true(same);
            test_tensor_free(&by_flag);
            test_tensor_free(&by_view);
        }
        test_case_free(&c);
    }
}

/* Bias and beta in the call = added afterwards. */
static void property_39_bias_and_beta_are_additions(void **state)
{
    (void)state;
    uint64_t seed = 6000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false);
        p.has_bias = true;
        p.params.beta = (double)(i % 5) - 2.5;
        test_case c = test_case_new(&p, TEST_INT, 0);
        fal_operands plain = for_kind(TEST_GRAD_INPUT, c.operands);
        fal_operator op = test_operator(&p, TEST_FORWARD);
        test_result fused = test_result_new(&c, op, seed);
        assert_int_equal(test_call(&alone, op, &fused.operands, &p.params), FAL_OK);
        test_tensor sum = test_apply(&p, TEST_FORWARD, &plain);
        int64_t index[FAL_MAX_RANK] = {0};
        do {
            double expected = fal_tensor_get(&sum.t, index) + p.params.beta * fal_tensor_get(&c.y.t, index) +
                              fal_tensor_get(&c.bias.t, &index[p.batched ? 1 : 0]);
            if (fal_tensor_get(&fused.out.t, index) != expected) fail_msg("%s", test_problem_text(&p, repro));
        } while (test_next(&sum.t, index));
        test_tensor_free(&sum);
        test_result_free(&fused);
        test_case_free(&c);
    }
}

/* The rule of BLAS: with beta 0 the old y is not read. */
static void property_39_beta_zero_ignores_nan(void **state)
{
    (void)state;
    uint64_t seed = 7000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false);
        test_case c = test_case_new(&p, TEST_INT, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result r = test_result_new(&c, op, seed);
            test_fill_tensor(&r.out.t, TEST_NAN, 0);
            assert_int_equal(test_call(&alone, op, &r.operands, &p.params), FAL_OK);
            int64_t index[FAL_MAX_RANK] = {0};
            do
                if (isnan(fal_tensor_get(&r.out.t, index))) fail_msg("%s", test_problem_text(&p, repro));
            while (test_next(&r.out.t, index));
            test_result_free(&r);
        }
        test_case_free(&c);
    }
}

/* One call, plan and packed plan add in the same order: equal bits on real data. */
static void property_40_packed_weights_change_no_bit(void **state)
{
    (void)state;
    uint64_t seed = 8000;
    for (int i = 0; i < SEEDS; i++) {
        char repro[TEST_TEXT];
        test_problem p = next_problem(&seed, false, false);
        test_case c = test_case_new(&p, TEST_REAL, 0);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++) {
            fal_operator op = test_operator(&p, kind);
            test_result call = test_result_new(&c, op, 0), plain = test_result_new(&c, op, seed),
                        packed = test_result_new(&c, op, seed + 1);
            assert_int_equal(test_call(&alone, op, &call.operands, &p.params), FAL_OK);
            assert_int_equal(test_plan(&alone, op, &plain.operands, &p.params, false, 0xA5), FAL_OK);
            assert_int_equal(test_plan(&alone, op, &packed.operands, &p.params, true, 0xFF), FAL_OK);
            assert_true(test_same_bits(&plain.out.t, &call.out.t, test_problem_text(&p, repro)));
            assert_true(test_same_bits(&packed.out.t, &call.out.t, test_problem_text(&p, repro)));
            test_result_free(&call);
            test_result_free(&plain);
            test_result_free(&packed);
        }
        test_case_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_30_channels_last_equals_channels_first),
        cmocka_unit_test(property_31_groups_are_separate_convolutions),
        cmocka_unit_test(property_31_block_diagonal_weights_are_groups),
        cmocka_unit_test(property_32_channel_order),
        cmocka_unit_test(property_33_batch_is_its_images),
        cmocka_unit_test(property_37_flip_kernel_is_a_flipped_weight),
        cmocka_unit_test(property_39_bias_and_beta_are_additions),
        cmocka_unit_test(property_39_beta_zero_ignores_nan),
        cmocka_unit_test(property_40_packed_weights_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
