/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_no_memory_operators.c: every allocation of every public function fails, alone and with all later
 * ones.
 *
 * Each failure is FAL_E_NOMEM, leaks nothing and writes nowhere but in the outputs. The same call then
 * succeeds on what the failed one left, with the bits of a call that was never disturbed; where beta or a
 * layer adds to the old values, that shows that the failed call had added nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/support.h"

enum { READ = 6, WRITTEN = 5, MOST_CALLS = 200 };

/* A call in the making: what it reads and writes. */
typedef struct job {
    test_tensor in[READ], out[WRITTEN];
    fal_conv_layer *layer;
    int kind; /* which of several functions, modes or types */
} job;

typedef struct row {
    const char *name;
    int kinds;
    void (*make)(job *j);
    fal_status (*run)(const fal_context *context, job *j);
} row;

static test_tensor made(fal_dtype dtype, int32_t rank, const int64_t *shape, uint64_t seed)
{
    return test_made(dtype, rank, shape, TEST_INT, seed);
}

#define SHAPE(...) (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), ((int64_t[]){__VA_ARGS__})

/* ---- Convolution and its gradients, beta = 1 ---- */

/* x, w, bias, y; written: y or the three gradients */
static void make_conv(job *j)
{
    const fal_dtype dtype = j->kind / 2 == 1 ? FAL_F16 : FAL_F32;
    j->in[0] = made(dtype, SHAPE(2, 4, 7, 6), 1);
    j->in[1] = made(dtype, SHAPE(4, 4, 3, 3), 2);
    j->in[2] = made(dtype, SHAPE(4), 3);
    j->in[3] = made(dtype, SHAPE(2, 4, 5, 4), 4);
    j->out[0] = made(dtype, SHAPE(2, 4, 5, 4), 5);
}

static fal_status run_conv(const fal_context *context, job *j)
{
    const fal_conv_params conv = {.beta = 1},
                          transposed = {.beta = 1, .padding_begin = {2, 2}, .padding_end = {2, 2}};
    if (j->kind % 2 == 0)
        return fal_conv(context, &j->in[0].t, &j->in[1].t, &j->in[2].t, &conv, &j->out[0].t);
    return fal_conv_transpose(context, &j->in[0].t, &j->in[1].t, &j->in[2].t, &transposed, &j->out[0].t);
}

static void make_conv_grad(job *j)
{
    make_conv(j);
    test_tensor_free(&j->out[0]);
    for (int i = 0; i < 3; i++) j->out[i] = test_tensor_copy(&j->in[i].t, j->in[i].t.dtype);
}

/* Kinds 0 to 3: all three gradients; 4 and 5: only the bias'. */
static fal_status run_conv_grad(const fal_context *context, job *j)
{
    const fal_conv_params conv = {.beta = 1},
                          transposed = {.beta = 1, .padding_begin = {2, 2}, .padding_end = {2, 2}};
    const fal_tensor *gx = j->kind < 4 ? &j->out[0].t : NULL, *gw = j->kind < 4 ? &j->out[1].t : NULL;
    if (j->kind % 2 == 0)
        return fal_conv_grad(context, &j->in[0].t, &j->in[1].t, &j->in[3].t, &conv, gx, gw, &j->out[2].t);
    return fal_conv_transpose_grad(context, &j->in[0].t, &j->in[1].t, &j->in[3].t, &transposed, gx, gw,
                                   &j->out[2].t);
}

static void make_integer(job *j)
{
    j->in[0] = made(FAL_U8, SHAPE(1, 2, 6, 6), 1);
    j->in[1] = made(FAL_I8, SHAPE(3, 2, 3, 3), 2);
    j->out[0] = made(FAL_I32, SHAPE(1, 3, 4, 4), 3);
}

static fal_status run_integer(const fal_context *context, job *j)
{
    return fal_conv_integer(context, &j->in[0].t, 3, &j->in[1].t, NULL, NULL, &j->out[0].t);
}

/* ---- Separable ---- */

static void make_separable(job *j)
{
    j->in[0] = made(FAL_F32, SHAPE(2, 3, 6, 6), 1);
    j->in[1] = made(FAL_F32, SHAPE(6, 1, 3, 3), 2);
    j->in[2] = made(FAL_F32, SHAPE(6), 3);
    j->in[3] = made(FAL_F32, SHAPE(5, 6, 1, 1), 4);
    j->in[4] = made(FAL_F32, SHAPE(5), 5);
    j->in[5] = made(FAL_F32, SHAPE(2, 5, 4, 4), 6);
    for (int i = 0; i < 5; i++) j->out[i] = test_tensor_copy(&j->in[j->kind == 0 ? 5 : i].t, FAL_F32);
}

static fal_status run_separable(const fal_context *context, job *j)
{
    const fal_conv_params params = {.beta = 1};
    const test_tensor *in = j->in, *out = j->out;
    fal_separable_operands o = {in[0].t, in[1].t, in[2].t, in[3].t, in[4].t, in[5].t};
    fal_separable_operands gradients = {out[0].t, out[1].t, out[2].t, out[3].t, out[4].t, {0}};
    if (j->kind == 1) return fal_separable_conv_grad(context, &o, &params, &gradients);
    o.y = out[0].t;
    return fal_separable_conv(context, &o, &params);
}

/* ---- Deformable; kinds: forward and gradient in f32 and f16 ---- */

static void make_deform(job *j)
{
    const fal_dtype dtype = j->kind < 2 ? FAL_F32 : FAL_F16;
    j->in[0] = made(dtype, SHAPE(2, 4, 6, 6), 1);
    j->in[1] = made(dtype, SHAPE(2, 36, 4, 4), 2);
    j->in[2] = made(dtype, SHAPE(2, 18, 4, 4), 3);
    j->in[3] = made(dtype, SHAPE(4, 2, 3, 3), 4);
    j->in[4] = made(dtype, SHAPE(4), 5);
    j->in[5] = made(dtype, SHAPE(2, 4, 4, 4), 6);
    for (int i = 0; i < 5; i++) j->out[i] = test_tensor_copy(&j->in[j->kind % 2 == 0 ? 5 : i].t, dtype);
}

static fal_status run_deform(const fal_context *context, job *j)
{
    const fal_conv_params params = {.beta = 1, .groups = 2};
    const test_tensor *in = j->in, *out = j->out;
    fal_deform_operands o = {in[0].t, in[1].t, in[2].t, in[3].t, in[4].t, in[5].t};
    fal_deform_operands gradients = {out[0].t, out[1].t, out[2].t, out[3].t, out[4].t, {0}};
    if (j->kind % 2 == 1) return fal_deform_conv_grad(context, &o, &params, 2, &gradients);
    o.y = out[0].t;
    return fal_deform_conv(context, &o, &params, 2);
}

/* ---- Pooling; kinds: maximum, average, Lp ---- */

static void make_pool(job *j)
{
    j->in[0] = made(FAL_F32, SHAPE(2, 3, 6, 6), 1);
    j->in[1] = made(FAL_F32, SHAPE(2, 3, 3, 3), 2);
    j->out[0] = made(FAL_F32, SHAPE(2, 3, 3, 3), 3);
    j->out[1] = made(FAL_F32, SHAPE(2, 3, 6, 6), 4);
}

static fal_status run_pool(const fal_context *context, job *j)
{
    const fal_pool_params params = {.kind = (fal_pool_kind)j->kind, .kernel = {2, 2}};
    return fal_pool(context, &j->in[0].t, &params, &j->out[0].t, NULL);
}

static fal_status run_pool_grad(const fal_context *context, job *j)
{
    const fal_pool_params params = {.kind = (fal_pool_kind)j->kind, .kernel = {2, 2}};
    return fal_pool_grad(context, &j->in[0].t, &j->in[1].t, &params, &j->out[1].t);
}

static void make_unpool(job *j)
{
    make_pool(j);
    j->in[2] = made(FAL_I64, SHAPE(2, 3, 3, 3), 5);
    test_fill_tensor(&j->in[2].t, TEST_ZERO, 0);
}

static fal_status run_unpool(const fal_context *context, job *j)
{
    const fal_pool_params params = {.kernel = {2, 2}};
    if (j->kind == 0) return fal_max_unpool(context, &j->in[1].t, &j->in[2].t, &params, NULL, &j->out[1].t);
    return fal_max_unpool_grad(context, &j->in[2].t, &j->in[0].t, &params, NULL, &j->out[0].t);
}

/* ---- Up-sampling; kinds: forward and gradient, each bilinear and nearest ---- */

static fal_status run_upsample(const fal_context *context, job *j)
{
    const fal_upsample_params params = {.mode = (fal_upsample_mode)(j->kind / 2)};
    if (j->kind % 2 == 0) return fal_upsample(context, &j->in[1].t, &params, &j->out[1].t);
    return fal_upsample_grad(context, &j->in[0].t, &params, &j->out[0].t);
}

/* ---- Layers; kinds: convolution, transposed, separable ---- */

typedef fal_status create_function(const fal_context *context, const fal_conv_layer_options *options,
                                   fal_conv_layer **layer);

static fal_status create(const fal_context *context, int kind, fal_conv_layer **layer)
{
    static create_function *const creates[] = {fal_conv_layer_create, fal_conv_transpose_layer_create,
                                               fal_separable_layer_create};
    const fal_conv_layer_options options = {.in_channels = 4,
                                            .out_channels = 4,
                                            .spatial = 2,
                                            .kernel = {3, 3},
                                            .params = {.padding_begin = {1, 1}, .padding_end = {1, 1}},
                                            .seed = 42};
    return creates[kind](context, &options, layer);
}

/* out: y and gx, then up to three parameters or their gradients */
static void make_layer(job *j)
{
    for (int i = 0; i < 2; i++) {
        j->in[i] = made(FAL_F32, SHAPE(2, 4, 5, 5), (uint64_t)i + 1);
        j->out[i] = made(FAL_F32, SHAPE(2, 4, 5, 5), 3);
    }
    assert_int_equal(create(NULL, j->kind, &j->layer), FAL_OK);
    for (int32_t i = 0; i < 3 && i < fal_conv_layer_parameter_count(j->layer); i++) {
        fal_tensor value;
        assert_int_equal(fal_conv_layer_parameter(j->layer, i, NULL, &value, NULL, NULL), FAL_OK);
        j->out[2 + i] = test_tensor_copy(&value, FAL_F32);
    }
}

static void copy_parameters(job *j, const fal_conv_layer *layer, bool gradients)
{
    for (int32_t i = 0; i < 3 && i < fal_conv_layer_parameter_count(layer); i++) {
        fal_tensor value, gradient;
        assert_int_equal(fal_conv_layer_parameter(layer, i, NULL, &value, &gradient, NULL), FAL_OK);
        assert_int_equal(fal_tensor_copy(gradients ? &gradient : &value, &j->out[2 + i].t, NULL), FAL_OK);
    }
}

static fal_status run_create(const fal_context *context, job *j)
{
    fal_conv_layer *layer = NULL;
    fal_status status = create(context, j->kind, &layer);
    if (status == FAL_OK)
        copy_parameters(j, layer, false);
    else
        assert_null(layer);
    fal_conv_layer_destroy(layer);
    return status;
}

static fal_status run_forward(const fal_context *context, job *j)
{
    return fal_conv_layer_forward(context, j->layer, &j->in[0].t, &j->out[0].t);
}

static fal_status run_backward(const fal_context *context, job *j)
{
    fal_status status = fal_conv_layer_backward(context, j->layer, &j->in[0].t, &j->in[1].t, &j->out[1].t);
    copy_parameters(j, j->layer, true);
    return status;
}

/* ---- The check ---- */

static const row rows[] = {
    {"fal_conv, fal_conv_transpose", 4, make_conv, run_conv},
    {"fal_conv_grad, fal_conv_transpose_grad", 6, make_conv_grad, run_conv_grad},
    {"fal_conv_integer", 1, make_integer, run_integer},
    {"fal_separable_conv, fal_separable_conv_grad", 2, make_separable, run_separable},
    {"fal_deform_conv, fal_deform_conv_grad", 4, make_deform, run_deform},
    {"fal_pool", 3, make_pool, run_pool},
    {"fal_pool_grad", 3, make_pool, run_pool_grad},
    {"fal_max_unpool, fal_max_unpool_grad", 2, make_unpool, run_unpool},
    {"fal_upsample, fal_upsample_grad", 4, make_pool, run_upsample},
    {"fal_..._layer_create", 3, make_layer, run_create},
    {"fal_conv_layer_forward", 3, make_layer, run_forward},
    {"fal_conv_layer_backward", 3, make_layer, run_backward},
};

/* Outputs and gradients as before the first call. */
static void reset(job *j)
{
    for (int i = 0; i < WRITTEN; i++)
        if (j->out[i].guard.map != NULL) test_fill_tensor(&j->out[i].t, TEST_INT, (uint64_t)i + 11);
    fal_conv_layer_zero_grad(j->layer);
}

static uint64_t hash(const job *j)
{
    uint64_t sum = 0;
    for (int i = 0; i < WRITTEN; i++)
        if (j->out[i].guard.map != NULL) {
            assert_true(test_tensor_gaps_intact(&j->out[i]));
            sum = test_random(sum, test_tensor_hash(&j->out[i]));
        }
    return sum;
}

static fal_status run(const row *r, job *j, int32_t threads, test_memory *memory, fal_error *error)
{
    test_runs runs = {0};
    const fal_context context = {.allocator = test_allocator(memory),
                                 .executor = test_executor_serial(&runs),
                                 .threads = threads,
                                 .error = error};
    fal_status status = r->run(&context, j);
    if (memory->live != 0 || memory->broken)
        fail_msg("%s %d: allocation %d fails: %d blocks are left%s", r->name, j->kind, (int)memory->fail_from,
                 (int)memory->live, memory->broken ? ", memory broken" : "");
    return status;
}

/* Returns the number of failures that were visited. */
static int64_t check(const row *r, int kind, int32_t threads)
{
    job j = {.kind = kind};
    fal_error error = {0};
    test_memory undisturbed = {0};
    r->make(&j);
    reset(&j);
    assert_true(test_ok(run(r, &j, threads, &undisturbed, &error), &error, r->name));
    const uint64_t expected = hash(&j);
    assert_true(undisturbed.calls < MOST_CALLS);
    for (int64_t k = 1; k <= undisturbed.calls; k++)
        for (int once = 0; once < 2; once++) {
            test_memory failing = {.fail_from = k, .fail_once = once}, enough = {0};
            reset(&j);
            fal_status status = run(r, &j, threads, &failing, &error);
            if (status != FAL_E_NOMEM || error.status != FAL_E_NOMEM)
                fail_msg("%s %d: allocation %d: %s", r->name, kind, (int)k, fal_status_name(status));
            hash(&j);
            assert_true(test_ok(run(r, &j, threads, &enough, &error), &error, r->name));
            if (hash(&j) != expected)
                fail_msg("%s %d: other bits after allocation %d of %d failed", r->name, kind, (int)k,
                         (int)undisturbed.calls);
        }
    for (int i = 0; i < READ; i++) test_tensor_free(&j.in[i]);
    for (int i = 0; i < WRITTEN; i++) test_tensor_free(&j.out[i]);
    fal_conv_layer_destroy(j.layer);
    return 2 * undisturbed.calls;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    int64_t total = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t points = 0;
        for (int kind = 0; kind < rows[i].kinds; kind++)
            points += check(&rows[i], kind, 1) + check(&rows[i], kind, 3);
        print_message("%6d  %s\n", (int)points, rows[i].name);
        total += points;
    }
    print_message("faults: %d failure points of allocation in the library visited, all clean\n", (int)total);
    assert_true(total > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_failed_allocation_is_survived)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
