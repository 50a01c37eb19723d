/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * choice.h: the refusal of a container when no tensor, or one that is not there, was named. It tells
 * the first names. Used by npz.c and safetensors_read.c.
 */
#ifndef IO_CHOICE_H
#define IO_CHOICE_H

#include "io/report.h"

typedef struct io_choice {
    char names[128]; /* "conv1.weight, conv1.bias, ..." */
    size_t used, count;
    bool full;
} io_choice;

void io_choice_add(io_choice *choice, const char *name, size_t length);
/* FAL_E_NOTFOUND when `member` is not there, FAL_E_NAME when none was named, FAL_E_HEADER when there
 * is nothing to choose from. */
fal_status io_choice_fail(const io_choice *choice, const char *member, const io_place *place,
                          fal_error *error);

#endif
