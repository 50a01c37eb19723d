/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_upsample_nearest.c: nearest-neighbour up-sampling of every type, and what up-sampling refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "support/support.h"

enum { SEEDS = 900 };

/* The input that output o stands on, by whole numbers: the largest with i/in <= o/out, or the one with
 * the least distance, the first of two. */
static int64_t nearest(fal_coordinates coordinates, int64_t in, int64_t out, int64_t o)
{
    if (coordinates == FAL_HALF_PIXEL) {
        int64_t i = 0;
        while ((i + 1) * out <= o * in) i++;
        return i;
    }
    int64_t best = 0;
    for (int64_t i = 1; i < in; i++) {
        const int64_t there = i * (out - 1) - o * (in - 1), here = best * (out - 1) - o * (in - 1);
        if ((there < 0 ? -there : there) < (here < 0 ? -here : here)) best = i;
    }
    return out == 1 ? 0 : best;
}

static void every_type(void **state)
{
    (void)state;
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8,
                                      FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream s = {seed, 0};
        const int32_t spatial = (int32_t)test_draw(&s, 1, 3);
        const bool batched = !test_chance(&s, 3);
        fal_upsample_params p = {.mode = FAL_UPSAMPLE_NEAREST,
                                 .coordinates = (fal_coordinates)(seed % 2),
                                 .layout = test_chance(&s, 2) ? FAL_NHWC : FAL_NCHW,
                                 .spatial = spatial};
        int64_t in[FAL_MAX_RANK], out[FAL_MAX_RANK];
        int32_t rank = 0;
        if (batched) in[rank++] = test_draw(&s, 1, 2);
        const int64_t channels = test_chance(&s, 10) ? 70 : test_draw(&s, 1, 3);
        if (p.layout == FAL_NCHW) in[rank++] = channels;
        const int32_t first = rank;
        for (int32_t a = 0; a < spatial; a++) in[rank++] = test_draw(&s, 1, spatial == 1 ? 90 : 6);
        if (p.layout == FAL_NHWC) in[rank++] = channels;
        for (int32_t a = 0; a < rank; a++)
            out[a] = a >= first && a < first + spatial ? test_draw(&s, 1, spatial == 1 ? 120 : 8) : in[a];
        const fal_dtype dtype = types[seed % 9];
        char repro[64];
        snprintf(repro, sizeof repro, "seed %llu %s", (unsigned long long)seed, fal_dtype_name(dtype));
        test_tensor x = test_tensor_new(dtype, rank, in, seed),
                    y = test_tensor_new(dtype, rank, out, seed + 1);
        test_tensor gy = test_tensor_new(dtype, rank, out, seed + 2),
                    gx = test_tensor_new(dtype, rank, in, seed % 3);
        test_fill_tensor(&x.t, fal_dtype_is_integer(dtype) ? TEST_INT1 : TEST_SPECIAL, seed);
        test_fill_tensor(&gy.t, TEST_INT1, seed + 1);
        fal_error error = {0};
        const fal_context context = {.threads = 1, .error = &error};
        assert_true(test_ok(fal_upsample(&context, &x.t, &p, &y.t), &error, repro));
        test_tensor expected = test_tensor_new(dtype, rank, out, 0);
        test_tensor sums = test_made(FAL_F64, rank, in, TEST_ZERO, 1);
        int64_t o[FAL_MAX_RANK] = {0}, i[FAL_MAX_RANK];
        for (bool more = true; more; more = test_next(&y.t, o)) {
            for (int32_t a = 0; a < rank; a++)
                i[a] = a >= first && a < first + spatial ? nearest(p.coordinates, in[a], out[a], o[a]) : o[a];
            fal_tensor_set(&expected.t, o, fal_tensor_get(&x.t, i));
            fal_tensor_set(&sums.t, i, fal_tensor_get(&sums.t, i) + fal_tensor_get(&gy.t, o));
        }
        assert_true(test_equal(&y.t, &expected.t, repro));
        const fal_status status = fal_upsample_grad(&context, &gy.t, &p, &gx.t);
        if (dtype != FAL_I8 && dtype != FAL_U8) assert_true(test_ok(status, &error, repro));
        if (status == FAL_OK) assert_true(test_equal(&gx.t, &sums.t, repro));
        assert_true(test_tensor_gaps_intact(&y) && test_tensor_gaps_intact(&gx));
        test_tensor_free(&x);
        test_tensor_free(&y);
        test_tensor_free(&gy);
        test_tensor_free(&gx);
        test_tensor_free(&expected);
        test_tensor_free(&sums);
    }
}

static void integer_gradients_that_do_not_fit(void **state)
{
    (void)state;
    int8_t gy[] = {100, 100, 27, 100}, gx[2];
    const fal_upsample_params p = {.mode = FAL_UPSAMPLE_NEAREST};
    fal_tensor tgy = FAL_TENSOR(gy, FAL_I8, 1, 1, 4), tgx = FAL_TENSOR(gx, FAL_I8, 1, 1, 2);
    fal_error error = {0};
    const fal_context context = {.error = &error};
    assert_int_equal(fal_upsample_grad(&context, &tgy, &p, &tgx), FAL_E_OVERFLOW);
    assert_string_equal(error.field, "gx");
    gy[0] = 0;
    assert_int_equal(fal_upsample_grad(&context, &tgy, &p, &tgx), FAL_OK);
    assert_true(gx[0] == 100 && gx[1] == 127);
}

/* ---- refusals -------------------------------------------------------------------------------------- */

typedef struct call {
    float x[4], y[16];
    fal_tensor tx, ty;
    fal_upsample_params params;
    fal_error error;
} call;

static void start(call *c)
{
    *c = (call){.x = {1, 2, 3, 4}};
    for (int i = 0; i < 16; i++) c->y[i] = -7;
    c->tx = FAL_TENSOR(c->x, FAL_F32, 1, 1, 2, 2);
    c->ty = FAL_TENSOR(c->y, FAL_F32, 1, 1, 4, 4);
}

static void refused(call *c, fal_status status, const char *field, const char *message)
{
    char text[512];
    const fal_context context = {.error = &c->error};
    assert_int_equal(fal_upsample(&context, &c->tx, &c->params, &c->ty), status);
    assert_string_equal(c->error.field, field);
    fal_error_message(&c->error, text, sizeof text);
    if (message != NULL) assert_string_equal(text, message);
    for (int i = 0; i < 16; i++) assert_true(c->y[i] == -7);
}

static void wrong_operands(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.tx.dtype = c.ty.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "x",
            "x is i32 in linear up-sampling; must be a floating type; mode nearest takes integers");
    start(&c);
    c.ty.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "y", "x is f32, y is i32; types must be equal");
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 2, 2, 4);
    refused(&c, FAL_E_SHAPE, "y", "y is (1,2,2,4), x is (1,1,2,2); rank, batch and channels must be equal");
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 4, 4);
    refused(&c, FAL_E_RANK, "y", "y is (1,4,4), x is (1,1,2,2); rank, batch and channels must be equal");
    start(&c);
    c.tx = FAL_TENSOR(c.x, FAL_F32, 1, 1, 0, 2);
    refused(&c, FAL_E_SHAPE, "y", "axis 0 of space: x has size 0, y 4; an empty axis can only stay empty");
    start(&c);
    c.ty.data = c.x;
    refused(&c, FAL_E_ALIAS, "y", NULL);
    start(&c);
    c.ty.flags = FAL_READ_ONLY;
    refused(&c, FAL_E_LAYOUT, "y", NULL);
    start(&c);
    c.tx.data = NULL;
    refused(&c, FAL_E_NULL, "x", NULL);
    test_memory memory = {.fail_from = 1};
    start(&c);
    const fal_context poor = {.error = &c.error, .allocator = test_allocator(&memory)};
    assert_int_equal(fal_upsample(&poor, &c.tx, &c.params, &c.ty), FAL_E_NOMEM);
    assert_true(c.y[0] == -7);
}

/* An empty result needs no positions, however long its other axes are. */
static void empty_tensors(void **state)
{
    (void)state;
    const int64_t wide = (int64_t)1 << 60;
    const fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 0, 1, 1, wide),
                     y = FAL_TENSOR(NULL, FAL_F32, 0, 1, 1, wide);
    const fal_tensor none = FAL_TENSOR(NULL, FAL_F32, 1, 1, 0), more = FAL_TENSOR(NULL, FAL_F32, 1, 1, 0);
    assert_int_equal(fal_upsample(NULL, &x, NULL, &y), FAL_OK);
    assert_int_equal(fal_upsample_grad(NULL, &y, NULL, &x), FAL_OK);
    assert_int_equal(fal_upsample(NULL, &none, NULL, &more), FAL_OK);
    float gx[2] = {5, 5}; /* no output reads an input: its gradient is 0 */
    const fal_tensor tgx = FAL_TENSOR(gx, FAL_F32, 1, 1, 2);
    assert_int_equal(fal_upsample_grad(NULL, &none, NULL, &tgx), FAL_OK);
    assert_true(gx[0] == 0 && gx[1] == 0);
}

static void wrong_parameters(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.params.mode = (fal_upsample_mode)2;
    refused(&c, FAL_E_VALUE, "mode", "mode is 2; must be one of fal_upsample_mode, 0..1");
    start(&c);
    c.params.coordinates = (fal_coordinates)3;
    refused(&c, FAL_E_VALUE, "coordinates", "coordinates is 3; must be one of fal_coordinates, 0..2");
    start(&c);
    c.params = (fal_upsample_params){.mode = FAL_UPSAMPLE_NEAREST, .coordinates = FAL_TRANSPOSED_CONV};
    refused(&c, FAL_E_VALUE, "coordinates",
            "coordinates is transposed-conv in mode nearest; must be half-pixel or align-corners");
    start(&c);
    c.params.coordinates = FAL_TRANSPOSED_CONV;
    c.tx = FAL_TENSOR(c.x, FAL_F32, 1, 1, 1, 4);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 1, 1, 11);
    refused(&c, FAL_E_SHAPE, "y",
            "axis 1 of space: x has size 4, y 11; with stride 3 it must be s*(i-1)+1 or s*i");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),     cmocka_unit_test(integer_gradients_that_do_not_fit),
        cmocka_unit_test(wrong_operands), cmocka_unit_test(wrong_parameters),
        cmocka_unit_test(empty_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
