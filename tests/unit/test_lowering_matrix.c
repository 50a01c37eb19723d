/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lowering_matrix.c: the kernel matrix, dense and sparse, and its transpose.
 *
 * F vec(x) = vec(y) for random problems of both families, entry lists in order and in number, and
 * the matrix of the associated transposed convolution is F transposed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "windows.h"

/* A problem with its matrix, both row-major, beta and border value 0. */
typedef struct lowered {
    test_case c;
    fal_conv_geometry g;
    int64_t rows, columns, entries;
    test_tensor dense;
    char repro[TEST_TEXT];
} lowered;

enum { MAX_ELEMENTS = 1 << 18 };

/* False: the matrix would be too large for a test. */
static bool lowered_new(uint64_t seed, lowered *m)
{
    test_problem p = test_problem_random(seed);
    p.params.beta = 0;
    p.params.padding_value = 0;
    p.has_bias = false;
    fal_operands shapes = test_problem_shapes(&p);
    fal_error error = {0};
    test_problem_text(&p, m->repro);
    fal_status status = fal_conv_describe(p.transposed, &shapes.x, &shapes.w, &p.params, &m->g, &error);
    assert_true(test_ok(status, &error, m->repro));
    status = fal_matrix_shape(&m->g, &m->rows, &m->columns, &m->entries, &error);
    assert_true(test_ok(status, &error, m->repro));
    if (m->rows * m->columns > MAX_ELEMENTS) return false;
    m->c = test_case_new(&p, TEST_INT, 0);
    m->dense = test_tensor_new(FAL_F32, 2, (int64_t[]){m->rows, m->columns}, seed);
    status = fal_matrix_dense(&m->g, &m->c.w.t, &m->dense.t, &error);
    assert_true(test_ok(status, &error, m->repro));
    return true;
}

static void lowered_free(lowered *m)
{
    test_case_free(&m->c);
    test_tensor_free(&m->dense);
}

static void dense_times_x_is_y(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 1; checked < 80; seed++) {
        lowered m;
        if (!lowered_new(seed, &m)) continue;
        fal_operator op = test_operator(&m.c.p, TEST_FORWARD);
        test_result expected = test_result_new(&m.c, op, 0);
        test_tensor y = test_tensor_new(FAL_F32, m.c.y.t.rank, m.c.y.t.shape, 0);
        assert_int_equal(fal_reference(op, &expected.operands, &m.c.p.params, NULL), FAL_OK);
        for (int64_t n = 0; n < m.g.n; n++) {
            fal_tensor x_n = matrix_at(&m.c.x.t, n * m.columns, m.columns, 1, 1, 1);
            fal_tensor y_n = matrix_at(&y.t, n * m.rows, m.rows, 1, 1, 1);
            assert_int_equal(fal_matmul(&m.dense.t, &x_n, &y_n, NULL), FAL_OK);
        }
        assert_true(test_equal(&y.t, &expected.out.t, m.repro));
        test_tensor_free(&y);
        test_result_free(&expected);
        lowered_free(&m);
        checked++;
    }
}

static bool in_order(const fal_matrix_entry *a, const fal_matrix_entry *b)
{
    if (a->row != b->row) return a->row < b->row;
    return a->column != b->column ? a->column < b->column : a->weight < b->weight;
}

static void sparse_is_sorted_and_adds_up_to_dense(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 500; checked < 80; seed++) {
        lowered m;
        if (!lowered_new(seed, &m)) continue;
        int64_t count = -1;
        fal_matrix_entry *entries = malloc((size_t)(m.entries + 1) * sizeof *entries);
        assert_non_null(entries);
        assert_int_equal(fal_matrix_sparse(&m.g, entries, m.entries, &count, NULL), FAL_OK);
        assert_int_equal(count, m.entries);
        test_tensor sum = test_tensor_new(FAL_F32, 2, m.dense.t.shape, 0);
        assert_int_equal(fal_tensor_fill(&sum.t, 0, NULL), FAL_OK);
        for (int64_t e = 0; e < count; e++) {
            int64_t place[2] = {entries[e].row, entries[e].column}, weight[FAL_MAX_RANK];
            test_index(&m.c.w.t, entries[e].weight, weight);
            fal_tensor_set(&sum.t, place, fal_tensor_get(&sum.t, place) + fal_tensor_get(&m.c.w.t, weight));
            assert_true(e == 0 || !in_order(&entries[e], &entries[e - 1]));
        }
        assert_true(test_equal(&sum.t, &m.dense.t, m.repro));
        if (count > 0)
            assert_int_equal(fal_matrix_sparse(&m.g, entries, count - 1, &count, NULL), FAL_E_BUFSIZE);
        free(entries);
        test_tensor_free(&sum);
        lowered_free(&m);
        checked++;
    }
}

static void associated_transpose_has_the_transposed_matrix(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 1000; checked < 40; seed++) {
        lowered m;
        if (!lowered_new(seed, &m)) continue;
        if (!m.c.p.transposed && m.g.padding_mode == FAL_PAD_ZEROS) {
            fal_conv_geometry back = m.g;
            back.transposed = true;
            back.in_channels = m.g.out_channels;
            back.out_channels = m.g.in_channels;
            for (int32_t a = 0; a < m.g.spatial; a++)
                assert_int_equal(fal_associated_transpose(&m.g.axis[a], &back.axis[a], NULL), FAL_OK);
            test_tensor dense = test_tensor_new(FAL_F32, 2, (int64_t[]){m.columns, m.rows}, 0);
            fal_error error = {0};
            assert_true(test_ok(fal_matrix_dense(&back, &m.c.w.t, &dense.t, &error), &error, m.repro));
            fal_tensor expected = transposed(&m.dense.t);
            assert_true(test_equal(&dense.t, &expected, m.repro));
            test_tensor_free(&dense);
            checked++;
        }
        lowered_free(&m);
    }
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    float w[4] = {1, 2, 3, 4}, dense[9 * 4];
    fal_tensor x = FAL_TENSOR(NULL, FAL_F32, 1, 3, 3), tw = FAL_TENSOR(w, FAL_F32, 1, 1, 2, 2),
               matrix = FAL_TENSOR(dense, FAL_F32, 4, 9);
    fal_conv_geometry g;
    fal_error error = {0};
    fal_matrix_entry entries[16];
    int64_t count = 0;
    assert_int_equal(fal_conv_describe(false, &x, &tw, NULL, &g, &error), FAL_OK);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, &error), FAL_OK);
    assert_int_equal(fal_matrix_sparse(&g, entries, 16, &count, &error), FAL_OK);
    assert_int_equal(count, 16);
    assert_int_equal(fal_matrix_sparse(&g, entries, 15, &count, &error), FAL_E_BUFSIZE);
    assert_int_equal(fal_matrix_sparse(&g, NULL, 16, &count, &error), FAL_E_NULL);
    assert_int_equal(fal_matrix_shape(NULL, NULL, NULL, NULL, &error), FAL_E_NULL);
    matrix = FAL_TENSOR(dense, FAL_F32, 9, 4);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, &error), FAL_E_SHAPE);
    assert_string_equal(error.allowed, "must be (4,9)");
    matrix = FAL_TENSOR(dense, FAL_I32, 4, 9);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, &error), FAL_E_DTYPE);
    matrix = FAL_TENSOR(w, FAL_F32, 4, 9);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, &error), FAL_E_ALIAS);
    tw = FAL_TENSOR(w, FAL_F32, 1, 1, 2, 1);
    matrix = FAL_TENSOR(dense, FAL_F32, 4, 9);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, &error), FAL_E_SHAPE);
}

/* Two weights of a circular border meet in one place of an i8 matrix. */
static void integers_fit_or_are_refused(void **state)
{
    (void)state;
    int8_t w[2] = {100, 27}, dense[1];
    fal_tensor x = FAL_TENSOR(NULL, FAL_I8, 1, 1), tw = FAL_TENSOR(w, FAL_I8, 1, 1, 2),
               matrix = FAL_TENSOR(dense, FAL_I8, 1, 1);
    fal_conv_params params = {.padding_end = {1}, .padding_mode = FAL_PAD_CIRCULAR};
    fal_conv_geometry g;
    assert_int_equal(fal_conv_describe(false, &x, &tw, &params, &g, NULL), FAL_OK);
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, NULL), FAL_OK);
    assert_int_equal(dense[0], 127);
    w[1] = 28;
    assert_int_equal(fal_matrix_dense(&g, &tw, &matrix, NULL), FAL_E_OVERFLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_times_x_is_y),
        cmocka_unit_test(sparse_is_sorted_and_adds_up_to_dense),
        cmocka_unit_test(associated_transpose_has_the_transposed_matrix),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(integers_fit_or_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
