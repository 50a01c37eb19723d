/* SPDX-License-Identifier: BSD-3-Clause */
/* test_hostile.c: every cut and every small damage of files of each kind. See hostile.h. */
#define _XOPEN_SOURCE 700
#include "hostile.h"

static void damage(const char *name, const char *member)
{
    char path[96];
    snprintf(path, sizeof path, DATA "%s", name);
    bytes whole = load(path);
    cut_everywhere(&whole, member);
    damage_everywhere(&whole, member, 400);
    free(whole.data);
}

static void npy(void **state)
{
    (void)state;
    damage("f32_2x3.npy", "");
    damage("version2.npy", "");
    damage("big_i2_fortran.npy", "");
    damage("bool.npy", "");
}

static void npz(void **state)
{
    (void)state;
    damage("stored.npz", ":a");
    damage("deflated.npz", ":zeros");
    damage("streamed.npz", ":b/c");
}

static void safetensors(void **state)
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                                 "\"b\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[8,9]}}";
    bytes b = {0};
    (void)state;
    append_number(&b, sizeof header - 1, 8, false);
    append(&b, header, sizeof header - 1);
    append(&b, "\0\0\x80\x3f\0\0\0\xc0\1", 9);
    cut_everywhere(&b, ":a");
    damage_everywhere(&b, ":b", 400);
    free(b.data);
}

static void png(void **state)
{
    static const char *const names[] = {"c0_d8.png", "c2_d16_i.png", "c3_d4.png", "c6_d8.png", "c0_d1_i.png"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) damage(names[i], "");
}

/* The checksums keep most damage of a PNG away from the decoder; here they are made right again. */
static void png_with_right_checksums(void **state)
{
    bytes whole = load(DATA "c3_d4.png");
    (void)state;
    for (size_t chunk = 8; chunk + 12 <= whole.count;) {
        size_t length = (size_t)whole.data[chunk + 2] << 8 | whole.data[chunk + 3];
        for (size_t i = chunk + 4; i < chunk + 8 + length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                bytes b = {0};
                append(&b, whole.data, chunk);
                append(&b, whole.data + chunk, 8 + length);
                b.data[i] ^= (unsigned char)(1 << bit);
                append_number(&b, crc32_of(b.data + chunk + 4, 4 + length), 4, true);
                append(&b, whole.data + chunk + 12 + length, whole.count - chunk - 12 - length);
                survives(&b, "", "flip", i);
                free(b.data);
            }
        }
        chunk += 12 + length;
    }
    free(whole.data);
}

/* Headers of a few dozen bytes that ask for terabytes. */
static void lies(void **state)
{
    static const char *const headers[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647,)}",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (65536, 65536)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551615,)}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        bytes b = {0};
        append(&b, "\x93NUMPY\1\0", 8);
        append_number(&b, strlen(headers[i]), 2, false);
        append(&b, headers[i], strlen(headers[i]));
        append(&b, "12345678", 8);
        assert_false(survives(&b, "", "lie", i));
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy),
        cmocka_unit_test(npz),
        cmocka_unit_test(safetensors),
        cmocka_unit_test(png),
        cmocka_unit_test(png_with_right_checksums),
        cmocka_unit_test(lies),
    };
    return cmocka_run_group_tests(tests, limit_memory, remove_scratch);
}
