/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * coverage.c: the counts of one axis.
 *
 * The library counts; here they are read. The pattern is its own formula: place j of the longer axis is
 * met by the taps t with t*d = j + begin modulo s, whichever windows these belong to.
 */
#include "cli/coverage.h"

#include <inttypes.h>

enum { MOST_CELLS = 1 << 24 }; /* of an axis: every one of them is counted */

static fal_status check_size(cli_command *command, int64_t size, const char *what)
{
    if (size <= MOST_CELLS) return FAL_OK;
    cli_fail(command, FAL_E_LIMIT, "--coverage", "an axis has %" PRId64 " %s", size, what);
    return cli_allow(command, FAL_E_LIMIT, "every cell is counted; must be at most %d", MOST_CELLS);
}

static int64_t count_of(const int64_t *counts, int64_t size, int64_t value)
{
    int64_t found = 0;
    for (int64_t i = 0; i < size; i++) found += counts[i] == value;
    return found;
}

static void count_pattern(cli_coverage *c)
{
    const fal_axis *axis = &c->axis;
    int64_t period = axis->stride, first = axis->begin % period;
    for (int64_t t = 0; t < axis->kernel; t++) {
        /* t*d - begin modulo s, in 0..s-1 without an overflow */
        int64_t place = (t % period * (axis->dilation % period) - first) % period;
        c->pattern[place < 0 ? place + period : place]++;
    }
    c->even = count_of(c->pattern, period, c->pattern[0]) == period;
}

bool cli_coverage_troubled(const cli_coverage *c)
{
    return c->bias_only > 0 || c->never_read > 0 || (c->transposed && !c->even);
}

fal_status cli_coverage_of(cli_command *command, bool transposed, const fal_axis *axis, cli_coverage *c)
{
    *c = (cli_coverage){.transposed = transposed, .axis = *axis};
    CLI_TRY(check_size(command, axis->input, "inputs"));
    CLI_TRY(check_size(command, axis->output, "outputs"));
    CLI_TRY(check_size(command, axis->stride, "cells between two windows"));
    CLI_TRY(check_size(command, axis->kernel, "taps"));
    CLI_TRY(cli_alloc(command, axis->output, sizeof *c->taps, (void **)&c->taps));
    CLI_TRY(cli_alloc(command, axis->input, sizeof *c->readers, (void **)&c->readers));
    CLI_TRY(cli_alloc(command, axis->stride, sizeof *c->pattern, (void **)&c->pattern));
    CLI_TRY(fal_coverage_outputs(axis, transposed, c->taps, &command->error));
    CLI_TRY(fal_coverage_inputs(axis, transposed, c->readers, &command->error));
    c->bias_only = count_of(c->taps, axis->output, 0);
    c->never_read = count_of(c->readers, axis->input, 0);
    count_pattern(c);
    return cli_coverage_troubled(c) ? cli_coverage_search(command, c) : FAL_OK;
}
