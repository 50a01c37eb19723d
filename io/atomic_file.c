/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * atomic_file.c: io_file, a file that appears complete or not at all.
 *
 *     begin    DIR/.faltung-PID-N.tmp     created; its path entered in a table
 *     write    64 KiB buffer
 *     seal     flush, fsync, close
 *     commit   seal, and rename to the final name (or link, which cannot replace)
 *
 * The table is what a signal handler walks. A slot is published by one atomic store of its state
 * after its path is complete, so the handler sees a whole path or none.
 */
#define _XOPEN_SOURCE     700
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/formats.h"

enum { BUFFER = 65536, SLOTS = 16, PATH = 4096, TRIES = 100 };

static char slot_path[SLOTS][PATH];
static volatile sig_atomic_t slot_used[SLOTS];

void io_cleanup_temporaries(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (slot_used[i]) unlink(slot_path[i]);
}

static int register_temporary(const char *path)
{
    for (int i = 0; i < SLOTS; i++) {
        if (slot_used[i]) continue;
        strcpy(slot_path[i], path);
        slot_used[i] = 1;
        return i;
    }
    return -1;
}

io_place io_file_place(const io_file *file)
{
    return (io_place){.name = strcmp(file->path, "-") == 0 ? "standard output" : file->path};
}

/* Forgets everything about the file but the struct itself. */
static void release(io_file *file)
{
    if (file->fd > STDERR_FILENO) close(file->fd);
    if (file->slot >= 0) slot_used[file->slot] = 0;
    free(file->path);
    free(file->temporary);
    free(file->buffer);
    *file = (io_file){.fd = -1, .slot = -1};
}

/* Creates the temporary beside the final file, because only there a rename is atomic. It gets the
 * permissions of the file that it will replace. */
static fal_status create_temporary(io_file *file, const struct stat *old, fal_error *error)
{
    const io_place place = io_file_place(file);
    const char *slash = strrchr(file->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - file->path + 1);
    size_t capacity = (size_t)folder + 64;
    if (capacity > PATH) return io_fail_system(error, &place, "create it", ENAMETOOLONG);
    file->temporary = malloc(capacity);
    if (file->temporary == NULL) return io_fail_memory(error, &place, "a file name", capacity);
    mode_t mode = old != NULL ? old->st_mode & 0777 : 0666;
    int number = EEXIST;
    /* Its path is entered first: a signal may come as soon as the file is there. */
    for (int n = 0; n < TRIES && file->fd < 0 && number == EEXIST; n++) {
        snprintf(file->temporary, capacity, "%.*s.faltung-%ld-%d.tmp", folder, file->path, (long)getpid(), n);
        file->slot = register_temporary(file->temporary);
        if (file->slot < 0) {
            free(file->temporary);
            file->temporary = NULL; /* it is not there to be removed */
            return io_fail(error, FAL_E_IO, &place, IO_NOWHERE, "more than %d files are being written",
                           SLOTS);
        }
        file->fd = io_open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        number = errno;
        if (file->fd < 0) slot_used[file->slot] = 0;
    }
    if (file->fd < 0) {
        file->slot = -1;
        free(file->temporary);
        file->temporary = NULL;
        return io_fail_system(error, &place, "create it", number);
    }
    /* Failing to keep the permissions is no reason to lose the result. */
    if (old != NULL && fchmod(file->fd, mode) != 0) errno = 0;
    return FAL_OK;
}

static fal_status refuse_existing(const io_file *file, fal_error *error)
{
    const io_place place = io_file_place(file);
    io_fail(error, FAL_E_EXISTS, &place, IO_NOWHERE, "the file exists");
    return io_hint(error, FAL_E_EXISTS, "-f overwrites it");
}

/* The file behind a symbolic link is what gets replaced, not the link. */
static fal_status resolve_link(io_file *file, fal_error *error)
{
    char *target = realpath(file->path, NULL);
    if (target == NULL) {
        const io_place place = io_file_place(file);
        return io_fail_system(error, &place, "follow the link", errno);
    }
    free(file->path);
    file->path = target;
    return FAL_OK;
}

static fal_status open_output(io_file *file, fal_error *error)
{
    if (strcmp(file->path, "-") == 0) {
        file->fd = STDOUT_FILENO;
        return FAL_OK;
    }
    const io_place place = io_file_place(file);
    struct stat old;
    if (stat(file->path, &old) != 0) {
        if (errno != ENOENT) return io_fail_system(error, &place, "write it", errno);
        if (lstat(file->path, &old) != 0) return create_temporary(file, NULL, error);
        return io_fail(error, FAL_E_IO, &place, IO_NOWHERE, "it is a link to a file that does not exist");
    }
    if (S_ISDIR(old.st_mode)) return io_fail_system(error, &place, "write it", EISDIR);
    if (!S_ISREG(old.st_mode)) {
        file->fd = io_open(file->path, O_WRONLY | O_CLOEXEC, 0);
        return file->fd < 0 ? io_fail_system(error, &place, "open it", errno) : FAL_OK;
    }
    if (!file->overwrite) return refuse_existing(file, error);
    /* Renaming needs no right to the file itself; asking for it keeps a read-only file safe. */
    if (access(file->path, W_OK) != 0) return io_fail_system(error, &place, "overwrite it", errno);
    IO_TRY(resolve_link(file, error));
    return create_temporary(file, &old, error);
}

fal_status io_file_begin(io_file *file, const char *path, bool overwrite, fal_error *error)
{
    *file = (io_file){.fd = -1, .slot = -1, .overwrite = overwrite};
    size_t length = strlen(path);
    const io_place place = {.name = path};
    if (length == 0) return io_fail(error, FAL_E_NOTFOUND, &place, IO_NOWHERE, "the file name is empty");
    file->path = malloc(length + 1);
    file->buffer = malloc(BUFFER);
    fal_status status = FAL_OK;
    if (file->path == NULL || file->buffer == NULL) {
        status = io_fail_memory(error, &place, "a write buffer", BUFFER);
    } else {
        memcpy(file->path, path, length + 1);
        status = open_output(file, error);
    }
    if (status != FAL_OK) io_file_abort(file);
    return status;
}

static fal_status write_out(io_file *file, const unsigned char *bytes, size_t count, fal_error *error)
{
    const size_t most = (size_t)1 << 30;
    while (count > 0) {
        ssize_t done = write(file->fd, bytes, count < most ? count : most);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            const io_place place = io_file_place(file);
            return io_fail_system(error, &place, "write it", done < 0 ? errno : EIO);
        }
        bytes += done;
        count -= (size_t)done;
    }
    return FAL_OK;
}

static fal_status flush(io_file *file, fal_error *error)
{
    size_t used = file->used;
    file->used = 0;
    return write_out(file, file->buffer, used, error);
}

fal_status io_file_write(io_file *file, const void *bytes, size_t count, fal_error *error)
{
    if (count > BUFFER - file->used) {
        IO_TRY(flush(file, error));
        if (count >= BUFFER) return write_out(file, bytes, count, error);
    }
    if (count > 0) memcpy(file->buffer + file->used, bytes, count);
    file->used += count;
    return FAL_OK;
}

fal_status io_file_print(io_file *file, fal_error *error, const char *format, ...)
{
    char text[1024], *longer = NULL;
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int length = vsnprintf(text, sizeof text, format, values);
    fal_status status = FAL_OK;
    const io_place place = io_file_place(file);
    if (length >= (int)sizeof text) {
        longer = malloc((size_t)length + 1);
        if (longer == NULL)
            status = io_fail_memory(error, &place, "a line of text", (uint64_t)length + 1);
        else
            vsnprintf(longer, (size_t)length + 1, format, again);
    } else if (length < 0) {
        status = io_fail(error, FAL_E_INTERNAL, &place, IO_NOWHERE, "a text cannot be formatted");
    }
    va_end(again);
    va_end(values);
    if (status == FAL_OK) {
        status = io_file_write(file, longer != NULL ? longer : text, (size_t)length, error);
    }
    free(longer);
    return status;
}

fal_status io_file_seek(io_file *file, uint64_t position, fal_error *error)
{
    IO_TRY(flush(file, error));
    if (lseek(file->fd, (off_t)position, SEEK_SET) >= 0) return FAL_OK;
    const io_place place = io_file_place(file);
    return io_fail_system(error, &place, "write it", errno);
}

/* Waits until the disk has it. */
static fal_status sync_and_close(io_file *file, fal_error *error)
{
    const io_place place = io_file_place(file);
    int synced;
    do synced = fsync(file->fd);
    while (synced != 0 && errno == EINTR);
    int number = synced != 0 ? errno : 0;
    /* An interrupted close has closed the file on Linux, and elsewhere trying again might close another. */
    if (close(file->fd) != 0 && number == 0 && errno != EINTR) number = errno;
    file->fd = -1;
    return number == 0 ? FAL_OK : io_fail_system(error, &place, "write it", number);
}

/* Gives the complete temporary its final name. A link fails where a file appeared since begin; where
 * the file system has no links, a check and a rename are the next best. */
static fal_status publish(io_file *file, fal_error *error)
{
    const io_place place = io_file_place(file);
    if (!file->overwrite) {
        if (link(file->temporary, file->path) == 0) {
            unlink(file->temporary);
            return FAL_OK;
        }
        if (errno == EEXIST) return refuse_existing(file, error);
        struct stat other;
        if (lstat(file->path, &other) == 0) return refuse_existing(file, error);
    }
    if (rename(file->temporary, file->path) != 0) return io_fail_system(error, &place, "rename it", errno);
    return FAL_OK;
}

fal_status io_file_seal(io_file *file, fal_error *error)
{
    fal_status status = flush(file, error);
    if (status == FAL_OK && file->temporary != NULL) status = sync_and_close(file, error);
    if (status != FAL_OK) io_file_abort(file);
    return status;
}

fal_status io_file_commit(io_file *file, fal_error *error)
{
    if (file->fd >= 0) IO_TRY(io_file_seal(file, error));
    fal_status status = file->temporary != NULL ? publish(file, error) : FAL_OK;
    if (status == FAL_OK)
        release(file);
    else
        io_file_abort(file);
    return status;
}

void io_file_abort(io_file *file)
{
    if (file->path == NULL && file->buffer == NULL) return;
    if (file->temporary != NULL) unlink(file->temporary);
    release(file);
}
