/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npz_write.c: tensors as a stored .npz, through libzip.
 *
 * libzip asks two things of us: a source for each member (header, then packed elements, made as they
 * are read, so a view is never copied whole), and a place to write, which here is the temporary file
 * of io_file. Dates are the zip epoch, as NumPy's: equal tensors give equal files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "io/npy_header.h"
#include "io/pack.h"

typedef struct member_source {
    const fal_tensor *tensor;
    unsigned char header[IO_NPY_HEADER_BYTES];
    size_t header_length, header_used;
    io_packer packer;
    unsigned char piece[4096]; /* elements packed and not yet given */
    size_t piece_length, piece_used;
} member_source;

static zip_int64_t report_support(const int *commands, size_t count)
{
    zip_int64_t mask = 0;
    for (size_t i = 0; i < count; i++) mask |= (zip_int64_t)ZIP_SOURCE_MAKE_COMMAND_BITMASK(commands[i]);
    return mask;
}

static zip_int64_t read_member(member_source *m, unsigned char *out, zip_uint64_t length)
{
    size_t filled = 0;
    while (filled < length) {
        if (m->header_used < m->header_length) {
            out[filled++] = m->header[m->header_used++];
            continue;
        }
        if (m->piece_used == m->piece_length) {
            m->piece_used = 0;
            m->piece_length = io_pack_next(&m->packer, m->piece, sizeof m->piece);
            if (m->piece_length == 0) break;
        }
        size_t step = m->piece_length - m->piece_used;
        if (step > length - filled) step = (size_t)length - filled;
        memcpy(out + filled, m->piece + m->piece_used, step);
        filled += step;
        m->piece_used += step;
    }
    return (zip_int64_t)filled;
}

static zip_int64_t serve_member(void *state, void *data, zip_uint64_t length, zip_source_cmd_t command)
{
    static const int known[] = {ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                ZIP_SOURCE_STAT, ZIP_SOURCE_FREE, ZIP_SOURCE_ERROR};
    member_source *m = state;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        m->packer = io_pack_begin(m->tensor);
        m->header_used = m->piece_used = m->piece_length = 0;
        return 0;
    case ZIP_SOURCE_READ: return read_member(m, data, length);
    case ZIP_SOURCE_CLOSE: return 0;
    case ZIP_SOURCE_STAT: {
        zip_stat_t *stat = data;
        zip_stat_init(stat);
        stat->size = m->header_length + (zip_uint64_t)fal_tensor_count(m->tensor) * m->packer.width;
        stat->valid = ZIP_STAT_SIZE;
        return sizeof *stat;
    }
    case ZIP_SOURCE_FREE: free(m); return 0;
    case ZIP_SOURCE_ERROR: memset(data, 0, 2 * sizeof(int)); return 2 * sizeof(int);
    case ZIP_SOURCE_SUPPORTS: return report_support(known, sizeof known / sizeof *known);
    default: return -1;
    }
}

/* Where libzip writes: it never reads back. Errors are kept in our own words. */
typedef struct sink {
    io_file *file;
    uint64_t position, end;
    fal_status status;
    fal_error error;
} sink;

static zip_int64_t seek_sink(sink *s, void *data, zip_uint64_t length)
{
    zip_error_t ignored;
    zip_error_init(&ignored);
    zip_int64_t to = zip_source_seek_compute_offset(s->position, s->end, data, length, &ignored);
    zip_error_fini(&ignored);
    if (to < 0) return -1;
    s->position = (uint64_t)to;
    s->status = io_file_seek(s->file, s->position, &s->error);
    return s->status == FAL_OK ? 0 : -1;
}

static zip_int64_t serve_sink(void *state, void *data, zip_uint64_t length, zip_source_cmd_t command)
{
    static const int known[] = {
        ZIP_SOURCE_OPEN,           ZIP_SOURCE_READ,        ZIP_SOURCE_CLOSE,      ZIP_SOURCE_STAT,
        ZIP_SOURCE_ERROR,          ZIP_SOURCE_FREE,        ZIP_SOURCE_SEEK,       ZIP_SOURCE_TELL,
        ZIP_SOURCE_SUPPORTS,       ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_WRITE,      ZIP_SOURCE_COMMIT_WRITE,
        ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_SEEK_WRITE,  ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_REMOVE};
    sink *s = state;
    switch (command) {
    case ZIP_SOURCE_STAT: {
        zip_stat_t *stat = data;
        zip_stat_init(stat);
        stat->size = 0;
        stat->valid = ZIP_STAT_SIZE;
        return sizeof *stat;
    }
    case ZIP_SOURCE_WRITE:
        if (s->status == FAL_OK) s->status = io_file_write(s->file, data, (size_t)length, &s->error);
        if (s->status != FAL_OK) return -1;
        s->position += length;
        if (s->end < s->position) s->end = s->position;
        return (zip_int64_t)length;
    case ZIP_SOURCE_SEEK_WRITE: return seek_sink(s, data, length);
    case ZIP_SOURCE_TELL_WRITE: return (zip_int64_t)s->position;
    case ZIP_SOURCE_ERROR: {
        int codes[2] = {ZIP_ER_WRITE, EIO};
        memcpy(data, codes, sizeof codes);
        return sizeof codes;
    }
    case ZIP_SOURCE_SUPPORTS: return report_support(known, sizeof known / sizeof *known);
    case ZIP_SOURCE_READ:
    case ZIP_SOURCE_SEEK:
    case ZIP_SOURCE_TELL: return -1;
    default: return 0;
    }
}

/* libzip does not tell every failure to allocate from others; errno, which was 0, does. */
static fal_status fail_write(const io_place *place, fal_error *error)
{
    if (errno == ENOMEM) return io_fail_memory(error, place, "the archive", 0);
    return io_fail(error, FAL_E_IO, place, IO_NOWHERE, "the archive cannot be written");
}

static fal_status add_member(zip_t *zip, const io_named *item, const io_place *place, fal_error *error)
{
    member_source *m = calloc(1, sizeof *m);
    size_t length = strlen(item->name);
    char *name = malloc(length + 5);
    zip_source_t *source = NULL;
    if (m != NULL && name != NULL) {
        m->tensor = item->tensor;
        m->packer = io_pack_begin(item->tensor);
        m->header_length = io_npy_format_header(item->tensor, m->header);
        memcpy(name, item->name, length);
        memcpy(name + length, ".npy", 5);
        source = zip_source_function(zip, serve_member, m);
    }
    if (source == NULL) {
        free(m);
        free(name);
        return io_fail_memory(error, place, "an archive member", sizeof *m + length);
    }
    zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    free(name);
    if (index < 0) {
        int code = zip_error_code_zip(zip_get_error(zip));
        zip_source_free(source);
        if (code != ZIP_ER_EXISTS && code != ZIP_ER_INVAL) return fail_write(place, error);
        char text[IO_TEXT];
        io_escape(text, item->name, length);
        return code == ZIP_ER_EXISTS
                   ? io_fail(error, FAL_E_DUPLICATE, place, IO_NOWHERE, "two tensors are named '%s'", text)
                   : io_fail(error, FAL_E_NAME, place, IO_NOWHERE, "the name '%s' is not UTF-8", text);
    }
    const zip_uint16_t epoch = 1 << 5 | 1; /* 1980-01-01 */
    bool set = zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
               zip_file_set_dostime(zip, (zip_uint64_t)index, 0, epoch, 0) == 0;
    return set ? FAL_OK : fail_write(place, error);
}

fal_status io_npz_write(io_file *file, const io_named *items, size_t count, const io_write_options *options,
                        fal_error *error)
{
    (void)options;
    const io_place place = io_file_place(file);
    if (file->temporary == NULL) {
        io_fail(error, FAL_E_UNSUPPORTED, &place, IO_NOWHERE, "an .npz cannot be written to a stream");
        return io_allowed(error, FAL_E_UNSUPPORTED, ".npy and .safetensors can");
    }
    sink s = {.file = file, .status = FAL_OK};
    zip_error_t reason;
    zip_error_init(&reason);
    errno = 0;
    zip_source_t *target = zip_source_function_create(serve_sink, &s, &reason);
    zip_t *zip = target == NULL ? NULL : zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &reason);
    zip_error_fini(&reason);
    if (zip == NULL) {
        if (target != NULL) zip_source_free(target);
        return fail_write(&place, error);
    }
    fal_status status = FAL_OK;
    for (size_t i = 0; i < count && status == FAL_OK; i++) status = add_member(zip, items + i, &place, error);
    if (status == FAL_OK && zip_close(zip) == 0) return FAL_OK;
    zip_discard(zip);
    if (status != FAL_OK) return status;
    if (s.status == FAL_OK) return fail_write(&place, error);
    if (error != NULL) *error = s.error;
    return s.status;
}
