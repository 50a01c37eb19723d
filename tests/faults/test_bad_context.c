/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bad_context.c: contexts, NULL in place of tensors, and the error report itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

/* A small valid call of fal_conv; y holds -77. */
typedef struct call {
    float x[25], w[9], y[9];
    fal_tensor tx, tw, ty;
} call;

static void valid(call *c)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < 9; i++) c->y[i] = -77;
    c->tx = FAL_TENSOR(c->x, FAL_F32, 1, 1, 5, 5);
    c->tw = FAL_TENSOR(c->w, FAL_F32, 1, 1, 3, 3);
    c->ty = FAL_TENSOR(c->y, FAL_F32, 1, 1, 3, 3);
}

static bool untouched(const call *c)
{
    for (int i = 0; i < 9; i++)
        if (c->y[i] != -77) return false;
    return true;
}

static void contexts_are_checked(void **state)
{
    (void)state;
    call c;
    test_memory memory = {0};
    fal_allocator no_release = test_allocator(&memory), no_allocate = no_release;
    no_release.release = NULL;
    no_allocate.allocate = NULL;
    const struct {
        fal_context context;
        fal_status status;
    } bad[] = {
        {{.threads = -1}, FAL_E_THREADS},
        {{.threads = 1000000}, FAL_E_THREADS},
        {{.cpu = (fal_cpu_level)77}, FAL_E_VALUE},
        {{.cpu = (fal_cpu_level)-1}, FAL_E_VALUE},
        {{.allocator = no_release}, FAL_E_NULL},
        {{.allocator = no_allocate}, FAL_E_NULL},
        {{.workspace_cap_bytes = 1}, FAL_E_WORKSPACE},
    };
    const fal_conv_params hungry = {.algorithm = "implicit-gemm"}; /* which packs what it reads */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fal_error error = {0};
        fal_context context = bad[i].context;
        context.error = &error;
        valid(&c);
        assert_int_equal(fal_conv(&context, &c.tx, &c.tw, NULL, &hungry, &c.ty), bad[i].status);
        assert_int_equal(error.status, bad[i].status);
        assert_true(error.field[0] != 0 && error.found[0] != 0);
        assert_true(untouched(&c));
    }
    assert_int_equal(memory.calls, 0);
}

/* Refusals that come after memory was taken give it back. */
static void late_refusals_leak_nothing(void **state)
{
    (void)state;
    call c;
    valid(&c);
    test_memory memory = {0};
    fal_context context = {.allocator = test_allocator(&memory)};
    fal_conv_params params = {.algorithm = "no such algorithm"};
    assert_int_equal(fal_conv(&context, &c.tx, &c.tw, NULL, &params, &c.ty), FAL_E_UNSUPPORTED);
    context.workspace_cap_bytes = 1;
    params.algorithm = "implicit-gemm";
    assert_int_equal(fal_conv(&context, &c.tx, &c.tw, NULL, &params, &c.ty), FAL_E_WORKSPACE);
    assert_true(memory.calls > 0);
    assert_int_equal(memory.live, 0);
    assert_false(memory.broken);
    assert_true(untouched(&c));
}

static void null_tensors_are_refused(void **state)
{
    (void)state;
    call c;
    valid(&c);
    const fal_tensor *x = &c.tx, *w = &c.tw, *y = &c.ty;
    assert_int_equal(fal_conv(NULL, NULL, w, NULL, NULL, y), FAL_E_NULL);
    assert_int_equal(fal_conv(NULL, x, NULL, NULL, NULL, y), FAL_E_NULL);
    assert_int_equal(fal_conv(NULL, x, w, NULL, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_transpose(NULL, NULL, w, NULL, NULL, y), FAL_E_NULL);
    assert_int_equal(fal_conv_grad(NULL, NULL, w, y, NULL, x, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_grad(NULL, x, NULL, y, NULL, x, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_grad(NULL, x, w, NULL, NULL, x, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_conv_describe(false, NULL, w, NULL, NULL, NULL), FAL_E_NULL);
    assert_int_equal(fal_reference(FAL_OP_CONV, NULL, NULL, NULL), FAL_E_NULL);
    assert_true(untouched(&c));
}

/* A message is cut to the caller's buffer, and its length is that of the whole. */
static void message_is_cut_to_the_buffer(void **state)
{
    (void)state;
    call c;
    fal_error error = {0};
    fal_context context = {.error = &error};
    fal_conv_params params = {.stride = {-1}};
    char whole[TEST_TEXT], part[10];
    valid(&c);
    assert_int_equal(fal_conv(&context, &c.tx, &c.tw, NULL, &params, &c.ty), FAL_E_STRIDE);
    size_t length = fal_error_message(&error, whole, sizeof whole);
    assert_int_equal(length, strlen(whole));
    assert_int_equal(fal_error_message(&error, part, sizeof part), length);
    assert_int_equal(strlen(part), sizeof part - 1);
    assert_memory_equal(part, whole, sizeof part - 1);
    assert_int_equal(fal_error_message(&error, NULL, 0), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_are_checked),
        cmocka_unit_test(late_refusals_leak_nothing),
        cmocka_unit_test(null_tensors_are_refused),
        cmocka_unit_test(message_is_cut_to_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
