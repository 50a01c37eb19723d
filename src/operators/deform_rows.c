/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_rows.c: sampling rows of channels, and the adjoint; see deform.h.
 *
 * The sample at (Y,X), `down` below and `right` of the corner (0,0), is
 *
 *     s = sum over corners i,j of v_i * h_j * x[i,j],   v = (1-down, down),   h = (1-right, right)
 *
 * so ds/dY = sum of (-1, +1)_i * h_j * x[i,j] and ds/dX likewise: all slopes of a row follow from one dot
 * product of channels per corner. s has a kink where Y or X is a whole number; there the corner above and
 * left is the cell itself and the slope is the one toward growing Y or X.
 *
 * A corner whose factor is 0 is not touched: a sample on a cell reads that cell alone, and NaN next to it
 * stays there.
 */
#include "operators/deform.h"

/* The corners that have a part in a sample. */
typedef struct corners {
    int count;
    void *cells[4];
    double factor[4]; /* v*h */
    double by_y[4], by_x[4];
} corners;

static void *cell_at(const fal__deform_rows *rows, const fal__point *point, const fal__deform_image *image,
                     int64_t first, int i, int j)
{
    const int64_t at = (point->row + i) * image->row + (point->column + j) * image->column + first;
    return (char *)image->data + at * (int64_t)rows->bytes;
}

/* Those with a factor or, where slopes are wanted, with a slope. */
static FAL__ALWAYS_INLINE corners corners_of(const fal__deform_rows *rows, const fal__point *point,
                                             const fal__deform_image *image, int64_t first, bool slopes)
{
    corners found = {0};
    const double v[2] = {1 - point->down, point->down}, h[2] = {1 - point->right, point->right};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const bool wanted = slopes ? v[i] != 0 || h[j] != 0 : v[i] * h[j] != 0;
            if (!point->cell[i][j] || !wanted) continue;
            const int k = found.count++;
            found.cells[k] = cell_at(rows, point, image, first, i, j);
            found.factor[k] = v[i] * h[j];
            found.by_y[k] = i == 0 ? -h[j] : h[j];
            found.by_x[k] = j == 0 ? -v[i] : v[i];
        }
    return found;
}

/* A sample without cells: 0, or NaN where the position is NaN. */
static double nothing_of(const fal__point *point)
{
    return 0 * point->down;
}

void fal__deform_gather(const fal__deform_rows *rows, const fal__point *point, const fal__deform_image *image,
                        int64_t first, int64_t count, void *to)
{
    const corners c = corners_of(rows, point, image, first, false);
    if (c.count > 0) {
        const void *const cells[4] = {c.cells[0], c.cells[1], c.cells[2], c.cells[3]};
        rows->kernels->gather(cells, c.factor, c.count, point->mask, count, to);
        return;
    }
    const double nothing = nothing_of(point) * point->mask;
    for (int64_t i = 0; i < count && rows->bytes == sizeof(float); i++) ((float *)to)[i] = (float)nothing;
    for (int64_t i = 0; i < count && rows->bytes == sizeof(double); i++) ((double *)to)[i] = nothing;
}

void fal__deform_scatter(const fal__deform_rows *rows, const fal__point *point,
                         const fal__deform_image *image, int64_t first, int64_t count, const void *from)
{
    corners c = corners_of(rows, point, image, first, false);
    for (int k = 0; k < c.count; k++) c.factor[k] *= point->mask;
    if (c.count > 0) rows->kernels->scatter(c.cells, c.factor, c.count, count, from);
}

fal__slopes fal__deform_slopes(const fal__deform_rows *rows, const fal__point *point,
                               const fal__deform_image *image, int64_t first, int64_t count, const void *from)
{
    const corners c = corners_of(rows, point, image, first, true);
    const void *const cells[4] = {c.cells[0], c.cells[1], c.cells[2], c.cells[3]};
    double y = nothing_of(point), x = y, mask = y, sums[4];
    if (c.count > 0) rows->kernels->dots(cells, c.count, count, from, sums);
    for (int k = 0; k < c.count; k++) { /* a factor of 0 must not meet an infinite sum */
        if (c.by_y[k] != 0) y += c.by_y[k] * sums[k];
        if (c.by_x[k] != 0) x += c.by_x[k] * sums[k];
        if (c.factor[k] != 0) mask += c.factor[k] * sums[k];
    }
    return (fal__slopes){.y = y * point->mask, .x = x * point->mask, .mask = mask};
}

fal__deform_rows fal__deform_rows_of(const fal__setting *setting, fal_dtype dtype)
{
    return (fal__deform_rows){fal_dtype_bytes(dtype), setting->machine.kernels->samples[dtype]};
}
