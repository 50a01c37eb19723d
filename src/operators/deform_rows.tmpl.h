/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deform_rows.tmpl.h: rows of channels around a point, for one element type.
 *
 * Parameters: ROWS_TYPE (float, double), ROWS_NAME(name). Gives gather, scatter and slopes of deform.h.
 *
 * A corner whose factor is 0 is not touched: a sample on a cell reads that cell alone, and NaN next to
 * it stays there.
 */

static void ROWS_NAME(gather)(const fal__point *point, const fal__deform_image *image, int64_t first,
                              int64_t count, void *to_)
{
    ROWS_TYPE *to = to_;
    fal__corner corners[4];
    const int used = corners_of(point, image, first, corners);
    const ROWS_TYPE mask = (ROWS_TYPE)point->mask, *cells[4];
    ROWS_TYPE factor[4];
    for (int k = 0; k < used; k++) {
        cells[k] = (const ROWS_TYPE *)image->data + corners[k].at;
        factor[k] = (ROWS_TYPE)corners[k].factor;
    }
    if (used == 4) {
        const ROWS_TYPE *p = cells[0], *q = cells[1], *r = cells[2], *s = cells[3];
        for (int64_t c = 0; c < count; c++)
            to[c] = (factor[0] * p[c] + factor[1] * q[c] + (factor[2] * r[c] + factor[3] * s[c])) * mask;
        return;
    }
    const ROWS_TYPE empty = (ROWS_TYPE)nothing_of(point);
    for (int64_t c = 0; c < count; c++) {
        ROWS_TYPE sum = empty;
        for (int k = 0; k < used; k++) sum += factor[k] * cells[k][c];
        to[c] = sum * mask;
    }
}

static void ROWS_NAME(scatter)(const fal__point *point, const fal__deform_image *image, int64_t first,
                               int64_t count, const void *from_)
{
    const ROWS_TYPE *from = from_;
    fal__corner corners[4];
    const int used = corners_of(point, image, first, corners);
    for (int k = 0; k < used; k++) {
        const ROWS_TYPE factor = (ROWS_TYPE)(corners[k].factor * point->mask);
        ROWS_TYPE *cell = (ROWS_TYPE *)image->data + corners[k].at;
        for (int64_t c = 0; c < count; c++) cell[c] += factor * from[c];
    }
}

/* Eight sums side by side, which the compiler turns into vectors; added up in a fixed order. */
static double ROWS_NAME(dot)(const ROWS_TYPE *a, const ROWS_TYPE *b, int64_t count)
{
    ROWS_TYPE sum[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int j = 0; j < 8; j++) sum[j] += a[i + j] * b[i + j];
    for (int j = 0; i + j < count; j++) sum[j] += a[i + j] * b[i + j];
    double total = 0;
    for (int j = 0; j < 8; j++) total += (double)sum[j];
    return total;
}

static fal__slopes ROWS_NAME(slopes)(const fal__point *point, const fal__deform_image *image, int64_t first,
                                     int64_t count, const void *from)
{
    double y = nothing_of(point), x = y, mask = y;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            if (!point->cell[i][j]) continue;
            const double v = i == 0 ? 1 - point->down : point->down;
            const double h = j == 0 ? 1 - point->right : point->right;
            if (v == 0 && h == 0) continue;
            const int64_t at = corner_at(point, image, first, i, j);
            const double sum = ROWS_NAME(dot)(from, (const ROWS_TYPE *)image->data + at, count);
            if (h != 0) y += (i == 0 ? -h : h) * sum;
            if (v != 0) x += (j == 0 ? -v : v) * sum;
            if (v != 0 && h != 0) mask += v * h * sum;
        }
    return (fal__slopes){.y = y * point->mask, .x = x * point->mask, .mask = mask};
}

#undef ROWS_TYPE
#undef ROWS_NAME
