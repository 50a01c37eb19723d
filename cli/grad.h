/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grad.h: what an operator offers to `faltung grad`.
 *
 * verb_grad.c has a row per operator with the gradients it has. The operator's function reads operands
 * 1, 2, ... (0 is the operator's name, the last one the gradient that arrives), allocates what is wanted
 * and computes it; checks of the command line and output are verb_grad.c's.
 */
#ifndef FALTUNG_CLI_GRAD_H
#define FALTUNG_CLI_GRAD_H

#include "cli/layer.h"

enum { CLI_MAX_GRADIENTS = 5 };

typedef struct cli_gradient {
    cli_option_id option; /* that names its file: CLI_GRAD_INPUT, ... */
    bool wanted;
    fal_tensor tensor; /* rank and dtype 0 until cli_gradient_alloc */
} cli_gradient;

/* The gradients in the order of the operator's row. */
typedef struct cli_gradients {
    int count;
    cli_gradient entry[CLI_MAX_GRADIENTS];
    const char *name; /* the operator's */
    json_t *facts;    /* for --json: set on success, or NULL */
} cli_gradients;

typedef fal_status cli_grad_run(cli_command *command, cli_gradients *gradients);

/* Allocates a wanted gradient with `of`'s type and shape; leaves others alone. */
fal_status cli_gradient_alloc(cli_command *command, cli_gradient *gradient, const fal_tensor *of);
/* The gradient that arrives: operand `i`, x's type; a literal gets y's rank. */
fal_status cli_arriving(cli_command *command, int i, const fal_tensor *x, const fal_tensor *y,
                        fal_tensor *gy);
/* Refuses a gy that has not y's shape, where the library would take any. */
fal_status cli_arriving_shape(cli_command *command, const fal_tensor *y, const fal_tensor *gy);

cli_grad_run cli_grad_conv, cli_grad_conv_transpose; /* grad_conv.c */
cli_grad_run cli_grad_deform_conv;                   /* verb_deform_conv.c */
cli_grad_run cli_grad_separable;                     /* verb_separable.c */
cli_grad_run cli_grad_max_pool, cli_grad_avg_pool, cli_grad_lp_pool, cli_grad_adaptive_avg_pool,
    cli_grad_adaptive_max_pool, cli_grad_global_avg_pool, cli_grad_global_max_pool; /* verb_pool.c */
cli_grad_run cli_grad_max_unpool;                                                   /* verb_max_unpool.c */
cli_grad_run cli_grad_pad;                                                          /* verb_pad.c */
cli_grad_run cli_grad_upsample;                                                     /* verb_upsample.c */
cli_grad_run cli_grad_unfold, cli_grad_fold;                                        /* verb_unfold.c */

#endif
