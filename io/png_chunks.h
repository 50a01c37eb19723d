/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * png_chunks.h: the chunks of a PNG file, proved and reduced to what a picture needs.
 *
 * libpng then sees only IHDR, PLTE of a palette image, IDAT and IEND: text, colour profiles and the
 * rest, where most of its past flaws were, never reach it. Transparency is applied by png_read.c.
 */
#ifndef IO_PNG_CHUNKS_H
#define IO_PNG_CHUNKS_H

#include "io/image.h"

enum { IO_PNG_GRAY = 0, IO_PNG_RGB = 2, IO_PNG_PALETTE = 3, IO_PNG_GRAY_ALPHA = 4, IO_PNG_RGB_ALPHA = 6 };

typedef struct io_png {
    io_image image; /* as it will be read */
    uint32_t depth; /* bits of a sample */
    uint32_t color; /* IO_PNG_GRAY ... */
    uint32_t stored_channels;
    unsigned char palette[256][3];
    uint32_t palette_count;
    unsigned char alpha[256];      /* of the palette's entries */
    bool transparent;              /* a transparency chunk was seen */
    uint16_t transparent_color[3]; /* of gray and RGB images */
    uint64_t compressed;           /* bytes of IDAT */
    size_t length;                 /* of the reduced file */
} io_png;

/* Checks all chunks of the loaded source and reduces source->memory in place. */
fal_status io_png_chunks(io_source *source, const io_read_options *options, io_png *png, fal_error *error);

#endif
