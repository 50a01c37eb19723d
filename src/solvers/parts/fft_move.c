/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_move.c: rows of tiles between tensors and transforms.
 *
 * Everything that depends on strides, padding, phases and sizes happens here. A row of a tile, with the index
 * at which it enters the image, leaves it, and ends to be needed by outputs that exist:
 *
 *     | border cells or 0 | cells of x ......... | border or 0 | 0
 *     0                   low                    high          needed        n
 *
 * Rows of channels that are neighbours in memory, and that begin in the image, are transformed where they
 * lie. Tiles in the lanes differ in where they meet the border: there each lane is moved by itself.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/fft.h"

fal__fft_place fal__fft_place_of(const fal__fft_plan *plan, int64_t tile)
{
    const fal__fft_axis *columns = &plan->columns;
    const int64_t unit = tile % plan->column_units, line = tile / plan->column_units;
    const int64_t plane = line / plan->rows.count, depth = plan->problem.axis[0].out;
    fal__fft_place at = {
        .n = plane / depth, .od = plane % depth, .row = line % plan->rows.count, .column = unit, .lanes = 1};
    if (plan->lanes == FAL__FFT_TILES) {
        const int64_t lanes = plan->kernels->lanes, of_phase = fal__ceil_div(columns->per_phase, lanes);
        const int64_t first = unit % of_phase * lanes;
        at.column = unit / of_phase * columns->per_phase + first;
        at.lanes = fal__min(lanes, columns->per_phase - first);
    }
    return at;
}

static int64_t first_output(const fal__fft_axis *axis, int64_t tile)
{
    return tile / axis->per_phase + tile % axis->per_phase * axis->m * axis->dilation;
}

int64_t fal__fft_valid(const fal__fft_axis *axis, const fal__problem_axis *p, int64_t tile)
{
    const int64_t left = p->out - first_output(axis, tile);
    return fal__max(0, fal__min(axis->m, fal__ceil_div(left, axis->dilation)));
}

/* The part of a tile that is read, along one axis: see above. */
typedef struct span {
    int64_t first; /* position of index 0 */
    int64_t low, high, needed;
} span;

static span span_of(const fal__fft_axis *axis, const fal__problem_axis *p, int64_t tile)
{
    const int64_t d = axis->dilation, valid = fal__fft_valid(axis, p, tile);
    span s = {.first = first_output(axis, tile) * p->s - p->begin - axis->shift * d};
    if (valid > 0) s.needed = fal__max(0, valid + p->k - 1 + axis->shift);
    s.low = fal__max(0, fal__min(s.needed, fal__ceil_div(-s.first, d)));
    s.high = fal__max(s.low, fal__min(s.needed, fal__ceil_div(p->in - s.first, d)));
    return s;
}

int64_t fal__fft_rows_read(const fal__fft_plan *plan, const fal__fft_place *at)
{
    const span s = span_of(&plan->rows, &plan->problem.axis[1], at->row);
    return plan->problem.mode == FAL_PAD_ZEROS ? s.high : s.needed;
}

static void set_cells(const fal__fft_plan *plan, void *patch, int64_t from, int64_t end, double value)
{
    const int64_t lanes = plan->kernels->lanes;
    const size_t element = plan->compute->panel_bytes;
    if (end <= from) return;
    if (value == 0)
        memset((char *)patch + (size_t)(from * lanes) * element, 0, (size_t)((end - from) * lanes) * element);
    else if (element == sizeof(float))
        for (int64_t i = from * lanes; i < end * lanes; i++) ((float *)patch)[i] = (float)value;
    else
        for (int64_t i = from * lanes; i < end * lanes; i++) ((double *)patch)[i] = value;
}

static double border_value(const fal__problem *p)
{
    return p->mode == FAL_PAD_CONSTANT ? p->padding_value : 0;
}

/* A row whose lanes are channels of one tile; x is position 0 of the line. */
static void read_channels(const fal__fft_plan *plan, const span *s, const fal__fft_vector_of *lanes,
                          const char *x, char *patch)
{
    const fal__problem_axis *axis = &plan->problem.axis[2];
    const int64_t step = axis->xs * plan->columns.dilation;
    const size_t element = plan->compute->panel_bytes, vector = fal__fft_vector(plan);
    if (s->low < s->high)
        plan->compute->depthwise->gather(x + (s->first * axis->xs + s->low * step) * (int64_t)element, step,
                                         lanes->x_lane, s->high - s->low, lanes->lanes,
                                         patch + (size_t)s->low * vector);
    for (int64_t i = 0; i < s->needed; i++) {
        if (i == s->low) i = s->high;
        if (i >= s->needed) break;
        const int64_t position = s->first + i * plan->columns.dilation;
        const int64_t from = fal_border_index(plan->problem.mode, position, axis->in);
        if (from < 0)
            set_cells(plan, patch, i, i + 1, border_value(&plan->problem));
        else
            plan->compute->depthwise->gather(x + from * axis->xs * (int64_t)element, step, lanes->x_lane, 1,
                                             lanes->lanes, patch + (size_t)i * vector);
    }
    set_cells(plan, patch, s->needed, plan->columns.n, 0);
}

static void move(void *to, const void *from, size_t element)
{
    if (element == sizeof(float))
        memcpy(to, from, sizeof(float));
    else
        memcpy(to, from, sizeof(double));
}

/* Cells from .. end-1 of one lane of a row. */
static void read_lane(const fal__fft_plan *plan, const span *s, const char *x, int64_t from, int64_t end,
                      char *patch)
{
    const fal__problem_axis *axis = &plan->problem.axis[2];
    const int64_t vector = (int64_t)fal__fft_vector(plan), element = (int64_t)plan->compute->panel_bytes;
    const double value = border_value(&plan->problem);
    const float narrow = (float)value;
    const void *border = element == sizeof(float) ? (const void *)&narrow : (const void *)&value;
    for (int64_t i = from; i < fal__min(end, s->needed); i++) {
        const int64_t position = s->first + i * plan->columns.dilation;
        const int64_t cell =
            i >= s->low && i < s->high ? position : fal_border_index(plan->problem.mode, position, axis->in);
        move(patch + i * vector, cell < 0 ? border : x + cell * axis->xs * element, (size_t)element);
    }
}

/* A row whose lanes are neighbouring tiles: cells that all of them have in the image at once, the others lane
 * by lane. */
static void read_tiles(const fal__fft_plan *plan, const fal__fft_place *at, const char *x, char *patch)
{
    const fal__fft_axis *columns = &plan->columns;
    const fal__problem_axis *axis = &plan->problem.axis[2];
    const int64_t step = axis->xs * columns->dilation, element = (int64_t)plan->compute->panel_bytes;
    const span first = span_of(columns, axis, at->column),
               last = span_of(columns, axis, at->column + at->lanes - 1);
    const int64_t low = first.low, high = fal__max(low, fal__min(first.high, last.high));
    set_cells(plan, patch, 0, low, 0);
    plan->compute->depthwise->gather(x + (first.first * axis->xs + low * step) * element, step,
                                     step * columns->m, high - low, at->lanes,
                                     patch + (size_t)low * fal__fft_vector(plan));
    set_cells(plan, patch, high, columns->n, 0);
    for (int64_t lane = 0; lane < at->lanes; lane++) {
        const span s = span_of(columns, axis, at->column + lane);
        read_lane(plan, &s, x, 0, low, patch + lane * element);
        read_lane(plan, &s, x, high, columns->n, patch + lane * element);
    }
}

const void *fal__fft_read_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                              const fal__fft_vector_of *lanes, const void *x, bool in_place, void *patch,
                              int64_t *count)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const int64_t element = (int64_t)plan->compute->panel_bytes;
    const span rows = span_of(&plan->rows, &axis[1], at->row),
               columns = span_of(&plan->columns, &axis[2], at->column);
    const int64_t line = fal_border_index(p->mode, rows.first + row * plan->rows.dilation, axis[1].in);
    const int64_t plane = fal_border_index(p->mode, at->od * axis[0].s - axis[0].begin, axis[0].in);
    *count = plan->columns.n;
    if (row >= rows.needed) {
        set_cells(plan, patch, 0, plan->columns.n, 0);
        return patch;
    }
    if (line < 0 || plane < 0) { /* of tiles in the lanes, the first needs most; more does no harm */
        set_cells(plan, patch, 0, columns.needed, border_value(p));
        set_cells(plan, patch, columns.needed, plan->columns.n, 0);
        return patch;
    }
    const char *from =
        (const char *)x +
        (p->x_base + at->n * p->x_n + lanes->x + plane * axis[0].xs + line * axis[1].xs) * element;
    if (plan->lanes == FAL__FFT_TILES) {
        read_tiles(plan, at, from, patch);
        return patch;
    }
    if (in_place && lanes->lanes == plan->kernels->lanes && lanes->x_lane == 1 && columns.low == 0 &&
        (columns.high == columns.needed || p->mode == FAL_PAD_ZEROS)) {
        *count = columns.high;
        return from + columns.first * axis[2].xs * element;
    }
    read_channels(plan, &columns, lanes, from, patch);
    return patch;
}

static char *output_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                        const fal__fft_vector_of *lanes, void *y)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const int64_t line = first_output(&plan->rows, at->row) + row * plan->rows.dilation;
    const int64_t column = first_output(&plan->columns, at->column);
    const int64_t offset =
        p->y_base + at->n * p->y_n + lanes->y + at->od * axis[0].ys + line * axis[1].ys + column * axis[2].ys;
    return (char *)y + offset * (int64_t)plan->compute->panel_bytes;
}

void *fal__fft_target_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                          const fal__fft_vector_of *lanes, void *y, int64_t *count)
{
    const fal__problem *p = &plan->problem;
    if (plan->lanes == FAL__FFT_TILES || lanes->lanes != plan->kernels->lanes || lanes->y_lane != 1 ||
        p->beta != 0 || p->activation.kind != FAL_ACTIVATION_NONE)
        return NULL;
    *count = fal__fft_valid(&plan->columns, &p->axis[2], at->column);
    return output_row(plan, at, row, lanes, y);
}

void fal__fft_write_row(const fal__fft_plan *plan, const fal__fft_place *at, int64_t row,
                        const fal__fft_vector_of *lanes, const void *patch, void *y)
{
    const fal__problem *p = &plan->problem;
    const fal__fft_axis *columns = &plan->columns;
    const int64_t step = p->axis[2].ys * columns->dilation, element = (int64_t)plan->compute->panel_bytes;
    const bool tiles = plan->lanes == FAL__FFT_TILES;
    const int64_t lane_step = tiles ? step * columns->m : lanes->y_lane;
    int64_t count = tiles ? at->lanes : lanes->lanes;
    char *to = output_row(plan, at, row, lanes, y);
    /* Of neighbouring tiles the later ones may have fewer outputs. */
    for (int64_t done = 0; count > 0; count--) {
        const int64_t last = at->column + (tiles ? count - 1 : 0);
        const int64_t valid = fal__fft_valid(columns, &p->axis[2], last);
        if (valid > done)
            plan->compute->depthwise->scatter((const char *)patch + (size_t)done * fal__fft_vector(plan),
                                              step, lane_step, valid - done, count, p->beta,
                                              fal__activation_or_null(p), to + done * step * element);
        done = fal__max(done, valid);
        if (done == columns->m || !tiles) break;
    }
}
