/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_tiles.tmpl.h: tiles and kernels through the transforms, one axis after the other.
 *
 * Contracts: kernels/winograd.h. `dims` 1 leaves the rows alone: a tile is one line. Every a, m, r and
 * dims is a constant after inlining, and all inner loops are unrolled. Products are walked in their order in
 * memory with one pointer: as many addresses would not fit the registers.
 */
static FAL__ALWAYS_INLINE void input_tiles(int a, int dims, const fal__winograd_tiles *tiles, float *v,
                                           int64_t v_tile, int64_t v_step)
{
    const int rows = dims == 2 ? a : 1;
    const int64_t row_step = tiles->row_step, column_step = tiles->column_step;
    const float *x = tiles->x;
    for (int64_t tile = 0; tile < tiles->count; tile++, x += tiles->tile_step, v += v_tile) {
        lanes_vector half[POINTS_MAX][POINTS_MAX], line[POINTS_MAX], column[POINTS_MAX];
        FAL__UNROLL(8)
        for (int j = 0; j < a; j++) {
            FAL__UNROLL(8)
            for (int i = 0; i < rows; i++) line[i] = lanes_load(x + i * row_step + j * column_step);
            if (dims == 2) input_line(a, line, column);
            FAL__UNROLL(8)
            for (int i = 0; i < rows; i++) half[i][j] = dims == 2 ? column[i] : line[i];
        }
        float *to = v;
        FAL__UNROLL(8)
        for (int i = 0; i < rows; i++) {
            input_line(a, half[i], line);
            FAL__UNROLL(8)
            for (int j = 0; j < a; j++, to += v_step) lanes_store(to, line[j]);
        }
    }
}

static FAL__ALWAYS_INLINE void output_tiles(int a, int m, int dims, const float *sums, int64_t sums_row,
                                            int64_t sums_step, int64_t tiles, const float *bias, float *patch,
                                            int64_t row_step)
{
    const int rows = dims == 2 ? m : 1, inputs = dims == 2 ? a : 1;
    const lanes_vector constant = lanes_load(bias);
    for (int64_t tile = 0; tile < tiles; tile++, sums += sums_row, patch += m * LANES) {
        lanes_vector half[POINTS_MAX][POINTS_MAX], line[POINTS_MAX], column[POINTS_MAX];
        const float *from = sums;
        FAL__UNROLL(8)
        for (int i = 0; i < inputs; i++) {
            FAL__UNROLL(8)
            for (int j = 0; j < a; j++, from += sums_step) line[j] = lanes_load(from);
            output_line(a, m, line, half[i]);
        }
        FAL__UNROLL(8)
        for (int j = 0; j < m; j++) {
            FAL__UNROLL(8)
            for (int i = 0; i < inputs; i++) line[i] = half[i][j];
            if (dims == 2) output_line(a, m, line, column);
            FAL__UNROLL(8)
            for (int i = 0; i < rows; i++)
                lanes_store(patch + i * row_step + j * LANES, (dims == 2 ? column[i] : line[i]) + constant);
        }
    }
}

static FAL__ALWAYS_INLINE void weight_kernels(int a, int r, int dims, const fal__winograd_taps *w,
                                              int64_t channels, float *u, int64_t u_channel, int64_t u_step)
{
    const int rows = dims == 2 ? r : 1, products = dims == 2 ? a : 1;
    const float *taps = w->taps;
    for (int64_t c = 0; c < channels; c++, taps += w->channel_step, u += u_channel) {
        lanes_vector half[POINTS_MAX][FAL__WINOGRAD_TAPS_MAX], line[POINTS_MAX], column[POINTS_MAX];
        FAL__UNROLL(5)
        for (int j = 0; j < r; j++) {
            FAL__UNROLL(5)
            for (int i = 0; i < rows; i++) line[i] = lanes_load(taps + i * w->row_step + j * w->column_step);
            if (dims == 2) weight_line(a, r, line, column);
            FAL__UNROLL(8)
            for (int i = 0; i < products; i++) half[i][j] = dims == 2 ? column[i] : line[i];
        }
        float *to = u;
        FAL__UNROLL(8)
        for (int i = 0; i < products; i++) {
            weight_line(a, r, half[i], line);
            FAL__UNROLL(8)
            for (int j = 0; j < a; j++, to += u_step) lanes_store(to, line[j]);
        }
    }
}
