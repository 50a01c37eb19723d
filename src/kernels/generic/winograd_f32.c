/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_f32.c: Winograd's transforms and products in float32, one function for each size.
 *
 * What they compute: kernels/winograd.h. How: winograd_lines.tmpl.h (the matrices), winograd_tiles.tmpl.h
 * (rows and columns), winograd_multiply.tmpl.h (the products), winograd_move.tmpl.h (between tensors and
 * patches). A new size is one row of the table at the end and its functions: names end in the points (or
 * in m and the taps) and in the number of axes that are transformed.
 */
#include "kernels/generic/level.h"
#include "kernels/kernels.h"

#define LANES_TYPE float
#include "kernels/generic/lanes.tmpl.h"

enum { WIDTH = FAL__WINOGRAD_VECTORS * LANES };

#include "kernels/generic/winograd_lines.tmpl.h"
#include "kernels/generic/winograd_move.tmpl.h"
#include "kernels/generic/winograd_multiply.tmpl.h"
#include "kernels/generic/winograd_tiles.tmpl.h"

static void input_4_1(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(4, 1, tiles, v, v_tile, v_step);
}

static void input_4_2(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(4, 2, tiles, v, v_tile, v_step);
}

static void input_6_1(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(6, 1, tiles, v, v_tile, v_step);
}

static void input_6_2(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(6, 2, tiles, v, v_tile, v_step);
}

static void input_8_1(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(8, 1, tiles, v, v_tile, v_step);
}

static void input_8_2(const fal__winograd_tiles *tiles, float *v, int64_t v_tile, int64_t v_step)
{
    input_tiles(8, 2, tiles, v, v_tile, v_step);
}

static void output_2x3_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(4, 2, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_2x3_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(4, 2, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_3x2_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(4, 3, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_3x2_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(4, 3, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_4x3_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 4, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_4x3_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 4, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_3x4_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 3, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_3x4_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 3, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_5x2_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 5, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_5x2_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 5, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_2x5_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 2, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_2x5_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(6, 2, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_6x3_1(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(8, 6, 1, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void output_6x3_2(const float *sums, int64_t sums_row, int64_t sums_step, int64_t tiles,
                         const float *bias, float *patch, int64_t row_step)
{
    output_tiles(8, 6, 2, sums, sums_row, sums_step, tiles, bias, patch, row_step);
}

static void weights_2x3_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(4, 3, 1, w, channels, u, u_channel, u_step);
}

static void weights_2x3_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(4, 3, 2, w, channels, u, u_channel, u_step);
}

static void weights_3x2_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(4, 2, 1, w, channels, u, u_channel, u_step);
}

static void weights_3x2_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(4, 2, 2, w, channels, u, u_channel, u_step);
}

static void weights_4x3_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 3, 1, w, channels, u, u_channel, u_step);
}

static void weights_4x3_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 3, 2, w, channels, u, u_channel, u_step);
}

static void weights_3x4_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 4, 1, w, channels, u, u_channel, u_step);
}

static void weights_3x4_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 4, 2, w, channels, u, u_channel, u_step);
}

static void weights_5x2_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 2, 1, w, channels, u, u_channel, u_step);
}

static void weights_5x2_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 2, 2, w, channels, u, u_channel, u_step);
}

static void weights_2x5_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 5, 1, w, channels, u, u_channel, u_step);
}

static void weights_2x5_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(6, 5, 2, w, channels, u, u_channel, u_step);
}

static void weights_6x3_1(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(8, 3, 1, w, channels, u, u_channel, u_step);
}

static void weights_6x3_2(const fal__winograd_taps *w, int64_t channels, float *u, int64_t u_channel,
                          int64_t u_step)
{
    weight_kernels(8, 3, 2, w, channels, u, u_channel, u_step);
}

static const fal__winograd_transform transforms[] = {
    {.points = 4,
     .taps = 3,
     .m = 2,
     .input = {input_4_1, input_4_2},
     .output = {output_2x3_1, output_2x3_2},
     .weights = {weights_2x3_1, weights_2x3_2}},
    {.points = 4,
     .taps = 2,
     .m = 3,
     .input = {input_4_1, input_4_2},
     .output = {output_3x2_1, output_3x2_2},
     .weights = {weights_3x2_1, weights_3x2_2}},
    {.points = 6,
     .taps = 3,
     .m = 4,
     .input = {input_6_1, input_6_2},
     .output = {output_4x3_1, output_4x3_2},
     .weights = {weights_4x3_1, weights_4x3_2}},
    {.points = 6,
     .taps = 4,
     .m = 3,
     .input = {input_6_1, input_6_2},
     .output = {output_3x4_1, output_3x4_2},
     .weights = {weights_3x4_1, weights_3x4_2}},
    {.points = 6,
     .taps = 2,
     .m = 5,
     .input = {input_6_1, input_6_2},
     .output = {output_5x2_1, output_5x2_2},
     .weights = {weights_5x2_1, weights_5x2_2}},
    {.points = 6,
     .taps = 5,
     .m = 2,
     .input = {input_6_1, input_6_2},
     .output = {output_2x5_1, output_2x5_2},
     .weights = {weights_2x5_1, weights_2x5_2}},
    {.points = 8,
     .taps = 3,
     .m = 6,
     .input = {input_8_1, input_8_2},
     .output = {output_6x3_1, output_6x3_2},
     .weights = {weights_6x3_1, weights_6x3_2}},
};

extern const fal__winograd FAL__NAMED(fal__winograd_f32);
const fal__winograd FAL__NAMED(fal__winograd_f32) = {
    .lanes = LANES,
    .rows = FAL__R0,
    .transform_count = sizeof transforms / sizeof transforms[0],
    .transforms = transforms,
    .gather = gather,
    .scatter = scatter,
    .multiply = multiply,
    .outer = outer,
};
