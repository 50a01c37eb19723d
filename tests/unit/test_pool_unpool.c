/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool_unpool.c: max unpooling and its gradient.
 *
 * Round trips through fal_pool in every index mode and layout, duplicates, ONNX's indices for another
 * shape, the adjoint identity in integers, and indices that lead nowhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 600 };

static void pytorch_example(void **state)
{
    (void)state;
    float x[] = {6, 8, 14, 16}, y[16];
    int64_t places[] = {5, 7, 13, 15};
    fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 2, 2), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 4, 4);
    fal_tensor ti = FAL_TENSOR(places, FAL_I64, 1, 1, 2, 2);
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, NULL, NULL, &ty), FAL_OK);
    for (int i = 0; i < 16; i++)
        assert_true(y[i] == (i == 5 || i == 7 || i == 13 || i == 15 ? (float)i + 1 : 0));
    /* The same indices count differently in another plane: 5, 7, 13, 15 of 5x5. */
    float wide[25];
    fal_tensor tw = FAL_TENSOR(wide, FAL_F32, 1, 1, 5, 5);
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, NULL, NULL, &tw), FAL_OK);
    for (int i = 0; i < 25; i++) assert_true((wide[i] != 0) == (i == 5 || i == 7 || i == 13 || i == 15));
    /* With the 4x4 shape they were made for, the cells keep their row and column: ONNX's output_shape. */
    const int64_t made_for[] = {1, 1, 4, 4};
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, NULL, made_for, &tw), FAL_OK);
    for (int i = 0; i < 25; i++) assert_true((wide[i] != 0) == (i == 6 || i == 8 || i == 16 || i == 18));
    assert_true(wide[6] == 6 && wide[8] == 8 && wide[16] == 14 && wide[18] == 16);
    const fal_pool_params onnx = {.index_mode = FAL_INDEX_TENSOR};
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, &onnx, made_for, &tw), FAL_OK);
    assert_true(wide[6] == 6 && wide[8] == 8 && wide[16] == 14 && wide[18] == 16);
}

static void the_last_of_several_stays(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4}, y[3], gy[] = {10, 20, 30}, gx[4];
    int64_t places[] = {0, 2, 0, 2};
    fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 1, 4), ty = FAL_TENSOR(y, FAL_F32, 1, 1, 3);
    fal_tensor ti = FAL_TENSOR(places, FAL_I64, 1, 1, 4), tgy = FAL_TENSOR(gy, FAL_F32, 1, 1, 3);
    fal_tensor tgx = FAL_TENSOR(gx, FAL_F32, 1, 1, 4);
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, NULL, NULL, &ty), FAL_OK);
    assert_true(y[0] == 3 && y[1] == 0 && y[2] == 4);
    assert_int_equal(fal_max_unpool_grad(NULL, &ti, &tgy, NULL, NULL, &tgx), FAL_OK);
    assert_true(gx[0] == 0 && gx[1] == 0 && gx[2] == 10 && gx[3] == 30);
}

/* In the tensor mode an element may go to another channel; row-major order of x decides, which with
 * channels last runs over the channels first. */
static void the_last_across_channels(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4}, y[4];
    int64_t places[] = {3, 3, 3, 0};
    const fal_pool_params first = {.index_mode = FAL_INDEX_TENSOR},
                          last = {.index_mode = FAL_INDEX_TENSOR, .layout = FAL_NHWC};
    fal_tensor tx = FAL_TENSOR(x, FAL_F32, 1, 2, 2), ty = FAL_TENSOR(y, FAL_F32, 1, 2, 2);
    fal_tensor ti = FAL_TENSOR(places, FAL_I64, 1, 2, 2);
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, &first, NULL, &ty), FAL_OK);
    assert_true(y[0] == 4 && y[1] == 0 && y[2] == 0 && y[3] == 3);
    assert_int_equal(fal_max_unpool(NULL, &tx, &ti, &last, NULL, &ty), FAL_OK);
    assert_true(y[0] == 4 && y[1] == 0 && y[2] == 0 && y[3] == 3);
    /* Both orders differ where the strides do: the same memory seen channels-last. */
    fal_tensor swapped_x, swapped_i, swapped_y;
    const int32_t axes[] = {0, 2, 1};
    places[1] = 0;
    places[2] = 0; /* channel 0: 3 0, channel 1: 0 0; as pixels: (3 0), (0 0) */
    assert_int_equal(fal_tensor_permute(&tx, axes, &swapped_x, NULL), FAL_OK);
    assert_int_equal(fal_tensor_permute(&ti, axes, &swapped_i, NULL), FAL_OK);
    assert_int_equal(fal_tensor_permute(&ty, axes, &swapped_y, NULL), FAL_OK);
    assert_int_equal(fal_max_unpool(NULL, &swapped_x, &swapped_i, &last, NULL, &swapped_y), FAL_OK);
    assert_true(y[0] == 4 && y[3] == 1); /* pixels 0: 1 3, 1: 2 4; the last is 4 */
}

typedef struct trip {
    fal_pool_params params;
    fal_dtype dtype;
    int32_t rank;
    int64_t in[FAL_MAX_RANK];
} trip;

static trip draw(uint64_t seed)
{
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_F16, FAL_BF16, FAL_I8,
                                      FAL_U8,  FAL_I16, FAL_I32, FAL_I64};
    test_stream s = {seed, 0};
    trip t = {.dtype = types[seed % 9]};
    const int32_t spatial = (int32_t)test_draw(&s, 1, 3);
    const bool batched = !test_chance(&s, 3);
    t.params.spatial = spatial;
    t.params.layout = test_chance(&s, 2) ? FAL_NHWC : FAL_NCHW;
    t.params.index_mode = test_chance(&s, 2) ? FAL_INDEX_TENSOR : FAL_INDEX_PLANE;
    t.params.column_major = test_chance(&s, 3);
    t.params.ceil_mode = test_chance(&s, 2);
    if (batched) t.in[t.rank++] = test_draw(&s, 1, 3);
    if (t.params.layout == FAL_NCHW) t.in[t.rank++] = test_draw(&s, 1, 3);
    for (int32_t a = 0; a < spatial; a++) {
        t.in[t.rank++] = test_draw(&s, 3, 8);
        t.params.kernel[a] = test_draw(&s, 1, 3);
        t.params.stride[a] = test_draw(&s, 1, 3);
        t.params.padding_begin[a] = test_draw(&s, 0, t.params.kernel[a] / 2);
    }
    if (t.params.layout == FAL_NHWC) t.in[t.rank++] = test_draw(&s, 1, 3);
    return t;
}

/* Unpooled values stand where the maxima were, and the gradient is the adjoint: with integer data
 * <unpool(x), gy> = <x, unpool_grad(gy)> exactly. */
static void round_trip(uint64_t seed)
{
    const trip t = draw(seed);
    char repro[64];
    snprintf(repro, sizeof repro, "seed %llu", (unsigned long long)seed);
    fal_error error = {0};
    test_memory memory = {0};
    const fal_context context = {.threads = 1, .error = &error, .allocator = test_allocator(&memory)};
    test_tensor x = test_tensor_new(t.dtype, t.rank, t.in, seed),
                y = test_tensor_new(t.dtype, t.rank, t.in, seed + 3);
    test_tensor gy = test_tensor_new(t.dtype, t.rank, t.in, seed + 4);
    fal_tensor shape;
    test_fill_tensor(&x.t, TEST_INT1, seed);
    assert_true(test_ok(fal_pool_output_shape(&x.t, &t.params, &shape, &error), &error, repro));
    test_tensor best = test_tensor_new(t.dtype, t.rank, shape.shape, seed + 1);
    test_tensor places = test_tensor_new(FAL_I64, t.rank, shape.shape, seed + 2);
    test_tensor gx = test_tensor_new(t.dtype, t.rank, shape.shape, seed + 5);
    assert_true(test_ok(fal_pool(&context, &x.t, &t.params, &best.t, &places.t), &error, repro));
    assert_true(test_ok(fal_max_unpool(&context, &best.t, &places.t, &t.params, NULL, &y.t), &error, repro));
    assert_int_equal(memory.calls, 0);
    assert_true(test_tensor_gaps_intact(&y));
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(&y.t, index)) {
        const double v = fal_tensor_get(&y.t, index);
        if (v != 0 && v != fal_tensor_get(&x.t, index)) fail_msg("%s: %g is not in x", repro, v);
    }
    test_fill_tensor(&best.t, TEST_INT1, seed + 6); /* other numbers at the same places */
    test_fill_tensor(&gy.t, TEST_INT1, seed + 7);
    assert_int_equal(fal_max_unpool(&context, &best.t, &places.t, &t.params, NULL, &y.t), FAL_OK);
    assert_int_equal(fal_max_unpool_grad(&context, &places.t, &gy.t, &t.params, NULL, &gx.t), FAL_OK);
    assert_true(test_tensor_gaps_intact(&gx));
    assert_true(test_dot(&y.t, &gy.t) == test_dot(&best.t, &gx.t));
    assert_true(memory.calls == 1 && memory.live == 0 && !memory.broken);
    memory.fail_from = 2;
    assert_int_equal(fal_max_unpool_grad(&context, &places.t, &gy.t, &t.params, NULL, &gx.t), FAL_E_NOMEM);
    test_tensor_free(&x);
    test_tensor_free(&y);
    test_tensor_free(&gy);
    test_tensor_free(&best);
    test_tensor_free(&places);
    test_tensor_free(&gx);
}

static void round_trips(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) round_trip(seed);
}

static void thread_counts_give_equal_results(void **state)
{
    (void)state;
    const int64_t small[] = {2, 5, 60, 60}, large[] = {2, 5, 120, 120};
    const fal_pool_params p = {.kernel = {3, 3}, .stride = {2, 2}, .padding_begin = {1, 1}};
    test_tensor x = test_made(FAL_F32, 4, large, TEST_INT, 1),
                best = test_made(FAL_F32, 4, small, TEST_ZERO, 1);
    test_tensor places = test_made(FAL_I64, 4, small, TEST_ZERO, 1), y[4], gx[4];
    assert_int_equal(fal_pool(NULL, &x.t, &p, &best.t, &places.t), FAL_OK);
    for (int32_t threads = 1; threads <= 3; threads++) {
        test_runs runs = {0};
        const fal_context context = {.threads = threads, .executor = test_executor_threads(&runs)};
        y[threads] = test_made(FAL_F32, 4, large, TEST_NAN, 1);
        gx[threads] = test_made(FAL_F32, 4, small, TEST_NAN, 1);
        assert_int_equal(fal_max_unpool(&context, &best.t, &places.t, &p, NULL, &y[threads].t), FAL_OK);
        assert_int_equal(fal_max_unpool_grad(&context, &places.t, &x.t, &p, NULL, &gx[threads].t), FAL_OK);
        assert_int_equal(runs.most, threads == 1 ? 0 : threads);
        assert_true(test_same_bits(&y[threads].t, &y[1].t, "unpool"));
        assert_true(test_same_bits(&gx[threads].t, &gx[1].t, "unpool gradient"));
    }
    for (int32_t threads = 1; threads <= 3; threads++) {
        test_tensor_free(&y[threads]);
        test_tensor_free(&gx[threads]);
    }
    test_tensor_free(&x);
    test_tensor_free(&best);
    test_tensor_free(&places);
}

/* ---- refusals -------------------------------------------------------------------------------------- */

typedef struct call {
    float x[4], y[16];
    int64_t places[4];
    fal_tensor tx, ti, ty;
    fal_pool_params params;
    const int64_t *index_shape;
    fal_error error;
} call;

static void start(call *c)
{
    *c = (call){.x = {1, 2, 3, 4}, .places = {0, 3, 12, 15}};
    for (int i = 0; i < 16; i++) c->y[i] = -7;
    c->tx = FAL_TENSOR(c->x, FAL_F32, 1, 1, 2, 2);
    c->ti = FAL_TENSOR(c->places, FAL_I64, 1, 1, 2, 2);
    c->ty = FAL_TENSOR(c->y, FAL_F32, 1, 1, 4, 4);
}

static void refused(call *c, fal_status status, const char *field, const char *message)
{
    char text[512];
    const fal_context context = {.error = &c->error};
    assert_int_equal(fal_max_unpool(&context, &c->tx, &c->ti, &c->params, c->index_shape, &c->ty), status);
    assert_string_equal(c->error.field, field);
    fal_error_message(&c->error, text, sizeof text);
    if (message != NULL) assert_string_equal(text, message);
    for (int i = 0; i < 16; i++) assert_true(c->y[i] == -7);
}

static void indices_that_lead_nowhere(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.places[3] = 16;
    refused(&c, FAL_E_VALUE, "indices",
            "the index at (0,0,1,1) is 16; must name a cell of y, which is (1,1,4,4)");
    c.places[1] = -1;
    refused(&c, FAL_E_VALUE, "indices",
            "the index at (0,0,0,1) is -1; must name a cell of y, which is (1,1,4,4)");
    start(&c); /* a cell of the counted shape that y does not have */
    c.index_shape = (const int64_t[]){1, 1, 2, 8};
    refused(&c, FAL_E_VALUE, "indices",
            "the index at (0,0,1,0) is 12; must name a cell of y, which is (1,1,4,4)");
    start(&c);
    c.places[0] = INT64_MAX;
    c.params.index_mode = FAL_INDEX_TENSOR;
    refused(&c, FAL_E_VALUE, "indices", NULL);
    float gx[4] = {5, 5, 5, 5};
    fal_tensor tgx = FAL_TENSOR(gx, FAL_F32, 1, 1, 2, 2);
    const fal_context context = {.error = &c.error};
    assert_int_equal(fal_max_unpool_grad(&context, &c.ti, &c.ty, NULL, NULL, &tgx), FAL_E_VALUE);
    assert_true(gx[0] == 5 && gx[3] == 5);
    assert_non_null(strstr(c.error.allowed, "must name a cell of gy"));
}

static void wrong_operands(void **state)
{
    (void)state;
    call c;
    start(&c);
    c.ti.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "indices", "indices is i32; must be i64");
    start(&c);
    c.ti = FAL_TENSOR(c.places, FAL_I64, 1, 1, 2, 1);
    refused(&c, FAL_E_SHAPE, "indices", "indices has shape (1,1,2,1), x (1,1,2,2); shapes must be equal");
    start(&c);
    c.ty = FAL_TENSOR(c.y, FAL_F32, 1, 2, 2, 4);
    refused(&c, FAL_E_SHAPE, "y", "y is (1,2,2,4), x is (1,1,2,2); rank, batch and channels must be equal");
    start(&c);
    c.ty.dtype = FAL_I32;
    refused(&c, FAL_E_DTYPE, "y", "x is f32, y is i32; types must be equal");
    start(&c);
    c.index_shape = (const int64_t[]){1, 2, 4, 4};
    refused(&c, FAL_E_SHAPE, "index_shape",
            "index_shape is (1,2,4,4), x is (1,1,2,2); batch and channels must be equal");
    start(&c);
    c.index_shape = (const int64_t[]){1, 1, -4, 4};
    refused(&c, FAL_E_SHAPE, "index_shape",
            "index_shape is (1,1,-4,4), x is (1,1,2,2); must be sizes of a tensor");
    start(&c);
    c.params.index_mode = (fal_index_mode)2;
    refused(&c, FAL_E_VALUE, "index_mode", "index_mode is 2; must be one of fal_index_mode, 0..1");
    start(&c);
    c.tx.data = c.y;
    refused(&c, FAL_E_ALIAS, "y", NULL);
    start(&c);
    c.ty.flags = FAL_READ_ONLY;
    refused(&c, FAL_E_LAYOUT, "y", NULL);
    start(&c);
    c.tx.data = NULL;
    refused(&c, FAL_E_NULL, "x", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pytorch_example),
        cmocka_unit_test(the_last_of_several_stays),
        cmocka_unit_test(the_last_across_channels),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(thread_counts_give_equal_results),
        cmocka_unit_test(indices_that_lead_nowhere),
        cmocka_unit_test(wrong_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
