/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shifted_rows: few outputs per group, each row a sum of shifted rows of the input.
 *
 *     y[oh, :] = bias + sum over ic, td, th, tw of  w * x[ic, oh*s + th*d - p, tw*d - p + s*(:)]
 *
 * Nothing of the input is packed: the lanes are neighbouring pixels where they lie, and a list of offsets
 * with their weights says which rows to add (parts/row_lists.h). Up to four output channels share
 * what is loaded.
 *
 * Cost: a load and a multiply-add per product and vector. Wins for depthwise layers and for few
 * output channels in planes; loses where many output channels could share what is loaded, and where
 * pixels are not neighbours in memory.
 * Numerics: one sum per output in the order of parts/reduction.h; padding contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/row_lists.h"
#include "threads/parallel.h"

enum { W = FAL_MAX_SPATIAL - 1 };

typedef struct shifted_rows {
    const fal__compute *compute;
    fal__reduction reduction;
    int32_t outputs; /* computed together */
    int64_t chunks;  /* of the output channels of a group */
    int32_t tasks;
    fal__row_lists_plan lists;
    size_t weights, bytes; /* scratch of a task */
} shifted_rows;

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    (void)machine;
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype)
        snprintf(why, capacity, "needs f32 or f64 throughout");
    else
        return fal__row_lists_apply(p, why, capacity);
    return false;
}

static int32_t outputs_together(const fal__problem *p)
{
    return p->oc >= FAL__ROWS_MAX ? FAL__ROWS_MAX : (int32_t)p->oc;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Measured: a vector of products takes a cycle beside its load of x, and more when the rows under all taps do
 * not stay in the first cache; outputs that are not neighbours are stored one by one. */
static double estimate(const fal__problem *p, const fal__machine *machine)
{
    enum { CACHE = 32 * 1024 };
    const fal__compute *compute = compute_for(p, machine);
    const fal__problem_axis *row = &p->axis[W];
    const int32_t outputs = outputs_together(p);
    const double rows = (double)p->n * (double)p->groups * (double)p->axis[0].out * (double)p->axis[1].out;
    const double taps = (double)(p->ic * p->axis[0].k * p->axis[1].k * p->axis[2].k);
    const int64_t step = row->out > 1 ? row->s * row->xs : 1;
    const double reads = (double)(p->ic * p->axis[0].k * p->axis[1].k) * (double)row->in * 4;
    const double load = (step == 1   ? 0.75
                         : step == 2 ? 2.5
                                     : 0.55 * compute->lanes) +
                        (reads > CACHE ? 1.5 : 0);
    const double store = row->ys == 1 ? 0 : 4.0 * (double)row->out * outputs;
    const double segments = (double)fal__row_segments(p);
    const double vectors = (double)fal__ceil_div(row->out, compute->lanes) + segments - 1;
    const double chunks = (double)fal__ceil_div(p->oc, outputs);
    /* Per chunk of a group, its weights are gathered for the inner and the border rows. */
    const double gather = (double)p->groups * chunks * 3 * segments * taps * (2 + outputs);
    return rows * chunks * (60 + 25 * segments + vectors * taps * (load + outputs) + store) + gather;
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    shifted_rows *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->outputs = outputs_together(p);
    s->chunks = fal__ceil_div(p->oc, s->outputs);
    const size_t element = s->compute->panel_bytes;
    if (!fal__row_lists_book(p, &s->reduction, &s->lists, &s->bytes) ||
        !fal__book(&s->bytes, s->lists.slots * s->lists.entries * s->outputs + s->outputs, element,
                   &s->weights))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    s->tasks =
        fal__task_count(machine, p->n * p->groups * s->chunks * p->axis[0].out * p->axis[1].out, s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes, error);
    needs->packed = (size_t)(p->groups * p->oc * s->reduction.steps) * element;
    needs->workspace = needs->workspace_packed = (size_t)s->tasks * s->bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s rows of %d %s", s->compute->name, s->outputs,
             machine->kernels->level);
    return FAL_OK;
}

/* Packed weights: the reduction steps of each output channel of each group. */
static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const shifted_rows *s = state;
    const size_t element = s->compute->panel_bytes;
    char *to = packed;
    for (int64_t g = 0; g < p->groups; g++)
        for (int64_t oc = 0; oc < p->oc; oc++)
            for (int64_t k = 0; k < s->reduction.steps; k++, to += element) {
                const int64_t at = g * p->w_g + oc * p->w_oc + fal__weight_offset(p, &s->reduction, k);
                memcpy(to, (const char *)w + at * (int64_t)element, element);
            }
}

/* A task on its way through its rows. */
typedef struct walk {
    const fal__problem *p;
    const shifted_rows *s;
    const fal__run *run;
    fal__row_lists lists;
    char *weights, *bias;             /* gathered for the lists, slot by slot; bias behind all weights */
    int64_t gathered[FAL__ROW_SLOTS]; /* the group and chunk a slot's weights belong to; -1: none */
    int64_t g, chunk;                 /* of the row at hand */
    int32_t outputs;                  /* of the chunk */
} walk;

static char *slot_weights(const walk *w, int32_t slot)
{
    return w->weights + (size_t)(slot * w->s->lists.entries * w->s->outputs) * w->s->compute->panel_bytes;
}

/* One element from here to there, as the plain move that it is. */
static inline void move(char *to, const char *from, size_t element)
{
    if (element == sizeof(float))
        memcpy(to, from, sizeof(float));
    else
        memcpy(to, from, sizeof(double));
}

/* The weights of a slot's lists, in their order, outputs side by side; and the bias of the chunk. */
static void gather_weights(walk *w, int32_t slot)
{
    const fal__problem *p = w->p;
    const fal__row_list *list = &w->lists.slot[slot];
    const int64_t steps = w->s->reduction.steps, first = w->chunk * w->s->outputs;
    const size_t element = w->s->compute->panel_bytes;
    const bool packed = w->run->packed != NULL;
    const char *from = packed
                           ? (const char *)w->run->packed + (size_t)((w->g * p->oc + first) * steps) * element
                           : (const char *)w->run->w + (w->g * p->w_g + first * p->w_oc) * (int64_t)element;
    const int64_t next = (packed ? steps : p->w_oc) * (int64_t)element;
    for (int64_t i = 0; i < list->count; i++) {
        char *to = slot_weights(w, slot) + (size_t)(i * steps * w->s->outputs) * element;
        for (int64_t t = 0; t < list->segments[i].taps; t++) {
            const int64_t k = list->steps[i * steps + t];
            const char *at = from + (packed ? k : w->lists.table[k].w) * (int64_t)element;
            for (int32_t r = 0; r < w->outputs; r++, to += element, at += next) move(to, at, element);
        }
    }
    for (int32_t r = 0; r < w->outputs && p->has_bias; r++) {
        const int64_t at = w->g * p->b_g + (first + r) * p->b_oc;
        move(w->bias + (size_t)r * element, (const char *)w->run->bias + at * (int64_t)element, element);
    }
}

/* Row (od, oh) of image n for the group and chunk of the walk, by the lists of a slot. */
static void run_row(const walk *w, int32_t slot, int64_t n, int64_t od, int64_t oh)
{
    const fal__problem *p = w->p;
    const shifted_rows *s = w->s;
    const fal__row_list *list = &w->lists.slot[slot];
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const int64_t x = p->x_base + w->g * p->x_g + n * p->x_n + od * p->axis[0].s * p->axis[0].xs +
                      oh * p->axis[1].s * p->axis[1].xs;
    const int64_t y = p->y_base + w->g * p->y_g + n * p->y_n + od * p->axis[0].ys + oh * p->axis[1].ys;
    for (int64_t i = 0; i < list->count; i++) {
        const fal__row_segment *segment = &list->segments[i];
        const int64_t from = x + segment->first * p->axis[W].s * p->axis[W].xs;
        fal__rows rows = {.taps = segment->taps,
                          .count = segment->end - segment->first,
                          .step = p->axis[W].s * p->axis[W].xs,
                          .y_step = p->axis[W].ys,
                          .outputs = w->outputs,
                          .x = (const char *)w->run->x + from * element,
                          .offsets = list->offsets + i * s->reduction.steps,
                          .w = slot_weights(w, slot) + i * s->reduction.steps * s->outputs * element,
                          .bias = p->has_bias ? w->bias : NULL,
                          .beta = p->beta,
                          .activation = p->activation.kind != FAL_ACTIVATION_NONE ? &p->activation : NULL};
        for (int32_t r = 0; r < w->outputs; r++) {
            const int64_t at = y + (w->chunk * s->outputs + r) * p->y_oc + segment->first * p->axis[W].ys;
            rows.y[r] = (char *)w->run->y + at * element;
        }
        s->compute->rows(&rows);
    }
}

/* A row: rows fastest, then planes, images, channel chunks, groups. */
typedef struct place {
    int64_t g, chunk, n, od, oh;
} place;

static place place_of(const fal__problem *p, const shifted_rows *s, int64_t unit)
{
    place at;
    at.oh = unit % p->axis[1].out, unit /= p->axis[1].out;
    at.od = unit % p->axis[0].out, unit /= p->axis[0].out;
    at.n = unit % p->n, unit /= p->n;
    at.chunk = unit % s->chunks, at.g = unit / s->chunks;
    return at;
}

/* The next row, without dividing. */
static void advance(const fal__problem *p, const shifted_rows *s, place *at)
{
    if (++at->oh < p->axis[1].out) return;
    at->oh = 0;
    if (++at->od < p->axis[0].out) return;
    at->od = 0;
    if (++at->n < p->n) return;
    at->n = 0;
    if (++at->chunk < s->chunks) return;
    at->chunk = 0;
    at->g++;
}

static void run_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const fal__problem *p = run->problem;
    const shifted_rows *s = run->state;
    char *scratch = (char *)run->workspace + (size_t)index * s->bytes;
    walk w = {.p = p, .s = s, .run = run, .weights = scratch + s->weights};
    w.bias = slot_weights(&w, s->lists.slots);
    for (int32_t i = 0; i < FAL__ROW_SLOTS; i++) w.gathered[i] = -1;
    fal__row_lists_begin(p, &s->reduction, &s->lists, scratch, &w.lists);
    int64_t unit, end;
    fal__partition(p->groups * s->chunks * p->n * p->axis[0].out * p->axis[1].out, s->tasks, index, &unit,
                   &end);
    place at = place_of(p, s, unit);
    for (; unit < end; unit++, advance(p, s, &at)) {
        bool made;
        w.g = at.g, w.chunk = at.chunk;
        w.outputs = (int32_t)fal__min(s->outputs, p->oc - at.chunk * s->outputs);
        const int32_t slot = fal__row_lists_find(p, &s->reduction, at.od, at.oh, &w.lists, &made);
        const int64_t owner = at.g * s->chunks + at.chunk;
        if (made || w.gathered[slot] != owner) gather_weights(&w, slot);
        w.gathered[slot] = owner;
        run_row(&w, slot, at.n, at.od, at.oh);
    }
}

static bool run(const fal__run *run)
{
    const shifted_rows *s = run->state;
    fal__run shared = *run;
    fal__parallel(run->executor, s->tasks, run_task, &shared);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const shifted_rows *s = state;
    const int length = snprintf(
        text, capacity,
        "%s, %d output(s) together, %" PRId64 " taps, a row in %" PRId64 " stretch(es) at most, %d task(s)",
        s->compute->name, s->outputs, s->reduction.steps, s->lists.segments, s->tasks);
    (void)p;
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_shifted_rows = {
    .name = "shifted-rows",
    .version = 1,
    .state_bytes = sizeof(shifted_rows),
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
