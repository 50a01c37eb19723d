/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drawing.h: what draw and animate share: from the command line to a view, and from a view to files.
 */
#ifndef FALTUNG_CLI_DRAWING_H
#define FALTUNG_CLI_DRAWING_H

#include "cli/layer.h"
#include "draw/output.h"
#include "draw/view.h"

/* The first operand, in the order of the words in the verbs' rows (CLI_DRAWN in tables.c). */
typedef enum cli_drawn {
    CLI_DRAW_CONV,
    CLI_DRAW_CONV_TRANSPOSE,
    CLI_DRAW_MAX_POOL,
    CLI_DRAW_AVG_POOL,
    CLI_DRAW_LP_POOL,
    CLI_DRAW_GRAD_INPUT,
    CLI_DRAW_GRAD_WEIGHT,
    CLI_DRAW_DEFORM,
    CLI_DRAW_PAD,
    CLI_DRAW_UPSAMPLE,
    CLI_DRAW_UNFOLD,
    CLI_DRAW_FOLD,
    CLI_DRAW_STACK,
    CLI_DRAW_TILE,
    CLI_DRAW_ADAPTIVE_AVG,
    CLI_DRAW_ADAPTIVE_MAX,
    CLI_DRAW_GLOBAL_AVG,
    CLI_DRAW_GLOBAL_MAX,
    CLI_DRAW_UNPOOL
} cli_drawn;

/* A problem with the texts that it points to. */
typedef struct cli_drawing {
    cli_drawn what;
    draw_problem problem;
    char formula[FAL_MAX_SPATIAL][CLI_FORMULA_TEXT];
} cli_drawing;

/* X, or one channel of --input-size, or the shape of --input: what operators without a weight read. */
fal_status cli_drawing_plane(cli_command *command, fal_tensor *x, int32_t *spatial);
/* Pools of all kinds, and unpooling (drawing_pool.c). */
fal_status cli_drawing_pool(cli_command *command, cli_drawing *drawing);
fal_status cli_drawing_unpool(cli_command *command, cli_drawing *drawing);

/* cli_drawing_read makes a problem of the operands, with numbers where only shapes were given. */
fal_status cli_drawing_read(cli_command *command, cli_drawn what, cli_drawing *drawing);
/* The numbers of --data for a tensor of which only the shape is known; others are left alone. `part`
 * keeps the operands' numbers apart. */
typedef enum cli_part { CLI_PART_X, CLI_PART_W, CLI_PART_GY, CLI_PART_OFFSET } cli_part;
fal_status cli_drawing_fill(cli_command *command, cli_part part, fal_tensor *t);

/* The view that the command line asks for. */
fal_status cli_drawing_view(cli_command *command, draw_view **view);
/* --scale and --transparent for a picture of that format. */
fal_status cli_drawing_output(cli_command *command, draw_format format, draw_output *options);
/* The format of -o or --still; `-` is SVG. */
draw_format cli_drawing_format(const char *path);
/* Leaves the bytes in a sealed file, for main() to name. */
fal_status cli_drawing_write(cli_command *command, const char *path, draw_bytes *bytes);
enum { CLI_MOST_STEPS = 1000 }; /* of an animation */

#endif
