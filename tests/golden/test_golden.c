/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_golden.c: layers whose results PyTorch computed.
 *
 * tools/torch_golden.py made the files of this folder and describes them: index.txt lists the
 * layers, and the numbers of x, w, b, gy, y, gx, gw, gb follow one another in exact.npy, real32.npy
 * and real64.npy. Each layer runs forward and both gradients: by the one-call functions, by plans
 * with packed weights, and channels-last through permuted views. The only oracle here that shares
 * no code and no author with the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"
#include "support/support.h"

/* ---- the index --------------------------------------------------------------------------------- */

enum { LINE = 512 };

/* The numbers after "name=" in `line`, at most `capacity`; returns how many there were. */
static int32_t numbers(const char *line, const char *name, int64_t *values, int32_t capacity)
{
    char key[32];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(line, key);
    assert_non_null(at);
    at += strlen(key);
    for (int32_t count = 0;;) {
        char *end;
        assert_true(count < capacity);
        values[count++] = strtoll(at, &end, 10);
        if (*end != ',') return count;
        at = end + 1;
    }
}

static int64_t number(const char *line, const char *name)
{
    int64_t value;
    assert_int_equal(numbers(line, name, &value, 1), 1);
    return value;
}

static test_problem parse(const char *line)
{
    test_problem p = {0};
    fal_conv_params *q = &p.params;
    p.transposed = strstr(line, " conv-transpose ") != NULL;
    p.dtype = strstr(line, " f64 ") != NULL ? FAL_F64 : FAL_F32;
    if (strstr(line, " reflect ")) q->padding_mode = FAL_PAD_REFLECT;
    if (strstr(line, " replicate ")) q->padding_mode = FAL_PAD_REPLICATE;
    if (strstr(line, " circular ")) q->padding_mode = FAL_PAD_CIRCULAR;
    p.n = number(line, "n");
    q->groups = number(line, "groups");
    p.ic = number(line, "ic");
    p.oc = number(line, "oc");
    p.spatial = numbers(line, "input", p.in, FAL_MAX_SPATIAL);
    numbers(line, "kernel", p.k, FAL_MAX_SPATIAL);
    numbers(line, "stride", q->stride, FAL_MAX_SPATIAL);
    numbers(line, "dilation", q->dilation, FAL_MAX_SPATIAL);
    numbers(line, "begin", q->padding_begin, FAL_MAX_SPATIAL);
    numbers(line, "end", q->padding_end, FAL_MAX_SPATIAL);
    numbers(line, "output_padding", q->output_padding, FAL_MAX_SPATIAL);
    p.batched = number(line, "batched") != 0;
    p.has_bias = number(line, "bias") != 0;
    q->flip_kernel = number(line, "flip") != 0;
    q->accuracy = FAL_ACCURACY_STRICT;
    test_problem_sizes(&p);
    return p;
}

/* ---- the numbers -------------------------------------------------------------------------------- */

/* A file of numbers that is read from front to back. */
typedef struct source {
    io_array array;
    int64_t next;
} source;

enum { EXACT, REAL32, REAL64, SOURCES };

static void open_sources(source sources[SOURCES])
{
    static const char *const paths[SOURCES] = {"tests/golden/exact.npy", "tests/golden/real32.npy",
                                               "tests/golden/real64.npy"};
    for (int i = 0; i < SOURCES; i++) {
        fal_error error = {0};
        sources[i] = (source){0};
        assert_true(test_ok(io_read(paths[i], NULL, &sources[i].array, &error), &error, paths[i]));
    }
}

/* A tensor of `shape`'s shape and type with the next numbers of the file, strided by `strides`. */
static test_tensor take(source *from, const fal_tensor *shape, uint64_t strides)
{
    test_tensor t = test_tensor_new(shape->dtype, shape->rank, shape->shape, strides);
    const fal_tensor *file = &from->array.tensor;
    int64_t count = fal_tensor_count(shape);
    assert_int_equal(file->rank, 1);
    assert_true(from->next + count <= file->shape[0]);
    char *data = (char *)file->data + (size_t)from->next * fal_dtype_bytes(file->dtype);
    from->next += count;
    fal_tensor numbers_here = fal_tensor_of(data, file->dtype, shape->rank, shape->shape);
    assert_int_equal(fal_tensor_copy(&numbers_here, &t.t, NULL), FAL_OK);
    return t;
}

/* A layer's operands (gy in the place of y) and its four results. */
typedef struct layer {
    test_case c;
    test_tensor y, gx, gw, gb;
} layer;

static layer read_layer(const test_problem *p, source *from)
{
    fal_operands shapes = test_problem_shapes(p);
    layer l = {.c = {.p = *p}};
    uint64_t strides = (uint64_t)from->next + 1;
    l.c.x = take(from, &shapes.x, strides);
    l.c.w = take(from, &shapes.w, strides + 1);
    if (p->has_bias) l.c.bias = take(from, &shapes.bias, strides + 2);
    l.c.y = take(from, &shapes.y, strides + 3);
    l.y = take(from, &shapes.y, 0);
    l.gx = take(from, &shapes.x, 0);
    l.gw = take(from, &shapes.w, 0);
    if (p->has_bias) l.gb = take(from, &shapes.bias, 0);
    l.c.operands = (fal_operands){l.c.x.t, l.c.w.t, l.c.bias.t, l.c.y.t};
    return l;
}

static void free_layer(layer *l)
{
    test_case_free(&l->c);
    test_tensor_free(&l->y);
    test_tensor_free(&l->gx);
    test_tensor_free(&l->gw);
    test_tensor_free(&l->gb);
}

/* ---- comparison --------------------------------------------------------------------------------- */

/* |actual - expected| <= 8*sqrt(n)*u*S everywhere. */
static bool near(const fal_tensor *actual, const fal_tensor *expected, const fal_tensor *sums,
                 const fal_tensor *terms, const char *repro)
{
    double unit = actual->dtype == FAL_F64 ? 0x1p-53 : 0x1p-24;
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(actual) > 0; more; more = test_next(actual, index)) {
        double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        double n = fal_tensor_get(terms, index), bound = 8 * sqrt(n) * unit * fal_tensor_get(sums, index);
        if (fabs(a - e) <= bound) continue;
        fprintf(stderr, "%s\n  %.17g, expected %.17g within %.3g\n", repro, a, e, bound);
        return false;
    }
    return true;
}

static bool compare(const layer *l, test_kind kind, const test_result *r, bool exact, const char *repro)
{
    const fal_tensor *expected[] = {&l->y.t, &l->gx.t, &l->gw.t};
    bool has_gb = kind == TEST_GRAD_WEIGHT && l->c.p.has_bias;
    if (exact) {
        return test_equal(&r->out.t, expected[kind], repro) &&
               (!has_gb || test_equal(&r->bias.t, &l->gb.t, repro));
    }
    fal_operator op = test_operator(&l->c.p, kind);
    test_tensor terms = test_tensor_new(FAL_I64, r->out.t.rank, r->out.t.shape, 0);
    test_wide wide = test_widen(&r->operands); /* so that the gauge is not rounded */
    fal_error error = {0};
    fal_status status = fal_reference_gauge(op, &wide.operands, &l->c.p.params, &terms.t, &error);
    bool ok = test_ok(status, &error, repro) &&
              near(&r->out.t, expected[kind], test_written(op, &wide.operands), &terms.t, repro);
    if (ok && has_gb) {
        test_tensor places = test_tensor_new(FAL_I64, 1, r->bias.t.shape, 0);
        double each = (double)fal_tensor_count(&l->y.t) / (double)r->bias.t.shape[0];
        fal_tensor_fill(&places.t, each, NULL);
        ok = near(&r->bias.t, &l->gb.t, &wide.operands.bias, &places.t, repro);
        test_tensor_free(&places);
    }
    test_wide_free(&wide);
    test_tensor_free(&terms);
    return ok;
}

/* ---- the ways to run ----------------------------------------------------------------------------- */

typedef enum way { ONE_CALL, CHANNELS_LAST, PLAN, PACKED_PLAN, WAYS } way;

static bool run_layer(const layer *l, test_kind kind, way how, bool exact, const char *repro)
{
    fal_error error = {0};
    fal_context context = {.error = &error, .threads = 1};
    fal_operator op = test_operator(&l->c.p, kind);
    fal_conv_params params = l->c.p.params;
    test_result r = test_result_new(&l->c, op, how == PLAN ? 0 : 11 + (uint64_t)how);
    fal_operands operands = r.operands;
    fal_status status;
    if (how == CHANNELS_LAST) {
        operands = test_channels_last(&l->c.p, &r.operands);
        params.layout = FAL_NHWC;
    }
    if (how == ONE_CALL || how == CHANNELS_LAST)
        status = test_call(&context, op, &operands, &params);
    else
        status = test_plan(&context, op, &operands, &params, how == PACKED_PLAN, 0xA5);
    bool ok = test_ok(status, &error, repro) && compare(l, kind, &r, exact, repro);
    test_result_free(&r);
    return ok;
}

static void check_every_layer(way how)
{
    source sources[SOURCES];
    char line[LINE];
    int layers = 0, wrong = 0;
    open_sources(sources);
    FILE *index = fopen("tests/golden/index.txt", "r");
    assert_non_null(index);
    while (fgets(line, sizeof line, index) != NULL) {
        line[strcspn(line, "\n")] = 0;
        bool exact = strncmp(line, "exact ", 6) == 0;
        test_problem p = parse(line);
        layer l = read_layer(&p, &sources[exact ? EXACT : p.dtype == FAL_F32 ? REAL32 : REAL64]);
        for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_WEIGHT; kind++)
            wrong += !run_layer(&l, kind, how, exact, line);
        free_layer(&l);
        layers++;
    }
    fclose(index);
    for (int i = 0; i < SOURCES; i++) {
        assert_int_equal(sources[i].next, sources[i].array.tensor.shape[0]); /* every number was used */
        io_array_free(&sources[i].array);
    }
    assert_true(layers >= 240);
    assert_int_equal(wrong, 0);
}

static void golden_by_one_call(void **state)
{
    (void)state;
    check_every_layer(ONE_CALL);
}
static void golden_channels_last(void **state)
{
    (void)state;
    check_every_layer(CHANNELS_LAST);
}
static void golden_by_plan(void **state)
{
    (void)state;
    check_every_layer(PLAN);
}
static void golden_by_packed_plan(void **state)
{
    (void)state;
    check_every_layer(PACKED_PLAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_by_one_call),
        cmocka_unit_test(golden_channels_last),
        cmocka_unit_test(golden_by_plan),
        cmocka_unit_test(golden_by_packed_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
