/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_run.c: the loops of convolution by Fourier transforms.
 *
 *     channels, tiles                                    dense
 *       for each tile (lines: two)                         for each block of tiles
 *         rows, two by two, along axis 2      L1, L2         for each vector of input channels, each tile
 *         for each column                     L1               rows, then columns                   V: L2
 *           transform, multiply by U,                        for each chunk of output channels
 *           transform back                    U streams        for each entry: multiply by U        sums: L2
 *         rows back, two by two                                for each vector of them, each tile
 *                                                                columns back, then rows
 *
 * The bias is added to entry 0 of a spectrum, which is the sum of all points. Transforming back is
 * transforming with real and imaginary parts exchanged.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/fft.h"

fal__fft_task fal__fft_task_of(const fal__fft_plan *plan, const fal__run *run, const char *packed,
                               char *scratch)
{
    const fal__fft_scratch *s = &plan->scratch;
    return (fal__fft_task){.plan = plan,
                           .run = run,
                           .twiddles = {packed, packed + plan->twiddles},
                           .weights = packed + plan->weights,
                           .lines = scratch + s->lines,
                           .column = scratch + s->column,
                           .buffers = scratch + s->buffers,
                           .rows = scratch + s->rows,
                           .sums_rows = scratch + s->sums_rows,
                           .transformed = scratch + s->transformed,
                           .sums = scratch + s->sums,
                           .bias = scratch + s->bias};
}

/* The patch of the first line, or the second. */
static char *line(const fal__fft_task *t, int which)
{
    return t->lines + (size_t)(which * t->plan->columns.n) * fal__fft_vector(t->plan);
}

static void separate(const fal__fft_task *t, const fal__fft_source *from, void *a, void *b, int64_t step)
{
    const fal__fft_plan *plan = t->plan;
    const fal__fft_target to = {line(t, 0), line(t, 1), plan->kernels->lanes, plan->columns.n};
    plan->kernels->transform(&plan->columns.line, t->twiddles[1], from, &to, t->buffers);
    plan->kernels->separate(plan->columns.line.n, to.re, to.im, a, b, step);
}

void fal__fft_lines_forward(const fal__fft_task *t, void *a, void *b, int64_t step)
{
    const fal__fft_source from = {line(t, 0), line(t, 1), t->plan->kernels->lanes, t->plan->columns.n};
    separate(t, &from, a, b, step);
}

/* A row of a tile; NULL: one that is 0. */
typedef struct tile_row {
    const fal__fft_place *at;
    int64_t row;
} tile_row;

/* Two rows of inputs to their spectra. */
static void forward(const fal__fft_task *t, const tile_row rows[2], const fal__fft_vector_of *lanes, void *a,
                    void *b, int64_t step)
{
    const fal__fft_plan *plan = t->plan;
    const fal__problem_axis *axis = &plan->problem.axis[2];
    int64_t count[2] = {0, -1};
    const void *from[2] = {NULL, NULL};
    const bool pair = rows[1].at != NULL;
    for (int i = 0; i < 2 && pair; i++)
        from[i] =
            fal__fft_read_row(plan, rows[i].at, rows[i].row, lanes, t->run->x, true, line(t, i), &count[i]);
    if (pair && from[0] != line(t, 0) && from[1] != line(t, 1) && count[0] == count[1]) {
        const fal__fft_source source = {from[0], from[1], axis->xs * plan->columns.dilation, count[0]};
        separate(t, &source, a, b, step);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (from[i] == line(t, i)) continue;
        if (rows[i].at != NULL)
            fal__fft_read_row(plan, rows[i].at, rows[i].row, lanes, t->run->x, false, line(t, i), &count[i]);
        else
            memset(line(t, i), 0, (size_t)plan->columns.n * fal__fft_vector(plan));
    }
    fal__fft_lines_forward(t, a, b, step);
}

/* Two spectra to rows of outputs. */
static void backward(const fal__fft_task *t, const tile_row rows[2], const fal__fft_vector_of *lanes,
                     const void *a, const void *b, int64_t step)
{
    const fal__fft_plan *plan = t->plan;
    const int64_t vector = plan->kernels->lanes;
    void *y[2] = {NULL, NULL};
    int64_t count[2] = {0, 0};
    plan->kernels->combine(plan->columns.line.n, a, b, step, line(t, 0), line(t, 1));
    const fal__fft_source from = {line(t, 1), line(t, 0), vector, plan->columns.n};
    for (int i = 0; i < 2 && rows[1].at != NULL; i++)
        y[i] = fal__fft_target_row(plan, rows[i].at, rows[i].row, lanes, t->run->y, &count[i]);
    if (y[0] != NULL && y[1] != NULL && count[0] == count[1]) {
        const int64_t y_step = plan->problem.axis[2].ys * plan->columns.dilation;
        const fal__fft_target to = {y[1], y[0], y_step, count[0]};
        plan->kernels->transform(&plan->columns.line, t->twiddles[1], &from, &to, t->buffers);
        return;
    }
    const fal__fft_target to = {line(t, 1), line(t, 0), vector, plan->columns.m};
    plan->kernels->transform(&plan->columns.line, t->twiddles[1], &from, &to, t->buffers);
    for (int i = 0; i < 2; i++)
        if (rows[i].at != NULL)
            fal__fft_write_row(plan, rows[i].at, rows[i].row, lanes, line(t, i), t->run->y);
}

static char *row_of(const fal__fft_plan *plan, char *rows, int64_t row)
{
    return rows + (size_t)(row * plan->row_step) * plan->compute->panel_bytes;
}

/* All rows of a tile along axis 2. */
static void rows_forward(const fal__fft_task *t, const fal__fft_place *at, const fal__fft_vector_of *lanes)
{
    const int64_t count = fal__fft_rows_read(t->plan, at);
    for (int64_t row = 0; row < count; row += 2) {
        const tile_row rows[2] = {{at, row}, {row + 1 < count ? at : NULL, row + 1}};
        forward(t, rows, lanes, row_of(t->plan, t->rows, row), row_of(t->plan, t->rows, row + 1),
                2 * t->plan->kernels->lanes);
    }
}

static void rows_backward(const fal__fft_task *t, const fal__fft_place *at, const fal__fft_vector_of *lanes,
                          char *spectra)
{
    const int64_t count = fal__fft_valid(&t->plan->rows, &t->plan->problem.axis[1], at->row);
    for (int64_t row = 0; row < count; row += 2) {
        const tile_row rows[2] = {{at, row}, {row + 1 < count ? at : NULL, row + 1}};
        backward(t, rows, lanes, row_of(t->plan, spectra, row), row_of(t->plan, spectra, row + 1),
                 2 * t->plan->kernels->lanes);
    }
}

/* Rows of outputs that transforms along axis 1 leave: an even number, so that the last two are a pair. */
static int64_t rows_kept(const fal__fft_plan *plan, const fal__fft_place *at)
{
    const int64_t count = fal__fft_valid(&plan->rows, &plan->problem.axis[1], at->row);
    return fal__min(plan->rows.n, (count + 1) / 2 * 2);
}

/* Entry 0 of a spectrum at z, whose real part is there. */
static void add_bias(const fal__fft_task *t, void *z)
{
    const int64_t lanes = t->plan->kernels->lanes;
    if (t->plan->compute->panel_bytes == sizeof(float))
        for (int64_t i = 0; i < lanes; i++) ((float *)z)[i] += ((const float *)(const void *)t->bias)[i];
    else
        for (int64_t i = 0; i < lanes; i++) ((double *)z)[i] += ((const double *)(const void *)t->bias)[i];
}

/* The biases of a vector: `count` of them from element `from` on; the other lanes 0. */
static void read_bias(const fal__fft_task *t, int64_t from, int64_t step, int64_t count)
{
    const size_t element = t->plan->compute->panel_bytes;
    memset(t->bias, 0, fal__fft_vector(t->plan));
    if (!t->plan->problem.has_bias) return;
    for (int64_t i = 0; i < count; i++)
        memcpy(t->bias + (size_t)i * element,
               (const char *)t->run->bias + (from + i * step) * (int64_t)element, element);
}

/* A column of a tile along axis 1, times U, and back. */
static void filter_column(const fal__fft_task *t, int64_t column, int64_t read, int64_t kept, const char *u,
                          char *results)
{
    const fal__fft_plan *plan = t->plan;
    const size_t vector = fal__fft_vector(plan), at = (size_t)column * 2 * vector;
    const int64_t n = plan->rows.n, entry = 2 * plan->kernels->lanes;
    const fal__fft_source from = {t->rows + at, t->rows + at + vector, plan->row_step, read};
    const fal__fft_target spectrum = {t->column, t->column + vector, entry, n};
    const fal__fft_source product = {t->column + vector, t->column, entry, n};
    const fal__fft_target to = {results + at + vector, results + at, plan->row_step, kept};
    plan->kernels->transform(&plan->rows.line, t->twiddles[0], &from, &spectrum, t->buffers);
    plan->kernels->multiply(n, t->column, u + (size_t)(column * n) * 2 * vector, t->column);
    if (column == 0) add_bias(t, t->column);
    plan->kernels->transform(&plan->rows.line, t->twiddles[0], &product, &to, t->buffers);
}

static fal__fft_vector_of channels_of(const fal__fft_plan *plan, int64_t block)
{
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes;
    if (plan->lanes == FAL__FFT_TILES)
        return (fal__fft_vector_of){.x = block * p->x_g, .y = block * p->y_g, .lanes = 1};
    return (fal__fft_vector_of){.x = block * lanes * p->x_g,
                                .x_lane = p->x_g,
                                .y = block * lanes * p->y_g,
                                .y_lane = p->y_g,
                                .lanes = fal__min(lanes, p->groups - block * lanes)};
}

static void read_channel_bias(const fal__fft_task *t, int64_t block, int64_t oc)
{
    const fal__fft_plan *plan = t->plan;
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes;
    if (plan->lanes == FAL__FFT_TILES)
        read_bias(t, block * p->b_g + oc * p->b_oc, 0, lanes);
    else
        read_bias(t, block * lanes * p->b_g + oc * p->b_oc, p->b_g,
                  fal__min(lanes, p->groups - block * lanes));
}

/* One tile, all outputs of its groups. */
static void filter_tile(const fal__fft_task *t, int64_t block, int64_t tile)
{
    const fal__fft_plan *plan = t->plan;
    const fal__fft_place at = fal__fft_place_of(plan, tile);
    fal__fft_vector_of lanes = channels_of(plan, block);
    const int64_t read = fal__fft_rows_read(plan, &at), kept = rows_kept(plan, &at);
    rows_forward(t, &at, &lanes);
    for (int64_t oc = 0; oc < plan->problem.oc; oc++, lanes.y += plan->problem.y_oc) {
        const char *u = t->weights +
                        (size_t)((block * plan->problem.oc + oc) * plan->entries) * 2 * fal__fft_vector(plan);
        read_channel_bias(t, block, oc);
        for (int64_t column = 0; column < plan->half; column++)
            filter_column(t, column, read, kept, u, t->sums_rows);
        rows_backward(t, &at, &lanes, t->sums_rows);
    }
}

/* Two tiles of one line each. */
static void filter_lines(const fal__fft_task *t, int64_t block, int64_t tile)
{
    const fal__fft_plan *plan = t->plan;
    const fal__fft_place first = fal__fft_place_of(plan, tile), second = fal__fft_place_of(plan, tile + 1);
    const tile_row rows[2] = {{&first, 0}, {tile + 1 < plan->tiles ? &second : NULL, 0}};
    const int64_t step = 2 * plan->kernels->lanes;
    fal__fft_vector_of lanes = channels_of(plan, block);
    forward(t, rows, &lanes, t->rows, row_of(plan, t->rows, 1), step);
    for (int64_t oc = 0; oc < plan->problem.oc; oc++, lanes.y += plan->problem.y_oc) {
        const char *u = t->weights +
                        (size_t)((block * plan->problem.oc + oc) * plan->entries) * 2 * fal__fft_vector(plan);
        read_channel_bias(t, block, oc);
        for (int i = 0; i < 2; i++) {
            char *sums = row_of(plan, t->sums_rows, i);
            plan->kernels->multiply(plan->half, row_of(plan, t->rows, i), u, sums);
            add_bias(t, sums);
        }
        backward(t, rows, &lanes, t->sums_rows, row_of(plan, t->sums_rows, 1), step);
    }
}

/* A block of tiles of a dense plan on its way. */
typedef struct block {
    int64_t group, first, count;
} block;

static char *element_at(const fal__fft_plan *plan, char *base, int64_t element)
{
    return base + element * (int64_t)plan->compute->panel_bytes;
}

/* Inputs of a vector of channels to V. */
static void transform_channels(const fal__fft_task *t, const block *b, int64_t ic_block)
{
    const fal__fft_plan *plan = t->plan;
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes, entry = 2 * lanes, n = plan->rows.n;
    const fal__fft_vector_of channels = {.x = b->group * p->x_g + ic_block * lanes * p->x_ic,
                                         .x_lane = p->x_ic,
                                         .lanes = fal__min(lanes, p->ic - ic_block * lanes)};
    const bool lines = fal__fft_by_lines(plan);
    for (int64_t i = 0; i < b->count; i += lines ? 2 : 1) {
        const fal__fft_place at = fal__fft_place_of(plan, b->first + i);
        char *v = element_at(plan, t->transformed, (ic_block * plan->block_tiles + i) * entry);
        if (lines) {
            const fal__fft_place second = fal__fft_place_of(plan, b->first + i + 1);
            const tile_row rows[2] = {{&at, 0}, {i + 1 < b->count ? &second : NULL, 0}};
            forward(t, rows, &channels, v, element_at(plan, v, entry), plan->v_step);
            continue;
        }
        const int64_t read = fal__fft_rows_read(plan, &at);
        rows_forward(t, &at, &channels);
        for (int64_t k = 0; k < plan->half; k++, v = element_at(plan, v, n * plan->v_step)) {
            const char *column = element_at(plan, t->rows, k * entry);
            const fal__fft_source from = {column, column + fal__fft_vector(plan), plan->row_step, read};
            const fal__fft_target to = {v, v + fal__fft_vector(plan), plan->v_step, n};
            plan->kernels->transform(&plan->rows.line, t->twiddles[0], &from, &to, t->buffers);
        }
    }
}

/* Panels first .. first+count-1 of outputs, all entries. */
static void multiply(const fal__fft_task *t, const block *b, int64_t first, int64_t count)
{
    const fal__fft_plan *plan = t->plan;
    const fal__problem *p = &plan->problem;
    const int64_t entry = 2 * plan->kernels->lanes, most = plan->kernels->tiles_max;
    const int64_t panel_step = p->ic * plan->vectors * entry;
    const int64_t u_group = b->group * plan->entries;
    fal__fft_product product = {.channels = p->ic, .block_step = plan->block_tiles * entry};
    for (int64_t f = 0; f < plan->entries; f++)
        for (int64_t panel = 0; panel < count; panel++) {
            const int64_t u = ((u_group + f) * plan->panels + first + panel) * panel_step;
            product.u = t->weights + u * (int64_t)plan->compute->panel_bytes;
            for (int64_t i = 0; i < b->count; i += most) {
                const int64_t sums =
                    f * plan->sums_step + (panel * plan->block_tiles + i) * plan->vectors * entry;
                product.v = element_at(plan, t->transformed, f * plan->v_step + i * entry);
                product.sums = element_at(plan, t->sums, sums);
                plan->kernels->products((int32_t)fal__min(most, b->count - i), (int32_t)plan->vectors,
                                        &product);
            }
        }
}

/* The sums of one vector of output channels, in panel `panel` of the chunk, to y. */
static void transform_back(const fal__fft_task *t, const block *b, int64_t panel, int64_t vector, int64_t oc)
{
    const fal__fft_plan *plan = t->plan;
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes, entry = 2 * lanes, n = plan->rows.n;
    const fal__fft_vector_of channels = {
        .y = b->group * p->y_g + oc * p->y_oc, .y_lane = p->y_oc, .lanes = fal__min(lanes, p->oc - oc)};
    const bool lines = fal__fft_by_lines(plan);
    read_bias(t, b->group * p->b_g + oc * p->b_oc, p->b_oc, channels.lanes);
    for (int64_t i = 0; i < b->count; i++) {
        const int64_t from = ((panel * plan->block_tiles + i) * plan->vectors + vector) * entry;
        char *sums = element_at(plan, t->sums, from);
        const fal__fft_place at = fal__fft_place_of(plan, b->first + i);
        add_bias(t, sums);
        if (lines) {
            const fal__fft_place before = fal__fft_place_of(plan, b->first + i - i % 2);
            const tile_row rows[2] = {{&before, 0}, {i % 2 != 0 ? &at : NULL, 0}};
            char *pair = element_at(plan, sums, -(i % 2) * plan->vectors * entry);
            char *second = element_at(plan, pair, plan->vectors * entry);
            if (i % 2 != 0 || i + 1 == b->count)
                backward(t, rows, &channels, pair, i % 2 != 0 ? second : pair, plan->sums_step);
            continue;
        }
        const int64_t kept = rows_kept(plan, &at);
        for (int64_t k = 0; k < plan->half; k++, sums = element_at(plan, sums, n * plan->sums_step)) {
            char *column = element_at(plan, t->rows, k * entry);
            const fal__fft_source source = {sums + fal__fft_vector(plan), sums, plan->sums_step, n};
            const fal__fft_target to = {column + fal__fft_vector(plan), column, plan->row_step, kept};
            plan->kernels->transform(&plan->rows.line, t->twiddles[0], &source, &to, t->buffers);
        }
        rows_backward(t, &at, &channels, t->rows);
    }
}

static void run_block(const fal__fft_task *t, const block *b, int64_t chunk, int64_t last)
{
    const fal__fft_plan *plan = t->plan;
    const int64_t lanes = plan->kernels->lanes;
    for (int64_t ic_block = 0; ic_block < plan->ic_blocks; ic_block++) transform_channels(t, b, ic_block);
    for (; chunk < last; chunk++) {
        const int64_t first = chunk * plan->chunk, count = fal__min(plan->chunk, plan->panels - first);
        multiply(t, b, first, count);
        for (int64_t panel = 0; panel < count; panel++)
            for (int64_t vector = 0; vector < plan->vectors; vector++) {
                const int64_t oc = ((first + panel) * plan->vectors + vector) * lanes;
                if (oc < plan->problem.oc) transform_back(t, b, panel, vector, oc);
            }
    }
}

void fal__fft_run_units(const fal__fft_plan *plan, const fal__run *run, const char *packed, char *scratch,
                        int64_t first, int64_t end)
{
    const fal__fft_task task = fal__fft_task_of(plan, run, packed, scratch);
    for (int64_t unit = first; unit < end; unit++) {
        if (plan->lanes == FAL__FFT_DENSE) {
            const int64_t split = unit % plan->splits, tiles = unit / plan->splits;
            const block b = {.group = tiles / plan->tile_blocks,
                             .first = tiles % plan->tile_blocks * plan->block_tiles,
                             .count = fal__min(plan->block_tiles,
                                               plan->tiles - tiles % plan->tile_blocks * plan->block_tiles)};
            run_block(&task, &b, split * plan->split_chunks,
                      fal__min(plan->chunks, (split + 1) * plan->split_chunks));
        } else if (fal__fft_by_lines(plan)) {
            const int64_t pairs = fal__ceil_div(plan->tiles, 2);
            filter_lines(&task, unit / pairs, unit % pairs * 2);
        } else {
            filter_tile(&task, unit / plan->tiles, unit % plan->tiles);
        }
    }
}
