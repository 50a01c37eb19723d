/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable_run.c: strips of an image through rows and columns; the picture is in solvers/separable.c.
 *
 * Lines that lie within the image are read where they are, others are copied with their border. The ring
 * keeps the filtered lines by their position, border positions included, so that every border mode is a
 * question of which line stands at a position.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/separable.h"
#include "threads/parallel.h"

enum { D = 0, H = 1, W = 2 };

/* A task on its way through a strip. Rows are of `together` channels. */
typedef struct walk {
    const fal__separable *s;
    const fal__problem *p;
    const fal__separable_kernel *kernel;
    const char *x, *bias; /* of the plane, channel 0 */
    char *y;              /* of the plane, outputs 0 of the strip */
    int64_t together, first, outputs;
    bool outside; /* the plane is padding */
    char *line, *ring, *taps;
    int64_t *offsets, *held; /* the position each place of the ring holds */
} walk;

static const char *term(const walk *k, int64_t r)
{
    const int64_t taps = k->p->axis[H].k + k->p->axis[W].k;
    return (const char *)(k->kernel + 2) + (size_t)(r * taps) * k->s->compute->panel_bytes;
}

/* Copies pixels of a line. */
static void copy_pixels(const walk *k, const char *x, int64_t count, char *to)
{
    const int64_t element = (int64_t)k->s->compute->panel_bytes, step = k->p->axis[W].xs;
    const size_t pixel = (size_t)(k->together * element);
    if (step == k->together)
        memcpy(to, x, (size_t)count * pixel);
    else if (element == sizeof(float))
        for (int64_t i = 0; i < count; i++) memcpy(to + i * element, x + i * step * element, sizeof(float));
    else
        for (int64_t i = 0; i < count; i++) memcpy(to + i * element, x + i * step * element, sizeof(double));
}

/* The cells under the strip's windows of line `line` of the image: where they lie, or copied. */
static const char *cells_of(const walk *k, int64_t line)
{
    const fal__problem_axis *a = &k->p->axis[W];
    const int64_t element = (int64_t)k->s->compute->panel_bytes,
                  cells = fal__separable_reach(k->p, k->outputs);
    const int64_t base = k->first * a->s - a->begin + fal__min(0, (a->k - 1) * a->d);
    const char *x = k->x + line * k->p->axis[H].xs * element;
    if (base >= 0 && base + cells <= a->in && a->xs == k->together) return x + base * a->xs * element;
    const int64_t low = fal__max(0, fal__min(cells, -base)),
                  high = fal__max(low, fal__min(cells, a->in - base));
    const int64_t pixel = k->together * element;
    copy_pixels(k, x + (base + low) * a->xs * element, high - low, k->line + low * pixel);
    for (int64_t cell = 0; cell < cells; cell++) {
        if (cell == low) cell = high;
        if (cell >= cells) break;
        const int64_t from = fal_border_index(k->p->mode, base + cell, a->in);
        if (from < 0)
            memset(k->line + cell * pixel, 0, (size_t)pixel);
        else
            copy_pixels(k, x + from * a->xs * element, 1, k->line + cell * pixel);
    }
    return k->line;
}

/* sum over j of v[j] * cells of a line, for the strip's outputs. */
static fal__rows row_pass(const walk *k, int64_t line, const char *v)
{
    const fal__problem_axis *a = &k->p->axis[W];
    const int64_t start = a->d < 0 ? (1 - a->k) * a->d : 0;
    for (int64_t j = 0; j < a->k; j++) k->offsets[j] = (start + j * a->d) * k->together;
    return (fal__rows){.taps = a->k,
                       .count = k->outputs * k->together,
                       .step = k->together > 1 ? 1 : a->s,
                       .y_step = 1,
                       .outputs = 1,
                       .x = cells_of(k, line),
                       .offsets = k->offsets,
                       .w = v};
}

static int64_t y_step(const walk *k)
{
    return k->together > 1 ? 1 : k->p->axis[W].ys;
}

/* Position of tap i of output row o, and the line of the image there, -1 for zeros. */
static int64_t line_of(const walk *k, int64_t o, int64_t i, int64_t *position)
{
    const fal__problem_axis *a = &k->p->axis[H];
    *position = o * a->s + i * a->d - a->begin;
    return k->outside ? -1 : fal_border_index(k->p->mode, *position, a->in);
}

/* The rows of all terms at a position are in the ring. */
static void hold(const walk *k, int64_t position, int64_t line)
{
    const fal__separable *s = k->s;
    const int64_t place = fal__floor_mod(position, s->window), column = k->p->axis[H].k;
    if (k->held[place] == position) return;
    k->held[place] = position;
    for (int64_t r = 0; r < k->kernel->terms; r++) {
        const char *v = term(k, r) + (size_t)column * s->compute->panel_bytes;
        fal__rows rows = row_pass(k, line, v);
        rows.y[0] = k->ring + (size_t)((r * s->window + place) * s->ring_step) * s->compute->panel_bytes;
        s->compute->rows(&rows);
    }
}

/* Output row o from the ring. */
static void column_pass(const walk *k, int64_t o, char *y)
{
    const fal__separable *s = k->s;
    const int64_t taps = k->p->axis[H].k, terms = k->kernel->terms;
    const size_t element = s->compute->panel_bytes;
    int64_t count = 0, position;
    for (int64_t i = 0; i < taps; i++) {
        const int64_t line = line_of(k, o, i, &position);
        if (line >= 0) hold(k, position, line);
    }
    for (int64_t r = 0; r < terms; r++)
        for (int64_t i = 0; i < taps; i++) {
            if (line_of(k, o, i, &position) < 0) continue;
            memcpy(k->taps + (size_t)count * element, term(k, r) + (size_t)i * element, element);
            k->offsets[count++] = (r * s->window + fal__floor_mod(position, s->window)) * s->ring_step;
        }
    const fal__rows rows = {.taps = count,
                            .count = k->outputs * k->together,
                            .step = 1,
                            .y_step = y_step(k),
                            .outputs = 1,
                            .x = k->ring,
                            .offsets = k->offsets,
                            .w = k->taps,
                            .bias = k->bias,
                            .beta = k->p->beta,
                            .activation = fal__activation_or_null(k->p),
                            .y = {y}};
    s->compute->rows(&rows);
}

/* Output row o of a kernel that is kept row by row: one after the other is added to y. */
static void sum_rows(const walk *k, int64_t o, char *y)
{
    const int64_t taps = k->p->axis[H].k;
    int64_t position;
    fal__rows rows = {.count = k->outputs * k->together, .step = 1, .x = k->ring, .offsets = k->offsets};
    rows.bias = k->bias;
    rows.beta = k->p->beta;
    for (int64_t i = 0; i <= taps; i++) {
        const int64_t line = i < taps ? line_of(k, o, i, &position) : -1;
        if (i < taps && line < 0) continue;
        rows.outputs = 1;
        rows.y_step = y_step(k);
        rows.y[0] = y;
        rows.activation = i == taps ? fal__activation_or_null(k->p) : NULL;
        const fal__rows products = i < taps ? row_pass(k, line, term(k, i)) : (fal__rows){.taps = 0};
        rows.taps = products.taps;
        if (i < taps) {
            rows.step = products.step;
            rows.x = products.x;
            rows.w = products.w;
        }
        k->s->compute->rows(&rows);
        rows.bias = NULL;
        rows.beta = 1;
    }
}

/* Rows first .. end-1 of one plane, strip by strip. */
static void run_rows(walk *k, int64_t first, int64_t end)
{
    const fal__problem *p = k->p;
    const int64_t element = (int64_t)k->s->compute->panel_bytes;
    for (k->first = 0; k->first < p->axis[W].out; k->first += k->s->strip) {
        k->outputs = fal__min(k->s->strip, p->axis[W].out - k->first);
        for (int64_t i = 0; i < k->s->window; i++) k->held[i] = INT64_MIN;
        for (int64_t o = first; o < end; o++) {
            char *y = k->y + (o * p->axis[H].ys + k->first * p->axis[W].ys) * element;
            if (k->kernel->by_rows)
                sum_rows(k, o, y);
            else
                column_pass(k, o, y);
        }
    }
}

void fal__separable_task(void *argument, int32_t index)
{
    const fal__separable_job *j = argument;
    const fal__separable *s = j->run->state;
    const fal__problem *p = j->run->problem;
    const fal__problem_axis *a = p->axis;
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const bool alike = ((const fal__separable_kernel *)(const void *)j->packed)->alike != 0;
    const int64_t groups = alike ? 1 : p->groups;
    char *scratch = j->scratch + (size_t)index * s->bytes;
    int64_t row, end;
    fal__partition(p->n * groups * a[D].out * a[H].out, s->tasks, index, &row, &end);
    while (row < end) {
        const int64_t o = row % a[H].out, plane = row / a[H].out, od = plane % a[D].out;
        const int64_t g = plane / a[D].out % groups, n = plane / a[D].out / groups;
        const int64_t count = fal__min(end - row, a[H].out - o);
        const int64_t depth = fal_border_index(p->mode, od * a[D].s - a[D].begin, a[D].in);
        walk k = {.s = s,
                  .p = p,
                  .kernel = (const fal__separable_kernel *)(const void *)(j->packed + (size_t)g * s->kernel),
                  .x = (const char *)j->run->x +
                       (p->x_base + n * p->x_n + g * p->x_g + fal__max(0, depth) * a[D].xs) * element,
                  .y = (char *)j->run->y + (p->y_base + n * p->y_n + g * p->y_g + od * a[D].ys) * element,
                  .together = alike ? s->together : 1,
                  .outside = depth < 0,
                  .line = scratch + s->line,
                  .ring = scratch + s->ring,
                  .taps = scratch + s->taps,
                  .offsets = (int64_t *)(void *)(scratch + s->offsets),
                  .held = (int64_t *)(void *)(scratch + s->held)};
        if (p->has_bias) k.bias = (const char *)j->run->bias + g * p->b_g * element;
        run_rows(&k, o, o + count);
        row += count;
    }
}
