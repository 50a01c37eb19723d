/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * params.h: options into convolution parameters.
 */
#ifndef FALTUNG_CLI_PARAMS_H
#define FALTUNG_CLI_PARAMS_H

#include "cli/cli.h"

/* cli_conv_params fills params from every convolution option that was given, --activation included. One
 * number means all axes; another count than `spatial` is refused with both. */
fal_status cli_conv_params(cli_command *command, int32_t spatial, fal_conv_params *params);
/* --activation; left alone when not given (activation.c). */
fal_status cli_activation(cli_command *command, fal_conv_params *params);
/* Entry per axis of one list option: spread when one was given, refused when the count differs, left
 * alone when not given. */
fal_status cli_axis_ints(cli_command *command, cli_option_id id, int32_t spatial, int64_t *values);
/* --padding as numbers, spread likewise; left alone when not given or when it is a rule. */
fal_status cli_axis_padding(cli_command *command, int32_t axes, int64_t *begin, int64_t *end);
/* --padding as a rule; FAL_PADDING_EXPLICIT when not given or when it is numbers. */
fal_padding cli_padding(const cli_command *command);
/* --padding-mode and --padding-value; refuses a value that has no effect. */
fal_status cli_border(cli_command *command, fal_padding_mode *mode, double *value);
/* The number of spatial axes of an operator without a weight: --spatial, else the entries of --kernel,
 * --padding, --output-size or --scale when more than one, else x's rank - 2; a rank of 3 is then
 * ambiguous. */
fal_status cli_spatial(cli_command *command, const fal_tensor *x, int32_t *spatial);
/* The same by options alone; 0 when none of them says it. */
fal_status cli_spatial_said(cli_command *command, int32_t *spatial);
/* --layout, nchw when not given. */
fal_layout cli_layout(const cli_command *command);
/* --dtype, FAL_DTYPE_NONE when not given. */
fal_dtype cli_dtype(const cli_command *command);

#endif
