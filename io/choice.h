/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * choice.h: the refusal of a container when no tensor, or one that is not there, was named. It tells
 * the names; of many, those that are nearest to the one that was asked for, or the first. Used by npz.c
 * and safetensors_read.c.
 *
 *     io_choice choice = {.wanted = member};      and io_choice_add() for every name
 */
#ifndef IO_CHOICE_H
#define IO_CHOICE_H

#include "io/report.h"

enum { IO_NEAREST = 5 };

typedef struct io_choice {
    const char *wanted; /* or NULL */
    char names[128];    /* "conv1.weight, conv1.bias, ..." */
    size_t used, count;
    bool full; /* not all names fit */
    struct {
        char name[IO_TEXT];
        int distance;
    } near[IO_NEAREST]; /* nearest first */
} io_choice;

void io_choice_add(io_choice *choice, const char *name, size_t length);
/* FAL_E_NOTFOUND when the wanted one is not there, FAL_E_USAGE when none was named, FAL_E_HEADER when
 * there is nothing to choose from. */
fal_status io_choice_fail(const io_choice *choice, const io_place *place, fal_error *error);

#endif
