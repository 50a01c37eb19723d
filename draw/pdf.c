/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pdf.c: pages as PDF, in vectors. A frame of an animation is a page, as LaTeX's animate package wants them.
 *
 * Text stays text, which can be searched and copied: the letters become a font inside the file. The date is
 * fixed, because the same figure must be the same file.
 */
#include <cairo-pdf.h>
#include <string.h>

#include "draw/raster.h"

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length)
{
    draw_bytes *bytes = closure;
    draw_bytes_add(bytes, data, length);
    return bytes->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* ---- The font: a glyph's number is its character ----------------------------------------------- */

static const cairo_user_data_key_t face_key;
static const draw_face faces[DRAW_FACES] = {DRAW_SANS, DRAW_SANS_BOLD, DRAW_MONO};

static draw_face face_of(cairo_scaled_font_t *font)
{
    const draw_face *face = cairo_font_face_get_user_data(cairo_scaled_font_get_font_face(font), &face_key);
    return face == NULL ? DRAW_SANS : *face;
}

static cairo_status_t number_glyph(cairo_scaled_font_t *font, unsigned long code, unsigned long *glyph)
{
    (void)font;
    *glyph = code;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t render_glyph(cairo_scaled_font_t *font, unsigned long number, cairo_t *cairo,
                                   cairo_text_extents_t *extents)
{
    const draw_glyph *glyph = draw_glyph_find(face_of(font), (uint32_t)number);
    draw_cairo_glyph(cairo, glyph);
    cairo_fill(cairo);
    extents->x_advance = (double)glyph->advance / DRAW_EM;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_font_face_t *make_font(draw_face face)
{
    cairo_font_face_t *font = cairo_user_font_face_create();
    cairo_user_font_face_set_unicode_to_glyph_func(font, number_glyph);
    cairo_user_font_face_set_render_glyph_func(font, render_glyph);
    cairo_font_face_set_user_data(font, &face_key, (void *)(uintptr_t)&faces[face], NULL);
    return font;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void describe(cairo_surface_t *surface, const draw_figure *figure)
{
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "faltung");
    if (figure->title != NULL)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, figure->title);
    if (figure->description != NULL)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, figure->description);
}

fal_status draw_pdf(const draw_page *pages, size_t count, draw_bytes *bytes, fal_error *error)
{
    const draw_page *first = &pages[0];
    int width, height;
    fal_status status = draw_raster_size(first, &width, &height, error);
    if (status != FAL_OK) return status;
    cairo_font_face_t *fonts[DRAW_FACES];
    for (int face = 0; face < DRAW_FACES; face++) fonts[face] = make_font((draw_face)face);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        append, bytes, first->view.width * first->options.scale, first->view.height * first->options.scale);
    cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_5);
    describe(surface, first->below);
    cairo_t *cairo = cairo_create(surface);
    for (size_t i = 0; i < count; i++) {
        draw_cairo_below(cairo, &pages[i], fonts);
        draw_cairo_above(cairo, &pages[i], fonts);
        cairo_show_page(cairo);
    }
    status = draw_cairo_status(cairo_status(cairo));
    cairo_destroy(cairo);
    cairo_surface_finish(surface);
    if (status == FAL_OK) status = draw_cairo_status(cairo_surface_status(surface));
    cairo_surface_destroy(surface);
    for (int face = 0; face < DRAW_FACES; face++) cairo_font_face_destroy(fonts[face]);
    return status;
}
