/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lowering_unfold.c: unfold, fold and the im2col view.
 *
 * unfold is compared element by element with its definition, fold with unfold through the adjoint
 * identity and the coverage counts, the view with the copy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "products.h"
#include "windows.h"

/* x and cols of a random problem; cols has random strides. */
typedef struct columns {
    test_problem p;
    fal_conv_geometry g; /* of a convolution of the same windows */
    test_tensor x, cols;
    char repro[TEST_TEXT];
} columns;

static columns columns_new(uint64_t seed)
{
    columns c = {.p = random_windows(seed)};
    fal_operands shapes = test_problem_shapes(&c.p);
    fal_tensor cols;
    fal_error error = {0};
    test_problem_text(&c.p, c.repro);
    c.x = test_tensor_new(shapes.x.dtype, shapes.x.rank, shapes.x.shape, seed);
    test_fill_tensor(&c.x.t, TEST_INT, seed);
    assert_true(
        test_ok(fal_conv_describe(false, &shapes.x, &shapes.w, &c.p.params, &c.g, &error), &error, c.repro));
    assert_true(test_ok(fal_unfold_shape(&c.x.t, &c.p.params, &cols, &error), &error, c.repro));
    c.cols = test_tensor_new(cols.dtype, cols.rank, cols.shape, seed + 1);
    return c;
}

static void columns_free(columns *c)
{
    test_tensor_free(&c->x);
    test_tensor_free(&c->cols);
}

/* The column element of (n, c, t, o). */
static void column_index(const columns *c, int64_t n, int64_t channel, const int64_t *t, const int64_t *o,
                         int64_t *index)
{
    int64_t tap = 0, window = 0, taps = product_of(c->p.k, c->p.spatial);
    for (int32_t a = 0; a < c->p.spatial; a++) {
        tap = tap * c->p.k[a] + t[a];
        window = window * c->p.out[a] + o[a];
    }
    int32_t first = c->p.batched ? 1 : 0;
    index[0] = n;
    if (c->p.params.layout == FAL_NCHW) {
        index[first] = channel * taps + tap;
        index[first + 1] = window;
    } else {
        index[first] = window;
        index[first + 1] = tap * c->g.in_channels + channel;
    }
}

/* What stands in x~ under tap t of window o. */
static double window_value(const columns *c, int64_t n, int64_t channel, const int64_t *t, const int64_t *o)
{
    int64_t cell[FAL_MAX_SPATIAL], index[FAL_MAX_RANK];
    for (int32_t a = 0; a < c->p.spatial; a++) {
        const fal_axis *axis = &c->g.axis[a];
        int64_t walk = c->p.params.flip_kernel ? axis->kernel - 1 - t[a] : t[a];
        int64_t position = o[a] * axis->stride + walk * axis->dilation - axis->begin;
        cell[a] = walk_border(c->p.params.padding_mode, position, axis->input);
        if (cell[a] < 0) return c->p.params.padding_mode == FAL_PAD_CONSTANT ? c->p.params.padding_value : 0;
    }
    data_index(&c->g, n, channel, cell, index);
    return fal_tensor_get(&c->x.t, index);
}

static int wrong_columns(const columns *c)
{
    int wrong = 0;
    int64_t index[FAL_MAX_RANK];
    for (int64_t n = 0; n < c->g.n; n++)
        for (int64_t channel = 0; channel < c->g.in_channels; channel++) {
            int64_t t[FAL_MAX_SPATIAL] = {0};
            do {
                int64_t o[FAL_MAX_SPATIAL] = {0};
                do {
                    column_index(c, n, channel, t, o, index);
                    wrong += fal_tensor_get(&c->cols.t, index) != window_value(c, n, channel, t, o);
                } while (box_next(c->p.spatial, c->p.out, o));
            } while (box_next(c->p.spatial, c->p.k, t));
        }
    if (wrong) print_error("%s: %d wrong columns\n", c->repro, wrong);
    return wrong;
}

static void unfold_is_its_definition(void **state)
{
    (void)state;
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 80; seed++) {
        columns c = columns_new(seed);
        fal_error error = {0};
        assert_true(test_ok(fal_unfold(&c.x.t, &c.p.params, &c.cols.t, &error), &error, c.repro));
        wrong += wrong_columns(&c) != 0 || !test_tensor_gaps_intact(&c.cols);
        columns_free(&c);
    }
    assert_int_equal(wrong, 0);
}

/* <unfold(x), z> = <x, fold(z)>; a constant border is not linear and becomes 0. */
static void fold_is_the_adjoint_of_unfold(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 180; seed++) {
        columns c = columns_new(seed);
        fal_error error = {0};
        c.p.params.padding_value = 0;
        test_tensor z = test_made(FAL_F32, c.cols.t.rank, c.cols.t.shape, TEST_INT, seed + 2);
        test_tensor folded = test_tensor_new(FAL_F32, c.x.t.rank, c.x.t.shape, seed + 3);
        assert_true(test_ok(fal_unfold(&c.x.t, &c.p.params, &c.cols.t, &error), &error, c.repro));
        assert_true(test_ok(fal_fold(&z.t, &c.p.params, &folded.t, &error), &error, c.repro));
        assert_true(test_dot(&c.cols.t, &z.t) == test_dot(&c.x.t, &folded.t));
        assert_true(test_tensor_gaps_intact(&folded));
        test_tensor_free(&z);
        test_tensor_free(&folded);
        columns_free(&c);
    }
}

/* Multiplies every cell of `t` by the number of windows that cover it: the product over its axes. */
static void multiply_by_coverage(const columns *c, const fal_tensor *t)
{
    enum { LONGEST = 256 };
    int64_t counts[FAL_MAX_SPATIAL][LONGEST], at[FAL_MAX_RANK] = {0};
    int32_t first = (c->p.batched ? 1 : 0) + (c->p.params.layout == FAL_NCHW ? 1 : 0);
    for (int32_t a = 0; a < c->p.spatial; a++) {
        assert_true(c->p.in[a] <= LONGEST);
        assert_int_equal(fal_coverage_inputs(&c->g.axis[a], false, counts[a], NULL), FAL_OK);
    }
    do {
        double value = fal_tensor_get(t, at);
        for (int32_t a = 0; a < c->p.spatial; a++) value *= (double)counts[a][at[first + a]];
        fal_tensor_set(t, at, value);
    } while (test_next(t, at));
}

static void fold_of_unfold_is_coverage_times_x(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 200; checked < 40; seed++) {
        columns c = columns_new(seed);
        if (c.p.params.padding_mode == FAL_PAD_ZEROS) {
            test_tensor folded = test_tensor_new(FAL_F32, c.x.t.rank, c.x.t.shape, 0);
            assert_int_equal(fal_unfold(&c.x.t, &c.p.params, &c.cols.t, NULL), FAL_OK);
            assert_int_equal(fal_fold(&c.cols.t, &c.p.params, &folded.t, NULL), FAL_OK);
            multiply_by_coverage(&c, &c.x.t);
            assert_true(test_equal(&folded.t, &c.x.t, c.repro));
            test_tensor_free(&folded);
            checked++;
        }
        columns_free(&c);
    }
}

/* The axes of the view in the order (n, c, k..., o...) or (n, o..., k..., c) of the copy. */
static void as_columns(const columns *c, const fal_tensor *view, fal_tensor *out)
{
    int32_t axes[FAL_MAX_RANK], spatial = c->p.spatial;
    int32_t first = (c->p.batched ? 1 : 0) + (c->p.params.layout == FAL_NCHW ? 1 : 0);
    for (int32_t a = 0; a < view->rank; a++) axes[a] = a;
    for (int32_t a = 0; a < spatial && c->p.params.layout == FAL_NCHW; a++) {
        axes[first + a] = first + spatial + a;
        axes[first + spatial + a] = first + a;
    }
    assert_int_equal(fal_tensor_permute(view, axes, out, NULL), FAL_OK);
}

static void view_equals_the_copy(void **state)
{
    (void)state;
    int views = 0;
    for (uint64_t seed = 300; views < 50; seed++) {
        assert_true(seed < 3000); /* problems without padding are not that rare */
        columns c = columns_new(seed);
        fal_tensor view, ordered;
        fal_status status = fal_unfold_view(&c.x.t, &c.p.params, &view, NULL);
        if (status == FAL_OK) {
            views++;
            as_columns(&c, &view, &ordered);
            test_tensor compact = test_tensor_copy(&ordered, FAL_F32);
            fal_tensor flat;
            assert_int_equal(fal_tensor_reshape(&compact.t, c.cols.t.rank, c.cols.t.shape, &flat, NULL),
                             FAL_OK);
            assert_int_equal(fal_unfold(&c.x.t, &c.p.params, &c.cols.t, NULL), FAL_OK);
            assert_true(test_equal(&flat, &c.cols.t, c.repro));
            assert_true(view.flags & FAL_READ_ONLY);
            test_tensor_free(&compact);
        }
        columns_free(&c);
    }
}

static void other_types_and_shapes(void **state)
{
    (void)state;
    fal_tensor cols, x = FAL_TENSOR(NULL, FAL_F32, 2, 5, 3, 4);
    fal_conv_params params = {.kernel = {2, 3}};
    assert_int_equal(fal_unfold_shape(&x, &params, &cols, NULL), FAL_OK);
    assert_true(cols.rank == 3 && cols.shape[0] == 2 && cols.shape[1] == 30 && cols.shape[2] == 4);
    x = FAL_TENSOR(NULL, FAL_F32, 2, 3, 4, 5);
    params.layout = FAL_NHWC;
    assert_int_equal(fal_unfold_shape(&x, &params, &cols, NULL), FAL_OK);
    assert_true(cols.rank == 3 && cols.shape[1] == 4 && cols.shape[2] == 30);
    /* Integers: copied as they are, summed exactly. */
    int64_t big[3] = {INT64_MAX, 1, 2}, unfolded[4], sums[3];
    fal_tensor in = FAL_TENSOR(big, FAL_I64, 1, 3), out = FAL_TENSOR(unfolded, FAL_I64, 2, 2);
    fal_conv_params two = {.kernel = {2}, .spatial = 1};
    fal_error error = {0};
    assert_int_equal(fal_unfold(&in, &two, &out, NULL), FAL_OK);
    assert_true(unfolded[0] == INT64_MAX && unfolded[1] == 1 && unfolded[2] == 1 && unfolded[3] == 2);
    fal_tensor back = FAL_TENSOR(sums, FAL_I64, 1, 3);
    assert_int_equal(fal_fold(&out, &two, &back, NULL), FAL_OK);
    assert_true(sums[0] == INT64_MAX && sums[1] == 2 && sums[2] == 2);
    unfolded[1] = INT64_MAX;
    assert_int_equal(fal_fold(&out, &two, &back, &error), FAL_E_OVERFLOW);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    float data[12] = {0}, out[64];
    fal_tensor x = FAL_TENSOR(data, FAL_F32, 1, 1, 3, 4), cols = FAL_TENSOR(out, FAL_F32, 1, 4, 6), view;
    fal_conv_params params = {.kernel = {2, 2}};
    fal_error error = {0};
    assert_int_equal(fal_unfold(&x, &params, &cols, &error), FAL_OK);
    assert_int_equal(fal_unfold(NULL, &params, &cols, &error), FAL_E_NULL);
    assert_int_equal(fal_unfold(&x, NULL, &cols, &error), FAL_E_KERNEL);
    assert_int_equal(fal_unfold(&x, &params, NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_unfold_shape(&x, &params, NULL, &error), FAL_E_NULL);
    assert_int_equal(fal_unfold_view(&x, &params, NULL, &error), FAL_E_NULL);
    cols = FAL_TENSOR(out, FAL_F32, 1, 4, 5);
    assert_int_equal(fal_unfold(&x, &params, &cols, &error), FAL_E_SHAPE);
    assert_string_equal(error.found, "cols is (1,4,5)");
    assert_string_equal(error.allowed, "must be (1,4,6)");
    cols = FAL_TENSOR(data, FAL_F32, 1, 4, 6);
    assert_int_equal(fal_fold(&cols, &params, &x, &error), FAL_E_ALIAS);
    cols = FAL_TENSOR(out, FAL_I32, 1, 4, 6);
    assert_int_equal(fal_unfold(&x, &params, &cols, &error), FAL_E_DTYPE);
    params.padding_begin[1] = 1;
    assert_int_equal(fal_unfold_view(&x, &params, &view, &error), FAL_E_LAYOUT);
    assert_string_equal(error.found, "axis 1: windows read -1..3 of 0..3");
    params.spatial = 4;
    assert_int_equal(fal_unfold_view(&x, &params, &view, &error), FAL_E_VALUE);
    params.spatial = 0;
    params.kernel[0] = 4;
    assert_int_equal(fal_unfold_view(&x, &params, &view, &error), FAL_E_KERNEL);
    x.rank = 2;
    assert_int_equal(fal_unfold_view(&x, &params, &view, &error), FAL_E_RANK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unfold_is_its_definition),
        cmocka_unit_test(fold_is_the_adjoint_of_unfold),
        cmocka_unit_test(fold_of_unfold_is_coverage_times_x),
        cmocka_unit_test(view_equals_the_copy),
        cmocka_unit_test(other_types_and_shapes),
        cmocka_unit_test(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
