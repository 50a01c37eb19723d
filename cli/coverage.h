/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage.h: which outputs get how many taps and which inputs are never read, for `shape --coverage`.
 *
 * One cli_coverage is one axis. A window moves in steps of the stride over the longer of the two axes, so
 * that the counts there repeat with the stride: a convolution's inputs, a transposed convolution's
 * outputs. In the latter an uneven pattern is a checkerboard.
 */
#ifndef FALTUNG_CLI_COVERAGE_H
#define FALTUNG_CLI_COVERAGE_H

#include "cli/json_out.h"

enum { CLI_MOST_NEAREST = 4 };

typedef struct cli_coverage {
    bool transposed;
    fal_axis axis;
    int64_t *taps;      /* of each output: how many read a real input */
    int64_t *readers;   /* of each input: how many (output, tap) pairs read it */
    int64_t *pattern;   /* far from the ends, the counts of axis.stride neighbours on the longer axis */
    bool even;          /* all of the pattern are equal */
    int64_t bias_only;  /* outputs without a tap */
    int64_t never_read; /* inputs without a reader */
    int nearest_count;  /* near parameters without these troubles, nearest first */
    fal_axis nearest[CLI_MOST_NEAREST];
} cli_coverage;

/* cli_coverage_of counts one axis, whose output is resolved. Rounded-up pooling: end must reach as far as
 * the last window. Searches for better parameters when there is trouble. */
fal_status cli_coverage_of(cli_command *command, bool transposed, const fal_axis *axis,
                           cli_coverage *coverage);
/* Uneven outputs, outputs without taps, or inputs that are never read. */
bool cli_coverage_troubled(const cli_coverage *coverage);
/* Fills nearest (coverage_search.c). */
fal_status cli_coverage_search(cli_command *command, cli_coverage *coverage);

/* ---- Saying it (coverage_print.c) ---- */

void cli_coverage_print(FILE *out, int32_t spatial, const cli_coverage *axes);
json_t *cli_coverage_json(int32_t spatial, const cli_coverage *axes);

#endif
