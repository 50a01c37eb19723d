/* SPDX-License-Identifier: BSD-3-Clause */
/* test_api.c: the rows of table api in rows.inc. Most spoil one thing in the convolution of calls.h. */
#define ROW_api REFUSALS_ROW
#include "refusals/calls.h"
#include "refusals/rows.h"

#include <math.h>
#include <stdlib.h>

#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

/* ---- pointers ------------------------------------------------------------------------------------ */

static void A01(void)
{
    fal_plan *plan;
    start();
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, NULL, &p, &plan), FAL_E_NULL);
    said(FAL_E_NULL, "operands is NULL");
    assert_null(plan);
}

static void A02(void)
{
    start();
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &o, &p, NULL), FAL_E_NULL);
    said(FAL_E_NULL, "plan is NULL");
}

static void A03(void)
{
    start();
    o.x.data = NULL;
    refuse(FAL_E_NULL, "x has no data");
}

static void A04(void)
{
    start();
    o.w.data = NULL;
    refuse(FAL_E_NULL, "w has no data");
}

static void A05(void)
{
    start();
    o.y.data = NULL;
    refuse(FAL_E_NULL, "y has no data");
}

static void A06(void)
{
    start();
    o.bias.data = NULL;
    refuse(FAL_E_NULL, "bias has no data");
}

static void A07(void)
{
    fal_plan_info info;
    test_guard workspace;
    start();
    const fal_tensor bias = o.bias;
    o.bias = (fal_tensor){0};
    fal_plan *plan = plan_for(&info, &workspace);
    o.bias = bias;
    refuse_execute(plan, workspace.data, info.workspace_bytes, FAL_E_VALUE,
                   "bias is given, the plan was made without one");
    fal_plan_destroy(plan);
    test_guard_free(&workspace);
    plan = plan_for(&info, &workspace);
    o.bias = (fal_tensor){0};
    refuse_execute(plan, workspace.data, info.workspace_bytes, FAL_E_NULL,
                   "bias is not given, the plan was made with one");
    fal_plan_destroy(plan);
    test_guard_free(&workspace);
}

static void A08(void)
{
    start();
    o.x.shape[0] = o.y.shape[0] = 0;
    o.x.data = o.y.data = NULL;
    accept();
    assert_int_equal(error.status, FAL_OK);
}

static void A12(void)
{
    fal_plan_info info;
    test_guard workspace;
    start();
    fal_plan *plan = plan_for(&info, &workspace);
    test_guard packed = test_guard_new(info.packed_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
    assert_int_equal(fal_plan_execute(plan, &o, packed.data, workspace.data, info.workspace_bytes, &error),
                     FAL_E_HANDLE);
    said(FAL_E_HANDLE, "packed weights belong to another plan");
    assert_true(y_untouched());
    fal_plan_destroy(plan);
    test_guard_free(&packed);
    test_guard_free(&workspace);
}

static void A14(void)
{
    fal_plan_destroy(NULL);
}

/* ---- sizes --------------------------------------------------------------------------------------- */

static void A16(void)
{
    start();
    o.w.rank = 2;
    refuse(FAL_E_RANK, "w has 2 axes; must be 3..5");
}

static void A17(void)
{
    start();
    o.x = FAL_TENSOR(x_memory, FAL_F32, 1, 6, 1, 1, 9, 9);
    o.w = FAL_TENSOR(w_memory, FAL_F32, 8, 3, 1, 1, 3, 3);
    refuse(FAL_E_RANK, "w has 6 axes; must be 3..5");
    o.x.rank = 13;
    refuse(FAL_E_RANK, "13");
}

static void A18(void)
{
    start();
    o.x.shape[0] = -1;
    refuse(FAL_E_DIM, "-1");
}

/* A sum over nothing is 0, so the bias remains. */
static void A19(void)
{
    start();
    p.groups = 1;
    o.x.shape[1] = o.w.shape[1] = 0;
    accept_bias_only();
}

static void A20(void)
{
    start();
    o.w.shape[0] = 0;
    refuse(FAL_E_DIM, "0 output channels; must be at least 1");
}

static void A21(void)
{
    start();
    p.padding_begin[0] = p.padding_end[0] = 3;
    o.x.shape[2] = 0;
    o.y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 4, 9);
    accept_bias_only();
}

static void A22(void)
{
    start();
    o.w.shape[3] = 0;
    refuse(FAL_E_KERNEL, "kernel[1] is 0; must be at least 1");
}

/* ---- stride, dilation, padding ------------------------------------------------------------------- */

/* In a parameter struct 0 is "not given" and means 1; where a stride must be given it is refused. */
static void A23(void)
{
    start();
    accept();
    fal_tensor view;
    assert_int_equal(fal_tensor_windows(&o.x, 2, 2, SHAPE(3, 3), SHAPE(1, 0), NULL, &view, &error),
                     FAL_E_STRIDE);
    said(FAL_E_STRIDE, "stride[1] is 0");
}

static void A24(void)
{
    start();
    p.stride[0] = -1;
    refuse(FAL_E_STRIDE, "stride[0] is -1; must be at least 1");
}

static void A25(void)
{
    start();
    accept();
    fal_tensor view;
    assert_int_equal(fal_tensor_windows(&o.x, 2, 2, SHAPE(3, 3), NULL, SHAPE(0, 1), &view, &error),
                     FAL_E_DILATION);
    said(FAL_E_DILATION, "dilation[0] is 0");
}

static void A26(void)
{
    start();
    p.dilation[1] = -1;
    refuse(FAL_E_DILATION, "dilation[1] is -1; must be at least 1");
}

/* Negative padding crops. */
static void A27(void)
{
    start();
    p.padding_begin[1] = -1;
    o.y.shape[3] = 7;
    o.y = fal_tensor_of(y_memory, FAL_F32, 4, o.y.shape);
    accept();
}

static void A28(void)
{
    start();
    p.padding_begin[0] = 14;
    o.x.shape[2] = 0;
    p.padding_end[0] = -9;
    o.y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 3, 9);
    accept_bias_only();
}

static void A29(void)
{
    start();
    p.padding_begin[0] = INT64_MAX;
    refuse(FAL_E_OVERFLOW, "padding 9223372036854775807 and 1 overflows");
}

/* The arithmetic knows no limit below 64 bits; a y of such a size is not what was given. */
static void A30(void)
{
    start();
    p.padding_begin[0] = INT64_C(1) << 55;
    refuse(FAL_E_OVERFLOW, "the size of y (1,8,36028797018963976,9) overflows 64 bits");
    p.padding_begin[0] = INT64_C(1) << 50;
    refuse(FAL_E_SHAPE, "1125899906842632");
}

static void A31(void)
{
    start();
    p.stride[0] = p.stride[1] = INT64_MAX;
    o.y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 1, 1);
    accept();
}

static void A32(void)
{
    start();
    p.dilation[0] = INT64_C(1) << 62;
    refuse(FAL_E_OVERFLOW, "kernel 3 with dilation 4611686018427387904 overflows");
}

static void A33(void)
{
    start();
    p.dilation[0] = 6;
    refuse(FAL_E_KERNEL, "axis 0: kernel 3 with dilation 6 spans 13, padded input is 11");
}

/* ---- groups and shapes --------------------------------------------------------------------------- */

static void A34(void)
{
    start();
    p.groups = 0;
    o.w = FAL_TENSOR(w_memory, FAL_F32, 8, 6, 3, 3);
    accept();
    fal_tensor view;
    assert_int_equal(fal_tensor_shuffle(&o.x, 1, 0, &view, &error), FAL_E_GROUPS);
    said(FAL_E_GROUPS, "0");
}

static void A35(void)
{
    start();
    p.groups = -2;
    refuse(FAL_E_GROUPS, "groups is -2; must be at least 1");
}

static void A36(void)
{
    start();
    p.groups = 4;
    refuse(FAL_E_GROUPS, "input has 6 channels, not divisible by groups 4");
}

static void A37(void)
{
    start();
    p.groups = 3;
    refuse(FAL_E_GROUPS, "weight has 8 output channels, not divisible by groups 3");
}

static void A38(void)
{
    start();
    p.groups = 8;
    refuse(FAL_E_GROUPS, "input has 6 channels, not divisible by groups 8");
}

static void A39(void)
{
    start();
    o.w.shape[1] = 4;
    refuse(FAL_E_SHAPE, "input has 6 channels, weight expects 8 (groups 2 x 4)");
}

static void A40(void)
{
    start();
    o.bias.shape[0] = 7;
    refuse(FAL_E_SHAPE, "7");
}

static void A41(void)
{
    start();
    o.y.shape[2] = o.y.shape[3] = 8;
    refuse(FAL_E_SHAPE, "(1,8,8,8)");
    said(FAL_E_SHAPE, "(1,8,9,9)");
}

static void A42(void)
{
    fal_plan_info info;
    test_guard workspace;
    start();
    fal_plan *plan = plan_for(&info, &workspace);
    o.x.shape[0] = o.y.shape[0] = 4;
    refuse_execute(plan, workspace.data, info.workspace_bytes, FAL_E_SHAPE,
                   "x has size 4 on axis 0, the plan was made for 1");
    fal_plan_destroy(plan);
    test_guard_free(&workspace);
}

/* ---- types and algorithms ------------------------------------------------------------------------ */

static void A43(void)
{
    start();
    o.w.dtype = FAL_F64;
    refuse(FAL_E_DTYPE, "x is f32, w is f64; types must be equal");
}

static void A44(void)
{
    start();
    o.x.dtype = (fal_dtype)999;
    refuse(FAL_E_DTYPE, "999");
}

static void A45(void)
{
    start();
    p.layout = (fal_layout)-1;
    refuse(FAL_E_VALUE, "layout is -1; must be one of fal_layout, 0..1");
}

static void A46(void)
{
    fal_plan *plan;
    start();
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV_GRAD_WEIGHT, &o, &p, &plan), FAL_OK);
    assert_int_equal(fal_plan_pack_weights(plan, &o.w, y_memory, &error), FAL_E_UNSUPPORTED);
    said(FAL_E_UNSUPPORTED, "a weight gradient has no weights to pack");
    assert_true(y_untouched());
    fal_plan_destroy(plan);
}

static void A47(void)
{
    start();
    p.algorithm = "winograd";
    p.stride[0] = p.stride[1] = 2;
    o.y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 5, 5);
    refuse_call(FAL_E_UNSUPPORTED, "winograd");
}

static void A48(void)
{
    start();
    p.algorithm = "winograd";
    o.w = FAL_TENSOR(w_memory, FAL_F32, 8, 3, 5, 5);
    o.y = FAL_TENSOR(y_memory, FAL_F32, 1, 8, 7, 7);
    refuse_call(FAL_E_UNSUPPORTED, "winograd");
}

/* ---- overflow and limits ------------------------------------------------------------------------- */

static void A49(void)
{
    start();
    o.x.shape[2] = o.x.shape[3] = INT64_C(1) << 32;
    refuse(FAL_E_OVERFLOW, "x");
}

static void A50(void)
{
    start();
    o.x.shape[1] = 1;
    o.x.shape[2] = 1;
    o.x.shape[3] = INT64_C(1) << 61;
    refuse(FAL_E_OVERFLOW, "x");
}

static void A51(void)
{
    start();
    context.workspace_cap_bytes = 1;
    refuse_call(FAL_E_WORKSPACE, "the cap is 1");
}

/* Unfolded it would be (2^31)^2 numbers; no column buffer is ever made. */
static void A52(void)
{
    start();
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 1, INT64_C(1) << 32),
               w = FAL_TENSOR(NULL, FAL_F32, 1, 1, INT64_C(1) << 31);
    fal_tensor y;
    fal_plan *plan;
    fal_plan_info info;
    assert_int_equal(fal_conv_output_shape(false, &x, &w, NULL, &y, &error), FAL_OK);
    fal_operands operands = {.x = x, .w = w, .y = y};
    assert_int_equal(fal_plan_create(&context, FAL_OP_CONV, &operands, NULL, &plan), FAL_OK);
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    assert_true(info.workspace_bytes < (size_t)1 << 36);
    fal_plan_destroy(plan);
}

/* ---- memory -------------------------------------------------------------------------------------- */

static void A54(void)
{
    start();
    o.y.strides[2] = 0;
    refuse(FAL_E_LAYOUT, "axis 2 (size 9, stride 0)");
}

/* Backwards views are read and written like any other. */
static void A55(void)
{
    start();
    assert_int_equal(fal_tensor_flip(&o.x, 3, &o.x, &error), FAL_OK);
    assert_int_equal(fal_tensor_flip(&o.y, 3, &o.y, &error), FAL_OK);
    assert_true(o.x.strides[3] == -1);
    accept();
}

static void A56(void)
{
    start();
    o.y.strides[2] = 1;
    refuse(FAL_E_LAYOUT, "elements of y overlap");
}

static void A57(void)
{
    start();
    o.x.strides[2] = INT64_MAX / 4;
    refuse(FAL_E_OVERFLOW, "x");
}

static void A58(void)
{
    start();
    o.x.strides[0] = INT64_MIN;
    o.y.strides[0] = 0;
    accept();
}

static void A59(void)
{
    start();
    o.x.data = y_memory;
    refuse(FAL_E_ALIAS, "y shares memory with x");
}

static void A60(void)
{
    start();
    o.x.data = y_memory;
    o.y.data = y_memory + X_COUNT - 1;
    refuse(FAL_E_ALIAS, "y shares memory with x");
}

static void A61(void)
{
    fal_plan_info info;
    test_guard workspace;
    start();
    o.w.data = y_memory + 8;
    refuse(FAL_E_ALIAS, "y shares memory with w");
    start();
    o.bias.data = y_memory + 17;
    refuse(FAL_E_ALIAS, "y shares memory with bias");
    start();
    fal_plan *plan = plan_for(&info, &workspace);
    memset(workspace.data, 0, workspace.bytes);
    o.x.data = workspace.data + (info.workspace_bytes - 4) / 4 * 4;
    refuse_execute(plan, workspace.data, info.workspace_bytes, FAL_E_ALIAS, "workspace shares memory with x");
    start();
    o.y.data = workspace.data;
    refuse_execute(plan, workspace.data, info.workspace_bytes, FAL_E_ALIAS, "workspace shares memory with y");
    fal_plan_destroy(plan);
    test_guard_free(&workspace);
}

static void A62(void)
{
    start();
    o.w.data = x_memory;
    accept();
}

static void A63(void)
{
    start();
    o.x.data = (char *)x_memory + 1;
    refuse(FAL_E_ALIGN, "the data of x (f32) lies 1 bytes past an aligned address; must be a multiple of 4");
}

static void A64(void)
{
    static float first[ROOM], shifted[ROOM];
    start();
    accept();
    memcpy(first, y_memory, sizeof first);
    memcpy(shifted + 1, x_memory, (ROOM - 1) * sizeof *shifted);
    o.x.data = shifted + 1;
    o.y.data = y_memory + 3;
    assert_int_equal(fal_conv(&context, &o.x, &o.w, &o.bias, &p, &o.y), FAL_OK);
    assert_memory_equal(first, y_memory + 3, (size_t)fal_tensor_count(&o.y) * sizeof *first);
}

static void A65(void)
{
    const fal_axis axis = {.input = 9, .kernel = 3, .stride = 1, .dilation = 1, .output = 7};
    fal_tap taps[3] = {{.tap = -5}, {.tap = -5}, {.tap = -5}};
    int64_t count = -5;
    start();
    assert_int_equal(fal_axis_taps(&axis, false, FAL_PAD_ZEROS, false, 0, taps, 2, &count, &error),
                     FAL_E_BUFSIZE);
    said(FAL_E_BUFSIZE, "2");
    assert_true(taps[0].tap == -5 && taps[1].tap == -5);
}

static void A66(void)
{
    start();
    accept();
    for (int64_t i = fal_tensor_count(&o.y); i < ROOM; i++) assert_true(y_memory[i] != -77);
    start();
    assert_int_equal(fal_conv(&context, &o.x, &o.w, &o.bias, &p, &o.y), FAL_OK);
    for (int64_t i = fal_tensor_count(&o.y); i < ROOM; i++) assert_true(y_memory[i] == -77);
}

/* ---- workspace, threads, allocator --------------------------------------------------------------- */

static void refuse_workspace(bool given, int64_t missing, size_t shift, fal_status status, const char *key)
{
    fal_plan_info info;
    test_guard workspace;
    start();
    fal_plan *plan = plan_for(&info, &workspace);
    assert_true(info.workspace_bytes > 0);
    test_guard larger = test_guard_new(info.workspace_bytes + 64, 64, TEST_AT_START);
    refuse_execute(plan, given ? larger.data + shift : NULL, info.workspace_bytes - (size_t)missing, status,
                   key);
    assert_true(test_guard_intact(&larger));
    fal_plan_destroy(plan);
    test_guard_free(&larger);
    test_guard_free(&workspace);
}

static void A67(void)
{
    refuse_workspace(false, 0, 0, FAL_E_WORKSPACE, "bytes needed, aligned to 64");
}

static void A68(void)
{
    refuse_workspace(true, 1, 0, FAL_E_WORKSPACE, "bytes needed, aligned to 64");
}

static void A69(void)
{
    refuse_workspace(true, 0, 4, FAL_E_ALIGN, "workspace is not 64-byte aligned");
}

static void A71(void)
{
    start();
    context.threads = -1;
    refuse_call(FAL_E_THREADS, "threads is -1; 0 = automatic, 1..1024");
}

static void A72(void)
{
    start();
    context.threads = 1000000;
    refuse_call(FAL_E_THREADS, "threads is 1000000");
}

static void A73(void)
{
    test_memory memory = {0};
    start();
    context.allocator = test_allocator(&memory);
    context.allocator.release = NULL;
    refuse_call(FAL_E_NULL, "allocator.release is NULL");
    assert_int_equal(memory.calls, 0);
}

static int misaligned_blocks;

static void *allocate_misaligned(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    (void)alignment;
    misaligned_blocks++;
    char *block = aligned_alloc(64, bytes + 64);
    return block + 8;
}

static void release_misaligned(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    misaligned_blocks--;
    free((char *)memory - 8);
}

static void A74(void)
{
    start();
    context.allocator = (fal_allocator){.allocate = allocate_misaligned, .release = release_misaligned};
    refuse_call(FAL_E_ALIGN, "must be 64-byte aligned");
    assert_int_equal(misaligned_blocks, 0);
}

static void A75(void)
{
    test_memory memory = {.fail_from = 1};
    start();
    context.allocator = test_allocator(&memory);
    refuse_call(FAL_E_NOMEM, "cannot allocate");
    assert_int_equal(memory.live, 0);
}

/* ---- numbers ------------------------------------------------------------------------------------- */

/* 131,071 products of 2^14 are 2^31 - 2^14; one more is 2^31. */
static void A76(void)
{
    enum { MOST = 131072 };
    static int8_t x[MOST], w[MOST];
    int32_t result = -77;
    memset(x, -128, sizeof x);
    memset(w, -128, sizeof w);
    start();
    for (int64_t k = MOST - 1; k <= MOST; k++) {
        fal_tensor tx = FAL_TENSOR(x, FAL_I8, 1, 1, k), tw = FAL_TENSOR(w, FAL_I8, 1, 1, k);
        fal_tensor ty = FAL_TENSOR(&result, FAL_I32, 1, 1, 1);
        fal_status status = fal_conv(&context, &tx, &tw, NULL, NULL, &ty);
        assert_int_equal(status, k < MOST ? FAL_OK : FAL_E_OVERFLOW);
        if (k < MOST) assert_int_equal(result, INT32_MAX - 16383);
    }
    said(FAL_E_OVERFLOW, "a result does not fit i32");
}

static void A78(void)
{
    int8_t x[9] = {0}, w[3] = {0}, y[11] = {5};
    int32_t wide[7] = {5};
    start();
    fal_tensor tx = FAL_TENSOR(x, FAL_I8, 1, 1, 9), tw = FAL_TENSOR(w, FAL_I8, 1, 1, 3);
    fal_tensor ty = FAL_TENSOR(y, FAL_I8, 1, 1, 11), integers = FAL_TENSOR(wide, FAL_I32, 1, 1, 7);
    assert_int_equal(fal_conv_integer(&context, &tx, 300, &tw, NULL, NULL, &integers), FAL_E_VALUE);
    said(FAL_E_VALUE, "300");
    assert_int_equal(wide[0], 5);
    const fal_conv_params constant = {
        .padding_begin = {2}, .padding_end = {2}, .padding_mode = FAL_PAD_CONSTANT, .padding_value = 300};
    assert_int_equal(fal_conv(&context, &tx, &tw, NULL, &constant, &ty), FAL_E_VALUE);
    said(FAL_E_VALUE, "padding_value is 300; must be a whole number that i8 holds");
    assert_int_equal(y[0], 5);
}

static void A79(void)
{
    start();
    p.activation = FAL_ACTIVATION_CLAMP;
    p.activation_low = 7, p.activation_high = 6.5;
    refuse(FAL_E_VALUE, "activation_low is 7, activation_high is 6.5; low must not be above high");
}

static void A80(void)
{
    start();
    for (int i = 0; i < ROOM; i++) y_memory[i] = NAN;
    accept();
    for (int64_t i = 0; i < fal_tensor_count(&o.y); i++) assert_true(isfinite(y_memory[i]));
}

static void A81(void)
{
    start_transposed();
    p.stride[0] = 2;
    p.output_padding[0] = 2;
    refuse(FAL_E_PADDING, "output_padding[0] is 2; must be 0..1, below stride 2");
}

static void A82(void)
{
    start_transposed();
    p.padding_begin[0] = 14;
    refuse(FAL_E_SHAPE, "axis 0: transposed output size is -3; must be at least 1");
}

static void A83(void)
{
    fal_plan_info info, other_info;
    test_guard workspace, other_workspace;
    start();
    fal_plan *plan = plan_for(&info, &workspace);
    p.groups = 1;
    o.w.shape[1] = 6;
    o.w = fal_tensor_of(w_memory, FAL_F32, 4, o.w.shape);
    fal_plan *other = plan_for(&other_info, &other_workspace);
    test_guard packed = test_guard_new(other_info.packed_bytes, FAL_WORKSPACE_ALIGNMENT, TEST_AT_END);
    assert_int_equal(fal_plan_pack_weights(other, &o.w, packed.data, &error), FAL_OK);
    start();
    assert_int_equal(fal_plan_execute(plan, &o, packed.data, workspace.data, info.workspace_bytes, &error),
                     FAL_E_HANDLE);
    said(FAL_E_HANDLE, "belong to another plan");
    assert_true(y_untouched());
    fal_plan_destroy(plan);
    fal_plan_destroy(other);
    test_guard_free(&packed);
    test_guard_free(&workspace);
    test_guard_free(&other_workspace);
}

static void A84(void)
{
    assert_string_equal(fal_status_string((fal_status)12345), "unknown status");
    assert_string_equal(fal_status_name((fal_status)12345), "E_UNKNOWN");
}

static const refusals_row rows[] = {
#include "refusals/rows.inc"
};

int main(void)
{
    return refusals_main("api", rows, sizeof rows / sizeof *rows, NULL, NULL);
}
