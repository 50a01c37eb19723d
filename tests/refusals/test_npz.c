/* SPDX-License-Identifier: BSD-3-Clause */
/* test_npz.c: the rows of table npz in rows.inc, each an archive made byte by byte. */
#define _XOPEN_SOURCE 700
#define ROW_npz       REFUSALS_ROW
#include "refusals/rows.h"
#include "refusals/zips.h"

static const double numbers[] = {1, 2, 3};

static void refuse_archive(archive a, fal_status status, const char *key)
{
    refuse((attempt){.file = a.b}, status, key);
}

static void refuse_member(member m, fal_status status, const char *key)
{
    refuse_archive(one(m), status, key);
}

static void accept_archive(archive a, const char *name)
{
    accept_numbers((attempt){.file = a.b, .member = name}, 3, numbers);
}

/* Refused whichever member is asked for. */
static void refuse_pair(archive a, fal_status status, const char *key)
{
    refuse((attempt){.file = a.b, .member = "a"}, status, key);
}

static bytes bytes_of(const void *data, size_t count)
{
    bytes b = {0};
    append(&b, data, count);
    return b;
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void Z01(void)
{
    refuse_bytes("", 0, FAL_E_TRUNCATED, "the file is empty");
}

static void Z02(void)
{
    refuse_bytes("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, FAL_E_HEADER, "contains no tensors");
}

static void Z03(void)
{
    archive a = one((member){0});
    a.b.count = a.end;
    refuse_archive(a, FAL_E_MAGIC, "the end of the archive is missing");
}

static void Z04(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, a.end + END_COMMENT, 500, 2), FAL_E_HEADER,
                   "comment of the archive has a wrong length");
}

static void Z05(void)
{
    archive a = one((member){0});
    put(a, a.end + END_COMMENT, 22, 2);
    bytes inner = bytes_of(a.b.data + a.end, 22);
    append(&a.b, inner.data, 22); /* of which the comment would be longer than the file */
    free(inner.data);
    accept_archive(a, NULL);
    a = one((member){0});
    inner = bytes_of(a.b.data + a.end, 22);
    put(a, a.end + END_COMMENT, 22, 2);
    append(&a.b, inner.data, 22);
    free(inner.data);
    refuse_archive(a, FAL_E_HEADER, "two ends");
}

static void Z06(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, a.end + END_DISK, 1, 2), FAL_E_UNSUPPORTED, "multi-part");
    a = one((member){0});
    refuse_archive(put(a, a.central + CENTRAL_DISK, 1, 2), FAL_E_UNSUPPORTED, "multi-part");
}

static void Z07(void)
{
    archive a = two();
    put(put(a, a.end + END_HERE, 1, 2), a.end + END_ALL, 1, 2);
    refuse_pair(a, FAL_E_HEADER, "more than the 1 entries");
    a = two();
    put(put(a, a.end + END_HERE, 900, 2), a.end + END_ALL, 900, 2);
    refuse_pair(a, FAL_E_HEADER, "900 members in a directory of 102 bytes");
}

static void Z08(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, a.end + END_OFFSET, 0xf0000000, 4), FAL_E_HEADER, "outside the archive");
}

static void Z09(void)
{
    archive a = one((member){0});
    refuse_archive(with_end64(a, 1, UINT64_MAX - 50, 100, 0), FAL_E_OVERFLOW, "overflow");
}

static void Z10(void)
{
    archive a = one((member){0});
    refuse_archive(with_end64(a, 1, a.end - a.central, a.central, UINT64_C(1) << 60), FAL_E_HEADER,
                   "not where it should be");
    a = one((member){0});
    accept_archive(with_end64(a, 1, a.end - a.central, a.central, 0), NULL);
}

/* The directory's 32 bits defer to an extra field. */
static archive with_sizes64(uint64_t size, uint64_t stored, size_t length)
{
    bytes extra = bytes_of("\1\0", 2);
    append_number(&extra, length, 2, false);
    append_number(&extra, size, 8, false);
    append_number(&extra, stored, 8, false);
    extra.count = 4 + length;
    archive a = one((member){.method = 8, .size = UINT32_MAX, .stored = UINT32_MAX, .extra = extra});
    return put(a, LOCAL_FLAGS, 8, 2); /* the local header tells no sizes */
}

static void Z11(void)
{
    const uint64_t half = UINT64_C(1) << 63;
    refuse_archive(with_sizes64(half, 80, 16), FAL_E_LIMIT, "8.0 EiB unpacked");
    refuse_archive(with_sizes64(half, half, 16), FAL_E_TRUNCATED, "runs past its end");
}

/* ---- where members lie --------------------------------------------------------------------------- */

static void Z12(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, a.central + CENTRAL_OFFSET, 0x7fffffff, 4), FAL_E_HEADER, "begins outside");
    a = one((member){0});
    refuse_archive(put(a, a.central + CENTRAL_OFFSET, a.central, 4), FAL_E_HEADER, "begins outside");
}

static void Z13(void)
{
    archive a = two();
    size_t second = (a.central) / 2;
    refuse_pair(put(a, second, 0, 4), FAL_E_HEADER, "a member header is damaged");
}

static void Z14(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, LOCAL_NAME, 'y', 1), FAL_E_HEADER, "another name in the directory");
}

static void Z15(void)
{
    refuse_archive(put(one((member){0}), LOCAL_SIZE, 7, 4), FAL_E_HEADER, "other sizes in the directory");
    refuse_archive(put(one((member){0}), LOCAL_STORED, 7, 4), FAL_E_HEADER, "other sizes in the directory");
}

static void Z16(void)
{
    refuse_member((member){.size = 100000, .stored = 100000}, FAL_E_TRUNCATED,
                  "data of 'x.npy' runs past its end");
}

static void Z17(void)
{
    refuse_archive(with_sizes64(UINT64_C(40000000000), 80, 16), FAL_E_LIMIT,
                   "37.3 GiB unpacked; at most 8.0 GiB");
}

static void Z18(void)
{
    member m[2] = {{.name = "a.npy", .stored = 150, .size = 150}, {.name = "b.npy"}};
    refuse_pair(archive_of(m, 2), FAL_E_OVERLAP, "members 'a.npy' and 'b.npy' share bytes");
}

/* The local header bears one name, so a second entry is a duplicate or contradicts it. */
static void Z19(void)
{
    archive a = two();
    size_t second = a.central + CENTRAL_NAME + 5;
    refuse_pair(put(a, second + CENTRAL_OFFSET, 0, 4), FAL_E_HEADER, "another name in the directory");
    a = two();
    put(put(a, second + CENTRAL_OFFSET, 0, 4), second + CENTRAL_NAME, 'a', 1);
    refuse_pair(a, FAL_E_DUPLICATE, "two members are named 'a.npy'");
}

/* The first member is, as a stored block, the whole of the second. */
static void Z20(void)
{
    const uint32_t whole = 35 + 79 + 5;
    member m[2] = {{.name = "a.npy", .data = bytes_of("\1\0\0\0\0", 5), .method = 8, .stored = 100},
                   {.name = "b.npy"}};
    m[0].size = whole;
    refuse_pair(archive_of(m, 2), FAL_E_OVERLAP, "share bytes");
}

/* ---- compressed data ----------------------------------------------------------------------------- */

/* A deflated member whose checksum and declared size are those of the array 1, 2, 3, or `size`. */
static void refuse_stream(bytes stream, uint32_t size, fal_status status, const char *key)
{
    bytes array = three();
    uint32_t crc = crc32_of(array.data, array.count);
    if (size == 0) size = (uint32_t)array.count;
    free(array.data);
    refuse_member((member){.data = stream, .method = 8, .size = size, .crc = crc}, status, key);
}

static bytes good_stream(void)
{
    bytes array = three(), stream = stored_block(array.data, array.count);
    free(array.data);
    return stream;
}

static void Z21(void)
{
    refuse_stream(good_stream(), 2000000, FAL_E_BOMB, "to become 2000000; deflate makes at most 1032 of one");
}

static void Z22(void)
{
    bytes stream = good_stream();
    stream.count -= 20;
    refuse_stream(stream, 0, FAL_E_COMPRESSED, "ends");
}

static void Z23(void)
{
    bytes array = three();
    uint32_t crc = crc32_of(array.data, array.count), size = (uint32_t)array.count;
    append(&array, "more", 4);
    bytes stream = stored_block(array.data, array.count);
    free(array.data);
    refuse_member((member){.data = stream, .method = 8, .size = size, .crc = crc}, FAL_E_COMPRESSED,
                  "longer than the 80 bytes declared");
}

static void Z24(void)
{
    refuse_stream(bytes_of("\7\0\0\0", 4), 0, FAL_E_COMPRESSED, "damaged");
}

/* Fixed codes: copy 3 bytes from 1 before, where nothing is yet. */
static void Z25(void)
{
    refuse_stream(bytes_of("\3\2\0\0", 4), 0, FAL_E_COMPRESSED, "damaged");
}

/* A block with codes of its own, of which the code of code lengths has `count` codes of `length` bits. */
static bytes codes(int count, uint32_t length)
{
    bytes b = {0};
    unsigned used = 0;
    append_bits(&b, &used, 1, 1);
    append_bits(&b, &used, 2, 2);
    append_bits(&b, &used, 0, 10);
    append_bits(&b, &used, 15, 4);
    for (int i = 0; i < 19; i++) append_bits(&b, &used, i < count ? length : 0, 3);
    append_bits(&b, &used, 0, 32);
    return b;
}

static void Z26(void)
{
    refuse_stream(codes(19, 1), 0, FAL_E_COMPRESSED, "damaged");
    refuse_stream(codes(1, 7), 0, FAL_E_COMPRESSED, "damaged");
}

static void Z27(void)
{
    bytes stream = good_stream();
    stream.data[3] ^= 1;
    refuse_stream(stream, 0, FAL_E_COMPRESSED, "damaged");
}

static void Z28(void)
{
    bytes stream = {0};
    for (int i = 0; i < 200000; i++) append(&stream, "\0\0\0\xff\xff", 5);
    refuse_stream(stream, 0, FAL_E_COMPRESSED, "ends");
}

static void Z29(void)
{
    refuse_member((member){.crc = 1}, FAL_E_CHECKSUM, "CRC-32 does not match");
}

static void Z30(void)
{
    static const unsigned methods[] = {12, 14, 93};
    for (int i = 0; i < 3; i++) {
        char key[40];
        snprintf(key, sizeof key, "compression method %u; 0 (stored)", methods[i]);
        refuse_member((member){.method = methods[i]}, FAL_E_UNSUPPORTED, key);
    }
    refuse_member((member){.method = 99}, FAL_E_UNSUPPORTED, "encrypted");
}

static void Z31(void)
{
    refuse_member((member){.flags = 1}, FAL_E_UNSUPPORTED, "encrypted");
}

/* ---- names --------------------------------------------------------------------------------------- */

static void Z32(void)
{
    static const char *const names[] = {"../../etc/x.npy", "/x.npy", "C:\\x.npy", "a/../x.npy", "..\\x.npy"};
    for (int i = 0; i < 5; i++) refuse_member((member){.name = names[i]}, FAL_E_NAME, "is not allowed");
}

static void Z33(void)
{
    refuse_member((member){.name = "a\0b.npy", .name_length = 7}, FAL_E_NAME, "'a\\x00b.npy' is not allowed");
    refuse_member((member){.name = "a\x1b[2J.npy"}, FAL_E_NAME, "'a\\x1b[2J.npy' is not allowed");
}

static void Z34(void)
{
    refuse_member((member){.name = ""}, FAL_E_NAME, "a member has no name");
}

static void Z35(void)
{
    member m[2] = {{.name = "a.npy"}, {.name = "a.npy"}};
    refuse_pair(archive_of(m, 2), FAL_E_DUPLICATE, "two members are named 'a.npy'");
}

static void Z36(void)
{
    member m[2] = {{.name = "readme.txt", .data = bytes_of("hello, world", 12)}, {.name = "x.npy"}};
    accept_archive(archive_of(m, 2), NULL);
    member again[2] = {{.name = "readme.txt", .data = bytes_of("hello, world", 12)}, {.name = "x.npy"}};
    refuse((attempt){.file = archive_of(again, 2).b, .member = "readme.txt"}, FAL_E_MAGIC, "not .npy");
}

static void Z37(void)
{
    member m[2] = {{.name = "folder/"}, {.name = "folder/x.npy"}};
    m[0].data = bytes_of("", 0);
    m[0].data.data = malloc(1);
    accept_archive(archive_of(m, 2), NULL);
}

static void Z38(void)
{
    archive a = one((member){0});
    refuse_archive(with_end64(a, 1000000, a.end - a.central, a.central, 0), FAL_E_LIMIT,
                   "1000000 members; at most 65535");
}

static void Z39(void)
{
    refuse_member((member){.size = 100}, FAL_E_HEADER, "bytes, but 100 unpacked");
}

static void Z40(void)
{
    archive a = put(one((member){.flags = 8}), LOCAL_SIZE, 0, 4);
    accept_archive(put(a, LOCAL_STORED, 0, 4), NULL);
}

/* ---- the rest ------------------------------------------------------------------------------------ */

/* In front of everything the junk is what the file is; hidden in a member that no entry names it is found. */
static void Z41(void)
{
    archive a = one((member){0});
    bytes b = bytes_of("#!/bin/sh\n", 10);
    append(&b, a.b.data, a.b.count);
    free(a.b.data);
    refuse((attempt){.file = b}, FAL_E_MAGIC, "it starts with '#!/bin/sh");
    a = two();
    size_t entry = CENTRAL_NAME + 5;
    memmove(a.b.data + a.central, a.b.data + a.central + entry, a.b.count - a.central - entry);
    a.b.count -= entry;
    a.end -= entry;
    put(put(a, a.end + END_HERE, 1, 2), a.end + END_ALL, 1, 2);
    refuse_archive(put(a, a.end + END_LENGTH, entry, 4), FAL_E_TRAILING, "bytes before the first member");
}

static void Z42(void)
{
    archive a = one((member){0});
    refuse_archive(put(a, a.central + CENTRAL_EXTRA, 200, 2), FAL_E_HEADER, "runs past the directory");
    refuse_archive(with_sizes64(80, 80, 12), FAL_E_HEADER, "extra field of a directory entry is damaged");
}

static void Z43(void)
{
    bytes b = bytes_of("\x93NUMPY\1\0\xff\xff", 10);
    refuse_member((member){.data = b}, FAL_E_TRUNCATED, "needs 65535 bytes, 0 present");
}

static void Z44(void)
{
    static const char text[] = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
    for (int i = 0; i < 2; i++) {
        bytes pickle = bytes_of("\x93NUMPY\1\0", 8);
        append_number(&pickle, sizeof text - 1, 2, false);
        append(&pickle, text, sizeof text - 1);
        append(&pickle, "\x80\4K\1.", 5);
        member m[2] = {{.name = "bad.npy", .data = pickle}, {.name = "good.npy"}};
        archive a = archive_of(m, 2);
        if (i == 0)
            refuse((attempt){.file = a.b, .member = "bad"}, FAL_E_UNSUPPORTED, "pickle");
        else
            accept_archive(a, "good");
    }
}

static const refusals_row rows[] = {
#include "refusals/rows.inc"
};

int main(void)
{
    return refusals_main("npz", rows, sizeof rows / sizeof *rows, make_scratch, remove_scratch);
}
