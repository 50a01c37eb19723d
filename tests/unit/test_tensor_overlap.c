/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tensor_overlap.c: shared memory of two tensors, and of two indices of one, against a map of
 * the bytes that are touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"
#include "tensor/tensor.h"

enum { BYTES = 4096 };
static unsigned char memory[BYTES];

static const fal_dtype some_types[] = {FAL_U8, FAL_F16, FAL_F32, FAL_F64};

/* A tensor somewhere in the middle of `memory`, small enough not to leave it. */
static fal_tensor random_tensor(test_stream *s, int32_t max_rank, int64_t max_stride)
{
    fal_tensor t = {.dtype = some_types[test_draw(s, 0, 3)], .rank = (int32_t)test_draw(s, 0, max_rank)};
    for (int32_t a = 0; a < t.rank; a++) {
        t.shape[a] = test_chance(s, 30) ? 0 : test_draw(s, 1, 4);
        t.strides[a] = t.shape[a] == 1 ? INT64_MIN : test_draw(s, -max_stride, max_stride);
    }
    t.data = memory + BYTES / 2 + test_draw(s, 0, 40);
    return t;
}

/* Counts how many elements cover each byte. */
static void touch(const fal_tensor *t, unsigned char *times)
{
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(t) > 0; more; more = test_next(t, index)) {
        ptrdiff_t at = (unsigned char *)fal__tensor_at(t, index) - memory;
        for (size_t b = 0; b < fal_dtype_bytes(t->dtype); b++) times[(size_t)at + b]++;
    }
}

static void two_tensors(void **state)
{
    (void)state;
    test_stream s = {21, 0};
    int shared = 0;
    for (int round = 0; round < 20000; round++) {
        /* Even strides every other round: interleaved views that never meet. */
        fal_tensor a = random_tensor(&s, 3, 12), b = random_tensor(&s, 3, 12);
        for (int32_t k = 0; round % 2 == 0 && k < 3; k++) {
            if (a.shape[k] != 1) a.strides[k] *= 2;
            if (b.shape[k] != 1) b.strides[k] *= 2;
        }
        unsigned char at_a[BYTES] = {0}, at_b[BYTES] = {0};
        touch(&a, at_a);
        touch(&b, at_b);
        bool overlap = false;
        for (int i = 0; i < BYTES; i++) overlap = overlap || (at_a[i] && at_b[i]);
        assert_int_equal(fal__tensor_overlap(&a, &b), overlap);
        assert_int_equal(fal__tensor_overlap(&b, &a), overlap);
        shared += overlap;
    }
    assert_true(shared > 2000 && shared < 18000);
}

static void one_tensor(void **state)
{
    (void)state;
    test_stream s = {22, 0};
    int shared = 0;
    for (int round = 0; round < 20000; round++) {
        fal_tensor t = random_tensor(&s, 4, 40);
        t.dtype = FAL_U8; /* the question is about elements */
        unsigned char times[BYTES] = {0};
        touch(&t, times);
        bool overlap = false;
        for (int i = 0; i < BYTES; i++) overlap = overlap || times[i] > 1;
        assert_int_equal(fal__tensor_self_overlaps(&t), overlap);
        shared += overlap;
    }
    assert_true(shared > 2000 && shared < 18000);
}

/* Layouts people use, at sizes that only an idea can decide. */
static void large_views(void **state)
{
    (void)state;
    float *data = (float *)(void *)memory; /* never read */
    fal_tensor whole = FAL_TENSOR(data, FAL_F32, 32, 224, 224, 96), read, written;
    assert_false(fal__tensor_self_overlaps(&whole));
    assert_true(fal__tensor_overlap(&whole, &whole));

    /* Two groups of channels of one NHWC buffer: apart; with a common channel: not. */
    fal_tensor_slice(&whole, 3, 0, 64, 1, &read, NULL);
    fal_tensor_slice(&whole, 3, 64, 96, 1, &written, NULL);
    assert_false(fal__tensor_overlap(&read, &written));
    fal_tensor_slice(&whole, 3, 63, 96, 1, &written, NULL);
    assert_true(fal__tensor_overlap(&read, &written));

    /* Even and odd columns, backwards. */
    fal_tensor_slice(&whole, 2, 222, -1, -2, &read, NULL);
    fal_tensor_slice(&whole, 2, 1, 224, 2, &written, NULL);
    assert_false(fal__tensor_overlap(&read, &written));
    /* The same memory in another order. */
    fal_tensor_permute(&whole, (const int32_t[]){0, 3, 1, 2}, &read, NULL);
    assert_true(fal__tensor_overlap(&read, &written));
    assert_false(fal__tensor_self_overlaps(&read));

    /* Windows overlap unless they step over their size. */
    fal_tensor_windows(&whole, 1, 2, (const int64_t[]){3, 3}, NULL, NULL, &read, NULL);
    assert_true(fal__tensor_self_overlaps(&read));
    fal_tensor_windows(&whole, 1, 2, (const int64_t[]){3, 3}, (const int64_t[]){3, 3}, NULL, &read, NULL);
    assert_false(fal__tensor_self_overlaps(&read));
}

/* Strides made to be hard: the answer comes soon, and never "no" wrongly. */
static void hopeless_views_are_decided_soon(void **state)
{
    (void)state;
    fal_tensor t = {.data = memory, .dtype = FAL_U8, .rank = FAL_MAX_RANK};
    for (int32_t a = 0; a < t.rank; a++) {
        t.shape[a] = 30;
        t.strides[a] = 1000003 + 7919 * a * a;
    }
    t.shape[0] = 2; /* 12 terms of 59 coefficients: some difference is 0 by counting alone */
    fal_tensor thin = t;
    assert_true(fal__tensor_self_overlaps(&t));
    for (int32_t a = 0; a < t.rank; a++) thin.shape[a] = 10;
    (void)fal__tensor_overlap(&t, &thin);
    fal_tensor none = {.dtype = FAL_U8};
    assert_false(fal__tensor_overlap(&t, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_tensors),
        cmocka_unit_test(one_tensor),
        cmocka_unit_test(large_views),
        cmocka_unit_test(hopeless_views_are_decided_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
