/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jpeg.c: a JPEG picture as a float32 tensor: gray or RGB of 8 bits. Orientation tags are not applied.
 *
 * The decoder reports errors by a call that must not return; the longjmp from it never leaves the two
 * functions that set it up. Where the decoder would only warn and invent the missing part of a damaged
 * picture, the picture is refused: numbers that nobody stored must not enter a computation.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "io/image.h"

/* A Huffman-coded block of 64 pixels takes at least one bit. */
enum { PIXELS_PER_BYTE = 512, MOST_SCANS = 500 };

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    int code; /* of the error or the warning */
} decoder;

static decoder *decoder_of(j_common_ptr jpeg)
{
    return jpeg->client_data;
}

static void stop(j_common_ptr jpeg)
{
    decoder *d = decoder_of(jpeg);
    d->code = jpeg->err->msg_code;
    longjmp(d->jump, 1);
}

static void judge_message(j_common_ptr jpeg, int level)
{
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_NOT_SEQUENTIAL: stop(jpeg); break;
    default: break; /* stray bytes between segments, odd markers: the picture is whole */
    }
}

static void print_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* Thousands of scans over one picture are an attack on the time of the reader. */
static void watch_scans(j_common_ptr jpeg)
{
    decoder *d = decoder_of(jpeg);
    if (d->jpeg.input_scan_number > MOST_SCANS) {
        jpeg->err->msg_code = JERR_BAD_PROGRESSION;
        stop(jpeg);
    }
}

static fal_status fail_decode(const decoder *d, const io_place *place, fal_error *error)
{
    switch (d->code) {
    case JERR_OUT_OF_MEMORY:
        return io_fail(error, FAL_E_NOMEM, place, IO_NOWHERE, "no memory to decode the JPEG");
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        return io_fail(error, FAL_E_TRUNCATED, place, IO_NOWHERE, "the JPEG data ends too early");
    case JERR_EMPTY_IMAGE: return io_fail(error, FAL_E_DIM, place, IO_NOWHERE, "the JPEG has no pixels");
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
        return io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "this variant of JPEG is not supported");
    case JERR_NO_SOI: return io_fail(error, FAL_E_MAGIC, place, 0, "the file does not start as a JPEG");
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
        return io_fail(error, FAL_E_COMPRESSED, place, IO_NOWHERE, "the image data is damaged near row %u",
                       (unsigned)d->jpeg.output_scanline);
    default: return io_fail(error, FAL_E_HEADER, place, IO_NOWHERE, "the JPEG is damaged (code %d)", d->code);
    }
}

/* Reads all up to the frame header. */
static bool read_header(decoder *d, const unsigned char *bytes, unsigned long count)
{
    d->jpeg.err = jpeg_std_error(&d->manager);
    d->manager.error_exit = stop;
    d->manager.emit_message = judge_message;
    d->manager.output_message = print_nothing;
    d->jpeg.client_data = d;
    if (setjmp(d->jump) != 0) return false;
    jpeg_create_decompress(&d->jpeg);
    d->progress.progress_monitor = watch_scans;
    d->jpeg.progress = &d->progress;
    jpeg_mem_src(&d->jpeg, bytes, count);
    jpeg_read_header(&d->jpeg, TRUE);
    return true;
}

static bool decode(decoder *d, const io_image *image, io_image_steps step, unsigned char *row, float *out)
{
    if (setjmp(d->jump) != 0) return false;
    d->jpeg.out_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    d->jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&d->jpeg);
    size_t channels = (size_t)image->channels, p = 0;
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        jpeg_read_scanlines(&d->jpeg, &row, 1);
        for (size_t x = 0; x < image->width; x++, p++) {
            for (size_t c = 0; c < channels; c++)
                out[p * step.pixel + c * step.channel] = (float)row[x * channels + c] / 255.0F;
        }
    }
    jpeg_finish_decompress(&d->jpeg);
    return true;
}

/* Loads the file, reads its header and proves its size. */
static fal_status open_image(decoder *d, io_source *source, const io_limits *limits, io_image *image,
                             fal_error *error)
{
    const io_place *place = &source->place;
    IO_TRY(io_source_load(source, error));
    if (source->size > ULONG_MAX) return io_fail_memory(error, place, "the JPEG", source->size);
    if (!read_header(d, source->memory, (unsigned long)source->size)) return fail_decode(d, place, error);
    if (d->jpeg.num_components != 1 && d->jpeg.num_components != 3) {
        io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "the JPEG has %d components",
                d->jpeg.num_components);
        return io_allowed(error, FAL_E_UNSUPPORTED, "gray and RGB are supported");
    }
    if (d->jpeg.arith_code) {
        return io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "arithmetic-coded JPEG is not supported");
    }
    *image = (io_image){
        .width = d->jpeg.image_width, .height = d->jpeg.image_height, .channels = d->jpeg.num_components};
    uint64_t most = source->size > UINT64_MAX / PIXELS_PER_BYTE ? UINT64_MAX : source->size * PIXELS_PER_BYTE;
    return io_image_check(image, most, limits, place, error);
}

fal_status io_jpeg_read(io_source *source, const char *member, const io_read_options *options, io_array *out,
                        fal_error *error)
{
    (void)member;
    decoder d;
    io_image image;
    unsigned char *row = NULL;
    memset(&d, 0, sizeof d);
    fal_status status = open_image(&d, source, &options->limits, &image, error);
    if (status == FAL_OK) {
        size_t bytes = (size_t)image.width * (size_t)image.channels;
        row = malloc(bytes);
        if (row == NULL) status = io_fail_memory(error, &source->place, "a row of pixels", bytes);
    }
    if (status == FAL_OK) status = io_image_allocate(&image, options->layout, &source->place, out, error);
    if (status == FAL_OK && !decode(&d, &image, io_image_step(&image, options->layout), row, out->memory)) {
        status = fail_decode(&d, &source->place, error);
    }
    jpeg_destroy_decompress(&d.jpeg);
    free(row);
    if (status != FAL_OK) io_array_free(out);
    return status;
}

fal_status io_jpeg_list(io_source *source, const char *member, const io_read_options *options,
                        io_listing *out, fal_error *error)
{
    (void)member;
    decoder d;
    io_image image;
    memset(&d, 0, sizeof d);
    fal_status status = open_image(&d, source, &options->limits, &image, error);
    if (status == FAL_OK) {
        const char *stored = image.channels == 1 ? "8-bit gray" : "8-bit RGB";
        status = io_image_list(&image, options->layout, stored, source, out, error);
    }
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}
