/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * npz_end.c: see npz_end.h.
 *
 * The end record is found backwards, because a comment of up to 65535 bytes may follow it. A comment
 * that holds a second record would let two readers see two archives, so that is refused.
 */
#include "io/npz_end.h"

#include <stdlib.h>

#include "io/bytes.h"

enum { END = 22, LOCATOR = 20, END64 = 56, COMMENT = 65535 };

/* Position within the tail of the one end record whose comment ends with the file. */
static fal_status scan_tail(io_source *source, const unsigned char *tail, size_t length, uint64_t base,
                            size_t *out, fal_error *error)
{
    size_t found = 0, seen = 0;
    for (size_t at = length - END + 1; at-- > 0;) {
        if (io_le32(tail + at) != 0x06054b50) continue;
        seen++;
        if (io_le16(tail + at + 20) != length - at - END) continue;
        *out = at;
        found++;
    }
    if (found == 1) return FAL_OK;
    if (found > 1) {
        return io_fail(error, FAL_E_HEADER, &source->place, base + *out,
                       "the archive has two ends, one inside the comment of the other");
    }
    if (seen > 0) {
        return io_fail(error, FAL_E_HEADER, &source->place, base,
                       "the comment of the archive has a wrong length");
    }
    return io_fail(error, FAL_E_MAGIC, &source->place, base, "the end of the archive is missing");
}

/* The zip64 record before a locator before the end record. */
static fal_status read_end64(io_source *source, uint64_t locator, io_npz_end *out, uint64_t *start,
                             fal_error *error)
{
    unsigned char p[END64];
    IO_TRY(io_source_seek(source, locator, error));
    IO_TRY(io_source_exact(source, p, LOCATOR, "the zip64 locator", error));
    uint64_t offset = io_le64(p + 8);
    if (offset > locator || locator - offset < END64) {
        return io_fail(error, FAL_E_HEADER, &source->place, locator,
                       "the zip64 end is not where it should be");
    }
    IO_TRY(io_source_seek(source, offset, error));
    IO_TRY(io_source_exact(source, p, END64, "the zip64 end", error));
    if (io_le32(p) != 0x06064b50 || io_le64(p + 4) != locator - offset - 12) {
        return io_fail(error, FAL_E_HEADER, &source->place, offset, "the zip64 end is damaged");
    }
    if (io_le32(p + 16) != 0 || io_le32(p + 20) != 0 || io_le64(p + 24) != io_le64(p + 32)) {
        return io_fail(error, FAL_E_UNSUPPORTED, &source->place, offset,
                       "multi-part archives are not supported");
    }
    *out = (io_npz_end){.entries = io_le64(p + 32), .length = io_le64(p + 40), .offset = io_le64(p + 48)};
    *start = offset;
    return FAL_OK;
}

static fal_status read_end(io_source *source, const unsigned char *p, uint64_t position, io_npz_end *out,
                           fal_error *error)
{
    uint16_t here = io_le16(p + 8), all = io_le16(p + 10);
    if (io_le16(p + 4) != io_le16(p + 6) || here != all ||
        (io_le16(p + 4) != 0 && io_le16(p + 4) != UINT16_MAX)) {
        return io_fail(error, FAL_E_UNSUPPORTED, &source->place, position,
                       "multi-part archives are not supported");
    }
    io_npz_end plain = {.entries = all, .length = io_le32(p + 12), .offset = io_le32(p + 16)};
    uint64_t start = position;
    *out = plain;
    if (position >= LOCATOR + END64) {
        unsigned char mark[4];
        IO_TRY(io_source_seek(source, position - LOCATOR, error));
        IO_TRY(io_source_exact(source, mark, sizeof mark, "the archive end", error));
        if (io_le32(mark) == 0x07064b50) IO_TRY(read_end64(source, position - LOCATOR, out, &start, error));
    }
    bool agrees = (plain.entries == UINT16_MAX || plain.entries == out->entries) &&
                  (plain.length == UINT32_MAX || plain.length == out->length) &&
                  (plain.offset == UINT32_MAX || plain.offset == out->offset);
    if (!agrees) {
        return io_fail(error, FAL_E_HEADER, &source->place, position, "the two ends of the archive differ");
    }
    if (out->length > UINT64_MAX - out->offset) {
        return io_fail(error, FAL_E_OVERFLOW, &source->place, position,
                       "offset and size of the directory overflow");
    }
    if (out->offset + out->length > start) {
        return io_fail(error, FAL_E_HEADER, &source->place, position,
                       "the directory lies outside the archive");
    }
    if (out->offset + out->length < start) {
        return io_fail(error, FAL_E_TRAILING, &source->place, out->offset + out->length,
                       "%" PRIu64 " bytes belong to no part of the archive",
                       start - out->offset - out->length);
    }
    return FAL_OK;
}

fal_status io_npz_find_end(io_source *source, io_npz_end *out, fal_error *error)
{
    if (source->size < END) {
        return io_fail(error, FAL_E_TRUNCATED, &source->place, source->size,
                       "%" PRIu64 " bytes; an archive needs %d", source->size, END);
    }
    uint64_t length = source->size < END + COMMENT ? source->size : END + COMMENT;
    uint64_t base = source->size - length;
    void *tail = NULL;
    size_t at = 0;
    IO_TRY(io_source_seek(source, base, error));
    IO_TRY(io_source_take(source, length, "the archive end", &tail, error));
    fal_status status = scan_tail(source, tail, (size_t)length, base, &at, error);
    if (status == FAL_OK) status = read_end(source, (unsigned char *)tail + at, base + at, out, error);
    free(tail);
    return status;
}
