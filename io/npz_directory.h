/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npz_directory.h: what a zip archive says about itself, proved before libzip opens it.
 *
 *     [local header, name, extra, data] ...   central directory   (zip64 end, locator)   end
 *     ^ offsets and sizes come from ------------^
 *
 * libzip inflates and checks checksums; it does not promise that members do not share bytes, that
 * nothing lies before the first, or that both headers of a member agree. Those rules make an archive
 * mean one thing only, so they are checked here, on sizes and offsets, without reading any data.
 */
#ifndef IO_NPZ_DIRECTORY_H
#define IO_NPZ_DIRECTORY_H

#include "io/source.h"

typedef struct io_npz_member {
    const char *name; /* not terminated; inside io_npz_directory.bytes */
    uint16_t name_length;
    uint16_t method; /* 0 stored, 8 deflated */
    uint16_t flags;
    uint64_t index;        /* in the directory's order */
    uint64_t stored, size; /* bytes in the file and unpacked */
    uint64_t offset;       /* of the local header */
    uint64_t end;          /* one past the data */
} io_npz_member;

typedef struct io_npz_directory {
    io_npz_member *members;
    size_t count;
    unsigned char *bytes; /* the central directory */
} io_npz_directory;

/* Reads and proves the directory of a file or memory of known size. */
fal_status io_npz_directory_read(io_source *source, const io_limits *limits, io_npz_directory *out,
                                 fal_error *error);
void io_npz_directory_free(io_npz_directory *directory);

#endif
