/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd_patch.c: the edges of images in Winograd's convolution.
 *
 * Everything that depends on strides, padding and sizes happens here, while patches are filled and
 * emptied; the transforms see dense patches only. A patch of inputs (one row of it):
 *
 *     | border cells or fill | cells of x ......... | border | 0 where no valid output looks |
 *     0                      low                    high     needed                columns
 *
 * Tiles that stick out of the output have outputs nobody wants: their inputs are 0, not what
 * happens to stand there.
 */
#include "base/checked.h"
#include "solvers/parts/winograd.h"

fal__strip fal__strip_at(const fal__winograd_plan *plan, int64_t tile, int64_t end)
{
    const int64_t column = tile % plan->columns, line = tile / plan->columns, plane = line / plan->rows;
    const int64_t depth = plan->problem.axis[0].out;
    return (fal__strip){.n = plane / depth,
                        .od = plane % depth,
                        .row = line % plan->rows,
                        .column = column,
                        .count = fal__min(fal__min(plan->columns - column, end - tile), FAL__STRIP)};
}

static void fill(float *cells, int64_t count, int32_t lanes, float value)
{
    for (int64_t i = 0; i < count * lanes; i++) cells[i] = value;
}

/* Where one row of inputs comes from and goes to. */
typedef struct row {
    const float *x; /* of column 0 */
    int64_t first;  /* input column of the patch's column 0 */
    int64_t needed, columns, channels;
    float value; /* of padding */
} row;

static void gather_row(const fal__winograd_plan *plan, const row *r, float *patch)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = &p->axis[2];
    const int32_t lanes = plan->kernels->lanes;
    const int64_t low = fal__max(0, fal__min(r->needed, -r->first));
    const int64_t high = fal__max(low, fal__min(r->needed, axis->in - r->first));
    if (low < high)
        plan->kernels->gather(r->x + (r->first + low) * axis->xs, axis->xs, p->x_ic, high - low, r->channels,
                              patch + low * lanes);
    for (int64_t j = 0; j < r->needed; j++) {
        if (j == low) j = high;
        if (j >= r->needed) break;
        const int64_t from = fal_border_index(p->mode, r->first + j, axis->in);
        if (from < 0)
            fill(patch + j * lanes, 1, lanes, r->value);
        else
            plan->kernels->gather(r->x + from * axis->xs, axis->xs, p->x_ic, 1, r->channels,
                                  patch + j * lanes);
    }
    fill(patch + r->needed * lanes, r->columns - r->needed, lanes, 0);
}

void fal__patch_gather(const fal__winograd_plan *plan, const fal__strip *s, const float *x, int64_t group,
                       int64_t t0, int64_t channel_block, float *patch)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const int32_t lanes = plan->kernels->lanes, m = plan->m;
    const int64_t channel = channel_block * lanes, columns = m * s->count + 2;
    const int64_t needed_rows = fal__min(m, axis[1].out - m * s->row) + 2;
    const int64_t plane =
        fal_border_index(p->mode, s->od * axis[0].s + t0 * axis[0].d - axis[0].begin, axis[0].in);
    row r = {.first = m * s->column - axis[2].begin,
             .needed = fal__min(m * s->count, axis[2].out - m * s->column) + 2,
             .columns = columns,
             .channels = fal__min(lanes, p->ic - channel),
             .value = p->mode == FAL_PAD_CONSTANT ? (float)p->padding_value : 0};
    for (int64_t i = 0; i < plan->a; i++, patch += fal__patch_row(plan)) {
        const int64_t line = fal_border_index(p->mode, m * s->row + i - axis[1].begin, axis[1].in);
        if (i >= needed_rows) {
            fill(patch, columns, lanes, 0);
        } else if (plane < 0 || line < 0) {
            fill(patch, columns, lanes, r.value);
        } else {
            r.x = x + p->x_base + group * p->x_g + s->n * p->x_n + channel * p->x_ic + plane * axis[0].xs +
                  line * axis[1].xs;
            gather_row(plan, &r, patch);
        }
    }
}

void fal__patch_scatter(const fal__winograd_plan *plan, const fal__strip *s, const float *patch,
                        int64_t group, int64_t oc, float *y)
{
    const fal__problem *p = &plan->problem;
    const fal__problem_axis *axis = p->axis;
    const int32_t m = plan->m;
    const int64_t channels = fal__min(plan->kernels->lanes, p->oc - oc);
    const int64_t lines = fal__min(m, axis[1].out - m * s->row);
    const int64_t count = fal__min(m * s->count, axis[2].out - m * s->column);
    y += p->y_base + group * p->y_g + s->n * p->y_n + oc * p->y_oc + s->od * axis[0].ys +
         m * s->row * axis[1].ys + m * s->column * axis[2].ys;
    for (int64_t i = 0; i < lines; i++, y += axis[1].ys, patch += fal__patch_row(plan))
        plan->kernels->scatter(patch, count, channels, (float)p->beta, y, axis[2].ys, p->y_oc);
}
