/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_guard.h: bounds on a JSON text, checked before a parser builds a tree from it.
 *
 * A parser spends up to a hundred times the text's size on a tree of tiny values. The header of a
 * .safetensors file is shallow and its arrays are shapes, so depth, entries of an array and number of
 * keys can be bounded by a walk that allocates nothing. Used by safetensors.c.
 */
#ifndef IO_JSON_GUARD_H
#define IO_JSON_GUARD_H

#include "io/report.h"

typedef struct io_json_bounds {
    uint64_t array;     /* entries of one array */
    uint64_t keys;      /* in the whole text */
    uint64_t key_bytes; /* of one key */
} io_json_bounds;

/* Refuses what is above the bounds, and depth above 16. `base` is the file offset of the text. */
fal_status io_json_guard(const char *json, size_t length, const io_json_bounds *most, const io_place *place,
                         uint64_t base, fal_error *error);

#endif
