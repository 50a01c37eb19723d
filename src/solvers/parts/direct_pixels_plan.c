/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct_pixels_plan.c: how a problem is cut into blocks, and what that will cost; see direct_pixels.h.
 *
 * Every way to cut and to copy that the problem allows is costed, and the cheapest is taken.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/direct_pixels.h"

enum {
    COPY_BYTES = 448 << 10, /* of a block: with its weights and sums in half of an L2 of 1 MiB */
    COPY_LIMIT = 640 << 10, /* above, the solver does not apply */
    SUM_BYTES = 448 << 10,  /* sums kept between blocks of k */
    BLOCK_LANES = 512,      /* of a block: weights are read once for so many */
    K_STEPS = 512,          /* of a block of k: a panel of weights stays in L1 */
    RUNS_MAX = 2048,        /* 48 KiB of them */
    STEPS_KEPT = 33
};

/* Joins axis a to the next where a 1-wide kernel walks both as one row. */
static void join_axes(fal__problem *p)
{
    for (int a = FAL_MAX_SPATIAL - 2; a >= 0; a--) {
        fal__problem_axis *outer = &p->axis[a], *inner = &p->axis[a + 1];
        const bool plain = outer->k == 1 && inner->k == 1 && outer->s == 1 && inner->s == 1 &&
                           outer->begin == 0 && inner->begin == 0 && inner->in == inner->out &&
                           outer->in == outer->out;
        const bool row = outer->xs == inner->xs * inner->in && outer->ys == inner->ys * inner->out;
        if (!plain || (outer->out > 1 && !row)) return;
        inner->in *= outer->in;
        inner->out *= outer->out;
        *outer = (fal__problem_axis){.in = 1, .out = 1, .k = 1, .s = 1, .d = 1};
    }
}

static bool padded(const fal__problem_axis *axis)
{
    const int64_t reach = (axis->k - 1) * axis->d, last = (axis->out - 1) * axis->s - axis->begin;
    return fal__min(0, reach) < axis->begin || last + fal__max(0, reach) >= axis->in;
}

/* Panels of output channels, widths differing by one at most. */
static void plan_panels(fal__direct_pixels *s)
{
    s->panels = fal__ceil_div(s->problem.oc, s->kernels->rows_max);
    s->panel_width = s->problem.oc / s->panels;
    s->wider_panels = s->problem.oc % s->panels;
}

/* Input channels of a block of k: whole chunks of the reduction, as alike as may be. */
static void plan_k(fal__direct_pixels *s)
{
    const fal__reduction *r = &s->reduction;
    const int64_t unit = r->taps == 1 ? 1 : r->chunk, units = fal__ceil_div(r->ic, unit);
    const int64_t steps = K_STEPS * 4 / (int64_t)s->compute->panel_bytes, most = unit * r->taps;
    const int64_t together = fal__max(1, (steps + most / 2) / most);
    const int64_t blocks = fal__max(1, (units + together / 2) / together);
    s->k_channels = fal__ceil_div(units, blocks) * unit;
    s->k_blocks = fal__ceil_div(r->ic, s->k_channels);
}

/* In double: dilations may be of any size. */
static double channel_elements(const fal__direct_pixels *s, const fal__dp_kind *plane,
                               const fal__dp_kind *rows, const fal__dp_kind *columns)
{
    const double lanes = s->kernels->lanes;
    const double line = (double)rows->lines * (double)columns->pitch + (double)rows->classes * lanes;
    return (double)plane->lines * (double)columns->classes * line + 4 * lanes;
}

/* What is found out once for all ways. */
typedef struct axes {
    int64_t longest[FAL_MAX_SPATIAL][2]; /* stretch, [1]: where blocks end where the taps change */
    const fal__dp_kinds *kinds[FAL_MAX_SPATIAL];
    /* Kept, because ways differ along one axis mostly: kinds by `cut` and `own` of a block; and step_cycles
     * by vectors, 0: not asked yet. */
    int64_t block[FAL_MAX_SPATIAL][2][2];
    fal__dp_kinds kept[FAL_MAX_SPATIAL][2][2];
    double step[STEPS_KEPT];
} axes;

static void find_kinds(const fal__problem *p, int a, const fal__dp_axis *how, axes *all)
{
    fal__dp_kinds *kinds = &all->kept[a][how->cut][how->own];
    int64_t *block = &all->block[a][how->cut][how->own];
    if (*block != how->block) fal__dp_find_kinds(p, a, how, kinds);
    *block = how->block;
    all->kinds[a] = kinds;
}

static void find_longest(const fal__problem *p, int a, axes *all)
{
    const fal__dp_axis how = {.cut = true, .own = true, .block = p->axis[a].out};
    all->longest[a][0] = all->longest[a][1] = p->axis[a].out;
    if (p->mode != FAL_PAD_ZEROS || !padded(&p->axis[a])) return;
    find_kinds(p, a, &how, all);
    all->longest[a][1] = all->kinds[a]->most.outputs;
}

/* Rows of a block: among almost as many, the number whose last vectors are fullest. */
static int64_t even_rows(int64_t rows, int64_t all, int64_t pitch, int64_t columns, int64_t lanes)
{
    const int64_t least = fal__ceil_div(all * columns, lanes);
    int64_t best = rows, best_vectors = INT64_MAX;
    for (int64_t r = rows; r >= 1 && 2 * r >= rows && best_vectors > least; r--) {
        const int64_t whole = all / r, rest = all % r;
        const int64_t vectors = whole * fal__ceil_div((r - 1) * pitch + columns, lanes) +
                                (rest > 0 ? fal__ceil_div((rest - 1) * pitch + columns, lanes) : 0);
        if (vectors >= best_vectors) continue;
        best = r, best_vectors = vectors;
    }
    return best;
}

/* Outputs of a block along rows and columns: as many as BLOCK_LANES and COPY_BYTES allow. False when even the
 * smallest copy is too large, or when rows have lines of their own unasked. */
static bool plan_block(fal__direct_pixels *s, bool own_rows, axes *all)
{
    const fal__problem *p = &s->problem;
    const int64_t lanes = s->kernels->lanes, element = (int64_t)s->compute->panel_bytes;
    const double budget = COPY_BYTES / (double)element, limit = COPY_LIMIT / (double)element;
    fal__dp_axis *rows = &s->axis[1], *columns = &s->axis[2];
    const int64_t height = all->longest[1][rows->cut], width = all->longest[2][columns->cut];
    const fal__dp_kind plane = fal__dp_inner_kind(&p->axis[0], true, 1);
    s->axis[0] = (fal__dp_axis){.own = true, .block = 1};
    for (int64_t target = BLOCK_LANES;; target -= target > 8 * lanes ? 4 * lanes : lanes) {
        if (target < lanes) return false;
        columns->block = fal__max(1, fal__min(width, target));
        const int64_t pieces = fal__ceil_div(width, columns->block);
        if (pieces > 1) columns->block = fal__ceil_div(fal__ceil_div(width, pieces), lanes) * lanes;
        find_kinds(p, 2, columns, all);
        rows->block = fal__max(1, fal__min(height, target / all->kinds[2]->most.pitch));
        rows->own = fal__dp_inner_kind(&p->axis[1], true, rows->block).lines <
                    fal__dp_inner_kind(&p->axis[1], false, rows->block).lines;
        if (rows->own && own_rows) return false; /* as without asking */
        rows->own |= own_rows;
        find_kinds(p, 1, rows, all);
        const double channel = s->in_place
                                   ? (double)columns->block
                                   : channel_elements(s, &plane, &all->kinds[1]->most, &all->kinds[2]->most);
        const double size = channel * (double)s->k_channels;
        if (size <= budget || (target == lanes && size <= limit)) break;
    }
    const int64_t block = even_rows(rows->block, height, all->kinds[2]->most.pitch, columns->block, lanes);
    if (block == rows->block) return true;
    rows->block = block;
    find_kinds(p, 1, rows, all);
    return true;
}

/* Cycles of a step of all panels over a number of vectors: two multiply-adds or two loads a cycle, where a
 * vector mostly crosses a line and counts twice; few sums wait for each other. */
static double step_cycles(const fal__direct_pixels *s, int64_t vectors)
{
    double cycles = 0;
    for (int64_t wide = 0; wide < 2; wide++) {
        const int64_t wider = s->wider_panels, rows = s->panel_width + wide;
        const int64_t many = wide ? wider : s->panels - wider;
        if (many == 0) continue;
        const int64_t tiles = fal__ceil_div(vectors, s->kernels->vectors_max[rows]);
        const double mean = (double)vectors / (double)tiles, r = (double)rows;
        double step = 0.5 * r * mean;
        if (step < 0.5 * (r + 2 * mean)) step = 0.5 * (r + 2 * mean);
        if (step < 4) step = 4;
        cycles += (double)many * (double)tiles * step;
    }
    return cycles;
}

static double kept_step_cycles(const fal__direct_pixels *s, int64_t vectors, axes *all)
{
    if (vectors >= STEPS_KEPT) return step_cycles(s, vectors);
    if (all->step[vectors] <= 0) all->step[vectors] = step_cycles(s, vectors);
    return all->step[vectors];
}

/* Cycles to store a vector. */
static double store_cycles(const fal__direct_pixels *s, bool even)
{
    const int64_t step = s->problem.axis[2].ys, bytes = s->kernels->lanes * (int64_t)s->compute->panel_bytes;
    if (step == 1) return even ? 1.5 : 5;
    return step == 2 && bytes == 64 ? 8 : 1.5 * (double)s->kernels->lanes;
}

static double block_cycles(const fal__direct_pixels *s, axes *all, const fal__dp_kind *plane,
                           const fal__dp_kind *rows, const fal__dp_kind *columns)
{
    const fal__problem *p = &s->problem;
    const int64_t lanes = s->kernels->lanes, length = (rows->outputs - 1) * columns->pitch + columns->outputs;
    const int64_t vectors = fal__ceil_div(length, lanes), taps = plane->taps * rows->taps * columns->taps;
    const double ic = (double)p->ic, oc = (double)p->oc;
    const bool even = columns->pitch == columns->outputs && p->axis[2].ys == 1;
    const int64_t step = p->axis[2].s * p->axis[2].xs;
    const double vector = step == 1 ? 3 : step == 2 ? 5 : step == 4 ? 9 : 1.5 * (double)lanes; /* to copy */
    const double lines = (double)(plane->lines * columns->classes * rows->lines);
    const double copy =
        s->in_place ? 0 : ic * lines * (8 + vector * (double)fal__ceil_div(columns->pitch, lanes));
    /* Vectors that begin with a line of the cache need half the lines. */
    const bool aligned = s->in_place || (s->axis[2].own && (s->axis[1].own || columns->pitch % lanes == 0)) ||
                         p->axis[1].k * p->axis[2].k == 1;
    const double multiply = ic * (double)taps * kept_step_cycles(s, vectors, all) * (aligned ? 1.08 : 1.17);
    const double tiles = (double)s->panels * (double)fal__ceil_div(vectors, 2) * (double)s->k_blocks;
    const double weights = 0.06 * oc * ic * (double)taps; /* from L2, once a block */
    double store = oc * (double)vectors * store_cycles(s, even);
    if (s->k_blocks > 1) store += 2 * oc * (double)vectors;
    return (double)s->splits * copy + multiply + weights + store + 40 * tiles + 200 +
           15 * (double)taps * ic / (double)s->reduction.chunk;
}

static double cycles_of(const fal__direct_pixels *s, axes *all)
{
    const fal__problem *p = &s->problem;
    double cycles = 0;
    const fal__dp_kinds *const *k = all->kinds;
    for (const fal__dp_kind *d = k[0]->item; d < k[0]->item + k[0]->count; d++)
        for (const fal__dp_kind *h = k[1]->item; h < k[1]->item + k[1]->count; h++)
            for (const fal__dp_kind *w = k[2]->item; w < k[2]->item + k[2]->count; w++)
                cycles += (double)(d->many * h->many * w->many) * block_cycles(s, all, d, h, w);
    const double weights = (double)p->oc * (double)s->reduction.steps; /* come from afar once */
    return (double)p->groups * ((double)p->n * cycles + 0.25 * weights) + 200;
}

/* Splits of the output channels, so that the sums of a block fit. */
static void plan_splits(fal__direct_pixels *s)
{
    const int64_t block = s->axis[1].block * s->axis[2].block + 8 * s->axis[1].block;
    const int64_t panel = block * s->kernels->rows_max * (int64_t)s->compute->panel_bytes;
    s->split_panels = s->k_blocks == 1 ? s->panels : fal__max(1, fal__min(s->panels, SUM_BYTES / panel));
    s->splits = fal__ceil_div(s->panels, s->split_panels);
    s->split_panels = fal__ceil_div(s->panels, s->splits);
}

/* What a block needs at most, however it will be cut: a shorter stretch meets no more taps and lines. */
static void plan_sizes(fal__direct_pixels *s, axes *all)
{
    const fal__problem *p = &s->problem;
    const fal__reduction *r = &s->reduction;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) find_kinds(p, a, &s->axis[a], all);
    const fal__dp_kind *rows = &all->kinds[1]->most, *columns = &all->kinds[2]->most;
    const int64_t lanes = s->kernels->lanes;
    s->lanes = fal__ceil_div((rows->outputs - 1) * columns->pitch + columns->outputs, lanes) * lanes;
    s->copy_size =
        s->k_channels *
            (s->in_place ? lanes : (int64_t)channel_elements(s, &all->kinds[0]->most, rows, columns)) +
        lanes;
    s->run_count = r->taps * fal__ceil_div(s->k_channels, r->taps == 1 ? s->k_channels : r->chunk);
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) s->blocks[a] = fal__dp_blocks(s, a, false);
}

static bool fits(const fal__problem *p, const fal__reduction *r, char *why, size_t capacity)
{
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype) {
        snprintf(why, capacity, "needs f32 or f64 throughout");
        return false;
    }
    for (int a = 0; a < FAL_MAX_SPATIAL; a++)
        if (p->axis[a].k > FAL__DP_TAPS_MAX) {
            snprintf(why, capacity, "%" PRId64 " taps along an axis are more than %d", p->axis[a].k,
                     FAL__DP_TAPS_MAX);
            return false;
        }
    if (r->steps == 0 || p->n * p->groups * p->oc * p->axis[0].out * p->axis[1].out * p->axis[2].out == 0) {
        snprintf(why, capacity, "there is nothing to multiply");
        return false;
    }
    if (r->taps <= RUNS_MAX) return true;
    snprintf(why, capacity, "%" PRId64 " taps are more than %d", r->taps, RUNS_MAX);
    return false;
}

/* Is a plane of x one row, each pixel of which is an output? The rows of y need not follow each other. */
static bool joined(const fal__problem *p)
{
    const fal__problem_axis *plane = &p->axis[0], *column = &p->axis[1], *row = &p->axis[2];
    return row->s * row->xs == 1 && (plane->out == 1 || plane->s == 1) &&
           (column->out == 1 || (column->s == 1 && column->xs == row->in && row->out == row->in)) &&
           !padded(row) && !padded(column) && !padded(plane);
}

bool fal__dp_plan(const fal__problem *problem, const fal__machine *machine, fal__direct_pixels *s,
                  double *cycles, char *why, size_t capacity)
{
    memset(s, 0, sizeof *s);
    s->problem = *problem;
    join_axes(&s->problem);
    const fal__problem *p = &s->problem;
    s->compute = machine->kernels->compute[p->dtype == FAL_F64 ? FAL__F64 : FAL__F32];
    s->kernels = s->compute->pixels;
    fal__reduction_plan(p, s->compute, &s->reduction);
    if (!fits(p, &s->reduction, why, capacity)) return false;
    const fal__problem_axis *row = &p->axis[2];
    plan_panels(s);
    plan_k(s);
    const bool whole = s->reduction.taps == 1 && joined(p);
    axes all;
    memset(all.step, 0, sizeof all.step);
    memset(all.block, 0, sizeof all.block);
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) find_longest(p, a, &all);
    const fal__dp_axis one = {.own = true, .block = 1};
    find_kinds(p, 0, &one, &all);
    fal__direct_pixels best = {0};
    bool found = false;
    const bool zeros = p->mode == FAL_PAD_ZEROS;
    const int32_t places = whole ? 2 : 1,
                  owns = p->axis[1].k > 1 ? 3
                         : row->k > 1     ? 2
                                          : 1,
                  row_cuts = zeros && padded(&p->axis[1]) ? 2 : 1, column_cuts = zeros && padded(row) ? 2 : 1;
    for (int32_t way = 0; way < places * owns * row_cuts * column_cuts; way++) {
        s->in_place = whole && way == 0;
        s->axis[2].own = !whole && way % owns > 0;
        s->axis[1].cut = !whole && way / owns % row_cuts == 1;
        s->axis[2].cut = !whole && way / owns / row_cuts == 1;
        if (s->axis[2].cut && !s->axis[2].own)
            continue; /* shorter rows that still share would lose more lanes */
        if (!plan_block(s, !whole && way % owns == 2, &all)) continue;
        if (cycles == NULL) return true;
        plan_splits(s);
        const double cost = cycles_of(s, &all);
        if (found && cost >= *cycles) continue;
        found = true;
        *cycles = cost;
        best = *s;
    }
    if (found) {
        *s = best;
        plan_sizes(s, &all);
        return true;
    }
    snprintf(why, capacity, "the rows of %" PRId64 " channels under %" PRId64 " taps are too large to copy",
             s->k_channels, s->reduction.taps);
    return false;
}
