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
 */
#include "operators/deform.h"

/* A corner that has a part in the sample. */
typedef struct fal__corner {
    int64_t at; /* element of the image */
    double factor;
} fal__corner;

static int64_t corner_at(const fal__point *point, const fal__deform_image *image, int64_t first, int i, int j)
{
    return (point->row + i) * image->row + (point->column + j) * image->column + first;
}

static int corners_of(const fal__point *point, const fal__deform_image *image, int64_t first,
                      fal__corner corners[4])
{
    int count = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const double factor =
                (i == 0 ? 1 - point->down : point->down) * (j == 0 ? 1 - point->right : point->right);
            if (point->cell[i][j] && factor != 0)
                corners[count++] = (fal__corner){corner_at(point, image, first, i, j), factor};
        }
    return count;
}

/* A sample without cells: 0, or NaN where the position is NaN. */
static double nothing_of(const fal__point *point)
{
    return 0 * point->down;
}

#define ROWS_TYPE       float
#define ROWS_NAME(name) name##_f32
#include "operators/deform_rows.tmpl.h"
#define ROWS_TYPE       double
#define ROWS_NAME(name) name##_f64
#include "operators/deform_rows.tmpl.h"

const fal__deform_rows *fal__deform_rows_of(fal_dtype dtype)
{
    static const fal__deform_rows f32 = {sizeof(float), gather_f32, scatter_f32, slopes_f32};
    static const fal__deform_rows f64 = {sizeof(double), gather_f64, scatter_f64, slopes_f64};
    return dtype == FAL_F64 ? &f64 : &f32;
}
