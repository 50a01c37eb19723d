/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slice.h: Python's slices as a view.
 */
#ifndef FALTUNG_CLI_SLICE_H
#define FALTUNG_CLI_SLICE_H

#include "cli/cli.h"

/* cli_slice applies "0:2,:,::-1,-1": one slice an axis, axes behind the last are kept whole, a plain
 * number picks one element and drops its axis. */
fal_status cli_slice(cli_command *command, const fal_tensor *t, const char *text, fal_tensor *out);

#endif
