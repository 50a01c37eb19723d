/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_reference_definition.c: the six loop nests compute what their definitions say.
 *
 * Each is compared, on small integers and exactly, with the sum of the products that products.h
 * lists; so are the gauge and the number of products.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "products.h"
#include "support/support.h"

/* Adds each product to the place of the written operand. */
typedef struct summation {
    const fal_conv_geometry *g;
    const fal_operands *operands;
    test_kind kind;
    bool absolute;
    double border;
    const fal_tensor *sum, *terms; /* terms may be NULL */
} summation;

static void add_at(const fal_tensor *t, const int64_t *index, double value)
{
    fal_tensor_set(t, index, fal_tensor_get(t, index) + value);
}

static void add_product(void *user, const product *p)
{
    const summation *s = user;
    int64_t x[FAL_MAX_RANK], w[FAL_MAX_RANK], y[FAL_MAX_RANK];
    data_index(s->g, p->n, p->ic, p->i, x);
    data_index(s->g, p->n, p->oc, p->o, y);
    weight_index(s->g, p->oc, p->ic, p->t, w);
    if (p->border && s->kind == TEST_GRAD_INPUT) return; /* a constant has no gradient here */
    double value = 1;
    if (s->kind != TEST_GRAD_INPUT) value *= p->border ? s->border : fal_tensor_get(&s->operands->x, x);
    if (s->kind != TEST_GRAD_WEIGHT) value *= fal_tensor_get(&s->operands->w, w);
    if (s->kind != TEST_FORWARD) value *= fal_tensor_get(&s->operands->y, y);
    const int64_t *at = s->kind == TEST_FORWARD ? y : s->kind == TEST_GRAD_INPUT ? x : w;
    add_at(s->sum, at, s->absolute ? fabs(value) : value);
    if (s->terms) add_at(s->terms, at, 1);
}

/* Adds bias[oc] to y, or gy to the bias gradient `gb`. */
static void add_bias(const summation *s, const fal_tensor *bias, const fal_tensor *gb)
{
    const fal_tensor *y = s->kind == TEST_FORWARD ? s->sum : &s->operands->y;
    int64_t at[FAL_MAX_RANK] = {0};
    int32_t channel = s->g->layout == FAL_NHWC ? y->rank - 1 : s->g->batched ? 1 : 0;
    do {
        double value = gb ? fal_tensor_get(y, at) : fal_tensor_get(bias, &at[channel]);
        add_at(gb ? gb : y, gb ? &at[channel] : at, s->absolute ? fabs(value) : value);
    } while (test_next(y, at));
}

/* What the written operand of `r` must become: an f64 tensor that starts as beta times the old one. */
static test_tensor expected_of(const fal_tensor *old, double beta, bool absolute)
{
    test_tensor t = test_tensor_new(FAL_F64, old->rank, old->shape, 0);
    assert_int_equal(fal_tensor_fill(&t.t, 0, NULL), FAL_OK);
    int64_t at[FAL_MAX_RANK] = {0};
    if (beta == 0 || fal_tensor_count(old) == 0) return t;
    do {
        double value = beta * fal_tensor_get(old, at);
        fal_tensor_set(&t.t, at, absolute ? fabs(value) : value);
    } while (test_next(old, at));
    return t;
}

static bool same_values(const fal_tensor *actual, const test_tensor *expected, const char *repro)
{
    test_tensor narrow = test_tensor_copy(&expected->t, actual->dtype);
    bool same = test_equal(actual, &narrow.t, repro);
    test_tensor_free(&narrow);
    return same;
}

/* One operator by the reference (or its gauge) and by the list of products. */
static bool agrees(const test_case *c, test_kind kind, bool gauge)
{
    char repro[TEST_TEXT];
    test_problem_text(&c->p, repro);
    const fal_conv_params *params = &c->p.params;
    fal_operator op = test_operator(&c->p, kind);
    fal_conv_geometry g;
    fal_error error = {0};
    test_result r = test_result_new(c, op, c->p.seed % 2 ? 0 : c->p.seed);
    const fal_tensor *written = test_written(op, &r.operands);
    bool grad_bias = kind == TEST_GRAD_WEIGHT && c->p.has_bias;
    fal_status described = fal_conv_describe(c->p.transposed, &c->x.t, &c->w.t, params, &g, &error);
    assert_true(test_ok(described, &error, repro));
    test_tensor sum = expected_of(written, params->beta, gauge), gb = {0};
    test_tensor terms = test_tensor_new(FAL_I64, written->rank, written->shape, 0);
    test_tensor counted = test_tensor_new(FAL_I64, written->rank, written->shape, c->p.seed + 1);
    assert_int_equal(fal_tensor_fill(&terms.t, 0, NULL), FAL_OK);
    summation s = {&g, &c->operands, kind, gauge, params->padding_value, &sum.t, &terms.t};
    each_product(&g, add_product, &s);
    if (kind == TEST_FORWARD && c->p.has_bias) add_bias(&s, &c->bias.t, NULL);
    if (grad_bias) {
        gb = expected_of(&r.operands.bias, params->beta, gauge);
        add_bias(&s, NULL, &gb.t);
    }
    fal_status status = gauge ? fal_reference_gauge(op, &r.operands, params, &counted.t, &error)
                              : fal_reference(op, &r.operands, params, &error);
    bool ok = test_ok(status, &error, repro) && same_values(written, &sum, repro) &&
              test_tensor_gaps_intact(&r.out);
    if (ok && gauge) ok = test_equal(&counted.t, &terms.t, repro);
    if (ok && grad_bias) ok = same_values(&r.operands.bias, &gb, repro);
    test_tensor_free(&sum);
    test_tensor_free(&gb);
    test_tensor_free(&terms);
    test_tensor_free(&counted);
    test_result_free(&r);
    return ok;
}

static void check_seeds(uint64_t first, uint64_t count, fal_dtype dtype, bool gauge)
{
    int wrong = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        test_problem p = test_problem_random(seed);
        p.dtype = dtype;
        test_case c = test_case_new(&p, TEST_INT, seed % 3 == 0 ? 0 : seed);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            wrong += !agrees(&c, kind, gauge);
        test_case_free(&c);
    }
    assert_int_equal(wrong, 0);
}

static void f32_and_f64_sum_their_products(void **state)
{
    (void)state;
    check_seeds(100, 60, FAL_F32, false);
    check_seeds(200, 30, FAL_F64, false);
}

static void every_other_type_sums_its_products(void **state)
{
    (void)state;
    for (fal_dtype dtype = FAL_F16; dtype <= FAL_I64; dtype++)
        check_seeds(300 + 100 * (uint64_t)dtype, 12, dtype, false);
}

static void gauge_sums_absolute_values_and_counts(void **state)
{
    (void)state;
    check_seeds(1300, 40, FAL_F32, true);
    check_seeds(1400, 20, FAL_I16, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_and_f64_sum_their_products),
        cmocka_unit_test(every_other_type_sums_its_products),
        cmocka_unit_test(gauge_sums_absolute_values_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
