/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * raster.h: what the back ends that use cairo share.
 */
#ifndef DRAW_RASTER_H
#define DRAW_RASTER_H

#include <cairo.h>

#include "draw/bytes.h"
#include "draw/items.h"

/* A page: a figure, another over it or NULL, and the part of the plane that is shown. */
typedef struct draw_page {
    const draw_figure *below, *above;
    draw_box view;
    draw_output options;
} draw_page;

/* Paints the paper and the lower figure of a page, and its upper figure, with the figure's units scaled and
 * the view's corner at the origin. Letters are filled outlines, or text in fonts made of them when `fonts` is
 * not NULL. */
void draw_cairo_below(cairo_t *cairo, const draw_page *page, cairo_font_face_t *const fonts[DRAW_FACES]);
void draw_cairo_above(cairo_t *cairo, const draw_page *page, cairo_font_face_t *const fonts[DRAW_FACES]);

/* A picture in memory of the lower figure, RGB24 or, when transparent, ARGB32; NULL with *status when it
 * cannot be. */
cairo_surface_t *draw_raster_below(const draw_page *page, fal_status *status, fal_error *error);
/* Adds the upper figure to it. */
fal_status draw_raster_above(cairo_surface_t *surface, const draw_page *page);
/* Its width and height; FAL_E_LIMIT when they are too large. */
fal_status draw_raster_size(const draw_page *page, int *width, int *height, fal_error *error);

/* The outline of a letter in em units with y downwards, as the current path. */
void draw_cairo_glyph(cairo_t *cairo, const draw_glyph *glyph);

/* The library's number for cairo's. */
fal_status draw_cairo_status(cairo_status_t status);

fal_status draw_png(const draw_page *page, draw_bytes *bytes, fal_error *error);
fal_status draw_pdf(const draw_page *pages, size_t count, draw_bytes *bytes, fal_error *error);
fal_status draw_gif(const draw_animation *animation, const draw_page *pages, size_t count, draw_bytes *bytes,
                    fal_error *error);

#endif
