/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * raster.c: a page as pixels.
 */
#include "draw/raster.h"

#include <math.h>
#include <stdio.h>

fal_status draw_cairo_status(cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS) return FAL_OK;
    if (status == CAIRO_STATUS_NO_MEMORY || status == CAIRO_STATUS_WRITE_ERROR) return FAL_E_NOMEM;
    return FAL_E_INTERNAL;
}

fal_status draw_raster_size(const draw_page *page, int *width, int *height, fal_error *error)
{
    const double most = 32767; /* cairo's coordinates */
    const double wide = ceil(page->view.width * page->options.scale - 1e-6);
    const double high = ceil(page->view.height * page->options.scale - 1e-6);
    if (!(wide <= most && high <= most && wide * high <= DRAW_MOST_PIXELS)) {
        if (error != NULL) {
            *error = (fal_error){.status = FAL_E_LIMIT};
            snprintf(error->found, sizeof error->found, "the picture would be %.0f x %.0f pixels", wide,
                     high);
            snprintf(error->allowed, sizeof error->allowed, "must be at most 32767 a side and %.0f in all",
                     DRAW_MOST_PIXELS);
        }
        return FAL_E_LIMIT;
    }
    *width = wide < 1 ? 1 : (int)wide;
    *height = high < 1 ? 1 : (int)high;
    return FAL_OK;
}

cairo_surface_t *draw_raster_below(const draw_page *page, fal_status *status, fal_error *error)
{
    int width, height;
    *status = draw_raster_size(page, &width, &height, error);
    if (*status != FAL_OK) return NULL;
    const cairo_format_t format = page->options.transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24;
    cairo_surface_t *surface = cairo_image_surface_create(format, width, height);
    cairo_t *cairo = cairo_create(surface);
    draw_cairo_below(cairo, page, NULL);
    *status = draw_cairo_status(cairo_status(cairo));
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (*status == FAL_OK) return surface;
    cairo_surface_destroy(surface);
    return NULL;
}

fal_status draw_raster_above(cairo_surface_t *surface, const draw_page *page)
{
    cairo_t *cairo = cairo_create(surface);
    draw_cairo_above(cairo, page, NULL);
    const fal_status status = draw_cairo_status(cairo_status(cairo));
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    return status;
}
