/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.tmpl.h: writes finished sums of one type to a tensor of another.
 *
 * Parameters: STORE_NAME, STORE_FROM (type of the sums), STORE_TO (of y), STORE_WIDEN(v) (y's element
 * as a sum), STORE_CONVERT(v) (a sum as y's element, rounded once), STORE_FITS(v).
 * Contract: see fal__store_fn in kernels.h. Reads y only when beta is not 0.
 */
static bool STORE_NAME(const void *tile_, const fal__block *b, void *y_)
{
    bool fits = true;
    for (int64_t i = 0; i < b->outer; i++) {
        const STORE_FROM *tile = (const STORE_FROM *)tile_ + i * b->tile_outer;
        STORE_TO *y = (STORE_TO *)y_ + i * b->memory_outer;
        if (b->beta != 0) {
            for (int64_t j = 0; j < b->inner; j++) {
                STORE_TO *at = y + j * b->memory_inner;
                const STORE_FROM sum = tile[j * b->tile_inner] + (STORE_FROM)b->beta * STORE_WIDEN(*at);
                fits &= STORE_FITS(sum);
                *at = STORE_CONVERT(sum);
            }
        } else if (b->tile_inner == 1 && b->memory_inner == 1) {
            for (int64_t j = 0; j < b->inner; j++) {
                fits &= STORE_FITS(tile[j]);
                y[j] = STORE_CONVERT(tile[j]);
            }
        } else {
            for (int64_t j = 0; j < b->inner; j++) {
                const STORE_FROM sum = tile[j * b->tile_inner];
                fits &= STORE_FITS(sum);
                y[j * b->memory_inner] = STORE_CONVERT(sum);
            }
        }
    }
    return fits;
}

#undef STORE_NAME
#undef STORE_TO
#undef STORE_WIDEN
#undef STORE_CONVERT
#undef STORE_FITS
