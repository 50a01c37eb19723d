/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_fft.c: convolution by Fourier transforms, forced by name.
 *
 * Random problems with large kernels: depthwise and dense, tails of channels, dilation, every border, both
 * layouts, forward and the gradient of the input, f32 and f64, at every CPU level, in guarded memory. A
 * transform of n points in floating point is off by at most 6.7 u log2(n) of its 2-norm (Higham 2002,
 * theorem 24.2 and the remark on c); three of them, and C complex products, give for every output of a tile
 *
 *     |y' - y| <= u * (20 log2(n1*n2) + 2 C + 10) * (sum over channels of ||x_c|| ||w_c|| + |bias|)
 *
 * where the norms are of the whole image here, which holds all tiles. On integers the sums are known exactly,
 * and wherever the bound is below one half, rounding must give them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { SEEDS = 40 };

/* Channels and axes of one of three families: depthwise, dense, and long lines. */
static test_problem draw(uint64_t seed, test_stream *r)
{
    static const int64_t groups[] = {1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 40};
    test_problem p = {.seed = seed, .batched = true, .dtype = seed % 5 == 4 ? FAL_F64 : FAL_F32};
    fal_conv_params *q = &p.params;
    p.has_bias = test_chance(r, 2);
    p.transposed = test_chance(r, 4);
    p.n = test_draw(r, 1, 3);
    p.spatial = (int32_t)test_draw(r, 1, 3);
    p.ic = p.oc = q->groups = 1;
    if (test_chance(r, 2)) {
        q->groups = test_pick(r, groups, 12);
        p.oc = test_chance(r, 4) ? test_draw(r, 2, 3) : 1;
    } else {
        q->groups = test_chance(r, 3) ? 2 : 1;
        p.ic = test_draw(r, 1, 20);
        p.oc = test_draw(r, 1, test_chance(r, 2) ? 40 : 20);
    }
    q->layout = test_chance(r, 2) ? FAL_NHWC : FAL_NCHW;
    q->flip_kernel = test_chance(r, 3);
    q->beta = test_chance(r, 3) ? -1 : 0;
    q->activation = test_chance(r, 3) ? FAL_ACTIVATION_RELU : FAL_ACTIVATION_NONE;
    if (!p.transposed && test_chance(r, 2)) q->padding_mode = (fal_padding_mode)test_draw(r, 1, 5);
    if (q->padding_mode == FAL_PAD_CONSTANT) q->padding_value = 2;
    const bool line = p.spatial == 1 || test_chance(r, 3);
    for (int32_t a = 0; a < p.spatial; a++) {
        const bool taps = p.spatial - a <= (line ? 1 : 2);
        p.k[a] = !taps ? 1 : line ? test_draw(r, 16, 60) : test_draw(r, 3, 11);
        p.in[a] = !taps ? test_draw(r, 1, 3) : line ? test_draw(r, 1, 300) : test_draw(r, 1, 40);
        q->stride[a] = taps || p.transposed ? 1 : test_draw(r, 1, 2);
        q->dilation[a] = test_chance(r, 3) ? test_draw(r, 2, 3) : 1;
        q->padding_begin[a] = test_draw(r, -1, p.k[a] * q->dilation[a]);
        q->padding_end[a] = test_draw(r, -1, p.k[a] * q->dilation[a]);
    }
    if (line && p.spatial > 1 && test_chance(r, 3)) { /* along the rows' axis instead */
        const int32_t last = p.spatial - 1;
        const int64_t in = p.in[last], k = p.k[last], s = q->stride[last];
        p.in[last] = p.in[last - 1], p.k[last] = p.k[last - 1], q->stride[last] = q->stride[last - 1];
        p.in[last - 1] = in, p.k[last - 1] = k, q->stride[last - 1] = s;
    }
    test_problem_sizes(&p);
    return p;
}

static bool valid(const test_problem *p)
{
    int64_t products = p->n * p->params.groups * p->ic * p->oc, taps = 1;
    for (int32_t a = 0; a < p->spatial; a++) {
        const int64_t begin = p->params.padding_begin[a], end = p->params.padding_end[a];
        if (p->out[a] < 1 || p->in[a] + begin < 1 || p->in[a] + end < 1 || p->in[a] + begin + end < 1)
            return false;
        products *= p->k[a] * (p->transposed ? p->in[a] : p->out[a]);
        taps *= p->k[a];
    }
    return taps >= 16 && products <= 1 << 20;
}

static test_problem problem_of(uint64_t seed)
{
    test_stream r = {seed, 0};
    for (;;) {
        const test_problem p = draw(seed, &r);
        if (valid(&p)) return p;
    }
}

/* What the lanes of a vector held, from the description of the plan. */
static const char *const ways[] = {"channels in the lanes", "tiles in the lanes", "products of all channels"};
enum { WAYS = 3 };

static int way_of(const fal_plan *plan)
{
    char text[4096];
    fal_plan_explain(plan, text, sizeof text);
    for (int i = 0; i < WAYS; i++)
        if (strstr(text, ways[i]) != NULL) return i;
    fail_msg("%s", text);
    return 0;
}

/* By the solver; *points receives n1*n2 of its tiles, which stand in the name of its kernel. */
static bool run_fft(const fal_context *context, fal_operator op, const test_problem *p,
                    const fal_operands *operands, bool packed, double *points, int64_t ran[WAYS])
{
    char repro[TEST_TEXT];
    fal_conv_params params = p->params;
    fal_plan *plan = NULL;
    fal_plan_info info;
    params.algorithm = "fft";
    if (op != FAL_OP_CONV && op != FAL_OP_CONV_TRANSPOSE) params.activation = FAL_ACTIVATION_NONE;
    if (!test_ok(fal_plan_create(context, op, operands, &params, &plan), context->error,
                 test_problem_text(p, repro)))
        return false;
    assert_int_equal(fal_plan_describe(plan, &info), FAL_OK);
    ran[way_of(plan)]++;
    const char *size = strstr(info.kernel, "fft ");
    assert_non_null(size);
    char *end;
    const long rows = strtol(size + 4, &end, 10);
    *points = (double)rows * (double)strtol(end + 1, NULL, 10);
    fal_plan_destroy(plan);
    return test_ok(test_plan(context, op, operands, &params, packed, 0xFF), context->error, repro);
}

/* Sum of squares of channel c (of the whole tensor when it has one), whose axis it is. */
static double norm(const fal_tensor *t, int32_t axis, int64_t first, int64_t count)
{
    int64_t index[FAL_MAX_RANK] = {0};
    double sum = 0;
    do
        if (index[axis] >= first && index[axis] < first + count) {
            const double v = fal_tensor_get(t, index);
            sum += v * v;
        }
    while (test_next(t, index));
    return sqrt(sum);
}

/* A bound for all outputs: channels together, which Cauchy and Schwarz allow. Cells that a border repeats
 * count as often as they may be seen. */
static double bound(const test_problem *p, const fal_operands *o, fal_operator op, double points)
{
    const bool forward = op == FAL_OP_CONV || op == FAL_OP_CONV_TRANSPOSE;
    const fal_tensor *in = forward ? &o->x : &o->y;
    const double channels = (double)(p->ic > p->oc ? p->ic : p->oc) * (double)p->params.groups;
    double x = norm(in, 0, 0, in->shape[0]), w = norm(&o->w, 0, 0, o->w.shape[0]), bias = 0, copies = 1;
    for (int32_t a = 0; a < p->spatial && p->params.padding_mode != FAL_PAD_ZEROS; a++)
        copies *= 3 + (double)(p->params.padding_begin[a] + p->params.padding_end[a]) / (double)p->in[a];
    if (p->params.padding_mode == FAL_PAD_REPLICATE) copies *= 60 * 60;
    if (p->params.padding_mode == FAL_PAD_CONSTANT) x += 2 * 400;
    if (forward && p->has_bias) bias = norm(&o->bias, 0, 0, o->bias.shape[0]);
    const double u = p->dtype == FAL_F32 ? 0x1p-24 : 0x1p-53;
    return u * (20 * log2(points) + 2 * channels + 10) * (x * w * sqrt(copies) + bias + 10);
}

/* How many outputs were compared, and how many of these rounded. */
typedef struct tally {
    int64_t compared, rounded;
    double worst; /* error over bound */
    int64_t ran[WAYS];
} tally;

static void compare(const fal_tensor *actual, const fal_tensor *expected, double limit, bool whole,
                    const char *repro, tally *t)
{
    int64_t index[FAL_MAX_RANK] = {0};
    do {
        const double a = fal_tensor_get(actual, index), e = fal_tensor_get(expected, index);
        if (!(fabs(a - e) <= limit))
            fail_msg("%s: %.9g is %.3g from %.9g, not %.3g", repro, a, a - e, e, limit);
        t->compared++;
        t->worst = fmax(t->worst, fabs(a - e) / limit);
        if (!whole || limit >= 0.5) continue;
        if (rint(a) != e) fail_msg("%s: %.9g does not round to %.9g", repro, a, e);
        t->rounded++;
    } while (test_next(actual, index));
}

static void check(uint64_t seed, fal_cpu_level cpu, test_fill fill, tally *t)
{
    char repro[TEST_TEXT];
    const test_problem p = problem_of(seed);
    test_case c = test_case_new(&p, fill, seed % 3 == 0 ? seed * 8 + 1 : 0);
    test_problem_text(&p, repro);
    for (test_kind kind = TEST_FORWARD; kind <= TEST_GRAD_INPUT; kind++) {
        bool dense = true;
        for (int32_t a = 0; a < p.spatial; a++) dense = dense && p.params.stride[a] == 1;
        if (kind == TEST_GRAD_INPUT && !dense) continue;
        fal_error error = {0};
        fal_context context = {.cpu = cpu, .threads = 1 + (int32_t)(seed % 3), .error = &error};
        const fal_operator op = test_operator(&p, kind);
        test_result actual = test_result_new(&c, op, seed % 3 == 0 ? seed * 8 + 5 : 0);
        test_wide wide = test_widen(&actual.operands);
        fal_conv_params params = p.params;
        if (kind == TEST_GRAD_INPUT) params.activation = FAL_ACTIVATION_NONE;
        assert_int_equal(fal_reference(op, &wide.operands, &params, NULL), FAL_OK);
        double points = 0;
        assert_true(run_fft(&context, op, &p, &actual.operands, seed % 2 == 0, &points, t->ran));
        assert_true(test_tensor_gaps_intact(&actual.out));
        compare(&actual.out.t, test_written(op, &wide.operands), bound(&p, &c.operands, op, points),
                fill == TEST_INT1, repro, t);
        test_wide_free(&wide);
        test_result_free(&actual);
    }
    test_case_free(&c);
}

static void integers_come_out_after_rounding(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
        tally t = {0};
        for (uint64_t seed = 0; seed < SEEDS; seed++) check(1000 * (uint64_t)cpu + seed, cpu, TEST_INT1, &t);
        assert_true(t.rounded > t.compared / 2);
    }
}

static void real_outputs_are_within_their_bound(void **state)
{
    (void)state;
    for (fal_cpu_level cpu = FAL_CPU_GENERIC; cpu <= fal_cpu_detect(); cpu++) {
        tally t = {0};
        for (uint64_t seed = 0; seed < SEEDS; seed++) check(1000 * (uint64_t)cpu + seed, cpu, TEST_REAL, &t);
        assert_true(t.worst > 1e-6); /* the bound is one: errors are there */
        for (int i = 0; i < WAYS; i++) assert_true(t.ran[i] > 5);
    }
}

/* ||y' - y|| / ||y|| of a layer as networks have them, where the worst case says little. */
static double relative_error(int32_t spatial, int64_t groups, int64_t channels, int64_t size, int64_t taps)
{
    fal_error error = {0};
    const fal_context context = {.error = &error};
    test_problem p = {.seed = 5, .batched = true, .dtype = FAL_F32, .spatial = spatial, .n = 1};
    p.ic = p.oc = channels;
    p.params.groups = groups;
    p.params.padding = FAL_PADDING_SAME;
    for (int32_t a = 0; a < spatial; a++) {
        p.in[a] = size;
        p.k[a] = taps;
        p.params.stride[a] = p.params.dilation[a] = 1;
    }
    test_problem_sizes(&p);
    test_case c = test_case_new(&p, TEST_REAL, 0);
    test_result y = test_result_new(&c, FAL_OP_CONV, 0);
    double points, off = 0, all = 0;
    int64_t ran[WAYS] = {0}, index[FAL_MAX_RANK] = {0};
    assert_true(run_fft(&context, FAL_OP_CONV, &p, &y.operands, true, &points, ran));
    test_wide wide = test_widen(&c.operands);
    p.params.algorithm = "implicit-gemm";
    test_tensor exact = test_conv(false, &wide.operands.x, &wide.operands.w, NULL, &p.params);
    do {
        const double e = fal_tensor_get(&exact.t, index), d = fal_tensor_get(&y.out.t, index) - e;
        off += d * d;
        all += e * e;
    } while (test_next(&exact.t, index));
    test_tensor_free(&exact);
    test_wide_free(&wide);
    test_result_free(&y);
    test_case_free(&c);
    return sqrt(off / all);
}

static void layers_of_networks_lose_little(void **state)
{
    (void)state;
    static const struct {
        int32_t spatial;
        int64_t groups, channels, size, taps;
    } layers[] = {{2, 16, 1, 56, 31}, {2, 16, 1, 28, 13}, {2, 1, 32, 28, 7}, {1, 1, 16, 3000, 512}};
    for (int i = 0; i < 4; i++) {
        const double error = relative_error(layers[i].spatial, layers[i].groups, layers[i].channels,
                                            layers[i].size, layers[i].taps);
        if (error >= 5e-7) fprintf(stderr, "layer %d: %.3g\n", i, error);
        assert_true(error < 5e-7);
        assert_true(error > 1e-8);
    }
}

static void bits_are_those_of_one_thread(void **state)
{
    (void)state;
    for (uint64_t seed = 7000; seed < 7000 + SEEDS; seed++) {
        char repro[TEST_TEXT];
        double points;
        int64_t ran[WAYS] = {0};
        const test_problem p = problem_of(seed);
        test_runs runs = {0};
        fal_error error = {0};
        const fal_context alone = {.threads = 1, .error = &error},
                          many = {.threads = 2 + (int32_t)(seed % 6),
                                  .executor = seed / 6 % 2 ? test_executor_reversed(&runs)
                                                           : test_executor_threads(&runs),
                                  .error = &error};
        test_case c = test_case_new(&p, TEST_REAL, seed % 2 ? seed : 0);
        const fal_operator op = test_operator(&p, TEST_FORWARD);
        test_result expected = test_result_new(&c, op, seed + 9), actual = test_result_new(&c, op, seed + 9);
        assert_true(run_fft(&alone, op, &p, &expected.operands, false, &points, ran));
        assert_true(run_fft(&many, op, &p, &actual.operands, true, &points, ran));
        assert_true(test_same_bits(&actual.out.t, &expected.out.t, test_problem_text(&p, repro)));
        test_result_free(&expected);
        test_result_free(&actual);
        test_case_free(&c);
    }
}

/* A NaN reaches every output whose window sees it, and no other channel or image of a depthwise layer. */
static void a_nan_stays_in_its_channel(void **state)
{
    (void)state;
    test_problem p = {.seed = 1, .batched = true, .dtype = FAL_F32, .spatial = 2, .n = 2, .ic = 1, .oc = 1};
    fal_error error = {0};
    const fal_context context = {.error = &error};
    double points;
    int64_t ran[WAYS] = {0};
    p.params.groups = 20;
    for (int a = 0; a < 2; a++) {
        p.in[a] = 30;
        p.k[a] = 13;
        p.params.stride[a] = p.params.dilation[a] = 1;
        p.params.padding_begin[a] = p.params.padding_end[a] = 6;
    }
    test_problem_sizes(&p);
    test_case c = test_case_new(&p, TEST_REAL, 0);
    fal_tensor_set(&c.x.t, (const int64_t[]){1, 17, 10, 20}, (double)NAN);
    test_result r = test_result_new(&c, FAL_OP_CONV, 0);
    assert_true(run_fft(&context, FAL_OP_CONV, &p, &r.operands, true, &points, ran));
    int64_t index[FAL_MAX_RANK] = {0};
    do {
        const bool nan = isnan(fal_tensor_get(&r.out.t, index)), here = index[0] == 1 && index[1] == 17;
        if (!here) assert_false(nan);
        if (here && llabs(index[2] - 10) <= 6 && llabs(index[3] - 20) <= 6) assert_true(nan);
    } while (test_next(&r.out.t, index));
    test_result_free(&r);
    test_case_free(&c);
}

static void strict_accuracy_and_strides_are_refused(void **state)
{
    (void)state;
    test_problem p = problem_of(3);
    fal_error error = {0};
    const fal_context context = {.error = &error};
    fal_plan *plan = NULL;
    fal_operands shapes = test_problem_shapes(&p);
    p.params.algorithm = "fft";
    p.params.accuracy = FAL_ACCURACY_STRICT;
    const fal_operator op = test_operator(&p, TEST_FORWARD);
    assert_int_equal(fal_plan_create(&context, op, &shapes, &p.params, &plan), FAL_E_UNSUPPORTED);
    assert_non_null(strstr(error.found, "strict"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_come_out_after_rounding),
        cmocka_unit_test(real_outputs_are_within_their_bound),
        cmocka_unit_test(layers_of_networks_lose_little),
        cmocka_unit_test(bits_are_those_of_one_thread),
        cmocka_unit_test(a_nan_stays_in_its_channel),
        cmocka_unit_test(strict_accuracy_and_strides_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
