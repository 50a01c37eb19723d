/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shifted_rows: few outputs per group, each row a sum of shifted rows of the input.
 *
 *     y[oh, :] = bias + sum over ic, td, th, tw of  w * x[ic, oh*s + th*d - p, tw*d - p + s*(:)]
 *
 * Nothing is packed: the lanes are neighbouring pixels where they lie, and a list of (offset, weight)
 * pairs says which rows to add. The list holds only taps that exist, so no product falls on
 * padding; towards the ends of a row taps drop out one by one, and the row is cut where they do:
 *
 *     k = 3, begin 1      | taps 1 2 | taps 0 1 2 ............ | taps 0 1 |
 *
 * Lists are kept from row to row until the set of rows under the kernel changes. A border mode that
 * copies cells has them in the lists too, one list per border column.
 *
 * Cost: a load and a multiply-add per product and vector. Wins for depthwise layers and for few
 * output channels in planes; loses where output channels could share what is loaded.
 * Numerics: one sum per output in the order of parts/reduction.h; padding contributes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/reduction.h"
#include "threads/parallel.h"

enum { W = FAL_MAX_SPATIAL - 1, ENTRIES_MAX = 1 << 18 /* list entries of a task: 4 MiB at most */ };

typedef struct shifted_rows {
    const fal__compute *compute;
    fal__reduction reduction;
    int64_t segments; /* at most, of a row */
    int32_t outputs;  /* computed together */
    int64_t chunks;   /* of the output channels of a group */
    int32_t tasks;
    size_t lists, offsets, weights, biases, bytes; /* scratch of a task */
} shifted_rows;

/* A stretch of a row whose outputs have the same taps. */
typedef struct segment {
    int64_t first, end, taps;
} segment;

/* The lists of the row at hand. */
typedef struct lists {
    segment *segments;
    int64_t count;
    int64_t *offsets; /* taps per segment */
    char *weights;    /* taps * outputs per segment */
    char *biases;     /* outputs per segment */
} lists;

static bool copies_cells(const fal__problem *p)
{
    return p->mode != FAL_PAD_ZEROS;
}

/* Outputs first..end-1 of an axis read inside the input with tap t. */
static void tap_range(const fal__problem_axis *axis, int64_t t, int64_t *first, int64_t *end)
{
    const int64_t at = t * axis->d - axis->begin;
    *first = at >= 0 ? 0 : fal__min(axis->out, fal__ceil_div(-at, axis->s));
    *end = at >= axis->in ? 0 : fal__min(axis->out, (axis->in - 1 - at) / axis->s + 1);
    if (*end < *first) *end = *first;
}

/* Outputs first..end-1 of an axis read inside the input with every tap. */
static void interior(const fal__problem_axis *axis, int64_t *first, int64_t *end)
{
    int64_t a, b, c, d;
    tap_range(axis, 0, &a, &b);
    tap_range(axis, axis->k - 1, &c, &d);
    *first = fal__max(a, c);
    *end = fal__max(*first, fal__min(b, d));
}

/* The end of the segment that begins at column `first`. */
static int64_t segment_end(const fal__problem *p, int64_t first)
{
    const fal__problem_axis *axis = &p->axis[W];
    int64_t from, to, end = axis->out;
    interior(axis, &from, &to);
    if (first >= from && first < to) return to;
    if (copies_cells(p)) return first + 1;
    for (int64_t t = 0; t < axis->k; t++) {
        tap_range(axis, t, &from, &to);
        if (from > first) end = fal__min(end, from);
        if (to > first) end = fal__min(end, to);
    }
    return end;
}

static int64_t count_segments(const fal__problem *p)
{
    int64_t from, to;
    interior(&p->axis[W], &from, &to);
    const int64_t border = p->axis[W].out - (to - from);
    return 1 + (copies_cells(p) ? border : fal__min(border, 2 * p->axis[W].k));
}

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    if ((p->dtype != FAL_F32 && p->dtype != FAL_F64) || p->y_dtype != p->dtype) {
        snprintf(why, capacity, "needs f32 or f64 throughout");
        return false;
    }
    (void)machine;
    if (p->mode == FAL_PAD_CONSTANT) {
        snprintf(why, capacity, "a constant border is no cell that a row could be shifted to");
        return false;
    }
    const int64_t taps = p->axis[0].k * p->axis[1].k * p->axis[2].k, segments = count_segments(p);
    int64_t entries;
    if (!fal__mul(taps, p->ic, &entries) || !fal__mul(entries, segments, &entries) || entries > ENTRIES_MAX) {
        snprintf(why, capacity,
                 "%" PRId64 " x %" PRId64 " taps in %" PRId64 " stretches of a row are too many lists", p->ic,
                 taps, segments);
        return false;
    }
    return true;
}

static int32_t outputs_together(const fal__problem *p)
{
    return p->oc >= FAL__ROWS_MAX ? FAL__ROWS_MAX : (int32_t)p->oc;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const fal__problem_axis *row = &p->axis[W];
    const int32_t outputs = outputs_together(p);
    const double rows = (double)p->n * (double)p->groups * (double)p->axis[0].out * (double)p->axis[1].out;
    const double taps = (double)(p->ic * p->axis[0].k * p->axis[1].k * p->axis[2].k);
    const int64_t step = row->out > 1 ? row->s * row->xs : 1;
    const double load = step == 1 ? 0.6 : step == 2 ? 2 : compute->lanes; /* cycles of one vector */
    const double vectors = (double)fal__ceil_div(row->out, compute->lanes) + (double)(count_segments(p) - 1);
    const double chunks = (double)fal__ceil_div(p->oc, outputs);
    return rows * chunks * (60 + vectors * taps * (load + 0.5 * outputs));
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    shifted_rows *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    fal__reduction_plan(p, s->compute, &s->reduction);
    s->segments = count_segments(p);
    s->outputs = outputs_together(p);
    s->chunks = fal__ceil_div(p->oc, s->outputs);
    const int64_t entries = s->reduction.steps * s->segments;
    const size_t element = s->compute->panel_bytes;
    if (!fal__book(&s->bytes, s->segments, sizeof(segment), &s->lists) ||
        !fal__book(&s->bytes, entries, sizeof(int64_t), &s->offsets) ||
        !fal__book(&s->bytes, entries * s->outputs, element, &s->weights) ||
        !fal__book(&s->bytes, s->segments * s->outputs, element, &s->biases))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    const int64_t units = p->n * p->groups * s->chunks * p->axis[0].out * p->axis[1].out;
    s->tasks = (int32_t)fal__max(1, fal__min(machine->threads, units));
    if ((uint64_t)s->tasks * s->bytes > machine->workspace_cap) s->tasks = 1;
    if (s->bytes > machine->workspace_cap) {
        fal__fail(error, FAL_E_WORKSPACE, "workspace_cap_bytes", "at least %zu bytes of workspace are needed",
                  s->bytes);
        return fal__allowed(error, FAL_E_WORKSPACE, "the cap is %" PRIu64, machine->workspace_cap);
    }
    needs->packed = (size_t)(p->groups * p->oc * s->reduction.steps) * element;
    needs->workspace = needs->workspace_packed = (size_t)s->tasks * s->bytes;
    snprintf(needs->kernel, sizeof needs->kernel, "%s rows of %d %s", s->compute->name, s->outputs,
             machine->kernels->level);
    return FAL_OK;
}

static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const shifted_rows *s = state;
    const size_t element = s->compute->panel_bytes;
    char *to = packed;
    for (int64_t g = 0; g < p->groups; g++)
        for (int64_t oc = 0; oc < p->oc; oc++)
            for (int64_t ic = 0; ic < p->ic; ic++)
                for (int64_t td = 0; td < p->axis[0].k; td++)
                    for (int64_t th = 0; th < p->axis[1].k; th++)
                        for (int64_t tw = 0; tw < p->axis[W].k; tw++, to += element) {
                            const int64_t at = p->w_base + g * p->w_g + oc * p->w_oc + ic * p->w_ic +
                                               td * p->axis[0].ws + th * p->axis[1].ws + tw * p->axis[W].ws;
                            memcpy(to, (const char *)w + at * (int64_t)element, element);
                        }
}

/* The weights of a run, packed or where the caller has them: the same strides either way. */
typedef struct weight_view {
    const char *data;
    int64_t g, oc, ic, t[FAL_MAX_SPATIAL];
} weight_view;

static weight_view view_weights(const fal__problem *p, const fal__run *run, const shifted_rows *s)
{
    if (run->packed != NULL) {
        const int64_t h = p->axis[W].k, d = h * p->axis[1].k;
        return (weight_view){
            run->packed, p->oc * s->reduction.steps, s->reduction.steps, d * p->axis[0].k, {d, h, 1}};
    }
    const char *data = (const char *)run->w + p->w_base * (int64_t)s->compute->panel_bytes;
    return (weight_view){data, p->w_g, p->w_oc, p->w_ic, {p->axis[0].ws, p->axis[1].ws, p->axis[W].ws}};
}

/* A task on its way through its rows. */
typedef struct walk {
    const fal__problem *p;
    const shifted_rows *s;
    const fal__run *run;
    weight_view weights;
    lists lists;
    int64_t g, chunk;  /* of the lists */
    bool lists_inside; /* they were made for a row all of whose taps lie inside */
    int32_t outputs;   /* of the chunk */
} walk;

/* Appends tap t of channel ic to a segment's list, if it reads a cell. */
static void add_tap(walk *w, int64_t number, int64_t ic, const int64_t *o, const int64_t *t)
{
    const fal__problem *p = w->p;
    segment *seg = &w->lists.segments[number];
    const size_t element = w->s->compute->panel_bytes;
    int64_t offset = ic * p->x_ic, at = w->g * w->weights.g + ic * w->weights.ic;
    for (int a = 0; a < FAL_MAX_SPATIAL; a++) {
        const fal__problem_axis *axis = &p->axis[a];
        const int64_t position = o[a] * axis->s + t[a] * axis->d - axis->begin;
        int64_t index = position;
        if (position < 0 || position >= axis->in) index = fal_border_index(p->mode, position, axis->in);
        if (index < 0) return;
        offset += (index - o[a] * axis->s) * axis->xs;
        at += t[a] * w->weights.t[a];
    }
    const int64_t entry = number * w->s->reduction.steps + seg->taps;
    char *weights =
        w->lists.weights +
        (size_t)((number * w->s->reduction.steps) * w->s->outputs + seg->taps * w->outputs) * element;
    for (int32_t r = 0; r < w->outputs; r++) {
        const int64_t oc = w->chunk * w->s->outputs + r;
        const char *from = w->weights.data + (at + oc * w->weights.oc) * (int64_t)element;
        memcpy(weights + (size_t)r * element, from, element);
    }
    w->lists.offsets[entry] = offset;
    seg->taps++;
}

static void begin_segment(walk *w, int64_t number, int64_t first)
{
    const fal__problem *p = w->p;
    const size_t element = w->s->compute->panel_bytes;
    w->lists.segments[number] = (segment){.first = first, .end = segment_end(p, first)};
    char *bias = w->lists.biases + (size_t)(number * w->s->outputs) * element;
    memset(bias, 0, (size_t)w->outputs * element);
    if (!p->has_bias) return;
    for (int32_t r = 0; r < w->outputs; r++) {
        const int64_t oc = w->chunk * w->s->outputs + r;
        memcpy(bias + (size_t)r * element,
               (const char *)w->run->bias + (w->g * p->b_g + oc * p->b_oc) * (int64_t)element, element);
    }
}

/* Makes the lists of row (od, oh). */
static void make_lists(walk *w, int64_t od, int64_t oh)
{
    const fal__problem *p = w->p;
    w->lists.count = 0;
    for (int64_t column = 0; column < p->axis[W].out;) {
        const int64_t number = w->lists.count++;
        const int64_t o[FAL_MAX_SPATIAL] = {od, oh, column};
        begin_segment(w, number, column);
        for (int64_t k = 0; k < w->s->reduction.steps;) {
            const fal__reduction_place place = fal__reduction_at(&w->s->reduction, k);
            int64_t t[FAL_MAX_SPATIAL];
            fal__tap_place(p, place.tap, t);
            for (int64_t i = 0; i < place.length; i++) add_tap(w, number, place.ic + i, o, t);
            k += place.length;
        }
        column = w->lists.segments[number].end;
    }
}

/* Row (od, oh) of image n for the group and chunk of the lists. */
static void run_row(walk *w, int64_t n, int64_t od, int64_t oh)
{
    const fal__problem *p = w->p;
    const shifted_rows *s = w->s;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const int64_t x = p->x_base + w->g * p->x_g + n * p->x_n + od * p->axis[0].s * p->axis[0].xs +
                      oh * p->axis[1].s * p->axis[1].xs;
    const int64_t y = p->y_base + w->g * p->y_g + n * p->y_n + od * p->axis[0].ys + oh * p->axis[1].ys;
    for (int64_t i = 0; i < w->lists.count; i++) {
        const segment *seg = &w->lists.segments[i];
        const int64_t from = x + seg->first * p->axis[W].s * p->axis[W].xs, count = seg->end - seg->first;
        fal__rows rows = {
            .taps = seg->taps,
            .count = count,
            .step = p->axis[W].s * p->axis[W].xs,
            .y_step = p->axis[W].ys,
            .outputs = w->outputs,
            .x = (const char *)w->run->x + from * element,
            .offsets = w->lists.offsets + i * s->reduction.steps,
            .w = w->lists.weights + (size_t)(i * s->reduction.steps * s->outputs) * (size_t)element,
            .bias = p->has_bias ? w->lists.biases + (size_t)(i * s->outputs) * (size_t)element : NULL,
            .beta = p->beta};
        for (int32_t r = 0; r < w->outputs; r++) {
            const int64_t oc = w->chunk * s->outputs + r;
            rows.y[r] = (char *)w->run->y + (y + oc * p->y_oc + seg->first * p->axis[W].ys) * element;
        }
        s->compute->rows(&rows);
    }
}

static bool inside(const fal__problem_axis *axis, int64_t o)
{
    int64_t first, end;
    interior(axis, &first, &end);
    return o >= first && o < end;
}

static void run_task(void *argument, int32_t index)
{
    const fal__run *run = argument;
    const fal__problem *p = run->problem;
    const shifted_rows *s = run->state;
    char *scratch = (char *)run->workspace + (size_t)index * s->bytes;
    walk w = {.p = p, .s = s, .run = run, .weights = view_weights(p, run, s), .g = -1};
    w.lists = (lists){.segments = (segment *)(void *)(scratch + s->lists),
                      .offsets = (int64_t *)(void *)(scratch + s->offsets),
                      .weights = scratch + s->weights,
                      .biases = scratch + s->biases};
    int64_t first, end;
    fal__partition(p->groups * s->chunks * p->n * p->axis[0].out * p->axis[1].out, s->tasks, index, &first,
                   &end);
    for (int64_t unit = first; unit < end; unit++) {
        int64_t rest = unit;
        const int64_t oh = rest % p->axis[1].out, od = (rest /= p->axis[1].out) % p->axis[0].out;
        const int64_t n = (rest /= p->axis[0].out) % p->n, chunk = (rest /= p->n) % s->chunks,
                      g = rest / s->chunks;
        const bool row_inside = inside(&p->axis[0], od) && inside(&p->axis[1], oh);
        if (g != w.g || chunk != w.chunk || !row_inside || !w.lists_inside) {
            w.g = g, w.chunk = chunk, w.lists_inside = row_inside;
            w.outputs = (int32_t)fal__min(s->outputs, p->oc - chunk * s->outputs);
            make_lists(&w, od, oh);
        }
        run_row(&w, n, od, oh);
    }
}

static bool run(const fal__run *run)
{
    const shifted_rows *s = run->state;
    fal__run copy = *run; /* the executor takes a pointer to what the tasks share */
    fal__parallel(run->executor, s->tasks, run_task, &copy);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const shifted_rows *s = state;
    const int length = snprintf(text, capacity,
                                "%s, %d output(s) together, %" PRId64 " taps, a row in %" PRId64
                                " stretch(es) at most, %d task(s)",
                                s->compute->name, s->outputs, s->reduction.steps, s->segments, s->tasks);
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
