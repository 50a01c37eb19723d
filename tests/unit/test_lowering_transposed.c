/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_lowering_transposed.c: the forms of the transposed convolution are one operator.
 *
 *     scatter        every input adds a scaled kernel to the output: the definition
 *     matrix         F' vec(x), F the matrix of the convolution whose transpose it is
 *     zero-stuffing  stride-1 convolution of the stuffed input with the kernel flipped and its channels
 *                    swapped, padded by K-1-begin and K-1-end+output_padding
 *
 * Each equals the reference, which gathers. Random problems, small integers, exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "products.h"
#include "windows.h"

/* A random transposed problem, row-major, without bias and beta, and the reference's y. */
typedef struct layer {
    test_case c;
    fal_conv_geometry g;
    test_result expected;
    test_tensor y; /* for the form under test */
    char repro[TEST_TEXT];
} layer;

static bool layer_new(uint64_t seed, layer *l)
{
    test_problem p = test_problem_random(seed);
    if (!p.transposed) return false;
    p.params.beta = 0;
    p.has_bias = false;
    fal_error error = {0};
    test_problem_text(&p, l->repro);
    l->c = test_case_new(&p, TEST_INT, 0);
    l->expected = test_result_new(&l->c, FAL_OP_CONV_TRANSPOSE, 0);
    l->y = test_tensor_new(FAL_F32, l->c.y.t.rank, l->c.y.t.shape, 0);
    fal_status status = fal_conv_describe(true, &l->c.x.t, &l->c.w.t, &p.params, &l->g, &error);
    assert_true(test_ok(status, &error, l->repro));
    status = fal_reference(FAL_OP_CONV_TRANSPOSE, &l->expected.operands, &p.params, &error);
    assert_true(test_ok(status, &error, l->repro));
    return true;
}

static void layer_free(layer *l)
{
    test_case_free(&l->c);
    test_result_free(&l->expected);
    test_tensor_free(&l->y);
}

static void scatter_product(void *user, const product *p)
{
    layer *l = user;
    int64_t x[FAL_MAX_RANK], w[FAL_MAX_RANK], y[FAL_MAX_RANK];
    data_index(&l->g, p->n, p->ic, p->i, x);
    data_index(&l->g, p->n, p->oc, p->o, y);
    weight_index(&l->g, p->oc, p->ic, p->t, w);
    double value = fal_tensor_get(&l->c.x.t, x) * fal_tensor_get(&l->c.w.t, w);
    fal_tensor_set(&l->y.t, y, fal_tensor_get(&l->y.t, y) + value);
}

static void scattering_the_kernel(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 1; checked < 40; seed++) {
        layer l;
        if (!layer_new(seed, &l)) continue;
        assert_int_equal(fal_tensor_fill(&l.y.t, 0, NULL), FAL_OK);
        each_product(&l.g, scatter_product, &l);
        assert_true(test_equal(&l.y.t, &l.expected.out.t, l.repro));
        layer_free(&l);
        checked++;
    }
}

/* The convolution that l transposes: from y's shape to x's, with the same weight. False: output padding
 * beyond the stride adds windows of which x knows nothing, or the matrix is too large. */
static bool forward_of(const layer *l, fal_conv_geometry *forward)
{
    enum { MAX_ELEMENTS = 1 << 18 };
    int64_t rows, columns;
    *forward = l->g;
    forward->transposed = false;
    forward->in_channels = l->g.out_channels;
    forward->out_channels = l->g.in_channels;
    for (int32_t a = 0; a < l->g.spatial; a++) {
        const fal_axis *axis = &l->g.axis[a];
        if (axis->output_padding >= axis->stride) return false;
        forward->axis[a].input = axis->output;
        forward->axis[a].output = axis->input;
        forward->axis[a].output_padding = 0;
    }
    assert_int_equal(fal_matrix_shape(forward, &rows, &columns, NULL, NULL), FAL_OK);
    return rows * columns <= MAX_ELEMENTS;
}

static void transposing_the_matrix(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 500; checked < 40; seed++) {
        layer l;
        fal_conv_geometry forward;
        int64_t rows, columns;
        if (!layer_new(seed, &l)) continue;
        if (forward_of(&l, &forward)) {
            assert_int_equal(fal_matrix_shape(&forward, &rows, &columns, NULL, NULL), FAL_OK);
            test_tensor f = test_tensor_new(FAL_F32, 2, (int64_t[]){rows, columns}, 0);
            fal_tensor back = transposed(&f.t);
            assert_int_equal(fal_matrix_dense(&forward, &l.c.w.t, &f.t, NULL), FAL_OK);
            for (int64_t n = 0; n < l.g.n; n++) {
                fal_tensor x_n = matrix_at(&l.c.x.t, n * rows, rows, 1, 1, 1);
                fal_tensor y_n = matrix_at(&l.y.t, n * columns, columns, 1, 1, 1);
                assert_int_equal(fal_matmul(&back, &x_n, &y_n, NULL), FAL_OK);
            }
            assert_true(test_equal(&l.y.t, &l.expected.out.t, l.repro));
            test_tensor_free(&f);
            checked++;
        }
        layer_free(&l);
    }
}

/* w (ic, oc/g, k) as (oc, ic/g, k), or the same in nhwc. */
static test_tensor swap_channels(const layer *l, const fal_conv_geometry *conv)
{
    int64_t shape[FAL_MAX_RANK], group_ic = l->g.in_channels / l->g.groups,
                                 group_oc = l->g.out_channels / l->g.groups;
    bool last = l->g.layout == FAL_NHWC;
    for (int32_t a = 0; a < l->g.spatial; a++) shape[last ? a : a + 2] = l->g.axis[a].kernel;
    shape[last ? l->g.spatial + 1 : 0] = l->g.out_channels;
    shape[last ? l->g.spatial : 1] = group_ic;
    test_tensor swapped = test_tensor_new(FAL_F32, l->g.spatial + 2, shape, 0);
    for (int64_t oc = 0; oc < l->g.out_channels; oc++)
        for (int64_t c = 0; c < group_ic; c++) {
            int64_t ic = oc / group_oc * group_ic + c, t[FAL_MAX_SPATIAL] = {0};
            do {
                int64_t from[FAL_MAX_RANK], to[FAL_MAX_RANK];
                weight_index(&l->g, oc, ic, t, from);
                weight_index(conv, oc, ic, t, to);
                fal_tensor_set(&swapped.t, to, fal_tensor_get(&l->c.w.t, from));
            } while (box_next(l->g.spatial, l->c.p.k, t));
        }
    return swapped;
}

static void convolving_the_stuffed_input(void **state)
{
    (void)state;
    int checked = 0;
    for (uint64_t seed = 1000; checked < 40; seed++) {
        layer l;
        if (!layer_new(seed, &l)) continue;
        const fal_tensor *x = &l.c.x.t;
        fal_conv_geometry conv = l.g;
        fal_conv_params params = {
            .groups = l.g.groups, .layout = l.g.layout, .flip_kernel = !l.g.flip_kernel};
        int64_t shape[FAL_MAX_RANK], factor[FAL_MAX_RANK];
        int32_t first = (l.g.batched ? 1 : 0) + (l.g.layout == FAL_NCHW ? 1 : 0);
        for (int32_t a = 0; a < x->rank; a++) {
            shape[a] = x->shape[a];
            factor[a] = 1;
        }
        for (int32_t a = 0; a < l.g.spatial; a++) {
            const fal_axis *axis = &l.g.axis[a];
            int64_t reach = axis->dilation * (axis->kernel - 1);
            factor[first + a] = axis->stride;
            shape[first + a] = (axis->input - 1) * axis->stride + 1;
            params.dilation[a] = axis->dilation;
            params.padding_begin[a] = reach - axis->begin;
            params.padding_end[a] = reach - axis->end + axis->output_padding;
        }
        conv.transposed = false;
        test_tensor stuffed = test_tensor_new(FAL_F32, x->rank, shape, seed), w = swap_channels(&l, &conv);
        fal_error error = {0};
        assert_int_equal(fal_tensor_zero_stuff(x, factor, &stuffed.t, NULL), FAL_OK);
        fal_operands operands = {.x = stuffed.t, .w = w.t, .y = l.y.t};
        assert_true(test_ok(fal_reference(FAL_OP_CONV, &operands, &params, &error), &error, l.repro));
        assert_true(test_equal(&l.y.t, &l.expected.out.t, l.repro));
        test_tensor_free(&stuffed);
        test_tensor_free(&w);
        layer_free(&l);
        checked++;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scattering_the_kernel),
        cmocka_unit_test(transposing_the_matrix),
        cmocka_unit_test(convolving_the_stuffed_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
