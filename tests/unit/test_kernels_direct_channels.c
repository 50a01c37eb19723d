/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_kernels_direct_channels.c: the tiles of direct convolution, every size of them, between guard pages.
 *
 * Every level, type, number of pixels, of vectors and of lanes in memory against the sum written out. The
 * numbers are small integers, so that levels with and without fused multiply-adds give the same. The
 * finishing step is asked for tails in both directions likewise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kernels/kernels.h"
#include "support/support.h"

enum { IC_STEP = 2, PIXEL_STEP = 5, FIRST_ROW = 3 };

/* Two runs with a gap between their rows of weights: steps 3..6 and 8..10. */
static const fal__direct_run runs[2] = {{.x = 1, .w = FIRST_ROW, .steps = 4}, {.x = 0, .w = 8, .steps = 3}};
enum { ROWS = 8, RUN_STEP_MOST = 4 };

static double get(const fal__compute *c, const void *p, int64_t i)
{
    return c->panel_bytes == sizeof(float) ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static void set(const fal__compute *c, void *p, int64_t i, double v)
{
    if (c->panel_bytes == sizeof(float))
        ((float *)p)[i] = (float)v;
    else
        ((double *)p)[i] = v;
}

/* `count` small integers in guarded memory. */
static test_guard numbers(const fal__compute *c, int64_t count, uint64_t seed, test_side side)
{
    test_guard g = test_guard_new((size_t)count * c->panel_bytes, c->panel_bytes, side);
    for (int64_t i = 0; i < count; i++) set(c, g.data, i, (double)(test_random(seed, (uint64_t)i) % 9) - 4);
    return g;
}

static void check_tile(const fal__compute *c, int32_t vectors, int32_t rows, int32_t last, test_side side)
{
    const int64_t width = vectors * c->lanes, valid = width - c->lanes + last, y_step = valid + 1;
    const uint64_t seed = (uint64_t)(vectors * 10000 + rows * 100 + last);
    /* The last element of x that is read: run 0, its last step, the last pixel. */
    const int64_t x_count = 1 + (RUN_STEP_MOST - 1) * IC_STEP + (rows - 1) * PIXEL_STEP + 1;
    test_guard x = numbers(c, x_count, seed, side), w = numbers(c, ROWS * width, seed + 1, side);
    test_guard bias = numbers(c, valid, seed + 2, side),
               y = numbers(c, (rows - 1) * y_step + valid, seed + 3, side);
    test_guard before = numbers(c, (rows - 1) * y_step + valid, seed + 3, side);
    for (int again = 0; again < 2; again++) { /* from the bias, then from the sums so far */
        const fal__direct_tile tile = {.runs = runs,
                                       .run_count = 2,
                                       .x = x.data,
                                       .w = w.data,
                                       .row = FIRST_ROW,
                                       .pixel_step = PIXEL_STEP,
                                       .ic_step = IC_STEP,
                                       .from = again ? y.data : bias.data,
                                       .to = y.data,
                                       .from_step = again ? y_step : 0,
                                       .to_step = y_step,
                                       .rows = rows,
                                       .last = last,
                                       .ahead = (const char *)w.data};
        c->direct->tile[vectors](&tile);
    }
    for (int32_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < valid; j++) {
            double sum = 0;
            for (int r = 0; r < 2; r++)
                for (int64_t k = 0; k < runs[r].steps; k++)
                    sum += get(c, x.data, runs[r].x + k * IC_STEP + i * PIXEL_STEP) *
                           get(c, w.data, (runs[r].w - FIRST_ROW + k) * width + j);
            assert_true(get(c, y.data, i * y_step + j) == get(c, bias.data, j) + 2 * sum);
        }
        if (i + 1 < rows) /* the element between two pixels */
            assert_true(get(c, y.data, i * y_step + valid) == get(c, before.data, i * y_step + valid));
    }
    test_guard *all[] = {&x, &w, &bias, &y, &before};
    for (int i = 0; i < 5; i++) {
        assert_true(test_guard_intact(all[i]));
        test_guard_free(all[i]);
    }
}

/* Calls check for the kernels of every level and both types. */
static void every_kernel(void (*check)(const fal__compute *c))
{
    for (fal_cpu_level level = FAL_CPU_GENERIC; level <= fal_cpu_detect(); level++) {
        const fal__kernel_set *kernels = fal__kernels_for(level);
        check(kernels->compute[FAL__F32]);
        check(kernels->compute[FAL__F64]);
    }
}

static void check_tiles(const fal__compute *c)
{
    for (int32_t vectors = 1; vectors <= FAL__DIRECT_VECTORS; vectors++) {
        assert_in_range(c->direct->rows[vectors], 1, FAL__DIRECT_ROWS);
        for (int32_t rows = 1; rows <= c->direct->rows[vectors]; rows++)
            for (int32_t last = 1; last <= c->lanes; last++)
                check_tile(c, vectors, rows, last, (rows + last) % 2 ? TEST_AT_END : TEST_AT_START);
    }
}

static void tiles_of_every_size(void **state)
{
    (void)state;
    every_kernel(check_tiles);
}

static void check_finish(const fal__compute *c, int64_t pixels, int64_t channels, bool side_by_side,
                         double beta)
{
    const fal__activation relu = {.kind = FAL_ACTIVATION_RELU};
    const int64_t sums_step = channels + 2, pixel_step = side_by_side ? channels + 1 : 1;
    const int64_t channel_step = side_by_side ? 1 : pixels + 1;
    const int64_t count = (pixels - 1) * pixel_step + (channels - 1) * channel_step + 1;
    const uint64_t seed = (uint64_t)(pixels * 1000 + channels);
    test_guard sums = numbers(c, (pixels - 1) * sums_step + channels, seed, TEST_AT_END);
    test_guard y = numbers(c, count, seed + 1, TEST_AT_END), old = numbers(c, count, seed + 1, TEST_AT_START);
    const fal__direct_finish f = {.sums = sums.data,
                                  .y = y.data,
                                  .pixels = pixels,
                                  .channels = channels,
                                  .sums_step = sums_step,
                                  .pixel_step = pixel_step,
                                  .channel_step = channel_step,
                                  .beta = beta,
                                  .activation = &relu};
    c->direct->finish(&f);
    for (int64_t at = 0; at < count; at++) {
        const int64_t i = side_by_side ? at / pixel_step : at % channel_step;
        const int64_t j = side_by_side ? at % pixel_step : at / channel_step;
        double want = get(c, old.data, at);
        if (i < pixels && j < channels) {
            want = get(c, sums.data, i * sums_step + j) + beta * want;
            if (want < 0) want = 0;
        }
        assert_true(get(c, y.data, at) == want);
    }
    test_guard *all[] = {&sums, &y, &old};
    for (int i = 0; i < 3; i++) {
        assert_true(test_guard_intact(all[i]));
        test_guard_free(all[i]);
    }
}

static void check_finishes(const fal__compute *c)
{
    for (int64_t pixels = 1; pixels <= FAL__DIRECT_ROWS; pixels++)
        for (int64_t channels = 1; channels <= 2 * c->lanes + 1; channels++)
            for (int way = 0; way < 4; way++) check_finish(c, pixels, channels, way % 2, way / 2 * 0.5);
}

static void tails_are_finished_both_ways(void **state)
{
    (void)state;
    every_kernel(check_finishes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_of_every_size),
        cmocka_unit_test(tails_are_finished_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
