/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool.c: pooling, unpooling, up-sampling and padding as PyTorch computes them.
 *
 * tools/torch_golden_pool.py made pool.txt (the cases) and pool.npy (their numbers) and says which
 * cases it left out. Forward results and indices of maxima must be equal; sums of fractions may differ
 * by the roundings of another order.
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

enum { LINE = 512 };

/* A case, and where its numbers stand in the file. */
typedef struct scene {
    char kind[24], text[LINE];
    int32_t rank; /* of the tensors */
    int64_t x_shape[FAL_MAX_RANK], y_shape[FAL_MAX_RANK];
    fal_pool_params pool;
    fal_upsample_params upsample;
    fal_padding_mode mode;
} scene;

/* The numbers after " name=", one for each axis of space; returns how many there were. */
static int32_t numbers(const char *line, const char *name, int64_t *values)
{
    char key[32];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(line, key);
    assert_non_null(at);
    at += strlen(key);
    for (int32_t count = 0;;) {
        char *end;
        assert_true(count < FAL_MAX_SPATIAL);
        values[count++] = strtoll(at, &end, 10);
        if (*end != ',') return count;
        at = end + 1;
    }
}

static int64_t number(const char *line, const char *name)
{
    int64_t values[FAL_MAX_SPATIAL];
    assert_int_equal(numbers(line, name, values), 1);
    return values[0];
}

static scene parse(const char *line)
{
    scene c = {.kind = ""};
    snprintf(c.text, sizeof c.text, "%s", line);
    c.text[strcspn(c.text, "\n")] = 0;
    assert_int_equal(sscanf(line, "%23s", c.kind), 1);
    c.rank = 2 + numbers(line, "input", c.x_shape + 2);
    numbers(line, "result", c.y_shape + 2);
    c.x_shape[0] = c.y_shape[0] = number(line, "n");
    c.x_shape[1] = c.y_shape[1] = number(line, "c");
    fal_pool_params *p = &c.pool;
    p->kind = strstr(c.kind, "average")   ? FAL_POOL_AVERAGE
              : strcmp(c.kind, "lp") == 0 ? FAL_POOL_LP
                                          : FAL_POOL_MAX;
    if (strncmp(c.kind, "adaptive", 8) == 0) {
        p->extent = FAL_POOL_ADAPTIVE;
        numbers(line, "output", p->output_size);
    } else {
        numbers(line, "kernel", p->kernel);
        numbers(line, "stride", p->stride);
        numbers(line, "dilation", p->dilation);
        numbers(line, "padding", p->padding_begin);
        numbers(line, "padding", p->padding_end);
    }
    p->ceil_mode = number(line, "ceil") != 0;
    p->exclude_padding = number(line, "exclude") != 0;
    p->divisor = number(line, "divisor");
    p->norm = (double)number(line, "norm");
    if (strcmp(c.kind, "nearest") == 0) c.upsample.mode = FAL_UPSAMPLE_NEAREST;
    if (strcmp(c.kind, "linear-corners") == 0) c.upsample.coordinates = FAL_ALIGN_CORNERS;
    c.mode = strstr(line, "mode=reflect")     ? FAL_PAD_REFLECT
             : strstr(line, "mode=replicate") ? FAL_PAD_REPLICATE
             : strstr(line, "mode=circular")  ? FAL_PAD_CIRCULAR
                                              : FAL_PAD_CONSTANT;
    return c;
}

typedef struct source {
    io_array array;
    int64_t next;
} source;

/* The next numbers of the file as a tensor. */
static test_tensor take(source *from, fal_dtype dtype, int32_t rank, const int64_t *shape)
{
    fal_tensor part = fal_tensor_of((double *)from->array.tensor.data + from->next, FAL_F64, rank, shape);
    from->next += fal_tensor_count(&part);
    assert_true(from->next <= from->array.tensor.shape[0]);
    return test_tensor_copy(&part, dtype);
}

/* Equal but for roundings of sums in another order, of numbers below 100. */
static void agree(const fal_tensor *actual, const fal_tensor *expected, const scene *c)
{
    if (c->pool.kind == FAL_POOL_MAX && strstr(c->kind, "linear") == NULL) {
        assert_true(test_equal(actual, expected, c->text));
        return;
    }
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(actual, index)) {
        const double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        if (!(fabs(a - e) < 1e-12)) fail_msg("%s\n  %.17g, expected %.17g", c->text, a, e);
    }
}

/* The operator of the case on x (and its indices) into y, or its gradient. */
static fal_status forward(const scene *c, const fal_context *context, const fal_tensor *x,
                          const fal_tensor *y, const fal_tensor *indices)
{
    if (strcmp(c->kind, "unpool") == 0) return fal_max_unpool(context, x, indices, NULL, NULL, y);
    if (strcmp(c->kind, "pad") == 0) {
        int64_t begin[FAL_MAX_RANK] = {0};
        numbers(c->text, "padding", begin + 2);
        return fal_tensor_pad(x, begin, c->mode, 0, y, context->error);
    }
    if (strstr(c->kind, "linear") || strcmp(c->kind, "nearest") == 0)
        return fal_upsample(context, x, &c->upsample, y);
    return fal_pool(context, x, &c->pool, y, indices);
}

static fal_status backward(const scene *c, const fal_context *context, const fal_tensor *x,
                           const fal_tensor *gy, const fal_tensor *indices, const fal_tensor *gx)
{
    if (strcmp(c->kind, "unpool") == 0) return fal_max_unpool_grad(context, indices, gy, NULL, NULL, gx);
    if (strcmp(c->kind, "pad") == 0) {
        int64_t begin[FAL_MAX_RANK] = {0};
        numbers(c->text, "padding", begin + 2);
        return fal_tensor_pad_grad(gy, begin, c->mode, gx, context->error);
    }
    if (strstr(c->kind, "linear") || strcmp(c->kind, "nearest") == 0)
        return fal_upsample_grad(context, gy, &c->upsample, gx);
    return fal_pool_grad(context, x, gy, &c->pool, gx);
}

static void run(const scene *c, source *from)
{
    const bool maximum = strstr(c->kind, "max") != NULL, unpool = strcmp(c->kind, "unpool") == 0;
    fal_error error = {0};
    const fal_context context = {.threads = 1, .error = &error};
    test_tensor x = take(from, FAL_F64, c->rank, c->x_shape),
                expected = take(from, FAL_F64, c->rank, c->y_shape);
    const int64_t *index_shape = unpool ? c->x_shape : c->y_shape;
    test_tensor indices = {0}, found = test_tensor_new(FAL_I64, c->rank, index_shape, 0);
    if (maximum || unpool) indices = take(from, FAL_I64, c->rank, index_shape);
    test_tensor gy = take(from, FAL_F64, c->rank, c->y_shape),
                expected_gx = take(from, FAL_F64, c->rank, c->x_shape);
    test_tensor y = test_tensor_new(FAL_F64, c->rank, c->y_shape, 0),
                gx = test_tensor_new(FAL_F64, c->rank, c->x_shape, 0);
    const fal_tensor *places = unpool ? &indices.t : maximum ? &found.t : NULL;
    assert_true(test_ok(forward(c, &context, &x.t, &y.t, places), &error, c->text));
    agree(&y.t, &expected.t, c);
    if (maximum) assert_true(test_equal(&found.t, &indices.t, c->text));
    assert_true(test_ok(backward(c, &context, &x.t, &gy.t, places, &gx.t), &error, c->text));
    agree(&gx.t, &expected_gx.t, c);
    test_tensor_free(&x);
    test_tensor_free(&expected);
    if (maximum || unpool) test_tensor_free(&indices);
    test_tensor_free(&found);
    test_tensor_free(&gy);
    test_tensor_free(&expected_gx);
    test_tensor_free(&y);
    test_tensor_free(&gx);
}

static void every_case_agrees(void **state)
{
    (void)state;
    fal_error error = {0};
    source from = {.next = 0};
    assert_true(test_ok(io_read("tests/golden/pool.npy", NULL, &from.array, &error), &error, "pool.npy"));
    FILE *index = fopen("tests/golden/pool.txt", "r");
    assert_non_null(index);
    char line[LINE];
    int cases = 0;
    for (; fgets(line, sizeof line, index) != NULL; cases++) {
        const scene c = parse(line);
        run(&c, &from);
    }
    assert_true(cases > 200);
    assert_int_equal(from.next, from.array.tensor.shape[0]);
    fclose(index);
    io_array_free(&from.array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
