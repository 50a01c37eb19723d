/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unfold_copy.c: unfold as few, long runs of memory.
 *
 * Columns are a permuted tensor (n, c, taps, outputs) whose every line along an axis is a line of x; which
 * lines are longest depends on the layout:
 *
 *     nchw   one tap, outputs of a row      x   . a b c d     the line under a tap, shifted; at stride 1 and
 *                                                             with rows of equal length a whole plane is one
 *                                                             run, and only its borders are put right
 *     nhwc   one output, taps of a row      x   [a: c c c][b: c c c][c: c c c]     pixels that are neighbours
 *                                                             in x are neighbours in the columns
 *
 * Border cells are filled, or copied one by one where the padding mode names a cell for each.
 */
#include "lowering/unfold_copy.h"

#include "base/checked.h"
#include "tensor/rows.h"
#include "tensor/tensor.h"

typedef struct copy {
    const fal__columns *columns;
    const fal_conv_geometry *g;
    const char *x;
    char *cols;
    int64_t bytes;                 /* of one element */
    double border;                 /* one element of x's type */
    bool fills;                    /* borders hold that element, not copies of cells */
    int64_t run;                   /* elements side by side in both that move together: channels, or 1 */
    int64_t walk[FAL_MAX_SPATIAL]; /* the tap at work, in the order of the walk */
} copy;

static void move(const copy *job, int64_t to, int64_t to_step, int64_t from, int64_t from_step, int64_t count)
{
    fal__move_row(job->cols + to * job->bytes, to_step, job->x + from * job->bytes, from_step, count,
                  (size_t)job->bytes);
}

static void fill(const copy *job, int64_t to, int64_t to_step, int64_t count)
{
    fal__move_row(job->cols + to * job->bytes, to_step, &job->border, 0, count, (size_t)job->bytes);
}

static int64_t walk_of(const fal_conv_geometry *g, int32_t a, int64_t tap)
{
    return g->flip_kernel ? g->axis[a].kernel - 1 - tap : tap;
}

/* Where tap `walk` of output o stands on axis a. */
static int64_t position_of(const fal_axis *axis, int64_t o, int64_t walk)
{
    return o * axis->stride + walk * axis->dilation - axis->begin;
}

/* The outputs whose tap stands inside x: first..end-1. */
static void inside_of(const fal_axis *axis, int64_t walk, int64_t *first, int64_t *end)
{
    const int64_t start = position_of(axis, 0, walk);
    *first = start >= 0 ? 0 : fal__min(fal__ceil_div(-start, axis->stride), axis->output);
    *end =
        start >= axis->input ? 0 : fal__min(fal__ceil_div(axis->input - start, axis->stride), axis->output);
    *end = fal__max(*end, *first);
}

/* Outputs first..end-1 of axis a (the last) that have no cell of their own. */
static void copy_border(const copy *job, int32_t a, int64_t from, int64_t to, int64_t first, int64_t end)
{
    const fal_axis *axis = &job->g->axis[a];
    const int64_t to_step = job->columns->output[a];
    if (job->fills) {
        fill(job, to + first * to_step, to_step, end - first);
        return;
    }
    for (int64_t o = first; o < end; o++) {
        const int64_t i =
            fal_border_index(job->g->padding_mode, position_of(axis, o, job->walk[a]), axis->input);
        move(job, to + o * to_step, 1, from + i * job->columns->xs.space[a], 1, 1);
    }
}

/* Everything under one tap that lies beyond x on some axis before a. */
static void fill_outputs(const copy *job, int32_t a, int64_t to)
{
    const fal_axis *axis = &job->g->axis[a];
    if (a == job->g->spatial - 1) {
        fill(job, to, job->columns->output[a], axis->output);
        return;
    }
    for (int64_t o = 0; o < axis->output; o++) fill_outputs(job, a + 1, to + o * job->columns->output[a]);
}

/* ---- One tap, outputs in lines ---- */

static void copy_line(const copy *job, int32_t a, int64_t from, int64_t to)
{
    const fal_axis *axis = &job->g->axis[a];
    const int64_t x_step = job->columns->xs.space[a], to_step = job->columns->output[a];
    int64_t first, end;
    inside_of(axis, job->walk[a], &first, &end);
    if (first > 0) copy_border(job, a, from, to, 0, first);
    if (end > first)
        move(job, to + first * to_step, to_step, from + position_of(axis, first, job->walk[a]) * x_step,
             axis->stride * x_step, end - first);
    if (end < axis->output) copy_border(job, a, from, to, end, axis->output);
}

/* Are the lines of the last two axes as far apart in x as in the columns, without gaps? */
static bool lines_join(const copy *job, int32_t a)
{
    const fal_axis *line = &job->g->axis[a + 1];
    const fal__columns *c = job->columns;
    return job->fills && line->stride == 1 && c->xs.space[a + 1] == 1 && c->output[a + 1] == 1 &&
           c->output[a] == line->output && c->xs.space[a] * job->g->axis[a].stride == line->output;
}

static void copy_plane(const copy *job, int32_t a, int64_t from, int64_t to)
{
    const fal_axis *axis = &job->g->axis[a], *line = &job->g->axis[a + 1];
    const int64_t x_step = job->columns->xs.space[a], width = line->output;
    int64_t top, bottom, first, end;
    inside_of(axis, job->walk[a], &top, &bottom);
    inside_of(line, job->walk[a + 1], &first, &end);
    if (top == bottom || first == end) {
        fill(job, to, 1, axis->output * width);
        return;
    }
    fill(job, to, 1, top * width + first);
    move(job, to + top * width + first, 1,
         from + position_of(axis, top, job->walk[a]) * x_step + position_of(line, first, job->walk[a + 1]), 1,
         (bottom - top - 1) * width + end - first);
    /* Between two lines stand the end of one and the beginning of the next. */
    for (int64_t o = top; o < bottom - 1; o++) fill(job, to + o * width + end, 1, width - end + first);
    fill(job, to + (bottom - 1) * width + end, 1, width - end + (axis->output - bottom) * width);
}

static void copy_outputs(const copy *job, int32_t a, int64_t from, int64_t to)
{
    const fal_axis *axis = &job->g->axis[a];
    if (a == job->g->spatial - 1) {
        copy_line(job, a, from, to);
        return;
    }
    if (a == job->g->spatial - 2 && lines_join(job, a)) {
        copy_plane(job, a, from, to);
        return;
    }
    for (int64_t o = 0; o < axis->output; o++) {
        const int64_t i =
            fal_border_index(job->g->padding_mode, position_of(axis, o, job->walk[a]), axis->input);
        const int64_t at = to + o * job->columns->output[a];
        if (i < 0)
            fill_outputs(job, a + 1, at);
        else
            copy_outputs(job, a + 1, from + i * job->columns->xs.space[a], at);
    }
}

/* The taps of one channel, from axis a on, last axis fastest. */
static void copy_taps(copy *job, int32_t a, int64_t from, int64_t to)
{
    if (a == job->g->spatial) {
        copy_outputs(job, 0, from, to);
        return;
    }
    for (int64_t t = 0; t < job->g->axis[a].kernel; t++) {
        job->walk[a] = walk_of(job->g, a, t);
        copy_taps(job, a + 1, from, to + t * job->columns->tap[a]);
    }
}

/* ---- One output, taps and channels in runs ---- */

/* The taps of the last axis for all its outputs. `inside`: is there a cell on all other axes? */
static void copy_pixels(const copy *job, bool inside, int64_t from, int64_t to)
{
    const fal_conv_geometry *g = job->g;
    const int32_t a = g->spatial - 1;
    const fal_axis *axis = &g->axis[a];
    const fal__columns *c = job->columns;
    const bool joined =
        !g->flip_kernel && axis->dilation * c->xs.space[a] == job->run && c->tap[a] == job->run;
    for (int64_t o = 0; o < axis->output; o++, to += c->output[a]) {
        const int64_t start = position_of(axis, o, 0);
        if (inside && joined && start >= 0 && start + (axis->kernel - 1) * axis->dilation < axis->input) {
            move(job, to, 1, from + start * c->xs.space[a], 1, axis->kernel * job->run);
            continue;
        }
        for (int64_t t = 0; t < axis->kernel; t++) {
            const int64_t i =
                fal_border_index(g->padding_mode, position_of(axis, o, walk_of(g, a, t)), axis->input);
            if (inside && i >= 0)
                move(job, to + t * c->tap[a], 1, from + i * c->xs.space[a], 1, job->run);
            else
                fill(job, to + t * c->tap[a], 1, job->run);
        }
    }
}

static void copy_rows(const copy *job, int32_t a, bool inside, int64_t from, int64_t to)
{
    const fal_conv_geometry *g = job->g;
    const fal_axis *axis = &g->axis[a];
    if (a == g->spatial - 1) {
        copy_pixels(job, inside, from, to);
        return;
    }
    for (int64_t o = 0; o < axis->output; o++)
        for (int64_t t = 0; t < axis->kernel; t++) {
            const int64_t i =
                fal_border_index(g->padding_mode, position_of(axis, o, walk_of(g, a, t)), axis->input);
            copy_rows(job, a + 1, inside && i >= 0, i < 0 ? from : from + i * job->columns->xs.space[a],
                      to + o * job->columns->output[a] + t * job->columns->tap[a]);
        }
}

void fal__unfold_copy(const fal__columns *columns, const fal_tensor *x, const fal_tensor *cols, double border)
{
    const fal_conv_geometry *g = &columns->g;
    copy job = {.columns = columns, .g = g, .x = x->data, .cols = cols->data, .run = g->in_channels};
    if (fal_tensor_count(cols) == 0) return;
    job.bytes = (int64_t)fal_dtype_bytes(x->dtype);
    job.fills = g->padding_mode == FAL_PAD_ZEROS || g->padding_mode == FAL_PAD_CONSTANT;
    fal__store_f64(&job.border, x->dtype, border);
    const bool pixels = g->in_channels > 1 && columns->xs.c == 1 && columns->c == 1;
    for (int64_t n = 0; n < g->n; n++) {
        const int64_t from = n * columns->xs.n, to = n * columns->n;
        if (pixels)
            copy_rows(&job, 0, true, from, to);
        else
            for (int64_t c = 0; c < g->in_channels; c++)
                copy_taps(&job, 0, from + c * columns->xs.c, to + c * columns->c);
    }
}
