/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gif.c: an animation as GIF, which plays for ever.
 *
 * The background is painted once. Frames are painted over copies of it twice, first to count colours and then
 * to write them, so that only two are in memory however many there are. A frame holds only the rectangle that
 * has changed, and in it what has not changed is transparent. Where a pixel becomes transparent again this
 * cannot be: then every frame is whole and is removed before the next.
 */
#include <gif_lib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/palette.h"
#include "draw/raster.h"

enum { CLEAR = DRAW_PALETTE }; /* the index that means transparent */

typedef struct writer {
    GifFileType *file;
    draw_palette *palette;
    cairo_surface_t *below, *picture; /* the background; a frame over it */
    uint8_t *before, *now, *row;      /* indices of the last frame, of this one, of a line to be written */
    int width, height;
    bool transparent;
    bool whole; /* frames are whole */
    draw_rgb paper;
} writer;

typedef struct rectangle {
    int left, top, right, bottom; /* the last two lie outside */
} rectangle;

/* A pixel's colour over paper; false where hardly any of it is covered. A pixel is there or not: thin letters
 * keep their edges, which are lighter towards the paper. */
static bool colour_of(const writer *w, uint32_t pixel, draw_rgb *colour)
{
    const unsigned alpha = w->transparent ? pixel >> 24 : 255, rest = 255 - alpha;
    const unsigned r = pixel >> 16 & 255, g = pixel >> 8 & 255, b = pixel & 255;
    *colour = (draw_rgb){(uint8_t)(r + (rest * w->paper.r + 127) / 255),
                         (uint8_t)(g + (rest * w->paper.g + 127) / 255),
                         (uint8_t)(b + (rest * w->paper.b + 127) / 255)};
    return alpha >= 48;
}

/* Paints a frame over a copy of the background. */
static fal_status paint_frame(writer *w, const draw_page *page)
{
    const size_t stride = (size_t)cairo_image_surface_get_stride(w->below);
    cairo_surface_flush(w->picture);
    memcpy(cairo_image_surface_get_data(w->picture), cairo_image_surface_get_data(w->below),
           stride * (size_t)w->height);
    cairo_surface_mark_dirty(w->picture);
    return draw_raster_above(w->picture, page);
}

/* Gives every pixel of a frame to the palette to be counted; w->before tells which were covered before. */
static void count_frame(writer *w)
{
    const unsigned char *data = cairo_image_surface_get_data(w->picture);
    const size_t stride = (size_t)cairo_image_surface_get_stride(w->picture);
    for (size_t y = 0, at = 0; y < (size_t)w->height; y++)
        for (size_t x = 0; x < (size_t)w->width; x++, at++) {
            uint32_t pixel;
            draw_rgb colour;
            memcpy(&pixel, data + y * stride + x * sizeof pixel, sizeof pixel);
            const bool covered = colour_of(w, pixel, &colour);
            if (covered) draw_palette_count(w->palette, colour);
            w->whole = w->whole || (w->before[at] && !covered);
            w->before[at] = covered;
        }
}

/* Every pixel of a frame as an index into the palette. */
static void index_frame(writer *w)
{
    const unsigned char *data = cairo_image_surface_get_data(w->picture);
    const size_t stride = (size_t)cairo_image_surface_get_stride(w->picture);
    for (size_t y = 0, at = 0; y < (size_t)w->height; y++)
        for (size_t x = 0; x < (size_t)w->width; x++, at++) {
            uint32_t pixel;
            draw_rgb colour;
            memcpy(&pixel, data + y * stride + x * sizeof pixel, sizeof pixel);
            const bool covered = colour_of(w, pixel, &colour);
            w->now[at] = covered ? draw_palette_index(w->palette, colour) : CLEAR;
        }
}

/* ---- Blocks of the file ---------------------------------------------------------------------- */

static int append(GifFileType *file, const GifByteType *data, int length)
{
    draw_bytes *bytes = file->UserData;
    draw_bytes_add(bytes, data, (size_t)length);
    return bytes->failed ? 0 : length;
}

static bool put_head(writer *w, bool loop)
{
    static const unsigned char forever[3] = {1, 0, 0};
    GifColorType colours[DRAW_PALETTE + 1] = {{0, 0, 0}};
    for (int i = 0; i < w->palette->count; i++) {
        const draw_rgb colour = w->palette->colours[i];
        colours[i] = (GifColorType){colour.r, colour.g, colour.b};
    }
    ColorMapObject *map = GifMakeMapObject(DRAW_PALETTE + 1, colours);
    if (map == NULL) return false;
    EGifSetGifVersion(w->file, true);
    bool good = EGifPutScreenDesc(w->file, w->width, w->height, 8, 0, map) == GIF_OK;
    GifFreeMapObject(map);
    if (!good || !loop) return good;
    return EGifPutExtensionLeader(w->file, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
           EGifPutExtensionBlock(w->file, 11, "NETSCAPE2.0") == GIF_OK &&
           EGifPutExtensionBlock(w->file, 3, forever) == GIF_OK && EGifPutExtensionTrailer(w->file) == GIF_OK;
}

static rectangle changed(const writer *w)
{
    rectangle r = {w->width, w->height, 0, 0};
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++) {
            const size_t at = (size_t)y * (size_t)w->width + (size_t)x;
            if (w->now[at] == w->before[at]) continue;
            r = (rectangle){x < r.left ? x : r.left, y < r.top ? y : r.top, x >= r.right ? x + 1 : r.right,
                            y + 1};
        }
    return r.right > r.left ? r : (rectangle){0, 0, 1, 1};
}

/* Which places a frame has among the others. */
typedef struct position {
    bool first, last;
} position;

/* Without paper the last frame is removed as a whole, so that the first begins on nothing again. */
static bool put_frame(writer *w, position place, double seconds)
{
    const bool all = place.first || w->whole || (place.last && w->transparent);
    const bool removed = w->whole || (place.last && w->transparent);
    const rectangle r = all ? (rectangle){0, 0, w->width, w->height} : changed(w);
    const size_t width = (size_t)(r.right - r.left);
    const double hundredths = fmin(fmax(round(100 * seconds), 2), 65535);
    GraphicsControlBlock control = {.DisposalMode = removed ? DISPOSE_BACKGROUND : DISPOSE_DO_NOT,
                                    .DelayTime = (int)hundredths,
                                    .TransparentColor = CLEAR};
    GifByteType block[4];
    EGifGCBToExtension(&control, block);
    if (EGifPutExtension(w->file, GRAPHICS_EXT_FUNC_CODE, sizeof block, block) != GIF_OK) return false;
    if (EGifPutImageDesc(w->file, r.left, r.top, (int)width, r.bottom - r.top, false, NULL) != GIF_OK)
        return false;
    for (int y = r.top; y < r.bottom; y++) {
        const size_t at = (size_t)y * (size_t)w->width + (size_t)r.left;
        memcpy(w->row, w->now + at, width);
        for (size_t x = 0; x < width && !place.first && !w->whole; x++)
            if (w->now[at + x] == w->before[at + x]) w->row[x] = CLEAR;
        if (EGifPutLine(w->file, w->row, (int)width) != GIF_OK) return false;
    }
    uint8_t *swap = w->before;
    w->before = w->now;
    w->now = swap;
    return true;
}

/* ---- The file -------------------------------------------------------------------------------- */

static fal_status write_pages(writer *w, const draw_animation *animation, const draw_page *pages,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const fal_status status = paint_frame(w, &pages[i]);
        if (status != FAL_OK) return status;
        count_frame(w);
    }
    draw_palette_choose(w->palette);
    if (!put_head(w, count > 1)) return FAL_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const fal_status status = paint_frame(w, &pages[i]);
        if (status != FAL_OK) return status;
        index_frame(w);
        const double seconds = animation != NULL && count > 1 ? animation->frames[i].seconds : 0;
        if (!put_frame(w, (position){i == 0, i + 1 == count}, seconds)) return FAL_E_NOMEM;
    }
    return FAL_OK;
}

fal_status draw_gif(const draw_animation *animation, const draw_page *pages, size_t count, draw_bytes *bytes,
                    fal_error *error)
{
    const draw_page *page = &pages[0];
    writer w = {.transparent = page->options.transparent,
                .paper = draw_theme_rgb(page->below->theme, DRAW_PAINT(DRAW_PAPER))};
    int ignored;
    fal_status status = draw_raster_size(page, &w.width, &w.height, error);
    if (status != FAL_OK) return status;
    const size_t pixels = (size_t)w.width * (size_t)w.height;
    w.palette = calloc(1, sizeof *w.palette);
    w.before = calloc(pixels, 1);
    w.now = malloc(pixels);
    w.row = malloc((size_t)w.width);
    w.file = EGifOpen(bytes, append, &ignored);
    w.below = draw_raster_below(page, &status, error);
    if (w.below != NULL) w.picture = draw_raster_below(page, &status, error);
    if (w.palette == NULL || w.before == NULL || w.now == NULL || w.row == NULL || w.file == NULL)
        status = FAL_E_NOMEM;
    if (status == FAL_OK) status = write_pages(&w, animation, pages, count);
    if (w.file != NULL && EGifCloseFile(w.file, &ignored) != GIF_OK && status == FAL_OK) status = FAL_E_NOMEM;
    if (w.below != NULL) cairo_surface_destroy(w.below);
    if (w.picture != NULL) cairo_surface_destroy(w.picture);
    free(w.palette);
    free(w.before);
    free(w.now);
    free(w.row);
    return status;
}
