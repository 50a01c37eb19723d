/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * separable: kernels that are products of a column and a row, as a pass of columns and a pass of rows.
 *
 *     y[o, :] = sum over r, i of  u_r[i] * ( sum over j of v_r[j] * x[o*s + i*d - p, : + j] )
 *
 * Gaussian, binomial, Sobel and box filters have one such term, Laplacians of Gaussians two; k1*k2 products
 * become rank*(k1 + k2) (parts/separable_terms.h finds the terms). A strip of columns goes down the image.
 * Each line of it is filtered once, into a ring of as many places as the column reaches, and stays there for
 * all rows that see it. Images whose channels are neighbours and share their kernel are rows of all channels,
 * with taps as many elements apart.
 *
 *     x  | strip | strip |   line [border cells] [cells] [border cells]  --row-->  ring: L2  --column-->  y
 *
 * Cost: a load and a multiply-add per tap of both passes and vector. Chosen only where the weights are given
 * while planning; weights that come later and have no short sum are computed as one term for each row,
 * correct and slow. Numerics: not the fixed order of a direct sum, so not for strict accuracy; the error is
 * bounded as that of a direct sum, by gamma(k1 + k2 + 12) * sum |x| sum over r of |u_r||v_r|. Whole kernels
 * of rank 1 stay exact. Bits do not depend on threads.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "solvers/parts/booking.h"
#include "solvers/parts/separable.h"
#include "solvers/parts/separable_terms.h"
#include "threads/parallel.h"

enum {
    D = 0,
    H = 1,
    W = 2,
    STRIP_BYTES = 512 << 10, /* of the ring, which L2 should keep */
    STRIP_LEAST = 256
};

static bool applies(const fal__problem *p, const fal__machine *machine, char *why, size_t capacity)
{
    (void)machine;
    if (p->accuracy == FAL_ACCURACY_STRICT)
        snprintf(why, capacity, "strict accuracy needs a direct sum");
    else if (!fal__separable_shape(p))
        snprintf(why, capacity, "needs one kernel per channel, of two axes with 2 to %d taps, in f32 or f64",
                 FAL__SEPARABLE_TAPS);
    else if (p->mode == FAL_PAD_CONSTANT && p->padding_value != 0)
        snprintf(why, capacity, "the border is a constant");
    else if (p->axis[W].out > 1 && p->axis[W].ys <= 0)
        snprintf(why, capacity, "outputs lie backwards in memory");
    else if (p->kernel_rank == 0)
        snprintf(why, capacity, "no weights were given that are products of a column and a row");
    else
        return true;
    return false;
}

static const fal__compute *compute_for(const fal__problem *p, const fal__machine *machine)
{
    return machine->kernels->compute[p->dtype == FAL_F32 ? FAL__F32 : FAL__F64];
}

/* Channels that may be one row: neighbours in x and y, and pixels behind each other. */
static int64_t channels_together(const fal__problem *p)
{
    const fal__problem_axis *a = &p->axis[W];
    const bool dense = p->x_g == 1 && p->y_g == 1 && a->xs == p->groups && a->ys == p->groups;
    return dense && a->s == 1 && !p->has_bias ? p->groups : 1;
}

/* Measured: columns come from L1 or L2, rows cross cache lines with most taps. */
static double estimate(const fal__problem *p, const fal__machine *machine)
{
    const fal__compute *compute = compute_for(p, machine);
    const double lanes = (double)compute->lanes, together = (double)channels_together(p);
    const double rows = (double)(p->n * p->groups * p->axis[D].out * p->axis[H].out);
    const double in = (double)p->axis[W].in, out = (double)p->axis[W].out;
    const bool strided = together == 1 && p->axis[W].xs != 1;
    const double column = (strided ? 0.6 * lanes : 1.0) * (double)p->axis[H].k * in / lanes;
    const double row =
        (together == 1 && p->axis[W].s > 1 ? 0.5 * lanes : 1.3) * (double)p->axis[W].k * out / lanes;
    const double store = together == 1 && p->axis[W].ys != 1 ? 3 * out : out / lanes;
    const double bytes = (in * (double)p->axis[W].s + out) * (double)compute->panel_bytes;
    return rows * ((double)p->kernel_rank * (column + row + store + 20 + 200 / together) + bytes / 3);
}

static fal_status prepare(const fal__problem *p, const fal__machine *machine, void *state, fal__needs *needs,
                          fal_error *error)
{
    fal__separable *s = state;
    memset(s, 0, sizeof *s);
    s->compute = compute_for(p, machine);
    s->together = channels_together(p);
    const int64_t element = (int64_t)s->compute->panel_bytes;
    const int64_t d = p->axis[H].d < 0 ? -p->axis[H].d : p->axis[H].d,
                  most_taps = FAL__RANK_MAX * p->axis[H].k;
    s->window = (p->axis[H].k - 1) * d + 1;
    const int64_t most = fal__max(STRIP_LEAST, STRIP_BYTES / (p->axis[H].k * p->kernel_rank * element));
    s->strip = fal__min(p->axis[W].out, fal__max(1, most / s->together));
    s->ring_step = (fal__ceil_div(s->strip * s->together, 16) | 1) * 16;
    size_t from, packed = 0;
    const int64_t kernel = p->axis[H].k * (p->axis[H].k + p->axis[W].k);
    if (!fal__book(&s->kernel, 2, sizeof(fal__separable_kernel), &from) ||
        !fal__book(&s->kernel, kernel, (size_t)element, &from) ||
        !fal__book(&packed, p->groups, s->kernel, &from) ||
        !fal__book(&s->bytes, fal__separable_reach(p, s->strip) * s->together, (size_t)element, &s->line) ||
        !fal__book(&s->bytes, FAL__RANK_MAX * s->window * s->ring_step, (size_t)element, &s->ring) ||
        !fal__book(&s->bytes, s->window, sizeof(int64_t), &s->held) ||
        !fal__book(&s->bytes, fal__max(most_taps, p->axis[W].k), sizeof(int64_t), &s->offsets) ||
        !fal__book(&s->bytes, most_taps, (size_t)element, &s->taps))
        return fal__fail(error, FAL_E_OVERFLOW, "workspace", "the workspace overflows 64 bits");
    fal__machine rest = *machine;
    rest.workspace_cap -= packed < rest.workspace_cap ? packed : rest.workspace_cap;
    s->tasks = fal__task_count(&rest, p->n * p->groups * p->axis[D].out * p->axis[H].out, s->bytes);
    if (s->tasks == 0) return fal__refuse_cap(machine, s->bytes + packed, error);
    needs->packed = packed;
    needs->workspace_packed = (size_t)s->tasks * s->bytes;
    needs->workspace = needs->workspace_packed + packed;
    snprintf(needs->kernel, sizeof needs->kernel, "%s rank %d %s", s->compute->name, (int)p->kernel_rank,
             machine->kernels->level);
    return FAL_OK;
}

static void put(void *to, int64_t at, double value, size_t element)
{
    if (element == sizeof(float))
        ((float *)to)[at] = (float)value;
    else
        ((double *)to)[at] = value;
}

/* The kernel of group g as it stands. */
static void keep_rows(const fal__problem *p, const fal__separable *s, const void *w, int64_t g, char *terms)
{
    const int64_t element = (int64_t)s->compute->panel_bytes, taps = p->axis[W].k;
    for (int64_t i = 0; i < p->axis[H].k; i++)
        for (int64_t j = 0; j < taps; j++) {
            const int64_t at = p->w_base + g * p->w_g + i * p->axis[H].ws + j * p->axis[W].ws;
            memcpy(terms + (i * (p->axis[H].k + taps) + j) * element, (const char *)w + at * element,
                   (size_t)element);
        }
}

static void pack(const fal__problem *p, const void *state, const void *w, void *packed)
{
    const fal__separable *s = state;
    const size_t element = s->compute->panel_bytes;
    const int64_t k = p->axis[H].k, step = k + p->axis[W].k;
    fal__terms found;
    for (int64_t g = 0; g < p->groups; g++) {
        fal__separable_kernel *kernel =
            (fal__separable_kernel *)(void *)((char *)packed + (size_t)g * s->kernel);
        void *terms = kernel + 2; /* a cache line further */
        const bool alike = g == 0 && s->together > 1 && fal__kernels_alike(p, w);
        *kernel = (fal__separable_kernel){.terms = k, .by_rows = true, .alike = alike};
        if (!fal__terms_find(p, w, g, &found)) {
            keep_rows(p, s, w, g, terms);
            continue;
        }
        kernel->by_rows = false;
        kernel->terms = fal__max(1, found.rank); /* a kernel of zeros has none */
        for (int64_t r = 0; r < kernel->terms; r++) {
            for (int64_t i = 0; i < k; i++) put(terms, r * step + i, found.u[r][i], element);
            for (int64_t j = 0; j < p->axis[W].k; j++) put(terms, r * step + k + j, found.v[r][j], element);
        }
    }
}

static bool run(const fal__run *r)
{
    const fal__separable *s = r->state;
    fal__separable_job j = {.run = r, .packed = r->packed, .scratch = r->workspace};
    if (r->packed == NULL) {
        pack(r->problem, s, r->w, j.scratch);
        j.packed = j.scratch;
        j.scratch += (size_t)r->problem->groups * s->kernel;
    }
    fal__parallel(r->executor, s->tasks, fal__separable_task, &j);
    return true;
}

static size_t describe(const fal__problem *p, const void *state, char *text, size_t capacity)
{
    const fal__separable *s = state;
    const int length = snprintf(text, capacity,
                                "%s, %d column(s) of %" PRId64 " and row(s) of %" PRId64
                                " taps, strips of %" PRId64 " outputs of %" PRId64 " channel(s), %d task(s)",
                                s->compute->name, (int)p->kernel_rank, p->axis[H].k, p->axis[W].k, s->strip,
                                s->together, s->tasks);
    return length < 0 ? 0 : (size_t)length;
}

const fal__solver fal__solver_separable = {
    .name = "separable",
    .version = 1,
    .state_bytes = sizeof(fal__separable),
    .pack_cycles = 20,
    .applies = applies,
    .estimate = estimate,
    .prepare = prepare,
    .pack = pack,
    .run = run,
    .describe = describe,
};
