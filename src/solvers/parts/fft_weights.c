/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fft_weights.c: the spectra of kernels.
 *
 * Tap t of an axis stands at index t + shift modulo n, and the conjugate of the spectrum is kept, times all
 * constant factors: 1/(n1*n2) of the inverse transform, and one half each for inputs and kernels, whose
 * spectra come doubled from fal__fft.separate. A piece is one vector of kernels: of the groups of a block,
 * or of the output channels that meet one input channel.
 */
#include <string.h>

#include "base/checked.h"
#include "solvers/parts/fft.h"

void fal__fft_pack_twiddles(const fal__fft_plan *plan, char *packed)
{
    const size_t element = plan->compute->panel_bytes;
    if (!fal__fft_by_lines(plan)) fal__fft_twiddles(&plan->rows.line, element, packed);
    fal__fft_twiddles(&plan->columns.line, element, packed + plan->twiddles);
}

int64_t fal__fft_weight_pieces(const fal__fft_plan *plan)
{
    if (plan->lanes != FAL__FFT_DENSE) return plan->blocks * plan->problem.oc;
    return plan->blocks * plan->panels * plan->problem.ic * plan->vectors;
}

/* Kernels in the lanes, and where their spectrum goes. */
typedef struct piece {
    int64_t w, lane_step, lanes; /* element offset of tap 0 of the first lane */
    size_t u;                    /* bytes from U */
    int64_t step;                /* elements from entry to entry */
} piece;

static piece piece_of(const fal__fft_plan *plan, int64_t number)
{
    const fal__problem *p = &plan->problem;
    const int64_t lanes = plan->kernels->lanes;
    const size_t entry = 2 * fal__fft_vector(plan);
    piece result = {.step = 2 * lanes, .lanes = lanes};
    if (plan->lanes != FAL__FFT_DENSE) {
        const int64_t block = number / p->oc, oc = number % p->oc;
        const bool channels = plan->lanes == FAL__FFT_CHANNELS;
        const int64_t group = channels ? block * lanes : block;
        result.w = p->w_base + group * p->w_g + oc * p->w_oc;
        result.lane_step = channels ? p->w_g : 0;
        if (channels) result.lanes = fal__min(lanes, p->groups - group);
        result.u = (size_t)(number * plan->entries) * entry;
        return result;
    }
    const int64_t vector = number % plan->vectors, channel = number / plan->vectors;
    const int64_t ic = channel % p->ic, panel = channel / p->ic % plan->panels,
                  group = channel / p->ic / plan->panels;
    const int64_t oc = (panel * plan->vectors + vector) * lanes;
    result.w = p->w_base + group * p->w_g + fal__min(oc, p->oc) * p->w_oc + ic * p->w_ic;
    result.lane_step = p->w_oc;
    result.lanes = fal__max(0, fal__min(lanes, p->oc - oc));
    result.step *= plan->panels * p->ic * plan->vectors;
    const int64_t at = group * plan->entries * plan->panels * p->ic * plan->vectors +
                       (panel * p->ic + ic) * plan->vectors + vector;
    result.u = (size_t)at * entry;
    return result;
}

/* Taps of a kernel's row to their places. */
static void read_row(const fal__fft_plan *plan, const piece *k, const char *w, int64_t row, char *patch)
{
    const fal__problem_axis *axis = &plan->problem.axis[2];
    const int64_t element = (int64_t)plan->compute->panel_bytes, n = plan->columns.n;
    const size_t vector = fal__fft_vector(plan);
    memset(patch, 0, (size_t)n * vector);
    if (row >= plan->problem.axis[1].k || k->lanes == 0) return;
    const char *from = w + (k->w + row * plan->problem.axis[1].ws) * element;
    const int64_t before = fal__min(axis->k, -plan->columns.shift);
    plan->compute->depthwise->gather(from, axis->ws, k->lane_step, before, k->lanes,
                                     patch + (size_t)(n + plan->columns.shift) * vector);
    plan->compute->depthwise->gather(from + before * axis->ws * element, axis->ws, k->lane_step,
                                     axis->k - before, k->lanes,
                                     patch + (size_t)(before + plan->columns.shift) * vector);
}

static void pack_piece(const fal__fft_plan *plan, const fal__fft_task *t, const piece *k, const char *w,
                       char *u)
{
    const fal__fft_axis *rows = &plan->rows;
    const int64_t lanes = plan->kernels->lanes, taps = plan->problem.axis[1].k;
    const size_t vector = fal__fft_vector(plan),
                 row_bytes = (size_t)plan->row_step * plan->compute->panel_bytes;
    const double scale = 0.25 / ((double)rows->n * (double)plan->columns.n);
    u += k->u;
    if (!fal__fft_by_lines(plan)) memset(t->rows, 0, (size_t)rows->n * row_bytes);
    char *spare = t->rows + (size_t)(rows->n + 1) * row_bytes; /* where the row after an odd last one goes */
    for (int64_t row = 0; row < taps; row += 2) {
        read_row(plan, k, w, row, t->lines);
        read_row(plan, k, w, row + 1, t->lines + (size_t)plan->columns.n * vector);
        char *a = t->rows + (size_t)fal__floor_mod(row + rows->shift, rows->n) * row_bytes;
        char *b = t->rows + (size_t)fal__floor_mod(row + 1 + rows->shift, rows->n) * row_bytes;
        fal__fft_lines_forward(t, a, row + 1 < taps ? b : spare, 2 * lanes);
    }
    if (fal__fft_by_lines(plan)) {
        plan->kernels->conjugate(plan->half, t->rows, scale, u, k->step);
        return;
    }
    for (int64_t c = 0; c < plan->half; c++) {
        const char *column = t->rows + (size_t)c * 2 * vector;
        const fal__fft_source from = {column, column + vector, plan->row_step, rows->n};
        const fal__fft_target to = {t->column, t->column + vector, 2 * lanes, rows->n};
        plan->kernels->transform(&rows->line, t->twiddles[0], &from, &to, t->buffers);
        plan->kernels->conjugate(rows->n, t->column, scale,
                                 u + (size_t)(c * rows->n * k->step) * plan->compute->panel_bytes, k->step);
    }
}

void fal__fft_pack_weights(const fal__fft_plan *plan, const void *w, char *packed, char *scratch,
                           int64_t first, int64_t end)
{
    const fal__fft_task task = fal__fft_task_of(plan, NULL, packed, scratch);
    for (int64_t i = first; i < end; i++) {
        const piece k = piece_of(plan, i);
        pack_piece(plan, &task, &k, w, packed + plan->weights);
    }
}
