/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_deform_conv.c: the deformable convolution against its reference.
 *
 * Exact where sums are exact, within 16*sqrt(n)*u*S otherwise, n products whose absolute values sum to S.
 * The same bits with every number of threads; images large enough for several blocks, rows cut into
 * pieces; a failing allocator and a workspace cap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "unit/deform.h"

static test_tensor call(const deform_case *c, const fal_context *given, uint64_t strides)
{
    fal_error error = {0};
    char repro[TEST_TEXT];
    fal_context context = *given;
    context.error = &error;
    context.cpu = (fal_cpu_level)(c->seed / 3 % 4); /* every instruction set, by turns */
    test_tensor y = deform_like(c, DEFORM_Y, strides);
    if (c->params.beta != 0) fal_tensor_copy(&c->operands.y, &y.t, NULL);
    fal_deform_operands o = c->operands;
    o.y = y.t;
    assert_true(
        test_ok(fal_deform_conv(&context, &o, &c->params, c->offset_groups), &error, deform_text(c, repro)));
    assert_true(test_tensor_gaps_intact(&y));
    return y;
}

static test_tensor reference(const deform_case *c, const fal_deform_operands *operands)
{
    test_tensor y = test_tensor_copy(&c->operands.y, operands->x.dtype);
    fal_deform_operands o = *operands;
    o.y = y.t;
    assert_int_equal(fal_deform_conv_reference(&o, &c->params, c->offset_groups, NULL), FAL_OK);
    return y;
}

static void equals_the_reference_exactly(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_F32, FAL_F16, FAL_BF16};
    static const fal_context context = {.threads = 2};
    for (uint64_t seed = 1; seed <= 150; seed++) {
        deform_case c = deform_draw(seed, dtypes[seed % 5]);
        char repro[TEST_TEXT];
        if (seed % 7 == 0) c.params.beta = 3;
        deform_make(&c, seed % 3 == 0 ? OFFSET_WHOLE : OFFSET_QUARTER, seed % 4 == 0 ? 0 : seed);
        test_tensor expected = reference(&c, &c.operands), y = call(&c, &context, seed);
        assert_true(test_equal(&y.t, &expected.t, deform_text(&c, repro)));
        test_tensor_free(&y);
        test_tensor_free(&expected);
        deform_free(&c);
    }
}

/* A float64 copy of the operands: as they are, or with absolute values. */
static deform_case widen(const deform_case *c, bool absolute)
{
    deform_case wide = *c;
    for (int p = 0; p < DEFORM_TENSORS; p++) {
        fal_tensor *t = deform_place(&wide.operands, p);
        if (t->rank == 0) continue;
        wide.memory[p] = test_tensor_copy(t, FAL_F64);
        *t = wide.memory[p].t;
        int64_t index[FAL_MAX_RANK] = {0};
        for (bool more = absolute && p != DEFORM_OFFSET; more; more = test_next(t, index))
            fal_tensor_set(t, index, fabs(fal_tensor_get(t, index)));
    }
    return wide;
}

/* |y - reference| <= 16*sqrt(n)*u*S */
static void check_bound(const deform_case *c, const fal_tensor *y)
{
    char repro[TEST_TEXT];
    deform_case plain = widen(c, false), absolute = widen(c, true);
    test_tensor expected = reference(&plain, &plain.operands),
                sums = reference(&absolute, &absolute.operands);
    const double n = (double)(4 * c->ic / c->params.groups * c->k[0] * c->k[1] + 1);
    const double unit = c->dtype == FAL_F64 ? 0x1p-53 : 0x1p-24;
    const double narrow = c->dtype == FAL_F16 ? 0x1p-11 : c->dtype == FAL_BF16 ? 0x1p-8 : 0;
    const double least = c->dtype == FAL_F16 ? 0x1p-25 : 0; /* half of f16's least step */
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(y, index)) {
        const double e = fal_tensor_get(&expected.t, index), a = fal_tensor_get(y, index);
        const double bound =
            16 * sqrt(n) * unit * fal_tensor_get(&sums.t, index) + 2 * narrow * fabs(e) + least;
        if (!(fabs(a - e) <= bound))
            fail_msg("%s\n  %.17g, expected %.17g within %.3g", deform_text(c, repro), a, e, bound);
    }
    test_tensor_free(&expected);
    test_tensor_free(&sums);
    deform_free(&plain);
    deform_free(&absolute);
}

static void stays_within_the_bound(void **state)
{
    (void)state;
    static const fal_dtype dtypes[] = {FAL_F32, FAL_F64, FAL_F32, FAL_F16, FAL_BF16};
    static const fal_context context = {.threads = 3};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        deform_case c = deform_draw(seed, dtypes[seed % 5]);
        deform_make(&c, OFFSET_REAL, seed);
        test_tensor y = call(&c, &context, seed);
        check_bound(&c, &y.t);
        test_tensor_free(&y);
        deform_free(&c);
    }
}

/* A case whose columns fill several blocks: whole rows, or pieces of a row. */
static deform_case large(int64_t height, int64_t width, int64_t channels, uint64_t seed)
{
    deform_case c = {.seed = seed, .dtype = FAL_F32, .batched = true, .masked = true, .biased = true};
    c.n = 2, c.ic = channels, c.oc = 5, c.offset_groups = 2;
    c.in[0] = height, c.in[1] = width;
    c.params.groups = 1;
    c.params.layout = seed % 2 ? FAL_NHWC : FAL_NCHW;
    for (int a = 0; a < 2; a++) {
        c.k[a] = 3;
        c.params.stride[a] = c.params.dilation[a] = 1;
        c.params.padding_begin[a] = c.params.padding_end[a] = 1;
    }
    deform_count_outputs(&c);
    deform_make(&c, seed % 4 < 2 ? OFFSET_QUARTER : OFFSET_REAL, 0);
    return c;
}

static void blocks_do_not_show(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{13, 31, 64}, {3, 400, 50}, {2, 40, 1500}, {17, 17, 40}};
    for (uint64_t i = 0; i < 4; i++) {
        deform_case c = large(sizes[i][0], sizes[i][1], sizes[i][2], i);
        const fal_context alone = {.threads = 1};
        test_tensor y = call(&c, &alone, 0);
        if (i < 2) {
            test_tensor expected = reference(&c, &c.operands);
            assert_true(test_equal(&y.t, &expected.t, "blocks"));
            test_tensor_free(&expected);
        } else {
            check_bound(&c, &y.t);
        }
        for (int32_t threads = 2; threads <= 9; threads += 3) {
            test_runs runs = {0};
            const fal_context context = {.threads = threads, .executor = test_executor_reversed(&runs)};
            test_tensor again = call(&c, &context, 0);
            assert_true(runs.most > 1 && runs.most <= threads);
            assert_true(test_same_bits(&again.t, &y.t, "threads"));
            test_tensor_free(&again);
        }
        test_tensor_free(&y);
        deform_free(&c);
    }
}

static void without_offsets_it_is_the_convolution(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 260; seed++) {
        deform_case c = deform_draw(seed, seed % 2 ? FAL_F32 : FAL_F64);
        char repro[TEST_TEXT];
        deform_make(&c, OFFSET_ZERO, seed);
        if (c.masked) fal_tensor_fill(&c.operands.mask, 1, NULL);
        const fal_tensor *bias = c.biased ? &c.operands.bias : NULL;
        test_tensor y = call(&c, &(fal_context){0}, 0), plain = deform_like(&c, DEFORM_Y, 0);
        assert_int_equal(fal_conv(NULL, &c.operands.x, &c.operands.w, bias, &c.params, &plain.t), FAL_OK);
        assert_true(test_equal(&y.t, &plain.t, deform_text(&c, repro)));
        test_tensor_free(&y);
        test_tensor_free(&plain);
        deform_free(&c);
    }
}

static void empty_batches_are_fine(void **state)
{
    (void)state;
    deform_case c = large(4, 4, 4, 0);
    fal_deform_operands o = c.operands;
    o.x.shape[0] = o.offset.shape[0] = o.mask.shape[0] = o.y.shape[0] = 0;
    assert_int_equal(fal_deform_conv(NULL, &o, &c.params, c.offset_groups), FAL_OK);
    deform_free(&c);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        deform_case c = deform_draw(3, half ? FAL_F16 : FAL_F32);
        deform_make(&c, OFFSET_QUARTER, 3);
        fal_status status = FAL_E_NOMEM;
        int64_t calls = 1;
        for (; status != FAL_OK; calls++) {
            test_memory memory = {.fail_from = calls};
            fal_error error = {0};
            const fal_context context = {.allocator = test_allocator(&memory), .threads = 1, .error = &error};
            const uint64_t before = test_tensor_hash(&c.memory[DEFORM_Y]);
            status = fal_deform_conv(&context, &c.operands, &c.params, c.offset_groups);
            assert_true(status == FAL_OK || status == FAL_E_NOMEM);
            assert_int_equal(memory.live, 0);
            assert_false(memory.broken);
            if (status != FAL_OK) assert_true(test_tensor_hash(&c.memory[DEFORM_Y]) == before);
        }
        assert_true(calls > 3);
        deform_free(&c);
    }
}

static void a_cap_is_kept_or_refused(void **state)
{
    (void)state;
    deform_case c = large(13, 31, 64, 0);
    const fal_context alone = {.threads = 1};
    test_tensor expected = call(&c, &alone, 0);
    fal_error error = {0};
    fal_context context = {.threads = 4, .workspace_cap_bytes = 4 << 20};
    test_tensor y = call(&c, &context, 0);
    assert_true(test_same_bits(&y.t, &expected.t, "cap"));
    context.error = &error;
    context.workspace_cap_bytes = 1000;
    assert_int_equal(fal_deform_conv(&context, &c.operands, &c.params, c.offset_groups), FAL_E_WORKSPACE);
    assert_string_equal(error.field, "workspace_cap_bytes");
    test_tensor_free(&y);
    test_tensor_free(&expected);
    deform_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference_exactly),
        cmocka_unit_test(stays_within_the_bound),
        cmocka_unit_test(blocks_do_not_show),
        cmocka_unit_test(without_offsets_it_is_the_convolution),
        cmocka_unit_test(empty_batches_are_fine),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_cap_is_kept_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
