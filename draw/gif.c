/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gif.c: an animation as GIF, which plays for ever.
 *
 * Frames are painted twice, first to count colours and then to write them, so that only two are in memory
 * however many there are. On paper a frame holds only the rectangle that has changed, and in it what has not
 * changed is transparent; without paper every frame is whole and is removed before the next.
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
    uint8_t *before, *now, *row; /* indices of the last frame, of this one, of a line to be written */
    int width, height;
    bool transparent;
    draw_rgb paper;
} writer;

typedef struct rectangle {
    int left, top, right, bottom; /* the last two lie outside */
} rectangle;

/* A pixel's colour over paper; false where less than half of it is covered. */
static bool colour_of(const writer *w, uint32_t pixel, draw_rgb *colour)
{
    const unsigned alpha = w->transparent ? pixel >> 24 : 255, rest = 255 - alpha;
    const unsigned r = pixel >> 16 & 255, g = pixel >> 8 & 255, b = pixel & 255;
    *colour = (draw_rgb){(uint8_t)(r + (rest * w->paper.r + 127) / 255),
                         (uint8_t)(g + (rest * w->paper.g + 127) / 255),
                         (uint8_t)(b + (rest * w->paper.b + 127) / 255)};
    return alpha >= 128;
}

/* Paints a page and takes every pixel to the palette: to be counted, or as an index into w->now. */
static fal_status take_page(writer *w, const draw_page *page, bool count, fal_error *error)
{
    fal_status status;
    cairo_surface_t *surface = draw_raster(page, &status, error);
    if (surface == NULL) return status;
    const unsigned char *data = cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++) {
            uint32_t pixel;
            draw_rgb colour;
            memcpy(&pixel, data + (size_t)y * stride + (size_t)x * sizeof pixel, sizeof pixel);
            const bool covered = colour_of(w, pixel, &colour);
            uint8_t *index = &w->now[(size_t)y * (size_t)w->width + (size_t)x];
            if (!count)
                *index = covered ? draw_palette_index(w->palette, colour) : CLEAR;
            else if (covered)
                draw_palette_count(w->palette, colour);
        }
    cairo_surface_destroy(surface);
    return FAL_OK;
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

static rectangle changed(const writer *w, bool first)
{
    rectangle r = {w->width, w->height, 0, 0};
    if (first || w->transparent) return (rectangle){0, 0, w->width, w->height};
    for (int y = 0; y < w->height; y++)
        for (int x = 0; x < w->width; x++) {
            const size_t at = (size_t)y * (size_t)w->width + (size_t)x;
            if (w->now[at] == w->before[at]) continue;
            r = (rectangle){x < r.left ? x : r.left, y < r.top ? y : r.top, x >= r.right ? x + 1 : r.right,
                            y + 1};
        }
    return r.right > r.left ? r : (rectangle){0, 0, 1, 1};
}

static bool put_frame(writer *w, bool first, double seconds)
{
    const rectangle r = changed(w, first);
    const size_t width = (size_t)(r.right - r.left);
    const double hundredths = fmin(fmax(round(100 * seconds), 2), 65535);
    GraphicsControlBlock control = {.DisposalMode = w->transparent ? DISPOSE_BACKGROUND : DISPOSE_DO_NOT,
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
        for (size_t x = 0; x < width && !first && !w->transparent; x++)
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
                              size_t count, fal_error *error)
{
    for (size_t i = 0; i < count; i++) {
        fal_status status = take_page(w, &pages[i], true, error);
        if (status != FAL_OK) return status;
    }
    draw_palette_choose(w->palette);
    if (!put_head(w, count > 1)) return FAL_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        fal_status status = take_page(w, &pages[i], false, error);
        if (status != FAL_OK) return status;
        const double seconds = animation != NULL && count > 1 ? animation->frames[i].seconds : 0;
        if (!put_frame(w, i == 0, seconds)) return FAL_E_NOMEM;
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
    w.before = malloc(pixels);
    w.now = malloc(pixels);
    w.row = malloc((size_t)w.width);
    w.file = EGifOpen(bytes, append, &ignored);
    if (w.palette == NULL || w.before == NULL || w.now == NULL || w.row == NULL || w.file == NULL)
        status = FAL_E_NOMEM;
    if (status == FAL_OK) status = write_pages(&w, animation, pages, count, error);
    if (w.file != NULL && EGifCloseFile(w.file, &ignored) != GIF_OK && status == FAL_OK) status = FAL_E_NOMEM;
    free(w.palette);
    free(w.before);
    free(w.now);
    free(w.row);
    return status;
}
