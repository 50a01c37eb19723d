/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_tensor_views.c: every view against the index arithmetic that defines it.
 *
 * Random small tensors with random strides; for each index of the view the index in the source is
 * computed from the definition, and both must have one address. Refusals are in
 * test_tensor_refusals.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"
#include "tensor/tensor.h"

enum { ROUNDS = 2000 };

/* A random tensor: any strides, sometimes empty axes, sizes to 5. Only addresses are compared. */
static fal_tensor random_tensor(test_stream *s, int32_t max_rank)
{
    static float anywhere[2000];
    fal_tensor t = {.data = anywhere + 1000, .dtype = FAL_F32, .rank = (int32_t)test_draw(s, 0, max_rank)};
    for (int32_t a = 0; a < t.rank; a++) {
        t.shape[a] = test_chance(s, 12) ? 0 : test_draw(s, 1, 5);
        t.strides[a] = t.shape[a] == 1 ? INT64_MIN : test_draw(s, -30, 30); /* that of size 1 is never used */
    }
    t.flags = test_chance(s, 5) ? FAL_READ_ONLY : 0;
    return t;
}

/* A rank for which random_tensor has axes. */
static fal_tensor random_tensor_with_axes(test_stream *s, int32_t max_rank)
{
    fal_tensor t;
    do t = random_tensor(s, max_rank);
    while (t.rank == 0);
    return t;
}

static void expect_shape(const fal_tensor *view, int32_t rank, const int64_t *shape)
{
    assert_int_equal(view->rank, rank);
    for (int32_t a = 0; a < rank; a++) assert_int_equal(view->shape[a], shape[a]);
}

static void permute(void **state)
{
    (void)state;
    test_stream s = {11, 0};
    for (int round = 0; round < ROUNDS; round++) {
        fal_tensor t = random_tensor(&s, 5), view;
        int32_t axes[FAL_MAX_RANK];
        int64_t shape[FAL_MAX_RANK] = {0};
        for (int32_t a = 0; a < t.rank; a++) {
            int32_t j = (int32_t)test_draw(&s, 0, a);
            axes[a] = axes[j];
            axes[j] = a;
        }
        for (int32_t j = 0; j < t.rank; j++) shape[j] = t.shape[axes[j]];
        assert_int_equal(fal_tensor_permute(&t, axes, &view, NULL), FAL_OK);
        expect_shape(&view, t.rank, shape);
        assert_int_equal(view.flags, t.flags);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK] = {0};
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            for (int32_t j = 0; j < t.rank; j++) from[axes[j]] = i[j];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
        /* The result may be the input. */
        assert_int_equal(fal_tensor_permute(&t, axes, &t, NULL), FAL_OK);
        assert_memory_equal(&t, &view, sizeof t);
    }
}

/* One slice: the elements are found by stepping as Python does. */
static void check_slice(const fal_tensor *t, int32_t axis, int64_t start, int64_t stop, int64_t step)
{
    fal_tensor view;
    assert_int_equal(fal_tensor_slice(t, axis, start, stop, step, &view, NULL), FAL_OK);
    int64_t places[8], count = 0;
    for (int64_t at = start; step > 0 ? at < stop : at > stop; at += step) {
        places[count++] = at;
        if (step > 10 || step < -10) break; /* the next one is beyond every axis */
    }
    int64_t shape[FAL_MAX_RANK], i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
    memcpy(shape, t->shape, sizeof shape);
    shape[axis] = count;
    expect_shape(&view, t->rank, shape);
    for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
        memcpy(from, i, sizeof from);
        from[axis] = places[i[axis]];
        assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(t, from));
    }
}

static void slice(void **state)
{
    (void)state;
    test_stream s = {12, 0};
    for (int round = 0; round < 100; round++) {
        fal_tensor t = random_tensor_with_axes(&s, 3);
        int32_t axis = (int32_t)test_draw(&s, 0, t.rank - 1);
        int64_t size = t.shape[axis];
        const int64_t paces[] = {1, 2, 3, 7, INT64_MAX};
        for (size_t p = 0; p < sizeof paces / sizeof *paces; p++) {
            for (int64_t start = 0; start <= size; start++)
                for (int64_t stop = 0; stop <= size; stop++) check_slice(&t, axis, start, stop, paces[p]);
            for (int64_t start = -1; start < size; start++)
                for (int64_t stop = -1; stop < size; stop++) check_slice(&t, axis, start, stop, -paces[p]);
        }
        check_slice(&t, axis, size - 1, -1, INT64_MIN);
    }
}

static void flip(void **state)
{
    (void)state;
    test_stream s = {13, 0};
    for (int round = 0; round < ROUNDS; round++) {
        fal_tensor t = random_tensor_with_axes(&s, 4), view;
        int32_t axis = (int32_t)test_draw(&s, 0, t.rank - 1);
        assert_int_equal(fal_tensor_flip(&t, axis, &view, NULL), FAL_OK);
        expect_shape(&view, t.rank, t.shape);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            memcpy(from, i, sizeof from);
            from[axis] = t.shape[axis] - 1 - i[axis];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
    }
}

static void broadcast(void **state)
{
    (void)state;
    test_stream s = {14, 0};
    for (int round = 0; round < ROUNDS; round++) {
        fal_tensor t = random_tensor(&s, 4), view;
        int32_t more_axes = (int32_t)test_draw(&s, 0, 3), rank = t.rank + more_axes;
        int64_t shape[FAL_MAX_RANK];
        for (int32_t a = 0; a < rank; a++) {
            int64_t size = a < more_axes ? 1 : t.shape[a - more_axes];
            shape[a] = size == 1 ? test_draw(&s, 0, 3) : size;
        }
        assert_int_equal(fal_tensor_broadcast(&t, rank, shape, &view, NULL), FAL_OK);
        expect_shape(&view, rank, shape);
        assert_true(view.flags & FAL_READ_ONLY);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            for (int32_t a = 0; a < t.rank; a++) from[a] = t.shape[a] == 1 ? 0 : i[a + more_axes];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
    }
}

static void tile(void **state)
{
    (void)state;
    test_stream s = {15, 0};
    for (int round = 0; round < ROUNDS; round++) {
        fal_tensor t = random_tensor(&s, 3), view;
        int64_t tiles[FAL_MAX_RANK], shape[FAL_MAX_RANK];
        for (int32_t a = 0; a < t.rank; a++) {
            tiles[a] = test_draw(&s, 1, 3);
            t.shape[a] *= tiles[a];
            if (t.shape[a] > 1 && t.strides[a] == INT64_MIN) t.strides[a] = test_draw(&s, -30, 30);
            shape[a] = t.shape[a] / tiles[a];
            shape[a + t.rank] = tiles[a];
        }
        assert_int_equal(fal_tensor_tile(&t, tiles, &view, NULL), FAL_OK);
        expect_shape(&view, 2 * t.rank, shape);
        assert_int_equal(view.flags, t.flags);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            for (int32_t a = 0; a < t.rank; a++) from[a] = i[a] * tiles[a] + i[a + t.rank];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
    }
}

static void windows(void **state)
{
    (void)state;
    test_stream s = {16, 0};
    int done = 0;
    while (done < ROUNDS) {
        fal_tensor t = random_tensor_with_axes(&s, 4), view;
        int32_t first = (int32_t)test_draw(&s, 0, t.rank - 1),
                count = (int32_t)test_draw(&s, 1, t.rank - first);
        int64_t k[FAL_MAX_RANK], stride[FAL_MAX_RANK], d[FAL_MAX_RANK], shape[FAL_MAX_RANK];
        bool dense = test_chance(&s, 4), fits = true;
        memcpy(shape, t.shape, sizeof shape);
        for (int32_t j = 0; j < count; j++) {
            k[j] = test_draw(&s, 1, 3);
            stride[j] = dense ? 1 : test_draw(&s, 1, 3);
            d[j] = dense ? 1 : test_draw(&s, 1, 2);
            int64_t positions = 0;
            while (positions * stride[j] + (k[j] - 1) * d[j] < t.shape[first + j]) positions++;
            shape[first + j] = positions;
            fits = fits && positions > 0;
        }
        for (int32_t a = first; a < t.rank; a++)
            if (a >= first + count) shape[a + count] = t.shape[a];
        for (int32_t j = 0; j < count; j++) shape[first + count + j] = k[j];
        fal_status status =
            fal_tensor_windows(&t, first, count, k, dense ? NULL : stride, dense ? NULL : d, &view, NULL);
        assert_int_equal(status, fits ? FAL_OK : FAL_E_KERNEL);
        if (!fits) continue;
        done++;
        expect_shape(&view, t.rank + count, shape);
        assert_true(view.flags & FAL_READ_ONLY);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            for (int32_t a = 0; a < t.rank; a++) from[a] = a < first ? i[a] : i[a + count];
            for (int32_t j = 0; j < count; j++)
                from[first + j] = i[first + j] * stride[j] + i[first + count + j] * d[j];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
    }
}

static void shuffle(void **state)
{
    (void)state;
    test_stream s = {17, 0};
    for (int round = 0; round < ROUNDS; round++) {
        fal_tensor t = random_tensor_with_axes(&s, 3), view;
        int32_t axis = (int32_t)test_draw(&s, 0, t.rank - 1);
        int64_t groups = test_draw(&s, 1, 3), channels = t.shape[axis];
        t.shape[axis] *= groups;
        if (t.shape[axis] > 1 && t.strides[axis] == INT64_MIN) t.strides[axis] = test_draw(&s, -30, 30);
        assert_int_equal(fal_tensor_shuffle(&t, axis, groups, &view, NULL), FAL_OK);
        assert_int_equal(view.rank, t.rank + 1);
        int64_t i[FAL_MAX_RANK] = {0}, from[FAL_MAX_RANK];
        for (bool more = fal_tensor_count(&view) > 0; more; more = test_next(&view, i)) {
            for (int32_t a = 0; a < t.rank; a++) from[a] = a < axis ? i[a] : i[a + 1];
            from[axis] = i[axis + 1] * channels + i[axis];
            assert_ptr_equal(fal__tensor_at(&view, i), fal__tensor_at(&t, from));
        }
    }
}

/* Are there strides for `shape` that visit the elements of `t` in its order? Row-major numbers of
 * [1,0..], [0,1..] fix the strides; then every element is compared. */
static bool can_reshape(const fal_tensor *t, int32_t rank, const int64_t *shape)
{
    void *addresses[256];
    int64_t i[FAL_MAX_RANK] = {0}, count = 0;
    for (bool more = true; more; more = test_next(t, i)) addresses[count++] = fal__tensor_at(t, i);
    fal_tensor to = {.data = t->data, .dtype = t->dtype, .rank = rank};
    int64_t unit = 1;
    for (int32_t a = rank - 1; a >= 0; a--) {
        to.shape[a] = shape[a];
        if (shape[a] > 1)
            to.strides[a] = ((char *)addresses[unit] - (char *)t->data) / (int64_t)sizeof(float);
        unit *= shape[a];
    }
    memset(i, 0, sizeof i);
    count = 0;
    for (bool more = true; more; more = test_next(&to, i))
        if (fal__tensor_at(&to, i) != addresses[count++]) return false;
    return true;
}

/* A random factorisation of `count` with some ones. */
static int32_t random_shape_of(test_stream *s, int64_t count, int64_t *shape)
{
    int32_t rank = 0;
    while (rank < FAL_MAX_RANK - 1 && (count > 1 || test_chance(s, 3))) {
        int64_t factor = test_draw(s, 1, 6);
        if (count % factor != 0) continue;
        shape[rank++] = factor;
        count /= factor;
    }
    if (count > 1 || rank == 0) shape[rank++] = count;
    return rank;
}

static void reshape_finds_a_view_exactly_when_there_is_one(void **state)
{
    (void)state;
    test_stream s = {18, 0};
    int found = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        /* Cut, permuted and stepped views of a compact buffer: some reshape, some do not. */
        static float anywhere[2000];
        fal_tensor t = fal_tensor_of(anywhere + 500, FAL_F32, 4, (const int64_t[]){2, 1, 3, 4}), view;
        if (test_chance(&s, 2)) t.shape[3] = test_draw(&s, 1, 4);
        if (test_chance(&s, 3)) assert_int_equal(fal_tensor_slice(&t, 0, 1, -1, -1, &t, NULL), FAL_OK);
        if (test_chance(&s, 3)) assert_int_equal(fal_tensor_slice(&t, 2, 0, 3, 2, &t, NULL), FAL_OK);
        if (test_chance(&s, 3))
            assert_int_equal(fal_tensor_permute(&t, (const int32_t[]){2, 3, 1, 0}, &t, NULL), FAL_OK);
        if (test_chance(&s, 4)) t.strides[0] = 0;
        if (test_chance(&s, 4)) {
            int32_t a = (int32_t)test_draw(&s, 0, 3);
            if (t.shape[a] == 1) t.strides[a] = INT64_MAX; /* means nothing */
        }
        int64_t shape[FAL_MAX_RANK];
        int32_t rank = random_shape_of(&s, fal_tensor_count(&t), shape);
        bool possible = can_reshape(&t, rank, shape);
        assert_int_equal(fal_tensor_reshape(&t, rank, shape, &view, NULL), possible ? FAL_OK : FAL_E_LAYOUT);
        found += possible;
        refused += !possible;
        if (!possible) continue;
        expect_shape(&view, rank, shape);
        assert_int_equal(fal_tensor_check(&view, "view", NULL), FAL_OK);
        int64_t i[FAL_MAX_RANK] = {0}, j[FAL_MAX_RANK] = {0};
        for (bool more = true; more; more = test_next(&t, i), test_next(&view, j))
            assert_ptr_equal(fal__tensor_at(&view, j), fal__tensor_at(&t, i));
    }
    assert_true(found > 1000 && refused > 1000);
}

static void reshape_of_empty_and_of_one(void **state)
{
    (void)state;
    float x;
    fal_tensor empty = FAL_TENSOR(&x, FAL_F32, 4, 0, 3), view;
    empty.strides[0] = 1;
    assert_int_equal(fal_tensor_reshape(&empty, 2, (const int64_t[]){7, 0}, &view, NULL), FAL_OK);
    assert_true(view.strides[0] == 1 && view.strides[1] == 1);
    fal_tensor one = FAL_TENSOR(&x, FAL_F32, 1, 1);
    assert_int_equal(fal_tensor_reshape(&one, 0, NULL, &view, NULL), FAL_OK);
    assert_int_equal(view.rank, 0);
    assert_int_equal(fal_tensor_reshape(&view, 3, (const int64_t[]){1, 1, 1}, &view, NULL), FAL_OK);
    assert_int_equal(fal_tensor_count(&view), 1);
}

/* The views of the lecture notes. */
static void worked_examples(void **state)
{
    (void)state;
    int32_t data[36];
    for (int i = 0; i < 36; i++) data[i] = i + 1;
    fal_tensor t = FAL_TENSOR(data, FAL_I32, 6, 6), view;
    assert_int_equal(fal_tensor_tile(&t, (const int64_t[]){2, 2}, &view, NULL), FAL_OK);
    expect_shape(&view, 4, (const int64_t[]){3, 3, 2, 2});
    assert_memory_equal(view.strides, ((const int64_t[]){12, 2, 6, 1}), 4 * sizeof(int64_t));

    assert_int_equal(fal_tensor_windows(&t, 0, 2, (const int64_t[]){3, 3}, NULL, NULL, &view, NULL), FAL_OK);
    expect_shape(&view, 4, (const int64_t[]){4, 4, 3, 3});
    assert_memory_equal(view.strides, ((const int64_t[]){6, 1, 6, 1}), 4 * sizeof(int64_t));
    assert_int_equal(fal_tensor_get_int(&view, (const int64_t[]){0, 0, 0, 0}), 1);
    const int64_t window[] = {8, 9, 10, 14, 15, 16, 20, 21, 22};
    for (int i = 0; i < 9; i++)
        assert_int_equal(fal_tensor_get_int(&view, (const int64_t[]){1, 1, i / 3, i % 3}), window[i]);

    /* NHWC, N=2 H=5 W=6 C=4 K=3. */
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 2, 5, 6, 4);
    assert_int_equal(fal_tensor_windows(&x, 1, 2, (const int64_t[]){3, 3}, NULL, NULL, &view, NULL), FAL_OK);
    expect_shape(&view, 6, (const int64_t[]){2, 3, 4, 3, 3, 4});
    assert_memory_equal(view.strides, ((const int64_t[]){120, 24, 4, 24, 4, 1}), 6 * sizeof(int64_t));
    assert_null(view.data);

    /* The channel shuffle of 6 channels in 2 groups reads 0 3 1 4 2 5. */
    fal_tensor c = FAL_TENSOR(data, FAL_I32, 6);
    assert_int_equal(fal_tensor_shuffle(&c, 0, 2, &view, NULL), FAL_OK);
    const int64_t order[] = {1, 4, 2, 5, 3, 6};
    for (int i = 0; i < 6; i++)
        assert_int_equal(fal_tensor_get_int(&view, (const int64_t[]){i / 2, i % 2}), order[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permute),
        cmocka_unit_test(slice),
        cmocka_unit_test(flip),
        cmocka_unit_test(broadcast),
        cmocka_unit_test(tile),
        cmocka_unit_test(windows),
        cmocka_unit_test(shuffle),
        cmocka_unit_test(reshape_finds_a_view_exactly_when_there_is_one),
        cmocka_unit_test(reshape_of_empty_and_of_one),
        cmocka_unit_test(worked_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
