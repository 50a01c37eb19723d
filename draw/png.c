/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * png.c: a page as PNG. cairo writes pixels and nothing else: no date, no name of a program.
 */
#include "draw/raster.h"

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length)
{
    draw_bytes *bytes = closure;
    draw_bytes_add(bytes, data, length);
    return bytes->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

fal_status draw_png(const draw_page *page, draw_bytes *bytes, fal_error *error)
{
    fal_status status;
    cairo_surface_t *surface = draw_raster_below(page, &status, error);
    if (surface == NULL) return status;
    status = draw_raster_above(surface, page);
    if (status == FAL_OK)
        status = draw_cairo_status(cairo_surface_write_to_png_stream(surface, append, bytes));
    cairo_surface_destroy(surface);
    return status;
}
