/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool.c: pooling and its gradient against the definition, on thousands of random cases.
 *
 * One to three axes, both layouts, with and without a batch, windows that overlap, overhang, skip and
 * lie in the padding, adaptive and global ones, all element types, special values, and random strides
 * in guarded memory. Results must be equal, Lp within roundings of the oracle's long double.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "properties/pool_oracle.h"

enum { SEEDS = 2500, SEEDS_THREADS = 20, SEEDS_WAYS = 300 };
static const fal_context alone = {.threads = 1};

/* The tensors of a case. */
typedef struct tensors {
    test_tensor x, y, indices, gy, gx;
} tensors;

static tensors make(const pool_case *p, test_fill fill, uint64_t strides)
{
    int64_t in[FAL_MAX_RANK], out[FAL_MAX_RANK];
    const int32_t rank = shape_of(p, false, in);
    shape_of(p, true, out);
    tensors t = {.x = test_tensor_new(p->dtype, rank, in, strides),
                 .y = test_tensor_new(p->dtype, rank, out, strides == 0 ? 0 : strides + 1),
                 .indices = test_tensor_new(FAL_I64, rank, out, strides == 0 ? 0 : strides + 2),
                 .gy = test_tensor_new(p->dtype, rank, out, strides == 0 ? 0 : strides + 3),
                 .gx = test_tensor_new(p->dtype, rank, in, strides == 0 ? 0 : strides + 4)};
    test_fill_tensor(&t.x.t, fill, p->seed);
    test_fill_tensor(&t.gy.t, fill == TEST_SPECIAL ? TEST_INT : fill, p->seed + 1);
    return t;
}

static void release(tensors *t)
{
    test_tensor_free(&t->x);
    test_tensor_free(&t->y);
    test_tensor_free(&t->indices);
    test_tensor_free(&t->gy);
    test_tensor_free(&t->gx);
}

static bool close_enough(double a, double b, fal_dtype dtype)
{
    const double unit = dtype == FAL_F64   ? 1e-14
                        : dtype == FAL_F32 ? 0x1p-23
                        : dtype == FAL_F16 ? 0x1p-10
                                           : 0x1p-7;
    return a == b || (isnan(a) && isnan(b)) ||
           fabs(a - b) <= unit * fabs(b) + (dtype == FAL_F16 ? 0x1p-23 : 0);
}

/* ---- forward --------------------------------------------------------------------------------------- */

/* Do two cells of a plane differ in the last axis only? */
static bool same_row(const pool_case *p, const pool_at *a, const pool_at *b)
{
    for (int32_t axis = 0; axis < p->spatial - 1; axis++)
        if (a->space[axis] != b->space[axis]) return false;
    return true;
}

static double expected_value(const pool_case *p, const fal_tensor *x, const pool_cells *cells)
{
    const int64_t best = find_greatest(p, x, cells);
    if (p->params.kind == FAL_POOL_LP) return find_norm(p, x, cells);
    if (p->params.kind == FAL_POOL_MAX)
        return best < 0 ? -(double)INFINITY : value_at(p, x, &cells->at[best]);
    if (cells->count == 0) return 0;
    double sum = 0, row = 0;
    for (int64_t i = 0; i < cells->count; i++) {
        if (i > 0 && !same_row(p, &cells->at[i - 1], &cells->at[i])) sum += row, row = 0;
        row += value_at(p, x, &cells->at[i]);
    }
    sum += row;
    sum /= (double)find_divisor(p, cells);
    return fal_dtype_is_integer(p->dtype) ? trunc(sum) : sum;
}

/* Would the average leave the type? Then the call says so. */
static bool leaves_type(const pool_case *p, double value)
{
    const double low = p->dtype == FAL_U8 ? 0 : -128, high = p->dtype == FAL_U8 ? 255 : 127;
    return (p->dtype == FAL_U8 || p->dtype == FAL_I8) && isfinite(value) && (value < low || value > high);
}

static void check_forward(const pool_case *p, const tensors *t, fal_status status, const char *repro)
{
    static pool_cells cells;
    int64_t one[FAL_MAX_RANK], index[FAL_MAX_RANK];
    for (int32_t a = 0; a < FAL_MAX_RANK; a++) one[a] = 1;
    test_tensor rounded = test_tensor_new(p->dtype, 1, one, 0);
    const int64_t first[1] = {0};
    bool fits = true;
    pool_at o = {0};
    for (bool more = fal_tensor_count(&t->y.t) > 0; more; more = next_output(p, &o)) {
        find_cells(p, &o, &cells);
        const double value = expected_value(p, &t->x.t, &cells);
        fal_tensor_set(&rounded.t, first, value);
        if (leaves_type(p, value)) fits = false;
        const double expected = fal_tensor_get(&rounded.t, first), actual = value_at(p, &t->y.t, &o);
        const bool same = p->params.kind == FAL_POOL_LP
                              ? close_enough(actual, expected, p->dtype)
                              : actual == expected || (isnan(actual) && isnan(expected));
        if (!same) fail_msg("%s\n  y is %.17g, expected %.17g", repro, actual, expected);
        if (p->params.kind != FAL_POOL_MAX) continue;
        const int64_t best = find_greatest(p, &t->x.t, &cells);
        index_of(p, &o, index);
        const int64_t number = fal_tensor_get_int(&t->indices.t, index);
        if (number != (best < 0 ? -1 : number_of(p, &cells.at[best])))
            fail_msg("%s\n  index %lld", repro, (long long)number);
    }
    assert_int_equal(status, fits || p->params.kind == FAL_POOL_MAX ? FAL_OK : FAL_E_OVERFLOW);
    test_tensor_free(&rounded);
}

static void run_forward(uint64_t seed, fal_pool_kind kind)
{
    const pool_case p = draw_case(seed, kind);
    char repro[TEST_TEXT];
    case_text(&p, repro);
    fal_error error = {0};
    fal_tensor shape;
    int64_t in[FAL_MAX_RANK], out[FAL_MAX_RANK];
    const int32_t rank = shape_of(&p, false, in);
    const fal_tensor x = fal_tensor_of(NULL, p.dtype, rank, in);
    const fal_status status = fal_pool_output_shape(&x, &p.params, &shape, &error);
    if (!p.possible) {
        if (status != FAL_E_KERNEL) fail_msg("%s\n  must be refused", repro);
        return;
    }
    assert_true(test_ok(status, &error, repro));
    shape_of(&p, true, out);
    for (int32_t a = 0; a < rank; a++) assert_int_equal(shape.shape[a], out[a]);
    const test_fill fill = p.dtype == FAL_I64 || seed % 3 ? TEST_SPECIAL : TEST_REAL;
    tensors t = make(&p, fal_dtype_is_integer(p.dtype) ? TEST_INT : fill, seed % 2 ? seed : 0);
    const fal_context context = {.threads = 1, .cpu = (fal_cpu_level)(seed / 3 % 4), .error = &error};
    const fal_tensor *indices = kind == FAL_POOL_MAX ? &t.indices.t : NULL;
    const fal_status done = fal_pool(&context, &t.x.t, &p.params, &t.y.t, indices);
    check_forward(&p, &t, done, repro);
    assert_true(test_tensor_gaps_intact(&t.y) && test_tensor_gaps_intact(&t.indices));
    if (kind == FAL_POOL_MAX) { /* the loop without indices is another one */
        test_tensor y = test_tensor_copy(&t.y.t, p.dtype);
        test_fill_tensor(&t.y.t, TEST_ZERO, 1);
        assert_int_equal(fal_pool(&context, &t.x.t, &p.params, &t.y.t, NULL), FAL_OK);
        assert_true(test_equal(&t.y.t, &y.t, repro));
        test_tensor_free(&y);
    }
    release(&t);
}

static void maxima(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run_forward(seed, FAL_POOL_MAX);
}

static void averages(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run_forward(seed, FAL_POOL_AVERAGE);
}

static void norms(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run_forward(seed, FAL_POOL_LP);
}

/* ---- gradient --------------------------------------------------------------------------------------- */

/* Adds what window `o` gives to its cells into `sums`, one number a cell of a compact x. */
static void give(const pool_case *p, const tensors *t, const pool_at *o, pool_cells *cells, double *sums)
{
    const double g = value_at(p, &t->gy.t, o), p_norm = p->params.norm == 0 ? 2 : p->params.norm;
    pool_case compact = *p;
    compact.params.index_mode = FAL_INDEX_TENSOR;
    compact.params.column_major = false;
    compact.params.layout = FAL_NCHW;
    find_cells(p, o, cells);
    const int64_t best = find_greatest(p, &t->x.t, cells);
    const double norm = p->params.kind == FAL_POOL_LP ? find_norm(p, &t->x.t, cells) : 0;
    for (int64_t i = 0; i < cells->count; i++) {
        const double x = value_at(p, &t->x.t, &cells->at[i]), sign = x < 0 ? -1 : x > 0 ? 1 : 0;
        double part = 0;
        if (p->params.kind == FAL_POOL_MAX) part = i == best ? g : 0;
        if (p->params.kind == FAL_POOL_AVERAGE) part = g / (double)find_divisor(p, cells);
        if (p->params.kind == FAL_POOL_AVERAGE && fal_dtype_is_integer(p->dtype)) part = trunc(part);
        if (p->params.kind == FAL_POOL_LP && isinf(p_norm)) part = i == best ? sign * g : 0;
        if (p->params.kind == FAL_POOL_LP && !isinf(p_norm) && sign != 0)
            part = g * sign * pow(fabs(x) / norm, p_norm - 1);
        sums[number_of(&compact, &cells->at[i])] += part;
    }
}

static void run_gradient(uint64_t seed, fal_pool_kind kind)
{
    static pool_cells cells;
    const pool_case p = draw_case(seed, kind);
    if (!p.possible || p.dtype == FAL_I8 || p.dtype == FAL_U8) return;
    char repro[TEST_TEXT];
    case_text(&p, repro);
    fal_error error = {0};
    const fal_context context = {.threads = 1, .error = &error};
    const bool exact = fal_dtype_is_integer(p.dtype) || seed % 2;
    tensors t = make(&p, exact ? TEST_INT : TEST_REAL, seed % 3 ? seed : 0);
    const fal_tensor *x = kind == FAL_POOL_AVERAGE && seed % 5 == 0 ? NULL : &t.x.t;
    assert_true(test_ok(fal_pool_grad(&context, x, &t.gy.t, &p.params, &t.gx.t), &error, repro));
    assert_true(test_tensor_gaps_intact(&t.gx));
    const int64_t count = fal_tensor_count(&t.x.t);
    double *sums = calloc((size_t)count + 1, sizeof *sums);
    pool_at o = {0};
    for (bool more = fal_tensor_count(&t.gy.t) > 0; more; more = next_output(&p, &o))
        give(&p, &t, &o, &cells, sums);
    pool_case inputs = p; /* walks the cells of x in the order of `sums` */
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) inputs.out[a] = p.in[a];
    test_tensor rounded = test_tensor_new(p.dtype, 1, &(int64_t){1}, 0);
    pool_at i = {0};
    for (int64_t at = 0; at < count; at++, next_output(&inputs, &i)) {
        fal_tensor_set(&rounded.t, (int64_t[]){0}, sums[at]);
        const double expected = fal_tensor_get(&rounded.t, (int64_t[]){0});
        const double actual = value_at(&p, &t.gx.t, &i);
        const bool same = kind == FAL_POOL_LP
                              ? close_enough(actual, expected, p.dtype) || fabs(actual - expected) < 1e-13
                              : actual == expected;
        if (!same) fail_msg("%s\n  gx is %.17g, expected %.17g", repro, actual, expected);
    }
    free(sums);
    test_tensor_free(&rounded);
    release(&t);
}

static void gradients(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run_gradient(seed, (fal_pool_kind)(seed % 3));
}

/* ---- ways -------------------------------------------------------------------------------------------- */

/* Windows and tensors too large for the oracle: side by side in memory, where vectors and tiles serve them,
 * and with gaps, where they are met cell by cell. */
static void run_ways(uint64_t seed)
{
    test_stream s = {seed, 0};
    const bool last = test_chance(&s, 2);
    const int64_t c = test_chance(&s, 3) ? test_draw(&s, 60, 140) : test_draw(&s, 1, 5);
    const int64_t height = test_draw(&s, 1, 50), width = test_draw(&s, 1, c > 5 ? 30 : 600);
    const int64_t shape[4] = {1, last ? height : c, last ? width : height, last ? c : width};
    fal_pool_params p = {.kind = test_chance(&s, 2) ? FAL_POOL_MAX : FAL_POOL_AVERAGE,
                         .exclude_padding = test_chance(&s, 3),
                         .ceil_mode = test_chance(&s, 3),
                         .layout = last ? FAL_NHWC : FAL_NCHW};
    for (int a = 0; a < 2; a++) {
        p.kernel[a] = test_draw(&s, 1, 14);
        p.stride[a] = test_draw(&s, 1, 4);
        p.dilation[a] = test_draw(&s, 1, 2);
        p.padding_begin[a] = test_draw(&s, 0, test_chance(&s, 5) ? 90 : 8);
        p.padding_end[a] = test_draw(&s, 0, 8);
    }
    const fal_dtype dtype = test_chance(&s, 4) ? FAL_F64 : FAL_F32;
    test_tensor gaps = test_tensor_new(dtype, 4, shape, 2 * seed + 1);
    test_fill_tensor(&gaps.t, seed % 2 ? TEST_REAL : TEST_SPECIAL, seed);
    test_tensor x = test_tensor_copy(&gaps.t, dtype);
    fal_tensor y;
    if (fal_pool_output_shape(&x.t, &p, &y, NULL) == FAL_OK) {
        test_tensor fast = test_tensor_new(dtype, 4, y.shape, 0),
                    slow = test_tensor_new(dtype, 4, y.shape, 0);
        const fal_context context = {.threads = 1 + (int32_t)(seed % 3),
                                     .cpu = (fal_cpu_level)(seed / 2 % 4)};
        char repro[TEST_TEXT];
        snprintf(repro, sizeof repro, "ways, seed %llu", (unsigned long long)seed);
        assert_int_equal(fal_pool(&context, &x.t, &p, &fast.t, NULL), FAL_OK);
        assert_int_equal(fal_pool(&alone, &gaps.t, &p, &slow.t, NULL), FAL_OK);
        assert_true(test_equal(&fast.t, &slow.t, repro));
        test_tensor_free(&fast);
        test_tensor_free(&slow);
    }
    test_tensor_free(&gaps);
    test_tensor_free(&x);
}

static void ways_agree(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_WAYS; seed++) run_ways(seed);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

/* Work above the limit below which one thread does it all. */
static pool_case large_case(uint64_t seed)
{
    pool_case p = draw_case(seed, (fal_pool_kind)(seed % 3));
    p.spatial = 2;
    p.batched = true;
    p.n = 2;
    p.c = seed % 2 ? 35 : 3;
    p.dtype = seed % 4 == 0 ? FAL_F64 : FAL_F32;
    p.params.spatial = 0;
    p.params.extent = seed % 5 == 0 ? FAL_POOL_ADAPTIVE : FAL_POOL_WINDOW;
    for (int32_t a = 0; a < 2; a++) {
        const bool window = p.params.extent == FAL_POOL_WINDOW;
        p.in[a] = p.c > 3 ? 45 + a : 150 + a;
        p.params.kernel[a] = window ? 3 : 0;
        p.params.stride[a] = window ? 1 + (int64_t)(seed / 2 % 2) : 0;
        p.params.dilation[a] = 0;
        p.params.padding_begin[a] = p.params.padding_end[a] = window;
        p.params.output_size[a] = window ? 0 : 40;
        p.out[a] = count_windows(&p, a);
    }
    return p;
}

static void thread_counts_give_equal_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_THREADS; seed++) {
        const pool_case p = large_case(seed);
        char repro[TEST_TEXT];
        case_text(&p, repro);
        tensors t = make(&p, TEST_REAL, 0);
        const fal_tensor *indices = p.params.kind == FAL_POOL_MAX ? &t.indices.t : NULL;
        assert_int_equal(fal_pool(&alone, &t.x.t, &p.params, &t.y.t, indices), FAL_OK);
        assert_int_equal(fal_pool_grad(&alone, &t.x.t, &t.gy.t, &p.params, &t.gx.t), FAL_OK);
        for (int32_t threads = 2; threads <= 3; threads++) {
            test_runs runs = {0};
            const fal_context context = {.threads = threads, .executor = test_executor_threads(&runs)};
            tensors other = make(&p, TEST_REAL, 0);
            const fal_tensor *other_indices = indices != NULL ? &other.indices.t : NULL;
            assert_int_equal(fal_pool(&context, &t.x.t, &p.params, &other.y.t, other_indices), FAL_OK);
            assert_int_equal(fal_pool_grad(&context, &t.x.t, &t.gy.t, &p.params, &other.gx.t), FAL_OK);
            assert_int_equal(runs.most, threads);
            assert_true(test_same_bits(&other.y.t, &t.y.t, repro));
            assert_true(test_same_bits(&other.gx.t, &t.gx.t, repro));
            if (indices != NULL) assert_true(test_same_bits(&other.indices.t, &t.indices.t, repro));
            release(&other);
        }
        release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxima),     cmocka_unit_test(averages),
        cmocka_unit_test(norms),      cmocka_unit_test(gradients),
        cmocka_unit_test(ways_agree), cmocka_unit_test(thread_counts_give_equal_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
