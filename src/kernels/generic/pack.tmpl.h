/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pack.tmpl.h: gathers tensor elements of one type into a panel of another.
 *
 * Parameters: PACK_NAME, PACK_FROM (element type of the tensor), PACK_TO (of the panel), PACK_CONVERT(v).
 * Contract: see fal__pack_fn in kernels.h.
 *
 *     x:      . . a b c d . .          segment {from = 2, step = 1, to = 1, length = 4}
 *     panel:  ? a b c d ? ? ?          width 8, one such row per r
 *
 * Three access patterns matter: neighbours in memory along the row (planes: copied as vectors),
 * neighbours in memory along r (channels last: walked down each column, so that every cache line is
 * read once), and neither.
 */
static void PACK_NAME(const void *x_, const fal__segment *segments, int32_t count, int64_t rows,
                      int64_t row_step, int32_t width, void *panel_)
{
    const PACK_FROM *x = x_;
    for (int32_t s = 0; s < count; s++) {
        const PACK_FROM *from = x + segments[s].from;
        PACK_TO *to = (PACK_TO *)panel_ + segments[s].to;
        const int32_t length = segments[s].length;
        const int64_t step = segments[s].step;
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
