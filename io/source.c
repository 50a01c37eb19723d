/* SPDX-License-Identifier: BSD-3-Clause */
/* source.c: see source.h. Members of an .npz are opened by npz.c. */
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static fal_status pull_file(io_source *source, void *to, size_t count, size_t *got, fal_error *error)
{
    /* One call never asks for more than a system accepts at once. */
    const size_t most = (size_t)1 << 30;
    ssize_t done;
    do done = read(source->fd, to, count < most ? count : most);
    while (done < 0 && errno == EINTR);
    if (done < 0) return io_fail_system(error, &source->place, "read it", errno);
    *got = (size_t)done;
    return FAL_OK;
}

static fal_status pull_memory(io_source *source, void *to, size_t count, size_t *got, fal_error *error)
{
    (void)error;
    uint64_t left = source->size - source->position;
    *got = left < count ? (size_t)left : count;
    memcpy(to, source->memory + source->position, *got);
    return FAL_OK;
}

static void close_file(io_source *source)
{
    if (source->fd > STDIN_FILENO) close(source->fd);
}

static void close_memory(io_source *source)
{
    free(source->memory);
}

int io_open(const char *path, int flags, unsigned mode)
{
    int fd;
    do fd = open(path, flags, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

fal_status io_source_open(io_source *source, const char *path, uint64_t stream_limit, fal_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *source = (io_source){.place = {.name = standard ? "standard input" : path},
                          .size = IO_UNKNOWN_SIZE,
                          .limit = stream_limit,
                          .pull = pull_file,
                          .fd = STDIN_FILENO};
    if (!standard) {
        source->fd = io_open(path, O_RDONLY | O_CLOEXEC, 0);
        if (source->fd < 0) return io_fail_system(error, &source->place, "open it", errno);
    }
    source->close = close_file;
    struct stat status;
    if (fstat(source->fd, &status) != 0) {
        int number = errno;
        io_source_close(source);
        return io_fail_system(error, &source->place, "read it", number);
    }
    if (S_ISDIR(status.st_mode)) {
        io_source_close(source);
        return io_fail_system(error, &source->place, "read it", EISDIR);
    }
    /* A redirected file may have been read in part by somebody else: then it is a stream. */
    bool at_start = !standard || lseek(source->fd, 0, SEEK_CUR) == 0;
    if (S_ISREG(status.st_mode) && at_start) source->size = (uint64_t)status.st_size;
    return FAL_OK;
}

void io_source_close(io_source *source)
{
    if (source->close != NULL) source->close(source);
    source->close = NULL;
}

fal_status io_source_peek(io_source *source, const unsigned char **bytes, size_t *count, fal_error *error)
{
    if (source->ahead_used == source->ahead_count) {
        size_t filled = 0, got = 1;
        while (filled < IO_AHEAD && got > 0) {
            /* pull() reads at source->position, which peeking must not move for long. */
            source->position += filled;
            fal_status status = source->pull(source, source->ahead + filled, IO_AHEAD - filled, &got, error);
            source->position -= filled;
            IO_TRY(status);
            filled += got;
        }
        source->ahead_used = 0;
        source->ahead_count = filled;
    }
    *bytes = source->ahead + source->ahead_used;
    *count = source->ahead_count - source->ahead_used;
    return FAL_OK;
}

fal_status io_source_read(io_source *source, void *to, size_t count, size_t *got, fal_error *error)
{
    unsigned char *next = to;
    size_t ahead = source->ahead_count - source->ahead_used;
    size_t filled = ahead < count ? ahead : count;
    if (filled > 0) memcpy(next, source->ahead + source->ahead_used, filled);
    source->ahead_used += filled;
    source->position += filled;
    while (filled < count) {
        size_t step = 0;
        IO_TRY(source->pull(source, next + filled, count - filled, &step, error));
        if (step == 0) break;
        filled += step;
        source->position += step;
    }
    *got = filled;
    return FAL_OK;
}

static fal_status fail_truncated(const io_source *source, const char *what, uint64_t wanted, uint64_t present,
                                 fal_error *error)
{
    return io_fail(error, FAL_E_TRUNCATED, &source->place, source->position,
                   "%s needs %" PRIu64 " byte%s, %" PRIu64 " present", what, wanted, wanted == 1 ? "" : "s",
                   present);
}

fal_status io_source_exact(io_source *source, void *to, size_t count, const char *what, fal_error *error)
{
    uint64_t start = source->position;
    size_t got = 0;
    IO_TRY(io_source_read(source, to, count, &got, error));
    if (got == count) return FAL_OK;
    source->position = start;
    return fail_truncated(source, what, count, got, error);
}

/* Reads `count` bytes of a stream into memory that doubles as they arrive. With `whole`, the end may
 * come before that; *count then becomes the number that came. */
static fal_status take_growing(io_source *source, uint64_t *count, bool whole, const char *what,
                               void **memory, fal_error *error)
{
    uint64_t capacity = 65536;
    unsigned char *block = NULL;
    uint64_t start = source->position;
    size_t filled = 0, got = 0;
    fal_status status = FAL_OK;
    do {
        if (capacity > *count) capacity = *count;
        unsigned char *larger =
            capacity > SIZE_MAX ? NULL : realloc(block, capacity > 0 ? (size_t)capacity : 1);
        if (larger == NULL) {
            free(block);
            return io_fail_memory(error, &source->place, what, capacity);
        }
        block = larger;
        size_t room = (size_t)capacity - filled;
        status = io_source_read(source, block + filled, room, &got, error);
        filled += got;
        if (status != FAL_OK || got < room) break;
        if (capacity > UINT64_MAX / 2) break;
        capacity *= 2;
    } while (filled < *count);
    if (status == FAL_OK && filled < *count && !whole) {
        source->position = start;
        status = fail_truncated(source, what, *count, filled, error);
    }
    if (status != FAL_OK) {
        free(block);
        return status;
    }
    *count = filled;
    *memory = block;
    return FAL_OK;
}

fal_status io_source_take(io_source *source, uint64_t count, const char *what, void **memory,
                          fal_error *error)
{
    if (source->size == IO_UNKNOWN_SIZE) {
        if (count > source->limit) {
            char wanted[IO_SIZE_TEXT], limit[IO_SIZE_TEXT];
            io_fail(error, FAL_E_LIMIT, &source->place, source->position, "%s needs %s", what,
                    io_size_text(wanted, count));
            io_allowed(error, FAL_E_LIMIT, "a stream may give %s", io_size_text(limit, source->limit));
            return io_raise(error, "bytes", count);
        }
        return take_growing(source, &count, false, what, memory, error);
    }
    uint64_t present = source->position > source->size ? 0 : source->size - source->position;
    if (count > present) return fail_truncated(source, what, count, present, error);
    void *block = count > SIZE_MAX ? NULL : malloc(count > 0 ? (size_t)count : 1);
    if (block == NULL) return io_fail_memory(error, &source->place, what, count);
    /* The file may have become shorter since it was opened. */
    fal_status status = io_source_exact(source, block, (size_t)count, what, error);
    if (status != FAL_OK) {
        free(block);
        return status;
    }
    *memory = block;
    return FAL_OK;
}

fal_status io_source_seek(io_source *source, uint64_t position, fal_error *error)
{
    if (source->memory == NULL && lseek(source->fd, (off_t)position, SEEK_SET) < 0) {
        return io_fail_system(error, &source->place, "read it", errno);
    }
    source->ahead_used = source->ahead_count = 0;
    source->position = position;
    return FAL_OK;
}

fal_status io_source_load(io_source *source, fal_error *error)
{
    if (source->memory != NULL) return FAL_OK;
    void *memory = NULL;
    uint64_t count;
    if (source->size == IO_UNKNOWN_SIZE) {
        /* One byte above the limit tells a stream that ends there from one that goes on. */
        count = source->limit == UINT64_MAX ? source->limit : source->limit + 1;
        IO_TRY(take_growing(source, &count, true, "the stream", &memory, error));
        if (count > source->limit) {
            char limit[IO_SIZE_TEXT];
            free(memory);
            io_fail(error, FAL_E_LIMIT, &source->place, source->position, "the stream goes on");
            io_allowed(error, FAL_E_LIMIT, "a stream may give %s", io_size_text(limit, source->limit));
            return io_raise(error, "bytes", source->limit > INT64_MAX / 2 ? INT64_MAX : 2 * source->limit);
        }
    } else {
        count = source->size - source->position;
        IO_TRY(io_source_take(source, count, "the file", &memory, error));
    }
    io_source_close(source);
    source->memory = memory;
    source->size = count;
    source->position = 0;
    source->ahead_used = source->ahead_count = 0;
    source->pull = pull_memory;
    source->close = close_memory;
    return FAL_OK;
}

fal_status io_source_finish(io_source *source, bool allow, fal_error *error)
{
    unsigned char rest[4096];
    size_t got = 0;
    uint64_t end = source->position;
    if (allow && source->handle == NULL) return FAL_OK;
    do {
        IO_TRY(io_source_read(source, rest, sizeof rest, &got, error));
        if (got > 0 && !allow) {
            bool counted = source->size != IO_UNKNOWN_SIZE && source->size > end;
            uint64_t left = counted ? source->size - end : 0;
            if (counted) {
                io_fail(error, FAL_E_TRAILING, &source->place, end, "%" PRIu64 " byte%s after the array",
                        left, left == 1 ? "" : "s");
            } else {
                io_fail(error, FAL_E_TRAILING, &source->place, end, "bytes after the array");
            }
            return io_allowed(error, FAL_E_TRAILING, "the file must end with its array");
        }
    } while (got == sizeof rest);
    return FAL_OK;
}
