/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * png_read.c: a PNG picture as a float32 tensor.
 *
 * libpng only unpacks: it gives samples of 8 or 16 bits as they are stored. Palette, transparency and
 * the division to 0..1 are ours, so that their rules are visible and checked.
 *
 * libpng reports errors by longjmp. The jump never leaves decode(), and everything that must be
 * released belongs to its caller.
 */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/png_chunks.h"

typedef struct decoder {
    png_structp png;
    png_infop info;
    const unsigned char *next; /* the reduced file */
    size_t left;
    uint32_t row;
    fal_status reason;
    bool no_memory;
} decoder;

/* libpng, and zlib through it, report too little memory like damage. */
static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    decoder *d = png_get_mem_ptr(png);
    void *block = malloc(bytes);
    if (block == NULL) d->no_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    free(block);
}

/* libpng has no error numbers. Two of its texts are worth telling apart; should they change, the
 * refusal stays and only becomes less precise. */
static void stop(png_structp png, png_const_charp text)
{
    decoder *d = png_get_error_ptr(png);
    d->reason = FAL_E_COMPRESSED;
    if (strstr(text, "Not enough image data") != NULL) d->reason = FAL_E_TRUNCATED;
    if (strstr(text, "incorrect data check") != NULL) d->reason = FAL_E_CHECKSUM;
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void give_bytes(png_structp png, png_bytep to, size_t count)
{
    decoder *d = png_get_io_ptr(png);
    if (count > d->left) png_error(png, "");
    memcpy(to, d->next, count);
    d->next += count;
    d->left -= count;
}

/* Decodes all rows into `pixels`; false when libpng refuses. */
static bool decode(decoder *d, uint32_t height, size_t row_bytes, unsigned char *pixels)
{
    if (setjmp(png_jmpbuf(d->png)) != 0) return false;
    png_set_benign_errors(d->png, 0);
    png_set_user_limits(d->png, INT32_MAX, INT32_MAX); /* io_image_check has its own */
    png_set_read_fn(d->png, d, give_bytes);
    png_read_info(d->png, d->info);
    png_set_packing(d->png);
    int passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    if (png_get_rowbytes(d->png, d->info) != row_bytes) return false;
    for (int pass = 0; pass < passes; pass++) {
        for (d->row = 0; d->row < height; d->row++) png_read_row(d->png, pixels + d->row * row_bytes, NULL);
    }
    png_read_end(d->png, NULL);
    return true;
}

/* Only the IDAT data can still be wrong. */
static fal_status fail_decode(const decoder *d, const io_png *png, const io_place *place, fal_error *error)
{
    if (d->no_memory) return io_fail_memory(error, place, "the PNG decoder", 0);
    if (d->reason == FAL_E_CHECKSUM) {
        return io_fail(error, FAL_E_CHECKSUM, place, IO_NOWHERE,
                       "the Adler-32 of the image data does not match");
    }
    if (d->reason == FAL_E_TRUNCATED) {
        return io_fail(error, FAL_E_TRUNCATED, place, IO_NOWHERE, "the image data ends at row %" PRIu32,
                       d->row);
    }
    if (d->row >= png->image.height) {
        return io_fail(error, FAL_E_COMPRESSED, place, IO_NOWHERE,
                       "the image data does not end where the image does");
    }
    return io_fail(error, FAL_E_COMPRESSED, place, IO_NOWHERE, "the image data is damaged at row %" PRIu32,
                   d->row);
}

static fal_status decode_all(const io_source *source, const io_png *png, size_t row_bytes,
                             unsigned char *pixels, fal_error *error)
{
    decoder d = {.next = source->memory, .left = png->length, .reason = FAL_E_COMPRESSED};
    fal_status status = FAL_OK;
    d.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d, stop, ignore, &d, allocate, release);
    if (d.png != NULL) d.info = png_create_info_struct(d.png);
    if (d.info == NULL)
        status = io_fail_memory(error, &source->place, "the PNG decoder", sizeof d);
    else if (!decode(&d, (uint32_t)png->image.height, row_bytes, pixels))
        status = fail_decode(&d, png, &source->place, error);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    return status;
}

static uint32_t sample(const unsigned char *pixels, size_t index, bool wide)
{
    return wide ? (uint32_t)pixels[2 * index] << 8 | pixels[2 * index + 1] : pixels[index];
}

static fal_status expand_palette(const io_png *png, const unsigned char *pixels, io_image_steps step,
                                 float *out, const io_place *place, fal_error *error)
{
    size_t count = (size_t)(png->image.width * png->image.height);
    for (size_t p = 0; p < count; p++) {
        uint32_t index = pixels[p];
        if (index >= png->palette_count) {
            return io_fail(error, FAL_E_HEADER, place, IO_NOWHERE,
                           "index %" PRIu32 " at (%" PRIu64 ", %" PRIu64 "); the palette has %" PRIu32, index,
                           p % png->image.width, p / png->image.width, png->palette_count);
        }
        for (size_t c = 0; c < 3; c++)
            out[p * step.pixel + c * step.channel] = (float)png->palette[index][c] / 255.0F;
        if (png->transparent) out[p * step.pixel + 3 * step.channel] = (float)png->alpha[index] / 255.0F;
    }
    return FAL_OK;
}

static void scale_samples(const io_png *png, const unsigned char *pixels, io_image_steps step, float *out)
{
    size_t count = (size_t)(png->image.width * png->image.height), channels = png->stored_channels;
    bool wide = png->depth == 16;
    const float most = (float)((1u << png->depth) - 1);
    for (size_t p = 0; p < count; p++) {
        bool visible = !png->transparent;
        for (size_t c = 0; c < channels; c++) {
            uint32_t value = sample(pixels, p * channels + c, wide);
            visible = visible || value != png->transparent_color[c];
            out[p * step.pixel + c * step.channel] = (float)value / most;
        }
        if (png->transparent) out[p * step.pixel + channels * step.channel] = visible ? 1.0F : 0.0F;
    }
}

/* Proves that the image fits its compressed data. Deflate makes at most 1032 bytes of one. */
static fal_status prove(io_source *source, const io_read_options *options, io_png *png, fal_error *error)
{
    IO_TRY(io_source_load(source, error));
    IO_TRY(io_png_chunks(source, options, png, error));
    uint64_t bits = png->compressed > UINT64_MAX / 8256 ? UINT64_MAX : png->compressed * 8256;
    uint64_t most = bits / ((uint64_t)png->depth * png->stored_channels);
    return io_image_check(&png->image, most, &options->limits, &source->place, error);
}

fal_status io_png_read(io_source *source, const char *member, const io_read_options *options, io_array *out,
                       fal_error *error)
{
    (void)member;
    io_png png;
    IO_TRY(prove(source, options, &png, error));
    uint64_t row_bytes = png.image.width * png.stored_channels * (png.depth == 16 ? 2 : 1);
    uint64_t bytes = row_bytes * png.image.height;
    unsigned char *pixels = bytes > SIZE_MAX ? NULL : calloc((size_t)bytes, 1);
    if (pixels == NULL) return io_fail_memory(error, &source->place, "the pixels", bytes);
    fal_status status = decode_all(source, &png, (size_t)row_bytes, pixels, error);
    if (status == FAL_OK) status = io_image_allocate(&png.image, options->layout, &source->place, out, error);
    if (status == FAL_OK) {
        io_image_steps step = io_image_step(&png.image, options->layout);
        if (png.color == IO_PNG_PALETTE)
            status = expand_palette(&png, pixels, step, out->memory, &source->place, error);
        else
            scale_samples(&png, pixels, step, out->memory);
    }
    free(pixels);
    if (status != FAL_OK) io_array_free(out);
    return status;
}

fal_status io_png_list(io_source *source, const char *member, const io_read_options *options, io_listing *out,
                       fal_error *error)
{
    static const char *const colors[] = {"gray", "", "RGB", "palette", "gray + alpha", "", "RGB + alpha"};
    (void)member;
    io_png png;
    char stored[32];
    IO_TRY(prove(source, options, &png, error));
    snprintf(stored, sizeof stored, "%" PRIu32 "-bit %s", png.depth, colors[png.color]);
    return io_image_list(&png.image, options->layout, stored, source, out, error);
}
