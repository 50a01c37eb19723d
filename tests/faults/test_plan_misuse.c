/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_plan_misuse.c: plans, packed weights and workspaces that do not belong together, gradients
 * whose outputs overlap, and integer results that do not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

/* A plan with everything it needs to run. */
typedef struct bench {
    test_tensor x, w, y;
    fal_operands operands;
    fal_plan *plan;
    fal_plan_info info;
    test_guard packed, workspace;
    uint64_t canary; /* hash of y before */
} bench;

static bench bench_new(const fal_conv_params *params)
{
    bench b = {.x = test_made(FAL_F32, 4, SHAPE(2, 3, 9, 9), TEST_INT, 1),
               .w = test_made(FAL_F32, 4, SHAPE(5, 3, 3, 3), TEST_INT, 2)};
    fal_tensor y;
    assert_int_equal(fal_conv_output_shape(false, &b.x.t, &b.w.t, params, &y, NULL), FAL_OK);
    b.y = test_tensor_new(FAL_F32, y.rank, y.shape, 0);
    b.operands = (fal_operands){.x = b.x.t, .w = b.w.t, .y = b.y.t};
    assert_int_equal(fal_plan_create(NULL, FAL_OP_CONV, &b.operands, params, &b.plan), FAL_OK);
    assert_int_equal(fal_plan_describe(b.plan, &b.info), FAL_OK);
    b.packed = test_guard_new(b.info.packed_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_START);
    b.workspace = test_guard_new(b.info.workspace_bytes + 64, FAL_WORKSPACE_ALIGNMENT, TEST_AT_START);
    assert_int_equal(fal_plan_pack_weights(b.plan, &b.w.t, b.packed.data, NULL), FAL_OK);
    b.canary = test_tensor_hash(&b.y);
    return b;
}

static void bench_free(bench *b)
{
    fal_plan_destroy(b->plan);
    test_guard_free(&b->packed);
    test_guard_free(&b->workspace);
    test_tensor *all[] = {&b->x, &b->w, &b->y};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

/* Executes and requires a refusal that names its status and leaves y as it was. */
static void refused(const bench *b, const fal_operands *operands, const void *packed, void *workspace,
                    size_t bytes, fal_status expected)
{
    fal_error error = {0};
    fal_status status = fal_plan_execute(b->plan, operands, packed, workspace, bytes, &error);
    assert_int_equal(status, expected);
    assert_int_equal(error.status, expected);
    assert_true(error.found[0] != 0 && error.field[0] != 0);
    assert_true(test_tensor_hash(&b->y) == b->canary);
}

static void workspaces_are_checked(void **state)
{
    (void)state;
    bench b = bench_new(NULL);
    size_t plain = b.info.workspace_bytes, with = b.info.workspace_packed_bytes;
    assert_true(plain > 0 && with > 0 && with <= plain);
    refused(&b, &b.operands, NULL, NULL, plain, FAL_E_WORKSPACE);
    refused(&b, &b.operands, NULL, b.workspace.data, plain - 1, FAL_E_WORKSPACE);
    refused(&b, &b.operands, NULL, b.workspace.data, 0, FAL_E_WORKSPACE);
    refused(&b, &b.operands, b.packed.data, b.workspace.data, with - 1, FAL_E_WORKSPACE);
    refused(&b, &b.operands, NULL, b.workspace.data + 4, plain, FAL_E_ALIGN);
    assert_int_equal(fal_plan_execute(b.plan, &b.operands, b.packed.data, b.workspace.data, with, NULL),
                     FAL_OK);
    bench_free(&b);
}

static void operands_must_be_those_of_the_plan(void **state)
{
    (void)state;
    bench b = bench_new(NULL);
    size_t bytes = b.workspace.bytes;
    fal_operands other = b.operands;
    other.x.shape[0] = other.y.shape[0] = 1;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_SHAPE);
    other = b.operands;
    other.x.strides[3] = 2;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_LAYOUT);
    other = b.operands;
    other.y.data = b.x.t.data;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_ALIAS);
    other = b.operands;
    other.y.flags = FAL_READ_ONLY;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_LAYOUT);
    other = b.operands;
    other.w.data = NULL;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_NULL);
    other = b.operands;
    other.x.data = (char *)b.x.t.data + 2;
    refused(&b, &other, NULL, b.workspace.data, bytes, FAL_E_ALIGN);
    other = b.operands;
    other.bias = FAL_TENSOR(b.w.t.data, FAL_F32, 5);
    fal_status status = fal_plan_execute(b.plan, &other, NULL, b.workspace.data, bytes, NULL);
    assert_true(status == FAL_E_SHAPE || status == FAL_E_VALUE);
    assert_int_equal(fal_plan_execute(NULL, &b.operands, NULL, NULL, 0, NULL), FAL_E_NULL);
    assert_int_equal(fal_plan_execute(b.plan, NULL, NULL, NULL, 0, NULL), FAL_E_NULL);
    assert_int_equal(fal_plan_describe(NULL, &b.info), FAL_E_NULL);
    assert_int_equal(fal_plan_describe(b.plan, NULL), FAL_E_NULL);
    assert_true(test_tensor_hash(&b.y) == b.canary);
    bench_free(&b);
}

static void packed_weights_must_be_those_of_the_plan(void **state)
{
    (void)state;
    bench b = bench_new(NULL);
    /* A plan whose weights have another shape and as many bytes or more. */
    test_tensor w = test_made(FAL_F32, 4, SHAPE(5, 3, 1, 1), TEST_INT, 1),
                y = test_tensor_new(FAL_F32, 4, SHAPE(2, 5, 9, 9), 0);
    fal_operands operands = {.x = b.x.t, .w = w.t, .y = y.t};
    fal_plan *plan;
    fal_plan_info info;
    assert_int_equal(fal_plan_create(NULL, FAL_OP_CONV, &operands, NULL, &plan), FAL_OK);
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    size_t most = info.packed_bytes > b.info.packed_bytes ? info.packed_bytes : b.info.packed_bytes;
    test_guard foreign = test_guard_new(most, FAL_WORKSPACE_ALIGNMENT, TEST_AT_START);
    assert_int_equal(fal_plan_pack_weights(plan, &w.t, foreign.data, NULL), FAL_OK);
    refused(&b, &b.operands, foreign.data, b.workspace.data, b.workspace.bytes, FAL_E_HANDLE);
    memset(foreign.data, 0, most);
    refused(&b, &b.operands, foreign.data, b.workspace.data, b.workspace.bytes, FAL_E_HANDLE);
    refused(&b, &b.operands, b.packed.data + 8, b.workspace.data, b.workspace.bytes, FAL_E_ALIGN);
    assert_int_equal(fal_plan_pack_weights(b.plan, &w.t, b.packed.data, NULL), FAL_E_SHAPE);
    assert_int_equal(fal_plan_pack_weights(b.plan, NULL, b.packed.data, NULL), FAL_E_NULL);
    assert_int_equal(fal_plan_pack_weights(NULL, &b.w.t, b.packed.data, NULL), FAL_E_NULL);
    assert_int_equal(fal_plan_pack_weights(b.plan, &b.w.t, NULL, NULL), FAL_E_WORKSPACE);
    fal_plan_destroy(plan);
    test_guard_free(&foreign);
    test_tensor_free(&w);
    test_tensor_free(&y);
    bench_free(&b);
}

/* The same shapes, but the weights walked the other way: their packed order differs. */
static void packed_weights_know_the_flip(void **state)
{
    (void)state;
    const fal_conv_params flipped = {.flip_kernel = true};
    bench plain = bench_new(NULL), other = bench_new(&flipped);
    assert_int_equal(plain.info.packed_bytes, other.info.packed_bytes);
    refused(&plain, &plain.operands, other.packed.data, plain.workspace.data, plain.workspace.bytes,
            FAL_E_HANDLE);
    refused(&other, &other.operands, plain.packed.data, other.workspace.data, other.workspace.bytes,
            FAL_E_HANDLE);
    bench_free(&plain);
    bench_free(&other);
}

static void plan_creation_is_checked(void **state)
{
    (void)state;
    bench b = bench_new(NULL);
    fal_plan *plan = b.plan;
    assert_int_equal(fal_plan_create(NULL, FAL_OP_CONV, &b.operands, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_plan_create(NULL, FAL_OP_CONV, NULL, NULL, &plan), FAL_E_NULL);
    assert_null(plan);
    assert_int_equal(fal_plan_create(NULL, (fal_operator)99, &b.operands, NULL, &plan), FAL_E_VALUE);
    assert_int_equal(fal_plan_create(NULL, (fal_operator)-1, &b.operands, NULL, &plan), FAL_E_VALUE);
    assert_null(plan);
    bench_free(&b);
}

/* Outputs that share memory with an operand or with each other, of each gradient function. */
static void gradients_must_not_overlap(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 2, 6, 6), TEST_INT, 1),
                w = test_made(FAL_F32, 4, SHAPE(2, 2, 3, 3), TEST_INT, 2),
                gy = test_made(FAL_F32, 4, SHAPE(1, 2, 4, 4), TEST_INT, 3),
                gx = test_made(FAL_F32, 4, x.t.shape, TEST_ZERO, 0),
                gw = test_made(FAL_F32, 4, w.t.shape, TEST_ZERO, 0),
                gb = test_made(FAL_F32, 1, SHAPE(2), TEST_ZERO, 0);
    fal_tensor gw_in_gx = gw.t, gb_in_gx = gb.t, gb_in_gw = gb.t, gw_in_x = gw.t, gb_in_gy = gb.t;
    gw_in_gx.data = (float *)gx.t.data + 10;
    gb_in_gx.data = (float *)gx.t.data + 70;
    gb_in_gw.data = (float *)gw.t.data + 35 - 1;
    gw_in_x.data = x.t.data;
    gb_in_gy.data = gy.t.data;
    const struct {
        const fal_tensor *gx, *gw, *gb;
        const char *name;
    } bad[] = {
        {&x.t, &gw.t, &gb.t, "gx is x"},       {&gx.t, &w.t, &gb.t, "gw is w"},
        {&gx.t, &gw_in_gx, NULL, "gw in gx"},  {&gx.t, NULL, &gb_in_gx, "gb in gx"},
        {&gx.t, &gw.t, &gb_in_gw, "gb in gw"}, {&gx.t, &gw_in_x, NULL, "gw in x"},
        {&gx.t, &gw.t, &gb_in_gy, "gb in gy"},
    };
    uint64_t before[] = {test_tensor_hash(&x), test_tensor_hash(&w), test_tensor_hash(&gx),
                         test_tensor_hash(&gw)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fal_status status = fal_conv_grad(NULL, &x.t, &w.t, &gy.t, NULL, bad[i].gx, bad[i].gw, bad[i].gb);
        uint64_t after[] = {test_tensor_hash(&x), test_tensor_hash(&w), test_tensor_hash(&gx),
                            test_tensor_hash(&gw)};
        bool written = memcmp(before, after, sizeof before) != 0;
        if (status != FAL_E_ALIAS || written)
            fail_msg("%s: %s%s", bad[i].name, fal_status_name(status),
                     written ? ", and something was written" : "");
    }
    test_tensor *all[] = {&x, &w, &gy, &gx, &gw, &gb};
    for (int i = 0; i < 6; i++) test_tensor_free(all[i]);
}

/* A mistake in one gradient refuses the call before another gradient is written. */
static void gradients_are_checked_before_any_is_written(void **state)
{
    (void)state;
    test_tensor x = test_made(FAL_F32, 4, SHAPE(1, 2, 6, 6), TEST_INT, 1),
                w = test_made(FAL_F32, 4, SHAPE(2, 2, 3, 3), TEST_INT, 2),
                gy = test_made(FAL_F32, 4, SHAPE(1, 2, 4, 4), TEST_INT, 3),
                gx = test_made(FAL_F32, 4, x.t.shape, TEST_ZERO, 0),
                gw = test_made(FAL_F32, 4, w.t.shape, TEST_ZERO, 0),
                gb = test_made(FAL_F32, 1, SHAPE(2), TEST_ZERO, 0);
    fal_tensor short_gw = gw.t, long_gb = gb.t, gb_no_data = gb.t, x_no_data = x.t, other_gx = gx.t;
    short_gw.shape[0] = 1;
    long_gb.shape[0] = 3;
    gb_no_data.data = NULL;
    x_no_data.data = NULL;
    other_gx.shape[2] = 5;
    const struct {
        const fal_tensor *x, *gx, *gw, *gb;
        fal_status status;
        const char *name;
    } bad[] = {
        {&x.t, &gx.t, &short_gw, NULL, FAL_E_SHAPE, "gw of another shape"},
        {&x.t, &gx.t, &gw.t, &long_gb, FAL_E_SHAPE, "gb of another length"},
        {&x.t, &gx.t, NULL, &long_gb, FAL_E_SHAPE, "gb alone of another length"},
        {&x.t, &gx.t, NULL, &gb_no_data, FAL_E_NULL, "gb alone without data"},
        {&x_no_data, &gx.t, &gw.t, NULL, FAL_E_NULL, "x without data"},
        {&x.t, &other_gx, &gw.t, NULL, FAL_E_SHAPE, "gx of another shape"},
    };
    uint64_t before[] = {test_tensor_hash(&gx), test_tensor_hash(&gw), test_tensor_hash(&gb)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fal_status status = fal_conv_grad(NULL, bad[i].x, &w.t, &gy.t, NULL, bad[i].gx, bad[i].gw, bad[i].gb);
        uint64_t after[] = {test_tensor_hash(&gx), test_tensor_hash(&gw), test_tensor_hash(&gb)};
        bool written = memcmp(before, after, sizeof before) != 0;
        if (status != bad[i].status || written)
            fail_msg("%s: %s%s", bad[i].name, fal_status_name(status),
                     written ? ", and something was written" : "");
    }
    assert_int_equal(fal_conv_grad(NULL, &x.t, &w.t, &gy.t, NULL, NULL, NULL, NULL),
                     FAL_OK); /* nothing wanted */
    test_tensor *all[] = {&x, &w, &gy, &gx, &gw, &gb};
    for (int i = 0; i < 6; i++) test_tensor_free(all[i]);
}

/* 9 products of 100*100 fit i32 and i64, not i8 or i16. */
static void integer_results_that_do_not_fit(void **state)
{
    (void)state;
    test_tensor x = test_tensor_new(FAL_I8, 4, SHAPE(1, 1, 5, 5), 0),
                w = test_tensor_new(FAL_I8, 4, SHAPE(1, 1, 3, 3), 0);
    fal_tensor_fill(&x.t, 100, NULL);
    fal_tensor_fill(&w.t, 100, NULL);
    static const fal_dtype dtypes[] = {FAL_I8, FAL_U8, FAL_I16, FAL_I32, FAL_I64};
    for (int i = 0; i < 5; i++) {
        test_tensor y = test_tensor_new(dtypes[i], 4, SHAPE(1, 1, 3, 3), 0);
        fal_error error = {0};
        fal_context context = {.error = &error};
        fal_operands operands = {.x = x.t, .w = w.t, .y = y.t};
        bool fits = dtypes[i] == FAL_I32 || dtypes[i] == FAL_I64;
        assert_int_equal(fal_conv(&context, &x.t, &w.t, NULL, NULL, &y.t), fits ? FAL_OK : FAL_E_OVERFLOW);
        assert_int_equal(error.status, fits ? FAL_OK : FAL_E_OVERFLOW);
        assert_int_equal(fal_reference(FAL_OP_CONV, &operands, NULL, NULL), fits ? FAL_OK : FAL_E_OVERFLOW);
        if (fits) assert_int_equal(fal_tensor_get_int(&y.t, SHAPE(0, 0, 1, 1)), 90000);
        test_tensor_free(&y);
    }
    fal_conv_params half = {.beta = 0.5};
    test_tensor y = test_made(FAL_I32, 4, SHAPE(1, 1, 3, 3), TEST_ZERO, 0);
    assert_int_equal(fal_conv(NULL, &x.t, &w.t, NULL, &half, &y.t), FAL_E_VALUE);
    test_tensor *all[] = {&x, &w, &y};
    for (int i = 0; i < 3; i++) test_tensor_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workspaces_are_checked),
        cmocka_unit_test(operands_must_be_those_of_the_plan),
        cmocka_unit_test(packed_weights_must_be_those_of_the_plan),
        cmocka_unit_test(packed_weights_know_the_flip),
        cmocka_unit_test(plan_creation_is_checked),
        cmocka_unit_test(gradients_must_not_overlap),
        cmocka_unit_test(gradients_are_checked_before_any_is_written),
        cmocka_unit_test(integer_results_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
