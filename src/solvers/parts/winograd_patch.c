/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_patch.c: inputs and outputs of tiles in Winograd's convolution.
 *
 * Everything that depends on strides, padding, phases and sizes happens here; the transforms see vectors
 * of channels only. Where channels are neighbours in memory, tiles within the image are transformed where
 * they lie. All others are gathered in a patch first (one row of it):
 *
 *     | border cells or fill | cells of x ......... | border | 0 where no valid output looks |
 *     0                      low                    high     needed                columns
 *
 * Tiles that stick out of the output have outputs nobody wants: their inputs are 0, not what
 * happens to stand there.
 */
#include "base/checked.h"
#include "solvers/parts/winograd_grad.h"

fal__strip fal__strip_at(const fal__winograd_plan *plan, int64_t tile, int64_t end)
{
    const int64_t column = tile % plan->columns.count, line = tile / plan->columns.count;
    const int64_t plane = line / plan->rows.count, depth = plan->problem.axis[0].out;
    const int64_t row_end = plan->columns.per_phase - column % plan->columns.per_phase;
    return (fal__strip){.n = plane / depth,
                        .od = plane % depth,
                        .row = line % plan->rows.count,
                        .column = column,
                        .count = fal__min(fal__min(row_end, end - tile), FAL__STRIP)};
}

/* The first output of tile `tile` along an axis. */
static int64_t first_output(const fal__tiling *t, int64_t tile)
{
    return tile / t->per_phase + tile % t->per_phase * t->m * t->dilation;
}

/* How many of `count` outputs, `dilation` apart from the first on, are outputs of the axis. */
static int64_t outputs_of(const fal__tiling *t, const fal__problem_axis *axis, int64_t first, int64_t count)
{
    return fal__max(0, fal__min(count, fal__ceil_div(axis->out - first, t->dilation)));
}

static void fill(float *cells, int64_t count, int32_t lanes, float value)
{
    for (int64_t i = 0; i < count * lanes; i++) cells[i] = value;
}

/* Where a strip's inputs are: the positions of row i and column j are first_row + i*dilation etc. */
typedef struct window {
    const float *x; /* of the origin of the plane, or NULL where the plane is padding */
    int64_t first_row, first_column;
    int64_t rows, columns;               /* of the patch */
    int64_t needed_rows, needed_columns; /* where valid outputs look */
    int64_t channels;
    float value; /* of padding */
} window;

static void gather_row(const fal__winograd_plan *plan, const window *w, const float *line, float *patch)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = &p->axis[2];
    const int32_t lanes = plan->kernels->lanes;
    const int64_t step = plan->columns.dilation, needed = w->needed_columns;
    const int64_t low = fal__max(0, fal__min(needed, fal__ceil_div(-w->first_column, step)));
    const int64_t high = fal__max(low, fal__min(needed, fal__ceil_div(axis->in - w->first_column, step)));
    if (low < high)
        plan->kernels->gather(line + (w->first_column + low * step) * axis->xs, axis->xs * step, p->x_ic,
                              high - low, w->channels, patch + low * lanes);
    for (int64_t j = 0; j < needed; j++) {
        if (j == low) j = high;
        if (j >= needed) break;
        const int64_t from = fal_border_index(p->mode, w->first_column + j * step, axis->in);
        if (from < 0)
            fill(patch + j * lanes, 1, lanes, w->value);
        else
            plan->kernels->gather(line + from * axis->xs, axis->xs * step, p->x_ic, 1, w->channels,
                                  patch + j * lanes);
    }
    fill(patch + needed * lanes, w->columns - needed, lanes, 0);
}

static void gather(const fal__winograd_plan *plan, const window *w, float *patch)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = &p->axis[1];
    const int32_t lanes = plan->kernels->lanes;
    for (int64_t i = 0; i < w->rows; i++, patch += fal__patch_row(plan)) {
        const int64_t line = fal_border_index(p->mode, w->first_row + i * plan->rows.dilation, axis->in);
        if (i >= w->needed_rows)
            fill(patch, w->columns, lanes, 0);
        else if (w->x == NULL || line < 0)
            fill(patch, w->columns, lanes, w->value);
        else
            gather_row(plan, w, w->x + line * axis->xs, patch);
    }
}

static window window_of(const fal__winograd_plan *plan, const fal__strip *s, const float *x, int64_t group,
                        const fal__chain *chain, int64_t channel)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const fal__tiling *rows = &plan->rows, *columns = &plan->columns;
    const int64_t row = first_output(rows, s->row), column = first_output(columns, s->column);
    const int64_t valid_rows = outputs_of(rows, &axis[1], row, rows->m);
    const int64_t valid_columns = outputs_of(columns, &axis[2], column, columns->m * s->count);
    const int64_t plane =
        fal_border_index(p->mode, s->od * axis[0].s + chain->t0 * axis[0].d - axis[0].begin, axis[0].in);
    window w = {.first_row = row * axis[1].s + chain->t1 * axis[1].d - axis[1].begin,
                .first_column = column - axis[2].begin,
                .rows = rows->points,
                .columns = columns->m * (s->count - 1) + columns->points,
                .needed_rows = valid_rows > 0 ? valid_rows + rows->points - rows->m : 0,
                .needed_columns = valid_columns > 0 ? valid_columns + columns->points - columns->m : 0,
                .channels = fal__min(plan->kernels->lanes, p->ic - channel),
                .value = p->mode == FAL_PAD_CONSTANT ? (float)p->padding_value : 0};
    if (plane >= 0)
        w.x = x + p->x_base + group * p->x_g + s->n * p->x_n + channel * p->x_ic + plane * axis[0].xs;
    return w;
}

/* Through the patch. */
static void input_edge(const fal__winograd_plan *plan, const window *w, int64_t tiles, float *patch, float *v)
{
    const int32_t lanes = plan->kernels->lanes;
    if (tiles == 0) return;
    gather(plan, w, patch);
    const fal__winograd_tiles cells = {.x = patch,
                                       .row_step = fal__patch_row(plan),
                                       .column_step = lanes,
                                       .tile_step = plan->columns.m * lanes,
                                       .count = tiles};
    plan->transform->input[plan->dims](&cells, v, plan->v_tile, plan->v_step);
}

/* The window of tiles first .. first+count-1 of w's strip. */
static window part_of(const fal__winograd_plan *plan, const window *w, int64_t first, int64_t count)
{
    const fal__tiling *columns = &plan->columns;
    window part = *w;
    part.first_column += first * columns->m * columns->dilation;
    part.columns = columns->m * (count - 1) + columns->points;
    const int64_t needed = fal__min(part.columns, w->needed_columns - first * columns->m);
    part.needed_columns = needed > columns->points - columns->m ? needed : 0;
    return part;
}

/* The tiles of the strip whose inputs are all within the image: low .. high-1. */
static void inner_tiles(const fal__winograd_plan *plan, const window *w, int64_t tiles, int64_t *low,
                        int64_t *high)
{
    const fal__problem_axis *axis = plan->problem.axis;
    const fal__tiling *columns = &plan->columns;
    const int64_t last_row = w->first_row + (w->rows - 1) * plan->rows.dilation;
    const int64_t step = columns->m * columns->dilation, reach = (columns->points - 1) * columns->dilation;
    *low = *high = tiles;
    if (w->x == NULL || w->first_row < 0 || last_row >= axis[1].in || w->needed_rows < w->rows) return;
    const int64_t inside = fal__floor_div(axis[2].in - 1 - reach - w->first_column, step) + 1;
    const int64_t whole = fal__floor_div(w->needed_columns - columns->points, columns->m) + 1;
    *low = fal__min(tiles, fal__max(0, fal__ceil_div(-w->first_column, step)));
    *high = fal__max(*low, fal__min(tiles, fal__min(inside, whole)));
}

void fal__winograd_input_strip(const fal__winograd_plan *plan, const fal__strip *s, const float *x,
                               int64_t group, const fal__chain *chain, int64_t channel, float *patch,
                               float *v)
{
    const fal__problem *p = &plan->problem;
    const int32_t lanes = plan->kernels->lanes;
    const window w = window_of(plan, s, x, group, chain, channel);
    int64_t low = s->count, high = s->count;
    if (p->x_ic == 1 && w.channels == lanes) inner_tiles(plan, &w, s->count, &low, &high);
    const window before = part_of(plan, &w, 0, low), after = part_of(plan, &w, high, s->count - high);
    input_edge(plan, &before, low, patch, v);
    if (low < high) {
        const int64_t column_step = plan->columns.dilation * p->axis[2].xs,
                      tile_step = plan->columns.m * column_step;
        const fal__winograd_tiles cells = {.x = w.x + w.first_row * p->axis[1].xs +
                                                w.first_column * p->axis[2].xs + low * tile_step,
                                           .row_step = plan->rows.dilation * p->axis[1].xs,
                                           .column_step = column_step,
                                           .tile_step = tile_step,
                                           .count = high - low};
        plan->transform->input[plan->dims](&cells, v + low * plan->v_tile, plan->v_tile, plan->v_step);
    }
    input_edge(plan, &after, s->count - high, patch, v + high * plan->v_tile);
}

/* gy is zero where it has no cells. */
void fal__winograd_held_strip(const fal__winograd_plan *conv, const fal__strip *s, const float *gy,
                              int64_t oc, float *patch, float *u, int64_t u_step)
{
    const fal__problem *p = &conv->problem;
    const fal__problem_axis *axis = p->axis;
    const int64_t lanes = conv->kernels->lanes, side = conv->rows.m, patch_row = fal__patch_row(conv);
    const int64_t row = s->row * side, column = s->column * side;
    const int64_t lines = fal__min(side, axis[1].out - row),
                  count = fal__min(side * s->count, axis[2].out - column);
    const int64_t channels = fal__max(0, fal__min(lanes, p->oc - oc));
    const int64_t whole = p->y_oc == 1 && channels == lanes && lines == side ? count / side : 0;
    gy += p->y_base + s->n * p->y_n + s->od * axis[0].ys + row * axis[1].ys + column * axis[2].ys;
    if (channels > 0) gy += oc * p->y_oc;
    const fal__winograd_taps inside = {gy, axis[1].ys, axis[2].ys, side * axis[2].ys};
    conv->transform->weights[conv->dims](&inside, whole, u, conv->width, u_step);
    if (whole == s->count) return;
    for (int64_t i = 0; i < side; i++) {
        const int64_t valid = i < lines && channels > 0 ? count - whole * side : 0;
        float *cells = patch + i * patch_row;
        if (valid > 0)
            conv->kernels->gather(gy + i * axis[1].ys + whole * side * axis[2].ys, axis[2].ys, p->y_oc, valid,
                                  channels, cells);
        fill(cells + valid * lanes, (s->count - whole) * side - valid, conv->kernels->lanes, 0);
    }
    const fal__winograd_taps edge = {patch, patch_row, lanes, side * lanes};
    conv->transform->weights[conv->dims](&edge, s->count - whole, u + whole * conv->width, conv->width,
                                         u_step);
}

void fal__patch_scatter(const fal__winograd_plan *plan, const fal__strip *s, const float *patch,
                        int64_t group, int64_t oc, float *y)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const fal__tiling *rows = &plan->rows, *columns = &plan->columns;
    const int64_t row = first_output(rows, s->row), column = first_output(columns, s->column);
    const int64_t channels = fal__min(plan->kernels->lanes, p->oc - oc);
    const int64_t lines = outputs_of(rows, &axis[1], row, rows->m);
    const int64_t count = outputs_of(columns, &axis[2], column, columns->m * s->count);
    y += p->y_base + group * p->y_g + s->n * p->y_n + oc * p->y_oc + s->od * axis[0].ys + row * axis[1].ys +
         column * axis[2].ys;
    for (int64_t i = 0; i < lines; i++, y += rows->dilation * axis[1].ys, patch += fal__patch_row(plan))
        plan->kernels->scatter(patch, count, channels, (float)p->beta, fal__activation_or_null(p), y,
                               columns->dilation * axis[2].ys, p->y_oc);
}
