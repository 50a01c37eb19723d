/* SPDX-License-Identifier: BSD-3-Clause */
/* npz_directory.c: see npz_directory.h. The end of the archive is found by npz_end.c. */
#include "io/npz_directory.h"

#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/npz_end.h"

enum { LOCAL = 30, CENTRAL = 46, DESCRIPTOR = 8, AES = 99 };

static const uint32_t saturated = UINT32_MAX;

static fal_status fail_at(io_source *source, uint64_t offset, const char *what, fal_error *error)
{
    return io_fail(error, FAL_E_HEADER, &source->place, offset, "%s", what);
}

/* Replaces saturated 32-bit values, in their fixed order, by those of extra field 1. */
static bool read_zip64_extra(const unsigned char *extra, size_t length, uint64_t **values, size_t count)
{
    size_t at = 0;
    while (length - at >= 4) {
        size_t size = io_le16(extra + at + 2);
        const unsigned char *field = extra + at + 4;
        if (size > length - at - 4) return false;
        if (io_le16(extra + at) == 1) {
            for (size_t i = 0, used = 0; i < count; i++) {
                if (*values[i] != saturated) continue;
                if (used + 8 > size) return false;
                *values[i] = io_le64(field + used);
                used += 8;
            }
            return true;
        }
        at += 4 + size;
    }
    /* Fewer than four bytes may be left as padding. A value that is truly 2^32-1 needs no field. */
    return true;
}

/* The name never becomes a path; refusing what would escape a folder keeps the archive harmless for
 * those who do unpack it, and tells that it was made with bad intent. */
static fal_status check_name(const io_npz_member *member, io_source *source, uint64_t offset, uint64_t limit,
                             fal_error *error)
{
    const char *name = member->name;
    size_t length = member->name_length;
    char text[IO_TEXT];
    if (length == 0) return io_fail(error, FAL_E_NAME, &source->place, offset, "a member has no name");
    io_escape(text, name, length);
    if (length > limit) {
        io_fail(error, FAL_E_LIMIT, &source->place, offset, "a member name of %zu bytes", length);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, limit);
        return io_raise(error, "name", length);
    }
    bool drive = length > 2 && name[1] == ':' && (name[2] == '/' || name[2] == '\\');
    bool bad = name[0] == '/' || name[0] == '\\' || drive;
    for (size_t i = 0, start = 0; i <= length; i++) {
        bool end = i == length || name[i] == '/' || name[i] == '\\';
        if (end && i - start == 2 && memcmp(name + start, "..", 2) == 0) bad = true;
        if (end) start = i + 1;
        if (i < length && ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)) bad = true;
    }
    if (!bad) return FAL_OK;
    return io_fail(error, FAL_E_NAME, &source->place, offset, "the member name '%s' is not allowed", text);
}

/* A walk over the central directory. */
typedef struct walk {
    io_source *source;
    const unsigned char *bytes;
    uint64_t at, length, base; /* position, bytes, file offset of the first */
    uint64_t name_limit;
} walk;

/* The entry at w->at; moves on behind it. */
static fal_status read_central(walk *w, io_npz_member *out, fal_error *error)
{
    io_source *source = w->source;
    uint64_t left = w->length - w->at, offset = w->base + w->at;
    const unsigned char *p = w->bytes + w->at;
    if (left < CENTRAL || io_le32(p) != 0x02014b50) {
        return fail_at(source, offset, "a directory entry is damaged", error);
    }
    size_t name = io_le16(p + 28), extra = io_le16(p + 30), comment = io_le16(p + 32);
    uint64_t whole = (uint64_t)CENTRAL + name + extra + comment;
    if (whole > left) return fail_at(source, offset, "a directory entry runs past the directory", error);
    uint64_t disk = io_le16(p + 34);
    *out = (io_npz_member){.name = (const char *)p + CENTRAL,
                           .name_length = (uint16_t)name,
                           .flags = io_le16(p + 8),
                           .method = io_le16(p + 10),
                           .stored = io_le32(p + 20),
                           .size = io_le32(p + 24),
                           .offset = io_le32(p + 42)};
    uint64_t *values[3] = {&out->size, &out->stored, &out->offset};
    if (!read_zip64_extra(p + CENTRAL + name, extra, values, 3)) {
        return fail_at(source, offset, "the extra field of a directory entry is damaged", error);
    }
    if (disk != 0) {
        return io_fail(error, FAL_E_UNSUPPORTED, &source->place, offset,
                       "multi-part archives are not supported");
    }
    if (out->method == AES) {
        return io_fail(error, FAL_E_UNSUPPORTED, &source->place, offset,
                       "encrypted members are not supported");
    }
    w->at += whole;
    return check_name(out, source, offset, w->name_limit, error);
}

/* The local header must tell the same as the directory. Its sizes may be absent (a data descriptor
 * follows the data) or stand in extra field 1, as NumPy writes it. */
static fal_status check_local(io_source *source, uint64_t directory, io_npz_member *m, fal_error *error)
{
    unsigned char p[LOCAL];
    if (m->offset > directory || directory - m->offset < LOCAL) {
        return fail_at(source, m->offset, "a member begins outside the archive", error);
    }
    IO_TRY(io_source_seek(source, m->offset, error));
    IO_TRY(io_source_exact(source, p, LOCAL, "a member header", error));
    if (io_le32(p) != 0x04034b50) return fail_at(source, m->offset, "a member header is damaged", error);
    size_t name = io_le16(p + 26), extra = io_le16(p + 28);
    uint64_t start = m->offset + LOCAL + name + extra;
    if (start > directory || m->stored > directory - start) {
        char text[IO_TEXT];
        return io_fail(error, FAL_E_TRUNCATED, &source->place, m->offset,
                       "the data of '%s' runs past its end", io_escape(text, m->name, m->name_length));
    }
    void *text = NULL;
    IO_TRY(io_source_take(source, name + extra, "a member header", &text, error));
    uint64_t size = io_le32(p + 22), stored = io_le32(p + 18);
    uint64_t *values[2] = {&size, &stored};
    bool sound = read_zip64_extra((unsigned char *)text + name, extra, values, 2);
    bool same_name = name == m->name_length && memcmp(text, m->name, name) == 0;
    free(text);
    if (!sound) return fail_at(source, m->offset, "the extra field of a member is damaged", error);
    if (!same_name) return fail_at(source, m->offset, "a member has another name in the directory", error);
    bool told = (io_le16(p + 6) & DESCRIPTOR) == 0;
    if (told && (size != m->size || stored != m->stored || io_le16(p + 8) != m->method)) {
        return fail_at(source, m->offset, "a member has other sizes in the directory", error);
    }
    m->end = start + m->stored;
    return FAL_OK;
}

static int compare_offset(const void *left, const void *right)
{
    const io_npz_member *a = left, *b = right;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int compare_name(const void *left, const void *right)
{
    const io_npz_member *a = left, *b = right;
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->name, b->name, shorter);
    return order != 0 ? order : (int)a->name_length - (int)b->name_length;
}

static int compare_index(const void *left, const void *right)
{
    const io_npz_member *a = left, *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* No two members share a byte or a name, and nothing comes before the first. */
static fal_status check_relations(io_source *source, io_npz_directory *d, fal_error *error)
{
    io_npz_member *m = d->members;
    char first[IO_TEXT], second[IO_TEXT];
    qsort(m, d->count, sizeof *m, compare_name);
    for (size_t i = 1; i < d->count; i++) {
        if (compare_name(m + i - 1, m + i) != 0) continue;
        return io_fail(error, FAL_E_DUPLICATE, &source->place, m[i].offset, "two members are named '%s'",
                       io_escape(first, m[i].name, m[i].name_length));
    }
    qsort(m, d->count, sizeof *m, compare_offset);
    if (d->count > 0 && m->offset != 0) {
        return io_fail(error, FAL_E_TRAILING, &source->place, 0, "%" PRIu64 " bytes before the first member",
                       m->offset);
    }
    for (size_t i = 1; i < d->count; i++) {
        if (m[i - 1].end <= m[i].offset) continue;
        io_escape(first, m[i - 1].name, m[i - 1].name_length);
        io_escape(second, m[i].name, m[i].name_length);
        return io_fail(error, FAL_E_OVERLAP, &source->place, m[i].offset, "members '%s' and '%s' share bytes",
                       first, second);
    }
    qsort(m, d->count, sizeof *m, compare_index);
    return FAL_OK;
}

static fal_status read_members(io_source *source, const io_npz_end *end, const io_limits *limits,
                               io_npz_directory *out, fal_error *error)
{
    walk w = {.source = source,
              .bytes = out->bytes,
              .length = end->length,
              .base = end->offset,
              .name_limit = limits->name_bytes};
    for (; out->count < end->entries; out->count++) {
        IO_TRY(read_central(&w, out->members + out->count, error));
        out->members[out->count].index = out->count;
    }
    if (w.at != end->length) {
        return io_fail(error, FAL_E_HEADER, &source->place, end->offset + w.at,
                       "the directory holds more than the %" PRIu64 " entries that it counts", end->entries);
    }
    for (size_t i = 0; i < out->count; i++) IO_TRY(check_local(source, end->offset, out->members + i, error));
    return check_relations(source, out, error);
}

fal_status io_npz_directory_read(io_source *source, const io_limits *limits, io_npz_directory *out,
                                 fal_error *error)
{
    io_npz_end end;
    *out = (io_npz_directory){0};
    IO_TRY(io_npz_find_end(source, &end, error));
    if (end.entries > limits->members) {
        io_fail(error, FAL_E_LIMIT, &source->place, IO_NOWHERE, "%" PRIu64 " members", end.entries);
        io_allowed(error, FAL_E_LIMIT, "at most %" PRIu64, limits->members);
        return io_raise(error, "members", end.entries);
    }
    if (end.entries > end.length / CENTRAL) {
        return io_fail(error, FAL_E_HEADER, &source->place, end.offset,
                       "%" PRIu64 " members in a directory of %" PRIu64 " bytes", end.entries, end.length);
    }
    void *bytes = NULL;
    IO_TRY(io_source_seek(source, end.offset, error));
    IO_TRY(io_source_take(source, end.length, "the archive directory", &bytes, error));
    out->bytes = bytes;
    out->members = calloc((size_t)end.entries + 1, sizeof *out->members);
    fal_status status = FAL_OK;
    if (out->members == NULL)
        status = io_fail_memory(error, &source->place, "the members", end.entries * sizeof *out->members);
    if (status == FAL_OK) status = read_members(source, &end, limits, out, error);
    if (status != FAL_OK) io_npz_directory_free(out);
    return status;
}

void io_npz_directory_free(io_npz_directory *directory)
{
    free(directory->members);
    free(directory->bytes);
    *directory = (io_npz_directory){0};
}
