/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source.h: where bytes come from. A file, a stream, memory or an .npz member read alike.
 *
 * The readers are written once against this. Its one important function is io_source_take(): it is
 * the only way a reader gets memory for data that a file announces, and it gives memory only for
 * bytes that exist (known length) or have arrived (streams: at most twice what was received).
 */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include "io/report.h"

#define IO_UNKNOWN_SIZE UINT64_MAX

enum { IO_AHEAD = 64 };

typedef struct io_source io_source;
struct io_source {
    io_place place;
    uint64_t size;     /* IO_UNKNOWN_SIZE for a stream */
    uint64_t position; /* of the next byte that read gives */
    uint64_t limit;    /* most bytes that are taken from a stream */
    /* Gives 1..count next bytes; *got = 0 at the end. */
    fal_status (*pull)(io_source *source, void *to, size_t count, size_t *got, fal_error *error);
    void (*close)(io_source *source);
    int fd;                        /* of a file or stream */
    unsigned char *memory;         /* of a memory source, its to free */
    void *handle;                  /* of an .npz member */
    unsigned char ahead[IO_AHEAD]; /* bytes pulled by peek and not yet read */
    size_t ahead_used, ahead_count;
};

/* open(), again when a signal interrupted it. */
int io_open(const char *path, int flags, unsigned mode);

/* Opens a path, or standard input for "-". `path` must outlive the source. */
fal_status io_source_open(io_source *source, const char *path, uint64_t stream_limit, fal_error *error);
void io_source_close(io_source *source);

/* The next bytes, at most IO_AHEAD, without consuming them. */
fal_status io_source_peek(io_source *source, const unsigned char **bytes, size_t *count, fal_error *error);
/* Up to `count` bytes; fewer only at the end. */
fal_status io_source_read(io_source *source, void *to, size_t count, size_t *got, fal_error *error);
/* Exactly `count` bytes, or FAL_E_TRUNCATED that names `what`. */
fal_status io_source_exact(io_source *source, void *to, size_t count, const char *what, fal_error *error);
/* Exactly `count` bytes in new memory (free it; never NULL on success). */
fal_status io_source_take(io_source *source, uint64_t count, const char *what, void **memory,
                          fal_error *error);
/* Moves within a file or memory whose size is known; position <= size. */
fal_status io_source_seek(io_source *source, uint64_t position, fal_error *error);
/* Turns what is left of a file or stream into a memory source, whose bytes are source->memory. */
fal_status io_source_load(io_source *source, fal_error *error);
/* FAL_E_TRAILING when bytes are left and `allow` is false. Reads to the end of an .npz member, which
 * is what checks its checksum. */
fal_status io_source_finish(io_source *source, bool allow, fal_error *error);

#endif
