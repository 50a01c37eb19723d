/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage_print.c: the coverage of an operator, for people and as JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/coverage.h"
#include "cli/layer.h"

enum {
    LABEL = 20,
    SHOWN = 24,       /* counts in full; of more, the ends */
    SHOWN_END = 8,    /* counts at each end */
    SHOWN_RUNS = 6,   /* runs of indices */
    LARGEST_BOARD = 8 /* phases of a checkerboard that is drawn */
};

/* ---- Runs of indices: 1 3 5 7 is 1..7 in steps of 2 ---- */

typedef struct {
    int64_t first, last, step;
} run;

static int64_t next_zero(const int64_t *counts, int64_t size, int64_t from)
{
    while (from < size && counts[from] != 0) from++;
    return from;
}

/* The run of zeros that begins at the first one from `from` on; false when there is none. */
static bool next_run(const int64_t *counts, int64_t size, int64_t from, run *r)
{
    int64_t first = next_zero(counts, size, from), next = next_zero(counts, size, first + 1);
    if (first >= size) return false;
    *r = (run){.first = first, .last = first, .step = 1};
    if (next >= size) return true;
    r->step = next - first;
    while (next < size && next - r->last == r->step) {
        r->last = next;
        next = next_zero(counts, size, next + 1);
    }
    /* Two far neighbours are no rule: 3 and 9 are not "3..9 by 6". */
    if (r->last == first + r->step && r->step > 1) *r = (run){.first = first, .last = first, .step = 1};
    return true;
}

/* "6 of 13: 1..11 by 2" or "none" */
static void print_zeros(FILE *out, const char *label, const int64_t *counts, int64_t size, int64_t zeros)
{
    run r;
    int64_t from = 0;
    fprintf(out, "%-*s", LABEL, label);
    if (zeros == 0) {
        fputs("none\n", out);
        return;
    }
    fprintf(out, "%" PRId64 " of %" PRId64 ":", zeros, size);
    for (int i = 0; next_run(counts, size, from, &r); i++) {
        if (i == SHOWN_RUNS) {
            fputs(", ...", out);
            break;
        }
        fprintf(out, "%s %" PRId64, i ? "," : "", r.first);
        if (r.last > r.first) fprintf(out, "..%" PRId64, r.last);
        if (r.step > 1) fprintf(out, " by %" PRId64, r.step);
        from = r.last + 1;
    }
    fputc('\n', out);
}

/* ---- Text ---- */

static void print_counts(FILE *out, const char *label, const int64_t *counts, int64_t size)
{
    fprintf(out, "%-*s", LABEL, label);
    for (int64_t i = 0; i < size; i++) {
        if (size > SHOWN && i == SHOWN_END) {
            fputs(" ...", out);
            i = size - SHOWN_END;
        }
        fprintf(out, "%s%" PRId64, i ? " " : "", counts[i]);
    }
    fputc('\n', out);
}

static void print_pattern(FILE *out, const cli_coverage *c)
{
    int64_t period = c->axis.stride;
    const char *cells = c->transposed ? "outputs" : "inputs";
    fprintf(out, "%-*s", LABEL, "pattern inside");
    if (c->even) {
        fprintf(out, "%" PRId64 " everywhere\n", c->pattern[0]);
        return;
    }
    for (int64_t j = 0; j < period && j < SHOWN; j++) fprintf(out, "%" PRId64 " ", c->pattern[j]);
    fprintf(out, "%sin every %" PRId64 " %s%s\n", period > SHOWN ? "... " : "", period, cells,
            c->transposed ? ": a checkerboard" : "");
}

/* "kernel 4, padding 0:1 -> 11": what changes, and the output's size. */
static void print_change(FILE *out, const fal_axis *from, const fal_axis *to)
{
    const struct {
        const char *name;
        int64_t from, to;
    } numbers[] = {{"kernel", from->kernel, to->kernel},
                   {"stride", from->stride, to->stride},
                   {"dilation", from->dilation, to->dilation},
                   {"output padding", from->output_padding, to->output_padding}};
    const char *comma = "";
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
        if (numbers[n].from == numbers[n].to) continue;
        fprintf(out, "%s%s %" PRId64, comma, numbers[n].name, numbers[n].to);
        comma = ", ";
    }
    if (to->begin != from->begin || to->end != from->end)
        fprintf(out, "%spadding %" PRId64 ":%" PRId64, comma, to->begin, to->end);
    fprintf(out, " -> %" PRId64 "\n", to->output);
}

static void print_axis(FILE *out, const char *name, const cli_coverage *c)
{
    const fal_axis *axis = &c->axis;
    fprintf(out, "\ncoverage of %s, %" PRId64 " inputs and %" PRId64 " outputs\n", name, axis->input,
            axis->output);
    print_counts(out, "taps of an output", c->taps, axis->output);
    print_counts(out, "readers of an input", c->readers, axis->input);
    if (axis->stride > 1) print_pattern(out, c);
    print_zeros(out, "bias only", c->taps, axis->output, c->bias_only);
    print_zeros(out, "never read", c->readers, axis->input, c->never_read);
    if (!cli_coverage_troubled(c)) return;
    if (c->nearest_count == 0) fprintf(out, "%-*s%s\n", LABEL, "avoided by", "no near parameters");
    for (int n = 0; n < c->nearest_count; n++) {
        fprintf(out, "%-*s", LABEL, n == 0 ? "avoided by" : "");
        print_change(out, axis, &c->nearest[n]);
    }
}

/* The product of the last two axes' patterns, for a transposed plane that is uneven. */
static void print_board(FILE *out, int32_t spatial, const cli_coverage *axes)
{
    const cli_coverage *rows = &axes[spatial - 2], *columns = &axes[spatial - 1];
    if (!rows->transposed || (rows->even && columns->even)) return;
    if (rows->axis.stride > LARGEST_BOARD || columns->axis.stride > LARGEST_BOARD) return;
    fprintf(out, "\ntaps of neighbouring outputs, inside\n");
    for (int64_t y = 0; y < rows->axis.stride; y++) {
        fprintf(out, "%*s", LABEL, "");
        for (int64_t x = 0; x < columns->axis.stride; x++)
            fprintf(out, "%s%3" PRId64, x ? " " : "", rows->pattern[y] * columns->pattern[x]);
        fputc('\n', out);
    }
}

/* Cells of the whole with at least one axis at zero; false when nothing is. Sizes are a tensor's. */
static void print_whole(FILE *out, int32_t spatial, const cli_coverage *axes)
{
    int64_t outputs = 1, fed = 1, inputs = 1, read = 1;
    for (int32_t a = 0; a < spatial; a++) {
        outputs *= axes[a].axis.output;
        fed *= axes[a].axis.output - axes[a].bias_only;
        inputs *= axes[a].axis.input;
        read *= axes[a].axis.input - axes[a].never_read;
    }
    if (outputs == fed && inputs == read) return;
    fprintf(out,
            "\nof a whole channel   %" PRId64 " of %" PRId64 " outputs are bias only, %" PRId64 " of %" PRId64
            " inputs are never read\n",
            outputs - fed, outputs, inputs - read, inputs);
}

void cli_coverage_print(FILE *out, int32_t spatial, const cli_coverage *axes)
{
    for (int32_t a = 0; a < spatial; a++) {
        bool repeated = a > 0 && memcmp(&axes[a].axis, &axes[a - 1].axis, sizeof axes[a].axis) == 0;
        const char *name = cli_axis_name(spatial, a);
        if (!repeated)
            print_axis(out, name, &axes[a]);
        else
            fprintf(out, "\ncoverage of %s as of %s\n", name, cli_axis_name(spatial, a - 1));
    }
    if (spatial < 2) return;
    print_board(out, spatial, axes);
    print_whole(out, spatial, axes);
}

/* ---- JSON ---- */

static json_t *json_zeros(const int64_t *counts, int64_t size, int64_t zeros)
{
    json_t *runs = json_array();
    run r;
    for (int64_t from = 0; next_run(counts, size, from, &r); from = r.last + 1)
        json_array_append_new(runs, json_pack("{s:I, s:I, s:I}", "first", (json_int_t)r.first, "last",
                                              (json_int_t)r.last, "step", (json_int_t)r.step));
    return json_pack("{s:I, s:o}", "count", (json_int_t)zeros, "runs", runs);
}

static json_t *json_counts(const int64_t *counts, int64_t size)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < size; i++) json_array_append_new(list, json_integer(counts[i]));
    return list;
}

static json_t *json_nearest(const cli_coverage *c)
{
    json_t *list = json_array();
    for (int n = 0; n < c->nearest_count; n++) {
        const fal_axis *axis = &c->nearest[n];
        json_t *one = json_pack("{s:I, s:I, s:I, s:o, s:I}", "kernel", (json_int_t)axis->kernel, "stride",
                                (json_int_t)axis->stride, "dilation", (json_int_t)axis->dilation, "padding",
                                cli_json_ints((const int64_t[]){axis->begin, axis->end}, 2), "output",
                                (json_int_t)axis->output);
        if (one != NULL && c->transposed)
            json_object_set_new(one, "output_padding", json_integer(axis->output_padding));
        json_array_append_new(list, one);
    }
    return list;
}

json_t *cli_coverage_json(int32_t spatial, const cli_coverage *axes)
{
    json_t *list = json_array();
    for (int32_t a = 0; a < spatial; a++) {
        const cli_coverage *c = &axes[a];
        json_array_append_new(
            list,
            json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "axis", cli_axis_name(spatial, a), "taps",
                      json_counts(c->taps, c->axis.output), "readers", json_counts(c->readers, c->axis.input),
                      "pattern", json_counts(c->pattern, c->axis.stride), "even", c->even, "bias_only",
                      json_zeros(c->taps, c->axis.output, c->bias_only), "never_read",
                      json_zeros(c->readers, c->axis.input, c->never_read), "avoided_by", json_nearest(c)));
    }
    return list;
}
