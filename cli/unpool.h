/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * unpool.h: what max-unpool reads, for the verb, its gradient and its picture.
 */
#ifndef FALTUNG_CLI_UNPOOL_H
#define FALTUNG_CLI_UNPOOL_H

#include "cli/layer.h"

typedef struct cli_unpool {
    fal_tensor x, indices, y; /* y without data */
    fal_pool_params params;
    bool sized; /* by the formula */
    fal_axis axis[FAL_MAX_SPATIAL];
    const int64_t *index_shape; /* NULL: y's */
    fal_tensor counted;         /* a tensor of that shape */
} cli_unpool;

/* Operand number `operand` is x, the next one the indices. */
fal_status cli_unpool_read(cli_command *command, int operand, cli_unpool *unpool);

#endif
