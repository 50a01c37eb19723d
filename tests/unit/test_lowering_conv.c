/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lowering_conv.c: a convolution through every unfolding equals the reference.
 *
 * Unfold the input and multiply, group by group: with windows as columns, with windows as rows, and
 * with the view of a padded copy in place of im2col's copy. Random problems, small integers, exact.
 *
 *     windows as columns   Y (oc, P) = W (oc, R) C (R, P)           R = rows of one group: ic/g * K
 *     windows as rows      Y' (P, oc) = C' (P, R) W' (R, oc)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "windows.h"

typedef enum form { AS_COLUMNS, AS_ROWS, FROM_VIEW } form;

typedef struct sizes {
    bool channels_last;
    int64_t rows, windows, oc, channels; /* R, P, oc of one group, oc of all groups */
} sizes;

static sizes sizes_of(const test_problem *p)
{
    return (sizes){.channels_last = p->params.layout == FAL_NHWC,
                   .rows = p->ic * product_of(p->k, p->spatial),
                   .windows = product_of(p->out, p->spatial),
                   .oc = p->oc,
                   .channels = p->oc * p->params.groups};
}

/* W (oc, R) of group g and Y (oc, P) of image n and group g, in row-major w and y. */
static fal_tensor weight_matrix(const sizes *s, const fal_tensor *w, int64_t g)
{
    if (s->channels_last) return matrix_at(w, g * s->oc, s->oc, 1, s->rows, s->channels);
    return matrix_at(w, g * s->oc * s->rows, s->oc, s->rows, s->rows, 1);
}

static fal_tensor output_matrix(const sizes *s, const fal_tensor *y, int64_t n, int64_t g)
{
    if (s->channels_last)
        return matrix_at(y, n * s->windows * s->channels + g * s->oc, s->oc, 1, s->windows, s->channels);
    return matrix_at(y, (n * s->channels + g * s->oc) * s->windows, s->oc, s->windows, s->windows, 1);
}

/* The column tensor of `memory` (n * R * P elements) in which consecutive elements run along windows
 * (`by_window`) or along rows; and C (R, P) of image n in it. */
static fal_tensor column_tensor(const test_problem *p, const sizes *s, const fal_tensor *memory,
                                bool by_window)
{
    int64_t row = by_window ? s->windows : 1, window = by_window ? 1 : s->rows;
    fal_tensor cols = {.data = memory->data, .dtype = memory->dtype, .rank = p->batched ? 3 : 2};
    int32_t a = 0;
    if (p->batched) {
        cols.shape[a] = p->n;
        cols.strides[a++] = s->rows * s->windows;
    }
    int32_t row_axis = s->channels_last ? a + 1 : a, window_axis = s->channels_last ? a : a + 1;
    cols.shape[row_axis] = s->rows;
    cols.strides[row_axis] = row;
    cols.shape[window_axis] = s->windows;
    cols.strides[window_axis] = window;
    return cols;
}

static fal_tensor column_matrix(const sizes *s, const fal_tensor *memory, bool by_window, int64_t n)
{
    return matrix_at(memory, n * s->rows * s->windows, s->rows, by_window ? s->windows : 1, s->windows,
                     by_window ? 1 : s->rows);
}

/* The columns of x through the view: pad a copy, look at its windows, copy them in the layout's order. */
static void columns_from_view(const test_problem *p, const fal_conv_geometry *g, const fal_tensor *x,
                              const fal_tensor *cols)
{
    int64_t shape[FAL_MAX_RANK], begin[FAL_MAX_RANK] = {0};
    int32_t first = (p->batched ? 1 : 0) + (p->params.layout == FAL_NCHW ? 1 : 0), axes[FAL_MAX_RANK];
    fal_conv_params inside = p->params;
    inside.padding = FAL_PADDING_VALID;
    for (int32_t a = 0; a < x->rank; a++) shape[a] = x->shape[a];
    for (int32_t a = 0; a < p->spatial; a++) {
        inside.padding_begin[a] = inside.padding_end[a] = 0;
        begin[first + a] = g->axis[a].begin;
        shape[first + a] += g->axis[a].begin + g->axis[a].end;
    }
    test_tensor padded = test_tensor_new(x->dtype, x->rank, shape, p->seed);
    fal_tensor view, flat;
    fal_padding_mode mode = p->params.padding_mode;
    assert_int_equal(fal_tensor_pad(x, begin, mode, p->params.padding_value, &padded.t, NULL), FAL_OK);
    assert_int_equal(fal_unfold_view(&padded.t, &inside, &view, NULL), FAL_OK);
    for (int32_t a = 0; a < view.rank; a++) axes[a] = a;
    for (int32_t a = 0; a < p->spatial && p->params.layout == FAL_NCHW; a++) {
        axes[first + a] = first + p->spatial + a;
        axes[first + p->spatial + a] = first + a;
    }
    assert_int_equal(fal_tensor_permute(&view, axes, &view, NULL), FAL_OK);
    test_tensor copy = test_tensor_copy(&view, x->dtype);
    assert_int_equal(fal_tensor_reshape(&copy.t, cols->rank, cols->shape, &flat, NULL), FAL_OK);
    assert_int_equal(fal_tensor_copy(&flat, cols, NULL), FAL_OK);
    test_tensor_free(&copy);
    test_tensor_free(&padded);
}

/* One group of every image. */
static void convolve_group(const test_case *c, const fal_conv_geometry *geometry, form how, int64_t g,
                           const fal_tensor *memory, const fal_tensor *y)
{
    const test_problem *p = &c->p;
    sizes s = sizes_of(p);
    /* Rows run along memory in nhwc, windows in nchw; as rows it is the other way round. */
    bool by_window = s.channels_last == (how == AS_ROWS);
    fal_tensor x, cols = column_tensor(p, &s, memory, by_window), w = weight_matrix(&s, &c->w.t, g);
    int32_t channel_axis = s.channels_last ? c->x.t.rank - 1 : p->batched ? 1 : 0;
    assert_int_equal(fal_tensor_slice(&c->x.t, channel_axis, g * p->ic, (g + 1) * p->ic, 1, &x, NULL),
                     FAL_OK);
    if (how == FROM_VIEW)
        columns_from_view(p, geometry, &x, &cols);
    else
        assert_int_equal(fal_unfold(&x, &p->params, &cols, NULL), FAL_OK);
    for (int64_t n = 0; n < p->n; n++) {
        fal_tensor columns = column_matrix(&s, memory, by_window, n), out = output_matrix(&s, y, n, g);
        fal_tensor rows = transposed(&columns), w_rows = transposed(&w), out_rows = transposed(&out);
        fal_status status = how == AS_ROWS ? fal_matmul(&rows, &w_rows, &out_rows, NULL)
                                           : fal_matmul(&w, &columns, &out, NULL);
        assert_int_equal(status, FAL_OK);
    }
}

static bool equals_reference(uint64_t seed, form how)
{
    char repro[TEST_TEXT];
    test_problem p = random_windows(seed);
    p.has_bias = false;
    test_case c = test_case_new(&p, TEST_INT, 0);
    sizes s = sizes_of(&p);
    fal_conv_geometry g;
    test_result expected = test_result_new(&c, FAL_OP_CONV, 0);
    test_tensor y = test_tensor_new(FAL_F32, c.y.t.rank, c.y.t.shape, 0);
    test_tensor memory = test_tensor_new(FAL_F32, 1, (int64_t[]){p.n * s.rows * s.windows}, 0);
    assert_int_equal(fal_conv_describe(false, &c.x.t, &c.w.t, &p.params, &g, NULL), FAL_OK);
    assert_int_equal(fal_reference(FAL_OP_CONV, &expected.operands, &p.params, NULL), FAL_OK);
    for (int64_t group = 0; group < p.params.groups; group++)
        convolve_group(&c, &g, how, group, &memory.t, &y.t);
    bool equal = test_equal(&y.t, &expected.out.t, test_problem_text(&p, repro));
    test_tensor_free(&memory);
    test_tensor_free(&y);
    test_result_free(&expected);
    test_case_free(&c);
    return equal;
}

static void check_form(form how, uint64_t first)
{
    int wrong = 0;
    for (uint64_t seed = first; seed < first + 60; seed++) wrong += !equals_reference(seed, how);
    assert_int_equal(wrong, 0);
}

static void windows_as_columns(void **state)
{
    (void)state;
    check_form(AS_COLUMNS, 1);
}

static void windows_as_rows(void **state)
{
    (void)state;
    check_form(AS_ROWS, 100);
}

static void windows_as_a_view(void **state)
{
    (void)state;
    check_form(FROM_VIEW, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_as_columns),
        cmocka_unit_test(windows_as_rows),
        cmocka_unit_test(windows_as_a_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
