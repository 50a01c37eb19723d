/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * text.c: the table of letters, and measures taken from it.
 */
#include <string.h>

#include "draw/items.h"

#define GLYPH(code, advance, outline) {code, advance, outline},
static const draw_glyph sans[] = {
#include "draw/glyphs_sans.inc"
};
static const draw_glyph sans_bold[] = {
#include "draw/glyphs_sans_bold.inc"
};
static const draw_glyph mono[] = {
#include "draw/glyphs_mono.inc"
};
#undef GLYPH

static const struct {
    const draw_glyph *glyphs; /* by rising code; the last is the box for what is not there */
    size_t count;
} faces[DRAW_FACES] = {
    [DRAW_SANS] = {sans, sizeof sans / sizeof sans[0]},
    [DRAW_SANS_BOLD] = {sans_bold, sizeof sans_bold / sizeof sans_bold[0]},
    [DRAW_MONO] = {mono, sizeof mono / sizeof mono[0]},
};

const draw_glyph *draw_glyph_find(draw_face face, uint32_t code)
{
    const draw_glyph *glyphs = faces[face].glyphs;
    size_t low = 0, high = faces[face].count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (glyphs[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return glyphs[low].code == code ? &glyphs[low] : &glyphs[faces[face].count - 1];
}

/* Bytes after the first of a character, and what the first byte adds; -1 when none begins with it. */
static int more_bytes(unsigned char first, uint32_t *code)
{
    if (first < 0x80) return *code = first, 0;
    if (first >= 0xC2 && first < 0xE0) return *code = first & 0x1Fu, 1;
    if (first >= 0xE0 && first < 0xF0) return *code = first & 0x0Fu, 2;
    if (first >= 0xF0 && first < 0xF5) return *code = first & 0x07u, 3;
    return -1;
}

uint32_t draw_utf8_next(const char **text)
{
    static const uint32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)*text;
    uint32_t code = 0;
    int more = more_bytes(bytes[0], &code);
    if (bytes[0] == 0) return 0;
    *text += 1;
    if (more < 0) return 0xFFFD;
    for (int i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0xFFFD;
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    if (code < smallest[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0xFFFD;
    *text += more;
    return code;
}

double draw_text_width(const draw_text_style *style, const char *text)
{
    const draw_face face = style == NULL ? DRAW_SANS : style->face;
    const double size = style == NULL || style->size <= 0 ? DRAW_TEXT_SIZE : style->size;
    int64_t width = 0;
    for (uint32_t code; (code = draw_utf8_next(&text)) != 0;) width += draw_glyph_find(face, code)->advance;
    return (double)width * size / DRAW_EM;
}

draw_point draw_text_origin(draw_point at, const draw_text_style *style, const char *text)
{
    const double along = style->anchor == DRAW_START ? 0 : draw_text_width(style, text);
    const double back = style->anchor == DRAW_MIDDLE ? along / 2 : along;
    const double down = style->centred ? DRAW_CAPITAL / 2 * style->size : 0;
    if (style->turned) return (draw_point){at.x + down, at.y + back};
    return (draw_point){at.x - back, at.y + down};
}

draw_box draw_text_box(draw_point at, const draw_text_style *style, const char *text)
{
    const draw_point origin = draw_text_origin(at, style, text);
    const double width = draw_text_width(style, text);
    const double above = DRAW_ASCENT * style->size, below = DRAW_DESCENT * style->size;
    if (style->turned) return (draw_box){origin.x - above, origin.y - width, above + below, width};
    return (draw_box){origin.x, origin.y - above, width, above + below};
}
