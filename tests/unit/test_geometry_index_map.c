/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The index map against an axis written out: the extended input is laid down cell by cell and windows
 * are placed on it; blocks of a transposed convolution are painted. The inverse lists the same
 * meetings, and the terms of an output are the product of its axes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

enum { ROOM = 64, MEETINGS = 1024 };

typedef struct {
    int64_t o;
    fal_tap tap;
} meeting;

/* All meetings of an axis by output, in the order of the map. */
static int64_t all_meetings(const fal_axis *a, bool transposed, fal_padding_mode mode, bool flip,
                            meeting *list)
{
    int64_t all = 0;
    for (int64_t o = 0; o < a->output; o++) {
        fal_tap taps[ROOM];
        int64_t count, length;
        assert_int_equal(fal_axis_taps(a, transposed, mode, flip, o, taps, ROOM, &count, NULL), FAL_OK);
        assert_int_equal(fal_axis_taps(a, transposed, mode, flip, o, NULL, 0, &length, NULL), FAL_OK);
        assert_int_equal(count, length);
        assert_true(count <= a->kernel);
        for (int64_t t = 0; t < count; t++) {
            assert_in_range(all, 0, MEETINGS - 1);
            list[all++] = (meeting){o, taps[t]};
        }
    }
    return all;
}

/* A convolution: every tap once, on the cell that the border mode puts there. */
static void check_conv(const fal_axis *a, fal_padding_mode mode, bool flip)
{
    static meeting list[MEETINGS];
    int64_t all = all_meetings(a, false, mode, flip, list), at = 0;
    assert_int_equal(all, a->output * a->kernel);
    for (int64_t o = 0; o < a->output; o++)
        for (int64_t t = 0; t < a->kernel; t++, at++) {
            const fal_tap *tap = &list[at].tap;
            int64_t position = o * a->stride + t * a->dilation - a->begin;
            assert_int_equal(tap->tap, flip ? a->kernel - 1 - t : t);
            assert_int_equal(tap->position, position);
            assert_int_equal(tap->index, fal_border_index(mode, position, a->input));
            if (position >= 0 && position < a->input) assert_int_equal(tap->index, position);
        }
}

/* A transposed convolution: input i paints tap t on output i*s + t*d - begin. */
static void check_transposed(const fal_axis *a, bool flip)
{
    static meeting list[MEETINGS];
    int64_t all = all_meetings(a, true, FAL_PAD_ZEROS, flip, list), at = 0, painted = 0;
    for (int64_t o = 0; o < a->output; o++)
        for (int64_t t = 0; t < a->kernel; t++)
            for (int64_t i = 0; i < a->input; i++) {
                if (i * a->stride + t * a->dilation - a->begin != o) continue;
                painted++;
                assert_true(at < all);
                assert_int_equal(list[at].o, o);
                assert_int_equal(list[at].tap.index, i);
                assert_int_equal(list[at].tap.position, i);
                assert_int_equal(list[at].tap.tap, flip ? a->kernel - 1 - t : t);
                at++;
            }
    assert_int_equal(painted, all);
}

/* Readers of cell i: the meetings with index i, in the same order. */
static void check_readers(const fal_axis *a, bool transposed, fal_padding_mode mode, bool flip)
{
    static meeting list[MEETINGS];
    int64_t all = all_meetings(a, transposed, mode, flip, list);
    for (int64_t i = 0; i < a->input; i++) {
        int64_t outputs[MEETINGS], count, length, at = 0;
        fal_tap taps[MEETINGS];
        assert_int_equal(
            fal_axis_readers(a, transposed, mode, flip, i, outputs, taps, MEETINGS, &count, NULL), FAL_OK);
        assert_int_equal(fal_axis_readers(a, transposed, mode, flip, i, NULL, NULL, 0, &length, NULL),
                         FAL_OK);
        assert_int_equal(count, length);
        for (int64_t m = 0; m < all; m++) {
            if (list[m].tap.index != i) continue;
            assert_true(at < count);
            assert_int_equal(outputs[at], list[m].o);
            assert_memory_equal(&taps[at], &list[m].tap, sizeof *taps);
            at++;
        }
        assert_int_equal(at, count);
    }
}

static void check_axis(fal_axis a, bool flip)
{
    fal_axis conv = a, transposed = a;
    if (fal_conv_size(&conv, NULL) == FAL_OK)
        for (int mode = FAL_PAD_ZEROS; mode <= FAL_PAD_CONSTANT; mode++) {
            check_conv(&conv, (fal_padding_mode)mode, flip);
            check_readers(&conv, false, (fal_padding_mode)mode, flip);
        }
    transposed.output_padding = a.stride - 1;
    if (fal_conv_transpose_size(&transposed, NULL) == FAL_OK) {
        check_transposed(&transposed, flip);
        check_readers(&transposed, true, FAL_PAD_ZEROS, flip);
    }
}

static void test_every_small_axis(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 6; i++)
        for (int64_t k = 1; k <= 4; k++)
            for (int64_t s = 1; s <= 3; s++)
                for (int64_t d = 1; d <= 3; d++)
                    for (int64_t begin = -2; begin <= 4; begin += 2)
                        for (int64_t end = -1; end <= 5; end += 3)
                            check_axis((fal_axis){i, k, s, d, begin, end, 0, 0}, (i + k + s + d) % 2 == 0);
    /* reach far beyond one period of the border */
    check_axis((fal_axis){3, 5, 2, 4, 11, 9, 0, 0}, false);
    check_axis((fal_axis){1, 3, 1, 2, 4, 4, 0, 0}, true);
    check_axis((fal_axis){0, 3, 1, 1, 2, 2, 0, 0}, false);
}

/* The border written as a picture. */
static void test_border_copies(void **state)
{
    (void)state;
    static const struct {
        fal_padding_mode mode;
        int64_t index[8];
    } rows[] = {
        {FAL_PAD_ZEROS, {-1, -1, 0, 1, 2, 3, -1, -1}}, {FAL_PAD_REFLECT, {2, 1, 0, 1, 2, 3, 2, 1}},
        {FAL_PAD_SYMMETRIC, {1, 0, 0, 1, 2, 3, 3, 2}}, {FAL_PAD_REPLICATE, {0, 0, 0, 1, 2, 3, 3, 3}},
        {FAL_PAD_CIRCULAR, {2, 3, 0, 1, 2, 3, 0, 1}},  {FAL_PAD_CONSTANT, {-1, -1, 0, 1, 2, 3, -1, -1}},
    };
    fal_axis a = {.input = 4, .kernel = 8, .begin = 2, .end = 2};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        fal_tap taps[8];
        int64_t count;
        assert_int_equal(fal_axis_taps(&a, false, rows[r].mode, false, 0, taps, 8, &count, NULL), FAL_OK);
        assert_int_equal(count, 8);
        for (int t = 0; t < 8; t++) assert_int_equal(taps[t].index, rows[r].index[t]);
    }
}

/* Terms of every output of a problem: channels of the group, then the product of the axes' lists. */
static void check_terms(bool transposed, fal_conv_params p, int32_t spatial)
{
    int64_t xs[] = {2, 4, 5, 4, 3}, cw[] = {6, 2, 3, 2, 2}, tw[] = {4, 3, 3, 2, 2};
    fal_tensor x = fal_tensor_of(NULL, FAL_F32, spatial + 2, xs);
    fal_tensor w = fal_tensor_of(NULL, FAL_F32, spatial + 2, transposed ? tw : cw);
    p.groups = 2;
    fal_conv_geometry g;
    assert_int_equal(fal_conv_describe(transposed, &x, &w, &p, &g, NULL), FAL_OK);
    int64_t o[3], size[3] = {1, 1, 1};
    for (int32_t a = 0; a < spatial; a++) size[a] = g.axis[a].output;
    for (int64_t oc = 0; oc < 6; oc++)
        for (o[0] = 0; o[0] < size[0]; o[0]++)
            for (o[1] = 0; o[1] < size[1]; o[1]++)
                for (o[2] = 0; o[2] < size[2]; o[2]++) {
                    fal_tap taps[3][4] = {{{0}}};
                    fal_term terms[64], *term = terms;
                    int64_t n[3] = {1, 1, 1}, count, length;
                    for (int32_t a = 0; a < spatial; a++)
                        assert_int_equal(fal_axis_taps(&g.axis[a], transposed, p.padding_mode, p.flip_kernel,
                                                       o[a], taps[a], 4, &n[a], NULL),
                                         FAL_OK);
                    assert_int_equal(fal_conv_terms(&g, oc, o, terms, 64, &count, NULL), FAL_OK);
                    assert_int_equal(fal_conv_terms(&g, oc, o, NULL, 0, &length, NULL), FAL_OK);
                    assert_int_equal(count, 2 * n[0] * n[1] * n[2]);
                    assert_int_equal(count, length);
                    for (int64_t c = 0; c < 2; c++)
                        for (int64_t t0 = 0; t0 < n[0]; t0++)
                            for (int64_t t1 = 0; t1 < n[1]; t1++)
                                for (int64_t t2 = 0; t2 < n[2]; t2++, term++) {
                                    const int64_t t[3] = {t0, t1, t2};
                                    bool inside = true;
                                    assert_int_equal(term->ic, oc / 3 * 2 + c);
                                    for (int32_t a = 0; a < spatial; a++) {
                                        assert_int_equal(term->tap[a], taps[a][t[a]].tap);
                                        assert_int_equal(term->position[a], taps[a][t[a]].position);
                                        assert_int_equal(term->input[a], taps[a][t[a]].index);
                                        inside = inside && taps[a][t[a]].index >= 0;
                                    }
                                    assert_int_equal(term->inside, inside);
                                }
                }
}

static void test_terms_are_the_product_of_axes(void **state)
{
    (void)state;
    fal_conv_params p = {
        .stride = {2, 1, 1}, .dilation = {1, 2, 1}, .padding_begin = {1, 2, 0}, .padding_end = {2, 1, 1}};
    for (int32_t spatial = 1; spatial <= 3; spatial++) {
        check_terms(true, p, spatial);
        for (int mode = FAL_PAD_ZEROS; mode <= FAL_PAD_CONSTANT; mode++) {
            p.padding_mode = (fal_padding_mode)mode;
            p.flip_kernel = mode % 2 == 1;
            check_terms(false, p, spatial);
        }
        p.padding_mode = FAL_PAD_ZEROS;
    }
}

static void test_no_input_channels_no_terms(void **state)
{
    (void)state;
    fal_tensor x = fal_tensor_of(NULL, FAL_F32, 3, (int64_t[]){1, 0, 5}),
               w = fal_tensor_of(NULL, FAL_F32, 3, (int64_t[]){2, 0, 3});
    fal_conv_geometry g;
    fal_term terms[1];
    int64_t count = -1;
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, NULL), FAL_OK);
    assert_int_equal(fal_conv_terms(&g, 1, (int64_t[]){2}, terms, 0, &count, NULL), FAL_OK);
    assert_int_equal(count, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    fal_axis a = {.input = 5, .kernel = 3};
    fal_tap taps[3] = {{.tap = -9}};
    int64_t outputs[3] = {-9}, count = -9;
    fal_error error;
    assert_int_equal(fal_axis_taps(&a, false, FAL_PAD_ZEROS, false, 3, taps, 3, &count, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "o is 3");
    assert_string_equal(error.allowed, "must be 0..2");
    assert_int_equal(fal_axis_taps(&a, false, FAL_PAD_ZEROS, false, -1, taps, 3, &count, NULL), FAL_E_VALUE);
    assert_int_equal(fal_axis_taps(&a, false, FAL_PAD_ZEROS, false, 0, taps, 2, &count, &error),
                     FAL_E_BUFSIZE);
    assert_string_equal(error.found, "taps holds 2 entries, 3 are needed");
    assert_int_equal(fal_axis_taps(&a, false, (fal_padding_mode)6, false, 0, taps, 3, &count, NULL),
                     FAL_E_PADDING);
    assert_int_equal(fal_axis_taps(&a, true, FAL_PAD_REFLECT, false, 0, taps, 3, &count, NULL),
                     FAL_E_PADDING);
    assert_int_equal(fal_axis_taps(NULL, false, FAL_PAD_ZEROS, false, 0, taps, 3, &count, NULL), FAL_E_NULL);
    assert_int_equal(fal_axis_taps(&a, false, FAL_PAD_ZEROS, false, 0, taps, 3, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_axis_readers(&a, false, FAL_PAD_ZEROS, false, 5, outputs, taps, 3, &count, &error),
                     FAL_E_VALUE);
    assert_string_equal(error.found, "i is 5");
    assert_int_equal(fal_axis_readers(&a, false, FAL_PAD_ZEROS, false, 2, outputs, taps, 2, &count, NULL),
                     FAL_E_BUFSIZE);
    assert_int_equal(taps[0].tap, -9);
    assert_int_equal(outputs[0], -9);
    assert_int_equal(count, -9);

    fal_tensor x = fal_tensor_of(NULL, FAL_F32, 3, (int64_t[]){1, 1, 5}),
               w = fal_tensor_of(NULL, FAL_F32, 3, (int64_t[]){1, 1, 3});
    fal_conv_geometry g;
    fal_term terms[3];
    assert_int_equal(fal_conv_describe(false, &x, &w, NULL, &g, NULL), FAL_OK);
    assert_int_equal(fal_conv_terms(&g, 0, (int64_t[]){0}, terms, 2, &count, &error), FAL_E_BUFSIZE);
    assert_int_equal(fal_conv_terms(&g, 1, (int64_t[]){0}, terms, 3, &count, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "oc is 1");
    assert_int_equal(fal_conv_terms(&g, 0, (int64_t[]){3}, terms, 3, &count, &error), FAL_E_VALUE);
    assert_string_equal(error.found, "o[0] is 3");
    assert_int_equal(fal_conv_terms(&g, 0, NULL, terms, 3, &count, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_terms(NULL, 0, (int64_t[]){0}, terms, 3, &count, NULL), FAL_E_NULL);
    assert_int_equal(count, -9);
}

/* Ends of enormous axes: a sanitizer looks for overflow, the test for the last cell. */
static void test_extremes(void **state)
{
    (void)state;
    int64_t huge = INT64_MAX / 2, count;
    fal_tap taps[3];
    int64_t outputs[8];
    fal_axis a = {
        .input = huge, .kernel = 3, .dilation = huge / 4, .begin = huge / 2, .end = huge / 2, .output = 0};
    fal_axis sized = a;
    assert_int_equal(fal_conv_size(&sized, NULL), FAL_OK);
    for (int mode = FAL_PAD_ZEROS; mode <= FAL_PAD_CONSTANT; mode++) {
        assert_int_equal(
            fal_axis_taps(&a, false, (fal_padding_mode)mode, false, sized.output - 1, taps, 3, &count, NULL),
            FAL_OK);
        assert_int_equal(taps[2].position, huge + huge / 2 - 1);
    }
    a = (fal_axis){.input = huge / 8, .kernel = 2, .stride = 8, .dilation = 5};
    sized = a;
    assert_int_equal(fal_conv_transpose_size(&sized, NULL), FAL_OK);
    assert_int_equal(fal_axis_taps(&a, true, FAL_PAD_ZEROS, true, sized.output - 1, taps, 3, &count, NULL),
                     FAL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(taps[0].index, huge / 8 - 1);
    assert_int_equal(taps[0].tap, 0);
    fal_tap readers[8];
    assert_int_equal(
        fal_axis_readers(&a, true, FAL_PAD_ZEROS, false, huge / 8 - 1, outputs, readers, 8, &count, NULL),
        FAL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(outputs[1], sized.output - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_axis),
        cmocka_unit_test(test_border_copies),
        cmocka_unit_test(test_terms_are_the_product_of_axes),
        cmocka_unit_test(test_no_input_channels_no_terms),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
