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

/* Refuses depth above 16, arrays above `array` entries, more than `keys` keys in all, and strings
 * above `text` bytes that are keys. `base` is the file offset of the text. */
fal_status io_json_guard(const char *json, size_t length, uint64_t array, uint64_t keys, uint64_t key_bytes,
                         const io_place *place, uint64_t base, fal_error *error);

#endif
