/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage_search.c: the nearest parameters without checkerboard, empty outputs or unread inputs.
 *
 * All small changes of kernel, stride, dilation, padding and output padding are put in order, fewest
 * parameters and smallest steps first, and tried until enough are found: three of any size, and one that
 * keeps the output's size if none of them does.
 */
#include <stdlib.h>

#include "cli/coverage.h"

enum {
    KERNEL_STEPS = 3,
    STEPS = 2,             /* of everything else, up and down */
    MOST_TRIALS = 32768,   /* above 7 * 5^5, all combinations */
    MOST_COUNTED = 1 << 24 /* cells counted in all, so that a long axis does not keep a terminal waiting */
};

typedef struct {
    fal_axis axis;
    int changed;  /* parameters */
    int64_t step; /* sum of all changes */
    int64_t size; /* change of the output's size */
} trial;

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A total order: the last keys only make it one. */
static int compare(const void *left, const void *right)
{
    const trial *a = left, *b = right;
    const int64_t keys[][2] = {{a->changed, b->changed},
                               {a->step, b->step},
                               {a->size, b->size},
                               {a->axis.stride, b->axis.stride},
                               {a->axis.dilation, b->axis.dilation},
                               {a->axis.kernel, b->axis.kernel},
                               {a->axis.begin, b->axis.begin},
                               {a->axis.end, b->axis.end},
                               {a->axis.output_padding, b->axis.output_padding}};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        int order = compare_numbers(keys[k][0], keys[k][1]);
        if (order != 0) return order;
    }
    return 0;
}

static bool size_of(fal_axis *axis, bool transposed)
{
    return (transposed ? fal_conv_transpose_size(axis, NULL) : fal_conv_size(axis, NULL)) == FAL_OK;
}

/* Both ends of the padding are one parameter. */
static void measure(trial *t, const fal_axis *from)
{
    const fal_axis *to = &t->axis;
    int64_t begin = distance(to->begin, from->begin), end = distance(to->end, from->end);
    const int64_t steps[] = {distance(to->kernel, from->kernel), distance(to->stride, from->stride),
                             distance(to->dilation, from->dilation), begin > end ? begin : end,
                             distance(to->output_padding, from->output_padding)};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        t->changed += steps[s] > 0;
        t->step += steps[s];
    }
    t->size = distance(to->output, from->output);
}

static void add_paddings(const cli_coverage *c, fal_axis axis, trial *trials, int *count)
{
    int extras = c->transposed ? STEPS : 0;
    for (int b = -STEPS; b <= STEPS; b++)
        for (int e = -STEPS; e <= STEPS; e++)
            for (int x = -extras; x <= extras; x++) {
                axis.begin = c->axis.begin + b;
                axis.end = c->axis.end + e;
                axis.output_padding = c->axis.output_padding + x;
                /* Do not propose cropping where there was none. */
                if (axis.begin < 0 && axis.begin < c->axis.begin) continue;
                if (axis.end < 0 && axis.end < c->axis.end) continue;
                trial t = {.axis = axis};
                if (!size_of(&t.axis, c->transposed)) continue;
                measure(&t, &c->axis);
                trials[(*count)++] = t;
            }
}

/* The values around `from`, and one farther away when it is not among them. Returns their number. */
static int values_around(int64_t from, int steps, int64_t farther, int64_t *values)
{
    int count = 0;
    for (int step = -steps; step <= steps; step++) values[count++] = from + step;
    if (distance(farther, from) > steps) values[count++] = farther;
    return count;
}

/* Beside the neighbours: a kernel of whole strides, and windows side by side. */
static void add_trials(const cli_coverage *c, trial *trials, int *count)
{
    fal_axis axis = c->axis;
    int64_t kernels[2 * KERNEL_STEPS + 2], strides[2 * STEPS + 2], dilations[2 * STEPS + 2];
    int64_t whole = (axis.kernel + axis.stride - 1) / axis.stride * axis.stride;
    int kernel_count = values_around(axis.kernel, KERNEL_STEPS, whole, kernels);
    int stride_count = values_around(axis.stride, STEPS, axis.kernel, strides);
    int dilation_count = values_around(axis.dilation, STEPS, axis.dilation, dilations);
    for (int k = 0; k < kernel_count; k++)
        for (int s = 0; s < stride_count; s++)
            for (int d = 0; d < dilation_count; d++) {
                axis.kernel = kernels[k];
                axis.stride = strides[s];
                axis.dilation = dilations[d];
                if (axis.kernel < 1 || axis.stride < 1 || axis.dilation < 1) continue;
                if (axis.kernel == 1 && axis.dilation != c->axis.dilation) continue; /* means nothing */
                add_paddings(c, axis, trials, count);
            }
}

/* Far from the ends every phase of a transposed convolution gets as many taps. */
static bool is_even(const fal_axis *axis)
{
    int64_t a = axis->dilation, b = axis->stride;
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a == 1 && axis->kernel % axis->stride == 0;
}

static bool all_met(const int64_t *counts, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (counts[i] == 0) return false;
    return true;
}

/* Room for the counts of one trial, grown as needed, and how many cells were counted in all. */
typedef struct {
    int64_t *counts, capacity, counted;
} room;

static fal_status is_clean(cli_command *command, bool transposed, const fal_axis *axis, room *r, bool *clean)
{
    int64_t most = axis->output > axis->input ? axis->output : axis->input;
    *clean = !transposed || is_even(axis);
    if (!*clean) return FAL_OK;
    if (most > r->capacity) {
        CLI_TRY(cli_alloc(command, 2 * most, sizeof *r->counts, (void **)&r->counts));
        r->capacity = 2 * most;
    }
    r->counted += axis->input + axis->output;
    CLI_TRY(fal_coverage_outputs(axis, transposed, r->counts, &command->error));
    *clean = all_met(r->counts, axis->output);
    if (!*clean) return FAL_OK;
    CLI_TRY(fal_coverage_inputs(axis, transposed, r->counts, &command->error));
    *clean = all_met(r->counts, axis->input);
    return FAL_OK;
}

/* Does `to` change all that `known` changes, to the same values? Then what it changes beyond is idle. */
static bool extends(const fal_axis *to, const fal_axis *known, const fal_axis *from)
{
    bool padded = known->begin != from->begin || known->end != from->end;
    return (known->kernel == from->kernel || to->kernel == known->kernel) &&
           (known->stride == from->stride || to->stride == known->stride) &&
           (known->dilation == from->dilation || to->dilation == known->dilation) &&
           (known->output_padding == from->output_padding || to->output_padding == known->output_padding) &&
           (!padded || (to->begin == known->begin && to->end == known->end));
}

static bool is_idle(const cli_coverage *c, const fal_axis *axis)
{
    for (int n = 0; n < c->nearest_count; n++)
        if (extends(axis, &c->nearest[n], &c->axis)) return true;
    return false;
}

fal_status cli_coverage_search(cli_command *command, cli_coverage *c)
{
    trial *trials;
    int count = 0;
    room r = {0};
    bool kept = false;
    CLI_TRY(cli_alloc(command, MOST_TRIALS, sizeof *trials, (void **)&trials));
    add_trials(c, trials, &count);
    qsort(trials, (size_t)count, sizeof *trials, compare);
    for (int i = 0; i < count && r.counted < MOST_COUNTED; i++) {
        const fal_axis *axis = &trials[i].axis;
        bool clean, same = trials[i].size == 0, full = c->nearest_count >= CLI_MOST_NEAREST - 1;
        if (full && kept) break;
        if ((full || is_idle(c, axis)) && (kept || !same)) continue;
        CLI_TRY(is_clean(command, c->transposed, axis, &r, &clean));
        if (!clean) continue;
        c->nearest[c->nearest_count++] = *axis;
        kept |= same;
    }
    return FAL_OK;
}
