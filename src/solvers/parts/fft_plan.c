/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_plan.c: which problems are convolved by Fourier transforms, and how they are cut.
 *
 * Large tiles waste less where they overlap, and their spectra are more: of kernels, which are read from far
 * away, and of inputs, which should stay in L2. So sizes are tried, all those with factors 2, 3 and 5 of
 * which none is useless, and the cheapest by prediction is taken.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/fft.h"

enum {
    SCRATCH_BYTES = 4 << 20, /* of a task at most */
    WEIGHT_BYTES = 1 << 28,  /* of the spectra of kernels at most */
    L2_BYTES = 1 << 20,      /* of what should stay there */
    L3_BYTES = 5 << 20,      /* of kernels that are expected there */
    TAPS_FEW = 16            /* with so few taps it never wins */
};

/* Of numbers with factors 2, 3 and 5 those that are cheaper than some larger one; the first ones for two
 * axes. */
static const int16_t sizes[] = {16,   18,   20,   24,   27,   30,   32,   36,   40,  45,  48,  50,
                                54,   60,   64,   72,   80,   90,   96,   108,  120, 128, 144, 160,
                                192,  240,  256,  320,  384,  480,  512,  576,  640, 768, 960, 1024,
                                1280, 1536, 2048, 2560, 3072, 4096, 5120, 6144, 8192};
enum { SIZES = sizeof sizes / sizeof sizes[0], SIZES_OF_TWO = 23 };

/* As in Winograd's convolution: position = o - t*d - begin is o + t'*d - (begin + (k-1)*d) with t' = k-1 - t.
 */
static void walk_forwards(fal__problem *p, int a)
{
    fal__problem_axis *axis = &p->axis[a];
    if (axis->d > 0) return;
    p->w_base += (axis->k - 1) * axis->ws;
    axis->ws = -axis->ws;
    axis->d = -axis->d;
    axis->begin += (axis->k - 1) * axis->d;
}

static void exchange(fal__problem *p, int a, int b)
{
    const fal__problem_axis axis = p->axis[a];
    p->axis[a] = p->axis[b];
    p->axis[b] = axis;
}

/* Axes of one tap first; false when there is none, or a stride on one that must be transformed. */
static bool order_axes(fal__problem *p)
{
    for (int a = 1; a < FAL_MAX_SPATIAL && p->axis[0].k != 1; a++)
        if (p->axis[a].k == 1) exchange(p, 0, a);
    if (p->axis[2].k == 1) exchange(p, 1, 2);
    if (p->axis[0].k != 1) return false;
    for (int a = 1; a < FAL_MAX_SPATIAL; a++) {
        if (p->axis[a].k == 1 && a == 1) continue;
        if (p->axis[a].s != 1 || p->axis[a].d == 0) return false;
        walk_forwards(p, a);
    }
    return true;
}

/* Tiles of n points; false when they are too short. */
static bool cut_axis(fal__fft_axis *axis, const fal__problem_axis *p, fal_padding_mode mode, int64_t n)
{
    const int64_t d = n > 1 ? p->d : 1, outputs = fal__ceil_div(p->out, d);
    const int64_t shift = -fal__max(0, fal__floor_div(p->begin, d));
    const int64_t last = fal__floor_div(p->in - 1 + p->begin + shift * d, d);
    const int64_t needed = outputs + p->k - 1 + shift, cells = fal__max(0, fal__min(needed, last + 1));
    *axis = (fal__fft_axis){.n = n, .dilation = d, .per_phase = 1, .m = outputs};
    if (n == 1) {
        axis->m = 1;
        axis->per_phase = outputs;
    } else if (mode == FAL_PAD_ZEROS && n >= needed && n >= cells - shift && n > outputs) {
        axis->shift = shift;
    } else {
        if (n < p->k) return false;
        axis->per_phase = fal__ceil_div(outputs, n - p->k + 1);
        axis->m = fal__ceil_div(outputs, axis->per_phase);
    }
    axis->count = fal__min(d, p->out) * axis->per_phase;
    return true;
}

/* Sizes that follow from the axes and the lanes; false when one overflows. */
static bool set_shape(fal__fft_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes;
    const fal__fft_axis *columns = &plan->columns;
    plan->half = columns->n / 2 + 1;
    plan->entries = plan->rows.n * plan->half;
    plan->row_step = (2 * plan->half + 1) * lanes;
    plan->column_units = columns->count;
    if (plan->lanes == FAL__FFT_TILES)
        plan->column_units = columns->count / columns->per_phase * fal__ceil_div(columns->per_phase, lanes);
    plan->blocks = plan->lanes == FAL__FFT_CHANNELS ? fal__ceil_div(p->groups, lanes) : p->groups;
    plan->ic_blocks = fal__ceil_div(p->ic, lanes);
    plan->vectors = p->oc > lanes ? 2 : 1;
    plan->panels = fal__ceil_div(p->oc, plan->vectors * lanes);
    int64_t weights = plan->blocks, channels = p->oc;
    if (plan->lanes == FAL__FFT_DENSE) channels = plan->panels * plan->vectors * p->ic;
    return fal__mul(p->n * p->axis[0].out, plan->rows.count, &plan->tiles) &&
           fal__mul(plan->tiles, plan->column_units, &plan->tiles) && fal__mul(weights, channels, &weights) &&
           fal__mul(weights, plan->entries * 2 * (int64_t)fal__fft_vector(plan), &weights) &&
           weights <= WEIGHT_BYTES;
}

/* Books packed weights and scratch; false when they are too large. */
static bool book(fal__fft_plan *plan)
{
    fal__fft_scratch *s = &plan->scratch;
    const fal__problem *p = &plan->problem;
    const size_t vector = fal__fft_vector(plan), element = plan->compute->panel_bytes;
    const int64_t longest = fal__max(plan->rows.n, plan->columns.n), lanes = plan->kernels->lanes;
    const bool dense = plan->lanes == FAL__FFT_DENSE, lines = fal__fft_by_lines(plan);
    const int64_t v = dense ? plan->entries * plan->v_step : 0,
                  sums = dense ? plan->entries * plan->sums_step : 0;
    const int64_t outputs = dense ? plan->panels * plan->vectors * p->ic : p->oc;
    size_t at;
    memset(s, 0, sizeof *s);
    plan->packed_bytes = 0;
    if (!fal__book(&s->bytes, 2 * plan->columns.n, vector, &s->lines) ||
        !fal__book(&s->bytes, 2 * plan->rows.n, vector, &s->column) ||
        !fal__book(&s->bytes, 4 * longest + 4, vector, &s->buffers) ||
        !fal__book(&s->bytes, (plan->rows.n + 2) * plan->row_step, element, &s->rows))
        return false;
    const size_t packing = s->bytes;
    s->sums_rows = s->rows;
    if (!dense && (p->oc > 1 || lines) &&
        !fal__book(&s->bytes, (plan->rows.n + 2) * plan->row_step, element, &s->sums_rows))
        return false;
    if (!fal__book(&s->bytes, v, element, &s->transformed) ||
        !fal__book(&s->bytes, sums, element, &s->sums) || !fal__book(&s->bytes, 1, vector, &s->bias))
        return false;
    return fal__book(&plan->packed_bytes, lines ? 0 : fal__fft_twiddle_count(&plan->rows.line), element,
                     &at) &&
           fal__book(&plan->packed_bytes, fal__fft_twiddle_count(&plan->columns.line), element,
                     &plan->twiddles) &&
           fal__book(&plan->packed_bytes, plan->blocks * outputs * plan->entries * 2 * lanes, element,
                     &plan->weights) &&
           fal__book(&plan->packed_bytes, (int64_t)packing, 1, &plan->packing) && s->bytes <= SCRATCH_BYTES;
}

/* Cycles to read the spectra of kernels: those that the layers around leave in the last cache, and the rest
 * from memory; measured. */
static double reading(double bytes)
{
    const double near = bytes < L3_BYTES ? bytes : L3_BYTES;
    return near / 12 + (bytes - near) / 3.5;
}

/* Predicted cycles of transforms along the axes, of a tile (or a line) of one vector. */
typedef struct costs {
    double line, column; /* of two lines with all that is done to them; of a column */
} costs;

/* Rows of a tile that are read. */
static int64_t rows_read(const fal__fft_axis *rows, const fal__problem_axis *p)
{
    const int64_t needed = rows->m + p->k - 1 + rows->shift;
    return rows->shift < 0 ? fal__min(needed, p->in) : needed;
}

/* Two rows, with what moves them: lanes that are neither neighbours nor rows of neighbours are moved one by
 * one. All measured. */
static double predict_rows(const fal__fft_plan *plan, const costs *c, double rows, bool one_by_one)
{
    return rows / 2 * (1.3 * c->line + (double)plan->columns.n * (one_by_one ? 50 : 12));
}

static double predict_elementwise(const fal__fft_plan *plan, const costs *c)
{
    const fal__problem *p = &plan->problem;
    const bool tiles = plan->lanes == FAL__FFT_TILES;
    const bool slow_x = tiles ? p->axis[2].xs != 1 : p->x_g != 1 && p->axis[2].xs != 1,
               slow_y = tiles ? p->axis[2].ys != 1 : p->y_g != 1 && p->axis[2].ys != 1;
    const double read = (double)rows_read(&plan->rows, &p->axis[1]), kept = (double)plan->rows.m;
    const double n1 = (double)plan->rows.n, half = (double)plan->half, oc = (double)p->oc;
    const double spectrum = (double)plan->entries * 2 * (double)fal__fft_vector(plan), u = spectrum * oc;
    double tile =
        predict_rows(plan, c, read, slow_x) + oc * predict_rows(plan, c, kept, slow_y) + oc * half * n1 * 4;
    if (!fal__fft_by_lines(plan)) tile += oc * half * 2.5 * c->column;
    tile += u + spectrum > L2_BYTES ? (u + 4 * spectrum) / 14 : u / 40;
    return (double)(plan->blocks * plan->tiles) * tile + reading((double)plan->blocks * u);
}

/* One product of `tiles` tiles and all channels: multiply-adds start twice a cycle, but each sum waits for
 * two. */
static double predict_product(const fal__fft_plan *plan, int64_t tiles)
{
    const double starts = 2.1 * (double)(tiles * plan->vectors), waits = 8;
    return 12 + (double)plan->problem.ic * (starts > waits ? starts : waits);
}

/* Of all tiles of a dense plan, however they are blocked. */
static double predict_transforms(const fal__fft_plan *plan, const costs *c)
{
    const fal__problem *p = &plan->problem;
    const double inputs = (double)plan->ic_blocks,
                 outputs = (double)fal__ceil_div(p->oc, plan->kernels->lanes);
    const double read = (double)rows_read(&plan->rows, &p->axis[1]), kept = (double)plan->rows.m;
    const double columns = fal__fft_by_lines(plan) ? 0 : 1.6 * (double)plan->half * c->column;
    return (double)(p->groups * plan->tiles) *
           (inputs * (predict_rows(plan, c, read, p->x_ic != 1 && p->axis[2].xs != 1) + columns) +
            outputs * (predict_rows(plan, c, kept, p->y_oc != 1 && p->axis[2].ys != 1) + columns));
}

static double predict_products(const fal__fft_plan *plan)
{
    const fal__problem *p = &plan->problem;
    const double blocks = (double)plan->tile_blocks, groups = (double)p->groups;
    const double bytes = (double)plan->compute->panel_bytes, entries = (double)plan->entries;
    const int64_t most = plan->kernels->tiles_max, rest = plan->block_tiles % most;
    const double products = (double)(plan->block_tiles / most) * predict_product(plan, most) +
                            (rest > 0 ? predict_product(plan, rest) : 0);
    const double u =
        entries * (double)(plan->panels * plan->vectors * p->ic) * 2 * (double)fal__fft_vector(plan);
    const double v = entries * (double)plan->v_step * bytes, sums = entries * (double)plan->sums_step * bytes;
    const double moved = (double)plan->chunks * (v + 2 * sums) / (v + sums > L2_BYTES ? 12 : 40);
    return blocks * (groups * (entries * (double)plan->panels * products + moved) + reading(groups * u));
}

static int64_t odd_vectors(const fal__fft_plan *plan, int64_t vectors)
{
    return (vectors | 1) * plan->kernels->lanes;
}

/* Blocks of at most `tiles` tiles, chunks of at most `panels` panels. */
static void cut_dense(fal__fft_plan *plan, int64_t tiles, int64_t panels)
{
    plan->tile_blocks = fal__ceil_div(plan->tiles, tiles);
    plan->block_tiles = fal__ceil_div(plan->tiles, plan->tile_blocks);
    if (fal__fft_by_lines(plan)) plan->block_tiles += plan->block_tiles % 2;
    plan->tile_blocks = fal__ceil_div(plan->tiles, plan->block_tiles);
    plan->chunk = fal__min(panels, plan->panels);
    plan->chunks = fal__ceil_div(plan->panels, plan->chunk);
    plan->splits = 1;
    plan->split_chunks = plan->chunks;
    plan->v_step = odd_vectors(plan, 2 * plan->ic_blocks * plan->block_tiles);
    plan->sums_step = odd_vectors(plan, 2 * plan->chunk * plan->vectors * plan->block_tiles);
}

/* False when it needs too much memory. */
static bool keep_cheapest(fal__fft_plan *plan, uint64_t cap, fal__fft_plan *best)
{
    if (best->cycles > 0 && plan->cycles >= best->cycles) return true;
    if (!book(plan) || plan->packed_bytes > cap || plan->scratch.bytes > cap - plan->packed_bytes)
        return false;
    *best = *plan;
    return true;
}

static void try_dense(fal__fft_plan *plan, const costs *c, uint64_t cap, fal__fft_plan *best)
{
    const int64_t most = plan->kernels->tiles_max;
    const double transforms = predict_transforms(plan, c);
    if (best->cycles > 0 && transforms >= best->cycles) return;
    for (int64_t tiles = 1; tiles <= 64 * most; tiles = tiles < most ? most : 2 * tiles) {
        bool fits = false;
        for (int64_t panels = 1; panels <= 64; panels *= 4) {
            cut_dense(plan, tiles, panels);
            plan->cycles = transforms + predict_products(plan);
            fits |= keep_cheapest(plan, cap, best);
            if (panels >= plan->panels) break;
        }
        if (!fits || tiles >= plan->tiles) return;
    }
}

/* A plan whose axes are cut: every way to fill the lanes. */
static void try_lanes(fal__fft_plan *plan, const costs *c, uint64_t cap, fal__fft_plan *best)
{
    for (int kind = 0; kind < FAL__FFT_LANES; kind++) {
        plan->lanes = (fal__fft_lanes)kind;
        if ((plan->problem.ic > 1 && plan->lanes != FAL__FFT_DENSE) || !set_shape(plan)) continue;
        if (plan->lanes == FAL__FFT_DENSE) {
            try_dense(plan, c, cap, best);
        } else {
            plan->cycles = predict_elementwise(plan, c);
            keep_cheapest(plan, cap, best);
        }
    }
}

static bool plan_shape(fal__fft_plan *plan, const fal__problem *problem, const fal__machine *machine)
{
    memset(plan, 0, sizeof *plan);
    plan->problem = *problem;
    plan->compute = machine->kernels->compute[problem->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
    plan->kernels = plan->compute->fft;
    return order_axes(&plan->problem);
}

bool fal__fft_plan_for(fal__fft_plan *plan, const fal__problem *problem, const fal__machine *machine)
{
    fal__fft_plan best = {.cycles = 0};
    fal__fft_line lines[SIZES];
    double cycles[SIZES];
    if (!plan_shape(plan, problem, machine)) return false;
    const fal__problem *p = &plan->problem;
    const bool by_lines = p->axis[1].k == 1;
    for (int i = 0; i < SIZES; i++) cycles[i] = -1;
    for (int j = 0; j < (by_lines ? SIZES : SIZES_OF_TWO); j++) {
        if (!cut_axis(&plan->columns, &p->axis[2], p->mode, sizes[j])) continue;
        for (int i = 0; i < (by_lines ? 1 : SIZES_OF_TWO); i++) {
            const int64_t n = by_lines ? 1 : sizes[i];
            const bool long_sides = n > 2 * sizes[j] || sizes[j] > 2 * n;
            if (!cut_axis(&plan->rows, &p->axis[1], p->mode, n)) continue;
            if (!by_lines && long_sides && plan->rows.per_phase > 1 && plan->columns.per_phase > 1) continue;
            if (cycles[j] < 0) cycles[j] = fal__fft_factor(plan->kernels, sizes[j], &lines[j]);
            if (!by_lines && cycles[i] < 0) cycles[i] = fal__fft_factor(plan->kernels, n, &lines[i]);
            plan->columns.line = lines[j];
            if (!by_lines) plan->rows.line = lines[i];
            const costs c = {.line = cycles[j], .column = by_lines ? 0 : cycles[i]};
            try_lanes(plan, &c, machine->workspace_cap, &best);
            if (plan->rows.per_phase == 1) break; /* longer ones gain nothing */
        }
        if (plan->columns.per_phase == 1) break;
    }
    *plan = best;
    return best.cycles > 0;
}

void fal__fft_share(fal__fft_plan *plan, int32_t threads)
{
    if (plan->lanes != FAL__FFT_DENSE) {
        plan->units = plan->blocks * (fal__fft_by_lines(plan) ? fal__ceil_div(plan->tiles, 2) : plan->tiles);
        return;
    }
    plan->units = plan->blocks * plan->tile_blocks;
    plan->splits = fal__min(plan->chunks, fal__ceil_div(threads, plan->units));
    plan->split_chunks = fal__ceil_div(plan->chunks, plan->splits);
    plan->splits = fal__ceil_div(plan->chunks, plan->split_chunks);
    plan->units *= plan->splits;
}

static bool refuse(char *why, size_t capacity, const char *reason)
{
    snprintf(why, capacity, "%s", reason);
    return false;
}

bool fal__fft_applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    fal__fft_plan plan;
    if (p->accuracy == FAL_ACCURACY_STRICT)
        return refuse(why, capacity, "strict accuracy needs a direct sum");
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        return refuse(why, capacity, "needs f32 or f64 throughout");
    if (p->ic == 0 || p->n * p->groups * p->oc * p->axis[0].out * p->axis[1].out * p->axis[2].out == 0)
        return refuse(why, capacity, "no products");
    if (!plan_shape(&plan, p, machine))
        return refuse(why, capacity, "needs stride 1 and taps along one or two axes");
    const int64_t taps = plan.problem.axis[1].k * plan.problem.axis[2].k;
    if (taps < TAPS_FEW) {
        snprintf(why, capacity, "%" PRId64 " taps are too few", taps);
        return false;
    }
    const int last = plan.problem.axis[1].k == 1 ? SIZES - 1 : SIZES_OF_TWO - 1;
    for (int a = 1; a < FAL_MAX_SPATIAL; a++) {
        if (plan.problem.axis[a].k <= sizes[last] / 2) continue;
        snprintf(why, capacity, "kernel of %" PRId64 " taps, serves up to %d", plan.problem.axis[a].k,
                 sizes[last] / 2);
        return false;
    }
    return true;
}
