/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.c: memory that grows.
 */
#include "draw/bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/items.h"

void draw_bytes_free(draw_bytes *bytes)
{
    free(bytes->data);
    *bytes = (draw_bytes){0};
}

void draw_bytes_add(draw_bytes *bytes, const void *data, size_t count)
{
    if (bytes->failed || count == 0) return;
    if (count > SIZE_MAX - bytes->count ||
        !draw_grow((void **)&bytes->data, &bytes->capacity, bytes->count + count, 1)) {
        bytes->failed = true;
        return;
    }
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
}

void draw_bytes_text(draw_bytes *bytes, const char *text)
{
    draw_bytes_add(bytes, text, strlen(text));
}

void draw_bytes_texts(draw_bytes *bytes, const char *const *pieces)
{
    for (; *pieces != NULL; pieces++) draw_bytes_text(bytes, *pieces);
}

void draw_bytes_number(draw_bytes *bytes, double number)
{
    const double most = 9e15; /* where hundredths are exact and 64 bits hold them */
    char digits[32];
    size_t at = sizeof digits;
    if (number > most) number = most;
    if (number < -most) number = -most;
    const int64_t hundredths = llround(number * 100);
    const uint64_t size = hundredths < 0 ? -(uint64_t)hundredths : (uint64_t)hundredths;
    if (size % 10 != 0) digits[--at] = (char)('0' + size % 10);
    if (size % 100 != 0) {
        digits[--at] = (char)('0' + size / 10 % 10);
        digits[--at] = '.';
    }
    uint64_t whole = size / 100;
    do digits[--at] = (char)('0' + whole % 10);
    while ((whole /= 10) != 0);
    if (hundredths < 0) digits[--at] = '-';
    draw_bytes_add(bytes, digits + at, sizeof digits - at);
}

/* Is it a character that XML 1.0 can hold? */
static bool is_xml(uint32_t code)
{
    if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
    return code != 0xFFFD && code != 0xFFFE && code != 0xFFFF;
}

void draw_bytes_xml(draw_bytes *bytes, const char *text)
{
    const char *next = text;
    for (uint32_t code; (code = draw_utf8_next(&next)) != 0; text = next) {
        if (code == '&')
            draw_bytes_text(bytes, "&amp;");
        else if (code == '<')
            draw_bytes_text(bytes, "&lt;");
        else if (code == '>')
            draw_bytes_text(bytes, "&gt;");
        else if (code == '"')
            draw_bytes_text(bytes, "&quot;");
        else if (is_xml(code))
            draw_bytes_add(bytes, text, (size_t)(next - text));
        else
            draw_bytes_text(bytes, "\xEF\xBF\xBD");
    }
}

void draw_bytes_colour(draw_bytes *bytes, draw_rgb colour)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t parts[3] = {colour.r, colour.g, colour.b};
    const bool twice = colour.r % 17 == 0 && colour.g % 17 == 0 && colour.b % 17 == 0;
    char text[8] = "#";
    size_t length = 1;
    for (int i = 0; i < 3; i++) {
        text[length++] = digits[parts[i] / 16];
        if (!twice) text[length++] = digits[parts[i] % 16];
    }
    draw_bytes_add(bytes, text, length);
}
