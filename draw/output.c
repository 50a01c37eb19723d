/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * output.c: chooses the back end and reports in one place what cannot be written.
 */
#include "draw/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/raster.h"
#include "draw/svg.h"

static const char *const endings[] = {
    [DRAW_SVG] = ".svg", [DRAW_PNG] = ".png", [DRAW_PDF] = ".pdf", [DRAW_GIF] = ".gif"};
enum { FORMATS = sizeof endings / sizeof endings[0] };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

draw_format draw_format_of_name(const char *name)
{
    const size_t length = strlen(name);
    for (int format = 1; format < FORMATS; format++) {
        const size_t size = strlen(endings[format]);
        bool same = length >= size;
        for (size_t i = 0; i < size && same; i++) same = lower(name[length - size + i]) == endings[format][i];
        if (same) return (draw_format)format;
    }
    return DRAW_FORMAT_NONE;
}

/* Says what a back end has not said itself. */
static fal_status report(fal_status status, const draw_bytes *bytes, fal_error *error)
{
    if (bytes->failed) status = FAL_E_NOMEM;
    if (status == FAL_OK || error == NULL || error->status == status) return status;
    *error = (fal_error){.status = status};
    snprintf(error->found, sizeof error->found, "%s",
             status == FAL_E_NOMEM         ? "not enough memory for the picture"
             : status == FAL_E_UNSUPPORTED ? "this format holds no animation"
                                           : "the picture cannot be drawn");
    return status;
}

static draw_page page_of(const draw_figure *below, const draw_figure *above, const draw_output *options)
{
    draw_page page = {below, above, draw_figure_viewed(below), {.scale = 1}};
    if (options != NULL) page.options = *options;
    if (!(page.options.scale > 0)) page.options.scale = 1;
    return page;
}

static fal_status write_still(const draw_page *page, draw_format format, draw_bytes *bytes, fal_error *error)
{
    switch (format) {
    case DRAW_SVG: draw_svg_still(page->below, page->above, &page->options, bytes); return FAL_OK;
    case DRAW_PNG: return draw_png(page, bytes, error);
    case DRAW_PDF: return draw_pdf(page, 1, bytes, error);
    case DRAW_GIF: return draw_gif(NULL, page, 1, bytes, error);
    case DRAW_FORMAT_NONE: break;
    }
    return FAL_E_UNSUPPORTED;
}

fal_status draw_still(const draw_figure *figure, draw_format format, const draw_output *options,
                      draw_bytes *bytes, fal_error *error)
{
    fal_status status = draw_figure_status(figure);
    if (status == FAL_OK) {
        const draw_page page = page_of(figure, NULL, options);
        status = write_still(&page, format, bytes, error);
    }
    return report(status, bytes, error);
}

fal_status draw_frame_still(const draw_animation *animation, size_t frame, draw_format format,
                            const draw_output *options, draw_bytes *bytes, fal_error *error)
{
    fal_status status = draw_animation_status(animation);
    if (status == FAL_OK) {
        if (frame == DRAW_STILL_FRAME) frame = animation->still;
        const bool there = frame < animation->count;
        const draw_page page =
            page_of(animation->background, there ? animation->frames[frame].figure : NULL, options);
        status = write_still(&page, format, bytes, error);
    }
    return report(status, bytes, error);
}

static fal_status write_moving(const draw_animation *animation, draw_format format, const draw_page *pages,
                               size_t count, draw_bytes *bytes, fal_error *error)
{
    switch (format) {
    case DRAW_SVG: draw_svg_moving(animation, &pages[0].options, bytes); return FAL_OK;
    case DRAW_PDF: return draw_pdf(pages, count, bytes, error);
    case DRAW_GIF: return draw_gif(animation, pages, count, bytes, error);
    case DRAW_PNG:
    case DRAW_FORMAT_NONE: break;
    }
    return FAL_E_UNSUPPORTED;
}

fal_status draw_moving(const draw_animation *animation, draw_format format, const draw_output *options,
                       draw_bytes *bytes, fal_error *error)
{
    fal_status status = draw_animation_status(animation);
    if (status != FAL_OK) return report(status, bytes, error);
    const size_t count = animation->count > 0 ? animation->count : 1;
    draw_page *pages = calloc(count, sizeof *pages);
    if (pages == NULL) return report(FAL_E_NOMEM, bytes, error);
    for (size_t i = 0; i < count; i++)
        pages[i] = page_of(animation->background, i < animation->count ? animation->frames[i].figure : NULL,
                           options);
    status = write_moving(animation, format, pages, count, bytes, error);
    free(pages);
    return report(status, bytes, error);
}
