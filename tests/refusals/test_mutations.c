/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_mutations.c: one small file of every kind, damaged in every way that one place allows: cut at
 * every byte, every bit flipped, every byte set to 00, 7F, 80 and FF. What comes out is a refusal that
 * deserves the name, or a tensor that is whole; under the sanitizers also nothing else.
 */
#define _XOPEN_SOURCE 700
#include "refusals/pngs.h"
#include "refusals/zips.h"

/* Reads the bytes and every element that is there. Returns whether they were accepted. */
static bool survive(const unsigned char *data, size_t count)
{
    io_array out;
    fal_error error = {0};
    const char *path = store("file", data, count);
    const size_t room = (size_t)16 << 20; /* a flipped bit may make a claim of some thousand bytes */
    fal_status status = read_within(room, path, NULL, &out, &error);
    if (status != FAL_OK) {
        check_refusal(&out, &error, status);
        assert_int_not_equal(status, FAL_E_NOMEM);
        assert_int_not_equal(status, FAL_E_INTERNAL);
        return false;
    }
    assert_int_equal(fal_tensor_check(&out.tensor, "x", &error), FAL_OK);
    assert_true((uint64_t)fal_tensor_count(&out.tensor) * fal_dtype_bytes(out.tensor.dtype) <= out.bytes);
    volatile double seen = 0; /* every element is read */
    int64_t index[FAL_MAX_RANK] = {0};
    for (bool more = fal_tensor_count(&out.tensor) > 0; more; more = next_index(&out.tensor, index))
        seen = fal_tensor_get(&out.tensor, index);
    (void)seen;
    io_array_free(&out);
    return true;
}

/* Frees the bytes. */
static void damage(bytes b)
{
    assert_true(survive(b.data, b.count));
    for (size_t count = 0; count < b.count; count++) assert_false(survive(b.data, count));
    for (size_t at = 0; at < b.count; at++) {
        static const unsigned char values[] = {0x00, 0x7f, 0x80, 0xff};
        const unsigned char byte = b.data[at];
        for (int bit = 0; bit < 8; bit++) {
            b.data[at] = (unsigned char)(byte ^ 1u << bit);
            survive(b.data, b.count);
        }
        for (int v = 0; v < 4; v++) {
            b.data[at] = values[v];
            survive(b.data, b.count);
        }
        b.data[at] = byte;
    }
    free(b.data);
}

static void npy_file(void **state)
{
    (void)state;
    bytes b = three();
    damage(b);
}

static void stored_archive(void **state)
{
    (void)state;
    archive a = one((member){0});
    damage(a.b);
}

static void deflated_archive(void **state)
{
    (void)state;
    bytes array = three();
    member m = {.data = stored_block(array.data, array.count),
                .method = 8,
                .size = (uint32_t)array.count,
                .crc = crc32_of(array.data, array.count)};
    free(array.data);
    archive a = one(m);
    damage(a.b);
}

static void safetensors_file(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[0,4]}}";
    bytes b = {0};
    append_number(&b, sizeof text - 1, 8, false);
    append(&b, text, sizeof text - 1);
    append(&b, "\1\2\3\4", 4);
    damage(b);
}

static void png_files(void **state)
{
    (void)state;
    bytes plain = picture((header){.width = 3, .height = 2, .depth = 8, .color = 2});
    damage(plain);
    bytes indexed = picture((header){.width = 3, .height = 2, .depth = 1, .color = 3, .interlace = 1});
    damage(indexed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_file),         cmocka_unit_test(stored_archive),
        cmocka_unit_test(deflated_archive), cmocka_unit_test(safetensors_file),
        cmocka_unit_test(png_files),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
