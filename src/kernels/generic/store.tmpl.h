/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.tmpl.h: writes finished sums of one type to a tensor of another.
 *
 * Parameters: STORE_NAME, STORE_FROM (type of the sums), STORE_WIDE (type of what the activation gives),
 * STORE_TO (of y), STORE_WIDEN(v) (y's element as a sum), STORE_CONVERT(v) (a result as y's element,
 * rounded once), where whole rows convert faster STORE_ROW(from, to, count), STORE_FITS(v). A function
 * activate(STORE_WIDE *, count, f) is in scope. Contract: see fal__store_fn in kernels.h. Reads y only when
 * beta is not 0.
 *
 * An activation works on short rows in a buffer, so that the choice of the function stands outside
 * every loop: sums and beta*y -> buffer -> f -> y.
 */
#define STORE_ACTIVATED FAL__CONCAT(STORE_NAME, _activated)

static bool STORE_ACTIVATED(const STORE_FROM *tile, const fal__block *b, STORE_TO *y)
{
    enum { ROW = 32 };
    bool fits = true;
    STORE_WIDE row[ROW];
    for (int64_t done = 0; done < b->inner; done += ROW) {
        const int64_t count = b->inner - done < ROW ? b->inner - done : ROW;
        const STORE_FROM *from = tile + done * b->tile_inner;
        STORE_TO *to = y + done * b->memory_inner;
        for (int64_t j = 0; j < count; j++) row[j] = from[j * b->tile_inner];
        for (int64_t j = 0; b->beta != 0 && j < count; j++)
            row[j] = from[j * b->tile_inner] + (STORE_FROM)b->beta * STORE_WIDEN(to[j * b->memory_inner]);
        activate(row, count, b->activation);
#ifdef STORE_ROW
        if (b->memory_inner == 1) {
            STORE_ROW(row, to, count);
            continue;
        }
#endif
        for (int64_t j = 0; j < count; j++) {
            fits &= STORE_FITS(row[j]);
            to[j * b->memory_inner] = STORE_CONVERT(row[j]);
        }
    }
    return fits;
}

static bool STORE_NAME(const void *tile_, const fal__block *b, void *y_)
{
    bool fits = true;
    for (int64_t i = 0; i < b->outer; i++) {
        const STORE_FROM *tile = (const STORE_FROM *)tile_ + i * b->tile_outer;
        STORE_TO *y = (STORE_TO *)y_ + i * b->memory_outer;
        if (b->activation != NULL) {
            fits &= STORE_ACTIVATED(tile, b, y);
        } else if (b->beta != 0) {
            for (int64_t j = 0; j < b->inner; j++) {
                STORE_TO *at = y + j * b->memory_inner;
                const STORE_FROM sum = tile[j * b->tile_inner] + (STORE_FROM)b->beta * STORE_WIDEN(*at);
                fits &= STORE_FITS(sum);
                *at = STORE_CONVERT(sum);
            }
        } else if (b->tile_inner == 1 && b->memory_inner == 1) {
#ifdef STORE_ROW
            STORE_ROW(tile, y, b->inner);
#else
            for (int64_t j = 0; j < b->inner; j++) {
                fits &= STORE_FITS(tile[j]);
                y[j] = STORE_CONVERT(tile[j]);
            }
#endif
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
#undef STORE_ACTIVATED
#undef STORE_TO
#undef STORE_WIDEN
#undef STORE_CONVERT
#undef STORE_ROW
#undef STORE_FITS
