/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_geometry.c: what convolution does when its operands are moved, flipped, stuffed or padded.
 *
 * Each property compares convolutions with each other, or with sums counted here; none needs the
 * reference. Bit for bit where the same products are added in the same order, else exact on small
 * integers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/support.h"

enum { SEEDS = 150 };
#define SHAPE(...)    \
    (const int64_t[]) \
    {                 \
        __VA_ARGS__   \
    }

static test_tensor make(test_fill fill, int32_t rank, const int64_t *shape, uint64_t seed)
{
    return test_made(FAL_F32, rank, shape, fill, seed);
}

static fal_tensor slice(const fal_tensor *t, int32_t axis, int64_t start, int64_t stop, int64_t step)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_slice(t, axis, start, stop, step, &out, NULL), FAL_OK);
    return out;
}

static fal_tensor flipped(const fal_tensor *t, int32_t axis)
{
    fal_tensor out;
    assert_int_equal(fal_tensor_flip(t, axis, &out, NULL), FAL_OK);
    return out;
}

static void free_all(test_tensor **all, int count)
{
    for (int i = 0; i < count; i++) test_tensor_free(all[i]);
}

/* A random 2-D layer without padding on an input that is large enough. */
typedef struct layer {
    test_tensor x, w;
    fal_conv_params params;
} layer;

static layer random_layer(uint64_t seed, test_fill fill)
{
    test_stream r = {seed, 0};
    layer l = {.params = {.accuracy = FAL_ACCURACY_STRICT}};
    l.params.groups = test_chance(&r, 3) ? 3 : 1;
    for (int a = 0; a < 2; a++) {
        l.params.stride[a] = test_draw(&r, 1, 3);
        l.params.dilation[a] = test_draw(&r, 1, 3);
    }
    int64_t ic = test_draw(&r, 1, 6), oc = test_draw(&r, 1, 6), g = l.params.groups;
    l.x = make(fill, 4, SHAPE(2, g * ic, test_draw(&r, 8, 30), test_draw(&r, 8, 30)), seed * 2);
    l.w = make(fill, 4, SHAPE(g * oc, ic, test_draw(&r, 1, 3), test_draw(&r, 1, 3)), seed * 2 + 1);
    return l;
}

static void free_layer(layer *l)
{
    test_tensor_free(&l->x);
    test_tensor_free(&l->w);
}

/* The window moved by t strides sees the outputs moved by t: bit for bit, in every column, so that
 * the vector body and the tails of a row add in the same order. */
static void property_21_shift_equivariance(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        layer l = random_layer(seed, TEST_REAL);
        test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, &l.params);
        for (int64_t t = 1; t < y.t.shape[3] && t < 5; t++) {
            fal_tensor moved = slice(&l.x.t, 3, t * l.params.stride[1], l.x.t.shape[3], 1),
                       expected = slice(&y.t, 3, t, y.t.shape[3], 1);
            test_tensor shifted = test_conv(false, &moved, &l.w.t, NULL, &l.params);
            assert_true(test_same_bits(&shifted.t, &expected, "shift"));
            test_tensor_free(&shifted);
        }
        test_tensor_free(&y);
        free_layer(&l);
    }
}

/* t rolled by `by` places along axis 2. */
static test_tensor rolled(const fal_tensor *t, int64_t by)
{
    test_tensor out = test_tensor_new(t->dtype, t->rank, t->shape, 0);
    int64_t size = t->shape[2], index[3] = {0};
    do {
        int64_t to[] = {index[0], index[1], (index[2] + by) % size};
        fal_tensor_set(&out.t, to, fal_tensor_get(t, index));
    } while (test_next(t, index));
    return out;
}

static void property_21_circular_shift_equivariance_everywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t s = test_draw(&r, 1, 3), k = test_draw(&r, 1, 5), d = test_draw(&r, 1, 3),
                o = test_draw(&r, 2, 30);
        int64_t span = (k - 1) * d + 1, begin = test_draw(&r, 0, span);
        fal_conv_params params = {.stride = {s},
                                  .dilation = {d},
                                  .padding_begin = {begin},
                                  .padding_end = {span - s - begin}, /* o = i/s */
                                  .padding_mode = FAL_PAD_CIRCULAR,
                                  .accuracy = FAL_ACCURACY_STRICT};
        if (o * s + params.padding_end[0] < 1) continue;
        test_tensor x = make(TEST_REAL, 3, SHAPE(1, 3, o * s), seed),
                    w = make(TEST_REAL, 3, SHAPE(5, 3, k), seed), moved = rolled(&x.t, 2 * s),
                    y = test_conv(false, &x.t, &w.t, NULL, &params),
                    shifted = test_conv(false, &moved.t, &w.t, NULL, &params), expected = rolled(&y.t, 2);
        assert_true(test_same_bits(&shifted.t, &expected.t, "circular shift"));
        free_all((test_tensor *[]){&x, &w, &moved, &y, &shifted, &expected}, 6);
    }
}

/* One weight 1 at one tap copies the input: at every tap position. */
static void property_22_delta_kernel_copies(void **state)
{
    (void)state;
    const int64_t kh = 3, kw = 4, d = 2, groups = 3;
    test_tensor x = make(TEST_REAL, 4, SHAPE(1, groups, 12, 15), 1),
                w = make(TEST_ZERO, 4, SHAPE(groups, 1, kh, kw), 0);
    fal_conv_params params = {.dilation = {d, d}, .groups = groups};
    for (int64_t tap = 0; tap < kh * kw; tap++) {
        int64_t i = tap / kw * d, j = tap % kw * d;
        test_fill_tensor(&w.t, TEST_ZERO, 0);
        for (int64_t g = 0; g < groups; g++) fal_tensor_set(&w.t, SHAPE(g, 0, tap / kw, tap % kw), 1);
        test_tensor y = test_conv(false, &x.t, &w.t, NULL, &params);
        fal_tensor rows = slice(&x.t, 2, i, i + y.t.shape[2], 1),
                   cells = slice(&rows, 3, j, j + y.t.shape[3], 1);
        assert_true(test_equal(&y.t, &cells, "delta kernel"));
        test_tensor_free(&y);
    }
    free_all((test_tensor *[]){&x, &w}, 2);
}

/* A kernel of ones gives the window sums of a summed-area table. */
static void property_23_box_kernel_is_a_summed_area(void **state)
{
    (void)state;
    enum { H = 20, W = 23 };
    int64_t table[H + 1][W + 1] = {{0}};
    test_tensor x = make(TEST_INT, 4, SHAPE(1, 1, H, W), 7);
    for (int64_t i = 0; i < H; i++)
        for (int64_t j = 0; j < W; j++)
            table[i + 1][j + 1] = table[i][j + 1] + table[i + 1][j] - table[i][j] +
                                  (int64_t)fal_tensor_get(&x.t, SHAPE(0, 0, i, j));
    for (int64_t k = 1; k <= 9; k++) {
        test_tensor w = test_tensor_new(FAL_F32, 4, SHAPE(1, 1, k, k + 2), 0);
        fal_tensor_fill(&w.t, 1, NULL);
        test_tensor y = test_conv(false, &x.t, &w.t, NULL, &(fal_conv_params){.stride = {2, 1}});
        int64_t o[4] = {0};
        do {
            int64_t i = 2 * o[2], j = o[3], p = i + k, q = j + k + 2;
            assert_true(fal_tensor_get(&y.t, o) ==
                        (double)(table[p][q] - table[i][q] - table[p][j] + table[i][j]));
        } while (test_next(&y.t, o));
        free_all((test_tensor *[]){&w, &y}, 2);
    }
    test_tensor_free(&x);
}

/* On a constant input an output is that constant times the weights whose taps lie inside. */
static void property_24_constant_input_sums_the_weights(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t k = test_draw(&r, 1, 5), s = test_draw(&r, 1, 3), d = test_draw(&r, 1, 3),
                i = test_draw(&r, 13, 20);
        int64_t begin = test_draw(&r, 0, 9), end = test_draw(&r, 0, 9);
        fal_conv_params params = {
            .stride = {s}, .dilation = {d}, .padding_begin = {begin}, .padding_end = {end}};
        test_tensor x = test_tensor_new(FAL_F32, 3, SHAPE(1, 1, i), 0),
                    w = make(TEST_INT, 3, SHAPE(1, 1, k), seed);
        fal_tensor_fill(&x.t, 3, NULL);
        test_tensor y = test_conv(false, &x.t, &w.t, NULL, &params);
        for (int64_t o = 0; o < y.t.shape[2]; o++) {
            double sum = 0;
            for (int64_t t = 0; t < k; t++) {
                int64_t at = o * s + t * d - begin;
                if (at >= 0 && at < i) sum += fal_tensor_get(&w.t, SHAPE(0, 0, t));
            }
            assert_true(fal_tensor_get(&y.t, SHAPE(0, 0, o)) == 3 * sum);
        }
        free_all((test_tensor *[]){&x, &w, &y}, 3);
    }
}

static void property_25_stride_is_a_subsample(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        layer l = random_layer(seed, TEST_REAL);
        fal_conv_params dense = l.params;
        dense.stride[0] = dense.stride[1] = 1;
        test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, &l.params),
                    all = test_conv(false, &l.x.t, &l.w.t, NULL, &dense);
        fal_tensor rows = slice(&all.t, 2, 0, all.t.shape[2], l.params.stride[0]),
                   cells = slice(&rows, 3, 0, all.t.shape[3], l.params.stride[1]);
        assert_true(test_same_bits(&y.t, &cells, "stride"));
        free_all((test_tensor *[]){&y, &all}, 2);
        free_layer(&l);
    }
}

/* A tensor with factor-1 zeros between neighbours of the last two axes. */
static test_tensor stuffed(const fal_tensor *t, const int64_t *factor)
{
    int64_t shape[4] = {t->shape[0], t->shape[1]}, factors[4] = {1, 1, factor[0], factor[1]};
    for (int a = 2; a < 4; a++) shape[a] = (t->shape[a] - 1) * factors[a] + 1;
    test_tensor out = test_tensor_new(t->dtype, 4, shape, 0);
    assert_int_equal(fal_tensor_zero_stuff(t, factors, &out.t, NULL), FAL_OK);
    return out;
}

static void property_26_dilation_is_a_stuffed_kernel(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        layer l = random_layer(seed, TEST_INT);
        fal_conv_params dense = l.params;
        dense.dilation[0] = dense.dilation[1] = 1;
        test_tensor wide = stuffed(&l.w.t, l.params.dilation),
                    y = test_conv(false, &l.x.t, &l.w.t, NULL, &l.params),
                    expected = test_conv(false, &l.x.t, &wide.t, NULL, &dense);
        assert_true(test_equal(&y.t, &expected.t, "dilation"));
        free_all((test_tensor *[]){&wide, &y, &expected}, 3);
        free_layer(&l);
    }
}

/* Padding = padding the input before; every mode, reaches that repeat the input, and crops. */
static void property_27_padding_is_a_padded_input(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3 * SEEDS; seed++) {
        test_stream r = {seed, 99};
        layer l = random_layer(seed, TEST_INT);
        fal_conv_params inside = l.params, *q = &l.params;
        q->padding_mode = (fal_padding_mode)(seed % 6);
        q->padding_value = 2;
        int64_t shape[4] = {l.x.t.shape[0], l.x.t.shape[1]}, begin[4] = {0};
        for (int a = 0; a < 2; a++) {
            q->padding_begin[a] = begin[2 + a] = test_draw(&r, -1, test_chance(&r, 3) ? 70 : 9);
            q->padding_end[a] = test_draw(&r, -1, test_chance(&r, 3) ? 70 : 9);
            shape[2 + a] = l.x.t.shape[2 + a] + q->padding_begin[a] + q->padding_end[a];
        }
        double value = q->padding_mode == FAL_PAD_CONSTANT ? 2 : 0;
        test_tensor wide = test_tensor_new(FAL_F32, 4, shape, 0);
        assert_int_equal(fal_tensor_pad(&l.x.t, begin, q->padding_mode, value, &wide.t, NULL), FAL_OK);
        test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, q),
                    expected = test_conv(false, &wide.t, &l.w.t, NULL, &inside);
        assert_true(test_equal(&y.t, &expected.t, "padding"));
        free_all((test_tensor *[]){&wide, &y, &expected}, 3);
        free_layer(&l);
    }
}

/* The transposed convolution = zeros between the inputs, pads K-1, the flipped kernel with its
 * channels swapped, stride 1. */
static void property_28_transposed_is_a_stuffed_input(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        test_stream r = {seed, 0};
        int64_t ic = test_draw(&r, 1, 5), oc = test_draw(&r, 1, 5);
        fal_conv_params params = {.groups = 1}, dense = {.padding = FAL_PADDING_FULL, .flip_kernel = true};
        for (int a = 0; a < 2; a++) {
            params.stride[a] = test_draw(&r, 1, 4);
            params.dilation[a] = dense.dilation[a] = test_draw(&r, 1, 3);
        }
        test_tensor x = make(TEST_INT, 4, SHAPE(2, ic, test_draw(&r, 1, 7), test_draw(&r, 1, 7)), seed),
                    w = make(TEST_INT, 4, SHAPE(ic, oc, test_draw(&r, 1, 4), test_draw(&r, 1, 4)),
                             seed + 100),
                    wide = stuffed(&x.t, params.stride), y = test_conv(true, &x.t, &w.t, NULL, &params);
        fal_tensor swapped;
        assert_int_equal(fal_tensor_permute(&w.t, (const int32_t[]){1, 0, 2, 3}, &swapped, NULL), FAL_OK);
        test_tensor expected = test_conv(false, &wide.t, &swapped, NULL, &dense);
        assert_true(test_equal(&y.t, &expected.t, "transposed"));
        free_all((test_tensor *[]){&x, &w, &wide, &y, &expected}, 5);
    }
}

/* Both flipped on an axis: the output is flipped, where the stride leaves no tail. */
static void property_29_flips_and_transposition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        layer l = random_layer(seed, TEST_INT);
        for (int32_t axis = 2; axis < 4; axis++) {
            fal_conv_params params = l.params;
            params.stride[axis - 2] = 1;
            fal_tensor x = flipped(&l.x.t, axis), w = flipped(&l.w.t, axis);
            test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, &params),
                        yf = test_conv(false, &x, &w, NULL, &params);
            fal_tensor expected = flipped(&y.t, axis);
            assert_true(test_equal(&yf.t, &expected, "flip"));
            free_all((test_tensor *[]){&y, &yf}, 2);
        }
        const int32_t swap[] = {0, 1, 3, 2};
        fal_tensor x, w, expected;
        fal_conv_params params = l.params;
        for (int a = 0; a < 2; a++) {
            params.stride[a] = l.params.stride[1 - a];
            params.dilation[a] = l.params.dilation[1 - a];
        }
        assert_int_equal(fal_tensor_permute(&l.x.t, swap, &x, NULL), FAL_OK);
        assert_int_equal(fal_tensor_permute(&l.w.t, swap, &w, NULL), FAL_OK);
        test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, &l.params),
                    yt = test_conv(false, &x, &w, NULL, &params);
        assert_int_equal(fal_tensor_permute(&y.t, swap, &expected, NULL), FAL_OK);
        assert_true(test_equal(&yt.t, &expected, "transposition"));
        free_all((test_tensor *[]){&y, &yt}, 2);
        free_layer(&l);
    }
}

/* Tiles that overlap by K - s reassemble the whole, bit for bit. */
static void property_34_tiles_with_halo(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        layer l = random_layer(seed, TEST_REAL);
        test_tensor y = test_conv(false, &l.x.t, &l.w.t, NULL, &l.params);
        int64_t s = l.params.stride[0], span = (l.w.t.shape[2] - 1) * l.params.dilation[0] + 1, tile = 4;
        for (int64_t first = 0; first < y.t.shape[2]; first += tile) {
            int64_t last = first + tile < y.t.shape[2] ? first + tile : y.t.shape[2];
            fal_tensor part = slice(&l.x.t, 2, first * s, (last - 1) * s + span, 1),
                       expected = slice(&y.t, 2, first, last, 1);
            test_tensor piece = test_conv(false, &part, &l.w.t, NULL, &l.params);
            assert_true(test_same_bits(&piece.t, &expected, "halo"));
            test_tensor_free(&piece);
        }
        test_tensor_free(&y);
        free_layer(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_21_shift_equivariance),
        cmocka_unit_test(property_21_circular_shift_equivariance_everywhere),
        cmocka_unit_test(property_22_delta_kernel_copies),
        cmocka_unit_test(property_23_box_kernel_is_a_summed_area),
        cmocka_unit_test(property_24_constant_input_sums_the_weights),
        cmocka_unit_test(property_25_stride_is_a_subsample),
        cmocka_unit_test(property_26_dilation_is_a_stuffed_kernel),
        cmocka_unit_test(property_27_padding_is_a_padded_input),
        cmocka_unit_test(property_28_transposed_is_a_stuffed_input),
        cmocka_unit_test(property_29_flips_and_transposition),
        cmocka_unit_test(property_34_tiles_with_halo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
