/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_npz.c: archives as NumPy writes them (zip64 local headers, streams, deflate), and archives built
 * here byte by byte whose records contradict each other.
 */
#define _XOPEN_SOURCE 700
#include "files.h"

/* ---- goldens ----------------------------------------------------------------------------------- */

static void numpy_archives(void **state)
{
    static const char *const names[] = {"stored.npz", "deflated.npz", "streamed.npz"};
    _Alignas(8) unsigned char memory[64];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char spec[96];
        snprintf(spec, sizeof spec, DATA "%s:a", names[i]);
        fal_tensor expected = ramp(memory, FAL_F32, 2, (int64_t[]){2, 3});
        io_array got = read_ok(spec, NULL);
        same_tensor(&got.tensor, &expected);
        io_array_free(&got);
        snprintf(spec, sizeof spec, DATA "%s:b/c.npy", names[i]);
        expected = ramp(memory, FAL_I64, 1, (int64_t[]){4});
        got = read_ok(spec, NULL);
        same_tensor(&got.tensor, &expected);
        io_array_free(&got);
        snprintf(spec, sizeof spec, DATA "%s:s", names[i]);
        got = read_ok(spec, NULL);
        assert_int_equal(got.tensor.rank, 0);
        assert_true(fal_tensor_get(&got.tensor, NULL) == 7.0);
        io_array_free(&got);
        snprintf(spec, sizeof spec, DATA "%s", names[i]);
        refused_as("no name", spec, NULL, FAL_E_USAGE);
    }
    io_array got = read_ok(DATA "single.npz", NULL);
    assert_int_equal(got.bytes, 12);
    io_array_free(&got);
    got = read_ok(DATA "other.npz", NULL);
    assert_int_equal(got.bytes, 24);
    io_array_free(&got);
    refused_as("not an array", DATA "other.npz:readme.txt", NULL, FAL_E_MAGIC);
    refused_as("empty", DATA "empty.npz", NULL, FAL_E_HEADER);
    refused_as("objects", DATA "mixed.npz:bad", NULL, FAL_E_UNSUPPORTED);
    got = read_ok(DATA "mixed.npz:good", NULL);
    io_array_free(&got);
}

static void names_are_told(void **state)
{
    io_array out;
    fal_error error = {0};
    (void)state;
    assert_int_equal(io_read(DATA "stored.npz:nope", NULL, &out, &error), FAL_E_NOTFOUND);
    assert_string_equal(error.found, "no tensor is named 'nope'");
    assert_string_equal(error.allowed, "it holds a, b/c, s");
    assert_string_equal(error.field, DATA "stored.npz");
    assert_int_equal(io_read(DATA "mixed.npz:odd", NULL, &out, &error), FAL_E_UNSUPPORTED);
    assert_string_equal(error.field, DATA "mixed.npz:odd");
}

static void listing(void **state)
{
    io_listing list;
    (void)state;
    assert_int_equal(io_list(DATA "mixed.npz", NULL, &list, NULL), FAL_OK);
    assert_int_equal(list.kind, IO_NPZ);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.entries[0].name, "good");
    assert_int_equal(list.entries[0].dtype, FAL_F32);
    assert_int_equal(list.entries[0].shape[0], 2);
    assert_string_equal(list.entries[1].stored, "|O");
    assert_int_equal(list.entries[1].dtype, FAL_DTYPE_NONE);
    assert_string_equal(list.entries[2].stored, "<c8");
    io_listing_free(&list);
    assert_int_equal(io_list(DATA "deflated.npz:zeros", NULL, &list, NULL), FAL_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries->bytes, 12000);
    assert_in_range(list.entries->stored_bytes, 1, 200);
    io_listing_free(&list);
}

/* ---- archives made here ------------------------------------------------------------------------ */

/* What the records of one member say; what is not set is the truth. */
typedef struct member member;
struct member {
    const char *name, *local_name;
    const void *data;
    size_t count;
    uint16_t method, flags;
    uint32_t size, stored, crc; /* in both headers; 0: true */
    uint32_t local_size;        /* in the local header only */
    const member *shares;       /* uses the local header of that member */
    uint32_t offset;            /* where the local header came to lie */
};

static void append_fields(bytes *b, const member *m, uint32_t size)
{
    append_number(b, m->flags, 2, false);
    append_number(b, m->method, 2, false);
    append_number(b, 0x00210000, 4, false);
    append_number(b, m->crc != 0 ? m->crc : crc32_of(m->data, m->count), 4, false);
    append_number(b, m->stored != 0 ? m->stored : m->count, 4, false);
    append_number(b, size != 0 ? size : m->size != 0 ? m->size : m->count, 4, false);
}

static void append_local(bytes *b, member *m)
{
    const char *name = m->local_name != NULL ? m->local_name : m->name;
    m->offset = (uint32_t)b->count;
    append(b, "PK\3\4\x14\0", 6);
    append_fields(b, m, m->local_size);
    append_number(b, strlen(name), 2, false);
    append_number(b, 0, 2, false);
    append(b, name, strlen(name));
    append(b, m->data, m->count);
}

static void append_central(bytes *b, const member *m)
{
    append(b, "PK\1\2\x14\0\x14\0", 8);
    append_fields(b, m, 0);
    append_number(b, strlen(m->name), 2, false);
    append_number(b, 0, 8, false); /* extra, comment, disk, internal attributes */
    append_number(b, 0, 2, false);
    append_number(b, 0, 2, false);
    append_number(b, m->shares != NULL ? m->shares->offset : m->offset, 4, false);
    append(b, m->name, strlen(m->name));
}

typedef struct ending {
    uint16_t entries, comment;
    uint32_t offset, length;
} ending;

/* The archive; `lies` are added to the fields of the end record. */
static bytes make_archive(member *members, size_t count, ending lies)
{
    bytes b = {0};
    for (size_t i = 0; i < count; i++)
        if (members[i].shares == NULL) append_local(&b, members + i);
    size_t start = b.count;
    for (size_t i = 0; i < count; i++) append_central(&b, members + i);
    size_t length = b.count - start;
    append(&b, "PK\5\6\0\0\0\0", 8);
    append_number(&b, count + lies.entries, 2, false);
    append_number(&b, count + lies.entries, 2, false);
    append_number(&b, length + lies.length, 4, false);
    append_number(&b, start + lies.offset, 4, false);
    append_number(&b, lies.comment, 2, false);
    return b;
}

static bytes npy;

static fal_status try_archive(bytes b, const char *name)
{
    char spec[256];
    io_array out;
    fal_error error = {0};
    snprintf(spec, sizeof spec, "%s%s%s", store("z.npz", b.data, b.count), name != NULL ? ":" : "",
             name != NULL ? name : "");
    fal_status status = io_read(spec, NULL, &out, &error);
    if (status != FAL_OK) check_refusal(&out, &error, status);
    io_array_free(&out);
    free(b.data);
    return status;
}

static fal_status try_member(member m)
{
    if (m.data == NULL) {
        m.data = npy.data;
        m.count = npy.count;
    }
    if (m.name == NULL) m.name = "x.npy";
    return try_archive(make_archive(&m, 1, (ending){0}), NULL);
}

static void members_that_lie(void **state)
{
    (void)state;
    assert_int_equal(try_member((member){0}), FAL_OK);
    assert_int_equal(try_member((member){.crc = 1}), FAL_E_CHECKSUM);
    assert_int_equal(try_member((member){.local_name = "y.npy"}), FAL_E_HEADER);
    assert_int_equal(try_member((member){.local_size = 7}), FAL_E_HEADER);
    assert_int_equal(try_member((member){.local_size = 7, .flags = 8}), FAL_OK);
    assert_int_equal(try_member((member){.size = 100}), FAL_E_HEADER);
    assert_int_equal(try_member((member){.size = 100000, .stored = 100000}), FAL_E_TRUNCATED);
    assert_int_equal(try_member((member){.flags = 1}), FAL_E_UNSUPPORTED);
    assert_int_equal(try_member((member){.method = 12}), FAL_E_UNSUPPORTED);
    assert_int_equal(try_member((member){.method = 93}), FAL_E_UNSUPPORTED);
    assert_int_equal(try_member((member){.name = "../x.npy"}), FAL_E_NAME);
    assert_int_equal(try_member((member){.name = "/x.npy"}), FAL_E_NAME);
    assert_int_equal(try_member((member){.name = "C:/x.npy"}), FAL_E_NAME);
    assert_int_equal(try_member((member){.name = "a\x1b.npy"}), FAL_E_NAME);
    assert_int_equal(try_member((member){.name = ""}), FAL_E_NAME);
    assert_int_equal(try_member((member){.data = npy.data, .count = npy.count - 1}), FAL_E_TRUNCATED);
    /* 77 bytes whose header length points past the member. */
    assert_int_equal(try_member((member){.data = "\x93NUMPY\1\0\xff\xff", .count = 10}), FAL_E_TRUNCATED);
}

/* Deflate by hand: a final stored block is 1, length, its complement, the bytes. */
static bytes deflate_stored(const void *data, size_t count)
{
    bytes b = {0};
    append_number(&b, 1, 1, false);
    append_number(&b, count, 2, false);
    append_number(&b, ~count, 2, false);
    append(&b, data, count);
    return b;
}

static fal_status try_deflated(const void *data, size_t count, size_t size)
{
    uint32_t crc = crc32_of(npy.data, npy.count);
    return try_member(
        (member){.data = data, .count = count, .method = 8, .size = (uint32_t)size, .crc = crc});
}

static void deflated_members(void **state)
{
    bytes good = deflate_stored(npy.data, npy.count);
    const size_t size = npy.count;
    (void)state;
    assert_int_equal(try_deflated(good.data, good.count, size), FAL_OK);
    assert_int_equal(try_deflated(good.data, good.count, size + 1), FAL_E_COMPRESSED);
    assert_int_equal(try_deflated(good.data, good.count, size - 1), FAL_E_TRUNCATED);
    assert_int_equal(try_deflated(good.data, good.count - 20, size), FAL_E_COMPRESSED);
    assert_int_equal(try_deflated(good.data, good.count, 2000000), FAL_E_BOMB);
    assert_int_equal(try_deflated(good.data, good.count, 0xfffffff0), FAL_E_BOMB);
    assert_int_equal(try_deflated("\7\0\0\0", 4, size), FAL_E_COMPRESSED);
    good.data[3] ^= 1; /* the complement of the length */
    assert_int_equal(try_deflated(good.data, good.count, size), FAL_E_COMPRESSED);
    free(good.data);
    /* The array is there in full, but the declared size is less than what comes out. */
    bytes longer = {0};
    append(&longer, npy.data, npy.count);
    append(&longer, "xyz", 3);
    good = deflate_stored(longer.data, longer.count);
    assert_int_equal(try_deflated(good.data, good.count, size), FAL_E_COMPRESSED);
    free(good.data);
    free(longer.data);
}

static void relations(void **state)
{
    member two[2] = {{.name = "a.npy", .data = npy.data, .count = npy.count},
                     {.name = "a.npy", .data = npy.data, .count = npy.count}};
    (void)state;
    assert_int_equal(try_archive(make_archive(two, 2, (ending){0}), "a"), FAL_E_DUPLICATE);
    two[1].name = "b.npy";
    assert_int_equal(try_archive(make_archive(two, 2, (ending){0}), "a"), FAL_OK);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.entries = 1}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.entries = 9999}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.entries = (uint16_t)-1}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.offset = 1}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.offset = 0xf0000000}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.length = 50}), "a"), FAL_E_HEADER);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.length = (uint32_t)-1}), "a"),
                     FAL_E_TRAILING);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){.comment = 5}), "a"), FAL_E_HEADER);
    two[1].shares = two;
    two[1].local_name = two[0].local_name = "a.npy";
    assert_int_equal(try_archive(make_archive(two, 2, (ending){0}), "a"), FAL_E_HEADER);
    two[1].shares = NULL;
    /* The first member claims the second as part of its data. */
    two[1].local_name = NULL;
    two[0].stored = two[0].size = (uint32_t)(2 * npy.count + 35);
    assert_int_equal(try_archive(make_archive(two, 2, (ending){0}), "a"), FAL_E_OVERLAP);
}

static void around_the_archive(void **state)
{
    member m = {.name = "x.npy", .data = npy.data, .count = npy.count};
    bytes plain = make_archive(&m, 1, (ending){0}), b = {0};
    (void)state;
    append(&b, plain.data, plain.count - 22);
    assert_int_equal(try_archive(b, NULL), FAL_E_MAGIC);
    b = (bytes){0};
    append(&b, plain.data, plain.count);
    append(&b, "junk", 4);
    assert_int_equal(try_archive(b, NULL), FAL_E_HEADER);
    /* A comment that is another end record. */
    bytes outer = make_archive(&m, 1, (ending){.comment = 22});
    append(&outer, plain.data + plain.count - 22, 22);
    assert_int_equal(try_archive(outer, NULL), FAL_E_HEADER);
    outer = make_archive(&m, 1, (ending){.comment = 3});
    append(&outer, "hi!", 3);
    assert_int_equal(try_archive(outer, NULL), FAL_OK);
    /* Eight bytes between members and directory, which belong to nobody, are legal; before the first
     * member they would make the file two things at once. */
    member late[2] = {m, m};
    late[1].name = "y.npy";
    bytes first = {0};
    append_local(&first, &late[0]);
    append_local(&first, &late[1]);
    size_t start = first.count;
    append_central(&first, &late[1]);
    append(&first, "PK\5\6\0\0\0\0\1\0\1\0", 12);
    append_number(&first, first.count - 12 - start, 4, false);
    append_number(&first, start, 4, false);
    append_number(&first, 0, 2, false);
    assert_int_equal(try_archive(first, NULL), FAL_E_TRAILING);
    free(plain.data);
}

static void limits(void **state)
{
    const io_read_options few = {.limits = {.members = 2}}, small = {.limits = {.stream_bytes = 1000}};
    const io_read_options name = {.limits = {.name_bytes = 4}};
    (void)state;
    refused_as("members", DATA "stored.npz:a", &few, FAL_E_LIMIT);
    refused_as("bytes", DATA "deflated.npz:zeros", &small, FAL_E_LIMIT);
    refused_as("name", DATA "stored.npz:a", &name, FAL_E_LIMIT);
    io_array got = read_ok(DATA "deflated.npz:a", &small);
    io_array_free(&got);
}

/* 70,000 members need the zip64 end record and are above the limit; with it raised they are read. */
static void zip64_end(void **state)
{
    bytes b = {0}, directory = {0};
    enum { MEMBERS = 66000 };
    const io_read_options many = {.limits = {.members = MEMBERS}};
    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        member m = {.name = i == 65999 ? "x.npy" : name, .data = "", .count = 0};
        if (i == 65999) {
            m.data = npy.data;
            m.count = npy.count;
        }
        append_local(&b, &m);
        append_central(&directory, &m);
    }
    uint64_t start = b.count, end;
    append(&b, directory.data, directory.count);
    end = b.count;
    append(&b, "PK\6\6", 4);
    append_number(&b, 44, 8, false);
    append_number(&b, 0x002d002d, 4, false);
    append_number(&b, 0, 8, false);
    append_number(&b, MEMBERS, 8, false);
    append_number(&b, MEMBERS, 8, false);
    append_number(&b, directory.count, 8, false);
    append_number(&b, start, 8, false);
    append(&b, "PK\6\7\0\0\0\0", 8);
    append_number(&b, end, 8, false);
    append_number(&b, 1, 4, false);
    append(&b, "PK\5\6\0\0\0\0\xff\xff\xff\xff", 12);
    append_number(&b, directory.count, 4, false);
    append_number(&b, start, 4, false);
    append_number(&b, 0, 2, false);
    const char *path = store("big.npz", b.data, b.count);
    refused_as("members", path, NULL, FAL_E_LIMIT);
    io_array got = read_ok(path, &many);
    assert_int_equal(got.bytes, 24);
    io_array_free(&got);
    b.data[end + 48] ^= 1; /* the offset of the directory */
    refused_as("ends differ", store("big.npz", b.data, b.count), &many, FAL_E_HEADER);
    b.data[end + 48] ^= 1;
    b.data[end + 56 + 15] = 0x80; /* the locator */
    refused_as("locator", store("big.npz", b.data, b.count), &many, FAL_E_HEADER);
    free(b.data);
    free(directory.data);
}

static int setup(void **state)
{
    npy = load(DATA "f32_2x3.npy");
    return make_scratch(state);
}

static int teardown(void **state)
{
    free(npy.data);
    return remove_scratch(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_archives),     cmocka_unit_test(names_are_told),   cmocka_unit_test(listing),
        cmocka_unit_test(members_that_lie),   cmocka_unit_test(deflated_members), cmocka_unit_test(relations),
        cmocka_unit_test(around_the_archive), cmocka_unit_test(limits),           cmocka_unit_test(zip64_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
