/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tensors.h: tensors into and out of the command.
 *
 * A text is a literal when it begins with `[`, else whatever io/ can read: FILE, FILE.npz:MEMBER,
 * FILE.safetensors:TENSOR, or `-`. Everything loaded lives until the command ends.
 */
#ifndef FALTUNG_CLI_TENSORS_H
#define FALTUNG_CLI_TENSORS_H

#include "cli/cli.h"

/* cli_load reads a tensor. `name` is what the library calls it ("x"), so that a message about "x" can
 * name the file. Images and sounds arrive in --layout. */
fal_status cli_load(cli_command *command, const char *text, const char *name, fal_tensor *tensor);
/* Remembers that the library's "x" is the user's "photo.npy"; cli_load does. */
void cli_name_source(cli_command *command, const char *name, const char *text);
/* Is this text a literal tensor? */
bool cli_is_literal(const char *text);
/* cli_literal reads a literal tensor as float32: '[[1,2],[3,4]]'. */
fal_status cli_literal(cli_command *command, const char *text, fal_tensor *tensor);
/* Adds axes of size 1 until the rank is reached, in front (nchw: batch and channels; nhwc keeps the
 * channel last: (h, w) becomes (1, h, w, 1)). For literals only; others are left as they are. */
void cli_lead_axes(const char *text, fal_layout layout, int32_t rank, fal_tensor *tensor);
/* For a literal weight: (k...) becomes (1, 1, k...), or (k..., 1, 1) in nhwc. */
void cli_lead_weight_axes(const char *text, fal_layout layout, int32_t spatial, fal_tensor *tensor);
/* Allocates zeroed data for a tensor whose type, rank and shape are filled; sets compact strides. */
fal_status cli_tensor_alloc(cli_command *command, fal_tensor *tensor);

/* cli_emit gives the verb's result: to -o, or printed as text, or as JSON with --json. */
fal_status cli_emit(cli_command *command, const fal_tensor *tensor);
/* Writes one tensor to a file (or `-`) named by an option of kind OUTPUT. */
fal_status cli_write(cli_command *command, const fal_tensor *tensor, const char *path);
/* Prints nested brackets: in full up to 1,000 numbers, then with its middle left out. */
void cli_print_tensor(FILE *out, const fal_tensor *tensor);
/* The same as JSON arrays, always in full. NaN and infinities are the strings "nan", "inf", "-inf". */
void cli_print_json_values(FILE *out, const fal_tensor *tensor);
/* The shortest text that reads back as the same value of this type: "0.1". */
void cli_format_number(char *text, size_t capacity, fal_dtype dtype, double value);
/* One element of a tensor, 64-bit integers exactly. */
void cli_format_element(char *text, size_t capacity, const fal_tensor *tensor, const int64_t *index);
/* "(1, 3, 224, 224)" */
void cli_format_shape(char *text, size_t capacity, const fal_tensor *tensor);
/* Checks, before any work, that every OUTPUT option names something that can be written. */
fal_status cli_check_outputs(cli_command *command);

#endif
