/* SPDX-License-Identifier: BSD-3-Clause */
/* patches.c: see patches.h. */
#include "solvers/parts/patches.h"

#include "kernels/depthwise.h"

enum { D = 0, H = 1, W = 2 };

/* Rows that follow each other without a gap are one long row. */
static void join_rows(int64_t *rows, int64_t *columns, int64_t row_step, int64_t column_step)
{
    if (row_step != *columns * column_step) return;
    *columns *= *rows;
    *rows = 1;
}

void fal__lane_patch_steps(const fal__lane_patch *patch, int64_t steps[FAL_MAX_SPATIAL])
{
    steps[W] = patch->compute->lanes;
    steps[H] = steps[W] * (patch->at[W].high - patch->at[W].low);
    steps[D] = steps[H] * (patch->at[H].high - patch->at[H].low);
}

void fal__lane_patch_gather(const fal__lane_patch *patch, const char *x, void *to_)
{
    const fal__problem *p = patch->problem;
    const fal__depthwise_span *at = patch->at;
    const int64_t element = (int64_t)patch->compute->panel_bytes;
    int64_t rows = at[H].high - at[H].low, columns = at[W].high - at[W].low;
    char *to = to_;
    if (p->ic == 0 || rows == 0 || columns == 0) return; /* without a product x may have no cell */
    join_rows(&rows, &columns, p->axis[H].xs, p->axis[W].xs);
    for (int64_t d = at[D].low; d < at[D].high; d++)
        for (int64_t r = 0; r < rows; r++, to += columns * patch->compute->lanes * element) {
            const int64_t from =
                d * p->axis[D].xs + (at[H].low + r) * p->axis[H].xs + at[W].low * p->axis[W].xs;
            patch->compute->depthwise->gather(x + from * element, p->axis[W].xs, patch->x_channel, columns,
                                              patch->x_channels, to);
        }
}

void fal__lane_patch_scatter(const fal__lane_patch *patch, const void *from_, char *y)
{
    const fal__problem *p = patch->problem;
    const fal__depthwise_span *at = patch->at;
    const int64_t element = (int64_t)patch->compute->panel_bytes;
    const fal__activation *activation = p->beta != 0 ? fal__activation_or_null(p) : NULL;
    const char *from = from_;
    int64_t rows = at[H].end - at[H].first, columns = at[W].end - at[W].first;
    join_rows(&rows, &columns, p->axis[H].ys, p->axis[W].ys);
    for (int64_t r = 0; r < rows; r++, from += columns * patch->compute->lanes * element)
        patch->compute->depthwise->scatter(from, p->axis[W].ys, patch->y_channel, columns, patch->y_channels,
                                           p->beta, activation, y + r * p->axis[H].ys * element);
}
