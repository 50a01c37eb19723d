/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pack.tmpl.h: gathers tensor elements of one type into a panel of another.
 *
 * Parameters: PACK_NAME, PACK_FROM (element type of the tensor), PACK_TO (of the panel), PACK_CONVERT(v), and
 * where whole rows convert faster PACK_ROW(from, to, count).
 * Contract: see fal__pack_fn in kernels.h.
 *
 *     x:      . . a b c d . .          segment {from = 2, step = 1, to = 1, length = 4}
 *     panel:  ? a b c d ? ? ?          width 8, one such row per r
 *
 * Three access patterns matter: neighbours in memory along the row (planes: copied as vectors),
 * neighbours in memory along r (channels last: walked down each column, so that every cache line is
 * read once), and neither.
 */
#ifdef PACK_ROW
/* A column of the panel from neighbours in memory, converted by rows on the way. */
static void FAL__CONCAT(PACK_NAME, _column)(const PACK_FROM *from, PACK_TO *to, int64_t rows, int32_t width)
{
    enum { ROW = 32 };
    PACK_TO row[ROW];
    for (int64_t done = 0; done < rows; done += ROW) {
        const int64_t count = rows - done < ROW ? rows - done : ROW;
        PACK_ROW(from + done, row, count);
        for (int64_t r = 0; r < count; r++) to[(done + r) * width] = row[r];
    }
}
#endif

static void PACK_NAME(const void *x_, const fal__segment *segments, int32_t count, int64_t rows,
                      int64_t row_step, int32_t width, void *panel_)
{
    const PACK_FROM *x = x_;
    for (int32_t s = 0; s < count; s++) {
        const PACK_FROM *from = x + segments[s].from;
        PACK_TO *to = (PACK_TO *)panel_ + segments[s].to;
        const int32_t length = segments[s].length;
        const int64_t step = segments[s].step;
#ifdef PACK_ROW
        if (step == 1) {
            for (int64_t r = 0; r < rows; r++) PACK_ROW(from + r * row_step, to + r * width, length);
            continue;
        }
        if (row_step == 1 && rows >= 8) {
            for (int32_t j = 0; j < length; j++)
                FAL__CONCAT(PACK_NAME, _column)(from + j * step, to + j, rows, width);
            continue;
        }
#endif
        if (step == 1) {
            for (int64_t r = 0; r < rows; r++)
                for (int32_t j = 0; j < length; j++) to[r * width + j] = PACK_CONVERT(from[r * row_step + j]);
        } else if (row_step == 1) {
            for (int32_t j = 0; j < length; j++)
                for (int64_t r = 0; r < rows; r++) to[r * width + j] = PACK_CONVERT(from[r + j * step]);
        } else {
            for (int64_t r = 0; r < rows; r++)
                for (int32_t j = 0; j < length; j++)
                    to[r * width + j] = PACK_CONVERT(from[r * row_step + j * step]);
        }
    }
}

#undef PACK_NAME
#undef PACK_FROM
#undef PACK_TO
#undef PACK_CONVERT
#undef PACK_ROW
