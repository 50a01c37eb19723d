/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inverse solver against trying every parameter set: none missing, none wrong, in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faltung.h"

enum { CAPACITY = 4096 };

static bool fixed_or(int64_t fixed, int64_t free, int64_t value)
{
    return fixed == free || fixed == value;
}

static bool gives(const fal_solve_query *q, fal_axis a)
{
    fal_status status = q->transposed ? fal_conv_transpose_size(&a, NULL) : fal_conv_size(&a, NULL);
    return status == FAL_OK && a.output == q->axis.output;
}

/* Every solution by trial, in no order. Padding runs beyond K-1 so that a fixed one is found too. */
static int64_t try_all(const fal_solve_query *q, fal_axis *solutions)
{
    int64_t found = 0;
    int64_t extras = q->transposed ? 6 : 1;
    for (int64_t k = 1; k <= q->max_kernel; k++)
        for (int64_t s = 1; s <= q->max_stride; s++)
            for (int64_t d = 1; d <= q->max_dilation; d++)
                for (int64_t begin = -3; begin <= 12; begin++)
                    for (int64_t end = -3; end <= 12; end++)
                        for (int64_t extra = 0; extra < extras; extra++) {
                            fal_axis a = {q->axis.input, k, s, d, begin, end, extra, q->axis.output};
                            int64_t span = d * (k - 1) + 1;
                            if (!fixed_or(q->axis.kernel, 0, k) || !fixed_or(q->axis.stride, 0, s) ||
                                !fixed_or(q->axis.dilation, 0, d) || !fixed_or(q->axis.begin, -1, begin) ||
                                !fixed_or(q->axis.end, -1, end) ||
                                !fixed_or(q->axis.output_padding, -1, extra))
                                continue;
                            if (q->axis.dilation == 0 && k == 1 && d > 1) continue;
                            if (q->axis.begin == -1 && (begin < 0 || begin >= span)) continue;
                            if (q->axis.end == -1 && (end < 0 || end >= span)) continue;
                            if (!gives(q, a)) continue;
                            assert_in_range(found, 0, CAPACITY - 1);
                            solutions[found++] = a;
                        }
    return found;
}

/* The documented order: output padding, symmetry, padding, dilation, stride, odd kernel. */
static bool simpler_or_equal(const fal_axis *a, const fal_axis *b)
{
    const int64_t keys[][2] = {
        {a->output_padding, b->output_padding},
        {a->begin > a->end ? a->begin - a->end : a->end - a->begin,
         b->begin > b->end ? b->begin - b->end : b->end - b->begin},
        {a->begin + a->end, b->begin + b->end},
        {a->dilation, b->dilation},
        {a->stride, b->stride},
        {1 - a->kernel % 2, 1 - b->kernel % 2},
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (keys[k][0] != keys[k][1]) return keys[k][0] < keys[k][1];
    return true;
}

static void check_query(fal_solve_query q)
{
    static fal_axis all[CAPACITY], found[CAPACITY];
    int64_t count = -1, expected = try_all(&q, all);
    assert_int_equal(fal_solve(&q, found, CAPACITY, &count, NULL), FAL_OK);
    assert_int_equal(count, expected);
    for (int64_t n = 0; n < count; n++) {
        assert_true(gives(&q, found[n]));
        if (n > 0) assert_true(simpler_or_equal(&found[n - 1], &found[n]));
        if (n > 0) assert_memory_not_equal(&found[n - 1], &found[n], sizeof *found);
        int64_t at = 0;
        while (at < expected && memcmp(&all[at], &found[n], sizeof *found) != 0) at++;
        assert_true(at < expected); /* with equal counts and no repetition: the same set */
    }
    /* A short array receives the simplest ones. */
    fal_axis few[4];
    memset(few, 0x7f, sizeof few);
    assert_int_equal(fal_solve(&q, few, 3, &count, NULL), FAL_OK);
    assert_int_equal(count, expected);
    int64_t kept = count < 3 ? count : 3;
    assert_memory_equal(few, found, (size_t)kept * sizeof *few);
    assert_int_equal(few[3].input, 0x7f7f7f7f7f7f7f7f);
    assert_int_equal(fal_solve(&q, NULL, 0, &count, NULL), FAL_OK);
    assert_int_equal(count, expected);
}

static void test_no_solution_missing(void **state)
{
    (void)state;
    static const int64_t fixed_pads[] = {-1, -1, 0, 1, 2, -2};
    for (int64_t i = 1; i <= 8; i++)
        for (int64_t o = 1; o <= 12; o++)
            for (int n = 0; n < 24; n++) {
                fal_solve_query q = {
                    .max_kernel = 4, .max_stride = 3, .max_dilation = 2, .transposed = n % 2};
                q.axis = (fal_axis){
                    .input = i, .output = o, .begin = fixed_pads[n % 6], .end = fixed_pads[n / 2 % 6]};
                q.axis.output_padding = n % 5 == 0 ? 0 : -1;
                if (q.transposed && n % 7 == 0) q.axis.output_padding = 1;
                if (n % 3 == 1) q.axis.kernel = 3;
                if (n % 4 == 3) q.axis.stride = 2;
                if (n % 8 == 6) q.axis.dilation = 1 + n % 2;
                check_query(q);
            }
}

static fal_axis simplest(fal_solve_query q, int64_t *count)
{
    fal_axis first = {0};
    assert_int_equal(fal_solve(&q, &first, 1, count, NULL), FAL_OK);
    return first;
}

static void test_known_questions(void **state)
{
    (void)state;
    int64_t count;
    fal_axis open = {.input = 224, .output = 112, .kernel = 3, .begin = -1, .end = -1, .output_padding = -1};
    fal_axis a = simplest((fal_solve_query){.axis = open}, &count);
    assert_int_equal(a.stride, 2);
    assert_int_equal(a.begin, 1);
    assert_int_equal(a.end, 1);
    assert_int_equal(count, 5); /* and 0:1, 1:0, 0:2, 2:0 */
    /* Exact doubling without output padding: 4, 2, 1. */
    open = (fal_axis){.input = 56, .output = 112, .kernel = 4, .begin = -1, .end = -1, .output_padding = -1};
    a = simplest((fal_solve_query){.axis = open, .transposed = true}, &count);
    assert_int_equal(a.stride, 2);
    assert_int_equal(a.begin, 1);
    assert_int_equal(a.end, 1);
    assert_int_equal(a.output_padding, 0);
    /* No kernel reaches so far. */
    open = (fal_axis){.input = 1, .output = 1000, .begin = -1, .end = -1, .output_padding = -1};
    (void)simplest((fal_solve_query){.axis = open}, &count);
    assert_int_equal(count, 0);
    /* A zeroed query has no padding. */
    open = (fal_axis){.input = 7, .output = 5};
    a = simplest((fal_solve_query){.axis = open}, &count);
    assert_int_equal(a.kernel, 3);
    assert_int_equal(count, 1);
}

static void test_refusals(void **state)
{
    (void)state;
    int64_t count = -7;
    fal_error error;
    fal_axis one[1];
    static const struct {
        fal_solve_query query;
        fal_status status;
        const char *found;
    } rows[] = {
        {{.axis = {.input = 0, .output = 4}}, FAL_E_DIM, "input is 0"},
        {{.axis = {.input = 4, .output = -2}}, FAL_E_DIM, "output is -2"},
        {{.axis = {.input = 4, .output = 2, .kernel = -1}}, FAL_E_KERNEL, "kernel is -1"},
        {{.axis = {.input = 4, .output = 2, .stride = -1}}, FAL_E_STRIDE, "stride is -1"},
        {{.axis = {.input = 4, .output = 2, .dilation = -1}}, FAL_E_DILATION, "dilation is -1"},
        {{.axis = {.input = 4, .output = 2, .output_padding = -2}}, FAL_E_PADDING, "output_padding is -2"},
        {{.axis = {.input = 4, .output = 2, .output_padding = 1}},
         FAL_E_PADDING,
         "output_padding is 1 in a convolution"},
        {{.axis = {.input = 4, .output = 2}, .max_kernel = -1}, FAL_E_VALUE, "max_kernel is -1"},
        {{.axis = {.input = 4, .output = 2}, .max_stride = -1}, FAL_E_VALUE, "max_stride is -1"},
        {{.axis = {.input = 4, .output = 2}, .max_dilation = -1}, FAL_E_VALUE, "max_dilation is -1"},
        {{.axis = {.input = 4, .output = 2, .begin = -1, .end = -1}, .max_kernel = 1000000},
         FAL_E_LIMIT,
         "the search has more than 67108864 candidates"},
        {{.axis = {.input = 4, .output = INT64_MAX}},
         FAL_E_OVERFLOW,
         "the sizes of the search overflow 64 bits"},
        {{.axis = {.input = 4, .output = 2, .begin = INT64_MIN}},
         FAL_E_OVERFLOW,
         "the sizes of the search overflow 64 bits"},
        {{.axis = {.input = 4, .output = 2, .kernel = 3, .dilation = INT64_MAX}},
         FAL_E_OVERFLOW,
         "kernel 3 with dilation 9223372036854775807 overflows 64 bits"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        assert_int_equal(fal_solve(&rows[r].query, one, 1, &count, &error), rows[r].status);
        assert_string_equal(error.found, rows[r].found);
        assert_int_equal(count, -7);
    }
    fal_solve_query q = {.axis = {.input = 4, .output = 2}};
    assert_int_equal(fal_solve(NULL, one, 1, &count, NULL), FAL_E_NULL);
    assert_int_equal(fal_solve(&q, NULL, 1, &count, NULL), FAL_E_NULL);
    assert_int_equal(fal_solve(&q, one, 1, NULL, NULL), FAL_E_NULL);
    /* Numbers near the edge of what is accepted. */
    static const int64_t numbers[] = {-1, 0, 1, 5, INT64_C(1) << 58, (INT64_C(1) << 59) + 1, INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (int n = 0; n < COUNT * COUNT * COUNT * COUNT * COUNT * 2; n++) {
        int64_t pick[5];
        for (int rest = n / 2, j = 0; j < 5; j++, rest /= COUNT) pick[j] = numbers[rest % COUNT];
        q = (fal_solve_query){.transposed = n % 2, .max_dilation = 1, .max_kernel = 3, .max_stride = 2};
        q.axis = (fal_axis){pick[0], 0, pick[1], 0, pick[2], pick[3], -1, pick[4]};
        (void)fal_solve(&q, one, 1, &count, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_solution_missing),
        cmocka_unit_test(test_known_questions),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
