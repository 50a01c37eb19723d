/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.h: text and numbers into memory that grows, for the back ends.
 *
 * Like a figure, the bytes remember that memory ran out and ignore what comes after. Numbers are written
 * without the C library's printf, which asks the locale for the decimal point.
 */
#ifndef DRAW_BYTES_H
#define DRAW_BYTES_H

#include "draw/output.h"

void draw_bytes_add(draw_bytes *bytes, const void *data, size_t count);
void draw_bytes_text(draw_bytes *bytes, const char *text);
/* Rounded to two decimals, without zeros at the end: "12", "0.5", "-3.25". */
void draw_bytes_number(draw_bytes *bytes, double number);
/* Text inside XML: & < > and quotes escaped, characters that XML forbids as U+FFFD. */
void draw_bytes_xml(draw_bytes *bytes, const char *text);
/* "#rrggbb", or "#rgb" where that is the same. */
void draw_bytes_colour(draw_bytes *bytes, draw_rgb colour);
/* Several pieces, the last NULL. */
void draw_bytes_texts(draw_bytes *bytes, const char *const *pieces);
#define DRAW_TEXTS(bytes, ...) draw_bytes_texts((bytes), (const char *const[]){__VA_ARGS__, NULL})

#endif
