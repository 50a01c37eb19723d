/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_separable_strips.c: a large separable convolution goes strip by strip.
 *
 * Channels last, sizes past the threshold: equal to the references of both halves on small integers for every
 * kind of padding, stride, batch and number of axes; the whole intermediate is never allocated; a failing
 * allocation leaves y as it was, though it is added to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/support.h"

enum { MULTIPLIER = 2, OUT = 3 };

typedef struct example {
    const char *name;
    int32_t spatial;
    int64_t n, channels, in[FAL_MAX_SPATIAL], kernel[FAL_MAX_SPATIAL];
    fal_conv_params params;
    bool strips; /* false: past the threshold, but the intermediate is needed whole */
} example;

static const example examples[] = {
    {"padded plane", 2, 1, 4, {230, 231}, {3, 3}, {.padding_begin = {1, 1}, .padding_end = {1, 1}}, true},
    {"stride 2, dilation 2, one side padded, two images",
     2,
     2,
     4,
     {461, 457},
     {3, 2},
     {.stride = {2, 2}, .dilation = {2, 1}, .padding_begin = {3, 0}, .beta = 2},
     true},
    {"cropped on some sides",
     2,
     1,
     4,
     {250, 236},
     {4, 3},
     {.padding_begin = {-5, 1}, .padding_end = {2, -3}},
     true},
    {"causal signal", 1, 2, 3, {90007}, {9}, {.padding = FAL_PADDING_CAUSAL}, true},
    {"volume", 3, 1, 2, {50, 71, 36}, {3, 3, 3}, {.padding = FAL_PADDING_SAME}, true},
    {"constant border",
     2,
     1,
     4,
     {230, 231},
     {5, 3},
     {.padding = FAL_PADDING_SAME, .padding_mode = FAL_PAD_CONSTANT, .padding_value = 2},
     true},
    {"reflected border",
     2,
     1,
     4,
     {230, 231},
     {3, 3},
     {.padding = FAL_PADDING_SAME, .padding_mode = FAL_PAD_REFLECT},
     false},
};
enum { EXAMPLES = sizeof examples / sizeof examples[0], PLACES = 6 };

typedef struct made {
    test_tensor memory[PLACES];
    fal_separable_operands o;
    fal_conv_params params, depthwise, pointwise;
    fal_tensor middle;
} made;

/* Axes in the order of the layout: n, space, channels; weights: taps, in, out. */
static test_tensor tensor(const example *e, int64_t first, const int64_t *space, int64_t last, uint64_t seed)
{
    int64_t shape[FAL_MAX_RANK] = {first};
    for (int32_t a = 0; a < e->spatial; a++) shape[a + 1] = space[a];
    shape[e->spatial + 1] = last;
    return test_made(FAL_F32, e->spatial + 2, shape, TEST_INT1, seed);
}

static test_tensor weight(const example *e, const int64_t *taps, int64_t in, int64_t out, uint64_t seed)
{
    int64_t shape[FAL_MAX_RANK] = {0};
    for (int32_t a = 0; a < e->spatial; a++) shape[a] = taps != NULL ? taps[a] : 1;
    shape[e->spatial] = in;
    shape[e->spatial + 1] = out;
    return test_made(FAL_F32, e->spatial + 2, shape, TEST_INT1, seed);
}

static made make(const example *e)
{
    const int64_t between = e->channels * MULTIPLIER;
    made m = {.params = e->params, .pointwise = {.layout = FAL_NHWC, .beta = e->params.beta}};
    m.params.layout = FAL_NHWC;
    m.depthwise = m.params;
    m.depthwise.groups = e->channels;
    m.depthwise.beta = 0;
    m.memory[0] = tensor(e, e->n, e->in, e->channels, 1);
    m.memory[1] = weight(e, e->kernel, 1, between, 2);
    m.memory[2] = test_made(FAL_F32, 1, &between, TEST_INT1, 3);
    m.memory[3] = weight(e, NULL, between, OUT, 4);
    m.memory[4] = test_made(FAL_F32, 1, (const int64_t[]){OUT}, TEST_INT1, 5);
    assert_int_equal(
        fal_conv_output_shape(false, &m.memory[0].t, &m.memory[1].t, &m.depthwise, &m.middle, NULL), FAL_OK);
    m.memory[5] = tensor(e, e->n, m.middle.shape + 1, OUT, 6);
    m.o = (fal_separable_operands){m.memory[0].t, m.memory[1].t, m.memory[2].t,
                                   m.memory[3].t, m.memory[4].t, m.memory[5].t};
    return m;
}

static void discard(made *m)
{
    for (int i = 0; i < PLACES; i++) test_tensor_free(&m->memory[i]);
}

static test_tensor expected(const made *m)
{
    fal_error error = {0};
    test_tensor middle = test_tensor_new(FAL_F32, m->middle.rank, m->middle.shape, 0);
    test_tensor y = test_tensor_copy(&m->o.y, FAL_F32);
    const fal_operands first = {m->o.x, m->o.depthwise, m->o.depthwise_bias, middle.t};
    const fal_operands second = {middle.t, m->o.pointwise, m->o.pointwise_bias, y.t};
    assert_true(test_ok(fal_reference(FAL_OP_CONV, &first, &m->depthwise, &error), &error, "depthwise"));
    assert_true(test_ok(fal_reference(FAL_OP_CONV, &second, &m->pointwise, &error), &error, "pointwise"));
    test_tensor_free(&middle);
    return y;
}

/* An allocator that remembers its largest block. */
static void *measuring_allocate(void *user, size_t bytes, size_t alignment)
{
    size_t *largest = user;
    if (bytes > *largest) *largest = bytes;
    return aligned_alloc(alignment, bytes);
}

static void measuring_release(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(memory);
}

static void equals_both_references_without_the_whole_between(void **state)
{
    (void)state;
    for (int i = 0; i < EXAMPLES; i++) {
        made first = make(&examples[i]);
        test_tensor y = expected(&first);
        discard(&first);
        for (int32_t threads = 1; threads <= 3; threads++) {
            made m = make(&examples[i]);
            fal_error error = {0};
            size_t largest = 0;
            const fal_context context = {.error = &error,
                                         .threads = threads,
                                         .allocator = {.allocate = measuring_allocate,
                                                       .release = measuring_release,
                                                       .user = &largest}};
            assert_true(test_ok(fal_separable_conv(&context, &m.o, &m.params), &error, examples[i].name));
            assert_true(test_equal(&m.o.y, &y.t, examples[i].name));
            const size_t whole = (size_t)fal_tensor_count(&m.middle) * sizeof(float);
            assert_true(whole / (size_t)examples[i].n > 1536 << 10);
            assert_int_equal(largest < whole / 2, examples[i].strips);
            discard(&m);
        }
        test_tensor_free(&y);
    }
}

static void every_failing_allocation_leaves_the_output(void **state)
{
    (void)state;
    made m = make(&examples[1]);
    const uint64_t before = test_tensor_hash(&m.memory[5]);
    fal_status status = FAL_E_NOMEM;
    for (int64_t calls = 1; status != FAL_OK; calls++) {
        test_memory heap = {.fail_from = calls};
        const fal_context context = {.allocator = test_allocator(&heap), .threads = 1};
        assert_true(calls == 1 || test_tensor_hash(&m.memory[5]) == before);
        status = fal_separable_conv(&context, &m.o, &m.params);
        assert_true(status == FAL_OK || status == FAL_E_NOMEM);
        assert_int_equal(heap.live, 0);
        assert_false(heap.broken);
    }
    discard(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_both_references_without_the_whole_between),
        cmocka_unit_test(every_failing_allocation_leaves_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
