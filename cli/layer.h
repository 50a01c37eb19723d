/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layer.h: one convolution as the user described it, for every verb that speaks of one.
 *
 * conv and grad bring files or literals; shape, explain and matrix may bring shapes alone. Either way
 * a cli_layer holds the operands, the parameters as given and the geometry that follows from them:
 *
 *     cli_layer layer;
 *     CLI_TRY(cli_layer_read(command, false, cli_operand(command, 0), cli_operand(command, 1), &layer));
 *     CLI_TRY(cli_tensor_alloc(command, &layer.y));
 *     CLI_TRY(cli_layer_run(command, &layer, "reference", &layer.y, &facts));
 */
#ifndef FALTUNG_CLI_LAYER_H
#define FALTUNG_CLI_LAYER_H

#include "cli/json_out.h"

typedef struct cli_layer {
    bool transposed;
    fal_tensor x, w;        /* data NULL where only a shape was given */
    fal_tensor bias;        /* rank and dtype 0 without --bias */
    fal_tensor y;           /* shape of the result, without data */
    fal_conv_params params; /* algorithm NULL: see cli_layer_run */
    fal_conv_geometry geometry;
} cli_layer;

/* cli_layer_read loads x and w and everything that the options say. x_text NULL: --input or
 * --input-size give its shape; w_text NULL: --weight, or --kernel for one channel. Numbers alone mean an
 * image, `--spatial 1` a signal. Refuses operands of different types. */
fal_status cli_layer_read(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                          cli_layer *layer);

/* An operand: its text (NULL: not given), its name in the library's messages and in a sentence. */
typedef struct cli_operand_name {
    const char *text, *name, *title; /* "b.npy", "bias", "the bias" */
} cli_operand_name;

/* Refuses a type other than the input's. Here and not in the library, because only here is it certain
 * what helps. */
fal_status cli_same_type(cli_command *command, const fal_tensor *x, const cli_operand_name *name,
                         const fal_tensor *other);
/* "faltung convert FILE -o FILE.npy --dtype f32" as a hint. */
fal_status cli_hint_convert(cli_command *command, fal_status status, const char *text, fal_dtype dtype);
/* Loads an operand and checks its type; rank and dtype 0 when its text is NULL. */
fal_status cli_load_like(cli_command *command, const fal_tensor *x, const cli_operand_name *name,
                         fal_tensor *other);

/* A tensor of which only the shape is known: --dtype or float32, without data. `where` is the option. */
fal_status cli_shape_only(cli_command *command, const char *where, int32_t rank, const int64_t *shape,
                          fal_tensor *t);
/* Only x and w, of any types. */
fal_status cli_layer_load(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                          cli_layer *layer);
/* Its two halves, for `shape`, which may change the parameters between them: the operands and the
 * parameters as given; then geometry and y. */
fal_status cli_layer_operands(cli_command *command, bool transposed, const char *x_text, const char *w_text,
                              cli_layer *layer);
fal_status cli_layer_describe(cli_command *command, cli_layer *layer);

/* The spatial axes of a tensor without a weight: as cli_spatial, but a literal of rank 1 or 2 is all
 * spatial. */
fal_status cli_window_axes(cli_command *command, const char *text, const fal_tensor *x, int32_t *spatial);

/* A stack of layers: --layers, or a JSON file (verb_receptive_field.c). */
fal_status cli_layers_read(cli_command *command, const char *path, fal_layer **layers, int32_t *count);

/* ---- Running a layer (run.c) ---- */

typedef struct cli_run_facts {
    const char *solver; /* "implicit-gemm", "reference", "unfold", "matrix" */
    const char *kernel; /* the solver's micro-kernel, or "" */
    int32_t threads;
    int64_t time_ns; /* of the work alone: planning and allocation are not counted */
    double gflops;   /* 2 * multiply-adds / time, padding counted as the field does */
} cli_run_facts;

/* cli_layer_run computes y from x, w and bias. `algorithm` is a solver's name, "reference", "unfold" or
 * "matrix"; NULL lets the planner choose. */
fal_status cli_layer_run(cli_command *command, const cli_layer *layer, const char *algorithm,
                         const fal_tensor *y, cli_run_facts *facts);
/* Adds, to the refusal of an integer result that does not fit, what helps on a command line. */
fal_status cli_hint_wider(cli_command *command, fal_status status, fal_dtype dtype);
/* The same by unfolding the input or the kernel (lowered.c). */
fal_status cli_layer_unfold(cli_command *command, const cli_layer *layer, const fal_tensor *y);
fal_status cli_layer_matrix(cli_command *command, const cli_layer *layer, const fal_tensor *y);
/* The largest absolute difference between y and the reference; NaN equals NaN. */
fal_status cli_layer_check(cli_command *command, const cli_layer *layer, const fal_tensor *y,
                           double *difference);
/* The largest |a - b| of two tensors of one shape. */
double cli_largest_difference(const fal_tensor *a, const fal_tensor *b);
/* The next index in row-major order; false after the last. Begin with zeros when the tensor is not empty. */
bool cli_next_index(const fal_tensor *t, int64_t *index);

/* ---- Activations (activation.c) ---- */

/* v activated, in double. */
double cli_activated(const fal_conv_params *params, double v);
/* Every element of a tensor of i64, f32 or f64, in place. The library must have accepted params. */
void cli_activate(const fal_conv_params *params, const fal_tensor *t);
/* "relu"; "none" without one. */
const char *cli_activation_name(const fal_conv_params *params);

/* ---- Saying what a layer is (formula.c) ---- */

typedef enum cli_formula_kind {
    CLI_FORMULA_CONV,
    CLI_FORMULA_TRANSPOSE,
    CLI_FORMULA_POOL,
    CLI_FORMULA_POOL_CEIL
} cli_formula_kind;

enum { CLI_FORMULA_TEXT = 256 };

/* "floor((56 + 1 + 1 - 1*(3-1) - 1)/1) + 1 = 56" */
void cli_formula(char text[CLI_FORMULA_TEXT], const fal_axis *axis, cli_formula_kind kind);
/* "length"; "height", "width"; "depth", "height", "width" */
const char *cli_axis_name(int32_t spatial, int32_t axis);
/* "1:1 0:2" or "1:1", begin and end of each axis */
void cli_format_padding(char text[CLI_FORMULA_TEXT], int32_t spatial, const fal_axis *axis);
/* {"stride": [1,1], "dilation": ..., "padding": [[1,1],[1,1]], "groups": 1, ...}: everything resolved */
json_t *cli_json_parameters(const cli_layer *layer);
/* [{"axis": "height", "input": 56, "output": 56, "effective_kernel": 3, "formula": "..."}] */
json_t *cli_json_axes(int32_t spatial, const fal_axis *axis, cli_formula_kind kind);
/* Nested arrays of the elements; NaN and infinities as "nan", "inf", "-inf". */
json_t *cli_json_values(const fal_tensor *tensor);

#endif
