/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pad_grad.c: the adjoint of padding.
 *
 * Every position of gy is looked up one by one with fal_border_index and added to its cell; with small
 * integers that is exact in every type. Reaches go far beyond the input, begins may be negative, and
 * axes may have one cell. The identity <pad(x), gy> = <x, pad_grad(gy)> ties it to fal_tensor_pad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "support/support.h"

enum { SEEDS = 2000 };

static bool find_cell(const fal_tensor *gx, const int64_t *position, const int64_t *begin,
                      fal_padding_mode mode, int64_t *cell)
{
    for (int32_t a = 0; a < gx->rank; a++) {
        cell[a] = fal_border_index(mode, position[a] - begin[a], gx->shape[a]);
        if (cell[a] < 0) return false;
    }
    return true;
}

static void run(uint64_t seed)
{
    static const fal_dtype types[] = {FAL_F32, FAL_F64, FAL_BF16, FAL_I16, FAL_I32, FAL_I64};
    test_stream s = {seed, 0};
    const fal_padding_mode mode = (fal_padding_mode)(seed % 6);
    const fal_dtype dtype = types[test_draw(&s, 0, 5)];
    const int32_t rank = (int32_t)test_draw(&s, 0, 4);
    int64_t in[FAL_MAX_RANK], out[FAL_MAX_RANK], begin[FAL_MAX_RANK];
    for (int32_t a = 0; a < rank; a++) {
        in[a] = test_draw(&s, 1, rank == 1 ? 150 : 6);
        out[a] = test_draw(&s, test_chance(&s, 40) ? 0 : 1, rank == 1 ? 400 : 12);
        begin[a] = test_draw(&s, -4, rank == 1 ? 200 : 9);
    }
    char repro[96];
    snprintf(repro, sizeof repro, "seed %llu mode %d %s", (unsigned long long)seed, (int)mode,
             fal_dtype_name(dtype));
    test_tensor gx = test_tensor_new(dtype, rank, in, seed), gy = test_tensor_new(dtype, rank, out, seed % 2);
    test_tensor x = test_tensor_new(dtype, rank, in, 0), y = test_tensor_new(dtype, rank, out, 0);
    test_tensor sums = test_made(FAL_F64, rank, in, TEST_ZERO, 1);
    test_fill_tensor(&gy.t, TEST_INT1, seed);
    test_fill_tensor(&x.t, TEST_INT1, seed + 1);
    fal_error error = {0};
    assert_true(test_ok(fal_tensor_pad_grad(&gy.t, begin, mode, &gx.t, &error), &error, repro));
    assert_true(test_tensor_gaps_intact(&gx));
    int64_t position[FAL_MAX_RANK] = {0}, cell[FAL_MAX_RANK];
    for (bool more = fal_tensor_count(&gy.t) > 0; more; more = test_next(&gy.t, position))
        if (find_cell(&gx.t, position, begin, mode, cell))
            fal_tensor_set(&sums.t, cell, fal_tensor_get(&sums.t, cell) + fal_tensor_get(&gy.t, position));
    test_tensor expected = test_tensor_copy(&sums.t, dtype);
    assert_true(test_equal(&gx.t, &expected.t, repro));
    if (dtype != FAL_BF16) { /* whose sums round */
        assert_int_equal(fal_tensor_pad(&x.t, begin, mode, 0, &y.t, NULL), FAL_OK);
        assert_true(test_dot(&y.t, &gy.t) == test_dot(&x.t, &gx.t));
    }
    test_tensor_free(&x);
    test_tensor_free(&y);
    test_tensor_free(&gx);
    test_tensor_free(&gy);
    test_tensor_free(&sums);
    test_tensor_free(&expected);
}

static void every_mode_and_reach(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run(seed);
}

static void a_row(void **state)
{
    (void)state;
    const float gy[] = {1, 2, 4, 8, 16, 32, 64, 128};
    const struct {
        fal_padding_mode mode;
        float gx[4];
    } cases[] = {{FAL_PAD_ZEROS, {4, 8, 16, 32}},
                 {FAL_PAD_CONSTANT, {4, 8, 16, 32}},
                 {FAL_PAD_REFLECT, {4, 8 + 2 + 128, 16 + 1 + 64, 32}},
                 {FAL_PAD_SYMMETRIC, {4 + 2, 8 + 1, 16 + 128, 32 + 64}},
                 {FAL_PAD_REPLICATE, {4 + 2 + 1, 8, 16, 32 + 64 + 128}},
                 {FAL_PAD_CIRCULAR, {4 + 64, 8 + 128, 16 + 1, 32 + 2}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float from[8], gx[4];
        for (int j = 0; j < 8; j++) from[j] = gy[j];
        fal_tensor tgy = FAL_TENSOR(from, FAL_F32, 8), tgx = FAL_TENSOR(gx, FAL_F32, 4);
        assert_int_equal(fal_tensor_pad_grad(&tgy, (int64_t[]){2}, cases[i].mode, &tgx, NULL), FAL_OK);
        for (int j = 0; j < 4; j++) assert_true(gx[j] == cases[i].gx[j]);
    }
}

/* 300 times 1 in bfloat16 would stop at 256 if it were rounded at every step. */
static void sums_are_rounded_once(void **state)
{
    (void)state;
    const int64_t wide[] = {300}, one[] = {1};
    test_tensor gy = test_made(FAL_BF16, 1, wide, TEST_ZERO, 1),
                gx = test_made(FAL_BF16, 1, one, TEST_ZERO, 1);
    assert_int_equal(fal_tensor_fill(&gy.t, 1, NULL), FAL_OK);
    assert_int_equal(fal_tensor_pad_grad(&gy.t, (int64_t[]){7}, FAL_PAD_REPLICATE, &gx.t, NULL), FAL_OK);
    assert_true(fal_tensor_get(&gx.t, (int64_t[]){0}) == 300);
    test_tensor_free(&gy);
    test_tensor_free(&gx);
}

static void refusals(void **state)
{
    (void)state;
    float gy[8] = {1}, gx[4] = {-7, -7, -7, -7};
    const int64_t begin[] = {2};
    fal_tensor tgy = FAL_TENSOR(gy, FAL_F32, 8), tgx = FAL_TENSOR(gx, FAL_F32, 4), other;
    fal_error e = {0};
    assert_int_equal(fal_tensor_pad_grad(NULL, begin, FAL_PAD_ZEROS, &tgx, &e), FAL_E_NULL);
    assert_int_equal(fal_tensor_pad_grad(&tgy, NULL, FAL_PAD_ZEROS, &tgx, &e), FAL_E_NULL);
    assert_string_equal(e.field, "begin");
    assert_int_equal(fal_tensor_pad_grad(&tgy, begin, (fal_padding_mode)6, &tgx, &e), FAL_E_VALUE);
    assert_string_equal(e.field, "mode");
    other = FAL_TENSOR(gy, FAL_F32, 2, 4);
    assert_int_equal(fal_tensor_pad_grad(&other, begin, FAL_PAD_ZEROS, &tgx, &e), FAL_E_RANK);
    other = tgy;
    other.dtype = FAL_I32;
    assert_int_equal(fal_tensor_pad_grad(&other, begin, FAL_PAD_ZEROS, &tgx, &e), FAL_E_DTYPE);
    other = tgx;
    other.data = gy;
    assert_int_equal(fal_tensor_pad_grad(&tgy, begin, FAL_PAD_ZEROS, &other, &e), FAL_E_ALIAS);
    other = tgx;
    other.flags = FAL_READ_ONLY;
    assert_int_equal(fal_tensor_pad_grad(&tgy, begin, FAL_PAD_ZEROS, &other, &e), FAL_E_LAYOUT);
    assert_int_equal(fal_tensor_pad_grad(&tgy, (int64_t[]){INT64_MIN}, FAL_PAD_ZEROS, &tgx, &e),
                     FAL_E_OVERFLOW);
    assert_string_equal(e.field, "begin[0]");
    other = FAL_TENSOR(NULL, FAL_F32, 0);
    assert_int_equal(fal_tensor_pad_grad(&tgy, begin, FAL_PAD_REFLECT, &other, &e), FAL_E_PADDING);
    assert_int_equal(fal_tensor_pad_grad(&tgy, begin, FAL_PAD_ZEROS, &other, &e), FAL_OK);
    for (int i = 0; i < 4; i++) assert_true(gx[i] == -7);
    /* Nothing shows any cell: zeros, wherever the window lies. */
    other = FAL_TENSOR(NULL, FAL_F32, 0);
    assert_int_equal(fal_tensor_pad_grad(&other, (int64_t[]){INT64_MIN}, FAL_PAD_CIRCULAR, &tgx, &e), FAL_OK);
    for (int i = 0; i < 4; i++) assert_true(gx[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_and_reach),
        cmocka_unit_test(a_row),
        cmocka_unit_test(sums_are_rounded_once),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
