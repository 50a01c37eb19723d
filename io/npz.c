/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npz.c: the arrays of an .npz archive, each an .npy member stored or deflated.
 *
 * A member becomes a source, so npy_read.c reads it like a file. Its size is what the proved
 * directory declares; libzip inflates and compares the checksum when the end is reached.
 */
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "io/choice.h"
#include "io/formats.h"
#include "io/npz_directory.h"

typedef struct archive {
    io_source *source;
    io_npz_directory directory;
    zip_t *zip;
} archive;

/* libzip names many failures by what it was about to do. errno, which is set to 0 before libzip is called,
 * tells when the reason was too little memory. */
static fal_status fail_zip(fal_error *error, const io_place *place, uint64_t offset, int code)
{
    switch (errno == ENOMEM ? ZIP_ER_MEMORY : code) {
    case ZIP_ER_MEMORY: return io_fail(error, FAL_E_NOMEM, place, IO_NOWHERE, "no memory to unpack it");
    case ZIP_ER_CRC: return io_fail(error, FAL_E_CHECKSUM, place, IO_NOWHERE, "the CRC-32 does not match");
    case ZIP_ER_OPEN:
    case ZIP_ER_READ:
    case ZIP_ER_SEEK:
    case ZIP_ER_TELL: return io_fail(error, FAL_E_IO, place, offset, "the archive cannot be read");
    case ZIP_ER_EOF:
        return io_fail(error, FAL_E_COMPRESSED, place, offset, "the compressed data ends too early");
    case ZIP_ER_ZLIB:
    case ZIP_ER_COMPRESSED_DATA:
        return io_fail(error, FAL_E_COMPRESSED, place, offset, "the compressed data is damaged");
    case ZIP_ER_INCONS:
    case ZIP_ER_NOZIP:
        return io_fail(error, FAL_E_HEADER, place, IO_NOWHERE, "the archive contradicts itself");
    case ZIP_ER_COMPNOTSUPP:
    case ZIP_ER_ENCRNOTSUPP:
        return io_fail(error, FAL_E_UNSUPPORTED, place, IO_NOWHERE, "the member is packed in an unknown way");
    default: return io_fail(error, FAL_E_IO, place, offset, "the archive cannot be read (code %d)", code);
    }
}

static zip_source_t *zip_source_of(io_source *source, zip_error_t *error)
{
    if (source->memory != NULL) return zip_source_buffer_create(source->memory, source->size, 0, error);
    int fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 3);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (file == NULL) {
        if (fd >= 0) close(fd);
        zip_error_set(error, ZIP_ER_OPEN, errno);
        return NULL;
    }
    zip_source_t *result = zip_source_filep_create(file, 0, -1, error);
    if (result == NULL) fclose(file);
    return result;
}

static void archive_close(archive *a)
{
    if (a->zip != NULL) zip_discard(a->zip);
    io_npz_directory_free(&a->directory);
}

static fal_status archive_open(archive *a, io_source *source, const io_limits *limits, fal_error *error)
{
    *a = (archive){.source = source};
    if (source->size == IO_UNKNOWN_SIZE) IO_TRY(io_source_load(source, error));
    IO_TRY(io_npz_directory_read(source, limits, &a->directory, error));
    fal_status status = io_source_seek(source, 0, error);
    if (status != FAL_OK) {
        archive_close(a);
        return status;
    }
    zip_error_t reason;
    zip_error_init(&reason);
    errno = 0;
    zip_source_t *bytes = zip_source_of(source, &reason);
    if (bytes != NULL) {
        a->zip = zip_open_from_source(bytes, ZIP_RDONLY, &reason);
        if (a->zip == NULL) zip_source_free(bytes);
    }
    if (a->zip == NULL) status = fail_zip(error, &source->place, 0, zip_error_code_zip(&reason));
    zip_error_fini(&reason);
    if (status == FAL_OK && zip_get_num_entries(a->zip, 0) != (zip_int64_t)a->directory.count) {
        status = fail_zip(error, &source->place, 0, ZIP_ER_INCONS);
    }
    if (status != FAL_OK) archive_close(a);
    return status;
}

static fal_status pull_member(io_source *source, void *to, size_t count, size_t *got, fal_error *error)
{
    uint64_t left = source->size - source->position;
    zip_file_t *file = source->handle;
    unsigned char extra;
    errno = 0;
    /* At the declared end, asking for one more byte makes libzip compare the checksum. */
    zip_int64_t done = zip_fread(file, left > 0 ? to : &extra, left == 0 ? 1 : left < count ? left : count);
    int code = done < 0 ? zip_error_code_zip(zip_file_get_error(file)) : ZIP_ER_OK;
    /* libzip notices an early end only because the checksum of what came is wrong. */
    bool failed = done < 0 && errno == ENOMEM;
    bool early = !failed && (done == 0 || code == ZIP_ER_CRC || code == ZIP_ER_INCONS || code == ZIP_ER_EOF);
    if (left > 0 && early) {
        return io_fail(error, FAL_E_COMPRESSED, &source->place, source->position,
                       "the data ends after %" PRIu64 " of %" PRIu64 " bytes", source->position,
                       source->size);
    }
    if (done < 0) return fail_zip(error, &source->place, source->position, code);
    if (left == 0 && done > 0) {
        return io_fail(error, FAL_E_COMPRESSED, &source->place, source->position,
                       "the data is longer than the %" PRIu64 " bytes declared", source->size);
    }
    *got = (size_t)done;
    return FAL_OK;
}

static void close_member(io_source *source)
{
    zip_fclose(source->handle);
}

/* What must hold before a byte of the member is unpacked. */
static fal_status check_member(const io_npz_member *m, const io_place *place, const io_limits *limits,
                               fal_error *error)
{
    char size[IO_SIZE_TEXT], limit[IO_SIZE_TEXT];
    if ((m->flags & 1) != 0) {
        return io_fail(error, FAL_E_UNSUPPORTED, place, m->offset, "encrypted members are not supported");
    }
    if (m->method != 0 && m->method != 8) {
        io_fail(error, FAL_E_UNSUPPORTED, place, m->offset, "compression method %u", (unsigned)m->method);
        return io_allowed(error, FAL_E_UNSUPPORTED, "0 (stored) and 8 (deflate) are supported");
    }
    if (m->method == 0 && m->stored != m->size) {
        return io_fail(error, FAL_E_HEADER, place, m->offset,
                       "stored %" PRIu64 " bytes, but %" PRIu64 " unpacked", m->stored, m->size);
    }
    if (m->method == 8 && m->size > limits->stream_bytes) {
        io_fail(error, FAL_E_LIMIT, place, m->offset, "%s unpacked", io_size_text(size, m->size));
        io_allowed(error, FAL_E_LIMIT, "at most %s", io_size_text(limit, limits->stream_bytes));
        return io_raise(error, "bytes", m->size);
    }
    /* Deflate makes at most 258 bytes of 2 bits. */
    if (m->method == 8 && (m->size > UINT64_MAX / 2 || m->size / 1032 > m->stored + 1)) {
        io_fail(error, FAL_E_BOMB, place, m->offset, "%" PRIu64 " bytes are to become %" PRIu64, m->stored,
                m->size);
        return io_allowed(error, FAL_E_BOMB, "deflate makes at most 1032 of one");
    }
    return FAL_OK;
}

/* Opens a member as a source. `name` is what messages show and must outlive it. */
static fal_status open_member(archive *a, const io_npz_member *m, const char *name, const io_limits *limits,
                              io_source *out, fal_error *error)
{
    const io_place place = {.name = a->source->place.name, .member = name};
    *out = (io_source){.place = place, .size = m->size, .limit = limits->stream_bytes, .fd = -1};
    IO_TRY(check_member(m, &place, limits, error));
    zip_stat_t seen;
    errno = 0;
    if (zip_stat_index(a->zip, m->index, 0, &seen) != 0 || seen.size != m->size ||
        seen.comp_size != m->stored) {
        return fail_zip(error, &place, m->offset, ZIP_ER_INCONS);
    }
    out->handle = zip_fopen_index(a->zip, m->index, 0);
    if (out->handle == NULL) {
        return fail_zip(error, &place, m->offset, zip_error_code_zip(zip_get_error(a->zip)));
    }
    out->pull = pull_member;
    out->close = close_member;
    return FAL_OK;
}

/* The length of the name that a person uses: without ".npy". 0 for members that are no arrays. */
static size_t array_name(const io_npz_member *m)
{
    bool array = m->name_length > 4 && memcmp(m->name + m->name_length - 4, ".npy", 4) == 0;
    return array ? m->name_length - 4u : 0;
}

static bool is_named(const io_npz_member *m, const char *name)
{
    size_t length = strlen(name), array = array_name(m);
    return (length == m->name_length || (array > 0 && length == array)) && memcmp(m->name, name, length) == 0;
}

/* Finds the member to read: the named one, or the only one. */
static fal_status choose(const archive *a, const char *member, const io_npz_member **out, fal_error *error)
{
    const io_npz_member *only = NULL;
    io_choice choice = {.wanted = member};
    for (size_t i = 0; i < a->directory.count; i++) {
        const io_npz_member *m = a->directory.members + i;
        if (member != NULL && is_named(m, member)) {
            *out = m;
            return FAL_OK;
        }
        if (array_name(m) > 0) {
            io_choice_add(&choice, m->name, array_name(m));
            only = m;
        }
    }
    if (member != NULL || choice.count != 1) return io_choice_fail(&choice, &a->source->place, error);
    *out = only;
    return FAL_OK;
}

/* A terminated copy of the name without ".npy", for messages. */
static char *copy_name(const io_npz_member *m)
{
    size_t length = array_name(m) > 0 ? array_name(m) : m->name_length;
    char *name = malloc(length + 1);
    if (name == NULL) return NULL;
    memcpy(name, m->name, length);
    name[length] = 0;
    return name;
}

fal_status io_npz_read(io_source *source, const char *member, const io_read_options *options, io_array *out,
                       fal_error *error)
{
    archive a;
    const io_npz_member *m = NULL;
    IO_TRY(archive_open(&a, source, &options->limits, error));
    fal_status status = choose(&a, member, &m, error);
    char *name = status == FAL_OK ? copy_name(m) : NULL;
    if (status == FAL_OK && name == NULL) status = io_fail_memory(error, &source->place, "a name", 1);
    if (status == FAL_OK) {
        io_source data;
        status = open_member(&a, m, name, &options->limits, &data, error);
        if (status == FAL_OK) status = io_npy_read(&data, name, options, out, error);
        io_source_close(&data);
    }
    free(name);
    archive_close(&a);
    return status;
}

/* One entry. A member that could not be read is listed, too, as an entry without a type. */
static fal_status list_member(archive *a, const io_npz_member *m, const io_read_options *options,
                              io_listing *out, fal_error *error)
{
    io_source data;
    char *name = copy_name(m);
    if (name == NULL) return io_fail_memory(error, &a->source->place, "a name", m->name_length);
    size_t before = out->count;
    fal_error reason = {0};
    fal_status status = open_member(a, m, name, &options->limits, &data, &reason);
    if (status == FAL_OK) status = io_npy_list(&data, name, options, out, &reason);
    io_source_close(&data);
    if (status == FAL_E_NOMEM || status == FAL_E_IO) {
        if (error != NULL) *error = reason;
    } else if (status != FAL_OK && out->count == before) {
        io_entry *entry = NULL;
        status = io_listing_add(out, name, strlen(name), &a->source->place, &entry, error);
        if (status == FAL_OK) {
            entry->rank = -1;
            entry->bytes = m->size;
        }
    }
    if (status == FAL_OK) out->entries[out->count - 1].stored_bytes = m->stored;
    free(name);
    return status;
}

fal_status io_npz_list(io_source *source, const char *member, const io_read_options *options, io_listing *out,
                       fal_error *error)
{
    archive a;
    IO_TRY(archive_open(&a, source, &options->limits, error));
    fal_status status = FAL_OK;
    if (member != NULL) {
        const io_npz_member *m = NULL;
        status = choose(&a, member, &m, error);
        if (status == FAL_OK) status = list_member(&a, m, options, out, error);
    } else {
        for (size_t i = 0; i < a.directory.count && status == FAL_OK; i++) {
            if (array_name(a.directory.members + i) == 0) continue;
            status = list_member(&a, a.directory.members + i, options, out, error);
        }
    }
    archive_close(&a);
    return status;
}
