/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zips.h: archives made byte by byte. They are built whole and right; a row then overwrites the field
 * that is to lie, or builds from members that lie alike in both of their headers.
 */
#ifndef TESTS_REFUSALS_ZIPS_H
#define TESTS_REFUSALS_ZIPS_H

#include "refusals/files.h"

/* Fields of the three records, as offsets from their start. */
enum {
    LOCAL_FLAGS = 6,
    LOCAL_STORED = 18,
    LOCAL_SIZE = 22,
    LOCAL_NAME = 30,
    CENTRAL_SIZE = 24,
    CENTRAL_EXTRA = 30,
    CENTRAL_DISK = 34,
    CENTRAL_OFFSET = 42,
    CENTRAL_NAME = 46,
    END_DISK = 4,
    END_HERE = 8,
    END_ALL = 10,
    END_LENGTH = 12,
    END_OFFSET = 16,
    END_COMMENT = 20
};

/* What the records of a member say; 0 stands for the truth. */
typedef struct member {
    const char *name;
    size_t name_length;
    bytes data; /* as stored; default: the array 1, 2, 3 */
    unsigned method, flags;
    uint32_t size, stored, crc;
    bytes extra; /* of the directory entry */
    size_t at;   /* where its local header came to lie */
} member;

typedef struct archive {
    bytes b;
    size_t central, end;
} archive;

/* The .npy of the float32 numbers 1, 2, 3. */
static inline bytes three(void)
{
    static const char text[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n";
    static const float numbers[] = {1, 2, 3};
    bytes b = {0};
    append(&b, "\x93NUMPY\1\0", 8);
    append_number(&b, sizeof text - 1, 2, false);
    append(&b, text, sizeof text - 1);
    append(&b, numbers, sizeof numbers);
    return b;
}

static inline size_t name_bytes(const member *m)
{
    return m->name_length != 0 ? m->name_length : strlen(m->name);
}

static inline void append_fields(bytes *b, const member *m)
{
    append_number(b, m->flags, 2, false);
    append_number(b, m->method, 2, false);
    append_number(b, 0x00210000, 4, false);
    append_number(b, m->crc != 0 ? m->crc : crc32_of(m->data.data, m->data.count), 4, false);
    append_number(b, m->stored != 0 ? m->stored : m->data.count, 4, false);
    append_number(b, m->size != 0 ? m->size : m->data.count, 4, false);
    append_number(b, name_bytes(m), 2, false);
}

static inline void append_local(bytes *b, member *m)
{
    m->at = b->count;
    append(b, "PK\3\4\x14\0", 6);
    append_fields(b, m);
    append_number(b, 0, 2, false);
    append(b, m->name, name_bytes(m));
    append(b, m->data.data, m->data.count);
}

static inline void append_central(bytes *b, const member *m)
{
    append(b, "PK\1\2\x14\0\x14\0", 8);
    append_fields(b, m);
    append_number(b, m->extra.count, 2, false);
    append_number(b, 0, 8, false); /* comment, disk, attributes inside and half of those outside */
    append_number(b, 0, 2, false);
    append_number(b, m->at, 4, false);
    append(b, m->name, name_bytes(m));
    append(b, m->extra.data, m->extra.count);
}

static inline void append_end(archive *a, size_t count)
{
    a->end = a->b.count;
    append(&a->b, "PK\5\6\0\0\0\0", 8);
    append_number(&a->b, count, 2, false);
    append_number(&a->b, count, 2, false);
    append_number(&a->b, a->end - a->central, 4, false);
    append_number(&a->b, a->central, 4, false);
    append_number(&a->b, 0, 2, false);
}

/* Members without data get the array 1, 2, 3, those without a name "x.npy". Frees their data. */
static inline archive archive_of(member *members, size_t count)
{
    archive a = {.b = {0}};
    for (size_t i = 0; i < count; i++) {
        if (members[i].name == NULL) members[i].name = "x.npy";
        if (members[i].data.data == NULL) members[i].data = three();
        append_local(&a.b, members + i);
    }
    a.central = a.b.count;
    for (size_t i = 0; i < count; i++) append_central(&a.b, members + i);
    append_end(&a, count);
    for (size_t i = 0; i < count; i++) {
        free(members[i].data.data);
        free(members[i].extra.data);
    }
    return a;
}

static inline archive one(member m)
{
    return archive_of(&m, 1);
}

/* Two members, a.npy and b.npy. */
static inline archive two(void)
{
    member members[2] = {{.name = "a.npy"}, {.name = "b.npy"}};
    return archive_of(members, 2);
}

static inline archive put(archive a, size_t at, uint64_t value, int width)
{
    for (int i = 0; i < width; i++) a.b.data[at + (size_t)i] = (unsigned char)(value >> (8 * i));
    return a;
}

/* The archive with a zip64 end and its locator before its plain end, which then defers to them. */
static inline archive with_end64(archive a, uint64_t entries, uint64_t length, uint64_t offset,
                                 uint64_t locator)
{
    bytes b = {0};
    append(&b, a.b.data, a.end);
    append(&b, "PK\6\6", 4);
    append_number(&b, 44, 8, false);
    append_number(&b, 0x002d002d, 4, false);
    append_number(&b, 0, 8, false);
    append_number(&b, entries, 8, false);
    append_number(&b, entries, 8, false);
    append_number(&b, length, 8, false);
    append_number(&b, offset, 8, false);
    append(&b, "PK\6\7\0\0\0\0", 8);
    append_number(&b, locator != 0 ? locator : a.end, 8, false);
    append_number(&b, 1, 4, false);
    append(&b, "PK\5\6\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0", 22);
    free(a.b.data);
    a.b = b;
    return a;
}

/* Bits of a deflate stream, the lowest first. */
static inline void append_bits(bytes *b, unsigned *used, uint32_t value, int count)
{
    for (int i = 0; i < count; i++, ++*used) {
        if (*used % 8 == 0) append_number(b, 0, 1, false);
        b->data[b->count - 1] |= (unsigned char)((value >> i & 1) << (*used % 8));
    }
}

/* A deflate stream of one stored block. */
static inline bytes stored_block(const void *data, size_t count)
{
    bytes b = {0};
    append_number(&b, 1, 1, false);
    append_number(&b, count, 2, false);
    append_number(&b, ~(uint64_t)count, 2, false);
    append(&b, data, count);
    return b;
}

#endif
