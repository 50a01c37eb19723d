/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_finish.tmpl.h: finished sums of a tile to memory, see fal__direct_finish.
 *
 * Stands behind direct_channels.tmpl.h. Vectors run along the channels where these are neighbours in y, else
 * along the pixels: there the lanes are filled one by one from the tile, which is in L1.
 */
static FAL__ALWAYS_INLINE lanes_vector direct_value(const fal__direct_finish *f, lanes_vector sum,
                                                    lanes_vector y)
{
    if (f->beta != 0) sum += (LANES_TYPE)f->beta * y;
    return lanes_activate(sum, f->activation);
}

static void direct_finish_channels(const fal__direct_finish *f)
{
    for (int64_t i = 0; i < f->pixels; i++) {
        const LANES_TYPE *sums = (const LANES_TYPE *)f->sums + i * f->sums_step;
        LANES_TYPE *y = (LANES_TYPE *)f->y + i * f->pixel_step;
        int64_t j = 0;
        for (; j + LANES <= f->channels; j += LANES) {
            const lanes_vector old = f->beta != 0 ? lanes_load(y + j) : (lanes_vector){0};
            lanes_store(y + j, direct_value(f, lanes_load(sums + j), old));
        }
        const int rest = (int)(f->channels - j);
        if (rest == 0) continue;
        const lanes_vector old = f->beta != 0 ? lanes_load_first(y + j, rest) : (lanes_vector){0};
        lanes_store_first(y + j, direct_value(f, lanes_load_first(sums + j, rest), old), rest);
    }
}

static void direct_finish_pixels(const fal__direct_finish *f)
{
    for (int64_t j = 0; j < f->channels; j++)
        for (int64_t i = 0; i < f->pixels; i += LANES) {
            const LANES_TYPE *sums = (const LANES_TYPE *)f->sums + i * f->sums_step + j;
            LANES_TYPE *y = (LANES_TYPE *)f->y + i * f->pixel_step + j * f->channel_step;
            const int count = f->pixels - i < LANES ? (int)(f->pixels - i) : LANES;
            lanes_vector sum = {0}, old = {0};
            for (int l = 0; l < count; l++) sum[l] = sums[l * f->sums_step];
            for (int l = 0; l < count && f->beta != 0; l++) old[l] = y[l * f->pixel_step];
            sum = direct_value(f, sum, old);
            if (f->pixel_step == 1)
                lanes_store_first(y, sum, count);
            else
                for (int l = 0; l < count; l++) y[l * f->pixel_step] = sum[l];
        }
}

static void direct_finish(const fal__direct_finish *f)
{
    if (f->channel_step == 1)
        direct_finish_channels(f);
    else
        direct_finish_pixels(f);
}
