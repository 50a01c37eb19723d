/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * files.h: what the tests of io/ share: a scratch folder, whole files as bytes, and what every refusal
 * must look like. Tests run in the root of the source, so the golden files are at DATA.
 */
#ifndef TESTS_IO_FILES_H
#define TESTS_IO_FILES_H

/* The including file defines _XOPEN_SOURCE 700 first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io.h"

#define DATA "tests/io/data/"

typedef struct bytes {
    unsigned char *data;
    size_t count;
} bytes;

enum { ROOM = 1 << 20 }; /* more than any file of the tests that is loaded whole */

static char scratch[64];

static inline int make_scratch(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/faltung-io-XXXXXX");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

/* The number of files in the scratch folder, hidden ones included; with `clear` they are removed. */
static inline int scratch_files(bool clear)
{
    DIR *folder = opendir(scratch);
    int count = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", scratch, entry->d_name);
        if (clear) unlink(path);
        count++;
    }
    closedir(folder);
    return count;
}

static inline int remove_scratch(void **state)
{
    (void)state;
    scratch_files(true);
    return rmdir(scratch);
}

/* A path in the scratch folder; valid until the fourth call after it. */
static inline const char *at(const char *name)
{
    static char paths[4][160];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline bytes load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail_msg("%s is missing", path);
    bytes b = {.data = malloc(ROOM)};
    b.count = fread(b.data, 1, ROOM, file);
    fclose(file);
    return b;
}

static inline const char *store(const char *name, const void *data, size_t count)
{
    const char *path = at(name);
    unlink(path); /* a new file is written later; one that is cut short, at once */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, count, file), count);
    fclose(file);
    return path;
}

/* Room is the power of two above the count. */
static inline size_t room_for(size_t count)
{
    size_t room = 64;
    while (room < count) room *= 2;
    return room;
}

static inline void append(bytes *b, const void *data, size_t count)
{
    if (count == 0) return;
    if (b->data == NULL || room_for(b->count + count) > room_for(b->count)) {
        b->data = realloc(b->data, room_for(b->count + count));
        assert_non_null(b->data);
    }
    memcpy(b->data + b->count, data, count);
    b->count += count;
}

static inline void append_number(bytes *b, uint64_t value, int width, bool big)
{
    unsigned char out[8];
    for (int i = 0; i < width; i++) out[big ? width - 1 - i : i] = (unsigned char)(value >> (8 * i));
    append(b, out, (size_t)width);
}

/* The CRC-32 of zip and PNG. */
static inline uint32_t crc32_of(const void *data, size_t count)
{
    const unsigned char *p = data;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static inline bool printable(const char *text)
{
    for (; *text != 0; text++)
        if (*text < 0x20 || *text > 0x7e) return false;
    return true;
}

/* A refusal leaves nothing, and says something in printable ASCII. */
static inline void check_refusal(const io_array *out, const fal_error *error, fal_status status)
{
    assert_null(out->memory);
    assert_int_equal(error->status, status);
    assert_true(error->found[0] != 0);
    assert_true(printable(error->found) && printable(error->field) && printable(error->allowed));
    assert_true(printable(error->hint));
}

static inline void refused_as(const char *what, const char *spec, const io_read_options *options,
                              fal_status expected)
{
    io_array out;
    fal_error error = {0};
    fal_status status = io_read(spec, options, &out, &error);
    if (status != expected) {
        fail_msg("%s: %s, expected %s: %s [%s]", what, fal_status_name(status), fal_status_name(expected),
                 error.found, error.field);
    }
    check_refusal(&out, &error, status);
}

static inline io_array read_ok(const char *spec, const io_read_options *options)
{
    io_array out;
    fal_error error = {0};
    if (io_read(spec, options, &out, &error) != FAL_OK) {
        fail_msg("%s: %s [%s] %s", spec, error.found, error.field, error.allowed);
    }
    return out;
}

/* The next index in row-major order; false after the last. */
static inline bool next_index(const fal_tensor *t, int64_t *index)
{
    for (int32_t a = t->rank; a-- > 0;) {
        if (++index[a] < t->shape[a]) return true;
        index[a] = 0;
    }
    return false;
}

static inline void same_tensor(const fal_tensor *actual, const fal_tensor *expected)
{
    assert_int_equal(actual->dtype, expected->dtype);
    assert_int_equal(actual->rank, expected->rank);
    for (int32_t a = 0; a < actual->rank; a++) assert_true(actual->shape[a] == expected->shape[a]);
    if (fal_tensor_count(expected) == 0) return;
    int64_t index[FAL_MAX_RANK] = {0};
    do assert_true(fal_tensor_get(actual, index) == fal_tensor_get(expected, index));
    while (next_index(expected, index));
}

/* A row-major tensor 0, 1, 2, ... in `memory`. */
static inline fal_tensor ramp(void *memory, fal_dtype dtype, int32_t rank, const int64_t *shape)
{
    fal_tensor t = fal_tensor_of(memory, dtype, rank, shape);
    if (fal_tensor_count(&t) == 0) return t;
    int64_t index[FAL_MAX_RANK] = {0};
    double value = 0;
    do fal_tensor_set(&t, index, value++);
    while (next_index(&t, index));
    return t;
}

#endif
