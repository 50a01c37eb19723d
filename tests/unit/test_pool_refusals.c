/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool_refusals.c: what pooling refuses, word for word, and that nothing was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "support/support.h"

enum { X_SIZE = 16, Y_SIZE = 4 };

/* x (1,1,4,4), y (1,1,2,2): kernel 2. */
typedef struct call {
    float x[X_SIZE], y[Y_SIZE], gx[X_SIZE];
    int64_t places[Y_SIZE];
    fal_tensor tx, ty, ti, tgx;
    bool with_indices;
    fal_pool_params params;
    fal_error error;
} call;

static void start(call *c)
{
    *c = (call){.params = {.kernel = {2, 2}}};
    for (int i = 0; i < Y_SIZE; i++) c->y[i] = -7;
    for (int i = 0; i < Y_SIZE; i++) c->places[i] = -7;
    for (int i = 0; i < X_SIZE; i++) c->gx[i] = -7;
    c->tx = FAL_TENSOR(c->x, FAL_F32, 1, 1, 4, 4);
    c->tgx = FAL_TENSOR(c->gx, FAL_F32, 1, 1, 4, 4);
    c->ty = FAL_TENSOR(c->y, FAL_F32, 1, 1, 2, 2);
    c->ti = FAL_TENSOR(c->places, FAL_I64, 1, 1, 2, 2);
}

static void untouched(const call *c)
{
    for (int i = 0; i < Y_SIZE; i++) assert_true(c->y[i] == -7 && c->places[i] == -7);
    for (int i = 0; i < X_SIZE; i++) assert_true(c->gx[i] == -7);
}

static void said(const call *c, fal_status status, const char *field, const char *message)
{
    char text[512];
    assert_int_equal(c->error.status, status);
    assert_string_equal(c->error.field, field);
    fal_error_message(&c->error, text, sizeof text);
    if (message != NULL) assert_string_equal(text, message);
    untouched(c);
}

static void refused(call *c, fal_status status, const char *field, const char *message)
{
    const fal_context context = {.error = &c->error};
    const fal_tensor *indices = c->with_indices ? &c->ti : NULL;
    assert_int_equal(fal_pool(&context, &c->tx, &c->params, &c->ty, indices), status);
    said(c, status, field, message);
}

/* The parameters are refused by the size and by the gradient as well. */
static void refused_everywhere(call *c, fal_status status, const char *field, const char *message)
{
    const fal_context context = {.error = &c->error};
    fal_tensor y;
    refused(c, status, field, message);
    assert_int_equal(fal_pool_output_shape(&c->tx, &c->params, &y, &c->error), status);
    said(c, status, field, message);
    assert_int_equal(fal_pool_grad(&context, &c->tx, &c->ty, &c->params, &c->tgx), status);
    assert_string_equal(c->error.field, field);
    untouched(c);
}

static void valid_call_is_accepted(void **state)
{
    (void)state;
    call c;
    start(&c);
    assert_int_equal(fal_pool(NULL, &c.tx, &c.params, &c.ty, &c.ti), FAL_OK);
    assert_true(c.y[0] == 0 && c.places[3] == 10);
    assert_int_equal(fal_pool_grad(NULL, &c.tx, &c.ty, &c.params, &c.tgx), FAL_OK);
}

static void numbers_out_of_range(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.params.kernel[1] = 0;
    refused_everywhere(&c, FAL_E_KERNEL, "kernel[1]", "kernel[1] is 0; must be at least 1");
    start(&c);
    c.params.kernel[0] = -1;
    refused_everywhere(&c, FAL_E_KERNEL, "kernel[0]", "kernel[0] is -1; must be at least 1");
    start(&c);
    c.params.stride[0] = -2;
    refused_everywhere(&c, FAL_E_STRIDE, "stride[0]", "stride[0] is -2; must be at least 1");
    start(&c);
    c.params.dilation[1] = -1;
    refused_everywhere(&c, FAL_E_DILATION, "dilation[1]", "dilation[1] is -1; must be at least 1");
    start(&c);
    c.params.padding_begin[0] = -1;
    refused_everywhere(&c, FAL_E_PADDING, "padding_begin[0]", "padding_begin[0] is -1; must be at least 0");
    start(&c);
    c.params.padding_end[1] = -3;
    refused_everywhere(&c, FAL_E_PADDING, "padding_end[1]", "padding_end[1] is -3; must be at least 0");
    start(&c);
    c.params.padding = FAL_PADDING_SAME;
    c.params.padding_end[1] = 1;
    refused_everywhere(&c, FAL_E_PADDING, "padding",
                       "axis 1: padding is given as a rule and as numbers; give one of them");
    start(&c);
    c.params.kernel[0] = 5;
    refused_everywhere(
        &c, FAL_E_KERNEL, "kernel[0]",
        "axis 0: kernel 5 is larger than the padded input 4; the kernel must fit into the padded "
        "input");
    start(&c);
    c.params.padding_begin[0] = INT64_MAX;
    refused_everywhere(&c, FAL_E_OVERFLOW, "padding[0]", NULL);
    start(&c);
    c.params.kind = FAL_POOL_AVERAGE;
    for (int a = 0; a < 2; a++) c.params.kernel[a] = c.params.padding_end[a] = (int64_t)1 << 40;
    refused_everywhere(&c, FAL_E_OVERFLOW, "kernel", "the number of taps overflows 64 bits");
    start(&c);
    c.params.spatial = 4;
    refused_everywhere(&c, FAL_E_VALUE, "spatial", "spatial is 4; must be 1..3, or 0 for the rank less 2");
}

static void parameters_of_another_kind(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.params.divisor = 3;
    refused_everywhere(&c, FAL_E_VALUE, "divisor",
                       "divisor is 3, but this is no average; only FAL_POOL_AVERAGE has one");
    start(&c);
    c.params.norm = 3;
    refused_everywhere(&c, FAL_E_VALUE, "norm",
                       "norm is 3, but this is no Lp pooling; only FAL_POOL_LP has one");
    start(&c);
    c.params.kind = FAL_POOL_LP;
    c.params.norm = -1;
    refused_everywhere(&c, FAL_E_VALUE, "norm", "norm is -1; must be above 0, or 0 for 2");
    c.params.norm = (double)NAN;
    refused_everywhere(&c, FAL_E_VALUE, "norm", NULL);
    start(&c);
    c.params.extent = FAL_POOL_GLOBAL;
    refused_everywhere(&c, FAL_E_VALUE, "kernel[0]",
                       "kernel[0] is 2; must be 0: global windows do not have one");
    start(&c);
    c.params.output_size[1] = 2;
    refused_everywhere(&c, FAL_E_VALUE, "output_size[1]", NULL);
    start(&c);
    c.params = (fal_pool_params){.extent = FAL_POOL_ADAPTIVE, .output_size = {2, -2}};
    refused_everywhere(&c, FAL_E_DIM, "output_size[1]", "output_size[1] is -2; must be at least 0");
    start(&c);
    c.params.kind = (fal_pool_kind)3;
    refused_everywhere(&c, FAL_E_VALUE, "kind", "kind is 3; must be one of fal_pool_kind, 0..2");
    c.params.kind = FAL_POOL_MAX;
    c.params.extent = (fal_pool_extent)-1;
    refused_everywhere(&c, FAL_E_VALUE, "extent", NULL);
    start(&c);
    c.params.layout = (fal_layout)2;
    refused_everywhere(&c, FAL_E_VALUE, "layout", NULL);
    start(&c);
    c.params.padding = (fal_padding)6;
    refused_everywhere(&c, FAL_E_VALUE, "padding", NULL);
}

static void wrong_tensors(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 1, 2, 1);
    refused(&c, FAL_E_SHAPE, "y", "y is (1,1,2,1); must be (1,1,2,2)");
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 2, 2);
    refused(&c, FAL_E_RANK, "y", "y is (1,2,2); must be (1,1,2,2)");
    start(&c);
    c.tx = FAL_TENSOR(c.x, FAL_F32, 4, 4);
    refused(&c, FAL_E_RANK, "x", "x has 2 axes; must be 3..5: batch, channels and 1..3 of space");
    start(&c);
    c.params.spatial = 1;
    refused(&c, FAL_E_RANK, "x", "x has 4 axes, spatial is 1; must be 3, or 2 without a batch");
    start(&c);
    c.ty.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "y", "x is f32, y is i32; types must be equal");
    start(&c);
    c.tx.dtype = c.ty.dtype = FAL_I32;
    c.params.kind = FAL_POOL_LP;
    refused(&c, FAL_E_DTYPE, "x", "x is i32 in Lp pooling; must be a floating type");
    start(&c);
    c.ty.data = c.x + 1;
    refused(&c, FAL_E_ALIAS, "y", NULL);
    start(&c);
    c.ty.strides[3] = 0;
    refused(&c, FAL_E_LAYOUT, "y", NULL);
    start(&c);
    c.ty.flags = FAL_READ_ONLY;
    refused(&c, FAL_E_LAYOUT, "y", NULL);
    start(&c);
    c.tx.data = NULL;
    refused(&c, FAL_E_NULL, "x", NULL);
    start(&c);
    c.tx.data = (char *)c.x + 1;
    refused(&c, FAL_E_ALIGN, "x", NULL);
    const fal_context context = {.error = &c.error};
    assert_int_equal(fal_pool(&context, NULL, &c.params, &c.ty, NULL), FAL_E_NULL);
    assert_int_equal(fal_pool(&context, &c.tx, &c.params, NULL, NULL), FAL_E_NULL);
    start(&c);
    assert_int_equal(fal_pool(&context, &c.tx, NULL, &c.ty, NULL), FAL_E_KERNEL);
    assert_int_equal(fal_pool_output_shape(&c.tx, &c.params, NULL, NULL), FAL_E_NULL);
}

static void wrong_indices(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.with_indices = true;
    c.params.kind = FAL_POOL_AVERAGE;
    refused(&c, FAL_E_VALUE, "indices", "indices are given, but this is no max pooling; must be NULL");
    start(&c);
    c.with_indices = true;
    c.ti.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "indices", "indices is i32; must be i64");
    start(&c);
    c.with_indices = true;
    c.ti = FAL_TENSOR(c.places, FAL_I64, 1, 1, 1, 4);
    refused(&c, FAL_E_SHAPE, "indices", "indices is (1,1,1,4); must be (1,1,2,2)");
    start(&c);
    c.with_indices = true;
    int64_t both[8];
    c.ti.data = both;
    c.ty.data = both;
    const fal_context context = {.error = &c.error};
    assert_int_equal(fal_pool(&context, &c.tx, &c.params, &c.ty, &c.ti), FAL_E_ALIAS);
    assert_string_equal(c.error.field, "indices");
}

static void wrong_gradients(void **state)
{
    (void)state;
    call c;
    start(&c);
    const fal_context context = {.error = &c.error};
    assert_int_equal(fal_pool_grad(&context, NULL, &c.ty, &c.params, &c.tgx), FAL_E_NULL);
    said(&c, FAL_E_NULL, "x", NULL);
    c.tx = FAL_TENSOR(c.x, FAL_F32, 1, 1, 2, 8);
    assert_int_equal(fal_pool_grad(&context, &c.tx, &c.ty, &c.params, &c.tgx), FAL_E_SHAPE);
    said(&c, FAL_E_SHAPE, "gx", "gx has shape (1,1,4,4), x (1,1,2,8); shapes must be equal");
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 1, 2, 1);
    assert_int_equal(fal_pool_grad(&context, &c.tx, &c.ty, &c.params, &c.tgx), FAL_E_SHAPE);
    said(&c, FAL_E_SHAPE, "gy", "gy is (1,1,2,1); must be (1,1,2,2)");
    start(&c);
    assert_int_equal(fal_pool_grad(&context, &c.tgx, &c.ty, &c.params, &c.tgx), FAL_E_ALIAS);
    said(&c, FAL_E_ALIAS, "gx", NULL);
    start(&c);
    test_memory memory = {.fail_from = 1};
    const fal_context poor = {.error = &c.error, .allocator = test_allocator(&memory)};
    assert_int_equal(fal_pool_grad(&poor, &c.tx, &c.ty, &c.params, &c.tgx), FAL_E_NOMEM);
    said(&c, FAL_E_NOMEM, c.error.field, NULL);
    assert_int_equal(fal_pool(&poor, &c.tx, &c.params, &c.ty, NULL), FAL_OK); /* needs no memory */
    memory = (test_memory){0};
    assert_int_equal(fal_pool_grad(&poor, &c.tx, &c.ty, &c.params, &c.tgx), FAL_OK);
    assert_true(memory.calls == 1 && memory.live == 0 && !memory.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_call_is_accepted),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(parameters_of_another_kind),
        cmocka_unit_test(wrong_tensors),
        cmocka_unit_test(wrong_indices),
        cmocka_unit_test(wrong_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
