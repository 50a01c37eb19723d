/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * planes.h: what the verbs without a weight share: pooling, padding, up-sampling, unfold and fold.
 *
 *     fal_tensor x, y;
 *     int32_t spatial;
 *     CLI_TRY(cli_planes_read(command, cli_operand(command, 0), &x, &spatial));
 *     CLI_TRY(cli_planes_resize(command, &x, spatial, "--scale", sizes, &y));
 *     CLI_TRY(cli_tensor_alloc(command, &y));
 *     ...
 *     return cli_planes_emit(command, &(cli_outcome){.x = &x, .y = &y});
 */
#ifndef FALTUNG_CLI_PLANES_H
#define FALTUNG_CLI_PLANES_H

#include "cli/layer.h"

/* cli_planes_read loads x, finds its number of spatial axes (cli_window_axes) and gives a literal the axes
 * it lacks. Refuses a rank that is neither that number plus 2 nor, without a batch, plus 1. */
fal_status cli_planes_read(cli_command *command, const char *text, fal_tensor *x, int32_t *spatial);
/* The same for a tensor that is loaded already. */
fal_status cli_planes_check(cli_command *command, const fal_tensor *x, int32_t spatial);
/* The first spatial axis of such a tensor. */
int32_t cli_planes_first(const cli_command *command, const fal_tensor *x, int32_t spatial);
/* y is x with other spatial sizes, without data. `where` is the option that gave them. */
fal_status cli_planes_resize(cli_command *command, const fal_tensor *x, int32_t spatial, const char *where,
                             const int64_t *sizes, fal_tensor *y);
/* --output-size, one number for all axes or one each; refused when missing. `of` says what it is of. */
fal_status cli_planes_output_size(cli_command *command, const char *of, int32_t spatial, int64_t *sizes);

/* What a verb did. */
typedef struct cli_outcome {
    const fal_tensor *x, *y;
    const fal_tensor *indices; /* for --indices, or NULL */
    int32_t spatial;           /* of the axes below */
    const fal_axis *axis;      /* NULL: sizes follow from no formula */
    cli_formula_kind formula;
    const double *difference; /* of --check, or NULL */
} cli_outcome;

/* Gives the results to their files, else prints y; says with -v or --json how the sizes came about. */
fal_status cli_planes_emit(cli_command *command, const cli_outcome *outcome);

#endif
