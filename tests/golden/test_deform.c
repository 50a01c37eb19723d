/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_deform.c: deformable convolutions whose results torchvision computed.
 *
 * tools/torch_golden_deform.py made deform.txt, deform_exact.npy and deform_real.npy and describes them.
 * Every layer runs forward and backward, in float32 where its numbers are exact and in float64 otherwise.
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
#include "unit/deform.h"

/* The numbers after "name=" in `line`. */
static void numbers(const char *line, const char *name, int64_t *values, int count)
{
    char key[32];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(line, key);
    assert_non_null(at);
    at += strlen(key);
    for (int i = 0; i < count; i++) {
        char *end;
        values[i] = strtoll(at, &end, 10);
        assert_true(*end == (i + 1 < count ? ',' : *end));
        at = end + 1;
    }
}

static deform_case parse(const char *line, bool exact)
{
    deform_case c = {.dtype = exact ? FAL_F32 : FAL_F64, .batched = true};
    int64_t bias, masked;
    numbers(line, "n", &c.n, 1);
    numbers(line, "groups", &c.params.groups, 1);
    numbers(line, "offset_groups", &c.offset_groups, 1);
    numbers(line, "ic", &c.ic, 1);
    numbers(line, "oc", &c.oc, 1);
    numbers(line, "bias", &bias, 1);
    numbers(line, "masked", &masked, 1);
    numbers(line, "input", c.in, 2);
    numbers(line, "kernel", c.k, 2);
    numbers(line, "output", c.out, 2);
    numbers(line, "stride", c.params.stride, 2);
    numbers(line, "dilation", c.params.dilation, 2);
    numbers(line, "begin", c.params.padding_begin, 2);
    numbers(line, "end", c.params.padding_end, 2);
    c.biased = bias != 0;
    c.masked = masked != 0;
    return c;
}

/* The next numbers of a file as a tensor of this kind; an empty one when the layer has none. */
typedef struct source {
    io_array array;
    int64_t next;
} source;

static test_tensor take(source *from, const deform_case *c, int place)
{
    if ((place == DEFORM_MASK && !c->masked) || (place == DEFORM_BIAS && !c->biased)) return (test_tensor){0};
    test_tensor t = deform_like(c, place, (uint64_t)from->next + 1);
    const fal_tensor *file = &from->array.tensor;
    const int64_t count = fal_tensor_count(&t.t);
    assert_true(from->next + count <= file->shape[0]);
    char *data = (char *)file->data + (size_t)from->next * fal_dtype_bytes(file->dtype);
    from->next += count;
    const fal_tensor here = fal_tensor_of(data, file->dtype, t.t.rank, t.t.shape);
    assert_int_equal(fal_tensor_copy(&here, &t.t, NULL), FAL_OK);
    return t;
}

/* Sums of at most some hundred terms of size about 1: 1e-12 of the largest is far above float64's roundings
 * and far below any mistake. */
static void check(const fal_tensor *actual, const fal_tensor *expected, bool exact, const char *line)
{
    if (exact) {
        assert_true(test_equal(actual, expected, line));
        return;
    }
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = true; more; more = test_next(actual, index)) {
        const double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        if (!(fabs(a - e) <= 1e-12 * (100 + fabs(e)))) fail_msg("%s: %.17g, expected %.17g", line, a, e);
    }
}

static void check_layer(const char *line, source *from, bool exact)
{
    deform_case c = parse(line, exact);
    test_tensor expected[DEFORM_TENSORS], gradient[DEFORM_Y] = {{.low = 0}};
    fal_deform_operands gradients = {.y = {0}};
    for (int p = 0; p < DEFORM_TENSORS; p++) {
        c.memory[p] = take(from, &c, p);
        *deform_place(&c.operands, p) = c.memory[p].t;
    }
    test_tensor y = take(from, &c, DEFORM_Y);
    for (int p = 0; p < DEFORM_Y; p++) {
        expected[p] = take(from, &c, p);
        if (expected[p].t.rank == 0) continue;
        gradient[p] = deform_like(&c, p, 0);
        *deform_place(&gradients, p) = gradient[p].t;
    }
    fal_error error = {0};
    const fal_context context = {.threads = 2, .error = &error};
    expected[DEFORM_Y] = deform_like(&c, DEFORM_Y, 0);
    fal_deform_operands forward = c.operands;
    forward.y = expected[DEFORM_Y].t;
    assert_true(test_ok(fal_deform_conv(&context, &forward, &c.params, c.offset_groups), &error, line));
    check(&forward.y, &y.t, exact, line);
    assert_true(test_ok(fal_deform_conv_grad(&context, &c.operands, &c.params, c.offset_groups, &gradients),
                        &error, line));
    for (int p = 0; p < DEFORM_Y; p++) {
        if (expected[p].t.rank == 0) continue;
        check(&gradient[p].t, &expected[p].t, exact, line);
        test_tensor_free(&gradient[p]);
        test_tensor_free(&expected[p]);
    }
    test_tensor_free(&expected[DEFORM_Y]);
    test_tensor_free(&y);
    deform_free(&c);
}

static void layers_of_torchvision(void **state)
{
    (void)state;
    source exact = {.next = 0}, real = {.next = 0};
    fal_error error = {0};
    assert_true(
        test_ok(io_read("tests/golden/deform_exact.npy", NULL, &exact.array, &error), &error, "exact"));
    assert_true(test_ok(io_read("tests/golden/deform_real.npy", NULL, &real.array, &error), &error, "real"));
    FILE *index = fopen("tests/golden/deform.txt", "r");
    assert_non_null(index);
    char line[512];
    int layers = 0;
    for (; fgets(line, sizeof line, index) != NULL; layers++) {
        line[strcspn(line, "\n")] = 0;
        const bool is_exact = strncmp(line, "exact", 5) == 0;
        check_layer(line, is_exact ? &exact : &real, is_exact);
    }
    fclose(index);
    assert_true(layers >= 60);
    assert_int_equal(exact.next, exact.array.tensor.shape[0]);
    assert_int_equal(real.next, real.array.tensor.shape[0]);
    io_array_free(&exact.array);
    io_array_free(&real.array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers_of_torchvision)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
