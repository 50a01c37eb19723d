/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * winograd.grad: weight gradients of small kernels with fewer multiplications, F(3,4) and, for kernels of 2,
 * 4 and 5 taps, F(2,5), F(4,3) and F(5,2).
 *
 *     gw[ic][oc][t] = sum over images n and positions o of  x[n, ic, o + t - p] * gy[n, oc, o]
 *
 * Cut into tiles of r x r positions, a tile of gy is a kernel of r x r taps that meets (r+m-1)^2 cells of x,
 * and the m x m outputs are the gradient. Winograd's correlation F(m,r) takes (r+m-1)^2 products for each
 * pair of channels instead of m^2*r^2: 36 instead of 144 for kernels of 3 x 3. Sums over tiles are formed
 * before the transform back, which is paid once (the identity is in kernels/winograd.h, with gy in the place
 * of the weights). The points are those of F(4,3), derived in kernels/generic/winograd_lines.tmpl.h.
 *
 * Cost: 36 products per tile and pair of channels, the transforms of x for each share of output channels and
 * of gy for each share of input channels. Wins nearly everywhere, most on many channels; least where maps do
 * not fill their tiles (7 x 7: 64 cells of gy for 49).
 * Numerics: not one sum, so not for strict accuracy. Sums run over block_tiles tiles and then over blocks,
 * which keeps the error below that of one direct sum for large batches. A NaN or infinity reaches every tap
 * of its pairs of channels. Bits are the problem's: neither shares nor threads change an order.
 *
 * parts/winograd_grad_run.c holds the loops, parts/winograd_patch.c the edges of images.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/winograd_grad.h"
#include "threads/parallel.h"

enum {
    POINTS = 6,
    LEAST_PAIRS = 128, /* of channels; with fewer there is little to win, and a direct sum is more exact */
    BLOCK_TILES = 32,  /* of a block: each visit to the sums adds so many products */
    SEGMENTS = 4,      /* where the outputs alone would not keep that many threads busy */
    SEGMENT_OUTPUTS = 1 << 12, /* pairs of channels that are work enough for one */
    SLICE_BYTES = 20 << 10,
    SCRATCH_BYTES = 4 << 20 /* of a task at most */
};

static const fal__winograd_transform *transform_for(const fal__machine *machine, int64_t m)
{
    const fal__winograd *kernels = machine->kernels->compute[FAL__F32]->winograd;
    for (int32_t i = 0; i < kernels->transform_count; i++)
        if (kernels->transforms[i].points == POINTS && kernels->transforms[i].m == m)
            return &kernels->transforms[i];
    return NULL;
}

static fal__tiling tiling_of(int64_t cells, int64_t side)
{
    const int64_t count = fal__ceil_div(cells, side);
    return (fal__tiling){.m = side, .points = POINTS, .dilation = 1, .per_phase = count, .count = count};
}

/* The convolution whose gradient p is: batch and channels, outputs and taps have changed places. */
static fal__problem convolution_of(const fal__problem *p)
{
    fal__problem conv = *p;
    conv.n = p->ic, conv.ic = p->n;
    conv.x_n = p->x_ic, conv.x_ic = p->x_n;
    conv.y_n = p->w_ic, conv.y_oc = p->w_oc, conv.y_g = p->w_g, conv.y_base = p->w_base;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        fal__problem_axis *axis = &conv.axis[a];
        axis->out = p->axis[a].k, axis->k = p->axis[a].out;
        axis->s = p->axis[a].d, axis->d = p->axis[a].s;
        axis->ys = p->axis[a].ws;
    }
    return conv;
}

/* What the problem alone decides; false when a count overflows. */
static bool plan_shape(fal__winograd_grad *g, const fal__problem *p, const fal__machine *machine)
{
    memset(g, 0, sizeof *g);
    fal__winograd_plan *conv = &g->conv;
    g->gradient = *p;
    g->m = p->axis[2].out;
    conv->problem = convolution_of(p);
    conv->kernels = machine->kernels->compute[FAL__F32]->winograd;
    conv->transform = transform_for(machine, g->m);
    conv->dims = FAL__ROWS_AND_COLUMNS;
    conv->products = POINTS * POINTS;
    conv->rows = tiling_of(p->axis[1].k, conv->transform->taps);
    conv->columns = tiling_of(p->axis[2].k, conv->transform->taps);
    conv->width = (int64_t)FAL__WINOGRAD_VECTORS * conv->kernels->lanes;
    conv->panels = fal__ceil_div(p->oc, conv->width);
    g->vectors = fal__ceil_div(p->oc, conv->kernels->lanes);
    int64_t outputs;
    if (!fal__mul(p->ic * p->axis[0].k, conv->rows.count, &conv->tiles) ||
        !fal__mul(conv->tiles, conv->columns.count, &conv->tiles) ||
        !fal__mul(p->n * p->groups, p->oc, &outputs) || !fal__mul(outputs, p->axis[0].out, &outputs))
        return false;
    const int64_t wanted =
        fal__min(SEGMENTS / fal__ceil_div(outputs, SEGMENT_OUTPUTS), conv->tiles / (2 * BLOCK_TILES));
    g->segment_tiles = fal__ceil_div(conv->tiles, fal__max(1, wanted));
    g->segments = fal__ceil_div(conv->tiles, g->segment_tiles);
    g->block_tiles = fal__ceil_div(g->segment_tiles, fal__ceil_div(g->segment_tiles, BLOCK_TILES));
    return true;
}

/* An odd number of cache lines, so that the products' slices fall into different sets of a cache. */
static int64_t odd_lines(int64_t elements)
{
    const int64_t line = 64 / (int64_t)sizeof(float);
    return (fal__ceil_div(elements, line) | 1) * line;
}

/* Cuts the outputs into shares of at most `rows` input channels and `panels` panels of output channels. */
static bool cut(fal__winograd_grad *g, int64_t rows, int64_t panels)
{
    fal__winograd_plan *conv = &g->conv;
    const fal__problem *p = &g->gradient;
    const int64_t lanes = conv->kernels->lanes, taps = g->m * g->m;
    g->row_shares = fal__ceil_div(p->n, rows);
    g->share_rows = fal__ceil_div(fal__ceil_div(p->n, g->row_shares), lanes) * lanes;
    g->row_shares = fal__ceil_div(p->n, g->share_rows);
    g->panel_shares = fal__ceil_div(conv->panels, panels);
    g->share_panels = fal__ceil_div(conv->panels, g->panel_shares);
    g->panel_shares = fal__ceil_div(conv->panels, g->share_panels);
    conv->v_tile = g->share_rows;
    conv->v_step = odd_lines(g->block_tiles * g->share_rows);
    g->u_step = odd_lines(g->block_tiles * g->share_panels * conv->width);
    g->sums_step = odd_lines(g->share_rows * g->share_panels * conv->width);
    g->patch_cells = fal__max(POINTS * fal__patch_row(conv), FAL__GRAD_CHANNELS * taps * lanes) + 4 * lanes;
    g->bytes = 0;
    int64_t vectors, cells;
    if (!fal__book(&g->bytes, conv->products * conv->v_step, sizeof(float), &g->v) ||
        !fal__book(&g->bytes, conv->products * g->u_step, sizeof(float), &g->u) ||
        !fal__book(&g->bytes, conv->products * g->sums_step, sizeof(float), &g->sums) ||
        !fal__book(&g->bytes, g->patch_cells, sizeof(float), &g->patch) ||
        !fal__mul(g->segments * p->groups * p->axis[0].out, g->row_shares * g->panel_shares, &g->units) ||
        !fal__mul(g->segments * p->groups * p->axis[0].out, g->vectors, &vectors))
        return false;
    /* A part is turned by fours, so a few cells behind it are read. */
    g->part_step = (p->n * taps + 4) * lanes;
    if (g->segments == 1) return true;
    if (!fal__mul(vectors, g->part_step, &cells) || !fal__mul(cells, sizeof(float), &cells)) return false;
    g->parts_bytes = (size_t)fal__ceil_div(cells, 64) * 64;
    return true;
}

/* Cycles of one execution as it is cut; the constants are those of winograd_plan.c where work is the same. */
static double predict(const fal__winograd_grad *g)
{
    const fal__winograd_plan *conv = &g->conv;
    const fal__problem *p = &g->gradient;
    const double lanes = conv->kernels->lanes, products = (double)conv->products;
    const double tiles = (double)conv->tiles, rows = (double)p->n, panels = (double)conv->panels;
    const double x_vectors = (double)fal__ceil_div(p->n, conv->kernels->lanes);
    const double visits = (double)fal__ceil_div(conv->tiles, g->block_tiles);
    const double row_panels =
        (double)g->row_shares * (double)fal__ceil_div(g->share_rows, conv->kernels->rows);
    /* A product's slice of V is read again for each panel of output channels: from L1, if it fits. */
    const bool near = (size_t)(g->block_tiles * g->share_rows) * sizeof(float) <= SLICE_BYTES;
    const double multiply = (near ? 1.0 : 1.3) * products * panels *
                            (tiles * (rows + 0.6 * row_panels) + 30 * visits * row_panels);
    const double x_times = g->block_tiles == g->segment_tiles ? 1 : (double)g->panel_shares;
    const double x = x_times * x_vectors * (8 * products + 40) * (p->x_n == 1 ? 1.0 : 1.5);
    const double gy =
        (double)g->row_shares * (double)g->vectors * (7 * products + 40) * (p->w_oc == 1 ? 1.0 : 1.5);
    const double back = (double)g->segments * rows * (double)g->vectors *
                        (6 * products + 60 + 0.8 * lanes * (double)(g->m * g->m));
    const double sums = 4 * products * rows * panels * (double)conv->width; /* bytes */
    const double rereads = g->bytes > (3u << 19) && visits > 1 ? visits * 2 * sums / 60 : 0;
    const double moved = (double)(p->n * p->ic * p->axis[0].in) * (double)(p->axis[1].in * p->axis[2].in) +
                         (double)(p->oc * p->ic * p->axis[0].k) * (double)(p->axis[1].k * p->axis[2].k) +
                         (double)(p->n * p->oc * p->axis[0].out) * (double)(g->m * g->m);
    return (double)p->groups * ((double)p->axis[0].out * (multiply + tiles * (x + gy) + back + rereads) +
                                0.5 * (double)sizeof(float) * moved / 3.7);
}

/* The shares that cost least, of those that `cap` allows and that are `units` at least where they can be. */
static bool choose_shares(fal__winograd_grad *g, uint64_t cap, int64_t units, double *cycles)
{
    const fal__problem *p = &g->gradient;
    int64_t best_rows = 0, best_panels = 0;
    bool enough = false;
    for (int64_t rows = p->n;; rows = fal__ceil_div(rows, 2)) {
        for (int64_t panels = g->conv.panels;; panels = fal__ceil_div(panels, 2)) {
            if (!cut(g, rows, panels)) return false;
            const bool fits = g->bytes <= SCRATCH_BYTES && g->bytes + g->parts_bytes <= cap;
            const double cost = predict(g);
            const bool serves = g->units >= units;
            if (fits && (best_rows == 0 || serves > enough || (serves == enough && cost < *cycles))) {
                best_rows = rows, best_panels = panels;
                enough = serves;
                *cycles = cost;
            }
            if (panels == 1) break;
        }
        if (rows <= g->conv.kernels->lanes) break;
    }
    return best_rows > 0 && cut(g, best_rows, best_panels);
}

/* Is there memory for one task with the smallest shares? */
static bool allowed(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    fal__winograd_grad g;
    if (!plan_shape(&g, p, machine) || !cut(&g, g.conv.kernels->lanes, 1)) {
        snprintf(why, capacity, "the workspace overflows 64 bits");
        return false;
    }
    const size_t least = g.bytes + g.parts_bytes;
    if (least <= machine->workspace_cap) return true;
    snprintf(why, capacity, "%zu bytes of workspace are needed, the cap is %" PRIu64, least,
             machine->workspace_cap);
    return false;
}

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    const fal__problem_axis *rows = &p->axis[1], *columns = &p->axis[2];
    if (p->dtype != FAL_F32 || p->y_dtype != FAL_F32)
        snprintf(why, capacity, "only f32");
    else if (p->y_role != FAL__ROLE_W)
        snprintf(why, capacity, "serves weight gradients alone");
    else if (p->accuracy == FAL_ACCURACY_STRICT)
        snprintf(why, capacity, "strict accuracy needs a direct sum");
    else if (rows->s != 1 || columns->s != 1 || rows->d != 1 || columns->d != 1)
        snprintf(why, capacity, "needs stride and dilation 1");
    else if (rows->out != columns->out || transform_for(machine, rows->out) == NULL)
        snprintf(why, capacity, "kernel %" PRId64 "x%" PRId64 ", needs 2x2 to 5x5", rows->out, columns->out);
    else if (p->n * p->oc < LEAST_PAIRS)
        snprintf(why, capacity, "%" PRId64 " pairs of channels in a group, needs %d", p->n * p->oc,
                 LEAST_PAIRS);
    else if (p->groups * p->axis[0].out == 0 || p->ic * p->axis[0].k * rows->k * columns->k == 0)
        snprintf(why, capacity, "no products");
    else
        return allowed(p, machine, why, capacity);
    return false;
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    fal__winograd_grad g;
    double cycles = 0;
    if (!plan_shape(&g, p, machine) || !choose_shares(&g, machine->workspace_cap, 1, &cycles)) return 1e300;
    return cycles;
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    fal__winograd_grad *g = state;
    double cycles;
    if (!plan_shape(g, p, machine) || !choose_shares(g, machine->workspace_cap, machine->threads, &cycles))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    const fal__machine rest = {.threads = machine->threads,
                               .workspace_cap = machine->workspace_cap - g->parts_bytes};
    g->tasks = fal__task_count(&rest, g->units, g->bytes);
    needs->packed = 0;
    needs->workspace = needs->workspace_packed = g->parts_bytes + (size_t)g->tasks * g->bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "f32 F(%d,%d) %s", g->conv.transform->m,
             g->conv.transform->taps, machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    (void)p, (void)state, (void)w, (void)packed; /* nothing is worth packing ahead: every gy is new */
}

static void unit_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const fal__winograd_grad *g = run->state;
    char *scratch = (char *)run->workspace + g->parts_bytes + (size_t)index * g->bytes;
    int64_t first, end;
    fal__partition(g->units, g->tasks, index, &first, &end);
    fal__winograd_grad_units(g, run, scratch, run->workspace, first, end);
}

static void add_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const fal__winograd_grad *g = run->state;
    int64_t first, end;
    fal__partition(g->vectors * g->gradient.groups * g->gradient.axis[0].out, g->tasks, index, &first, &end);
    fal__winograd_grad_add(g, run, run->workspace, first, end);
}

static bool run(const fal__run *run)
{
    const fal__winograd_grad *g = run->state;
    fal__run shared = *run;
    fal__parallel(run->executor, g->tasks, unit_task, &shared);
    if (g->segments > 1) fal__parallel(run->executor, g->tasks, add_task, &shared);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    (void)p;
    const fal__winograd_grad *g = state;
    const int length =
        snprintf(text, capacity,
                 "F(%d,%d), %" PRId64 " tile(s) in %" PRId64 " segment(s) and blocks of %" PRId64
                 ", shares of %" PRId64 " input and %" PRId64 " output channels, %d task(s)",
                 g->conv.transform->m, g->conv.transform->taps, g->conv.tiles, g->segments, g->block_tiles,
                 g->share_rows, fal__min(g->gradient.oc, g->share_panels * g->conv.width), g->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_winograd_grad = {
    .name = "winograd.grad",
    .version = 1,
    .state_bytes = sizeof(fal__winograd_grad),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
