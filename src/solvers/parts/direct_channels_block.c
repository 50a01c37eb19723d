/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_channels_block.c: cutting an image in tiles of pixels, and collecting blocks of them.
 *
 * Tiles are numbered region by region. A block may span regions, so that the borders of a small map pass
 * the weights together with its inside.
 */
#include "base/checked.h"
#include "solvers/parts/direct_channels.h"

void fal__direct_cut_region(const fal__region *region, int32_t rows, fal__direct_cut *cut)
{
    int64_t length[FAL_MAX_SPATIAL], outputs = 1, fewest = INT64_MAX;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        length[a] = region->axis[a].end - region->axis[a].first;
        outputs *= length[a];
    }
    for (int a = FAL_MAX_SPATIAL - 1; a >= 0; a--) {
        const int64_t per_line = fal__ceil_div(length[a], rows), lines = outputs / length[a];
        if (per_line * lines >= fewest) continue;
        fewest = per_line * lines;
        *cut = (fal__direct_cut){.axis = a, .length = length[a], .per_line = per_line, .lines = lines};
    }
}

/* `count` tiles of a region from its tile number `tile` on. */
static void find_places(const fal__problem_axis *axis, const fal__region *region, const fal__direct_cut *cut,
                        int64_t tile, int64_t count, fal__direct_place *places)
{
    /* Outputs along the cut, and on the other two axes, b fastest. */
    const int a = cut->axis == 0 ? 1 : 0, b = cut->axis == FAL_MAX_SPATIAL - 1 ? 1 : FAL_MAX_SPATIAL - 1;
    const fal__stretch *s = region->axis;
    const int64_t line = tile / cut->per_line, breadth = s[b].end - s[b].first;
    const int64_t rows = cut->length / cut->per_line, longer = cut->length % cut->per_line;
    int64_t part = tile % cut->per_line, oa = s[a].first + line / breadth, ob = s[b].first + line % breadth;
    for (fal__direct_place *place = places; place < places + count; place++) {
        const int64_t o = s[cut->axis].first + part * rows + fal__min(part, longer);
        place->x = oa * axis[a].s * axis[a].xs + ob * axis[b].s * axis[b].xs +
                   o * axis[cut->axis].s * axis[cut->axis].xs;
        place->y = oa * axis[a].ys + ob * axis[b].ys + o * axis[cut->axis].ys;
        place->rows = (int32_t)(rows + (part < longer));
        if (++part < cut->per_line) continue;
        part = 0;
        if (++ob < s[b].end) continue;
        ob = s[b].first;
        oa++;
    }
}

void fal__direct_block_begin(const fal__direct_channels *d, char *scratch, fal__direct_block *block)
{
    *block = (fal__direct_block){.runs = (fal__direct_run *)(void *)(scratch + d->scratch.runs),
                                 .places = (fal__direct_place *)(void *)(scratch + d->scratch.places),
                                 .pieces = (fal__direct_piece *)(void *)(scratch + d->scratch.pieces),
                                 .first = -1,
                                 .region_first = INT64_MAX};
}

/* Tiles tile.. of the block's region; false when the block has no room for its runs. */
static bool add_piece(const fal__direct_channels *d, const fal__direct_cut *cut, int64_t tile, int64_t count,
                      fal__direct_block *block)
{
    const fal__problem *p = &d->problem;
    int64_t most;
    (void)fal__region_runs_most(&d->reduction, d->block, &most); /* as when the scratch was booked */
    if (block->piece_count == d->pieces || block->run_count + most > d->runs) return false;
    fal__direct_piece *piece = &block->pieces[block->piece_count++];
    const int64_t runs =
        fal__region_runs(p, &d->reduction, &block->region, d->block, block->runs + block->run_count);
    *piece = (fal__direct_piece){.axis = cut->axis,
                                 .first_run = block->run_count,
                                 .end_run = block->run_count + runs,
                                 .first_tile = block->count,
                                 .end_tile = block->count + count};
    find_places(p->axis, &block->region, cut, tile, count, block->places + block->count);
    block->run_count = piece->end_run;
    block->count = piece->end_tile;
    return true;
}

void fal__direct_block_make(const fal__direct_channels *d, int64_t tile, int64_t most,
                            fal__direct_block *block)
{
    if (block->first == tile && block->count == most) return; /* as in the image before */
    block->first = tile;
    block->count = block->piece_count = block->run_count = 0;
    if (tile < block->region_first) {
        fal__region_first(&d->problem, &block->region);
        block->region_first = 0;
    }
    for (bool more = true; more && block->count < most;) {
        fal__direct_cut cut;
        fal__direct_cut_region(&block->region, fal__direct_rows(d), &cut);
        const int64_t end = block->region_first + cut.lines * cut.per_line;
        if (tile < end) {
            const int64_t count = fal__min(most - block->count, end - tile);
            if (!add_piece(d, &cut, tile - block->region_first, count, block)) return;
            tile += count;
        }
        if (tile < end) return;
        block->region_first = end;
        more = fal__region_next(&d->problem, &block->region);
    }
}
